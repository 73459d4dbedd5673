//! Pure analysis of reviews: what a sample says, as figures of our own. No clock, no input or output, no chance.
//!
//! The text that is analysed is the one in the language asked for, else the one as written, sanitised first: so nothing
//! that leaves this module can carry more than the words that a person reads. Each file states the rule that it applies:
//! `sentiment` how stars and words make a leaning, `themes` what is a theme, `signals` and `duplicates` what is
//! suspicious, `lexicon` how the word lists work.

mod document;
mod duplicates;
mod figures;
mod hashing;
mod hits;
mod languages;
mod lexicon;
mod names;
mod phrases;
mod plural;
mod quote;
mod recency;
#[cfg(test)]
mod samples;
mod sentiment;
mod signals;
mod stars;
mod themes;
mod vocabulary;
mod words;

pub use figures::{
    Analysis, Contradiction, LanguageCount, Leaning, Ratings, Recency, Sentiment, Signal, SignalKind, Theme,
};

use crate::model::Review;
use document::Document;
use jiff::Timestamp;
use vocabulary::Vocabulary;

/// Analyses a sample of reviews.
///
/// `not_a_theme` are texts whose words are no themes, such as the place's name; the names of the authors are left out
/// anyway. `now` is what the ages of the reviews are measured from.
pub fn analyze(reviews: &[Review], not_a_theme: &[&str], now: Timestamp) -> Analysis {
    let mut vocabulary = Vocabulary::default();
    let documents: Vec<_> = reviews.iter().map(|review| Document::read(review, &mut vocabulary)).collect();
    let judgement = sentiment::judge(&documents, &mut vocabulary);
    let mut signals: Vec<Signal> = signals::burst(reviews).into_iter().collect();
    signals.extend(duplicates::find(&documents));
    signals.extend(signals::extreme_only_authors(&[reviews], 1));
    Analysis {
        reviews: reviews.len(),
        ratings: stars::count(reviews),
        themes: themes::find(&documents, &judgement.leanings, not_a_theme, &mut vocabulary),
        sentiment: judgement.sentiment,
        languages: languages::written(reviews),
        recency: recency::measure(reviews, now),
        contradictions: judgement.contradictions,
        signals,
    }
}

/// Signals that only several places together show: duplicate texts across places, and authors with reviews of several
/// places that all have 1 or 5 stars.
pub fn across(places: &[&[Review]]) -> Vec<Signal> {
    let mut vocabulary = Vocabulary::default();
    let numbered =
        places.iter().enumerate().flat_map(|(place, reviews)| reviews.iter().map(move |review| (place, review)));
    let (numbers, documents): (Vec<_>, Vec<_>) =
        numbered.map(|(place, review)| (place, Document::read(review, &mut vocabulary))).unzip();
    let mut signals = duplicates::across(&documents, &numbers);
    signals.extend(signals::extreme_only_authors(places, 2));
    signals
}

/// The part of a text around a phrase, sanitised, at most `limit` characters, cut between words, with `…` where it was
/// cut. `None` if the phrase is not in it.
pub fn quote(text: &str, language: Option<&str>, phrase: &str, limit: usize) -> Option<String> {
    quote::around(text, language, phrase, limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_of_the_demo_say_what_a_person_reads_in_them() {
        let now = "2026-11-20T00:00:00Z".parse().unwrap();
        let analysis = analyze(&samples::demo("suspicious-burst", "en")[..5], &["Crack & Mend Phone Repair"], now);
        let kinds: Vec<_> = analysis.signals.iter().map(|signal| signal.kind).collect();
        assert_eq!(kinds, [SignalKind::Burst, SignalKind::DuplicateTexts]);
        assert!(analysis.signals.iter().all(|signal| signal.review_ids == ["r0", "r2", "r3"]));
    }
}
