//! The edge: bytes in, bytes out. Knows status codes and no business.
//!
//! The path of a request: a connection is taken (`accept`, `places`), its bytes are watched and timed (`connection`,
//! `wire`, `head`, `body`), it gets a reference (`request_id`), its answer the headers of every answer (`guard`), and its
//! form is checked (`form`), then Host and Origin (`door`). A request to `/mcp` goes on to the size of its body, JSON-RPC
//! (`json_rpc`), and rmcp.

mod accept;
mod body;
mod connection;
mod door;
mod form;
mod guard;
mod head;
mod health;
mod json_rpc;
mod operations;
mod places;
mod problem;
mod request_id;
mod scan;
mod wire;

pub use accept::{Listening, Terms, listen};
pub use connection::Deadlines;
pub use door::Door;
pub use health::Readiness;
pub use operations::routes as operations_routes;

use crate::model::Principal;
use axum::{
    Extension, Router, middleware,
    response::Response,
    routing::{MethodRouter, get},
};
use guard::IsHttps;
use http::{HeaderValue, header};
use problem::Problem;
use std::convert::Infallible;

/// The main listener's routes. `mcp` is the protocol's own service for `/mcp`.
///
/// `caller` is who calls, as long as there is no sign-in.
pub fn routes(
    mcp: MethodRouter<(), Infallible>,
    (door, caller): (Door, Principal),
    max_request_bytes: usize,
    readiness: Readiness,
) -> Router {
    // Layers from the inside out: what stands last meets a request first.
    let mcp = Router::new()
        .route("/mcp", mcp)
        .layer(Extension(caller))
        .layer(middleware::from_fn_with_state(json_rpc::Limit(max_request_bytes), json_rpc::check))
        // Here: who calls (401 before any of the body is read), and before that: how often an address may ask.
        .layer(middleware::map_response(never_stored));
    let listed = mcp
        .fallback(|| async { Problem::not_found() })
        .layer(middleware::from_fn_with_state(door.clone(), door::check));
    let is_https = IsHttps(door.is_https());
    let health = health_routes(readiness, &door);
    edged(listed.merge(health), is_https)
}

/// The health paths, for whoever watches over this server.
fn health_routes(readiness: Readiness, door: &Door) -> Router {
    Router::new()
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/startupz", get(health::started))
        .route("/health", get(health::summary))
        .with_state(readiness)
        .layer(middleware::from_fn_with_state(door.for_neighbours(), door::check))
}

/// What every request meets first, and every answer last.
fn edged(routes: Router, is_https: IsHttps) -> Router {
    routes
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(middleware::from_fn(form::check))
        .layer(middleware::from_fn_with_state(is_https, guard::set))
        .layer(middleware::from_fn(request_id::set))
}

/// Answers to calls belong to one caller and one moment.
async fn never_stored(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("Authorization"));
    response
}
