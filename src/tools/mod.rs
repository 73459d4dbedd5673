//! What we offer, one file a tool. To add one, write its file and add its line to [`all`].

mod arguments;
mod get_place;
pub mod get_reviews;
mod search_places;
mod text;

use crate::{mcp::Offer, reviews::Reviews};

pub use get_place::GetPlace;
pub use get_reviews::GetReviews;
pub use search_places::SearchPlaces;

/// Every tool, in the order in which clients see them.
pub fn all(reviews: &Reviews) -> Vec<Offer> {
    vec![
        Offer::of(SearchPlaces::new(reviews.clone())),
        Offer::of(GetPlace::new(reviews.clone())),
        Offer::of(GetReviews::new(reviews.clone())),
    ]
}
