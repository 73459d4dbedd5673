//! Pages where people sign in, agree and take back. Each form is taken from our own pages alone (`form`), in the browser
//! that got it (`visit`).

mod authorize;
mod connections;
mod consent;
mod cookies;
mod form;
mod provider;
mod set_up;
mod sign_in;
mod trouble;
mod visit;

use super::SignIn;
use axum::{
    Router,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use http::{HeaderValue, StatusCode, header};
use std::sync::Arc;

pub(super) fn routes(site: Arc<SignIn>) -> Router {
    let mut routes = Router::new();
    if site.server.provider().is_some() {
        routes = routes.route("/login/provider", get(provider::leave)).route("/login/callback", get(provider::arrive));
    }
    if site.server.takes_passwords() {
        routes = routes.route("/setup", get(set_up::show).post(set_up::finish));
    }
    routes
        .route("/authorize", get(authorize::ask))
        .route("/login", get(sign_in::show).post(sign_in::enter))
        .route("/logout", post(sign_in::leave))
        .route("/consent", get(consent::show).post(consent::decide))
        .route("/connections", get(connections::show).post(connections::take_back))
        .with_state(site)
}

/// On to another address, always with a GET: what a form held is not sent on. Source: RFC 9700 §4.12.
fn onward(address: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(location) = HeaderValue::try_from(address) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// A page of ours, with the request that it is about.
fn with_request(page: &str, request: &str) -> String {
    if request.is_empty() { page.to_owned() } else { format!("{page}?request={request}") }
}
