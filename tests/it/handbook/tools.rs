//! `docs/tools.md`: tools and prompts as clients are told of them, and every code of an error.

use super::{held, markdown::Page};
use crate::support::{TestServer, rpc};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fmt::Write as _, fs};

const PAGE: &str = "docs/tools.md";

async fn listed(method: &str, what: &str) -> Vec<Value> {
    let server = TestServer::start().await;
    let answer = rpc::modern(&server, method, json!({})).await.body;
    answer["result"][what].as_array().unwrap().clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// What may be given, in words: `text`, `number, 5000 by default`, `list of text`.
fn kind(property: &Value) -> String {
    let name = |schema: &Value| match text(&schema["type"]) {
        "string" => "text".to_owned(),
        "boolean" => "yes or no".to_owned(),
        other => other.to_owned(),
    };
    let mut kind = name(property);
    if let Some(items) = property.get("items") {
        kind = format!("list of {}", name(items));
    }
    if let Some(values) = property["enum"].as_array() {
        kind = values.iter().map(|value| format!("`{}`", text(value))).collect::<Vec<_>>().join(" or ");
    }
    match property.get("default") {
        Some(Value::String(default)) => format!("{kind}, `{default}` by default"),
        Some(default) => format!("{kind}, {default} by default"),
        None => kind,
    }
}

/// One line an argument; those within an object stand below it.
fn lines_of(schema: &Value, prefix: &str, made: &mut String) {
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().map(text).collect();
    for (name, property) in schema["properties"].as_object().unwrap() {
        let needed = if required.contains(&name.as_str()) { "needed" } else { "" };
        let description = text(&property["description"]);
        let _ = writeln!(made, "| `{prefix}{name}` | {needed} | {} | {description} |", kind(property));
        if property["properties"].is_object() {
            lines_of(property, &format!("{prefix}{name}."), made);
        }
    }
}

#[tokio::test]
async fn the_tools_are_as_clients_are_told() {
    let mut made = String::new();
    for tool in listed("tools/list", "tools").await {
        // Whatever reads needs the one permission, and whatever writes the other (`mcp::Offer`).
        let scope = if tool["annotations"]["readOnlyHint"] == json!(true) { "reviews:read" } else { "reports:write" };
        let _ = write!(made, "\n### `{}` [`{scope}`]\n\n{}\n\n", text(&tool["name"]), text(&tool["description"]));
        made.push_str("| argument | | kind | what it is |\n|---|---|---|---|\n");
        lines_of(&tool["inputSchema"], "", &mut made);
        let parts = tool["outputSchema"]["properties"].as_object().unwrap().keys();
        let parts: Vec<_> = parts.map(|part| format!("`{part}`")).collect();
        let _ = write!(made, "\nAnswers with {}.\n", parts.join(", "));
    }
    made.push('\n');
    held(PAGE, "the_tools", &made);
}

#[tokio::test]
async fn the_prompts_are_as_clients_are_told() {
    let mut made = "\n| prompt | what it asks a model for | arguments |\n|---|---|---|\n".to_owned();
    for prompt in listed("prompts/list", "prompts").await {
        let argument = |argument: &Value| {
            let needed = if argument["required"] == json!(true) { " (needed)" } else { "" };
            format!("`{}`{needed}: {}", text(&argument["name"]), text(&argument["description"]))
        };
        let arguments: Vec<_> = prompt["arguments"].as_array().unwrap().iter().map(argument).collect();
        let (name, what) = (text(&prompt["name"]), text(&prompt["description"]));
        let _ = writeln!(made, "| `{name}` | {what} | {} |", arguments.join("<br>"));
    }
    made.push('\n');
    held(PAGE, "the_prompts", &made);
}

#[test]
fn every_code_of_an_error_is_on_the_page() {
    let source = fs::read_to_string("src/model/failure.rs").unwrap();
    let code = regex::Regex::new(r#"Self::[A-Z]\w+ => "([a-z_]+)""#).unwrap();
    let tiers = ["client", "server", "dependency"];
    let codes: BTreeSet<_> = code.captures_iter(&source).map(|found| format!("`{}`", &found[1])).collect();
    let codes: BTreeSet<_> = codes.into_iter().filter(|code| !tiers.contains(&code.trim_matches('`'))).collect();
    let rows = Page::read(PAGE).rows_under("Errors");
    let told: BTreeSet<_> = rows.iter().filter(|row| row.len() == 3).map(|row| row[0].clone()).collect();
    let told: BTreeSet<_> = told.into_iter().filter(|code| !tiers.contains(&code.trim_matches('`'))).collect();
    assert!(codes.len() > 20, "{codes:?}");
    assert_eq!(told, codes);
}
