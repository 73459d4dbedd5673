//! The tools as a client sees them: what they answer, how they refuse, and that every answer says what it is.

use crate::support::{BAKERY, TestServer, rpc};
use serde_json::{Value, json};

#[tokio::test]
async fn a_client_finds_a_place_reads_it_and_its_reviews() {
    let server = TestServer::start().await;

    let found = server.data("search_places", json!({"query": "bakery Port Ellery"})).await;
    let id = found["places"][0]["place_id"].as_str().unwrap().to_owned();
    let place = server.data("get_place", json!({"place_id": id})).await;
    let reviews = server.data("get_reviews", json!({"place_id": id})).await;

    assert_eq!(id, BAKERY);
    assert_eq!(place["place"]["rating"], json!(4.6));
    assert_eq!(place["place"]["rating_count"], json!(1312));
    assert_eq!(place["place"]["status"]["state"], json!("operational"));
    assert_eq!(place["place"]["review_summary"]["disclosure"], json!("Summary invented for this demo"));
    assert_eq!(reviews["reviews"].as_array().unwrap().len(), 5);
    assert_eq!(server.upstream_requests().await.len(), 3);
}

#[tokio::test]
async fn every_answer_says_whose_data_it_is_and_of_what_it_is_a_sample() {
    let server = TestServer::start().await;

    let reviews = server.data("get_reviews", json!({"place_id": BAKERY})).await;

    // The emulator's data is invented, and no answer may pass it off as Google's.
    assert_eq!(reviews["data_source"], json!("synthetic"));
    assert!(reviews["attribution"]["text"].as_str().unwrap().contains("invented"));
    assert!(!reviews.to_string().contains("Google"));
    assert_eq!(reviews["sample"]["returned"], json!(5));
    assert_eq!(reviews["sample"]["total_ratings"], json!(1312));
    assert_eq!(reviews["sample"]["order"], json!("relevance"));
    let note = reviews["sample"]["note"].as_str().unwrap();
    assert!(note.contains("5 reviews out of 1,312 ratings") && note.contains("not all reviews"), "{note}");
    assert_eq!(reviews["attribution"]["order_notice"], json!("Reviews are ordered by relevance."));
    assert!(reviews["attribution"]["retrieved_at"].as_str().unwrap().ends_with('Z'));
    for review in reviews["reviews"].as_array().unwrap() {
        assert!(review["author_name"].is_string() && review["author_url"].is_string() && review["url"].is_string());
    }
}

/// Two of two are all there are, and no sample.
#[tokio::test]
async fn the_sample_is_all_there_is_where_it_is() {
    let server = TestServer::start().await;
    let note = async |id: &str| {
        let data = server.data("get_reviews", json!({"place_id": id})).await;
        data["sample"]["note"].as_str().unwrap().to_owned()
    };
    assert_eq!(note("ChIJdemo_ferrand_clocks_001").await, "2 reviews: all there are.");
    assert_eq!(note("ChIJdemo_car_park_north_001").await, "1 review: all there are.");
    server.fault(json!({"kind": "removed_field", "path": "userRatingCount"})).await;
    assert_eq!(note(BAKERY).await, "5 reviews of this place, in the source's order of relevance.");
    server.clear_faults().await;
    server.fault(json!({"kind": "replaced_body", "body": {"id": BAKERY, "rating": 4.6}})).await;
    assert_eq!(note(BAKERY).await, "The source shows no reviews of this place.");
}

#[tokio::test]
async fn the_text_has_the_links_that_attribution_asks_for() {
    let server = TestServer::start().await;
    let found = server.call("search_places", json!({"query": "bakery"})).await;
    let place = server.call("get_place", json!({"place_id": BAKERY})).await;
    let concise = server.call("get_reviews", json!({"place_id": BAKERY})).await;
    let detailed = server.call("get_reviews", json!({"place_id": BAKERY, "response_format": "detailed"})).await;

    assert!(found.text().contains("https://maps.example/place/moonlit-bakery"));
    assert!(
        place.text().contains("Disclosure: Summary invented for this demo")
            && place.text().contains("Report the summary: https://")
    );
    for result in [&concise, &detailed] {
        let reviews = &result.0["structuredContent"]["reviews"];
        for field in ["author_url", "url", "author_name"] {
            assert!(result.text().contains(reviews[0][field].as_str().unwrap()), "{field}");
        }
    }
    assert!(
        detailed.text().contains("Picture of the author: https://") && detailed.text().contains("Report: https://")
    );
}

#[tokio::test]
async fn reviews_are_filtered_by_stars_and_the_sample_says_so() {
    let server = TestServer::start().await;

    let all = server.data("get_reviews", json!({"place_id": BAKERY})).await;
    let low = server.data("get_reviews", json!({"place_id": BAKERY, "max_rating": 3})).await;

    let is_low = |review: &&Value| review["rating"].as_f64().unwrap() <= 3.0;
    let expected = all["reviews"].as_array().unwrap().iter().filter(is_low).count();
    assert!(expected > 0 && expected < 5);
    assert_eq!(low["reviews"].as_array().unwrap().len(), expected);
    assert!(low["reviews"].as_array().unwrap().iter().all(|review| is_low(&review)));
    assert_eq!(low["sample"]["filter"], json!("at most 3 stars"));
    assert_eq!(low["sample"]["available"], json!(5));
    assert!(low["attribution"]["order_notice"].as_str().unwrap().contains("filtered to those with at most 3 stars"));
}

#[tokio::test]
async fn texts_come_translated_or_as_written() {
    let server = TestServer::start().await;
    let german = |reviews: &Value| {
        let all = reviews["reviews"].as_array().unwrap().clone();
        all.into_iter().find(|review| review["author_name"] == "Anna K.").unwrap()
    };

    let translated = server.data("get_reviews", json!({"place_id": BAKERY, "response_format": "detailed"})).await;
    let written = server.data("get_reviews", json!({"place_id": BAKERY, "translate": false})).await;

    let review = german(&translated);
    assert_eq!(review["is_translated"], json!(true));
    assert_eq!(review["language"], json!("en-US"));
    assert_eq!(review["original_language"], json!("de"));
    assert!(review["original_text"].is_string());
    assert!(translated["attribution"]["translation_notice"].as_str().unwrap().starts_with("Translated by the source"));
    assert_eq!(german(&written)["language"], json!("de"));
    assert_eq!(german(&written)["is_translated"], json!(false));
    assert!(written["attribution"].get("translation_notice").is_none());
}

#[tokio::test]
async fn concise_answers_have_one_line_a_review_and_detailed_ones_all_of_it() {
    let server = TestServer::start().await;

    let concise = server.call("get_reviews", json!({"place_id": BAKERY})).await;
    let detailed = server.call("get_reviews", json!({"place_id": BAKERY, "response_format": "detailed"})).await;

    let lines =
        |text: &str| text.lines().filter(|line| line.starts_with(char::is_numeric) && line.contains('★')).count();
    assert_eq!(lines(concise.text()), 5);
    let first = |result: &Value| result["structuredContent"]["reviews"][0].clone();
    assert_eq!(first(&concise.0)["is_shortened"], json!(true));
    assert!(first(&concise.0)["text"].as_str().unwrap().chars().count() <= 280);
    assert_eq!(first(&detailed.0)["is_shortened"], json!(false));
    assert!(first(&detailed.0)["author_photo_url"].is_string() && first(&detailed.0)["report_url"].is_string());
    assert!(detailed.text().contains("\n> "));
}

#[tokio::test]
async fn a_search_is_continued_by_its_token_up_to_sixty_hits() {
    let server = TestServer::start().await;
    let (mut seen, mut arguments) = (Vec::new(), json!({"query": "Lantern Kiosk", "limit": 20}));

    for _ in 0..3 {
        let page = server.data("search_places", arguments.clone()).await;
        seen.extend(
            page["places"].as_array().unwrap().iter().map(|place| place["place_id"].as_str().unwrap().to_owned()),
        );
        arguments["page_token"] = page["next_page_token"].clone();
    }

    assert_eq!(arguments["page_token"], Value::Null, "the third page has no token");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 60);
}

#[tokio::test]
async fn a_token_of_another_search_is_told_what_to_do() {
    let server = TestServer::start().await;
    let page = server.data("search_places", json!({"query": "Lantern Kiosk", "limit": 20})).await;

    let refused = server
        .call("search_places", json!({"query": "Lantern", "limit": 20, "page_token": page["next_page_token"]}))
        .await;

    assert_eq!(refused.code(), "page_token_mismatch");
    assert_eq!(refused.failure()["status"], json!(422));
    assert!(refused.text().starts_with("Repeat the search without `page_token`"), "{}", refused.text());
}

#[tokio::test]
async fn a_search_near_a_point_prefers_what_lies_there() {
    let server = TestServer::start().await;
    let near = json!({"latitude": 49.674, "longitude": -5.84, "radius_meters": 300});

    let page = server.data("search_places", json!({"query": "Lantern Kiosk", "near": near, "limit": 1})).await;

    let name = page["places"][0]["name"].as_str().unwrap();
    let number: u32 = name.rsplit(' ').next().unwrap().parse().unwrap();
    assert!((62..=65).contains(&number), "{name}");
}

#[tokio::test]
async fn moved_closed_and_future_places_say_so() {
    let server = TestServer::start().await;
    let status = async |id: &str| server.data("get_place", json!({"place_id": id})).await["place"]["status"].clone();

    let moved = status("ChIJdemo_kilnkettle_old_001").await;
    assert_eq!(moved, json!({"state": "moved", "moved_to_place_id": "ChIJdemo_kilnkettle_new_001"}));
    assert_eq!(status("ChIJdemo_brack_cablecar_001").await["state"], json!("closed_temporarily"));
    assert_eq!(
        status("ChIJdemo_starling_scope_001").await,
        json!({"state": "future_opening", "opens_on": "2027-04-02"})
    );
    server.fault(json!({"kind": "removed_field", "path": "businessStatus"})).await;
    assert_eq!(status("ChIJdemo_kilnkettle_old_001").await["state"], json!("moved"));
}

#[tokio::test]
async fn suspicious_reviews_come_with_the_warning_of_the_source() {
    let server = TestServer::start().await;

    for tool in ["get_place", "get_reviews"] {
        let result = server.call(tool, json!({"place_id": "ChIJdemo_crack_and_mend_001"})).await;

        assert!(result.0["structuredContent"]["place"]["alert"].is_string(), "{tool}");
        assert!(result.text().contains("Warning of the source: "), "{tool}");
    }
}

#[tokio::test]
async fn a_place_that_is_gone_is_told_apart_from_one_that_never_was() {
    let server = TestServer::start().await;
    for id in
        ["ChIJdemo_obsolete_place_001", "ChIJdemo_obsolete_place_002", "ChIJdemo_obsolete_place_003", "not-a-place-id"]
    {
        let gone = server.call("get_place", json!({"place_id": id})).await;

        assert_eq!(gone.code(), "place_not_found", "{id}");
        assert_eq!(gone.failure()["tier"], json!("client"));
        assert_eq!(gone.failure()["status"], json!(404));
        assert!(gone.text().starts_with("Search for the place"), "{}", gone.text());
    }
}

#[tokio::test]
async fn a_pasted_link_is_told_what_to_do_instead() {
    let server = TestServer::start().await;

    let refused = server
        .call("search_places", json!({"query": "https://www.google.com/maps/place/The+Moonlit+Bakery/@49,-5"}))
        .await;

    assert_eq!(refused.code(), "invalid_argument");
    assert!(refused.text().contains("search for that") && refused.text().contains("The Moonlit Bakery"));
    assert!(server.upstream_requests().await.is_empty());
}

/// Each with the part of the sentence that names what was wrong.
const REFUSED: &[(&str, &str, &str)] = &[
    ("get_reviews", "{}", "`place_id` is missing; expected: `place_id` as `search_places` gives it"),
    ("get_reviews", r#"{"place_id": 5}"#, "`place_id` has the wrong type or value (it is a number)"),
    ("get_reviews", r#"{"place_id": "short"}"#, "`place_id` has characters or a form that are not allowed"),
    (
        "get_reviews",
        r#"{"place_id": "ChIJdemo_moonlit_bakery_001", "limit": 9}"#,
        "`limit` is 9; expected: Reviews to return: 1 to 5",
    ),
    (
        "get_reviews",
        r#"{"place_id": "ChIJdemo_moonlit_bakery_001", "limit": -1}"#,
        "`limit` has the wrong type or value",
    ),
    (
        "get_reviews",
        r#"{"place_id": "ChIJdemo_moonlit_bakery_001", "limit": 2.5}"#,
        "`limit` has the wrong type or value",
    ),
    ("get_reviews", r#"{"place_id": "ChIJdemo_moonlit_bakery_001", "min_rating": 0}"#, "`min_rating` is 0; expected:"),
    (
        "get_reviews",
        r#"{"place_id": "ChIJdemo_moonlit_bakery_001", "min_rating": 4, "max_rating": 2}"#,
        "`min_rating` is 4 and `max_rating` is 2",
    ),
    (
        "get_reviews",
        r#"{"place_id": "ChIJdemo_moonlit_bakery_001", "response_format": "long"}"#,
        "One of concise, detailed",
    ),
    (
        "get_reviews",
        r#"{"place_id": "ChIJdemo_moonlit_bakery_001", "sort": "newest"}"#,
        "`sort` is not an argument of this tool; allowed are `place_id`",
    ),
    (
        "get_reviews",
        r#"{"place_id": "ChIJdemo_moonlit_bakery_001", "language": "english!"}"#,
        "`language` has characters or a form",
    ),
    (
        "get_reviews",
        r#"{"place_id": "ChIJdemo_moonlit_bakery_001", "region": "DEU"}"#,
        "`region` has characters or a form",
    ),
    ("search_places", r#"{"query": ""}"#, "`query` has 0 characters; expected: Name or kind of place"),
    ("search_places", r#"{"query": "   "}"#, "`query` has characters or a form that are not allowed"),
    ("search_places", r#"{"query": "a\u0007b"}"#, "`query` has characters or a form that are not allowed"),
    ("search_places", r#"{"query": "bakery", "near": {"latitude": 91, "longitude": 0}}"#, "`near.latitude` is 91"),
    (
        "search_places",
        r#"{"query": "bakery", "near": {"latitude": 9}}"#,
        "`near.longitude` is missing; expected: Degrees",
    ),
    (
        "search_places",
        r#"{"query": "bakery", "near": {"latitude": 9, "longitude": 9, "km": 1}}"#,
        "`near.km` is not an argument",
    ),
    ("search_places", r#"{"query": "bakery", "near": "here"}"#, "`near` has the wrong type or value (it is a string)"),
    ("search_places", r#"{"query": "bakery", "page_token": "a&key=b"}"#, "`page_token` has characters or a form"),
];

/// Arguments that break a rule never reach Google, and the sentence names the argument, the fault and what is allowed.
#[tokio::test]
async fn mcp_20_arguments_that_break_a_rule_are_told_which_and_how() {
    let server = TestServer::start().await;
    for (tool, arguments, expected) in REFUSED {
        let refused = server.call(tool, serde_json::from_str(arguments).unwrap()).await;

        assert_eq!(refused.code(), "invalid_argument", "{arguments}");
        assert_eq!(refused.failure()["tier"], json!("client"));
        assert_eq!(refused.failure()["status"], json!(422));
        assert_eq!(refused.failure()["retryable"], json!(false));
        assert!(refused.text().contains(expected), "{arguments}: {}", refused.text());
        assert!(!refused.text().contains("serde") && !refused.text().contains('\n'), "{}", refused.text());
    }
    let long = server.call("search_places", json!({"query": "x".repeat(200_000)})).await;
    assert!(long.text().contains("`query` has 200000 characters"), "{}", &long.text()[..200]);
    assert!(server.upstream_requests().await.is_empty());
}

#[tokio::test]
async fn null_stands_for_an_argument_that_is_not_given() {
    let server = TestServer::start().await;
    let data = server.data("get_reviews", json!({"place_id": BAKERY, "region": null, "limit": null})).await;
    assert_eq!(data["sample"]["returned"], json!(5));
}

#[tokio::test]
async fn answers_follow_the_schemas_that_are_published() {
    let server = TestServer::start().await;
    let tools = rpc::modern(&server, "tools/list", json!({})).await.body["result"]["tools"].clone();
    let mut ids: Vec<String> = Vec::new();
    for query in
        ["kiln", "ryokan", "observatory", "phone repair", "gull", "shelter", "museum", "ramen", "clock", "parkplatz"]
    {
        let page = server.data("search_places", json!({"query": query})).await;
        check(&tools, "search_places", &page);
        ids.extend(
            page["places"].as_array().unwrap().iter().map(|place| place["place_id"].as_str().unwrap().to_owned()),
        );
    }
    assert!(ids.len() >= 10, "{ids:?}");
    for id in ids {
        check(&tools, "get_place", &server.data("get_place", json!({"place_id": id, "language": "ja"})).await);
        for format in ["concise", "detailed"] {
            let arguments = json!({"place_id": id, "response_format": format, "language": "de"});
            check(&tools, "get_reviews", &server.data("get_reviews", arguments).await);
        }
    }
}

fn check(tools: &Value, name: &str, data: &Value) {
    let tool = tools.as_array().unwrap().iter().find(|tool| tool["name"] == name).unwrap();
    let validator = jsonschema::validator_for(&tool["outputSchema"]).unwrap();
    let errors: Vec<_> = validator.iter_errors(data).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{name}: {errors:?}\n{data}");
}

/// `demo` and a server that is pointed at the emulator are the same program on the same path.
#[tokio::test]
async fn the_demo_answers_as_a_server_that_is_pointed_at_the_emulator() {
    let served = TestServer::start().await;
    let demo = TestServer::builder().set("upstream.provider", "demo").start().await;
    assert!(demo.app.emulator().is_some() && served.app.emulator().is_none());
    for (tool, arguments) in [
        ("search_places", json!({"query": "bakery"})),
        ("get_place", json!({"place_id": BAKERY})),
        ("get_reviews", json!({"place_id": BAKERY, "response_format": "detailed"})),
    ] {
        let without_time = |mut data: Value| {
            data["attribution"]["retrieved_at"] = Value::Null;
            data
        };
        let (one, other) = (served.data(tool, arguments.clone()).await, demo.data(tool, arguments).await);
        assert_eq!(without_time(one), without_time(other), "{tool}");
    }
}

#[tokio::test]
async fn without_a_key_every_tool_says_what_to_set() {
    let server = TestServer::builder().set("google.api_key", "").start().await;
    for (tool, arguments) in [
        ("search_places", json!({"query": "bakery"})),
        ("get_place", json!({"place_id": BAKERY})),
        ("get_reviews", json!({"place_id": BAKERY})),
    ] {
        let refused = server.call(tool, arguments).await;
        assert_eq!(refused.code(), "google_key_missing");
        assert_eq!(refused.failure()["tier"], json!("dependency"));
        assert!(refused.text().contains("GOOGLE_MAPS_API_KEY"), "{}", refused.text());
    }
    assert!(server.upstream_requests().await.is_empty());
    let (status, page) = server.operations("/health").await;
    assert_eq!(status, 503);
    assert!(page.contains("set google.api_key"), "{page}");
}
