//! What we offer, one file a tool. To add one, write its file and add its line to [`all`].

pub mod analyze_reviews;
mod arguments;
mod compare_places;
mod create_report;
mod get_place;
mod get_report;
pub mod get_reviews;
mod search_places;
mod text;

use crate::{mcp::Offer, reviews::Reviews};

pub use analyze_reviews::AnalyzeReviews;
pub use compare_places::ComparePlaces;
pub use create_report::CreateReport;
pub use get_place::GetPlace;
pub use get_report::GetReport;
pub use get_reviews::GetReviews;
pub use search_places::SearchPlaces;

/// Every tool, in the order in which clients see them.
pub fn all(reviews: &Reviews) -> Vec<Offer> {
    vec![
        Offer::reading(SearchPlaces::new(reviews.clone())),
        Offer::reading(GetPlace::new(reviews.clone())),
        Offer::reading(GetReviews::new(reviews.clone())),
        Offer::reading(AnalyzeReviews::new(reviews.clone())),
        Offer::reading(ComparePlaces::new(reviews.clone())),
        Offer::writing(CreateReport::new(reviews.clone())),
        Offer::reading(GetReport::new(reviews.clone())),
        // Those to come.
    ]
}
