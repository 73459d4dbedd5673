//! JSON Schemas that every client can read: no references, no lists of types, no formats of Rust numbers, and nothing
//! allowed beyond what is named.

use rmcp::model::JsonObject;
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::{Value, json};

/// The schema of a tool's arguments.
pub fn of_input<T: JsonSchema>() -> JsonObject {
    portable(settings().into_generator().into_root_schema_for::<T>())
}

/// The schema of a tool's answer: names and types alone. Every client carries the definitions of all tools in every
/// conversation, and the names say what a description would.
pub(super) fn of_output<T: JsonSchema>() -> JsonObject {
    let mut schema = Value::Object(portable(settings().for_serialize().into_generator().into_root_schema_for::<T>()));
    strip(&mut schema);
    schema.as_object().cloned().unwrap_or_default()
}

/// Removes what only a reader of the code needs.
fn strip(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    for told in ["description", "minimum"] {
        fields.shift_remove(told);
    }
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        properties.values_mut().for_each(strip);
    }
    if let Some(items) = fields.get_mut("items") {
        strip(items);
    }
}

fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    })
}

fn portable(schema: Schema) -> JsonObject {
    let mut schema = schema.to_value();
    simplify(&mut schema);
    let mut object = schema.as_object().cloned().unwrap_or_default();
    // The description of the struct is for readers of the code.
    object.shift_remove("description");
    object
}

fn simplify(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    for noise in ["title", "$schema", "format"] {
        fields.shift_remove(noise);
    }
    if fields.get("default").is_some_and(Value::is_null) {
        fields.shift_remove("default");
    }
    // Optional means absent here, never null.
    if let Some(Value::Array(types)) = fields.get("type") {
        let named: Vec<_> = types.iter().filter(|name| *name != "null").cloned().collect();
        if let [only] = named.as_slice() {
            fields.insert("type".to_owned(), only.clone());
        }
    }
    if let Some(Value::Array(values)) = fields.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(Value::Array(choices)) = fields.shift_remove("anyOf") {
        let present = choices.into_iter().find(|choice| choice.get("type") != Some(&json!("null")));
        for (name, value) in present.as_ref().and_then(Value::as_object).into_iter().flatten() {
            fields.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    name_the_values(fields);
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        properties.values_mut().for_each(simplify);
        fields.insert("additionalProperties".to_owned(), json!(false));
    }
    if let Some(items) = fields.get_mut("items") {
        simplify(items);
    }
    // Simplifying a choice may have brought in what must be simplified.
    for noise in ["title", "format"] {
        fields.shift_remove(noise);
    }
}

/// Documented enum values come as `oneOf` constants; a plain `enum` says the same to more clients.
fn name_the_values(fields: &mut JsonObject) {
    let Some(Value::Array(choices)) = fields.get("oneOf") else {
        return;
    };
    let values: Option<Vec<Value>> = choices.iter().map(|choice| choice.get("const").cloned()).collect();
    if let Some(values) = values {
        fields.shift_remove("oneOf");
        fields.insert("type".to_owned(), json!("string"));
        fields.insert("enum".to_owned(), Value::Array(values));
    }
}
