//! Clients that describe themselves: the id of such a client is the address of its description, so nobody registers
//! anything. A description is fetched when a client asks for a person's agreement, and at no other time: it goes with the
//! request through the person's browser, sealed, and what they agree to is kept as for every client.
//!
//! Whoever sends a request names the address, so the fetch is guarded (`outbound`), limited, one at a time for each
//! address, and its result kept for a while; a failure never. Why it failed is told to the operator alone: what is behind
//! an address is nobody else's affair.
//!
//! Source: draft-ietf-oauth-client-id-metadata-document.

mod description;
mod freshness;
mod known;

pub(super) use description::Description;

use crate::{
    clock::Clock,
    outbound::{FetchError, Limits, PublicAddress, Strangers},
    tasks::Tasks,
};
use description::Flaw;
use freshness::{LONGEST, lifetime};
use futures_util::{FutureExt as _, future::Shared};
use moka::sync::Cache;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;
use url::Url;

/// Source: the draft's §6.6 names 5 kilobytes.
const LIMITS: Limits = Limits { time: Duration::from_secs(5), bytes: 5 * 1024 };
/// Descriptions that are kept: some megabytes at most.
const MOST_KEPT: u64 = 1_000;
/// Fetches at once, whoever causes them.
const MOST_FLIGHTS: usize = 64;

/// Which of these clients are taken.
#[derive(Debug, Clone)]
pub struct DocumentRules {
    /// Whether any.
    pub enabled: bool,
    /// The hosts of their descriptions; none: all.
    pub hosts: Vec<String>,
}

/// All descriptions.
#[derive(Debug)]
pub(super) struct Documents(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    rules: DocumentRules,
    /// This server's own, which would ask itself.
    own_host: String,
    strangers: Strangers,
    kept: Cache<String, Kept>,
    flights: Mutex<HashMap<String, Flight>>,
    tasks: Tasks,
    clock: Clock,
}

#[derive(Debug, Clone)]
struct Kept {
    description: Arc<Description>,
    /// On the steady clock.
    until: Duration,
}

/// A fetch under way; nothing if there is no description at its end.
type Flight = Shared<oneshot::Receiver<Option<Arc<Description>>>>;

/// Where a description comes from.
enum Boarding {
    Kept(Arc<Description>),
    Fetch(Flight),
}

/// Why there is no description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotDescribed {
    /// No address that is fetched, or nothing there that can be used. Which of these, nobody outside is told.
    Unusable,
    /// Whoever asks has caused too many fetches.
    TooMany(Duration),
    /// There are too many fetches at this moment.
    Busy,
}

/// Why a document is not used, in words for the operator.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("{0}")]
    Fetch(FetchError),
    #[error("{0}")]
    Flaw(Flaw),
}

/// Whether the id of a client is an address; all others are of clients that registered.
pub(super) fn is_address(client_id: &str) -> bool {
    client_id.starts_with("https://")
}

/// The host that answers for a client, if its id is an address.
pub(super) fn host(client_id: &str) -> Option<String> {
    PublicAddress::parse(client_id).map(|address| address.host().to_owned())
}

impl Documents {
    /// Of the server that is called `issuer`.
    pub(super) fn new(rules: DocumentRules, issuer: &str, strangers: Strangers, tasks: Tasks, clock: Clock) -> Self {
        let own_host = Url::parse(issuer).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        let kept = Cache::builder().max_capacity(MOST_KEPT).time_to_live(LONGEST).build();
        Self(Arc::new(Inner { rules, own_host, strangers, kept, flights: Mutex::default(), tasks, clock }))
    }

    /// Whether such clients are taken at all.
    pub(super) fn are_taken(&self) -> bool {
        self.0.rules.enabled
    }

    /// The description at this address; it is fetched if `admit` does not say how long to wait first.
    pub(super) async fn find(
        &self,
        client_id: &str,
        admit: impl FnOnce() -> Option<Duration>,
    ) -> Result<Arc<Description>, NotDescribed> {
        let Some(address) = self.0.permitted(client_id) else {
            tracing::info!(
                "a client is refused: its id is no address that is fetched, or of a host that is not allowed"
            );
            return Err(NotDescribed::Unusable);
        };
        let found = match self.0.board(address, admit) {
            Ok(Boarding::Kept(description)) => Ok(description),
            Ok(Boarding::Fetch(flight)) => flight.await.ok().flatten().ok_or(NotDescribed::Unusable),
            Err(why) => Err(why),
        };
        // Also where it may not be fetched now: what is known needs no fetch.
        found.or_else(|why| known::copy(client_id).map(|copy| Arc::new(copy.clone())).ok_or(why))
    }
}

impl Inner {
    /// The address, if it is one that may be asked.
    fn permitted(&self, client_id: &str) -> Option<PublicAddress> {
        let DocumentRules { enabled, hosts } = &self.rules;
        let address = PublicAddress::parse(client_id).filter(|address| address.host() != self.own_host)?;
        let is_allowed = hosts.is_empty() || hosts.iter().any(|host| host == address.host());
        (*enabled && is_allowed).then_some(address)
    }

    /// What is kept, or the fetch that is under way, or a new one.
    fn board(
        self: &Arc<Self>,
        address: PublicAddress,
        admit: impl FnOnce() -> Option<Duration>,
    ) -> Result<Boarding, NotDescribed> {
        let mut flights = self.flights();
        // What a flight brought is kept before it leaves the list, so under the lock this look cannot miss it.
        if let Some(kept) = self.kept.get(address.as_str()).filter(|kept| self.clock.elapsed() < kept.until) {
            return Ok(Boarding::Kept(kept.description));
        }
        if let Some(flight) = flights.get(address.as_str()) {
            return Ok(Boarding::Fetch(flight.clone()));
        }
        if flights.len() >= MOST_FLIGHTS {
            return Err(NotDescribed::Busy);
        }
        if let Some(wait) = admit() {
            return Err(NotDescribed::TooMany(wait));
        }
        let (sender, receiver) = oneshot::channel();
        let flight = receiver.shared();
        flights.insert(address.as_str().to_owned(), flight.clone());
        // In a task of its own: whoever leaves must not take with them what others wait for.
        let inner = Arc::clone(self);
        self.tasks.spawn(async move {
            let landing = Landing { inner: Arc::clone(&inner), address };
            let description = inner.fetched(&landing.address).await;
            drop(landing);
            let _ = sender.send(description);
        });
        Ok(Boarding::Fetch(flight))
    }

    /// What is at this address now, and for how long it is kept.
    async fn fetched(&self, address: &PublicAddress) -> Option<Arc<Description>> {
        let fetched = match self.strangers.json(address, LIMITS).await {
            Ok(fetched) => Description::read(&fetched.body, address)
                .map(|description| (description, lifetime(&fetched.cache_control)))
                .map_err(Trouble::Flaw),
            Err(error) => Err(Trouble::Fetch(error)),
        };
        match fetched {
            Ok((description, lifetime)) => {
                let description = Arc::new(description);
                let kept = Kept { description: Arc::clone(&description), until: self.clock.elapsed() + lifetime };
                self.kept.insert(address.as_str().to_owned(), kept);
                Some(description)
            }
            Err(trouble) => {
                let has_copy = known::copy(address.as_str()).is_some();
                tracing::warn!(host = address.host(), cause = %trouble, has_copy, "a client's description cannot be used");
                None
            }
        }
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<String, Flight>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a flight off the list however it ends.
struct Landing {
    inner: Arc<Inner>,
    address: PublicAddress,
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.inner.flights().remove(self.address.as_str());
    }
}
