//! JSON-RPC over HTTP by hand, in both eras, so that tests see what is really on the wire.

use super::{TestServer, ToolResult};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) const MODERN: &str = "2026-07-28";
pub(crate) const LEGACY: &[&str] = &["2025-03-26", "2025-06-18", "2025-11-25"];

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// A request as a client of 2026-07-28 sends it.
pub(crate) async fn modern(server: &TestServer, method: &str, mut params: Value) -> Answer {
    of_today(&mut params);
    let mut request = server
        .http
        .post(server.app.endpoint())
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", MODERN)
        .header("mcp-method", method);
    if let Some(name) = params["name"].as_str().or(params["uri"].as_str()) {
        request = request.header("mcp-name", name);
    }
    send(request.json(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))).await
}

/// What every request of 2026-07-28 carries, beside what is there.
fn of_today(params: &mut Value) {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(MODERN);
    params["_meta"]["io.modelcontextprotocol/clientInfo"] = json!({"name": "test", "version": "1"});
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
}

/// A request as a client of an earlier version sends it.
pub(crate) async fn legacy(server: &TestServer, version: &str, method: &str, params: Value) -> Answer {
    let request = server
        .http
        .post(server.app.endpoint())
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", version);
    send(request.json(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))).await
}

/// Any text as a body.
pub(crate) async fn post(server: &TestServer, body: impl Into<reqwest::Body>) -> Answer {
    let request = server
        .http
        .post(server.app.endpoint())
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json");
    send(request.body(body)).await
}

pub(crate) async fn send(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.bytes().await.expect("a whole body");
    Answer { status, headers, body: serde_json::from_slice(&body).unwrap_or_default() }
}

/// Calls a tool of any server as a client of today, on a connection of its own; an error if that breaks.
pub(crate) async fn call(endpoint: &str, tool: &str, arguments: Value) -> Result<ToolResult, reqwest::Error> {
    call_by(&client(), endpoint, tool, arguments).await
}

/// What takes longer than any call may fails the test instead of stopping it.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// Whoever calls.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap()
}

/// The same, with a connection for each call.
pub(crate) fn passing_client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(PATIENCE).pool_max_idle_per_host(0).build().unwrap()
}

/// The same on connections that are kept.
pub(crate) async fn call_by(
    http: &reqwest::Client,
    endpoint: &str,
    tool: &str,
    arguments: Value,
) -> Result<ToolResult, reqwest::Error> {
    sent(http, endpoint, json!({"name": tool, "arguments": arguments}), HeaderMap::new()).await
}

/// The same with all parameters, also more entries for `_meta`, and with more headers.
pub(crate) async fn call_with(endpoint: &str, params: Value, headers: HeaderMap) -> Result<ToolResult, reqwest::Error> {
    sent(&client(), endpoint, params, headers).await
}

async fn sent(
    http: &reqwest::Client,
    endpoint: &str,
    mut params: Value,
    headers: HeaderMap,
) -> Result<ToolResult, reqwest::Error> {
    of_today(&mut params);
    let request = http
        .post(endpoint)
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", MODERN)
        .header("mcp-method", "tools/call")
        .header("mcp-name", params["name"].as_str().unwrap_or_default())
        .headers(headers)
        .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}));
    let answer = request.send().await?;
    let (status, text) = (answer.status(), answer.text().await?);
    let answer: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: {text}"));
    Ok(ToolResult(answer["result"].clone()))
}
