//! What telemetry costs: processor time a call of the whole process, with a cached `get_reviews`, with logs and traces and
//! without. `cargo bench --bench telemetry`. Rounds of all variants take turns, and the least of each are compared; compare figures
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
    fs::{self, File},
    path::Path,
    process::{Child, Command},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const CALLS: u32 = 24_000;
/// When it is only to be seen that all of it works, as `cargo test` does with benchmarks.
const FEW_CALLS: u32 = 160;
/// At once, so that little of the time is waiting and waking.
const CALLERS: u32 = 16;
const ROUNDS: usize = 9;
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
        let log = Path::new(folder).with_extension("log");
        // Ended by `Drop`.
        #[expect(clippy::zombie_processes, reason = "the server that is returned waits for it")]
        let child = Command::new(env!("CARGO_BIN_EXE_google-reviews-mcp"))
            .arg("serve")
            .env_clear()
            .envs([
                ("REVIEWS__SERVER__LISTEN", "127.0.0.1:0"),
                ("REVIEWS__SERVER__OPERATIONS_LISTEN", "127.0.0.1:0"),
                ("REVIEWS__STORE__DATA_DIR", folder),
                ("REVIEWS__UPSTREAM__PROVIDER", "demo"),
                ("REVIEWS__LIMITS__ENABLED", "false"),
                ("REVIEWS__AUTH__MODE", "none"),
                ("REVIEWS__CACHE__PLACES_CONTENT_TTL", "10m"),
            ])
            .envs(settings.iter().copied())
            // A file: how much a pipe costs depends on who reads it.
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let endpoint = |line: &str| Some(serde_json::from_str::<Value>(line).ok()?["endpoint"].as_str()?.to_owned());
        loop {
            if let Some(endpoint) = fs::read_to_string(&log).unwrap().lines().find_map(endpoint) {
                return Self { child, endpoint };
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Seconds of processor time so far.
    fn processor_time(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let after_name = stat.rsplit(')').next().unwrap();
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let ticks = |index: usize| fields[index].parse::<f64>().unwrap();
        (ticks(11) + ticks(12)) / TICKS_A_SECOND
    }

    /// Calls on a connection of its own. The bytes are ready, and of the answer only the length is read: what the client
    /// does must not slow the server down.
    async fn calls(&self, calls: u32) {
        let address = self.endpoint.trim_start_matches("http://").trim_end_matches("/mcp");
        let params = json!({"name": "get_reviews", "arguments": {"place_id": "ChIJdemo_moonlit_bakery_001"}});
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string();
        let request = format!(
            "POST /mcp HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\naccept: application/json, \
             text/event-stream\r\nmcp-protocol-version: 2025-11-25\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut answer = vec![0; 64 * 1024];
        for _ in 0..calls {
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut length = 0;
            while !is_whole(&answer[..length]) {
                length += stream.read(&mut answer[length..]).await.unwrap();
            }
        }
    }

    /// Microseconds of processor time a call.
    async fn round(&self, calls: u32) -> f64 {
        let before = self.processor_time();
        join_all((0..CALLERS).map(|_| self.calls(calls / CALLERS))).await;
        // What goes on behind the answers belongs to them.
        tokio::time::sleep(Duration::from_secs(1)).await;
        (self.processor_time() - before) * 1e6 / f64::from(calls)
    }
}

/// Whether an answer has arrived.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = std::str::from_utf8(&answer[..end]).unwrap().to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let length = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap();
    answer.len() >= end + 4 + length.parse::<usize>().unwrap()
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
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let (calls, rounds) = if is_measured { (CALLS, ROUNDS) } else { (FEW_CALLS, 1) };
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
    let mut servers = Vec::new();
    for (number, (name, settings)) in variants.iter().enumerate() {
        let server = Server::start(folder.path().join(number.to_string()).to_str().unwrap(), settings);
        server.round(calls).await;
        servers.push((*name, server, Vec::new()));
    }
    for _ in 0..rounds {
        for (_, server, rounds) in &mut servers {
            rounds.push(server.round(calls).await);
        }
    }
    // The machine's other work only ever adds.
    let least = |rounds: &[f64]| rounds.iter().copied().fold(f64::INFINITY, f64::min);
    let bare = least(&servers[0].2);
    println!("processor time a call of a cached get_reviews, the least of {rounds} rounds of {calls} calls:");
    for (name, _, rounds) in &servers {
        let time = least(rounds);
        println!("{name:<26} {time:7.1} µs  {:+6.1} µs", time - bare);
    }
}
