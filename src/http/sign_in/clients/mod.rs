//! The endpoints of the authorization server that programs speak to. Web pages may too, since clients can be such, but no
//! browser shows them a cookie of ours. Sources: RFC 6749 §3.2, RFC 7009, RFC 7591, RFC 8414.

mod answer;
mod headers;
mod registration;
mod token;

use super::SignIn;
use crate::http::{cors, problem::Problem};
use answer::refused;
use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use http::{Method, header};
use std::sync::Arc;
use tower_http::cors::CorsLayer;

/// The routes; each asks for the Host alone, as its callers have Origins of their own.
pub(super) fn routes(sign_in: Arc<SignIn>) -> Router {
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
    routes.with_state(sign_in).method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
}

/// Where pages of other sites may ask: everywhere here.
pub(super) fn cors() -> CorsLayer {
    cors::for_all(&[Method::GET, Method::POST])
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
