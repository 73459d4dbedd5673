//! One connection: its deadlines, what its requests are told of it, and its end.

use super::{
    body::Arriving,
    wire::{Traffic, Wire},
};
use axum::{Router, body::Body, extract::ConnectInfo};
use http::{HeaderValue, Request, Response, header};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// The largest head of a request, in bytes, and the most that is buffered for one connection in each direction.
const HEAD_BYTES: usize = 65_536;

/// How long parts of a request and of its answer may take.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// The head of a request, and the time between two requests.
    pub header: Duration,
    /// The body of a request, as a whole.
    pub body: Duration,
    /// How long a client may leave an answer unread.
    pub write: Duration,
}

/// What all connections of a listener have in common.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    routes: Router,
    builder: http1::Builder,
    deadlines: Deadlines,
    pub(super) signals: Signals,
    unsettled: Arc<AtomicUsize>,
}

/// The steps of a stop.
#[derive(Debug, Clone)]
pub(super) struct Signals {
    /// Answers close their connections.
    pub(super) leaving: CancellationToken,
    /// Connections on which nothing is asked are closed.
    pub(super) closing: CancellationToken,
    /// What is still open is cut off.
    pub(super) cut: CancellationToken,
}

impl Connections {
    pub(super) fn new(routes: Router, deadlines: Deadlines, signals: Signals) -> Self {
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(deadlines.header);
        builder.max_buf_size(HEAD_BYTES).max_header_size(HEAD_BYTES);
        Self { routes, builder, deadlines, signals, unsettled: Arc::default() }
    }

    /// How many connections may still bring a request, and how many requests wait for their answer.
    pub(super) fn unsettled(&self) -> usize {
        self.unsettled.load(Ordering::Acquire)
    }

    /// A connection that was taken, and may bring requests.
    pub(super) fn taken(&self) -> Unsettled {
        Unsettled::new(&self.unsettled)
    }

    /// Serves a connection to its end.
    pub(super) async fn serve(&self, stream: TcpStream, peer: SocketAddr, taken: Unsettled) {
        let traffic = Traffic::new();
        let wire = TokioIo::new(Wire::new(stream, &traffic, self.deadlines.write));
        let on_wire = &traffic;
        let service = service_fn(move |request| self.answer(request, peer, on_wire));
        let mut connection = pin!(self.builder.serve_connection(wire, service));
        // Errors are the client's: what it broke, it knows.
        tokio::select! {
            // First, so that a request that has arrived is read before its connection is found idle.
            biased;
            _ = connection.as_mut() => return,
            () = self.signals.closing.cancelled() => {}
        }
        // A head that has only begun to arrive is not waited for.
        if traffic.is_idle_within_head() {
            return;
        }
        connection.as_mut().graceful_shutdown();
        // From here on it brings no other request.
        drop(taken);
        tokio::select! {
            _ = connection => {}
            () = self.signals.cut.cancelled() => {}
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        traffic: &Traffic,
    ) -> Result<Response<Body>, Infallible> {
        let _asked = Asked::new(&self.unsettled, traffic);
        let fault = traffic.watch().verdict();
        // Where chunks end is not watched, so nothing may follow them.
        let is_last = fault.is_some() || request.headers().contains_key(header::TRANSFER_ENCODING);
        let (parts, body) = request.into_parts();
        let (body, end) = Arriving::new(body, self.deadlines.body);
        let mut request = Request::from_parts(parts, Body::new(body));
        request.extensions_mut().insert(ConnectInfo(peer));
        if let Some(fault) = fault {
            request.extensions_mut().insert(fault);
        }
        let mut response = TowerToHyperService::new(self.routes.clone()).call(request).await?;
        if !end.is_reached() || fault.is_some() {
            traffic.cut_short();
        }
        if is_last || !end.is_reached() || self.signals.leaving.is_cancelled() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }
}

/// Counts what a stop waits for, until it is dropped.
#[derive(Debug)]
pub(super) struct Unsettled(Arc<AtomicUsize>);

impl Unsettled {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(count))
    }
}

impl Drop for Unsettled {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A request that waits for its answer; it ends also when its connection ends before that.
struct Asked<'a> {
    _waits: Unsettled,
    traffic: &'a Traffic,
}

impl<'a> Asked<'a> {
    fn new(unsettled: &Arc<AtomicUsize>, traffic: &'a Traffic) -> Self {
        traffic.set_asked(true);
        Self { _waits: Unsettled::new(unsettled), traffic }
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.traffic.set_asked(false);
    }
}
