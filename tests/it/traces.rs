//! Traces, as a collector gets them: right names and parents, no more than was asked for, and a collector that is slow or
//! gone costs nothing but spans.

use crate::support::{
    BAKERY, TestServer,
    binary::Serving,
    collector::{Collector, attribute, hexadecimal},
    proxy::{Mode, Proxy},
    redis::LentRedis,
    rpc, until,
};
use google_reviews_mcp::emulator::DEMO_KEY;
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A real `serve` that sends to a collector, with an emulator as Google.
fn serving(google: &TestServer, collector: &[(&str, &str)], more: &[(&str, &str)]) -> Serving {
    let upstream = google.emulator.url();
    let settings = [("REVIEWS__GOOGLE__PLACES_URL", upstream.as_str()), ("REVIEWS__GOOGLE__API_KEY", DEMO_KEY)];
    Serving::start(&[&settings, collector, more].concat())
}

fn reviews(traceparent: &str) -> Value {
    json!({"name": "get_reviews", "arguments": {"place_id": BAKERY}, "_meta": {"traceparent": traceparent}})
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let names: Vec<_> = spans.iter().map(|span| &span.name).collect();
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name} in {names:?}"))
}

/// From the client's span to the request to Google, through both tiers of the cache.
#[tokio::test]
async fn a_call_is_one_trace_from_the_clients_span_to_google() {
    let (google, collector, redis) = (TestServer::start().await, Collector::start().await, LentRedis::take().await);
    let url = redis.url();
    let serving = serving(&google, &collector.environment(), &[("REVIEWS__CACHE__REDIS_URL", &url)]);
    let call = reviews(&format!("00-{TRACE}-{PARENT}-01"));
    rpc::call_with(&serving.endpoint, call, HeaderMap::new()).await.unwrap().data();

    let spans = collector.trace(TRACE, 5).await;
    let request = named(&spans, "tools/call get_reviews");
    assert_eq!((request.kind(), hexadecimal(&request.parent_span_id).as_str()), (SpanKind::Server, PARENT));
    assert_eq!(attribute(request, "mcp.method.name"), "tools/call");
    assert_eq!(attribute(request, "gen_ai.tool.name"), "get_reviews");
    assert_eq!(attribute(request, "gen_ai.operation.name"), "execute_tool");
    assert_eq!(attribute(request, "mcp.protocol.version"), rpc::MODERN);
    let cache = named(&spans, "cache get");
    assert_eq!((&cache.parent_span_id, attribute(cache, "cache.outcome").as_str()), (&request.span_id, "miss"));
    let lookup = named(&spans, "redis GET");
    assert_eq!((lookup.kind(), &lookup.parent_span_id), (SpanKind::Client, &cache.span_id));
    assert_eq!(attribute(lookup, "db.system.name"), "redis");
    let upstream = named(&spans, "google place_details");
    assert_eq!((upstream.kind(), &upstream.parent_span_id), (SpanKind::Client, &cache.span_id));
    assert!(upstream.start_time_unix_nano >= lookup.end_time_unix_nano && upstream.status.is_none_or_ok());
    assert!(collector.resource().contains(&("service.name".to_owned(), "google-reviews-mcp".to_owned())));
    until("metrics have arrived", async || collector.metrics().contains(&"mcp.tool.calls".to_owned())).await;

    let (log, _) = tokio::task::spawn_blocking(move || serving.stop()).await.unwrap();
    let line = log.lines().find(|line| line.contains("\"tool call\"")).expect("the line of the call");
    assert_eq!(serde_json::from_str::<Value>(line).unwrap()["trace_id"], TRACE);
}

trait Fine {
    fn is_none_or_ok(&self) -> bool;
}

impl Fine for Option<opentelemetry_proto::tonic::trace::v1::Status> {
    fn is_none_or_ok(&self) -> bool {
        self.as_ref().is_none_or(|status| status.code() != StatusCode::Error)
    }
}

/// The database, a failure, the header as a parent, and the HTTP request as a link.
#[tokio::test]
async fn statements_and_failures_are_in_the_trace() {
    let (google, collector) = (TestServer::start().await, Collector::start().await);
    let serving = serving(&google, &collector.environment(), &[("REVIEWS__CACHE__PLACES_CONTENT_TTL", "0")]);
    let header = |trace: &str| HeaderMap::from_iter([("traceparent".parse().unwrap(), trace.parse().unwrap())]);
    let other = "0af7651916cd43dd8448eb211c80319c";
    let report = json!({"name": "create_report",
        "arguments": {"place_ids": [BAKERY], "title": "canary title", "request_id": "canary-request"}});
    let parent = header(&format!("00-{other}-b7ad6b7169203331-01"));
    rpc::call_with(&serving.endpoint, report, parent).await.unwrap().data();
    let spans = collector.trace(other, 8).await;
    let request = named(&spans, "tools/call create_report");
    assert_eq!(hexadecimal(&request.parent_span_id), "b7ad6b7169203331");
    let statement = named(&spans, "sqlite reports.insert");
    assert_eq!(attribute(statement, "db.system.name"), "sqlite");
    assert!(spans.iter().any(|span| span.span_id == statement.parent_span_id), "its parent is in the trace");

    google.fault(json!({"kind": "error", "name": "unavailable"})).await;
    let call = reviews(&format!("00-{TRACE}-{PARENT}-01"));
    let carrier = header("00-11111111111111111111111111111111-2222222222222222-01");
    let failed = rpc::call_with(&serving.endpoint, call, carrier).await.unwrap();
    let spans = collector.trace(TRACE, 3).await;
    let request = named(&spans, "tools/call get_reviews");
    assert_eq!(attribute(request, "error.type"), "tool_error");
    assert_eq!(attribute(request, "google_reviews.error.code"), failed.code());
    assert_eq!(request.status.as_ref().unwrap().code(), StatusCode::Error);
    assert_eq!(hexadecimal(&request.links[0].span_id), "2222222222222222");
    let upstream = named(&spans, "google place_details");
    assert_eq!(attribute(upstream, "error.type"), failed.code());
    assert!(!collector.text().contains("canary"));
    // Nobody asked for probes and upkeep.
    assert_eq!(collector.spans().iter().find(|span| span.parent_span_id.is_empty()), None);
}

/// Lines of calls name a trace also where nobody collects it: the caller's own, or a new one.
#[tokio::test]
async fn without_a_collector_calls_are_logged_with_a_trace() {
    let google = TestServer::start().await;
    let serving = serving(&google, &[], &[]);
    for _ in 0..2 {
        serving.call("get_place", json!({"place_id": BAKERY})).await.unwrap().data();
    }
    let call = reviews(&format!("00-{TRACE}-{PARENT}-01"));
    rpc::call_with(&serving.endpoint, call, HeaderMap::new()).await.unwrap().data();
    let (log, _) = tokio::task::spawn_blocking(move || serving.stop()).await.unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let calls = lines.filter(|line| line["message"] == "tool call");
    let traces: Vec<String> = calls.map(|line| line["trace_id"].as_str().unwrap().to_owned()).collect();
    assert!(traces.len() == 3 && traces[2] == TRACE && traces[0] != traces[1], "{traces:?}");
    assert!(traces.iter().all(|id| id.len() == 32 && !id.starts_with("0000000000000000")), "{traces:?}");
}

/// Neither by the flag nor by the choice of an id does a caller get more than its part; and one that wants none gets none.
#[tokio::test]
async fn met_06_no_caller_can_force_traces() {
    let (google, collector) = (TestServer::start().await, Collector::start().await);
    let some = [("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0.05")];
    let serving = serving(&google, &collector.environment(), &some);
    for number in 1..=300 {
        for flag in ["01", "00"] {
            let call = reviews(&format!("00-{number:032x}-{PARENT}-{flag}"));
            rpc::call_with(&serving.endpoint, call, HeaderMap::new()).await.unwrap().data();
        }
    }
    let (_, ended_well) = tokio::task::spawn_blocking(move || serving.stop()).await.unwrap();
    let requests = collector.spans().iter().filter(|span| span.name.starts_with("tools/call")).count();
    // 15 of 300 are to be expected; more than 60 never come by chance.
    assert!(ended_well && (1..60).contains(&requests), "{requests}");
}

/// A hundred requests, and how long they took.
async fn hundred(endpoint: &str) -> Duration {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let started = Instant::now();
    for _ in 0..100 {
        let request = http
            .post(endpoint)
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
        assert_eq!(rpc::send(request).await.status, 200);
    }
    started.elapsed()
}

/// Calls until more spans than `least` have come to this end; returns how many.
async fn calls_until(serving: &Serving, outcome: &str, least: f64) -> f64 {
    let line = format!("trace_spans_total{{outcome=\"{outcome}\"}} ");
    let mut count = 0.0;
    until(&format!("spans are {outcome}"), async || {
        hundred(&serving.endpoint).await;
        let page = reqwest::get(format!("{}/metrics", serving.operations)).await.unwrap().text().await.unwrap();
        let found = page.lines().find_map(|each| each.strip_prefix(&line)?.parse().ok());
        count = found.unwrap_or_default();
        count > least
    })
    .await;
    count
}

/// A collector that hangs, resets or is not there: calls go on as before, what waits has its bound, the loss is counted.
#[tokio::test]
async fn met_04_a_dead_collector_costs_nothing_but_spans() {
    let (google, collector) = (TestServer::start().await, Collector::start().await);
    let proxy = Proxy::start(collector.url.trim_start_matches("http://").parse().unwrap()).await;
    let address = format!("http://{}", proxy.address);
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", address.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "64"),
    ];
    let serving = serving(&google, &settings, &[]);
    calls_until(&serving, "delivered", 0.0).await;
    proxy.set(Mode::Stall);
    // The exporter waits ten seconds for an answer; a hundred calls that waited with it would take a quarter of an hour.
    assert!(hundred(&serving.endpoint).await < Duration::from_secs(10));
    calls_until(&serving, "dropped", 0.0).await;
    proxy.set(Mode::Cut);
    calls_until(&serving, "failed", 0.0).await;
    proxy.set(Mode::Through);
    let delivered = calls_until(&serving, "delivered", 0.0).await;
    calls_until(&serving, "delivered", delivered).await;
    let (log, _) = tokio::task::spawn_blocking(move || serving.stop()).await.unwrap();
    let told = log.lines().filter(|line| line.contains("takes no spans")).count();
    assert!((1..4).contains(&told) && log.contains("takes spans again"), "{log}");
}

/// Spans and figures are under way to nowhere when the process is asked to stop.
#[tokio::test]
async fn res_25_a_collector_that_hangs_does_not_keep_the_process() {
    let (google, collector) = (TestServer::start().await, Collector::start().await);
    let proxy = Proxy::start(collector.url.trim_start_matches("http://").parse().unwrap()).await;
    proxy.set(Mode::Stall);
    let address = format!("http://{}", proxy.address);
    let serving = serving(&google, &[("OTEL_EXPORTER_OTLP_ENDPOINT", address.as_str())], &[]);
    serving.call("get_place", json!({"place_id": BAKERY})).await.unwrap().data();
    let started = Instant::now();
    let (_, ended_well) = tokio::task::spawn_blocking(move || serving.stop()).await.unwrap();
    // Two seconds for figures and five for spans; without a limit it would be the exporter's ten, or for ever.
    assert!(ended_well && started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
}
