//! What one tool call cost, for its log line. The ledger travels with the work of a call as its spans do, also into tasks
//! of their own, so that no room has to hand it on.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};
use tracing::{Instrument as _, Span};

tokio::task_local! {
    static CURRENT: Ledger;
}

/// The sums of one call, and the span that its log lines show. Clones share them.
#[derive(Debug, Clone)]
pub struct Ledger {
    sums: Arc<Sums>,
    /// Carried by itself: the current span is one of the trace, which log lines do not show.
    span: Span,
}

#[derive(Debug, Default)]
struct Sums {
    cache_hits: AtomicU32,
    cache_misses: AtomicU32,
    upstream_calls: AtomicU32,
    /// Millionths of a US dollar at list prices.
    cost_micros: AtomicU64,
}

/// What a call cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Values that a tier of the cache had.
    pub cache_hits: u32,
    /// Values that no tier had.
    pub cache_misses: u32,
    /// Requests to Google.
    pub upstream_calls: u32,
    /// US dollars at list prices.
    pub usd: f64,
}

impl Ledger {
    /// Nothing spent yet. Log lines of the call show the fields of `span`.
    pub fn new(span: Span) -> Self {
        Self { sums: Arc::default(), span }
    }

    /// Does work whose cost goes into this ledger.
    pub fn scope<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        CURRENT.scope(self.clone(), work).instrument(self.span.clone())
    }

    /// The sums so far.
    #[expect(clippy::cast_precision_loss, reason = "a call costs cents")]
    pub fn cost(&self) -> Cost {
        Cost {
            cache_hits: self.sums.cache_hits.load(Ordering::Relaxed),
            cache_misses: self.sums.cache_misses.load(Ordering::Relaxed),
            upstream_calls: self.sums.upstream_calls.load(Ordering::Relaxed),
            usd: self.sums.cost_micros.load(Ordering::Relaxed) as f64 / 1_000_000.0,
        }
    }
}

/// Work for a task of its own, under the spans and with the ledger of the call that it is for.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let ledger = current().unwrap_or_else(|| Ledger::new(Span::none()));
    ledger.scope(work.in_current_span())
}

/// A tier of the cache had a value, or the last one had none.
pub(super) fn cache(is_hit: bool) {
    if let Some(Ledger { sums, .. }) = current() {
        let counter = if is_hit { &sums.cache_hits } else { &sums.cache_misses };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Google was asked.
pub(super) fn upstream_call() {
    if let Some(Ledger { sums, .. }) = current() {
        sums.upstream_calls.fetch_add(1, Ordering::Relaxed);
    }
}

/// Google billed this.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "prices are small and positive")]
pub(super) fn billed(usd: f64) {
    if let Some(Ledger { sums, .. }) = current() {
        sums.cost_micros.fetch_add((usd * 1_000_000.0).round() as u64, Ordering::Relaxed);
    }
}

fn current() -> Option<Ledger> {
    CURRENT.try_with(Clone::clone).ok()
}
