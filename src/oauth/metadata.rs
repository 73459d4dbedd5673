//! What clients read before anything else: where the endpoints are and what they take. Made of configuration alone.
//! Sources: RFC 8414 §2, RFC 9207 §3, OpenID Connect Discovery.

use super::{AuthorizationServer, client::Authentication, permissions};
use serde_json::{Value, json};

impl AuthorizationServer {
    /// The metadata document.
    pub fn metadata(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let mut metadata = json!({
            "issuer": self.issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "revocation_endpoint": at("/revoke"),
            "jwks_uri": at("/jwks.json"),
            "scopes_supported": permissions::supported(),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": Authentication::ALL.map(Authentication::as_str),
            "revocation_endpoint_auth_methods_supported": Authentication::ALL.map(Authentication::as_str),
            "authorization_response_iss_parameter_supported": true,
            "client_id_metadata_document_supported": self.documents.are_taken(),
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false,
        });
        if self.has_registration()
            && let Some(metadata) = metadata.as_object_mut()
        {
            metadata.insert("registration_endpoint".to_owned(), json!(at("/register")));
        }
        metadata
    }
}
