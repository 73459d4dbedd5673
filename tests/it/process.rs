//! What can only be seen of a whole process: that it ends when it hangs, and not when it was only stopped; that it says
//! what happened and nothing else; and that it leaves no secret behind.

use crate::support::{
    BAKERY, TestServer,
    binary::{Serving, program},
    child::{self, Ended},
    now, until,
};
use google_reviews_mcp::{
    clock::Clock,
    config::{Log, LogFormat},
    health::{Health, Heartbeat},
    http,
    mcp::{Answer, Call, Logged, Offer, ReadTool, Tool},
    model::{Failure, Spend},
    telemetry::{self, Metrics},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader},
    os::unix::process::ExitStatusExt as _,
    process::Stdio,
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use validator::Validate;

const SIGABRT: i32 = 6;
/// The shortest that a watchdog waits.
const WATCH: Duration = Duration::from_secs(3);
/// Longer than any of these children takes, also on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);
const CANARY: &str = "canary-3f9d1c";

fn log_as_json() {
    telemetry::install_logging(&Log { level: "info".to_owned(), format: LogFormat::Json, results_until: None });
}

/// The lines of a log that are JSON.
fn logged(log: &str) -> Vec<Value> {
    log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// A server with a watchdog whose threads all do `work` that does not end.
async fn hang(work: fn()) {
    let server = TestServer::start().await;
    let _watchdog = server.app.watch(WATCH);
    server.data("get_place", json!({"place_id": BAKERY})).await;
    for _ in 0..4 {
        tokio::spawn(async move { work() });
    }
    std::thread::sleep(LIMIT);
}

/// It was ended by itself, after its time and not long after.
fn was_ended_by_its_watchdog(ended: &Ended) {
    assert_eq!(ended.status.signal(), Some(SIGABRT), "{:?}\n{}{}", ended.status, ended.stdout, ended.stderr);
    assert!(ended.took >= WATCH && ended.took < LIMIT / 2, "{:?}", ended.took);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn life_11_a_process_whose_runtime_hangs_says_so_and_ends() {
    if child::is_child() {
        log_as_json();
        return hang(|| std::thread::sleep(LIMIT)).await;
    }
    let ended = child::again(module_path!(), "life_11_a_process_whose_runtime_hangs_says_so_and_ends", LIMIT);
    was_ended_by_its_watchdog(&ended);
    let said: Vec<Value> = logged(&ended.stderr).into_iter().filter(|line| line["level"] == "ERROR").collect();
    let [line] = &said[..] else { panic!("one line of the end: {}", ended.stderr) };
    assert_eq!(line["message"], "the runtime hangs: the process ends, to be started again");
    assert_eq!(line["limit_seconds"], 3);
}

/// Whatever the runtime hangs on, also if that is the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn life_11_a_process_that_hangs_on_its_log_ends_without_words() {
    if child::is_child() {
        log_as_json();
        return hang(|| {
            let _log = std::io::stderr().lock();
            std::thread::sleep(LIMIT);
        })
        .await;
    }
    let ended = child::again(module_path!(), "life_11_a_process_that_hangs_on_its_log_ends_without_words", LIMIT);
    was_ended_by_its_watchdog(&ended);
}

/// A debugger, a laptop that sleeps, a container that is frozen: the time of the process stood still as well.
#[tokio::test]
async fn life_11_a_process_that_was_stopped_and_goes_on_is_not_ended() {
    let mut serving = Serving::start(&[("REVIEWS__HEALTH__WATCHDOG", "3s")]);
    serving.signal("-STOP");
    tokio::time::sleep(Duration::from_secs(6)).await;
    serving.signal("-CONT");
    until("it lives", async || livez(&serving.operations).await == 200).await;
    // As long again as the watchdog would need.
    tokio::time::sleep(WATCH + Duration::from_secs(1)).await;
    assert_eq!(serving.child.try_wait().unwrap(), None);
    assert_eq!(livez(&serving.operations).await, 200);
    let (log, ended_well) = tokio::task::spawn_blocking(move || serving.stop()).await.unwrap();
    assert!(ended_well && !log.contains("hangs"), "{log}");
}

/// Calls may take longer to finish than the watchdog waits for a beat.
#[tokio::test]
async fn life_11_a_process_that_lets_calls_finish_is_not_ended() {
    let google = TestServer::start().await;
    let url = google.emulator.url();
    let serving = Serving::start(&[
        ("REVIEWS__GOOGLE__PLACES_URL", &url),
        ("REVIEWS__GOOGLE__API_KEY", "demo-key"),
        ("REVIEWS__GOOGLE__FIRST_BYTE_TIMEOUT", "20s"),
        ("REVIEWS__GOOGLE__TOTAL_TIMEOUT", "20s"),
        ("REVIEWS__HEALTH__WATCHDOG", "3s"),
    ]);
    google.fault(json!({"kind": "latency", "milliseconds": 6_000})).await;
    let endpoint = serving.endpoint.clone();
    let call =
        tokio::spawn(
            async move { crate::support::rpc::call(&endpoint, "get_place", json!({"place_id": BAKERY})).await },
        );
    until("Google is asked", async || !google.upstream_requests().await.is_empty()).await;
    let (log, ended_well) = tokio::task::spawn_blocking(move || serving.stop()).await.unwrap();
    assert!(ended_well, "{log}");
    assert!(call.await.unwrap().unwrap().data()["place"].is_object());
}

async fn livez(origin: &str) -> u16 {
    let answer = reqwest::Client::builder().no_proxy().build().unwrap().get(format!("{origin}/livez")).send().await;
    answer.map_or(0, |answer| answer.status().as_u16())
}

/// The paths of a server whose heart nobody keeps going.
#[tokio::test]
async fn life_11_livez_is_503_when_the_heart_stands_still() {
    let clock = Clock::manual(now());
    let nothing =
        Spend { usd: 0.0, limit_usd: None, calls: 0, limit_calls: None, used_ratio: 0.0, resets_at: clock.now() };
    let overview = http::Overview::new(
        Health::new(clock.clone()),
        Heartbeat::new(clock.clone()),
        http::Spending::new(move || nothing),
        CancellationToken::new(),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let door = http::Door::new(listener.local_addr().unwrap(), None, &[]);
    let routes = http::operations_routes(Metrics::new().unwrap(), overview, &door);
    let url = format!("http://{}/livez", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });

    clock.advance(Duration::from_secs(15));
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 200);
    clock.advance(Duration::from_secs(1));
    let stalled = reqwest::get(&url).await.unwrap();
    assert_eq!((stalled.status().as_u16(), &stalled.headers()["retry-after"]), (503, &"10".parse().unwrap()));
    assert_eq!(stalled.json::<Value>().await.unwrap(), json!({"status": "stalled"}));
}

/// The heart of a server goes by the server's clock, and catches up at once where that is moved.
#[tokio::test]
async fn life_11_livez_is_well_on_both_listeners_after_an_hour() {
    let clock = Clock::manual(now());
    let server = TestServer::builder().clock(clock.clone()).start().await;
    for _ in 0..3 {
        clock.advance(Duration::from_hours(1));
        for origin in [server.app.address(), server.app.operations_address()] {
            until("it lives", async || livez(&format!("http://{origin}")).await == 200).await;
        }
    }
}

/// Panics with what it was told.
struct Careless;

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
struct Secret {
    /// What nobody should see.
    secret: String,
}

#[derive(Serialize, JsonSchema)]
struct Nothing {}

impl Answer for Nothing {
    fn text(&self) -> String {
        String::new()
    }
}

impl Tool for Careless {
    const NAME: &'static str = "careless";
    const TITLE: &'static str = "Careless";
    const DESCRIPTION: &'static str = "Panics with what it was told.";
    type Input = Secret;
    type Output = Nothing;

    fn logged(_: &Secret) -> Logged {
        Logged::default()
    }
}

impl ReadTool for Careless {
    async fn run(&self, _: Call, input: Secret) -> Result<Nothing, Failure> {
        panic!("cannot use the key {}", input.secret)
    }
}

#[tokio::test]
async fn leak_05_a_panic_tells_its_place_and_not_its_text() {
    if child::is_child() {
        log_as_json();
        let server = TestServer::builder().tool(Offer::reading(Careless)).start().await;
        let failed = server.call("careless", json!({"secret": CANARY})).await;
        // What the caller got, for the parent to look at.
        println!("answer {}", failed.0);
        // Outside of any call.
        let thread = std::thread::spawn(|| panic!("a key: {CANARY}"));
        assert!(thread.join().is_err());
        return;
    }
    let ended = child::again(module_path!(), "leak_05_a_panic_tells_its_place_and_not_its_text", LIMIT);
    assert!(ended.status.success(), "{}\n{}", ended.stdout, ended.stderr);
    assert!(!ended.stdout.contains(CANARY) && !ended.stderr.contains(CANARY), "{}\n{}", ended.stdout, ended.stderr);

    let answer = ended.stdout.lines().find_map(|line| line.split_once("answer ")).unwrap().1;
    let answer: Value = serde_json::from_str(answer).unwrap();
    let error = &answer["_meta"]["google-reviews/error"];
    assert_eq!((error["code"].as_str(), error["tier"].as_str()), (Some("internal"), Some("server")));
    let text = answer["content"][0]["text"].as_str().unwrap();
    let reference = error["reference"].as_str().unwrap();
    assert!(!text.contains("key") && text.contains(reference), "{text}");

    let lines = logged(&ended.stderr);
    let panics: Vec<&Value> = lines.iter().filter(|line| line["message"] == "a task panicked").collect();
    assert_eq!(panics.len(), 2, "{}", ended.stderr);
    for panic in &panics {
        let place = panic["place"].as_str().unwrap();
        let line = place.strip_prefix("tests/it/process.rs:").unwrap();
        assert!(line.parse::<u32>().is_ok(), "{place}");
    }
    assert_eq!(panics[0]["span"]["request_id"], reference, "the place and the call belong together");
}

/// The soft and the hard limit of a process, as the kernel has them.
fn core_limit(process: u32) -> Vec<String> {
    let limits = std::fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    line.split_whitespace().take(2).map(str::to_owned).collect()
}

/// The memory of a process that fell would hold every secret.
#[test]
fn leaves_no_core_where_secrets_are_in_memory() {
    let serving = Serving::start(&[]);
    assert_eq!(core_limit(serving.child.id()), ["0", "0"]);

    let mut demo = program().args(["demo", "--port", "0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("MCP endpoint")));
    let limit = core_limit(demo.id());
    demo.kill().unwrap();
    demo.wait().unwrap();
    assert_eq!(limit, ["0", "0"]);
}
