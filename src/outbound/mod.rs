//! Fetches a document from an address outside: bounded in time and size, without redirects or proxies, and without other
//! credentials than those that are passed in. What the operator named is fetched wherever it is ([`Outbound`]); what a
//! stranger named, on the public internet alone ([`Strangers`]): its address is judged as it is written (`address`), and
//! where its name leads before a connection is made (`special`).

mod address;
mod network;
mod special;
mod strangers;

pub use address::PublicAddress;
pub use network::{Internet, Lookup, Network};
pub use strangers::{Fetched, Strangers};

use crate::config::is_loopback;
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use std::{fmt, time::Duration};
use tokio::time::timeout;
use url::Url;

/// How much, and how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the first packet to the last byte.
    pub time: Duration,
    /// Of the body.
    pub bytes: usize,
}

/// Why a document was not fetched, in words for the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchError {
    /// Plain http is for this machine alone.
    NotHttps,
    /// No answer, or one that broke off.
    Unreachable,
    /// No whole answer in time.
    TimedOut,
    /// Larger than allowed.
    TooLarge,
    /// An answer, but not the document.
    Status(u16),
    /// A document in another form than JSON.
    NotJson,
    /// Compressed, though nobody asked for that.
    Compressed,
    /// The name has no address.
    NoName,
    /// The name leads to where the public internet is not.
    NotPublic,
}

impl fmt::Display for FetchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHttps => formatter.write_str("its address is not https"),
            Self::Unreachable => formatter.write_str("it cannot be reached"),
            Self::TimedOut => formatter.write_str("it does not answer in time"),
            Self::TooLarge => formatter.write_str("its answer is too large"),
            Self::Status(status) => write!(formatter, "it answers with status {status}"),
            Self::NotJson => formatter.write_str("its answer is not JSON"),
            Self::Compressed => formatter.write_str("its answer is compressed"),
            Self::NoName => formatter.write_str("its name has no address"),
            Self::NotPublic => formatter.write_str("its name leads to an address that is not public"),
        }
    }
}

/// What holds for every fetch.
fn client() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
}

/// The body of an answer that is the document, as far as its head says, up to `most` bytes.
async fn json_body(mut response: Response, most: usize) -> Result<Vec<u8>, FetchError> {
    if response.status() != 200 {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    let kind = response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence != "application/json" && !(essence.starts_with("application/") && essence.ends_with("+json")) {
        return Err(FetchError::NotJson);
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|_| FetchError::Unreachable)? {
        if body.len() + piece.len() > most {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// Fetches documents that the operator named.
#[derive(Debug, Clone)]
pub struct Outbound(Client);

impl Outbound {
    /// With connections of its own.
    ///
    /// # Errors
    /// When TLS or the resolver cannot be set up.
    pub fn new() -> Result<Self, reqwest::Error> {
        Ok(Self(client().build()?))
    }

    /// A JSON document from an address that the operator named, also on a network of their own.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn json(&self, address: &Url, limits: Limits) -> Result<Vec<u8>, FetchError> {
        ask(self.0.get(address.clone()), address, limits).await
    }

    /// The same for whoever has this token.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn json_for(&self, token: &SecretString, address: &Url, limits: Limits) -> Result<Vec<u8>, FetchError> {
        ask(self.0.get(address.clone()).bearer_auth(token.expose_secret()), address, limits).await
    }

    /// The JSON document with which such an address answers a form. The sender's name and password go into the header,
    /// where they are not in the form.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn answer(
        &self,
        form: &[(&str, &str)],
        sender: Option<(&str, &SecretString)>,
        address: &Url,
        limits: Limits,
    ) -> Result<Vec<u8>, FetchError> {
        let mut request = self.0.post(address.clone()).form(form);
        if let Some((name, password)) = sender {
            request = request.basic_auth(name, Some(password.expose_secret()));
        }
        ask(request, address, limits).await
    }
}

/// Sends a request to an address that the operator named.
async fn ask(request: RequestBuilder, address: &Url, limits: Limits) -> Result<Vec<u8>, FetchError> {
    if address.scheme() != "https" && !is_loopback(address) {
        return Err(FetchError::NotHttps);
    }
    let fetched = async {
        let response = request.header("accept", "application/json").send().await;
        json_body(response.map_err(|_| FetchError::Unreachable)?, limits.bytes).await
    };
    timeout(limits.time, fetched).await.unwrap_or(Err(FetchError::TimedOut))
}
