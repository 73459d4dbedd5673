//! The operations listener's routes: for the operator's machines, never for the public.

use super::{
    door::{self, Door},
    edged,
    guard::IsHttps,
    health_routes,
    overview::Overview,
    problem::Problem,
};
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
pub fn routes(metrics: Metrics, overview: Overview, door: &Door) -> Router {
    let health = health_routes(overview.for_the_operator(), door);
    let not_found = || async {
        Problem::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "Paths here are /metrics, /livez, /readyz, /startupz and /health.",
        )
    };
    let routes = Router::new()
        .route("/metrics", get(metrics_page))
        .with_state(metrics)
        .fallback(not_found)
        .layer(middleware::from_fn_with_state(door.for_neighbours(), door::check))
        .merge(health);
    edged(routes, IsHttps(false))
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
