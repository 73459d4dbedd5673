//! A socket as the HTTP library gets it: what is read is shown to the watch over heads, a client that does not read its
//! answer is left after a time, and a refusal is not lost because its client was still sending.

use super::head::HeadWatch;
use std::{
    io,
    pin::Pin,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

/// How long, and how much, is still read from a client that was answered before it had sent everything. Without that, the
/// system resets the connection, and the answer may be lost with it.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 4 << 20;

/// What the socket and the requests on it know of one another.
#[derive(Debug)]
pub(super) struct Traffic {
    watch: Mutex<HeadWatch>,
    /// Whether a request was answered before all of it was read.
    is_cut_short: AtomicBool,
    /// Whether a request waits for its answer.
    is_asked: AtomicBool,
    /// Whether bytes wait for the client to read them.
    is_blocked: AtomicBool,
}

impl Traffic {
    pub(super) fn new() -> Self {
        Self {
            watch: Mutex::new(HeadWatch::new()),
            is_cut_short: AtomicBool::new(false),
            is_asked: AtomicBool::new(false),
            is_blocked: AtomicBool::new(false),
        }
    }

    pub(super) fn set_asked(&self, is_asked: bool) {
        self.is_asked.store(is_asked, Ordering::Relaxed);
    }

    /// Whether nothing is under way but the head of another request.
    pub(super) fn is_idle_within_head(&self) -> bool {
        let is_busy = self.is_asked.load(Ordering::Relaxed) || self.is_blocked.load(Ordering::Relaxed);
        !is_busy && self.watch().is_within_head()
    }

    pub(super) fn watch(&self) -> MutexGuard<'_, HeadWatch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request was answered before all of it was read.
    pub(super) fn cut_short(&self) {
        self.is_cut_short.store(true, Ordering::Relaxed);
    }
}

/// The socket of one connection.
pub(super) struct Wire<'a> {
    stream: TcpStream,
    traffic: &'a Traffic,
    write_timeout: Duration,
    /// Runs from the first byte that found no room until all that was written is gone.
    blocked: Option<Pin<Box<Sleep>>>,
    linger: Option<(Pin<Box<Sleep>>, usize)>,
}

impl<'a> Wire<'a> {
    pub(super) fn new(stream: TcpStream, traffic: &'a Traffic, write_timeout: Duration) -> Self {
        Self { stream, traffic, write_timeout, blocked: None, linger: None }
    }

    /// An error if there has been no room for too long.
    fn in_time<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            return written;
        }
        let limit = self.write_timeout;
        self.traffic.is_blocked.store(true, Ordering::Relaxed);
        let deadline = self.blocked.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Reads what still comes, into nothing.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let (deadline, left) = self.linger.get_or_insert_with(|| (Box::pin(sleep(LINGER)), LINGER_BYTES));
        let mut space = [0; 4096];
        while *left > 0 && deadline.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut space);
            let read = ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
            *left = left.saturating_sub(buffer.filled().len());
        }
        Poll::Ready(())
    }
}

impl AsyncRead for Wire<'_> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        this.traffic.watch().see(buffer.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire<'_> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.in_time(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, pieces);
        this.in_time(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Comes when everything has been written.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.blocked.take().is_some() {
            this.traffic.is_blocked.store(false, Ordering::Relaxed);
        }
        Pin::new(&mut this.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        }
        let is_cut_short = this.traffic.is_cut_short.load(Ordering::Relaxed);
        if is_cut_short || this.traffic.watch().is_lost() {
            ready!(this.poll_linger(context));
        }
        Poll::Ready(Ok(()))
    }
}
