//! The edge over raw sockets: slow and silent clients, crowds, and requests that could be understood in two ways.

use crate::support::{
    BAKERY, TestServer,
    binary::Serving,
    raw,
    raw::{Answer, Connection, once},
    rpc, until,
};
use serde_json::json;
use std::{net::SocketAddr, time::Duration};
use tokio::{net::TcpSocket, time::sleep};

const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

/// A POST to `/mcp` of this body that keeps the connection, with more headers (each ending in CRLF).
fn post(address: SocketAddr, more: &str, body: &str) -> String {
    let length = body.len();
    format!("{}content-length: {length}\r\n\r\n{body}", head(address, more))
}

/// The same without the length and the end of the head.
fn head(address: SocketAddr, more: &str) -> String {
    format!("POST /mcp HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\naccept: */*\r\n{more}")
}

fn get(address: SocketAddr, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n")
}

/// Refused with this status and code, and the connection with it.
async fn refused(address: SocketAddr, request: &str, expected: (u16, &str)) {
    let (answer, is_ended) = once(address, request).await;
    let answer = answer.unwrap_or_else(|| panic!("no answer to {request:?}"));
    assert_eq!((answer.status, answer.code().as_str()), expected, "{request:?}");
    assert!(is_ended, "{request:?} leaves its connection open");
}

/// Someone else's call works.
async fn others_are_served(server: &TestServer) {
    server.data("get_place", json!({"place_id": BAKERY})).await;
}

#[tokio::test]
async fn http_01_a_head_that_drips_is_not_waited_for() {
    let server = TestServer::builder().set("server.header_timeout", "300ms").start().await;
    for address in [server.app.address(), server.app.operations_address()] {
        let mut connection = Connection::open(address).await;
        connection.send("GET /livez HTTP/1.1\r\nx: ").await;
        let (mut reader, mut writer) = connection.stream.split();
        let drip = async {
            while tokio::io::AsyncWriteExt::write_all(&mut writer, b"y").await.is_ok() {
                sleep(Duration::from_millis(20)).await;
            }
            std::future::pending::<()>().await;
        };
        let mut read = Vec::new();
        tokio::select! {
            ended = tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut read) => drop(ended),
            () = drip => {}
            () = sleep(Duration::from_secs(20)) => panic!("it is still waited for"),
        }
        assert!(read.is_empty(), "closed without an answer");
    }
    others_are_served(&server).await;
}

#[tokio::test]
async fn http_02_a_body_that_drips_is_not_waited_for() {
    let server = TestServer::builder().set("server.body_timeout", "300ms").start().await;
    let address = server.app.address();
    for length in ["content-length: 100\r\n\r\n{", "transfer-encoding: chunked\r\n\r\n1\r\n{\r\n"] {
        let request = format!("{}{length}", head(address, ""));
        refused(address, &request, (408, "body_too_slow")).await;
    }
    others_are_served(&server).await;
}

/// Answers wait for a client that asks and asks and never reads; their room is bounded, and so is their time.
#[tokio::test]
async fn http_03_a_client_that_does_not_read_is_left() {
    let server = TestServer::builder().set("server.write_timeout", "300ms").start().await;
    let address = server.app.address();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let requests = post(address, "", LIST).repeat(50);
    let ask = async { while tokio::io::AsyncWriteExt::write_all(&mut stream, requests.as_bytes()).await.is_ok() {} };
    tokio::time::timeout(Duration::from_mins(1), ask).await.expect("the connection is broken off in the end");
    let open = r#"http_connections{listener="main"}"#;
    until("its connection is given up", async || server.metric(open).await == 0.0).await;
    others_are_served(&server).await;
}

/// Resident memory of a process, in kilobytes.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// 5,000 that say nothing after a first request, 200 that drip: others are served, and memory keeps to the budget of
/// 44 MB for each 1,000 connections.
#[tokio::test]
async fn http_04_crowds_leave_others_unharmed() {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    rustix::process::setrlimit(
        rustix::process::Resource::Nofile,
        rustix::process::Rlimit { current: files.maximum, ..files },
    )
    .unwrap();
    let google = TestServer::start().await;
    let url = google.emulator.url();
    let settings = [
        ("REVIEWS__GOOGLE__PLACES_URL", url.as_str()),
        ("REVIEWS__GOOGLE__API_KEY", "demo-key"),
        ("REVIEWS__SERVER__HEADER_TIMEOUT", "2m"),
        ("REVIEWS__SERVER__BODY_TIMEOUT", "2m"),
    ];
    let serving = Serving::start(&settings);
    let (address, process) = (serving.address(), serving.child.id());
    serving.call("get_place", json!({"place_id": BAKERY})).await.unwrap().data();
    let before = resident(process);

    let mut crowd = Vec::new();
    for number in 0..5_200_u32 {
        let mut connection = Connection::from(&format!("127.0.1.{}", 1 + number % 4), address).await;
        match number {
            0..2_500 => {
                connection.send(&get(address, "/livez")).await;
                assert_eq!(connection.answer().await.unwrap().status, 200);
            }
            2_500..5_000 => {}
            5_000..5_100 => connection.send("POST /mcp HTTP/1.1\r\nhost").await,
            _ => connection.send(&format!("{}content-length: 9\r\n\r\n{{", head(address, ""))).await,
        }
        crowd.push(connection);
    }
    for _ in 0..20 {
        serving.call("get_place", json!({"place_id": BAKERY})).await.unwrap().data();
    }
    let live = reqwest::get(format!("{}/livez", serving.operations)).await.unwrap();
    assert_eq!(live.status(), 200);
    let grown = resident(process).saturating_sub(before);
    eprintln!("5,200 connections: {before} kB before, {grown} kB more");
    assert!(grown < 5_200 * 44, "{grown} kB for 5,200 connections");
    drop(crowd);
}

#[tokio::test]
async fn http_04_beyond_the_most_connections_the_answer_is_an_immediate_no() {
    let server = TestServer::builder().set("limits.enabled", "true").set("limits.connections", "20").start().await;
    let address = server.app.address();
    let mut crowd = Vec::new();
    for _ in 0..20 {
        crowd.push(Connection::open(address).await);
    }
    let open = r#"http_connections{listener="main"}"#;
    until("all are taken", async || server.metric(open).await == 20.0).await;

    let mut late = Connection::open(address).await;
    let no = late.answer().await.expect("an answer without a request");
    assert_eq!((no.status, no.code().as_str(), no.header("retry-after")), (503, "no_connection", Some("5")));
    assert_eq!(server.operations("/livez").await.0, 200, "the operator is not among them");
    let refusals = r#"http_connections_refused_total{listener="main",reason="full"}"#;
    assert_eq!(server.metric(refusals).await, 1.0);

    crowd.pop();
    until("a place is free", async || server.metric(open).await < 20.0).await;
    others_are_served(&server).await;
}

#[tokio::test]
async fn http_04_one_address_cannot_take_all_connections() {
    let limited = TestServer::builder().set("limits.enabled", "true").set("limits.connections_per_address", "3");
    let server = limited.set("server.listen", "127.0.0.1:0").start().await;
    let address = server.app.address();
    let mut crowd = Vec::new();
    for _ in 0..3 {
        let mut connection = Connection::from("127.0.1.1", address).await;
        connection.send(&get(address, "/livez")).await;
        assert_eq!(connection.answer().await.unwrap().status, 200);
        crowd.push(connection);
    }
    assert_eq!(Connection::from("127.0.1.1", address).await.answer().await.unwrap().status, 503);
    let refusals = r#"http_connections_refused_total{listener="main",reason="address"}"#;
    assert_eq!(server.metric(refusals).await, 1.0);
    let mut other = Connection::from("127.0.1.2", address).await;
    other.send(&get(address, "/livez")).await;
    assert_eq!(other.answer().await.unwrap().status, 200);

    let free = TestServer::builder().set("limits.connections", "1").set("limits.enabled", "false").start().await;
    let _one = Connection::open(free.app.address()).await;
    others_are_served(&free).await;
}

/// With no file left, the server waits a second between tries instead of spinning, and recovers.
#[tokio::test]
async fn res_26_without_files_it_waits_and_recovers() {
    let serving = Serving::with_files(48, &[("REVIEWS__LIMITS__ENABLED", "false")]);
    let address = serving.address();
    let mut crowd = Vec::new();
    for _ in 0..100 {
        crowd.push(Connection::open(address).await);
    }
    sleep(Duration::from_millis(2_500)).await;
    drop(crowd);
    until("it answers again", async || {
        let mut connection = Connection::open(address).await;
        connection.send(&get(address, "/livez")).await;
        connection.answer().await.is_some_and(|answer| answer.status == 200)
    })
    .await;
    let (log, ended_well) = tokio::task::spawn_blocking(|| serving.stop()).await.unwrap();
    let complaints = log.matches("no connection can be taken").count();
    assert!(ended_well && (1..=60).contains(&complaints), "{complaints} complaints: {log}");
}

#[tokio::test]
async fn http_05_a_client_that_says_nothing_is_left() {
    let server = TestServer::builder().set("server.header_timeout", "300ms").start().await;
    let address = server.app.address();
    assert!(Connection::open(address).await.is_ended().await);
    // The same between two requests.
    let mut connection = Connection::open(address).await;
    connection.send(&get(address, "/livez")).await;
    assert_eq!(connection.answer().await.unwrap().status, 200);
    assert!(connection.is_ended().await);
}

/// What would be a second request for whoever believes the other header is not answered.
#[tokio::test]
async fn http_06_a_body_whose_end_is_said_twice_is_refused() {
    let server = TestServer::start().await;
    let hidden = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    for address in [server.app.address(), server.app.operations_address()] {
        for framing in [
            "content-length: 5\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: chunked\r\ncontent-length: 5\r\n",
            "content-length: 5\r\nTRANSFER-ENCODING:chunked\r\n",
            "content-length: 5\r\ncontent-length: 5\r\n",
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: identity, chunked\r\n",
        ] {
            let request = format!("{}{framing}\r\n0\r\n\r\n{hidden}", head(address, ""));
            refused(address, &request, (400, "bad_framing")).await;
        }
        // After chunks nothing is read, so nothing can hide behind them.
        let chunked = format!("{}transfer-encoding: chunked\r\n\r\n0\r\n\r\n{hidden}", head(address, ""));
        assert!(once(address, &chunked).await.1, "one answer, and the end");
    }
}

/// 400 by whoever sees it first; the connection ends in any case.
#[tokio::test]
async fn http_07_malformed_requests_are_refused() {
    let server = TestServer::start().await;
    let address = server.app.address();
    let body = LIST;
    for framing in [
        "content-length: 5\r\ncontent-length: 6\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding: xchunked\r\n",
        "content-length: -1\r\n",
        "content-length: +3\r\n",
        "x: y\r\n folded\r\n",
        "content-length : 3\r\n",
        "x: a\0b\r\n",
        "x\r\n",
    ] {
        let request = format!("{}{framing}\r\n{body}", head(address, ""));
        let (answer, is_ended) = once(address, &request).await;
        assert_eq!(answer.map(|answer| answer.status), Some(400), "{framing:?}");
        assert!(is_ended, "{framing:?}");
    }
    for chunks in ["fffffffffffffffff\r\n{}\r\n0\r\n\r\n", "zz\r\n{}\r\n0\r\n\r\n", "-1\r\n{}\r\n0\r\n\r\n"] {
        let request = format!("{}transfer-encoding: chunked\r\n\r\n{chunks}", head(address, ""));
        refused(address, &request, (400, "bad_body")).await;
    }
    let old = head(address, "transfer-encoding: chunked\r\n\r\n0\r\n\r\n").replace("HTTP/1.1", "HTTP/1.0");
    assert_eq!(once(address, &old).await.0.map(|answer| answer.status), Some(400));
}

#[tokio::test]
async fn http_08_requests_that_proxies_understand_differently_are_refused() {
    let server = TestServer::start().await;
    for address in [server.app.address(), server.app.operations_address()] {
        let get = |target: &str, host: &str| format!("GET {target} HTTP/1.1\r\n{host}\r\n");
        let host = format!("host: {address}\r\n");
        for (request, code) in [
            (get("/livez", &host).replace("\r\n", "\n"), "bad_line"),
            (get("/livez", &host.replace("\r\n", "\n")), "bad_line"),
            (get("/livez", ""), "bad_host"),
            (get("/livez", &host.repeat(2)), "bad_host"),
            (get(&format!("http://{address}/livez"), &host), "bad_target"),
            (get("http://evil.example/livez", &host), "bad_target"),
            (get("*", &host), "bad_target"),
        ] {
            let (answer, _) = once(address, &request).await;
            let answer = answer.unwrap_or_else(|| panic!("no answer to {request:?}"));
            assert_eq!((answer.status, answer.code().as_str()), (400, code), "{request:?}");
        }
        let foreign = get("/health", "host: rebound.evil.example\r\n");
        assert_eq!(once_open(address, &foreign).await.code(), "host_not_allowed");
        let page = get("/health", &format!("{host}origin: https://evil.example\r\n"));
        assert_eq!(once_open(address, &page).await.code(), "origin_not_allowed");
    }
}

/// An answer on a connection that stays open.
async fn once_open(address: SocketAddr, request: &str) -> Answer {
    let mut connection = Connection::open(address).await;
    connection.send(request).await;
    connection.answer().await.unwrap()
}

/// Probes come by the address of a pod or the name of a service; the protocol is told under the server's own names alone.
#[tokio::test]
async fn health_and_figures_are_told_to_neighbours() {
    let server = TestServer::start().await;
    let ask = |path: &str, host: &str| format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n");
    for host in ["10.1.2.3:9090", "10.1.2.3", "[fd00::1]:9090", "reviews:9090", "reviews.tools.svc.cluster.local"] {
        for address in [server.app.address(), server.app.operations_address()] {
            assert_eq!(once_open(address, &ask("/readyz", host)).await.status, 200, "{host}");
        }
        assert_eq!(once_open(server.app.operations_address(), &ask("/metrics", host)).await.status, 200, "{host}");
        let call = raw::post(&format!("host: {host}\r\n"), LIST);
        assert_eq!(raw::status(&raw::exchange(server.app.address(), &call).await), 403, "{host}");
    }
    let simple = "GET /readyz HTTP/1.0\r\n\r\n";
    assert_eq!(once_open(server.app.address(), simple).await.status, 200, "a load balancer without a name");
}

#[tokio::test]
async fn http_09_heads_without_end_are_refused() {
    let server = TestServer::start().await;
    let address = server.app.address();
    let many = "x: y\r\n".repeat(101);
    let large = format!("x: {}\r\n", "y".repeat(600_000));
    for more in [many, large] {
        let (answer, is_ended) = once(address, &format!("{}\r\n", head(address, &more))).await;
        assert_eq!(answer.map(|answer| answer.status), Some(431));
        assert!(is_ended);
    }
    let long = format!("GET /{} HTTP/1.1\r\nhost: {address}\r\n\r\n", "a".repeat(66_000));
    let (answer, _) = once(address, &long).await;
    assert!([414, 431].contains(&answer.unwrap().status));
}

/// Also a client that sends all of it before it reads sees why.
#[tokio::test]
async fn http_10_bodies_beyond_the_limit_are_refused() {
    let server = TestServer::start().await;
    let address = server.app.address();
    let large = "x".repeat(262_145);
    refused(address, &post(address, "", &large), (413, "payload_too_large")).await;
    refused(address, &post(address, "", &"x".repeat(3_000_000)), (413, "payload_too_large")).await;
    let chunks = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    let chunked = format!("{}transfer-encoding: chunked\r\n\r\n{chunks}", head(address, ""));
    refused(address, &chunked, (413, "payload_too_large")).await;
    // At the limit it is read, and is no JSON.
    let (answer, _) = once(address, &post(address, "connection: close\r\n", &large[1..])).await;
    assert_eq!(answer.unwrap().status, 400);
}

#[tokio::test]
async fn http_11_nothing_is_unpacked() {
    let server = TestServer::start().await;
    let address = server.app.address();
    for coding in ["gzip", "br", "identity", "gzip, gzip"] {
        let request = post(address, &format!("content-encoding: {coding}\r\n"), LIST);
        refused(address, &request, (415, "unsupported_encoding")).await;
        let probe = format!("GET /livez HTTP/1.1\r\nhost: {address}\r\ncontent-encoding: {coding}\r\n\r\n");
        assert_eq!(once_open(address, &probe).await.status, 415, "{coding}");
    }
}

#[tokio::test]
async fn http_12_other_versions_of_http_are_not_spoken() {
    let server = TestServer::start().await;
    let address = server.app.address();
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let answer = raw::exchange(address, preface).await;
    assert!(answer.is_empty() || raw::status(&answer) == 400, "{answer:?}");
    let upgrade = "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n";
    let answer = once_open(address, &post(address, upgrade, LIST)).await;
    assert_eq!((answer.status, answer.header("upgrade")), (200, None));
    let socket = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n";
    assert_eq!(once_open(address, &post(address, socket, LIST)).await.status, 200);
}

#[tokio::test]
async fn http_15_health_is_told_at_its_exact_paths_only() {
    let server = TestServer::start().await;
    let address = server.app.address();
    for path in [
        "/mcp/../livez",
        "/livez/../mcp",
        "/livez/",
        "//livez",
        "/./livez",
        "/livez%2f",
        "/%6civez",
        "/livez;x",
        "/livez%00",
        "/LIVEZ",
        "/mcp%2f..%2flivez",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nuser-agent: kube-probe/1.30\r\n\r\n");
        assert_eq!(once_open(address, &request).await.status, 404, "{path}");
    }
    assert_eq!(once_open(address, &get(address, "/livez?x=/mcp")).await.status, 200);
    let probe = post(address, "user-agent: kube-probe/1.30\r\n", "{}");
    assert_eq!(once_open(address, &probe).await.status, 400, "nobody is spared for a name");
}

#[tokio::test]
async fn http_16_headers_that_name_another_request_are_ignored() {
    let server = TestServer::start().await;
    let address = server.app.address();
    let overrides = "x-original-url: /livez\r\nx-rewrite-url: /livez\r\nx-http-method-override: GET\r\n\
                     x-http-method: GET\r\nx-forwarded-host: evil.example\r\nx-forwarded-prefix: /livez\r\n";
    let answer = once_open(address, &post(address, overrides, LIST)).await;
    assert!(answer.status == 200 && answer.body.contains("search_places"), "{answer:?}");
    let request = format!("GET /nothing HTTP/1.1\r\nhost: {address}\r\nx-original-url: /livez\r\n\r\n");
    assert_eq!(once_open(address, &request).await.status, 404);
}

#[tokio::test]
async fn http_17_other_verbs_are_refused() {
    let server = TestServer::start().await;
    for address in [server.app.address(), server.app.operations_address()] {
        for verb in ["TRACE", "PROPFIND", "DELETE", "PUT", "OPTIONS", "FROBNICATE", "get"] {
            let answer = once_open(address, &get(address, "/livez").replacen("GET", verb, 1)).await;
            assert_eq!((answer.status, answer.header("allow")), (405, Some("GET,HEAD")), "{verb}");
        }
        let tunnel = "CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\n\r\n";
        assert_eq!(once_open(address, tunnel).await.status, 405);
    }
    let address = server.app.address();
    let verb = get(address, "/mcp").replacen("GET", "FROBNICATE", 1);
    let answer = once_open(address, &verb).await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
}

/// A client that asks before it sends is told at once, and not asked for what nobody wants.
#[tokio::test]
async fn http_18_a_body_that_is_not_wanted_is_not_asked_for() {
    let server = TestServer::start().await;
    let address = server.app.address();
    let asks = |length: u64, more: &str| {
        let head = head(address, more);
        format!("{head}expect: 100-continue\r\ncontent-length: {length}\r\n\r\n")
    };
    refused(address, &asks(1 << 30, ""), (413, "payload_too_large")).await;
    refused(address, &asks(10, "content-encoding: gzip\r\n"), (415, "unsupported_encoding")).await;
    refused(address, &asks(10, "origin: https://evil.example\r\n"), (403, "origin_not_allowed")).await;
    let other = format!("{}expect: 200-ok\r\ncontent-length: 2\r\n\r\n{{}}", head(address, ""));
    refused(address, &other, (417, "bad_expectation")).await;

    let mut connection = Connection::open(address).await;
    connection.send(&asks(LIST.len() as u64, "")).await;
    assert_eq!(connection.answer().await.unwrap().status, 100);
    connection.send(LIST).await;
    assert_eq!(connection.answer().await.unwrap().status, 200);
}

#[tokio::test]
async fn http_19_requests_in_a_row_get_their_own_answers() {
    let server = TestServer::start().await;
    let address = server.app.address();
    let mut connection = Connection::open(address).await;
    let ping = |id: u32| post(address, "", &PING.replace(":1,", &format!(":{id},")));
    let row: String = (1..=50).map(ping).collect();
    connection.send(&row).await;
    for id in 1..=50 {
        let answer = connection.answer().await.unwrap();
        assert!(answer.body.contains(&format!("\"id\":{id}")), "{answer:?}");
    }
    // Refused after its body was read: the connection goes on.
    connection.send(&post(address, "", "{")).await;
    assert_eq!(connection.answer().await.unwrap().status, 400);
    connection.send(&ping(51)).await;
    assert!(connection.answer().await.unwrap().body.contains("51"));
    // Refused before that: it ends, and what follows is not taken for a request.
    let hidden = ping(52);
    let refusal = post(address, "origin: https://evil.example\r\n", &hidden);
    connection.send(&refusal).await;
    connection.send(&ping(53)).await;
    let answer = connection.answer().await.unwrap();
    assert_eq!((answer.status, answer.header("connection")), (403, Some("close")));
    assert!(connection.is_ended().await);
}

#[tokio::test]
async fn http_21_every_answer_says_what_browsers_must_not_do_with_it() {
    let server = TestServer::builder().set("server.public_url", "https://localhost:18443").start().await;
    let address = server.app.address();
    let call = post(address, "", LIST);
    for (request, is_public) in [
        (call.as_str(), true),
        (&get(address, "/livez"), true),
        (&get(address, "/nothing"), true),
        ("GET / HTTP/1.1\r\nhost: evil.example\r\n\r\n", true),
        (&get(server.app.operations_address(), "/metrics"), false),
    ] {
        let to = if is_public { address } else { server.app.operations_address() };
        let answer = once_open(to, request).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name} of {request:?}");
        }
        let https = answer.header("strict-transport-security");
        assert_eq!(https, is_public.then_some("max-age=31536000"), "{request:?}");
        assert_eq!((answer.header("server"), answer.header("x-powered-by")), (None, None));
    }
    let plain = TestServer::start().await;
    let answer = once_open(plain.app.address(), &get(plain.app.address(), "/livez")).await;
    assert_eq!(answer.header("strict-transport-security"), None, "nothing here is https");
}

#[tokio::test]
async fn http_22_paths_that_hide_something_are_not_found() {
    let server = TestServer::start().await;
    let address = server.app.address();
    for path in ["/%00", "/mcp%0d%0ax:y", "/%c0%af", "/%2Fmcp", "/mcp%2F", "/%", "/%zz", "/mcp%00", "/..%5cmcp"] {
        let (answer, _) =
            once(address, &raw::post(&format!("host: {address}\r\n"), "{}").replacen("/mcp", path, 1)).await;
        let answer = answer.unwrap();
        let is_refused = answer.status == 400 && answer.body.is_empty();
        assert!(is_refused || answer.code() == "not_found", "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn http_23_conditions_and_ranges_are_ignored() {
    let server = TestServer::start().await;
    let address = server.app.address();
    let conditions = "range: bytes=0-1\r\nif-match: \"x\"\r\nif-none-match: *\r\nif-range: \"x\"\r\n\
                      if-modified-since: Fri, 20 Nov 2026 12:00:00 GMT\r\nif-unmodified-since: Thu, 01 Jan 1970 00:00:00 GMT\r\n";
    let answer = once_open(address, &post(address, conditions, LIST)).await;
    assert!(answer.status == 200 && answer.body.contains("search_places"));
    let probe = format!("GET /livez HTTP/1.1\r\nhost: {address}\r\n{conditions}\r\n");
    assert_eq!(once_open(address, &probe).await.body, r#"{"status":"ok"}"#);
}

/// An id that a client brings, as for a session, means nothing, and none is given.
#[tokio::test]
async fn ses_08_there_are_no_sessions_to_take_over_or_to_fill() {
    let server = TestServer::start().await;
    let address = server.app.address();
    let start = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25",
        "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
    for id in ["", "mcp-session-id: 1\r\n", "mcp-session-id: stolen\r\nlast-event-id: 7\r\n"] {
        let answer = once_open(address, &post(address, id, &start.to_string())).await;
        assert_eq!((answer.status, answer.header("mcp-session-id")), (200, None), "{id:?}");
        let answer = once_open(address, &post(address, id, LIST)).await;
        assert_eq!((answer.status, answer.header("mcp-session-id")), (200, None), "{id:?}");
    }
    let stream =
        format!("GET /mcp HTTP/1.1\r\nhost: {address}\r\naccept: text/event-stream\r\nmcp-session-id: 1\r\n\r\n");
    assert_eq!(once_open(address, &stream).await.status, 405, "no stream to resume");
    assert_eq!(once_open(address, &stream.replacen("GET", "DELETE", 1)).await.status, 405);
    assert_eq!(rpc::modern(&server, "tools/list", json!({})).await.status, 200);
}
