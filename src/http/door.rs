//! Host and Origin lists: a web page that a user visits must not reach a server on their machine.
//!
//! A browser sends its page's Origin, and after DNS rebinding the attacker's Host. Both must be ours. Source: MCP
//! 2026-07-28, Streamable HTTP, security warning; CVE-2026-42559.

use super::problem::Problem;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, StatusCode, header};
use std::{net::SocketAddr, sync::Arc};
use url::Url;

/// The names under which this server is reached.
#[derive(Debug, Clone)]
pub struct Door {
    /// `host:port`, without the port where it is the scheme's own.
    hosts: Arc<[String]>,
    /// Scheme and host.
    origins: Arc<[String]>,
}

impl Door {
    /// The listener's own address by any loopback name, and the public URL.
    pub fn new(listen: SocketAddr, public_url: Option<&Url>) -> Self {
        let port = listen.port();
        let own = ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("http://{host}:{port}"));
        let own = own.into_iter().chain([format!("http://{listen}")]);
        let urls = own.filter_map(|url| Url::parse(&url).ok()).chain(public_url.cloned());
        let origins: Vec<String> = urls.map(|url| url.origin().ascii_serialization()).collect();
        let hosts = origins.iter().filter_map(|origin| Some(origin.split_once("://")?.1.to_owned())).collect();
        Self { hosts, origins: origins.into() }
    }

    fn admits(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_host", "Send exactly one Host header."));
        };
        if !is_listed(host.as_bytes(), &self.hosts) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "host_not_allowed",
                "This server is not reached under this Host. Its operator can name another one in `server.public_url`.",
            ));
        }
        if headers.get_all(header::ORIGIN).iter().any(|origin| !is_listed(origin.as_bytes(), &self.origins)) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "origin_not_allowed",
                "Web pages of this Origin may not use this server. Its operator can name its own one in `server.public_url`.",
            ));
        }
        Ok(())
    }
}

fn is_listed(value: &[u8], list: &[String]) -> bool {
    list.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(value))
}

/// Refuses requests under foreign names before anything of them is read.
pub(super) async fn check(State(door): State<Door>, request: Request, next: Next) -> Response {
    // A target with an authority of its own would leave two answers to which Host is meant.
    if request.uri().authority().is_some() {
        return Problem::new(StatusCode::BAD_REQUEST, "bad_target", "Send a path as the request target.")
            .into_response();
    }
    match door.admits(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}
