//! Clients that send somebody to sign in, and what they find all by themselves.

use super::{node, object, printed, python, run, script, used_all};
use crate::support::{
    BAKERY, TOOLS, TestServer,
    sign_in::{NAME, PASSWORD},
    until,
};
use google_reviews_mcp::{mcp::client::Client, model::PersonName};
use serde_json::{Value, json};
use std::{
    ffi::OsString,
    io::{BufRead as _, BufReader},
    process::Stdio,
};

/// A server that signs people in by itself.
async fn with_sign_in() -> TestServer {
    TestServer::builder().set("auth.mode", "oauth").start().await
}

/// The same, with somebody who can.
async fn with_somebody() -> TestServer {
    let server = with_sign_in().await;
    server.app.people().unwrap().add(PersonName::parse(NAME).unwrap(), Some(PASSWORD)).await.unwrap();
    server
}

/// What a script of a client prints that is sent to sign in.
pub(super) async fn sign_in_with(script: &str) -> Option<String> {
    let node = node()?;
    let server = with_somebody().await;
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
        assert!(out.contains(&format!(", {mode}: {wanted}")), "{out}");
    }
}

/// npm `@modelcontextprotocol/sdk`: the same in its first generation.
#[tokio::test]
async fn the_first_typescript_sdk_signs_in_and_refreshes() {
    let Some(out) = sign_in_with("sdk-client.mjs").await else { return };
    used_all(&out, "@modelcontextprotocol/sdk ", ": ");
    assert!(out.contains("; signed in, refreshed"), "{out}");
}

/// What a script of a client in Python prints. The browser to which it sends somebody is the one of the other scripts.
async fn sign_in_in_python(name: &str, server: &TestServer, mode: &str) -> Option<String> {
    let (Some(node), Some(python)) = (node(), python()) else { return None };
    let mut command = script(&python, name, &[mode, &server.app.endpoint()]);
    let mut browser = OsString::from("\"");
    browser.push(&node);
    browser.push("\" tests/interop/open.mjs %s &");
    command.envs([("INTEROP_NAME", NAME), ("INTEROP_PASSWORD", PASSWORD)]).env("BROWSER", browser);
    Some(printed(command).await)
}

/// `PyPI` `mcp` registers, signs in and refreshes by itself.
#[tokio::test]
async fn the_client_of_the_python_sdk_signs_in_and_refreshes() {
    let server = with_somebody().await;
    for mode in ["legacy", "2026-07-28"] {
        let Some(out) = sign_in_in_python("mcp_client.py", &server, mode).await else { return };
        used_all(&out, "mcp ", &format!(", {mode}: "));
        assert!(out.contains("; signed in, refreshed"), "{out}");
    }
}

/// `PyPI` `fastmcp` also opens the browser, and listens for the way back.
#[tokio::test]
async fn fastmcp_signs_in() {
    let server = with_somebody().await;
    let Some(out) = sign_in_in_python("fastmcp_client.py", &server, "auto").await else { return };
    used_all(&out, "fastmcp ", ", auto: ");
    assert!(out.contains("; signed in"), "{out}");
}

/// The MCP Inspector's command line does too, once for all that it is run for.
#[tokio::test]
async fn the_inspector_signs_in_once() {
    let Some(node) = node() else { return };
    let server = with_somebody().await;
    let mut command = script(&node, "inspector.mjs", &["modern", &server.app.endpoint()]);
    command.envs([("INTEROP_NAME", NAME), ("INTEROP_PASSWORD", PASSWORD)]);
    let out = printed(command).await;
    used_all(&out, "@modelcontextprotocol/inspector ", ", modern: nothing found by --strict; ");
    assert!(out.contains("; signed in"), "{out}");
}

/// npm `mcp-remote`, with its own browser, which is played by hand.
#[tokio::test]
async fn mcp_remote_signs_in_once() {
    let Some(out) = sign_in_with("mcp-remote.mjs").await else { return };
    assert!(out.contains(&format!("called {}; started again without a sign-in", TOOLS.join(", "))), "{out}");
}

/// The link with which the first person chooses a name and a password.
async fn setup_link(server: &TestServer) -> String {
    server.app.first_link().await.unwrap().expect("nobody is there yet")
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
    let mut child = script(&node, "issuer.mjs", &[])
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
