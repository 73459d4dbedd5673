//! One strict pass over a JSON text: its form, duplicate keys at any depth, and the outer fields of a message.
//!
//! Duplicate keys are refused because two readers may each take another one of them: a proxy that filters would see
//! one method, and the server would run the other.

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::{cell::Cell, collections::HashSet, fmt};

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Null,
    Bool,
    Integer(i64),
    OtherNumber,
    Text(String),
    List,
    Object,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// The shape of the whole text.
    pub(super) root: Option<Shape>,
    /// The fields of the outer object.
    pub(super) fields: Vec<(String, Shape)>,
    /// The fields of its `params`.
    pub(super) params: Vec<(String, Shape)>,
}

impl Outline {
    /// The shape of an outer field.
    pub(super) fn field(&self, name: &str) -> Option<&Shape> {
        find(&self.fields, name)
    }

    /// The shape of a field of `params`.
    pub(super) fn param(&self, name: &str) -> Option<&Shape> {
        find(&self.params, name)
    }
}

fn find<'a>(fields: &'a [(String, Shape)], name: &str) -> Option<&'a Shape> {
    fields.iter().find(|(known, _)| known == name).map(|(_, shape)| shape)
}

/// Why a text was refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// No JSON.
    Syntax,
    /// A key appears twice in one object.
    DuplicateKey,
}

/// Reads the whole text.
pub(super) fn scan(text: &[u8]) -> Result<Outline, Fault> {
    let duplicate = Cell::new(false);
    let mut outline = Outline::default();
    let mut reader = serde_json::Deserializer::from_slice(text);
    let pass = Pass { level: Level::Message(&mut outline), duplicate: &duplicate };
    let read = pass.deserialize(&mut reader).and_then(|root| reader.end().map(|()| root));
    match read {
        Ok(root) => {
            outline.root = Some(root);
            Ok(outline)
        }
        Err(_) if duplicate.get() => Err(Fault::DuplicateKey),
        Err(_) => Err(Fault::Syntax),
    }
}

struct Pass<'a> {
    level: Level<'a>,
    duplicate: &'a Cell<bool>,
}

/// Where in the message a value stands.
enum Level<'a> {
    Message(&'a mut Outline),
    Params(&'a mut Vec<(String, Shape)>),
    Below,
}

impl<'de> DeserializeSeed<'de> for Pass<'_> {
    type Value = Shape;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pass<'_> {
    type Value = Shape;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::Bool)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Shape, E> {
        Ok(Shape::Integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Shape, E> {
        Ok(i64::try_from(number).map_or(Shape::OtherNumber, Shape::Integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::OtherNumber)
    }

    fn visit_str<E>(self, text: &str) -> Result<Shape, E> {
        Ok(Shape::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Shape, A::Error> {
        while elements.next_element_seed(Pass { level: Level::Below, duplicate: self.duplicate })?.is_some() {}
        Ok(Shape::List)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<Shape, A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = fields.next_key::<String>()? {
            let level = match &mut self.level {
                Level::Message(outline) if name == "params" => Level::Params(&mut outline.params),
                _ => Level::Below,
            };
            let shape = fields.next_value_seed(Pass { level, duplicate: self.duplicate })?;
            match &mut self.level {
                Level::Message(outline) => outline.fields.push((name.clone(), shape)),
                Level::Params(params) => params.push((name.clone(), shape)),
                Level::Below => {}
            }
            if !seen.insert(name) {
                self.duplicate.set(true);
                return Err(A::Error::custom("duplicate key"));
            }
        }
        Ok(Shape::Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_two_readers_could_read_differently_are_refused() {
        assert_eq!(scan(br#"{"a":1,"a":2}"#).unwrap_err(), Fault::DuplicateKey);
        assert_eq!(scan(br#"{"a":[{"b":{"c":1,"c":1}}]}"#).unwrap_err(), Fault::DuplicateKey);
        assert_eq!(scan(br#"{"a":1,"\u0061":2}"#).unwrap_err(), Fault::DuplicateKey);
        assert!(scan(br#"{"a":{"b":1},"c":{"b":1}}"#).is_ok());
    }

    #[test]
    fn texts_that_are_no_json_are_refused() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for bad in [
            "",
            "{",
            "{}{}",
            "{} x",
            "\u{feff}{}",
            "{'a':1}",
            "{\"a\":1,}",
            "// x\n{}",
            "1e400",
            "\"\\ud800\"",
            &deep,
            "NaN",
            "01",
        ] {
            assert_eq!(scan(bad.as_bytes()).unwrap_err(), Fault::Syntax, "{bad}");
        }
        assert_eq!(scan(b"\"\xff\"").unwrap_err(), Fault::Syntax);
        assert_eq!(scan(b"\"\xc0\xaf\"").unwrap_err(), Fault::Syntax);
    }
}
