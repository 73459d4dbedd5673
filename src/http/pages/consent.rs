//! The page where a person decides what a client may do. It says whatever lets them see that they are being tricked:
//! where they are sent on to, for which server, and that a name proves nothing.

use super::{Frame, answer, destination::Destination, permission::Permission, policy::Policy};
use askama::Template;
use axum::response::Response;
use http::StatusCode;

/// What the page shows.
#[derive(Debug)]
pub(in crate::http) struct Consent {
    pub(in crate::http) csrf: String,
    /// The client's sealed request.
    pub(in crate::http) request: String,
    /// What the client calls itself.
    pub(in crate::http) client: String,
    /// The host that the client's own description comes from, if it has one.
    pub(in crate::http) client_host: Option<String>,
    pub(in crate::http) redirect_uri: String,
    /// The address of what the tokens are for.
    pub(in crate::http) resource: String,
    /// The name of who is signed in.
    pub(in crate::http) person: String,
    /// What the client asks for.
    pub(in crate::http) permissions: Vec<Permission>,
    /// The form came back with nothing to grant.
    pub(in crate::http) is_nothing_ticked: bool,
}

impl Consent {
    /// The page; 400 if the form came back with nothing to grant.
    pub(in crate::http) fn answer(&self) -> Response {
        let destination = Destination::of(&self.redirect_uri);
        let page = Page { frame: Frame::still("Connect"), shown: self, destination: &destination };
        let status = if self.is_nothing_ticked { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        answer(status, Policy::Forms { onward: destination.source.as_deref() }, &page)
    }
}

#[derive(Debug, Template)]
#[template(path = "consent.html")]
struct Page<'a> {
    frame: Frame,
    shown: &'a Consent,
    destination: &'a Destination,
}
