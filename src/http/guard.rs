//! Headers that every answer carries, so that browsers make nothing of it that it is not. A handler that sets one of them
//! itself, such as a page with a policy of its own, keeps it.

use axum::response::Response;
use http::{HeaderName, HeaderValue, header};

/// What browsers are told, whatever the answer is. Nothing is stored on its way unless a handler says that it may be.
const ALWAYS: [(HeaderName, HeaderValue); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];
/// A year. Without subdomains: they may belong to others.
const HTTPS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Whether clients reach this server by https.
#[derive(Debug, Clone, Copy)]
pub(super) struct IsHttps(pub(super) bool);

/// Adds what is not there.
pub(super) fn guarded(mut response: Response, IsHttps(is_https): IsHttps) -> Response {
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(value);
    }
    if is_https {
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(HTTPS_ONLY);
    }
    response
}
