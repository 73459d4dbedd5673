//! Whether an answer has the form that its tool publishes. Only the words of JSON Schema that our tools use are known
//! here; a whole validator in the binary would be larger than what it checks.

use serde_json::{Map, Value};

/// Checks `value` against `schema`. Words of JSON Schema that are not known here are passed over.
///
/// # Errors
/// The first difference in words, with where it is: `places[0].rating is not of type number`.
pub(super) fn check(schema: &Value, value: &Value) -> Result<(), String> {
    check_at(schema, value, "the answer")
}

fn check_at(schema: &Value, value: &Value, path: &str) -> Result<(), String> {
    if schema == &Value::Bool(false) {
        return Err(format!("{path} is not in the schema"));
    }
    // What is no object says nothing: `true` allows all.
    let Some(rules) = schema.as_object() else { return Ok(()) };
    if let Some(named) = rules.get("type")
        && !types(named).any(|name| is_of_type(name, value))
    {
        let names: Vec<_> = types(named).collect();
        return Err(format!("{path} is not of type {}", names.join(" or ")));
    }
    if let Some(Value::Array(allowed)) = rules.get("enum")
        && !allowed.contains(value)
    {
        return Err(format!("{path} is none of the values that the schema names"));
    }
    if !is_within(rules, value) {
        return Err(format!("{path} is beyond the bounds of the schema"));
    }
    match value {
        Value::Object(fields) => check_fields(rules, fields, path),
        Value::Array(elements) => check_elements(rules, elements, path),
        _ => Ok(()),
    }
}

fn check_fields(rules: &Map<String, Value>, fields: &Map<String, Value>, path: &str) -> Result<(), String> {
    let required = rules.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    if let Some(missing) = required.into_iter().find(|name| !fields.contains_key(*name)) {
        return Err(format!("{} is missing", inside(path, missing)));
    }
    let properties = rules.get("properties").and_then(Value::as_object);
    for (name, field) in fields {
        let own = properties.and_then(|properties| properties.get(name));
        if let Some(schema) = own.or_else(|| rules.get("additionalProperties")) {
            check_at(schema, field, &inside(path, name))?;
        }
    }
    Ok(())
}

fn check_elements(rules: &Map<String, Value>, elements: &[Value], path: &str) -> Result<(), String> {
    let Some(schema) = rules.get("items") else { return Ok(()) };
    elements
        .iter()
        .enumerate()
        .try_for_each(|(position, element)| check_at(schema, element, &format!("{path}[{position}]")))
}

/// Bounds of numbers, and of texts in characters.
fn is_within(rules: &Map<String, Value>, value: &Value) -> bool {
    let length = value.as_str().map(|text| text.chars().count() as u64);
    let number = |bound: &str| rules.get(bound).and_then(Value::as_f64).zip(value.as_f64());
    let characters = |bound: &str| rules.get(bound).and_then(Value::as_u64).zip(length);
    number("minimum").is_none_or(|(least, number)| number >= least)
        && number("maximum").is_none_or(|(most, number)| number <= most)
        && characters("minLength").is_none_or(|(least, length)| length >= least)
        && characters("maxLength").is_none_or(|(most, length)| length <= most)
}

/// The path of a field, from the outermost field on.
fn inside(path: &str, name: &str) -> String {
    if path == "the answer" { name.to_owned() } else { format!("{path}.{name}") }
}

/// One name, or a list of names.
fn types(named: &Value) -> impl Iterator<Item = &str> {
    named.as_array().map_or(std::slice::from_ref(named), Vec::as_slice).iter().filter_map(Value::as_str)
}

fn is_of_type(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        // JSON has one kind of number, so 5.0 is an integer too.
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::{
        app,
        config::{self, Sources},
    };
    use serde_json::{Value, json};

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "source": {"type": "string", "enum": ["a", "b"]},
                "places": {"type": "array", "items": {
                    "type": "object",
                    "properties": {"rating": {"type": "number"}, "count": {"type": ["integer", "null"]}},
                    "required": ["count"],
                    "additionalProperties": false,
                }},
                "free": {"type": "object", "additionalProperties": {"type": "boolean"}},
                "stars": {"type": "integer", "minimum": 1, "maximum": 5},
                "letter": {"type": "string", "minLength": 1, "maxLength": 1},
            },
            "required": ["source"],
            "additionalProperties": false,
        })
    }

    #[test]
    fn what_fits_passes() {
        for value in [
            json!({"source": "a"}),
            json!({"source": "a", "stars": 1, "letter": "é"}),
            json!({"source": "a", "stars": 5}),
            json!({"source": "b", "places": [], "free": {"x": true}}),
            json!({"source": "a", "places": [{"rating": 4, "count": 5.0}, {"rating": 4.5, "count": null}]}),
        ] {
            assert_eq!(check(&schema(), &value), Ok(()), "{value}");
        }
        assert_eq!(check(&json!(true), &json!(7)), Ok(()));
    }

    #[test]
    fn every_kind_of_difference_is_told_with_its_place() {
        for (value, told) in [
            (json!([]), "the answer is not of type object"),
            (json!({}), "source is missing"),
            (json!({"source": 7}), "source is not of type string"),
            (json!({"source": "c"}), "source is none of the values that the schema names"),
            (json!({"source": "a", "more": 1}), "more is not in the schema"),
            (json!({"source": "a", "places": {}}), "places is not of type array"),
            (json!({"source": "a", "places": [{"count": 1}, {}]}), "places[1].count is missing"),
            (json!({"source": "a", "places": [{"count": 1.5}]}), "places[0].count is not of type integer or null"),
            (json!({"source": "a", "places": [{"count": 1, "rating": "5"}]}), "places[0].rating is not of type number"),
            (json!({"source": "a", "places": [{"count": 1, "x": 5}]}), "places[0].x is not in the schema"),
            (json!({"source": "a", "stars": 0}), "stars is beyond the bounds of the schema"),
            (json!({"source": "a", "stars": 6}), "stars is beyond the bounds of the schema"),
            (json!({"source": "a", "letter": ""}), "letter is beyond the bounds of the schema"),
            (json!({"source": "a", "letter": "ab"}), "letter is beyond the bounds of the schema"),
            (json!({"source": "a", "free": {"x": 1}}), "free.x is not of type boolean"),
        ] {
            assert_eq!(check(&schema(), &value), Err(told.to_owned()), "{value}");
        }
    }

    /// A word that is passed over would be a rule that nobody holds.
    #[tokio::test]
    async fn the_tools_use_only_the_words_that_are_known() {
        let config = config::load(&Sources::default()).unwrap().into_config().unwrap();
        let definitions = app::tool_definitions(&config).unwrap();
        assert_eq!(definitions.len(), 7);
        for definition in definitions {
            hold(&definition["outputSchema"]);
        }
    }

    fn hold(schema: &Value) {
        let Some(rules) = schema.as_object() else { return };
        for word in rules.keys() {
            let known = ["type", "enum", "required", "properties", "items", "additionalProperties"];
            let bounds = ["minimum", "maximum", "minLength", "maxLength"];
            assert!(known.iter().chain(&bounds).any(|known| known == word), "{word} in {schema}");
        }
        rules.get("properties").and_then(Value::as_object).into_iter().flatten().for_each(|(_, inner)| hold(inner));
        ["items", "additionalProperties"].iter().filter_map(|word| rules.get(*word)).for_each(hold);
    }
}
