//! The pure parts of a call's path, over the demo data as the emulator sends it: `cargo bench`.
//!
//! Compare figures within one run only; machines differ, and so do their hours.
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use criterion::{Criterion, criterion_group, criterion_main};
use google_reviews_mcp::{
    clock::Clock,
    emulator::{DEMO_KEY, Emulator},
    google::{drift, mask, place_from_body},
    mcp,
    model::{DataSource, Located},
    reviews::{Detail, PlaceReviews, RatingFilter, Selection, sanitize},
    tasks::Tasks,
    tools::get_reviews::Output,
};
use serde_json::Value;
use std::hint::black_box;

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
                let output = Output::of(PlaceReviews::of(black_box(&located), selection), detail);
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

criterion_group!(benches, paths);
criterion_main!(benches);
