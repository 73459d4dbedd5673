//! The operations listener's routes: for the operator's machines, never for the public.

use super::{health, overview::Overview, problem::Problem, request_id};
use crate::telemetry::Metrics;
use axum::{
    Router,
    extract::State,
    middleware,
    response::{IntoResponse as _, Response},
    routing::get,
};
use http::{StatusCode, header};

/// The routes. Causes of failures, and what the day has cost, are told here.
pub fn routes(metrics: Metrics, overview: Overview) -> Router {
    let health = Router::new()
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/startupz", get(health::started))
        .route("/health", get(health::summary))
        .with_state(overview.for_the_operator());
    let not_found = || async {
        Problem::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "Paths here are /metrics, /livez, /readyz, /startupz and /health.",
        )
    };
    Router::new()
        .route("/metrics", get(metrics_page))
        .with_state(metrics)
        .merge(health)
        .fallback(not_found)
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(middleware::from_fn(request_id::set))
}

async fn metrics_page(State(metrics): State<Metrics>) -> Response {
    match metrics.render() {
        Ok(page) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be rendered");
            Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "The figures cannot be shown; the log says why.",
            )
            .into_response()
        }
    }
}
