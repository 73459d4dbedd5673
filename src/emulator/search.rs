//! Text search: which places a query finds, and the pages of its answer.

use super::{
    State,
    catalogue::{Entry, hash},
    errors::{ErrorBody, bad_request, plain},
    mask::{Mask, camel_case},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

const PAGE: usize = 20;
/// Google shows no more than three pages.
const REACHABLE: usize = 60;
const KNOWN_FIELDS: &[&str] = &[
    "textQuery",
    "pageSize",
    "pageToken",
    "maxResultCount",
    "languageCode",
    "regionCode",
    "includedType",
    "strictTypeFiltering",
    "openNow",
    "minRating",
    "priceLevels",
    "rankPreference",
    "locationBias",
    "locationRestriction",
    "evOptions",
    "routingParameters",
    "searchAlongRouteParameters",
    "includePureServiceAreaBusinesses",
    "includeFutureOpeningBusinesses",
];
/// Words that say nothing about a place.
const STOP_WORDS: &[&str] =
    &["the", "and", "near", "best", "good", "für", "der", "die", "das", "les", "des", "para", "los"];

/// Answers a search; `body` is the request as sent.
pub(super) fn answer(state: &State, body: &[u8], mask: &Mask) -> Result<Value, ErrorBody> {
    let request = parse(body)?;
    let query = request.get("textQuery").and_then(Value::as_str).unwrap_or_default();
    if query.trim().is_empty() {
        return Err(plain(400, "INVALID_ARGUMENT", "Empty text_query."));
    }
    let language = request.get("languageCode").and_then(Value::as_str).unwrap_or("en");
    let size = page_size(&request)?;
    let offset = page_offset(&request)?;

    let found = find(&state.catalogue.entries, query, bias(&request));
    let end = found.len().min(REACHABLE);
    let page: Vec<Value> = found
        .iter()
        .take(end)
        .skip(offset)
        .take(size)
        .map(|entry| mask.apply(json!({"places": entry.render(language, state.clock.now())})))
        .filter_map(|hit| hit.get("places").cloned())
        .collect();

    let mut whole = Map::new();
    if !page.is_empty() {
        whole.insert("places".to_owned(), Value::Array(page));
    }
    if offset.saturating_add(size) < end {
        whole.insert("nextPageToken".to_owned(), json!(page_token(&request, offset + size)));
    }
    // The places are masked already; this leaves out the token when nobody asked for it.
    Ok(mask.apply(Value::Object(whole)))
}

/// Protobuf JSON: both spellings of a name are accepted, names that do not exist are not.
fn parse(body: &[u8]) -> Result<Map<String, Value>, ErrorBody> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
        let message = "Invalid JSON payload received.";
        return Err(bad_request(message, None, message));
    };
    let mut request = Map::new();
    for (name, value) in fields {
        let known = camel_case(&name);
        if !KNOWN_FIELDS.contains(&known.as_str()) {
            let message = format!("Invalid JSON payload received. Unknown name \"{name}\": Cannot find field.");
            return Err(bad_request(&message, None, &message));
        }
        request.insert(known, value);
    }
    Ok(request)
}

fn page_size(request: &Map<String, Value>) -> Result<usize, ErrorBody> {
    let size = request.get("pageSize").or_else(|| request.get("maxResultCount")).and_then(Value::as_i64).unwrap_or(0);
    match usize::try_from(size) {
        Err(_) => Err(plain(400, "INVALID_ARGUMENT", "Invalid page_size: must not be negative.")),
        Ok(0) => Ok(PAGE),
        Ok(size) => Ok(size.min(PAGE)),
    }
}

/// A token is bound to all other parameters of the search that made it.
fn page_token(request: &Map<String, Value>, offset: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("{:016x}.{offset}", fingerprint(request)))
}

fn page_offset(request: &Map<String, Value>) -> Result<usize, ErrorBody> {
    let Some(token) = request.get("pageToken").and_then(Value::as_str).filter(|token| !token.is_empty()) else {
        return Ok(0);
    };
    let decoded = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let offset = decoded.as_deref().and_then(|text| {
        let (print, offset) = text.split_once('.')?;
        (print == format!("{:016x}", fingerprint(request))).then(|| offset.parse().ok())?
    });
    offset.ok_or_else(|| {
        plain(
            400,
            "INVALID_ARGUMENT",
            "Request parameters for paging requests must match the initial SearchText request.",
        )
    })
}

fn fingerprint(request: &Map<String, Value>) -> u64 {
    let mut parameters: Vec<_> = request
        .iter()
        .filter(|(name, _)| *name != "pageToken")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    parameters.sort();
    hash(&parameters.join("&"))
}

/// Centre in degrees and radius in metres.
fn bias(request: &Map<String, Value>) -> Option<(f64, f64, f64)> {
    let circle = request.get("locationBias")?.get("circle")?;
    let center = circle.get("center")?;
    Some((center.get("latitude")?.as_f64()?, center.get("longitude")?.as_f64()?, circle.get("radius")?.as_f64()?))
}

/// Places that have at least half of the words, those with more of them and those within the bias first.
fn find<'a>(entries: &'a [Entry], query: &str, bias: Option<(f64, f64, f64)>) -> Vec<&'a Entry> {
    let query = query.to_lowercase();
    let words: Vec<String> = query
        .split(|character: char| !character.is_alphanumeric() && character != '\u{200c}')
        .filter(|word| word.chars().count() >= 2 && !STOP_WORDS.contains(word))
        // "bakeries" finds a bakery
        .map(|word| word.chars().take(5).collect())
        .collect();
    let mut found: Vec<_> = entries
        .iter()
        .filter_map(|entry| {
            let text = entry.words();
            let hits = words.iter().filter(|word| text.contains(word.as_str())).count();
            let is_near = bias.is_some_and(|bias| is_within(entry, bias));
            (hits > 0 && hits * 2 >= words.len()).then_some((entry, hits, is_near))
        })
        .collect();
    found.sort_by_key(|(_, hits, is_near)| std::cmp::Reverse((*is_near, *hits)));
    found.into_iter().map(|(entry, ..)| entry).collect()
}

/// On a plane, which is near enough for an emulator.
fn is_within(entry: &Entry, (latitude, longitude, radius): (f64, f64, f64)) -> bool {
    const METRES_PER_DEGREE: f64 = 111_320.0;
    entry.location().is_some_and(|(there_latitude, there_longitude)| {
        let north = (there_latitude - latitude) * METRES_PER_DEGREE;
        let east = (there_longitude - longitude) * METRES_PER_DEGREE * latitude.to_radians().cos();
        north.hypot(east) <= radius
    })
}
