//! The health paths: alive, ready, and how everything is. Reading them costs no call to any dependency.

use crate::clock::written;
use crate::health::{Check, Health, State as Condition};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

/// What the health paths look at.
#[derive(Debug, Clone)]
pub struct Readiness {
    /// All checks.
    pub health: Health,
    /// Fires when the process is asked to stop.
    pub stopping: CancellationToken,
    /// Until when the results of calls are logged, which those who call may know.
    pub results_until: Option<Timestamp>,
    /// Whether causes are told; they are for the operator alone.
    pub tells_causes: bool,
}

/// Alive: the process answers.
pub(super) async fn live() -> impl IntoResponse {
    Json(json!({"status": "ok"}))
}

/// Ready: this instance can serve.
pub(super) async fn ready(State(readiness): State<Readiness>) -> Response {
    let needed = |check: &Check| check.needed_to_serve;
    if readiness.stopping.is_cancelled() {
        return unavailable(json!({"status": "stopping"}));
    }
    let is_ready = readiness.health.is_ready();
    answer(is_ready, report(&readiness, is_ready, needed))
}

/// Started: what this instance needs has answered once.
pub(super) async fn started(State(readiness): State<Readiness>) -> Response {
    let is_started = readiness.health.is_started();
    answer(is_started, report(&readiness, is_started, |check| check.needed_to_serve))
}

/// Everything: 503 when any dependency is down.
pub(super) async fn summary(State(readiness): State<Readiness>) -> Response {
    let is_well = readiness.health.checks().iter().all(|check| check.state.is_up());
    let mut report = report(&readiness, is_well, |_| true);
    if let Some(until) = readiness.results_until.filter(|until| *until > readiness.health.now()) {
        report.insert("results_logged_until".to_owned(), json!(written(until)));
    }
    answer(is_well, report)
}

fn report(readiness: &Readiness, is_well: bool, which: impl Fn(&Check) -> bool) -> Map<String, Value> {
    let status = if is_well { "ok" } else { "unavailable" };
    let checks = json!(checks(readiness, which));
    Map::from_iter([("status".to_owned(), json!(status)), ("checks".to_owned(), checks)])
}

fn answer(is_well: bool, report: Map<String, Value>) -> Response {
    if is_well { Json(report).into_response() } else { unavailable(Value::Object(report)) }
}

/// Not now; checks are renewed within seconds.
fn unavailable(body: Value) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "10")], Json(body)).into_response()
}

fn checks(readiness: &Readiness, which: impl Fn(&Check) -> bool) -> Vec<Value> {
    let now = readiness.health.now();
    let shown = |check: &Check| {
        let mut shown = Map::from_iter([
            ("name".to_owned(), json!(check.name)),
            ("state".to_owned(), json!(check.state.as_str())),
            ("since".to_owned(), json!(written(check.since))),
        ]);
        if readiness.tells_causes {
            shown.extend(for_the_operator(check, now));
        }
        Value::Object(shown)
    };
    readiness.health.checks().iter().filter(|check| which(check)).map(shown).collect()
}

/// Why, how fast, and how old this answer is.
fn for_the_operator(check: &Check, now: Timestamp) -> Map<String, Value> {
    let mut told = Map::new();
    if let Condition::Down(cause) = &check.state {
        told.insert("cause".to_owned(), json!(cause));
    }
    if let Some((cause, at)) = &check.last_failure {
        told.insert("last_failure".to_owned(), json!({"cause": cause, "at": written(*at)}));
    }
    if let Some(latency) = check.latency {
        told.insert("latency_ms".to_owned(), json!(latency.as_secs_f64() * 1_000.0));
    }
    if let Some(checked_at) = check.checked_at {
        told.insert("age_seconds".to_owned(), json!(now.duration_since(checked_at).as_secs().max(0)));
    }
    told
}
