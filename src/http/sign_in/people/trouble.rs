//! What can keep a person from a page, told as a page: what happened, and what to do.

use super::SignIn;
use crate::{
    http::pages::message::{Back, Message},
    oauth::StoreError,
    telemetry::AuthFailure,
};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use std::time::Duration;

/// Seconds until a database may be back, or others have signed in.
pub(super) const AGAIN: u64 = 5;
const START_AGAIN: &str = "Go back to your client and connect again.";

/// Why there is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nobody is asked, because nobody knows where an answer would go.
    Nowhere(&'static str),
    /// The request is not of this browser, was changed, or is too old.
    RequestOver,
    /// It was answered before.
    Answered,
    /// A form that did not come from a page of ours, in this browser.
    ForeignForm,
    /// A form that is none of ours in its form.
    BadForm,
    /// A link that was used, or never there.
    LinkSpent,
    /// Too many tries.
    TooMany(Duration),
    /// Too many sign in at this moment.
    Busy,
    /// The database is away.
    Unavailable,
}

impl From<StoreError> for Trouble {
    fn from(_: StoreError) -> Self {
        Self::Unavailable
    }
}

impl Trouble {
    fn status(self) -> StatusCode {
        match self {
            Self::Nowhere(_) | Self::RequestOver | Self::Answered | Self::BadForm | Self::LinkSpent => {
                StatusCode::BAD_REQUEST
            }
            Self::ForeignForm => StatusCode::FORBIDDEN,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// A title, what happened, and what to do.
    fn words(self) -> [&'static str; 3] {
        match self {
            Self::Nowhere(happened) => ["This cannot be connected", happened, START_AGAIN],
            Self::RequestOver => [
                "Please start again",
                "This page belongs to another browser, or more than ten minutes have passed.",
                START_AGAIN,
            ],
            Self::Answered => ["This was answered before", "Each request of a client is answered once.", START_AGAIN],
            Self::ForeignForm => [
                "This form is not taken",
                "It did not come from a page of this server in this browser, or your session is over. The browser must take \
                 cookies of this server.",
                "Open the page again and try once more.",
            ],
            Self::BadForm => [
                "This form is not taken",
                "It is too large, or it is not a form of this server.",
                "Open the page again and try once more.",
            ],
            Self::LinkSpent => [
                "This link is of no use",
                "It was used already, a newer one was made, or its day is over.",
                "If you have just set your password with it, sign in. Otherwise ask the operator of this server for another: \"user \
                 reset NAME\" makes one, or \"user link\" for the first person.",
            ],
            Self::TooMany(_) => ["Too many tries", "Nothing was changed.", "Wait a few minutes, then try again."],
            Self::Busy => ["Many people sign in at this moment", "Nothing was changed.", "Try again in a few seconds."],
            Self::Unavailable => {
                ["The database of this server is away", "Nothing was changed.", "Try again in a few seconds."]
            }
        }
    }

    /// The page, counted.
    pub(super) fn told(self, site: &SignIn) -> Response {
        let failure = match self {
            Self::ForeignForm => AuthFailure::ForeignForm,
            Self::Busy | Self::Unavailable => AuthFailure::Unavailable,
            _ => AuthFailure::BadRequest,
        };
        site.metrics.auth_failure(failure);
        let [title, ..] = self.words();
        tracing::info!(reason = title, "a person was shown no page");
        self.into_response()
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let [title, happened, advice] = self.words();
        let back = match self {
            // Whether a client is connected is seen there, and who is signed in.
            Self::Answered | Self::LinkSpent => Back::Connections,
            _ => Back::Home,
        };
        let page = Message { title, happened: happened.into(), advice: advice.into(), back: Some(back) };
        let mut response = page.answer(self.status());
        let wait = match self {
            Self::TooMany(wait) => Some(wait.as_secs() + 1),
            Self::Busy | Self::Unavailable => Some(AGAIN),
            _ => None,
        };
        if let Some(seconds) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
