//! Host and Origin lists: a web page that a user visits must not reach a server on their machine.
//!
//! A browser sends its page's Origin, and after DNS rebinding the attacker's Host. Both must be ours. Source: MCP
//! 2026-07-28, Streamable HTTP, security warning; CVE-2026-42559.
//!
//! What watches over a server reaches it by other names: kubelet and Prometheus by the address of a pod, neighbours in a
//! Compose network by the name of a service. Health paths and figures are therefore also told under addresses, and under
//! names that nobody can register: no page of the internet has such a name, so none can be rebound to it.

use super::problem::Problem;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, Version, header};
use std::{net::SocketAddr, sync::Arc};
use url::{Host, Url};

/// Names that no resolver of the internet answers for. RFC 6761, RFC 6762, and ICANN for `internal`.
const PRIVATE_SUFFIXES: &[&str] = &[".localhost", ".local", ".internal"];

/// The names under which this server is reached.
#[derive(Debug, Clone)]
pub struct Door {
    /// `host:port`, without the port where it is the scheme's own.
    hosts: Arc<[String]>,
    /// Scheme and host.
    origins: Arc<[String]>,
    /// Whether the public URL is https: the listener's own addresses never are.
    is_https: bool,
    /// Whether whoever watches over the server may also come by an address or a private name.
    admits_neighbours: bool,
}

impl Door {
    /// The listener's own address by any loopback name, and the public URL. Pages of other Origins may call if they are
    /// listed.
    pub fn new(listen: SocketAddr, public_url: Option<&Url>, more_origins: &[Url]) -> Self {
        let port = listen.port();
        let own = ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("http://{host}:{port}"));
        let own = own.into_iter().chain([format!("http://{listen}")]);
        let urls = own.filter_map(|url| Url::parse(&url).ok()).chain(public_url.cloned());
        let mut origins: Vec<String> = urls.map(|url| url.origin().ascii_serialization()).collect();
        let hosts = origins.iter().filter_map(|origin| Some(origin.split_once("://")?.1.to_owned())).collect();
        origins.extend(more_origins.iter().map(|url| url.origin().ascii_serialization()));
        let is_https = public_url.is_some_and(|url| url.scheme() == "https");
        Self { hosts, origins: origins.into(), is_https, admits_neighbours: false }
    }

    /// Scheme and host of the pages that may call.
    pub(super) fn origins(&self) -> &[String] {
        &self.origins
    }

    /// Whether clients reach this server by https.
    pub(super) fn is_https(&self) -> bool {
        self.is_https
    }

    /// The same for what whoever watches over the server asks.
    #[must_use]
    pub fn for_neighbours(&self) -> Self {
        Self { admits_neighbours: true, ..self.clone() }
    }

    /// Whether a page of this server's own names sends this Origin.
    pub(super) fn is_own(&self, origin: &HeaderValue) -> bool {
        origin.to_str().ok().and_then(|origin| origin.split_once("://")).is_some_and(|(_, host)| {
            is_listed(origin.as_bytes(), &self.origins) && is_listed(host.as_bytes(), &self.hosts)
        })
    }

    fn admits_host(&self, version: Version, headers: &HeaderMap) -> Result<(), Problem> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => host,
            // Simple load balancers ask so. A browser never does.
            (None, None) if self.admits_neighbours && version == Version::HTTP_10 => return Ok(()),
            _ => return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_host", "Send exactly one Host header.")),
        };
        let is_ours = is_listed(host.as_bytes(), &self.hosts);
        let is_neighbours = self.admits_neighbours && is_private(host);
        if !is_ours && !is_neighbours {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "host_not_allowed",
                "This server is not reached under this Host. Its operator can name another one in `server.public_url`.",
            ));
        }
        Ok(())
    }

    fn admits_origin(&self, headers: &HeaderMap) -> Result<(), Problem> {
        if headers.get_all(header::ORIGIN).iter().any(|origin| !is_listed(origin.as_bytes(), &self.origins)) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "origin_not_allowed",
                "Web pages of this Origin may not use this server. Its operator can list it in `server.allowed_origins`.",
            ));
        }
        Ok(())
    }
}

fn is_listed(value: &[u8], list: &[String]) -> bool {
    list.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(value))
}

/// An address, a name without a dot, or a name with a private suffix; with or without a port.
fn is_private(host: &HeaderValue) -> bool {
    let Some(url) = host.to_str().ok().and_then(|host| Url::parse(&format!("http://{host}/")).ok()) else {
        return false;
    };
    let is_host_alone = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let is_plain = is_host_alone && url.username().is_empty() && url.password().is_none();
    is_plain
        && match url.host() {
            Some(Host::Domain(name)) => {
                !name.contains('.') || PRIVATE_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
            }
            Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
            None => false,
        }
}

/// Refuses requests under foreign names before anything of them is read.
pub(super) async fn check(State(door): State<Door>, request: Request, next: Next) -> Response {
    let admitted =
        door.admits_host(request.version(), request.headers()).and_then(|()| door.admits_origin(request.headers()));
    match admitted {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// The same for what pages of other Origins may ask for too.
pub(super) async fn check_host(State(door): State<Door>, request: Request, next: Next) -> Response {
    match door.admits_host(request.version(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_come_by_addresses_and_by_names_that_nobody_can_register() {
        let is_private = |host: &str| is_private(&HeaderValue::from_str(host).expect("a value"));
        for host in [
            "10.1.2.3:9090",
            "10.1.2.3",
            "[fd00::1]:9090",
            "localhost:9090",
            "google-reviews:9090",
            "google-reviews.tools.svc.cluster.local:9090",
            "node1.internal",
        ] {
            assert!(is_private(host), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:9090",
            "127.0.0.1.evil.example",
            "evil.example@localhost",
            "local.evil",
            "localhost.evil.example",
            "localhost/evil.example",
            "a b",
            "",
        ] {
            assert!(!is_private(host), "{host}");
        }
    }
}
