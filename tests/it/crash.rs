//! The server is killed again and again while it writes: nothing is done twice, and nothing that was answered is lost.

use crate::support::{
    BAKERY, TestServer, ToolResult,
    binary::Serving,
    database::{Database, both},
    free_port,
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Calls at the same time, each with a key of its own.
const CALLS: usize = 4;

/// Claims of the dead are taken over soon, and a thousand starts are not stopped by a day's budget.
const SETTINGS: [(&str, &str); 2] =
    [("REVIEWS__IDEMPOTENCY__LEASE", "200ms"), ("REVIEWS__GOOGLE__DAILY_BUDGET_USD", "0")];

fn report(key: &str) -> Value {
    json!({"place_ids": [BAKERY], "title": "Bakery", "request_id": key})
}

fn rounds() -> u64 {
    std::env::var("CRASH_ROUNDS").map_or(100, |rounds| rounds.parse().expect("a number of rounds"))
}

/// What has been promised so far: the report of each key.
#[derive(Default)]
struct Promised(HashMap<String, String>);

impl Promised {
    /// Notes an answer, and holds that it is the one that was given before.
    fn note(&mut self, key: &str, answer: &ToolResult) {
        let id = answer.data()["report_id"].as_str().unwrap().to_owned();
        let before = self.0.entry(key.to_owned()).or_insert_with(|| id.clone());
        assert_eq!(*before, id, "{key} has two reports");
    }
}

/// Up to 30 milliseconds, another time in every round, and the same in every run.
fn moment(round: u64) -> Duration {
    Duration::from_micros(round.wrapping_mul(7_919) % 30_000)
}

#[tokio::test]
async fn res_21_killed_a_hundred_times_nothing_is_lost_or_done_twice() {
    let google = TestServer::start().await;
    for database in both().await {
        let mut promised = Promised::default();
        let mut unanswered: Vec<String> = Vec::new();
        let mut interrupted = 0;
        for round in 0..rounds() {
            let mut server = Serving::on(&database, &google.emulator.url(), &SETTINGS);
            // Whoever got no answer asks again.
            for key in std::mem::take(&mut unanswered) {
                promised.note(&key, &server.call("create_report", report(&key)).await.unwrap());
            }
            let keys: Vec<String> = (0..CALLS).map(|call| format!("{round}-{call}")).collect();
            let answers = write_until_killed(&mut server, &keys, moment(round)).await;
            for (key, answer) in keys.into_iter().zip(answers) {
                if let Ok(answer) = answer {
                    promised.note(&key, &answer);
                } else {
                    interrupted += 1;
                    unanswered.push(key);
                }
            }
        }
        assert!(interrupted > 0, "no kill came in the middle of a call");
        holds(&database, &google, promised, &unanswered).await;
    }
}

/// The same while others read, always at the same address, as whatever supervises a server starts it: whoever was cut off
/// comes back, and reads and writes go on.
#[tokio::test]
async fn life_08_killed_fifty_times_under_load_it_serves_again() {
    const ROUNDS: u64 = 50;
    let google = TestServer::start().await;
    let database = Database::sqlite();
    let listen = format!("127.0.0.1:{}", free_port());
    let settings = [&SETTINGS[..], &[("REVIEWS__SERVER__LISTEN", listen.as_str())]].concat();
    let endpoint = format!("http://{listen}/mcp");
    let is_over = CancellationToken::new();
    let readers: Vec<_> = (0..8).map(|_| tokio::spawn(read_until(is_over.clone(), endpoint.clone()))).collect();

    let mut promised = Promised::default();
    let mut unanswered: Vec<String> = Vec::new();
    for round in 0..ROUNDS {
        let mut server = Serving::on(&database, &google.emulator.url(), &settings);
        for key in std::mem::take(&mut unanswered) {
            promised.note(&key, &server.call("create_report", report(&key)).await.unwrap());
        }
        let key = format!("load-{round}");
        let answers = write_until_killed(&mut server, std::slice::from_ref(&key), moment(round)).await;
        match answers.into_iter().next().unwrap() {
            Ok(answer) => promised.note(&key, &answer),
            Err(_) => unanswered.push(key),
        }
    }
    let server = Serving::on(&database, &google.emulator.url(), &settings);
    for key in &unanswered {
        promised.note(key, &server.call("create_report", report(key)).await.unwrap());
    }
    assert_eq!(database.count("reports").await, i64::try_from(ROUNDS).unwrap(), "one report for each key");
    assert!(server.call("get_place", json!({"place_id": BAKERY})).await.is_ok());
    is_over.cancel();
    let (answered, broken) = join_all(readers)
        .await
        .into_iter()
        .map(Result::unwrap)
        .fold((0, 0), |(answered, broken), (more, lost)| (answered + more, broken + lost));
    assert!(answered > 0 && broken > 0, "{answered} answered, {broken} cut off: there was load, and it was hit");
}

/// Reads again and again; returns how often there was an answer, and how often the connection broke or was refused.
async fn read_until(is_over: CancellationToken, endpoint: String) -> (u32, u32) {
    let (mut answered, mut broken) = (0, 0);
    while !is_over.is_cancelled() {
        match crate::support::rpc::call(&endpoint, "get_place", json!({"place_id": BAKERY})).await {
            Ok(answer) => {
                assert_eq!(answer.data()["place"]["place_id"], json!(BAKERY));
                answered += 1;
            }
            Err(_) => broken += 1,
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (answered, broken)
}

/// Writes under these keys, and is killed after a moment.
async fn write_until_killed(
    server: &mut Serving,
    keys: &[String],
    moment: Duration,
) -> Vec<Result<ToolResult, reqwest::Error>> {
    let endpoint = server.endpoint.clone();
    let calls = join_all(keys.iter().map(|key| crate::support::rpc::call(&endpoint, "create_report", report(key))));
    let kill = async {
        tokio::time::sleep(moment).await;
        server.kill();
    };
    tokio::join!(calls, kill).0
}

/// Every answer that was ever given is given again, there is one report for each key, and the file is whole.
async fn holds(database: &Database, google: &TestServer, mut promised: Promised, unanswered: &[String]) {
    let server = Serving::on(database, &google.emulator.url(), &SETTINGS);
    for key in unanswered {
        promised.note(key, &server.call("create_report", report(key)).await.unwrap());
    }
    for (key, id) in &promised.0 {
        let again = server.call("create_report", report(key)).await.unwrap().data();
        assert_eq!(
            (again["replayed"].clone(), again["report_id"].as_str().unwrap()),
            (json!(true), id.as_str()),
            "{key}"
        );
    }
    let ids: BTreeSet<_> = promised.0.values().collect();
    assert_eq!(ids.len(), promised.0.len());
    let reports = usize::try_from(database.count("reports").await).unwrap();
    assert_eq!(
        (reports, promised.0.len()),
        (ids.len(), usize::try_from(rounds()).unwrap() * CALLS),
        "{}",
        database.name()
    );
    assert_eq!(database.numbers("SELECT COUNT(*) FROM idempotency WHERE state <> 'done'").await, [0]);
    if matches!(database, Database::Sqlite(_)) {
        assert_eq!(database.texts("PRAGMA integrity_check").await, ["ok"]);
    }
}
