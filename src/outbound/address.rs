//! Addresses that strangers name, judged as they are written and before anything reads them: whatever two readers could
//! take for two things is none. Sources: draft-ietf-oauth-client-id-metadata-document §3 (https, a path, no dot segments,
//! no fragment, no user), RFC 1123 §2.1 and RFC 6761 (names), the URL Standard (hosts that end in a number are IPv4).

use std::fmt;
use url::{Host, Url};

/// Longer addresses are not taken.
const LONGEST: usize = 512;
/// Source: RFC 1035 §2.3.4.
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;
/// Ends of names that the public DNS does not have, or that lead back to this machine or its network. Sources: the
/// registry of special-use domain names (RFC 6761, RFC 6762, RFC 7686, RFC 8375, RFC 9476), ICANN's reservation of
/// `internal`.
const NOT_PUBLIC: &[&str] = &["alt", "arpa", "internal", "invalid", "local", "localhost", "onion", "test"];

/// `https://name.of.a.host/path`, on the port of https and without query, letter by letter as it was written.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicAddress {
    host: String,
    url: Url,
}

impl PublicAddress {
    /// Nothing if it is not written in this one way.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, path) = text.strip_prefix("https://")?.split_once('/')?;
        if text.len() > LONGEST || !is_name(host) || !is_path(path) {
            return None;
        }
        // The parser must find nothing to repair, and the same host.
        let url = Url::parse(text).ok().filter(|url| url.as_str() == text && url.host() == Some(Host::Domain(host)))?;
        Some(Self { host: host.to_owned(), url })
    }

    /// Its host: a name of the public DNS in small letters.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }
}

impl fmt::Debug for PublicAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicAddress({:?})", self.as_str())
    }
}

/// At least two labels, of which the last begins with a letter: no IPv4 address in any of its spellings does.
fn is_name(host: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_label = |label: &str| {
        (1..=LONGEST_LABEL).contains(&label.len())
            && label.bytes().all(is_letter)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let Some((rest, last)) = host.rsplit_once('.') else { return false };
    host.len() <= LONGEST_NAME
        && rest.split('.').all(is_label)
        && is_label(last)
        && last.starts_with(|first: char| first.is_ascii_lowercase())
        && !NOT_PUBLIC.contains(&last)
}

/// What follows the first slash: letters that nobody encodes, and no segment that a reader could leave out.
fn is_path(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    !path.is_empty() && path.bytes().all(is_plain) && !path.split('/').any(|segment| matches!(segment, "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_documents_are_taken() {
        for text in [
            "https://claude.ai/oauth/mcp-oauth-client-metadata",
            "https://vscode.dev/oauth/client-metadata.json",
            "https://a.b/c",
            "https://xn--bcher-kva.example/~ada/client_1/",
        ] {
            let address = PublicAddress::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(address.as_str(), text);
            assert!(text.starts_with(&format!("https://{}/", address.host())), "{text}");
        }
    }

    #[test]
    fn names_of_other_networks_are_not() {
        let long = "a".repeat(64);
        for host in ["a..b", ".a.b", "a.b.", "-a.b", "a-.b", "a_b.c", "a.1", "a.0x7f", "a.b:", &format!("{long}.b"), ""]
        {
            assert_eq!(PublicAddress::parse(&format!("https://{host}/x")), None, "{host}");
        }
        assert_eq!(PublicAddress::parse(&format!("https://a.b/{}", "c".repeat(LONGEST))), None);
    }
}
