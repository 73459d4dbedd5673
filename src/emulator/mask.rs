//! The field-mask engine: which fields a caller asked for, in camel or snake case, and the errors of a bad mask.

use super::errors::{ErrorBody, NamedError, bad_request};
use serde_json::{Map, Value};

/// The fields of a place in wire order, which is the order of their protobuf numbers.
pub(super) const PLACE_FIELDS: &[&str] = &[
    "name",
    "id",
    "types",
    "nationalPhoneNumber",
    "internationalPhoneNumber",
    "formattedAddress",
    "addressComponents",
    "plusCode",
    "location",
    "viewport",
    "rating",
    "googleMapsUri",
    "websiteUri",
    "regularOpeningHours",
    "utcOffsetMinutes",
    "adrFormatAddress",
    "businessStatus",
    "priceLevel",
    "attributions",
    "userRatingCount",
    "iconMaskBaseUri",
    "iconBackgroundColor",
    "displayName",
    "primaryTypeDisplayName",
    "takeout",
    "delivery",
    "dineIn",
    "curbsidePickup",
    "reservable",
    "servesBreakfast",
    "servesLunch",
    "servesDinner",
    "servesBeer",
    "servesWine",
    "servesBrunch",
    "servesVegetarianFood",
    "currentOpeningHours",
    "currentSecondaryOpeningHours",
    "regularSecondaryOpeningHours",
    "primaryType",
    "shortFormattedAddress",
    "editorialSummary",
    "reviews",
    "photos",
    "outdoorSeating",
    "liveMusic",
    "menuForChildren",
    "servesCocktails",
    "servesDessert",
    "servesCoffee",
    "goodForChildren",
    "allowsDogs",
    "restroom",
    "goodForGroups",
    "goodForWatchingSports",
    "paymentOptions",
    "parkingOptions",
    "subDestinations",
    "accessibilityOptions",
    "fuelOptions",
    "evChargeOptions",
    "generativeSummary",
    "containingPlaces",
    "pureServiceAreaBusiness",
    "addressDescriptor",
    "googleMapsLinks",
    "priceRange",
    "reviewSummary",
    "timeZone",
    "evChargeAmenitySummary",
    "postalAddress",
    "neighborhoodSummary",
    "consumerAlert",
    "movedPlace",
    "movedPlaceId",
    "openingDate",
    "googleMapsTypeLabel",
    "transitStation",
    "entrances",
    "navigationPoints",
];
const REVIEW_FIELDS: &[&str] = &[
    "name",
    "relativePublishTimeDescription",
    "rating",
    "text",
    "originalText",
    "authorAttribution",
    "publishTime",
    "flagContentUri",
    "googleMapsUri",
    "visitDate",
];
const TEXT_FIELDS: &[&str] = &["text", "languageCode"];
const AUTHOR_FIELDS: &[&str] = &["displayName", "uri", "photoUri"];
const SUMMARY_FIELDS: &[&str] = &["text", "flagContentUri", "disclosureText", "reviewsUri"];
/// Fields of a search's answer beside its places.
const SEARCH_FIELDS: &[&str] = &["nextPageToken", "routingSummaries", "contextualContents", "searchUri"];

/// The fields asked for: paths in camel case, or all of them.
#[derive(Debug)]
pub(super) struct Mask {
    all: bool,
    paths: Vec<Vec<String>>,
}

impl Mask {
    /// Reads the mask of Place Details: bare paths.
    pub(super) fn of_place(text: Option<&str>) -> Result<Self, ErrorBody> {
        Self::parse(text, known_in_place)
    }

    /// Reads the mask of a search: `places.` paths and a few of the answer's own fields.
    pub(super) fn of_search(text: Option<&str>) -> Result<Self, ErrorBody> {
        Self::parse(text, |path| match path.split_first() {
            Some((first, rest)) if first == "places" => rest.is_empty() || known_in_place(rest),
            Some((first, rest)) => rest.is_empty() && SEARCH_FIELDS.contains(&first.as_str()),
            None => false,
        })
    }

    fn parse(text: Option<&str>, is_known: impl Fn(&[String]) -> bool) -> Result<Self, ErrorBody> {
        let text = text.filter(|text| !text.is_empty()).ok_or_else(|| NamedError::NoFieldMask.body(""))?;
        let mut mask = Self { all: false, paths: Vec::new() };
        for path in text.split(',') {
            if path == "*" {
                mask.all = true;
                continue;
            }
            let segments: Vec<String> = path.split('.').map(camel_case).collect();
            if !is_known(&segments) {
                let description =
                    format!("Error expanding 'fields' parameter. Cannot find matching fields for path '{path}'.");
                return Err(bad_request("Request contains an invalid argument.", Some(path), &description));
            }
            mask.paths.push(segments);
        }
        Ok(mask)
    }

    /// Leaves only what was asked for, in the order of the original.
    pub(super) fn apply(&self, value: Value) -> Value {
        if self.all {
            return value;
        }
        let paths: Vec<&[String]> = self.paths.iter().map(Vec::as_slice).collect();
        select(value, &paths)
    }
}

/// Messages are selected field by field, lists element by element, and a path that ends takes all that is below it.
fn select(value: Value, paths: &[&[String]]) -> Value {
    if paths.iter().any(|path| path.is_empty()) {
        return value;
    }
    match value {
        Value::Array(elements) => elements.into_iter().map(|element| select(element, paths)).collect(),
        Value::Object(fields) => {
            let mut kept = Map::new();
            for (name, value) in fields {
                let below: Vec<&[String]> = paths
                    .iter()
                    .filter_map(|path| path.split_first().filter(|(first, _)| **first == name).map(|(_, rest)| rest))
                    .collect();
                if !below.is_empty() {
                    kept.insert(name, select(value, &below));
                }
            }
            Value::Object(kept)
        }
        other => other,
    }
}

/// Below fields for which this emulator has no data, any path is taken as known.
fn known_in_place(path: &[String]) -> bool {
    let Some((first, rest)) = path.split_first() else {
        return false;
    };
    PLACE_FIELDS.contains(&first.as_str())
        && match first.as_str() {
            "displayName" | "editorialSummary" | "primaryTypeDisplayName" => known(rest, TEXT_FIELDS),
            "reviewSummary" => known(rest, SUMMARY_FIELDS),
            "reviews" => match rest.split_first() {
                Some((field, below)) if field == "authorAttribution" => known(below, AUTHOR_FIELDS),
                Some((field, below)) if field == "text" || field == "originalText" => known(below, TEXT_FIELDS),
                _ => known(rest, REVIEW_FIELDS),
            },
            _ => true,
        }
}

fn known(path: &[String], fields: &[&str]) -> bool {
    path.first().is_none_or(|first| fields.contains(&first.as_str()))
}

/// `user_rating_count` and `userRatingCount` are the same field.
pub(super) fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for character in name.chars() {
        if character == '_' {
            upper = true;
        } else if upper {
            camel.push(character.to_ascii_uppercase());
            upper = false;
        } else {
            camel.push(character);
        }
    }
    camel
}
