//! Sign-in with accounts of a provider outside, with a real one and a real browser: npm `oidc-provider` and Chromium.

use super::{node, run};
use crate::support::{TestServer, free_port};
use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

/// A person comes from a client, signs in at the provider, agrees, and the client calls a tool: see the script. With
/// `PAGE_PICTURES` it leaves pictures there.
#[tokio::test]
async fn a_person_signs_in_at_oidc_provider_in_a_browser_and_a_client_calls_a_tool() {
    let Some(node) = node() else { return };
    let address = format!("127.0.0.1:{}", free_port());
    let mut provider = Command::new(&node)
        .args(["tests/interop/login-provider.mjs", &format!("http://{address}/login/callback")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut issuer = String::new();
    // Held to the end: it says more later, and must have whom to say it to.
    let mut says = BufReader::new(provider.stdout.take().unwrap());
    says.read_line(&mut issuer).unwrap();
    let server = TestServer::builder()
        .set("server.listen", &address)
        .set("auth.mode", "oauth")
        .set("auth.login.issuer", issuer.trim())
        .set("auth.login.client_id", "reviews")
        .set("auth.login.client_secret", "a-secret-of-the-test: 50% more")
        .set("auth.login.name", "Example")
        .set("auth.login.allowed", "example.com");
    let _server = server.start().await;
    let pictures = std::env::var("PAGE_PICTURES").unwrap_or_default();
    let out = run(&node, "delegated.mjs", &[&format!("http://{address}"), &pictures]).await;
    for seen in [
        "signed in at the provider, connected, found ",
        "signed in again without a question",
        "somebody else may not sign in",
        "somebody changed their mind, and came back",
    ] {
        assert!(out.contains(seen), "{out}");
    }
    drop(provider.stdin.take());
    provider.wait().unwrap();
}
