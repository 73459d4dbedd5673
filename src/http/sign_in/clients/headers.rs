//! Headers of clients that must stand once: of two, each reader could take another.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// A header stands there twice, or is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotOne;

/// Whether the body is said to be of this media type, with any parameters.
pub(super) fn is_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    let Ok(Some(text)) = one(headers, &header::CONTENT_TYPE) else { return false };
    text.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media_type)
}

/// What is shown in the one header `Authorization`.
pub(super) fn authorization(headers: &HeaderMap) -> Result<Option<&str>, NotOne> {
    one(headers, &header::AUTHORIZATION)
}

/// The bearer token in it, if that is what it is.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = authorization(headers).ok()??.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, NotOne> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => value.map(HeaderValue::to_str).transpose().map_err(|_| NotOne),
        (_, Some(_)) => Err(NotOne),
    }
}
