//! The tools that `smoke` knows: what to ask of each, and what its answer must have by contract.

use serde_json::{Value, json};

/// The longest `request_id` that a server takes.
const LONGEST_REQUEST_ID: usize = 255;

/// A tool, what its answer never lacks, and what to call it with.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) name: &'static str,
    /// As JSON pointers.
    pub(super) parts: &'static [(&'static str, Part)],
    /// From what the calls before it found, or why it cannot be called.
    pub(super) arguments: fn(&Found) -> Result<Value, String>,
}

/// What a part of an answer must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Text,
    List,
    Object,
    Flag,
    /// `google_maps` or `synthetic`.
    Source,
}

/// What the calls so far found, for those to come.
#[derive(Debug)]
pub(super) struct Found {
    /// What to search for.
    pub(super) query: String,
    /// Today, as YYYY-MM-DD.
    pub(super) day: String,
    /// Different places; the first is the one to ask about.
    pub(super) places: Vec<String>,
    pub(super) report_id: Option<String>,
}

const DATA_SOURCE: (&str, Part) = ("/data_source", Part::Source);
const ATTRIBUTION: (&str, Part) = ("/attribution/text", Part::Text);
const PLACE: (&str, Part) = ("/place/place_id", Part::Text);
const PLACES: (&str, Part) = ("/places", Part::List);
const REVIEWS: (&str, Part) = ("/reviews", Part::List);
const SAMPLE: (&str, Part) = ("/sample/note", Part::Text);
const ANALYSIS: (&str, Part) = ("/analysis", Part::Object);
const RANKING: (&str, Part) = ("/ranking", Part::Text);
const REPORT_ID: (&str, Part) = ("/report_id", Part::Text);
const URI: (&str, Part) = ("/uri", Part::Text);
const REPLAYED: (&str, Part) = ("/replayed", Part::Flag);

pub(super) const SEARCH_PLACES: &str = "search_places";
pub(super) const COMPARE_PLACES: &str = "compare_places";
const CREATE_REPORT: &str = "create_report";

/// Every tool, in the order in which each needs what those before it found.
pub(super) const KNOWN: &[Known] = &[
    Known {
        name: SEARCH_PLACES,
        parts: &[DATA_SOURCE, PLACES, ATTRIBUTION],
        arguments: |found| Ok(search(&found.query)),
    },
    Known {
        name: "get_place",
        parts: &[DATA_SOURCE, PLACE, ATTRIBUTION],
        arguments: |found| Ok(json!({"place_id": found.place()?})),
    },
    Known {
        name: "get_reviews",
        parts: &[DATA_SOURCE, PLACE, REVIEWS, SAMPLE, ATTRIBUTION],
        arguments: |found| Ok(json!({"place_id": found.place()?, "response_format": "detailed"})),
    },
    Known {
        name: "analyze_reviews",
        parts: &[DATA_SOURCE, PLACE, SAMPLE, ANALYSIS, REVIEWS, ATTRIBUTION],
        arguments: |found| Ok(json!({"place_id": found.place()?})),
    },
    Known {
        name: COMPARE_PLACES,
        parts: &[DATA_SOURCE, PLACES, RANKING, ATTRIBUTION],
        arguments: |found| Ok(json!({"place_ids": found.two_places()?})),
    },
    Known {
        name: CREATE_REPORT,
        parts: &[REPORT_ID, URI, REPLAYED],
        arguments: |found| {
            let place = found.place()?;
            Ok(json!({"place_ids": [place], "title": "Smoke test", "request_id": found.request_id(place)}))
        },
    },
    Known {
        name: "get_report",
        parts: &[DATA_SOURCE, REPORT_ID, URI, PLACES, ATTRIBUTION],
        arguments: |found| Ok(json!({"report_id": found.report_id()?})),
    },
    // Those to come.
];

/// The arguments of a search.
pub(super) fn search(query: &str) -> Value {
    json!({"query": query, "limit": 5})
}

impl Part {
    pub(super) fn is(self, value: &Value) -> bool {
        match self {
            Self::Text => value.as_str().is_some_and(|text| !text.is_empty()),
            Self::List => value.is_array(),
            Self::Object => value.is_object(),
            Self::Flag => value.is_boolean(),
            Self::Source => matches!(value.as_str(), Some("google_maps" | "synthetic")),
        }
    }

    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::List => "a list",
            Self::Object => "an object",
            Self::Flag => "true or false",
            Self::Source => "google_maps or synthetic",
        }
    }
}

impl Found {
    /// Keeps what the answer of `tool` has for the calls to come.
    pub(super) fn learn(&mut self, tool: &str, answer: &Value) {
        match tool {
            SEARCH_PLACES => {
                let places = answer.get("places").and_then(Value::as_array).into_iter().flatten();
                for id in places.filter_map(|place| place.get("place_id")?.as_str()) {
                    if !self.places.iter().any(|known| known == id) {
                        self.places.push(id.to_owned());
                    }
                }
            }
            CREATE_REPORT => {
                self.report_id = answer.get("report_id").and_then(Value::as_str).map(str::to_owned);
            }
            _ => {}
        }
    }

    fn place(&self) -> Result<&str, String> {
        self.places.first().map(String::as_str).ok_or_else(|| {
            "not called: search_places gave no place_id; try another --query, or name a place with --place".to_owned()
        })
    }

    fn two_places(&self) -> Result<&[String], String> {
        self.places.get(..2).ok_or_else(|| "not called: search_places gave no second place_id".to_owned())
    }

    fn report_id(&self) -> Result<&str, String> {
        self.report_id.as_deref().ok_or_else(|| "not called: create_report gave no report_id".to_owned())
    }

    /// The same all day for the same place, so that repeated runs make one report. Another place is another request:
    /// under the same name it would be refused.
    fn request_id(&self, place: &str) -> String {
        format!("smoke-{}-{place}", self.day).chars().take(LONGEST_REQUEST_ID).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_asked_for_once_a_day_and_place() {
        let found = Found { query: String::new(), day: "2026-11-20".to_owned(), places: Vec::new(), report_id: None };
        assert_eq!(found.request_id("ChIJ1"), "smoke-2026-11-20-ChIJ1");
        assert_eq!(found.request_id(&"x".repeat(512)).len(), 255);
    }
}
