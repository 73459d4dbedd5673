//! What a caller asks for needs a permission; a client that is told which one can ask its user for it.

use super::{admission::Refusal, json_rpc::Message, problem::Problem};
use crate::{auth::Auth, mcp::Server, model::Caller};
use axum::{extract::Request, response::IntoResponse as _};
use http::{StatusCode, header};

/// Permits what the caller may do. Source: RFC 6750 §3.1; MCP 2026-07-28, Authorization, step-up.
pub(super) fn permit(auth: &Auth, server: &Server, caller: &Caller, request: &Request) -> Result<(), Refusal> {
    let message = request.extensions().get::<Message>();
    let needed = message.and_then(|message| server.scope(&message.method, message.name.as_deref()));
    match needed {
        Some(needed) if !caller.may(needed) => {
            let detail =
                format!("This needs the permission {}, which your token or key does not carry.", needed.as_str());
            let challenge = [(header::WWW_AUTHENTICATE, auth.missing_scope(needed))];
            let problem = Problem::new(StatusCode::FORBIDDEN, "insufficient_scope", detail);
            Err((challenge, problem).into_response().into())
        }
        _ => Ok(()),
    }
}
