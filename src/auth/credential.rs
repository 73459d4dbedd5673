//! Finds the one credential of a request: in `Authorization: Bearer` or `X-API-Key`, and nowhere else. What stands in a
//! query or a body is none: both end in logs. Source: RFC 6750 §2.1, §5.3.

use super::api_key::KEY_PREFIX;
use crate::telemetry::AuthFailure;
use http::{HeaderMap, HeaderName, header};

/// Tokens of real issuers are 1 to 3 KB.
const LONGEST: usize = 8 * 1024;
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What a caller shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Credential<'a> {
    /// A token of an issuer.
    Token(&'a str),
    /// A key of our own.
    Key(&'a str),
}

impl<'a> Credential<'a> {
    pub(super) fn text(self) -> &'a str {
        match self {
            Self::Token(text) | Self::Key(text) => text,
        }
    }
}

/// The one credential in these headers.
pub(super) fn credential(headers: &HeaderMap) -> Result<Credential<'_>, AuthFailure> {
    let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
    let mut keys = headers.get_all(API_KEY).iter();
    let text = match (authorizations.next(), authorizations.next(), keys.next(), keys.next()) {
        (None, _, None, _) => return Err(AuthFailure::Missing),
        (Some(authorization), None, None, _) => bearer(authorization.to_str().map_err(|_| AuthFailure::Malformed)?)?,
        (None, _, Some(key), None) => key.to_str().map_err(|_| AuthFailure::Malformed)?,
        // Two readers might take different ones.
        _ => return Err(AuthFailure::Malformed),
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if text.is_empty() || text.len() > LONGEST || !text.bytes().all(is_plain) {
        return Err(AuthFailure::Malformed);
    }
    if text.starts_with(KEY_PREFIX) {
        return Ok(Credential::Key(text));
    }
    // What comes as a key is none of an issuer's tokens.
    if headers.contains_key(API_KEY) { Err(AuthFailure::UnknownKey) } else { Ok(Credential::Token(text)) }
}

/// The scheme in any case, and spaces between it and the token. Source: RFC 9110 §11.4.
fn bearer(value: &str) -> Result<&str, AuthFailure> {
    let (scheme, token) = value.split_once(' ').ok_or(AuthFailure::Malformed)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim_matches(' ')) } else { Err(AuthFailure::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(headers: &[(&'static str, &'static str)]) -> Result<String, AuthFailure> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a value"));
        }
        credential(&map).map(|credential| format!("{credential:?}"))
    }

    #[test]
    fn jwt_33_one_credential_in_one_header_is_taken() {
        for value in ["Bearer abc.def", "bearer abc.def", "BEARER   abc.def"] {
            assert_eq!(found(&[("authorization", value)]), Ok("Token(\"abc.def\")".to_owned()), "{value}");
        }
        for value in
            ["Basic dXNlcjpw", "Bearer", "abc.def", "Bearer ", "Bearer a,b", "Bearer a, Bearer b", "Bearer a b"]
        {
            assert_eq!(found(&[("authorization", value)]), Err(AuthFailure::Malformed), "{value}");
        }
        assert_eq!(found(&[("authorization", "Bearer a"), ("authorization", "Bearer a")]), Err(AuthFailure::Malformed));
        assert_eq!(found(&[("authorization", "Bearer a"), ("x-api-key", "grk_a")]), Err(AuthFailure::Malformed));
        assert_eq!(found(&[]), Err(AuthFailure::Missing));
        assert_eq!(found(&[("x-api-key", "grk_a")]), Ok("Key(\"grk_a\")".to_owned()));
        assert_eq!(found(&[("authorization", "Bearer grk_a")]), Ok("Key(\"grk_a\")".to_owned()));
        assert_eq!(found(&[("x-api-key", "abc.def")]), Err(AuthFailure::UnknownKey));
    }
}
