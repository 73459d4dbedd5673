//! Arguments that several tools share, read into domain values. Their form was checked against the schema before.

use crate::model::{Failure, Invalid, Language, PlaceId, Region};

/// English, unless the caller says otherwise.
pub(super) fn english() -> String {
    "en".to_owned()
}

pub(super) fn place_id(text: &str) -> Result<PlaceId, Failure> {
    PlaceId::parse(text).map_err(|invalid| refuse(&invalid))
}

pub(super) fn language(text: &str) -> Result<Language, Failure> {
    Language::parse(text).map_err(|invalid| refuse(&invalid))
}

pub(super) fn region(text: Option<&String>) -> Result<Option<Region>, Failure> {
    text.map(|text| Region::parse(text)).transpose().map_err(|invalid| refuse(&invalid))
}

fn refuse(invalid: &Invalid) -> Failure {
    Failure::invalid_argument(format!("{invalid}."))
}
