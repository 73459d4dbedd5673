//! The domain: use cases over places and their reviews. No HTTP, no SQL, no JSON-RPC.
//!
//! Whatever leaves this room is sanitised, attributed and says what it is a sample of.

pub mod analysis;
mod attribution;
pub mod comparison;
mod insight;
mod keys;
mod lookup;
mod page;
mod recent;
pub mod reports;
mod sample;
pub mod sanitize;
mod view;
mod wording;

pub use attribution::Attribution;
pub use insight::{Insight, Quote, ReviewSource};
pub use sample::{RatingFilter, Sample, count};
pub use view::{Detail, MapsText, PlaceDetails, PlaceView, ReviewView, StatusView};
pub use wording::{Citations, analysis_lines};

use crate::{
    cache::Cache,
    clock::{Clock, Deadline},
    config,
    model::{DataSource, Failure, Located, Place, PlaceId, Principal, Search, WhichPlace},
    store::Store,
    upstream::Places,
};
use analysis::Signal;
use comparison::{ComparedPlace, PlaceFacts};
use lookup::Found;
use recent::Recent;
use reports::Unavailable;
use std::sync::Arc;

/// The use cases that the tools and resources call.
#[derive(Debug, Clone)]
pub struct Reviews {
    places: Arc<Places>,
    cache: Cache,
    store: Store,
    reports: config::Reports,
    recent: Recent,
    clock: Clock,
}

/// The answer to a search.
#[derive(Debug)]
pub struct FoundPlaces {
    /// The hits, in the upstream's order.
    pub places: Vec<PlaceView>,
    /// How to get the next page.
    pub next_page_token: Option<String>,
    /// How many hits were left out because they could not be read.
    pub unreadable_places: usize,
    /// Whose data it is.
    pub source: DataSource,
    /// What must be shown with it.
    pub attribution: Attribution,
}

/// One place.
#[derive(Debug)]
pub struct OnePlace {
    /// The place with all its details.
    pub place: PlaceDetails,
    /// Whose data it is.
    pub source: DataSource,
    /// What must be shown with it.
    pub attribution: Attribution,
}

/// The reviews of one place.
#[derive(Debug)]
pub struct PlaceReviews {
    /// The place.
    pub place: PlaceView,
    /// The reviews that pass the filter, in the upstream's order.
    pub reviews: Vec<ReviewView>,
    /// What these reviews are a sample of.
    pub sample: Sample,
    /// How to get the rest, if they are too much for one answer.
    pub next_page_token: Option<String>,
    /// Whose data it is.
    pub source: DataSource,
    /// What must be shown with it.
    pub attribution: Attribution,
}

/// Several places side by side.
#[derive(Debug)]
pub struct Comparison {
    /// Best first.
    pub places: Vec<ComparedPlace>,
    /// What differs, in sentences.
    pub differences: Vec<String>,
    /// What only the places together show.
    pub signals: Vec<Signal>,
    /// Places that could not be compared, and why.
    pub unavailable: Vec<Unavailable>,
    /// Whose data it is.
    pub source: DataSource,
    /// What must be shown with it.
    pub attribution: Attribution,
}

/// Which reviews are wanted, and in which form.
#[derive(Debug, Clone, Copy)]
pub struct Selection {
    /// By stars.
    pub filter: RatingFilter,
    /// At most this many.
    pub limit: usize,
    /// Translated by the upstream, or as written.
    pub translate: bool,
    /// How much of each.
    pub detail: Detail,
}

impl Reviews {
    /// Over this upstream, this cache and this database.
    pub fn new(places: Arc<Places>, cache: Cache, store: Store, reports: config::Reports, clock: Clock) -> Self {
        let recent = Recent::new(clock.clone());
        Self { places, cache, store, reports, recent, clock }
    }

    /// This caller was shown the places with these ids, the first of them the nearest to what was asked for.
    pub fn saw<'a>(&self, caller: &Principal, places: impl IntoIterator<Item = &'a str>) {
        self.recent.note(caller, places);
    }

    /// The ids of places that this caller was shown in the last hour, those that begin so, the latest first.
    pub fn seen_lately(&self, caller: &Principal, prefix: &str) -> Vec<String> {
        self.recent.beginning(caller, prefix)
    }

    /// Finds places by free text.
    ///
    /// # Errors
    /// What the upstream's failure means for the caller.
    pub async fn search(&self, search: &Search, deadline: &Deadline) -> Result<FoundPlaces, Failure> {
        let (places, wanted) = (Arc::clone(&self.places), search.clone());
        let load = move |deadline| async move { Ok(places.search(&wanted, &deadline).await?) };
        let answer = self.cache.get(search, deadline, load).await?;
        let Located { value: page, source, retrieved_at } = &*answer;
        Ok(FoundPlaces {
            places: page.places.iter().map(PlaceView::of).collect(),
            next_page_token: page.next_page_token.clone(),
            unreadable_places: page.unreadable_places,
            source: *source,
            attribution: Attribution::of_search(*source, *retrieved_at, &page.places),
        })
    }

    /// Looks one place up.
    ///
    /// # Errors
    /// What the upstream's failure means for the caller.
    pub async fn place(&self, which: &WhichPlace, deadline: &Deadline) -> Result<OnePlace, Failure> {
        let found = self.look_up(which, deadline).await?;
        let Located { value: place, source, retrieved_at } = found.place()?;
        Ok(OnePlace {
            place: PlaceDetails::of(place),
            source: *source,
            attribution: Attribution::of_place(*source, *retrieved_at, place),
        })
    }

    /// Reads the reviews that the upstream shows of one place, from the page that a token names.
    ///
    /// # Errors
    /// What the upstream's failure means for the caller.
    pub async fn reviews(
        &self,
        which: &WhichPlace,
        selection: Selection,
        page_token: Option<&str>,
        deadline: &Deadline,
    ) -> Result<PlaceReviews, Failure> {
        PlaceReviews::of(self.look_up(which, deadline).await?.place()?, selection, page_token)
    }

    /// Analyses the reviews that the upstream shows of one place.
    ///
    /// # Errors
    /// What the upstream's failure means for the caller.
    pub async fn analyze(&self, which: &WhichPlace, deadline: &Deadline) -> Result<Insight, Failure> {
        Ok(Insight::of(self.look_up(which, deadline).await?.place()?, self.clock.now()))
    }

    /// Compares places. Those that the upstream does not give are named in the answer, as long as two are left.
    ///
    /// # Errors
    /// What the upstream's failure means for the caller.
    pub async fn compare(&self, ids: &[PlaceId], deadline: &Deadline) -> Result<Comparison, Failure> {
        let found = self.look_up_all(ids, deadline).await?;
        let (mut located, mut unavailable, mut failed) = (Vec::new(), Vec::new(), None);
        for (found, id) in found.iter().zip(ids) {
            match found.as_ref().map_err(Clone::clone).and_then(Found::place) {
                Ok(found) => located.push(found),
                Err(failure) => {
                    failed.get_or_insert(failure.clone().about_place(id));
                    unavailable.push(Unavailable::of(id, failure));
                }
            }
        }
        let attribution = Attribution::of_several(&located).filter(|_| failed.is_none() || located.len() > 1);
        match (attribution, located.first()) {
            (Some(attribution), Some(first)) => {
                let now = self.clock.now();
                let analyses: Vec<_> = located.iter().map(|found| insight::analyze(&found.value, now)).collect();
                let facts = located.iter().map(|found| PlaceFacts::of(PlaceView::of(&found.value)));
                let places = comparison::rank(facts.zip(&analyses));
                let samples: Vec<_> = located.iter().map(|found| found.value.reviews.as_slice()).collect();
                Ok(Comparison {
                    differences: comparison::differences(&places),
                    places,
                    signals: analysis::across(&samples),
                    unavailable,
                    source: first.source,
                    attribution,
                })
            }
            _ => Err(failed.unwrap_or_else(Failure::internal)),
        }
    }
}

impl PlaceReviews {
    /// Selects, sanitises and attributes the reviews of a place.
    ///
    /// # Errors
    /// A token of a page that there is not, or not any more.
    pub fn of(answer: &Located<Place>, selection: Selection, page_token: Option<&str>) -> Result<Self, Failure> {
        let Located { value: place, source, retrieved_at } = answer;
        let matching: Vec<_> = place.reviews.iter().filter(|review| selection.filter.admits(review.rating)).collect();
        let wanted = matching.get(..selection.limit).unwrap_or(&matching);
        let start = page::start(page_token, wanted)?;
        let reviews = page::fill(wanted.iter().skip(start).map(|review| ReviewView::of(review, selection)));
        let sample = Sample::of(place, matching.len(), reviews.len(), selection.filter);
        let attribution = Attribution::of_place(*source, *retrieved_at, place).with_reviews(&reviews, selection.filter);
        let next_page_token = page::after(start + reviews.len(), wanted);
        Ok(Self { place: PlaceView::of(place), reviews, sample, next_page_token, source: *source, attribution })
    }
}
