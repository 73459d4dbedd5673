//! `Rating`: stars between one and five, never zero, never invented.

use super::Invalid;
use serde::{Deserialize, Serialize};

/// Between 1.0 and 5.0 stars: whole ones for a review, a mean for a place.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64")]
pub struct Rating(f64);

impl Rating {
    /// A rating, if the number lies between 1 and 5.
    pub fn new(stars: f64) -> Option<Self> {
        (1.0..=5.0).contains(&stars).then_some(Self(stars))
    }

    /// The number of stars.
    pub fn stars(self) -> f64 {
        self.0
    }

    /// Five characters, the filled ones rounded to the nearest star.
    pub fn as_stars(self) -> &'static str {
        match self.0 {
            stars if stars >= 4.5 => "★★★★★",
            stars if stars >= 3.5 => "★★★★☆",
            stars if stars >= 2.5 => "★★★☆☆",
            stars if stars >= 1.5 => "★★☆☆☆",
            _ => "★☆☆☆☆",
        }
    }
}

impl TryFrom<f64> for Rating {
    type Error = Invalid;

    fn try_from(stars: f64) -> Result<Self, Invalid> {
        Self::new(stars).ok_or(Invalid { what: "a rating", allowed: "between 1 and 5" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_no_rating_are_refused() {
        for bad in [0.0, 0.9, 5.1, 9.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Rating::new(bad), None, "{bad}");
        }
        assert_eq!(Rating::new(5.0).map(Rating::as_stars), Some("★★★★★"));
        assert_eq!(Rating::new(1.0).map(Rating::as_stars), Some("★☆☆☆☆"));
    }
}
