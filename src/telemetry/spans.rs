//! The spans of a trace, by OpenTelemetry's conventions for MCP, HTTP and databases. They are made here and nowhere else:
//! what is made here goes to the collector, and nothing else does. No attribute holds a caller's text: names come from our
//! own lists.
//!
//! Only work for a request is traced: probes and upkeep would fill a trace store with what nobody asked for.

use opentelemetry::{
    Context,
    propagation::TextMapPropagator as _,
    trace::{SpanContext, TraceContextExt as _, TraceId},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use std::{collections::HashMap, fmt};
use tracing::{Span, field::Empty, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Under which the spans of this room are known to filters.
pub(super) const TARGET: &str = module_path!();

/// What a caller says of the trace that its request belongs to. Source: W3C Trace Context, and SEP-414 for `_meta`.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    parent: Option<SpanContext>,
    /// The HTTP request, where it belongs to another span than the MCP request in it.
    carrier: Option<SpanContext>,
}

impl Origin {
    /// From the `traceparent` in a request's `_meta`, and that in its HTTP headers.
    pub fn read(meta: Option<&str>, header: Option<&str>) -> Self {
        match (meta.and_then(context), header.and_then(context)) {
            (Some(parent), carrier) => {
                Self { carrier: carrier.filter(|carrier| *carrier != parent), parent: Some(parent) }
            }
            (None, parent) => Self { parent, carrier: None },
        }
    }
}

/// Version 00 alone: what a later one means is not known. A `tracestate` is for those who pass it on, and nobody does.
fn context(traceparent: &str) -> Option<SpanContext> {
    // The propagator is generous with lengths.
    if !traceparent.starts_with("00-") || !traceparent.split('-').map(str::len).eq([2, 32, 16, 2]) {
        return None;
    }
    let carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier);
    let parent = context.span().span_context().clone();
    parent.is_valid().then_some(parent)
}

/// What a request asks for by its name, of our own lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Nothing of its own.
    None,
    /// A tool, which it calls.
    Tool(&'static str),
    /// A prompt.
    Prompt(&'static str),
}

impl Subject {
    /// The tool, if it is one.
    pub fn tool(self) -> Option<&'static str> {
        if let Self::Tool(name) = self { Some(name) } else { None }
    }

    /// The prompt, if it is one.
    pub fn prompt(self) -> Option<&'static str> {
        if let Self::Prompt(name) = self { Some(name) } else { None }
    }
}

/// What a request is.
#[derive(Debug)]
pub struct Request<'a> {
    /// Its method, of our own list.
    pub method: &'static str,
    /// What it asks for.
    pub subject: Subject,
    /// The version of the protocol.
    pub protocol: Option<&'a str>,
    /// Whether it came by HTTP, and not over a pipe.
    pub is_http: bool,
}

/// The server's span of a request, and the id of its trace: one of the caller's, or else a new one.
pub fn request(request: &Request<'_>, origin: Origin) -> (Span, TraceId) {
    let Request { method, subject, protocol, is_http } = request;
    let (tool, prompt) = (subject.tool(), subject.prompt());
    let span = info_span!(
        "request",
        otel.name = %Name(method, tool.or(prompt)),
        otel.kind = "server",
        otel.status_code = Empty,
        "error.type" = Empty,
        google_reviews.error.code = Empty,
        mcp.method.name = method,
        mcp.protocol.version = protocol,
        gen_ai.tool.name = tool,
        gen_ai.prompt.name = prompt,
        gen_ai.operation.name = tool.map(|_| "execute_tool"),
        network.transport = if *is_http { "tcp" } else { "pipe" },
        network.protocol.name = is_http.then_some("http"),
    );
    if span.is_disabled() {
        // The line of the call says all the same to which trace it belongs.
        let trace_id = origin.parent.map(|parent| parent.trace_id());
        return (span, trace_id.unwrap_or_else(|| TraceId::from(rand::random::<u128>())));
    }
    if let Some(parent) = origin.parent {
        // It fails only without a layer, and there is one.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
    if let Some(carrier) = origin.carrier {
        span.add_link(carrier);
    }
    let trace_id = span.context().span().span_context().trace_id();
    (span, trace_id)
}

/// How a request failed: a JSON-RPC code or `tool_error`, and our own code of the failure.
pub fn failed(span: &Span, error_type: &str, code: Option<&'static str>) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", error_type);
    if let Some(code) = code {
        span.record("google_reviews.error.code", code);
    }
}

/// A question to the cache; `cache.outcome` says who answered it.
pub fn cache() -> Span {
    for_a_request(|| info_span!("cache", otel.name = "cache get", otel.kind = "internal", cache.outcome = Empty))
}

/// One request to Google.
pub fn google(endpoint: &'static str) -> Span {
    for_a_request(|| {
        info_span!(
            "google",
            otel.name = %Name("google", Some(endpoint)),
            otel.kind = "client",
            otel.status_code = Empty,
            "error.type" = Empty,
            peer.service = "google_places",
            google_reviews.endpoint = endpoint,
        )
    })
}

/// One operation of Redis.
pub fn redis(operation: &'static str) -> Span {
    for_a_request(|| database("redis", operation))
}

/// One statement, or some that belong together, of the database.
pub fn statement(system: &'static str, operation: &'static str) -> Span {
    for_a_request(|| database(system, operation))
}

fn database(system: &'static str, operation: &'static str) -> Span {
    info_span!(
        "database",
        otel.name = %Name(system, Some(operation)),
        otel.kind = "client",
        otel.status_code = Empty,
        "error.type" = Empty,
        db.system.name = system,
        db.operation.name = operation,
    )
}

/// No span where no request is under way.
fn for_a_request(span: impl FnOnce() -> Span) -> Span {
    if Span::current().is_none() { Span::none() } else { span() }
}

struct Name<'a>(&'a str, Option<&'a str>);

impl fmt::Display for Name<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(second) => write!(formatter, "{} {second}", self.0),
            None => formatter.write_str(self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const META: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const HEADER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

    #[test]
    fn the_parent_is_that_of_the_message_and_the_http_request_is_linked() {
        let origin = Origin::read(Some(META), Some(HEADER));
        let parent = origin.parent.expect("a parent");
        assert_eq!(parent.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(parent.is_remote() && parent.is_sampled());
        assert_eq!(origin.carrier.expect("a link").span_id().to_string(), "b7ad6b7169203331");
        let origin = Origin::read(Some("garbage"), Some(HEADER));
        assert_eq!(origin.parent.expect("a parent").trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert!(origin.carrier.is_none() && Origin::read(Some(META), Some(META)).carrier.is_none());
    }

    #[test]
    fn met_05_what_is_no_traceparent_begins_a_new_trace() {
        for wrong in [
            "",
            "00",
            "garbage",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e47é6-00f067aa0ba902b7-01",
        ] {
            assert!(Origin::read(Some(wrong), Some(wrong)).parent.is_none(), "{wrong}");
        }
        let new = || {
            request(
                &Request { method: "ping", subject: Subject::None, protocol: None, is_http: true },
                Origin::default(),
            )
            .1
        };
        assert!(new() != TraceId::INVALID && new() != new());
    }
}
