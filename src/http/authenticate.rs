//! Who calls is found out before anything of a body is read; who is not known is told how to become so.

use super::{admission::Refusal, problem::Problem};
use crate::{
    auth::{Auth, Denied},
    model::Caller,
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, StatusCode, header};
use std::sync::Arc;

/// Who sends these headers.
pub(super) async fn caller(auth: &Auth, headers: &HeaderMap) -> Result<Caller, Refusal> {
    let refusal = match auth.caller(headers).await {
        Ok(caller) => return Ok(caller),
        Err(Denied::Refused(failure)) => {
            let detail =
                "Send a valid access token or API key, as Authorization: Bearer; WWW-Authenticate says how to get one.";
            let challenge = [(header::WWW_AUTHENTICATE, auth.challenge(failure))];
            (challenge, Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)).into_response()
        }
        Err(Denied::Unavailable) => {
            let detail =
                "Who calls cannot be found out now: this server's database, or the issuer of its tokens, is away.";
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "sign_in_unavailable", detail);
            problem.retry_after(5).into_response()
        }
    };
    Err(refusal.into())
}

/// The metadata of the protected resource, at both paths where clients look. Source: RFC 9728 §3.
pub(super) async fn metadata(State(auth): State<Arc<Auth>>) -> Response {
    match auth.protected().metadata() {
        Some(metadata) => ([(header::CACHE_CONTROL, "public, max-age=3600")], Json(metadata)).into_response(),
        None => Problem::not_found().into_response(),
    }
}
