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
}

impl Problem {
    /// `code` is for programs; `detail` says what to do.
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, detail: detail.into() }
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing at this path. MCP clients connect to /mcp.")
    }

    pub(super) fn method_not_allowed() -> Self {
        let detail = "This path takes other methods: /mcp takes POST only, having no sessions and no streams, and all \
                      other paths take GET.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
    }

    /// Writes the body of an answer that a [`Problem`] made, with the reference of its request.
    pub(super) fn write(response: Response, reference: &RequestId) -> Response {
        let Some(Self { status, code, detail }) = response.extensions().get().cloned() else { return response };
        let is_ours = status.is_server_error();
        let body = json!({
            "type": "about:blank",
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "detail": detail,
            "tier": if is_ours { "server" } else { "client" },
            "code": code,
            "retryable": is_ours,
            "reference": reference.as_str(),
        });
        let mut written = response.map(|_| body.to_string().into());
        written.headers_mut().remove(header::CONTENT_LENGTH);
        written.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        written
    }
}

impl IntoResponse for Problem {
    /// The body is written at the edge, where the reference is known.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
