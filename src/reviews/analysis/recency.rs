//! How old the reviews of a sample are.

use super::figures::Recency;
use crate::model::Review;
use jiff::Timestamp;

const SECONDS_OF_A_DAY: i64 = 86_400;

/// Over the reviews with a date; nothing if none has one. A date in the future counts as today.
pub(super) fn measure(reviews: &[Review], now: Timestamp) -> Option<Recency> {
    let mut times: Vec<Timestamp> = reviews.iter().filter_map(|review| review.published_at).collect();
    times.sort_unstable();
    let (oldest, newest) = (times.first()?, times.last()?);
    // From the youngest to the oldest.
    let ages: Vec<u32> = times.iter().rev().map(|time| age_in_days(*time, now)).collect();
    let within = |days: u32| ages.iter().filter(|age| **age < days).count();
    Some(Recency {
        newest: date(*newest),
        oldest: date(*oldest),
        median_age_days: median(&ages)?,
        last_90_days: within(90),
        last_365_days: within(365),
    })
}

/// `YYYY-MM-DD` in UTC.
pub(super) fn date(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

/// Whole days that have passed.
fn age_in_days(time: Timestamp, now: Timestamp) -> u32 {
    let seconds = now.as_second().saturating_sub(time.as_second());
    u32::try_from(seconds.max(0) / SECONDS_OF_A_DAY).unwrap_or(u32::MAX)
}

/// The middle of sorted numbers, or the mean of the two in the middle.
fn median(sorted: &[u32]) -> Option<u32> {
    let above = sorted.get(sorted.len() / 2)?;
    let below = sorted.get(sorted.len().saturating_sub(1) / 2)?;
    Some(below.midpoint(*above))
}

#[cfg(test)]
mod tests {
    use super::{super::samples::review, *};

    fn at(times: &[&str]) -> Option<Recency> {
        let dated = |time: &&str| Review { published_at: time.parse().ok(), ..review(5, "en", "") };
        measure(&times.iter().map(dated).collect::<Vec<_>>(), "2026-06-01T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn ages_are_whole_days_up_to_now() {
        let found = at(&["2026-05-31T12:00:00Z", "2026-05-31T12:00:01Z", "2025-06-01T12:00:00Z"]).unwrap();
        assert_eq!((found.newest.as_str(), found.oldest.as_str()), ("2026-05-31", "2025-06-01"));
        assert_eq!((found.median_age_days, found.last_90_days, found.last_365_days), (1, 2, 2));
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        assert_eq!(at(&["2026-05-31T12:00:00Z", "2026-05-22T12:00:00Z"]).unwrap().median_age_days, 5);
    }

    #[test]
    fn a_date_in_the_future_is_today_and_no_date_is_no_recency() {
        let found = at(&["2027-01-01T00:00:00Z"]).unwrap();
        assert_eq!((found.median_age_days, found.last_90_days), (0, 1));
        assert_eq!(at(&[]), None);
        assert_eq!(at(&["never"]), None);
    }
}
