//! How much anybody may ask, on real sockets and with a real Redis: by address before callers are known, by caller after.

use crate::support::{
    BAKERY, Builder, TestServer,
    issuer::{FakeIssuer, SigningKey},
    now, raw,
    redis::{LentRedis, RedisServer},
    rpc::{self, Answer},
    until,
};
use futures_util::future::join_all;
use google_reviews_mcp::{
    clock::Clock,
    config::{self, Sources},
};
use serde_json::json;
use std::time::Duration;

/// Ten at once and one a second, for an address or for a caller.
fn limited(which: &str) -> Builder {
    let (rate, burst) = match which {
        "address" => ("limits.address_requests_a_minute", "limits.address_burst"),
        _ => ("limits.caller_requests_a_minute", "limits.caller_burst"),
    };
    TestServer::builder().set("limits.enabled", "true").set(rate, "60").set(burst, "10")
}

async fn list(server: &TestServer) -> Answer {
    rpc::legacy(server, "2025-11-25", "tools/list", json!({})).await
}

/// How many of so many requests at once are served.
async fn served(server: &TestServer, requests: usize) -> usize {
    let answers = join_all((0..requests).map(|_| list(server))).await;
    assert!(answers.iter().all(|answer| [200, 429].contains(&answer.status)));
    answers.iter().filter(|answer| answer.status == 200).count()
}

#[tokio::test]
async fn rate_05_whoever_asks_too_much_is_told_how_long_to_wait() {
    for which in ["address", "caller"] {
        let clock = Clock::manual(now());
        let server = limited(which).clock(clock.clone()).start().await;
        assert_eq!(served(&server, 15).await, 10, "{which}");
        let refused = list(&server).await;
        assert_eq!(refused.headers.get("retry-after").unwrap(), "1");
        assert_eq!(refused.headers.get("content-type").unwrap(), "application/problem+json");
        let facts = ["code", "tier", "retryable", "retry_after_seconds"].map(|name| refused.body[name].clone());
        assert_eq!(facts, [json!("rate_limited"), json!("client"), json!(true), json!(1)]);
        assert_eq!(server.metric(&format!("rate_limited_total{{limit=\"{which}\"}}")).await, 6.0);
        clock.advance(Duration::from_secs(1));
        assert_eq!(served(&server, 3).await, 1, "{which}: whoever waits so long is served");
        // Health is for machines that ask again and again.
        for _ in 0..30 {
            let health = server.http.get(format!("http://{}/livez", server.app.address())).send().await.unwrap();
            assert_eq!(health.status(), 200);
        }
    }
}

#[tokio::test]
async fn rate_02_servers_with_one_redis_count_together() {
    let redis = LentRedis::take().await;
    let start = async || limited("caller").set("cache.redis_url", redis.url()).start().await;
    let (one, other) = (start().await, start().await);
    let (first, second) = tokio::join!(served(&one, 30), served(&other, 30));
    // One more comes due with each second that this takes.
    assert!((10..=12).contains(&(first + second)), "{first} and {second}");
}

#[tokio::test]
async fn rate_03_without_redis_each_server_allows_its_part() {
    let mut redis = RedisServer::start().await;
    let clock = Clock::manual(now());
    let builder = limited("caller").set("cache.redis_url", redis.url()).set("limits.servers", "5");
    let server = builder.clock(clock.clone()).start().await;
    redis.kill();
    assert_eq!(served(&server, 20).await, 2);
    clock.advance(Duration::from_secs(5));
    assert_eq!(served(&server, 20).await, 1);
}

#[tokio::test]
async fn rate_06_one_who_asks_too_much_takes_nothing_from_others() {
    let key = SigningKey::p256();
    let issuer = FakeIssuer::start(&[key.public("one")]).await;
    let server = limited("caller").set("auth.mode", "oauth").set("auth.issuer", issuer.url.clone()).start().await;
    until("the keys are there", async || server.operations("/readyz").await.0 == 200).await;
    let token = |sub: &str| {
        let now = jiff::Timestamp::now().as_second();
        let claims = json!({"iss": issuer.url, "aud": server.app.endpoint(), "sub": sub, "client_id": "test",
            "exp": now + 300, "scope": "reviews:read"});
        key.token(r#"{"alg":"ES256","typ":"at+jwt","kid":"one"}"#, &claims.to_string())
    };
    let call = async |token: &str| {
        let params = json!({"name": "get_place", "arguments": {"place_id": BAKERY}});
        let request = server
            .http
            .post(server.app.endpoint())
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .bearer_auth(token)
            .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}));
        rpc::send(request).await.status
    };
    let (greedy, modest) = (token("greedy"), token("modest"));
    let flood = join_all((0..100).map(|_| call(&greedy)));
    let quiet = async {
        let mut statuses = Vec::new();
        for _ in 0..8 {
            statuses.push(call(&modest).await);
        }
        statuses
    };
    let (flood, quiet) = tokio::join!(flood, quiet);
    assert!(flood.iter().filter(|status| **status == 200).count() < 20);
    assert_eq!(quiet, [200; 8]);
}

/// A flood of forged tokens is stopped before their signatures are looked at.
#[tokio::test]
async fn rate_08_a_flood_without_callers_costs_no_signatures() {
    let key = SigningKey::p256();
    let issuer = FakeIssuer::start(&[key.public("one")]).await;
    let builder = limited("address").set("auth.mode", "oauth").set("auth.issuer", issuer.url.clone());
    let server = builder.clock(Clock::manual(now())).start().await;
    until("the keys are there", async || server.operations("/readyz").await.0 == 200).await;
    let stranger = SigningKey::p256();
    let forged = |number: usize| stranger.token(r#"{"alg":"ES256","typ":"at+jwt","kid":"one"}"#, &number.to_string());
    let requests = (0..200).map(|number| server.http.post(server.app.endpoint()).bearer_auth(forged(number)).send());
    let statuses: Vec<u16> =
        join_all(requests).await.into_iter().map(|answer| answer.unwrap().status().as_u16()).collect();
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(401), count(429)), (10, 190));
    assert_eq!(server.metric("mcp_auth_failures_total{reason=\"wrong_signature\"}").await, 10.0);
}

/// Through a proxy each client has its own limit; whoever only says that it is one has not.
#[tokio::test]
async fn http_13_addresses_are_those_that_a_trusted_proxy_tells() {
    let ask = async |server: &TestServer, forwarded: &str| {
        let request = server.http.post(server.app.endpoint()).header("x-forwarded-for", forwarded);
        request.json(&json!({})).send().await.unwrap().status().as_u16()
    };
    let proxied =
        limited("address").set("server.trusted_proxies", "127.0.0.0/8").clock(Clock::manual(now())).start().await;
    for number in 0..30 {
        assert_ne!(ask(&proxied, &format!("1.2.3.4, 198.51.100.{number}")).await, 429);
    }
    for number in 0..30 {
        // What stands to the left was said by the client itself.
        let status = ask(&proxied, &format!("203.0.113.{number}, 198.51.100.200")).await;
        assert_eq!(status == 429, number >= 10, "{number}");
    }
    // Claude's connectors call for many people.
    for _ in 0..30 {
        assert_ne!(ask(&proxied, "160.79.104.10").await, 429);
    }
    let direct = limited("address").clock(Clock::manual(now())).start().await;
    for number in 0..30 {
        assert_eq!(ask(&direct, &format!("198.51.100.{number}")).await == 429, number >= 10, "{number}");
    }
    let everybody = Sources::default().with("server.trusted_proxies", "10.0.0.0/8 0.0.0.0/0");
    assert_eq!(config::load(&everybody).unwrap().problems[0].key, "server.trusted_proxies");
}

/// Some servers take `X_Forwarded_For` for `X-Forwarded-For`; a proxy that sets one would let the other through.
#[tokio::test]
async fn http_14_headers_with_underscores_are_other_headers() {
    let key = SigningKey::p256();
    let issuer = FakeIssuer::start(&[key.public("one")]).await;
    let builder = limited("address").set("auth.mode", "oauth").set("auth.issuer", issuer.url.clone());
    let server = builder.set("server.trusted_proxies", "127.0.0.1").clock(Clock::manual(now())).start().await;
    let address = server.app.address();
    for number in 0..15 {
        let head = format!(
            "host: {address}\r\nx_forwarded_for: 198.51.100.{number}\r\nauthorization_: Bearer x\r\nx_api_key: grk_x\r\n"
        );
        let answer = raw::exchange(address, &raw::post(&head, "{}")).await;
        assert_eq!(raw::status(&answer), if number < 10 { 401 } else { 429 }, "{number}");
        assert!(!answer.contains("error=\""), "no credential was seen: {answer}");
    }
}
