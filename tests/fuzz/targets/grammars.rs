//! The grammars of single values: what one takes it prints back, and it takes what any reader of the published pattern
//! would take.
#![no_main]

use google_reviews_mcp::model::{
    LANGUAGE_PATTERN, Language, PAGE_TOKEN_PATTERN, PERSON_NAME_PATTERN, PLACE_ID_PATTERN, PersonName, PlaceId,
    QUERY_PATTERN, REGION_PATTERN, REPORT_ID_PATTERN, REQUEST_KEY_PATTERN, Region, ReportId, Scope, Scopes,
};
use jsonschema::Validator;
use libfuzzer_sys::fuzz_target;
use regex::Regex;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Each pattern with a reader of JSON Schema, whose regular expressions are those of ECMAScript.
static PATTERNS: LazyLock<Vec<(&'static Regex, Validator)>> = LazyLock::new(|| {
    let patterns: [&'static Regex; 8] = [
        &PLACE_ID_PATTERN,
        &LANGUAGE_PATTERN,
        &REGION_PATTERN,
        &REPORT_ID_PATTERN,
        &REQUEST_KEY_PATTERN,
        &QUERY_PATTERN,
        &PAGE_TOKEN_PATTERN,
        &PERSON_NAME_PATTERN,
    ];
    let schema = |pattern: &Regex| json!({"type": "string", "pattern": pattern.as_str()});
    patterns
        .map(|pattern| (pattern, jsonschema::validator_for(&schema(pattern)).expect("a schema")))
        .into_iter()
        .collect()
});

fuzz_target!(|text: &str| {
    let value = Value::from(text);
    for (pattern, published) in PATTERNS.iter() {
        assert_eq!(pattern.is_match(text), published.is_valid(&value), "{text:?} and {pattern}");
    }
    for (is_taken, published) in [
        (PlaceId::parse(text).is_ok(), &PLACE_ID_PATTERN),
        (ReportId::parse(text).is_ok(), &REPORT_ID_PATTERN),
        (Language::parse(text).is_ok(), &LANGUAGE_PATTERN),
        (Region::parse(text).is_ok(), &REGION_PATTERN),
        (PersonName::parse(text).is_ok(), &PERSON_NAME_PATTERN),
    ] {
        assert_eq!(is_taken, published.is_match(text), "{text:?} and {}", published.as_str());
    }
    place_id(text);
    report_id(text);
    tags(text);
    person(text);
    scopes(text);
    if REQUEST_KEY_PATTERN.is_match(text) {
        assert!(text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic()));
    }
    if QUERY_PATTERN.is_match(text) {
        assert!(!text.contains(char::is_control) && !text.trim().is_empty());
    }
    if PAGE_TOKEN_PATTERN.is_match(text) {
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_=+/.-".contains(&byte)));
    }
});

fn place_id(text: &str) {
    let Ok(id) = PlaceId::parse(text) else {
        assert!(serde_json::from_value::<PlaceId>(text.into()).is_err());
        return;
    };
    assert_eq!(id.as_str(), text);
    assert_eq!(id.to_string(), text);
    assert_eq!(serde_json::to_value(&id).ok(), Some(Value::from(text)));
    assert!((10..=512).contains(&text.len()));
    // It is one segment of a path, and nothing else.
    let url = url::Url::parse(&format!("https://places.example/v1/places/{text}")).expect("an address");
    assert_eq!(url.path_segments().and_then(|mut segments| segments.nth(2)), Some(text));
    assert!(url.query().is_none() && url.fragment().is_none());
}

fn report_id(text: &str) {
    let Ok(id) = ReportId::parse(text) else { return };
    assert_eq!(id.to_string(), text);
    assert_eq!(serde_json::from_value::<ReportId>(text.into()).ok(), Some(id));
    assert_eq!(text.len(), 36);
    assert_eq!(text.to_ascii_lowercase(), text);
}

fn tags(text: &str) {
    if let Ok(language) = Language::parse(text) {
        assert_eq!(language.as_str(), text);
        assert!(text.split('-').all(|part| (2..=8).contains(&part.len())), "{text:?}");
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    }
    if let Ok(region) = Region::parse(text) {
        assert!(
            region.as_str().eq_ignore_ascii_case(text) && region.as_str().bytes().all(|byte| byte.is_ascii_uppercase())
        );
        assert_eq!(Region::parse(region.as_str()), Ok(region));
    }
}

fn person(text: &str) {
    let Ok(name) = PersonName::parse(text) else { return };
    assert!(name.as_str().eq_ignore_ascii_case(text) && text.is_ascii() && text.len() <= 64);
    assert!(!name.as_str().bytes().any(|byte| byte.is_ascii_uppercase()));
    // However it is written, it is the same person.
    assert_eq!(PersonName::parse(name.as_str()), Ok(name.clone()));
    assert_eq!(PersonName::parse(&text.to_ascii_uppercase()), Ok(name));
}

fn scopes(text: &str) {
    let scopes = Scopes::parse(text);
    assert_eq!(Scopes::parse(&scopes.to_string()), scopes);
    for scope in Scope::ALL {
        assert_eq!(scopes.contains(scope), text.split(' ').any(|name| name == scope.as_str()));
    }
}
