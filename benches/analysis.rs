//! The analysis of 5, 500 and 10,000 reviews: `cargo bench --bench analysis`.
//!
//! Compare figures within one run only; machines differ, and so do their hours.
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use google_reviews_mcp::{
    model::{Author, Rating, Review, Text},
    reviews::analysis,
};
use jiff::Timestamp;
use std::hint::black_box;

const OPENINGS: &[&str] = &[
    "The queue reached the corner but moved quickly.",
    "We came on a rainy Tuesday and got the last table by the window.",
    "My sister had told me about this bakery for years.",
    "I was not impressed by the noise at first.",
    "Second visit this month, and not the last one.",
    "Booked online for six people without any trouble.",
    "A tiny place behind the harbour that is easy to miss.",
];
const MIDDLES: &[&str] = &[
    "The cinnamon buns were still warm and the coffee was excellent.",
    "Friendly staff, slow service, and a card reader that did not work.",
    "The sourdough has a crisp crust and keeps for a whole week.",
    "Parking is a nightmare at weekends, so take the bus instead.",
    "They forgot our order twice and never apologised for it.",
    "The fish soup tasted of smoke and lemon, which I loved.",
    "Prices have gone up since last year, and portions have become smaller.",
    "The terrace looks over the bay and the tables are clean.",
    "Our waiter knew every wine by name and brought us small samples.",
    "The music was far too loud to talk.",
    "Vegetarian dishes are clearly marked on the menu.",
];
const ENDINGS: &[&str] = &[
    "Highly recommended!",
    "We will not come back.",
    "Worth the walk from the station.",
    "Next time I shall book a table outside.",
    "A fair price for what you get.",
];
const JAPANESE: &[&str] = &[
    "露天風呂は最高で、料理もとても美味しかったです。",
    "壁が薄く、隣の部屋の音がよく聞こえました。",
    "駅からの坂道はきついですが、女将さんの笑顔に癒されました。",
];

/// Always the same reviews: each part of a text takes turns at a pace of its own.
fn reviews(number: usize) -> Vec<Review> {
    let part = |parts: &'static [&'static str], turn: usize| *parts.get(turn % parts.len()).unwrap();
    let newest: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
    let review = |index: usize| {
        let (language, text) = if index % 10 == 9 {
            ("ja", format!("{}{}", part(JAPANESE, index / 10), part(JAPANESE, index / 30 + 1)))
        } else {
            let middles = [part(MIDDLES, index / 2), part(MIDDLES, index / 3 + 4), part(MIDDLES, index / 7 + 2)];
            let words = format!("{} {}", part(OPENINGS, index), middles.join(" "));
            ("en", format!("{words} Table {}. {}", index % 97, part(ENDINGS, index / 5)))
        };
        let stars = f64::from(u8::try_from(1 + index * 7 % 5).unwrap());
        Review {
            id: Some(format!("places/bench/reviews/{index}")),
            rating: Rating::new(stars),
            text: Some(Text { text: text.clone(), language: Some(language.to_owned()) }),
            original_text: Some(Text { text, language: Some(language.to_owned()) }),
            author: Author { name: Some(format!("Author {index}")), ..Author::default() },
            published_at: newest.checked_sub(jiff::Span::new().hours(i64::try_from(index).unwrap() * 5)).ok(),
            published_relative: None,
            visited: None,
            url: None,
            report_url: None,
        }
    };
    (0..number).map(review).collect()
}

fn analyze(criterion: &mut Criterion) {
    let now: Timestamp = "2026-06-02T00:00:00Z".parse().unwrap();
    let mut group = criterion.benchmark_group("analyze");
    for number in [5, 500, 10_000] {
        let reviews = reviews(number);
        group.throughput(Throughput::Elements(number as u64));
        group.bench_with_input(BenchmarkId::from_parameter(number), &reviews, |bencher, reviews| {
            bencher.iter(|| analysis::analyze(black_box(reviews), &["Moonlit Bakery"], now));
        });
    }
    group.finish();
}

criterion_group!(benches, analyze);
criterion_main!(benches);
