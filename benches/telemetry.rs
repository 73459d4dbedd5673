//! What telemetry costs: processor time a call of the whole process, with a cached `get_reviews`, with logs and traces and
//! without. `cargo bench --bench telemetry`. Rounds of all variants take turns, and medians are compared; compare figures
//! within one run only.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a benchmark"
)]

use futures_util::future::join_all;
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead as _, BufReader, copy, sink},
    process::{Child, Command, Stdio},
};

const CALLS: u32 = 6_000;
/// At once, so that little of the time is waiting and waking.
const CALLERS: u32 = 16;
const ROUNDS: usize = 7;
/// Of the clock in which Linux counts processor time.
const TICKS_A_SECOND: f64 = 100.0;

/// A running server, ended when it is dropped.
struct Server {
    child: Child,
    endpoint: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Server {
    fn start(folder: &str, settings: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_google-reviews-mcp"))
            .arg("serve")
            .env_clear()
            .envs([
                ("REVIEWS__SERVER__LISTEN", "127.0.0.1:0"),
                ("REVIEWS__SERVER__OPERATIONS_LISTEN", "127.0.0.1:0"),
                ("REVIEWS__STORE__DATA_DIR", folder),
                ("REVIEWS__UPSTREAM__PROVIDER", "demo"),
                ("REVIEWS__CACHE__PLACES_CONTENT_TTL", "10m"),
            ])
            .envs(settings.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut endpoint = None;
        while endpoint.is_none() {
            let mut line = String::new();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "serve ended");
            let line: Value = serde_json::from_str(&line).unwrap_or_default();
            endpoint = line["endpoint"].as_str().map(str::to_owned);
        }
        std::thread::spawn(move || copy(&mut log, &mut sink()));
        Self { child, endpoint: endpoint.unwrap() }
    }

    /// Seconds of processor time so far.
    fn processor_time(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let after_name = stat.rsplit(')').next().unwrap();
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let ticks = |index: usize| fields[index].parse::<f64>().unwrap();
        (ticks(11) + ticks(12)) / TICKS_A_SECOND
    }

    async fn call(&self, http: &reqwest::Client, number: u32) {
        let params = json!({"name": "get_reviews", "arguments": {"place_id": "ChIJdemo_moonlit_bakery_001"}, "_meta": {
            "traceparent": format!("00-{:032x}-00f067aa0ba902b7-01", number + 1),
        }});
        let request = http
            .post(&self.endpoint)
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}));
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["result"]["isError"], json!(false), "{answer}");
    }

    /// Microseconds of processor time a call.
    async fn round(&self, http: &reqwest::Client) -> f64 {
        let before = self.processor_time();
        let caller = async |first: u32| {
            for number in (first..CALLS).step_by(CALLERS as usize) {
                self.call(http, number).await;
            }
        };
        join_all((0..CALLERS).map(caller)).await;
        // What goes on behind the answers belongs to them.
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        (self.processor_time() - before) * 1e6 / f64::from(CALLS)
    }
}

/// Takes what is sent and answers that all is well.
async fn collector() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = axum::Router::new().fallback(|_body: axum::body::Bytes| async {});
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

#[tokio::main]
async fn main() {
    let collector = collector().await;
    let traces = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.as_str());
    let tenth = [("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0.1")];
    // The start has to be seen, and what follows not.
    let bare = ("REVIEWS__LOG__LEVEL", "google_reviews_mcp::cli=info");
    let variants: [(&str, Vec<(&str, &str)>); 5] = [
        ("neither logs nor traces", vec![bare]),
        ("logs", vec![]),
        ("logs, a tenth traced", [&[traces], tenth.as_slice()].concat()),
        ("logs, all traced", vec![traces]),
        ("all traced, no logs", vec![bare, traces]),
    ];
    let folder = tempfile::tempdir().unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut servers = Vec::new();
    for (number, (name, settings)) in variants.iter().enumerate() {
        let server = Server::start(folder.path().join(number.to_string()).to_str().unwrap(), settings);
        server.round(&http).await;
        servers.push((*name, server, Vec::new()));
    }
    for _ in 0..ROUNDS {
        for (_, server, rounds) in &mut servers {
            rounds.push(server.round(&http).await);
        }
    }
    let median = |rounds: &[f64]| {
        let mut rounds = rounds.to_vec();
        rounds.sort_by(f64::total_cmp);
        rounds[rounds.len() / 2]
    };
    let least = median(&servers[0].2);
    println!("processor time a call of a cached get_reviews, medians of {ROUNDS} rounds of {CALLS} calls:");
    for (name, _, rounds) in &servers {
        let time = median(rounds);
        println!("{name:<26} {time:7.1} µs  {:+6.1} µs", time - least);
    }
}
