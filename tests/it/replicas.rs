//! Two servers behind nginx as `deploy/nginx` has it, with one PostgreSQL and one Redis: whoever asks does not notice that
//! there are two, nor that one is being replaced.

use crate::support::{
    BAKERY, BURST, TestServer,
    binary::Serving,
    certificate::Certificate,
    database::Database,
    free_port,
    nginx::Nginx,
    now,
    redis::RedisServer,
    rpc,
    sign_in::{NAME, PASSWORD, Site, both, but},
    until,
};
use futures_util::future::join_all;
use google_reviews_mcp::{clock::Clock, model::PersonName};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// What two servers share.
struct Shared {
    database: Database,
    redis: RedisServer,
    certificate: Certificate,
    /// Of nginx.
    port: u16,
}

impl Shared {
    async fn new() -> Self {
        let (database, redis) = (Database::postgres().await, RedisServer::start().await);
        Self { database, redis, certificate: Certificate::new(), port: free_port() }
    }

    fn base(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    fn endpoint(&self) -> String {
        format!("{}/mcp", self.base())
    }

    async fn nginx(&self, servers: &[SocketAddr]) -> Nginx {
        Nginx::deployed(self.port, servers, &self.certificate).await
    }

    /// Two servers without sign-in, and nginx before them.
    async fn servers(&self, settings: &[(&'static str, &str)]) -> ([TestServer; 2], Nginx) {
        let start = async || {
            let builder = self.database.server().clock(Clock::manual(now()));
            let builder = builder.set("server.public_url", self.base()).set("server.trusted_proxies", "127.0.0.1");
            let builder = builder.set("cache.redis_url", self.redis.url());
            settings.iter().fold(builder, |builder, (key, value)| builder.set(key, *value)).start().await
        };
        let servers = [start().await, start().await];
        let nginx = self.nginx(&[servers[0].app.address(), servers[1].app.address()]).await;
        (servers, nginx)
    }

    /// Two servers where people sign in, and nginx before them.
    async fn sites(&self) -> ([Site; 2], Nginx) {
        let (base, redis) = (self.base(), self.redis.url());
        let settings =
            [("server.public_url", &*base), ("server.trusted_proxies", "127.0.0.1"), ("cache.redis_url", &redis)];
        let clock = Clock::manual(now());
        let one = Site::beside(&self.database, clock.clone(), &settings).await;
        let other = Site::beside(&self.database, clock, &settings).await;
        one.server.app.people().unwrap().add(PersonName::parse(NAME).unwrap(), Some(PASSWORD)).await.unwrap();
        let nginx = self.nginx(&[one.server.app.address(), other.server.app.address()]).await;
        ([one, other], nginx)
    }
}

/// Each step at the other server than the one before.
#[tokio::test]
async fn sign_in_that_was_begun_at_one_server_ends_at_the_other() {
    let shared = Shared::new().await;
    let ([one, other], _nginx) = shared.sites().await;
    let client = other.client().await;
    let asking = but(&one.asking(&client), "resource", &shared.endpoint());
    let mut browser = one.browser();
    let sent = browser.authorize(&asking).await;
    assert!(sent.status == 303 && sent.location().starts_with("/login?request="), "{sent:?}");

    let mut browser = other.browser_with(browser.cookies);
    let sent = browser.sign_in(sent.location(), NAME, PASSWORD).await;
    assert!(sent.status == 303 && sent.location().starts_with("/consent?request="), "{sent:?}");

    let mut browser = one.browser_with(browser.cookies);
    let page = browser.get(sent.location()).await;
    let mut browser = other.browser_with(browser.cookies);
    let sent = browser.decide(&page, "allow", &["reviews:read", "reports:write", "offline_access"]).await;
    let code = sent.parameter("code").unwrap_or_else(|| panic!("no code: {sent:?}"));
    assert_eq!(sent.parameter("iss"), Some(shared.base()), "clients know the address of nginx alone");

    let exchanging = but(&one.exchanging(&client, &code), "resource", &shared.endpoint());
    let (access, refresh) = both(&one.token(&exchanging).await);
    assert_eq!([one.opens(&access).await, other.opens(&access).await], [200, 200]);
    let (access, _) = both(&other.refresh(&client, &refresh).await);
    assert_eq!([one.opens(&access).await, other.opens(&access).await], [200, 200]);
}

/// The same by nginx, which sends each request to the server whose turn it is.
#[tokio::test]
async fn a_client_signs_in_through_nginx_at_two_servers() {
    let shared = Shared::new().await;
    let ([one, other], nginx) = shared.sites().await;
    let addresses = [one.server.app.address(), other.server.app.address()];
    let site = one.through(shared.base(), shared.certificate.client());
    let client = site.client().await;
    let (access, refresh) = site.tokens(&client).await;
    assert_eq!(site.opens(&access).await, 200);
    let (access, _) = both(&site.refresh(&client, &refresh).await);
    for _ in 0..4 {
        assert_eq!(site.opens(&access).await, 200);
    }
    let sent = addresses.map(|address| nginx.sent_to(address));
    assert!(sent.iter().all(|sent| *sent > 3), "{sent:?}: {}", nginx.log("access.log"));
    let log = nginx.log("access.log");
    assert!(!log.contains("code_challenge") && !log.contains("state="), "queries are not logged: {log}");
}

#[tokio::test]
async fn idem_17_a_write_that_is_repeated_at_the_other_server_is_done_once() {
    let shared = Shared::new().await;
    let (servers, _nginx) = shared.servers(&[]).await;
    let http = shared.certificate.client();
    let mut reports = Vec::new();
    for _ in 0..6 {
        let arguments = json!({"place_ids": [BAKERY], "title": "Bread", "request_id": "one-and-the-same"});
        let report = rpc::call_by(&http, &shared.endpoint(), "create_report", arguments).await.unwrap().data();
        reports.push((report["report_id"].clone(), report["replayed"].clone()));
    }
    assert_eq!(reports[0].1, json!(false));
    for report in &reports[1..] {
        assert_eq!(*report, (reports[0].0.clone(), json!(true)));
    }
    assert_eq!(shared.database.count("reports").await, 1);
    for server in &servers {
        assert!(
            server.metric("mcp_tool_calls_total{status=\"ok\",tool=\"create_report\"}").await > 0.0,
            "both were asked"
        );
    }
}

#[tokio::test]
async fn rate_02_limits_and_budget_of_two_servers_behind_nginx_hold_together() {
    let shared = Shared::new().await;
    let (servers, _nginx) = shared
        .servers(&[
            ("limits.enabled", "true"),
            ("limits.caller_requests_a_minute", "60"),
            ("limits.caller_burst", "20"),
            ("google.daily_calls", "3"),
        ])
        .await;
    let http = shared.certificate.client();
    // Each asks Google for another text.
    let languages = ["en", "de", "fr", "es", "it", "nl", "pt", "ja"];
    let mut paid = 0;
    for language in languages {
        let arguments = json!({"place_id": BURST, "language": language});
        let answer = rpc::call_by(&http, &shared.endpoint(), "get_place", arguments).await.unwrap();
        if answer.0["isError"] == json!(false) {
            paid += 1;
        } else {
            assert_eq!(answer.code(), "budget_exhausted", "{language}");
        }
    }
    assert_eq!(paid, 3);
    let asked = [servers[0].upstream_requests().await.len(), servers[1].upstream_requests().await.len()];
    assert!(asked[0] + asked[1] == 3 && asked.iter().all(|asked| *asked > 0), "{asked:?}");

    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}});
    let listed = join_all((0..40).map(|_| {
        let request = http.post(shared.endpoint()).header("accept", "application/json, text/event-stream");
        rpc::send(request.header("mcp-protocol-version", "2025-11-25").json(&body))
    }))
    .await;
    let served = listed.iter().filter(|answer| answer.status == 200).count();
    // Eight were used before; one more comes due with each second that this takes, by the clock of Redis.
    assert!((12..=16).contains(&served), "{served}");
    assert!(listed.iter().all(|answer| [200, 429].contains(&answer.status)));
}

/// A process in a place of its own, which the next one takes over.
fn serving(shared: &Shared, google: &str, port: u16) -> Serving {
    let (listen, base, redis) = (format!("127.0.0.1:{port}"), shared.base(), shared.redis.url());
    Serving::on(
        &shared.database,
        google,
        &[
            ("REVIEWS__SERVER__LISTEN", &listen),
            ("REVIEWS__SERVER__PUBLIC_URL", &base),
            ("REVIEWS__SERVER__TRUSTED_PROXIES", "127.0.0.1"),
            ("REVIEWS__CACHE__REDIS_URL", &redis),
            ("REVIEWS__SERVER__STOP_DELAY", "1s"),
        ],
    )
}

/// Fifty calls a second, of which every tenth writes, until told to stop; what each said.
async fn load(http: reqwest::Client, endpoint: String, over: Arc<AtomicBool>) -> Vec<Result<Value, String>> {
    let mut beat = tokio::time::interval(Duration::from_millis(20));
    let mut calls = Vec::new();
    while !over.load(Ordering::Relaxed) {
        beat.tick().await;
        let (http, endpoint, number) = (http.clone(), endpoint.clone(), calls.len());
        calls.push(tokio::spawn(async move {
            let (tool, arguments) = match number % 10 {
                0 => (
                    "create_report",
                    json!({"place_ids": [BAKERY], "title": "x", "request_id": format!("call-{number}")}),
                ),
                _ => ("get_place", json!({"place_id": BAKERY})),
            };
            let answer = rpc::call_by(&http, &endpoint, tool, arguments).await.map_err(|error| format!("{error:?}"))?;
            if answer.0["isError"] == json!(false) { Ok(answer.data()) } else { Err(answer.0.to_string()) }
        }));
    }
    join_all(calls).await.into_iter().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn life_10_replacing_two_servers_one_after_the_other_loses_no_call() {
    let google = TestServer::start().await;
    let shared = Arc::new(Shared::new().await);
    let upstream = google.emulator.url();
    let ports = [free_port(), free_port()];
    let start = |port: u16| {
        let (shared, upstream) = (Arc::clone(&shared), upstream.clone());
        tokio::task::spawn_blocking(move || serving(&shared, &upstream, port))
    };
    let mut servers = vec![start(ports[0]).await.unwrap(), start(ports[1]).await.unwrap()];
    let addresses = ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let nginx = shared.nginx(&addresses).await;
    let over = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn(load(shared.certificate.client(), shared.endpoint(), Arc::clone(&over)));
    tokio::time::sleep(Duration::from_secs(1)).await;
    for round in 0..4 {
        let old = servers.remove(0);
        let (log, ended_well) = tokio::task::spawn_blocking(move || old.stop()).await.unwrap();
        assert!(ended_well, "{log}");
        let new = start(ports[round % 2]).await.unwrap();
        let ready = format!("{}/readyz", new.operations);
        until("the next one is ready", async || reqwest::get(&ready).await.is_ok_and(|answer| answer.status() == 200))
            .await;
        servers.push(new);
        // Until nginx asks it again.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
    }
    over.store(true, Ordering::Relaxed);
    let answers = load.await.unwrap();
    let lost: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert!(lost.is_empty(), "{} of {}: {lost:?}\n{}", lost.len(), answers.len(), nginx.log("error.log"));
    assert!(answers.len() > 300, "{}", answers.len());
    let written = answers.len().div_ceil(10);
    assert_eq!(shared.database.count("reports").await, i64::try_from(written).unwrap(), "each write was done once");
}
