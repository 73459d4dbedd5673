//! The server is killed again and again while it writes: nothing is done twice, and nothing that was answered is lost.

use crate::support::{
    BAKERY, TestServer, ToolResult,
    binary::Serving,
    database::{Database, both},
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

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
