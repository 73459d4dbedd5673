//! Nothing that a caller sends reaches Google in another place than it belongs to.

use crate::support::{BAKERY, TestServer};
use serde_json::{Value, json};

#[tokio::test]
async fn inj_01_place_ids_that_leave_their_path_never_reach_google() {
    let server = TestServer::start().await;
    for id in [
        "../v1/otherplace",
        "places/abcdefgh",
        "ChIJabcdefg?key=x",
        "ChIJabcdefg#b",
        "%2e%2e%2f%2e%2e",
        "a%2Fbcdefghij",
    ] {
        for tool in ["get_place", "get_reviews"] {
            assert_eq!(server.call(tool, json!({"place_id": id})).await.code(), "invalid_argument", "{id}");
        }
    }
    assert!(server.upstream_requests().await.is_empty());
}

#[tokio::test]
async fn inj_02_place_ids_with_control_characters_never_reach_google() {
    let server = TestServer::start().await;
    for id in ["ChIJabcdefg\r\nX-Evil: 1", "ChIJabcdefg\u{0}", "ChIJabcdefg ", "ChIJäbcdefghij", "ChIJabcdefg\n"] {
        assert_eq!(server.call("get_place", json!({"place_id": id})).await.code(), "invalid_argument", "{id:?}");
    }
    assert!(server.upstream_requests().await.is_empty());
}

#[tokio::test]
async fn inj_04_the_field_mask_is_not_an_argument() {
    let server = TestServer::start().await;
    for name in ["fields", "field_mask", "mask", "X-Goog-FieldMask"] {
        let refused = server.call("get_place", json!({"place_id": BAKERY, name: "*"})).await;
        assert_eq!(refused.code(), "invalid_argument", "{name}");
    }
    server.data("get_reviews", json!({"place_id": BAKERY})).await;
    let mask = server.upstream_requests().await[0]["headers"]["x-goog-fieldmask"].clone();
    assert_eq!(mask, json!(google_reviews_mcp::google::mask::PLACE.fields));
}

#[tokio::test]
async fn inj_05_languages_and_regions_follow_their_grammar() {
    let server = TestServer::start().await;
    let long = "en-".repeat(400);
    for language in ["en\r\nX-Evil: 1", "../", long.as_str(), "e", "en_US", "en&regionCode=XX"] {
        let refused = server.call("get_place", json!({"place_id": BAKERY, "language": language})).await;
        assert_eq!(refused.code(), "invalid_argument", "{language:?}");
    }
    for region in ["DEU", "1A", "D\n", ""] {
        let refused = server.call("get_place", json!({"place_id": BAKERY, "region": region})).await;
        assert_eq!(refused.code(), "invalid_argument", "{region:?}");
    }
    assert!(server.upstream_requests().await.is_empty());
}

#[tokio::test]
async fn inj_06_page_tokens_travel_as_data() {
    let server = TestServer::start().await;
    let refused = server.call("search_places", json!({"query": "bakery", "page_token": "x&key=stolen"})).await;
    assert_eq!(refused.code(), "invalid_argument");

    server.call("search_places", json!({"query": "bakery\",\"pageSize\":99", "page_token": "abc=/+.-_"})).await;
    let seen = server.upstream_requests().await;
    assert_eq!(seen[0]["body"]["pageToken"], json!("abc=/+.-_"));
    assert_eq!(seen[0]["body"]["textQuery"], json!("bakery\",\"pageSize\":99"));
    assert_eq!(seen[0]["body"]["pageSize"], json!(10));
}

#[tokio::test]
async fn inj_07_free_text_has_its_limits() {
    let server = TestServer::start().await;
    let long = "x".repeat(301);
    for query in [long.as_str(), "", " \u{a0} ", "a\u{7}b", "a\u{9b}b", "line\nline"] {
        let refused = server.call("search_places", json!({"query": query})).await;
        assert_eq!(refused.code(), "invalid_argument", "{query:?}");
    }
    assert!(server.upstream_requests().await.is_empty());
    assert_eq!(server.call("search_places", json!({"query": "x".repeat(300)})).await.0["isError"], json!(false));
}

#[tokio::test]
async fn inj_08_where_google_is_cannot_be_chosen_by_a_caller() {
    let server = TestServer::start().await;
    for name in ["places_url", "base_url", "url", "endpoint"] {
        let refused = server.call("get_place", json!({"place_id": BAKERY, name: "http://127.0.0.1:1"})).await;
        assert_eq!(refused.code(), "invalid_argument", "{name}");
    }
    assert!(server.upstream_requests().await.is_empty());
}

#[tokio::test]
async fn inj_09_the_key_goes_in_its_header_and_never_in_a_url() {
    let server = TestServer::start().await;
    server.data("search_places", json!({"query": "bakery"})).await;
    server.data("get_place", json!({"place_id": BAKERY, "region": "de"})).await;

    let seen = server.upstream_requests().await;
    assert_eq!(seen.len(), 2);
    for request in &seen {
        assert!(!request["url"].as_str().unwrap().contains("key"), "{request}");
        assert_eq!(request["headers"]["x-goog-api-key"], json!("[key]"));
        assert!(request["headers"].get("referer").is_none() && request["headers"].get("cookie").is_none());
    }
    assert_eq!(seen[1]["url"], json!(format!("/v1/places/{BAKERY}?languageCode=en&regionCode=DE")));
}

#[tokio::test]
async fn inj_10_a_callers_credentials_and_headers_are_not_forwarded() {
    let server = TestServer::start().await;
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "get_place", "arguments": {"place_id": BAKERY}}});
    let request = server.http.post(server.app.endpoint()).header("accept", "*/*").json(&body);
    let request = request
        .header("authorization", "Bearer secret-of-the-caller")
        .header("cookie", "session=secret")
        .header("baggage", "user=secret")
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        .header("x-forwarded-for", "10.0.0.1");
    assert_eq!(request.send().await.unwrap().status(), 200);

    let headers = server.upstream_requests().await[0]["headers"].clone();
    assert!(!headers.to_string().contains("secret"), "{headers}");
    for name in ["authorization", "cookie", "baggage", "traceparent", "x-forwarded-for"] {
        assert!(headers.get(name).is_none(), "{name}");
    }
}

/// Addresses in answers are passed on as text; nobody fetches them.
#[tokio::test]
async fn inj_13_addresses_from_google_are_never_fetched() {
    let bait = TestServer::start().await;
    let server = TestServer::start().await;
    let url = format!("{}/v1/places/{BAKERY}", bait.emulator.url());
    server.fault(json!({"kind": "replaced_field", "path": "reviews.*.authorAttribution.photoUri", "value": url})).await;

    let data = server.data("get_reviews", json!({"place_id": BAKERY, "response_format": "detailed"})).await;

    assert_eq!(data["reviews"][0]["author_photo_url"], json!(url));
    assert!(bait.upstream_requests().await.is_empty());
}

#[tokio::test]
async fn inj_14_templates_and_formats_are_words_like_others() {
    let server = TestServer::start().await;
    for query in ["${jndi:ldap://x}", "{{7*7}}", "%n%s%x", "'; DROP TABLE places; --", "$(id)", "{0} {query}"] {
        if query.contains("://") {
            assert_eq!(server.call("search_places", json!({"query": query})).await.code(), "invalid_argument");
            continue;
        }
        server.data("search_places", json!({"query": query})).await;
        let seen: Vec<Value> = server.upstream_requests().await;
        assert_eq!(seen.last().unwrap()["body"]["textQuery"], json!(query));
    }
}
