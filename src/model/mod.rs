//! The words that all rooms share, parsed once at the edge: whoever holds one of these types holds a valid value.

mod failure;
mod grammar;
mod hex;
mod language;
mod mail_address;
mod person_name;
mod place;
mod place_id;
mod principal;
mod query;
mod random;
mod rating;
mod report_id;
mod request_id;
mod request_key;
mod review;
mod scope;
mod secret_key;
mod spend;

pub use failure::{Code, Failure, Tier};
pub use grammar::{Invalid, Pattern};
pub use hex::hex;
pub use language::{LANGUAGE_PATTERN, Language, REGION_PATTERN, Region};
pub use mail_address::MailAddress;
pub use person_name::{PERSON_NAME_PATTERN, PersonName};
pub use place::{
    ConsumerAlert, DataSource, Located, PartialDate, Place, PlaceStatus, ReviewSummary, Search, SearchPage, ThirdParty,
    WhichPlace,
};
pub use place_id::{PLACE_ID_PATTERN, PlaceId};
pub use principal::{Caller, Principal};
pub use query::{PAGE_TOKEN_PATTERN, QUERY_PATTERN};
pub use random::{random_bytes, random_secret, sha256, sha256_hex};
pub use rating::Rating;
pub use report_id::{REPORT_ID_PATTERN, ReportId};
pub use request_id::RequestId;
pub use request_key::REQUEST_KEY_PATTERN;
pub use review::{Author, Review, Text};
pub use scope::{Scope, Scopes};
pub use secret_key::SecretKey;
pub use spend::Spend;
