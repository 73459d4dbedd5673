//! Fetches what strangers named. The name is looked up once, by the connection that is made: all of its addresses must be
//! public, and the connection goes to one of them. So there is no second look that could find another place, and no
//! connection is kept for a later fetch.

use super::{FetchError, Limits, Network, PublicAddress, client, json_body, special};
use crate::clock::Clock;
use reqwest::{
    Client,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{CACHE_CONTROL, CONTENT_ENCODING, HeaderMap},
};
use std::{error::Error, fmt, net::SocketAddr, sync::Arc};

/// Fetches documents that strangers named.
#[derive(Debug, Clone)]
pub struct Strangers {
    client: Client,
    clock: Clock,
}

/// A document that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// What it is.
    pub body: Vec<u8>,
    /// What its host says of how long it may be kept: `Cache-Control`, in small letters; several with commas between them.
    pub cache_control: String,
}

/// Looks names up, and lets only public addresses through.
struct Guard(Arc<dyn Network>);

/// Why a name was not connected to.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("{0}")]
struct Guarded(FetchError);

impl Strangers {
    /// On this network.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(network: Arc<dyn Network>, clock: Clock) -> Result<Self, reqwest::Error> {
        let builder = match network.authorities() {
            Some(authorities) => client().tls_certs_only(authorities),
            None => client(),
        };
        // What is compressed could be of any size. A connection that is kept would outlive the judgement of its address.
        let builder = builder.https_only(true).no_gzip().pool_max_idle_per_host(0);
        Ok(Self { client: builder.dns_resolver(Guard(network)).build()?, clock })
    }

    /// A JSON document.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn json(&self, address: &PublicAddress, limits: Limits) -> Result<Fetched, FetchError> {
        tokio::select! {
            biased;
            fetched = self.fetch(address, limits.bytes) => fetched,
            () = self.clock.sleep(limits.time) => Err(FetchError::TimedOut),
        }
    }

    async fn fetch(&self, address: &PublicAddress, most: usize) -> Result<Fetched, FetchError> {
        let request = self.client.get(address.url().clone());
        let request = request.header("accept", "application/json").header("accept-encoding", "identity");
        let response = request.send().await.map_err(|error| cause(&error))?;
        let encodings = listed(response.headers(), &CONTENT_ENCODING);
        if response.status() == 200 && !matches!(encodings.as_str(), "" | "identity") {
            return Err(FetchError::Compressed);
        }
        let cache_control = listed(response.headers(), &CACHE_CONTROL);
        Ok(Fetched { body: json_body(response, most).await?, cache_control })
    }
}

/// What the guard said, if it was the guard.
fn cause(error: &reqwest::Error) -> FetchError {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(Guarded(refusal)) = error.downcast_ref() {
            return *refusal;
        }
        source = error.source();
    }
    FetchError::Unreachable
}

/// All values of a header that is a list, in small letters.
fn listed(headers: &HeaderMap, name: &reqwest::header::HeaderName) -> String {
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    values.join(",").to_ascii_lowercase()
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let network = Arc::clone(&self.0);
        Box::pin(async move {
            let found = network.lookup(name.as_str()).await.map_err(|_| Guarded(FetchError::NoName))?;
            if found.is_empty() {
                return Err(Guarded(FetchError::NoName).into());
            }
            // One that is not public makes the whole answer suspect.
            if !found.iter().all(|address| special::is_public(*address)) {
                return Err(Guarded(FetchError::NotPublic).into());
            }
            let places: Vec<SocketAddr> = found.into_iter().map(|address| network.place_of(address)).collect();
            Ok(Box::new(places.into_iter()) as Addrs)
        })
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Guard").field(&self.0).finish()
    }
}
