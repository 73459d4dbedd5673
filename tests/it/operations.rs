//! What the operator sees: health paths, metrics, and log lines.

use crate::support::{BAKERY, TestServer, check, rpc};
use serde_json::{Value, json};

#[tokio::test]
async fn health_paths_are_on_both_listeners() {
    let server = TestServer::start().await;
    for path in ["/livez", "/readyz", "/health"] {
        let url = format!("http://{}{path}", server.app.address());
        let public = server.http.get(url).send().await.unwrap();
        assert_eq!(public.status(), 200, "{path}");
        assert_eq!(server.operations(path).await.0, 200, "{path}");
    }
}

/// The public is told that something is down, the operator why.
#[tokio::test]
async fn causes_are_told_to_the_operator_alone() {
    let server = TestServer::builder().set("google.api_key", "").start().await;
    let url = format!("http://{}/health", server.app.address());

    let public: Value = server.http.get(url).send().await.unwrap().json().await.unwrap();
    let (status, page) = server.operations("/health").await;

    assert_eq!(check(&public, "google_places")["state"], json!("down"));
    assert!(check(&public, "google_places").get("cause").is_none());
    let page: Value = serde_json::from_str(&page).unwrap();
    assert_eq!(status, 503);
    assert!(check(&page, "google_places")["cause"].as_str().unwrap().contains("google.api_key"));
    assert_eq!(server.operations("/readyz").await.0, 200, "an instance without Google can still say what is wrong");
}

#[tokio::test]
async fn leak_11_metrics_are_not_on_the_public_listener() {
    let server = TestServer::start().await;
    let url = format!("http://{}/metrics", server.app.address());
    assert_eq!(server.http.get(url).send().await.unwrap().status(), 404);
    assert_eq!(server.operations("/metrics").await.0, 200);
}

#[tokio::test]
async fn calls_are_counted_by_the_names_of_the_contract() {
    let server = TestServer::start().await;
    server.data("get_reviews", json!({"place_id": BAKERY})).await;
    server.data("get_reviews", json!({"place_id": BAKERY})).await;
    server.data("search_places", json!({"query": "bakery"})).await;
    server.call("get_reviews", json!({"place_id": "bad"})).await;
    server.call("get_place", json!({"place_id": "ChIJdemo_obsolete_place_001"})).await;
    rpc::modern(&server, "tools/list", json!({})).await;

    for (line, value) in [
        (r#"mcp_tool_calls_total{status="ok",tool="get_reviews"}"#, 2.0),
        (r#"mcp_tool_calls_total{status="error",tool="get_reviews"}"#, 1.0),
        (r#"mcp_tool_errors_total{tier="client",tool="get_reviews"}"#, 1.0),
        (r#"mcp_tool_errors_total{tier="client",tool="get_place"}"#, 1.0),
        (r#"mcp_tool_duration_seconds_count{tool="get_reviews"}"#, 3.0),
        (r#"mcp_server_operation_duration_seconds_count{mcp_method_name="tools/list"}"#, 1.0),
        (r#"upstream_request_duration_seconds_count{api="places",endpoint="place_details",outcome="ok"}"#, 2.0),
        (
            r#"upstream_request_duration_seconds_count{api="places",endpoint="place_details",outcome="place_not_found"}"#,
            1.0,
        ),
        (r#"upstream_cost_usd_total{sku="place_details_enterprise_atmosphere"}"#, 0.05),
        (r#"upstream_cost_usd_total{sku="text_search_enterprise"}"#, 0.035),
        (r#"dependency_up{dependency="google_places"}"#, 1.0),
    ] {
        assert_eq!(server.metric(line).await, value, "{line}");
    }
}

/// Whatever callers send, the number of series stays the same.
#[tokio::test]
async fn callers_cannot_make_series() {
    let server = TestServer::start().await;
    let count = async || server.operations("/metrics").await.1.lines().filter(|line| !line.starts_with('#')).count();
    let call = async |number: u32| {
        rpc::modern(&server, "tools/call", json!({"name": format!("tool_{number}"), "arguments": {}})).await;
        rpc::modern(&server, &format!("method/{number}"), json!({})).await;
        server.call("get_place", json!({"place_id": format!("ChIJ_unknown_{number:05}")})).await;
        server.call("get_place", json!({"place_id": BAKERY, format!("argument_{number}"): 1})).await;
    };

    call(0).await;
    let after_one = count().await;
    for number in 1..40 {
        call(number).await;
    }

    assert_eq!(count().await, after_one);
}

/// A client that went away is nobody's failure, and its request to Google is counted as what it was.
#[tokio::test]
async fn cancelled_calls_are_counted_apart() {
    let server = TestServer::start().await;
    server.fault(json!({"kind": "latency", "milliseconds": 60_000})).await;
    let arrived = async {
        while server.upstream_requests().await.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = server.call("get_place", json!({"place_id": BAKERY})) => panic!("answered"),
        () = arrived => {}
    }
    let line = r#"upstream_request_duration_seconds_count{api="places",endpoint="place_details",outcome="cancelled"}"#;
    while server.metric(line).await < 1.0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(server.metric(r#"mcp_tool_calls_total{status="cancelled",tool="get_place"}"#).await, 1.0);
    assert_eq!(server.metric(r#"mcp_tool_errors_total{tier="server",tool="get_place"}"#).await, 0.0);
}

/// A listener on any loopback address admits its own name.
#[tokio::test]
async fn other_loopback_addresses_are_reached_under_their_own_name() {
    let server = TestServer::builder().set("server.listen", "127.0.0.2:0").start().await;
    assert_eq!(rpc::modern(&server, "tools/list", json!({})).await.status, 200);
}

/// Callers and clients of the last five minutes, and the figures of the process that every dashboard knows.
#[tokio::test]
async fn who_uses_the_server_and_how_the_process_is() {
    let server = TestServer::start().await;
    server.data("get_place", json!({"place_id": BAKERY})).await;
    server.data("get_place", json!({"place_id": BAKERY})).await;
    assert_eq!(server.metric("mcp_active_sessions").await, 1.0);
    for figure in ["process_start_time_seconds", "process_resident_memory_bytes", "process_open_fds"] {
        assert!(server.metric(figure).await > 0.0, "{figure}");
    }
    assert!(server.metric("runtime_tasks{state=\"alive\"}").await > 0.0);
}
