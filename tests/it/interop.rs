//! Other people's clients, unmodified: each lists the tools and calls every one of them.

use crate::support::{BAKERY, BURST, TOOLS, TestServer};
use google_reviews_mcp::mcp::client::Client;
use serde_json::{Map, Value, json};
use std::{path::Path, process::Command};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

#[tokio::test]
async fn the_client_of_rmcp_lists_and_calls_every_tool() {
    let server = TestServer::start().await;
    let client = Client::connect(&server.app.endpoint(), None).await.unwrap();

    assert_eq!(client.tools().await.unwrap(), TOOLS);
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

/// The client of the TypeScript SDK, in its three modes. `tests/run` installs it and names the Node to run it with.
#[tokio::test]
async fn the_client_of_the_typescript_sdk_lists_and_calls_every_tool() {
    let Some(node) = std::env::var_os("INTEROP_NODE") else {
        assert!(std::env::var_os("CI").is_none(), "INTEROP_NODE is not set: run the tests with tests/run");
        eprintln!("not run: INTEROP_NODE is not set; tests/run sets it");
        return;
    };
    let server = TestServer::start().await;
    for mode in ["legacy", "auto", "2026-07-28"] {
        let script = Path::new("tests/interop/typescript-client.mjs");
        let mut command = Command::new(&node);
        command.arg(script).arg(server.app.endpoint()).arg(mode);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{mode}: {out}{err}");
        assert!(out.contains(&format!("called {}", TOOLS.join(", "))), "{mode}: {out}{err}");
    }
}
