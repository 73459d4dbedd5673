//! The page for people: what it says, what it must not say, and how a real browser shows it.

use crate::support::{BAKERY, TOOLS, TestServer, now, raw};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use google_reviews_mcp::clock::Clock;
use regex::Regex;
use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};
use std::{ffi::OsString, path::Path, process::Command};

/// The policy that lets a page do next to nothing.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

async fn get(server: &TestServer, path: &str) -> (u16, HeaderMap, String) {
    let response = server.http.get(format!("http://{}{path}", server.app.address())).send().await.unwrap();
    (response.status().as_u16(), response.headers().clone(), response.text().await.unwrap())
}

/// The page as it is sent.
async fn page(server: &TestServer) -> String {
    let (status, _, page) = get(server, "/").await;
    assert_eq!(status, 200, "{page}");
    page
}

/// The page as it is read: without tags, a space between words.
async fn words(server: &TestServer) -> String {
    let text = Regex::new("<[^>]*>").unwrap().replace_all(&page(server).await, "").into_owned();
    plain(&text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text without its escapes.
fn plain(text: &str) -> String {
    text.replace("&#34;", "\"").replace("&#39;", "'").replace("&#38;", "&")
}

async fn budget(server: &TestServer) -> Value {
    let (_, page) = server.operations("/health").await;
    serde_json::from_str::<Value>(&page).unwrap()["budget"].clone()
}

/// Panics unless the page says all of this.
#[track_caller]
fn says(words: &str, all: &[&str]) {
    for each in all {
        assert!(words.contains(each), "{each:?} is not said: {words}");
    }
}

#[tokio::test]
async fn the_page_says_what_this_is_how_it_is_and_what_it_costs() {
    let server = TestServer::builder()
        .clock(Clock::manual(now()))
        .set("google.daily_budget_usd", "5")
        .set("google.daily_calls", "100")
        .start()
        .await;
    server.data("get_place", json!({"place_id": BAKERY})).await;

    let words = words(&server).await;

    says(&words, &["lets an AI client such as Claude or Cursor read and analyse reviews of places"]);
    says(&words, &["Up and running", "Database ● up since 20 Nov 2026, 12:00 UTC"]);
    says(&words, &["Source of places ● up", "As of 20 Nov 2026, 12:00 UTC"]);
    says(&words, &["$0.025 of $5.00", "1 % of the limit", "1 billable request of 100."]);
    says(&words, &["A new day begins at 21 Nov 2026, 08:00 UTC, midnight US Pacific"]);
    says(&words, TOOLS);
    says(&words, &["Find places by name, kind or address.", concat!("Google Reviews MCP ", env!("CARGO_PKG_VERSION"))]);
}

/// The page and the operator's health path read the same thing; the public health path has nothing of it.
#[tokio::test]
async fn health_tells_the_operator_what_today_has_cost() {
    let server = TestServer::builder()
        .clock(Clock::manual(now()))
        .set("google.daily_budget_usd", "0.05")
        .set("google.daily_calls", "10")
        .start()
        .await;
    let told = |spent_usd: f64, calls: u32, used_ratio: f64| {
        json!({"spent_usd": spent_usd, "limit_usd": 0.05, "calls": calls, "limit_calls": 10, "used_ratio": used_ratio,
               "resets_at": "2026-11-21T08:00:00Z"})
    };
    assert_eq!(budget(&server).await, told(0.0, 0, 0.0));
    server.data("get_place", json!({"place_id": BAKERY})).await;
    assert_eq!(budget(&server).await, told(0.025, 1, 0.5));
    assert_eq!(server.metric("upstream_budget_used_ratio").await, 0.5);
    says(&words(&server).await, &["$0.025 of $0.05", "50 % of the limit"]);

    server.data("get_reviews", json!({"place_id": BAKERY})).await;
    says(&words(&server).await, &["100 % of the limit", "The limit is reached:"]);
    assert_eq!(server.operations("/health").await.0, 200, "a budget that is spent is no fault of a dependency");
    let (_, _, public) = get(&server, "/health").await;
    assert!(!public.contains("budget") && !public.contains("usd"), "{public}");
    assert!(!server.operations("/readyz").await.1.contains("budget"));
}

#[tokio::test]
async fn without_limits_health_and_page_name_none() {
    let server = TestServer::start().await;
    server.data("get_place", json!({"place_id": BAKERY})).await;
    let budget = budget(&server).await;
    assert_eq!((&budget["spent_usd"], &budget["calls"]), (&json!(0.025), &json!(1)), "{budget}");
    assert_eq!(
        (&budget["limit_usd"], &budget["limit_calls"], &budget["used_ratio"]),
        (&json!(null), &json!(null), &json!(0.0))
    );
    let words = words(&server).await;
    says(&words, &["$0.025 with no limit in dollars", "1 billable request, with no limit of their number."]);
    assert!(!words.contains('%'), "{words}");
}

/// What is down is told to all, why to the operator alone.
#[tokio::test]
async fn the_page_says_what_is_down_and_not_why() {
    let server = TestServer::builder().set("google.api_key", "").start().await;
    let words = words(&server).await;
    says(&words, &["Running, but not everything works", "Source of places ▲ down since", "Database ● up since"]);
    assert!(!words.contains("api_key"), "{words}");
}

#[tokio::test]
async fn the_page_says_when_the_server_cannot_serve() {
    let server = TestServer::builder()
        .set("store.url", "postgres://postgres@127.0.0.1:1/x")
        .set("store.acquire_timeout", "100ms")
        .start()
        .await;
    says(&words(&server).await, &["Not ready to serve", "Database ▲ down since"]);
}

/// Synthetic data is called that, and nothing that is invented carries Google's name.
#[tokio::test]
async fn the_page_says_whose_data_it_is() {
    let demo = TestServer::builder().set("upstream.provider", "demo").start().await;
    demo.data("get_place", json!({"place_id": BAKERY})).await;
    let said = words(&demo).await;
    says(
        &said,
        &["Demo with synthetic data. Every place, person and review that this server answers with is invented."],
    );
    says(
        &said,
        &[
            "Built-in demo data ● up",
            "$0.025 with no limit in dollars",
            "Nothing is billed here",
            "In this demo, all of them answer",
        ],
    );
    assert!(!said.contains("Google Places API ") && !said.contains("Google’s list prices"), "{said}");
    assert_eq!(budget(&demo).await["limit_usd"], json!(null));
    let question = "The Moonlit Bakery in Port Ellery";
    says(&said, &[question]);
    let found = demo.data("search_places", json!({"query": question})).await;
    assert_eq!(found["places"][0]["place_id"], BAKERY, "the question that the page proposes has an answer: {found}");

    let google = TestServer::builder().set("google.places_url", "https://places.googleapis.com").start().await;
    let said = words(&google).await;
    says(
        &said,
        &[
            "Google Places API ○ not asked yet",
            "content of Google Maps. Whoever uses this server",
            "Google’s list prices",
        ],
    );
    assert!(!said.contains("ynthetic"), "{said}");

    let elsewhere = TestServer::start().await;
    says(
        &words(&elsewhere).await,
        &["Each answer says in data_source whether it is synthetic.", "unless an answer says that it is synthetic."],
    );
}

#[tokio::test]
async fn the_page_says_what_is_kept_as_it_is_set() {
    let usual =
        TestServer::builder().set("cache.places_content_ttl", "90s").set("reports.lifetime", "7d").start().await;
    says(
        &words(&usual).await,
        &[
            "90 seconds, in memory, so that",
            "7 days, for that caller alone",
            "no names and no ratings of places. No review’s text",
        ],
    );
    let page = page(&usual).await;
    says(
        &page,
        &["href=\"https://cloud.google.com/maps-platform/terms\"", "href=\"https://policies.google.com/privacy\""],
    );
    says(&page, &["<code>attribution</code>"]);

    let other = TestServer::builder()
        .set("cache.places_content_ttl", "0")
        .set("cache.redis_url", "redis://127.0.0.1:1")
        .set("reports.keep_google_figures", "true")
        .start()
        .await;
    says(
        &words(&other).await,
        &["search results: not kept at all", "with the names and ratings of places. No review’s text"],
    );
}

/// Each client is told the same address: the public one, if there is one.
#[tokio::test]
async fn the_page_connects_every_client_to_the_right_address() {
    let local = TestServer::start().await;
    let public = TestServer::builder().set("server.public_url", "http://localhost:18080").start().await;
    for (server, endpoint) in [(&local, local.app.endpoint()), (&public, "http://localhost:18080/mcp".to_owned())] {
        let page = plain(&page(server).await);
        says(&page, &[&format!("<code>{endpoint}</code>")]);
        says(&page, &[&format!("<code>claude mcp add --transport http google-reviews {endpoint}</code>")]);
        says(&page, &["Settings → Connectors → Add custom connector", "it cannot reach this server until"]);

        let link = |start: &str| {
            let found = Regex::new(&format!("<a class=\"button\" href=\"({start}[^\"]*)\">")).unwrap();
            url::Url::parse(&found.captures(&page).unwrap_or_else(|| panic!("no {start} in {page}"))[1]).unwrap()
        };
        let cursor = link("cursor:");
        let argument = |wanted: &str| cursor.query_pairs().find(|(name, _)| name == wanted).unwrap().1.into_owned();
        assert_eq!(cursor.as_str().split('?').next().unwrap(), "cursor://anysphere.cursor-deeplink/mcp/install");
        assert_eq!(argument("name"), "google-reviews");
        let config: Value = serde_json::from_slice(&STANDARD.decode(argument("config")).unwrap()).unwrap();
        assert_eq!(config, json!({"url": endpoint}));

        let wanted = json!({"name": "google-reviews", "type": "http", "url": endpoint});
        let code = link("vscode:");
        assert_eq!(code.path(), "mcp/install");
        let (decoded, _) = url::form_urlencoded::parse(code.query().unwrap().as_bytes()).next().unwrap();
        assert_eq!(serde_json::from_str::<Value>(&decoded).unwrap(), wanted);
        says(&page, &[&format!("<code>code --add-mcp '{wanted}'</code>")]);

        let settings = page.split("<code>").find(|text| text.starts_with('{')).unwrap();
        let settings: Value = serde_json::from_str(settings.split("</code>").next().unwrap()).unwrap();
        assert_eq!(settings, json!({"mcpServers": {"google-reviews": {"type": "http", "url": endpoint}}}));
    }
}

#[tokio::test]
async fn the_page_tells_no_secret() {
    let secret = "ca7a915ec7e7f00d1b3d5f79a8c6e4f2013579bdfeca8642c0ffee15900d5eed";
    let server = TestServer::builder()
        .set("google.api_key", "canary-google-key")
        .set("cache.redis_url", "redis://canary-user:canary-redis@127.0.0.1:1/7")
        .set("store.url", "postgres://canary-user:canary-store@127.0.0.1:1/canary-database")
        .set("store.acquire_timeout", "100ms")
        .set("server.secret_key", secret)
        .start()
        .await;
    server.call("get_place", json!({"place_id": BAKERY})).await;
    for path in ["/", "/page.css", "/page.js"] {
        let (status, _, text) = get(&server, path).await;
        assert_eq!(status, 200);
        let operations = server.app.operations_address().to_string();
        let emulator = server.emulator.url();
        for secret in ["canary", "127.0.0.1:1/", secret, operations.as_str(), emulator.as_str()] {
            assert!(!text.contains(secret), "{path} tells {secret}: {text}");
        }
    }
}

#[tokio::test]
async fn the_page_may_do_nothing_that_it_does_not_need() {
    let server = TestServer::start().await;
    let (_, headers, page) = get(&server, "/").await;
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(headers[name], value);
    }
    assert!(!page.contains("style=") && !page.contains("<style") && !Regex::new(r"\son\w+=").unwrap().is_match(&page));
    assert!(!Regex::new("<script[^>]*>[^<]").unwrap().is_match(&page), "no script within the page");

    let assets: Vec<_> = Regex::new("(?:href|src)=\"(/page[^\"]*)\"")
        .unwrap()
        .captures_iter(&page)
        .map(|found| found[1].to_owned())
        .collect();
    assert_eq!(assets.len(), 2);
    let mut bytes = page.len();
    for (path, media_type) in assets.iter().zip(["text/css; charset=utf-8", "text/javascript; charset=utf-8"]) {
        let (status, headers, text) = get(&server, path).await;
        assert_eq!(
            (status, &headers["content-type"], &headers["x-content-type-options"]),
            (200, &media_type.parse().unwrap(), &"nosniff".parse().unwrap())
        );
        assert!(headers["cache-control"].to_str().unwrap().contains("immutable"));
        assert!(path.contains('?'), "another version has another name: {path}");
        bytes += text.len();
    }
    assert!(bytes < 20_000, "{bytes} bytes");
}

#[tokio::test]
async fn the_page_takes_get_and_head_alone() {
    let server = TestServer::start().await;
    let send = async |method: Method, path: &str| {
        server.http.request(method, format!("http://{}{path}", server.app.address())).send().await.unwrap()
    };
    for path in ["/", "/page.css", "/page.js"] {
        let head = send(Method::HEAD, path).await;
        assert_eq!((head.status().as_u16(), head.headers()["content-length"] != "0"), (200, true));
        assert!(head.headers().contains_key("content-type") && head.text().await.unwrap().is_empty());
        for method in [Method::POST, Method::PUT, Method::DELETE] {
            let refused = send(method, path).await;
            assert_eq!(
                (refused.status().as_u16(), &refused.headers()["content-type"]),
                (405, &"application/problem+json".parse().unwrap())
            );
            assert_eq!(refused.headers()["allow"], "GET,HEAD");
        }
    }
}

/// A name that was bound to this machine's address by somebody else's DNS reads nothing.
#[tokio::test]
async fn the_page_is_shown_under_the_servers_own_name_alone() {
    let server = TestServer::start().await;
    for path in ["/", "/page.css", "/page.js"] {
        for (host, wanted) in [("evil.example".to_owned(), 403), (server.app.address().to_string(), 200)] {
            let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
            let answer = raw::exchange(server.app.address(), &request).await;
            assert_eq!(raw::status(&answer), wanted, "{path} {host}: {answer}");
            assert_eq!(answer.contains("host_not_allowed"), wanted == 403);
        }
        let foreign = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\norigin: https://evil.example\r\nconnection: close\r\n\r\n",
            server.app.address()
        );
        assert_eq!(raw::status(&raw::exchange(server.app.address(), &foreign).await), 403);
    }
}

/// Every element is closed in the order in which it was opened, every attribute is quoted, every ampersand escaped.
#[tokio::test]
async fn the_page_is_well_formed() {
    for provider in ["demo", "google"] {
        let server = TestServer::builder().set("upstream.provider", provider).start().await;
        let page = page(&server).await;
        is_well_formed(&page);
    }
}

#[track_caller]
fn is_well_formed(page: &str) {
    let rest = page.strip_prefix("<!DOCTYPE html>\n").expect("a document type");
    let tag = Regex::new(r#"<(/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"<]*")?)*)\s*(/?)>"#).unwrap();
    let void = ["meta", "link", "br", "img"];
    let mut open = Vec::new();
    for found in tag.captures_iter(rest) {
        let name = found[2].to_owned();
        match (&found[1], &found[4]) {
            ("/", "") => assert_eq!(open.pop(), Some(name), "closed at {}", &found[0]),
            ("", "/") => assert!(open.contains(&"svg".to_owned()), "{}", &found[0]),
            _ if void.contains(&name.as_str()) => {}
            _ => open.push(name),
        }
    }
    assert_eq!(open, Vec::<String>::new(), "never closed");
    let between = tag.replace_all(rest, "").into_owned();
    assert!(!between.contains('<') && !between.contains('>'), "{between}");
    let escaped = Regex::new("&(?:#[0-9]+|[a-z]+);").unwrap().replace_all(rest, "").into_owned();
    assert!(!escaped.contains('&'), "{escaped}");
}

/// Chromium, on a phone and at a desk, in light and dark, with script and without: see the script. With `PAGE_PICTURES`
/// it leaves pictures there.
#[tokio::test]
async fn a_browser_shows_the_page_well() {
    let Some(node) = std::env::var_os("INTEROP_NODE") else {
        assert!(std::env::var_os("CI").is_none(), "INTEROP_NODE is not set: run the tests with tests/run");
        eprintln!("not run: INTEROP_NODE is not set; tests/run sets it");
        return;
    };
    let demo = TestServer::builder().set("upstream.provider", "demo").start().await;
    let spent = TestServer::builder()
        .set("google.daily_calls", "1")
        .set("cache.redis_url", "redis://127.0.0.1:1")
        .start()
        .await;
    spent.data("get_place", json!({"place_id": BAKERY})).await;
    for (name, server) in [("demo", demo), ("spent", spent)] {
        let mut command = Command::new(&node);
        command.arg("tests/interop/page.mjs").arg(format!("http://{}/", server.app.address()));
        command.args(pictures(name));
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{name}: {out}{err}");
        for seen in ["phone-light", "phone-dark", "desk-light", "desk-dark"] {
            assert!(out.contains(&format!("{seen}: 5 texts to copy")), "{name}: {out}{err}");
        }
    }
}

fn pictures(name: &str) -> Option<OsString> {
    Some(Path::new(&std::env::var_os("PAGE_PICTURES")?).join(name).into_os_string())
}
