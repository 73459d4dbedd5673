//! Behind a real nginx: what it passes on is understood as it meant it, each client has its own limit, and no request hides
//! in another.

use crate::support::{
    BAKERY, TestServer,
    nginx::Nginx,
    now,
    raw::{Connection, exchange, status},
    rpc,
};
use google_reviews_mcp::clock::Clock;
use serde_json::json;

/// A call that would be seen at Google.
fn hidden() -> String {
    let params = json!({"name": "get_place", "arguments": {"place_id": BAKERY}});
    let body = json!({"jsonrpc": "2.0", "id": 666, "method": "tools/call", "params": params}).to_string();
    format!(
        "POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n\
         mcp-protocol-version: 2025-11-25\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn a_client_of_the_protocol_works_through_nginx() {
    let server = TestServer::start().await;
    let nginx = Nginx::in_front_of(server.app.address()).await;
    for _ in 0..20 {
        let answer =
            rpc::call(&format!("http://{}/mcp", nginx.address), "get_place", json!({"place_id": BAKERY})).await;
        assert!(answer.unwrap().data()["place"].is_object());
    }
}

/// The ways in which two servers have taken one length for another. Whatever nginx makes of them, what is hidden in the
/// body is never run, and the next request on the same connection gets its own answer.
#[tokio::test]
async fn http_06_no_request_hides_in_another_behind_nginx() {
    let server = TestServer::start().await;
    let nginx = Nginx::in_front_of(server.app.address()).await;
    let hidden = hidden();
    let chunked = format!("0\r\n\r\n{hidden}");
    for framing in [
        format!("content-length: {}\r\ntransfer-encoding: chunked\r\n", chunked.len()),
        format!("transfer-encoding: chunked\r\ncontent-length: {}\r\n", chunked.len()),
        format!("content-length: {}\r\ntransfer-encoding : chunked\r\n", chunked.len()),
        format!("content-length: {}\r\ntransfer-encoding: xchunked\r\n", chunked.len()),
        format!("content-length: {}\r\ntransfer-encoding: chunked, identity\r\n", chunked.len()),
        format!("content-length: {}\r\ntransfer-encoding:\tchunked\r\n", chunked.len()),
        format!("content-length: {}\r\nx: y\r\n transfer-encoding: chunked\r\n", chunked.len()),
        format!("content-length: {}\r\ntransfer_encoding: chunked\r\n", chunked.len()),
        format!("content-length: 0\r\ncontent-length: {}\r\n", chunked.len()),
        format!("content-length: {}, 0\r\n", chunked.len()),
        format!("content-length: +{}\r\n", chunked.len()),
        format!("content-length: {}\r\nconnection: content-length\r\n", chunked.len()),
    ] {
        let request =
            format!("POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{framing}\r\n{chunked}");
        let mut connection = Connection::open(nginx.address).await;
        connection.send(&request).await;
        let first = connection.answer().await;
        assert!(first.as_ref().is_none_or(|answer| answer.status >= 400), "{framing}: {first:?}");
        assert_eq!(server.upstream_requests().await.len(), 0, "{framing}");
        // Others share nginx' connections to the server.
        let next = exchange(nginx.address, "GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        assert!(status(&next) == 200 && next.contains("{\"status\":\"ok\"}"), "{framing}: {next}");
    }
    assert_eq!(server.metric("mcp_tool_calls_total{status=\"ok\",tool=\"get_place\"}").await, 0.0);
}

/// nginx says from where a request came, and drops what only looks like that.
#[tokio::test]
async fn http_13_each_client_of_nginx_has_its_own_limit() {
    let server = TestServer::builder()
        .set("limits.enabled", "true")
        .set("limits.address_requests_a_minute", "60")
        .set("limits.address_burst", "10")
        .set("server.trusted_proxies", "127.0.0.1")
        .clock(Clock::manual(now()))
        .start()
        .await;
    let nginx = Nginx::in_front_of(server.app.address()).await;
    for client in ["127.0.0.2", "127.0.0.3"] {
        for number in 0..15 {
            let mut connection = Connection::from(client, nginx.address).await;
            let forged = format!("x-forwarded-for: 198.51.100.{number}\r\nx_forwarded_for: 198.51.100.{number}\r\n");
            let head = format!("host: x\r\n{forged}content-type: application/json\r\ncontent-length: 2\r\n");
            connection.send(&format!("POST /mcp HTTP/1.1\r\n{head}\r\n{{}}")).await;
            let answer = connection.answer().await.unwrap();
            assert_eq!(answer.status == 429, number >= 10, "{client} {number}: {}", answer.status);
        }
    }
}
