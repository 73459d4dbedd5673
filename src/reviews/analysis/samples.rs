//! Reviews for the tests of this folder: written in the test, or those of the demo's places.

use crate::model::{Author, Rating, Review, Text};
use serde_json::Value;

macro_rules! place {
    ($name:literal) => {
        ($name, include_str!(concat!("../../emulator/data/", $name, ".json")))
    };
}

const PLACES: &[(&str, &str)] = &[
    place!("moonlit-bakery"),
    place!("regenmuseum-bad-lindenau"),
    place!("au-chat-qui-relit"),
    place!("ryokan-tsubame-machi"),
    place!("haft-anar"),
    place!("la-aceituna-perdida"),
    place!("ferrand-clock-repair"),
    place!("brackwater-cable-car"),
    place!("kiln-and-kettle-tannery-lane"),
    place!("kiln-and-kettle-harbour-road"),
    place!("suspicious-burst"),
    place!("hostile-reviews"),
];

/// A review with stars (0 for none), the language of its text, and the text ("" for none).
pub(super) fn review(stars: u8, language: &str, text: &str) -> Review {
    let text =
        Some(Text { text: text.to_owned(), language: Some(language.to_owned()) }).filter(|text| !text.text.is_empty());
    Review {
        id: None,
        rating: Rating::new(f64::from(stars)),
        text: text.clone(),
        original_text: text,
        author: Author::default(),
        published_at: None,
        published_relative: None,
        visited: None,
        url: None,
        report_url: None,
    }
}

/// These reviews with ids: `r0`, `r1`, …
pub(super) fn numbered(reviews: Vec<Review>) -> Vec<Review> {
    let number = |(index, review): (usize, Review)| Review { id: Some(format!("r{index}")), ..review };
    reviews.into_iter().enumerate().map(number).collect()
}

/// All reviews of a place of the demo, in the language asked for where they are translated into it.
pub(super) fn demo(place: &str, language: &str) -> Vec<Review> {
    let (_, data) = PLACES.iter().find(|(name, _)| *name == place).unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    let one = |written: &Value| {
        let original = written
            .get("text")
            .and_then(Value::as_str)
            .map(|text| Text { text: text.to_owned(), language: written["language"].as_str().map(str::to_owned) });
        let translated = written["translations"].get(language).and_then(Value::as_str);
        let text = translated
            .map(|text| Text { text: text.to_owned(), language: Some(format!("{language}-XX")) })
            .or_else(|| original.clone());
        Review {
            text,
            original_text: original,
            author: Author { name: written["author"].as_str().map(str::to_owned), ..Author::default() },
            published_at: written["publishTime"].as_str().and_then(|time| time.parse().ok()),
            ..review(u8::try_from(written["rating"].as_u64().unwrap()).unwrap(), "", "")
        }
    };
    numbered(data["reviews"].as_array().unwrap().iter().map(one).collect())
}
