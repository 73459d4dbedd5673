//! `Place` and the answers of the upstream that hold places.

use super::{Language, PlaceId, Rating, Region, Review, Text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where an answer's data comes from. It travels with the data, so that no answer can be mislabelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataSource {
    /// Google Maps, through the Places API.
    GoogleMaps,
    /// The emulator's invented places.
    Synthetic,
}

/// Whether one can go there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlaceStatus {
    /// Open for business.
    Operational,
    /// Closed for now.
    ClosedTemporarily,
    /// Closed for good, or moved.
    ClosedPermanently,
    /// Not open yet.
    FutureOpening,
    /// A value that this version does not know, kept as sent.
    Unknown(String),
}

/// A day; Google may name only the year, or year and month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartialDate {
    /// The year.
    pub year: i32,
    /// 1 to 12.
    pub month: Option<u8>,
    /// 1 to 31.
    pub day: Option<u8>,
}

/// Google's own summary of all reviews, made by a model, with what must be shown beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewSummary {
    /// The summary.
    pub text: Text,
    /// The disclosure that must go with it.
    pub disclosure: Option<String>,
    /// Where to report the summary.
    pub report_url: Option<String>,
    /// Where to read the reviews.
    pub reviews_url: Option<String>,
}

/// A warning that Google shows on the place, for example about suspicious reviews.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConsumerAlert {
    /// The warning in one sentence.
    pub overview: Option<String>,
    /// The explanation.
    pub details: Option<String>,
}

/// A third party that must be named with the content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThirdParty {
    /// Its name.
    pub name: String,
    /// Its address.
    pub url: Option<String>,
}

/// One place. Whatever the upstream left out is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// The place's id.
    pub id: PlaceId,
    /// What it is called.
    pub name: Option<Text>,
    /// One line.
    pub address: Option<String>,
    /// What kind of place it is, in words.
    pub category: Option<String>,
    /// The mean of all ratings.
    pub rating: Option<Rating>,
    /// How many people rated it, with or without words.
    pub rating_count: Option<u32>,
    /// Whether one can go there.
    pub status: Option<PlaceStatus>,
    /// Where it moved.
    pub moved_to: Option<PlaceId>,
    /// When it will open.
    pub opens_on: Option<PartialDate>,
    /// Where it can be seen on the map.
    pub maps_url: Option<String>,
    /// The upstream's summary of its reviews.
    pub review_summary: Option<ReviewSummary>,
    /// A warning of the upstream.
    pub alert: Option<ConsumerAlert>,
    /// Who else must be named.
    pub third_parties: Vec<ThirdParty>,
    /// At most five, in the upstream's order of relevance.
    pub reviews: Vec<Review>,
    /// How many reviews were left out because they could not be read.
    pub unreadable_reviews: usize,
    /// The upstream's names of other parts that were left out because they could not be read.
    pub unreadable_parts: Vec<String>,
}

/// An answer of the upstream with its origin and time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Located<T> {
    /// The answer.
    pub value: T,
    /// Whose data it is.
    pub source: DataSource,
    /// When the upstream answered.
    pub retrieved_at: Timestamp,
}

/// Which place, and in whose language.
#[derive(Debug, Clone)]
pub struct WhichPlace {
    /// Its id.
    pub id: PlaceId,
    /// The language of the answer.
    pub language: Language,
    /// The region whose habits format addresses.
    pub region: Option<Region>,
}

/// What to search for.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// Free text.
    pub query: String,
    /// Latitude and longitude in degrees, radius in metres: results near there come first.
    pub near: Option<(f64, f64, f64)>,
    /// The language of the answer.
    pub language: Language,
    /// The region whose habits format addresses.
    pub region: Option<Region>,
    /// 1 to 20.
    pub page_size: u8,
    /// Where an earlier answer ended; all other values must be those of that search.
    pub page_token: Option<String>,
}

/// One page of a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchPage {
    /// The places, in the upstream's order.
    pub places: Vec<Place>,
    /// How to get the next page.
    pub next_page_token: Option<String>,
    /// How many places were left out because they could not be read.
    pub unreadable_places: usize,
}
