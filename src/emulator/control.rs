//! The control API: faults, quotas, and the log of requests, as JSON below `/_emulator`.

use super::{State, faults::Switch, quota::Limits, requests::SeenRequest};
use axum::{
    Json, Router,
    extract::State as Shared,
    routing::{get, put},
};
use http::StatusCode;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/_emulator/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/_emulator/quotas", put(set_quotas))
        .route("/_emulator/requests", get(requests).delete(forget_requests))
}

async fn faults(Shared(state): Shared<Arc<State>>) -> Json<Vec<Switch>> {
    Json(state.faults.all())
}

async fn add_fault(Shared(state): Shared<Arc<State>>, Json(switch): Json<Switch>) -> StatusCode {
    state.faults.add(switch);
    StatusCode::NO_CONTENT
}

async fn clear_faults(Shared(state): Shared<Arc<State>>) -> StatusCode {
    state.faults.clear();
    StatusCode::NO_CONTENT
}

async fn set_quotas(Shared(state): Shared<Arc<State>>, Json(limits): Json<Limits>) -> StatusCode {
    state.quotas.set(limits);
    StatusCode::NO_CONTENT
}

async fn requests(Shared(state): Shared<Arc<State>>) -> Json<Vec<SeenRequest>> {
    Json(state.requests.all())
}

async fn forget_requests(Shared(state): Shared<Arc<State>>) -> StatusCode {
    state.requests.forget();
    StatusCode::NO_CONTENT
}
