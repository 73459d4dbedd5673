//! The routes of the emulator, and the order in which a request meets key, quota, mask, and fault.

use super::{
    State, answer, control,
    errors::{ErrorBody, NamedError, plain},
    faults::Fault,
    keys,
    localize::primary,
    mask::Mask,
    requests::Outcome,
    search,
};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State as Shared},
    response::Response,
    routing::{get, post},
};
use http::{HeaderMap, Method, Uri};
use serde_json::Value;
use std::{collections::HashMap, sync::Arc, time::Duration};

/// Ids of places that are gone, each with another of Google's wordings.
const OBSOLETE: &[(&str, &str)] = &[
    ("ChIJdemo_obsolete_place_001", "The Place ID is no longer valid. Please refresh cached Place IDs."),
    ("ChIJdemo_obsolete_place_002", "The provided Place ID is no longer valid. Please refresh cached Place IDs."),
    ("ChIJdemo_obsolete_place_003", "Requested entity was not found."),
];

pub(super) fn routes(state: Arc<State>) -> Router {
    Router::new()
        .route("/v1/places/{id}", get(place_details))
        .route("/v1/places:searchText", post(search_text))
        .merge(control::routes())
        .fallback(|| async { answer::html(404) })
        .with_state(state)
}

/// What the handlers need of a request.
struct Call {
    endpoint: &'static str,
    method: Method,
    url: Uri,
    headers: HeaderMap,
    parameters: HashMap<String, String>,
    body: Bytes,
}

async fn place_details(
    Shared(state): Shared<Arc<State>>,
    Path(id): Path<String>,
    Query(parameters): Query<HashMap<String, String>>,
    url: Uri,
    headers: HeaderMap,
) -> Response {
    let call = Call { endpoint: "place_details", method: Method::GET, url, headers, parameters, body: Bytes::new() };
    serve(&state, call, |state, call| {
        let language = call.parameters.get("languageCode").map_or("en", String::as_str);
        if !is_language(language) {
            return Err(plain(400, "INVALID_ARGUMENT", "Invalid language_code."));
        }
        let mask = Mask::of_place(call.field_mask())?;
        let entry = state.catalogue.find(&id).ok_or_else(|| unknown_place(&id))?;
        Ok(mask.apply(entry.render(language, state.clock.now())))
    })
    .await
}

async fn search_text(
    Shared(state): Shared<Arc<State>>,
    Query(parameters): Query<HashMap<String, String>>,
    url: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let call = Call { endpoint: "search_text", method: Method::POST, url, headers, parameters, body };
    serve(&state, call, |state, call| {
        let mask = Mask::of_search(call.field_mask())?;
        search::answer(state, &call.body, &mask)
    })
    .await
}

/// Key, quota, then the answer; a fault comes before or into it.
async fn serve(state: &State, call: Call, answer: impl FnOnce(&State, &Call) -> Result<Value, ErrorBody>) -> Response {
    let mut noted = Noted::new(state, &call);
    let fault = state.faults.take(call.endpoint);
    if let Some(Fault::Latency { milliseconds }) = fault {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
    noted.outcome = Outcome::Answered;
    match &fault {
        Some(Fault::Error { name, retry_after }) => {
            let error = name.body(call.key().unwrap_or_default());
            return answer::told_to_wait(answer::error(&error), retry_after.as_deref());
        }
        Some(Fault::Html { status }) => return answer::html(*status),
        Some(Fault::Redirect { location }) => return answer::redirect(location),
        _ => {}
    }
    let checked = keys::check(call.key()).and_then(|()| state.quotas.count());
    let answered = checked.map_err(|error: NamedError| error.body(call.key().unwrap_or_default()));
    match answered.and_then(|()| answer(state, &call)) {
        Ok(body) => answer::good(body, fault.as_ref(), &call.headers),
        Err(error) => answer::error(&error),
    }
}

/// Notes a request in the log, and when it is dropped what became of it.
struct Noted<'a> {
    state: &'a State,
    number: u64,
    outcome: Outcome,
}

impl<'a> Noted<'a> {
    fn new(state: &'a State, call: &Call) -> Self {
        let number = state.requests.note(&call.method, &call.url, &call.headers, &call.body);
        Self { state, number, outcome: Outcome::Abandoned }
    }
}

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.state.requests.close(self.number, self.outcome);
    }
}

impl Call {
    /// The key from the header, or else from the URL.
    fn key(&self) -> Option<&str> {
        self.header("x-goog-api-key").or_else(|| self.parameters.get("key").map(String::as_str))
    }

    fn field_mask(&self) -> Option<&str> {
        let parameter = |name| self.parameters.get(name).map(String::as_str);
        self.header("x-goog-fieldmask").or_else(|| parameter("fields")).or_else(|| parameter("$fields"))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Ids that cannot be decoded are a bad request; others that are not here are gone.
fn unknown_place(id: &str) -> ErrorBody {
    if let Some((_, message)) = OBSOLETE.iter().find(|(known, _)| *known == id) {
        return plain(404, "NOT_FOUND", message);
    }
    if id.starts_with("ChIJ") || id.starts_with("Ei") || id.starts_with("Gh") {
        return plain(404, "NOT_FOUND", "The Place ID is no longer valid. Please refresh cached Place IDs.");
    }
    plain(400, "INVALID_ARGUMENT", &format!("Not a valid Place ID: {id}"))
}

fn is_language(tag: &str) -> bool {
    let language = primary(tag);
    (2..=3).contains(&language.len())
        && tag.chars().all(|character| character.is_ascii_alphanumeric() || character == '-')
}
