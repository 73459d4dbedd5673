//! Stars of a sample: whole ones, counted, and their mean.

use super::figures::Ratings;
use crate::model::{Rating, Review};

/// Whole stars, 1 to 5.
pub(super) fn whole(rating: Rating) -> u8 {
    match rating.stars() {
        stars if stars >= 4.5 => 5,
        stars if stars >= 3.5 => 4,
        stars if stars >= 2.5 => 3,
        stars if stars >= 1.5 => 2,
        _ => 1,
    }
}

/// Counts over the sample.
pub(super) fn count(reviews: &[Review]) -> Ratings {
    let mut ratings = Ratings::default();
    let mut sum = 0.0;
    for rating in reviews.iter().map(|review| review.rating) {
        let place = match rating.map(whole) {
            Some(5) => &mut ratings.stars_5,
            Some(4) => &mut ratings.stars_4,
            Some(3) => &mut ratings.stars_3,
            Some(2) => &mut ratings.stars_2,
            Some(_) => &mut ratings.stars_1,
            None => &mut ratings.unrated,
        };
        *place += 1;
        sum += rating.map_or(0.0, Rating::stars);
    }
    ratings.mean = mean(sum, reviews.len() - ratings.unrated);
    ratings
}

/// Rounded to two decimals.
#[expect(clippy::cast_precision_loss, reason = "a count of reviews is far below 2^52")]
fn mean(sum: f64, rated: usize) -> Option<f64> {
    (rated > 0).then(|| (sum / rated as f64 * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::{super::samples::review, *};

    #[test]
    fn stars_are_counted_and_their_mean_leaves_out_what_is_unrated() {
        let reviews: Vec<Review> = [5, 5, 4, 1, 0].map(|stars| review(stars, "en", "")).into();
        let expected =
            Ratings { mean: Some(3.75), stars_5: 2, stars_4: 1, stars_3: 0, stars_2: 0, stars_1: 1, unrated: 1 };
        assert_eq!(count(&reviews), expected);
        assert_eq!(count(&[]).mean, None);
        assert_eq!(count(&[5, 4, 4].map(|stars| review(stars, "en", ""))).mean, Some(4.33));
    }
}
