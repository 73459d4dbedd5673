//! Clients that are web pages, such as an inspector: their browser asks first whether they may. Only Origins that the
//! operator listed may, and the preflight shows no credential, so it is answered before one is asked for.

use super::problem::Problem;
use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderName, HeaderValue, Method, header};
use std::time::Duration;
use tower_http::cors::{Any, CorsLayer};

/// What a client of MCP sends beside the usual.
const SENT: [&str; 7] =
    ["mcp-protocol-version", "mcp-method", "mcp-name", "mcp-session-id", "last-event-id", "x-api-key", "traceparent"];

/// Answers preflights, and lets pages of these Origins read answers.
pub(super) fn layer(origins: &[String]) -> CorsLayer {
    let origins: Vec<HeaderValue> = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    let sent = SENT.map(HeaderName::from_static);
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::POST])
        .allow_headers(
            [header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT].into_iter().chain(sent).collect::<Vec<_>>(),
        )
        .expose_headers([header::WWW_AUTHENTICATE, header::RETRY_AFTER, HeaderName::from_static("x-request-id")])
        .max_age(Duration::from_hours(1))
}

/// For what pages of all Origins may ask, as any program may: no browser shows them a cookie of ours. It must stand around
/// routes that have their answer to other methods already, since preflights come by such a method.
pub(super) fn for_all(methods: &[Method]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods(methods.to_vec())
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, HeaderName::from_static("mcp-protocol-version")])
        .expose_headers([header::WWW_AUTHENTICATE, header::RETRY_AFTER])
        .max_age(Duration::from_hours(1))
}

/// Lets of all OPTIONS only preflights through: nothing else is answered by that method.
pub(super) async fn check(request: Request, next: Next) -> Response {
    let asks = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if request.method() == Method::OPTIONS && !asks {
        let allow = [(header::ALLOW, HeaderValue::from_static("POST"))];
        return (allow, Problem::method_not_allowed()).into_response();
    }
    next.run(request).await
}
