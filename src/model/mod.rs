//! The words that all rooms share, parsed once at the edge: whoever holds one of these types holds a valid value.

mod failure;
mod grammar;
mod language;
mod place;
mod place_id;
mod query;
mod rating;
mod request_id;
mod review;

pub use failure::{Code, Failure, Tier};
pub use grammar::{Invalid, Pattern};
pub use language::{LANGUAGE_PATTERN, Language, REGION_PATTERN, Region};
pub use place::{
    ConsumerAlert, DataSource, Located, PartialDate, Place, PlaceStatus, ReviewSummary, Search, SearchPage, ThirdParty,
};
pub use place_id::{PLACE_ID_PATTERN, PlaceId};
pub use query::{PAGE_TOKEN_PATTERN, QUERY_PATTERN};
pub use rating::Rating;
pub use request_id::RequestId;
pub use review::{Author, Review, Text};
