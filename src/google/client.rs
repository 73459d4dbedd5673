//! The way to Google: two calls, each through the day's budget, the breaker, the limit on what is under way, and the
//! retries, in this order.

use super::{
    GoogleError,
    convert::{place_from_body, search_page_from_body},
    http::{Endpoint, Http, SetUp},
    mask,
    watch::Watch,
};
use crate::{
    budget::{Budget, Micros, Reservation},
    clock::{Clock, Deadline},
    config::Google,
    health::Reporter,
    model::{Located, Place, Search, SearchPage, WhichPlace},
    resilience::{
        Breaker, RetryBudget, RetryPolicy, Shed, Verdict,
        breaker::{OpenFor, Position},
        retry::retrying,
    },
    telemetry::Metrics,
};
use reqwest::RequestBuilder;
use serde_json::{Map, json};
use std::time::Duration;
use url::Url;

const OPEN_FOR: OpenFor = OpenFor { first: Duration::from_secs(30), longest: Duration::from_mins(5) };

const PLACE_DETAILS: Endpoint<Place> = Endpoint { name: "place_details", mask: mask::PLACE, read: place_from_body };
const SEARCH_TEXT: Endpoint<SearchPage> =
    Endpoint { name: "search_text", mask: mask::SEARCH, read: search_page_from_body };

/// What one call of [`Places::place`] costs, set aside. It is given back when it is dropped unused.
#[derive(Debug)]
pub struct Paid(Reservation);

/// The two calls that the tools need.
#[derive(Debug)]
pub struct Places {
    http: Http,
    budget: Budget,
    place_details: Breaker,
    search_text: Breaker,
    shed: Shed,
    retries: (RetryPolicy, RetryBudget),
}

impl Places {
    /// What an answer about one place consists of: kept answers of another form are not given.
    pub const PLACE_FORM: &str = mask::PLACE.fields;
    /// The same of a search.
    pub const SEARCH_FORM: &str = mask::SEARCH.fields;

    /// Builds the client.
    ///
    /// # Errors
    /// [`SetUp`] when TLS cannot be set up or the key cannot be sent in a header.
    pub fn new(
        settings: Google,
        budget: Budget,
        clock: Clock,
        metrics: Metrics,
        health: Reporter,
    ) -> Result<Self, SetUp> {
        if settings.api_key.is_none() {
            health.down("no Google API key is set: set google.api_key or GOOGLE_MAPS_API_KEY");
        }
        let policy = RetryPolicy { most: settings.retries, first_wait: settings.retry_first_wait };
        Ok(Self {
            budget,
            place_details: Breaker::new(clock.clone(), OPEN_FOR),
            search_text: Breaker::new(clock.clone(), OPEN_FOR),
            shed: Shed::new(settings.max_under_way, settings.max_queue),
            retries: (policy, RetryBudget::default()),
            http: Http::new(settings, clock, Watch::new(metrics, health))?,
        })
    }

    /// Sets aside what so many calls of [`Places::place`] cost: for all of them or for none.
    ///
    /// # Errors
    /// [`GoogleError`] when that would pass the day's budget, or no call can be made at all.
    pub async fn pay_for_places(&self, calls: u32) -> Result<Vec<Paid>, GoogleError> {
        self.http.key()?;
        let reserved = self.budget.reserve_all(Micros::of_usd(mask::PLACE.sku.usd()), calls).await;
        let paid = reserved.map(|reserved| reserved.into_iter().map(Paid).collect());
        paid.map_err(|exhausted| GoogleError::BudgetExhausted { resets_in: exhausted.resets_in })
    }

    /// Place Details with [`mask::PLACE`], paid already or else now.
    ///
    /// # Errors
    /// [`GoogleError`] names who has to do what.
    pub async fn place(
        &self,
        which: &WhichPlace,
        paid: Option<Paid>,
        deadline: &Deadline,
    ) -> Result<Located<Place>, GoogleError> {
        let mut url = self.url(&["v1", "places", which.id.as_str()]);
        url.query_pairs_mut().append_pair("languageCode", which.language.as_str());
        if let Some(region) = &which.region {
            url.query_pairs_mut().append_pair("regionCode", region.as_str());
        }
        let request = || self.http.client.get(url.clone());
        self.call(&PLACE_DETAILS, (&self.place_details, paid), deadline, request).await
    }

    /// Text Search with [`mask::SEARCH`].
    ///
    /// # Errors
    /// [`GoogleError`] names who has to do what.
    pub async fn search(&self, search: &Search, deadline: &Deadline) -> Result<Located<SearchPage>, GoogleError> {
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
        let url = self.url(&["v1", "places:searchText"]);
        let request = || self.http.client.post(url.clone()).json(&body);
        self.call(&SEARCH_TEXT, (&self.search_text, None), deadline, request).await.map_err(|error| match error {
            // No place was asked for, so it is the method that was not found.
            GoogleError::PlaceObsolete | GoogleError::PlaceIdInvalid => {
                GoogleError::Unavailable { status: 404, retry_after: None }
            }
            error => error,
        })
    }

    /// Asks Google about a place without cost and beside the budget, the breaker and the retries, and tells the health
    /// check what came of it.
    pub async fn probe(&self, id: &str) {
        self.http.probe(self.http.client.get(self.url(&["v1", "places", id]))).await;
    }

    /// The worst position of its breakers.
    pub fn breaker_position(&self) -> Position {
        self.place_details.position().max(self.search_text.position())
    }

    /// A URL below the configured origin; each segment is percent-encoded.
    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.http.settings.places_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(segments);
        }
        url
    }

    async fn call<T>(
        &self,
        endpoint: &Endpoint<T>,
        (breaker, paid): (&Breaker, Option<Paid>),
        deadline: &Deadline,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Located<T>, GoogleError> {
        let key = self.http.key()?;
        let reserved = match paid {
            Some(Paid(reserved)) => Ok(reserved),
            None => self.budget.reserve(Micros::of_usd(endpoint.mask.sku.usd())).await,
        };
        let reserved = reserved.map_err(|exhausted| GoogleError::BudgetExhausted { resets_in: exhausted.resets_in })?;
        let permit = breaker.permit().map_err(|open| GoogleError::CircuitOpen { retry_after: open.retry_after })?;

        let (mut policy, retry_budget) = (self.retries.0, &self.retries.1);
        if permit.is_probe() {
            // One request probes, not three.
            policy.most = 0;
        }
        let (reserved, key, request) = (&reserved, &key, &request);
        let outcome =
            retrying((policy, retry_budget), (&self.http.clock, deadline), GoogleError::another, || async move {
                // Within the attempt, so that one that waits for its turn takes no place from others.
                let _place = self.shed.enter().await.map_err(|_| GoogleError::Overloaded)?;
                let spent = reserved.send().await;
                spent.map_err(|exhausted| GoogleError::BudgetExhausted { resets_in: exhausted.resets_in })?;
                let request = request().header("x-goog-api-key", key.clone());
                let request = request.header("x-goog-fieldmask", endpoint.mask.fields);
                self.http.attempt(endpoint, request, deadline, reserved).await
            })
            .await;

        match &outcome {
            Ok(_) | Err(GoogleError::PlaceObsolete | GoogleError::PlaceIdInvalid) => permit.tell(Verdict::Success),
            Err(error) if error.is_failure_of_google() => permit.tell(Verdict::Failure),
            // Quotas, keys and bad requests show nothing about whether Google works.
            Err(_) => drop(permit),
        }
        outcome
    }
}
