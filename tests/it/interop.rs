//! Other people's clients, unmodified: each lists the tools and calls every one of them.

use crate::support::{
    BAKERY, BURST, TOOLS, TestServer,
    sign_in::{NAME, PASSWORD},
    until,
};
use google_reviews_mcp::{mcp::client::Client, model::PersonName};
use serde_json::{Map, Value, json};
use std::{
    ffi::{OsStr, OsString},
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

/// The Node that `tests/run` names; without it, nothing is run, except where that would go unnoticed.
fn node() -> Option<OsString> {
    let node = std::env::var_os("INTEROP_NODE");
    if node.is_none() {
        assert!(std::env::var_os("CI").is_none(), "INTEROP_NODE is not set: run the tests with tests/run");
        eprintln!("not run: INTEROP_NODE is not set; tests/run sets it");
    }
    node
}

/// What a script in `tests/interop` prints; panics if it finds a fault.
async fn run(node: &OsStr, script: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(node);
    command.arg(Path::new("tests/interop").join(script)).args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}: {out}{err}");
    out.into_owned()
}

/// The client of the TypeScript SDK, in its three modes. `tests/run` installs it and names the Node to run it with.
#[tokio::test]
async fn the_client_of_the_typescript_sdk_lists_and_calls_every_tool() {
    let Some(node) = node() else { return };
    let server = TestServer::start().await;
    for mode in ["legacy", "auto", "2026-07-28"] {
        let out = run(&node, "typescript-client.mjs", &[&server.app.endpoint(), mode]).await;
        assert!(out.contains(&format!("called {}", TOOLS.join(", "))), "{mode}: {out}");
    }
}

/// A server that signs people in by itself.
async fn with_sign_in() -> TestServer {
    TestServer::builder().set("auth.mode", "oauth").start().await
}

/// The link with which the first person chooses a name and a password.
async fn setup_link(server: &TestServer) -> String {
    server.app.first_link().await.unwrap().expect("nobody is there yet")
}

/// What a script of a client prints that is sent to sign in.
async fn sign_in_with(script: &str) -> Option<String> {
    let node = node()?;
    let server = with_sign_in().await;
    server.app.people().unwrap().add(PersonName::parse(NAME).unwrap(), Some(PASSWORD)).await.unwrap();
    Some(run(&node, script, &[&server.app.endpoint(), NAME, PASSWORD]).await)
}

/// npm `oauth4webapi`, which checks every answer by the letter, with each client authentication.
#[tokio::test]
async fn oauth4webapi_signs_in_refreshes_and_revokes() {
    let Some(out) = sign_in_with("oauth.mjs").await else { return };
    for method in ["none", "client_secret_post", "client_secret_basic"] {
        let wanted = "signed in, listed 7 tools, called search_places, refreshed twice, revoked";
        assert!(out.contains(&format!("{method}: {wanted}")), "{out}");
    }
}

/// The client of the TypeScript SDK finds all by itself, from the address of the endpoint.
#[tokio::test]
async fn the_client_of_the_typescript_sdk_signs_in_refreshes_and_asks_for_more() {
    let Some(out) = sign_in_with("oauth-mcp-client.mjs").await else { return };
    for mode in ["legacy", "2026-07-28"] {
        let wanted = format!("called {}; refreshed; asked again for reports:write", TOOLS.join(", "));
        assert!(out.contains(&format!("mode {mode}: {wanted}")), "{out}");
    }
}

/// npm `mcp-remote`, with its own browser, which is played by hand.
#[tokio::test]
async fn mcp_remote_signs_in_once() {
    let Some(out) = sign_in_with("mcp-remote.mjs").await else { return };
    assert!(out.contains(&format!("called {}; started again without a sign-in", TOOLS.join(", "))), "{out}");
}

/// The official conformance suite's checks of an authorization server.
#[tokio::test]
async fn the_conformance_suite_finds_no_fault_in_the_authorization_server() {
    let Some(out) = sign_in_with("conformance.mjs").await else { return };
    assert!(
        out.contains("✓ authorization-server-metadata-endpoint") && out.contains("✓ authorization-code-grant"),
        "{out}"
    );
    assert!(out.contains(" 0 failed"), "{out}");
}

/// Chromium, as a person uses it: see the script. With `PAGE_PICTURES` it leaves pictures there.
#[tokio::test]
async fn a_person_goes_through_everything_in_a_browser() {
    let Some(node) = node() else { return };
    let server = with_sign_in().await;
    let (base, link) = (format!("http://{}", server.app.address()), setup_link(&server).await);
    let pictures = std::env::var("PAGE_PICTURES").unwrap_or_default();
    let out = run(&node, "people.mjs", &[&base, &link, &pictures]).await;
    for seen in ["phone-light: ", "phone-dark: ", "desk-light: ", "desk-dark: ", "phone-light-without-script: "] {
        assert!(out.contains(&format!("{seen}8 pages")), "{out}");
    }
    for left in ["an https client: goes to ", "a client that leads on: goes to ", "Cursor: goes to cursor:"] {
        assert!(out.contains(left), "{out}");
    }
}

/// An issuer as companies run one, unmodified: its tokens open what they were granted for, and nothing else.
#[tokio::test]
async fn tokens_of_oidc_provider_open_what_they_are_for() {
    let Some(node) = node() else { return };
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
