//! What operators see, under callers who try to bend it: no secret, no text of a caller or a database, no series and no
//! log line that somebody outside could make.

use crate::support::{BAKERY, SECRET_KEY, TestServer, binary::Serving, database::both, now, raw, rpc};
use futures_util::future::join_all;
use google_reviews_mcp::{
    clock::Clock,
    config::{self, Sources},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

#[test]
fn leak_04_settings_do_not_show_their_secrets() {
    let secrets = [
        ("google.api_key", "AIza-canary-key"),
        ("cache.redis_url", "redis://user:canary-redis@127.0.0.1:6379"),
        ("store.url", "postgres://user:canary-database@127.0.0.1/x"),
        ("server.secret_key", SECRET_KEY),
    ];
    let sources = secrets.iter().fold(Sources::default(), |sources, (key, value)| sources.with(key, *value));
    let loaded = config::load(&sources).unwrap();
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    let shown = format!("{:?}\n{}", loaded.config, loaded.effective);
    for (key, secret) in secrets {
        assert!(!shown.contains(secret) && !shown.contains("canary"), "{key} is in {shown}");
    }
    assert!(shown.matches("REDACTED").count() >= 8, "{shown}");
}

/// What a caller sends along is not passed on to Google.
#[tokio::test]
async fn leak_07_headers_of_callers_do_not_reach_google() {
    let server = TestServer::start().await;
    let request = server
        .http
        .post(server.app.endpoint())
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-11-25")
        .header("baggage", "user=canary")
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .header("tracestate", "canary=".to_owned() + &"x".repeat(8_000))
        .header("cookie", "session=canary")
        .header("x-forwarded-for", "203.0.113.9")
        .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": "get_place", "arguments": {"place_id": BAKERY}}}));
    assert_eq!(rpc::send(request).await.status, 200);
    let asked = server.upstream_requests().await;
    let names: BTreeSet<String> = asked[0]["headers"].as_object().unwrap().keys().cloned().collect();
    let ours = ["accept", "accept-encoding", "host", "user-agent", "x-goog-api-key", "x-goog-fieldmask"];
    assert_eq!(names, ours.map(str::to_owned).into());
}

/// Whatever is sent, the log is one JSON object a line, without control characters and without the caller's words.
#[tokio::test]
async fn leak_09_nobody_outside_can_write_log_lines() {
    let google = TestServer::start().await;
    let serving =
        Serving::start(&[("REVIEWS__GOOGLE__PLACES_URL", &google.emulator.url()), ("GOOGLE_MAPS_API_KEY", "demo-key")]);
    let forged = "canary\n{\"level\":\"ERROR\",\"message\":\"forged\"}\u{1b}[31m";
    for (tool, arguments) in [
        (forged, json!({})),
        ("get_place", json!({"place_id": forged})),
        ("search_places", json!({"query": forged})),
        ("get_place", json!({"place_id": BAKERY, forged: 1})),
        ("create_report", json!({"place_ids": [forged], "title": forged, "request_id": forged})),
        ("get_report", json!({"report_id": forged})),
    ] {
        let _ = rpc::call(&serving.endpoint, tool, arguments).await;
    }
    let address = serving.endpoint.trim_start_matches("http://").trim_end_matches("/mcp").parse().unwrap();
    let head = "POST /mcp HTTP/1.1\r\nhost: x\r\nuser-agent: canary\x1b[31m\r\nx-request-id: canary\r\ncontent-length: 2\r\n\r\n{}";
    let _ = raw::exchange(address, head).await;
    let (log, _) = tokio::task::spawn_blocking(move || serving.stop()).await.unwrap();
    assert!(log.lines().count() >= 5, "{log}");
    for line in log.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object()), "{line}");
    }
    assert!(
        !log.contains("canary") && !log.contains("forged") && !log.contains('\u{1b}') && !log.contains("u001b"),
        "{log}"
    );
}

/// A database that quotes what it refuses is not quoted in turn.
#[tokio::test]
async fn leak_10_words_of_the_database_reach_neither_callers_nor_the_log() {
    let google = TestServer::start().await;
    for database in both().await {
        let serving = Serving::on(&database, &google.emulator.url(), &[]);
        match &database {
            crate::support::database::Database::Sqlite(_) => {
                let trigger =
                    "CREATE TRIGGER quote BEFORE INSERT ON reports BEGIN SELECT RAISE(ABORT, 'canary words'); END";
                database.run(trigger).await;
            }
            crate::support::database::Database::Postgres(_) => {
                let function = "CREATE FUNCTION quote() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN RAISE EXCEPTION 'no room for %', NEW.title; END $$";
                database.run(function).await;
                database
                    .run("CREATE TRIGGER quote BEFORE INSERT ON reports FOR EACH ROW EXECUTE FUNCTION quote()")
                    .await;
            }
        }
        let call = json!({"place_ids": [BAKERY], "title": "canary words", "request_id": "one"});
        let refused = serving.call("create_report", call).await.unwrap();
        assert_eq!(refused.code(), "internal", "{}", database.name());
        assert!(!refused.text().contains("canary"), "{}", refused.text());
        let (log, _) = tokio::task::spawn_blocking(move || serving.stop()).await.unwrap();
        assert!(log.contains("the database refused a statement"), "{log}");
        assert!(!log.contains("canary") && !log.to_lowercase().contains("insert into"), "{log}");
    }
}

/// The lines of the metrics page that are figures.
async fn series(server: &TestServer) -> usize {
    let (_, page) = server.operations("/metrics").await;
    page.lines().filter(|line| !line.starts_with('#')).count()
}

#[tokio::test]
async fn met_01_what_callers_send_makes_no_series() {
    let server = TestServer::start().await;
    let send = async |number: usize| {
        let place = format!("ChIJdemo_place_{number:05}");
        server.call("get_place", json!({"place_id": place})).await;
        server.call("get_report", json!({"report_id": format!("00000000-0000-7000-8000-{number:012}")})).await;
        rpc::modern(&server, "tools/call", json!({"name": format!("tool_{number}"), "arguments": {}})).await;
        rpc::modern(&server, &format!("method/{number}"), json!({})).await;
        rpc::modern(&server, "resources/read", json!({"uri": format!("report://{number}")})).await;
        let url = format!("http://{}/path/{number}?q={number}", server.app.address());
        server.http.get(url).header("user-agent", number.to_string()).send().await.unwrap();
    };
    send(0).await;
    let first = series(&server).await;
    for number in 1..200 {
        send(number).await;
    }
    assert_eq!(series(&server).await, first);
}

#[tokio::test]
async fn met_03_histograms_add_up_after_many_calls_at_once() {
    let server = TestServer::start().await;
    join_all((0..100).map(|_| server.call("get_place", json!({"place_id": BAKERY})))).await;
    let (_, page) = server.operations("/metrics").await;
    let prefix = "mcp_tool_duration_seconds_bucket{tool=\"get_place\",le=\"";
    let buckets: Vec<f64> =
        page.lines().filter_map(|line| line.strip_prefix(prefix)?.split(' ').next_back()?.parse().ok()).collect();
    assert!(buckets.len() > 10 && buckets.is_sorted(), "{buckets:?}");
    assert_eq!(buckets.last(), Some(&100.0));
    assert_eq!(server.metric("mcp_tool_duration_seconds_count{tool=\"get_place\"}").await, 100.0);
    assert_eq!(server.metric("mcp_tool_calls_total{status=\"ok\",tool=\"get_place\"}").await, 100.0);
}

/// Somebody sets the machine's clock back: nothing that is over comes back, and nothing stalls.
#[tokio::test]
async fn res_24_a_clock_that_jumps_back_revives_nothing() {
    for database in both().await {
        let clock = Clock::manual(now());
        let server = database.server().clock(clock.clone()).set("cache.places_content_ttl", "60s").start().await;
        let call = json!({"place_ids": [BAKERY], "title": "x", "request_id": "one"});
        let first = server.data("create_report", call.clone()).await;
        clock.set_time_of_day(now() - Duration::from_hours(1));
        let again = server.data("create_report", call).await;
        assert_eq!(
            (&again["report_id"], &again["replayed"]),
            (&first["report_id"], &json!(true)),
            "{}",
            database.name()
        );
        // What is kept for a minute is kept for a minute, whatever the time of day says.
        let asked = server.upstream_requests().await.len();
        server.data("get_place", json!({"place_id": BAKERY})).await;
        assert_eq!(server.upstream_requests().await.len(), asked);
        clock.advance(Duration::from_secs(61));
        server.data("get_place", json!({"place_id": BAKERY})).await;
        assert_eq!(server.upstream_requests().await.len(), asked + 1);
    }
}

/// A name that cannot be resolved costs a moment, and is told.
#[tokio::test]
async fn res_30_a_name_that_cannot_be_resolved_ends_in_time() {
    let server = TestServer::builder()
        .set("google.places_url", "https://places.invalid")
        .set("google.retries", "0")
        .start()
        .await;
    let failed = server.call("get_place", json!({"place_id": BAKERY})).await;
    assert!(["google_unreachable", "google_timed_out"].contains(&failed.code().as_str()), "{}", failed.text());
    assert_eq!(server.operations("/livez").await.0, 200);
}
