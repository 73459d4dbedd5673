//! Gives every request a reference and sends it back, so that a complaint finds its log lines.

use super::{
    form,
    guard::{self, IsHttps},
    problem::Problem,
};
use crate::model::RequestId;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures_util::FutureExt as _;
use http::{HeaderName, HeaderValue};
use std::panic::AssertUnwindSafe;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Sets the reference, lets requests of one plain form through, and gives the answer the headers of every answer. A
/// reference that the client sent is not used: it could forge log lines. A handler that panics is answered for.
pub(super) async fn set(State(is_https): State<IsHttps>, mut request: Request, next: Next) -> Response {
    let id = RequestId::random();
    request.extensions_mut().insert(id.clone());
    let response = if let Some(refusal) = form::refusal(&request) {
        refusal
    } else {
        let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        answered.unwrap_or_else(|_| Problem::internal().into_response())
    };
    let mut response = Problem::write(guard::guarded(response, is_https), &id);
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}
