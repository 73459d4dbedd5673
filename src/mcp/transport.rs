//! The ways to the server. Streamable HTTP without sessions: one JSON answer for each POST, in both eras of the protocol; and
//! standard input and output, for one client on the same machine.

use super::server::Server;
use axum::routing::{MethodRouter, any_service};
use futures_util::StreamExt as _;
use rmcp::{
    service::{ServerInitializeError, serve_server},
    transport::{
        async_rw::AsyncRwTransport,
        io::stdio_pipes,
        streamable_http_server::{
            StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
        },
    },
};
use std::{convert::Infallible, sync::Arc};
use tokio_util::{
    io::{ReaderStream, StreamReader},
    sync::CancellationToken,
};

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

/// The conversation over standard input and output broke off.
#[derive(Debug, thiserror::Error)]
#[error("the conversation with the client broke off: {0}")]
pub struct BrokenOff(String);

/// Answers one client over standard input and output, one message a line, until it closes its end or `stop` fires. What it
/// still waits for then has a few seconds to be answered. Longer lines than `longest_message` are ignored, as is what is no
/// JSON: there is no id to answer to.
///
/// # Errors
/// [`BrokenOff`] when a message cannot be read or written.
pub async fn converse(server: Server, longest_message: usize, stop: CancellationToken) -> Result<(), BrokenOff> {
    let (input, output) = stdio_pipes();
    // rmcp's own way to stop would cancel the calls under way.
    let input = StreamReader::new(Box::pin(ReaderStream::new(input).take_until(stop.cancelled_owned())));
    let transport = AsyncRwTransport::new_server(input, output).with_max_line_length(longest_message);
    match serve_server(server, transport).await {
        Ok(conversation) => conversation.waiting().await.map(|_| ()).map_err(|error| BrokenOff(error.to_string())),
        // It left, or was made to, before it had said anything.
        Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
        Err(error) => Err(BrokenOff(error.to_string())),
    }
}
