//! `/connections`: a person sees what they have agreed to, and takes it back.

use super::{SignIn, form, form::Sent, onward, trouble::Trouble, visit::Visit};
use crate::{
    http::pages::{
        connections::{Connections as Page, Granted},
        permission::Permission,
    },
    oauth::{Connected, Form, Person},
};
use axum::{
    extract::{Request, State},
    response::Response,
};
use http::HeaderMap;
use std::sync::Arc;

pub(super) async fn show(State(site): State<Arc<SignIn>>, headers: HeaderMap) -> Response {
    let shown = async {
        let visit = Visit::of(&site, &headers).await?;
        let Some(person) = &visit.person else { return Ok(onward("/login")) };
        page(&site, &visit, person, None).await
    };
    shown.await.unwrap_or_else(|trouble: Trouble| trouble.told(&site))
}

pub(super) async fn take_back(State(site): State<Arc<SignIn>>, request: Request) -> Response {
    let taken = async {
        let Sent { visit, fields, .. } = form::read(&site, request).await?;
        let person = visit.person.as_ref().ok_or(Trouble::ForeignForm)?;
        if !site.server.is_ours(Form::Connections, visit.browser(), fields.text("csrf")) {
            return Err(Trouble::ForeignForm);
        }
        let (client_id, place) = (fields.text("revoke"), fields.text("redirect_uri"));
        let name = site.server.disconnect(&person.id, client_id, place).await?;
        page(&site, &visit, person, name).await
    };
    taken.await.unwrap_or_else(|trouble: Trouble| trouble.told(&site))
}

async fn page(
    site: &SignIn,
    visit: &Visit,
    person: &Person,
    disconnected: Option<String>,
) -> Result<Response, Trouble> {
    let granted = site.server.connections(&person.id).await?.into_iter().map(Granted::from).collect();
    let csrf = site.server.form_proof(Form::Connections, visit.browser());
    Ok(Page { csrf, person: person.name.to_string(), granted, disconnected }.answer())
}

impl From<Connected> for Granted {
    fn from(connected: Connected) -> Self {
        Self {
            client_id: connected.client_id,
            redirect_uri: connected.place,
            client: connected.name,
            client_host: connected.host,
            permissions: Permission::parse(&connected.scopes),
            since: connected.since,
            last_used: Some(connected.used_at),
        }
    }
}
