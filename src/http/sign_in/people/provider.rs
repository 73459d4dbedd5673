//! `/login/provider` and `/login/callback`: a person goes to a provider outside, signs in there, and comes back. Going there
//! is a link and no form: a browser would hold a form to our policy at every step on the way.

use super::{
    SignIn, onward,
    sign_in::{asked, entered_as},
    trouble::{AGAIN, Trouble},
    visit::Visit,
    with_request,
};
use crate::{
    http::pages::message::{Back, Message},
    oauth::{NotArrived, Parameters},
    telemetry::AuthFailure,
};
use axum::{extract::State, response::Response};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header, request::Parts};
use std::{borrow::Cow, sync::Arc};

pub(super) async fn leave(State(site): State<Arc<SignIn>>, uri: Uri, headers: HeaderMap) -> Response {
    let left = async {
        let visit = Visit::of(&site, &headers).await?;
        let query = Parameters::read(uri.query().unwrap_or_default().as_bytes());
        let asked = asked(&site, query.text("request"), &visit).await?;
        let response = match site.server.to_provider(asked.as_ref(), visit.browser()).await {
            Ok(address) => onward(&address),
            Err(_) => told(&site, &NotArrived::Unavailable, query.text("request")),
        };
        Ok(visit.answered(response))
    };
    left.await.unwrap_or_else(|trouble: Trouble| trouble.told(&site))
}

pub(super) async fn arrive(State(site): State<Arc<SignIn>>, parts: Parts) -> Response {
    arrived(&site, &parts).await.unwrap_or_else(|trouble| trouble.told(&site))
}

async fn arrived(site: &SignIn, request: &Parts) -> Result<Response, Trouble> {
    let visit = Visit::of(site, &request.headers).await?;
    let parameters = Parameters::read(request.uri.query().unwrap_or_default().as_bytes());
    let journey = site.server.journey(&parameters, visit.browser()).ok_or(Trouble::RequestOver)?;
    // Each costs the provider a question.
    let visitor = visit.browser().visitor;
    if let Some(wait) = site.limiter.wait_of_sign_in(visitor, &request.extensions, &request.headers) {
        return Err(Trouble::TooMany(wait));
    }
    let sealed = site.server.resumed(&journey);
    match site.server.arrive(&journey, &parameters).await {
        Ok(who) => entered_as(site, &visit, &who, &sealed).await,
        Err(NotArrived::Repeated) => Err(Trouble::Answered),
        Err(NotArrived::Busy) => Err(Trouble::Busy),
        Err(NotArrived::Store(error)) => Err(error.into()),
        Err(why) => Ok(told(site, &why, &sealed)),
    }
}

/// Why nobody is signed in, as a page with the way back.
fn told(site: &SignIn, why: &NotArrived, sealed: &str) -> Response {
    let (status, failure) = match why {
        NotArrived::NotBelieved(failure) => (StatusCode::FORBIDDEN, *failure),
        NotArrived::NotAllowed(_) => (StatusCode::FORBIDDEN, AuthFailure::NotAllowed),
        NotArrived::Declined(_) => (StatusCode::FORBIDDEN, AuthFailure::BadRequest),
        NotArrived::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, AuthFailure::Unavailable),
        _ => (StatusCode::BAD_REQUEST, AuthFailure::BadRequest),
    };
    site.metrics.auth_failure(failure);
    tracing::info!(reason = failure.as_str(), "nobody was signed in who came from the login provider");
    let name = site.server.provider().map_or("The provider", |provider| provider.name());
    let (title, happened, advice) = words(why, name);
    let back = Some(Back::SignIn(with_request("/login", sealed)));
    let mut response = Message { title, happened: happened.into(), advice, back }.answer(status);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(AGAIN));
    }
    response
}

/// A title, what happened, and what to do.
fn words(why: &NotArrived, name: &str) -> (&'static str, String, Cow<'static, str>) {
    match why {
        NotArrived::Declined(said) if said.is_empty() => (
            "You are not signed in",
            format!("{name} says that you did not sign in."),
            "Try again, or leave it.".into(),
        ),
        NotArrived::Declined(said) => {
            ("You are not signed in", format!("{name} says: {said}"), "Try again, or leave it.".into())
        }
        NotArrived::NotBelieved(_) => (
            "You are not signed in",
            format!("What {name} says of you cannot be relied on."),
            "Try again. If it stays like this, tell the operator of this server, whose log says more.".into(),
        ),
        NotArrived::NotAllowed(Some(address)) => (
            "You may not sign in here",
            format!("{address} is not on the list of those who may sign in."),
            format!("Ask the operator of this server, or sign in at {name} with another account.").into(),
        ),
        NotArrived::NotAllowed(None) => (
            "You may not sign in here",
            format!("{name} tells of no mail address of yours that it has verified."),
            "Verify your address there, or ask the operator of this server.".into(),
        ),
        NotArrived::Unavailable => (
            "Nobody can sign in like this at the moment",
            format!("{name} does not answer as it should. Nothing was changed."),
            "Try again in a few seconds. If it stays like this, tell the operator of this server.".into(),
        ),
        _ => (
            "You are not signed in",
            format!("This server cannot use what you came back with from {name}."),
            "Try again.".into(),
        ),
    }
}
