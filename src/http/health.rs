//! The health paths: alive, ready, and how everything is. Reading them costs no call to any dependency.

use crate::clock::written;
use crate::health::{Check, Health, Heartbeat, State as Condition};
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
    /// Whether the runtime lives.
    pub heartbeat: Heartbeat,
    /// Fires when the process is asked to stop.
    pub stopping: CancellationToken,
    /// Whether causes are told; they are for the operator alone.
    pub tells_causes: bool,
}

/// Alive: the process answers, and its background work gets its turn. Asks nothing else: a restart mends no dependency.
pub(super) async fn live(State(readiness): State<Readiness>) -> Response {
    if readiness.heartbeat.is_alive() {
        Json(json!({"status": "ok"})).into_response()
    } else {
        unavailable(json!({"status": "stalled"}))
    }
}

/// Ready: this instance can serve.
pub(super) async fn ready(State(readiness): State<Readiness>) -> Response {
    let needed = |check: &Check| check.needed_to_serve;
    if readiness.stopping.is_cancelled() {
        return unavailable(json!({"status": "stopping"}));
    }
    let is_ready = readiness.health.is_ready();
    report(is_ready, &checks(&readiness, needed))
}

/// Started: what this instance needs has answered once.
pub(super) async fn started(State(readiness): State<Readiness>) -> Response {
    report(readiness.health.is_started(), &checks(&readiness, |check| check.needed_to_serve))
}

/// Everything: 503 when any dependency is down.
pub(super) async fn summary(State(readiness): State<Readiness>) -> Response {
    let is_well = readiness.health.checks().iter().all(|check| check.state.is_up());
    report(is_well, &checks(&readiness, |_| true))
}

fn report(is_well: bool, checks: &[Value]) -> Response {
    if is_well {
        Json(json!({"status": "ok", "checks": checks})).into_response()
    } else {
        unavailable(json!({"status": "unavailable", "checks": checks}))
    }
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
