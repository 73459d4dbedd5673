//! Where answers to clients may go. Addresses are compared letter by letter as they were sent, never after a repair: two
//! readers of one address must not come to two places. For a program on the person's own machine the port is free, because
//! it takes any that is free. Sources: RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1 and §4.1.

use url::Url;

/// Longer addresses are not taken.
const LONGEST: usize = 1_024;
/// Addresses that a browser runs, reads from the machine, or gives to the system rather than to an app of the client.
const NO_APPS: &[&str] = &[
    "about",
    "blob",
    "chrome",
    "content",
    "data",
    "file",
    "filesystem",
    "ftp",
    "ftps",
    "intent",
    "jar",
    "javascript",
    "facetime",
    "facetime-audio",
    "help",
    "itms",
    "itms-apps",
    "itms-services",
    "mailto",
    "market",
    "resource",
    "search",
    "search-ms",
    "shell",
    "skype",
    "sms",
    "ssh",
    "tel",
    "urn",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];
/// The names of the own machine, letter by letter: other spellings may be somebody else's.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// Whether a client may register this address.
pub fn is_allowed(uri: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#*".contains(&byte);
    if uri.len() > LONGEST || !uri.bytes().all(is_plain) {
        return false;
    }
    let Ok(url) = Url::parse(uri) else { return false };
    let rest = uri.get(url.scheme().len()..).unwrap_or_default();
    let authority = rest.strip_prefix("://").and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
    // Also no empty user: with parameters behind it, that is no address any more.
    let is_bare = !authority.contains('@');
    // As it is written: a scheme in capitals, or a host that only a repair finds, is not taken.
    let is_literal = uri.starts_with(url.scheme()) && rest.starts_with(":/");
    is_bare
        && is_literal
        && match url.scheme() {
            "https" => url.host_str().is_some_and(|host| rest.starts_with(&format!("://{host}"))),
            "http" => loopback_parts(uri).is_some(),
            // Those of Windows open its own programs.
            scheme => !NO_APPS.contains(&scheme) && !scheme.starts_with("ms-"),
        }
}

/// Whether an answer may go to `asked`, when the client registered `registered`.
pub fn fits(registered: &str, asked: &str) -> bool {
    match (loopback_parts(registered), loopback_parts(asked)) {
        (Some(registered), Some(asked)) => registered == asked,
        (None, None) => registered == asked,
        _ => false,
    }
}

/// Host and what follows the port, of an address on the own machine.
fn loopback_parts(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let host = LOOPBACK.into_iter().find(|host| rest.starts_with(host))?;
    let rest = rest.get(host.len()..)?;
    let path = match rest.strip_prefix(':') {
        Some(after) => {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            let (port, path) = after.split_at(digits);
            port.parse::<u16>().ok().filter(|port| *port > 0)?;
            path
        }
        None => rest,
    };
    (path.is_empty() || path.starts_with(['/', '?'])).then_some((host, path))
}

/// The same address for any port, by which a person's agreement is remembered.
pub fn without_port(uri: &str) -> String {
    loopback_parts(uri).map_or_else(|| uri.to_owned(), |(host, path)| format!("http://{host}{path}"))
}

/// Whether it is a site: of addresses on the person's own machine, and of apps, any program there can take the place.
pub fn is_site(uri: &str) -> bool {
    uri.starts_with("https://")
}

/// The address with these parameters added to what it has.
pub fn with_parameters(uri: &str, parameters: &[(&str, &str)]) -> String {
    let added = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let separator = if uri.contains('?') { '&' } else { '?' };
    format!("{uri}{separator}{added}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_register_is_allowed() {
        for uri in [
            "https://claude.ai/api/mcp/auth_callback",
            "https://example.com:8443/cb?tenant=1",
            "http://localhost/callback",
            "http://127.0.0.1:33418/",
            "http://127.0.0.1:33418",
            "http://[::1]:3334/oauth/callback",
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "vscode://vscode.github-authentication/did-authenticate",
            "com.example.app:/oauth",
            "https://example.com/@tenant/cb",
        ] {
            assert!(is_allowed(uri), "{uri}");
            assert!(fits(uri, uri), "{uri}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_not() {
        for uri in [
            "javascript:alert(1)",
            "JavaScript://x/%0aalert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "vbscript:x",
            "blob:https://x/y",
            "about:blank",
            "ms-msdt:/id",
            "itms-services://?action=download-manifest",
            "http://example.com/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.1/cb",
            "http://0x7f.1/cb",
            "http://2130706433/cb",
            "http://localhost.evil/cb",
            "http://localhost:0/cb",
            "http://localhost:99999/cb",
            "http://localhost:80:80/cb",
            "http://[::ffff:127.0.0.1]/cb",
            "https://good@evil.example/cb",
            "https://@evil.example/cb",
            "http://localhost@evil.example/cb",
            "cursor://@",
            "cursor://@evil.example/cb",
            "cursor://good@evil.example/cb",
            "https://example.com/cb#fragment",
            "https://*.example.com/cb",
            "https:///cb",
            "https://",
            "https:example.com/cb",
            "HTTPS://example.com/cb",
            "https://EXAMPLE.com/cb",
            "https://exam\u{440}le.com/cb",
            "https://example.com\\cb",
            "https://example.com/c b",
            "https://example.com/cb\r\nx: y",
            "/cb",
            "",
            &format!("https://example.com/{}", "a".repeat(4_000)),
        ] {
            assert!(!is_allowed(uri), "{uri}");
        }
    }

    #[test]
    fn the_port_is_free_on_the_own_machine_alone() {
        let registered = "http://localhost:3334/cb?x=1";
        for good in ["http://localhost:3334/cb?x=1", "http://localhost:1/cb?x=1", "http://localhost/cb?x=1"] {
            assert!(fits(registered, good), "{good}");
        }
        for bad in [
            "http://127.0.0.1:3334/cb?x=1",
            "https://localhost:3334/cb?x=1",
            "http://localhost:3334/cb",
            "http://localhost:3334/cb?x=1&y=2",
            "http://localhost:3334/cbx?x=1",
            "http://localhost:3334@evil.example/cb?x=1",
            "http://localhost:3334x/cb?x=1",
            "http://localhost.evil.example:3334/cb?x=1",
        ] {
            assert!(!fits(registered, bad), "{bad}");
        }
        assert!(!fits("https://example.com/cb", "https://example.com:8443/cb"));
        assert_eq!(without_port("http://[::1]:99/cb"), "http://[::1]/cb");
    }

    #[test]
    fn answers_are_added_to_what_an_address_has() {
        let site = "https://claude.ai/api/cb?x=1";
        assert_eq!(with_parameters(site, &[("code", "a b"), ("iss", "x:y")]), format!("{site}&code=a+b&iss=x%3Ay"));
        assert_eq!(with_parameters("cursor://a/b", &[("code", "c")]), "cursor://a/b?code=c");
        assert!(is_site(site) && !is_site("cursor://a/b") && !is_site("http://localhost/cb"));
    }
}
