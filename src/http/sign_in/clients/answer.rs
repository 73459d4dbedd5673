//! Errors of OAuth as answers. Source: RFC 6749 §5.2, RFC 7591 §3.2.2.

use super::SignIn;
use crate::{
    oauth::{ErrorName, OauthError},
    telemetry::AuthFailure,
};
use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// Seconds until a database may be back.
const AGAIN: u32 = 5;

/// The answer to a request that is refused; it is counted, and logged by the name of its error alone.
pub(super) fn refused(sign_in: &SignIn, error: OauthError, tried_basic: bool) -> Response {
    let (status, failure) = match error.name {
        ErrorName::InvalidClient => (StatusCode::UNAUTHORIZED, AuthFailure::UnknownClient),
        ErrorName::InvalidGrant => (StatusCode::BAD_REQUEST, AuthFailure::WrongGrant),
        ErrorName::TemporarilyUnavailable => (StatusCode::SERVICE_UNAVAILABLE, AuthFailure::Unavailable),
        ErrorName::ServerError => (StatusCode::INTERNAL_SERVER_ERROR, AuthFailure::Unavailable),
        _ => (StatusCode::BAD_REQUEST, AuthFailure::BadRequest),
    };
    sign_in.metrics.auth_failure(failure);
    tracing::info!(error = error.name.as_str(), reason = error.description, "a request of a client was refused");
    let body = json!({"error": error.name.as_str(), "error_description": error.description});
    let mut response = (status, Json(body)).into_response();
    let headers = response.headers_mut();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(AGAIN));
    }
    if status == StatusCode::UNAUTHORIZED && tried_basic {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"google-reviews\""));
    }
    response
}
