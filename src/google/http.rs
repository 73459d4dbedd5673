//! One request to Google and its whole answer, every limit explicit.

use super::{
    GoogleError, classify,
    convert::Reading,
    drift::{DriftKind, Finding},
    mask::{FieldMask, HEALTH},
    repair::json_from_body,
    watch::Watch,
};
use crate::{
    budget::Reservation,
    clock::{Clock, Deadline},
    config::Google,
    model::{DataSource, Located},
    resilience::retry::LEAST_TIME,
};
use http::{HeaderMap, HeaderValue, header};
use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{RequestBuilder, Response, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use std::{pin::pin, time::Duration};
use tokio::time::{Instant, timeout};
use tracing::Instrument as _;

/// A server that serves invented data says so in this header; Google never sends it.
const DATA_SOURCE_HEADER: &str = "x-data-source";
/// Bodies of errors are short; what is longer is not read.
const ERROR_BODY_BYTES: usize = 64 * 1024;

/// The HTTP client cannot be built from its settings.
#[derive(Debug, thiserror::Error)]
pub enum SetUp {
    /// TLS or the resolver could not be set up.
    #[error("the HTTP client for Google could not be built: {0}")]
    Client(#[from] reqwest::Error),
    /// The key has characters that no header may carry.
    #[error("google.api_key contains characters that cannot be sent; it is probably not an API key")]
    Key,
}

/// The HTTP client with its limits.
#[derive(Debug)]
pub(super) struct Http {
    pub(super) client: reqwest::Client,
    pub(super) settings: Google,
    pub(super) clock: Clock,
    pub(super) watch: Watch,
    key: Option<HeaderValue>,
}

/// What one kind of request is: its name in metrics, its mask, and how its answer is read.
pub(super) struct Endpoint<T> {
    pub(super) name: &'static str,
    pub(super) mask: FieldMask,
    pub(super) read: fn(Value) -> Reading<T>,
}

/// A successful answer before it is understood.
struct Answer {
    body: Vec<u8>,
    source: DataSource,
}

impl Http {
    pub(super) fn new(settings: Google, clock: Clock, watch: Watch) -> Result<Self, SetUp> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            // A redirect would carry the key to another host.
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(settings.connect_timeout)
            .pool_idle_timeout(settings.pool_idle_timeout)
            .pool_max_idle_per_host(settings.pool_idle_connections)
            .tcp_keepalive(Duration::from_secs(30));
        if !settings.use_system_proxy {
            builder = builder.no_proxy();
        }
        let key = settings.api_key.as_ref().map(key_header).transpose()?;
        Ok(Self { client: builder.build()?, settings, clock, watch, key })
    }

    /// The key as a header.
    pub(super) fn key(&self) -> Result<HeaderValue, GoogleError> {
        self.key.clone().ok_or(GoogleError::KeyMissing)
    }

    /// One attempt, which leaves time before `deadline` to tell of its end. `reserved` learns whether it was billed.
    pub(super) async fn attempt<T>(
        &self,
        endpoint: &Endpoint<T>,
        request: RequestBuilder,
        deadline: &Deadline,
        reserved: &Reservation,
    ) -> Result<Located<T>, GoogleError> {
        let observed = self.watch.request(endpoint.name, &self.clock);
        let exchange = self.exchange(request, endpoint.mask, reserved);
        let exchange = self.in_time(exchange, deadline).instrument(observed.span.clone());
        let outcome = match exchange.await {
            Ok(answer) => self.understand(endpoint, &answer),
            Err(error) => Err(error),
        };
        reserved.ended();
        observed.ended(outcome.as_ref().err());
        outcome
    }

    /// Asks without cost whether Google answers, and tells the health check.
    pub(super) async fn probe(&self, request: RequestBuilder) {
        let Ok(key) = self.key() else { return };
        let request = request.header("x-goog-api-key", key).header("x-goog-fieldmask", HEALTH);
        let started = self.clock.elapsed();
        let limit = self.settings.total_timeout;
        let answer = timeout(limit, request.send()).await;
        let latency = self.clock.elapsed().saturating_sub(started);
        let error = match answer {
            Err(_elapsed) => GoogleError::TimedOut(limit),
            Ok(Err(error)) if error.is_timeout() => GoogleError::TimedOut(self.settings.connect_timeout),
            Ok(Err(_)) => GoogleError::Unreachable,
            Ok(Ok(response)) if response.status().is_success() => return self.watch.probed(Ok(latency)),
            Ok(Ok(response)) => {
                let status = response.status().as_u16();
                let body = timeout(limit, self.body(response, ERROR_BODY_BYTES)).await;
                classify(status, &body.ok().and_then(Result::ok).unwrap_or_default(), self.clock.now())
            }
        };
        // That the place is gone is an answer too.
        let is_answer = matches!(error, GoogleError::PlaceObsolete | GoogleError::PlaceIdInvalid);
        self.watch.probed(if is_answer { Ok(latency) } else { Err(error.to_string()) });
    }

    /// Within the limit of one request, and within a deadline that may move while it is under way.
    async fn in_time(
        &self,
        exchange: impl Future<Output = Result<Answer, GoogleError>>,
        deadline: &Deadline,
    ) -> Result<Answer, GoogleError> {
        let total = self.settings.total_timeout;
        let (started, mut exchange) = (Instant::now(), pin!(exchange));
        loop {
            let left = deadline.left(&self.clock).saturating_sub(LEAST_TIME);
            let limit = total.saturating_sub(started.elapsed()).min(left);
            if limit.is_zero() {
                return Err(GoogleError::TimedOut(started.elapsed()));
            }
            if let Ok(outcome) = timeout(limit, &mut exchange).await {
                return outcome;
            }
        }
    }

    async fn exchange(
        &self,
        request: RequestBuilder,
        mask: FieldMask,
        reserved: &Reservation,
    ) -> Result<Answer, GoogleError> {
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
            let now = self.clock.now();
            let wait = retry_after(response.headers(), now);
            let body = self.body(response, ERROR_BODY_BYTES).await.unwrap_or_default();
            return Err(classify(status.as_u16(), &body, now).retry_after(wait));
        }
        // Billed from here on, whatever becomes of the body.
        reserved.billed();
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

    fn understand<T>(&self, endpoint: &Endpoint<T>, answer: &Answer) -> Result<Located<T>, GoogleError> {
        let Some(body) = json_from_body(&answer.body) else {
            let finding = Finding { kind: DriftKind::NotJson, path: String::new(), element: None };
            self.watch.drift(endpoint.name, &[finding]);
            return Err(GoogleError::NotJson);
        };
        let reading = (endpoint.read)(body);
        self.watch.drift(endpoint.name, &reading.findings);
        let first_wrong = || reading.findings.iter().find(|finding| finding.kind.is_wrong());
        let value = reading.value.ok_or_else(|| GoogleError::FormatChanged {
            path: first_wrong().map(|finding| finding.path.clone()).unwrap_or_default(),
        })?;
        Ok(Located { value, source: answer.source, retrieved_at: self.clock.now() })
    }
}

fn key_header(key: &SecretString) -> Result<HeaderValue, SetUp> {
    let mut value = HeaderValue::from_str(key.expose_secret()).map_err(|_| SetUp::Key)?;
    value.set_sensitive(true);
    Ok(value)
}

/// `Retry-After` in seconds or as a date; a date in the past is now, and what is neither says nothing. Source: RFC 9110
/// §10.2.3.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let mut values = headers.get_all(header::RETRY_AFTER).iter();
    // Two of them contradict each other.
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let text = value.to_str().ok()?.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Duration::from_secs);
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_seconds_or_dates_and_garbage_says_nothing() {
        let now = "2026-11-20T12:00:00Z".parse().expect("time");
        let wait = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_str(text).expect("a value"));
            retry_after(&headers, now).map(|wait| wait.as_secs())
        };
        assert_eq!([wait("0"), wait("30"), wait("86400")], [Some(0), Some(30), Some(86_400)]);
        assert_eq!(wait("Fri, 20 Nov 2026 12:01:00 GMT"), Some(60));
        assert_eq!(wait("Fri, 20 Nov 2026 11:00:00 GMT"), Some(0));
        for garbage in ["-5", "1e9", "soon", "1.5", ""] {
            assert_eq!(wait(garbage), None, "{garbage}");
        }
        let mut two = HeaderMap::new();
        two.append(header::RETRY_AFTER, HeaderValue::from_static("1"));
        two.append(header::RETRY_AFTER, HeaderValue::from_static("2"));
        assert_eq!(retry_after(&two, now), None);
    }
}
