//! Where a client has people sent on to once they have agreed, as the address says it and not as the client does.

use crate::config::is_loopback;
use url::{Host, Url};

/// What answers at a redirect address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Destination {
    pub(super) kind: Kind,
    /// The host, with a port where it is not the scheme's own; of an app, its scheme and host.
    pub(super) address: String,
    /// What a form's policy must name for the way there.
    pub(super) source: Option<String>,
}

/// Who can be behind an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Whoever has the host.
    Site,
    /// Any program on the person's own computer.
    Program,
    /// Any app that the device has given the scheme to.
    App,
}

impl Destination {
    /// Of this redirect address.
    pub(super) fn of(redirect: &str) -> Self {
        let Ok(url) = Url::parse(redirect) else {
            return Self { kind: Kind::App, address: redirect.to_owned(), source: None };
        };
        let host = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        };
        if !matches!(url.scheme(), "http" | "https") {
            let scheme = format!("{}:", url.scheme());
            let address = if host.is_empty() { scheme.clone() } else { format!("{scheme}//{host}") };
            return Self { kind: Kind::App, address, source: Some(scheme) };
        }
        let kind = if is_loopback(&url) { Kind::Program } else { Kind::Site };
        // A policy has no words for an address of IPv6.
        let source = match url.host() {
            Some(Host::Ipv6(_)) => format!("{}:", url.scheme()),
            _ => url.origin().ascii_serialization(),
        };
        Self { kind, address: host, source: Some(source) }
    }

    pub(super) fn is_site(&self) -> bool {
        self.kind == Kind::Site
    }

    pub(super) fn is_program(&self) -> bool {
        self.kind == Kind::Program
    }

    pub(super) fn is_app(&self) -> bool {
        self.kind == Kind::App
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_who_can_be_behind_it() {
        for (redirect, kind, address, source) in [
            ("https://claude.ai/api/mcp/auth_callback", Kind::Site, "claude.ai", "https://claude.ai"),
            ("https://claude.ai:8443/cb", Kind::Site, "claude.ai:8443", "https://claude.ai:8443"),
            ("https://claude.ai@evil.example/", Kind::Site, "evil.example", "https://evil.example"),
            ("https://CLAUDE.ai./", Kind::Site, "claude.ai.", "https://claude.ai."),
            ("https://cl\u{430}ude.ai/", Kind::Site, "xn--clude-5ve.ai", "https://xn--clude-5ve.ai"),
            ("http://127.0.0.1:3334/cb", Kind::Program, "127.0.0.1:3334", "http://127.0.0.1:3334"),
            ("http://localhost:3334/cb", Kind::Program, "localhost:3334", "http://localhost:3334"),
            ("http://[::1]:3334/cb", Kind::Program, "[::1]:3334", "http:"),
            ("http://localhost.evil.example/", Kind::Site, "localhost.evil.example", "http://localhost.evil.example"),
            ("cursor://anysphere.cursor-mcp/cb", Kind::App, "cursor://anysphere.cursor-mcp", "cursor:"),
            ("com.example.app:/cb", Kind::App, "com.example.app:", "com.example.app:"),
        ] {
            let found = Destination::of(redirect);
            let wanted = Destination { kind, address: address.to_owned(), source: Some(source.to_owned()) };
            assert_eq!(found, wanted, "{redirect}");
        }
        assert_eq!(Destination::of("no address").source, None);
    }
}
