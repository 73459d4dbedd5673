//! Reports: made, shown, listed, paged, completed, compared with earlier ones, and gone in time; for their owner alone.

use crate::support::{
    BAKERY, BURST, TestServer,
    binary::Serving,
    database::{Database, both},
    now,
    redis::LentRedis,
    rpc, until,
};
use deadpool_redis::redis::cmd;
use google_reviews_mcp::clock::Clock;
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

/// A place with a review whose words contradict its stars.
const POMEGRANATES: &str = "ChIJdemo_haft_anar_rest_001";

async fn make(server: &TestServer, key: &str) -> String {
    let arguments = json!({"place_ids": [BAKERY, BURST], "title": "Two places", "request_id": key});
    server.data("create_report", arguments).await["report_id"].as_str().unwrap().to_owned()
}

async fn read(server: &TestServer, uri: &str) -> Value {
    rpc::modern(server, "resources/read", json!({"uri": uri})).await.body
}

async fn list(server: &TestServer, cursor: Option<&str>) -> Value {
    let params = cursor.map_or_else(|| json!({}), |cursor| json!({"cursor": cursor}));
    rpc::modern(server, "resources/list", params).await.body
}

/// The reports among the resources of a page.
fn reports(page: &Value) -> Vec<&str> {
    let uris = page["resources"].as_array().unwrap().iter().map(|entry| entry["uri"].as_str().unwrap());
    uris.filter(|uri| uri.starts_with("report://")).collect()
}

async fn complete(server: &TestServer, template: &str, argument: &str, value: &str) -> Value {
    let params =
        json!({"ref": {"type": "ref/resource", "uri": template}, "argument": {"name": argument, "value": value}});
    rpc::modern(server, "completion/complete", params).await.body
}

#[tokio::test]
async fn a_report_is_shown_with_our_figures_and_the_sources_own() {
    for database in both().await {
        let server = database.server().start().await;
        let made = server.call("create_report", json!({"place_ids": [BAKERY, BURST], "title": "Two places"})).await;
        let data = made.data();
        assert_eq!(data["uri"], json!(format!("report://{}", data["report_id"].as_str().unwrap())));
        assert_eq!((&data["replayed"], &data["place_ids"]), (&json!(false), &json!([BAKERY, BURST])));
        assert!(made.text().starts_with("Report \"Two places\" on 2 places is stored until "), "{}", made.text());

        let shown = server.call("get_report", json!({"report_id": data["report_id"]})).await;
        let page = shown.text();
        for expected in [
            "# Report \"Two places\"",
            "The Moonlit Bakery | 1. 4.6 from 1,312 ratings | 5 |",
            "Figures are ours",
            "a signal",
            "## What differs",
            "Source: Synthetic demo data",
        ] {
            assert!(page.contains(expected), "{expected} is missing in\n{page}");
        }
        let report = shown.data();
        assert_eq!((&report["places"][0]["rank"], &report["places"][0]["letter"]), (&json!(1), &json!("A")));
        assert_eq!(report["places"][1]["rating_count"], json!(31));
        assert_eq!(report["places"][0]["analysis"]["reviews"], json!(5));
        assert_eq!((&report["data_source"], report.get("unavailable")), (&json!("synthetic"), None));
        assert!(report.get("changes").is_none(), "there is no earlier report");
    }
}

#[tokio::test]
async fn a_report_is_a_resource_with_charts() {
    let server = TestServer::start().await;
    let uri = format!("report://{}", make(&server, "one").await);

    let markdown = read(&server, &uri).await["result"].clone();
    assert_eq!(markdown["contents"][0]["mimeType"], json!("text/markdown"));
    assert!(markdown["contents"][0]["text"].as_str().unwrap().starts_with("# Report \"Two places\""));
    assert_eq!((&markdown["cacheScope"], &markdown["ttlMs"]), (&json!("private"), &json!(0)));
    for chart in ["stars.svg", "leaning.svg"] {
        let svg = read(&server, &format!("{uri}/{chart}")).await["result"]["contents"][0].clone();
        assert_eq!(svg["mimeType"], json!("image/svg+xml"));
        let text = svg["text"].as_str().unwrap();
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>") && text.len() < 4_000, "{text}");
        assert_eq!(text.matches('<').count(), text.matches('>').count());
        assert!(text.contains(">A</text>") && text.contains(">B</text>"));
    }
    let templates = rpc::modern(&server, "resources/templates/list", json!({})).await.body["result"].clone();
    assert_eq!(templates["resourceTemplates"][0]["uriTemplate"], json!("report://{id}"));
    assert_eq!(templates["resourceTemplates"][1]["uriTemplate"], json!("report://{id}/{chart}"));
    for version in rpc::LEGACY {
        let listed = rpc::legacy(&server, version, "resources/list", json!({})).await.body;
        assert_eq!(listed["result"]["resources"][0]["uri"], json!(uri), "{version}");
        assert!(listed["result"].get("ttlMs").is_none());
        let missing = rpc::legacy(&server, version, "resources/read", json!({"uri": "report://none"})).await.body;
        assert_eq!(missing["error"]["code"], json!(-32002), "{version}");
    }
}

/// Whatever a URI says, nothing but reports is read.
#[tokio::test]
async fn mcp_30_uris_that_are_no_reports_are_not_found() {
    let server = TestServer::start().await;
    let id = make(&server, "one").await;
    let long = format!("report://{}", "a/".repeat(5_000));
    for uri in [
        "file:///etc/passwd",
        "report://../../etc/passwd",
        "report://%2e%2e%2fetc",
        "report:///etc/passwd",
        "REPORT://x",
        "",
        long.as_str(),
        &format!("report://{id}/../{id}"),
        &format!("report://{id}/secret.svg"),
        &format!("report://{id}?x"),
        "report://00000000-0000-0000-0000-000000000000",
    ] {
        let answer = read(&server, uri).await;
        assert_eq!(answer["error"]["code"], json!(-32602), "{uri}: {answer}");
        assert_eq!(answer["error"]["data"]["uri"], json!(uri));
    }
}

#[tokio::test]
async fn nobody_else_reads_or_lists_a_report() {
    for database in both().await {
        let mine = database.server().caller("one").start().await;
        let id = make(&mine, "one").await;
        mine.app.stop().await;

        let theirs = database.server().caller("other").start().await;
        let refused = theirs.call("get_report", json!({"report_id": id})).await;
        assert_eq!((refused.code().as_str(), &refused.failure()["status"]), ("report_not_found", &json!(404)));
        assert_eq!(reports(&list(&theirs, None).await["result"]), [""; 0], "{}", database.name());
        for uri in [format!("report://{id}"), format!("report://{id}/stars.svg")] {
            assert_eq!(read(&theirs, &uri).await["error"]["code"], json!(-32602));
        }
        let completed = complete(&theirs, "report://{id}", "id", &id[..8]).await;
        assert_eq!(completed["result"]["completion"]["values"], json!([]));
        // Nor does an earlier report of somebody else count as one's own.
        let own = make(&theirs, "one").await;
        let shown = theirs.data("get_report", json!({"report_id": own})).await;
        assert!(shown.get("changes").is_none());
    }
}

#[tokio::test]
async fn lists_are_paged_newest_first_without_gaps() {
    for database in both().await {
        let clock = Clock::manual(now());
        let server = database.server().clock(clock.clone()).start().await;
        let mut made = Vec::new();
        for number in 0..120 {
            made.push(format!("report://{}", make(&server, &number.to_string()).await));
            // Some at the same moment.
            clock.advance(Duration::from_millis(number % 3));
        }
        let (mut listed, mut cursor, mut pages) = (Vec::new(), None, 0);
        loop {
            let page = list(&server, cursor.as_deref()).await["result"].clone();
            listed.extend(reports(&page).into_iter().map(str::to_owned));
            pages += 1;
            // Reports that come while somebody turns pages do not move the rest.
            make(&server, &format!("late {pages}").replace(' ', "-")).await;
            match page["nextCursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => break,
            }
        }
        assert_eq!(pages, 3, "{}", database.name());
        assert_eq!(listed.len(), 120);
        assert_eq!(listed.iter().collect::<BTreeSet<_>>(), made.iter().collect::<BTreeSet<_>>());
        assert_eq!(listed.first(), made.last());
    }
}

#[tokio::test]
async fn mcp_27_cursors_that_are_not_ours_are_refused() {
    let database = Database::sqlite();
    let clock = Clock::manual(now());
    let server = database.server().caller("one").clock(clock.clone()).start().await;
    for number in 0..51 {
        make(&server, &number.to_string()).await;
    }
    let cursor = list(&server, None).await["result"]["nextCursor"].as_str().unwrap().to_owned();
    assert_eq!(reports(&list(&server, Some(&cursor)).await["result"]).len(), 1);
    let mut edited = cursor.clone();
    edited.replace_range(12..13, if &cursor[12..13] == "A" { "B" } else { "A" });
    for forged in [edited.as_str(), "", "x", "0:", &"A".repeat(5_000), "MDo", "%00", &format!("{cursor}A")] {
        let refused = list(&server, Some(forged)).await["error"].clone();
        assert_eq!(refused["code"], json!(-32602), "{forged}");
        assert_eq!(refused["data"]["google-reviews/error"]["status"], json!(422));
        assert!(refused["message"].as_str().unwrap().starts_with("List again from the beginning"));
    }
    clock.advance(Duration::from_mins(61));
    assert_eq!(list(&server, Some(&cursor)).await["error"]["code"], json!(-32602), "too old");
    clock.set_time_of_day(now());
    server.app.stop().await;

    let other = database.server().caller("other").clock(Clock::manual(now())).start().await;
    assert_eq!(list(&other, Some(&cursor)).await["error"]["code"], json!(-32602), "another caller's");
}

#[tokio::test]
async fn ids_and_charts_are_completed() {
    for database in both().await {
        let server = database.server().start().await;
        let id = make(&server, "one").await;
        for prefix in ["", &id[..1], &id[..20], &id] {
            let found = complete(&server, "report://{id}", "id", prefix).await["result"]["completion"].clone();
            assert_eq!((&found["values"], &found["hasMore"]), (&json!([id]), &json!(false)), "{prefix}");
        }
        for prefix in ["x", "%", "_", "'", "\0", &id.to_uppercase(), &"0".repeat(10_000), "é"] {
            let found = complete(&server, "report://{id}", "id", prefix).await["result"]["completion"].clone();
            assert_eq!(found["values"], json!([]), "{prefix}");
        }
        let charts = complete(&server, "report://{id}/{chart}", "chart", "s").await;
        assert_eq!(charts["result"]["completion"]["values"], json!(["stars.svg"]));
        for (template, argument) in [("report://{id}", "chart"), ("file://{path}", "path"), ("", "")] {
            assert_eq!(complete(&server, template, argument, "").await["error"]["code"], json!(-32602));
        }
    }
}

/// Every text that a caller can send reaches the database as a value, never as SQL.
#[tokio::test]
async fn inj_11_sql_in_any_argument_is_only_text() {
    const HOSTILE: &[&str] = &[
        "'; DROP TABLE reports; --",
        "' OR '1'='1",
        "\" OR \"\"=\"",
        "x' UNION SELECT owner, id, title, content, 1, 1 FROM reports --",
        "%' --",
        "\\'; SELECT pg_sleep(10); --",
        "$1; DELETE FROM idempotency",
        "/* */",
    ];
    for database in both().await {
        let server = database.server().start().await;
        let kept = make(&server, "kept").await;
        for hostile in HOSTILE {
            let titled = json!({"place_ids": [BAKERY], "title": hostile, "request_id": hostile.replace(' ', "+")});
            let made = server.data("create_report", titled).await;
            let shown = server.data("get_report", json!({"report_id": made["report_id"]})).await;
            assert!(shown["title"].is_string());
            for (tool, arguments) in [
                ("get_report", json!({"report_id": hostile})),
                ("create_report", json!({"place_ids": [hostile], "title": "x"})),
                ("analyze_reviews", json!({"place_id": hostile})),
                ("analyze_reviews", json!({"place_id": BAKERY, "language": hostile})),
                ("compare_places", json!({"place_ids": [BAKERY, hostile]})),
            ] {
                assert_eq!(server.call(tool, arguments).await.code(), "invalid_argument", "{tool}: {hostile}");
            }
            assert_eq!(read(&server, &format!("report://{hostile}")).await["error"]["code"], json!(-32602));
            assert_eq!(list(&server, Some(hostile)).await["error"]["code"], json!(-32602));
            let completed = complete(&server, "report://{id}", "id", hostile).await;
            assert_eq!(completed["result"]["completion"]["values"], json!([]), "{hostile}");
        }
        assert_eq!(database.count("reports").await, 1 + i64::try_from(HOSTILE.len()).unwrap());
        assert!(server.data("get_report", json!({"report_id": kept})).await["title"].is_string());
    }
}

/// Runs of four words of every review that the emulator serves, names of authors and places, and addresses.
async fn content_of_google(server: &TestServer) -> Vec<String> {
    let mut texts = Vec::new();
    for place in [BAKERY, BURST, POMEGRANATES] {
        let answer = server.data("get_reviews", json!({"place_id": place, "response_format": "detailed"})).await;
        texts.extend(
            [&answer["place"]["name"], &answer["place"]["address"]].map(|text| text.as_str().unwrap().to_owned()),
        );
        for review in answer["reviews"].as_array().unwrap() {
            texts.push(review["author_name"].as_str().unwrap().to_owned());
            for text in [&review["text"], &review["original_text"]] {
                let words: Vec<_> = text.as_str().unwrap_or_default().split_whitespace().collect();
                texts.extend(words.windows(4).map(|run| run.join(" ")));
            }
        }
    }
    assert!(texts.len() > 100, "{}", texts.len());
    texts
}

#[tokio::test]
async fn cache_12_no_content_of_google_is_left_anywhere_after_its_time() {
    let google = TestServer::start().await;
    let content = content_of_google(&google).await;
    for database in both().await {
        let redis = LentRedis::take().await;
        let more =
            [("REVIEWS__CACHE__REDIS_URL", redis.url()), ("REVIEWS__CACHE__PLACES_CONTENT_TTL", "1s".to_owned())];
        let more: Vec<_> = more.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let server = Serving::on(&database, &google.emulator.url(), &more);
        let arguments = json!({"place_ids": [BAKERY, BURST, POMEGRANATES], "title": "Two places", "request_id": "one"});
        let made = server.call("create_report", arguments.clone()).await.unwrap().data();
        server.call("create_report", arguments).await.unwrap().data();
        server.call("get_report", json!({"report_id": made["report_id"]})).await.unwrap().data();
        for (tool, arguments) in [
            ("analyze_reviews", json!({"place_id": BURST})),
            ("compare_places", json!({"place_ids": [BAKERY, BURST]})),
            ("create_report", json!({"place_ids": [BAKERY], "title": "x", "request_id": ""})),
        ] {
            server.call(tool, arguments).await.unwrap();
        }
        until("Redis has forgotten it", async || redis.cache_keys().await.is_empty()).await;

        let mut left = kept_bytes(&database).await;
        let dumped: Vec<Vec<u8>> = redis.run(cmd("KEYS").arg("*")).await;
        left.extend(dumped.concat());
        let (log, _) = tokio::task::spawn_blocking(move || server.stop()).await.unwrap();
        left.extend(log.into_bytes());
        left.extend(kept_bytes(&database).await);
        let left = String::from_utf8_lossy(&left);
        assert!(left.contains("Two places"), "the report itself is there");
        assert!(left.contains("contradictions\"") && !left.contains("words\""), "that a review contradicts, not how");
        for text in &content {
            assert!(!left.contains(text.as_str()), "{}: {text:?} was kept", database.name());
        }
    }
}

/// All that the database holds: the bytes of its files, or the rows of its tables.
async fn kept_bytes(database: &Database) -> Vec<u8> {
    match database {
        Database::Sqlite(folder) => {
            let files = std::fs::read_dir(folder.path()).unwrap();
            files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
        }
        Database::Postgres(database) => {
            let rows =
                "SELECT CAST(reports AS TEXT) FROM reports UNION ALL SELECT CAST(idempotency AS TEXT) FROM idempotency
                UNION ALL SELECT CAST(spend AS TEXT) FROM spend";
            database.texts(rows).await.join("\n").into_bytes()
        }
    }
}

#[tokio::test]
async fn a_report_expires_and_is_purged() {
    for database in both().await {
        let clock = Clock::manual(now());
        let server = database.server().clock(clock.clone()).set("reports.lifetime", "2d").start().await;
        let id = make(&server, "one").await;
        clock.advance(Duration::from_hours(48) - Duration::from_secs(1));
        assert!(server.data("get_report", json!({"report_id": id})).await["title"].is_string());
        clock.advance(Duration::from_secs(1));
        assert_eq!(server.call("get_report", json!({"report_id": id})).await.code(), "report_not_found");
        assert_eq!(reports(&list(&server, None).await["result"]), [""; 0], "{}", database.name());
        until("expired rows are removed", async || {
            clock.advance(Duration::from_mins(11));
            database.count("reports").await == 0 && database.count("idempotency").await == 0
        })
        .await;
    }
}

#[tokio::test]
async fn a_report_says_what_changed_since_the_last_on_the_same_places() {
    for database in both().await {
        let clock = Clock::manual(now());
        let server = database.server().clock(clock.clone()).start().await;
        let first = make(&server, "one").await;
        clock.advance(Duration::from_hours(24));
        // The source shows one review less.
        server.fault(json!({"kind": "removed_field", "path": "reviews.4"})).await;
        let arguments = json!({"place_ids": [BURST, BAKERY], "title": "In another order", "request_id": "two"});
        let second = server.data("create_report", arguments).await;
        server.clear_faults().await;

        let shown = server.call("get_report", json!({"report_id": second["report_id"]})).await;
        let changes = shown.data()["changes"].clone();
        assert_eq!(changes["since_report_id"], json!(first), "{}", database.name());
        assert_eq!(changes["places"][1]["place_id"], json!(BAKERY));
        assert_eq!(
            (&changes["places"][1]["new_reviews"], &changes["places"][1]["gone_reviews"]),
            (&json!(0), &json!(1))
        );
        assert!(shown.text().contains("## Since the report of 2026-11-20T12:00:00Z"), "{}", shown.text());
        assert!(shown.text().contains("The Moonlit Bakery: 0 reviews new in the sample, 1 no longer shown"));
    }
}

#[tokio::test]
async fn names_and_figures_of_google_are_kept_only_where_the_operator_says_so() {
    for (keeps, database) in [(false, Database::sqlite()), (true, Database::sqlite())] {
        let server = database.server().set("reports.keep_google_figures", keeps.to_string()).start().await;
        let id = make(&server, "one").await;
        server.fault(json!({"kind": "error", "name": "unavailable"})).await;
        let shown = server.call("get_report", json!({"report_id": id})).await;
        let (page, data) = (shown.text(), shown.data());

        assert_eq!(page.contains("The Moonlit Bakery"), keeps, "{page}");
        assert_eq!(data["places"][0]["rating"].is_number(), keeps);
        assert_eq!(
            data["unavailable"][0]["code"],
            json!("google_unavailable"),
            "and it says that Google was not there"
        );
        assert!(page.contains("## Without names and figures of the source just now"));
        assert!(page.contains("Stars: 5 ★ × 3"), "our figures are there all the same: {page}");
        assert_eq!(data["data_source"], json!("synthetic"), "what is invented stays invented");
        assert!(page.contains("Synthetic demo data"), "{page}");
    }
}

#[tokio::test]
async fn places_must_be_few_and_different() {
    let server = TestServer::start().await;
    let many: Vec<String> = (0..11).map(|number| format!("ChIJdemo_place_{number:03}")).collect();
    for (tool, ids, told) in [
        ("create_report", json!([]), "0 elements"),
        ("create_report", json!(many), "11 elements"),
        ("compare_places", json!([BAKERY]), "1 elements"),
        ("compare_places", json!(many), "11 elements"),
        ("compare_places", json!([BAKERY, BAKERY]), "twice"),
        ("create_report", json!([BAKERY, BAKERY]), "twice"),
        ("create_report", json!([BAKERY, "x"]), "position 2"),
    ] {
        let mut arguments = json!({"place_ids": ids});
        if tool == "create_report" {
            arguments["title"] = json!("x");
        }
        let refused = server.call(tool, arguments).await;
        assert_eq!(refused.code(), "invalid_argument");
        assert!(refused.text().contains("`place_ids`") && refused.text().contains(told), "{}", refused.text());
    }
    for title in ["", "  ", "a\nb", &"x".repeat(201)] {
        let refused = server.call("create_report", json!({"place_ids": [BAKERY], "title": title})).await;
        assert!(refused.text().contains("`title`"), "{}", refused.text());
    }
    assert_eq!(server.upstream_requests().await.len(), 0);
}

/// The cost of a call with several places is set aside as a whole: none of it is spent on half an answer.
#[tokio::test]
async fn a_comparison_that_the_budget_does_not_cover_buys_nothing() {
    let server = TestServer::builder().set("google.daily_calls", "3").start().await;
    let four = json!({"place_ids": [BAKERY, BURST, "ChIJdemo_haft_anar_0000001", "ChIJdemo_place_0000004"]});
    assert_eq!(server.call("compare_places", four).await.code(), "budget_exhausted");
    assert_eq!(server.upstream_requests().await.len(), 0);
    server.data("compare_places", json!({"place_ids": [BAKERY, BURST]})).await;
    assert_eq!(server.metric("upstream_budget_used_ratio").await, 2.0 / 3.0);
}

/// What is in memory already needs no budget.
#[tokio::test]
async fn a_comparison_of_places_in_memory_is_free() {
    let server =
        TestServer::builder().set("google.daily_calls", "2").set("cache.places_content_ttl", "60s").start().await;
    for _ in 0..3 {
        server.data("compare_places", json!({"place_ids": [BAKERY, BURST]})).await;
    }
    assert_eq!(server.upstream_requests().await.len(), 2);
}

/// Nor does what another server has put into Redis, even where the budget is spent.
#[tokio::test]
async fn a_comparison_of_places_in_redis_is_free() {
    let redis = LentRedis::take().await;
    let start = || {
        TestServer::builder()
            .set("google.daily_calls", "2")
            .set("cache.places_content_ttl", "60s")
            .set("cache.redis_url", redis.url())
            .start()
    };
    let (one, other) = (start().await, start().await);
    one.data("compare_places", json!({"place_ids": [BAKERY, BURST]})).await;
    redis.keeps(2).await;
    other.data("compare_places", json!({"place_ids": [BAKERY, BURST]})).await;
    assert_eq!(other.upstream_requests().await.len(), 0);
    assert_eq!(other.call("get_place", json!({"place_id": POMEGRANATES})).await.code(), "budget_exhausted");
}

#[tokio::test]
async fn the_spend_of_the_day_survives_a_restart() {
    for database in both().await {
        let clock = Clock::manual(now());
        let server = database.server().clock(clock.clone()).set("google.daily_calls", "2").start().await;
        for _ in 0..2 {
            server.data("get_place", json!({"place_id": BAKERY})).await;
        }
        assert_eq!(server.call("get_place", json!({"place_id": BAKERY})).await.code(), "budget_exhausted");
        server.app.stop().await;
        let sums = "SELECT CAST(SUM(micros) AS BIGINT), CAST(SUM(calls) AS BIGINT) FROM spend";
        assert_eq!(database.numbers(sums).await, [50_000, 2], "{}", database.name());

        let server = database.server().clock(clock.clone()).set("google.daily_calls", "2").start().await;
        assert_eq!(server.metric("upstream_budget_used_ratio").await, 1.0);
        assert_eq!(server.call("get_place", json!({"place_id": BAKERY})).await.code(), "budget_exhausted");
        clock.advance(Duration::from_hours(20));
        server.data("get_place", json!({"place_id": BAKERY})).await;
    }
}
