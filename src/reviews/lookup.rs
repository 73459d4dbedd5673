//! Finding places: in the cache, or at the upstream, one or several, paid for as a whole.

use super::{Reviews, keys::Lookup};
use crate::{
    clock::Deadline,
    model::{Failure, Language, Located, Place, PlaceId, WhichPlace},
    upstream::{Paid, UpstreamError},
};
use futures_util::future::join_all;
use std::sync::Arc;

/// What was found, shared with the cache.
pub(super) struct Found(Arc<Lookup>);

impl Found {
    /// The place, if there is one.
    pub(super) fn place(&self) -> Result<&Located<Place>, Failure> {
        match &*self.0 {
            Lookup::Found(found) => Ok(found),
            Lookup::Obsolete => Err(UpstreamError::PlaceObsolete.into()),
            Lookup::Unreadable => Err(UpstreamError::PlaceIdInvalid.into()),
        }
    }
}

impl Reviews {
    /// One place.
    pub(super) async fn look_up(&self, which: &WhichPlace, deadline: &Deadline) -> Result<Found, Failure> {
        self.find(which, None, deadline).await
    }

    /// Several places at once, in this order. What the whole costs is set aside before the first request, so that no
    /// call is left half paid for.
    ///
    /// # Errors
    /// A failure of the whole; those of single places are in its result.
    pub(super) async fn look_up_all(
        &self,
        ids: &[PlaceId],
        deadline: &Deadline,
    ) -> Result<Vec<Result<Found, Failure>>, Failure> {
        let which = |id: &PlaceId| WhichPlace { id: id.clone(), language: Language::english(), region: None };
        let wanted: Vec<WhichPlace> = ids.iter().map(which).collect();
        let paid = match self.pay_for(&wanted).await {
            // What Redis has costs nothing; that is worth a question only where the money does not reach.
            Err(UpstreamError::BudgetExhausted { .. }) => {
                join_all(wanted.iter().map(|which| self.cache.fetch(which))).await;
                self.pay_for(&wanted).await?
            }
            paid => paid?,
        };
        let found = wanted.iter().zip(paid).map(|(which, paid)| self.find(which, paid, deadline));
        Ok(join_all(found).await)
    }

    /// Sets aside what those cost that are not in memory.
    async fn pay_for(&self, wanted: &[WhichPlace]) -> Result<Vec<Option<Paid>>, UpstreamError> {
        let is_free: Vec<bool> = wanted.iter().map(|which| self.cache.has(which)).collect();
        let costly = u32::try_from(is_free.iter().filter(|is_free| !**is_free).count()).unwrap_or(u32::MAX);
        let mut paid = if costly == 0 { Vec::new() } else { self.places.pay_for_places(costly).await? };
        Ok(is_free.into_iter().map(|is_free| if is_free { None } else { paid.pop() }).collect())
    }

    async fn find(&self, which: &WhichPlace, paid: Option<Paid>, deadline: &Deadline) -> Result<Found, Failure> {
        let (places, wanted) = (Arc::clone(&self.places), which.clone());
        let load = move |deadline| async move {
            match places.place(&wanted, paid, &deadline).await {
                Ok(found) => Ok(Lookup::Found(Box::new(found))),
                Err(UpstreamError::PlaceObsolete) => Ok(Lookup::Obsolete),
                Err(UpstreamError::PlaceIdInvalid) => Ok(Lookup::Unreadable),
                Err(error) => Err(error.into()),
            }
        };
        Ok(Found(self.cache.get(which, deadline, load).await?))
    }
}
