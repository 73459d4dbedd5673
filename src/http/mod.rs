//! The edge: bytes in, bytes out. Knows status codes and no business.
//!
//! The path of a request to `/mcp`, in this order: request id, Host and Origin, size of the body, JSON-RPC, rmcp. The page
//! for people stands behind the list of Hosts too: what was spent is no business of a web page that has rebound a name.

mod door;
mod health;
mod json_rpc;
mod operations;
mod overview;
mod pages;
mod problem;
mod request_id;
mod scan;
mod serve;

pub use door::Door;
pub use operations::routes as operations_routes;
pub use overview::{Overview, Spending};
pub use pages::Home;
pub use serve::serve;

use crate::model::Principal;
use axum::{
    Extension, Router, middleware,
    response::Response,
    routing::{MethodRouter, get},
};
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
    home: Home,
    overview: Overview,
) -> Router {
    let mcp = Router::new()
        .route("/mcp", mcp)
        .layer(Extension(caller))
        .layer(middleware::from_fn_with_state(json_rpc::Limit(max_request_bytes), json_rpc::check))
        .layer(middleware::from_fn_with_state(door.clone(), door::check))
        .layer(middleware::map_response(never_stored));
    let pages =
        home.route(overview.clone()).merge(pages::assets()).layer(middleware::from_fn_with_state(door, door::check));
    let health = Router::new()
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/startupz", get(health::started))
        .route("/health", get(health::summary))
        .with_state(overview);
    mcp.merge(pages)
        .merge(health)
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(middleware::from_fn(request_id::set))
}

/// Answers to calls belong to one caller and one moment.
async fn never_stored(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("Authorization"));
    response
}
