//! A report as it is shown: what was kept, with names and figures of the source as they are now.

use super::{
    Chart,
    changes::Changes,
    content::{Content, PlaceFigures},
    markdown, shown_title,
};
use crate::{
    clock::written,
    model::{DataSource, Failure, Located, Place, PlaceId},
    reviews::{
        Attribution, PlaceView,
        analysis::{Analysis, Signal},
        comparison::{self, ComparedPlace, PlaceFacts},
        lookup::Found,
    },
    store::StoredReport,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

/// The report.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ShownReport {
    /// Its id.
    pub report_id: String,
    /// Where it can be read as a resource.
    pub uri: String,
    /// What its owner called it.
    pub title: String,
    /// When it was made (RFC 3339, UTC): the figures are of then.
    pub created_at: String,
    /// From when on it is gone (RFC 3339, UTC).
    pub expires_at: String,
    /// The places, in the order of the report.
    pub places: Vec<ReportPlace>,
    /// What differs between them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<String>,
    /// What only the places together show.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<Signal>,
    /// What changed since the last report on the same places.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    /// Places without name and figures of the source just now, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unavailable: Vec<Unavailable>,
    /// URIs of charts (SVG).
    pub charts: Vec<String>,
    /// Whose data the report was made from.
    pub data_source: DataSource,
    /// What must be shown with it.
    pub attribution: Attribution,
}

/// One place of a report.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ReportPlace {
    /// Its letter in charts.
    pub letter: char,
    /// By the source's rating; absent for a single place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
    /// What the source says of it now.
    #[serde(flatten)]
    pub facts: PlaceFacts,
    /// Our figures over the reviews that the source showed when the report was made.
    #[schemars(schema_with = "as_elsewhere")]
    pub analysis: Analysis,
}

/// The form of an analysis is published with `analyze_reviews`; twice it would be a sixth of all definitions.
fn as_elsewhere(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object"})
}

/// A place that the source does not give now.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Unavailable {
    /// Which.
    pub place_id: String,
    /// Why, as an error code.
    pub code: String,
    /// Why, and what to do.
    pub message: String,
}

impl Unavailable {
    pub(in crate::reviews) fn of(id: &PlaceId, failure: Failure) -> Self {
        Self { place_id: id.to_string(), code: failure.code.as_str().to_owned(), message: failure.message }
    }
}

impl ShownReport {
    /// Puts together what was kept and what was found now.
    pub(super) fn of(stored: &StoredReport, content: Content, found: &[Result<Found, Failure>]) -> Self {
        let head = &stored.head;
        let uri = format!("report://{}", head.id);
        let mut unavailable = Vec::new();
        let mut located: Vec<&Located<Place>> = Vec::new();
        let mut facts = Vec::new();
        for (place, found) in content.places.iter().zip(found) {
            match found.as_ref().map_err(Clone::clone).and_then(Found::place) {
                Ok(found) => {
                    facts.push(PlaceFacts::of(PlaceView::of(&found.value)));
                    located.push(found);
                }
                Err(failure) => {
                    unavailable.push(Unavailable::of(&place.place_id, failure));
                    facts.push(kept_facts(place));
                }
            }
        }
        let rows = comparison::rank(facts.iter().cloned().zip(content.places.iter().map(|place| &place.analysis)));
        let is_comparison = rows.len() > 1;
        let places = facts.into_iter().zip(content.places).zip('A'..='Z').map(|((facts, place), letter)| {
            let rank = rank_of(&rows, &facts).filter(|_| is_comparison);
            ReportPlace { letter, rank, facts, analysis: place.analysis }
        });
        Self {
            report_id: head.id.to_string(),
            charts: Chart::ALL.map(|chart| format!("{uri}/{}", chart.file_name())).to_vec(),
            uri,
            title: shown_title(head),
            created_at: written(head.created_at),
            expires_at: written(head.expires_at),
            places: places.collect(),
            differences: if is_comparison { comparison::differences(&rows) } else { Vec::new() },
            signals: content.signals,
            changes: content.changes,
            unavailable,
            data_source: content.source,
            // Where nothing was fetched, what was kept is of when the report was made.
            attribution: Attribution::of_several(&located)
                .unwrap_or_else(|| Attribution::of(content.source, head.created_at)),
        }
    }

    /// The report to be read.
    pub fn markdown(&self) -> String {
        markdown::write(self)
    }
}

/// What is known of a place without the source.
fn kept_facts(place: &PlaceFigures) -> PlaceFacts {
    let kept = place.kept.as_ref();
    PlaceFacts {
        place_id: place.place_id.to_string(),
        name: kept.and_then(|kept| kept.name.clone()),
        rating: kept.and_then(|kept| kept.rating),
        rating_count: kept.and_then(|kept| kept.rating_count),
        state: None,
        maps_url: None,
    }
}

fn rank_of(rows: &[ComparedPlace], facts: &PlaceFacts) -> Option<usize> {
    rows.iter().find(|row| row.facts.place_id == facts.place_id).map(|row| row.rank)
}
