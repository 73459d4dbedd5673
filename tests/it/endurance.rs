//! The server when something runs short or goes on for long: files, memory, processor, hours. Each is a real process, and
//! what it uses is read from the kernel.

use crate::support::{
    BAKERY, BURST, TestServer,
    binary::Serving,
    database::Database,
    load::{Busy, open_files, processor_time, resident_bytes},
    rpc, until,
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use tokio::{net::TcpStream, task::JoinSet};

/// No day's budget ends the load.
const UNPAID: (&str, &str) = ("REVIEWS__GOOGLE__DAILY_BUDGET_USD", "0");
/// No line for each call.
const QUIET: (&str, &str) = ("REVIEWS__LOG__LEVEL", "info,google_reviews_mcp::mcp=warn");
/// What is kept for a while is gone soon, so that it is not taken for what is never given back.
const FORGETFUL: [(&str, &str); 2] =
    [("REVIEWS__CACHE__PLACES_CONTENT_TTL", "5s"), ("REVIEWS__CACHE__MISSING_PLACE_TTL", "5s")];
const MEGABYTE: u64 = 1_000_000;

fn address(serving: &Serving) -> SocketAddr {
    serving.endpoint.trim_start_matches("http://").trim_end_matches("/mcp").parse().unwrap()
}

/// `/livez` of the main listener on a connection of its own: its status, and how long it took.
async fn livez(serving: &Serving) -> (u16, Duration) {
    let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(Duration::from_secs(20));
    let http = http.build().unwrap();
    let asked = Instant::now();
    let answer = http.get(format!("http://{}/livez", address(serving))).send().await;
    (answer.map_or(0, |answer| answer.status().as_u16()), asked.elapsed())
}

#[tokio::test]
async fn res_26_without_free_descriptors_the_server_waits_and_recovers() {
    let google = TestServer::start().await;
    let database = Database::sqlite();
    let starter = ["sh", "-c", "ulimit -n 64; exec \"$0\" \"$@\""];
    let serving = Serving::under(&starter, &database, &google.emulator.url(), &[UNPAID]);
    let process = serving.child.id();
    let before = open_files(process);
    assert!(before < 50, "{before}");

    let connections: Vec<_> = join_all((0..150).map(|_| TcpStream::connect(address(&serving)))).await;
    assert!(connections.iter().all(Result::is_ok), "the kernel takes them for the server");
    until("nothing is free", async || open_files(process) >= 64).await;

    // Nothing to be done: nothing is done.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let used = processor_time(process);
    tokio::time::sleep(Duration::from_secs(4)).await;
    let used = processor_time(process).saturating_sub(used);
    assert!(used < Duration::from_millis(400), "{used:?} of processor time in 4 s of waiting");

    drop(connections);
    until("all are closed", async || open_files(process) <= before + 2).await;
    let (status, _) = livez(&serving).await;
    assert_eq!(status, 200);
    assert!(serving.call("get_place", json!({"place_id": BAKERY})).await.unwrap().data()["place"].is_object());
    let (log, ended_well) = tokio::task::spawn_blocking(move || serving.stop()).await.unwrap();
    assert!(ended_well, "{log}");
    assert!(log.lines().count() < 50, "no line for each try: {log}");
}

/// So many calls at once, half of them the same for all, half of them nobody's before.
async fn round(serving: &Serving, http: &reqwest::Client, numbers: std::ops::Range<usize>) {
    let asked = numbers.len();
    let answers = join_all(numbers.map(|number| {
        let arguments = match number % 2 {
            0 => json!({"place_id": BAKERY}),
            _ => json!({"place_id": format!("ChIJdemo_unknown_{number:07}")}),
        };
        rpc::call_by(http, &serving.endpoint, "get_reviews", arguments)
    }))
    .await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(answers.iter().flatten().filter(|answer| answer.0["isError"] == false).count(), asked / 2);
}

#[tokio::test]
async fn res_27_many_rounds_of_many_calls_do_not_grow_the_memory() {
    const ROUNDS: usize = 24;
    const CALLS: usize = 200;
    const MORE_CALLS: usize = 300;
    let google = TestServer::start().await;
    let database = Database::sqlite();
    let settings = [UNPAID, QUIET, FORGETFUL[0], FORGETFUL[1]];
    let serving = Serving::on(&database, &google.emulator.url(), &settings);
    let http = rpc::client();
    // More at once than later, so that the allocator has got from the system what it will need.
    for number in 0..6 {
        round(&serving, &http, number * CALLS..number * CALLS + MORE_CALLS).await;
    }
    let mut resident = Vec::new();
    for number in 10..10 + ROUNDS {
        round(&serving, &http, number * CALLS..(number + 1) * CALLS).await;
        resident.push(resident_bytes(serving.child.id()));
    }
    let (early, late) = (&resident[..ROUNDS / 3], &resident[2 * ROUNDS / 3..]);
    let (early, late) = (early.iter().max().unwrap(), late.iter().max().unwrap());
    // The allocator takes from the system in steps of some megabytes; 3,200 calls that leave anything behind take more.
    assert!(*late < early + 8 * MEGABYTE, "it grows: {resident:?}");
    // What the tests run is not optimised, and the state of each request is larger for it.
    assert!(*late < 96 * MEGABYTE, "{resident:?}");
    assert_eq!(livez(&serving).await.0, 200);
}

/// One processor, shared with somebody who takes all that he gets.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn res_28_without_processor_time_the_server_still_says_that_it_lives() {
    let google = TestServer::start().await;
    let database = Database::sqlite();
    let starter = ["taskset", "-c", "0"];
    let serving = Serving::under(&starter, &database, &google.emulator.url(), &[UNPAID, QUIET]);
    let _busy = Busy::on("0");
    let over = AtomicBool::new(false);
    let http = rpc::client();
    let callers = join_all((0..200).map(|_| async {
        let mut answered = 0;
        while !over.load(Ordering::Relaxed) {
            let answer = rpc::call_by(&http, &serving.endpoint, "get_place", json!({"place_id": BAKERY})).await;
            answered += usize::from(answer.unwrap().0["content"].is_array());
        }
        answered
    }));
    let look = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut took = Vec::new();
        for _ in 0..9 {
            let (status, time) = livez(&serving).await;
            assert_eq!(status, 200);
            took.push(time);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        over.store(true, Ordering::Relaxed);
        took.sort();
        took
    };
    let (answered, took) = tokio::join!(callers, look);
    assert!(answered.iter().all(|calls| *calls > 0), "everybody is answered: {answered:?}");
    // Not every time: what else this machine does at the moment is not the server's to answer for.
    assert!(took[2] < Duration::from_secs(1), "{took:?}");
}

/// What is measured in the quiet moments of a soak.
#[derive(Debug)]
struct Sample {
    resident: u64,
    files: usize,
    tasks: f64,
    series: usize,
}

impl Sample {
    async fn of(serving: &Serving) -> Self {
        let page = reqwest::get(format!("{}/metrics", serving.operations)).await.unwrap().text().await.unwrap();
        let tasks = page.lines().find_map(|line| line.strip_prefix("runtime_tasks{state=\"alive\"} ")).unwrap();
        Self {
            resident: resident_bytes(serving.child.id()),
            files: open_files(serving.child.id()),
            tasks: tasks.parse().unwrap(),
            series: page.lines().filter(|line| !line.starts_with('#')).count(),
        }
    }
}

/// Twelve parts, with a quiet moment after each.
const PARTS: usize = 12;
/// Those in which everything that is made once is made.
const WARM_UP: usize = 4;
/// Between two calls: 20 a second.
const PACE: Duration = Duration::from_millis(50);

fn soak() -> Duration {
    Duration::from_mins(std::env::var("SOAK_MINUTES").map_or(1, |minutes| minutes.parse().expect("minutes")))
}

/// The calls of a day, in turn. Every second report is asked for twice.
fn mixed(number: usize) -> (&'static str, Value) {
    let language = ["en", "de", "fr", "es"][number / 8 % 4];
    match number % 8 {
        0 => ("search_places", json!({"query": "bakery", "language": language})),
        1 => ("get_place", json!({"place_id": BAKERY, "language": language})),
        2 => ("get_reviews", json!({"place_id": BURST, "limit": 3})),
        3 => ("analyze_reviews", json!({"place_id": BAKERY})),
        4 => ("compare_places", json!({"place_ids": [BAKERY, BURST]})),
        // What fails is served as well.
        5 => ("get_place", json!({"place_id": format!("ChIJdemo_unknown_{number:07}")})),
        6 => ("get_reviews", json!({"place_id": BAKERY, "language": language, "response_format": "detailed"})),
        _ => {
            let key = format!("soak-{}", number / 16);
            ("create_report", json!({"place_ids": [BAKERY], "title": "Soak", "request_id": key}))
        }
    }
}

/// One part at its pace; returns when all of its calls are answered.
async fn one_part(serving: &Serving, http: &reqwest::Client, numbers: std::ops::Range<usize>) {
    let mut pace = tokio::time::interval(PACE);
    let mut calls = JoinSet::new();
    for number in numbers {
        pace.tick().await;
        let (tool, arguments) = mixed(number);
        let (http, endpoint) = (http.clone(), serving.endpoint.clone());
        calls.spawn(async move { (number, tool, rpc::call_by(&http, &endpoint, tool, arguments).await.unwrap()) });
    }
    for (number, tool, answer) in calls.join_all().await {
        assert_eq!(answer.0["isError"], number % 8 == 5, "{tool}: {}", answer.0);
    }
}

#[tokio::test]
async fn life_14_hours_of_calls_leave_nothing_behind() {
    let google = TestServer::start().await;
    let database = Database::sqlite();
    // Connections to Google are as many as calls at once happen to be: none is kept.
    let settings = [UNPAID, QUIET, FORGETFUL[0], FORGETFUL[1], ("REVIEWS__GOOGLE__POOL_IDLE_TIMEOUT", "0")];
    let serving = Serving::on(&database, &google.emulator.url(), &settings);
    let http = rpc::passing_client();
    let calls = usize::try_from(soak().as_millis() / PACE.as_millis()).unwrap() / PARTS;
    let mut samples = Vec::new();
    for part in 0..PARTS {
        one_part(&serving, &http, part * calls..(part + 1) * calls).await;
        // Connections that are over are closed.
        tokio::time::sleep(Duration::from_millis(300)).await;
        samples.push(Sample::of(&serving).await);
    }
    eprintln!("soaked for {:?}: {samples:?}", soak());
    let reports = (0..PARTS * calls).filter(|number| number % 8 == 7).map(|number| number / 16);
    let reports = i64::try_from(reports.collect::<std::collections::BTreeSet<_>>().len()).unwrap();
    let rows = [database.count("reports").await, database.count("idempotency").await];
    assert_eq!(rows, [reports, reports], "one for each key");

    let steady = &samples[WARM_UP..];
    for sample in steady {
        assert!(sample.files.abs_diff(steady[0].files) <= 4, "{samples:?}");
        assert!((sample.tasks - steady[0].tasks).abs() <= 4.0, "{samples:?}");
        // A repetition that a busy machine causes may make a series of its own.
        assert!(sample.series.abs_diff(steady[0].series) <= 40, "{samples:?}");
    }
    let (early, late) = (&steady[..steady.len() / 2], &steady[steady.len() / 2..]);
    let least = |samples: &[Sample]| samples.iter().map(|sample| sample.resident).min().unwrap();
    assert!(least(late) < least(early) + 3 * MEGABYTE, "{samples:?}");
    let (log, ended_well) = tokio::task::spawn_blocking(move || serving.stop()).await.unwrap();
    assert!(ended_well && !log.contains("\"level\":\"ERROR\""), "{log}");
}
