//! Google's published schema as data: reads `schema-20261101.txt` once into a form that a walk can follow.

use std::{collections::HashMap, sync::LazyLock};

const TEXT: &str = include_str!("schema-20261101.txt");

/// The messages of the revision that this version was built for.
pub(super) static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::parse(TEXT));

/// All messages by name.
#[derive(Debug)]
pub(super) struct Schema(HashMap<&'static str, Message>);

/// The fields of one message by name.
pub(super) type Message = HashMap<&'static str, Field>;

/// What a field may hold.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) kind: Kind,
    pub(super) is_list: bool,
}

/// The type of one value.
#[derive(Debug)]
pub(super) enum Kind {
    /// Not looked into.
    Any,
    Text,
    Number,
    /// 32 bits, a JSON number.
    Integer,
    /// RFC 3339.
    Timestamp,
    Enum(Vec<&'static str>),
    Message(&'static str),
}

impl Schema {
    /// The message of this name, if the schema has it.
    pub(super) fn message(&self, name: &str) -> Option<&Message> {
        self.0.get(name)
    }

    fn parse(text: &'static str) -> Self {
        let mut messages: HashMap<_, Message> = HashMap::new();
        let mut current = "";
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            match line.strip_prefix("  ").and_then(|field| field.split_once(' ')) {
                None => {
                    current = line;
                    messages.entry(current).or_default();
                }
                Some((name, kind)) => {
                    messages.entry(current).or_default().insert(name, Field::parse(kind));
                }
            }
        }
        Self(messages)
    }
}

impl Field {
    fn parse(text: &'static str) -> Self {
        let (name, is_list) = match text.strip_suffix("[]") {
            Some(name) => (name, true),
            None => (text, false),
        };
        let kind = match name {
            "any" => Kind::Any,
            "string" => Kind::Text,
            "double" => Kind::Number,
            "int32" => Kind::Integer,
            "timestamp" => Kind::Timestamp,
            _ => match name.strip_prefix("enum ") {
                Some(values) => Kind::Enum(values.split(' ').collect()),
                None => Kind::Message(name),
            },
        };
        Self { kind, is_list }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::google::mask;

    #[test]
    fn every_message_that_a_field_names_is_there() {
        for message in SCHEMA.0.values() {
            for field in message.values() {
                if let Kind::Message(name) = field.kind {
                    assert!(SCHEMA.message(name).is_some(), "{name}");
                }
            }
        }
    }

    #[test]
    fn every_field_that_a_mask_asks_for_is_looked_into() {
        let of_place = mask::PLACE.fields.split(',').map(|field| ("Place", field));
        let of_search = mask::SEARCH.fields.split(',').map(|field| match field.strip_prefix("places.") {
            Some(field) => ("Place", field),
            None => ("SearchTextResponse", field),
        });
        for (message, field) in of_place.chain(of_search) {
            let found = SCHEMA.message(message).expect("a message").get(field);
            assert!(found.is_some_and(|found| !matches!(found.kind, Kind::Any)), "{message}.{field}");
        }
    }
}
