//! Side room: a real HTTP server that speaks the wire format of Google's Places API (New), with invented data and
//! faults that can be switched on. It serves the demo, the tests, and whoever develops without a key.
//!
//! It knows nothing of the `google` room: a misspelling shared by both sides would go unnoticed.

mod answer;
mod catalogue;
mod control;
mod errors;
mod faults;
mod keys;
mod localize;
mod mask;
mod quota;
mod requests;
mod search;
mod server;

pub use keys::DEMO_KEY;

use crate::{clock::Clock, tasks::Tasks};
use catalogue::Catalogue;
use faults::Faults;
use quota::Quotas;
use requests::RequestLog;
use std::{io, net::SocketAddr, sync::Arc};
use tokio::net::TcpListener;

/// A running emulator. It stops with the [`Tasks`] that it was started in.
#[derive(Debug)]
pub struct Emulator {
    address: SocketAddr,
}

impl Emulator {
    /// Starts on `listen`; port 0 takes any free one.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(listen: SocketAddr, clock: Clock, tasks: &Tasks) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            catalogue: Catalogue::load(),
            faults: Faults::new(clock.clone()),
            quotas: Quotas::new(clock.clone()),
            requests: RequestLog::new(clock.clone()),
            clock,
        });
        let stopping = tasks.stopping();
        tasks.spawn(async move {
            let served = axum::serve(listener, server::routes(state)).with_graceful_shutdown(stopping.clone().cancelled_owned());
            // A body without end would keep the graceful stop waiting for ever.
            tokio::select! {
                _ = served => {}
                () = async { stopping.cancelled().await; tokio::time::sleep(std::time::Duration::from_millis(200)).await } => {}
            }
        });
        Ok(Self { address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The origin to give to `google.places_url`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// All that the emulator remembers.
#[derive(Debug)]
struct State {
    catalogue: Catalogue,
    faults: Faults,
    quotas: Quotas,
    requests: RequestLog,
    clock: Clock,
}
