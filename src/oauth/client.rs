//! Clients: who they say that they are, and how they show it. Source: RFC 6749 §2.3, RFC 7591 §2.

use super::{error::OauthError, parameters::Parameters};
use crate::{
    model::sha256_hex,
    store::{KeptClient, Store},
};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;

/// Ids are short names, or addresses of documents.
const LONGEST_ID: usize = 512;

/// How a client shows who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Authentication {
    /// Not at all: it cannot keep a secret.
    None,
    /// By its secret, in the body.
    Post,
    /// By its secret, in the header.
    Basic,
}

impl Authentication {
    pub(super) const ALL: [Self; 3] = [Self::None, Self::Post, Self::Basic];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Post => "client_secret_post",
            Self::Basic => "client_secret_basic",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

/// Who sends a request, as it says.
#[derive(Debug)]
pub(super) struct Claimed {
    id: String,
    secret: Option<String>,
}

impl Claimed {
    /// From the header `Authorization` and the body: one of them, not both.
    pub(super) fn read(authorization: Option<&str>, parameters: &Parameters) -> Result<Self, OauthError> {
        let (id, secret) = (parameters.one("client_id")?, parameters.one("client_secret")?);
        let Some(authorization) = authorization else {
            let id = id.ok_or(OauthError::invalid_client())?.to_owned();
            return Self { id, secret: secret.map(str::to_owned) }.bounded();
        };
        if secret.is_some() {
            return Err(OauthError::invalid_request(
                "Show who the client is in the header or in the body, not in both",
            ));
        }
        let (claimed, secret) = basic(authorization).ok_or(OauthError::invalid_client())?;
        if id.is_some_and(|id| id != claimed) {
            return Err(OauthError::invalid_request("The header and the body name two clients"));
        }
        Self { id: claimed, secret: Some(secret) }.bounded()
    }

    /// By what its requests are counted.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    fn bounded(self) -> Result<Self, OauthError> {
        if is_id(&self.id) { Ok(self) } else { Err(OauthError::invalid_client()) }
    }

    /// The client, if it is the one that it says. A secret is taken in the header and in the body, whichever was
    /// registered: clients in use mix them up, and the secret is the same.
    pub(super) async fn prove(&self, store: &Store) -> Result<KeptClient, OauthError> {
        let client = store.clients().find(&self.id).await?.ok_or(OauthError::invalid_client())?;
        let is_right = match (&client.secret_hash, &self.secret) {
            (None, None) => true,
            (Some(hash), Some(secret)) => {
                verify_slices_are_equal(sha256_hex(secret).as_bytes(), hash.as_bytes()).is_ok()
            }
            // One without a secret that shows one is confused, or somebody else.
            (None, Some(_)) | (Some(_), None) => false,
        };
        if is_right { Ok(client) } else { Err(OauthError::invalid_client()) }
    }
}

/// Whether it may be the id of a client. What else is sent is not looked up: not every database takes every letter.
pub(super) fn is_id(text: &str) -> bool {
    text.len() <= LONGEST_ID && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// `Basic base64(id:secret)`, both encoded as in a form. Source: RFC 6749 §2.3.1.
fn basic(authorization: &str) -> Option<(String, String)> {
    let (scheme, credentials) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let plain = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    };
    Some((plain(id)?, plain(secret)?)).filter(|(id, _)| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::ErrorName;

    fn read(authorization: Option<&str>, body: &str) -> Result<(String, Option<String>), ErrorName> {
        let claimed = Claimed::read(authorization, &Parameters::read(body.as_bytes()));
        claimed.map(|claimed| (claimed.id, claimed.secret)).map_err(|error| error.name)
    }

    #[test]
    fn a_client_shows_who_it_is_in_one_way() {
        let header = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let known = |id: &str, secret: &str| Ok((id.to_owned(), Some(secret.to_owned())));
        assert_eq!(read(None, "client_id=a"), Ok(("a".to_owned(), None)));
        assert_eq!(read(None, "client_id=a&client_secret=b"), known("a", "b"));
        assert_eq!(read(Some(&header("a:b")), ""), known("a", "b"));
        assert_eq!(read(Some(&header("a:b")), "client_id=a"), known("a", "b"));
        assert_eq!(read(Some(&header("a%3Ab:c+d:e")), ""), known("a:b", "c d:e"));
        assert_eq!(read(Some(&header("a:b")), "client_id=other"), Err(ErrorName::InvalidRequest));
        assert_eq!(read(Some(&header("a:b")), "client_secret=b"), Err(ErrorName::InvalidRequest));
        for bad in ["Basic", "Basic !", "Bearer abc", &header("no colon"), &header(":secret")] {
            assert_eq!(read(Some(bad), ""), Err(ErrorName::InvalidClient), "{bad}");
        }
        let not_text = format!("Basic {}", STANDARD.encode([0xff, b':', 0xff]));
        assert_eq!(read(Some(&not_text), ""), Err(ErrorName::InvalidClient));
        assert_eq!(read(None, ""), Err(ErrorName::InvalidClient));
        assert_eq!(read(None, "client_id=a&client_id=a"), Err(ErrorName::InvalidRequest));
    }
}
