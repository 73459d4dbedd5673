//! When Google fails: what is repeated, what is left alone, what is not begun, and what it costs.

use crate::support::{
    BAKERY, TestServer, now,
    proxy::{Mode, Proxy},
    until,
};
use google_reviews_mcp::clock::Clock;
use serde_json::json;
use std::{
    future::pending,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

const BREAKER: &str = "circuit_breaker_state{dependency=\"google_places\"}";

#[tokio::test]
async fn up_01_what_cannot_be_reached_is_told_and_reads_are_repeated() {
    let unreachable = async |url: &str| {
        let server = TestServer::builder().set("google.places_url", url).start().await;
        let failed = server.call("get_place", json!({"place_id": BAKERY})).await;
        assert_eq!(failed.failure()["tier"], json!("dependency"), "{url}");
        assert_eq!(failed.failure()["retryable"], json!(true), "{url}");
        let line = format!(
            "upstream_request_duration_seconds_count{{api=\"places\",endpoint=\"place_details\",outcome=\"{}\"}}",
            failed.code()
        );
        assert_eq!(server.metric(&line).await, 3.0, "{url}: two repetitions");
    };
    let emulator = TestServer::start().await;
    unreachable("http://127.0.0.1:1").await;
    unreachable("https://no-such-host.invalid").await;
    // TLS to a listener that speaks none.
    unreachable(&emulator.emulator.url().replace("http://", "https://")).await;

    let proxy = Proxy::start(emulator.emulator.address()).await;
    let through = TestServer::builder()
        .set("google.places_url", format!("http://{}", proxy.address))
        .set("google.first_byte_timeout", "100ms")
        .start()
        .await;
    through.data("get_place", json!({"place_id": BAKERY})).await;
    proxy.set(Mode::Stall);
    assert_eq!(through.call("get_place", json!({"place_id": BAKERY})).await.code(), "google_timed_out");
    proxy.set(Mode::Cut);
    assert_eq!(through.call("get_place", json!({"place_id": BAKERY})).await.code(), "google_unreachable");
    proxy.set(Mode::Through);
    through.data("get_place", json!({"place_id": BAKERY})).await;
}

#[tokio::test]
async fn a_failure_that_passes_is_not_noticed() {
    for fault in [
        json!({"kind": "error", "name": "internal"}),
        json!({"kind": "error", "name": "unavailable"}),
        json!({"kind": "html", "status": 502}),
        json!({"kind": "reset"}),
    ] {
        let server = TestServer::start().await;
        server.fault_once(fault.clone()).await;
        server.data("get_place", json!({"place_id": BAKERY})).await;
        assert_eq!(server.upstream_requests().await.len(), 2, "{fault}");
    }
}

#[tokio::test]
async fn up_07_what_google_says_to_wait_is_obeyed_within_reason() {
    let later = "Fri, 20 Nov 2026 12:00:20 GMT";
    // The clock stands, so waiting is seen by moving it; a call has 30 s.
    for (header, waits, told) in [
        ("0", Some(0), None),
        ("1", Some(1), None),
        (later, Some(20), None),
        ("Fri, 20 Nov 2026 11:00:00 GMT", Some(0), None),
        ("30", None, Some(30)),
        ("86400", None, Some(86_400)),
        ("-5", None, Some(60)),
        ("1e9", None, Some(60)),
        ("soon", None, Some(60)),
    ] {
        let clock = Clock::manual(now());
        let server = TestServer::builder().clock(clock.clone()).start().await;
        server.fault_once(json!({"kind": "error", "name": "quota_per_minute", "retry_after": header})).await;
        let mut call = Box::pin(server.call("get_place", json!({"place_id": BAKERY})));
        // Where it waits, it does so from the moment in which the first try is counted.
        let waiting = async {
            let Some(seconds) = waits else { return pending().await };
            let counted = "upstream_request_duration_seconds_count";
            until("the first try is over", async || server.operations("/metrics").await.1.contains(counted)).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            Duration::from_secs(seconds)
        };
        let result = tokio::select! {
            biased;
            result = &mut call => {
                assert!(matches!(waits, None | Some(0)), "{header}: it did not wait");
                result
            }
            waiting = waiting => {
                clock.advance(waiting);
                call.await
            }
        };
        match told {
            None => assert_eq!(result.0["isError"], json!(false), "{header}: {}", result.0),
            Some(seconds) => {
                assert_eq!(result.failure()["retry_after_seconds"], json!(seconds), "{header}");
                assert_eq!(server.upstream_requests().await.len(), 1, "{header}");
            }
        }
    }
}

#[tokio::test]
async fn up_09_after_five_failures_google_is_left_alone_and_then_probed_once() {
    let clock = Clock::manual(now());
    let server = TestServer::builder().set("google.retries", "0").clock(clock.clone()).start().await;
    server.fault(json!({"kind": "error", "name": "unavailable"})).await;
    for _ in 0..5 {
        assert_eq!(server.call("get_place", json!({"place_id": BAKERY})).await.code(), "google_unavailable");
    }

    let refused = server.call("get_place", json!({"place_id": BAKERY})).await;
    assert_eq!(refused.code(), "google_circuit_open");
    assert_eq!(refused.failure()["status"], json!(503));
    assert_eq!(refused.failure()["retry_after_seconds"], json!(30));
    assert_eq!(server.upstream_requests().await.len(), 5);
    assert_eq!(server.metric(BREAKER).await, 2.0);

    clock.advance(Duration::from_secs(30));
    assert_eq!(server.metric(BREAKER).await, 1.0);
    assert_eq!(server.call("get_place", json!({"place_id": BAKERY})).await.code(), "google_unavailable");
    let again = server.call("get_place", json!({"place_id": BAKERY})).await;
    assert_eq!(again.failure()["retry_after_seconds"], json!(60), "twice as long");
    assert_eq!(server.upstream_requests().await.len(), 6);
    server.clear_faults().await;
    clock.advance(Duration::from_mins(1));
    server.data("get_place", json!({"place_id": BAKERY})).await;
    assert_eq!(server.metric(BREAKER).await, 0.0);
}

#[tokio::test]
async fn up_10_one_endpoint_that_fails_leaves_the_other_alone() {
    let server = TestServer::builder().set("google.retries", "0").start().await;
    let url = format!("{}/_emulator/faults", server.emulator.url());
    let fault = json!({"fault": {"kind": "error", "name": "unavailable"}, "endpoint": "place_details"});
    server.http.post(url).json(&fault).send().await.unwrap();
    for _ in 0..6 {
        server.call("get_place", json!({"place_id": BAKERY})).await;
    }
    assert_eq!(server.call("get_place", json!({"place_id": BAKERY})).await.code(), "google_circuit_open");
    server.data("search_places", json!({"query": "bakery"})).await;
}

#[tokio::test]
async fn faults_of_callers_and_operators_open_nothing() {
    let server = TestServer::start().await;
    for name in ["permission_denied", "quota_per_minute", "quota_per_day", "key_invalid"] {
        server.fault(json!({"kind": "error", "name": name})).await;
        for _ in 0..8 {
            server.call("get_place", json!({"place_id": BAKERY})).await;
        }
        server.clear_faults().await;
    }
    for _ in 0..8 {
        server.call("get_place", json!({"place_id": "ChIJdemo_obsolete_place_001"})).await;
    }
    assert_eq!(server.metric(BREAKER).await, 0.0);
    server.data("get_place", json!({"place_id": BAKERY})).await;
}

/// Ten minutes in which Google fails every other second, and ten in which it fails too rarely to be left alone.
#[tokio::test]
async fn up_11_an_upstream_that_flaps_is_not_flooded() {
    for fails in [|second: u32| second.is_multiple_of(2), |second: u32| second % 5 < 2] {
        let clock = Clock::manual(now());
        let server = TestServer::builder().set("google.retry_first_wait", "0").clock(clock.clone()).start().await;
        let mut needed = 0_u32;
        for second in 0..600 {
            if fails(second) {
                server.fault(json!({"kind": "error", "name": "unavailable"})).await;
            }
            let result = server.call("get_place", json!({"place_id": BAKERY})).await;
            let was_refused = result.0["_meta"]["google-reviews/error"]["code"] == json!("google_circuit_open");
            needed += u32::from(!was_refused);
            server.clear_faults().await;
            clock.advance(Duration::from_secs(1));
        }
        let made = u32::try_from(server.upstream_requests().await.len()).unwrap();
        assert!(needed > 100 && made * 5 <= needed * 6, "{made} requests for {needed} needed calls");
    }
}

#[tokio::test]
async fn up_13_the_time_of_day_does_not_move_the_breaker() {
    let clock = Clock::manual(now());
    let server = TestServer::builder().set("google.retries", "0").clock(clock.clone()).start().await;
    server.fault(json!({"kind": "error", "name": "unavailable"})).await;
    for _ in 0..5 {
        server.call("get_place", json!({"place_id": BAKERY})).await;
    }
    server.clear_faults().await;
    for jump in ["2026-11-20T11:00:00Z", "2026-11-20T13:00:00Z"] {
        clock.set_time_of_day(jump.parse().unwrap());
        let refused = server.call("get_place", json!({"place_id": BAKERY})).await;
        assert_eq!(refused.failure()["retry_after_seconds"], json!(30), "{jump}");
    }
    clock.advance(Duration::from_secs(30));
    server.data("get_place", json!({"place_id": BAKERY})).await;
}

/// Answers each connection with these bytes and closes it; returns its address and what it was sent.
async fn raw_google(answer: &'static str) -> (String, std::sync::Arc<std::sync::Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = std::sync::Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 8192];
            let length = stream.read(&mut request).await.unwrap_or(0);
            log.lock().unwrap().push(String::from_utf8_lossy(&request[..length]).into_owned());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (url, seen)
}

#[tokio::test]
async fn up_16_unusual_forms_of_http_are_handled() {
    const PLACE: &str = r#"{"id":"ChIJdemo_moonlit_bakery_001"}"#;
    for (answer, code) in [
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 36\r\n\r\n{\"id\":\"ChIJdemo_moonlit_bakery_001\"}",
            None,
        ),
        ("HTTP/1.0 200 OK\r\n\r\n{\"id\":\"ChIJdemo_moonlit_bakery_001\"}", None),
        ("HTTP/1.1 204 No Content\r\n\r\n", Some("google_format_changed")),
        ("HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{}", Some("google_unreachable")),
        ("nonsense\r\n\r\n", Some("google_unreachable")),
        ("", Some("google_unreachable")),
    ] {
        assert!(PLACE.len() == 36);
        let (url, _) = raw_google(answer).await;
        let server = TestServer::builder().set("google.places_url", url).start().await;
        let result = server.call("get_place", json!({"place_id": BAKERY})).await;
        match code {
            None => assert_eq!(result.0["isError"], json!(false), "{answer}: {}", result.0),
            Some(code) => assert_eq!(result.code(), code, "{answer}"),
        }
    }
}

#[tokio::test]
async fn up_19_cookies_and_upgrades_of_google_are_ignored() {
    let (url, seen) = raw_google(
        "HTTP/1.1 200 OK\r\nset-cookie: session=1\r\nupgrade: h2c\r\nconnection: close\r\ncontent-length: 36\r\n\r\n{\"id\":\"ChIJdemo_moonlit_bakery_001\"}",
    )
    .await;
    let server = TestServer::builder().set("google.places_url", url).start().await;
    for _ in 0..2 {
        server.data("get_place", json!({"place_id": BAKERY})).await;
    }
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    assert!(!seen[1].to_lowercase().contains("cookie") && !seen[1].to_lowercase().contains("upgrade"));
}

#[tokio::test]
async fn up_18_a_spent_budget_is_told_and_nothing_is_asked() {
    let clock = Clock::manual(now());
    let server = TestServer::builder().set("google.daily_budget_usd", "0.06").clock(clock.clone()).start().await;
    server.data("get_place", json!({"place_id": BAKERY})).await;
    server.data("search_places", json!({"query": "bakery"})).await;
    assert_eq!(server.metric("upstream_budget_used_ratio").await, 1.0);

    let refused = server.call("get_place", json!({"place_id": BAKERY})).await;

    assert_eq!(refused.code(), "budget_exhausted");
    assert_eq!((&refused.failure()["tier"], &refused.failure()["status"]), (&json!("dependency"), &json!(503)));
    assert_eq!(refused.failure()["retry_after_seconds"], json!(20 * 3_600));
    assert!(refused.text().starts_with("Do not retry for 20 hours: today's budget"), "{}", refused.text());
    assert_eq!(server.upstream_requests().await.len(), 2);
    clock.advance(Duration::from_hours(20));
    server.data("get_place", json!({"place_id": BAKERY})).await;
}

/// A quota or a key says nothing about whether Google works: it neither opens nor closes.
#[tokio::test]
async fn quotas_do_not_interrupt_a_row_of_failures() {
    let server = TestServer::builder().set("google.retries", "0").start().await;
    for name in ["internal", "internal", "quota_per_minute", "internal", "permission_denied", "internal", "internal"] {
        server.fault(json!({"kind": "error", "name": name})).await;
        server.call("get_place", json!({"place_id": BAKERY})).await;
        server.clear_faults().await;
    }
    assert_eq!(server.metric(BREAKER).await, 2.0);
}

/// A probe is one request.
#[tokio::test]
async fn a_probe_is_not_repeated() {
    let clock = Clock::manual(now());
    let server = TestServer::builder().set("google.retry_first_wait", "0").clock(clock.clone()).start().await;
    server.fault(json!({"kind": "error", "name": "unavailable"})).await;
    for _ in 0..6 {
        server.call("get_place", json!({"place_id": BAKERY})).await;
    }
    let before = server.upstream_requests().await.len();
    clock.advance(Duration::from_secs(30));
    server.call("get_place", json!({"place_id": BAKERY})).await;
    assert_eq!(server.upstream_requests().await.len(), before + 1);
}

/// Who hangs up has spent the money all the same.
#[tokio::test]
async fn calls_that_are_called_off_after_they_were_billed_are_counted() {
    let server = TestServer::builder().set("google.daily_budget_usd", "0.03").start().await;
    server.fault(json!({"kind": "slow_body", "bytes_per_second": 50})).await;
    let billed = async {
        while server.metric("upstream_cost_usd_total{sku=\"place_details_enterprise_atmosphere\"}").await < 0.02 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = server.call("get_place", json!({"place_id": BAKERY})) => panic!("answered"),
        () = billed => {}
    }
    while server.metric(r#"mcp_tool_calls_total{status="cancelled",tool="get_place"}"#).await < 1.0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.clear_faults().await;
    assert_eq!(server.call("get_place", json!({"place_id": BAKERY})).await.code(), "budget_exhausted");
}

/// What Google does not bill is given back.
#[tokio::test]
async fn failures_cost_nothing() {
    let server = TestServer::builder().set("google.daily_budget_usd", "0.03").set("google.retries", "0").start().await;
    server.fault(json!({"kind": "error", "name": "permission_denied"})).await;
    for _ in 0..4 {
        assert_eq!(server.call("get_place", json!({"place_id": BAKERY})).await.code(), "google_permission_denied");
    }
    server.clear_faults().await;
    server.data("get_place", json!({"place_id": BAKERY})).await;
}

#[tokio::test]
async fn more_than_can_be_under_way_is_refused_at_once() {
    let server = TestServer::builder().set("google.max_under_way", "1").set("google.max_queue", "0").start().await;
    server.fault(json!({"kind": "latency", "milliseconds": 60_000})).await;
    let refused = async {
        until("one is under way", async || !server.upstream_requests().await.is_empty()).await;
        server.call("search_places", json!({"query": "bakery"})).await
    };
    let refused = tokio::select! {
        _ = server.call("get_place", json!({"place_id": BAKERY})) => panic!("answered"),
        refused = refused => refused,
    };
    assert_eq!(refused.code(), "overloaded");
    assert_eq!(refused.failure()["retry_after_seconds"], json!(2));
    // Whoever hangs up makes room.
    server.clear_faults().await;
    until("there is room", async || {
        server.call("search_places", json!({"query": "bakery"})).await.0["isError"] == json!(false)
    })
    .await;
}

/// Repetitions end with the call's own time.
#[tokio::test]
async fn no_attempt_is_begun_that_cannot_end() {
    let server =
        TestServer::builder().set("server.tool_timeout", "5s").set("google.first_byte_timeout", "3500ms").start().await;
    server.fault(json!({"kind": "latency", "milliseconds": 60_000})).await;
    let started = Instant::now();
    let failed = server.call("get_place", json!({"place_id": BAKERY})).await;
    assert_eq!(failed.code(), "google_timed_out", "{:?}", started.elapsed());
    assert_eq!(server.upstream_requests().await.len(), 1);
}
