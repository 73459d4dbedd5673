//! The server: what it offers, and what it is built on. Which requests it answers is in `handler`.

use super::{
    cursor::Cursors,
    dispatch::{client, from_the_edge},
    prompt::{Form, Prompt},
    resource::Resource,
    sessions::Sessions,
    tool::Offer,
};
use crate::{
    clock::Clock,
    idempotency::Idempotency,
    model::{Caller, Scope, SecretKey},
    telemetry::Metrics,
};
use jiff::Timestamp;
use rmcp::{RoleServer, handler::server::router::tool::ToolRouter, model::Tool as Definition, service::RequestContext};
use secrecy::ExposeSecret as _;
use std::{fmt, sync::Arc, time::Duration};

/// What the server offers.
#[derive(Default)]
pub struct Offers {
    /// The tools, listed in this order.
    pub tools: Vec<Offer>,
    /// The prompts, listed in this order.
    pub prompts: Vec<Arc<dyn Prompt>>,
    /// The kinds of resources, listed one after the other.
    pub resources: Vec<Arc<dyn Resource>>,
}

impl Offers {
    /// These, and others after them.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.tools.extend(others.tools);
        self.prompts.extend(others.prompts);
        self.resources.extend(others.resources);
        self
    }
}

impl fmt::Debug for Offers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Offers").field("tools", &self.tools).finish_non_exhaustive()
    }
}

/// What the server is built on.
#[derive(Debug)]
pub struct Parts {
    /// What makes writing calls happen once.
    pub idempotency: Idempotency,
    /// From which the key that seals cursors derives.
    pub secret: SecretKey,
    /// Until when the results of calls are logged.
    pub results_until: Option<Timestamp>,
    /// Where calls are counted.
    pub metrics: Metrics,
    /// Where times come from.
    pub clock: Clock,
}

/// Limits of one call.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest that a tool may take.
    pub tool_timeout: Duration,
}

/// The MCP server. Cheap to clone: the transport takes one for each request.
#[derive(Clone)]
pub struct Server {
    pub(super) router: Arc<ToolRouter<Server>>,
    scopes: Arc<Vec<(&'static str, Scope)>>,
    pub(super) definitions: Arc<Vec<Definition>>,
    pub(super) prompts: Arc<Vec<(Form, Arc<dyn Prompt>)>>,
    pub(super) resources: Arc<Vec<Arc<dyn Resource>>>,
    pub(super) cursors: Cursors,
    pub(super) idempotency: Idempotency,
    pub(super) sessions: Sessions,
    pub(super) limits: Limits,
    pub(super) results_until: Option<Timestamp>,
    pub(super) metrics: Metrics,
    pub(super) clock: Clock,
    /// Who calls where there is no edge that finds out.
    alone: Option<Caller>,
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Server").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Server {
    /// Offers these tools, prompts and resources.
    pub fn new(offers: Offers, limits: Limits, parts: Parts) -> Self {
        let mut router = ToolRouter::new();
        let mut definitions = Vec::with_capacity(offers.tools.len());
        let scopes = offers.tools.iter().map(|offer| (offer.brief.name, offer.scope)).collect();
        for offer in offers.tools {
            parts.metrics.tool_offered(offer.brief.name);
            definitions.push(offer.definition);
            router.add_route(offer.route);
        }
        let sessions = Sessions::new(parts.clock.clone());
        let watched = sessions.clone();
        parts.metrics.watch_sessions(move || watched.count());
        Self {
            router: Arc::new(router),
            scopes: Arc::new(scopes),
            definitions: Arc::new(definitions),
            prompts: Arc::new(offers.prompts.into_iter().map(|prompt| (prompt.form(), prompt)).collect()),
            resources: Arc::new(offers.resources),
            cursors: Cursors::new(parts.secret.derive("cursors").expose_secret()),
            idempotency: parts.idempotency,
            sessions,
            limits,
            results_until: parts.results_until,
            metrics: parts.metrics,
            clock: parts.clock,
            alone: None,
        }
    }

    /// The same for one caller alone, on a connection of its own that no edge stands before.
    #[must_use]
    pub fn alone_with(self, caller: Caller) -> Self {
        Self { alone: Some(caller), ..self }
    }

    /// What a caller must be permitted for a request; nothing for what every caller may know.
    pub fn scope(&self, method: &str, tool: Option<&str>) -> Option<Scope> {
        match method {
            "tools/call" => self.scopes.iter().find(|(name, _)| Some(*name) == tool).map(|(_, scope)| *scope),
            "resources/list" | "resources/read" | "completion/complete" => Some(Scope::ReviewsRead),
            _ => None,
        }
    }

    /// Who calls: as the edge found out, or whom the connection belongs to.
    pub(super) fn caller(&self, context: &RequestContext<RoleServer>) -> Caller {
        from_the_edge(&context.extensions).or_else(|| self.alone.clone()).unwrap_or_else(Caller::nobody)
    }

    /// Notes who asks, and through which client.
    pub(super) fn hear(&self, context: &RequestContext<RoleServer>) {
        self.sessions.heard_of(&self.caller(context).principal, &client(context));
    }
}
