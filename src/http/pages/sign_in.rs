//! The page where a person says who they are.

use super::{Frame, answer, destination::Destination, policy::Policy, words::span};
use askama::Template;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use std::time::Duration;

/// What the page shows.
#[derive(Debug, Default)]
pub(in crate::http) struct SignIn {
    pub(in crate::http) csrf: String,
    /// The client that sent the person here, if one did.
    pub(in crate::http) asking: Option<Asking>,
    /// What was typed before, so that it need not be typed again.
    pub(in crate::http) name: String,
    /// Why the last try did not work.
    pub(in crate::http) refused: Option<Refused>,
    /// Where they can sign in otherwise, if anywhere.
    pub(in crate::http) provider: Option<Provider>,
    /// Whether there is no other way.
    pub(in crate::http) is_without_passwords: bool,
}

/// A provider with whose accounts people sign in.
#[derive(Debug)]
pub(in crate::http) struct Provider {
    pub(in crate::http) name: String,
    /// On this server.
    pub(in crate::http) way: String,
}

/// A client that waits for the person to sign in.
#[derive(Debug)]
pub(in crate::http) struct Asking {
    /// Its sealed request.
    pub(in crate::http) request: String,
    /// What it calls itself.
    pub(in crate::http) client: String,
    pub(in crate::http) redirect_uri: String,
}

/// Why nobody is signed in. Of a wrong name and a wrong password the page says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Refused {
    /// No person has this name and this password: 401.
    Wrong,
    /// There were too many tries; the next one is taken after this time: 429.
    Wait(Duration),
    /// No password can be such a text: 400.
    Unfit,
    /// The form was not made for this browser, or too long ago: 403.
    Stale,
}

impl Refused {
    fn status(self) -> StatusCode {
        match self {
            Self::Wrong => StatusCode::UNAUTHORIZED,
            Self::Wait(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unfit => StatusCode::BAD_REQUEST,
            Self::Stale => StatusCode::FORBIDDEN,
        }
    }

    fn text(self) -> String {
        match self {
            Self::Wrong => "This name and password do not fit together. Try again.".to_owned(),
            Self::Wait(time) => format!("Too many tries. Wait {}, then try again.", span(rounded(time))),
            Self::Unfit => "This password is too long, or has a character that no password has. Try again.".to_owned(),
            Self::Stale => "This page had been open for too long. Try again.".to_owned(),
        }
    }
}

/// Up to whole seconds, and from two minutes on to whole minutes.
fn rounded(time: Duration) -> Duration {
    let seconds = whole_seconds(time);
    Duration::from_secs(if seconds < 120 { seconds } else { seconds.div_ceil(60) * 60 })
}

/// At least one: who may try again now need not be told.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0)).max(1)
}

impl SignIn {
    /// The page, with the status and the headers of why the last try did not work.
    pub(in crate::http) fn answer(&self) -> Response {
        let destination = self.asking.as_ref().map(|asking| Destination::of(&asking.redirect_uri));
        let status = self.refused.map_or(StatusCode::OK, Refused::status);
        let page = Page {
            frame: Frame::still("Sign in"),
            shown: self,
            asking: self.asking.as_ref().zip(destination.as_ref()),
        };
        let mut response = answer(status, Policy::Forms { onward: None }, &page);
        if let Some(Refused::Wait(time)) = self.refused {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(time)));
        }
        response
    }
}

#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
struct Page<'a> {
    frame: Frame,
    shown: &'a SignIn,
    asking: Option<(&'a Asking, &'a Destination)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_must_wait_is_told_how_long() {
        let told = |milliseconds| Refused::Wait(Duration::from_millis(milliseconds)).text();
        assert_eq!(told(0), "Too many tries. Wait one second, then try again.");
        assert_eq!(told(29_001), "Too many tries. Wait 30 seconds, then try again.");
        assert_eq!(told(847_000), "Too many tries. Wait 15 minutes, then try again.");
    }
}
