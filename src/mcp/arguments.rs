//! From the arguments of a call to a tool's input, or to one sentence that names the argument, what was wrong with it,
//! and what is allowed. The words for what is allowed are those of the published schema.

use crate::model::Failure;
use rmcp::model::JsonObject;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::borrow::Cow;
use validator::{Validate, ValidationError, ValidationErrors, ValidationErrorsKind};

/// Longer names of unknown arguments are not repeated in full.
const SHOWN_NAME: usize = 40;

/// Reads `arguments` by the rules of `schema`, which is the published schema of `I`.
///
/// # Errors
/// A [`Failure`] that names the argument which does not fit.
pub fn parse<I>(mut arguments: JsonObject, schema: &JsonObject) -> Result<I, Failure>
where
    I: DeserializeOwned + Validate,
{
    // Models write null for "not given".
    arguments.retain(|_, value| !value.is_null());
    check_names(&arguments, schema, "")?;
    let arguments = Value::Object(arguments);
    let input: I = serde_path_to_error::deserialize(&arguments).map_err(|error| {
        let path = error.path().to_string();
        let given = lookup(&arguments, &path).map_or("missing", type_of);
        refuse(&path, &format!("has the wrong type or value (it is {given})"), schema)
    })?;
    match input.validate() {
        Ok(()) => Ok(input),
        Err(errors) => Err(first_broken_rule(&errors, schema, "").unwrap_or_else(Failure::internal)),
    }
}

/// All names are known, and all that are required are there, at every level.
fn check_names(arguments: &JsonObject, schema: &JsonObject, path: &str) -> Result<(), Failure> {
    let empty = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    for (name, value) in arguments {
        let path = join(path, name);
        let Some(property) = properties.get(name) else {
            let known: Vec<_> = properties.keys().map(|name| format!("`{name}`")).collect();
            return Err(Failure::invalid_argument(format!(
                "`{}` is not an argument of this tool; allowed are {}.",
                shown(&path),
                known.join(", ")
            )));
        };
        if let (Value::Object(inner), Some(property)) = (value, property.as_object()) {
            check_names(inner, property, &path)?;
        }
    }
    let mut required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    match required.find(|name| !arguments.contains_key(*name)) {
        None => Ok(()),
        Some(name) => {
            let description = properties.get(name).map(allowed).unwrap_or_default();
            Err(Failure::invalid_argument(format!("`{}` is missing; expected: {description}", join(path, name))))
        }
    }
}

/// The first rule that is broken, in the order of the schema.
fn first_broken_rule(errors: &ValidationErrors, schema: &JsonObject, path: &str) -> Option<Failure> {
    let properties = schema.get("properties").and_then(Value::as_object)?;
    let kinds = errors.errors();
    properties.iter().find_map(|(name, property)| {
        let path = join(path, name);
        match kinds.get(name.as_str())? {
            ValidationErrorsKind::Field(errors) => {
                let wrong = errors.first().map_or(Cow::Borrowed("is not allowed"), what_is_wrong);
                Some(Failure::invalid_argument(format!("`{path}` {wrong}; expected: {}", allowed(property))))
            }
            ValidationErrorsKind::Struct(inner) => first_broken_rule(inner, property.as_object()?, &path),
            ValidationErrorsKind::List(_) => Some(Failure::invalid_argument(format!(
                "`{path}` has an element that is not allowed; expected: {}",
                allowed(property)
            ))),
        }
    })
}

fn what_is_wrong(error: &ValidationError) -> Cow<'static, str> {
    let value = error.params.get("value");
    match (error.code.as_ref(), value) {
        ("range", Some(Value::Number(number))) => format!("is {number}").into(),
        ("length", Some(Value::String(text))) => format!("has {} characters", text.chars().count()).into(),
        ("length", Some(Value::Array(elements))) => format!("has {} elements", elements.len()).into(),
        ("regex", _) => "has characters or a form that are not allowed".into(),
        _ => "is not allowed".into(),
    }
}

fn refuse(path: &str, wrong: &str, schema: &JsonObject) -> Failure {
    let mut property = Some(schema.clone());
    for name in path.split('.') {
        property = property.and_then(|schema| schema.get("properties")?.get(name)?.as_object().cloned());
    }
    let description = property.map(|property| allowed(&Value::Object(property))).unwrap_or_default();
    Failure::invalid_argument(format!("`{}` {wrong}; expected: {description}", shown(path)))
}

/// What the schema says about a value, with its constants if it has some.
fn allowed(property: &Value) -> String {
    let description = property.get("description").and_then(Value::as_str).unwrap_or("another value");
    let values: Vec<_> =
        property.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    if values.is_empty() { description.to_owned() } else { format!("{description} One of {}.", values.join(", ")) }
}

fn lookup<'a>(arguments: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(arguments, |value, name| value.get(name))
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// A name that a caller chose, shortened and stripped of what could be more than a name.
fn shown(name: &str) -> String {
    name.chars()
        .take(SHOWN_NAME)
        .map(|each| if each.is_alphanumeric() || "._-".contains(each) { each } else { '?' })
        .collect()
}
