//! Drift: compares an answer with Google's published schema, so that a changed API is seen before it misleads. All
//! fields are judged by name; what is inside is looked at where our masks ask for it.
//!
//! A finding of kind `unknown_*` is news, and the answer is given. Any other kind is wrong: one element of the list
//! that the answer is about (a review, a hit) is left out, and anything else makes the whole answer unreadable.
//! Absence is never a finding here, because proto3 JSON omits whatever has no value.

use super::schema::{Field, Kind, Message, SCHEMA};
use jiff::Timestamp;
use serde_json::Value;
use std::fmt::Write as _;

/// How an answer differs from the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DriftKind {
    /// A field that the schema does not name.
    UnknownField,
    /// An enum value that the schema does not name.
    UnknownEnumValue,
    /// A value of another type.
    WrongType,
    /// The right type, but outside of what the field can mean, for example a rating of 9.
    OutOfRange,
    /// A field that gives the rest its meaning is not there.
    Missing,
    /// No JSON at all, or not an object.
    NotJson,
}

impl DriftKind {
    /// The name used in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownField => "unknown_field",
            Self::UnknownEnumValue => "unknown_enum_value",
            Self::WrongType => "wrong_type",
            Self::OutOfRange => "out_of_range",
            Self::Missing => "missing",
            Self::NotJson => "not_json",
        }
    }

    /// Whether the value cannot be used.
    pub fn is_wrong(self) -> bool {
        !matches!(self, Self::UnknownField | Self::UnknownEnumValue)
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What differs.
    pub kind: DriftKind,
    /// Where, without list positions: `reviews[].authorAttribution.uri`.
    pub path: String,
    /// The position in the list that the answer is about, if the finding lies in it.
    pub element: Option<usize>,
}

/// An answer with more findings than this has another format altogether; nobody reads further.
const MOST: usize = 1_000;

/// Compares `body` with the message named `root`. `list` is the field whose elements stand on their own.
///
/// Returns the findings in the order of the body; if there are too many, the last one says that the whole is wrong.
pub fn inspect(body: &Value, root: &str, list: &str) -> Vec<Finding> {
    let mut walk = Walk { list, path: String::new(), element: None, findings: Vec::new() };
    match SCHEMA.message(root) {
        Some(message) => walk.message(body, message),
        None => walk.find(DriftKind::NotJson),
    }
    if walk.findings.len() >= MOST {
        walk.findings.push(Finding { kind: DriftKind::WrongType, path: String::new(), element: None });
    }
    walk.findings
}

struct Walk<'a> {
    list: &'a str,
    path: String,
    element: Option<usize>,
    findings: Vec<Finding>,
}

impl Walk<'_> {
    fn find(&mut self, kind: DriftKind) {
        if self.findings.len() < MOST {
            self.findings.push(Finding { kind, path: self.path.clone(), element: self.element });
        }
    }

    fn message(&mut self, value: &Value, message: &Message) {
        let Value::Object(fields) = value else {
            return self.find(DriftKind::WrongType);
        };
        for (name, value) in fields {
            let end = self.path.len();
            self.enter(name);
            match message.get(name.as_str()) {
                Some(field) => self.field(value, field),
                None => self.find(DriftKind::UnknownField),
            }
            self.path.truncate(end);
        }
    }

    fn field(&mut self, value: &Value, field: &Field) {
        if !field.is_list {
            return self.value(value, &field.kind);
        }
        if value.is_null() {
            return;
        }
        let Value::Array(elements) = value else {
            return self.find(DriftKind::WrongType);
        };
        let is_the_list = self.path == self.list;
        let end = self.path.len();
        self.path.push_str("[]");
        for (position, element) in elements.iter().enumerate() {
            if is_the_list {
                self.element = Some(position);
            }
            self.value(element, &field.kind);
        }
        if is_the_list {
            self.element = None;
        }
        self.path.truncate(end);
    }

    fn value(&mut self, value: &Value, kind: &Kind) {
        let fits = match kind {
            // In proto3 JSON, null says the same as absence.
            _ if value.is_null() => true,
            Kind::Any => true,
            Kind::Text => value.is_string(),
            Kind::Number => value.is_number(),
            Kind::Integer => value.as_f64().is_some_and(|number| number.fract() == 0.0),
            Kind::Timestamp => value.as_str().is_some_and(|text| text.parse::<Timestamp>().is_ok()),
            Kind::Enum(known) => match value.as_str() {
                Some(text) if known.contains(&text) => true,
                Some(_) => return self.find(DriftKind::UnknownEnumValue),
                None => false,
            },
            Kind::Message(name) => match SCHEMA.message(name) {
                Some(message) => return self.message(value, message),
                None => false,
            },
        };
        if !fits {
            self.find(DriftKind::WrongType);
        }
    }

    /// Appends a field's name. It comes from the network, so it is shortened and stripped to what names consist of.
    fn enter(&mut self, name: &str) {
        if !self.path.is_empty() {
            self.path.push('.');
        }
        for character in name.chars().take(64) {
            let shown = if character.is_ascii_alphanumeric() || character == '_' { character } else { '?' };
            let _ = self.path.write_char(shown);
        }
    }
}
