//! The official conformance suite, npm `@modelcontextprotocol/conformance`, against the binary as it is shipped, against a
//! server with the suite's fixtures, and against the authorization server.

use super::{fixtures, node, run, sign_in::sign_in_with};
use crate::support::{TestServer, binary::Serving};

/// The revisions of the protocol of which all requirements are tried.
const REVISIONS: [&str; 2] = ["2025-11-25", "2026-07-28"];

/// The binary, as anybody runs it.
fn binary() -> Serving {
    Serving::start(&[("REVIEWS__UPSTREAM__PROVIDER", "demo")])
}

/// Runs all that a revision requires: nothing fails but what `tests/interop/conformance.yml` says, all of that still does, and
/// these scenarios pass whole.
async fn judged(endpoint: &str, what: &str, revision: &str, passing: &[&str]) {
    let Some(node) = node() else { return };
    let out = run(&node, "conformance-server.mjs", &[endpoint, revision, what]).await;
    assert!(out.contains("Baseline check passed"), "{out}");
    for scenario in passing {
        assert!(out.contains(&format!("✓ {scenario}: ")), "{revision}: {scenario}: {out}");
        assert!(!out.contains(&format!("✓ {scenario}: 0 passed")), "{revision}: {scenario}: {out}");
    }
}

#[tokio::test]
async fn the_conformance_suite_finds_no_fault_in_the_binary() {
    let serving = binary();
    let both = ["tools-list", "prompts-list", "resources-list", "dns-rebinding-protection"];
    let old = ["server-initialize", "ping"];
    let new = [
        "server-sse-multiple-streams",
        "sep-2164-resource-not-found",
        "caching",
        "http-header-validation",
        "input-required-result-unsupported-methods",
        "input-required-result-validate-input",
    ];
    judged(&serving.endpoint, "binary", REVISIONS[0], &[both.as_slice(), &old].concat()).await;
    judged(&serving.endpoint, "binary", REVISIONS[1], &[both.as_slice(), &new].concat()).await;
}

/// What asks for tools, resources and prompts of the suite's own names.
#[tokio::test]
async fn the_conformance_suite_finds_no_fault_in_a_server_with_its_fixtures() {
    let server = fixtures::all(TestServer::builder()).start().await;
    let both = [
        "completion-complete",
        "tools-call-simple-text",
        "tools-call-error",
        "prompts-get-simple",
        "prompts-get-with-args",
        "resources-read-text",
        "resources-templates-read",
    ];
    let new = ["http-custom-header-server-validation"];
    judged(&server.app.endpoint(), "fixtures", REVISIONS[0], &both).await;
    judged(&server.app.endpoint(), "fixtures", REVISIONS[1], &[both.as_slice(), &new].concat()).await;
}

/// A page that leads its own name to this machine gets nothing from a server here, and this machine itself does.
#[tokio::test]
async fn mcp_03_the_conformance_suite_rebinds_no_name() {
    let Some(node) = node() else { return };
    let serving = binary();
    for revision in REVISIONS {
        let out =
            run(&node, "conformance-server.mjs", &[&serving.endpoint, revision, "dns-rebinding-protection"]).await;
        assert!(out.contains("Passed: 2/2, 0 failed, 0 warnings"), "{revision}: {out}");
    }
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
