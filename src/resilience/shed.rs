//! Load shedding: so many at once, so many waiting for a moment, and a clear no to the rest.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The longest that a call waits for its turn.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// A limit on what is under way at once. Clones share it.
#[derive(Debug, Clone)]
pub struct Shed {
    places: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    queue: usize,
}

/// Too much is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

impl Shed {
    /// So many at once, and so many in the queue.
    pub fn new(at_once: usize, queue: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(at_once)), waiting: Arc::default(), queue }
    }

    /// Waits for a place, but not long, and not behind many.
    ///
    /// # Errors
    /// [`Full`] when the queue is full, at once, or when no place became free within a second.
    pub async fn enter(&self) -> Result<OwnedSemaphorePermit, Full> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let _waiting = Waiting::join(&self.waiting, self.queue)?;
        let place = tokio::time::timeout(LONGEST_WAIT, Arc::clone(&self.places).acquire_owned()).await;
        place.map_err(|_| Full)?.map_err(|_| Full)
    }
}

/// A place in the queue, left when it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn join(waiting: &'a AtomicUsize, most: usize) -> Result<Self, Full> {
        let joined = Self(waiting);
        if waiting.fetch_add(1, Ordering::AcqRel) < most { Ok(joined) } else { Err(Full) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn beyond_the_queue_the_answer_is_no_at_once() {
        let shed = Shed::new(1, 1);
        let inside = shed.enter().await.expect("a place");
        let second = async {
            while shed.waiting.load(Ordering::Acquire) == 0 {
                tokio::task::yield_now().await;
            }
            assert_eq!(shed.enter().await.expect_err("full"), Full);
            drop(inside);
        };
        let (queued, ()) = tokio::join!(shed.enter(), second);
        assert!(queued.is_ok());
        assert_eq!(shed.waiting.load(Ordering::Acquire), 0);
    }
}
