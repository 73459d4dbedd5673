//! Streamable HTTP without sessions: one JSON answer for each POST, in both eras of the protocol.

use super::server::Server;
use axum::routing::{MethodRouter, any_service};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};
use std::{convert::Infallible, sync::Arc};
use tokio_util::sync::CancellationToken;

/// The service for the path `/mcp`.
///
/// `stop` ends streams that are still open; it fires after calls under way had their time to finish. Host, Origin,
/// body size and JSON are checked by the edge before a request gets here.
pub fn endpoint(server: Server, max_request_bytes: usize, stop: CancellationToken) -> MethodRouter<(), Infallible> {
    let settings = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .disable_allowed_hosts()
        .with_max_request_body_bytes(max_request_bytes)
        .with_cancellation_token(stop);
    any_service(StreamableHttpService::new(
        move || Ok(server.clone()),
        Arc::new(NeverSessionManager::default()),
        settings,
    ))
}
