//! The pages of metrics and alerts are those of the server: what it exposes, what the rules and the dashboard use.

use super::{held, markdown::Page};
use crate::{
    deploy,
    support::{BAKERY, TestServer, redis::RedisServer, rpc},
};
use google_reviews_mcp::telemetry::Metrics;
use regex::Regex;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    process::Command,
};

const PAGE: &str = "docs/operate/metrics.md";

/// What a page of metrics says of one family.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    labels: BTreeMap<String, BTreeSet<String>>,
}

/// Every family that a server can have: of one on which everything has happened, of one where people sign in, of one with
/// Redis, and what shows up with a fault alone.
async fn families() -> BTreeMap<String, Family> {
    let busy = deploy::busy_server().await;
    rpc::modern(&busy, "prompts/get", json!({"name": "analyze_place", "arguments": {"place_id": BAKERY}})).await;
    let redis = RedisServer::start().await;
    let shared = TestServer::builder()
        .set("cache.redis_url", redis.url())
        .set("cache.places_content_ttl", "60s")
        .set("health.interval", "50ms")
        .start()
        .await;
    shared.data("get_place", json!({"place_id": BAKERY})).await;
    redis.keeps(1).await;
    let dead = Metrics::new().unwrap();
    dead.task_restarted("upkeep");
    let mut found = BTreeMap::new();
    for server in [&busy, &deploy::with_sign_in().await, &shared] {
        read(&server.operations("/metrics").await.1, &mut found);
    }
    read(&dead.render().unwrap(), &mut found);
    found
}

fn read(page: &str, found: &mut BTreeMap<String, Family>) {
    let label = Regex::new(r#"([a-z_]+)="([^"]*)""#).unwrap();
    let mut name = String::new();
    for line in page.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (family, kind) = kind.split_once(' ').unwrap();
            family.clone_into(&mut name);
            kind.clone_into(&mut found.entry(name.clone()).or_default().kind);
        } else if !line.starts_with('#') {
            let family = found.get_mut(&name).unwrap();
            for label in label.captures_iter(line).filter(|label| &label[1] != "le") {
                family.labels.entry(label[1].to_owned()).or_default().insert(label[2].to_owned());
            }
        }
    }
}

/// What the page says: of each metric its type, and of each label the values, where they are listed.
fn documented() -> BTreeMap<String, (String, BTreeMap<String, String>)> {
    let label = Regex::new(r"^`([a-z_]+)`: (.+)$").unwrap();
    let mut found = BTreeMap::new();
    for (line, cells) in Page::read(PAGE).rows() {
        let [name, kind, labels, what] = &cells[..] else { continue };
        assert!(!what.is_empty(), "{PAGE}:{line}");
        let labels = labels.split("; ").filter(|label| *label != "–");
        let labels = labels.map(|text| {
            let label = label.captures(text).unwrap_or_else(|| panic!("{PAGE}:{line}: {text}"));
            (label[1].to_owned(), label[2].to_owned())
        });
        let before = found.insert(name.trim_matches('`').to_owned(), (kind.clone(), labels.collect()));
        assert!(before.is_none(), "{PAGE}:{line}: {name} is there twice");
    }
    found
}

#[tokio::test]
async fn the_page_of_metrics_has_each_metric_of_the_server_and_no_other() {
    let (families, page) = (families().await, documented());
    let names = |keys: Vec<&String>| keys.into_iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(page.keys().collect()), names(families.keys().collect()), "left: the page, right: the server");
    let sources = sources();
    let (value, besides) = (Regex::new("`([^`…]+)`").unwrap(), Regex::new("`[^`]+`|, ").unwrap());
    for (name, family) in &families {
        let (kind, labels) = &page[name];
        assert_eq!(kind, &family.kind, "{name}");
        assert_eq!(names(labels.keys().collect()), names(family.labels.keys().collect()), "labels of {name}");
        for (label, seen) in &family.labels {
            let told = &labels[label];
            let values: BTreeSet<_> = value.captures_iter(told).map(|value| value[1].to_owned()).collect();
            // Where nothing but values is told, they are all of them.
            let rest = besides.replace_all(told, "");
            assert!(!rest.is_empty() || seen.is_subset(&values), "{name}, {label}: {seen:?} are not all told: {told}");
            for value in values.iter().filter(|value| !value.contains('/')) {
                assert!(
                    sources.contains(&format!("\"{value}\"")),
                    "{name}, {label}: the program does not know {value}"
                );
            }
        }
    }
}

/// The text of the program.
fn sources() -> String {
    let output = Command::new("cat").args(super::house::files("src", "rs")).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// One query of the rules or the dashboard.
struct Query {
    /// `alert ServerDown`, `record …`, or `dashboard, ROW: PANEL`.
    place: String,
    text: String,
}

fn queries() -> Vec<Query> {
    let listed = Command::new("tests/deploy/queries.py").arg("list").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let read = |line| {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        Query { place: text("where"), text: text("query") }
    };
    listed.lines().map(read).collect()
}

/// The names in a query, with a histogram's parts as the histogram.
fn names_in(query: &str) -> BTreeSet<String> {
    let name = Regex::new(r"[a-z][a-z_:0-9]*").unwrap();
    let whole = |name: &str| {
        let parts = ["_bucket", "_sum", "_count"];
        parts.iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name).to_owned()
    };
    name.find_iter(query).map(|found| whole(found.as_str())).collect()
}

#[test]
fn the_uses_of_metrics_are_on_their_page() {
    let queries = queries();
    assert!(queries.len() > 30, "{}", queries.len());
    let uses = |name: &str| -> Vec<&str> {
        queries.iter().filter(|query| names_in(&query.text).contains(name)).map(|query| query.place.as_str()).collect()
    };
    let mut made = "\n| metric | alerts | panels of the dashboard |\n|---|---|---|\n".to_owned();
    for name in documented().keys() {
        let (mut alerts, mut panels) = (BTreeSet::new(), BTreeSet::new());
        for place in uses(name) {
            if let Some(alert) = place.strip_prefix("alert ") {
                alerts.insert(alert.to_owned());
            } else if let Some(record) = place.strip_prefix("record ") {
                alerts.extend(
                    uses(record).into_iter().filter_map(|place| place.strip_prefix("alert ")).map(str::to_owned),
                );
            } else if let Some((_, panel)) = place.split_once(", ").filter(|(_, panel)| !panel.starts_with("variable"))
            {
                panels.insert(panel.to_owned());
            }
        }
        if !alerts.is_empty() || !panels.is_empty() {
            let linked = alerts.iter().map(|alert| format!("[{alert}](../runbook.md#{})", alert.to_lowercase()));
            let cell = |parts: Vec<String>| if parts.is_empty() { "–".to_owned() } else { parts.join(", ") };
            let _ = writeln!(
                made,
                "| `{name}` | {} | {} |",
                cell(linked.collect()),
                panels.into_iter().collect::<Vec<_>>().join("; ")
            );
        }
    }
    made.push('\n');
    held(PAGE, "the_uses_of_metrics", &made);
}

#[test]
fn the_alerts_are_on_their_page() {
    let rules = fs::read_to_string("deploy/prometheus/rules.yml").unwrap();
    let mut made = "\n| alert | severity | subject | says |\n|---|---|---|---|\n".to_owned();
    let values = Regex::new(r"\{\{ \$labels\.(\w+) \}\}").unwrap();
    let parts: Vec<_> = rules.split("- alert: ").skip(1).collect();
    assert!(parts.len() > 15, "{}", parts.len());
    for part in parts {
        let name = part.lines().next().unwrap();
        let field = |field: &str| {
            let line = part.lines().find_map(|line| line.trim().strip_prefix(&format!("{field}: ")));
            line.unwrap_or_else(|| panic!("{name} has no {field}")).trim_matches('"').to_owned()
        };
        let summary = field("summary");
        let summary = values.replace_all(&summary, "*$1*");
        assert!(!summary.contains("{{"), "{name}: {summary}");
        let anchor = name.to_lowercase();
        let _ = writeln!(
            made,
            "| [{name}](../runbook.md#{anchor}) | {} | {} | {summary} |",
            field("severity"),
            field("subject")
        );
    }
    made.push('\n');
    held("docs/operate/alerts.md", "the_alerts", &made);
}
