//! `/register`: a client says what it is. Source: RFC 7591 §3.

use super::{
    SignIn,
    answer::refused,
    headers::{bearer, is_of_type},
};
use crate::{
    http::{admission::Refusal, body, problem::Problem},
    oauth::NotRegistered,
    telemetry::AuthFailure,
};
use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode, header};
use std::sync::Arc;

/// More than any client says of itself.
const LARGEST: usize = 64 * 1024;
/// Seconds: clients that nobody uses are removed from time to time.
const FULL_AGAIN: u64 = 600;

pub(super) async fn register(State(sign_in): State<Arc<SignIn>>, request: Request) -> Response {
    match registered(&sign_in, request).await {
        Ok(answer) => answer,
        Err(refusal) => refusal.into(),
    }
}

async fn registered(sign_in: &SignIn, request: Request) -> Result<Response, Refusal> {
    if !sign_in.server.may_register(bearer(request.headers())) {
        sign_in.metrics.auth_failure(AuthFailure::UnknownClient);
        let detail = "Registering a client needs the token of this server's operator, as Authorization: Bearer.";
        let challenge = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"google-reviews\""))];
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "registration_needs_a_token", detail);
        return Err((challenge, problem).into_response().into());
    }
    sign_in.limiter.admit_registration(&request)?;
    if !is_of_type(request.headers(), "application/json") {
        let detail = "Send a JSON object, as application/json.";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
            .into_response()
            .into());
    }
    let body =
        body::read(request.into_body(), LARGEST).await.map_err(|problem| Refusal::from(problem.into_response()))?;
    match sign_in.server.register(&body).await {
        Ok(client) => Ok((StatusCode::CREATED, Json(client.answer())).into_response()),
        Err(NotRegistered::Refused(error)) => Err(refused(sign_in, error, false).into()),
        Err(NotRegistered::Full) => {
            tracing::warn!("no more clients can be registered: limits.clients is reached");
            let detail = "This server has as many clients as it may. Try again later, or ask its operator.";
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_clients", detail);
            Err(problem.retry_after(FULL_AGAIN).into_response().into())
        }
    }
}
