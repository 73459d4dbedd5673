//! What a report keeps, as JSON. Fields are added, never renamed: reports outlive versions of this program.

use super::changes::Changes;
use crate::{
    model::{Failure, Place, PlaceId, Rating},
    reviews::{
        PlaceView,
        analysis::{Analysis, Signal},
    },
    store::StoredReport,
};
use serde::{Deserialize, Serialize};

/// The report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Content {
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
            tracing::error!(report_id = %stored.id, category = ?error.classify(), "a kept report cannot be read");
            Failure::internal()
        })
    }
}
