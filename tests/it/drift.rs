//! Drift: the cases in which Google's answers differed from what was expected, each as an answer of the emulator.
//!
//! The numbers are those of the list of drift cases in the design's reference that concern the Places API (New).

use crate::support::{BAKERY, TestServer, now};
use google_reviews_mcp::{
    clock::Clock,
    google::{drift::DriftKind, place_from_body, search_page_from_body},
};
use serde_json::{Value, json};

const FEW: &str = "ChIJdemo_ferrand_clocks_001";
const RATING_ONLY: &str = "ChIJdemo_car_park_north_001";
const UNRATED: &str = "ChIJdemo_kestrel_picnic_001";
const SUMMARY_ONLY: &str = "ChIJdemo_kazegawa_ramen_001";

async fn reviews(server: &TestServer, id: &str) -> Value {
    server.data("get_reviews", json!({"place_id": id, "response_format": "detailed"})).await
}

fn drift_line(kind: &str) -> String {
    format!("upstream_schema_drift_total{{endpoint=\"place_details\",kind=\"{kind}\"}}")
}

/// A place that has what every place has, with more fields.
fn place_with(more: Value) -> Value {
    let mut place = json!({"id": BAKERY, "displayName": {"text": "Bakery", "languageCode": "en"}});
    place.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    place
}

fn review_with(more: Value) -> Value {
    let mut review = json!({"name": format!("places/{BAKERY}/reviews/R1abcdefgh"), "rating": 5});
    review.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    review
}

#[tokio::test]
async fn drift_01_an_empty_object_is_a_search_without_hits() {
    let server = TestServer::start().await;
    let page = server.call("search_places", json!({"query": "zzzz qqqq"})).await;
    assert_eq!(page.0["structuredContent"]["places"], json!([]));
    assert!(page.text().starts_with("No place was found."));
}

#[tokio::test]
async fn drift_02_a_review_of_stars_alone_has_no_text() {
    let server = TestServer::start().await;
    let data = reviews(&server, RATING_ONLY).await;
    assert!(data["reviews"][0].get("text").is_none());
    assert!(data["reviews"][0]["rating"].is_number());
    assert_eq!(data["reviews"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn drift_03_a_place_that_nobody_rated_lacks_three_fields() {
    let server = TestServer::start().await;
    let data = reviews(&server, UNRATED).await;
    assert!(data["place"].get("rating").is_none() && data["place"].get("rating_count").is_none());
    assert_eq!(data["reviews"], json!([]));
    assert_eq!(data["sample"]["note"], json!("Nobody has rated this place yet."));
}

#[tokio::test]
async fn drift_04_reviews_may_be_absent_beside_a_summary() {
    let server = TestServer::start().await;
    let place = server.data("get_place", json!({"place_id": SUMMARY_ONLY})).await;
    let data = reviews(&server, SUMMARY_ONLY).await;
    assert!(place["place"]["review_summary"]["text"].is_string());
    assert_eq!(data["sample"]["note"], json!("The source shows none of the reviews behind 43 ratings."));
}

#[test]
fn drift_05_ratings_are_whole_numbers_or_fractions() {
    for rating in [json!(5), json!(4.6), json!(5.0)] {
        let reading = place_from_body(place_with(json!({"rating": rating, "userRatingCount": 3})));
        assert_eq!(reading.findings, []);
        assert_eq!(reading.value.unwrap().rating.unwrap().stars(), rating.as_f64().unwrap());
    }
}

#[test]
fn drift_06_times_have_no_three_six_or_nine_digits_after_the_second() {
    for (sent, nanoseconds) in [
        ("2024-02-03T04:05:06Z", 0),
        ("2017-02-03T04:05:06.789Z", 789_000_000),
        ("2021-02-03T04:05:06.789012Z", 789_012_000),
        ("2025-02-03T04:05:06.789012345Z", 789_012_345),
    ] {
        let reading = place_from_body(place_with(json!({"reviews": [review_with(json!({"publishTime": sent}))]})));
        assert_eq!(reading.findings, [], "{sent}");
        let published = reading.value.unwrap().reviews[0].published_at.unwrap();
        assert_eq!(published.subsec_nanosecond(), nanoseconds, "{sent}");
    }
}

#[tokio::test]
async fn drift_07_review_ids_are_long_since_2025_and_short_before() {
    let server = TestServer::start().await;
    let mut lengths = Vec::new();
    for id in ["ChIJdemo_regenmuseum_bl_001", BAKERY, "ChIJdemo_lost_olive_bar_001", "ChIJdemo_chat_qui_relit_001"] {
        for review in reviews(&server, id).await["reviews"].as_array().unwrap() {
            let id = review["review_id"].as_str().unwrap();
            assert!(id.starts_with("Ci9") || id.starts_with("Ch"), "{id}");
            lengths.push(id.len());
        }
    }
    assert!(lengths.contains(&68) && lengths.iter().any(|length| (32..=36).contains(length)), "{lengths:?}");
}

#[tokio::test]
async fn drift_08_links_may_take_any_path_and_suffix() {
    let server = TestServer::start().await;
    let data = reviews(&server, BAKERY).await;
    let paths: Vec<_> = data["reviews"]
        .as_array()
        .unwrap()
        .iter()
        .map(|review| review["report_url"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        paths.iter().any(|url| url.contains("/local/content/rap/"))
            && paths.iter().any(|url| url.contains("/local/review/rap/"))
    );

    let links = json!({"googleMapsUri": "https://maps.google.com/?cid=1&g_mp=Cidnb29nbGU"});
    let reading = place_from_body(place_with(links));
    assert_eq!(reading.findings, []);
}

#[test]
fn drift_09_a_text_may_lack_its_language() {
    let texts = json!({"text": {"text": "Good."}, "originalText": {"text": "Gut.", "languageCode": "de"}});
    let reading = place_from_body(place_with(json!({"reviews": [review_with(texts)]})));
    assert_eq!(reading.findings, []);
    let review = reading.value.unwrap().reviews.remove(0);
    assert_eq!(review.text.as_ref().unwrap().language, None);
    assert!(review.is_translated());
}

/// The tag says `en-US` for a translation and `en` for an original: the words decide, not the tags.
#[tokio::test]
async fn drift_09_an_original_in_another_spelling_of_its_language_is_no_translation() {
    let server = TestServer::start().await;
    let data = server.data("get_reviews", json!({"place_id": BAKERY, "language": "en-GB"})).await;
    assert_eq!(data["reviews"][0]["is_translated"], json!(false));
}

#[tokio::test]
async fn drift_12_an_unknown_status_is_kept_as_it_is_and_counted() {
    let server = TestServer::start().await;
    server.fault(json!({"kind": "replaced_field", "path": "businessStatus", "value": "ON_TOUR"})).await;

    let data = server.data("get_place", json!({"place_id": BAKERY})).await;

    assert_eq!(data["place"]["status"]["state"], json!("on_tour"));
    assert_eq!(server.metric(&drift_line("unknown_enum_value")).await, 1.0);
}

#[tokio::test]
async fn drift_13_a_new_field_is_counted_and_the_answer_given() {
    let server = TestServer::start().await;
    for path in ["moodOfTheDay", "reviews.0.likes", "reviews.*.authorAttribution.karma"] {
        server.fault_once(json!({"kind": "unknown_field", "path": path})).await;
        assert_eq!(reviews(&server, BAKERY).await["reviews"].as_array().unwrap().len(), 5, "{path}");
    }
    assert_eq!(server.metric(&drift_line("unknown_field")).await, 7.0);
}

#[tokio::test]
async fn drift_16_a_page_never_has_more_than_twenty_hits() {
    let server = TestServer::start().await;
    let url = format!("{}/v1/places:searchText", server.emulator.url());
    let search = async |size: i64| {
        let request =
            server.http.post(&url).header("x-goog-api-key", "demo-key").header("x-goog-fieldmask", "places.id");
        request.json(&json!({"textQuery": "Lantern Kiosk", "pageSize": size})).send().await.unwrap()
    };

    let page: Value = search(200).await.json().await.unwrap();

    assert_eq!(page["places"].as_array().unwrap().len(), 20);
    assert_eq!(search(-1).await.status(), 400);
}

#[tokio::test]
async fn drift_17_the_third_page_has_no_token_and_a_foreign_token_is_a_bad_request() {
    let server = TestServer::start().await;
    let mut arguments = json!({"query": "Lantern Kiosk", "limit": 20});
    for page in 1..=3 {
        let data = server.data("search_places", arguments.clone()).await;
        assert_eq!(data.get("next_page_token").is_some(), page < 3, "page {page}");
        if page < 3 {
            arguments["page_token"] = data["next_page_token"].clone();
        }
    }
    arguments["language"] = json!("de");
    assert_eq!(server.call("search_places", arguments).await.code(), "page_token_mismatch");
}

#[tokio::test]
async fn drift_18_errors_come_without_details_as_html_and_with_the_key_in_their_message() {
    let server = TestServer::builder().set("google.api_key", "demo-key-suspended").start().await;
    let suspended = server.call("get_place", json!({"place_id": BAKERY})).await;
    assert_eq!(suspended.code(), "google_key_suspended");
    assert!(!suspended.0.to_string().contains("demo-key"), "{}", suspended.0);

    server.fault_once(json!({"kind": "error", "name": "permission_denied"})).await;
    assert_eq!(server.call("get_place", json!({"place_id": BAKERY})).await.code(), "google_permission_denied");
    server.fault(json!({"kind": "html", "status": 502})).await;
    assert_eq!(server.call("get_place", json!({"place_id": BAKERY})).await.code(), "google_unavailable");
}

#[tokio::test]
async fn drift_19_the_three_quotas_are_told_apart() {
    let server = TestServer::builder().clock(Clock::manual(now())).start().await;
    for (name, code, is_retryable) in [
        ("quota_per_minute", "google_quota_minute", true),
        ("quota_per_day", "google_quota_day", true),
        ("quota_zero", "google_quota_zero", false),
    ] {
        server.fault_once(json!({"kind": "error", "name": name})).await;
        let failed = server.call("get_place", json!({"place_id": BAKERY})).await;
        assert_eq!(failed.code(), code);
        assert_eq!(failed.failure()["status"], json!(503));
        assert_eq!(failed.failure()["retryable"], json!(is_retryable));
        assert_eq!(failed.failure().get("retry_after_seconds").is_some(), is_retryable);
        if name == "quota_per_day" {
            // The clock of the test stands twenty hours before midnight Pacific.
            assert_eq!(failed.failure()["retry_after_seconds"], json!(20 * 3_600));
            assert!(failed.text().starts_with("Do not retry for 20 hours"), "{}", failed.text());
        }
    }
}

#[tokio::test]
async fn drift_20_a_place_that_is_gone_is_known_by_three_wordings() {
    let server = TestServer::start().await;
    for number in 1..=3 {
        let gone = server.call("get_place", json!({"place_id": format!("ChIJdemo_obsolete_place_00{number}")})).await;
        assert_eq!(gone.code(), "place_not_found");
    }
    let as_bad_request = json!({"error": {"code": 400, "status": "INVALID_ARGUMENT",
        "message": "The provided Place ID is no longer valid. Please refresh cached Place IDs"}});
    assert_eq!(
        google_reviews_mcp::google::classify(400, as_bad_request.to_string().as_bytes(), now()).to_string(),
        "Google no longer knows the place"
    );
}

/// They are strings in JSON. No mask asks for the fields that have some, so they are not looked into.
#[test]
fn drift_21_long_integers_are_strings() {
    let price =
        json!({"priceRange": {"startPrice": {"currencyCode": "GBP", "units": "20"}, "endPrice": {"units": 30}}});
    let reading = place_from_body(place_with(price));
    assert_eq!(reading.findings, []);
    assert!(reading.value.is_some());
}

#[test]
fn drift_22_a_disclosure_is_read_under_both_of_its_names() {
    for name in ["disclosureText", "disclaimerText"] {
        let summary = json!({"reviewSummary": {"text": {"text": "Nice."}, name: {"text": "Summarised by a model"}}});
        let place = place_from_body(place_with(summary)).value.unwrap();
        assert_eq!(place.review_summary.unwrap().disclosure.as_deref(), Some("Summarised by a model"), "{name}");
    }
}

/// With data of Google the text is exactly this, without "Powered by".
#[tokio::test]
async fn drift_24_the_attribution_is_google_maps() {
    let upstream = crate::support::fake_google(place_with(json!({"rating": 4, "userRatingCount": 2}))).await;
    let server = TestServer::builder().set("google.places_url", upstream).start().await;
    let data = server.data("get_place", json!({"place_id": BAKERY})).await;
    assert_eq!(data["attribution"]["text"], json!("Google Maps"));
    assert_eq!(data["data_source"], json!("google_maps"));
}

#[tokio::test]
async fn drift_25_times_in_words_come_in_the_language_of_the_request() {
    let server = TestServer::start().await;
    for (language, part) in
        [("de", "vor "), ("fr", "il y a "), ("es", "Hace "), ("ja", "前"), ("fa", "پیش"), ("en", " ago")]
    {
        let data = server.data("get_reviews", json!({"place_id": BAKERY, "language": language})).await;
        let words = data["reviews"][0]["published"].as_str().unwrap();
        assert!(words.contains(part), "{language}: {words}");
    }
}

#[tokio::test]
async fn a_review_that_is_wrong_is_left_out_and_the_sample_says_so() {
    for path in
        ["reviews.1.rating", "reviews.1.text", "reviews.1.publishTime", "reviews.1.authorAttribution.uri", "reviews.1"]
    {
        let server = TestServer::start().await;
        server.fault(json!({"kind": "mistyped_field", "path": path})).await;

        let data = reviews(&server, BAKERY).await;

        assert_eq!(data["reviews"].as_array().unwrap().len(), 4, "{path}");
        assert_eq!(data["sample"]["unreadable"], json!(1));
        assert!(data["sample"]["note"].as_str().unwrap().contains("1 more was left out"), "{path}");
        assert_eq!(server.metric(&drift_line("wrong_type")).await, 1.0, "{path}");
    }
    let server = TestServer::start().await;
    server.fault(json!({"kind": "replaced_field", "path": "reviews.0.rating", "value": 9})).await;
    assert_eq!(reviews(&server, BAKERY).await["sample"]["unreadable"], json!(1));
    assert_eq!(server.metric(&drift_line("out_of_range")).await, 1.0);
}

#[tokio::test]
async fn what_is_wrong_in_every_review_or_in_the_place_is_an_error_of_the_dependency() {
    for fault in [
        json!({"kind": "mistyped_field", "path": "reviews.*.rating"}),
        json!({"kind": "renamed_field", "path": "reviews.*.rating", "to": "stars"}),
        json!({"kind": "renamed_field", "path": "reviews.*.name", "to": "id"}),
        json!({"kind": "mistyped_field", "path": "reviews"}),
        json!({"kind": "mistyped_field", "path": "rating"}),
        json!({"kind": "renamed_field", "path": "rating", "to": "score"}),
        json!({"kind": "mistyped_field", "path": "displayName"}),
        json!({"kind": "removed_field", "path": "id"}),
        json!({"kind": "replaced_field", "path": "rating", "value": 0}),
        json!({"kind": "replaced_field", "path": "id", "value": "../../x"}),
        json!({"kind": "replaced_body", "body": []}),
        json!({"kind": "replaced_body", "body": {"place": {}}}),
    ] {
        let server = TestServer::start().await;
        server.fault(fault.clone()).await;

        let failed = server.call("get_reviews", json!({"place_id": BAKERY})).await;

        assert_eq!(failed.code(), "google_format_changed", "{fault}");
        assert_eq!(failed.failure()["tier"], json!("dependency"));
        assert_eq!(failed.failure()["status"], json!(502));
        assert!(failed.text().contains("format of Google's answers has changed"), "{}", failed.text());
        let (_, metrics) = server.operations("/metrics").await;
        assert!(metrics.contains("upstream_schema_drift_total{endpoint=\"place_details\""), "{fault}");
    }
}

/// What the place can do without is left out, counted, and named, so that its absence is not taken for a fact.
#[tokio::test]
async fn a_part_that_is_wrong_is_left_out_and_named() {
    for (path, value, part) in [
        ("reviewSummary.reviewsUri", json!(["x"]), "reviewSummary"),
        ("consumerAlert", json!(7), "consumerAlert"),
        ("attributions", json!([{"provider": 5}]), "attributions"),
        ("openingDate", json!({"year": 2027, "month": 13}), "openingDate"),
        ("movedPlaceId", json!("../../x"), "movedPlaceId"),
    ] {
        let server = TestServer::start().await;
        server.fault(json!({"kind": "replaced_field", "path": path, "value": value})).await;

        let data = server.data("get_place", json!({"place_id": BAKERY})).await;

        assert_eq!(data["place"]["unreadable_parts"], json!([part]), "{path}");
        assert_eq!(data["place"]["rating"], json!(4.6));
        let (_, metrics) = server.operations("/metrics").await;
        assert!(metrics.contains("upstream_schema_drift_total{"), "{path}");
    }
}

#[test]
fn null_says_the_same_as_absence() {
    let nulls = json!({"rating": null, "reviews": null, "consumerAlert": null, "businessStatus": null, "reviewSummary": {"text": null}});
    let reading = place_from_body(place_with(nulls));
    assert_eq!(reading.findings, []);
    assert_eq!(reading.value.unwrap().rating, None);
}

/// An author is always there; gone from all reviews while new fields have appeared, it was renamed.
#[test]
fn renamed_authors_are_not_anonymous_ones() {
    let renamed = json!([review_with(json!({"writer": {"displayName": "A"}}))]);
    assert!(place_from_body(place_with(json!({"reviews": renamed}))).value.is_none());
    let without = json!([review_with(json!({}))]);
    assert!(place_from_body(place_with(json!({"reviews": without}))).value.is_some());
}

#[tokio::test]
async fn third_parties_are_named_and_the_month_of_a_visit_is_shown() {
    let server = TestServer::start().await;
    let named = json!([{"provider": "Example Listings", "providerUri": "https://listings.example/"}]);
    server.fault_once(json!({"kind": "replaced_field", "path": "attributions", "value": named})).await;
    let place = server.call("get_place", json!({"place_id": BAKERY})).await;
    assert_eq!(place.0["structuredContent"]["attribution"]["third_parties"][0]["name"], json!("Example Listings"));
    assert!(place.text().contains("Example Listings (https://listings.example/)"), "{}", place.text());

    server
        .fault_once(
            json!({"kind": "replaced_field", "path": "reviews.0.visitDate", "value": {"year": 2026, "month": 3}}),
        )
        .await;
    let reviews = server.call("get_reviews", json!({"place_id": BAKERY})).await;
    assert_eq!(reviews.0["structuredContent"]["reviews"][0]["visited"], json!("2026-03"));
    assert!(reviews.text().contains("visited 2026-03"));
}

/// Lists without end and walls of findings cost neither minutes nor gigabytes.
#[test]
fn an_answer_of_a_million_wrong_things_is_refused_at_once() {
    for element in [json!(1), json!({}), json!({"x": 1}), json!({"name": "places/x/reviews/R", "rating": 5})] {
        let many = Value::Array(vec![element; 100_000]);
        let reading = place_from_body(place_with(json!({"reviews": many})));
        assert!(reading.value.is_none() && reading.findings.len() < 1_100, "{}", reading.findings.len());
        let reading = search_page_from_body(json!({"places": many}));
        assert!(reading.value.is_none() && reading.findings.len() < 1_100);
    }
}

#[tokio::test]
async fn a_hit_that_is_wrong_is_left_out_of_a_search() {
    let server = TestServer::start().await;
    server.fault_once(json!({"kind": "mistyped_field", "path": "places.0.rating"})).await;
    let page = server.data("search_places", json!({"query": "kiln kettle"})).await;
    assert_eq!(page["unreadable_places"], json!(1));

    server.fault_once(json!({"kind": "removed_field", "path": "places.*.id"})).await;
    assert_eq!(server.call("search_places", json!({"query": "kiln kettle"})).await.code(), "google_format_changed");
}

#[tokio::test]
async fn places_that_no_tool_would_miss_are_read_without_a_finding() {
    let server = TestServer::start().await;
    for id in
        [BAKERY, FEW, RATING_ONLY, UNRATED, SUMMARY_ONLY, "ChIJdemo_polite_gull_cf_001", "ChIJdemo_crack_and_mend_001"]
    {
        reviews(&server, id).await;
    }
    let (_, metrics) = server.operations("/metrics").await;
    assert!(!metrics.contains("upstream_schema_drift_total{"), "{metrics}");
}

#[test]
fn paths_of_findings_hold_names_only() {
    let review = review_with(json!({"x".repeat(500): 1, "authorAttribution": {"displayName": "Ann"}}));
    let body = place_with(json!({"evil\"\n{}": 1, "reviews": [review]}));
    for finding in place_from_body(body).findings {
        assert_eq!(finding.kind, DriftKind::UnknownField);
        assert!(finding.path.len() < 100 && !finding.path.contains(['"', '\n', '{']), "{}", finding.path);
    }
    assert!(search_page_from_body(json!({"places": {}})).value.is_none());
}

/// Whatever the upstream sends, reading it ends with a value or with findings that say why not.
#[test]
fn any_json_is_read_or_refused_with_a_finding() {
    use proptest::prelude::*;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,20}".prop_map(Value::from),
    ];
    let names = proptest::sample::select(vec![
        "id",
        "rating",
        "userRatingCount",
        "reviews",
        "name",
        "text",
        "publishTime",
        "displayName",
        "other",
    ]);
    let tree = leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..6).prop_map(|fields| Value::Object(
                fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            )),
        ]
    });
    proptest!(|(body in tree)| {
        let reading = place_from_body(body.clone());
        prop_assert!(reading.value.is_some() || reading.findings.iter().any(|finding| finding.kind.is_wrong()));
        let reading = search_page_from_body(body);
        prop_assert!(reading.value.is_some() || reading.findings.iter().any(|finding| finding.kind.is_wrong()));
    });
}
