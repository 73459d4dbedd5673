//! What the analysis says of the synthetic places, held by pages that a person can read: `tests/it/snapshots`.
//! `INSTA_UPDATE=always` writes them anew; read what changed before you keep it.

use crate::support::{BAKERY, BURST, TestServer, now};
use google_reviews_mcp::clock::Clock;
use serde_json::{Value, json};

/// Every place of the emulator that has reviews, with the language in which it is read.
const PLACES: [(&str, &str, &str); 10] = [
    ("moonlit-bakery", BAKERY, "en"),
    ("moonlit-bakery-in-german", BAKERY, "de"),
    ("suspicious-burst", BURST, "en"),
    ("la-aceituna-perdida", "ChIJdemo_lost_olive_bar_001", "es"),
    ("au-chat-qui-relit", "ChIJdemo_chat_qui_relit_001", "fr"),
    ("ryokan-tsubame-machi", "ChIJdemo_ryokan_tsubame_001", "ja"),
    ("haft-anar", "ChIJdemo_haft_anar_rest_001", "fa"),
    ("regenmuseum-bad-lindenau", "ChIJdemo_regenmuseum_bl_001", "de"),
    ("hostile-reviews", "ChIJdemo_polite_gull_cf_001", "en"),
    ("brackwater-cable-car", "ChIJdemo_brack_cablecar_001", "en"),
];

async fn server() -> TestServer {
    TestServer::builder().clock(Clock::manual(now())).start().await
}

#[tokio::test]
async fn the_analysis_of_each_synthetic_place_is_one_that_a_person_agrees_with() {
    let server = server().await;
    for (name, place, language) in PLACES {
        let analysed = server.call("analyze_reviews", json!({"place_id": place, "language": language})).await;
        let data = analysed.data();
        assert_adds_up(&data);
        insta::assert_snapshot!(name, analysed.text());
    }
}

/// Counts add up, and every quotation and theme names reviews that are there.
fn assert_adds_up(data: &Value) {
    let analysis = &data["analysis"];
    let reviews = data["reviews"].as_array().unwrap().len();
    assert_eq!(analysis["reviews"], json!(reviews));
    let sum = |object: &Value, names: &[&str]| names.iter().map(|name| object[name].as_u64().unwrap()).sum::<u64>();
    let stars = ["stars_5", "stars_4", "stars_3", "stars_2", "stars_1", "unrated"];
    assert_eq!(sum(&analysis["ratings"], &stars), reviews as u64);
    assert_eq!(sum(&analysis["sentiment"], &["positive", "mixed", "negative", "unknown"]), reviews as u64);
    let ids: Vec<&Value> = data["reviews"].as_array().unwrap().iter().map(|review| &review["review_id"]).collect();
    let empty = Vec::new();
    for theme in analysis["themes"].as_array().unwrap_or(&empty) {
        assert!(theme["phrase"].as_str().unwrap().split_whitespace().count() <= 3, "{theme}");
        assert!(theme["review_ids"].as_array().unwrap().iter().all(|id| ids.contains(&id)), "{theme}");
    }
    for quote in data["quotes"].as_array().unwrap_or(&empty) {
        assert!(ids.contains(&&quote["review_id"]), "{quote}");
        let text = quote["text"].as_str().unwrap().to_lowercase();
        assert!(text.chars().count() <= 162, "{quote}");
    }
    for signal in analysis["signals"].as_array().unwrap_or(&empty) {
        assert!(signal["evidence"].as_str().unwrap().contains("signal"), "{signal}");
    }
    assert!(data["sample"]["note"].is_string());
}

#[tokio::test]
async fn a_comparison_and_a_report_read_well() {
    let server = server().await;
    let ids = json!([BAKERY, BURST, "ChIJdemo_regenmuseum_bl_001"]);
    let compared = server.call("compare_places", json!({"place_ids": ids})).await;
    insta::assert_snapshot!("comparison", compared.text());
    let made =
        server.data("create_report", json!({"place_ids": ids, "title": "Three places", "request_id": "x"})).await;
    let id = made["report_id"].as_str().unwrap();
    let page = server.call("get_report", json!({"report_id": id})).await.text().replace(id, "ID");
    insta::assert_snapshot!("report", page);
}

/// Places that Google does not give are named, and the others are compared all the same.
#[tokio::test]
async fn a_comparison_names_the_places_that_are_missing() {
    let server = server().await;
    let gone = "ChIJdemo_obsolete_place_001";
    let compared = server.call("compare_places", json!({"place_ids": [BAKERY, gone, BURST]})).await;
    let data = compared.data();
    assert_eq!(data["places"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&data["unavailable"][0]["place_id"], &data["unavailable"][0]["code"]),
        (&json!(gone), &json!("place_not_found"))
    );
    assert!(compared.text().contains(&format!("Not compared: {gone}")), "{}", compared.text());
    let alone = server.call("compare_places", json!({"place_ids": [BAKERY, gone]})).await;
    assert_eq!(alone.code(), "place_not_found", "one place is no comparison");
}

/// A place without reviews says so, and invents nothing.
#[tokio::test]
async fn a_place_without_reviews_has_no_figures() {
    let server = server().await;
    let found = server.data("search_places", json!({"query": "picnic shelter"})).await;
    let analysed = server.call("analyze_reviews", json!({"place_id": found["places"][0]["place_id"]})).await;
    assert!(analysed.text().contains("No reviews to analyse."), "{}", analysed.text());
    assert!(analysed.data()["analysis"]["ratings"].get("mean").is_none());
}

/// What no list covers is said.
#[tokio::test]
async fn a_language_without_a_word_list_is_named() {
    let server = server().await;
    server.fault(json!({"kind": "replaced_field", "path": "reviews.*.text.languageCode", "value": "sv"})).await;
    let analysed = server.call("analyze_reviews", json!({"place_id": BAKERY, "language": "sv"})).await;
    assert_eq!(analysed.data()["analysis"]["sentiment"]["uncovered_languages"][0]["language"], json!("sv"));
    assert!(analysed.text().contains("no word list for: sv"), "{}", analysed.text());
}
