//! A collector of OpenTelemetry: takes spans and metrics by OTLP over HTTP, and remembers them.

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message as _;
use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
};

/// A running collector; it ends with the test's runtime.
#[derive(Clone, Default)]
pub(crate) struct Collector {
    pub(crate) url: String,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Default)]
struct Heard {
    spans: Vec<Span>,
    metrics: Vec<String>,
    resource: Vec<(String, String)>,
    /// Everything as text, to look for what must not be there.
    text: String,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let collector = Self { url: format!("http://{}", listener.local_addr().unwrap()), ..Self::default() };
        let routes = Router::new()
            .route("/v1/traces", post(traces))
            .route("/v1/metrics", post(metrics))
            .with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        collector
    }

    /// The variables by which a server sends to it, without waiting long.
    pub(crate) fn environment(&self) -> Vec<(&str, &str)> {
        vec![
            ("OTEL_EXPORTER_OTLP_ENDPOINT", self.url.as_str()),
            ("OTEL_BSP_SCHEDULE_DELAY", "50"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
        ]
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        self.heard.lock().unwrap().spans.clone()
    }

    /// The names of all metrics so far.
    pub(crate) fn metrics(&self) -> Vec<String> {
        self.heard.lock().unwrap().metrics.clone()
    }

    /// What the senders said of themselves.
    pub(crate) fn resource(&self) -> Vec<(String, String)> {
        self.heard.lock().unwrap().resource.clone()
    }

    /// All that was sent, as text.
    pub(crate) fn text(&self) -> String {
        self.heard.lock().unwrap().text.clone()
    }

    /// The spans of one trace of a tool call once there are so many, and that of the call, which ends last; by their
    /// beginning.
    pub(crate) async fn trace(&self, id: &str, spans: usize) -> Vec<Span> {
        let mut found = Vec::new();
        super::until(&format!("{spans} spans of the trace {id} have arrived"), async || {
            found = self.spans();
            found.retain(|span| hexadecimal(&span.trace_id) == id);
            found.len() >= spans && found.iter().any(|span| span.name.starts_with("tools/call"))
        })
        .await;
        found.sort_by_key(|span| span.start_time_unix_nano);
        found
    }
}

async fn traces(State(collector): State<Collector>, body: Bytes) -> (StatusCode, Vec<u8>) {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let mut heard = collector.heard.lock().unwrap();
    writeln!(heard.text, "{request:?}").unwrap();
    for from in request.resource_spans {
        heard.resource = attributes(&from.resource.unwrap_or_default().attributes);
        heard.spans.extend(from.scope_spans.into_iter().flat_map(|scope| scope.spans));
    }
    (StatusCode::OK, Vec::new())
}

async fn metrics(State(collector): State<Collector>, body: Bytes) -> (StatusCode, Vec<u8>) {
    let request = ExportMetricsServiceRequest::decode(body).unwrap();
    let mut heard = collector.heard.lock().unwrap();
    writeln!(heard.text, "{request:?}").unwrap();
    for metric in request.resource_metrics.into_iter().flat_map(|from| from.scope_metrics).flat_map(|from| from.metrics)
    {
        if !heard.metrics.contains(&metric.name) {
            heard.metrics.push(metric.name);
        }
    }
    (StatusCode::OK, Vec::new())
}

pub(crate) fn hexadecimal(id: &[u8]) -> String {
    google_reviews_mcp::model::hex(id)
}

/// The value of an attribute as text; empty if there is none.
pub(crate) fn attribute(span: &Span, key: &str) -> String {
    attributes(&span.attributes).into_iter().find(|(name, _)| name == key).map(|(_, value)| value).unwrap_or_default()
}

fn attributes(pairs: &[KeyValue]) -> Vec<(String, String)> {
    pairs.iter().map(|pair| (pair.key.clone(), text(pair.value.as_ref()))).collect()
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}
