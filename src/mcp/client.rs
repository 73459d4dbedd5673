//! A real MCP client for the commands that call a server.

use super::result::ERROR_KEY;
use rmcp::{
    RoleClient, ServiceExt as _,
    model::{CallToolRequestParams, ClientCapabilities, ClientConfig, Implementation, JsonObject},
    service::{ClientInitializeError, RunningService, ServiceError},
    transport::{
        DynamicTransportError, StreamableHttpClientTransport,
        streamable_http_client::{StreamableHttpClientTransportConfig, StreamableHttpError},
    },
};
use serde_json::Value;
use std::time::Duration;

/// What to do where the server does not know who calls (401).
const UNKNOWN: &str =
    "it does not know who calls: give it a key with --token-file. `key add NAME` makes one, beside the server";
/// The same where it does, and the permission is missing (403).
const NOT_GRANTED: &str =
    "the key or token lacks the permission for this call. `key add NAME` makes a key with all of them";

/// A connection to a server.
#[derive(Debug)]
pub struct Client {
    service: RunningService<RoleClient, ClientConfig>,
}

/// The call did not come to an answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection, or no agreement on a protocol.
    #[error("cannot connect to {url}: {cause}")]
    Connect {
        /// The server's address.
        url: String,
        /// Why.
        cause: String,
    },
    /// The server answered with a protocol error.
    #[error("the server refused the call: {0}")]
    Refused(String),
    /// The connection broke, or what came is no answer of MCP.
    #[error("the server did not answer the call: {0}")]
    Unanswered(String),
}

/// The answer of a tool.
#[derive(Debug, Clone)]
pub struct ToolAnswer {
    /// The text parts, one after the other.
    pub text: String,
    /// The answer as data, if the tool gives some.
    pub data: Option<Value>,
    /// Whether the tool failed.
    pub is_error: bool,
    /// The whole result as JSON.
    pub raw: Value,
}

impl Client {
    /// Connects to the MCP endpoint at `url`, with a bearer token if one is given.
    ///
    /// # Errors
    /// [`ClientError::Connect`]
    pub async fn connect(url: &str, token: Option<&str>) -> Result<Self, ClientError> {
        let mut settings = StreamableHttpClientTransportConfig::with_uri(url);
        if let Some(token) = token {
            settings = settings.auth_header(token);
        }
        let unreachable = |cause: String| ClientError::Connect { url: url.to_owned(), cause };
        let http = http_client(url).map_err(|error| unreachable(error.to_string()))?;
        let transport = StreamableHttpClientTransport::with_client(http, settings);
        let name = Implementation::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        let us = ClientConfig::new(ClientCapabilities::default(), name);
        let service = us.serve(transport).await.map_err(|error| unreachable(reason(&error)))?;
        Ok(Self { service })
    }

    /// Calls a tool.
    ///
    /// # Errors
    /// [`ClientError::Refused`] for protocol errors, [`ClientError::Unanswered`] for a connection that broke; a tool that
    /// fails is an answer.
    pub async fn call(&self, tool: &str, arguments: JsonObject) -> Result<ToolAnswer, ClientError> {
        let request = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        let result = self.service.call_tool(request).await.map_err(|error| failed(&error))?;
        let raw = serde_json::to_value(&result).map_err(|error| ClientError::Refused(error.to_string()))?;
        let texts = raw.get("content").and_then(Value::as_array).into_iter().flatten();
        let text: Vec<_> = texts.filter_map(|part| part.get("text")?.as_str()).collect();
        Ok(ToolAnswer {
            text: text.join("\n"),
            data: raw.get("structuredContent").cloned(),
            is_error: raw.get("isError").and_then(Value::as_bool).unwrap_or(false),
            raw,
        })
    }

    /// The names of the server's tools.
    ///
    /// # Errors
    /// [`ClientError::Refused`] and [`ClientError::Unanswered`]
    pub async fn tools(&self) -> Result<Vec<String>, ClientError> {
        let tools = self.service.list_all_tools().await.map_err(|error| failed(&error))?;
        Ok(tools.into_iter().map(|tool| tool.name.into_owned()).collect())
    }

    /// The definitions of the server's tools as JSON.
    ///
    /// # Errors
    /// [`ClientError::Refused`] and [`ClientError::Unanswered`]
    pub async fn definitions(&self) -> Result<Vec<Value>, ClientError> {
        let tools = self.service.list_all_tools().await.map_err(|error| failed(&error))?;
        let definitions = tools.iter().map(serde_json::to_value).collect::<Result<_, _>>();
        definitions.map_err(|error| ClientError::Refused(error.to_string()))
    }

    /// Ends the connection.
    pub async fn close(self) {
        if let Err(error) = self.service.cancel().await {
            tracing::debug!(%error, "the connection did not end cleanly");
        }
    }
}

impl ToolAnswer {
    /// The code of a failure, such as `google_format_changed`.
    pub fn failure_code(&self) -> Option<&str> {
        self.raw.get("_meta")?.get(ERROR_KEY)?.get("code")?.as_str()
    }
}

/// Connections that hang end by themselves, and a server on this machine is not looked for behind a proxy.
fn http_client(url: &str) -> reqwest::Result<reqwest::Client> {
    let host = url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let is_here = host == "localhost" || host.starts_with("127.") || host == "[::1]";
    let builder = reqwest::Client::builder()
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_mins(2));
    if is_here { builder.no_proxy().build() } else { builder.build() }
}

/// Why there is no answer.
fn failed(error: &ServiceError) -> ClientError {
    match error {
        ServiceError::TransportSend(error) => ClientError::Unanswered(innermost(error)),
        other => ClientError::Refused(other.to_string()),
    }
}

/// Why there is no connection.
fn reason(error: &ClientInitializeError) -> String {
    match error {
        ClientInitializeError::TransportError { error, .. } => innermost(error),
        other => other.to_string(),
    }
}

/// The innermost cause, which is the one that a person can act on. `rmcp` does not pass it on as the `source` of its
/// errors, and what it prints instead is full of its own types.
fn innermost(error: &DynamicTransportError) -> String {
    let mut cause: &(dyn std::error::Error + 'static) = match error.error.downcast_ref() {
        Some(StreamableHttpError::<reqwest::Error>::Client(error)) => error,
        // Their own words are the challenge, which is for programs.
        Some(StreamableHttpError::AuthRequired(_)) => return UNKNOWN.to_owned(),
        Some(StreamableHttpError::InsufficientScope(_)) => return NOT_GRANTED.to_owned(),
        _ => error.error.as_ref(),
    };
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
