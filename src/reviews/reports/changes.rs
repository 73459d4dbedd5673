//! What changed since the owner's last report on the same places: between two samples, and said so.

use super::content::{Content, PlaceFigures};
use crate::{
    model::{PlaceId, ReportId},
    reviews::analysis::Analysis,
    store::StoredReport,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Changes {
    /// The earlier report.
    #[schemars(with = "String")]
    pub since_report_id: ReportId,
    /// When that was made (RFC 3339, UTC).
    #[schemars(with = "String")]
    pub since: Timestamp,
    /// Place by place.
    pub places: Vec<PlaceChange>,
}

/// What changed at one place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlaceChange {
    /// Which.
    #[schemars(with = "String")]
    pub place_id: PlaceId,
    /// Reviews in the sample that were not in the earlier one.
    pub new_reviews: usize,
    /// Reviews that the source showed then and no longer shows.
    pub gone_reviews: usize,
    /// Mean stars of the earlier sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_stars_before: Option<f64>,
    /// Mean stars of this sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_stars_now: Option<f64>,
    /// Complaining reviews, before and now.
    pub negative_before: usize,
    /// Complaining reviews of this sample.
    pub negative_now: usize,
    /// Themes that were none before: untrusted words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new_themes: Vec<String>,
    /// Themes that are none any more: untrusted words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone_themes: Vec<String>,
    /// The source's rating then, if it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating_before: Option<f64>,
    /// The source's number of ratings then, if it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating_count_before: Option<u32>,
}

impl Changes {
    /// Compares a new report with the last one; nothing if that one cannot be read.
    pub(super) fn since(last: &StoredReport, now: &Content) -> Option<Self> {
        let before = Content::read(last).ok()?;
        let places = now.places.iter().filter_map(|place| {
            let earlier = before.places.iter().find(|earlier| earlier.place_id == place.place_id)?;
            Some(PlaceChange::between(earlier, place))
        });
        Some(Self { since_report_id: last.head.id, since: last.head.created_at, places: places.collect() })
    }
}

impl PlaceChange {
    fn between(before: &PlaceFigures, now: &PlaceFigures) -> Self {
        let missing_in = |these: &[String], those: &[String]| these.iter().filter(|id| !those.contains(id)).count();
        let (themes_before, themes_now) = (phrases(&before.analysis), phrases(&now.analysis));
        let only_in = |these: &[String], those: &[String]| -> Vec<String> {
            these.iter().filter(|phrase| !those.contains(phrase)).cloned().collect()
        };
        // What an earlier report was allowed to keep is not copied into one that is not.
        let kept = before.kept.as_ref().filter(|_| now.kept.is_some());
        Self {
            place_id: now.place_id.clone(),
            new_reviews: missing_in(&now.review_ids, &before.review_ids),
            gone_reviews: missing_in(&before.review_ids, &now.review_ids),
            mean_stars_before: before.analysis.ratings.mean,
            mean_stars_now: now.analysis.ratings.mean,
            negative_before: before.analysis.sentiment.negative,
            negative_now: now.analysis.sentiment.negative,
            new_themes: only_in(&themes_now, &themes_before),
            gone_themes: only_in(&themes_before, &themes_now),
            rating_before: kept.and_then(|kept| kept.rating),
            rating_count_before: kept.and_then(|kept| kept.rating_count),
        }
    }

    /// Whether anything did.
    pub fn is_any(&self) -> bool {
        self.new_reviews + self.gone_reviews > 0
            || self.mean_stars_before != self.mean_stars_now
            || self.negative_before != self.negative_now
            || !self.new_themes.is_empty()
            || !self.gone_themes.is_empty()
    }
}

fn phrases(analysis: &Analysis) -> Vec<String> {
    analysis.themes.iter().map(|theme| theme.phrase.clone()).collect()
}
