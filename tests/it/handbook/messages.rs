//! The page of logs and traces: every line that the program can write stands on it, with its level and its fields, and every
//! span with its attributes.

use super::{held, house::files, markdown::Page};
use crate::support::{BAKERY, TestServer, binary::Serving, collector::Collector, redis::RedisServer, rpc, until};
use google_reviews_mcp::emulator::DEMO_KEY;
use regex::Regex;
use reqwest::header::HeaderMap;
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
};

const PAGE: &str = "docs/operate/logs-and-traces.md";

/// A line of the log, as the program writes it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    level: &'static str,
    message: String,
    fields: Vec<String>,
}

/// All of them, found in the source.
fn lines() -> BTreeSet<Line> {
    let mut found = BTreeSet::new();
    for file in files("src", "rs") {
        let text = fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        for (level, begin) in [
            ("ERROR", "tracing::error!("),
            ("WARN", "tracing::warn!("),
            ("INFO", "tracing::info!("),
            ("DEBUG", "tracing::debug!("),
        ] {
            for (position, _) in text.match_indices(begin) {
                let parts = arguments(&text[position + begin.len()..]);
                let (message, fields) = parts.split_last().unwrap_or_else(|| panic!("{}: {begin}", file.display()));
                let message = message.strip_prefix('"').and_then(|message| message.strip_suffix('"'));
                let message = message.unwrap_or_else(|| panic!("{}: no message in {parts:?}", file.display()));
                found.insert(Line {
                    level,
                    message: one_line(message),
                    fields: fields.iter().map(|field| name(field)).collect(),
                });
            }
        }
    }
    found
}

/// The arguments of a call, from behind its bracket to where it closes.
fn arguments(text: &str) -> Vec<String> {
    let (mut parts, mut part, mut depth, mut in_text) = (Vec::new(), String::new(), 0, false);
    let mut characters = text.chars();
    while let Some(each) = characters.next() {
        match each {
            '\\' if in_text => {
                part.push(each);
                part.extend(characters.next());
                continue;
            }
            '"' => in_text = !in_text,
            '(' | '[' | '{' if !in_text => depth += 1,
            ')' if !in_text && depth == 0 => break,
            ')' | ']' | '}' if !in_text => depth -= 1,
            ',' if !in_text && depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(each);
    }
    parts.push(part);
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// A text that goes on in the next line of the source.
fn one_line(message: &str) -> String {
    Regex::new(r"\\\n\s*").unwrap().replace_all(message, "").replace("\\\"", "\"")
}

/// The name of a field: `error = %error`, `%error`, `error` and `who.error` are all `error`.
fn name(field: &str) -> String {
    let name = field.split(" = ").next().unwrap().trim_start_matches(['%', '?']);
    name.rsplit('.').next().unwrap().to_owned()
}

#[test]
fn the_log_lines_are_on_their_page() {
    let lines = lines();
    assert!(lines.len() > 50, "{}", lines.len());
    let filled = Regex::new(r"\{(\w+)\}").unwrap();
    let mut made = "\n| level | message | fields |\n|---|---|---|\n".to_owned();
    for Line { level, message, fields } in &lines {
        let fields: Vec<_> = fields.iter().map(|field| format!("`{field}`")).collect();
        let fields = if fields.is_empty() { "–".to_owned() } else { fields.join(", ") };
        // What stands in braces is filled in.
        let message = filled.replace_all(message, "*$1*").replace('|', "\\|");
        let _ = writeln!(made, "| {level} | {message} | {fields} |");
    }
    made.push('\n');
    held(PAGE, "the_log_lines", &made);
}

#[test]
fn each_field_of_the_line_of_a_call_is_explained() {
    let explained: BTreeSet<_> = Page::read(PAGE)
        .rows_under("The line of a tool call")
        .into_iter()
        .flat_map(|cells| cells[0].split(", ").map(|name| name.trim_matches('`').to_owned()).collect::<Vec<_>>())
        .collect();
    let line = lines().into_iter().find(|line| line.message == "tool call").unwrap();
    assert_eq!(explained, line.fields.into_iter().collect());
}

/// Spans by what they are for: the first word of their name, or the method of a request.
fn kind(name: &str) -> String {
    match name.split_once(' ') {
        _ if name.contains('/') || name == "initialize" || name == "ping" => "request".to_owned(),
        Some(("google", _)) => "google".to_owned(),
        Some(("redis" | "sqlite" | "postgresql", _)) => "database".to_owned(),
        _ => name.to_owned(),
    }
}

/// Everything that a collector was sent, of calls that end in every way.
#[tokio::test]
async fn each_span_and_each_attribute_is_explained() {
    let (google, collector, mut redis) =
        (TestServer::start().await, Collector::start().await, RedisServer::start().await);
    let (upstream, url) = (google.emulator.url(), redis.url());
    let settings = [
        ("REVIEWS__GOOGLE__PLACES_URL", upstream.as_str()),
        ("REVIEWS__GOOGLE__API_KEY", DEMO_KEY),
        ("REVIEWS__CACHE__REDIS_URL", url.as_str()),
    ];
    let serving = Serving::start(&[&collector.environment()[..], &settings].concat());
    let report = json!({"place_ids": [BAKERY], "title": "x", "request_id": "x"});
    serving.call("create_report", report).await.unwrap().data();
    let prompt = json!({"name": "analyze_place", "arguments": {"place_id": BAKERY}});
    let request = rpc::client().post(&serving.endpoint).header("accept", "application/json, text/event-stream");
    let request = request.header("mcp-protocol-version", "2025-11-25");
    let asked = json!({"jsonrpc": "2.0", "id": 1, "method": "prompts/get", "params": prompt});
    assert!(rpc::send(request.json(&asked)).await.body["result"].is_object());
    google.fault(json!({"kind": "error", "name": "unavailable"})).await;
    redis.kill();
    let failing = json!({"name": "get_place", "arguments": {"place_id": "ChIJdemo_crack_and_mend_001"}});
    rpc::call_with(&serving.endpoint, failing, HeaderMap::new()).await.unwrap().failure();
    until("all spans are there", async || {
        let names: BTreeSet<_> = collector.spans().into_iter().map(|span| span.name).collect();
        ["tools/call get_place", "tools/call create_report", "prompts/get analyze_place"]
            .iter()
            .all(|name| names.contains(*name))
    })
    .await;

    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for span in collector.spans() {
        let attributes = span.attributes.into_iter().map(|attribute| attribute.key);
        seen.entry(kind(&span.name)).or_default().extend(attributes);
    }
    let code = Regex::new("`([^`]+)`").unwrap();
    let told: BTreeMap<String, BTreeSet<String>> = Page::read(PAGE)
        .rows_under("Traces")
        .into_iter()
        .map(|cells| {
            let attributes = code.captures_iter(&cells[2]).map(|found| found[1].to_owned()).collect();
            (cells[0].clone(), attributes)
        })
        .collect();
    assert_eq!(told, seen, "left: the page, right: what a collector was sent");
}
