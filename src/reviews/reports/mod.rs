//! Reports: made once, kept for their owner, shown with what the source says at that moment.
//!
//! Kept is what is ours: ids of places and reviews, our figures over the samples, and phrases of at most three words
//! that several reviews share. No review's text is kept, and names and the source's figures only where the operator
//! says that they may be.

mod changes;
mod chart;
mod content;
mod markdown;
mod show;

pub use crate::store::Position;
pub use changes::{Changes, PlaceChange};
pub use chart::Chart;
pub use show::{ReportPlace, ShownReport, Unavailable};

use super::{Reviews, analysis, insight, lookup::Found, sanitize};
use crate::{
    clock::Deadline,
    model::{Code, Failure, Located, Place, PlaceId, Principal, ReportId, hex},
    store::StoredReport,
};
use aws_lc_rs::digest::{SHA256, digest};
use content::{Content, Kept, PlaceFigures};
use jiff::Timestamp;

/// A report that somebody wants.
#[derive(Debug, Clone)]
pub struct NewReport {
    /// Whose it will be.
    pub owner: Principal,
    /// Its id: the same for every try to make it.
    pub id: ReportId,
    /// What it is to be called.
    pub title: String,
    /// On which places.
    pub places: Vec<PlaceId>,
}

/// A report that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeReport {
    /// Its id.
    pub id: ReportId,
    /// What it is called.
    pub title: String,
    /// On which places.
    pub places: Vec<PlaceId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is gone.
    pub expires_at: Timestamp,
}

impl Reviews {
    /// Makes a report, unless it is there already.
    ///
    /// # Errors
    /// What the failure of a place, of the upstream or of the database means for the caller; then nothing is kept.
    pub async fn create_report(&self, new: &NewReport, deadline: &Deadline) -> Result<MadeReport, Failure> {
        // An earlier try may have made it and died before it could say so.
        if let Some(stored) = self.store.reports().find(&new.owner, new.id, self.clock.now()).await? {
            return made(&stored);
        }
        let found = self.look_up_all(&new.places, deadline).await?;
        let mut places = Vec::with_capacity(found.len());
        for (found, id) in found.iter().zip(&new.places) {
            places.push(
                found.as_ref().map_err(Clone::clone).and_then(Found::place).map_err(|failure| about(id, failure))?,
            );
        }
        let now = self.clock.now();
        let mut content = self.content(&places, now);
        let places_key = places_key(&new.places);
        let last = self.store.reports().last_on(&new.owner, &places_key, new.id, now).await?;
        content.changes = last.as_ref().and_then(|last| Changes::since(last, &content));
        let stored = StoredReport {
            id: new.id,
            title: new.title.clone(),
            places_key,
            content: serde_json::to_string(&content).map_err(|_| Failure::internal())?,
            created_at: now,
            expires_at: now.checked_add(self.reports.lifetime).unwrap_or(Timestamp::MAX),
        };
        self.store.reports().insert(&new.owner, &stored).await?;
        // Of two tries at the same time, one was first; both tell of that one.
        let kept = self.store.reports().find(&new.owner, new.id, now).await?;
        made(&kept.unwrap_or(stored))
    }

    /// Shows the owner's report.
    ///
    /// # Errors
    /// [`Code::ReportNotFound`], or what the database's failure means. Places that the upstream does not give now are
    /// named in the answer.
    pub async fn report(&self, owner: &Principal, id: ReportId, deadline: &Deadline) -> Result<ShownReport, Failure> {
        let stored = self.stored(owner, id).await?;
        let content = Content::read(&stored)?;
        let ids: Vec<PlaceId> = content.places.iter().map(|place| place.place_id.clone()).collect();
        let found = match self.look_up_all(&ids, deadline).await {
            Ok(found) => found,
            Err(failure) => ids.iter().map(|_| Err(failure.clone())).collect(),
        };
        Ok(ShownReport::of(&stored, content, &found))
    }

    /// A chart of the owner's report, as SVG.
    ///
    /// # Errors
    /// As [`Reviews::report`].
    pub async fn chart(&self, owner: &Principal, id: ReportId, chart: Chart) -> Result<String, Failure> {
        let stored = self.stored(owner, id).await?;
        let content = Content::read(&stored)?;
        Ok(chart.draw(content.places.iter().map(|place| &place.analysis)))
    }

    /// At most `limit` of the owner's reports, newest first.
    ///
    /// # Errors
    /// What the database's failure means for the caller.
    pub async fn list_reports(
        &self,
        owner: &Principal,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Vec<MadeReport>, Failure> {
        let page = self.store.reports().page(owner, after, self.clock.now(), limit).await?;
        page.iter().map(made).collect()
    }

    /// At most `limit` ids of the owner's reports that begin like this.
    ///
    /// # Errors
    /// What the database's failure means for the caller.
    pub async fn report_ids(&self, owner: &Principal, prefix: &str, limit: u32) -> Result<Vec<String>, Failure> {
        Ok(self.store.reports().ids_with_prefix(owner, prefix, self.clock.now(), limit).await?)
    }

    async fn stored(&self, owner: &Principal, id: ReportId) -> Result<StoredReport, Failure> {
        let found = self.store.reports().find(owner, id, self.clock.now()).await?;
        found.ok_or_else(|| {
            Failure::new(
                Code::ReportNotFound,
                "Check `report_id`: you have no report with this id, or it has expired. create_report makes a new one.",
            )
        })
    }

    fn content(&self, places: &[&Located<Place>], now: Timestamp) -> Content {
        let figures = |answer: &&Located<Place>| {
            let place = &answer.value;
            PlaceFigures {
                place_id: place.id.clone(),
                review_ids: place.reviews.iter().filter_map(|review| review.id.clone()).collect(),
                analysis: insight::analyze(place, now),
                kept: self.reports.keep_google_figures.then(|| Kept::of(place)),
            }
        };
        let samples: Vec<_> = places.iter().map(|answer| answer.value.reviews.as_slice()).collect();
        Content { places: places.iter().map(figures).collect(), signals: analysis::across(&samples), changes: None }
    }
}

fn made(stored: &StoredReport) -> Result<MadeReport, Failure> {
    let content = Content::read(stored)?;
    Ok(MadeReport {
        id: stored.id,
        title: shown_title(stored),
        places: content.places.into_iter().map(|place| place.place_id).collect(),
        created_at: stored.created_at,
        expires_at: stored.expires_at,
    })
}

/// What the owner called it, safe to show.
fn shown_title(stored: &StoredReport) -> String {
    sanitize::line(&stored.title, sanitize::NAME_LIMIT).text
}

/// The same failure, naming the place.
fn about(id: &PlaceId, mut failure: Failure) -> Failure {
    failure.message = format!("{} (place_id {id})", failure.message);
    failure
}

/// The same for the same places in any order.
fn places_key(places: &[PlaceId]) -> String {
    let mut ids: Vec<&str> = places.iter().map(PlaceId::as_str).collect();
    ids.sort_unstable();
    hex(digest(&SHA256, ids.join("\n").as_bytes()).as_ref())
}
