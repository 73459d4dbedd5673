//! The end of the process: what it says, in which order, what it finishes, and how long it takes.

use crate::support::{
    BAKERY, TestServer,
    binary::{Serving, program},
    raw::Connection,
    rpc, until,
};
use axum::{Router, body::Body, routing::get};
use futures_util::{StreamExt as _, future::join_all, stream};
use google_reviews_mcp::http::{Deadlines, Terms, listen};
use serde_json::{Value, json};
use std::{
    io::Read as _,
    os::unix::process::ExitStatusExt as _,
    process::{Child, Stdio},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// A server whose Google takes so long for each answer.
async fn serving(google: &TestServer, milliseconds: u64, settings: &[(&str, &str)]) -> Serving {
    google.fault(json!({"kind": "latency", "milliseconds": milliseconds})).await;
    let url = google.emulator.url();
    let ours = [("REVIEWS__GOOGLE__PLACES_URL", url.as_str()), ("REVIEWS__GOOGLE__API_KEY", "demo-key")];
    Serving::start(&[&ours, settings].concat())
}

async fn calls_under_way(google: &TestServer, number: usize) {
    until("the calls are under way", async || google.upstream_requests().await.len() >= number).await;
}

/// Waits for the end, which must come, and gives the exit code.
async fn code(mut serving: Serving) -> (Option<i32>, String) {
    tokio::task::spawn_blocking(move || {
        let log = serving.rest();
        (serving.child.wait().unwrap().code(), log)
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn life_02_calls_under_way_finish_and_new_ones_are_refused() {
    let google = TestServer::start().await;
    let serving = serving(&google, 1_500, &[("REVIEWS__CACHE__PLACES_CONTENT_TTL", "0")]).await;
    let (endpoint, address) = (serving.endpoint.clone(), serving.address());
    // Different languages, so that each asks Google.
    let languages = ["en", "de", "fr", "es", "it", "nl", "pt", "ja", "pl", "sv"];
    let calls = join_all(languages.map(|language| {
        let arguments = json!({"place_id": BAKERY, "language": language});
        let endpoint = &endpoint;
        async move { rpc::call(endpoint, "get_place", arguments).await }
    }));
    let stop = async {
        calls_under_way(&google, languages.len()).await;
        serving.signal("-TERM");
        until("no connection is taken any more", async || Connection::try_open(address).await.is_err()).await;
    };
    let (answers, ()) = tokio::join!(calls, stop);
    for answer in answers {
        answer.expect("an answer").data();
    }
    let (code, log) = code(serving).await;
    assert_eq!(code, Some(0), "{log}");
}

/// This server has no answers without end yet; what ends them is there all the same.
#[tokio::test]
async fn life_03_answers_without_end_come_to_one_after_all_calls() {
    let streams = CancellationToken::new();
    let (ended, slow) = (streams.clone(), streams.clone());
    let without_end = move || {
        let ended = ended.clone();
        let beats = stream::repeat("beat\n").then(|beat| async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            Ok::<_, std::io::Error>(beat)
        });
        async move { Body::from_stream(beats.take_until(ended.cancelled_owned())) }
    };
    let call = move || {
        let slow = slow.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(500)).await;
            slow.is_cancelled().to_string()
        }
    };
    let routes = Router::new().route("/stream", get(without_end)).route("/call", get(call));
    let long = Duration::from_mins(1);
    let deadlines = Deadlines { header: long, body: long, write: long };
    let terms = Terms { deadlines, connections: 10, connections_per_address: 10, exempt: Vec::new() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listening = listen(listener, routes, terms, CancellationToken::new());

    let url = move |path: &str| format!("http://{address}{path}");
    let stream = reqwest::get(url("/stream")).await.unwrap();
    let called = tokio::spawn(async move { reqwest::get(url("/call")).await.unwrap().text().await.unwrap() });
    tokio::time::sleep(Duration::from_millis(100)).await;

    assert!(listening.stop(long, &streams).await, "nothing is cut off");
    assert_eq!(called.await.unwrap(), "false", "the call had its answer before streams were ended");
    assert!(stream.text().await.unwrap().ends_with("beat\n"), "a whole body, to its last chunk");
}

#[tokio::test]
async fn life_04_a_request_that_does_not_arrive_is_not_waited_for_longer_than_the_drain() {
    let google = TestServer::start().await;
    let serving =
        serving(&google, 0, &[("REVIEWS__SERVER__DRAIN_TIMEOUT", "500ms"), ("REVIEWS__SERVER__BODY_TIMEOUT", "2m")])
            .await;
    let address = serving.address();
    let mut slow = Connection::open(address).await;
    slow.send(&format!(
        "POST /mcp HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{{"
    ))
    .await;
    // The head has been read when another request on a later connection has.
    serving.call("get_place", json!({"place_id": BAKERY})).await.unwrap();
    serving.signal("-TERM");
    let asked = Instant::now();
    let (code, log) = code(serving).await;
    assert!(code == Some(1) && log.contains("cut off"), "{code:?} {log}");
    assert!(asked.elapsed() < Duration::from_secs(30), "long before the body's own deadline");
}

/// Connections on which nothing is asked hold up nobody, also where a head has only begun.
#[tokio::test]
async fn life_01_idle_and_half_begun_connections_do_not_delay_the_end() {
    let google = TestServer::start().await;
    let serving = serving(&google, 0, &[("REVIEWS__SERVER__HEADER_TIMEOUT", "2m")]).await;
    let address = serving.address();
    let mut crowd = Vec::new();
    for sent in ["", "GET /li", "GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"] {
        let mut connection = Connection::open(address).await;
        connection.send(sent).await;
        crowd.push(connection);
    }
    assert_eq!(crowd[2].answer().await.unwrap().status, 200);
    serving.signal("-TERM");
    let asked = Instant::now();
    let (code, log) = code(serving).await;
    assert_eq!(code, Some(0), "{log}");
    assert!(asked.elapsed() < Duration::from_secs(15), "long before the time to drain is over");
}

#[tokio::test]
async fn life_05_a_second_signal_ends_the_process_at_once() {
    let google = TestServer::start().await;
    for signal in ["-TERM", "-INT"] {
        let before = google.upstream_requests().await.len();
        let serving = serving(&google, 60_000, &[("REVIEWS__SERVER__STOP_DELAY", "1m")]).await;
        let endpoint = serving.endpoint.clone();
        let call = tokio::spawn(async move { rpc::call(&endpoint, "get_place", json!({"place_id": BAKERY})).await });
        calls_under_way(&google, before + 1).await;
        serving.signal("-TERM");
        let ready = format!("http://{}/readyz", serving.address());
        until("it is stopping", async || reqwest::get(&ready).await.unwrap().status() == 503).await;
        serving.signal(signal);
        let asked = Instant::now();
        let (code, log) = code(serving).await;
        assert_eq!(code, Some(130), "{log}");
        assert!(asked.elapsed() < Duration::from_secs(15), "at once, not after the delay");
        assert!(call.await.unwrap().is_err());
    }
}

/// A start that may be broken off at any moment.
fn starting(folder: &std::path::Path, url: &str) -> Child {
    let mut command = program();
    command.args(["serve"]).stderr(Stdio::piped()).env("REVIEWS__STORE__DATA_DIR", folder);
    command.env("REVIEWS__STORE__URL", url).env("REVIEWS__SERVER__SECRET_KEY", crate::support::SECRET_KEY);
    command.envs(crate::support::ANY_PORTS).env("REVIEWS__HEALTH__INTERVAL", "0").spawn().unwrap()
}

fn terminate(mut child: Child) -> (std::process::ExitStatus, String) {
    assert!(std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    (child.wait().unwrap(), log)
}

/// At whatever moment it comes, the start ends cleanly, and the next one finds everything in order.
#[tokio::test]
async fn life_06_a_start_can_be_broken_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    tokio::task::spawn_blocking(move || {
        for round in 0..12_u64 {
            let child = starting(&path, "");
            std::thread::sleep(Duration::from_millis(round * 7));
            let (status, log) = terminate(child);
            // Before it listens for signals nothing has begun, and it ends as any program does.
            assert!(status.code() == Some(0) || status.signal() == Some(15), "{round}: {status} {log}");
        }
    })
    .await
    .unwrap();
    let serving = Serving::start(&[("REVIEWS__STORE__DATA_DIR", folder.path().to_str().unwrap())]);
    assert!(serving.call("get_report", json!({"report_id": "x"})).await.is_ok());

    // While it waits for a database that takes the connection and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://u:p@{}/d", silent.local_addr().unwrap());
    let child = starting(folder.path(), &url);
    let _taken = silent.accept().await.unwrap();
    let asked = Instant::now();
    let (status, log) = tokio::task::spawn_blocking(move || terminate(child)).await.unwrap();
    assert!(status.code() == Some(0) && log.contains("asked to before it served"), "{status} {log}");
    assert!(asked.elapsed() < Duration::from_secs(20), "it does not wait for the database");
}

/// Whoever balances load sees that no more should come while connections are still taken.
#[tokio::test]
async fn life_07_it_says_that_it_leaves_before_it_takes_no_more_connections() {
    let google = TestServer::start().await;
    let serving = serving(&google, 0, &[("REVIEWS__SERVER__STOP_DELAY", "3s")]).await;
    let (address, operations) = (serving.address(), serving.operations.clone());
    let request = format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let mut kept = Connection::open(address).await;
    kept.send(&request).await;
    let answer = kept.answer().await.unwrap();
    assert_eq!((answer.status, answer.header("connection")), (200, None));

    serving.signal("-TERM");
    let ready = format!("{operations}/readyz");
    until("it says that it stops", async || reqwest::get(&ready).await.unwrap().status() == 503).await;
    kept.send(&request).await;
    let answer = kept.answer().await.unwrap();
    assert_eq!((answer.status, answer.header("connection")), (503, Some("close")));
    let mut new = Connection::open(address).await;
    new.send(&request).await;
    assert_eq!(new.answer().await.unwrap().status, 503, "taken, and told");
    // Calls are still answered: the balancer may not have noticed yet.
    serving.call("get_place", json!({"place_id": BAKERY})).await.unwrap().data();
    until("no connection is taken any more", async || Connection::try_open(address).await.is_err()).await;

    let (code, log) = code(serving).await;
    let said = |what: &str| {
        let line = |line: &str| serde_json::from_str::<Value>(line).is_ok_and(|line| line["message"] == what);
        log.lines().position(line).unwrap_or_else(|| panic!("{what} is not in {log}"))
    };
    let leaves = said("stopping: /readyz says so, and answers close their connections");
    assert!(leaves < said("stopping: no new connections; calls under way may finish"));
    assert_eq!(code, Some(0));
}
