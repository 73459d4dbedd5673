//! How an answer goes over the wire: pretty JSON, gzip where it is accepted, and the faults that spoil a body.

use super::{errors::ErrorBody, faults::Fault};
use axum::{
    body::{Body, Bytes},
    response::{IntoResponse as _, Response},
};
use flate2::{Compression, write::GzEncoder};
use futures_util::stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::Value;
use std::{
    io::{self, Write as _},
    time::Duration,
};

/// How often a slow body sends a piece.
const TICK: Duration = Duration::from_millis(100);

/// A good answer, spoilt by `fault` if there is one.
pub(super) fn good(mut body: Value, fault: Option<&Fault>, request: &HeaderMap) -> Response {
    if let Some(fault) = fault {
        body = fault.edit(body);
    }
    let text = Bytes::from(serde_json::to_vec_pretty(&body).unwrap_or_default());
    match fault {
        Some(Fault::Truncated) => json(StatusCode::OK, Body::from(text.slice(..text.len() / 2))),
        Some(Fault::SlowBody { bytes_per_second }) => json(StatusCode::OK, slow(text, *bytes_per_second)),
        Some(Fault::EndlessBody) => json(StatusCode::OK, endless()),
        Some(Fault::Reset) => json(StatusCode::OK, breaking(&text)),
        Some(Fault::CompressionBomb { megabytes }) => compressed(&vec![b' '; (*megabytes).min(256) * 1024 * 1024]),
        _ if accepts_gzip(request) => compressed(&text),
        _ => json(StatusCode::OK, Body::from(text)),
    }
}

/// An error with Google's body.
pub(super) fn error(error: &ErrorBody) -> Response {
    json(error.status, Body::from(serde_json::to_vec_pretty(&error.body).unwrap_or_default()))
}

/// The same with `Retry-After`.
pub(super) fn told_to_wait(mut response: Response, wait: Option<&str>) -> Response {
    if let Some(wait) = wait.and_then(|wait| HeaderValue::from_str(wait).ok()) {
        response.headers_mut().insert(header::RETRY_AFTER, wait);
    }
    response
}

/// What a front end answers when the path is unknown or a backend is away.
pub(super) fn html(status: u16) -> Response {
    let page =
        format!("<!DOCTYPE html>\n<html lang=en><title>Error {status}</title><p><b>{status}.</b> That’s an error.\n");
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    (status, [(header::CONTENT_TYPE, "text/html; charset=UTF-8")], page).into_response()
}

/// A redirect to `location`.
pub(super) fn redirect(location: &str) -> Response {
    let mut response = html(307);
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn json(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
    headers.insert(header::VARY, HeaderValue::from_static("Origin, X-Origin, Referer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Whoever reads this data can know that it is invented.
    headers.insert("x-data-source", HeaderValue::from_static("synthetic"));
    response
}

fn accepts_gzip(request: &HeaderMap) -> bool {
    request
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("gzip"))
}

fn compressed(body: &[u8]) -> Response {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(body).and_then(|()| encoder.finish()).unwrap_or_default();
    let mut response = json(StatusCode::OK, Body::from(packed));
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response
}

fn slow(text: Bytes, bytes_per_second: u64) -> Body {
    let piece = usize::try_from(bytes_per_second / 10).unwrap_or(usize::MAX).max(1);
    Body::from_stream(stream::unfold(text, move |mut left| async move {
        if left.is_empty() {
            return None;
        }
        tokio::time::sleep(TICK).await;
        let piece = left.split_to(piece.min(left.len()));
        Some((Ok::<_, io::Error>(piece), left))
    }))
}

fn endless() -> Body {
    const PIECE: Bytes = Bytes::from_static(&[b' '; 16 * 1024]);
    Body::from_stream(stream::repeat_with(|| Ok::<_, io::Error>(PIECE)))
}

fn breaking(text: &Bytes) -> Body {
    let half = text.slice(..text.len() / 2);
    Body::from_stream(stream::iter([Ok(half), Err(io::Error::from(io::ErrorKind::ConnectionReset))]))
}
