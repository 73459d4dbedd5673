//! The page that says what went wrong, or what is done, where there is nothing else to show.

use super::{Frame, answer, policy::Policy};
use askama::Template;
use axum::response::Response;
use http::StatusCode;
use std::borrow::Cow;

/// What the page shows.
#[derive(Debug)]
pub(in crate::http) struct Message {
    /// In a few words.
    pub(in crate::http) title: &'static str,
    /// A sentence of what happened.
    pub(in crate::http) happened: Cow<'static, str>,
    /// A sentence of what to do.
    pub(in crate::http) advice: Cow<'static, str>,
    pub(in crate::http) back: Option<Back>,
}

/// Where a person can go from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) enum Back {
    /// The page of the server.
    Home,
    /// The page of what they have connected.
    Connections,
    /// The page where they sign in, at this address.
    SignIn(String),
}

impl Back {
    fn path(&self) -> &str {
        match self {
            Self::Home => "/",
            Self::Connections => "/connections",
            Self::SignIn(path) => path,
        }
    }

    fn text(&self) -> &'static str {
        match self {
            Self::Home => "About this server",
            Self::Connections => "Your connections",
            Self::SignIn(_) => "Back to the sign-in",
        }
    }
}

impl Message {
    /// The page.
    pub(in crate::http) fn answer(&self, status: StatusCode) -> Response {
        answer(status, Policy::Text, &Page { frame: Frame::still(self.title), shown: self })
    }
}

#[derive(Debug, Template)]
#[template(path = "message.html")]
struct Page<'a> {
    frame: Frame,
    shown: &'a Message,
}
