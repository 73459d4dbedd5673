//! Who looks at a page: a browser, known by the cookie of every visitor, and the person who is signed in in it, if anybody
//! is. The session is a cookie of its own that is made when somebody signs in: what a visitor had before opens nothing.

use super::{
    SignIn,
    cookies::{self, SESSION, VISITOR},
    trouble::Trouble,
};
use crate::{
    model::random_secret,
    oauth::{Browser, Person, SignedIn},
};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};
use secrecy::ExposeSecret as _;

/// A visit.
#[derive(Debug)]
pub(super) struct Visit {
    visitor: String,
    pub(super) is_new: bool,
    session: Option<String>,
    pub(super) person: Option<Person>,
}

impl Visit {
    /// Of whoever sends these headers.
    pub(super) async fn of(site: &SignIn, headers: &HeaderMap) -> Result<Self, Trouble> {
        let (sent, token) = (cookies::sent(headers, VISITOR), cookies::sent(headers, SESSION));
        let person = match &token {
            Some(token) => site.server.people().session(token).await?,
            None => None,
        };
        let is_new = sent.is_none();
        let visitor = sent.unwrap_or_else(|| random_secret("").expose_secret().to_owned());
        // One that is over is as good as none.
        let session = token.filter(|_| person.is_some());
        Ok(Self { visitor, is_new, session, person })
    }

    /// By which forms and requests are bound to it.
    pub(super) fn browser(&self) -> Browser<'_> {
        Browser { visitor: &self.visitor, session: self.session.as_deref() }
    }

    /// Ends the session, if somebody is signed in.
    pub(super) async fn end(&self, site: &SignIn) -> Result<(), Trouble> {
        match &self.session {
            Some(session) => Ok(site.server.people().sign_out(session).await?),
            None => Ok(()),
        }
    }

    /// The answer to this visit: a new visitor gets a cookie.
    pub(super) fn answered(&self, response: Response) -> Response {
        let cookie = self.is_new.then(|| cookies::set(VISITOR, &self.visitor)).flatten();
        with_cookie(response, cookie)
    }
}

/// The answer to somebody who has just signed in.
pub(super) fn signed_in(response: Response, who: &SignedIn) -> Response {
    with_cookie(response, cookies::set(SESSION, who.token.expose_secret()))
}

/// The answer to somebody who has just signed out.
pub(super) fn signed_out(response: Response) -> Response {
    with_cookie(response, cookies::removed(SESSION))
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
