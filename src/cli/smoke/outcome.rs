//! What came of calling one tool: whether its answer has the form that it should have, and what it could not read of
//! the source.

use super::{
    known::{Known, Part},
    schema,
};
use crate::{mcp::client::ToolAnswer, model::Code};
use serde_json::{Value, json};
use std::time::Duration;

/// One line of the result.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) tool: String,
    /// How long the call took, if there was one.
    pub(super) duration: Option<Duration>,
    /// What was unreadable: a warning.
    pub(super) findings: Vec<Finding>,
    pub(super) fault: Option<Fault>,
}

/// Something that the source sent in an unreadable form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) count: u64,
    /// Where, and how much or what.
    pub(super) text: String,
}

/// Why a tool failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// As the server gave it, if it did.
    pub(super) code: Option<String>,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { code: None, message: message.into() }
    }
}

impl Outcome {
    /// Of a tool that was not called.
    pub(super) fn not_called(tool: &str, why: impl Into<String>) -> Self {
        Self { tool: tool.to_owned(), duration: None, findings: Vec::new(), fault: Some(Fault::new(why)) }
    }

    pub(super) fn is_ok(&self) -> bool {
        self.fault.is_none()
    }

    /// Unreadable parts; an answer that is unreadable as a whole counts once.
    pub(super) fn drift(&self) -> u64 {
        let is_unreadable =
            self.fault.as_ref().and_then(|fault| fault.code.as_deref()) == Some(Code::GoogleFormatChanged.as_str());
        self.findings.iter().map(|finding| finding.count).sum::<u64>() + u64::from(is_unreadable)
    }

    /// What to say of it: why it failed, and what was unreadable.
    pub(super) fn note(&self) -> String {
        let fault = self.fault.as_ref().map(|fault| match &fault.code {
            Some(code) => format!("{code}: {}", fault.message),
            None => fault.message.clone(),
        });
        let findings = self.findings.iter().map(|finding| format!("unreadable: {}", finding.text));
        fault.into_iter().chain(findings).collect::<Vec<_>>().join("; ")
    }

    /// For programs.
    pub(super) fn as_json(&self) -> Value {
        let milliseconds = self.duration.map(milliseconds);
        let mut line =
            json!({"tool": self.tool, "ok": self.is_ok(), "duration_ms": milliseconds, "drift": self.drift()});
        if let (Some(fields), false) = (line.as_object_mut(), self.findings.is_empty()) {
            fields.insert("findings".to_owned(), self.findings.iter().map(|finding| finding.text.as_str()).collect());
        }
        if let (Some(fields), Some(Fault { code, message })) = (line.as_object_mut(), &self.fault) {
            let error = match code {
                Some(code) => json!({"code": code, "message": message}),
                None => json!({"message": message}),
            };
            fields.insert("error".to_owned(), error);
        }
        line
    }
}

/// Rounded to a tenth.
pub(super) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

/// Whether an answer is what its tool promises.
///
/// # Errors
/// The first thing that is wrong with it.
pub(super) fn judge(tool: &Known, schema: Option<&Value>, answer: &ToolAnswer) -> Result<(), Fault> {
    if answer.is_error {
        return Err(Fault { code: answer.failure_code().map(str::to_owned), message: answer.text.clone() });
    }
    if answer.text.trim().is_empty() {
        return Err(Fault::new("the answer has no text"));
    }
    let data = answer.data.as_ref().ok_or_else(|| Fault::new("the answer has no structured part"))?;
    let schema = schema.ok_or_else(|| Fault::new("the tool publishes no schema of its answers"))?;
    schema::check(schema, data).map_err(|difference| Fault::new(format!("not as the schema says: {difference}")))?;
    for (pointer, part) in tool.parts {
        if !data.pointer(pointer).is_some_and(|value| part.is(value)) {
            return Err(missing(pointer, *part));
        }
    }
    all_available(data)
}

fn missing(pointer: &str, part: Part) -> Fault {
    let name = pointer.trim_start_matches('/').replace('/', ".");
    Fault::new(format!("not as the contract says: {name} is not {}", part.in_words()))
}

/// An answer about several places is given also if one of them cannot be had. For a test that is no success.
fn all_available(data: &Value) -> Result<(), Fault> {
    let Some(place) = data.get("unavailable").and_then(|places| places.get(0)) else { return Ok(()) };
    let text = |name| place.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
    Err(Fault { code: Some(text("code")), message: format!("without {}: {}", text("place_id"), text("message")) })
}

/// What the answer says about parts of the source that could not be read.
pub(super) fn findings(data: &Value) -> Vec<Finding> {
    let mut found = Vec::new();
    collect("", data, &mut found);
    found
}

fn collect(path: &str, value: &Value, found: &mut Vec<Finding>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match (name.as_str(), field) {
                    ("unreadable_parts", Value::Array(parts)) if !parts.is_empty() => {
                        let names: Vec<_> = parts.iter().filter_map(Value::as_str).collect();
                        let text = format!("{path}: {}", names.join(", "));
                        found.push(Finding { count: parts.len() as u64, text });
                    }
                    ("unreadable" | "unreadable_places", Value::Number(number)) => {
                        let count = number.as_u64().unwrap_or(0);
                        found.extend((count > 0).then(|| Finding { count, text: format!("{path}: {count}") }));
                    }
                    _ => collect(&path, field, found),
                }
            }
        }
        Value::Array(elements) => {
            for (position, element) in elements.iter().enumerate() {
                collect(&format!("{path}[{position}]"), element, found);
            }
        }
        _ => {}
    }
}
