//! The protocol in both eras, over real sockets, and every point that the library leaves to us.

use crate::support::{
    BAKERY, TOOLS, TestServer, raw,
    rpc::{self, LEGACY, MODERN},
};
use google_reviews_mcp::{
    mcp::{Answer, Call, Logged, Offer, ReadTool, Tool},
    model::Failure,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Notify;
use validator::Validate;

/// A tool that does not end well, or not at all.
struct Misbehave {
    started: Arc<Notify>,
    dropped: Arc<Notify>,
}

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
struct How {
    /// "panic", "answer" (which panics when it is written), or "wait".
    how: String,
}

#[derive(Serialize, JsonSchema)]
struct Nothing {}

impl Answer for Nothing {
    fn text(&self) -> String {
        panic!("a secret of the answer")
    }
}

/// Tells when the work that holds it is dropped.
struct OnDrop(Arc<Notify>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Tool for Misbehave {
    const NAME: &'static str = "misbehave";
    const TITLE: &'static str = "Misbehave";
    const DESCRIPTION: &'static str = "Does not end well.";
    type Input = How;
    type Output = Nothing;

    fn logged(_: &How) -> Logged {
        Logged::default()
    }
}

impl ReadTool for Misbehave {
    async fn run(&self, _: Call, input: How) -> Result<Nothing, Failure> {
        let _on_drop = OnDrop(Arc::clone(&self.dropped));
        self.started.notify_one();
        if input.how == "panic" {
            panic!("a secret of the panic");
        }
        if input.how == "answer" {
            return Ok(Nothing {});
        }
        std::future::pending().await
    }
}

async fn misbehaving(timeout: &str) -> (TestServer, Arc<Notify>, Arc<Notify>) {
    let (started, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let tool = Misbehave { started: Arc::clone(&started), dropped: Arc::clone(&dropped) };
    let server = TestServer::builder().set("server.tool_timeout", timeout).tool(Offer::reading(tool)).start().await;
    (server, started, dropped)
}

#[tokio::test]
async fn both_eras_are_served_without_sessions() {
    let server = TestServer::start().await;

    let discovered = rpc::modern(&server, "server/discover", json!({})).await;
    let result = &discovered.body["result"];
    assert_eq!(discovered.status, 200);
    assert_eq!(result["supportedVersions"], json!(["2025-03-26", "2025-06-18", "2025-11-25", MODERN]));
    assert_eq!((result["ttlMs"].as_u64(), result["cacheScope"].as_str()), (Some(3_600_000), Some("public")));
    assert!(result["instructions"].as_str().unwrap().contains("search_places"));

    for version in LEGACY {
        let params =
            json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let initialized = rpc::legacy(&server, version, "initialize", params).await;
        assert_eq!(initialized.status, 200, "{version}");
        assert_eq!(initialized.body["result"]["protocolVersion"], json!(version));
        assert_eq!(initialized.body["result"]["serverInfo"]["name"], json!("google-reviews"));
        assert!(initialized.headers.get("mcp-session-id").is_none());
        let called = rpc::legacy(
            &server,
            version,
            "tools/call",
            json!({"name": "get_place", "arguments": {"place_id": BAKERY}}),
        )
        .await;
        assert_eq!(called.body["result"]["structuredContent"]["place"]["place_id"], json!(BAKERY), "{version}");
    }
    let listed = rpc::modern(&server, "tools/list", json!({})).await;
    let names: Vec<_> =
        listed.body["result"]["tools"].as_array().unwrap().iter().map(|tool| tool["name"].clone()).collect();
    assert_eq!(names, TOOLS);
    assert_eq!(listed.body["result"]["cacheScope"], json!("public"));
    assert_eq!(listed.body["result"]["ttlMs"], json!(300_000));
}

#[tokio::test]
async fn mcp_01_foreign_origins_are_refused() {
    let server = TestServer::start().await;
    let port = server.app.address().port();
    let with_origin = async |origin: &str| {
        let request = server.http.post(server.app.endpoint()).header("origin", origin).header("accept", "*/*");
        rpc::send(request.json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}))).await
    };
    for origin in
        ["https://evil.example", "null", "http://localhost", "https://127.0.0.1", "http://127.0.0.1.evil.example", ""]
    {
        let answer = with_origin(origin).await;
        assert_eq!(answer.status, 403, "{origin}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!((&answer.body["tier"], &answer.body["code"]), (&json!("client"), &json!("origin_not_allowed")));
        assert_eq!(answer.body["reference"], json!(answer.headers["x-request-id"].to_str().unwrap()));
    }
    for origin in [format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}")] {
        assert_eq!(with_origin(&origin).await.status, 200, "{origin}");
    }
}

#[tokio::test]
async fn mcp_02_foreign_hosts_are_refused() {
    let server = TestServer::builder().set("server.public_url", "http://localhost:18080").start().await;
    let (address, port) = (server.app.address(), server.app.address().port());
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    for (headers, expected) in [
        (format!("host: 127.0.0.1:{port}\r\n"), 200),
        (format!("host: LOCALHOST:{port}\r\n"), 200),
        (format!("host: [::1]:{port}\r\n"), 200),
        ("host: localhost:18080\r\n".to_owned(), 200),
        ("host: evil.example\r\n".to_owned(), 403),
        (format!("host: evil.example:{port}\r\n"), 403),
        (format!("host: localhost.:{port}\r\n"), 403),
        (format!("host: evil@localhost:{port}\r\n"), 403),
        (format!("host: localhost:{}\r\n", port.wrapping_add(1)), 403),
        ("host: localhost\r\n".to_owned(), 403),
        (format!("host: localhost:{port}\r\nhost: evil.example\r\n"), 400),
        (String::new(), 400),
    ] {
        let answer = raw::exchange(address, &raw::post(&headers, list)).await;
        assert_eq!(raw::status(&answer), expected, "{headers:?}: {answer}");
    }
    let absolute =
        raw::post(&format!("host: localhost:{port}\r\n"), list).replacen("/mcp", "http://evil.example/mcp", 1);
    assert_eq!(raw::status(&raw::exchange(address, &absolute).await), 400);
}

#[tokio::test]
async fn mcp_05_headers_that_contradict_the_body_are_refused() {
    let server = TestServer::start().await;
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "get_place", "arguments": {"place_id": BAKERY},
        "_meta": {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}}});
    for (version, method, name) in [
        (MODERN, "tools/list", "get_place"),
        (MODERN, "tools/call", "get_reviews"),
        ("2025-11-25", "tools/call", "get_place"),
    ] {
        let request = server.http.post(server.app.endpoint()).header("accept", "*/*");
        let request =
            request.header("mcp-protocol-version", version).header("mcp-method", method).header("mcp-name", name);
        let answer = rpc::send(request.json(&body)).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (400, &json!(-32020)), "{version} {method} {name}");
    }
    let with = async |header: &str, value: &str| {
        let request =
            server.http.post(server.app.endpoint()).header("accept", "*/*").header("mcp-protocol-version", MODERN);
        let request = request.header("mcp-method", "tools/call").header("mcp-name", "get_place").header(header, value);
        rpc::send(request.json(&body)).await
    };
    for (header, value) in [("mcp-protocol-version", MODERN), ("mcp-method", "tools/call"), ("mcp-name", "get_place")] {
        let answer = with(header, value).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (400, &json!(-32020)), "{header} twice");
    }
    let request =
        server.http.post(server.app.endpoint()).header("accept", "*/*").header("mcp-protocol-version", MODERN);
    let request = request.header("mcp-method", "tools/call").header("mcp-name", "=?base64?Z2V0X3BsYWNl?=");
    let encoded = rpc::send(request.json(&body)).await;
    assert_eq!(encoded.body["result"]["isError"], json!(false), "the encoded form of the same name");
}

#[tokio::test]
async fn mcp_06_versions_that_do_not_exist_are_refused_with_those_that_do() {
    let server = TestServer::start().await;
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "1900-01-01", "io.modelcontextprotocol/clientCapabilities": {}});
    let request = server.http.post(server.app.endpoint()).header("mcp-protocol-version", "1900-01-01");
    let request = request.header("mcp-method", "tools/list").header("accept", "*/*");
    let answer =
        rpc::send(request.json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}})))
            .await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (400, &json!(-32022)));
    assert!(answer.body["error"]["data"]["supported"].as_array().unwrap().contains(&json!(MODERN)));
}

#[tokio::test]
async fn mcp_07_unknown_methods_and_tools_are_told() {
    let server = TestServer::start().await;
    let method = rpc::modern(&server, "tools/destroy", json!({})).await;
    assert_eq!((method.status, &method.body["error"]["code"]), (404, &json!(-32601)));
    let tool = rpc::modern(&server, "tools/call", json!({"name": "delete_place", "arguments": {}})).await;
    assert_eq!((tool.status, &tool.body["error"]["code"]), (200, &json!(-32602)));
    assert!(tool.body["error"]["message"].as_str().unwrap().contains("search_places, get_place, get_reviews"));
}

/// Status and code of a body.
async fn refusal(server: &TestServer, body: impl Into<reqwest::Body>) -> (u16, i64) {
    let answer = rpc::post(server, body).await;
    assert_eq!(answer.body["jsonrpc"], json!("2.0"));
    (answer.status, answer.body["error"]["code"].as_i64().unwrap_or(0))
}

#[tokio::test]
async fn mcp_08_batches_are_refused() {
    let server = TestServer::start().await;
    let one = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let many = format!("[{}]", vec![one; 3_000].join(","));
    for body in ["[]".to_owned(), format!("[{one}]"), format!("[{one},{one}]"), many] {
        assert_eq!(refusal(&server, body).await, (400, -32600));
    }
}

#[tokio::test]
async fn mcp_09_texts_that_are_no_json_are_refused() {
    let server = TestServer::start().await;
    let good = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    for body in [
        String::new(),
        "{".to_owned(),
        "hello".to_owned(),
        good[..20].to_owned(),
        format!("{good}{good}"),
        format!("{good} x"),
        format!("\u{feff}{good}"),
        format!("// hello\n{good}"),
    ] {
        assert_eq!(refusal(&server, body.clone()).await, (400, -32700), "{body}");
    }
}

#[tokio::test]
async fn mcp_10_texts_that_are_not_unicode_are_refused() {
    let server = TestServer::start().await;
    let with = |text: &[u8]| [br#"{"jsonrpc":"2.0","id":"#.as_slice(), text, br#","method":"tools/list"}"#].concat();
    for text in [b"\"\xff\"".as_slice(), b"\"\\ud800\"", b"\"\xc0\xaf\"", b"\"\xed\xa0\x80\""] {
        assert_eq!(refusal(&server, with(text)).await, (400, -32700), "{text:?}");
    }
}

#[tokio::test]
async fn mcp_11_keys_that_appear_twice_are_refused() {
    let server = TestServer::start().await;
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/list"}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_place","name":"get_reviews"}}"#
            .to_owned(),
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"get_place","arguments":{{"place_id":"{BAKERY}","place_id":"x"}}}}}}"#
        ),
    ] {
        assert_eq!(refusal(&server, body.clone()).await, (400, -32600), "{body}");
    }
    assert!(server.upstream_requests().await.is_empty());
}

#[tokio::test]
async fn mcp_12_keys_in_another_case_are_other_keys() {
    let server = TestServer::start().await;
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"Method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","PARAMS":{}}"#,
        r#"{"jsonrpc":"2.0","ID":1,"method":"tools/list"}"#,
        r#"{"JSONRPC":"2.0","id":1,"method":"tools/list"}"#,
    ] {
        assert_eq!(refusal(&server, body).await, (400, -32600), "{body}");
    }
}

#[tokio::test]
async fn mcp_13_deep_and_huge_values_are_refused_at_once() {
    let server = TestServer::start().await;
    let with = |params: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{params}}}"#);
    let deep = |depth: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    for params in
        [deep(127), deep(200), deep(50_000), r#"{"a":1e400}"#.to_owned(), format!(r#"{{"a":{}}}"#, "9".repeat(10_000))]
    {
        assert_eq!(refusal(&server, with(&params)).await, (400, -32700));
    }
    assert_eq!(rpc::post(&server, with(&deep(100))).await.status, 200);
    let long = with(&format!(r#"{{"a":[{}1]}}"#, "1,".repeat(1_000_000)));
    let answer = rpc::post(&server, long).await;
    assert_eq!(answer.status, 413);
    assert!(answer.body["detail"].as_str().unwrap().contains("262144 bytes"));
}

#[tokio::test]
async fn mcp_14_ids_are_integers_or_strings() {
    let server = TestServer::start().await;
    let long = format!("\"{}\"", "x".repeat(257));
    for id in ["null", "1.5", "1180591620717411303424", "{}", "[1]", "true", "\"\"", long.as_str()] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list"}}"#);
        assert_eq!(refusal(&server, body).await, (400, -32600), "{id}");
    }
    for id in ["0", "-7", "\"a-1\"", "9007199254740993"] {
        let answer = rpc::post(&server, format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list"}}"#)).await;
        assert_eq!(answer.body["id"].to_string(), id);
    }
}

#[tokio::test]
async fn mcp_15_other_versions_of_json_rpc_are_refused() {
    let server = TestServer::start().await;
    for body in [
        r#"{"jsonrpc":"1.0","id":1,"method":"tools/list"}"#,
        r#"{"jsonrpc":2.0,"id":1,"method":"tools/list"}"#,
        r#"{"id":1,"method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
        r#""hello""#,
    ] {
        assert_eq!(refusal(&server, body).await, (400, -32600), "{body}");
    }
    assert_eq!(refusal(&server, r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[1]}"#).await, (400, -32602));
    let meta = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":"x"}}"#;
    assert_eq!(refusal(&server, meta).await, (400, -32602));
}

#[tokio::test]
async fn mcp_21_arguments_are_an_object_or_absent() {
    let server = TestServer::start().await;
    let call = |params: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
    for params in [
        r#"{"name":"get_place","arguments":[]}"#,
        r#"{"name":"get_place","arguments":"x"}"#,
        r#"{"name":7,"arguments":{}}"#,
        r#"{"arguments":{}}"#,
        "{}",
    ] {
        assert_eq!(refusal(&server, call(params)).await, (400, -32602), "{params}");
    }
    assert_eq!(refusal(&server, r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#).await, (400, -32602));
    for params in [r#"{"name":"get_place"}"#, r#"{"name":"get_place","arguments":null}"#] {
        let answer = rpc::post(&server, call(params)).await;
        assert_eq!(
            answer.body["result"]["_meta"]["google-reviews/error"]["code"],
            json!("invalid_argument"),
            "{params}"
        );
    }
}

#[tokio::test]
async fn notifications_are_taken_and_answers_refused() {
    let server = TestServer::start().await;
    let notification = rpc::post(&server, r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await;
    assert_eq!((notification.status, notification.body), (202, Value::Null));
    for answer in [
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":1}}"#,
    ] {
        assert_eq!(refusal(&server, answer).await, (400, -32600), "{answer}");
    }
}

#[tokio::test]
async fn mcp_17_other_media_types_are_refused() {
    let server = TestServer::start().await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    for (media_type, expected) in [
        ("application/json", 200),
        ("Application/JSON; charset=UTF-8", 200),
        ("application/jsonevil", 415),
        ("application/json;charset=utf-16", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
    ] {
        let request =
            server.http.post(server.app.endpoint()).header("accept", "*/*").header("content-type", media_type);
        assert_eq!(rpc::send(request.body(body)).await.status, expected, "{media_type}");
    }
    let packed =
        server.http.post(server.app.endpoint()).header("accept", "*/*").header("content-type", "application/json");
    assert_eq!(rpc::send(packed.header("content-encoding", "gzip").body(body)).await.status, 415);
}

/// Every answer is JSON, so whoever takes JSON is served.
#[tokio::test]
async fn mcp_18_whoever_takes_json_is_answered() {
    let server = TestServer::start().await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    for (accept, expected) in [
        ("*/*", 200),
        ("application/json", 200),
        ("application/*;q=0.5", 200),
        ("text/event-stream, Application/JSON", 200),
        ("text/event-stream", 406),
        ("text/html", 406),
    ] {
        let request =
            server.http.post(server.app.endpoint()).header("accept", accept).header("content-type", "application/json");
        assert_eq!(rpc::send(request.body(body)).await.status, expected, "{accept}");
    }
}

#[tokio::test]
async fn mcp_19_other_methods_of_http_are_refused() {
    let server = TestServer::start().await;
    for method in ["GET", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "PROPFIND"] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let answer = rpc::send(server.http.request(method.clone(), server.app.endpoint())).await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.headers["allow"], "POST", "{method}");
    }
}

#[tokio::test]
async fn mcp_22_a_tool_that_panics_answers_at_once() {
    let (server, ..) = misbehaving("30s").await;
    for how in ["panic", "answer"] {
        let started = Instant::now();

        let failed = server.call("misbehave", json!({"how": how})).await;

        assert!(started.elapsed() < Duration::from_secs(10), "long before the time limit of the tool");
        assert_eq!(failed.code(), "internal");
        assert_eq!(failed.failure()["tier"], json!("server"));
        assert!(!failed.0.to_string().contains("secret"), "{}", failed.0);
        assert!(failed.text().contains(failed.failure()["reference"].as_str().unwrap()));
    }
    server.data("get_place", json!({"place_id": BAKERY})).await;
}

#[tokio::test]
async fn mcp_23_a_tool_has_a_time_limit() {
    let (server, _, dropped) = misbehaving("100ms").await;

    let failed = server.call("misbehave", json!({"how": "wait"})).await;

    assert_eq!(failed.code(), "timed_out");
    assert_eq!(failed.failure()["status"], json!(503));
    dropped.notified().await;

    // A call that waits for Google gives the request up a little before, so that it can still say why.
    let (server, ..) = misbehaving("600ms").await;
    server.fault(json!({"kind": "latency", "milliseconds": 60_000})).await;
    assert_eq!(server.call("get_place", json!({"place_id": BAKERY})).await.code(), "google_timed_out");
    until_abandoned(&server).await;
}

#[tokio::test]
async fn mcp_24_a_client_that_goes_away_stops_the_call_to_google() {
    let server = TestServer::start().await;
    server.fault(json!({"kind": "latency", "milliseconds": 60_000})).await;
    for version in [MODERN, "2025-11-25"] {
        let before = server.upstream_requests().await.len();
        let call = async {
            let params = json!({"name": "get_place", "arguments": {"place_id": BAKERY}});
            if version == MODERN {
                rpc::modern(&server, "tools/call", params).await
            } else {
                rpc::legacy(&server, version, "tools/call", params).await
            }
        };
        let arrived = async {
            while server.upstream_requests().await.len() == before {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        // Dropping the call closes its connection.
        tokio::select! {
            _ = call => panic!("answered"),
            () = arrived => {}
        }
        until_abandoned(&server).await;
    }
}

/// Waits until the emulator has seen that nobody waits for its last answer. A second is required; a busy machine has ten,
/// which is still less than the answer would take.
async fn until_abandoned(server: &TestServer) {
    let gone = async {
        while server.upstream_requests().await.last().unwrap()["outcome"] != "abandoned" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("the request to Google is given up at once");
}

#[tokio::test]
async fn mcp_33_many_clients_with_one_id_get_their_own_answers() {
    let server = TestServer::start().await;
    let ids = [
        "ChIJdemo_moonlit_bakery_001",
        "ChIJdemo_kilnkettle_new_001",
        "ChIJdemo_ferrand_clocks_001",
        "ChIJdemo_haft_anar_rest_001",
    ];
    let calls = (0..200).map(|number| {
        let (server, id) = (&server, ids[number % ids.len()]);
        async move { (id, server.data("get_place", json!({"place_id": id})).await) }
    });
    for (id, data) in futures_util::future::join_all(calls).await {
        assert_eq!(data["place"]["place_id"], json!(id));
    }
}

#[tokio::test]
async fn every_answer_carries_a_reference_that_is_ours() {
    let server = TestServer::start().await;
    let request =
        server.http.post(server.app.endpoint()).header("x-request-id", "forged by the caller").header("accept", "*/*");
    let answer = rpc::send(request.json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}))).await;
    let id = answer.headers["x-request-id"].to_str().unwrap();
    assert!(id.len() == 32 && id.chars().all(|digit| digit.is_ascii_hexdigit()), "{id}");
}

#[tokio::test]
async fn paths_that_do_not_exist_are_told() {
    let server = TestServer::start().await;
    for path in ["/mcp/", "/MCP", "/metrics", "/mcp/../livez", "/livez/../mcp", "//mcp", "/%6dcp/x"] {
        let request = raw::post(&format!("host: {}\r\n", server.app.address()), "{}").replacen("/mcp", path, 1);
        let answer = raw::exchange(server.app.address(), &request).await;
        assert_eq!(raw::status(&answer), 404, "{path}: {answer}");
    }
    for path in ["livez", "readyz", "health"] {
        let answer = rpc::send(server.http.post(format!("http://{}/{path}", server.app.address()))).await;
        assert_eq!((answer.status, &answer.body["code"]), (405, &json!("method_not_allowed")), "{path}");
    }
}
