//! A scanner of MCP servers, unmodified: `cisco-ai-mcp-scanner`, with what of it needs no network.

use super::named;
use crate::support::{
    TOOLS, TestServer,
    sign_in::{NAME, PASSWORD},
};
use google_reviews_mcp::model::PersonName;
use serde_json::Value;
use std::{collections::BTreeSet, ffi::OsStr, fs, process::Command};

async fn scan(scanner: &OsStr, arguments: &[&str]) -> Value {
    let mut command = Command::new(scanner);
    // It would fetch a list of prices otherwise.
    command.args(arguments).env("LITELLM_LOCAL_MODEL_COST_MAP", "True");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let json = out.find('{').map(|start| &out[start..]).unwrap_or_default();
    serde_json::from_str(json).unwrap_or_else(|_| panic!("{arguments:?}: {out}{err}"))
}

/// Nothing that hides orders to a model, by the scanner's rules, in whatever a client reads of the tools. (Prompts it asks for
/// without what must be filled in, so it judges none.)
#[tokio::test]
async fn a_scanner_finds_no_threat_in_the_tools() {
    let Some(scanner) = named("INTEROP_SCANNER") else { return };
    let server = TestServer::start().await;
    let endpoint = server.app.endpoint();
    let arguments = ["--analyzers", "yara,schema", "--format", "raw", "remote", "--server-url", &endpoint];
    let found = scan(&scanner, &arguments).await;
    let results = found["scan_results"].as_array().unwrap_or_else(|| panic!("{found}"));
    let seen: Vec<_> = results.iter().filter_map(|result| result["tool_name"].as_str()).collect();
    assert_eq!(seen, TOOLS, "{found}");
    assert!(results.iter().all(|result| result["is_safe"] == true), "{found}");
}

/// The protocol: what a stranger gets, whether headers and bodies may differ, and so on. What it says all the same is explained in
/// `tests/interop/scanner.json`.
#[tokio::test]
async fn a_scanner_finds_nothing_in_the_protocol_but_what_is_explained() {
    let Some(scanner) = named("INTEROP_SCANNER") else { return };
    let server = TestServer::builder().set("auth.mode", "oauth").start().await;
    server.app.people().unwrap().add(PersonName::parse(NAME).unwrap(), Some(PASSWORD)).await.unwrap();
    let found = scan(&scanner, &["protocol", "--server-url", &server.app.endpoint()]).await;
    let findings = found["findings"].as_array().unwrap_or_else(|| panic!("{found}")).iter();
    let found: BTreeSet<_> =
        findings.map(|finding| finding["details"]["check_id"].as_str().unwrap().to_owned()).collect();
    let explained: Value = serde_json::from_str(&fs::read_to_string("tests/interop/scanner.json").unwrap()).unwrap();
    let explained: BTreeSet<_> = explained.as_object().unwrap().keys().cloned().collect();
    assert_eq!(found, explained, "found, and explained");
}
