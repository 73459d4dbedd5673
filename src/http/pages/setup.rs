//! The page behind a link of the operator's, where a person chooses their password, and the first one their name too.

use super::{Frame, answer, policy::Policy};
use askama::Template;
use axum::response::Response;
use http::StatusCode;
use std::borrow::Cow;

/// What the page shows.
#[derive(Debug)]
pub(in crate::http) struct Setup {
    pub(in crate::http) csrf: String,
    /// The secret of the link.
    pub(in crate::http) link: String,
    pub(in crate::http) person: Person,
    /// What was wrong with the last try, and what would be right: one or two sentences.
    pub(in crate::http) error: Option<Cow<'static, str>>,
}

/// Who the link is for.
#[derive(Debug)]
pub(in crate::http) enum Person {
    /// The first of this server, who chooses a name; what they have typed before.
    First(String),
    /// Somebody with this name.
    Known(String),
}

impl Setup {
    /// The page; 400 if there is an error.
    pub(in crate::http) fn answer(&self) -> Response {
        let status = if self.error.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        let (name, is_first) = match &self.person {
            Person::First(name) => (name.as_str(), true),
            Person::Known(name) => (name.as_str(), false),
        };
        let page = Page { frame: Frame::still("Set your password"), shown: self, name, is_first };
        answer(status, Policy::Forms { onward: None }, &page)
    }
}

#[derive(Debug, Template)]
#[template(path = "setup.html")]
struct Page<'a> {
    frame: Frame,
    shown: &'a Setup,
    name: &'a str,
    is_first: bool,
}
