//! Recorded bodies of Google, where there are some: they may not be part of the project, so the folder that holds them
//! is named by the variable `GOOGLE_BODIES`, and `tests/run` says whether it was given.

use crate::support::{now, unavailable};
use google_reviews_mcp::google::{GoogleError, classify, mask, place_from_body, search_page_from_body};
use serde_json::Value;
use std::{collections::HashMap, env, fs, path::PathBuf};

fn folder(name: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(env::var_os("GOOGLE_BODIES")?).join(name);
    assert!(folder.is_dir(), "GOOGLE_BODIES has no folder {name}");
    Some(folder)
}

fn json(path: PathBuf) -> Value {
    serde_json::from_slice(&fs::read(&path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_recorded_place_is_read_without_a_finding() {
    let Some(folder) = folder("shapes/places") else { return };
    let mut count = 0;
    for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = file.display().to_string();
        let body = json(file);
        if body.get("places").is_some() {
            let reading = search_page_from_body(body);
            assert_eq!(reading.findings, [], "{name}");
            assert_eq!(reading.value.unwrap().unreadable_places, 0, "{name}");
        } else {
            let sent = body["reviews"].as_array().map_or(0, Vec::len);
            let reading = place_from_body(body);
            assert_eq!(reading.findings, [], "{name}");
            assert_eq!(reading.value.unwrap().reviews.len(), sent, "{name}");
        }
        count += 1;
    }
    assert!(count >= 17, "{count} bodies");
}

#[test]
fn every_recorded_error_is_named_by_what_to_do() {
    let Some(folder) = folder("errors") else { return };
    let expected: HashMap<&str, GoogleError> = expected_errors();
    let catalog = json(folder.join("catalog.json"));
    let of_places = |entry: &&Value| entry["service"] == "places.googleapis.com";
    for entry in catalog.as_array().unwrap().iter().filter(of_places) {
        let name = entry["file"].as_str().unwrap();
        let status = u16::try_from(entry["http_status"].as_u64().unwrap()).unwrap();
        let body = fs::read(folder.join(name)).unwrap();
        let short = name.trim_start_matches("places-").trim_end_matches(".json").trim_end_matches("-VERBATIM");
        let expected = expected.get(short).unwrap_or_else(|| panic!("{name} is new: say what it means"));
        assert_eq!(&classify(status, &body, now()), expected, "{name}");
    }
}

fn expected_errors() -> HashMap<&'static str, GoogleError> {
    use google_reviews_mcp::google::Restriction;
    HashMap::from([
        ("400-api-key-invalid", GoogleError::KeyInvalid),
        ("400-api-key-not-found", GoogleError::KeyInvalid),
        ("400-api-key-expired", GoogleError::KeyInvalid),
        ("403-no-key", GoogleError::KeyMissing),
        ("403-service-disabled", GoogleError::ApiDisabled),
        ("403-billing-disabled", GoogleError::BillingDisabled),
        ("403-api-key-service-blocked", GoogleError::KeyRestricted(Restriction::Api)),
        ("403-referrer-blocked", GoogleError::KeyRestricted(Restriction::Referrer)),
        ("403-ip-blocked", GoogleError::KeyRestricted(Restriction::Address)),
        ("403-android-blocked", GoogleError::KeyRestricted(Restriction::App)),
        ("403-ios-blocked", GoogleError::KeyRestricted(Restriction::App)),
        ("403-consumer-suspended", GoogleError::KeySuspended),
        ("403-leaked-key", GoogleError::KeySuspended),
        ("403-bare", GoogleError::PermissionDenied),
        ("429-per-day", GoogleError::QuotaDay { resets_in: std::time::Duration::from_hours(20) }),
        ("429-per-minute", GoogleError::QuotaMinute { retry_after: None }),
        ("400-no-field-mask", GoogleError::InvalidRequest),
        ("400-bad-field-mask", GoogleError::InvalidRequest),
        ("400-unknown-json-field", GoogleError::InvalidRequest),
        ("400-invalid-place-id", GoogleError::PlaceIdInvalid),
        ("404-obsolete-place-id", GoogleError::PlaceObsolete),
        ("500-internal", unavailable(500)),
        ("503-unavailable", unavailable(503)),
    ])
}

/// The price beside a mask is that of its dearest field.
#[test]
fn masks_cost_what_stands_beside_them() {
    let Some(folder) = folder("derived") else { return };
    let prices = json(folder.join("place-field-sku.json"));
    for (mask, api, prefix) in [(mask::PLACE, "details", ""), (mask::SEARCH, "textSearch", "places.")] {
        let thousand = &prices["usd_per_1000_first_tier"][api];
        let price = |field: &str| {
            let name = field.strip_prefix(prefix).unwrap_or(field);
            let tier = prices["fields"][name][api].as_str().unwrap_or_default();
            // Fields whose tier is not known are asked for in the dearest mask only.
            thousand[tier].as_f64().unwrap_or_else(|| {
                assert_eq!(api, "details", "{name} has no known price");
                0.0
            })
        };
        let dearest = mask.fields.split(',').map(price).fold(0.0, f64::max);
        assert!((mask.sku.usd() * 1_000.0 - dearest).abs() < 1e-9, "{api}: {dearest}");
    }
}
