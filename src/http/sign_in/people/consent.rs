//! `/consent`: a person agrees to what a client asks for, to some of it, or not.

use super::{SignIn, form, form::Sent, onward, trouble::Trouble, visit::Visit, with_request};
use crate::{
    http::pages::{consent::Consent as Page, permission::Permission},
    model::Scope,
    oauth::{Asked, Form, NotKept, Parameters, Permissions, Person},
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
        let asked = site.server.asked_again(sealed, visit.browser()).await?.ok_or(Trouble::RequestOver)?;
        Ok(match &visit.person {
            Some(person) => page(&site, &visit, person, &asked, false),
            None => onward(&with_request("/login", sealed)),
        })
    };
    shown.await.unwrap_or_else(|trouble: Trouble| trouble.told(&site))
}

pub(super) async fn decide(State(site): State<Arc<SignIn>>, request: Request) -> Response {
    decided(&site, request).await.unwrap_or_else(|trouble| trouble.told(&site))
}

async fn decided(site: &SignIn, request: Request) -> Result<Response, Trouble> {
    let Sent { visit, fields, .. } = form::read(site, request).await?;
    let sealed = fields.text("request");
    let person = visit.person.as_ref().ok_or(Trouble::ForeignForm)?;
    if !site.server.is_ours(Form::Consent(sealed), visit.browser(), fields.text("csrf")) {
        return Err(Trouble::ForeignForm);
    }
    // Everything is looked up again: what stands in the form beside this is of no matter.
    let asked = site.server.asked_again(sealed, visit.browser()).await?.ok_or(Trouble::RequestOver)?;
    let decided = match fields.text("decision") {
        "allow" => site.server.agree(&person.id, &asked, ticked(&fields)).await,
        "deny" => site.server.decline(&asked).await,
        _ => return Err(Trouble::BadForm),
    };
    match decided {
        Ok(address) => Ok(onward(&address)),
        Err(NotKept::Nothing) => Ok(page(site, &visit, person, &asked, true)),
        Err(NotKept::Answered) => Err(Trouble::Answered),
        Err(NotKept::Gone) => Err(Trouble::RequestOver),
        Err(NotKept::Store(error)) => Err(error.into()),
    }
}

/// What is ticked in the form.
fn ticked(fields: &Parameters) -> Permissions {
    let is_ticked = |name: &str| !fields.text(&format!("scope.{name}")).is_empty();
    Permissions {
        scopes: Scope::ALL.into_iter().filter(|scope| is_ticked(scope.as_str())).collect(),
        offline: is_ticked("offline_access"),
    }
}

fn page(site: &SignIn, visit: &Visit, person: &Person, asked: &Asked, is_nothing_ticked: bool) -> Response {
    let wanted = asked.request.permissions();
    let staying = asked.client.can_refresh.then_some(Permission::StayConnected);
    let scopes = Scope::ALL.into_iter().filter(|scope| wanted.scopes.contains(*scope)).map(Permission::Use);
    Page {
        csrf: site.server.form_proof(Form::Consent(&asked.sealed), visit.browser()),
        request: asked.sealed.clone(),
        client: asked.client.name.clone(),
        client_host: asked.client_host(),
        redirect_uri: asked.request.redirect_uri().to_owned(),
        resource: site.server.resource().to_owned(),
        person: person.name.to_string(),
        permissions: scopes.chain(staying).collect(),
        is_nothing_ticked,
    }
    .answer()
}
