//! What a handful of reviews is a sample of. Nobody can draw the wrong conclusion without having been told.

use crate::model::{Place, Rating};
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt::Write as _;

/// Which stars are wanted, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RatingFilter {
    /// At least this many stars.
    pub min: Option<u8>,
    /// At most this many stars.
    pub max: Option<u8>,
}

impl RatingFilter {
    /// Whether a review with this rating is wanted; one without a rating only if no stars are asked for.
    pub fn admits(self, rating: Option<Rating>) -> bool {
        match rating {
            Some(rating) => {
                self.min.is_none_or(|min| rating.stars() >= f64::from(min))
                    && self.max.is_none_or(|max| rating.stars() <= f64::from(max))
            }
            None => !self.is_set(),
        }
    }

    /// Whether any stars are asked for.
    pub fn is_set(self) -> bool {
        self.min.is_some() || self.max.is_some()
    }

    /// The filter in words, for example `1 to 2 stars`.
    pub fn in_words(self) -> Option<String> {
        match (self.min, self.max) {
            (None, None) => None,
            (Some(min), None) => Some(format!("at least {min} stars")),
            (None, Some(max)) => Some(format!("at most {max} stars")),
            (Some(min), Some(max)) => Some(format!("{min} to {max} stars")),
        }
    }
}

/// What the reviews in an answer stand for.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Sample {
    /// Reviews in this answer.
    pub returned: usize,
    /// Reviews that the source shows, at most 5, unreadable ones included.
    pub available: usize,
    /// Ratings in total, with or without text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_ratings: Option<u32>,
    /// How the source chose and ordered them.
    pub order: Order,
    /// The star filter that was applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Reviews left out because the source sent them in an unreadable form.
    #[serde(skip_serializing_if = "is_zero")]
    pub unreadable: usize,
    /// The same in a sentence, to be told to the user.
    pub note: String,
}

/// An order of reviews.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The source's own order of relevance.
    Relevance,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Sample {
    /// Describes `returned` of the `matching` reviews of `place`.
    pub(super) fn of(place: &Place, matching: usize, returned: usize, filter: RatingFilter) -> Self {
        let available = place.reviews.len() + place.unreadable_reviews;
        let mut sample = Self {
            returned,
            available,
            total_ratings: place.rating_count,
            order: Order::Relevance,
            filter: filter.in_words(),
            unreadable: place.unreadable_reviews,
            note: String::new(),
        };
        sample.note = sample.in_words(matching, place.rating.is_some());
        sample
    }

    fn in_words(&self, matching: usize, is_rated: bool) -> String {
        let total = self.total_ratings.unwrap_or(0) as usize;
        let returned = count(self.returned, "review");
        let mut note = match (self.available, total) {
            (0, 0) if is_rated => "The source shows no reviews of this place.".to_owned(),
            (0, 0) => "Nobody has rated this place yet.".to_owned(),
            (0, total) => format!("The source shows none of the reviews behind {}.", count(total, "rating")),
            (_, 0) => format!("{returned} of this place, in the source's order of relevance."),
            (available, total) if available >= total && self.returned == total => {
                format!("{returned}: all there are.")
            }
            (_, total) => format!(
                "{returned} out of {}: those that the source finds most relevant, a sample, not all reviews and not the \
                 newest.",
                count(total, "rating")
            ),
        };
        if let Some(filter) = &self.filter {
            let _ = write!(
                note,
                " Only reviews with {filter} were kept: {matching} of the {} that the source shows.",
                self.available
            );
        }
        if self.unreadable > 0 {
            let _ = write!(
                note,
                " {} left out, because the source sent {} in a form that could not be read.",
                if self.unreadable == 1 { "1 more was".to_owned() } else { format!("{} more were", self.unreadable) },
                if self.unreadable == 1 { "it" } else { "them" },
            );
        }
        note
    }
}

/// A number with its noun, for example `1,312 ratings`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// With a comma between thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([7, 999, 1_000, 1_234_567].map(grouped), ["7", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn a_filter_admits_both_of_its_ends_and_no_unrated_review() {
        let filter = RatingFilter { min: Some(2), max: Some(4) };
        let admitted = [1.0, 2.0, 4.0, 5.0].map(|stars| filter.admits(Rating::new(stars)));
        assert_eq!(admitted, [false, true, true, false]);
        assert!(!filter.admits(None));
        assert!(RatingFilter::default().admits(None));
    }
}
