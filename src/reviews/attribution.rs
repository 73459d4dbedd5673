//! Attribution: what must be shown with the content, and where it came from.
//!
//! Google's policies for the Places API ask for the text "Google Maps" (not translated, not "Powered by Google"), the
//! author's name, picture and link with each review, how reviews are ordered and filtered, a notice of translation,
//! and third parties by name. Source: <https://developers.google.com/maps/documentation/places/web-service/policies>.

use super::{sample::RatingFilter, sanitize, view::ReviewView};
use crate::{
    clock::written,
    model::{DataSource, Located, Place},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// Whose content an answer holds, and what must be said with it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Attribution {
    /// Show this text with the content, unchanged.
    pub text: String,
    /// The place at the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When the source was asked (RFC 3339, UTC).
    pub retrieved_at: String,
    /// How reviews are ordered and filtered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_notice: Option<String>,
    /// Present if texts are translations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub translation_notice: Option<String>,
    /// Others who must be named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub third_parties: Vec<ThirdPartyView>,
}

/// A third party that must be named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ThirdPartyView {
    /// Its name.
    pub name: String,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Attribution {
    /// For an answer about one place.
    pub(super) fn of_place(source: DataSource, retrieved_at: Timestamp, place: &Place) -> Self {
        Self {
            url: place.maps_url.as_deref().and_then(sanitize::url),
            third_parties: third_parties([place]),
            ..Self::of(source, retrieved_at)
        }
    }

    /// For an answer about several places, each of which has its own link.
    pub(super) fn of_search(source: DataSource, retrieved_at: Timestamp, places: &[Place]) -> Self {
        Self { third_parties: third_parties(places), ..Self::of(source, retrieved_at) }
    }

    /// For an answer about places that were retrieved one by one: the time is that of the oldest. Nothing for none.
    pub(super) fn of_several(answers: &[&Located<Place>]) -> Option<Self> {
        let oldest = answers.iter().min_by_key(|answer| answer.retrieved_at)?;
        let places: Vec<_> = answers.iter().map(|answer| &answer.value).collect();
        Some(Self { third_parties: third_parties(places), ..Self::of(oldest.source, oldest.retrieved_at) })
    }

    /// Without links.
    pub(super) fn of(source: DataSource, retrieved_at: Timestamp) -> Self {
        let text = match source {
            DataSource::GoogleMaps => "Google Maps",
            DataSource::Synthetic => "Synthetic demo data: these places, people and reviews are invented",
        };
        Self {
            text: text.to_owned(),
            url: None,
            retrieved_at: written(retrieved_at),
            order_notice: None,
            translation_notice: None,
            third_parties: Vec::new(),
        }
    }

    /// Adds what must be said about reviews.
    pub(super) fn with_reviews(mut self, reviews: &[ReviewView], filter: RatingFilter) -> Self {
        if reviews.is_empty() {
            return self;
        }
        self.order_notice = Some(match filter.in_words() {
            None => "Reviews are ordered by relevance.".to_owned(),
            Some(filter) => format!("Reviews are ordered by relevance and filtered to those with {filter}."),
        });
        let translated = reviews.iter().filter(|review| review.is_translated).count();
        if translated > 0 {
            self.translation_notice = Some(format!("Translated by the source: {translated} of {}.", reviews.len()));
        }
        self
    }
}

fn third_parties<'a>(places: impl IntoIterator<Item = &'a Place>) -> Vec<ThirdPartyView> {
    let mut named = Vec::new();
    for party in places.into_iter().flat_map(|place| &place.third_parties) {
        let view = ThirdPartyView {
            name: sanitize::line(&party.name, sanitize::NAME_LIMIT).text,
            url: party.url.as_deref().and_then(sanitize::url),
        };
        if !named.contains(&view) {
            named.push(view);
        }
    }
    named
}
