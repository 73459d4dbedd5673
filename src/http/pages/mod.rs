//! Pages for people. Each is readable and usable without script, holds nothing that would have to be fetched from
//! elsewhere, and may do nothing that its policy does not name.

mod home;
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
use std::sync::LazyLock;

/// Style and script are files of ours, pictures are ours or written into the page, and there are no forms. Nobody may
/// frame a page, so that no click on it is another's.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("/page.css", "text/css; charset=utf-8", include_str!("page.css")));
static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("/page.js", "text/javascript; charset=utf-8", include_str!("page.js")));

/// What every page has around its content.
#[derive(Debug)]
struct Frame {
    title: &'static str,
    style: &'static str,
    script: &'static str,
    version: &'static str,
}

impl Frame {
    fn new(title: &'static str) -> Self {
        Self { title, style: &STYLE.url, script: &SCRIPT.url, version: env!("CARGO_PKG_VERSION") }
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
fn answer(page: &impl Template) -> Response {
    let headers: [(HeaderName, HeaderValue); 5] = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    match page.render() {
        Ok(text) => (headers, text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be written");
            let detail = "The page cannot be shown; the log says why.";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).into_response()
        }
    }
}
