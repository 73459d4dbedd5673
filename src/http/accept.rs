//! Takes connections, within what the settings allow, and ends them in order when the process is asked to stop.

use super::{
    connection::{Connections, Deadlines, Signals},
    places::Places,
    problem,
};
use crate::tasks::Tasks;
use axum::Router;
use ipnet::IpNet;
use std::{
    io::{ErrorKind, Write as _},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, timeout_at},
};
use tokio_util::sync::CancellationToken;

/// After the system refused to give a connection, because no more files may be open or memory is short.
const BACK_OFF: Duration = Duration::from_secs(1);
/// Between two looks at whether all calls have their answer.
const LOOK: Duration = Duration::from_millis(10);
/// How long connections may take to end once they are told to, before they are dropped.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// On which terms connections are taken.
#[derive(Debug, Clone)]
pub struct Terms {
    /// How long parts of a request and of its answer may take.
    pub deadlines: Deadlines,
    /// How many connections there may be at once.
    pub connections: usize,
    /// How many of them may come from one address.
    pub connections_per_address: usize,
    /// Of these addresses any number may come.
    pub exempt: Vec<IpNet>,
}

/// A listener that is served.
#[derive(Debug)]
pub struct Listening {
    tasks: Tasks,
    places: Places,
    connections: Arc<Connections>,
}

/// Serves `listener` from now on. Once `leaving` has fired, every answer closes its connection.
pub fn listen(listener: TcpListener, routes: Router, terms: Terms, leaving: CancellationToken) -> Listening {
    let tasks = Tasks::new();
    let signals = Signals { leaving, closing: tasks.stopping(), cut: CancellationToken::new() };
    let connections = Arc::new(Connections::new(routes, terms.deadlines, signals));
    let places = Places::new(terms.connections, terms.connections_per_address, terms.exempt);
    let door = Doorkeeper {
        connections: Arc::clone(&connections),
        places: places.clone(),
        tasks: tasks.clone(),
        refusal: problem::no_connection(),
    };
    tasks.spawn(async move { door.keep(listener).await });
    Listening { tasks, places, connections }
}

impl Listening {
    /// What tells how many connections there are.
    pub fn taken(&self) -> impl Fn() -> usize + Send + Sync + 'static {
        let places = self.places.clone();
        move || places.taken()
    }

    /// What tells how many connections were refused, by reason.
    pub fn refused(&self) -> impl Fn() -> [(&'static str, u64); 2] + Send + Sync + 'static {
        let places = self.places.clone();
        move || places.refused()
    }

    /// Stops: takes no new connections, closes those on which nothing is asked, and gives the others until the end of
    /// `drain`. When all calls have their answer and no connection can bring another, or at that end, `streams` fires, so
    /// that answers without end come to one; what then remains is cut off. Returns whether nothing had to be.
    pub async fn stop(&self, drain: Duration, streams: &CancellationToken) -> bool {
        let end = Instant::now() + drain;
        self.tasks.stopping().cancel();
        let are_answered = timeout_at(end, self.all_answered()).await.is_ok();
        streams.cancel();
        // What was answered may still be on its way to clients.
        let rest = if are_answered { end.duration_since(Instant::now()) } else { Duration::ZERO };
        let connections = self.places.taken();
        if self.tasks.stop(rest.max(LAST_MOMENT)).await && are_answered {
            return true;
        }
        tracing::warn!(connections, "calls were still under way at the end of the time to drain, and were cut off");
        self.connections.signals.cut.cancel();
        self.tasks.stop(LAST_MOMENT).await;
        false
    }

    async fn all_answered(&self) {
        while self.connections.unsettled() > 0 {
            sleep(LOOK).await;
        }
    }
}

/// Decides who gets a connection.
struct Doorkeeper {
    connections: Arc<Connections>,
    places: Places,
    tasks: Tasks,
    /// What those are told who get none.
    refusal: Vec<u8>,
}

impl Doorkeeper {
    /// Takes connections until the process is asked to stop; the listener is closed then.
    async fn keep(self, listener: TcpListener) {
        let closing = self.connections.signals.closing.clone();
        while let Some(accepted) = closing.run_until_cancelled(listener.accept()).await {
            match accepted {
                Ok((stream, peer)) => self.take(stream, peer),
                // It was gone before it was taken.
                Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
                Err(error) => {
                    tracing::warn!(%error, "no connection can be taken for a second");
                    closing.run_until_cancelled(sleep(BACK_OFF)).await;
                }
            }
        }
    }

    fn take(&self, stream: TcpStream, peer: std::net::SocketAddr) {
        let Ok(place) = self.places.take(peer.ip()) else { return self.refuse(stream) };
        // Answers are written whole, so there is nothing to wait for.
        let _ = stream.set_nodelay(true);
        let (connections, taken) = (Arc::clone(&self.connections), self.connections.taken());
        self.tasks.spawn(async move {
            connections.serve(stream, peer, taken).await;
            drop(place);
        });
    }

    /// Says why and hangs up, at once: whoever waits to be read takes no part of what is left.
    fn refuse(&self, stream: TcpStream) {
        if let Ok(mut stream) = stream.into_std() {
            let _ = stream.write(&self.refusal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{http::StatusCode, routing::get};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    /// Requests that arrive in the very moment of the stop are answered as ever or not at all, and never with the end of
    /// what they would have needed.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_is_read_at_the_stop_is_answered_before_streams_end() {
        for _ in 0..300 {
            let streams = CancellationToken::new();
            let ended = streams.clone();
            let status = move || async move {
                tokio::task::yield_now().await;
                if ended.is_cancelled() { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::NO_CONTENT }
            };
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let minute = Duration::from_mins(1);
            let terms = Terms {
                deadlines: Deadlines { header: minute, body: minute, write: minute },
                connections: 10,
                connections_per_address: 10,
                exempt: Vec::new(),
            };
            let listening = listen(listener, Router::new().route("/", get(status)), terms, CancellationToken::new());
            let mut client = TcpStream::connect(address).await.unwrap();
            let mut answer = [0; 1_024];
            client.write_all(REQUEST).await.unwrap();
            let _ = client.read(&mut answer).await.unwrap();
            let mut said = Vec::new();
            let asks = async {
                let _ = client.write_all(REQUEST).await;
                let _ = client.read_to_end(&mut said).await;
            };
            let (has_stopped, ()) = tokio::join!(listening.stop(minute, &streams), asks);
            let said = String::from_utf8(said).unwrap();
            assert!(has_stopped);
            assert!(said.is_empty() || said.starts_with("HTTP/1.1 204"), "{said}");
        }
    }
}
