//! The canary test: secrets that the operator gave and secrets that callers sent are looked for in everything that leaves
//! the process: both log streams, spans, metrics, health, and all answers.

use crate::support::{
    BAKERY, TOOLS, TestServer, arguments,
    binary::{Serving, program, stdout},
    collector::Collector,
    database::Database,
    issuer::{FakeIssuer, SigningKey},
    postgres::Cluster,
    raw,
    redis::RedisServer,
    rpc,
};
use deadpool_redis::redis::cmd;
use google_reviews_mcp::emulator::DEMO_KEY;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

/// What was seen of a server from outside.
#[derive(Default)]
struct Seen(Vec<(String, String)>);

impl Seen {
    fn add(&mut self, place: &str, text: impl Into<String>) {
        self.0.push((place.to_owned(), text.into()));
    }

    async fn get(&mut self, url: &str) {
        let answer = reqwest::get(url).await.unwrap();
        let headers = format!("{:?}", answer.headers());
        self.add(url, headers + &answer.text().await.unwrap());
    }

    /// The places where one of these words is.
    fn with<'a>(&'a self, words: &'a [String]) -> Vec<&'a str> {
        let has = |text: &str| words.iter().any(|word| text.contains(word.as_str()));
        self.0.iter().filter(|(_, text)| has(text)).map(|(place, _)| place.as_str()).collect()
    }
}

/// Calls every tool well and wrongly, and looks at every page.
async fn use_everything(serving: &Serving, seen: &mut Seen) {
    let report = json!({"place_ids": [BAKERY], "title": "t", "request_id": "r"});
    let kept = serving.call("create_report", report.clone()).await.unwrap().data();
    for tool in TOOLS {
        let right = match *tool {
            "create_report" => report.clone(),
            "get_report" => json!({"report_id": kept["report_id"]}),
            tool => arguments(tool),
        };
        for arguments in [right, json!({"wrong": 1})] {
            let answer = serving.call(tool, arguments).await.unwrap();
            seen.add(tool, answer.0.to_string());
        }
    }
    assert_eq!(seen.0.len(), 2 * TOOLS.len());
    let main = serving.endpoint.trim_end_matches("/mcp");
    for path in ["/", "/health", "/readyz", "/livez", "/startupz", "/mcp", "/nothing"] {
        seen.get(&format!("{main}{path}")).await;
        seen.get(&format!("{}{path}", serving.operations)).await;
    }
    seen.get(&format!("{}/metrics", serving.operations)).await;
}

async fn stopped(serving: Serving, collector: &Collector, seen: &mut Seen) {
    let start = serving.start.clone();
    let (rest, _) = tokio::task::spawn_blocking(move || serving.stop()).await.unwrap();
    assert!(rest.contains("tool call"), "the log was read");
    assert!(collector.text().contains("tools/call"), "spans were sent");
    seen.add("log", start + &rest);
    seen.add("collector", collector.text());
}

/// The operator's: API key, passwords of Redis and of the database, the secret key; while all is well, and while all fails.
#[tokio::test]
async fn leak_01_secrets_of_the_operator_are_seen_nowhere() {
    let (google, collector, redis) = (TestServer::start().await, Collector::start().await, RedisServer::start().await);
    let cluster = Cluster::start().await;
    cluster.run("CREATE ROLE canary_user LOGIN SUPERUSER PASSWORD 'canary-postgres'").await;
    redis.run::<()>(cmd("CONFIG").arg("SET").arg("requirepass").arg("canary-redis")).await;
    let host = cluster.url("postgres");
    let host = host.trim_start_matches("postgres://");
    let store = format!("postgres://canary_user:canary-postgres@{}", host.rsplit('@').next().unwrap());
    let cache = format!("redis://:canary-redis@{}", redis.address);
    let secret_key = "ca7a125ec7e7f00d1b3d5f79a8c6e4f2013579bdfeca8642c0ffee15900d5eed".to_owned();
    let upstream = google.emulator.url();
    for key in [DEMO_KEY, "canary-google-key"] {
        let settings = [
            ("REVIEWS__GOOGLE__PLACES_URL", upstream.as_str()),
            ("REVIEWS__GOOGLE__API_KEY", key),
            ("REVIEWS__CACHE__REDIS_URL", &cache),
            ("REVIEWS__STORE__URL", &store),
            ("REVIEWS__SERVER__SECRET_KEY", &secret_key),
            ("REVIEWS__HEALTH__INTERVAL", "100ms"),
            ("REVIEWS__LOG__LEVEL", "trace"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=canary-collector"),
        ];
        let serving = Serving::start(&[&settings, collector.environment().as_slice()].concat());
        let mut seen = Seen::default();
        if key == DEMO_KEY {
            use_everything(&serving, &mut seen).await;
        } else {
            // Google refuses this key, and says which.
            seen.add("refused", serving.call("get_place", json!({"place_id": BAKERY})).await.unwrap().0.to_string());
            seen.get(&format!("{}/health", serving.operations)).await;
        }
        stopped(serving, &collector, &mut seen).await;
        let secrets = [key, "canary-redis", "canary-postgres", &secret_key, "canary-collector", "canary_user"];
        let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        assert_eq!(seen.with(&secrets), Vec::<&str>::new(), "with {key}");
    }
}

/// The callers': tokens, codes, cookies, titles and search texts, in every place of a request; and what reviewers wrote.
#[tokio::test]
async fn leak_02_what_callers_send_and_reviewers_wrote_is_in_no_log_span_or_metric() {
    let (google, collector) = (TestServer::start().await, Collector::start().await);
    let upstream = google.emulator.url();
    let settings = [
        ("REVIEWS__GOOGLE__PLACES_URL", upstream.as_str()),
        ("REVIEWS__GOOGLE__API_KEY", DEMO_KEY),
        ("REVIEWS__HEALTH__INTERVAL", "100ms"),
        ("REVIEWS__LOG__LEVEL", "debug"),
    ];
    let serving = Serving::start(&[&settings, collector.environment().as_slice()].concat());
    let mut answers = Seen::default();
    use_everything(&serving, &mut answers).await;
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("authorization", "Bearer canary-token"),
        ("x-api-key", "canary-key"),
        ("cookie", "session=canary-cookie"),
        ("baggage", "user=canary-baggage"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("tracestate", "vendor=canary-state"),
        ("x-request-id", "canary-request"),
        ("user-agent", "canary/1"),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    for (tool, arguments) in [
        ("search_places", json!({"query": "canary-query"})),
        ("get_place", json!({"place_id": "canary place"})),
        ("get_place", json!({"place_id": BAKERY, "canary-argument": "canary-value"})),
        ("create_report", json!({"place_ids": [BAKERY], "title": "canary-title", "request_id": "canary-request-id"})),
        ("canary-tool", json!({})),
    ] {
        let params = json!({"name": tool, "arguments": arguments, "_meta": {"canary-meta": "canary-value"}});
        let _ = rpc::call_with(&serving.endpoint, params, headers.clone()).await;
    }
    let reviews = serving.call("get_reviews", json!({"place_id": BAKERY})).await.unwrap().data();
    let mut words: Vec<String> = reviews["reviews"].as_array().unwrap().iter().flat_map(words_of).collect();
    assert!(words.len() >= 8, "texts and names: {words:?}");
    words.push("canary".to_owned());

    let mut seen = Seen::default();
    for url in ["/metrics", "/health"].map(|path| format!("{}{path}", serving.operations)) {
        seen.get(&url).await;
    }
    stopped(serving, &collector, &mut seen).await;
    assert_eq!(seen.with(&words), Vec::<&str>::new());
}

/// The first words of a review and the name of who wrote it.
fn words_of(review: &Value) -> Vec<String> {
    let text: Option<String> = review["text"].as_str().map(|text| text.chars().take(24).collect());
    let name = review["author_name"].as_str().unwrap().to_owned();
    text.into_iter().chain([name]).collect()
}

/// What stands in a query may be a code of somebody's sign-in.
#[tokio::test]
async fn leak_06_queries_of_urls_are_in_no_log_and_no_span() {
    let (google, collector) = (TestServer::start().await, Collector::start().await);
    let upstream = google.emulator.url();
    let settings = [
        ("REVIEWS__GOOGLE__PLACES_URL", upstream.as_str()),
        ("REVIEWS__GOOGLE__API_KEY", DEMO_KEY),
        ("REVIEWS__LOG__LEVEL", "trace"),
    ];
    let serving = Serving::start(&[&settings, collector.environment().as_slice()].concat());
    let query = "?code=canary-code&state=canary-state";
    let main = serving.endpoint.trim_end_matches("/mcp").to_owned();
    let mut seen = Seen::default();
    for path in ["/", "/health", "/login/callback", "/mcp"] {
        seen.get(&format!("{main}{path}{query}")).await;
    }
    let with_query = format!("{}{query}", serving.endpoint);
    rpc::call(&with_query, "get_place", json!({"place_id": BAKERY})).await.unwrap().data();
    let address = main.trim_start_matches("http://").parse().unwrap();
    let head = format!(
        "GET /{query} HTTP/1.1\r\nhost: evil.example\r\nreferer: http://x/{query}\r\nconnection: close\r\n\r\n"
    );
    seen.add("refused", raw::exchange(address, &head).await);
    stopped(serving, &collector, &mut seen).await;
    assert_eq!(seen.with(&["canary".to_owned()]), Vec::<&str>::new());
}

/// The one exception: an operator who looks for a fault has results logged, for a time that is announced.
#[tokio::test]
async fn results_are_logged_until_the_moment_given_and_it_is_announced() {
    let google = TestServer::start().await;
    let (upstream, until) = (google.emulator.url(), jiff::Timestamp::now() + std::time::Duration::from_secs(4));
    let until_text = until.to_string();
    let settings = [
        ("REVIEWS__GOOGLE__PLACES_URL", upstream.as_str()),
        ("REVIEWS__GOOGLE__API_KEY", DEMO_KEY),
        ("REVIEWS__LOG__RESULTS_UNTIL", until_text.as_str()),
    ];
    let serving = Serving::start(&settings);
    assert!(serving.start.contains("the results of tool calls are logged"), "{}", serving.start);
    let health = async || {
        let url = format!("{}/health", serving.endpoint.trim_end_matches("/mcp"));
        reqwest::get(url).await.unwrap().json::<Value>().await.unwrap()["results_logged_until"].clone()
    };
    assert!(health().await.is_string());
    let page = reqwest::get(serving.endpoint.trim_end_matches("mcp")).await.unwrap().text().await.unwrap();
    assert!(page.contains("answers are logged too"), "{page}");
    let reviews = serving.call("get_reviews", json!({"place_id": BAKERY})).await.unwrap().data();
    assert!(jiff::Timestamp::now() < until, "this machine is too slow for this test");
    crate::support::until("the time is over", async || health().await.is_null()).await;
    serving.call("get_reviews", json!({"place_id": BAKERY})).await.unwrap().data();
    let (log, _) = tokio::task::spawn_blocking(move || serving.stop()).await.unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let results: Vec<_> = lines.iter().filter(|line| line["message"] == "tool result").collect();
    assert_eq!(results.len(), 1, "{log}");
    let name = reviews["reviews"][0]["author_name"].as_str().unwrap();
    assert!(results[0]["result"].as_str().unwrap().contains(name), "{}", results[0]);
    assert_eq!(lines.iter().filter(|line| line["message"] == "tool call").count(), 2);
}

/// Calls a tool and shows this.
async fn shown(endpoint: &str, name: &str, value: String) -> reqwest::Response {
    let params = json!({"name": "get_place", "arguments": {"place_id": BAKERY}});
    let request = rpc::client()
        .post(endpoint)
        .header(name, value)
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-11-25")
        .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}));
    request.send().await.unwrap()
}

/// A token that expires after this time.
fn token(key: &SigningKey, issuer: &FakeIssuer, seconds: i64) -> String {
    let claims = json!({"iss": issuer.url, "aud": "reviews", "sub": "canary-subject", "client_id": "canary-client",
        "exp": jiff::Timestamp::now().as_second() + seconds, "scope": "reviews:read reports:write"});
    key.token(r#"{"alg":"ES256","typ":"at+jwt","kid":"one"}"#, &claims.to_string())
}

/// Credentials that open, and those that do not: in no log, span, metric, page or answer.
#[tokio::test]
async fn tokens_and_keys_of_callers_are_seen_nowhere() {
    let (google, collector) = (TestServer::start().await, Collector::start().await);
    let key = SigningKey::p256();
    let issuer = FakeIssuer::start(&[key.public("one")]).await;
    let database = Database::sqlite();
    let upstream = google.emulator.url();
    let settings = [
        ("REVIEWS__AUTH__MODE", "oauth"),
        ("REVIEWS__AUTH__ISSUER", issuer.url.as_str()),
        ("REVIEWS__AUTH__AUDIENCE", "reviews"),
        ("REVIEWS__LOG__LEVEL", "trace"),
    ];
    let serving = Serving::on(&database, &upstream, &[&settings, collector.environment().as_slice()].concat());
    let mut made = program();
    made.args(["key", "add", "canary"]).envs(database.environment());
    let made = stdout(&tokio::task::spawn_blocking(move || made.output().unwrap()).await.unwrap());
    let api_key = made.trim().to_owned();
    let [good, expired] = [300, -300].map(|seconds| token(&key, &issuer, seconds));
    let forged = token(&SigningKey::p256(), &issuer, 300);
    let mut seen = Seen::default();
    let credentials = [good, expired, forged, api_key.clone(), format!("{}x", &api_key[..api_key.len() - 1])];
    crate::support::until("the issuer's keys are there", async || {
        reqwest::get(format!("{}/readyz", serving.operations)).await.is_ok_and(|answer| answer.status() == 200)
    })
    .await;
    let mut statuses = Vec::new();
    for credential in &credentials {
        for (name, value) in [("authorization", format!("Bearer {credential}")), ("x-api-key", credential.clone())] {
            let answer = shown(&serving.endpoint, name, value).await;
            statuses.push(answer.status().as_u16());
            seen.add(name, format!("{:?}{}", answer.headers().clone(), answer.text().await.unwrap()));
        }
    }
    assert_eq!(statuses, [200, 401, 401, 401, 401, 401, 200, 200, 401, 401]);
    let main = serving.endpoint.trim_end_matches("/mcp").to_owned();
    for url in [
        format!("{main}/"),
        format!("{main}/health"),
        format!("{}/health", serving.operations),
        format!("{}/metrics", serving.operations),
    ] {
        seen.get(&url).await;
    }
    stopped(serving, &collector, &mut seen).await;
    let secrets: Vec<String> = credentials.iter().flat_map(|text| text.split(['.', '_']).map(str::to_owned)).collect();
    // The id of a key is no secret: it is how the operator speaks of it.
    let secrets: Vec<String> =
        secrets.into_iter().filter(|part| part.len() > 12).chain(["canary".to_owned()]).collect();
    assert_eq!(seen.with(&secrets), Vec::<&str>::new());
}
