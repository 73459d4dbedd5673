//! Problem details: the one form of an error outside of MCP messages, with the same facts as a failure of a tool.
//! Source: RFC 9457.

use crate::model::RequestId;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use std::borrow::Cow;

/// An error that is told to the client.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    retry_after_seconds: Option<u64>,
}

impl Problem {
    /// `code` is for programs; `detail` says what to do.
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, detail: detail.into(), retry_after_seconds: None }
    }

    /// The same, to be tried again after this time.
    pub(super) fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after_seconds: Some(seconds), ..self }
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing at this path. MCP clients connect to /mcp.")
    }

    pub(super) fn method_not_allowed() -> Self {
        let detail = "This path takes other methods, which Allow names: /mcp takes POST only, having no sessions and no \
                      streams.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
    }

    pub(super) fn internal() -> Self {
        let detail = "Something is wrong with this server; its log says what. Try again later.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// Writes the body of an answer that a [`Problem`] made, with the reference of its request.
    pub(super) fn write(response: Response, reference: &RequestId) -> Response {
        let Some(problem) = response.extensions().get::<Self>() else { return response };
        let body = problem.body(reference);
        let mut written = response.map(|_| body.into());
        written.headers_mut().remove(header::CONTENT_LENGTH);
        written.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        written
    }

    fn body(&self, reference: &RequestId) -> String {
        let is_ours = self.status.is_server_error();
        let mut body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "tier": if is_ours { "server" } else { "client" },
            "code": self.code,
            "retryable": is_ours || self.retry_after_seconds.is_some(),
            "reference": reference.as_str(),
        });
        if let (Some(seconds), Some(body)) = (self.retry_after_seconds, body.as_object_mut()) {
            body.insert("retry_after_seconds".to_owned(), json!(seconds));
        }
        body.to_string()
    }
}

/// The whole answer to a connection for which there is no place, written without reading anything.
pub(super) fn no_connection() -> Vec<u8> {
    let detail = "This server has as many connections as it may. Try again in a few seconds, on fewer connections.";
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no_connection", detail).retry_after(5);
    let body = problem.body(&RequestId::random());
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n\
         retry-after: 5\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}

impl IntoResponse for Problem {
    /// The body is written at the edge, where the reference is known.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}
