//! The health paths: alive, ready, and how everything is. Reading them costs no call to any dependency.

use crate::clock::written;
use crate::health::{Check, Health, State as Condition};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// What the health paths look at.
#[derive(Debug, Clone)]
pub struct Readiness {
    /// All checks.
    pub health: Health,
    /// Fires when the process is asked to stop.
    pub stopping: CancellationToken,
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
    report(is_ready, &checks(&readiness, needed))
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
    let shown = |check: &Check| {
        let mut shown = json!({
            "name": check.name,
            "state": check.state.as_str(),
            "since": written(check.since),
        });
        if let (Condition::Down(cause), true, Some(shown)) =
            (&check.state, readiness.tells_causes, shown.as_object_mut())
        {
            shown.insert("cause".to_owned(), json!(cause));
        }
        shown
    };
    readiness.health.checks().iter().filter(|check| which(check)).map(shown).collect()
}
