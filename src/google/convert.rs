//! From an answer's body to domain values, by the three answers to drift: unknown is kept and told, wrong in one
//! element leaves that element out, wrong in all or where the place needs it makes the answer unreadable.

use super::{
    drift::{DriftKind, Finding, inspect},
    wire,
};
use crate::model::{
    Author, ConsumerAlert, PartialDate, Place, PlaceId, PlaceStatus, Rating, Review, ReviewSummary, SearchPage, Text,
    ThirdParty,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What came out of a body.
#[derive(Debug)]
pub struct Reading<T> {
    /// The value, unless something wrong makes it unreadable.
    pub value: Option<T>,
    /// Every difference from the published schema.
    pub findings: Vec<Finding>,
}

/// Reads the answer of Place Details.
pub fn place_from_body(body: Value) -> Reading<Place> {
    let mut findings = inspect(&body, "Place", "reviews");
    let value = if unusable(&findings) { None } else { place(body, &mut findings) };
    Reading { value, findings }
}

/// Reads the answer of Text Search. `{}` is a page without hits.
pub fn search_page_from_body(body: Value) -> Reading<SearchPage> {
    let mut findings = inspect(&body, "SearchTextResponse", "places");
    let value = if unusable(&findings) { None } else { search_page(body, &mut findings) };
    Reading { value, findings }
}

fn unusable(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.kind.is_wrong() && finding.element.is_none())
}

fn search_page(body: Value, findings: &mut Vec<Finding>) -> Option<SearchPage> {
    let response: wire::SearchTextResponse = decode(body, "", None).map_err(|finding| findings.push(finding)).ok()?;
    let hits = response.places.len();
    let places = elements(response.places, findings, |value, position| {
        let mut inner = Vec::new();
        place(value, &mut inner).ok_or_else(|| within("places[]", position, inner))
    });
    if places.is_empty() && hits > 0 {
        return None;
    }
    Some(SearchPage { unreadable_places: hits - places.len(), places, next_page_token: response.next_page_token })
}

/// The first thing that made an inner place unreadable, told as a finding of the list that it stands in.
fn within(list: &str, position: usize, inner: Vec<Finding>) -> Finding {
    let first = inner.into_iter().find(|finding| finding.kind.is_wrong());
    let (kind, path) = first.map_or((DriftKind::WrongType, String::new()), |finding| (finding.kind, finding.path));
    Finding { kind, path: format!("{list}.{path}"), element: Some(position) }
}

/// Reads the elements that have no wrong finding yet; one that turns out wrong is left out with a finding.
fn elements<T>(
    values: Vec<Value>,
    findings: &mut Vec<Finding>,
    read: impl Fn(Value, usize) -> Result<T, Finding>,
) -> Vec<T> {
    let mut good = Vec::with_capacity(values.len());
    for (position, value) in values.into_iter().enumerate() {
        if findings.iter().any(|finding| finding.kind.is_wrong() && finding.element == Some(position)) {
            continue;
        }
        match read(value, position) {
            Ok(element) => good.push(element),
            Err(finding) => findings.push(finding),
        }
    }
    good
}

fn place(body: Value, findings: &mut Vec<Finding>) -> Option<Place> {
    let mut wire: wire::Place = decode(body, "", None).map_err(|finding| findings.push(finding)).ok()?;
    let sent = std::mem::take(&mut wire.reviews);
    let (sent_count, reviews) = (sent.len(), elements(sent, findings, review));
    if let Err(finding) = needed_in_some_review(&reviews, sent_count) {
        findings.push(finding);
        return None;
    }
    figures(wire, reviews, sent_count).map_err(|finding| findings.push(finding)).ok()
}

/// A review's id and stars are never without value, so a field that is missing in all of them was renamed.
fn needed_in_some_review(reviews: &[Review], sent_count: usize) -> Result<(), Finding> {
    if sent_count == 0 {
        return Ok(());
    }
    if reviews.is_empty() {
        return Err(wrong(DriftKind::WrongType, "reviews"));
    }
    if reviews.iter().all(|review| review.id.is_none()) {
        return Err(wrong(DriftKind::Missing, "reviews[].name"));
    }
    if reviews.iter().all(|review| review.rating.is_none()) {
        return Err(wrong(DriftKind::Missing, "reviews[].rating"));
    }
    Ok(())
}

fn figures(wire: wire::Place, reviews: Vec<Review>, sent_count: usize) -> Result<Place, Finding> {
    let id = wire.id.ok_or_else(|| wrong(DriftKind::Missing, "id"))?;
    let rating = in_range(wire.rating, Rating::new, "rating")?;
    let rating_count = in_range(wire.user_rating_count, whole_number, "userRatingCount")?;
    if rating.is_none() && rating_count.unwrap_or(0) > 0 {
        return Err(wrong(DriftKind::Missing, "rating"));
    }
    Ok(Place {
        id: PlaceId::parse(&id).map_err(|_| wrong(DriftKind::OutOfRange, "id"))?,
        name: wire.display_name.and_then(text),
        address: wire.formatted_address,
        category: wire.primary_type_display_name.and_then(text).map(|category| category.text),
        rating,
        rating_count,
        status: wire.business_status.as_deref().and_then(status),
        moved_to: wire.moved_place_id.as_deref().and_then(|id| PlaceId::parse(id).ok()),
        opens_on: wire.opening_date.and_then(partial_date),
        maps_url: wire.google_maps_uri,
        review_summary: wire.review_summary.and_then(review_summary),
        alert: wire.consumer_alert.map(alert),
        third_parties: wire
            .attributions
            .into_iter()
            .filter_map(|party| Some(ThirdParty { name: party.provider?, url: party.provider_uri }))
            .collect(),
        unreadable_reviews: sent_count - reviews.len(),
        reviews,
    })
}

fn review(body: Value, position: usize) -> Result<Review, Finding> {
    let at = |kind, path: &str| Finding { kind, path: path.to_owned(), element: Some(position) };
    let wire: wire::Review = decode(body, "reviews[]", Some(position))?;
    let rating = in_range(wire.rating, Rating::new, "reviews[].rating")
        .map_err(|finding| Finding { element: Some(position), ..finding })?;
    let published_at = wire
        .publish_time
        .map(|time| time.parse().map_err(|_| at(DriftKind::WrongType, "reviews[].publishTime")))
        .transpose()?;
    let author = wire.author_attribution.unwrap_or_default();
    Ok(Review {
        id: wire.name.as_deref().and_then(|name| name.rsplit('/').next()).map(str::to_owned),
        rating,
        text: wire.text.and_then(text),
        original_text: wire.original_text.and_then(text),
        author: Author { name: author.display_name, profile_url: author.uri, photo_url: author.photo_uri },
        published_at,
        published_relative: wire.relative_publish_time_description,
        visited: wire.visit_date.and_then(partial_date).map(month),
        url: wire.google_maps_uri,
        report_url: wire.flag_content_uri,
    })
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

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range and whole")]
fn whole_number(number: f64) -> Option<u32> {
    (number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number)).then_some(number as u32)
}

fn text(wire: wire::LocalizedText) -> Option<Text> {
    (!wire.text.is_empty()).then_some(Text { text: wire.text, language: wire.language_code })
}

fn status(value: &str) -> Option<PlaceStatus> {
    match value {
        "BUSINESS_STATUS_UNSPECIFIED" => None,
        "OPERATIONAL" => Some(PlaceStatus::Operational),
        "CLOSED_TEMPORARILY" => Some(PlaceStatus::ClosedTemporarily),
        "CLOSED_PERMANENTLY" => Some(PlaceStatus::ClosedPermanently),
        "FUTURE_OPENING" => Some(PlaceStatus::FutureOpening),
        other => Some(PlaceStatus::Unknown(other.to_owned())),
    }
}

/// Google truncates the day of a visit; a year alone is possible.
fn month(date: PartialDate) -> String {
    match date.month {
        Some(month) => format!("{:04}-{month:02}", date.year),
        None => format!("{:04}", date.year),
    }
}

fn partial_date(date: wire::Date) -> Option<PartialDate> {
    let part = |number: u8| (number > 0).then_some(number);
    (date.year > 0).then(|| PartialDate { year: date.year, month: part(date.month), day: part(date.day) })
}

fn review_summary(wire: wire::ReviewSummary) -> Option<ReviewSummary> {
    Some(ReviewSummary {
        text: wire.text.and_then(text)?,
        disclosure: wire.disclosure_text.and_then(text).map(|disclosure| disclosure.text),
        report_url: wire.flag_content_uri,
        reviews_url: wire.reviews_uri,
    })
}

fn alert(wire: wire::ConsumerAlert) -> ConsumerAlert {
    let details = wire.details.and_then(|details| details.description.or(details.title));
    ConsumerAlert { overview: wire.overview, details }
}
