//! What is kept, for how long, for whom, and that many who ask for the same cause one request.

use crate::support::{
    BAKERY, TestServer, now,
    redis::{LentRedis, RedisServer},
    rpc,
};
use deadpool_redis::redis::cmd;
use futures_util::future::join_all;
use google_reviews_mcp::{
    cache::{Cache, Class, Key, Lifetimes, Settings},
    clock::{Clock, Deadline},
    model::{Code, Failure},
    tasks::Tasks,
    telemetry::Metrics,
};
use serde_json::json;
use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

async fn caching() -> TestServer {
    TestServer::builder().set("cache.places_content_ttl", "60s").set("cache.missing_place_ttl", "60s").start().await
}

#[tokio::test]
async fn the_same_question_within_a_minute_is_asked_once() {
    let server = caching().await;
    let first = server.data("get_reviews", json!({"place_id": BAKERY})).await;
    let second = server.data("get_reviews", json!({"place_id": BAKERY})).await;
    assert_eq!(first, second, "also the time at which Google was asked");
    // Reviews come with the place, so whoever asks for both pays once.
    server.data("get_place", json!({"place_id": BAKERY})).await;
    server.data("get_reviews", json!({"place_id": BAKERY, "max_rating": 3, "response_format": "detailed"})).await;
    server.data("search_places", json!({"query": "bakery"})).await;
    server.data("search_places", json!({"query": " bakery "})).await;
    assert_eq!(server.upstream_requests().await.len(), 2);
    assert_eq!(server.metric(r#"cache_requests_total{outcome="hit",tier="memory"}"#).await, 4.0);
}

#[tokio::test]
async fn with_a_lifetime_of_zero_every_question_is_asked() {
    let server = TestServer::start().await;
    server.data("get_reviews", json!({"place_id": BAKERY})).await;
    server.data("get_reviews", json!({"place_id": BAKERY})).await;
    assert_eq!(server.upstream_requests().await.len(), 2);
}

#[tokio::test]
async fn content_is_forgotten_after_its_lifetime() {
    let clock = Clock::manual(now());
    let server = TestServer::builder().set("cache.places_content_ttl", "60s").clock(clock.clone()).start().await;
    server.data("get_place", json!({"place_id": BAKERY})).await;
    clock.advance(Duration::from_secs(59));
    server.data("get_place", json!({"place_id": BAKERY})).await;
    assert_eq!(server.upstream_requests().await.len(), 1);
    clock.advance(Duration::from_secs(1));
    server.data("get_place", json!({"place_id": BAKERY})).await;
    assert_eq!(server.upstream_requests().await.len(), 2);
}

#[tokio::test]
async fn cache_05_failures_are_not_kept_and_a_missing_place_is_briefly() {
    let server = caching().await;
    for (fault, code) in [
        (json!({"kind": "error", "name": "internal"}), "google_unavailable"),
        (json!({"kind": "error", "name": "permission_denied"}), "google_permission_denied"),
        (json!({"kind": "error", "name": "quota_per_minute"}), "google_quota_minute"),
        (json!({"kind": "truncated"}), "google_format_changed"),
        (json!({"kind": "mistyped_field", "path": "rating"}), "google_format_changed"),
    ] {
        server.fault(fault).await;
        assert_eq!(server.call("get_place", json!({"place_id": BAKERY})).await.code(), code);
        server.clear_faults().await;
    }
    let before = server.upstream_requests().await.len();
    server.data("get_place", json!({"place_id": BAKERY})).await;
    assert_eq!(server.upstream_requests().await.len(), before + 1);
    for _ in 0..3 {
        let gone = server.call("get_place", json!({"place_id": "ChIJdemo_obsolete_place_001"})).await;
        assert_eq!(gone.code(), "place_not_found");
    }
    assert_eq!(server.upstream_requests().await.len(), before + 2);
}

#[tokio::test]
async fn cache_13_answers_are_not_stored_on_their_way() {
    let server = TestServer::start().await;
    for answer in [
        rpc::modern(&server, "tools/call", json!({"name": "get_place", "arguments": {"place_id": BAKERY}})).await,
        rpc::modern(&server, "tools/list", json!({})).await,
        rpc::post(&server, "{").await,
    ] {
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["vary"], "Authorization");
    }
}

#[tokio::test]
async fn cache_08_five_hundred_callers_cause_one_request() {
    let server = caching().await;
    server.fault(json!({"kind": "latency", "milliseconds": 300})).await;

    let calls = join_all((0..500).map(|_| server.data("get_reviews", json!({"place_id": BAKERY})))).await;

    assert!(calls.iter().all(|data| *data == calls[0]));
    assert_eq!(server.upstream_requests().await.len(), 1);
}

#[tokio::test]
async fn the_last_who_leaves_calls_the_request_off_and_no_one_before() {
    let server = caching().await;
    server.fault(json!({"kind": "latency", "milliseconds": 60_000})).await;
    let mut first = Box::pin(server.call("get_place", json!({"place_id": BAKERY})));
    let mut second = Box::pin(server.call("get_reviews", json!({"place_id": BAKERY})));
    let both_wait = async {
        while server.metric(r#"cache_requests_total{outcome="miss",tier="memory"}"#).await < 2.0
            || server.upstream_requests().await.is_empty()
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = &mut first => panic!("answered"),
        _ = &mut second => panic!("answered"),
        () = both_wait => {}
    }

    drop(first);
    while server.metric(r#"mcp_tool_calls_total{status="cancelled",tool="get_place"}"#).await < 1.0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(server.upstream_requests().await[0]["outcome"], json!("pending"), "one still waits");
    drop(second);
    let gone = async {
        while server.upstream_requests().await[0]["outcome"] != "abandoned" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    // A second is required; a busy machine has ten, of the minute that the answer would take.
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("called off at once");
    assert_eq!(server.upstream_requests().await.len(), 1);
}

/// A key for the cache by itself.
struct Number(u32);

impl Key for Number {
    type Value = u32;
    const KIND: &'static str = "number";

    fn parts(&self) -> Vec<Cow<'_, str>> {
        vec![self.0.to_string().into()]
    }

    fn class(_: &u32) -> Class {
        Class::PlacesContent
    }
}

fn soon() -> Deadline {
    Deadline::after(&Clock::system(), Duration::from_secs(30))
}

fn alone() -> Cache {
    let minute = Duration::from_mins(1);
    let settings = Settings {
        memory_bytes: 1_000_000,
        lifetimes: Lifetimes { places_content: minute, missing_place: minute },
        credential: "key".into(),
        seal: google_reviews_mcp::model::SecretKey::random().derive("seal"),
        redis: None,
    };
    Cache::new(settings, Clock::system(), Tasks::new(), Metrics::new().unwrap())
}

#[tokio::test]
async fn all_who_wait_get_the_same_failure_and_it_is_not_kept() {
    let later = soon();
    let (cache, loads) = (alone(), Arc::new(AtomicUsize::new(0)));
    let calls = (0..100).map(|_| {
        let loads = Arc::clone(&loads);
        let load = move |_| async move {
            loads.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(50)).await;
            Err(Failure::new(Code::GoogleUnavailable, "no"))
        };
        cache.get(&Number(1), &later, load)
    });
    for outcome in join_all(calls).await {
        assert_eq!(outcome.unwrap_err().code, Code::GoogleUnavailable);
    }
    assert_eq!(loads.load(Ordering::SeqCst), 1);
    assert_eq!(*cache.get(&Number(1), &later, |_| async { Ok(7) }).await.unwrap(), 7);
}

#[tokio::test]
async fn a_load_that_panics_is_an_internal_failure_for_all_and_the_next_one_loads() {
    let (cache, later) = (alone(), soon());
    let calls = (0..10).map(|_| {
        cache.get(&Number(1), &later, |_| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            panic!("in a load")
        })
    });
    for outcome in join_all(calls).await {
        assert_eq!(outcome.unwrap_err().code, Code::Internal);
    }
    assert_eq!(*cache.get(&Number(1), &later, |_| async { Ok(7) }).await.unwrap(), 7);
}

#[tokio::test]
async fn the_flight_goes_on_when_the_first_who_asked_leaves() {
    let later = soon();
    let (cache, go) = (alone(), Arc::new(Notify::new()));
    let started = Arc::new(Notify::new());
    let (go_on, begun) = (Arc::clone(&go), Arc::clone(&started));
    let mut first = Box::pin(cache.get(&Number(1), &later, move |_| async move {
        begun.notify_one();
        go_on.notified().await;
        Ok(7)
    }));
    tokio::select! { _ = &mut first => panic!("answered"), () = started.notified() => {} }
    let mut second = Box::pin(cache.get(&Number(1), &later, |_| async { panic!("loaded twice") }));
    tokio::select! { biased; _ = &mut second => panic!("answered"), () = tokio::task::yield_now() => {} }

    drop(first);
    go.notify_one();

    assert_eq!(*second.await.unwrap(), 7);
}

/// Through the shared tier a second server needs no request of its own.
#[tokio::test]
async fn servers_that_share_a_redis_share_what_they_paid_for() {
    let redis = RedisServer::start().await;
    let with = |key: &'static str| {
        TestServer::builder()
            .set("cache.places_content_ttl", "60s")
            .set("cache.redis_url", redis.url())
            .set("google.api_key", key)
    };
    let one = with("demo-key").start().await;
    let data = one.data("get_reviews", json!({"place_id": BAKERY})).await;
    redis.keeps(1).await;

    let other = with("demo-key").start().await;
    assert_eq!(other.data("get_reviews", json!({"place_id": BAKERY})).await, data);
    assert!(other.upstream_requests().await.is_empty());
    assert_eq!(other.metric(r#"cache_requests_total{outcome="hit",tier="redis"}"#).await, 1.0);
    // What one credential paid for is not another's.
    let stranger = with("demo-key-expired").start().await;
    assert_eq!(stranger.call("get_reviews", json!({"place_id": BAKERY})).await.code(), "google_key_invalid");

    let lifetime: i64 = redis.run(cmd("PTTL").arg(&redis.cache_keys().await[0])).await;
    assert!((1..=60_000).contains(&lifetime), "{lifetime}");
    assert_eq!(redis.run::<Vec<String>>(cmd("CONFIG").arg("GET").arg("save")).await[1], "", "nothing reaches a disk");
}

/// The way through Redis makes nothing younger: a value leaves the memory of every server at the same time.
#[tokio::test]
async fn what_comes_from_redis_keeps_only_what_is_left_of_its_lifetime() {
    let clock = Clock::manual(now());
    let redis = LentRedis::take().await;
    let start = || {
        TestServer::builder()
            .set("cache.places_content_ttl", "60s")
            .set("cache.redis_url", redis.url())
            .clock(clock.clone())
            .start()
    };
    start().await.data("get_place", json!({"place_id": BAKERY})).await;
    redis.keeps(1).await;
    clock.advance(Duration::from_secs(50));
    let other = start().await;
    other.data("get_place", json!({"place_id": BAKERY})).await;
    clock.advance(Duration::from_secs(9));
    other.data("get_place", json!({"place_id": BAKERY})).await;
    assert_eq!(other.upstream_requests().await.len(), 0);
    clock.advance(Duration::from_secs(1));
    other.data("get_place", json!({"place_id": BAKERY})).await;
    assert_eq!(other.upstream_requests().await.len(), 1);
}

/// `0` switches a class off everywhere, also for what another server has left in Redis.
#[tokio::test]
async fn with_a_lifetime_of_zero_redis_is_not_used_either() {
    let redis = LentRedis::take().await;
    let with = |lifetime: &'static str| {
        TestServer::builder().set("cache.places_content_ttl", lifetime).set("cache.redis_url", redis.url()).start()
    };
    with("60s").await.data("get_place", json!({"place_id": BAKERY})).await;
    redis.keeps(1).await;
    let server = with("0").await;
    for _ in 0..2 {
        server.data("get_place", json!({"place_id": BAKERY})).await;
    }
    assert_eq!(server.upstream_requests().await.len(), 2);
}

/// Who joins late is not cut off by the deadline of the one who was first.
#[tokio::test]
async fn a_flight_has_the_time_of_the_one_who_waits_longest() {
    let (cache, clock) = (alone(), Clock::system());
    let (short, long) = (Deadline::after(&clock, Duration::from_millis(1)), soon());
    let load = |deadline: Deadline| async move {
        while deadline.left(&Clock::system()) < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(7)
    };
    let (first, second) = tokio::join!(cache.get(&Number(1), &short, load), cache.get(&Number(1), &long, load));
    assert_eq!((*first.unwrap(), *second.unwrap()), (7, 7));
}

#[tokio::test]
async fn cache_06_values_in_redis_that_are_not_ours_are_misses_that_are_counted() {
    let redis = LentRedis::take().await;
    let start =
        || TestServer::builder().set("cache.places_content_ttl", "60s").set("cache.redis_url", redis.url()).start();
    let first = start().await;
    first.data("get_place", json!({"place_id": BAKERY})).await;
    first.data("get_place", json!({"place_id": "ChIJdemo_haft_anar_rest_001"})).await;
    redis.keeps(2).await;
    let keys = redis.cache_keys().await;
    let [one, other] = [&keys[0], &keys[1]];
    let good: Vec<u8> = redis.run(cmd("GET").arg(one)).await;
    let foreign: Vec<u8> = redis.run(cmd("GET").arg(other)).await;
    let flipped = {
        let mut flipped = good.clone();
        flipped[40] ^= 1;
        flipped
    };
    let huge = vec![b'x'; 2 * 1024 * 1024];
    let short = good[..20].to_vec();
    // Both places are asked for, so it does not matter which key is whose.
    for (poison, outcome) in [
        (Some(foreign), "rejected"),
        (Some(flipped), "rejected"),
        (Some(huge), "rejected"),
        (Some(short), "rejected"),
        (Some(Vec::new()), "rejected"),
        (None, "error"),
    ] {
        let _: () = redis.run(cmd("DEL").arg(one)).await;
        match &poison {
            Some(value) => redis.run::<()>(cmd("SET").arg(one).arg(value)).await,
            None => redis.run::<()>(cmd("RPUSH").arg(one).arg("of another type")).await,
        }
        let server = start().await;
        for id in [BAKERY, "ChIJdemo_haft_anar_rest_001"] {
            let data = server.data("get_place", json!({"place_id": id})).await;
            assert_eq!(data["place"]["place_id"], json!(id));
        }
        assert_eq!(server.upstream_requests().await.len(), 1, "{outcome}");
        let line = format!("cache_requests_total{{outcome=\"{outcome}\",tier=\"redis\"}}");
        assert_eq!(server.metric(&line).await, 1.0, "{outcome}");
        // What was asked anew is kept anew, a moment after the answer.
        while server.metric(r#"cache_requests_total{outcome="stored",tier="redis"}"#).await < 1.0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
