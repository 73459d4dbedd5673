//! What is kept under which key: everything that an answer depends on, in canonical form.

use crate::{
    cache::{Class, Key},
    model::{Located, Place, Search, SearchPage, WhichPlace},
    upstream::Places,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What Google said about a place: there is one, or there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Lookup {
    /// There is one.
    Found(Box<Located<Place>>),
    /// Google knows it no longer.
    Obsolete,
    /// Google cannot read its id.
    Unreadable,
}

impl Key for WhichPlace {
    type Value = Lookup;
    const KIND: &'static str = "place";

    fn parts(&self) -> Vec<Cow<'_, str>> {
        vec![
            Places::PLACE_FORM.into(),
            self.id.as_str().into(),
            // Case says nothing in a language tag (RFC 5646 §2.1.1).
            self.language.as_str().to_ascii_lowercase().into(),
            self.region.as_ref().map_or("", |region| region.as_str()).into(),
        ]
    }

    fn class(value: &Lookup) -> Class {
        match value {
            Lookup::Found(_) => Class::PlacesContent,
            Lookup::Obsolete | Lookup::Unreadable => Class::MissingPlace,
        }
    }
}

impl Key for Search {
    type Value = Located<SearchPage>;
    const KIND: &'static str = "search";

    fn parts(&self) -> Vec<Cow<'_, str>> {
        let near = self.near.map(|(latitude, longitude, radius)| format!("{latitude},{longitude},{radius}"));
        vec![
            Places::SEARCH_FORM.into(),
            self.query.split_whitespace().collect::<Vec<_>>().join(" ").into(),
            near.unwrap_or_default().into(),
            self.language.as_str().to_ascii_lowercase().into(),
            self.region.as_ref().map_or("", |region| region.as_str()).into(),
            self.page_size.to_string().into(),
            self.page_token.as_deref().unwrap_or_default().into(),
        ]
    }

    fn class(_: &Self::Value) -> Class {
        Class::PlacesContent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Language, PlaceId, Region};

    fn search(query: &str) -> Search {
        Search {
            query: query.to_owned(),
            near: None,
            language: Language::parse("en").expect("a language"),
            region: None,
            page_size: 10,
            page_token: None,
        }
    }

    fn place(language: &str, region: Option<&str>) -> WhichPlace {
        WhichPlace {
            id: PlaceId::parse("ChIJdemo_moonlit_bakery_001").expect("an id"),
            language: Language::parse(language).expect("a language"),
            region: region.map(|region| Region::parse(region).expect("a region")),
        }
    }

    #[test]
    fn cache_02_whatever_changes_the_answer_changes_the_key() {
        let plain = search("bakery");
        let others = [
            search("bakeries"),
            Search { language: Language::parse("de").expect("a language"), ..search("bakery") },
            Search { region: Some(Region::parse("DE").expect("a region")), ..search("bakery") },
            Search { page_size: 20, ..search("bakery") },
            Search { page_token: Some("x".to_owned()), ..search("bakery") },
            Search { near: Some((1.0, 2.0, 3.0)), ..search("bakery") },
        ];
        for other in &others {
            assert_ne!(plain.parts(), other.parts(), "{other:?}");
        }
        assert_ne!(place("en", None).parts(), place("de", None).parts());
        assert_ne!(place("en", None).parts(), place("en", Some("GB")).parts());
    }

    #[test]
    fn cache_03_what_means_the_same_has_the_same_key() {
        assert_eq!(search("  moonlit   bakery ").parts(), search("moonlit bakery").parts());
        assert_eq!(place("EN-gb", Some("gb")).parts(), place("en-GB", Some("GB")).parts());
    }
}
