//! Where traces and metrics are sent, by the standard variables of OpenTelemetry. What the exporter reads by itself
//! (address, headers, time limits) is not repeated here.
//!
//! Source: OpenTelemetry specification, "Environment Variable Specification" and "OTLP Exporter Configuration".

use super::Problem;
use std::collections::HashMap;
use url::Url;

/// What is sent by OTLP, and which traces.
#[derive(Debug, Clone, PartialEq)]
pub struct Otlp {
    /// Whether spans are sent.
    pub traces: bool,
    /// Whether metrics are sent; `/metrics` has them in any case.
    pub metrics: bool,
    /// Which requests are traced.
    pub sampling: Sampling,
    /// Spans that wait to be sent, at most; more are dropped.
    pub max_queue: usize,
    /// The name of this service in the collector.
    pub service_name: String,
}

/// Which requests are traced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Whether a caller that does not trace its request is obeyed.
    pub obeys_callers: bool,
    /// The part of all other requests that is traced, 0 to 1. A caller that asks for a trace gets no more than that.
    pub ratio: f64,
}

impl Default for Otlp {
    fn default() -> Self {
        Self {
            traces: false,
            metrics: false,
            sampling: Sampling { obeys_callers: true, ratio: 1.0 },
            max_queue: 2_048,
            service_name: env!("CARGO_PKG_NAME").to_owned(),
        }
    }
}

/// The settings in the environment, and what is wrong with them.
pub(super) fn settings(environment: &HashMap<String, String>, problems: &mut Vec<Problem>) -> Otlp {
    let mut read = Read { environment, problems };
    if read.text("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
        return Otlp::default();
    }
    let usual = Otlp::default();
    Otlp {
        traces: read.is_sent("TRACES"),
        metrics: read.is_sent("METRICS"),
        sampling: read.sampling(),
        max_queue: read.max_queue(usual.max_queue),
        service_name: read.text("OTEL_SERVICE_NAME").map_or(usual.service_name, str::to_owned),
    }
}

struct Read<'a> {
    environment: &'a HashMap<String, String>,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Read<'a> {
    /// An empty variable is as good as none.
    fn text(&self, name: &str) -> Option<&'a str> {
        self.environment.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    fn report(&mut self, key: &str, message: &str) {
        self.problems.push(Problem { key: key.to_owned(), message: message.to_owned() });
    }

    /// Whether a collector is named for this signal.
    fn is_sent(&mut self, signal: &str) -> bool {
        let exporter = format!("OTEL_{signal}_EXPORTER");
        match self.text(&exporter) {
            Some("none") => return false,
            None | Some("otlp") => {}
            Some(_) => self.report(&exporter, "must be otlp or none"),
        }
        let names = [format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"), "OTEL_EXPORTER_OTLP_ENDPOINT".to_owned()];
        let Some(name) = names.iter().find(|name| self.text(name).is_some()) else { return false };
        let is_http = |text: &str| Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !self.text(name).is_some_and(is_http) {
            self.report(name, "must be an address such as http://localhost:4318");
        }
        let names = [format!("OTEL_EXPORTER_OTLP_{signal}_PROTOCOL"), "OTEL_EXPORTER_OTLP_PROTOCOL".to_owned()];
        if let Some(name) = names.iter().find(|name| self.text(name).is_some())
            && self.text(name) != Some("http/protobuf")
        {
            self.report(name, "must be http/protobuf: this server speaks no other form of OTLP (port 4318, not 4317)");
        }
        true
    }

    fn sampling(&mut self) -> Sampling {
        let name = self.text("OTEL_TRACES_SAMPLER").unwrap_or("parentbased_always_on");
        let (obeys_callers, rule) = match name.strip_prefix("parentbased_") {
            Some(rule) => (true, rule),
            None => (false, name),
        };
        let ratio = match rule {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => self.ratio(),
            _ => {
                let message = "must be always_on, always_off or traceidratio, or one of them after parentbased_";
                self.report("OTEL_TRACES_SAMPLER", message);
                1.0
            }
        };
        Sampling { obeys_callers, ratio }
    }

    fn ratio(&mut self) -> f64 {
        let ratio = self.text("OTEL_TRACES_SAMPLER_ARG").map_or(Some(1.0), |text| text.parse().ok());
        let ratio = ratio.filter(|ratio| (0.0..=1.0).contains(ratio));
        if ratio.is_none() {
            self.report("OTEL_TRACES_SAMPLER_ARG", "must be a number from 0 to 1");
        }
        ratio.unwrap_or(1.0)
    }

    fn max_queue(&mut self, usual: usize) -> usize {
        let name = "OTEL_BSP_MAX_QUEUE_SIZE";
        let queue = self.text(name).map_or(Some(usual), |text| text.parse().ok());
        let queue = queue.filter(|queue| (1..=65_536).contains(queue));
        if queue.is_none() {
            self.report(name, "must be a number from 1 to 65536");
        }
        queue.unwrap_or(usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> (Otlp, Vec<String>) {
        let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut problems = Vec::new();
        let settings = settings(&environment, &mut problems);
        (settings, problems.into_iter().map(|problem| problem.key).collect())
    }

    #[test]
    fn nothing_is_sent_unless_a_collector_is_named() {
        assert_eq!(read(&[]), (Otlp::default(), vec![]));
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        let sent = |more: &[(&str, &str)]| {
            let (settings, problems) = read(&[&[endpoint], more].concat());
            assert_eq!(problems, Vec::<String>::new());
            (settings.traces, settings.metrics)
        };
        assert_eq!(sent(&[]), (true, true));
        assert_eq!(sent(&[("OTEL_METRICS_EXPORTER", "none")]), (true, false));
        assert_eq!(sent(&[("OTEL_TRACES_EXPORTER", "none")]), (false, true));
        assert_eq!(sent(&[("OTEL_SDK_DISABLED", "true")]), (false, false));
        let (settings, _) = read(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://localhost:4318/v1/traces")]);
        assert!(settings.traces && !settings.metrics);
    }

    #[test]
    fn samplers_are_read_and_what_is_wrong_is_named() {
        let sampling = |sampler: &str, argument: &str| {
            let (settings, problems) = read(&[("OTEL_TRACES_SAMPLER", sampler), ("OTEL_TRACES_SAMPLER_ARG", argument)]);
            assert_eq!(problems, Vec::<String>::new());
            (settings.sampling.obeys_callers, settings.sampling.ratio)
        };
        assert_eq!(sampling("parentbased_traceidratio", "0.25"), (true, 0.25));
        assert_eq!(sampling("traceidratio", ""), (false, 1.0));
        assert_eq!(sampling("always_off", ""), (false, 0.0));
        assert_eq!(sampling("", ""), (true, 1.0));
        let (_, problems) = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_METRICS_EXPORTER", "none"),
            ("OTEL_TRACES_SAMPLER", "traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "2"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "many"),
        ]);
        let names = ["ENDPOINT", "PROTOCOL"].map(|name| format!("OTEL_EXPORTER_OTLP_{name}"));
        let rest = ["OTEL_TRACES_SAMPLER_ARG", "OTEL_BSP_MAX_QUEUE_SIZE"].map(str::to_owned);
        assert_eq!(problems, [names, rest].concat());
    }
}
