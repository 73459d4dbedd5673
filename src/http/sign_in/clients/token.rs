//! `/token` and `/revoke`: forms of clients. Sources: RFC 6749 §3.2, RFC 7009 §2.1.

use super::{
    SignIn,
    answer::refused,
    headers::{NotOne, authorization, is_of_type},
};
use crate::{
    http::{admission::Refusal, body},
    oauth::{OauthError, Parameters, Requester},
};
use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, header};
use std::sync::Arc;

/// More than any form of a client has.
const LARGEST: usize = 32 * 1024;
const FORM: &str = "application/x-www-form-urlencoded";

/// Tokens for a code, or for a refresh token.
pub(super) async fn give(State(sign_in): State<Arc<SignIn>>, request: Request) -> Response {
    let tried_basic = request.headers().contains_key(header::AUTHORIZATION);
    let requester = match requester(&sign_in, request).await {
        Ok(requester) => requester,
        Err(refusal) => return refusal.into(),
    };
    match sign_in.server.tokens(&requester).await {
        Ok(tokens) => Json(tokens.answer()).into_response(),
        Err(error) => refused(&sign_in, error, tried_basic),
    }
}

/// A client gives a token back.
pub(super) async fn revoke(State(sign_in): State<Arc<SignIn>>, request: Request) -> Response {
    let tried_basic = request.headers().contains_key(header::AUTHORIZATION);
    let requester = match requester(&sign_in, request).await {
        Ok(requester) => requester,
        Err(refusal) => return refusal.into(),
    };
    match sign_in.server.revoke(&requester).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => refused(&sign_in, error, tried_basic),
    }
}

/// Who asks for what. Limits come first: whoever floods costs neither hashes nor the database.
async fn requester(sign_in: &SignIn, request: Request) -> Result<Requester, Refusal> {
    let tried_basic = request.headers().contains_key(header::AUTHORIZATION);
    let refuse = |error| Refusal::from(refused(sign_in, error, tried_basic));
    if request.uri().query().is_some() {
        return Err(refuse(OauthError::invalid_request("Parameters belong into the body, and none into the address")));
    }
    if !is_of_type(request.headers(), FORM) {
        return Err(refuse(OauthError::invalid_request("The body must be application/x-www-form-urlencoded")));
    }
    let authorization = authorization(request.headers()).map_err(|NotOne| refuse(OauthError::invalid_client()))?;
    let authorization = authorization.map(str::to_owned);
    let (parts, body) = request.into_parts();
    let body = body::read(body, LARGEST).await.map_err(|problem| Refusal::from(problem.into_response()))?;
    let read = Requester::read(authorization.as_deref(), Parameters::read(&body)).map_err(refuse)?;
    sign_in.limiter.admit_client(read.client_id(), &parts.extensions, &parts.headers)?;
    Ok(read)
}
