//! Other people's clients, unmodified: each lists the tools and calls every one of them.

use crate::support::{BAKERY, BURST, TOOLS, TestServer, until};
use google_reviews_mcp::mcp::client::Client;
use serde_json::{Map, Value, json};
use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

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

/// An issuer as companies run one, unmodified: its tokens open what they were granted for, and nothing else.
#[tokio::test]
async fn tokens_of_oidc_provider_open_what_they_are_for() {
    let Some(node) = std::env::var_os("INTEROP_NODE") else {
        assert!(std::env::var_os("CI").is_none(), "INTEROP_NODE is not set: run the tests with tests/run");
        eprintln!("not run: INTEROP_NODE is not set; tests/run sets it");
        return;
    };
    let mut child = Command::new(node)
        .arg("tests/interop/issuer.mjs")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut issuer = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut issuer).unwrap();
    let issuer = issuer.trim().to_owned();
    let server = TestServer::builder().set("auth.mode", "oauth").set("auth.issuer", issuer.clone()).start().await;
    until("its keys are there", async || server.operations("/readyz").await.0 == 200).await;

    let token = async |resource: &str, scope: &str| {
        let form = [("grant_type", "client_credentials"), ("resource", resource), ("scope", scope)];
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = server.http.post(format!("{issuer}/token")).basic_auth("night-job", Some("a-secret-of-the-test"));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    };
    let endpoint = server.app.endpoint();
    let client = Client::connect(&endpoint, Some(&token(&endpoint, "reviews:read").await)).await.unwrap();
    let answer = client.call("get_place", object(json!({"place_id": BAKERY}))).await.unwrap();
    assert!(!answer.is_error, "{}", answer.text);
    let arguments = object(json!({"place_ids": [BAKERY], "title": "x"}));
    assert!(client.call("create_report", arguments.clone()).await.is_err(), "not granted");
    client.close().await;
    let client = Client::connect(&endpoint, Some(&token(&endpoint, "reviews:read reports:write").await)).await.unwrap();
    assert!(!client.call("create_report", arguments).await.unwrap().is_error);
    client.close().await;
    let foreign = token("https://other.example/mcp", "reviews:read").await;
    assert!(Client::connect(&endpoint, Some(&foreign)).await.is_err(), "for another resource");
    drop(child.stdin.take());
    child.wait().unwrap();
}
