//! Each client lists everything that the server offers and uses all of it, without signing in.

use super::{completed_all, node, object, printed, python, run, script, used_all};
use crate::support::{TOOLS, TestServer, arguments};
use google_reviews_mcp::mcp::client::Client;
use serde_json::json;

const INSPECTOR: &str = "@modelcontextprotocol/inspector ";

#[tokio::test]
async fn the_client_of_rmcp_lists_and_calls_every_tool() {
    let server = TestServer::start().await;
    let client = Client::connect(&server.app.endpoint(), None).await.unwrap();

    assert_eq!(client.tools().await.unwrap(), TOOLS);
    let definitions = client.definitions().await.unwrap();
    let mut called = 0;
    let mut report = String::new();
    for tool in TOOLS {
        let mut arguments = arguments(tool);
        if *tool == "get_report" {
            arguments["report_id"] = json!(report);
        }
        let answer = client.call(tool, object(arguments)).await.unwrap();
        assert!(!answer.is_error, "{tool}: {}", answer.text);
        let data = answer.data.unwrap();
        // It alone leaves this to others.
        let definition = definitions.iter().find(|definition| definition["name"] == *tool).unwrap();
        let validator = jsonschema::validator_for(&definition["outputSchema"]).unwrap();
        assert!(validator.is_valid(&data), "{tool}: {data}");
        if *tool == "create_report" {
            data["report_id"].as_str().unwrap().clone_into(&mut report);
        }
        // Whatever has data of the source says whose it is.
        let (source, attribution) = (&data["data_source"], &data["attribution"]["text"]);
        assert_eq!(source.is_string(), attribution.is_string(), "{tool}");
        called += usize::from(source.is_string());
    }
    assert!(called >= 6, "{called}");
    client.close().await;
}

/// npm `@modelcontextprotocol/client`, the TypeScript SDK, which checks answers against the output schemas by itself.
#[tokio::test]
async fn the_client_of_the_typescript_sdk_uses_everything() {
    let Some(node) = node() else { return };
    let server = TestServer::start().await;
    for mode in ["legacy", "auto", "2026-07-28"] {
        let out = run(&node, "typescript-client.mjs", &[mode, &server.app.endpoint()]).await;
        used_all(&out, "@modelcontextprotocol/client ", &format!(", {mode}: "));
        completed_all(&out);
    }
}

/// npm `@modelcontextprotocol/sdk`, its first generation, which does so too.
#[tokio::test]
async fn the_first_typescript_sdk_uses_everything() {
    let Some(node) = node() else { return };
    let server = TestServer::start().await;
    let out = run(&node, "sdk-client.mjs", &[&server.app.endpoint()]).await;
    used_all(&out, "@modelcontextprotocol/sdk ", ": ");
    completed_all(&out);
}

/// `PyPI` `mcp`, the Python SDK, and `fastmcp` on top of it, which do so too.
#[tokio::test]
async fn the_clients_of_python_use_everything() {
    let Some(python) = python() else { return };
    let server = TestServer::start().await;
    for (script, name) in [("mcp_client.py", "mcp "), ("fastmcp_client.py", "fastmcp ")] {
        for mode in ["legacy", "auto", "2026-07-28"] {
            let out = run(&python, script, &[mode, &server.app.endpoint()]).await;
            used_all(&out, name, &format!(", {mode}: "));
            completed_all(&out);
        }
    }
}

/// The MCP Inspector's command line, which does so too, and what it says of the schemas. It cannot complete.
#[tokio::test]
async fn the_inspector_finds_nothing_and_uses_everything() {
    let Some(node) = node() else { return };
    let server = TestServer::start().await;
    for era in ["legacy", "modern"] {
        let out = run(&node, "inspector.mjs", &[era, &server.app.endpoint()]).await;
        used_all(&out, INSPECTOR, &format!(", {era}: nothing found by --strict; "));
    }
}

/// The same over standard input and output: the client starts the binary, the Inspector anew for each request.
#[tokio::test]
async fn the_inspector_and_the_python_sdk_start_the_binary() {
    let (Some(node), Some(python)) = (node(), python()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let strict = ": nothing found by --strict; ";
    for (program, name, client, mode, before) in [
        (&node, "inspector.mjs", INSPECTOR, "legacy", strict),
        (&node, "inspector.mjs", INSPECTOR, "modern", strict),
        (&python, "mcp_client.py", "mcp ", "legacy", ": "),
        (&python, "mcp_client.py", "mcp ", "2026-07-28", ": "),
    ] {
        let mut command = script(program, name, &[mode, env!("CARGO_BIN_EXE_google-reviews-mcp"), "stdio"]);
        command.env("REVIEWS__STORE__DATA_DIR", folder.path()).env("REVIEWS__UPSTREAM__PROVIDER", "demo");
        // The Inspector shows what the server logs among what it finds itself.
        command.env("REVIEWS__LOG__LEVEL", "error");
        used_all(&printed(command).await, client, &format!(", {mode}{before}"));
    }
}
