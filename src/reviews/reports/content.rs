//! What a report keeps, as JSON. Fields are added, never renamed: reports outlive versions of this program.

use super::changes::Changes;
use crate::{
    model::{DataSource, Failure, Place, PlaceId, Rating},
    reviews::{
        PlaceView,
        analysis::{Analysis, Signal},
        insight,
    },
    store::StoredReport,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Content {
    /// Whose data it was made from; what is invented stays invented.
    pub(super) source: DataSource,
    pub(super) places: Vec<PlaceFigures>,
    /// What only the places together show.
    #[serde(default)]
    pub(super) signals: Vec<Signal>,
    #[serde(default)]
    pub(super) changes: Option<Changes>,
}

/// One place: ids, and our figures over its sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PlaceFigures {
    pub(super) place_id: PlaceId,
    pub(super) review_ids: Vec<String>,
    pub(super) analysis: Analysis,
    /// Only where the operator says that it may be kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) kept: Option<Kept>,
}

/// What the source said when the report was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) name: Option<String>,
    pub(super) rating: Option<f64>,
    pub(super) rating_count: Option<u32>,
}

impl PlaceFigures {
    /// What may be kept of a place.
    pub(super) fn of(place: &Place, now: Timestamp, keeps_google_figures: bool) -> Self {
        let mut analysis = insight::analyze(place, now);
        for contradiction in &mut analysis.contradictions {
            // A figure over several reviews is ours; the stars and the words of one are not.
            contradiction.stars = None;
            contradiction.words.clear();
        }
        Self {
            place_id: place.id.clone(),
            review_ids: place.reviews.iter().filter_map(|review| review.id.clone()).collect(),
            analysis,
            kept: keeps_google_figures.then(|| Kept::of(place)),
        }
    }
}

impl Kept {
    pub(super) fn of(place: &Place) -> Self {
        Self {
            name: PlaceView::of(place).name,
            rating: place.rating.map(Rating::stars),
            rating_count: place.rating_count,
        }
    }
}

impl Content {
    pub(super) fn read(stored: &StoredReport) -> Result<Self, Failure> {
        serde_json::from_str(&stored.content).map_err(|error| {
            tracing::error!(report_id = %stored.head.id, category = ?error.classify(), "a kept report cannot be read");
            Failure::internal()
        })
    }
}
