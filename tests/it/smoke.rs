//! `smoke`: every tool of a running server is called, and what is wrong with any of them is told.

use crate::support::{
    BURST, TOOLS, TestServer,
    binary::{program, stderr, stdout},
    rpc,
};
use axum::{
    body::Bytes,
    http::{HeaderMap, Method, StatusCode},
};
use google_reviews_mcp::{
    mcp::{Answer, Call, Logged, Offer, ReadTool, Tool},
    model::Failure,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::process::Output;
use validator::Validate;

async fn smoke(url: &str, more: &[&str]) -> Output {
    let arguments: Vec<String> =
        ["smoke", "--url", url].iter().chain(more).map(|argument| (*argument).to_owned()).collect();
    tokio::task::spawn_blocking(move || program().args(&arguments).output().unwrap()).await.unwrap()
}

/// The exit code and the result for programs.
async fn report(url: &str, more: &[&str]) -> (Option<i32>, Value) {
    let output = smoke(url, &[&["--json"], more].concat()).await;
    let page = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    (output.status.code(), page)
}

fn tool<'a>(page: &'a Value, name: &str) -> &'a Value {
    let tools = page["tools"].as_array().unwrap();
    tools.iter().find(|tool| tool["tool"] == name).unwrap_or_else(|| panic!("no {name} in {page}"))
}

/// Those of the tools that ask for places by their id, as they are listed; whoever adds tools puts theirs behind.
const ABOUT_A_PLACE: &[&str] =
    &["get_place", "get_reviews", "analyze_reviews", "compare_places", "create_report", "get_report"];

/// The names of the tools that failed.
fn failed(page: &Value) -> Vec<&str> {
    let tools = page["tools"].as_array().unwrap().iter();
    tools.filter(|tool| tool["ok"] == json!(false)).map(|tool| tool["tool"].as_str().unwrap()).collect()
}

fn message<'a>(page: &'a Value, name: &str) -> &'a str {
    tool(page, name)["error"]["message"].as_str().unwrap_or_else(|| panic!("{name} did not fail: {page}"))
}

#[tokio::test]
async fn all_tools_of_a_server_that_is_well_are_ok() {
    let server = TestServer::start().await;

    let table = smoke(&server.app.endpoint(), &[]).await;
    let (code, page) = report(&server.app.endpoint(), &[]).await;

    let text = stdout(&table);
    assert_eq!((table.status.code(), stderr(&table).as_str()), (Some(0), ""), "{text}");
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["tool", "result", "ms", "drift", "note"]);
    for (line, name) in lines[1..].iter().zip(TOOLS) {
        assert_eq!((line[0], line[1], line[3]), (*name, "ok", "0"), "{text}");
        assert!(line[2].parse::<f64>().unwrap() > 0.0, "{text}");
    }
    let all = TOOLS.len();
    assert!(text.contains(&format!("\n{all} tools: {all} ok, 0 failed; drift findings: 0; ")), "{text}");
    assert!(text.ends_with("data source: synthetic\n"), "{text}");

    assert_eq!((code, &page["ok"], &page["data_source"]), (Some(0), &json!(true), &json!("synthetic")));
    assert_eq!(page["url"], json!(server.app.endpoint()));
    let names: Vec<_> = page["tools"].as_array().unwrap().iter().map(|tool| tool["tool"].as_str().unwrap()).collect();
    assert_eq!(names, TOOLS);
    let first = tool(&page, "search_places").as_object().unwrap();
    assert_eq!(
        first.keys().collect::<Vec<_>>(),
        ["tool", "ok", "duration_ms", "drift"],
        "no error, nothing unreadable"
    );
    assert!(first["duration_ms"].as_f64().unwrap() > 0.0);

    let listed = rpc::modern(&server, "resources/list", json!({})).await.body;
    let reports = listed["result"]["resources"].as_array().unwrap().iter();
    let reports = reports.filter(|resource| resource["uri"].as_str().unwrap().starts_with("report://")).count();
    assert_eq!(reports, 1, "two runs, one report: {listed}");
}

#[tokio::test]
async fn tools_that_fail_are_named_with_the_reason() {
    let server = TestServer::start().await;
    server.fault(json!({"kind": "mistyped_field", "path": "rating"})).await;

    let table = smoke(&server.app.endpoint(), &[]).await;
    let (code, page) = report(&server.app.endpoint(), &[]).await;

    let text = stdout(&table);
    assert_eq!((table.status.code(), code, &page["ok"]), (Some(1), Some(1), &json!(false)), "{text}");
    let (all, wrong) = (TOOLS.len(), failed(&page).len());
    assert!(text.contains(&format!("{all} tools: {} ok, {wrong} failed; drift findings: ", all - wrong)), "{text}");
    let drift = ABOUT_A_PLACE.iter().map(|name| tool(&page, name)["drift"].as_u64().unwrap());
    assert_eq!(drift.sum::<u64>(), 5, "{page}");
    let line = text.lines().find(|line| line.starts_with("get_reviews")).unwrap();
    assert!(line.contains("failed") && line.contains("google_format_changed: "), "{text}");
    assert!(failed(&page).starts_with(ABOUT_A_PLACE), "{page}");
    let reviews = tool(&page, "get_reviews");
    assert_eq!((&reviews["error"]["code"], &reviews["drift"]), (&json!("google_format_changed"), &json!(1)));
    let report = tool(&page, "get_report");
    assert_eq!(message(&page, "get_report"), "not called: create_report gave no report_id");
    assert_eq!((&report["duration_ms"], &report["drift"]), (&Value::Null, &json!(0)));
}

#[tokio::test]
async fn what_was_unreadable_is_a_warning() {
    let server = TestServer::start().await;
    server.fault(json!({"kind": "replaced_field", "path": "reviews.0.rating", "value": 9})).await;

    let (code, page) = report(&server.app.endpoint(), &[]).await;
    let table = smoke(&server.app.endpoint(), &[]).await;

    assert_eq!((code, failed(&page)), (Some(0), Vec::new()), "{page}");
    for name in ["get_reviews", "analyze_reviews"] {
        let tool = tool(&page, name);
        assert_eq!((&tool["drift"], &tool["findings"]), (&json!(1), &json!(["sample.unreadable: 1"])));
    }
    assert!(stdout(&table).contains("      1  unreadable: sample.unreadable: 1\n"), "{}", stdout(&table));
    assert!(stdout(&table).contains("drift findings: 2; "), "{}", stdout(&table));

    for (path, name, told) in [
        ("places.1.id", "search_places", "unreadable_places: 1"),
        ("googleMapsUri", "get_place", "place.unreadable_parts: googleMapsUri"),
    ] {
        server.clear_faults().await;
        server.fault(json!({"kind": "mistyped_field", "path": path})).await;
        let (code, page) = report(&server.app.endpoint(), &["--query", "kiosk"]).await;
        assert_eq!((code, &tool(&page, name)["findings"]), (Some(0), &json!([told])), "{page}");
    }
}

#[tokio::test]
async fn a_place_can_be_named_and_one_must_be_known() {
    let server = TestServer::start().await;

    let (code, page) = report(&server.app.endpoint(), &["--place", BURST]).await;
    assert_eq!(code, Some(0), "{page}");
    let asked: String = server.upstream_requests().await.iter().map(Value::to_string).collect();
    assert!(asked.contains(BURST), "{asked}");

    let (code, page) = report(&server.app.endpoint(), &["--place", BURST, "--query", "zzzz qqqq"]).await;
    assert_eq!(code, Some(0), "another place to compare with is looked for: {page}");

    let (code, page) = report(&server.app.endpoint(), &["--query", "zzzz qqqq"]).await;
    assert!(code == Some(1) && failed(&page).starts_with(ABOUT_A_PLACE), "{page}");
    assert!(message(&page, "get_place").contains("search_places gave no place_id"), "{page}");

    server.fault(json!({"kind": "removed_field", "path": "places"})).await;
    let (code, page) = report(&server.app.endpoint(), &["--place", BURST]).await;
    assert_eq!((code, failed(&page)), (Some(1), vec!["compare_places"]));
    assert_eq!(message(&page, "compare_places"), "not called: search_places gave no second place_id");
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_one_sentence() {
    for more in [&[][..], &["--json"]] {
        let output = smoke("http://127.0.0.1:1/mcp", more).await;
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""));
        let said = stderr(&output);
        assert!(said.starts_with("error: cannot connect to http://127.0.0.1:1/mcp: Connection refused"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

/// A tool that was added, and that nobody taught the command to call.
struct Newcomer;

#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Debug, Serialize, JsonSchema)]
struct Something {
    word: String,
}

impl Answer for Something {
    fn text(&self) -> String {
        self.word.clone()
    }
}

impl Tool for Newcomer {
    const NAME: &'static str = "newcomer";
    const TITLE: &'static str = "Newcomer";
    const DESCRIPTION: &'static str = "Says something.";
    type Input = Nothing;
    type Output = Something;

    fn logged(_: &Nothing) -> Logged {
        Logged::default()
    }
}

impl ReadTool for Newcomer {
    async fn run(&self, _: Call, _: Nothing) -> Result<Something, Failure> {
        Ok(Something { word: "something".to_owned() })
    }
}

#[tokio::test]
async fn a_tool_that_is_not_known_is_a_failure() {
    let server = TestServer::builder().tool(Offer::reading(Newcomer)).start().await;
    let (code, page) = report(&server.app.endpoint(), &[]).await;
    assert_eq!((code, failed(&page)), (Some(1), vec!["newcomer"]));
    assert_eq!(message(&page, "newcomer"), "not called: smoke does not know this tool");
}

type Alter = fn(&mut Value);

/// A server whose answers are those of `server`, altered, and that knows one token to be wrong.
async fn altered(server: &TestServer, alter: Alter) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let (http, endpoint) = (server.http.clone(), server.app.endpoint());
    let routes = axum::Router::new().fallback(move |method: Method, mut headers: HeaderMap, body: Bytes| {
        let (http, endpoint) = (http.clone(), endpoint.clone());
        async move {
            if headers.remove("authorization").is_some_and(|token| token == "Bearer wrong") {
                return (StatusCode::UNAUTHORIZED, [("content-type", "application/json")], Bytes::new());
            }
            headers.remove("host");
            let response = http.request(method, endpoint).headers(headers).body(body).send().await.unwrap();
            let mut status = response.status();
            let body = response.bytes().await.unwrap();
            let body = serde_json::from_slice::<Value>(&body).map_or(body, |mut answer| {
                alter(&mut answer["result"]);
                if answer["result"] == "nothing" {
                    status = StatusCode::INTERNAL_SERVER_ERROR;
                }
                answer.to_string().into()
            });
            (status, [("content-type", "application/json")], body)
        }
    });
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

/// What each answer is altered to, the tool that must fail of it, and what must be said.
const WRONG: [(Alter, &str, &str); 7] = [
    (
        |result| {
            if let Some(tools) = result["tools"].as_array_mut() {
                tools.retain(|tool| tool["name"] != "get_report");
            }
        },
        "get_report",
        "the server does not offer this tool",
    ),
    (
        |result| {
            if let Some(tools) = result["tools"].as_array_mut() {
                tools[1].as_object_mut().unwrap().remove("outputSchema");
            }
        },
        "get_place",
        "the tool publishes no schema of its answers",
    ),
    (
        |result| {
            if result["structuredContent"].get("ranking").is_some() {
                result["structuredContent"]["ranking"] = json!(1);
            }
        },
        "compare_places",
        "not as the schema says: ranking is not of type string",
    ),
    (
        |result| {
            if result["structuredContent"].get("analysis").is_some() {
                result["structuredContent"]["attribution"]["text"] = json!("");
            }
        },
        "analyze_reviews",
        "not as the contract says: attribution.text is not a text",
    ),
    (
        |result| {
            if result["structuredContent"].get("replayed").is_some()
                && result["structuredContent"]["report_id"].is_string()
            {
                result["content"] = json!([]);
            }
        },
        "create_report",
        "the answer has no text",
    ),
    (
        |result| {
            if result["structuredContent"].get("charts").is_some() {
                result["structuredContent"]["unavailable"] =
                    json!([{"place_id": "ChIJx", "code": "google_format_changed", "message": "Wait."}]);
            }
        },
        "get_report",
        "without ChIJx: Wait.",
    ),
    (
        |result| {
            if result["structuredContent"].get("charts").is_some() {
                *result = json!("nothing");
            }
        },
        "get_report",
        "the server did not answer the call: HTTP 500",
    ),
];

#[tokio::test]
async fn the_token_is_sent() {
    let server = TestServer::start().await;
    let url = altered(&server, |_| {}).await;
    assert_eq!(smoke(&url, &["--token", "right"]).await.status.code(), Some(0));
    let folder = tempfile::tempdir().unwrap();
    for (text, code) in [("right\n", Some(0)), ("wrong\n", Some(1))] {
        let file = folder.path().join("token");
        std::fs::write(&file, text).unwrap();
        assert_eq!(smoke(&url, &["--token-file", file.to_str().unwrap()]).await.status.code(), code, "{text}");
    }
    let unread = smoke(&url, &["--token-file", "/nowhere/token"]).await;
    assert_eq!(unread.status.code(), Some(1));
    assert!(stderr(&unread).starts_with("error: the token in /nowhere/token cannot be read: "), "{}", stderr(&unread));
    let refused = smoke(&url, &["--token", "wrong"]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).starts_with(&format!("error: cannot connect to {url}: ")), "{}", stderr(&refused));
}

#[tokio::test]
async fn answers_of_another_form_are_failures() {
    let server = TestServer::start().await;
    for (alter, name, told) in WRONG {
        let (code, page) = report(&altered(&server, alter).await, &[]).await;
        assert_eq!((code, failed(&page)), (Some(1), vec![name]), "{page}");
        assert_eq!(message(&page, name), told);
    }
}
