//! Behind a real nginx: what it passes on is understood as it meant it, each client has its own limit, and no request hides
//! in another.

use crate::support::{
    BAKERY, TestServer,
    caddy::Caddy,
    certificate::Certificate,
    database::Database,
    free_port,
    nginx::Nginx,
    now,
    raw::{Connection, exchange, status},
    rpc,
    sign_in::{NAME, PASSWORD, Site, both},
    until,
};
use futures_util::future::join_all;
use google_reviews_mcp::{clock::Clock, model::PersonName};
use serde_json::json;
use std::time::Duration;

/// A server that is reached as `https://localhost:PORT`.
async fn behind(port: u16) -> TestServer {
    let public_url = format!("https://localhost:{port}");
    TestServer::builder().set("server.public_url", public_url).set("server.trusted_proxies", "127.0.0.1").start().await
}

async fn nginx_and_server() -> (TestServer, Nginx, reqwest::Client, String) {
    let (port, certificate) = (free_port(), Certificate::new());
    let server = behind(port).await;
    let nginx = Nginx::deployed(port, &[server.app.address()], &certificate).await;
    (server, nginx, certificate.client(), format!("https://localhost:{port}"))
}

async fn caddy_and_server() -> (TestServer, Caddy, reqwest::Client, String) {
    let port = free_port();
    let server = behind(port).await;
    let caddy = Caddy::in_front_of(server.app.address(), port).await;
    let (client, base) = (caddy.client(), caddy.base.clone());
    (server, caddy, client, base)
}

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

/// What both proxies have in common, by their own configuration.
async fn is_a_good_front(client: &reqwest::Client, base: &str, plain: &str) {
    let answer = rpc::call_by(client, &format!("{base}/mcp"), "get_place", json!({"place_id": BAKERY})).await.unwrap();
    assert!(answer.data()["place"].is_object());
    for path in ["/", "/health"] {
        let answer = client.get(format!("{base}{path}")).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }
    let page = client.get(base).send().await.unwrap();
    assert!(page.headers().contains_key("strict-transport-security"), "{:?}", page.headers());
    assert_eq!(page.headers().get_all("strict-transport-security").iter().count(), 1);
    for path in ["/metrics", "/livez", "/readyz", "/startupz"] {
        let answer = client.get(format!("{base}{path}")).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path} is for those who watch over the server");
    }
    let large =
        client.post(format!("{base}/mcp")).header("content-type", "application/json").body("x".repeat(2_000_000));
    let large = large.send().await;
    let status = large.map_or(0, |answer| answer.status().as_u16());
    assert!([0, 413, 502].contains(&status), "{status} for a body of two megabytes");

    let sent_on = client.get(format!("{plain}/login?x=y")).send().await.unwrap();
    let location = sent_on.headers()["location"].to_str().unwrap();
    assert!(sent_on.status() == 308 && location.starts_with("https://localhost") && location.ends_with("/login?x=y"));
    let told = client.post(format!("{plain}/mcp")).bearer_auth("token").body("{}").send().await.unwrap();
    assert_eq!(told.status(), 403, "no client sends its token by http and does not notice");
}

#[tokio::test]
async fn nginx_as_deployed_serves_clients_by_tls_and_keeps_the_rest_out() {
    let (server, nginx, client, base) = nginx_and_server().await;
    is_a_good_front(&client, &base, &format!("http://localhost:{}", nginx.plain.port())).await;
    // Another name is not answered, with or without TLS.
    let foreign = exchange(nginx.plain, "GET / HTTP/1.1\r\nhost: evil.example\r\n\r\n").await;
    assert_eq!(foreign, "");
    // Its own limit says the same as the server's, and how long to wait.
    let answers = join_all((0..800).map(|_| client.get(format!("{base}/health")).send())).await;
    let (mut answered, mut refused) = (0, 0);
    for answer in answers {
        let answer = answer.unwrap();
        match answer.status().as_u16() {
            200 => answered += 1,
            429 => {
                refused += 1;
                assert_eq!(answer.headers()["retry-after"], "1");
                assert_eq!(answer.headers()["content-type"], "application/problem+json");
            }
            other => panic!("{other}"),
        }
    }
    assert!(answered >= 400 && refused > 0, "{answered} and {refused}");
    drop(server);
}

#[tokio::test]
async fn caddy_as_deployed_serves_clients_by_tls_and_keeps_the_rest_out() {
    let (_server, caddy, client, base) = caddy_and_server().await;
    is_a_good_front(&client, &base, &caddy.plain).await;
}

/// The whole way to a token, at the address that clients know.
#[tokio::test]
async fn a_client_signs_in_through_caddy() {
    let (port, database) = (free_port(), Database::sqlite());
    let public_url = format!("https://localhost:{port}");
    let settings = [("server.public_url", public_url.as_str()), ("server.trusted_proxies", "127.0.0.1")];
    let site = Site::beside(&database, Clock::manual(now()), &settings).await;
    site.server.app.people().unwrap().add(PersonName::parse(NAME).unwrap(), Some(PASSWORD)).await.unwrap();
    let caddy = Caddy::in_front_of(site.server.app.address(), port).await;
    let site = site.through(caddy.base.clone(), caddy.client());
    let client = site.client().await;
    let (access, refresh) = site.tokens(&client).await;
    assert_eq!(site.opens(&access).await, 200);
    let (access, _) = both(&site.refresh(&client, &refresh).await);
    assert_eq!(site.opens(&access).await, 200);
}

/// The server gives up idle connections after 30 seconds. A proxy that keeps them as long sends a request into one that is
/// just being closed, now and then.
#[tokio::test]
async fn http_20_no_request_is_lost_to_a_connection_that_is_being_closed() {
    let (nginx_server, _nginx, nginx_client, nginx_base) = nginx_and_server().await;
    let (caddy_server, _caddy, caddy_client, caddy_base) = caddy_and_server().await;
    let fronts = [(nginx_client, nginx_base), (caddy_client, caddy_base)];
    let burst = async |number: usize| {
        let requests = fronts.iter().flat_map(|(client, base)| {
            (0..number).map(move |_| async move {
                let answer =
                    rpc::call_by(client, &format!("{base}/mcp"), "get_place", json!({"place_id": BAKERY})).await;
                answer.unwrap_or_else(|error| panic!("{base}: {error:?}")).data();
            })
        });
        join_all(requests).await;
    };
    // Each proxy has as many connections to its server as it keeps.
    burst(64).await;
    tokio::time::sleep(Duration::from_secs(29)).await;
    // 500 requests to each, from one second before to one second after.
    for _ in 0..25 {
        tokio::join!(burst(20), tokio::time::sleep(Duration::from_millis(80)));
    }
    for server in [nginx_server, caddy_server] {
        let calls = server.metric("mcp_tool_calls_total{status=\"ok\",tool=\"get_place\"}").await;
        assert_eq!(calls, 564.0);
    }
}

/// A call that would be seen at Google if it were understood as a request, as it would stand behind nginx.
fn smuggled(host: &str) -> String {
    hidden().replace("host: x", &format!("host: {host}"))
}

/// Twenty-four known ways to make two servers disagree on where a request ends: by two lengths, by lengths that are no
/// numbers, by forms of `transfer-encoding` that one reads and the other does not, and by chunks.
fn desynchronizing(host: &str) -> Vec<String> {
    let hidden = smuggled(host);
    let chunked = format!("0\r\n\r\n{hidden}");
    let length = chunked.len();
    let post = |framing: &str, body: &str| {
        format!("POST /mcp HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n{framing}\r\n\r\n{body}")
    };
    let mut requests: Vec<String> = [
        format!("content-length: {length}\r\ntransfer-encoding: chunked"),
        format!("transfer-encoding: chunked\r\ncontent-length: {length}"),
        "content-length: 0\r\ntransfer-encoding: chunked".to_owned(),
        format!("content-length: {length}\r\ntransfer-encoding: identity"),
        format!("content-length: {length}\r\ntransfer-encoding: xchunked"),
        format!("content-length: {length}\r\ntransfer-encoding: chunked\r\ntransfer-encoding: identity"),
        format!("content-length: {length}\r\ntransfer-encoding: identity\r\ntransfer-encoding: chunked"),
        format!("content-length: {length}\r\ntransfer-encoding: chunked, identity"),
        format!("content-length: {length}\r\ntransfer-encoding: identity, chunked"),
        format!("content-length: {length}\r\ntransfer-encoding : chunked"),
        format!("content-length: {length}\r\ntransfer-encoding:\tchunked"),
        format!("content-length: {length}\r\ntransfer-encoding: \x0bchunked"),
        format!("content-length: {length}\r\n transfer-encoding: chunked"),
        format!("content-length: {length}\r\nx: y\r\n transfer-encoding: chunked"),
        format!("content-length: {length}\r\nx: y\ntransfer-encoding: chunked"),
        format!("content-length: {length}\r\ntransfer-encoding\n: chunked"),
        format!("content-length: {length}\r\ntransfer-encoding: \"chunked\""),
        format!("content-length: {length}\r\ntransfer_encoding: chunked"),
        format!("content-length: {length}\r\ntransfer-encoding: CHUNKED\r\nconnection: transfer-encoding"),
        format!("content-length: 0\r\ncontent-length: {length}"),
        format!("content-length: {length}\r\ncontent-length: 0"),
        format!("content-length: {length}, 0"),
        format!("content-length: +{length}"),
        format!("content-length: 0x{length:x}"),
        format!("content-length: {length}\r\nconnection: content-length"),
    ]
    .iter()
    .map(|framing| post(framing, &chunked))
    .collect();
    let chunks = "transfer-encoding: chunked";
    requests.extend(
        ["0;\nx\r\n\r\n", "0x0\r\n\r\n", "10000000000000000\r\n\r\n", "-1\r\n\r\n", "0\n\n"]
            .map(|chunk| post(chunks, &format!("{chunk}{hidden}"))),
    );
    requests.push(format!("GET /health HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\n\r\n{hidden}", hidden.len()));
    requests.push(post(chunks, &chunked).replace("HTTP/1.1\r\nhost", "HTTP/1.0\r\nhost"));
    requests
}

/// What nginx took for a request is what the server takes for one: nothing of a body is run, and each answer is that of its own
/// request, also for others, who share nginx' connections to the server.
#[tokio::test]
async fn http_24_nginx_and_the_server_agree_on_where_a_request_ends() {
    let (port, certificate) = (free_port(), Certificate::new());
    let server = behind(port).await;
    let nginx = Nginx::deployed_without_tls(port, &[server.app.address()], &certificate).await;
    let host = format!("localhost:{port}");
    let health = format!("GET /health HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    let is_health = |answer: &str| status(answer) == 200 && answer.contains("\"checks\":");
    let requests = desynchronizing(&host);
    assert!(requests.len() >= 20);
    let (mut seen, mut refused) = (0, 0);
    for request in &requests {
        let told = exchange(nginx.address, &format!("{request}{health}")).await;
        let answers: Vec<String> = told.split("HTTP/1.1 ").skip(1).map(|answer| format!("HTTP/1.1 {answer}")).collect();
        // Where nginx takes what is hidden for a request of its own, it may be one: its sender could have sent it plainly.
        let calls = answers.iter().filter(|answer| answer.contains("\"id\":666,\"result\"")).count();
        seen += calls;
        assert_eq!(server.upstream_requests().await.len(), seen, "run without nginx' knowledge: {request}\n{told}");
        let understood = || nginx.log("access.log").matches("\"POST /mcp\" 200 ").count();
        until("nginx has told what it passed on", async || understood() == seen).await;
        let last = answers.last().is_none_or(|last| is_health(last) || status(last) >= 400);
        assert!(last && answers.len() <= 2 + calls, "{request}\n{told}");
        refused += usize::from(answers.first().is_none_or(|first| status(first) >= 400));
        let others = join_all((0..4).map(|_| exchange(nginx.address, &health))).await;
        assert!(others.iter().all(|answer| is_health(answer)), "{request}\n{others:?}");
    }
    assert!(refused >= 20, "{refused}");
}
