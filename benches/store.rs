//! What a writing call costs beside its work: claim, record and replay, on SQLite and, with `TEST_POSTGRES_URL`, on
//! PostgreSQL. `cargo bench --bench store`; compare figures within one run only.
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use criterion::{Criterion, criterion_group, criterion_main};
use google_reviews_mcp::{
    clock::{Clock, Deadline},
    config::{self, Sources},
    health::{Health, Need},
    idempotency::{Idempotency, Request},
    model::{PlaceId, Principal, ReportId},
    store::{ReportHead, Store, StoredReport},
    tasks::Tasks,
    telemetry::Metrics,
};
use serde_json::json;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::runtime::Runtime;
use uuid::Uuid;

/// A database that is ready.
fn store(runtime: &Runtime, settings: &[(&'static str, String)]) -> Store {
    let mut sources = Sources::default()
        .with("server.secret_key", "c74a92c0f67be8a9568893e7e2a42063a934abc7da76a9455cd27fc470168836");
    sources.overrides.extend(settings.iter().cloned());
    let config = config::load(&sources).unwrap().into_config().unwrap();
    let _guard = runtime.enter();
    let store = Store::new(&config.store, Health::new(Clock::system()).register("database", Need::Always)).unwrap();
    runtime.block_on(store.prepare()).unwrap();
    store
}

fn request(key: &str) -> Request {
    let arguments = json!({"place_ids": ["ChIJdemo_moonlit_bakery_001"], "title": "Bakery"});
    Request { principal: Principal::new("bench"), tool: "create_report", key: Some(key.to_owned()), arguments }
}

/// A report of the usual size.
fn report(id: Uuid, clock: &Clock) -> StoredReport {
    let now = clock.now();
    let head = ReportHead {
        id: ReportId::from(id),
        title: "Bakery".to_owned(),
        place_ids: vec![PlaceId::parse("ChIJdemo_moonlit_bakery_001").unwrap()],
        created_at: now,
        expires_at: now + Duration::from_hours(24),
    };
    StoredReport { head, places_key: "key".to_owned(), content: "x".repeat(3_000) }
}

fn measure(criterion: &mut Criterion, name: &str, runtime: &Runtime, store: &Store) {
    let (clock, calls) = (Clock::system(), AtomicU64::new(0));
    let (lease, metrics) = (Duration::from_secs(10), Metrics::new().unwrap());
    let once = Idempotency::new(store.clone(), lease, clock.clone(), Tasks::new(), metrics);
    let run = Uuid::new_v4();
    let call = async |key: &str| {
        let (store, clock) = (store.clone(), clock.clone());
        let work = move |effect| async move {
            store.reports().insert(&Principal::new("bench"), &report(effect, &clock)).await.unwrap();
            Ok("{}".to_owned())
        };
        once.once(request(key), &Deadline::after(&Clock::system(), Duration::from_secs(30)), work).await.unwrap()
    };
    criterion.bench_function(&format!("{name}: claim, store a report, record"), |bencher| {
        bencher.iter(|| {
            let key = format!("{run}-{}", calls.fetch_add(1, Ordering::Relaxed));
            assert!(!runtime.block_on(call(&key)).is_replayed);
        });
    });
    runtime.block_on(call("again"));
    criterion.bench_function(&format!("{name}: replay"), |bencher| {
        bencher.iter(|| assert!(runtime.block_on(call("again")).is_replayed));
    });
}

fn databases(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let sqlite = store(&runtime, &[("store.data_dir", folder.path().display().to_string())]);
    measure(criterion, "sqlite", &runtime, &sqlite);
    if let Some(url) = std::env::var_os("TEST_POSTGRES_URL").and_then(|url| url.into_string().ok()) {
        let postgres = store(&runtime, &[("store.url", url)]);
        measure(criterion, "postgresql", &runtime, &postgres);
    }
}

criterion_group!(benches, databases);
criterion_main!(benches);
