//! What a client says of itself in its document, as far as it is of use here. Everything else is ignored: nothing in it is
//! fetched, and nothing shown but the name. Source: draft-ietf-oauth-client-id-metadata-document §4.

use super::known;
use crate::{
    oauth::{client::Authentication, name::cleaned, redirect},
    outbound::PublicAddress,
    store::KeptClient,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use url::Url;

/// A client as its document describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::oauth) struct Description {
    /// What it calls itself, cleaned.
    pub(in crate::oauth) name: String,
    /// Where answers may go.
    pub(in crate::oauth) redirect_uris: Vec<String>,
    /// Whether it may get refresh tokens.
    pub(in crate::oauth) can_refresh: bool,
}

/// Why a document describes no client, in words for the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    NotOne,
    OtherAddress,
    NoCodes,
    SharedSecret,
    UnknownMethod,
    NoRedirect,
}

impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotOne => "it is no JSON object with client_id and redirect_uris, each field once and of its type",
            Self::OtherAddress => "its client_id is not its address, letter by letter",
            Self::NoCodes => "its grant_types or response_types take no codes",
            Self::SharedSecret => "it wants to show a secret, which nobody could have given to it",
            Self::UnknownMethod => "its token_endpoint_auth_method is neither none nor private_key_jwt",
            Self::NoRedirect => "none of its redirect_uris is of its own origin, on the person's machine, or of an app",
        })
    }
}

/// A document as it is written. One with a field that stands twice is none.
#[derive(Debug, Deserialize)]
pub(super) struct Document {
    pub(super) client_id: String,
    client_name: Option<String>,
    redirect_uris: Vec<String>,
    token_endpoint_auth_method: Option<Methods>,
    token_endpoint_auth_methods_supported: Option<Methods>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    client_secret: Option<Value>,
}

/// One, or a list, as clients in use write it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Methods {
    One(String),
    Several(Vec<String>),
}

impl Methods {
    fn all(&self) -> &[String] {
        match self {
            Self::One(method) => std::slice::from_ref(method),
            Self::Several(methods) => methods,
        }
    }
}

impl Description {
    /// What the document at this address says.
    pub(super) fn read(body: &[u8], address: &PublicAddress) -> Result<Self, Flaw> {
        // The first reading looks at all of it: depth, and letters also in what is ignored.
        let whole: Value = serde_json::from_slice(body).map_err(|_| Flaw::NotOne)?;
        if !whole.is_object() {
            return Err(Flaw::NotOne);
        }
        let document: Document = serde_json::from_slice(body).map_err(|_| Flaw::NotOne)?;
        if document.client_id != address.as_str() {
            return Err(Flaw::OtherAddress);
        }
        let known = known::copy(address.as_str());
        document.described(|uri| {
            is_of_its_own(uri, address) || known.is_some_and(|copy| copy.redirect_uris.iter().any(|each| each == uri))
        })
    }

    /// Of a client that was found, with the one address to which its answer goes.
    pub(in crate::oauth) fn narrowed(client: &KeptClient, asked: &str) -> Self {
        let fits = client.redirect_uris.iter().filter(|registered| redirect::fits(registered, asked));
        Self {
            name: client.name.clone(),
            redirect_uris: fits.take(1).cloned().collect(),
            can_refresh: client.can_refresh,
        }
    }

    /// As clients are kept: it shows nothing, since nobody gave it a secret.
    pub(in crate::oauth) fn client(self, address: &str, now: Timestamp) -> KeptClient {
        KeptClient {
            id: address.to_owned(),
            name: self.name,
            redirect_uris: self.redirect_uris,
            authentication: Authentication::None.as_str().to_owned(),
            secret_hash: None,
            can_refresh: self.can_refresh,
            digest: None,
            by_operator: false,
            created_at: now,
            used_at: None,
        }
    }
}

impl Document {
    /// With those of its addresses that may be one and that `may_go` lets through.
    pub(super) fn described(self, may_go: impl Fn(&str) -> bool) -> Result<Description, Flaw> {
        self.check_methods()?;
        let has = |list: &Option<Vec<String>>, name: &str| {
            list.as_ref().is_none_or(|list| list.iter().any(|each| each == name))
        };
        if !has(&self.grant_types, "authorization_code") || !has(&self.response_types, "code") {
            return Err(Flaw::NoCodes);
        }
        let mut redirect_uris = self.redirect_uris;
        redirect_uris.retain(|uri| redirect::is_allowed(uri) && may_go(uri));
        if redirect_uris.is_empty() {
            return Err(Flaw::NoRedirect);
        }
        let name = cleaned(self.client_name.as_deref().unwrap_or_default());
        Ok(Description { name, redirect_uris, can_refresh: has(&self.grant_types, "refresh_token") })
    }

    /// A client that could show a key is not asked to: its codes are bound to its verifier, and its refresh tokens rotate,
    /// as those of every client without a secret.
    fn check_methods(&self) -> Result<(), Flaw> {
        let named = self.token_endpoint_auth_method.iter().chain(&self.token_endpoint_auth_methods_supported);
        let methods: Vec<&str> = named.flat_map(Methods::all).map(String::as_str).collect();
        if self.client_secret.is_some() || methods.iter().any(|method| method.starts_with("client_secret_")) {
            return Err(Flaw::SharedSecret);
        }
        let is_usable = |method: &&str| matches!(*method, "none" | "private_key_jwt");
        if methods.is_empty() || methods.iter().any(is_usable) { Ok(()) } else { Err(Flaw::UnknownMethod) }
    }
}

/// Whether it is of the document's own origin; or not of a site at all: then the page of consent warns.
fn is_of_its_own(uri: &str, address: &PublicAddress) -> bool {
    let origin = |text: &str| Url::parse(text).map(|url| url.origin());
    !redirect::is_site(uri) || origin(uri).is_ok_and(|of_uri| origin(address.as_str()) == Ok(of_uri))
}
