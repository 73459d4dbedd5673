//! Serves a listener until the process is asked to stop, then gives calls under way their time to finish.

use axum::Router;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Answers requests until `stop` fires and calls under way have ended, or until `drain` is over. Returns whether all
/// calls ended.
pub async fn serve(listener: TcpListener, routes: Router, stop: CancellationToken, drain: Duration) -> bool {
    let serving = axum::serve(listener, routes).with_graceful_shutdown(stop.clone().cancelled_owned());
    tokio::select! {
        served = serving => {
            if let Err(error) = served {
                tracing::error!(%error, "a listener ended");
            }
            true
        }
        () = async { stop.cancelled().await; tokio::time::sleep(drain).await } => {
            tracing::warn!("calls were still under way at the end of the time to drain, and were cut off");
            false
        }
    }
}
