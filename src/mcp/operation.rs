//! One request of the protocol while it is answered: its span in a trace, and its figure when it ends.

use super::server::Server;
use crate::{
    clock::Clock,
    telemetry::{
        Metrics,
        spans::{self, Subject},
    },
};
use opentelemetry::trace::TraceId;
use rmcp::{RoleServer, service::RequestContext};
use std::time::Duration;
use tracing::Span;

/// A request under way.
pub(super) struct Operation {
    method: &'static str,
    subject: Subject,
    /// The span under which its work is done.
    pub(super) span: Span,
    /// The trace to which it belongs.
    pub(super) trace_id: TraceId,
    started: Duration,
    clock: Clock,
    metrics: Metrics,
}

impl Operation {
    /// Begins; `method` is a name of our own list.
    pub(super) fn begin(
        server: &Server,
        method: &'static str,
        subject: Subject,
        context: &RequestContext<RoleServer>,
    ) -> Self {
        let parts = context.extensions.get::<http::request::Parts>();
        let header = parts.and_then(|parts| parts.headers.get("traceparent")?.to_str().ok());
        let origin = spans::Origin::read(context.meta.get_traceparent(), header);
        let protocol = context.protocol_version();
        let protocol = protocol.as_ref().map(rmcp::model::ProtocolVersion::as_str);
        let (span, trace_id) =
            spans::request(&spans::Request { method, subject, protocol, is_http: parts.is_some() }, origin);
        let (clock, metrics) = (server.clock.clone(), server.metrics.clone());
        Self { method, subject, span, trace_id, started: clock.elapsed(), clock, metrics }
    }

    /// Ends, and returns how long it took. `error` is a JSON-RPC code or `tool_error`; `code` is that of our failure.
    pub(super) fn end(self, error: Option<&'static str>, code: Option<&'static str>) -> Duration {
        let duration = self.clock.elapsed().saturating_sub(self.started);
        self.metrics.operation(self.method, self.subject, duration, error);
        if let Some(error) = error {
            spans::failed(&self.span, error, code);
        }
        duration
    }
}
