//! Each client lists everything that the server offers and uses all of it, as somebody without a name.

use super::{node, object, python, run};
use crate::support::{BAKERY, BURST, TOOLS, TestServer};
use google_reviews_mcp::mcp::client::Client;
use serde_json::json;

#[tokio::test]
async fn the_client_of_rmcp_lists_and_calls_every_tool() {
    let server = TestServer::start().await;
    let client = Client::connect(&server.app.endpoint(), None).await.unwrap();

    assert_eq!(client.tools().await.unwrap(), TOOLS);
    let definitions = client.definitions().await.unwrap();
    let mut called = Vec::new();
    let mut report = String::new();
    for (tool, arguments) in [
        ("search_places", json!({"query": "bakery"})),
        ("get_place", json!({"place_id": BAKERY})),
        ("get_reviews", json!({"place_id": BAKERY})),
        ("analyze_reviews", json!({"place_id": BAKERY})),
        ("compare_places", json!({"place_ids": [BAKERY, BURST]})),
        ("create_report", json!({"place_ids": [BAKERY], "title": "One place", "request_id": "interop"})),
        ("get_report", json!({"report_id": ""})),
    ] {
        let arguments = if tool == "get_report" { json!({"report_id": report}) } else { arguments };
        let answer = client.call(tool, object(arguments)).await.unwrap();
        assert!(!answer.is_error, "{tool}: {}", answer.text);
        let data = answer.data.unwrap();
        // It alone leaves this to others.
        let definition = definitions.iter().find(|definition| definition["name"] == tool).unwrap();
        let validator = jsonschema::validator_for(&definition["outputSchema"]).unwrap();
        assert!(validator.is_valid(&data), "{tool}: {data}");
        if tool == "create_report" {
            data["report_id"].as_str().unwrap().clone_into(&mut report);
        } else {
            assert!(data["attribution"]["text"].is_string(), "{tool}");
        }
        called.push(tool);
    }
    assert_eq!(called, TOOLS);
    client.close().await;
}

/// What a script prints that has called every tool.
fn called() -> String {
    format!("called {}", TOOLS.join(", "))
}

/// npm `@modelcontextprotocol/client`, the TypeScript SDK, which checks answers against the output schemas by itself.
#[tokio::test]
async fn the_client_of_the_typescript_sdk_uses_everything() {
    let Some(node) = node() else { return };
    let server = TestServer::start().await;
    for mode in ["legacy", "auto", "2026-07-28"] {
        let out = run(&node, "typescript-client.mjs", &[&server.app.endpoint(), mode]).await;
        assert!(out.contains(&format!("mode {mode}: {}", called())), "{mode}: {out}");
    }
}

/// npm `@modelcontextprotocol/sdk`, its first generation, which does so too.
#[tokio::test]
async fn the_first_typescript_sdk_uses_everything() {
    let Some(node) = node() else { return };
    let server = TestServer::start().await;
    let out = run(&node, "sdk-client.mjs", &[&server.app.endpoint()]).await;
    assert!(out.contains(&called()), "{out}");
}

/// `PyPI` `mcp`, the Python SDK, and `fastmcp` on top of it, which do so too.
#[tokio::test]
async fn the_clients_of_python_use_everything() {
    let Some(python) = python() else { return };
    let server = TestServer::start().await;
    for script in ["mcp_client.py", "fastmcp_client.py"] {
        for mode in ["legacy", "auto", "2026-07-28"] {
            let out = run(&python, script, &[&server.app.endpoint(), mode]).await;
            assert!(out.contains(&format!("mode {mode}: {}", called())), "{script} {mode}: {out}");
        }
    }
}

/// The MCP Inspector's command line, and what it says of the schemas.
#[tokio::test]
async fn the_inspector_finds_nothing_and_uses_everything() {
    let Some(node) = node() else { return };
    let server = TestServer::start().await;
    for era in ["legacy", "modern"] {
        let out = run(&node, "inspector.mjs", &[era, &server.app.endpoint()]).await;
        assert!(out.contains(&format!("era {era}: nothing found by --strict; {}", called())), "{out}");
    }
}
