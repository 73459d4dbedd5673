//! Bodies of requests: within a time, within a size, and known for whether they were read to their end.

use super::problem::Problem;
use axum::body::Body;
use futures_util::StreamExt as _;
use http::StatusCode;
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use std::{
    error::Error,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Sleep, sleep};

/// The body did not arrive within its time.
#[derive(Debug, thiserror::Error)]
#[error("the body did not arrive in time")]
struct TooSlow;

/// Whether a body was read to its end.
#[derive(Debug, Clone)]
pub(super) struct End(Arc<AtomicBool>);

impl End {
    pub(super) fn is_reached(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A body on its way from the client.
#[derive(Debug)]
pub(super) struct Arriving {
    body: Incoming,
    limit: Duration,
    /// Runs from the first time that the body is waited for.
    deadline: Option<Pin<Box<Sleep>>>,
    end: End,
}

impl Arriving {
    /// All of it must arrive within `limit`.
    pub(super) fn new(body: Incoming, limit: Duration) -> (Self, End) {
        let end = End(Arc::new(AtomicBool::new(body.is_end_stream())));
        (Self { body, limit, deadline: None, end: end.clone() }, end)
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            let limit = self.limit;
            let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(limit)));
            ready!(deadline.as_mut().poll(context));
            return Poll::Ready(Some(Err(TooSlow.into())));
        };
        if frame.is_none() || self.body.is_end_stream() {
            self.end.0.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Reads a whole body. One that says itself that it is larger than `limit` is not read at all, so that a client that
/// waits to be asked for it is not asked.
pub(super) async fn read(body: Body, limit: usize) -> Result<Bytes, Problem> {
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large(limit));
    }
    let mut pieces = body.into_data_stream();
    let mut whole = Vec::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| broken(&error))?;
        if whole.len() + piece.len() > limit {
            return Err(too_large(limit));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.into())
}

fn too_large(limit: usize) -> Problem {
    let detail = format!("The body is larger than {limit} bytes.");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", detail)
}

fn broken(error: &axum::Error) -> Problem {
    let mut causes = std::iter::successors(Some::<&(dyn Error + 'static)>(error), |error| (*error).source());
    if causes.any(<dyn Error>::is::<TooSlow>) {
        let detail = "The body did not arrive in time. Send the request again, at once and whole.";
        return Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", detail);
    }
    let detail = "The body broke off, or its chunks are not well formed.";
    Problem::new(StatusCode::BAD_REQUEST, "bad_body", detail)
}
