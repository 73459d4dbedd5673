//! The HTTP client of the Places API (New): two calls, every limit explicit.

use super::{
    GoogleError, classify,
    convert::{Reading, place_from_body, search_page_from_body},
    drift::{DriftKind, Finding},
    mask::{self, FieldMask},
    repair,
    watch::Watch,
};
use crate::{
    clock::Clock,
    config::Google,
    health::Reporter,
    model::{DataSource, Language, Located, Place, PlaceId, Region, Search, SearchPage},
    telemetry::Metrics,
};
use http::HeaderValue;
use reqwest::{RequestBuilder, Response, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

/// A server that serves invented data says so in this header; Google never sends it.
const DATA_SOURCE_HEADER: &str = "x-data-source";
/// Bodies of errors are short; what is longer is not read.
const ERROR_BODY_BYTES: usize = 64 * 1024;

/// The two calls that the tools need.
#[derive(Debug)]
pub struct Places {
    http: reqwest::Client,
    settings: Google,
    key: Option<HeaderValue>,
    clock: Clock,
    watch: Watch,
}

/// The client cannot be built from its settings.
#[derive(Debug, thiserror::Error)]
pub enum SetUp {
    /// TLS or the resolver could not be set up.
    #[error("the HTTP client for Google could not be built: {0}")]
    Client(#[from] reqwest::Error),
    /// The key has characters that no header may carry.
    #[error("google.api_key contains characters that cannot be sent; it is probably not an API key")]
    Key,
}

impl Places {
    /// Builds the client.
    ///
    /// # Errors
    /// [`SetUp`] when TLS cannot be set up or the key cannot be sent in a header.
    pub fn new(settings: Google, clock: Clock, metrics: Metrics, health: Reporter) -> Result<Self, SetUp> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            // A redirect would carry the key to another host.
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(settings.connect_timeout)
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(16)
            .tcp_keepalive(Duration::from_secs(30));
        if !settings.use_system_proxy {
            builder = builder.no_proxy();
        }
        let key = settings.api_key.as_ref().map(key_header).transpose()?;
        if key.is_none() {
            health.down("no Google API key is set: set google.api_key or GOOGLE_MAPS_API_KEY");
        }
        Ok(Self { http: builder.build()?, settings, key, clock, watch: Watch::new(metrics, health) })
    }

    /// Place Details with [`mask::PLACE`].
    ///
    /// # Errors
    /// [`GoogleError`] names who has to do what.
    pub async fn place(
        &self,
        id: &PlaceId,
        language: &Language,
        region: Option<&Region>,
    ) -> Result<Located<Place>, GoogleError> {
        let mut url = self.url(&["v1", "places", id.as_str()]);
        url.query_pairs_mut().append_pair("languageCode", language.as_str());
        if let Some(region) = region {
            url.query_pairs_mut().append_pair("regionCode", region.as_str());
        }
        self.call("place_details", self.http.get(url), mask::PLACE, place_from_body).await
    }

    /// Text Search with [`mask::SEARCH`].
    ///
    /// # Errors
    /// [`GoogleError`] names who has to do what.
    pub async fn search(&self, search: &Search) -> Result<Located<SearchPage>, GoogleError> {
        let mut body = Map::from_iter([
            ("textQuery".to_owned(), json!(search.query)),
            ("pageSize".to_owned(), json!(search.page_size)),
            ("languageCode".to_owned(), json!(search.language.as_str())),
        ]);
        if let Some(region) = &search.region {
            body.insert("regionCode".to_owned(), json!(region.as_str()));
        }
        if let Some((latitude, longitude, radius)) = search.near {
            let center = json!({"latitude": latitude, "longitude": longitude});
            body.insert("locationBias".to_owned(), json!({"circle": {"center": center, "radius": radius}}));
        }
        if let Some(token) = &search.page_token {
            body.insert("pageToken".to_owned(), json!(token));
        }
        let request = self.http.post(self.url(&["v1", "places:searchText"])).json(&body);
        self.call("search_text", request, mask::SEARCH, search_page_from_body).await.map_err(|error| match error {
            // No place was asked for, so it is the method that was not found.
            GoogleError::PlaceObsolete | GoogleError::PlaceIdInvalid => GoogleError::Unavailable(404),
            error => error,
        })
    }

    /// A URL below the configured origin; each segment is percent-encoded.
    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.settings.places_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(segments);
        }
        url
    }

    async fn call<T>(
        &self,
        endpoint: &'static str,
        request: RequestBuilder,
        mask: FieldMask,
        read: fn(Value) -> Reading<T>,
    ) -> Result<Located<T>, GoogleError> {
        let key = self.key.clone().ok_or(GoogleError::KeyMissing)?;
        let request = request.header("x-goog-api-key", key).header("x-goog-fieldmask", mask.fields);
        let observed = self.watch.request(endpoint, &self.clock);
        let total = self.settings.total_timeout;
        let outcome = match timeout(total, self.exchange(request, mask)).await {
            Ok(Ok(answer)) => self.read(endpoint, &answer, read),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(GoogleError::TimedOut(total)),
        };
        observed.ended(outcome.as_ref().err());
        outcome
    }

    /// One request and its whole answer.
    async fn exchange(&self, request: RequestBuilder, mask: FieldMask) -> Result<Answer, GoogleError> {
        let limit = self.settings.first_byte_timeout;
        let sent = timeout(limit, request.send()).await.map_err(|_| GoogleError::TimedOut(limit))?;
        let response = sent.map_err(|error| {
            if error.is_timeout() {
                GoogleError::TimedOut(self.settings.connect_timeout)
            } else {
                GoogleError::Unreachable
            }
        })?;
        let status = response.status();
        if !status.is_success() {
            let body = self.body(response, ERROR_BODY_BYTES).await.unwrap_or_default();
            return Err(classify(status.as_u16(), &body, self.clock.now()));
        }
        // Billed from here on, whatever becomes of the body.
        self.watch.billed(mask.sku);
        let is_synthetic = response.headers().get(DATA_SOURCE_HEADER).is_some_and(|value| value == "synthetic");
        let source = if is_synthetic { DataSource::Synthetic } else { DataSource::GoogleMaps };
        let body = self.body(response, self.settings.max_answer_bytes).await?;
        Ok(Answer { body, source })
    }

    /// Reads a body piece by piece, so that one without end or one that stalls costs neither memory nor time.
    async fn body(&self, mut response: Response, limit: usize) -> Result<Vec<u8>, GoogleError> {
        let idle = self.settings.idle_timeout;
        let mut body = Vec::new();
        while let Some(piece) = timeout(idle, response.chunk())
            .await
            .map_err(|_| GoogleError::TimedOut(idle))?
            .map_err(|_| GoogleError::Unreachable)?
        {
            if body.len() + piece.len() > limit {
                return Err(GoogleError::TooLarge(limit));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    fn read<T>(
        &self,
        endpoint: &'static str,
        answer: &Answer,
        read: fn(Value) -> Reading<T>,
    ) -> Result<Located<T>, GoogleError> {
        let Some(body) = parse(&answer.body) else {
            let finding = Finding { kind: DriftKind::NotJson, path: String::new(), element: None };
            self.watch.drift(endpoint, &[finding]);
            return Err(GoogleError::NotJson);
        };
        let reading = read(body);
        self.watch.drift(endpoint, &reading.findings);
        let first_wrong = || reading.findings.iter().find(|finding| finding.kind.is_wrong());
        let value = reading.value.ok_or_else(|| GoogleError::FormatChanged {
            path: first_wrong().map(|finding| finding.path.clone()).unwrap_or_default(),
        })?;
        Ok(Located { value, source: answer.source, retrieved_at: self.clock.now() })
    }
}

/// A successful answer before it is understood.
struct Answer {
    body: Vec<u8>,
    source: DataSource,
}

/// The body as JSON, halves of characters in its texts replaced.
fn parse(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body)
        .or_else(|error| repair::lone_surrogates(body).map_or(Err(error), |repaired| serde_json::from_slice(&repaired)))
        .ok()
}

fn key_header(key: &SecretString) -> Result<HeaderValue, SetUp> {
    let mut value = HeaderValue::from_str(key.expose_secret()).map_err(|_| SetUp::Key)?;
    value.set_sensitive(true);
    Ok(value)
}
