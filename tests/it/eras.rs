//! The newest version of the protocol to the letter: what a request must carry, what every answer carries, and what is not
//! served at all.

use crate::support::{
    BAKERY, TestServer, ToolResult, now, raw,
    rpc::{self, LEGACY, MODERN},
};
use google_reviews_mcp::clock::Clock;
use serde_json::{Value, json};

/// A request with these headers beside the usual ones, and this body.
async fn post(server: &TestServer, headers: &[(&str, &str)], body: &Value) -> rpc::Answer {
    let mut request = server
        .http
        .post(server.app.endpoint())
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    rpc::send(request.json(body)).await
}

fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

fn call(meta: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "get_place", "arguments": {"place_id": BAKERY}, "_meta": meta}})
}

/// Whoever speaks the newest version says so in the header and in the body, and names in the headers what is asked.
#[tokio::test]
async fn mcp_04_what_a_request_must_carry_is_not_guessed() {
    let server = TestServer::start().await;
    let version = ("mcp-protocol-version", MODERN);
    let (method, name) = (("mcp-method", "tools/call"), ("mcp-name", "get_place"));
    let whole = post(&server, &[version, method, name], &call(&meta())).await;
    assert_eq!((whole.status, &whole.body["result"]["isError"]), (200, &json!(false)), "{}", whole.body);

    for key in ["protocolVersion", "clientCapabilities"] {
        let mut less = meta();
        less.as_object_mut().unwrap().remove(&format!("io.modelcontextprotocol/{key}"));
        let refused = post(&server, &[version, method, name], &call(&less)).await;
        assert_eq!(refused.status, 400, "without {key}: {}", refused.body);
        let code = refused.body["error"]["code"].as_i64().unwrap();
        assert!([-32602, -32020].contains(&code), "without {key}: {}", refused.body);
    }
    let refused = post(&server, &[version, method, name], &call(&Value::Null)).await;
    assert_eq!(refused.status, 400, "without _meta: {}", refused.body);
    for headers in [&[version, name][..], &[version, method][..], &[method, name][..], &[][..]] {
        let refused = post(&server, headers, &call(&meta())).await;
        assert_eq!(
            (refused.status, &refused.body["error"]["code"]),
            (400, &json!(-32020)),
            "{headers:?}: {}",
            refused.body
        );
    }
}

/// Messages that nobody waits for cost as much as others, and answers to questions that nobody asked are refused.
#[tokio::test]
async fn mcp_16_a_flood_of_notifications_meets_the_limits_of_all() {
    // The clock stands: how long the flood takes is of no matter.
    let server = TestServer::builder()
        .clock(Clock::manual(now()))
        .set("limits.enabled", "true")
        .set("limits.caller_requests_a_minute", "60")
        .set("limits.caller_burst", "20")
        .start()
        .await;
    let note = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
    let mut answers = Vec::new();
    for _ in 0..30 {
        answers.push(post(&server, &[("mcp-protocol-version", "2025-11-25")], &note).await.status);
    }
    let (first, rest) = answers.split_at(20);
    assert!(first.iter().all(|status| *status == 202) && rest.iter().all(|status| *status == 429), "{answers:?}");

    let server = TestServer::start().await;
    for answer in [
        json!({"jsonrpc": "2.0", "id": 1, "result": {}}),
        json!({"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "x"}}),
    ] {
        for version in LEGACY.iter().chain([&MODERN]) {
            let refused = post(&server, &[("mcp-protocol-version", version)], &answer).await;
            assert_eq!((refused.status, &refused.body["error"]["code"]), (400, &json!(-32600)), "{version}");
        }
    }
}

/// This server asks nothing back, so whatever a client sends as the state of such a question is nobody's and is not read.
#[tokio::test]
async fn mcp_28_the_state_of_a_question_that_was_not_asked_changes_nothing() {
    let server = TestServer::start().await;
    let params = json!({"name": "get_place", "arguments": {"place_id": BAKERY}});
    let plain = rpc::modern(&server, "tools/call", params.clone()).await.body["result"]["structuredContent"].clone();
    for state in ["x", "eyJwcmluY2lwYWwiOiJyb290In0", &"A".repeat(10_000)] {
        let mut params = params.clone();
        params["requestState"] = json!(state);
        params["inputResponses"] = json!({"confirm": {"action": "accept", "content": {"principal": "root"}}});
        let answer = rpc::modern(&server, "tools/call", params).await;
        assert_eq!((answer.status, &answer.body["result"]["resultType"]), (200, &json!("complete")));
        assert_eq!(answer.body["result"]["structuredContent"]["place"], plain["place"]);
    }
}

/// There is nothing to subscribe to, so nobody can hold streams open.
#[tokio::test]
async fn mcp_31_nothing_can_be_subscribed_to() {
    let server = TestServer::start().await;
    for _ in 0..50 {
        let wanted = json!({"notifications": {"toolsListChanged": true, "resourceSubscriptions": ["report://x"]}});
        let refused = rpc::modern(&server, "subscriptions/listen", wanted).await;
        assert_eq!((refused.status, &refused.body["error"]["code"]), (404, &json!(-32601)), "{}", refused.body);
    }
    for version in LEGACY {
        for method in ["resources/subscribe", "resources/unsubscribe", "logging/setLevel"] {
            let params = json!({"uri": "report://x", "level": "debug"});
            let refused = rpc::legacy(&server, version, method, params).await;
            assert_eq!(refused.body["error"]["code"], json!(-32601), "{method}: {}", refused.body);
        }
    }
}

/// Every answer is one JSON body with its length: no stream has to be kept alive, unbuffered, or ended with a token.
#[tokio::test]
async fn mcp_32_no_answer_is_a_stream() {
    let server = TestServer::start().await;
    for (method, params) in [
        ("server/discover", json!({})),
        ("tools/list", json!({})),
        ("tools/call", json!({"name": "get_reviews", "arguments": {"place_id": BAKERY}})),
        ("tools/call", json!({"name": "get_place", "arguments": {}})),
        ("prompts/list", json!({})),
        ("prompts/get", json!({"name": "analyze_place", "arguments": {"place_id": BAKERY}})),
        ("resources/read", json!({"uri": "reviews://attribution"})),
        ("subscriptions/listen", json!({"notifications": {}})),
    ] {
        // Progress that a client would like to hear of makes none either.
        let mut params = params;
        params["_meta"] = json!({"progressToken": "p"});
        let answer = rpc::modern(&server, method, params).await;
        assert_eq!(answer.headers["content-type"], "application/json", "{method}");
        assert!(answer.headers.contains_key("content-length"), "{method}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{method}");
    }
    for accept in ["text/event-stream", "application/json, text/event-stream"] {
        let request = format!(
            "GET /mcp HTTP/1.1\r\nhost: {}\r\naccept: {accept}\r\nconnection: close\r\n\r\n",
            server.app.address()
        );
        let answer = raw::exchange(server.app.address(), &request).await;
        assert_eq!(raw::status(&answer), 405, "{accept}");
    }
}

#[tokio::test]
async fn every_answer_of_the_newest_version_says_who_answers() {
    let server = TestServer::start().await;
    let expected = json!({"name": "google-reviews", "title": "Google Reviews", "version": env!("CARGO_PKG_VERSION")});
    for (method, params) in [
        ("server/discover", json!({})),
        ("tools/list", json!({})),
        ("tools/call", json!({"name": "get_place", "arguments": {"place_id": BAKERY}})),
        ("tools/call", json!({"name": "get_place", "arguments": {}})),
        ("prompts/list", json!({})),
        ("prompts/get", json!({"name": "analyze_place", "arguments": {"place_id": BAKERY}})),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("resources/read", json!({"uri": "reviews://attribution"})),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "analyze_place"}, "argument": {"name": "language", "value": "d"}}),
        ),
    ] {
        let answer = rpc::modern(&server, method, params.clone()).await;
        assert_eq!(answer.body["result"]["_meta"]["io.modelcontextprotocol/serverInfo"], expected, "{method}");
        assert_eq!(answer.body["result"]["resultType"], json!("complete"), "{method}");
        if method == "server/discover" {
            continue;
        }
        for version in LEGACY {
            let answer = rpc::legacy(&server, version, method, params.clone()).await.body["result"].clone();
            assert!(answer["_meta"].get("io.modelcontextprotocol/serverInfo").is_none(), "{method}: {answer}");
            for new in ["resultType", "ttlMs", "cacheScope"] {
                assert!(answer.get(new).is_none(), "{version} {method}: {answer}");
            }
        }
    }
    let failed = rpc::modern(&server, "tools/call", json!({"name": "get_place", "arguments": {}})).await.body;
    assert_eq!(ToolResult(failed["result"].clone()).code(), "invalid_argument", "beside what is there already");
}

#[tokio::test]
async fn lists_are_in_the_same_order_each_time() {
    let server = TestServer::start().await;
    for method in ["tools/list", "prompts/list", "resources/templates/list", "resources/list"] {
        let first = rpc::modern(&server, method, json!({})).await.body;
        for _ in 0..5 {
            assert_eq!(rpc::modern(&server, method, json!({})).await.body, first, "{method}");
        }
    }
}
