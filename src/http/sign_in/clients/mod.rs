//! The endpoints of the authorization server that programs speak to. Web pages may too, since clients can be such, but no
//! browser shows them a cookie of ours. Sources: RFC 6749 §3.2, RFC 7009, RFC 7591, RFC 8414.

mod answer;
mod registration;
mod token;

use super::SignIn;
use answer::refused;
use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use http::{HeaderName, Method, header};
use std::{sync::Arc, time::Duration};
use tower_http::cors::{Any, CorsLayer};

/// The routes; each asks for the Host alone, as its callers have Origins of their own.
pub(super) fn routes(sign_in: Arc<SignIn>) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, HeaderName::from_static("mcp-protocol-version")])
        .expose_headers([header::WWW_AUTHENTICATE, header::RETRY_AFTER])
        .max_age(Duration::from_hours(1));
    let routes = Router::new()
        .route("/.well-known/oauth-authorization-server", get(metadata))
        .route("/.well-known/openid-configuration", get(metadata))
        .route("/jwks.json", get(public_keys))
        .route("/token", post(token::give))
        .route("/revoke", post(token::revoke));
    let routes = if sign_in.server.has_registration() {
        routes.route("/register", post(registration::register))
    } else {
        routes
    };
    routes.with_state(sign_in).layer(cors)
}

/// The same at both places where clients look.
async fn metadata(State(sign_in): State<Arc<SignIn>>) -> Response {
    ([(header::CACHE_CONTROL, "public, max-age=3600")], Json(sign_in.server.metadata())).into_response()
}

/// A key is published a day before it signs; that it is kept for an hour delays nothing.
async fn public_keys(State(sign_in): State<Arc<SignIn>>) -> Response {
    match sign_in.server.public_keys().await {
        Ok(keys) => ([(header::CACHE_CONTROL, "public, max-age=3600")], Json(keys)).into_response(),
        Err(error) => refused(&sign_in, error.into(), false),
    }
}
