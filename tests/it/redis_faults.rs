//! Redis is an aid, never a need: whatever happens to it, calls succeed.

use crate::support::{
    BAKERY, TestServer, now,
    proxy::{Mode, Proxy},
    redis::{LentRedis, RedisServer},
};
use deadpool_redis::redis::cmd;
use google_reviews_mcp::clock::Clock;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// With the waits of the defaults: what goes wrong here is Redis.
async fn with_redis(url: String) -> TestServer {
    with_redis_and(url, Clock::system()).await
}

async fn with_redis_and(url: String, clock: Clock) -> TestServer {
    TestServer::builder()
        .clock(clock)
        .set("cache.redis_lookup_timeout", "50ms")
        .set("cache.redis_operation_timeout", "250ms")
        .set("cache.redis_wait", "250ms")
        .set("cache.places_content_ttl", "60s")
        .set("cache.redis_url", url)
        .set("google.daily_budget_usd", "100")
        .start()
        .await
}

/// Other places each time, so that memory does not answer.
const PLACES: &[&str] = &[
    BAKERY,
    "ChIJdemo_haft_anar_rest_001",
    "ChIJdemo_lost_olive_bar_001",
    "ChIJdemo_kilnkettle_new_001",
    "ChIJdemo_ryokan_tsubame_001",
    "ChIJdemo_regenmuseum_bl_001",
    "ChIJdemo_chat_qui_relit_001",
    "ChIJdemo_ferrand_clocks_001",
];

async fn ask_for_all(server: &TestServer) {
    for id in PLACES {
        assert_eq!(server.data("get_place", json!({"place_id": id})).await["place"]["place_id"], json!(id));
    }
}

async fn redis_check(server: &TestServer) -> Value {
    let page: Value = serde_json::from_str(&server.operations("/health").await.1).unwrap();
    page["checks"].as_array().unwrap().iter().find(|check| check["name"] == "redis").unwrap().clone()
}

#[tokio::test]
async fn res_01_redis_is_absent_at_the_start() {
    let server = with_redis("redis://127.0.0.1:1".to_owned()).await;
    ask_for_all(&server).await;
    assert_eq!(server.operations("/readyz").await.0, 200);
    let (status, page) = server.operations("/health").await;
    assert_eq!(status, 503);
    assert!(page.contains("Redis cannot be reached"), "{page}");
    assert_eq!(server.metric("dependency_up{dependency=\"redis\"}").await, 0.0);
    assert_eq!(server.metric("circuit_breaker_state{dependency=\"redis\"}").await, 2.0);
}

#[tokio::test]
async fn res_02_redis_is_killed_under_load() {
    let mut redis = RedisServer::start().await;
    let server = with_redis(redis.url()).await;
    let load = async {
        for _ in 0..5 {
            ask_for_all(&server).await;
        }
    };
    let kill = async {
        while server.upstream_requests().await.len() < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        redis.kill();
    };
    tokio::join!(load, kill);
}

#[tokio::test]
async fn res_03_redis_is_frozen() {
    let redis = RedisServer::start().await;
    let server = with_redis(redis.url()).await;
    server.data("get_place", json!({"place_id": BAKERY})).await;
    redis.signal("-STOP");
    ask_for_all(&server).await;
    // After five calls that lost their 50 ms, the others lose nothing.
    assert_eq!(server.metric("circuit_breaker_state{dependency=\"redis\"}").await, 2.0);
    redis.signal("-CONT");
}

#[tokio::test]
async fn res_04_redis_refuses_to_work() {
    for refusal in ["full", "read-only", "no password", "evicted", "wrong type"] {
        let redis = RedisServer::start().await;
        let server = with_redis(redis.url()).await;
        match refusal {
            "full" => {
                redis.run::<()>(cmd("CONFIG").arg("SET").arg("maxmemory-policy").arg("noeviction")).await;
                redis.run::<()>(cmd("CONFIG").arg("SET").arg("maxmemory").arg("1")).await;
            }
            "read-only" => redis.run::<()>(cmd("REPLICAOF").arg("127.0.0.1").arg("1")).await,
            "no password" => redis.run::<()>(cmd("CONFIG").arg("SET").arg("requirepass").arg("secret")).await,
            "evicted" => redis.run::<()>(&cmd("FLUSHALL")).await,
            _ => {
                server.data("get_place", json!({"place_id": BAKERY})).await;
                let keys: Vec<String> = redis.run(cmd("KEYS").arg("google-reviews:budget:*")).await;
                redis.run::<()>(cmd("DEL").arg(&keys)).await;
                redis.run::<()>(cmd("SET").arg(&keys[0]).arg("of another type")).await;
            }
        }
        ask_for_all(&server).await;
        let calls = server.metric(r#"mcp_tool_calls_total{status="ok",tool="get_place"}"#).await;
        assert!(calls >= 8.0, "{refusal}");
    }
}

/// The words of a Redis that loads its data, or is one of a cluster.
#[tokio::test]
async fn a_redis_that_says_no_to_everything_is_gone_without() {
    for answer in [
        "-LOADING Redis is loading the dataset in memory\r\n",
        "-MOVED 1 127.0.0.1:1\r\n",
        "-NOAUTH Authentication required.\r\n",
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(say_no(stream, answer));
            }
        });
        let server = with_redis(url).await;
        ask_for_all(&server).await;
        assert_eq!(redis_check(&server).await["state"], json!("down"), "{answer}");
    }
}

async fn say_no(mut stream: tokio::net::TcpStream, answer: &'static str) {
    let mut request = [0; 4096];
    while stream.read(&mut request).await.is_ok_and(|length| length > 0) {
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn res_05_redis_is_used_again_after_it_came_back() {
    let clock = Clock::manual(now());
    let mut redis = RedisServer::start().await;
    let server = TestServer::builder()
        .set("cache.places_content_ttl", "60s")
        .set("cache.redis_url", redis.url())
        .clock(clock.clone())
        .start()
        .await;
    server.data("get_place", json!({"place_id": BAKERY})).await;
    redis.kill();
    ask_for_all(&server).await;
    assert_eq!(redis_check(&server).await["state"], json!("down"));
    redis.restart().await;

    // Within thirty seconds of its return, without a restart of ours.
    clock.advance(Duration::from_secs(30));
    server.data("search_places", json!({"query": "bakery"})).await;
    clock.advance(Duration::from_secs(30));
    ask_for_all(&server).await;

    assert_eq!(redis_check(&server).await["state"], json!("up"));
    redis.keeps(1).await;
}

#[tokio::test]
async fn res_06_redis_answers_garbage_or_hardly_at_all() {
    let modes =
        [Mode::Corrupt, Mode::Trickle(Duration::from_secs(1)), Mode::Stall, Mode::Delay(Duration::from_millis(500))];
    for mode in modes {
        let (redis, clock) = (RedisServer::start().await, Clock::manual(now()));
        let proxy = Proxy::start(redis.address).await;
        let server = with_redis_and(format!("redis://{}", proxy.address), clock.clone()).await;
        server.data("search_places", json!({"query": "bakery"})).await;
        proxy.set(mode);
        ask_for_all(&server).await;
        assert_eq!(redis_check(&server).await["state"], json!("down"), "{mode:?}");

        // The connections that hung are gone with their fault.
        proxy.set(Mode::Through);
        while redis_check(&server).await["state"] != json!("up") {
            clock.advance(Duration::from_secs(30));
            server.data("search_places", json!({"query": "bakery", "limit": 3})).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Whose turn is over is decided by our clock, not by Redis'.
#[tokio::test]
async fn res_07_redis_has_another_clock() {
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
    clock.advance(Duration::from_secs(61));
    assert_eq!(redis.cache_keys().await.len(), 1, "by the clock of Redis it is still good");
    let other = start().await;
    other.data("get_place", json!({"place_id": BAKERY})).await;
    assert_eq!(other.upstream_requests().await.len(), 1);
}

#[tokio::test]
async fn servers_that_share_a_redis_share_the_budget() {
    let redis = LentRedis::take().await;
    let start = || TestServer::builder().set("cache.redis_url", redis.url()).set("google.daily_calls", "5").start();
    let (one, other) = (start().await, start().await);
    let mut failed = 0;
    for number in 0..10 {
        let server = if number % 2 == 0 { &one } else { &other };
        let result = server.call("get_place", json!({"place_id": BAKERY})).await;
        if result.0["isError"] == json!(true) {
            assert_eq!(result.code(), "budget_exhausted");
            failed += 1;
        }
    }
    assert_eq!(failed, 5);
    assert_eq!(one.upstream_requests().await.len() + other.upstream_requests().await.len(), 5);
}

/// A Redis without files forgets the day's sums when it is started anew; those who spent do not.
#[tokio::test]
async fn a_redis_that_forgot_does_not_give_the_budget_anew() {
    let mut redis = RedisServer::start().await;
    let server = TestServer::builder().set("cache.redis_url", redis.url()).set("google.daily_calls", "3").start().await;
    for _ in 0..3 {
        server.data("get_place", json!({"place_id": BAKERY})).await;
    }
    redis.kill();
    redis.restart().await;
    for _ in 0..3 {
        assert_eq!(server.call("get_place", json!({"place_id": BAKERY})).await.code(), "budget_exhausted");
    }
}

/// Who pays with another key has another budget, and what was given back never makes more than there was.
#[tokio::test]
async fn budgets_are_apart_and_never_below_zero() {
    let redis = RedisServer::start().await;
    let start = |key: &'static str| {
        TestServer::builder()
            .set("cache.redis_url", redis.url())
            .set("google.daily_calls", "2")
            .set("google.api_key", key)
            .start()
    };
    let denied = start("demo-key-denied").await;
    denied.fault(json!({"kind": "latency", "milliseconds": 100})).await;
    let calls =
        ["en", "de"].map(|language| denied.call("get_place", json!({"place_id": BAKERY, "language": language})));
    let flush = async {
        while denied.upstream_requests().await.len() < 2 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        redis.run::<()>(&cmd("FLUSHALL")).await;
    };
    tokio::join!(futures_util::future::join_all(calls), flush);
    let good = start("demo-key").await;
    for _ in 0..2 {
        good.data("get_place", json!({"place_id": BAKERY})).await;
    }
    assert_eq!(good.call("get_place", json!({"place_id": BAKERY})).await.code(), "budget_exhausted");
    for key in redis.run::<Vec<String>>(cmd("KEYS").arg("google-reviews:budget:*")).await {
        let sums: Vec<i64> = redis.run(cmd("HVALS").arg(&key)).await;
        assert!(sums.iter().all(|sum| *sum >= 0), "{key}: {sums:?}");
        assert!(redis.run::<i64>(cmd("TTL").arg(&key)).await > 0, "{key} expires");
    }
}
