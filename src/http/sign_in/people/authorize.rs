//! `/authorize`: a client has sent a person here. They sign in, or are asked, or, where they have agreed to the same before,
//! go straight back. Source: RFC 6749 §4.1.1.

use super::{SignIn, onward, trouble::Trouble, visit::Visit, with_request};
use crate::{
    oauth::{Asked, NotAsked, NotKept, Parameters, Prompt},
    telemetry::AuthFailure,
};
use axum::{extract::State, response::Response};
use http::{HeaderMap, Method, request::Parts};
use std::sync::Arc;

pub(super) async fn ask(State(site): State<Arc<SignIn>>, parts: Parts) -> Response {
    asked(&site, &parts).await.unwrap_or_else(|trouble| trouble.told(&site))
}

async fn asked(site: &SignIn, request: &Parts) -> Result<Response, Trouble> {
    let visit = Visit::of(site, &request.headers).await?;
    let parameters = Parameters::read(request.uri.query().unwrap_or_default().as_bytes());
    let admit = || site.limiter.wait_of_new_client(&request.extensions, &request.headers);
    let asked = match site.server.asked(&parameters, visit.browser(), admit).await {
        Ok(asked) => asked,
        Err(NotAsked::Nowhere(why)) => return Err(Trouble::Nowhere(why)),
        Err(NotAsked::Answer { address, error }) => {
            site.metrics.auth_failure(AuthFailure::BadRequest);
            tracing::info!(
                error = error.name.as_str(),
                reason = error.description,
                "nobody is asked: a client is told why"
            );
            return Ok(onward(&address));
        }
        Err(NotAsked::TooMany(wait)) => return Err(Trouble::TooMany(wait)),
        Err(NotAsked::Busy) => return Err(Trouble::Busy),
        Err(NotAsked::Store(error)) => return Err(error.into()),
    };
    let prompt = asked.request.prompt();
    let response = match &visit.person {
        None if prompt == Prompt::Never => onward(&site.server.cannot_ask(&asked, false)),
        None => onward(&with_request("/login", &asked.sealed)),
        Some(person) => match at_once(site, &person.id, &asked, request).await? {
            Some(address) => onward(&address),
            None if prompt == Prompt::Never => onward(&site.server.cannot_ask(&asked, true)),
            None => onward(&with_request("/consent", &asked.sealed)),
        },
    };
    Ok(visit.answered(response))
}

/// The address with a code, where the person has agreed to the same before, and a browser says that it goes there with its
/// whole window: not in a frame, not as a picture, and not without saying so.
async fn at_once(site: &SignIn, person_id: &str, asked: &Asked, request: &Parts) -> Result<Option<String>, Trouble> {
    if request.method != Method::GET || !is_navigation(&request.headers) {
        return Ok(None);
    }
    let Some(granted) = site.server.agreed_before(person_id, asked).await? else { return Ok(None) };
    match site.server.agree_again(person_id, asked, granted).await {
        Ok(address) => Ok(Some(address)),
        Err(NotKept::Store(error)) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

fn is_navigation(headers: &HeaderMap) -> bool {
    let says = |name: &str, value: &str| headers.get(name).is_some_and(|said| said == value);
    headers.contains_key("sec-fetch-site") && says("sec-fetch-mode", "navigate") && says("sec-fetch-dest", "document")
}
