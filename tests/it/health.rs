//! Each dependency dies and comes back, as a real process with a short interval: the health paths, the metrics and the
//! log say so, once, and nobody has to call a tool for it.

use crate::support::{
    BAKERY, TestServer,
    binary::Serving,
    check,
    database::Database,
    postgres::Cluster,
    proxy::{Mode, Proxy},
    redis::RedisServer,
    until,
};
use serde_json::{Value, json};

/// Probes every tenth of a second.
const SHORT: (&str, &str) = ("REVIEWS__HEALTH__INTERVAL", "100ms");

async fn page(serving: &Serving) -> (u16, Value) {
    let answer = reqwest::get(format!("{}/health", serving.operations)).await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn state(serving: &Serving, name: &str) -> String {
    check(&page(serving).await.1, name)["state"].as_str().unwrap().to_owned()
}

async fn failed_at(serving: &Serving, name: &str) -> Value {
    check(&page(serving).await.1, name)["last_failure"]["at"].clone()
}

async fn metric(serving: &Serving, name: &str) -> String {
    let metrics = reqwest::get(format!("{}/metrics", serving.operations)).await.unwrap().text().await.unwrap();
    let line = format!("dependency_up{{dependency=\"{name}\"}} ");
    metrics.lines().find_map(|each| each.strip_prefix(&line).map(str::to_owned)).unwrap_or_default()
}

/// Kills a dependency and brings it back; returns the log.
async fn dies_and_returns(
    serving: Serving,
    name: &'static str,
    kill: impl AsyncFnOnce(),
    revive: impl AsyncFnOnce(),
) -> String {
    until("it is up", async || state(&serving, name).await == "up").await;
    let (status, well) = page(&serving).await;
    assert_eq!(status, 200, "{well}");
    assert!(check(&well, name)["latency_ms"].is_number() && check(&well, name)["age_seconds"].is_u64(), "{well}");

    kill().await;
    until("it is down", async || state(&serving, name).await == "down").await;
    let (status, ill) = page(&serving).await;
    assert_eq!((status, metric(&serving, name).await.as_str()), (503, "0"));
    assert!(!check(&ill, name)["cause"].as_str().unwrap().is_empty(), "{ill}");
    // It lasts: three failures at least, which are told to the second.
    for _ in 0..2 {
        let before = failed_at(&serving, name).await;
        until("it has failed again", async || failed_at(&serving, name).await != before).await;
    }

    revive().await;
    until("it is up again", async || state(&serving, name).await == "up").await;
    let (status, again) = page(&serving).await;
    assert_eq!((status, metric(&serving, name).await.as_str()), (200, "1"), "{again}");
    assert!(check(&again, name)["last_failure"]["at"].is_string(), "it is still told what it was: {again}");
    let (rest, _) = tokio::task::spawn_blocking(move || serving.stop()).await.unwrap();
    rest
}

/// How often the log says this of a dependency.
fn said(log: &str, message: &str, name: &str) -> usize {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["message"] == message && line["dependency"] == name).count()
}

#[tokio::test]
async fn google_that_dies_and_returns_is_seen_without_a_call() {
    let google = TestServer::start().await;
    let address = google.emulator.url().trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let proxy = Proxy::start(address).await;
    let database = Database::sqlite();
    let serving = Serving::on(&database, &format!("http://{}", proxy.address), &[SHORT]);
    let log =
        dies_and_returns(serving, "google_places", async || proxy.set(Mode::Cut), async || proxy.set(Mode::Through))
            .await;

    assert_eq!(said(&log, "dependency is down", "google_places"), 1, "{log}");
    assert!(said(&log, "dependency is still down", "google_places") >= 1, "{log}");
    let asked = google.upstream_requests().await;
    assert!(
        asked.iter().all(|request| request["headers"]["x-goog-fieldmask"] == "id"),
        "only what is free was asked: {asked:?}"
    );
}

/// A place that is gone, or never was, is an answer: Google is well.
#[tokio::test]
async fn a_missing_place_is_an_answer_of_google() {
    let google = TestServer::start().await;
    let more = [SHORT, ("REVIEWS__HEALTH__GOOGLE_PLACE_ID", "ChIJdemo_obsolete_place_001")];
    let database = Database::sqlite();
    let serving = Serving::on(&database, &google.emulator.url(), &more);
    until("it is up", async || state(&serving, "google_places").await == "up").await;
}

#[tokio::test]
async fn a_database_that_dies_and_returns_is_seen_without_a_call() {
    let google = TestServer::start().await;
    let mut cluster = Cluster::start().await;
    let url = cluster.url("postgres");
    let serving = Serving::start(&[
        ("REVIEWS__SERVER__SECRET_KEY", crate::support::SECRET_KEY),
        ("REVIEWS__STORE__URL", &url),
        ("REVIEWS__STORE__ACQUIRE_TIMEOUT", "200ms"),
        ("REVIEWS__GOOGLE__PLACES_URL", &google.emulator.url()),
        ("GOOGLE_MAPS_API_KEY", "demo-key"),
        SHORT,
    ]);
    let cluster = tokio::sync::Mutex::new(&mut cluster);
    let log = dies_and_returns(
        serving,
        "database",
        async || cluster.lock().await.kill(),
        async || cluster.lock().await.resume().await,
    )
    .await;
    assert_eq!(said(&log, "dependency is down", "database"), 1, "{log}");
}

#[tokio::test]
async fn res_01_redis_that_dies_and_returns_is_seen_without_a_call() {
    let google = TestServer::start().await;
    let mut redis = RedisServer::start().await;
    let url = redis.url();
    let database = Database::sqlite();
    let serving = Serving::on(&database, &google.emulator.url(), &[SHORT, ("REVIEWS__CACHE__REDIS_URL", &url)]);
    let redis = tokio::sync::Mutex::new(&mut redis);
    let log = dies_and_returns(
        serving,
        "redis",
        async || redis.lock().await.kill(),
        async || redis.lock().await.restart().await,
    )
    .await;
    assert_eq!(said(&log, "dependency is down", "redis"), 1, "{log}");
}

#[tokio::test]
async fn a_disk_that_is_nearly_full_is_told() {
    let server = TestServer::builder()
        .set("health.interval", "100ms")
        .set("health.least_free_bytes", "9000000000000000")
        .start()
        .await;
    until("it is told", async || server.metric("dependency_up{dependency=\"disk\"}").await == 0.0).await;
    let (status, page) = server.operations("/health").await;
    let page: Value = serde_json::from_str(&page).unwrap();
    assert_eq!(status, 503);
    assert!(check(&page, "disk")["cause"].as_str().unwrap().contains("MB are free on the disk of"), "{page}");
    assert_eq!(server.operations("/readyz").await.0, 200, "it can still serve");
    assert!(server.call("get_place", json!({"place_id": BAKERY})).await.data()["place"].is_object());
}

#[tokio::test]
async fn the_server_has_started_once_its_database_was_open() {
    let server = TestServer::start().await;
    assert_eq!(server.operations("/startupz").await.0, 200);
    let away = TestServer::builder()
        .set("store.url", "postgres://postgres@127.0.0.1:1/x")
        .set("store.acquire_timeout", "100ms")
        .start()
        .await;
    assert_eq!((away.operations("/startupz").await.0, away.operations("/livez").await.0), (503, 200));
}
