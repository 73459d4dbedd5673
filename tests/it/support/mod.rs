//! The harness: starts the real server with its own emulator, and speaks to both.

pub(crate) mod binary;
pub(crate) mod caddy;
pub(crate) mod certificate;
pub(crate) mod child;
pub(crate) mod collector;
pub(crate) mod database;
pub(crate) mod deployed;
pub(crate) mod issuer;
pub(crate) mod load;
pub(crate) mod nginx;
pub(crate) mod postgres;
pub(crate) mod provider;
pub(crate) mod proxy;
pub(crate) mod raw;
pub(crate) mod redis;
pub(crate) mod rpc;
pub(crate) mod sign_in;
pub(crate) mod world;

use google_reviews_mcp::{
    app::{App, Parts},
    clock::Clock,
    config::{self, Sources},
    emulator::{DEMO_KEY, Emulator},
    mcp::{Offer, Prompt, Resource},
    model::Principal,
    outbound::Network,
    tasks::Tasks,
};
use serde_json::{Value, json};
use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

/// The showpiece of the demo data.
pub(crate) const BAKERY: &str = "ChIJdemo_moonlit_bakery_001";

/// The place whose reviews came within a day.
pub(crate) const BURST: &str = "ChIJdemo_crack_and_mend_001";

/// All tools, as they are listed.
pub(crate) const TOOLS: &[&str] = &[
    "search_places",
    "get_place",
    "get_reviews",
    "analyze_reviews",
    "compare_places",
    "create_report",
    "get_report",
    // Those to come.
];

/// All prompts, as they are listed.
pub(crate) const PROMPTS: [&str; 3] = ["analyze_place", "compare_competitors", "draft_replies"];

/// What all clients of tests call each tool with; `get_report` also needs the id of a report.
pub(crate) fn arguments(tool: &str) -> Value {
    let calls: Value = serde_json::from_str(include_str!("../../interop/calls.json")).unwrap();
    let arguments = calls["tools"][tool].clone();
    assert!(arguments.is_object(), "tests/interop/calls.json does not say how to call {tool}");
    arguments
}

/// The secret of all servers of tests, so that they can share a Redis or a database.
pub(crate) const SECRET_KEY: &str = "c74a92c0f67be8a9568893e7e2a42063a934abc7da76a9455cd27fc470168836";

/// Settings of a `serve` that is expected not to come to serving.
pub(crate) const ANY_PORTS: [(&str, &str); 2] =
    [("REVIEWS__SERVER__LISTEN", "127.0.0.1:0"), ("REVIEWS__SERVER__OPERATIONS_LISTEN", "127.0.0.1:0")];

/// A running server with its emulator.
pub(crate) struct TestServer {
    pub(crate) app: App,
    pub(crate) emulator: Emulator,
    pub(crate) http: reqwest::Client,
    _tasks: Tasks,
    _folder: tempfile::TempDir,
}

/// What a test wants other than usual.
pub(crate) struct Builder {
    sources: Sources,
    parts: Parts,
}

impl Builder {
    pub(crate) fn set(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.sources = self.sources.with(key, value);
        self
    }

    pub(crate) fn tool(mut self, tool: Offer) -> Self {
        self.parts.more.tools.push(tool);
        self
    }

    pub(crate) fn prompt(mut self, prompt: impl Prompt + 'static) -> Self {
        self.parts.more.prompts.push(Arc::new(prompt));
        self
    }

    pub(crate) fn resource(mut self, resource: impl Resource + 'static) -> Self {
        self.parts.more.resources.push(Arc::new(resource));
        self
    }

    pub(crate) fn clock(mut self, clock: Clock) -> Self {
        self.parts.clock = clock;
        self
    }

    /// Where strangers' names lead.
    pub(crate) fn network(mut self, network: impl Network) -> Self {
        self.parts.network = Arc::new(network);
        self
    }

    /// Who calls this server.
    pub(crate) fn caller(mut self, name: &str) -> Self {
        self.parts.caller = Principal::new(name);
        self
    }

    pub(crate) async fn start(self) -> TestServer {
        self.try_start().await.expect("server")
    }

    pub(crate) async fn try_start(self) -> anyhow::Result<TestServer> {
        let tasks = Tasks::new();
        let emulator =
            Emulator::start("127.0.0.1:0".parse().unwrap(), self.parts.clock.clone(), &tasks).await.expect("emulator");
        let folder = tempfile::tempdir().unwrap();
        let mut sources = Sources::default()
            .with("server.secret_key", SECRET_KEY)
            .with("store.data_dir", folder.path().display().to_string())
            .with("server.listen", "127.0.0.1:0")
            .with("server.operations_listen", "127.0.0.1:0")
            .with("google.places_url", emulator.url())
            .with("google.api_key", DEMO_KEY)
            // Repetitions do not wait, and content is not kept, unless a test is about that.
            .with("google.retry_first_wait", "1ms")
            .with("cache.places_content_ttl", "0")
            .with("cache.missing_place_ttl", "0")
            .with("google.daily_budget_usd", "0")
            // Google is asked by calls alone, unless a test is about that.
            .with("health.interval", "0")
            // Nobody signs in, unless a test is about that.
            .with("auth.mode", "none")
            // Tests ask much at once.
            .with("limits.enabled", "false")
            // A slow machine is no fault of Redis.
            .with("cache.redis_lookup_timeout", "20s")
            .with("cache.redis_operation_timeout", "20s")
            .with("cache.redis_wait", "20s");
        sources.overrides.extend(self.sources.overrides);
        let config = config::load(&sources).expect("sources").into_config().expect("valid configuration");
        let app = App::start(config, self.parts).await?;
        Ok(TestServer { app, emulator, http: rpc::client(), _tasks: tasks, _folder: folder })
    }
}

impl TestServer {
    pub(crate) fn builder() -> Builder {
        Builder { sources: Sources::default(), parts: Parts::default() }
    }

    pub(crate) async fn start() -> Self {
        Self::builder().start().await
    }

    /// Calls a tool as a client of today; panics unless the answer is a tool result.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> ToolResult {
        let answer = rpc::modern(self, "tools/call", json!({"name": tool, "arguments": arguments})).await;
        ToolResult(answer.body["result"].clone())
    }

    /// Calls a tool and expects data.
    pub(crate) async fn data(&self, tool: &str, arguments: Value) -> Value {
        self.call(tool, arguments).await.data()
    }

    /// The text of a page of the operations listener, with its status.
    pub(crate) async fn operations(&self, path: &str) -> (u16, String) {
        let url = format!("http://{}{path}", self.app.operations_address());
        let response = self.http.get(url).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// The value of one metric line, by its name with labels; 0 if the line is not there.
    pub(crate) async fn metric(&self, line: &str) -> f64 {
        let (_, page) = self.operations("/metrics").await;
        let value = page.lines().find_map(|each| each.strip_prefix(line)?.strip_prefix(' ').map(str::to_owned));
        value.map_or(0.0, |value| value.parse().unwrap())
    }

    /// Switches a fault on, until it is cleared.
    pub(crate) async fn fault(&self, fault: Value) {
        self.control(json!({"fault": fault})).await;
    }

    /// Switches a fault on for one request.
    pub(crate) async fn fault_once(&self, fault: Value) {
        self.control(json!({"fault": fault, "requests": 1})).await;
    }

    async fn control(&self, switch: Value) {
        let url = format!("{}/_emulator/faults", self.emulator.url());
        let response = self.http.post(url).json(&switch).send().await.unwrap();
        assert_eq!(response.status(), 204, "{switch}");
    }

    pub(crate) async fn clear_faults(&self) {
        self.http.delete(format!("{}/_emulator/faults", self.emulator.url())).send().await.unwrap();
    }

    /// What the emulator has seen.
    pub(crate) async fn upstream_requests(&self) -> Vec<Value> {
        let url = format!("{}/_emulator/requests", self.emulator.url());
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }
}

/// The result of a tool call as it was on the wire.
#[derive(Debug)]
pub(crate) struct ToolResult(pub(crate) Value);

impl ToolResult {
    pub(crate) fn text(&self) -> &str {
        self.0["content"][0]["text"].as_str().unwrap_or_default()
    }

    /// The data of a success; panics for a failure.
    pub(crate) fn data(&self) -> Value {
        assert_eq!(self.0["isError"], json!(false), "{}", self.0);
        self.0["structuredContent"].clone()
    }

    /// The facts of a failure; panics for a success.
    pub(crate) fn failure(&self) -> Value {
        assert_eq!(self.0["isError"], json!(true), "{}", self.0);
        self.0["_meta"]["google-reviews/error"].clone()
    }

    pub(crate) fn code(&self) -> String {
        self.failure()["code"].as_str().unwrap().to_owned()
    }
}

/// Waits until something is so; the test's own time limit is that of its runner.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..3_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("waited in vain until {what}");
}

/// A port for a server that must be known before it listens, or that listens there again later. Connections that leave this
/// machine do not take it: theirs are higher.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        // Programs of tests that run at once begin at different places.
        let place = u16::try_from(std::process::id() % 1_000).unwrap() * 10 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 20_000 + place % 10_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
}

/// One check of a health page.
pub(crate) fn check<'a>(page: &'a Value, name: &str) -> &'a Value {
    let checks = page["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name} in {page}"))
}

/// A moment, twenty hours before Google's next day.
pub(crate) fn now() -> jiff::Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

/// A server that answers every request with this body, as Google would: without saying that its data is invented.
pub(crate) async fn fake_google(body: Value) -> String {
    fake_google_text(body.to_string()).await
}

/// The same with any text.
pub(crate) async fn fake_google_text(body: String) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = axum::Router::new().fallback(move || {
        let body = body.clone();
        async move { ([("content-type", "application/json; charset=UTF-8")], body) }
    });
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

/// The error that a status stands for.
pub(crate) fn unavailable(status: u16) -> google_reviews_mcp::google::GoogleError {
    google_reviews_mcp::google::GoogleError::Unavailable { status, retry_after: None }
}
