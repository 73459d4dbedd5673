//! One place: what it needs must be right, other parts that are wrong are left out and named.

use super::{decode, elements, in_range, partial_date, review, text, wrong};
use crate::{
    google::{
        drift::{DriftKind, Finding},
        wire,
    },
    model::{ConsumerAlert, Place, PlaceId, PlaceStatus, Rating, Review, ReviewSummary, ThirdParty},
};
use serde_json::Value;
use std::collections::BTreeSet;

/// Without these an answer would mislead.
const NEEDED: &[&str] = &["", "id", "displayName", "rating", "userRatingCount", "reviews", "businessStatus"];

/// Reads a place; `findings` are those of its walk, and get those of its values.
pub(super) fn read(mut body: Value, findings: &mut Vec<Finding>) -> Option<Place> {
    let spoilt = spoilt_parts(findings)?;
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|name, _| !spoilt.contains(name));
    }
    let mut wire: wire::Place = decode(body, "", None).map_err(|finding| findings.push(finding)).ok()?;
    let sent = std::mem::take(&mut wire.reviews);
    let sent_count = sent.len();
    let reviews = elements(sent, "reviews", findings, review::read)?;
    if let Some(path) = missing_in_all(&reviews, findings) {
        findings.push(wrong(DriftKind::Missing, path));
        return None;
    }
    let mut parts = Parts { findings, spoilt };
    match parts.place(wire) {
        Ok(place) => Some(Place {
            unreadable_reviews: sent_count - reviews.len(),
            reviews,
            unreadable_parts: parts.spoilt.into_iter().collect(),
            ..place
        }),
        Err(finding) => {
            findings.push(finding);
            None
        }
    }
}

/// The names of fields in which something is wrong; nothing if the place needs one of them.
fn spoilt_parts(findings: &[Finding]) -> Option<BTreeSet<String>> {
    let wrong = findings.iter().filter(|finding| finding.kind.is_wrong() && finding.element.is_none());
    let names: BTreeSet<String> =
        wrong.map(|finding| finding.path.split(['.', '[']).next().unwrap_or_default().to_owned()).collect();
    names.iter().all(|name| !NEEDED.contains(&name.as_str())).then_some(names)
}

/// A field that every review has is missing in all of them, so it was renamed. Id and stars are never without value;
/// an author is missing for sure only where unknown fields have appeared.
fn missing_in_all(reviews: &[Review], findings: &[Finding]) -> Option<&'static str> {
    if reviews.is_empty() {
        return None;
    }
    let has_news =
        findings.iter().any(|finding| finding.kind == DriftKind::UnknownField && finding.path.starts_with("reviews[]"));
    if reviews.iter().all(|review| review.id.is_none()) {
        Some("reviews[].name")
    } else if reviews.iter().all(|review| review.rating.is_none()) {
        Some("reviews[].rating")
    } else if has_news && reviews.iter().all(|review| review.author.name.is_none()) {
        Some("reviews[].authorAttribution")
    } else {
        None
    }
}

/// Collects what is wrong with the values of single parts.
struct Parts<'a> {
    findings: &'a mut Vec<Finding>,
    spoilt: BTreeSet<String>,
}

impl Parts<'_> {
    /// The place without its reviews.
    fn place(&mut self, wire: wire::Place) -> Result<Place, Finding> {
        let id = wire.id.ok_or_else(|| wrong(DriftKind::Missing, "id"))?;
        let rating = in_range(wire.rating, Rating::new, "rating")?;
        let rating_count = in_range(wire.user_rating_count, whole_number, "userRatingCount")?;
        if rating.is_none() && rating_count.unwrap_or(0) > 0 {
            return Err(wrong(DriftKind::Missing, "rating"));
        }
        let third_party =
            |party: wire::PlaceAttribution| Some(ThirdParty { name: party.provider?, url: party.provider_uri });
        Ok(Place {
            id: PlaceId::parse(&id).map_err(|_| wrong(DriftKind::OutOfRange, "id"))?,
            name: wire.display_name.and_then(text),
            address: wire.formatted_address,
            category: wire.primary_type_display_name.and_then(text).map(|category| category.text),
            rating,
            rating_count,
            status: wire.business_status.as_deref().and_then(status),
            moved_to: self.moved_to(wire.moved_place_id),
            opens_on: wire.opening_date.and_then(|date| self.part(partial_date(date, "openingDate"))).flatten(),
            maps_url: wire.google_maps_uri,
            review_summary: wire.review_summary.and_then(review_summary),
            alert: wire.consumer_alert.map(alert),
            third_parties: wire.attributions.into_iter().filter_map(third_party).collect(),
            reviews: Vec::new(),
            unreadable_reviews: 0,
            unreadable_parts: Vec::new(),
        })
    }

    fn moved_to(&mut self, id: Option<String>) -> Option<PlaceId> {
        let id = PlaceId::parse(&id?).map_err(|_| wrong(DriftKind::OutOfRange, "movedPlaceId"));
        self.part(id)
    }

    /// A part that the place can do without; a wrong one is noted and left out.
    fn part<T>(&mut self, read: Result<T, Finding>) -> Option<T> {
        read.map_err(|finding| {
            self.spoilt.insert(finding.path.clone());
            self.findings.push(finding);
        })
        .ok()
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range and whole")]
fn whole_number(number: f64) -> Option<u32> {
    (number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number)).then_some(number as u32)
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
