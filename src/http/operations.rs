//! The operations listener's routes: for the operator's machines, never for the public.

use super::{
    health::{self, Readiness},
    problem::Problem,
};
use crate::telemetry::Metrics;
use axum::{
    Router,
    extract::State,
    response::{IntoResponse as _, Response},
    routing::get,
};
use http::{StatusCode, header};

/// The routes. Causes of failures are told here.
pub fn routes(metrics: Metrics, readiness: Readiness) -> Router {
    let health = Router::new()
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/health", get(health::summary))
        .with_state(Readiness { tells_causes: true, ..readiness });
    Router::new().route("/metrics", get(metrics_page)).with_state(metrics).merge(health).fallback(|| async {
        Problem::new(StatusCode::NOT_FOUND, "Paths here are /metrics, /livez, /readyz and /health.")
    })
}

async fn metrics_page(State(metrics): State<Metrics>) -> Response {
    match metrics.render() {
        Ok(page) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be rendered");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The figures cannot be shown; the log says why.")
                .into_response()
        }
    }
}
