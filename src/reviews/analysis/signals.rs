//! Patterns that may be worth a closer look: bursts of reviews, and authors who know only the best and the worst.
//!
//! Each is a signal with its evidence, and proves nothing: regulars come back, and an opening day has many guests.

use super::{
    document::id,
    figures::{Signal, SignalKind},
    recency::date,
    stars,
};
use crate::{
    model::{Author, Review},
    reviews::{count, sanitize},
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Reviews named for a signal.
const NAMED_REVIEWS: usize = 20;
/// The length of a burst in seconds.
const BURST: i64 = 48 * 3_600;
/// Fewer reviews are no burst.
const BURST_REVIEWS: usize = 3;
/// The sample must span so many times the length of a burst, thirty days, or else all of it is one.
const CALM: i64 = 15;
/// In samples of more reviews than this, bursts are compared with the usual number of reviews.
const SMALL: usize = 20;
/// So many times the usual number is a burst in a large sample.
const USUAL_TIMES: usize = 10;

/// A signal with its first reviews.
pub(super) fn signal(kind: SignalKind, reviews: &[&Review], seen: &str) -> Signal {
    let review_ids = reviews.iter().filter_map(|review| id(review)).take(NAMED_REVIEWS).collect();
    Signal { kind, review_ids, evidence: format!("{seen}; a signal, which proves nothing by itself.") }
}

/// The densest 48 hours, if they hold at least three reviews and half of a sample that spans at least 30 days. In a
/// large sample they must hold at least ten times as many as usual, and five, instead of half.
pub(super) fn burst(reviews: &[Review]) -> Option<Signal> {
    let mut dated: Vec<(Timestamp, usize)> =
        reviews.iter().enumerate().filter_map(|(index, review)| Some((review.published_at?, index))).collect();
    dated.sort_unstable();
    let span = dated.last()?.0.as_second().saturating_sub(dated.first()?.0.as_second());
    let dense = densest(&dated);
    if span < CALM * BURST || dense.len() < BURST_REVIEWS || !is_many(dense.len(), dated.len(), span) {
        return None;
    }
    let found: Vec<&Review> = dense.iter().filter_map(|(_, index)| reviews.get(*index)).collect();
    let (first, last) = (dense.first()?.0, dense.last()?.0);
    let seen = format!(
        "{} of {} were published within 48 hours, from {} to {} UTC{}, while the sample spans {} days",
        found.len(),
        count(dated.len(), "dated review"),
        first.strftime("%Y-%m-%d %H:%M"),
        last.strftime("%Y-%m-%d %H:%M"),
        same_stars(&found).map(|stars| format!(", all with {}", count(stars, "star"))).unwrap_or_default(),
        span / 86_400,
    );
    Some(signal(SignalKind::Burst, &found, &seen))
}

/// The most reviews within the length of a burst, the earliest of several.
fn densest(dated: &[(Timestamp, usize)]) -> &[(Timestamp, usize)] {
    let mut best: &[(Timestamp, usize)] = &[];
    let mut start = 0;
    for (end, (time, _)) in dated.iter().enumerate() {
        let is_too_old =
            |start: usize| dated.get(start).is_some_and(|(first, _)| time.as_second() - first.as_second() > BURST);
        while is_too_old(start) {
            start += 1;
        }
        let window = dated.get(start..=end).unwrap_or_default();
        if window.len() > best.len() {
            best = window;
        }
    }
    best
}

fn is_many(dense: usize, all: usize, span: i64) -> bool {
    if all <= SMALL {
        return dense * 2 >= all;
    }
    let windows = usize::try_from(span / BURST).unwrap_or(1).max(1);
    dense >= 5 && dense >= (all - dense) * USUAL_TIMES / windows
}

/// The stars that all of them have.
fn same_stars(reviews: &[&Review]) -> Option<usize> {
    let mut stars = reviews.iter().map(|review| review.rating.map(stars::whole));
    let first = stars.next()??;
    stars.all(|other| other == Some(first)).then_some(usize::from(first))
}

/// Authors of at least two reviews with stars, in at least `places` places, that all have 1 or 5 stars.
pub(super) fn extreme_only_authors(groups: &[&[Review]], places: usize) -> Option<Signal> {
    let mut authors: BTreeMap<&str, Vec<(usize, &Review)>> = BTreeMap::new();
    for (place, reviews) in groups.iter().enumerate() {
        for review in reviews.iter().filter(|review| review.rating.is_some()) {
            if let Some(author) = identity(&review.author) {
                authors.entry(author).or_default().push((place, review));
            }
        }
    }
    let is_extreme = |review: &Review| matches!(review.rating.map(stars::whole), Some(1 | 5));
    authors.retain(|_, written| {
        let first = written.first().map(|(place, _)| *place);
        let is_spread = places < 2 || written.iter().any(|(place, _)| Some(*place) != first);
        written.len() >= 2 && is_spread && written.iter().all(|(_, review)| is_extreme(review))
    });
    let found: Vec<&Review> = authors.values().flatten().map(|(_, review)| *review).collect();
    let best = found.iter().filter(|review| review.rating.map(stars::whole) == Some(5)).count();
    (!found.is_empty()).then(|| {
        let seen = format!(
            "{} gave nothing but 1 or 5 stars in {}: {best} with 5 stars and {} with 1 star{}",
            count(authors.len(), "author"),
            count(found.len(), "review"),
            found.len() - best,
            between(&found),
        );
        signal(SignalKind::ExtremeOnlyAuthors, &found, &seen)
    })
}

/// Who an author is: the profile, else the name.
pub(super) fn identity(author: &Author) -> Option<&str> {
    let known = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
    let profile = author.profile_url.as_deref().filter(|_| known(&author.profile_url));
    profile.or_else(|| author.name.as_deref().filter(|_| known(&author.name)))
}

/// When reviews were published, in words to go on with.
pub(super) fn between(reviews: &[&Review]) -> String {
    let times = || reviews.iter().filter_map(|review| review.published_at);
    match (times().min().map(date), times().max().map(date)) {
        (Some(first), Some(last)) if first == last => format!(", on {first}"),
        (Some(first), Some(last)) => format!(", from {first} to {last}"),
        _ => String::new(),
    }
}

/// A few words of a stranger, to show in a sentence of ours.
pub(super) fn in_quotes(text: &str) -> String {
    format!("“{}”", sanitize::line(text, 80).text.replace(['“', '”'], "'"))
}
