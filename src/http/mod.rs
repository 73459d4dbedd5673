//! The edge: bytes in, bytes out. Knows status codes and no business.
//!
//! The path of a request: a connection is taken (`accept`, `places`), its bytes are watched and timed (`connection`,
//! `wire`, `head`, `body`), it gets a reference (`request_id`), its answer the headers of every answer (`guard`), and its
//! form is checked (`form`), then Host and Origin (`door`). A request to `/mcp` goes on, in this order: limit of the address
//! (`limits`), caller (`authenticate`), size of the body and JSON-RPC (`json_rpc`), permission (`scope`), limit of the caller
//! (`limits`), rmcp. The page for people stands behind the list of Hosts too: what was spent is no business of a web page
//! that has rebound a name. The way to a token is `sign_in`: endpoints for clients and pages for people.

mod accept;
mod address;
mod admission;
mod authenticate;
mod body;
mod connection;
mod cors;
mod door;
mod form;
mod guard;
mod head;
mod health;
mod json_rpc;
mod limits;
mod operations;
mod overview;
mod pages;
mod places;
mod problem;
mod request_id;
mod scan;
mod scope;
mod sign_in;
mod wire;

pub use accept::{Listening, Terms, listen};
pub use admission::Refusal;
pub use connection::Deadlines;
pub use door::Door;
pub use json_rpc::{Message, read as read_message};
pub use limits::Limiter;
pub use operations::routes as operations_routes;
pub use overview::{Overview, Spending};
pub use pages::Home;
pub use sign_in::SignIn;

use crate::{auth::Auth, mcp::Server};
use admission::Admission;
use axum::{
    Router, middleware,
    routing::{MethodRouter, get},
};
use guard::IsHttps;
use http::Method;
use problem::Problem;
use std::{convert::Infallible, sync::Arc};

/// What a request must pass on its way to `/mcp`.
#[derive(Debug)]
pub struct Edge {
    /// Under which names it comes.
    pub door: Door,
    /// How many there may be.
    pub limiter: Limiter,
    /// Who sends it.
    pub auth: Arc<Auth>,
    /// How large it may be, in bytes.
    pub max_request_bytes: usize,
    /// What it asks for.
    pub server: Server,
    /// Where people sign in, if that is here.
    pub sign_in: Option<SignIn>,
}

/// The main listener's routes. `mcp` is the protocol's own service for `/mcp`.
pub fn routes(mcp: MethodRouter<(), Infallible>, edge: Edge, home: Home, overview: Overview) -> Router {
    let Edge { door, limiter, auth, max_request_bytes, server, sign_in } = edge;
    let admission = Arc::new(Admission { limiter, auth: Arc::clone(&auth), max_request_bytes, server });
    // Layers from the inside out: what stands last meets a request first.
    let mcp = Router::new()
        .route("/mcp", mcp)
        .layer(middleware::from_fn_with_state(admission, admission::check))
        .layer(cors::layer(door.origins()))
        .layer(middleware::from_fn(cors::check));
    let metadata = Router::new()
        .route("/.well-known/oauth-protected-resource", get(authenticate::metadata))
        .route("/.well-known/oauth-protected-resource/mcp", get(authenticate::metadata))
        .with_state(auth)
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(cors::for_all(&[Method::GET]));
    let listed = mcp
        .merge(home.route(overview.clone()))
        .merge(pages::assets())
        .fallback(|| async { Problem::not_found() })
        .layer(middleware::from_fn_with_state(door.clone(), door::check));
    let is_https = IsHttps(door.is_https());
    let health = health_routes(overview, &door);
    let sign_in = sign_in.map(sign_in::routes).unwrap_or_default();
    edged(listed.merge(metadata).merge(sign_in).merge(health), is_https)
}

/// The health paths, for whoever watches over this server.
fn health_routes(overview: Overview, door: &Door) -> Router {
    Router::new()
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/startupz", get(health::started))
        .route("/health", get(health::summary))
        .with_state(overview)
        .layer(middleware::from_fn_with_state(door.for_neighbours(), door::check))
}

/// What every request meets first, and every answer last.
fn edged(routes: Router, is_https: IsHttps) -> Router {
    routes
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(middleware::from_fn_with_state(is_https, request_id::set))
}
