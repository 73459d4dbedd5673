//! Which languages the reviews of a sample are in.

use super::{document::primary_of, figures::LanguageCount};
use crate::model::Review;
use std::{cmp::Reverse, collections::BTreeMap};

/// The languages that the reviews were written in; a review without a text has none.
pub(super) fn written(reviews: &[Review]) -> Vec<LanguageCount> {
    let written = reviews.iter().filter_map(|review| review.original_text.as_ref().or(review.text.as_ref()));
    count(written.map(primary_of))
}

/// Most frequent first, ties by tag.
pub(super) fn count(languages: impl Iterator<Item = String>) -> Vec<LanguageCount> {
    let mut counts = BTreeMap::new();
    for language in languages {
        *counts.entry(language).or_insert(0) += 1;
    }
    let mut counts: Vec<_> =
        counts.into_iter().map(|(language, reviews)| LanguageCount { language, reviews }).collect();
    counts.sort_by_key(|count| Reverse(count.reviews));
    counts
}
