//! The health paths: alive, ready, and how everything is. Reading them costs no call to any dependency.

use super::overview::Overview;
use crate::{
    clock::written,
    health::{Check, Need, State as Condition},
    model::Spend,
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Alive: the process answers, and its background work gets its turn. Asks nothing else: a restart mends no dependency.
pub(super) async fn live(State(overview): State<Overview>) -> Response {
    if overview.heartbeat.is_alive() {
        Json(json!({"status": "ok"})).into_response()
    } else {
        unavailable(json!({"status": "stalled"}))
    }
}

/// Ready: this instance can serve.
pub(super) async fn ready(State(overview): State<Overview>) -> Response {
    let needed = |check: &Check| check.need != Need::Never;
    if overview.stopping.is_cancelled() {
        return unavailable(json!({"status": "stopping"}));
    }
    let is_ready = overview.health.is_ready();
    report(is_ready, &checks(&overview, needed))
}

/// Started: what this instance needs has answered once.
pub(super) async fn started(State(overview): State<Overview>) -> Response {
    report(overview.health.is_started(), &checks(&overview, |check| check.need != Need::Never))
}

/// Everything: 503 when any dependency is down. A budget that is spent is no fault of this instance: it is told, and
/// calls that cost nothing go on.
pub(super) async fn summary(State(overview): State<Overview>) -> Response {
    let is_well = overview.health.checks().iter().all(|check| check.state.is_up());
    let mut body = body(is_well, &checks(&overview, |_| true));
    if let Some(until) = overview.results_logged_until() {
        body.insert("results_logged_until".to_owned(), json!(written(until)));
    }
    if overview.tells_causes {
        body.insert("budget".to_owned(), budget(&overview.spending.today()));
    }
    answer(is_well, body)
}

fn report(is_well: bool, checks: &[Value]) -> Response {
    answer(is_well, body(is_well, checks))
}

fn body(is_well: bool, checks: &[Value]) -> Map<String, Value> {
    let status = if is_well { "ok" } else { "unavailable" };
    Map::from_iter([("status".to_owned(), json!(status)), ("checks".to_owned(), json!(checks))])
}

fn answer(is_well: bool, body: Map<String, Value>) -> Response {
    let body = Value::Object(body);
    if is_well { Json(body).into_response() } else { unavailable(body) }
}

fn budget(spend: &Spend) -> Value {
    json!({
        "spent_usd": spend.usd,
        "limit_usd": spend.limit_usd,
        "calls": spend.calls,
        "limit_calls": spend.limit_calls,
        "used_ratio": spend.used_ratio,
        "resets_at": written(spend.resets_at),
    })
}

/// Not now; checks are renewed within seconds.
fn unavailable(body: Value) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "10")], Json(body)).into_response()
}

fn checks(overview: &Overview, which: impl Fn(&Check) -> bool) -> Vec<Value> {
    let now = overview.health.now();
    let shown = |check: &Check| {
        let mut shown = Map::from_iter([
            ("name".to_owned(), json!(check.name)),
            ("state".to_owned(), json!(check.state.as_str())),
            ("since".to_owned(), json!(written(check.since))),
        ]);
        if overview.tells_causes {
            shown.extend(for_the_operator(check, now));
        }
        Value::Object(shown)
    };
    overview.health.checks().iter().filter(|check| which(check)).map(shown).collect()
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
