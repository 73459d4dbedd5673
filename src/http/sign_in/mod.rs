//! The way to a token, where people sign in here: endpoints for `clients`, and pages for `people`. What is decided is
//! decided in the room `oauth`; here it is HTTP.

mod clients;
mod people;

use super::{
    Limiter,
    door::{self, Door},
};
use crate::{oauth::AuthorizationServer, telemetry::Metrics};
use axum::{Router, middleware};
use std::sync::Arc;

/// What the endpoints and the pages are served from.
#[derive(Debug)]
pub struct SignIn {
    /// Who decides.
    pub server: AuthorizationServer,
    /// Under which names it is reached.
    pub door: Door,
    /// How often anybody may try.
    pub limiter: Limiter,
    /// Where refusals are counted.
    pub metrics: Metrics,
}

/// The routes. All of them ask for the Host; from where a request may come, each says for itself.
pub(super) fn routes(sign_in: SignIn) -> Router {
    let door = sign_in.door.clone();
    let sign_in = Arc::new(sign_in);
    clients::routes(Arc::clone(&sign_in))
        .merge(people::routes(sign_in))
        .layer(middleware::from_fn_with_state(door, door::check_host))
}
