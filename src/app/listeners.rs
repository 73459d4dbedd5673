//! Both listeners, and the order in which they are stopped.

use crate::{
    config::{Config, Server},
    http::{Deadlines, Listening, Terms},
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{net::SocketAddr, time::Duration};
use tokio_util::sync::CancellationToken;

/// Connections of the operations listener: it has few clients, and one that hangs must not take the files of others.
const OPERATIONS_CONNECTIONS: usize = 64;
/// How long requests to the operations listener may take to end.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// Both listeners.
#[derive(Debug)]
pub(super) struct Listeners {
    pub(super) address: SocketAddr,
    pub(super) operations_address: SocketAddr,
    pub(super) main: Listening,
    pub(super) operations: Listening,
    /// From then on the server says that it is not ready, and answers close their connections.
    pub(super) leaving: CancellationToken,
    /// Ends answers that have no end of their own.
    pub(super) streams: CancellationToken,
}

impl Listeners {
    /// Stops in an order that loses no call: first it is told, to whoever balances load, that no more should come; then no
    /// more is taken; then what is under way ends. The operator sees all of it: that listener is stopped last. Returns
    /// whether no call was cut off.
    pub(super) async fn stop(&self, stop_delay: Duration, drain: Duration) -> bool {
        self.leaving.cancel();
        tracing::info!("stopping: /readyz says so, and answers close their connections");
        tokio::time::sleep(stop_delay).await;
        tracing::info!("stopping: no new connections; calls under way may finish");
        let ended = self.main.stop(drain, &self.streams).await;
        self.operations.stop(LAST_LOOK, &CancellationToken::new()).await;
        ended
    }
}

/// On which terms connections are taken. Of the files that the process may open, connections get three quarters at most, so
/// that the database, the cache and Google can be reached however many clients there are.
pub(super) fn terms(config: &Config) -> Terms {
    let Server { header_timeout, body_timeout, write_timeout, .. } = config.server;
    let deadlines = Deadlines { header: header_timeout, body: body_timeout, write: write_timeout };
    let limits = &config.limits;
    if !limits.enabled {
        let exempt = Vec::new();
        return Terms { deadlines, connections: usize::MAX, connections_per_address: usize::MAX, exempt };
    }
    let files =
        getrlimit(Resource::Nofile).current.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
    let connections = limits.connections.min((files / 4 * 3).saturating_sub(OPERATIONS_CONNECTIONS).max(1));
    if connections < limits.connections {
        tracing::warn!(
            connections,
            files,
            "the process may open too few files for limits.connections; raise it with `ulimit -n` or its like"
        );
    }
    let exempt = [config.server.trusted_proxies.as_slice(), &limits.shared_addresses].concat();
    // Where there are fewer than were meant, one address shall not have all of them.
    let is_short = connections < limits.connections;
    let of_address = if is_short { connections.div_ceil(2) } else { usize::MAX };
    let connections_per_address = limits.connections_per_address.min(of_address);
    Terms { deadlines, connections, connections_per_address, exempt }
}

/// The same for the operations listener.
pub(super) fn operations_terms(main: &Terms) -> Terms {
    let connections = main.connections.min(OPERATIONS_CONNECTIONS);
    Terms { connections, connections_per_address: connections, ..main.clone() }
}

/// Lets the process open as many files as it may: the usual limit of 1,024 is from the days of `select`.
pub fn raise_open_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
