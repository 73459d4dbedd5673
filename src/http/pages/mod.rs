//! Pages for people. Each is readable and usable without script, holds nothing that would have to be fetched from
//! elsewhere, and may do nothing that its policy does not name.

pub(super) mod connections;
pub(super) mod consent;
mod destination;
mod home;
pub(super) mod message;
pub(super) mod permission;
mod policy;
pub(super) mod setup;
pub(super) mod sign_in;
#[cfg(test)]
mod tests;
mod words;

pub use home::Home;

use super::problem::Problem;
use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    Router,
    response::{IntoResponse as _, Response},
    routing::get,
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use policy::Policy;
use std::sync::LazyLock;

static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("/page.css", "text/css; charset=utf-8", include_str!("page.css")));
static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("/page.js", "text/javascript; charset=utf-8", include_str!("page.js")));

/// What every page has around its content.
#[derive(Debug)]
struct Frame {
    title: &'static str,
    style: &'static str,
    script: Option<&'static str>,
    version: &'static str,
}

impl Frame {
    fn new(title: &'static str) -> Self {
        Self { script: Some(&SCRIPT.url), ..Self::still(title) }
    }

    /// Around a page that needs no script.
    fn still(title: &'static str) -> Self {
        Self { title, style: &STYLE.url, script: None, version: env!("CARGO_PKG_VERSION") }
    }
}

/// A file that pages need.
#[derive(Debug)]
struct Asset {
    path: &'static str,
    /// The path with a name of the content: whoever keeps the file never shows it with another version's page.
    url: String,
    media_type: &'static str,
    text: &'static str,
}

impl Asset {
    fn new(path: &'static str, media_type: &'static str, text: &'static str) -> Self {
        let hash = digest(&SHA256, text.as_bytes());
        let version = crate::model::hex(hash.as_ref().get(..6).unwrap_or_default());
        Self { path, url: format!("{path}?{version}"), media_type, text }
    }

    fn answer(&self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, self.media_type),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (headers, self.text).into_response()
    }
}

/// The files that pages need.
pub(super) fn assets() -> Router {
    [&STYLE, &SCRIPT].into_iter().fold(Router::new(), |routes, asset| {
        let asset: &'static Asset = asset;
        routes.route(asset.path, get(move || async move { asset.answer() }))
    })
}

/// A page as an answer: of this moment, and for whoever asked.
fn answer(status: StatusCode, policy: Policy<'_>, page: &impl Template) -> Response {
    let headers: [(HeaderName, HeaderValue); 5] = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, policy.header()),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    match page.render() {
        Ok(text) => (status, headers, text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be written");
            let detail = "The page cannot be shown; the log says why.";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).into_response()
        }
    }
}
