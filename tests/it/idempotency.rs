//! A writing call is done once, on both databases, whatever is repeated, dies or comes late.

use crate::support::{
    BAKERY, BURST, TestServer, ToolResult,
    binary::Serving,
    database::{Database, both},
    now,
    postgres::Cluster,
    proxy::{Mode, Proxy},
    rpc, until,
};
use futures_util::future::join_all;
use google_reviews_mcp::clock::Clock;
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

/// A claim of one who died is taken over soon.
const SHORT_LEASE: (&str, &str) = ("REVIEWS__IDEMPOTENCY__LEASE", "300ms");

fn report(key: &str) -> Value {
    json!({"place_ids": [BAKERY], "title": "Bakery", "request_id": key})
}

fn id(result: &ToolResult) -> String {
    result.data()["report_id"].as_str().unwrap().to_owned()
}

fn is_replayed(result: &ToolResult) -> bool {
    result.data()["replayed"].as_bool().unwrap()
}

/// How often Google was asked for a place.
async fn asked(server: &TestServer) -> usize {
    server.upstream_requests().await.len()
}

#[tokio::test]
async fn idem_01_the_same_call_again_gives_the_first_answer() {
    for database in both().await {
        let server = database.server().start().await;
        let first = server.call("create_report", report("one")).await;
        let again = server.call("create_report", report("one")).await;

        assert_eq!((is_replayed(&first), is_replayed(&again)), (false, true), "{}", database.name());
        assert_eq!(id(&first), id(&again));
        assert!(again.text().contains("nothing was made again"), "{}", again.text());
        assert_eq!((database.count("reports").await, asked(&server).await), (1, 1));
        assert_eq!(server.metric("idempotent_requests_total{outcome=\"performed\"}").await, 1.0);
        assert_eq!(server.metric("idempotent_requests_total{outcome=\"replayed\"}").await, 1.0);

        // Also by the next process.
        server.app.stop().await;
        let server = database.server().start().await;
        let later = server.call("create_report", report("one")).await;
        assert_eq!((is_replayed(&later), id(&later)), (true, id(&first)));
    }
}

#[tokio::test]
async fn idem_02_a_key_with_other_arguments_is_refused() {
    for database in both().await {
        let server = database.server().start().await;
        server.call("create_report", report("one")).await.data();
        for (field, value) in [("title", json!("Another")), ("place_ids", json!([BURST]))] {
            let mut other = report("one");
            other[field] = value;
            let refused = server.call("create_report", other).await;
            let failure = refused.failure();
            assert_eq!((&failure["code"], &failure["status"]), (&json!("idempotency_key_reused"), &json!(422)));
            assert_eq!((&failure["tier"], &failure["retryable"]), (&json!("client"), &json!(false)));
            assert!(refused.text().starts_with("Use another `request_id`"), "{}", refused.text());
        }
        assert_eq!(database.count("reports").await, 1);
    }
}

#[tokio::test]
async fn idem_03_the_same_key_of_another_caller_is_another_call() {
    for database in both().await {
        let one = database.server().caller("one").start().await;
        let first = one.call("create_report", report("key")).await;
        // Two servers cannot share one SQLite file.
        one.app.stop().await;
        let other = database.server().caller("other").start().await;
        let second = other.call("create_report", report("key")).await;

        assert!(!is_replayed(&second), "{}", database.name());
        assert_ne!(id(&first), id(&second));
        assert_eq!(database.count("reports").await, 2);
    }
}

#[tokio::test]
async fn idem_04_fifty_at_the_same_time_make_one() {
    for database in both().await {
        let server = database.server().start().await;
        server.fault(json!({"kind": "latency", "milliseconds": 200})).await;
        let results = join_all((0..50).map(|_| server.call("create_report", report("one")))).await;

        let ids: BTreeSet<String> = results.iter().map(id).collect();
        assert_eq!(ids.len(), 1, "{}", database.name());
        assert_eq!(results.iter().filter(|result| !is_replayed(result)).count(), 1);
        assert_eq!((database.count("reports").await, asked(&server).await), (1, 1));
    }
}

#[tokio::test]
async fn two_hundred_calls_with_a_hundred_keys_make_a_hundred_reports() {
    for database in both().await {
        let server = database.server().start().await;
        let keys: Vec<String> = (0..200).map(|call| format!("key-{}", call / 2)).collect();
        let results = join_all(keys.iter().map(|key| server.call("create_report", report(key)))).await;

        let ids: BTreeSet<String> = results.iter().map(id).collect();
        assert_eq!((ids.len(), database.count("reports").await), (100, 100), "{}", database.name());
        assert_eq!(results.iter().filter(|result| is_replayed(result)).count(), 100);
    }
}

/// Who waits for another's answer is told to come again before its own time is over.
#[tokio::test]
async fn who_waits_too_long_for_another_is_told_to_come_again() {
    let database = Database::sqlite();
    let server = database.server().set("server.tool_timeout", "1s").start().await;
    server.call("create_report", report("one")).await.data();
    // Somebody else, in another process, holds it.
    database.run("UPDATE idempotency SET state = 'claimed', answer = NULL, lease_until_ms = 9000000000000").await;
    let waiting = server.call("create_report", report("one")).await;
    let failure = waiting.failure();
    assert_eq!((&failure["code"], &failure["status"]), (&json!("request_in_progress"), &json!(503)));
    assert_eq!((&failure["retryable"], &failure["retry_after_seconds"]), (&json!(true), &json!(10)));
}

/// A server that dies while Google has not answered yet.
#[tokio::test]
async fn idem_05_killed_after_the_claim_it_is_done_once_by_the_next() {
    let google = TestServer::start().await;
    for database in both().await {
        google.fault(json!({"kind": "latency", "milliseconds": 60_000})).await;
        let mut server = Serving::on(&database, &google.emulator.url(), &[SHORT_LEASE]);
        let endpoint = server.endpoint.clone();
        let lost = tokio::spawn(async move { rpc::call(&endpoint, "create_report", report("one")).await });
        until("the call is claimed", async || database.count("idempotency").await == 1).await;
        server.kill();
        assert!(lost.await.unwrap().is_err(), "the caller got no answer");
        google.clear_faults().await;

        let server = Serving::on(&database, &google.emulator.url(), &[SHORT_LEASE]);
        let retried = server.call("create_report", report("one")).await.unwrap();
        assert!(!is_replayed(&retried), "{}", database.name());
        assert_eq!(database.count("reports").await, 1);
        assert_eq!(database.numbers("SELECT fence FROM idempotency").await, [2]);
    }
}

/// The report is there, but its server dies before it can record that.
#[tokio::test]
async fn idem_06_killed_after_the_effect_the_next_finds_it() {
    let google = TestServer::start().await;
    for database in both().await {
        let mut server = Serving::on(&database, &google.emulator.url(), &[SHORT_LEASE]);
        refuse_to_record(&database).await;
        let endpoint = server.endpoint.clone();
        let lost = tokio::spawn(async move { rpc::call(&endpoint, "create_report", report("one")).await });
        until("the report is kept", async || database.count("reports").await == 1).await;
        server.kill();
        let _ = lost.await.unwrap();
        record_again(&database).await;

        let server = Serving::on(&database, &google.emulator.url(), &[SHORT_LEASE]);
        let asked_before = asked(&google).await;
        let retried = server.call("create_report", report("one")).await.unwrap();
        assert!(is_replayed(&retried), "an earlier call had made it");
        assert_eq!(asked(&google).await, asked_before, "Google is not asked again");
        let shown = server.call("get_report", json!({"report_id": id(&retried)})).await.unwrap();
        assert_eq!(shown.data()["title"], json!("Bakery"), "{}", database.name());
        assert_eq!(database.count("reports").await, 1);
        let again = server.call("create_report", report("one")).await.unwrap();
        assert_eq!((is_replayed(&again), id(&again)), (true, id(&retried)));
    }
}

async fn refuse_to_record(database: &Database) {
    match database {
        Database::Sqlite(_) => {
            let sql = "CREATE TRIGGER refuse BEFORE UPDATE ON idempotency WHEN NEW.state = 'done'
                BEGIN SELECT RAISE(ABORT, 'refused'); END";
            database.run(sql).await;
        }
        Database::Postgres(_) => {
            let function = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'refused'; END $$";
            database.run(function).await;
            let trigger = "CREATE TRIGGER refuse BEFORE UPDATE ON idempotency FOR EACH ROW WHEN (NEW.state = 'done')
                EXECUTE FUNCTION refuse()";
            database.run(trigger).await;
        }
    }
}

async fn record_again(database: &Database) {
    match database {
        Database::Sqlite(_) => database.run("DROP TRIGGER refuse").await,
        Database::Postgres(_) => database.run("DROP TRIGGER refuse ON idempotency").await,
    }
}

/// The connection breaks, or falls silent, while the database writes: nobody can know whether it did. It did.
#[tokio::test]
async fn idem_07_a_write_of_unknown_outcome_is_looked_for_before_it_is_repeated() {
    for fault in [Mode::Cut, Mode::Stall] {
        let database = crate::support::postgres::Database::new().await;
        let mut url = url::Url::parse(&database.url).unwrap();
        let target = format!("127.0.0.1:{}", url.port().unwrap_or(5432)).parse().unwrap();
        let proxy = Proxy::start(target).await;
        url.set_port(Some(proxy.address.port())).unwrap();
        let server = TestServer::builder()
            .set("store.url", url.to_string())
            .set("store.pool_min", "0")
            .set("store.acquire_timeout", "500ms")
            .set("store.statement_timeout", "2s")
            .set("idempotency.lease", "300ms")
            .start()
            .await;
        let database = Database::Postgres(database);
        let dawdle = "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep(0.5); RETURN NEW; END $$";
        database.run(dawdle).await;
        database.run("CREATE TRIGGER dawdle BEFORE INSERT ON reports FOR EACH ROW EXECUTE FUNCTION dawdle()").await;

        let breaking = async {
            let writing =
                "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
            until("the report is being written", async || database.numbers(writing).await == [1]).await;
            proxy.set(fault);
        };
        let (unknown, ()) = tokio::join!(server.call("create_report", report("one")), breaking);
        assert_eq!(unknown.code(), "store_unavailable", "{fault:?}");
        assert!(unknown.text().contains("nothing is done twice"), "{}", unknown.text());
        until("the report is kept", async || database.count("reports").await == 1).await;

        proxy.set(Mode::Through);
        let mut retried = server.call("create_report", report("one")).await;
        while retried.0["isError"] == json!(true) {
            // Connections that fell silent are given up one by one.
            assert_eq!(retried.code(), "store_unavailable");
            retried = server.call("create_report", report("one")).await;
        }
        assert!(is_replayed(&retried), "it is found");
        assert_eq!(database.count("reports").await, 1);
        assert!(server.call("get_report", json!({"report_id": id(&retried)})).await.data()["title"].is_string());
    }
}

#[tokio::test]
async fn idem_08_after_a_refusal_the_key_may_be_used_with_corrected_arguments() {
    for database in both().await {
        let server = database.server().start().await;
        let mut wrong = report("one");
        wrong["place_ids"] = json!(["ChIJdemo_obsolete_place_001"]);
        let refused = server.call("create_report", wrong).await;
        assert_eq!(refused.code(), "place_not_found");
        assert!(refused.text().contains("ChIJdemo_obsolete_place_001"), "{}", refused.text());

        let corrected = server.call("create_report", report("one")).await;
        assert!(!is_replayed(&corrected), "{}", database.name());
        assert_eq!(database.count("reports").await, 1);
    }
}

/// A failure of Google is not the answer for ever: the same call may succeed.
#[tokio::test]
async fn idem_09_a_failure_of_google_is_not_remembered() {
    for database in both().await {
        let server = database.server().start().await;
        server.fault(json!({"kind": "error", "name": "unavailable"})).await;
        let failed = server.call("create_report", report("one")).await;
        assert_eq!(failed.failure()["tier"], json!("dependency"));
        server.clear_faults().await;

        let retried = server.call("create_report", report("one")).await;
        assert!(!is_replayed(&retried), "{}", database.name());
        assert_eq!(server.metric("idempotent_requests_total{outcome=\"failed\"}").await, 1.0);
    }
}

#[tokio::test]
async fn idem_10_keys_that_are_no_keys_are_refused() {
    let server = TestServer::start().await;
    for bad in [
        json!(""),
        json!("x".repeat(256)),
        json!("a\u{0}b"),
        json!("a b"),
        json!("line\n"),
        json!("schlüssel"),
        json!(7),
    ] {
        let mut call = report("");
        call["request_id"] = bad.clone();
        let refused = server.call("create_report", call).await;
        assert_eq!((refused.code().as_str(), &refused.failure()["status"]), ("invalid_argument", &json!(422)), "{bad}");
        assert!(refused.text().contains("`request_id`") && refused.text().contains("255"), "{}", refused.text());
    }
    assert!(!is_replayed(&server.call("create_report", report(&"x".repeat(255))).await));
}

#[tokio::test]
async fn idem_11_after_a_day_a_key_is_new() {
    for database in both().await {
        let clock = Clock::manual(now());
        let server = database.server().clock(clock.clone()).start().await;
        let first = server.call("create_report", report("one")).await;
        clock.advance(Duration::from_hours(24) - Duration::from_secs(1));
        assert!(is_replayed(&server.call("create_report", report("one")).await), "{}", database.name());
        clock.advance(Duration::from_secs(1));
        let next_day = server.call("create_report", report("one")).await;
        assert!(!is_replayed(&next_day));
        assert_ne!(id(&first), id(&next_day));
    }
}

/// Clients count their requests from 0 again and again.
#[tokio::test]
async fn idem_12_the_id_of_the_json_rpc_request_is_no_key() {
    let server = TestServer::start().await;
    // All requests of this client have the id 1.
    let one = server.call("create_report", json!({"place_ids": [BAKERY], "title": "One"})).await;
    let two = server.call("create_report", json!({"place_ids": [BAKERY], "title": "Two"})).await;
    assert_ne!(id(&one), id(&two));
    assert_eq!((is_replayed(&one), is_replayed(&two)), (false, false));
}

#[tokio::test]
async fn idem_13_without_a_key_the_same_arguments_are_the_same_call_for_ten_minutes() {
    for database in both().await {
        let clock = Clock::manual(now());
        let server = database.server().clock(clock.clone()).start().await;
        let call = json!({"title": "Bakery", "place_ids": [BAKERY]});
        let first = server.call("create_report", call).await;
        // In another order, and with null for "not given", as models write it.
        let same = json!({"request_id": null, "place_ids": [BAKERY], "title": "Bakery"});
        let again = server.call("create_report", same.clone()).await;
        let other = server.call("create_report", json!({"title": "bakery", "place_ids": [BAKERY]})).await;
        clock.advance(Duration::from_mins(10));
        let later = server.call("create_report", same).await;

        assert_eq!((is_replayed(&again), id(&again)), (true, id(&first)), "{}", database.name());
        assert_eq!((is_replayed(&other), is_replayed(&later)), (false, false));
        assert_eq!(database.count("reports").await, 3);
    }
}

#[tokio::test]
async fn idem_15_without_redis_it_is_still_once() {
    for database in both().await {
        let server = database.server().set("cache.redis_url", "redis://127.0.0.1:1").start().await;
        let results = join_all((0..10).map(|_| server.call("create_report", report("one")))).await;
        let ids: BTreeSet<String> = results.iter().map(id).collect();
        assert_eq!((ids.len(), database.count("reports").await), (1, 1), "{}", database.name());
    }
}

#[tokio::test]
async fn idem_16_without_its_database_nothing_is_written_and_google_is_not_asked() {
    let mut cluster = Cluster::start().await;
    let server = TestServer::builder()
        .set("store.url", cluster.url("postgres"))
        .set("store.acquire_timeout", "300ms")
        .start()
        .await;
    cluster.kill();
    let refused = server.call("create_report", report("one")).await;
    assert_eq!((refused.code().as_str(), &refused.failure()["status"]), ("store_unavailable", &json!(503)));
    assert_eq!((&refused.failure()["tier"], &refused.failure()["retryable"]), (&json!("server"), &json!(true)));
    assert!(refused.failure()["retry_after_seconds"].is_u64());
    assert_eq!(asked(&server).await, 0);
    assert!(server.call("get_place", json!({"place_id": BAKERY})).await.data()["place"].is_object(), "reading goes on");
}

#[tokio::test]
async fn idem_17_two_instances_make_one_report_for_one_key() {
    let database = Database::postgres().await;
    let (one, other) = (database.server().start().await, database.server().start().await);
    let calls = (0..40).map(|call| {
        let server = if call % 2 == 0 { &one } else { &other };
        server.call("create_report", report("one"))
    });
    let results = join_all(calls).await;

    let ids: BTreeSet<String> = results.iter().map(id).collect();
    assert_eq!((ids.len(), database.count("reports").await), (1, 1));
    assert_eq!(results.iter().filter(|result| !is_replayed(result)).count(), 1);
}

/// Google's answers pass through here, and are held when a test says so.
async fn held_google(google: &TestServer) -> (Proxy, String) {
    let address = google.emulator.url().trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let proxy = Proxy::start(address).await;
    let url = format!("http://{}", proxy.address);
    (proxy, url)
}

/// A process that sleeps through its lease, as a machine under load or a paused container does.
#[tokio::test]
async fn idem_18_who_comes_late_cannot_overwrite_what_was_recorded() {
    let google = TestServer::start().await;
    let database = Database::postgres().await;
    let (proxy, held) = held_google(&google).await;
    let late = Serving::on(&database, &held, &[SHORT_LEASE]);
    let other = Serving::on(&database, &google.emulator.url(), &[SHORT_LEASE]);
    proxy.set(Mode::Hold);
    let endpoint = late.endpoint.clone();
    let late_call = tokio::spawn(async move { rpc::call(&endpoint, "create_report", report("one")).await });
    until("the call is claimed", async || database.count("idempotency").await == 1).await;
    late.signal("-STOP");

    let taken_over = other.call("create_report", report("one")).await.unwrap();
    assert!(!is_replayed(&taken_over));
    let recorded = database.numbers("SELECT fence, CAST(LENGTH(answer) AS BIGINT) FROM idempotency").await;
    proxy.set(Mode::Through);
    late.signal("-CONT");
    let late_answer = late_call.await.unwrap().unwrap();

    assert_eq!((id(&late_answer), is_replayed(&late_answer)), (id(&taken_over), true));
    let after = database.numbers("SELECT fence, CAST(LENGTH(answer) AS BIGINT) FROM idempotency").await;
    assert_eq!((&after, recorded[0], database.count("reports").await), (&recorded, 2, 1));
}

/// The client leaves while Google is asked: the report is made all the same, and waits for the next call.
#[tokio::test]
async fn mcp_25_a_client_that_leaves_does_not_cancel_a_write() {
    for database in both().await {
        let google = TestServer::start().await;
        let (proxy, held) = held_google(&google).await;
        let server = database.server().set("google.places_url", held).start().await;
        proxy.set(Mode::Hold);
        let leaving = server.call("create_report", report("one"));
        let gone = async { until("the call is claimed", async || database.count("idempotency").await == 1).await };
        tokio::select! {
            _ = leaving => panic!("the call ended too soon"),
            () = gone => {}
        }
        proxy.set(Mode::Through);
        until("the report is kept", async || database.count("reports").await == 1).await;

        let retried = server.call("create_report", report("one")).await;
        assert!(is_replayed(&retried), "{}", database.name());
        assert_eq!((database.count("reports").await, asked(&google).await), (1, 1));
    }
}
