//! Databases that are away, slow, full, locked, damaged, shared or of another version.

use crate::support::{
    ANY_PORTS, BAKERY, SECRET_KEY, TestServer,
    binary::{Serving, program, stderr, stdout},
    check,
    database::{Database, both},
    free_port, now, postgres,
    postgres::{Cluster, is_root},
    proxy::{Mode, Proxy},
    until,
};
use futures_util::future::join_all;
use google_reviews_mcp::clock::Clock;
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _};
use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

fn report(key: &str) -> Value {
    json!({"place_ids": [BAKERY], "title": "Bakery", "request_id": key})
}

async fn make(server: &TestServer, key: &str) -> String {
    server.data("create_report", report(key)).await["report_id"].as_str().unwrap().to_owned()
}

/// A call that must be refused for the database's sake, and be worth another try.
async fn refused(server: &TestServer, key: &str) {
    let result = server.call("create_report", report(key)).await;
    let failure = result.failure();
    assert_eq!((&failure["code"], &failure["status"]), (&json!("store_unavailable"), &json!(503)), "{}", result.text());
    assert_eq!((&failure["tier"], &failure["retryable"]), (&json!("server"), &json!(true)));
    assert!(failure["retry_after_seconds"].is_u64());
    let told = result.text().to_lowercase();
    for internal in ["sql", "select", "insert", "sqlx", "code ", "127.0.0.1", "timeout", "pool"] {
        assert!(!told.contains(internal), "{internal} in {told}");
    }
}

async fn readiness(server: &TestServer) -> u16 {
    server.operations("/readyz").await.0
}

async fn is_ready(serving: &Serving) -> bool {
    let answer = reqwest::get(format!("{}/readyz", serving.operations)).await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

/// Runs `serve`, which is expected to end by itself.
fn serve_to_its_end(settings: &[(String, String)]) -> Output {
    let mut command = program();
    to_its_end(command.arg("serve").envs(ANY_PORTS).envs(settings.iter().cloned()))
}

/// Panics if it does not end: then it serves.
fn to_its_end(command: &mut Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    for _ in 0..3_000 {
        if child.try_wait().unwrap().is_some() {
            return child.wait_with_output().unwrap();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    panic!("it serves: {}", stderr(&child.wait_with_output().unwrap()));
}

fn postgres_settings(url: &str) -> Vec<(String, String)> {
    vec![
        ("REVIEWS__SERVER__SECRET_KEY".to_owned(), SECRET_KEY.to_owned()),
        ("REVIEWS__STORE__URL".to_owned(), url.to_owned()),
    ]
}

fn folder_settings(folder: &Path) -> Vec<(String, String)> {
    vec![("REVIEWS__STORE__DATA_DIR".to_owned(), folder.display().to_string())]
}

#[tokio::test]
async fn res_08_a_database_that_is_away_at_the_start_is_waited_for() {
    let google = TestServer::start().await;
    let mut cluster = Cluster::start().await;
    let url = cluster.url("postgres");
    cluster.kill();
    let settings = [
        ("REVIEWS__SERVER__SECRET_KEY", SECRET_KEY),
        ("REVIEWS__STORE__URL", url.as_str()),
        ("REVIEWS__STORE__ACQUIRE_TIMEOUT", "200ms"),
        ("REVIEWS__GOOGLE__PLACES_URL", &google.emulator.url()),
        ("GOOGLE_MAPS_API_KEY", "demo-key"),
    ];
    let server = Serving::start(&settings);
    assert!(!is_ready(&server).await, "it is not ready");
    assert!(server.start.contains("the database cannot be opened yet"), "{}", server.start);
    let read = server.call("get_place", json!({"place_id": BAKERY})).await.unwrap();
    assert!(read.data()["place"].is_object(), "reading needs no database");
    let write = server.call("create_report", report("one")).await.unwrap();
    assert_eq!(write.code(), "store_unavailable");

    cluster.resume().await;
    until("it is ready", async || is_ready(&server).await).await;
    server.call("create_report", report("one")).await.unwrap().data();
    drop(server);

    cluster.kill();
    let mut settings = postgres_settings(&url);
    settings.push(("REVIEWS__STORE__START_TIMEOUT".to_owned(), "1s".to_owned()));
    let ended = tokio::task::spawn_blocking(move || serve_to_its_end(&settings)).await.unwrap();
    assert!(!ended.status.success());
    assert!(stderr(&ended).contains("error: PostgreSQL cannot be reached"), "{}", stderr(&ended));
}

#[tokio::test]
async fn res_09_connections_that_are_cut_are_replaced_and_readiness_follows() {
    let clock = Clock::manual(now());
    let mut cluster = Cluster::start().await;
    let server = TestServer::builder()
        .clock(clock.clone())
        .set("store.url", cluster.url("postgres"))
        .set("store.acquire_timeout", "300ms")
        .set("cache.places_content_ttl", "10m")
        .start()
        .await;
    let id = make(&server, "one").await;

    let reads = async {
        for _ in 0..50 {
            let read = join_all((0..4).map(|_| server.call("get_report", json!({"report_id": id})))).await;
            for read in read {
                read.data();
            }
        }
    };
    let cuts = async {
        for _ in 0..10 {
            cluster.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'").await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::join!(reads, cuts);

    assert_eq!(readiness(&server).await, 200);
    cluster.kill();
    // Ten seconds of our clock are two probes.
    for _ in 0..2 {
        clock.advance(Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    until("it is not ready", async || readiness(&server).await == 503).await;
    let (status, page) = server.operations("/health").await;
    let page: Value = serde_json::from_str(&page).unwrap();
    assert_eq!((status, &check(&page, "database")["state"]), (503, &json!("down")));
    assert_eq!(server.metric("dependency_up{dependency=\"database\"}").await, 0.0);
    cluster.resume().await;
    for _ in 0..2 {
        clock.advance(Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    until("it is ready again", async || readiness(&server).await == 200).await;
    make(&server, "two").await;
}

/// After a failover the old server is read-only for a while: connections to it must not be used again.
#[tokio::test]
async fn res_10_a_server_that_became_read_only_is_left() {
    let database = postgres::Database::new().await;
    let server = TestServer::builder()
        .set("store.url", &database.url)
        .set("store.pool_min", "0")
        .set("store.pool_max", "1")
        .start()
        .await;
    make(&server, "one").await;
    database.alter("ALTER DATABASE {} SET default_transaction_read_only = on").await;
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()";
    database.run(cut).await;
    refused(&server, "two").await;
    assert_eq!(readiness(&server).await, 200, "it can still read");

    database.alter("ALTER DATABASE {} RESET default_transaction_read_only").await;
    make(&server, "two").await;
}

#[tokio::test]
async fn res_11_when_the_server_gives_no_more_connections_the_answer_is_503() {
    let cluster = Cluster::start().await;
    cluster.run("CREATE ROLE app LOGIN").await;
    cluster.run("CREATE DATABASE limited OWNER app CONNECTION LIMIT 2").await;
    let url = cluster.url("limited").replace("postgres@", "app@");
    let server = TestServer::builder()
        .set("store.url", &url)
        .set("store.pool_min", "0")
        .set("store.pool_max", "1")
        .set("store.acquire_timeout", "300ms")
        .start()
        .await;
    make(&server, "one").await;
    cluster.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'").await;
    let mut others = Vec::new();
    until("others hold all connections", async || {
        others.extend(sqlx::PgConnection::connect(&url).await);
        others.len() == 2
    })
    .await;
    for _ in 0..3 {
        refused(&server, "two").await;
    }
    for other in others {
        other.close().await.unwrap();
    }
    until("a connection is free", async || {
        server.call("create_report", report("two")).await.0["isError"] == json!(false)
    })
    .await;
    // Many at once queue for the only connection.
    let results = join_all((0..20).map(|number| server.call("create_report", report(&format!("key-{number}"))))).await;
    for result in results {
        let is_told = result.0["isError"] == json!(false) || result.code() == "store_unavailable";
        assert!(is_told, "{}", result.text());
    }
}

#[tokio::test]
async fn res_12_locks_and_slow_statements_end_in_time() {
    let database = postgres::Database::new().await;
    let server = TestServer::builder()
        .set("store.url", &database.url)
        .set("store.lock_timeout", "200ms")
        .set("store.statement_timeout", "400ms")
        .start()
        .await;
    let mut other = sqlx::PgConnection::connect(&database.url).await.unwrap();
    other.execute("BEGIN; LOCK TABLE idempotency").await.unwrap();
    refused(&server, "one").await;
    other.execute("ROLLBACK").await.unwrap();
    make(&server, "one").await;

    database
        .run("CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$")
        .await;
    database.run("CREATE TRIGGER dawdle BEFORE INSERT ON reports FOR EACH ROW EXECUTE FUNCTION dawdle()").await;
    refused(&server, "two").await;
    database.run("DROP TRIGGER dawdle ON reports").await;
    make(&server, "two").await;
    assert_eq!(readiness(&server).await, 200);
}

/// The network swallows everything: no refusal comes, and no answer.
#[tokio::test]
async fn a_database_from_which_nothing_arrives_is_given_up_in_time() {
    let database = postgres::Database::new().await;
    let mut url = url::Url::parse(&database.url).unwrap();
    let target = format!("127.0.0.1:{}", url.port().unwrap_or(5432)).parse().unwrap();
    let proxy = Proxy::start(target).await;
    url.set_port(Some(proxy.address.port())).unwrap();
    let server = TestServer::builder()
        .set("store.url", url.as_str())
        .set("store.pool_min", "0")
        .set("store.acquire_timeout", "500ms")
        .set("store.statement_timeout", "100ms")
        .set("store.busy_timeout", "100ms")
        .start()
        .await;
    let id = make(&server, "one").await;
    proxy.set(Mode::Stall);
    refused(&server, "two").await;
    let read = server.call("get_report", json!({"report_id": id})).await;
    assert_eq!(read.code(), "store_unavailable");
    proxy.set(Mode::Through);
    until("it works again", async || server.call("create_report", report("two")).await.0["isError"] == json!(false))
        .await;
}

#[tokio::test]
async fn res_13_who_finds_another_migrating_waits_and_says_so() {
    let google = TestServer::start().await;
    let database = Database::postgres().await;
    let Database::Postgres(postgres) = &database else { unreachable!() };
    let mut other = sqlx::PgConnection::connect(&postgres.url).await.unwrap();
    other.execute("SELECT pg_advisory_lock(1735554609)").await.unwrap();

    let server = Serving::on(&database, &google.emulator.url(), &[]);
    assert!(!is_ready(&server).await);
    assert!(server.start.contains("another instance migrates the database"), "{}", server.start);
    other.close().await.unwrap();
    until("it is ready", async || is_ready(&server).await).await;
}

/// The version of the schema that this program makes.
fn newest_schema() -> i64 {
    i64::try_from(fs::read_dir("migrations/postgres").unwrap().count()).unwrap()
}

#[tokio::test]
async fn res_14_five_that_start_at_once_migrate_once() {
    let google = TestServer::start().await;
    let database = std::sync::Arc::new(Database::postgres().await);
    let starts = (0..5).map(|_| {
        let (database, url) = (std::sync::Arc::clone(&database), google.emulator.url());
        tokio::task::spawn_blocking(move || Serving::on(&database, &url, &[("REVIEWS__STORE__POOL_MAX", "2")]))
    });
    let servers: Vec<Serving> = join_all(starts).await.into_iter().map(Result::unwrap).collect();
    for server in &servers {
        until("it is ready", async || is_ready(server).await).await;
    }
    let migrations = newest_schema();
    assert_eq!(database.count("_sqlx_migrations").await, migrations);
    let mut steps = 0;
    for server in servers {
        let start = server.start.clone();
        let (rest, ended) = tokio::task::spawn_blocking(move || server.stop()).await.unwrap();
        assert!(ended);
        let log = start + &rest;
        let opened = log.lines().find(|line| line.contains("the database is open")).unwrap();
        steps += serde_json::from_str::<Value>(opened).unwrap()["steps"].as_u64().unwrap();
    }
    assert_eq!(i64::try_from(steps).unwrap(), migrations, "each step was made by one of them");
}

#[tokio::test]
async fn res_15_a_migration_that_was_killed_half_way_is_made_again() {
    let database = postgres::Database::new().await;
    // Somebody makes a table of the same name and has not committed: the migration waits in the middle of its work.
    let mut other = sqlx::PgConnection::connect(&database.url).await.unwrap();
    other.execute("BEGIN; CREATE TABLE idempotency (x BIGINT)").await.unwrap();
    let settings = postgres_settings(&database.url);
    let mut migrating = program().arg("migrate").envs(settings.clone()).stderr(Stdio::null()).spawn().unwrap();
    let waiting = Database::Postgres(database);
    let blocked =
        "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    until("it is in the middle", async || waiting.numbers(blocked).await == [1]).await;
    migrating.kill().unwrap();
    migrating.wait().unwrap();
    other.execute("ROLLBACK").await.unwrap();

    let again = program().arg("migrate").envs(settings.clone()).output().unwrap();
    assert!(again.status.success(), "{}", stderr(&again));
    let newest = newest_schema();
    assert_eq!(waiting.count("_sqlx_migrations").await, newest);
    let nothing = program().arg("migrate").envs(settings).output().unwrap();
    assert_eq!(stdout(&nothing), format!("The schema is at version {newest}: nothing to do.\n"));

    for round in 0..20_u64 {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder_settings(folder.path());
        let mut killed = program().arg("migrate").envs(settings.clone()).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(2 * round));
        killed.kill().unwrap();
        killed.wait().unwrap();
        let again = program().arg("migrate").envs(settings).output().unwrap();
        assert!(again.status.success() && stdout(&again).contains(&format!("version {newest}")), "{}", stderr(&again));
    }
}

#[tokio::test]
async fn res_16_a_schema_of_another_program_is_refused_with_what_to_do() {
    for database in both().await {
        database.server().start().await.app.stop().await;
        let insert = match database {
            Database::Sqlite(_) => "INSERT INTO _sqlx_migrations VALUES (9999, 'later', '2030-01-01', TRUE, X'00', 0)",
            Database::Postgres(_) => "INSERT INTO _sqlx_migrations VALUES (9999, 'later', now(), TRUE, '\\x00', 0)",
        };
        database.run(insert).await;
        let ended = serve_to_its_end(&database.environment());
        assert!(!ended.status.success());
        let told = stderr(&ended);
        assert!(
            told.contains("schema version 9999") && told.contains(&format!("versions up to {}", newest_schema())),
            "{told}"
        );
        assert!(told.contains("start the newer program again, or restore the backup"), "{told}");

        database.run("DELETE FROM _sqlx_migrations WHERE version = 9999").await;
        let edit = match database {
            Database::Sqlite(_) => "UPDATE _sqlx_migrations SET checksum = X'00' WHERE version = 2",
            Database::Postgres(_) => "UPDATE _sqlx_migrations SET checksum = '\\x00' WHERE version = 2",
        };
        database.run(edit).await;
        let ended = serve_to_its_end(&database.environment());
        assert!(stderr(&ended).contains("step 2 of the schema was applied"), "{}", stderr(&ended));
    }
}

/// A database of every earlier version of the schema, with data of that version, works and has lost nothing.
#[tokio::test]
async fn res_17_data_of_earlier_schemas_is_kept() {
    for database in both().await {
        let dialect = if matches!(database, Database::Sqlite(_)) { "sqlite" } else { "postgres" };
        let steps = migrations(dialect);
        for version in 1..steps.len() {
            let database = match &database {
                Database::Sqlite(_) => Database::sqlite(),
                Database::Postgres(_) => Database::postgres().await,
            };
            apply(&database, dialect, version).await;
            // What the first version knew: a report.
            database.run(&fs::read_to_string("tests/it/fixtures/schema-0001.sql").unwrap()).await;
            let server = database.server().caller("fixture").clock(Clock::manual(now())).start().await;
            let shown = server.data("get_report", json!({"report_id": "01a1f8d8-8329-7098-9e27-d01776b6e79f"})).await;
            assert_eq!((&shown["title"], &shown["created_at"]), (&json!("Kept"), &json!("2026-11-19T00:00:00Z")));
            assert_eq!(shown["places"][0]["analysis"]["ratings"]["stars_5"], json!(3));
            assert_eq!(database.count("_sqlx_migrations").await, i64::try_from(steps.len()).unwrap());
        }
    }
}

/// Brings an empty database to an earlier version of the schema.
async fn apply(database: &Database, dialect: &str, version: usize) {
    let folder = PathBuf::from(format!("migrations/{dialect}"));
    let migrator = sqlx::migrate::Migrator::new(folder).await.unwrap();
    let target = i64::try_from(version).unwrap();
    match database {
        Database::Sqlite(_) => {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database.file()).create_if_missing(true);
            let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
            migrator.run_to(target, &pool).await.unwrap();
            pool.close().await;
        }
        Database::Postgres(postgres) => {
            let pool = sqlx::PgPool::connect(&postgres.url).await.unwrap();
            migrator.run_to(target, &pool).await.unwrap();
            pool.close().await;
        }
    }
}

fn migrations(dialect: &str) -> Vec<String> {
    let files = fs::read_dir(format!("migrations/{dialect}")).unwrap();
    let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn both_databases_have_the_same_steps_tables_and_columns() {
    assert_eq!(migrations("sqlite"), migrations("postgres"));
    let mut columns = Vec::new();
    for database in both().await {
        let server = database.server().start().await;
        let sql = match &database {
            Database::Sqlite(_) => {
                "SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c
                 WHERE m.type = 'table' AND m.name NOT LIKE '\\_%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite%'"
            }
            Database::Postgres(_) => {
                "SELECT table_name || '.' || column_name FROM information_schema.columns
                 WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%'"
            }
        };
        columns.push(database.texts(sql).await.into_iter().collect::<BTreeSet<_>>());
        server.app.stop().await;
    }
    assert_eq!(columns[0], columns[1]);
    assert!(columns[0].contains("idempotency.fence") && columns[0].len() > 20, "{:?}", columns[0]);
}

#[tokio::test]
async fn res_18_a_full_database_refuses_writes_and_goes_on_reading() {
    let database = Database::sqlite();
    let server = database.server().set("store.sqlite_max_bytes", "1000000").start().await;
    let first = make(&server, "first").await;
    let mut full = None;
    for number in 0..2_000 {
        let result = server.call("create_report", report(&format!("key-{number}"))).await;
        if result.0["isError"] == json!(true) {
            full = Some(result);
            break;
        }
    }
    let full = full.expect("a megabyte is full at some time");
    assert_eq!((full.code().as_str(), &full.failure()["status"]), ("store_unavailable", &json!(503)));
    assert!(full.text().contains("is full"), "{}", full.text());
    assert!(server.data("get_report", json!({"report_id": first})).await["title"].is_string());
    assert_eq!(readiness(&server).await, 200);
    assert!(fs::metadata(database.file()).unwrap().len() <= 1_000_000);

    database.run("DELETE FROM reports WHERE id IN (SELECT id FROM reports ORDER BY id DESC LIMIT 50)").await;
    make(&server, "room-again").await;
    assert_eq!(database.texts("PRAGMA integrity_check").await, ["ok"]);
}

#[tokio::test]
async fn res_19_a_file_that_another_program_locks_is_waited_for_and_then_refused() {
    let database = Database::sqlite();
    let server = database.server().set("store.busy_timeout", "200ms").start().await;
    let first = make(&server, "one").await;
    let mut other = database.sqlite_connection().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    refused(&server, "two").await;
    assert!(server.data("get_report", json!({"report_id": first})).await["title"].is_string(), "reading goes on");
    other.execute("ROLLBACK").await.unwrap();
    make(&server, "two").await;
}

/// Runs `serve` as a user who owns nothing, where the tests run as root.
fn serve_unprivileged(settings: &[(String, String)]) -> Output {
    let binary = env!("CARGO_BIN_EXE_google-reviews-mcp");
    let mut command = if is_root() { Command::new("setpriv") } else { Command::new(binary) };
    if is_root() {
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", binary]);
    }
    to_its_end(command.arg("serve").env_clear().envs(ANY_PORTS).envs(settings.iter().cloned()))
}

#[test]
fn res_20_a_file_or_folder_that_cannot_be_used_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let inside = |name: &str| folder.path().join(name);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for (name, mode) in [("read-only", 0o555), ("garbage", 0o755), ("cut", 0o755), ("taken", 0o755)] {
        fs::create_dir(inside(name)).unwrap();
        fs::set_permissions(inside(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::write(
        inside("garbage/google-reviews.db"),
        "this is no database, but it is long enough to be taken for one".repeat(99),
    )
    .unwrap();
    damaged(&inside("cut"));
    fs::create_dir(inside("taken/google-reviews.db")).unwrap();
    fs::write(inside("a-file"), "").unwrap();

    for (name, told) in [("garbage", "is damaged"), ("cut", "is damaged"), ("taken", "cannot be opened")] {
        let ended = serve_to_its_end(&folder_settings(&inside(name)));
        let page = stderr(&ended);
        assert!(!ended.status.success() && page.contains(told) && page.contains("google-reviews.db"), "{name}: {page}");
    }
    let ended = serve_to_its_end(&folder_settings(&inside("a-file")));
    assert!(stderr(&ended).contains("the folder of store.data_dir must be writable"), "{}", stderr(&ended));
    // Missing ones are made, where that is allowed.
    for name in ["read-only", "read-only/missing"] {
        let ended = serve_unprivileged(&folder_settings(&inside(name)));
        let page = stderr(&ended);
        assert!(
            !ended.status.success() && page.contains("writable for the user that runs this program"),
            "{name}: {page}"
        );
    }
    fs::set_permissions(inside("read-only"), fs::Permissions::from_mode(0o755)).unwrap();
    for (url, told) in [
        (format!("sqlite://{}/no/such/folder/x.db", folder.path().display()), "the folder must exist and be writable"),
        ("sqlite://".to_owned(), "store.url is not an address"),
        ("mysql://host/db".to_owned(), "must begin with sqlite:// or postgres://"),
        ("postgres://user:pass word@[/db".to_owned(), "store.url is not an address"),
    ] {
        let mut settings = folder_settings(&inside("fresh"));
        settings.extend(postgres_settings(&url));
        let ended = serve_to_its_end(&settings);
        let page = stderr(&ended);
        assert!(!ended.status.success() && page.contains(told) && !page.contains("pass word"), "{url}: {page}");
    }
    fs::write(inside("fresh/secret.key"), "short").unwrap_or_default();
    fs::create_dir_all(inside("secret")).unwrap();
    fs::write(inside("secret/secret.key"), "short").unwrap();
    let ended = serve_to_its_end(&folder_settings(&inside("secret")));
    assert!(stderr(&ended).contains("secret.key does not hold 32 random bytes"), "{}", stderr(&ended));
}

/// A real database with a page overwritten.
fn damaged(folder: &Path) {
    let made = program().arg("migrate").envs(folder_settings(folder)).output().unwrap();
    assert!(made.status.success(), "{}", stderr(&made));
    let path = folder.join("google-reviews.db");
    let mut bytes = fs::read(&path).unwrap();
    assert!(bytes.len() > 8 * 4_096, "the schema has several pages");
    bytes[4_096..3 * 4_096].fill(0x5a);
    fs::write(&path, bytes).unwrap();
}

#[tokio::test]
async fn res_22_a_second_server_on_one_file_is_refused() {
    let google = TestServer::start().await;
    let database = Database::sqlite();
    let first = Serving::on(&database, &google.emulator.url(), &[]);
    let second = serve_to_its_end(&database.environment());
    let told = stderr(&second);
    assert!(!second.status.success() && told.contains("another server uses") && told.contains("PostgreSQL"), "{told}");
    first.call("create_report", report("one")).await.unwrap().data();

    // Whatever ended the first, its lock ends with it.
    let mut first = first;
    first.kill();
    let third = Serving::on(&database, &google.emulator.url(), &[]);
    assert!(third.call("create_report", report("one")).await.unwrap().data()["replayed"] == json!(true));
}

#[tokio::test]
async fn res_23_a_pooler_between_is_refused_with_what_to_do() {
    let database = postgres::Database::new().await;
    let target = url::Url::parse(&database.url).unwrap();
    let pooler = Pooler::start(&target).await;
    let mut through = target.clone();
    through.set_port(Some(pooler.port)).unwrap();
    let settings = postgres_settings(through.as_str());
    let ended = tokio::task::spawn_blocking(move || serve_to_its_end(&settings)).await.unwrap();
    let told = stderr(&ended);
    assert!(
        !ended.status.success() && told.contains("PgBouncer") && told.contains("connect to PostgreSQL itself"),
        "{told}"
    );
}

/// A real `PgBouncer` in transaction mode.
struct Pooler {
    child: std::process::Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Pooler {
    async fn start(target: &url::Url) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let port = free_port();
        let settings = format!(
            "[databases]\n* = host={} port={} user={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             auth_type = any\npool_mode = transaction\nunix_socket_dir =\n",
            target.host_str().unwrap(),
            target.port().unwrap_or(5432),
            target.username()
        );
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&file, settings).unwrap();
        let mut command = postgres::unprivileged("pgbouncer");
        let child = command.arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.expect("pgbouncer: tests/run installs it");
        until("PgBouncer listens", async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()).await;
        Self { child, port, _folder: folder }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn postgresql_needs_a_secret_that_all_instances_share() {
    let checked =
        program().arg("check-config").env("REVIEWS__STORE__URL", "postgres://user:hunter2@host/db").output().unwrap();
    let told = stderr(&checked);
    assert!(!checked.status.success() && told.contains("server.secret_key: must be set with PostgreSQL"), "{told}");
    assert!(!(stdout(&checked) + &told).contains("hunter2"));
}
