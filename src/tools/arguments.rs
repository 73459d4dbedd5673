//! Arguments that several tools share, read into domain values. Their form was checked against the schema before.

use crate::model::{Failure, Invalid, Language, PlaceId, Region, WhichPlace};

/// English, unless the caller says otherwise.
pub(super) fn english() -> String {
    "en".to_owned()
}

pub(super) fn which_place(id: &str, in_language: &str, of_region: Option<&String>) -> Result<WhichPlace, Failure> {
    Ok(WhichPlace {
        id: PlaceId::parse(id).map_err(|invalid| refuse(&invalid))?,
        language: language(in_language)?,
        region: region(of_region)?,
    })
}

/// Different places, in the order in which they were given.
pub(super) fn place_ids(texts: &[String]) -> Result<Vec<PlaceId>, Failure> {
    let mut ids = Vec::with_capacity(texts.len());
    for (position, text) in texts.iter().enumerate() {
        let id = PlaceId::parse(text).map_err(|invalid| {
            Failure::invalid_argument(format!("`place_ids` has a wrong value at position {}: {invalid}.", position + 1))
        })?;
        if ids.contains(&id) {
            return Err(Failure::invalid_argument(format!(
                "`place_ids` names {id} twice; expected: different places."
            )));
        }
        ids.push(id);
    }
    Ok(ids)
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
