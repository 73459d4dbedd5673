//! Sends spans to a collector, by OTLP over HTTP. A collector that is slow, gone or hostile costs spans and nothing else:
//! they wait in a queue with a bound, a thread of its own sends them, and what finds no room is counted and dropped.

use super::{SetUp, spans};
use crate::config::{Otlp, Sampling};
use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceId, TraceState, TracerProvider as _},
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    resource::EnvResourceDetector,
    trace::{
        BatchConfigBuilder, BatchSpanProcessor, Sampler, SamplingDecision, SamplingResult, SdkTracerProvider,
        ShouldSample, Span, SpanData, SpanExporter, SpanProcessor,
    },
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tracing::Subscriber;
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

/// The way of spans to the collector.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    counts: SpanCounts,
}

impl Traces {
    /// Nothing is connected yet.
    pub(super) fn start(otlp: &Otlp) -> Result<Self, SetUp> {
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .build()
            .map_err(|error| SetUp(error.to_string()))?;
        let counts = SpanCounts::default();
        let exporter = Delivery { exporter, counts: counts.clone() };
        let batches = BatchConfigBuilder::default().with_max_queue_size(otlp.max_queue).build();
        let queue = BatchSpanProcessor::builder(exporter).with_batch_config(batches).build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(Bounded { queue, counts: counts.clone(), most: otlp.max_queue })
            .with_sampler(sampler(otlp.sampling))
            .with_resource(resource(otlp))
            .build();
        Ok(Self { provider, counts })
    }

    /// Takes the spans of `spans`, and nothing else.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer(env!("CARGO_PKG_NAME")))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(filter_fn(|metadata| metadata.is_span() && metadata.target() == spans::TARGET))
    }

    /// What became of all spans so far.
    pub fn counts(&self) -> SpanCounts {
        self.counts.clone()
    }

    /// Sends what waits, for at most `limit`.
    pub async fn finish(self, limit: Duration) {
        // It blocks, and a collector that hangs must not hold up the end of the process.
        let _ = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(limit)).await;
    }
}

/// What the collector is told of this process. `OTEL_RESOURCE_ATTRIBUTES` may say more.
pub(super) fn resource(otlp: &Otlp) -> Resource {
    Resource::builder_empty()
        .with_service_name(otlp.service_name.clone())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_detector(Box::new(EnvResourceDetector::new()))
        .build()
}

/// Spans by what became of them. Clones share the figures.
#[derive(Debug, Clone, Default)]
pub struct SpanCounts(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    waiting: AtomicUsize,
    delivered: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
    is_failing: AtomicBool,
}

impl SpanCounts {
    /// The figures by their names in metrics.
    pub fn read(&self) -> [(&'static str, u64); 3] {
        [("delivered", &self.0.delivered), ("failed", &self.0.failed), ("dropped", &self.0.dropped)]
            .map(|(name, count)| (name, count.load(Ordering::Relaxed)))
    }
}

/// Lets only so many spans wait.
#[derive(Debug)]
struct Bounded {
    queue: BatchSpanProcessor,
    counts: SpanCounts,
    most: usize,
}

impl SpanProcessor for Bounded {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.queue.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        let Counts { waiting, dropped, .. } = &*self.counts.0;
        if waiting.fetch_add(1, Ordering::Relaxed) < self.most {
            self.queue.on_end(span);
        } else {
            waiting.fetch_sub(1, Ordering::Relaxed);
            dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.queue.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.queue.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.queue.set_resource(resource);
    }
}

/// Sends spans, and tells what became of them: in figures always, in the log when it changes.
#[derive(Debug)]
struct Delivery {
    exporter: opentelemetry_otlp::SpanExporter,
    counts: SpanCounts,
}

impl SpanExporter for Delivery {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let Counts { waiting, delivered, failed, is_failing, .. } = &*self.counts.0;
        let size = batch.len();
        let outcome = self.exporter.export(batch).await;
        waiting.fetch_sub(size, Ordering::Relaxed);
        let counter = if outcome.is_ok() { delivered } else { failed };
        counter.fetch_add(size as u64, Ordering::Relaxed);
        // Without its words: they may hold the address with a password.
        match (is_failing.swap(outcome.is_err(), Ordering::Relaxed), outcome.is_err()) {
            (false, true) => tracing::warn!("the collector of OTEL_EXPORTER_OTLP_ENDPOINT takes no spans; calls go on"),
            (true, false) => tracing::info!("the collector takes spans again"),
            _ => {}
        }
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Spans within a request follow the request; for the request itself chance decides, also where a caller wants a trace:
/// neither the flag nor the id, which are the caller's choice, gets it more than its part.
fn sampler(sampling: Sampling) -> impl ShouldSample {
    let chance = Chance(sampling.ratio);
    let by_chance = Sampler::parent_based(chance.clone()).with_remote_parent_sampled(chance.clone());
    if sampling.obeys_callers { by_chance } else { by_chance.with_remote_parent_not_sampled(chance) }
}

#[derive(Debug, Clone)]
struct Chance(f64);

impl ShouldSample for Chance {
    fn should_sample(
        &self,
        _parent_context: Option<&Context>,
        _trace_id: TraceId,
        _name: &str,
        _span_kind: &SpanKind,
        _attributes: &[KeyValue],
        _links: &[Link],
    ) -> SamplingResult {
        let is_sampled = rand::random::<f64>() < self.0;
        let decision = if is_sampled { SamplingDecision::RecordAndSample } else { SamplingDecision::Drop };
        SamplingResult { decision, attributes: Vec::new(), trace_state: TraceState::NONE }
    }
}
