//! From an answer's body to domain values, by the three answers to drift: unknown is kept and told; wrong in one
//! element leaves that element out, and wrong in a part that the place can do without leaves that part out; wrong in
//! all elements or where the place needs it makes the answer unreadable.

mod place;
mod review;

use super::{
    drift::{DriftKind, Finding, inspect},
    wire,
};
use crate::model::{PAGE_TOKEN_PATTERN, PartialDate, Place, SearchPage, Text};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::HashSet;

/// Google sends five reviews and twenty hits at most; a list beyond this is something else.
const LONGEST_LIST: usize = 100;
/// Longer page tokens are refused by our own tool, so they are of no use.
const LONGEST_TOKEN: usize = 4_096;

/// What came out of a body.
#[derive(Debug)]
pub struct Reading<T> {
    /// The value, unless something wrong makes it unreadable.
    pub value: Option<T>,
    /// Every difference from the published schema.
    pub findings: Vec<Finding>,
}

/// Reads the answer of Place Details.
pub fn place_from_body(mut body: Value) -> Reading<Place> {
    let mut findings = inspect(&body, "Place", "reviews");
    drop_nulls(&mut body);
    Reading { value: place::read(body, &mut findings), findings }
}

/// Reads the answer of Text Search. `{}` is a page without hits.
pub fn search_page_from_body(mut body: Value) -> Reading<SearchPage> {
    let mut findings = inspect(&body, "SearchTextResponse", "places");
    drop_nulls(&mut body);
    Reading { value: search_page(body, &mut findings), findings }
}

fn search_page(body: Value, findings: &mut Vec<Finding>) -> Option<SearchPage> {
    if findings.iter().any(|finding| finding.kind.is_wrong() && finding.element.is_none()) {
        return None;
    }
    let response: wire::SearchTextResponse = decode(body, "", None).map_err(|finding| findings.push(finding)).ok()?;
    let hits = response.places.len();
    let places = elements(response.places, "places", findings, |value, position| {
        let mut inner = Vec::new();
        place::read(value, &mut inner).ok_or_else(|| within("places[]", position, inner))
    })?;
    let next_page_token = response.next_page_token.filter(|token| {
        let is_token = token.len() <= LONGEST_TOKEN && PAGE_TOKEN_PATTERN.is_match(token);
        if !is_token {
            findings.push(wrong(DriftKind::OutOfRange, "nextPageToken"));
        }
        is_token
    });
    Some(SearchPage { unreadable_places: hits - places.len(), places, next_page_token })
}

/// The first thing that made an inner place unreadable, told as a finding of the list that it stands in.
fn within(list: &str, position: usize, inner: Vec<Finding>) -> Finding {
    let first = inner.into_iter().find(|finding| finding.kind.is_wrong());
    let (kind, path) = first.map_or((DriftKind::WrongType, String::new()), |finding| (finding.kind, finding.path));
    Finding { kind, path: format!("{list}.{path}"), element: Some(position) }
}

/// Reads the elements that have no wrong finding yet; one that turns out wrong is left out with a finding. Nothing if
/// none of them can be read, or if they are too many.
fn elements<T>(
    values: Vec<Value>,
    list: &str,
    findings: &mut Vec<Finding>,
    read: impl Fn(Value, usize) -> Result<T, Finding>,
) -> Option<Vec<T>> {
    if values.len() > LONGEST_LIST {
        findings.push(wrong(DriftKind::OutOfRange, list));
        return None;
    }
    let spoilt: HashSet<usize> =
        findings.iter().filter(|finding| finding.kind.is_wrong()).filter_map(|finding| finding.element).collect();
    let is_empty = values.is_empty();
    let mut good = Vec::with_capacity(values.len());
    for (position, value) in values.into_iter().enumerate().filter(|(position, _)| !spoilt.contains(position)) {
        match read(value, position) {
            Ok(element) => good.push(element),
            Err(finding) => findings.push(finding),
        }
    }
    (is_empty || !good.is_empty()).then_some(good)
}

/// In proto3 JSON, null says the same as absence.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(elements) => elements.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

fn decode<T: DeserializeOwned>(body: Value, path: &str, element: Option<usize>) -> Result<T, Finding> {
    serde_json::from_value(body).map_err(|_| Finding { kind: DriftKind::WrongType, path: path.to_owned(), element })
}

fn wrong(kind: DriftKind, path: &str) -> Finding {
    Finding { kind, path: path.to_owned(), element: None }
}

fn in_range<T>(number: Option<f64>, read: impl Fn(f64) -> Option<T>, path: &str) -> Result<Option<T>, Finding> {
    number.map(|number| read(number).ok_or_else(|| wrong(DriftKind::OutOfRange, path))).transpose()
}

fn text(wire: wire::LocalizedText) -> Option<Text> {
    (!wire.text.is_empty()).then_some(Text { text: wire.text, language: wire.language_code })
}

/// Zero stands for "not given"; without a year there is no date.
fn partial_date(date: wire::Date, path: &str) -> Result<Option<PartialDate>, Finding> {
    if date.month > 12 || date.day > 31 || date.year > 9_999 {
        return Err(wrong(DriftKind::OutOfRange, path));
    }
    let part = |number: u8| (number > 0).then_some(number);
    Ok((date.year > 0).then(|| PartialDate { year: date.year, month: part(date.month), day: part(date.day) }))
}
