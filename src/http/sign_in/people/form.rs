//! Forms that people send: from a page of ours, in a browser that got it from us. What a browser says of where a form comes
//! from is looked at first; the proof in the form is then for its handler to check.
//!
//! Because our pages send no referrer, browsers name the Origin of their forms `null`; they say `same-origin` beside it.
//! Sources: Fetch (Origin, Referrer Policy), Fetch Metadata Request Headers.

use super::{SignIn, trouble::Trouble, visit::Visit};
use crate::{http::body, oauth::Parameters};
use axum::extract::Request;
use http::{Extensions, HeaderMap, header};

/// More than any form of ours holds: a request is a few kilobytes, a password at most one.
const LARGEST: usize = 32 * 1024;
const FETCH_SITE: &str = "sec-fetch-site";

/// A form, and who sends it.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) visit: Visit,
    pub(super) fields: Parameters,
    pub(super) headers: HeaderMap,
    pub(super) extensions: Extensions,
}

/// Reads a form that may have come from a page of ours.
pub(super) async fn read(site: &SignIn, request: Request) -> Result<Sent, Trouble> {
    if !is_from_here(site, request.headers()) {
        return Err(Trouble::ForeignForm);
    }
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|value| value.starts_with("application/x-www-form-urlencoded")) {
        return Err(Trouble::BadForm);
    }
    let (parts, body) = request.into_parts();
    let body = body::read(body, LARGEST).await.map_err(|_| Trouble::BadForm)?;
    let visit = Visit::of(site, &parts.headers).await?;
    if visit.is_new {
        // Whoever shows no cookie was never given a form.
        return Err(Trouble::ForeignForm);
    }
    Ok(Sent { visit, fields: Parameters::read(&body), headers: parts.headers, extensions: parts.extensions })
}

/// Programs that are no browsers say nothing of where a form comes from, and cannot be tricked into sending one either.
fn is_from_here(site: &SignIn, headers: &HeaderMap) -> bool {
    let says_same = match headers.get(FETCH_SITE) {
        Some(value) if value == "same-origin" => Some(true),
        Some(_) => Some(false),
        None => None,
    };
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let is_own = origins.all(|origin| site.door.is_own(origin) || (origin == "null" && says_same == Some(true)));
    says_same != Some(false) && is_own
}
