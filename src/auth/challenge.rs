//! What this server protects, as it tells clients: the metadata that leads them to the place where to sign in, and the
//! challenges of refused requests. Both are made of configuration alone, never of what a request says.
//!
//! Sources: RFC 9728 (protected resource metadata), RFC 6750 §3 (challenges), MCP 2026-07-28, Authorization.

use crate::{
    model::{Scope, Scopes},
    telemetry::AuthFailure,
};
use http::HeaderValue;
use serde_json::{Value, json};
use url::Url;

/// The one path under which the endpoint's metadata lies; the same is at the path without `/mcp`.
const METADATA: &str = "/.well-known/oauth-protected-resource/mcp";

/// The endpoint that callers must be known for.
#[derive(Debug, Clone)]
pub struct Protected {
    /// `https://host/mcp`, by which tokens name it as their audience.
    resource: String,
    origin: String,
    /// Where its callers sign in, if anywhere.
    issuer: Option<String>,
}

impl Protected {
    /// The endpoint at `origin`, for tokens of `issuer`.
    pub fn new(origin: &Url, issuer: Option<&str>) -> Self {
        let origin = origin.origin().ascii_serialization();
        Self { resource: format!("{origin}/mcp"), origin, issuer: issuer.map(str::to_owned) }
    }

    /// The endpoint's name as the audience of tokens.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Scheme and host.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The metadata document; nothing where nobody can sign in.
    pub fn metadata(&self) -> Option<Value> {
        let issuer = self.issuer.as_ref()?;
        Some(json!({
            "resource": self.resource,
            "authorization_servers": [issuer],
            "scopes_supported": Scope::ALL.map(Scope::as_str),
            "bearer_methods_supported": ["header"],
            "resource_name": "Google Reviews MCP",
        }))
    }

    /// For a request without a valid credential.
    pub(super) fn challenge(&self, failure: AuthFailure) -> HeaderValue {
        // Who shows nothing is told nothing but the way. Source: RFC 6750 §3.1.
        let error = match failure {
            AuthFailure::Missing => String::new(),
            AuthFailure::Malformed => {
                ", error=\"invalid_request\", error_description=\"Send one credential, as Authorization: Bearer\""
                    .to_owned()
            }
            failure => format!(", error=\"invalid_token\", error_description=\"{}\"", failure.in_words()),
        };
        self.written(&error, &Scopes::all().to_string())
    }

    /// For a caller that may not do this: everything that it will need, so that one more sign-in is enough.
    pub(super) fn missing_scope(&self, needed: Scope) -> HeaderValue {
        let scopes = Scopes::NONE.with(Scope::ReviewsRead).with(needed);
        self.written(", error=\"insufficient_scope\"", &scopes.to_string())
    }

    fn written(&self, error: &str, scopes: &str) -> HeaderValue {
        let way = match &self.issuer {
            Some(_) => format!("resource_metadata=\"{}{METADATA}\"", self.origin),
            None => "realm=\"google-reviews\"".to_owned(),
        };
        let value = format!("Bearer {way}, scope=\"{scopes}\"{error}");
        HeaderValue::try_from(value).unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
    }
}
