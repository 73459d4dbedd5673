//! Gives every request a reference and sends it back, so that a complaint finds its log lines.

use super::problem::Problem;
use crate::model::RequestId;
use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderName, HeaderValue};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Sets the reference. One that the client sent is not used: it could forge log lines.
pub(super) async fn set(mut request: Request, next: Next) -> Response {
    let id = RequestId::random();
    request.extensions_mut().insert(id.clone());
    let mut response = Problem::write(next.run(request).await, &id);
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}
