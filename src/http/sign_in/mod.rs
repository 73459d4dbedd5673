//! The way to a token, where people sign in here: endpoints for `clients`, and pages for `people`. What is decided is
//! decided in the room `oauth`; here it is HTTP.

mod clients;
mod people;

use super::{
    Limiter,
    door::{self, Door},
};
use crate::{oauth::AuthorizationServer, telemetry::Metrics};
use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
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

/// The routes. All of them ask for the Host, and are limited by address; from where a request may come, each says for itself.
pub(super) fn routes(sign_in: SignIn) -> Router {
    let (door, limiter) = (sign_in.door.clone(), sign_in.limiter.clone());
    let sign_in = Arc::new(sign_in);
    let admit = middleware::from_fn_with_state(limiter, admit);
    // A page of another site, too, reads that it has to wait.
    let clients = clients::routes(Arc::clone(&sign_in)).layer(admit.clone()).layer(clients::cors());
    clients.merge(people::routes(sign_in).layer(admit)).layer(middleware::from_fn_with_state(door, door::check_host))
}

async fn admit(State(limiter): State<Limiter>, request: Request, next: Next) -> Response {
    match limiter.admit_address(&request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into(),
    }
}
