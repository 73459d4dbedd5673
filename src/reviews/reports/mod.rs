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

pub use changes::{Changes, PlaceChange};
pub use chart::Chart;
pub use show::{ReportPlace, ShownReport, Unavailable};

use super::{Reviews, analysis, lookup::Found, sanitize};
use crate::{
    clock::Deadline,
    model::{Code, DataSource, Failure, Located, Place, PlaceId, Principal, ReportId, hex},
    store::{ReportHead, StoredReport},
};
use aws_lc_rs::digest::{SHA256, digest};
use content::{Content, PlaceFigures};
use jiff::{Timestamp, Unit};

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
    /// Whether an earlier try had made it.
    pub was_there: bool,
}

impl Reviews {
    /// Makes a report, unless it is there already.
    ///
    /// # Errors
    /// What the failure of a place, of the upstream or of the database means for the caller; then nothing is kept.
    pub async fn create_report(&self, new: &NewReport, deadline: &Deadline) -> Result<MadeReport, Failure> {
        // An earlier try may have made it and died before it could say so.
        if let Some(stored) = self.store.reports().find(&new.owner, new.id, self.clock.now()).await? {
            return Ok(MadeReport::of(stored.head, true));
        }
        let found = self.look_up_all(&new.places, deadline).await?;
        let mut places = Vec::with_capacity(found.len());
        for (found, id) in found.iter().zip(&new.places) {
            let found = found.as_ref().map_err(Clone::clone).and_then(Found::place);
            places.push(found.map_err(|failure| failure.about_place(id))?);
        }
        // As exact as it is kept.
        let now = self.clock.now().round(Unit::Millisecond).map_err(|_| Failure::internal())?;
        let places_key = places_key(&new.places);
        let last = self.store.reports().last_on(&new.owner, &places_key, new.id, now).await?;
        let content = self.content(&places, last.as_ref(), now);
        let head = ReportHead {
            id: new.id,
            title: new.title.clone(),
            place_ids: new.places.clone(),
            created_at: now,
            expires_at: now.checked_add(self.reports.lifetime).unwrap_or(Timestamp::MAX),
        };
        let content = serde_json::to_string(&content).map_err(|_| Failure::internal())?;
        self.store.reports().insert(&new.owner, &StoredReport { head: head.clone(), places_key, content }).await?;
        // Of two tries at the same time, one was first; both tell of that one.
        let kept = self.store.reports().find(&new.owner, new.id, now).await?;
        let kept = kept.map_or_else(|| head.clone(), |kept| kept.head);
        let was_there = kept != head;
        Ok(MadeReport::of(kept, was_there))
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

    /// At most `limit` of the owner's reports, newest first: all of them, or those after the one that was made then and
    /// has this id.
    ///
    /// # Errors
    /// What the database's failure means for the caller.
    pub async fn list_reports(
        &self,
        owner: &Principal,
        after: Option<(Timestamp, ReportId)>,
        limit: u32,
    ) -> Result<Vec<MadeReport>, Failure> {
        let page = self.store.reports().page(owner, after, self.clock.now(), limit).await?;
        Ok(page.into_iter().map(|head| MadeReport::of(head, true)).collect())
    }

    /// At most `limit` ids of the owner's reports that begin like this.
    ///
    /// # Errors
    /// What the database's failure means for the caller.
    pub async fn report_ids(&self, owner: &Principal, prefix: &str, limit: u32) -> Result<Vec<String>, Failure> {
        if !prefix.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-')) {
            return Ok(Vec::new());
        }
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

    fn content(&self, places: &[&Located<Place>], last: Option<&StoredReport>, now: Timestamp) -> Content {
        let keeps = self.reports.keep_google_figures;
        let samples: Vec<_> = places.iter().map(|answer| answer.value.reviews.as_slice()).collect();
        let mut content = Content {
            source: places.first().map_or(DataSource::GoogleMaps, |answer| answer.source),
            places: places.iter().map(|answer| PlaceFigures::of(&answer.value, now, keeps)).collect(),
            signals: analysis::across(&samples),
            changes: None,
        };
        content.changes = last.and_then(|last| Changes::since(last, &content));
        content
    }
}

impl MadeReport {
    fn of(head: ReportHead, was_there: bool) -> Self {
        let title = shown_title(&head);
        let ReportHead { id, place_ids: places, created_at, expires_at, .. } = head;
        Self { id, title, places, created_at, expires_at, was_there }
    }
}

/// What the owner called it, safe to show.
fn shown_title(head: &ReportHead) -> String {
    sanitize::line(&head.title, sanitize::NAME_LIMIT).text
}

/// The same for the same places in any order.
fn places_key(places: &[PlaceId]) -> String {
    let mut ids: Vec<&str> = places.iter().map(PlaceId::as_str).collect();
    ids.sort_unstable();
    hex(digest(&SHA256, ids.join("\n").as_bytes()).as_ref())
}
