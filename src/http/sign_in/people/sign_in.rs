//! `/login` and `/logout`.

use super::{
    SignIn, form,
    form::Sent,
    onward,
    trouble::Trouble,
    visit::{Visit, signed_in, signed_out},
    with_request,
};
use crate::{
    http::pages::sign_in::{Asking, Provider, Refused, SignIn as Page},
    oauth::{Asked, Form, Parameters, SignInError, SignedIn},
    telemetry::AuthFailure,
};
use axum::{
    extract::{Request, State},
    response::Response,
};
use http::{HeaderMap, Uri};
use std::sync::Arc;

pub(super) async fn show(State(site): State<Arc<SignIn>>, uri: Uri, headers: HeaderMap) -> Response {
    let shown = async {
        let visit = Visit::of(&site, &headers).await?;
        let query = Parameters::read(uri.query().unwrap_or_default().as_bytes());
        let sealed = query.text("request");
        if visit.person.is_some() && sealed.is_empty() {
            return Ok(onward("/connections"));
        }
        let asked = asked(&site, sealed, &visit).await?;
        Ok(visit.answered(page(&site, &visit, asked, (String::new(), None))))
    };
    shown.await.unwrap_or_else(|trouble: Trouble| trouble.told(&site))
}

pub(super) async fn enter(State(site): State<Arc<SignIn>>, request: Request) -> Response {
    entered(&site, request).await.unwrap_or_else(|trouble| trouble.told(&site))
}

async fn entered(site: &SignIn, request: Request) -> Result<Response, Trouble> {
    let Sent { visit, fields, headers, extensions } = form::read(site, request).await?;
    if !site.server.takes_passwords() {
        return Err(Trouble::BadForm);
    }
    let asked = asked(site, fields.text("request"), &visit).await?;
    // Keyboards of phones add a space.
    let (name, sealed) = (fields.text("name").trim(), fields.text("request"));
    let again = |asked, refused, failure| {
        site.metrics.auth_failure(failure);
        tracing::info!(reason = ?failure, "nobody was signed in");
        Ok(page(site, &visit, asked, (name.to_owned(), Some(refused))))
    };
    if !site.server.is_ours(Form::SignIn, visit.browser(), fields.text("csrf")) {
        return again(asked, Refused::Stale, AuthFailure::ForeignForm);
    }
    if let Some(wait) = site.limiter.wait_of_sign_in(name, &extensions, &headers) {
        return again(asked, Refused::Wait(wait), AuthFailure::WrongPassword);
    }
    match site.server.people().sign_in(name, fields.text("password")).await {
        Ok(who) => entered_as(site, &visit, &who, sealed).await,
        Err(SignInError::WrongNameOrPassword) => again(asked, Refused::Wrong, AuthFailure::WrongPassword),
        Err(SignInError::BadPassword) => again(asked, Refused::Unfit, AuthFailure::WrongPassword),
        Err(SignInError::Busy) => Err(Trouble::Busy),
        Err(SignInError::Store(error)) => Err(error.into()),
    }
}

/// Somebody has just signed in, and goes on to what they came for.
pub(super) async fn entered_as(
    site: &SignIn,
    visit: &Visit,
    who: &SignedIn,
    sealed: &str,
) -> Result<Response, Trouble> {
    visit.end(site).await?;
    let next = if sealed.is_empty() { "/connections".to_owned() } else { with_request("/consent", sealed) };
    Ok(signed_in(onward(&next), who))
}

pub(super) async fn leave(State(site): State<Arc<SignIn>>, request: Request) -> Response {
    let left = async {
        let Sent { visit, fields, .. } = form::read(&site, request).await?;
        let form = match fields.text("request") {
            "" => Form::Connections,
            sealed => Form::Consent(sealed),
        };
        if !site.server.is_ours(form, visit.browser(), fields.text("csrf")) {
            return Err(Trouble::ForeignForm);
        }
        visit.end(&site).await?;
        Ok(signed_out(onward(&with_request("/login", fields.text("request")))))
    };
    left.await.unwrap_or_else(|trouble: Trouble| trouble.told(&site))
}

/// The request that somebody signs in for, if there is one.
pub(super) async fn asked(site: &SignIn, sealed: &str, visit: &Visit) -> Result<Option<Asked>, Trouble> {
    if sealed.is_empty() {
        return Ok(None);
    }
    let asked = site.server.asked_again(sealed, visit.browser()).await?;
    asked.map(Some).ok_or(Trouble::RequestOver)
}

fn page(site: &SignIn, visit: &Visit, asked: Option<Asked>, (name, refused): (String, Option<Refused>)) -> Response {
    let asking = asked.map(|asked| Asking {
        redirect_uri: asked.request.redirect_uri().to_owned(),
        client: asked.client.name,
        request: asked.sealed,
    });
    let sealed = asking.as_ref().map_or("", |asking| &asking.request);
    let provider = site
        .server
        .provider()
        .map(|provider| Provider { name: provider.name().to_owned(), way: with_request("/login/provider", sealed) });
    let csrf = site.server.form_proof(Form::SignIn, visit.browser());
    Page { csrf, asking, name, refused, provider, is_without_passwords: !site.server.takes_passwords() }.answer()
}
