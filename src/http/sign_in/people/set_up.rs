//! `/setup`: a person comes by a link of the operator's and chooses a password.

use super::{
    SignIn, form,
    form::Sent,
    onward,
    trouble::Trouble,
    visit::{Visit, signed_in},
};
use crate::{
    http::pages::setup::{Person as Who, Setup as Page},
    oauth::{Form, Invitation, Parameters, SetUpError},
    telemetry::AuthFailure,
};
use axum::{
    extract::{Request, State},
    response::Response,
};
use http::{HeaderMap, Uri};
use std::{borrow::Cow, sync::Arc};

pub(super) async fn show(State(site): State<Arc<SignIn>>, uri: Uri, headers: HeaderMap) -> Response {
    let shown = async {
        let visit = Visit::of(&site, &headers).await?;
        let query = Parameters::read(uri.query().unwrap_or_default().as_bytes());
        let page = page(&site, &visit, query.text("link"), (String::new(), None)).await?;
        Ok(visit.answered(page))
    };
    shown.await.unwrap_or_else(|trouble: Trouble| trouble.told(&site))
}

pub(super) async fn finish(State(site): State<Arc<SignIn>>, request: Request) -> Response {
    finished(&site, request).await.unwrap_or_else(|trouble| trouble.told(&site))
}

async fn finished(site: &SignIn, request: Request) -> Result<Response, Trouble> {
    let Sent { visit, fields, headers, extensions } = form::read(site, request).await?;
    let (link, name, password) = (fields.text("link"), fields.text("name").trim(), fields.text("password"));
    if !site.server.is_ours(Form::SetUp(link), visit.browser(), fields.text("csrf")) {
        return Err(Trouble::ForeignForm);
    }
    let wrong = async |why: Cow<'static, str>| {
        site.metrics.auth_failure(AuthFailure::BadRequest);
        page(site, &visit, link, (name.to_owned(), Some(why))).await
    };
    // A link cannot be guessed; what is bounded is the work of hashing.
    if let Some(wait) = site.limiter.wait_of_sign_in(link, &extensions, &headers) {
        return Err(Trouble::TooMany(wait));
    }
    if fields.text("repeated") != password {
        return wrong("The two passwords differ: write the same one twice.".into()).await;
    }
    let name = Some(name).filter(|name| !name.is_empty());
    match site.server.people().set_up(link, name, password).await {
        Ok(who) => {
            visit.end(site).await?;
            Ok(signed_in(onward("/connections"), &who))
        }
        Err(SetUpError::LinkSpent) => Err(Trouble::LinkSpent),
        Err(SetUpError::Busy) => Err(Trouble::Busy),
        Err(SetUpError::Store(error)) => Err(error.into()),
        Err(error) => wrong(error.to_string().into()).await,
    }
}

async fn page(
    site: &SignIn,
    visit: &Visit,
    link: &str,
    (name, error): (String, Option<Cow<'static, str>>),
) -> Result<Response, Trouble> {
    let person = match site.server.people().invited(link).await?.ok_or(Trouble::LinkSpent)? {
        Invitation::First => Who::First(name),
        Invitation::Known(person) => Who::Known(person.name.to_string()),
    };
    let csrf = site.server.form_proof(Form::SetUp(link), visit.browser());
    Ok(Page { csrf, link: link.to_owned(), person, error }.answer())
}
