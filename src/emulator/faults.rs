//! Faults that can be switched on, for a number of requests or for a time.

use super::errors::NamedError;
use crate::clock::Clock;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Fault {
    /// The answer waits.
    Latency { milliseconds: u64 },
    /// One of the errors that Google is known for, with the header `Retry-After` if one is given.
    Error {
        name: NamedError,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<String>,
    },
    /// A status with a body that is no JSON, as a front end sends it.
    Html { status: u16 },
    /// A redirect.
    Redirect { location: String },
    /// The JSON ends in the middle.
    Truncated,
    /// A field appears; see [`edit`] for the path.
    UnknownField { path: String },
    /// A field has another name.
    RenamedField { path: String, to: String },
    /// A field has another type.
    MistypedField { path: String },
    /// A field has this value.
    ReplacedField { path: String, value: Value },
    /// A field is missing.
    RemovedField { path: String },
    /// The whole body is this.
    ReplacedBody { body: Value },
    /// The body trickles.
    SlowBody { bytes_per_second: u64 },
    /// The body never ends.
    EndlessBody,
    /// A small compressed body that unpacks to this size, at most 256.
    CompressionBomb { megabytes: usize },
    /// The connection breaks in the middle of the body.
    Reset,
}

/// A fault with its scope. Without `requests` and `milliseconds` it stays until it is deleted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Switch {
    fault: Fault,
    /// `place_details` or `search_text`; both if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requests: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    milliseconds: Option<u64>,
}

/// The faults that are switched on; the first that fits a request is taken.
#[derive(Debug)]
pub(super) struct Faults {
    clock: Clock,
    on: Mutex<Vec<(Switch, Option<Duration>)>>,
}

impl Faults {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, on: Mutex::default() }
    }

    pub(super) fn add(&self, switch: Switch) {
        let ends = switch.milliseconds.map(|milliseconds| self.clock.elapsed() + Duration::from_millis(milliseconds));
        self.lock().push((switch, ends));
    }

    pub(super) fn all(&self) -> Vec<Switch> {
        self.lock().iter().map(|(switch, _)| switch.clone()).collect()
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// The fault for a request to `endpoint`, counted down.
    pub(super) fn take(&self, endpoint: &str) -> Option<Fault> {
        let now = self.clock.elapsed();
        let mut on = self.lock();
        on.retain(|(switch, ends)| ends.is_none_or(|ends| now < ends) && switch.requests != Some(0));
        let (switch, _) =
            on.iter_mut().find(|(switch, _)| switch.endpoint.as_deref().is_none_or(|wanted| wanted == endpoint))?;
        switch.requests = switch.requests.map(|left| left.saturating_sub(1));
        Some(switch.fault.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Switch, Option<Duration>)>> {
        self.on.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fault {
    /// Changes the answer's JSON, for the faults that do so.
    pub(super) fn edit(&self, body: Value) -> Value {
        match self {
            Self::UnknownField { path } => edit(body, path, &|_| Some(json!("new"))),
            Self::RemovedField { path } => edit(body, path, &|_| None),
            Self::ReplacedField { path, value } => edit(body, path, &|_| Some(value.clone())),
            Self::MistypedField { path } => edit(body, path, &|old| Some(mistyped(old))),
            Self::RenamedField { path, to } => rename(body, path, to),
            Self::ReplacedBody { body } => body.clone(),
            _ => body,
        }
    }
}

/// A value of another type.
fn mistyped(value: Option<&Value>) -> Value {
    match value {
        Some(Value::Number(number)) => json!(number.to_string()),
        Some(Value::String(_)) => json!(7),
        Some(Value::Array(_)) => json!({"unexpected": true}),
        _ => json!(["unexpected"]),
    }
}

/// Changes the fields at `path`: names and list positions between dots, `*` for every position of a list.
fn edit(value: Value, path: &str, change: &dyn Fn(Option<&Value>) -> Option<Value>) -> Value {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    match value {
        Value::Array(elements) => elements
            .into_iter()
            .enumerate()
            .map(|(position, element)| match rest {
                Some(rest) if first == "*" || first == position.to_string() => edit(element, rest, change),
                None if first == "*" || first == position.to_string() => change(Some(&element)).unwrap_or(Value::Null),
                _ => element,
            })
            .collect(),
        Value::Object(mut fields) => {
            let old = fields.get(first).cloned();
            match rest {
                Some(rest) => {
                    if let Some(old) = old {
                        fields.insert(first.to_owned(), edit(old, rest, change));
                    }
                }
                None => match change(old.as_ref()) {
                    Some(new) => drop(fields.insert(first.to_owned(), new)),
                    None => drop(fields.shift_remove(first)),
                },
            }
            Value::Object(fields)
        }
        other => other,
    }
}

fn rename(value: Value, path: &str, to: &str) -> Value {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    match (value, rest) {
        (Value::Array(elements), Some(rest)) => elements
            .into_iter()
            .enumerate()
            .map(
                |(position, element)| {
                    if first == "*" || first == position.to_string() { rename(element, rest, to) } else { element }
                },
            )
            .collect(),
        (Value::Object(fields), Some(rest)) => fields
            .into_iter()
            .map(|(name, value)| if name == first { (name, rename(value, rest, to)) } else { (name, value) })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        (Value::Object(fields), None) => fields
            .into_iter()
            .map(|(name, value)| if name == first { (to.to_owned(), value) } else { (name, value) })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        (other, _) => other,
    }
}
