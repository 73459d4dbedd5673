//! Alerts, dashboard and runbook speak of what the server really says: checked against its own metrics page, with the
//! tools of Prometheus and Alertmanager.

use crate::support::{BAKERY, BURST, TestServer, free_port, rpc, until};
use serde_json::{Value, json};
use std::{
    fs,
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

/// Made from the lock file alone: each crate with its version and its hash.
#[test]
fn dep_06_the_bill_of_materials_names_every_locked_crate() {
    let made = Command::new("python3").arg("deploy/sbom.py").output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let bill: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&json!("CycloneDX"), &json!("1.6")));
    let listed: Vec<_> = bill["components"].as_array().unwrap().iter().collect();
    let lock = fs::read_to_string("Cargo.lock").unwrap();
    let package =
        regex::Regex::new(r#"name = "(.+)"\nversion = "(.+)"\n(?:source = ".+"\nchecksum = "(.+)")?"#).unwrap();
    let mut count = 0;
    for found in package.captures_iter(&lock).filter(|found| &found[1] != env!("CARGO_PKG_NAME")) {
        let purl = json!(format!("pkg:cargo/{}@{}", &found[1], &found[2]));
        let component = listed.iter().find(|component| component["purl"] == purl).unwrap_or_else(|| panic!("{purl}"));
        assert_eq!(component["hashes"][0]["content"], json!(&found[3]), "{purl}");
        count += 1;
    }
    assert_eq!((count, count > 300), (listed.len(), true));
    assert_eq!(bill["metadata"]["component"]["version"], json!(env!("CARGO_PKG_VERSION")));
}

/// A server on which everything has happened once that rules and dashboard look at.
pub(crate) async fn busy_server() -> TestServer {
    let server =
        TestServer::builder().set("cache.places_content_ttl", "60s").set("health.interval", "50ms").start().await;
    keep_busy(&server).await;
    server.data("create_report", json!({"place_ids": [BAKERY], "title": "x"})).await;
    // Not once: a check of health could have it, and nothing in its answer is looked at.
    server.fault(json!({"kind": "unknown_field", "path": "newThing"})).await;
    server.data("get_place", json!({"place_id": BURST})).await;
    server.clear_faults().await;
    rpc::modern(&server, "resources/list", json!({})).await;
    server
}

/// A server where people sign in: its figures are not those of every server.
pub(crate) async fn with_sign_in() -> TestServer {
    TestServer::builder().set("auth.mode", "oauth").start().await
}

/// A hit, a miss and a failure.
async fn keep_busy(server: &TestServer) {
    server.data("get_place", json!({"place_id": BAKERY})).await;
    server.data("get_reviews", json!({"place_id": BAKERY})).await;
    server.call("get_place", json!({"place_id": "x"})).await;
}

#[tokio::test]
async fn met_02_metrics_rules_dashboard_and_runbook_agree() {
    let (_, mut page) = busy_server().await.operations("/metrics").await;
    let (_, sign_in) = with_sign_in().await.operations("/metrics").await;
    page.extend(sign_in.lines().filter(|line| line.contains("signing_key")).map(|line| format!("{line}\n")));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("metrics.txt");
    fs::write(&file, page).unwrap();
    let check = move || Command::new("tests/deploy/check.sh").arg(file).output().unwrap();
    let output = tokio::task::spawn_blocking(check).await.unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
}

/// A real Prometheus with our configuration, at short intervals.
struct Prometheus {
    child: Child,
    url: String,
    _folder: TempDir,
}

impl Prometheus {
    fn start(targets: [&str; 2]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ours = |name: &str| fs::read_to_string(format!("deploy/prometheus/{name}")).unwrap();
        let settings = ours("prometheus.yml").replace("15s", "1s").replace("10s", "1s");
        fs::write(folder.path().join("prometheus.yml"), settings).unwrap();
        fs::write(folder.path().join("rules.yml"), ours("rules.yml")).unwrap();
        fs::write(
            folder.path().join("targets.yml"),
            ours("targets.yml").replace("127.0.0.1:9090\"", &format!("{}\"", targets.join("\"\n    - \""))),
        )
        .unwrap();
        let port = free_port();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", folder.path().join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus: tests/run installs it");
        Self { child, url: format!("http://127.0.0.1:{port}"), _folder: folder }
    }

    /// What a query finds; nothing while Prometheus does not answer yet.
    async fn finds(&self, query: &str) -> Vec<Value> {
        let mut url = url::Url::parse(&format!("{}/api/v1/query", self.url)).unwrap();
        url.query_pairs_mut().append_pair("query", query);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let Ok(answer) = http.get(url).send().await else { return Vec::new() };
        let answer: Value = answer.json().await.unwrap_or_default();
        assert_ne!(answer["status"], "error", "{query}: {answer}");
        answer["data"]["result"].as_array().cloned().unwrap_or_default()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn prometheus_scrapes_the_server_and_every_query_of_the_dashboard_finds_something() {
    let server = busy_server().await;
    let sign_in = with_sign_in().await;
    let targets = [&server, &sign_in].map(|server| server.app.operations_address().to_string());
    let prometheus = Prometheus::start([&targets[0], &targets[1]]);
    until("it has been scraped a few times", async || {
        keep_busy(&server).await;
        let scraped = prometheus.finds("count_over_time(up{job=\"google-reviews\"}[1m]) >= 4").await;
        !scraped.is_empty()
    })
    .await;
    let listed = Command::new("tests/deploy/queries.py").arg("list").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let queries: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(queries.len() > 30, "{}", queries.len());
    for query in &queries {
        let text = query["query"].as_str().unwrap();
        let found = prometheus.finds(text).await;
        if query["kind"] == "dashboard" && found.is_empty() {
            // A scrape that came too late leaves everything empty until the next one.
            until(&format!("{} finds something: {text}", query["where"]), async || {
                !prometheus.finds(text).await.is_empty()
            })
            .await;
        }
    }
    assert_eq!(prometheus.finds("ALERTS{alertname=\"ServerDown\"}").await, Vec::<Value>::new());
    server.app.stop().await;
    until("the alert is pending", async || !prometheus.finds("ALERTS{alertname=\"ServerDown\"}").await.is_empty())
        .await;
}
