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
    reviews::count,
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

#[cfg(test)]
mod tests {
    use super::{
        super::samples::{numbered, review},
        *,
    };

    fn dated(times: &[&str]) -> Vec<Review> {
        let one = |time: &&str| Review { published_at: Some(time.parse().unwrap()), ..review(5, "en", "") };
        numbered(times.iter().map(one).collect())
    }

    fn by(author: &str, stars: u8) -> Review {
        Review { author: Author { name: Some(author.to_owned()), ..Author::default() }, ..review(stars, "en", "") }
    }

    #[test]
    fn a_burst_is_half_of_a_small_sample_within_48_hours() {
        let found = burst(&dated(&[
            "2025-01-01T00:00:00Z",
            "2026-06-13T09:00:00Z",
            "2024-01-01T00:00:00Z",
            "2026-06-14T09:00:00Z",
            "2026-06-15T09:00:00Z",
        ]))
        .unwrap();
        assert_eq!((found.kind, found.review_ids), (SignalKind::Burst, ["r1", "r3", "r4"].map(str::to_owned).into()));
        assert_eq!(
            found.evidence,
            "3 of 5 dated reviews were published within 48 hours, from 2026-06-13 09:00 to 2026-06-15 09:00 UTC, all \
             with 5 stars, while the sample spans 896 days; a signal, which proves nothing by itself."
        );
    }

    #[test]
    fn reviews_that_are_spread_or_all_new_or_few_are_no_burst() {
        let spread = ["2026-06-13T09:00:00Z", "2026-06-14T09:00:00Z", "2026-06-15T09:00:01Z", "2025-01-01T00:00:00Z"];
        assert_eq!(burst(&dated(&spread)), None);
        let few = [&["2026-06-13T09:00:00Z"; 3][..], &["2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z"]].concat();
        assert!(burst(&dated(&few)).is_some(), "three of five");
        let few = [&few[..], &["2024-03-01T00:00:00Z", "2024-04-01T00:00:00Z"]].concat();
        assert_eq!(burst(&dated(&few)), None, "three of seven");
        let new = ["2026-06-13T09:00:00Z", "2026-06-13T10:00:00Z", "2026-06-14T09:00:00Z", "2026-06-20T00:00:00Z"];
        assert_eq!(burst(&dated(&new)), None, "the whole sample is a week old");
        assert_eq!(burst(&dated(&["2026-06-13T09:00:00Z", "2026-06-13T09:00:00Z", "2020-01-01T00:00:00Z"])), None);
        assert_eq!(burst(&[]), None);
    }

    #[test]
    fn a_burst_in_a_large_sample_is_many_times_what_is_usual() {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let after = |hours: i64| {
            let time = start.checked_add(jiff::Span::new().hours(hours)).unwrap();
            Review { published_at: Some(time), ..review(4, "en", "") }
        };
        let mut reviews: Vec<Review> = (0..200).map(|day| after(day * 24)).collect();
        assert_eq!(burst(&reviews), None);
        reviews.extend((0..10).map(|hour| after(2_000 + hour)));
        assert_eq!(burst(&reviews), None, "five times as many as usual");
        reviews.extend((10..40).map(|hour| after(2_000 + hour)));
        let found = burst(&numbered(reviews)).unwrap();
        assert!(found.evidence.starts_with("43 of 240 dated reviews"), "{}", found.evidence);
        assert_eq!(found.review_ids.len(), NAMED_REVIEWS);
    }

    #[test]
    fn authors_of_several_reviews_with_1_or_5_stars_only_are_extreme() {
        let reviews = numbered(vec![by("A", 5), by("B", 5), by("A", 1), by("B", 4), by("C", 1), by("A", 0)]);
        let found = extreme_only_authors(&[&reviews], 1).unwrap();
        assert_eq!(found.review_ids, ["r0", "r2"]);
        assert_eq!(
            found.evidence,
            "1 author gave nothing but 1 or 5 stars in 2 reviews: 1 with 5 stars and 1 with 1 star; a signal, which \
             proves nothing by itself."
        );
        let other = [by("C", 5)];
        assert_eq!(extreme_only_authors(&[&reviews[4..5], &other], 2).map(|found| found.kind), {
            Some(SignalKind::ExtremeOnlyAuthors)
        });
        assert_eq!(extreme_only_authors(&[&reviews, &[]], 2), None, "one place has said so already");
    }

    #[test]
    fn an_author_is_a_profile_and_else_a_name_and_nobody_is_no_author() {
        let profile = Review {
            author: Author { profile_url: Some("https://a.example/1".to_owned()), ..by("Anna", 5).author },
            ..by("Anna", 5)
        };
        assert_eq!(extreme_only_authors(&[&[profile, by("Anna", 5)]], 1), None, "two people may be called Anna");
        assert_eq!(
            extreme_only_authors(&[&[by(" ", 5), by(" ", 5), review(5, "en", ""), review(5, "en", "")]], 1),
            None
        );
    }
}
