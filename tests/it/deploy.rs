//! Alerts, dashboard and runbook speak of what the server really says: checked against its own metrics page, with the
//! tools of Prometheus and Alertmanager.

use crate::support::{BAKERY, TestServer, rpc};
use serde_json::json;
use std::{fs, process::Command};

/// A page on which everything has happened once.
async fn page_of_a_busy_server() -> String {
    let server =
        TestServer::builder().set("cache.places_content_ttl", "60s").set("health.interval", "50ms").start().await;
    server.data("get_place", json!({"place_id": BAKERY})).await;
    server.data("get_reviews", json!({"place_id": BAKERY})).await;
    server.call("get_place", json!({"place_id": "x"})).await;
    server.data("create_report", json!({"place_ids": [BAKERY], "title": "x"})).await;
    server.fault_once(json!({"kind": "unknown_field", "path": "newThing"})).await;
    server.data("get_place", json!({"place_id": "ChIJdemo_crack_and_mend_001"})).await;
    rpc::modern(&server, "resources/list", json!({})).await;
    server.operations("/metrics").await.1
}

#[tokio::test]
async fn met_02_metrics_rules_dashboard_and_runbook_agree() {
    let page = page_of_a_busy_server().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("metrics.txt");
    fs::write(&file, page).unwrap();
    let check = move || Command::new("tests/deploy/check.sh").arg(file).output().unwrap();
    let output = tokio::task::spawn_blocking(check).await.unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
}
