//! What a request to `/mcp` must pass before the protocol sees it, in this order. Each step is a file of its own; they are
//! called from one place, because each layer of routes that stood around the next would be copied for every request.

use super::{Limiter, authenticate, json_rpc, scope};
use crate::{auth::Auth, mcp::Server, model::Caller};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderValue, header};
use std::sync::Arc;

/// The answer to a request that does not pass.
#[derive(Debug)]
pub struct Refusal(Box<Response>);

impl From<Refusal> for Response {
    fn from(Refusal(answer): Refusal) -> Self {
        *answer
    }
}

impl From<Response> for Refusal {
    fn from(answer: Response) -> Self {
        Self(Box::new(answer))
    }
}

/// What the steps need.
#[derive(Debug)]
pub(super) struct Admission {
    pub(super) limiter: Limiter,
    pub(super) auth: Arc<Auth>,
    pub(super) max_request_bytes: usize,
    pub(super) server: Server,
}

impl Admission {
    async fn admit(&self, mut request: Request) -> Result<Request, Refusal> {
        self.limiter.admit_address(&request)?;
        let caller: Caller = authenticate::caller(&self.auth, request.headers()).await?;
        request = json_rpc::read(request, self.max_request_bytes).await?;
        scope::permit(&self.auth, &self.server, &caller, &request)?;
        self.limiter.admit_caller(&caller).await?;
        request.extensions_mut().insert(caller);
        Ok(request)
    }
}

/// Lets requests through that pass all steps. Answers belong to one caller.
pub(super) async fn check(State(admission): State<Arc<Admission>>, request: Request, next: Next) -> Response {
    let mut response = match admission.admit(request).await {
        Ok(request) => next.run(request).await,
        Err(Refusal(answer)) => *answer,
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Authorization"));
    response
}
