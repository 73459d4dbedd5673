//! The pure parts of a call's path, over the demo data as the emulator sends it: `cargo bench`. With
//! `TEST_REDIS_URL` the shared tier is measured too.
//!
//! Compare figures within one run only; machines differ, and so do their hours.
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use criterion::{Criterion, criterion_group, criterion_main};
use google_reviews_mcp::{
    cache::{Cache, Class, Key, Lifetimes, Settings},
    clock::{Clock, Deadline},
    emulator::{DEMO_KEY, Emulator},
    google::{drift, mask, place_from_body},
    health::{Health, Need},
    mcp,
    model::{DataSource, Failure, Located, Place, SecretKey},
    redis::{self, Redis},
    reviews::{Detail, PlaceReviews, RatingFilter, Selection, sanitize},
    tasks::Tasks,
    telemetry::Metrics,
    tools::get_reviews::Output,
};
use serde_json::Value;
use std::{borrow::Cow, hint::black_box, time::Duration};

/// The body that Place Details sends for a place with five reviews.
fn body() -> Vec<u8> {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let tasks = Tasks::new();
        let emulator = Emulator::start("127.0.0.1:0".parse().unwrap(), Clock::system(), &tasks).await.unwrap();
        let url = format!("{}/v1/places/ChIJdemo_moonlit_bakery_001", emulator.url());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = http.get(url).header("x-goog-api-key", DEMO_KEY).header("x-goog-fieldmask", mask::PLACE.fields);
        request.send().await.unwrap().bytes().await.unwrap().to_vec()
    })
}

fn paths(criterion: &mut Criterion) {
    let body = body();
    let parsed: Value = serde_json::from_slice(&body).unwrap();
    let place = place_from_body(parsed.clone()).value.unwrap();
    assert_eq!(place.reviews.len(), 5);

    criterion.bench_function("parse a body of five reviews", |bencher| {
        bencher.iter(|| serde_json::from_slice::<Value>(black_box(&body)).unwrap());
    });
    criterion.bench_function("check a body of five reviews for drift", |bencher| {
        bencher.iter(|| drift::inspect(black_box(&parsed), "Place", "reviews"));
    });
    criterion.bench_function("read a parsed body of five reviews, drift check included", |bencher| {
        bencher.iter_batched(|| parsed.clone(), place_from_body, criterion::BatchSize::SmallInput);
    });

    let located = Located { value: place, source: DataSource::Synthetic, retrieved_at: Clock::system().now() };
    for (name, detail) in [("concise", Detail::Concise), ("detailed", Detail::Detailed)] {
        let selection = Selection { filter: RatingFilter::default(), limit: 5, translate: true, detail };
        criterion.bench_function(&format!("answer get_reviews ({name}), from domain value to bytes"), |bencher| {
            bencher.iter(|| {
                let output = Output::of(PlaceReviews::of(black_box(&located), selection, None).unwrap(), detail);
                serde_json::to_vec(&mcp::written(&output).unwrap()).unwrap()
            });
        });
    }

    let texts = [
        "The cinnamon buns were warm, the queue was long, and nobody minded. ".repeat(59),
        "Die Brötchen waren köstlich, die Schlange lang, und keiner störte sich daran. ".repeat(52),
        "سرویس عالی بود و می\u{200c}خواهم دوباره بیایم. ".repeat(100),
        "とても静かな宿で、朝食の味噌汁が忘れられません。".repeat(167),
        "👨‍👩‍👧‍👦 loved it ❤️ 5️⃣ stars, <b>truly</b> ![x](y) \u{202e}evil\u{202c} \u{1b}[2K. ".repeat(67),
    ];
    let texts = texts.map(|text| text.chars().take(4_000).collect::<String>());
    criterion.bench_function("sanitise five texts of 4,000 characters", |bencher| {
        bencher.iter(|| texts.each_ref().map(|text| sanitize::paragraph(black_box(text), sanitize::TEXT_LIMIT)));
    });
}

/// A key for the cache by itself, with a place of five reviews as its value.
struct PlaceKey(u64);

impl Key for PlaceKey {
    type Value = Located<Place>;
    const KIND: &'static str = "bench";

    fn parts(&self) -> Vec<Cow<'_, str>> {
        vec![mask::PLACE.fields.into(), "ChIJdemo_moonlit_bakery_001".into(), self.0.to_string().into()]
    }

    fn class(_: &Self::Value) -> Class {
        Class::PlacesContent
    }
}

fn cache_on(redis: Option<Redis>) -> Cache {
    let minute = Duration::from_mins(10);
    let lifetimes = Lifetimes { places_content: minute, missing_place: minute };
    let settings = Settings {
        memory_bytes: 100_000_000,
        lifetimes,
        credential: "key".into(),
        seal: SecretKey::random().derive("seal"),
        redis,
    };
    Cache::new(settings, Clock::system(), Tasks::new(), Metrics::new().unwrap())
}

/// Memory hit, Redis hit, and what the way to Google adds to an upstream that takes 80 ms.
fn caches(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let place = place_from_body(serde_json::from_slice(&body()).unwrap()).value.unwrap();
    let located = Located { value: place, source: DataSource::Synthetic, retrieved_at: Clock::system().now() };

    let soon = Deadline::after(&Clock::system(), Duration::from_hours(1));
    let memory = cache_on(None);
    let load = || {
        let located = located.clone();
        move |_: Deadline| async move { Ok(located) }
    };
    runtime.block_on(memory.get(&PlaceKey(0), &soon, load())).unwrap();
    criterion.bench_function("memory hit", |bencher| {
        bencher.iter(|| runtime.block_on(memory.get(&PlaceKey(0), &soon, |_| async { unreachable!() })).unwrap());
    });

    if let Some(url) = std::env::var_os("TEST_REDIS_URL").and_then(|url| url.into_string().ok()) {
        let health = Health::new(Clock::system());
        let quarter = Duration::from_millis(250);
        let pool =
            redis::Settings { url: url.into(), pool_size: 16, wait: quarter, operation: quarter, lookup: quarter };
        let connect = || {
            let _guard = runtime.enter();
            Redis::new(&pool, Clock::system(), health.register("redis", Need::Never)).unwrap()
        };
        let shared = connect();
        runtime.block_on(cache_on(Some(shared.clone())).get(&PlaceKey(1), &soon, load())).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        criterion.bench_function("redis hit", |bencher| {
            // A cache with an empty memory for each, on one pool.
            let fresh = || cache_on(Some(shared.clone()));
            let hit = |cache: Cache| {
                runtime.block_on(cache.get(&PlaceKey(1), &soon, |_| async { Err(Failure::internal()) })).unwrap();
                cache
            };
            bencher.iter_batched(fresh, hit, criterion::BatchSize::PerIteration);
        });
    }

    let cold = cache_on(None);
    let mut number = 2;
    let upstream = || async { tokio::time::sleep(Duration::from_millis(80)).await };
    criterion.bench_function("80 ms by themselves", |bencher| bencher.iter(|| runtime.block_on(upstream())));
    criterion.bench_function("cold, with 80 ms upstream", |bencher| {
        bencher.iter(|| {
            number += 1;
            let located = located.clone();
            let load = move |_| async move {
                upstream().await;
                Ok(located)
            };
            runtime.block_on(cold.get(&PlaceKey(number), &soon, load)).unwrap()
        });
    });
}

criterion_group!(benches, paths, caches);
criterion_main!(benches);
