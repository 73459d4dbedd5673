//! The emulator by itself: it must be wrong in the ways in which Google is, and right in all others.

use crate::support::TestServer;
use serde_json::{Value, json};

const BAKERY: &str = "ChIJdemo_moonlit_bakery_001";

async fn details(server: &TestServer, mask: &str, language: &str) -> (u16, Value) {
    let url = format!("{}/v1/places/{BAKERY}?languageCode={language}", server.emulator.url());
    let request = server.http.get(url).header("x-goog-api-key", "demo-key").header("x-goog-fieldmask", mask);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn search(server: &TestServer, mask: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/v1/places:searchText", server.emulator.url());
    let request = server.http.post(url).header("x-goog-api-key", "demo-key").header("x-goog-fieldmask", mask);
    let response = request.json(&body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_mask_selects_fields_and_parts_of_them_in_either_spelling() {
    let server = TestServer::start().await;

    let (_, place) =
        details(&server, "user_rating_count,id,reviews.rating,reviews.authorAttribution.displayName", "en").await;

    assert_eq!(keys(&place), ["id", "userRatingCount", "reviews"], "wire order, whatever the order of the mask");
    assert_eq!(keys(&place["reviews"][0]), ["rating", "authorAttribution"]);
    assert_eq!(keys(&place["reviews"][0]["authorAttribution"]), ["displayName"]);
}

#[tokio::test]
async fn a_star_selects_everything_in_wire_order_and_nothing_is_null() {
    let server = TestServer::start().await;

    let (_, place) = details(&server, "*", "en").await;

    assert_eq!(keys(&place)[..3], ["name", "id", "types"]);
    let review = &place["reviews"][0];
    assert_eq!(
        keys(review),
        [
            "name",
            "relativePublishTimeDescription",
            "rating",
            "text",
            "originalText",
            "authorAttribution",
            "publishTime",
            "flagContentUri",
            "googleMapsUri"
        ]
    );
    assert!(!place.to_string().contains("null") && !place.to_string().contains("[]"));
    assert!(review["rating"].is_u64(), "a whole rating is written without a fraction");
}

#[tokio::test]
async fn masks_that_are_missing_or_wrong_are_refused_as_google_does() {
    let server = TestServer::start().await;

    let (status, missing) = details(&server, "", "en").await;
    assert_eq!((status, missing["error"]["status"].as_str()), (400, Some("INVALID_ARGUMENT")));
    assert!(missing["error"]["message"].as_str().unwrap().starts_with("FieldMask is a required parameter."));

    for wrong in ["places.displayName", "id, rating", "reviews.likes", "nonsense"] {
        let (status, error) = details(&server, wrong, "en").await;
        assert_eq!(status, 400, "{wrong}");
        let violation = &error["error"]["details"][0]["fieldViolations"][0];
        assert!(violation["description"].as_str().unwrap().contains("Cannot find matching fields for path"), "{error}");
    }
    let (status, _) = search(&server, "displayName", json!({"textQuery": "bakery"})).await;
    assert_eq!(status, 400, "a search wants the prefix");
}

#[tokio::test]
async fn the_mask_and_the_key_may_stand_in_the_url() {
    let server = TestServer::start().await;
    for parameter in ["fields", "$fields"] {
        let url = format!("{}/v1/places/{BAKERY}?{parameter}=id&key=demo-key", server.emulator.url());
        let place: Value = server.http.get(url).send().await.unwrap().json().await.unwrap();
        assert_eq!(keys(&place), ["id"], "{parameter}");
    }
}

#[tokio::test]
async fn at_most_five_reviews_come_in_the_language_of_the_request() {
    let server = TestServer::start().await;

    let (_, english) = details(&server, "reviews", "en").await;
    let (_, german) = details(&server, "reviews", "de").await;

    let reviews = |place: &Value| place["reviews"].as_array().unwrap().clone();
    assert_eq!(reviews(&english).len(), 5);
    let position = reviews(&english).iter().position(|review| review["originalText"]["languageCode"] == "de").unwrap();
    assert_eq!(english["reviews"][position]["text"]["languageCode"], json!("en-US"));
    assert_ne!(english["reviews"][position]["text"], english["reviews"][position]["originalText"]);
    assert_eq!(german["reviews"][position]["text"], german["reviews"][position]["originalText"]);
    assert_eq!(english["reviews"][position]["name"], german["reviews"][position]["name"]);
}

#[tokio::test]
async fn a_search_refuses_fields_that_do_not_exist_and_takes_both_spellings() {
    let server = TestServer::start().await;

    let (status, error) = search(&server, "places.id", json!({"textQuery": "bakery", "pagesize": 3})).await;
    assert_eq!(status, 400);
    assert!(error["error"]["message"].as_str().unwrap().contains("Unknown name \"pagesize\""));
    let (status, page) =
        search(&server, "places.id,nextPageToken", json!({"text_query": "kiosk", "page_size": 3})).await;
    assert_eq!(status, 200);
    assert_eq!(page["places"].as_array().unwrap().len(), 3);
    assert!(page["nextPageToken"].is_string());
    let (_, page) = search(&server, "places.id", json!({"textQuery": "kiosk", "pageSize": 3})).await;
    assert_eq!(keys(&page), ["places"], "the token only if it is asked for");
    let (_, nothing) = search(&server, "places.id", json!({"textQuery": "qqqqqq"})).await;
    assert_eq!(nothing, json!({}));
}

#[tokio::test]
async fn quotas_are_counted_and_their_errors_are_googles() {
    let server = TestServer::start().await;
    let set = async |limits: Value| {
        let url = format!("{}/_emulator/quotas", server.emulator.url());
        assert_eq!(server.http.put(url).json(&limits).send().await.unwrap().status(), 204);
    };

    set(json!({"per_day": 1})).await;
    assert_eq!(details(&server, "id", "en").await.0, 200);
    let (status, error) = details(&server, "id", "en").await;
    assert_eq!(status, 429);
    assert_eq!(error["error"]["details"][0]["metadata"]["quota_unit"], json!("1/d/{project}"));
    set(json!({"per_minute": 0})).await;
    let (_, error) = details(&server, "id", "en").await;
    assert_eq!(error["error"]["details"][0]["metadata"]["quota_limit_value"], json!("0"));
    set(json!({})).await;
    assert_eq!(details(&server, "id", "en").await.0, 200);
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_accept_it() {
    let server = TestServer::start().await;
    let url = format!("{}/v1/places/{BAKERY}", server.emulator.url());
    let plain = reqwest::Client::builder().no_proxy().no_gzip().build().unwrap();
    let ask = |accepts: &'static str| {
        let request = plain.get(&url).header("x-goog-api-key", "demo-key").header("x-goog-fieldmask", "*");
        request.header("accept-encoding", accepts).send()
    };

    let packed = ask("gzip").await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert_eq!(packed.headers()["x-data-source"], "synthetic");
    let (small, large) =
        (packed.bytes().await.unwrap().len(), ask("identity").await.unwrap().bytes().await.unwrap().len());
    assert!(small * 2 < large, "{small} of {large}");
}

#[tokio::test]
async fn unknown_paths_are_answered_with_a_page_and_not_with_json() {
    let server = TestServer::start().await;
    let response = server.http.get(format!("{}/v1/nothing/here", server.emulator.url())).send().await.unwrap();
    assert_eq!(response.status(), 404);
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
}

#[tokio::test]
async fn a_fault_lasts_for_its_requests_or_its_time() {
    use google_reviews_mcp::clock::Clock;
    use std::time::Duration;
    let clock = Clock::manual("2026-11-20T12:00:00Z".parse().unwrap());
    let server = TestServer::builder().clock(clock.clone()).start().await;
    let post = async |switch: Value| {
        server
            .http
            .post(format!("{}/_emulator/faults", server.emulator.url()))
            .json(&switch)
            .send()
            .await
            .unwrap()
            .status()
    };

    server.fault_once(json!({"kind": "html", "status": 502})).await;
    assert_eq!(status_of(&server).await, 502);
    assert_eq!(status_of(&server).await, 200);
    assert_eq!(post(json!({"fault": {"kind": "html", "status": 503}, "milliseconds": 5000})).await, 204);
    assert_eq!((status_of(&server).await, status_of(&server).await), (503, 503));
    clock.advance(Duration::from_secs(6));
    assert_eq!(status_of(&server).await, 200);
    assert_eq!(post(json!({"fault": {"kind": "html", "status": 500}, "endpoint": "search_text"})).await, 204);
    assert_eq!(status_of(&server).await, 200, "another endpoint");
    assert_eq!(post(json!({"fault": {"kind": "gremlins"}})).await, 422, "faults that do not exist are refused");
    server.clear_faults().await;
}

async fn status_of(server: &TestServer) -> u16 {
    let url = format!("{}/v1/places/{BAKERY}", server.emulator.url());
    let request = server.http.get(url).header("x-goog-api-key", "demo-key").header("x-goog-fieldmask", "id");
    request.send().await.unwrap().status().as_u16()
}

/// The promises of the data: enough of it, in the measured proportions, invented, and never under Google's name.
#[tokio::test]
async fn the_data_is_what_it_promises_to_be() {
    let mut languages = std::collections::BTreeMap::new();
    let (mut reviews, mut without_text, mut places) = (0, 0, 0);
    for file in std::fs::read_dir("src/emulator/data").unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(!text.replace("googleMapsUri", "").to_lowercase().contains("google"), "{}", file.display());
        let entry: Value = serde_json::from_str(&text).unwrap();
        places += 1;
        for review in entry["reviews"].as_array().unwrap() {
            reviews += 1;
            match review["language"].as_str() {
                Some(language) => *languages.entry(language.to_owned()).or_insert(0) += 1,
                None => without_text += 1,
            }
        }
    }
    assert!(places >= 12 && (95..=120).contains(&reviews), "{places} places, {reviews} reviews");
    assert_eq!(languages.keys().collect::<Vec<_>>(), ["de", "en", "es", "fa", "fr", "ja"]);
    assert!(languages.values().all(|count| *count >= 10), "{languages:?}");
    assert!((5..=12).contains(&(without_text * 100 / reviews)), "{without_text} of {reviews} without text");
}
