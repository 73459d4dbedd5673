//! The domain: use cases over places and their reviews. No HTTP, no SQL, no JSON-RPC.
//!
//! Whatever leaves this room is sanitised, attributed and says what it is a sample of.

pub mod analysis;
mod attribution;
mod keys;
mod sample;
pub mod sanitize;
mod view;

pub use attribution::Attribution;
pub use sample::{RatingFilter, Sample, count};
pub use view::{Detail, MapsText, PlaceDetails, PlaceView, ReviewView, StatusView};

use crate::{
    cache::Cache,
    clock::Deadline,
    google::{GoogleError, Places},
    model::{DataSource, Failure, Language, Located, Place, PlaceId, Region, Search},
};
use keys::Lookup;
use std::sync::Arc;

/// The use cases that the tools call.
#[derive(Debug, Clone)]
pub struct Reviews {
    places: Arc<Places>,
    cache: Cache,
}

/// Which place, and in whose language.
#[derive(Debug, Clone)]
pub struct WhichPlace {
    /// Its id.
    pub id: PlaceId,
    /// The language of the answer.
    pub language: Language,
    /// The region whose habits format addresses.
    pub region: Option<Region>,
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
    /// Over this upstream and this cache.
    pub fn new(places: Arc<Places>, cache: Cache) -> Self {
        Self { places, cache }
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
        self.look_up(which, deadline, |Located { value: place, source, retrieved_at }| OnePlace {
            place: PlaceDetails::of(place),
            source: *source,
            attribution: Attribution::of_place(*source, *retrieved_at, place),
        })
        .await
    }

    /// Reads the reviews that the upstream shows of one place.
    ///
    /// # Errors
    /// What the upstream's failure means for the caller.
    pub async fn reviews(
        &self,
        which: &WhichPlace,
        selection: Selection,
        deadline: &Deadline,
    ) -> Result<PlaceReviews, Failure> {
        self.look_up(which, deadline, |found| PlaceReviews::of(found, selection)).await
    }

    /// Finds a place in the cache or at the upstream, and shows it.
    async fn look_up<R>(
        &self,
        which: &WhichPlace,
        deadline: &Deadline,
        show: impl FnOnce(&Located<Place>) -> R,
    ) -> Result<R, Failure> {
        let (places, wanted) = (Arc::clone(&self.places), which.clone());
        let load = move |deadline| async move {
            match places.place(&wanted.id, &wanted.language, wanted.region.as_ref(), &deadline).await {
                Ok(found) => Ok(Lookup::Found(Box::new(found))),
                Err(GoogleError::PlaceObsolete) => Ok(Lookup::Obsolete),
                Err(GoogleError::PlaceIdInvalid) => Ok(Lookup::Unreadable),
                Err(error) => Err(error.into()),
            }
        };
        match &*self.cache.get(which, deadline, load).await? {
            Lookup::Found(found) => Ok(show(found)),
            Lookup::Obsolete => Err(GoogleError::PlaceObsolete.into()),
            Lookup::Unreadable => Err(GoogleError::PlaceIdInvalid.into()),
        }
    }
}

impl PlaceReviews {
    /// Selects, sanitises and attributes the reviews of a place.
    pub fn of(answer: &Located<Place>, selection: Selection) -> Self {
        let Located { value: place, source, retrieved_at } = answer;
        let matching = || place.reviews.iter().filter(|review| selection.filter.admits(review.rating));
        let reviews: Vec<_> =
            matching().take(selection.limit).map(|review| ReviewView::of(review, selection)).collect();
        let sample = Sample::of(place, matching().count(), reviews.len(), selection.filter);
        let attribution = Attribution::of_place(*source, *retrieved_at, place).with_reviews(&reviews, selection.filter);
        Self { place: PlaceView::of(place), reviews, sample, source: *source, attribution }
    }
}
