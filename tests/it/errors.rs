//! Google's errors: each is told by what somebody has to do, none shows the key, and none is relayed.

use crate::support::{BAKERY, TestServer, check, fake_google, now, unavailable};
use google_reviews_mcp::google::{GoogleError, classify};
use serde_json::{Value, json};

/// Keys of the emulator, with the code and the word that the operator needs.
const KEYS: &[(&str, &str, &str)] = &[
    ("mistyped", "google_key_invalid", "google.api_key"),
    ("demo-key-deleted", "google_key_invalid", "deleted"),
    ("demo-key-expired", "google_key_invalid", "expired"),
    ("demo-key-api-disabled", "google_api_disabled", "Places API (New)"),
    ("demo-key-billing-disabled", "google_billing_disabled", "billing"),
    ("demo-key-other-api", "google_key_restricted", "does not allow Places API (New)"),
    ("demo-key-web-only", "google_key_restricted", "web pages only"),
    ("demo-key-other-address", "google_key_restricted", "this server's address"),
    ("demo-key-android-only", "google_key_restricted", "mobile apps only"),
    ("demo-key-ios-only", "google_key_restricted", "mobile apps only"),
    ("demo-key-suspended", "google_key_suspended", "suspended"),
    ("demo-key-leaked", "google_key_suspended", "suspended"),
    ("demo-key-denied", "google_permission_denied", "without a reason"),
];

#[tokio::test]
async fn up_08_a_fault_of_the_key_says_what_the_operator_must_do() {
    for (key, code, word) in KEYS {
        let server = TestServer::builder().set("google.api_key", *key).start().await;

        let failed = server.call("get_reviews", json!({"place_id": BAKERY})).await;

        assert_eq!(failed.code(), *code, "{key}");
        assert_eq!(failed.failure()["tier"], json!("dependency"), "{key}");
        assert_eq!(failed.failure()["retryable"], json!(false), "{key}");
        assert!(failed.text().starts_with("Do not retry; tell the user"), "{}", failed.text());
        assert!(failed.text().contains(word), "{key}: {}", failed.text());
        assert_eq!(server.upstream_requests().await.len(), 1, "{key}: never retried");
        let (status, health) = server.operations("/health").await;
        assert_eq!(status, 503, "{key}");
        assert!(health.contains("\"cause\":\""), "{health}");
    }
}

#[tokio::test]
async fn leak_03_an_error_that_echoes_the_key_does_not_pass_it_on() {
    let server = TestServer::builder().set("google.api_key", "demo-key-suspended").start().await;

    let failed = server.call("get_reviews", json!({"place_id": BAKERY})).await;

    for page in [failed.0.to_string(), server.operations("/health").await.1, server.operations("/metrics").await.1] {
        assert!(!page.contains("demo-key"), "{page}");
    }
}

/// Text of the upstream's errors could be anything, instructions among it.
#[tokio::test]
async fn out_13_messages_of_the_upstream_are_not_relayed() {
    let server = TestServer::start().await;
    for fault in [
        json!({"kind": "html", "status": 500}),
        json!({"kind": "html", "status": 403}),
        json!({"kind": "error", "name": "internal"}),
    ] {
        server.fault(fault).await;
        let failed = server.call("get_place", json!({"place_id": BAKERY})).await.0.to_string();
        server.clear_faults().await;
        assert!(!failed.contains("That’s") && !failed.contains("encountered") && !failed.contains("<html"), "{failed}");
    }
}

#[tokio::test]
async fn failures_of_google_say_when_to_try_again() {
    let server = TestServer::start().await;
    for (name, status) in [("internal", 503), ("unavailable", 503), ("deadline_exceeded", 503)] {
        server.fault(json!({"kind": "error", "name": name})).await;
        let failed = server.call("get_place", json!({"place_id": BAKERY})).await;
        server.clear_faults().await;
        assert_eq!(failed.code(), "google_unavailable");
        assert_eq!(failed.failure()["status"], json!(status));
        assert_eq!(failed.failure()["retryable"], json!(true));
        assert_eq!(failed.failure()["retry_after_seconds"], json!(5));
        assert_eq!(failed.failure()["reference"].as_str().unwrap().len(), 32);
    }
}

#[tokio::test]
async fn up_02_answers_that_never_come_or_stall_end_at_their_limits() {
    for (key, fault) in [
        ("google.first_byte_timeout", json!({"kind": "latency", "milliseconds": 60_000})),
        ("google.total_timeout", json!({"kind": "slow_body", "bytes_per_second": 100})),
        ("google.idle_timeout", json!({"kind": "slow_body", "bytes_per_second": 10})),
    ] {
        // The emulator's slow body sends a piece each 100 ms, so an idle limit below that is a stall.
        let server =
            TestServer::builder().set(key, if key == "google.idle_timeout" { "40ms" } else { "300ms" }).start().await;
        server.fault(fault).await;

        let failed = server.call("get_place", json!({"place_id": BAKERY})).await;

        assert_eq!(failed.code(), "google_timed_out", "{key}");
        assert_eq!(failed.failure()["status"], json!(504));
    }
}

#[tokio::test]
async fn up_03_an_answer_without_end_is_cut_at_its_limit() {
    let server = TestServer::start().await;
    server.fault(json!({"kind": "endless_body"})).await;
    assert_eq!(server.call("get_place", json!({"place_id": BAKERY})).await.code(), "google_format_changed");
    // Google has billed it all the same.
    assert_eq!(server.metric("upstream_cost_usd_total{sku=\"place_details_enterprise_atmosphere\"}").await, 0.025);
}

#[tokio::test]
async fn up_04_a_compressed_bomb_is_counted_unpacked() {
    let server = TestServer::start().await;
    server.fault(json!({"kind": "compression_bomb", "megabytes": 64})).await;
    assert_eq!(server.call("get_place", json!({"place_id": BAKERY})).await.code(), "google_format_changed");
}

#[tokio::test]
async fn up_05_bodies_that_are_no_json_are_told_and_counted() {
    let server = TestServer::start().await;
    for fault in [json!({"kind": "truncated"}), json!({"kind": "html", "status": 200})] {
        server.fault_once(fault.clone()).await;
        let failed = server.call("get_place", json!({"place_id": BAKERY})).await;
        assert_eq!(failed.code(), "google_format_changed", "{fault}");
    }
    assert_eq!(server.metric("upstream_schema_drift_total{endpoint=\"place_details\",kind=\"not_json\"}").await, 2.0);
}

#[tokio::test]
async fn up_06_a_redirect_is_not_followed() {
    let server = TestServer::start().await;
    let elsewhere = TestServer::start().await;
    server
        .fault(json!({"kind": "redirect", "location": format!("{}/v1/places/{BAKERY}", elsewhere.emulator.url())}))
        .await;

    let failed = server.call("get_place", json!({"place_id": BAKERY})).await;

    assert_eq!(failed.code(), "google_unavailable");
    assert!(elsewhere.upstream_requests().await.is_empty());
}

#[tokio::test]
async fn a_connection_that_breaks_or_is_refused_is_told() {
    let server = TestServer::start().await;
    server.fault(json!({"kind": "reset"})).await;
    assert_eq!(server.call("get_place", json!({"place_id": BAKERY})).await.code(), "google_unreachable");

    let gone = TestServer::builder().set("google.places_url", "http://127.0.0.1:1").start().await;
    let failed = gone.call("get_place", json!({"place_id": BAKERY})).await;
    assert_eq!(failed.code(), "google_unreachable");
    assert_eq!(failed.failure()["status"], json!(502));
}

#[tokio::test]
async fn health_follows_the_outcome_of_real_calls() {
    let server = TestServer::start().await;
    let state = async || {
        let (status, page) = server.operations("/health").await;
        let page: Value = serde_json::from_str(&page).unwrap();
        (status, check(&page, "google_places")["state"].as_str().unwrap().to_owned())
    };

    assert_eq!(state().await, (200, "unknown".to_owned()), "an idle server is well");
    server.fault(json!({"kind": "error", "name": "unavailable"})).await;
    server.call("get_place", json!({"place_id": BAKERY})).await;
    server.clear_faults().await;
    assert_eq!(state().await, (503, "down".to_owned()));
    assert_eq!(server.metric("dependency_up{dependency=\"google_places\"}").await, 0.0);
    // A place that is gone is an answer like any other.
    server.call("get_place", json!({"place_id": "ChIJdemo_obsolete_place_001"})).await;
    assert_eq!(state().await, (200, "up".to_owned()));
    assert_eq!(server.metric("dependency_up{dependency=\"google_places\"}").await, 1.0);
}

#[test]
fn bodies_of_any_form_are_classified() {
    let error = |details: Value| json!({"error": {"code": 403, "message": "no", "status": "PERMISSION_DENIED", "details": details}});
    let details_as_object = error(json!({"reason": "BILLING_DISABLED"})).to_string();
    for (status, body, expected) in [
        (403, "", GoogleError::PermissionDenied),
        (403, "<html>", GoogleError::PermissionDenied),
        (403, "[]", GoogleError::PermissionDenied),
        (403, details_as_object.as_str(), GoogleError::PermissionDenied),
        (403, r#"{"error":"invalid_grant"}"#, GoogleError::PermissionDenied),
        (404, "<html>", unavailable(404)),
        (400, "{}", GoogleError::InvalidRequest),
        (408, "{}", unavailable(408)),
        (418, "{}", GoogleError::InvalidRequest),
        (429, "{}", GoogleError::QuotaMinute { retry_after: None }),
        (503, "{}", unavailable(503)),
        (301, "", unavailable(301)),
    ] {
        assert_eq!(classify(status, body.as_bytes(), now()), expected, "{status} {body}");
    }
}

/// A search asks for no place, so none can be gone.
#[tokio::test]
async fn a_search_that_is_not_found_is_a_fault_of_google() {
    let server = TestServer::start().await;
    let body = json!({"error": {"code": 404, "status": "NOT_FOUND", "message": "Method not found."}});
    server.fault(json!({"kind": "html", "status": 404})).await;
    assert_eq!(server.call("search_places", json!({"query": "bakery"})).await.code(), "google_unavailable");
    assert_eq!(classify(404, body.to_string().as_bytes(), now()), GoogleError::PlaceObsolete);
}

/// What reaches the tools of another Google, one that does not say that its data is invented.
#[tokio::test]
async fn an_upstream_that_answers_something_else_altogether_is_told() {
    for body in [json!(null), json!("hello"), json!(7), json!([1, 2])] {
        let server = TestServer::builder().set("google.places_url", fake_google(body.clone()).await).start().await;
        let failed = server.call("get_reviews", json!({"place_id": BAKERY})).await;
        assert_eq!(failed.code(), "google_format_changed", "{body}");
    }
}
