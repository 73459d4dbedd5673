//! The page where a person sees what they have granted, and takes it back.

use super::{Frame, answer, destination::Destination, permission::Permission, policy::Policy, words::Moment};
use askama::Template;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;

/// What the page shows.
#[derive(Debug)]
pub(in crate::http) struct Connections {
    pub(in crate::http) csrf: String,
    /// The name of who is signed in.
    pub(in crate::http) person: String,
    pub(in crate::http) granted: Vec<Granted>,
    /// What the client calls itself that was disconnected just now.
    pub(in crate::http) disconnected: Option<String>,
}

/// A client that a person has connected.
#[derive(Debug)]
pub(in crate::http) struct Granted {
    pub(in crate::http) client_id: String,
    pub(in crate::http) redirect_uri: String,
    /// What the client calls itself.
    pub(in crate::http) client: String,
    /// The host that the client's own description comes from, if it has one.
    pub(in crate::http) client_host: Option<String>,
    pub(in crate::http) permissions: Vec<Permission>,
    pub(in crate::http) since: Timestamp,
    pub(in crate::http) last_used: Option<Timestamp>,
}

impl Connections {
    /// The page.
    pub(in crate::http) fn answer(&self) -> Response {
        let rows = self.granted.iter().map(Row::from).collect();
        let page = Page { frame: Frame::still("Connections"), shown: self, rows };
        answer(StatusCode::OK, Policy::Forms { onward: None }, &page)
    }
}

#[derive(Debug, Template)]
#[template(path = "connections.html")]
struct Page<'a> {
    frame: Frame,
    shown: &'a Connections,
    rows: Vec<Row<'a>>,
}

/// One connection in words.
#[derive(Debug)]
struct Row<'a> {
    granted: &'a Granted,
    destination: Destination,
    permissions: String,
    since: Moment,
    last_used: Option<Moment>,
}

impl<'a> From<&'a Granted> for Row<'a> {
    fn from(granted: &'a Granted) -> Self {
        let permissions: Vec<_> = granted.permissions.iter().map(|permission| permission.short()).collect();
        Self {
            granted,
            destination: Destination::of(&granted.redirect_uri),
            permissions: permissions.join(", "),
            since: Moment::from(granted.since),
            last_used: granted.last_used.map(Moment::from),
        }
    }
}
