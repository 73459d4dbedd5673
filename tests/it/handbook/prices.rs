//! The page of costs: what it says that a tool costs is what the program counts when the tool is called.

use super::markdown::Page;
use crate::support::{BAKERY, BURST, TOOLS, TestServer, arguments};
use google_reviews_mcp::google::mask::{HEALTH, PLACE, SEARCH, Sku};
use serde_json::json;
use std::collections::BTreeMap;

const PAGE: &str = "docs/costs-and-terms.md";

/// What was spent on a server so far, by class.
async fn spent(server: &TestServer) -> BTreeMap<String, f64> {
    let (_, page) = server.operations("/metrics").await;
    let read = |line: &str| {
        let (class, dollars) = line.strip_prefix("upstream_cost_usd_total{sku=\"")?.split_once("\"} ")?;
        Some((class.to_owned(), dollars.parse().unwrap()))
    };
    page.lines().filter_map(read).collect()
}

/// The first call of each tool on a server that has never asked Google anything, and what it cost.
async fn first_call(tool: &str, places: usize) -> BTreeMap<String, f64> {
    let server = TestServer::start().await;
    let ids: Vec<_> = [BAKERY, BURST].into_iter().take(places).collect();
    let arguments = match tool {
        "search_places" => json!({"query": "bakery"}),
        "compare_places" => json!({"place_ids": ids}),
        "create_report" => json!({"place_ids": ids, "title": "x"}),
        "get_report" => {
            let report = server.data("create_report", json!({"place_ids": ids, "title": "x"})).await;
            json!({"report_id": report["report_id"]})
        }
        tool => arguments(tool),
    };
    let before = spent(&server).await;
    server.data(tool, arguments).await;
    let after = spent(&server).await;
    let cost = |(class, dollars): (String, f64)| {
        let before = before.get(&class).copied().unwrap_or_default();
        (class, dollars - before)
    };
    after.into_iter().map(cost).filter(|(_, dollars)| *dollars > 0.0).collect()
}

/// `$0.025` and `$0.025 a place`: dollars, and whether they are for each place.
fn price(cell: &str) -> (f64, bool) {
    let (dollars, each) = cell.split_once(" a place").map_or((cell, false), |(dollars, _)| (dollars, true));
    (dollars.trim_start_matches('$').parse().unwrap_or_else(|_| panic!("{PAGE}: no price: {cell}")), each)
}

#[tokio::test]
async fn the_table_of_prices_is_what_calls_cost() {
    let rows = Page::read(PAGE).rows_under("What a call costs");
    let names: Vec<_> = rows.iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
    for tool in TOOLS.iter().filter(|tool| !names.iter().any(|name| name == *tool)) {
        assert_eq!(first_call(tool, 1).await, BTreeMap::new(), "{tool} stands not on the page and costs something");
    }
    for (row, name) in rows.iter().zip(names) {
        let (dollars, is_each) = price(&row[2]);
        // Nothing is compared with itself.
        let counts = if name == "compare_places" { vec![2] } else { vec![1, 2] };
        for places in counts {
            #[expect(clippy::cast_precision_loss, reason = "two places at most")]
            let expected = if is_each { dollars * places as f64 } else { dollars };
            let cost = first_call(&name, places).await;
            let [(class, paid)] = &cost.into_iter().collect::<Vec<_>>()[..] else { panic!("{name}: one class") };
            assert!((paid - expected).abs() < 1e-9, "{name}, {places} places: {paid}, and the page says {expected}");
            assert_eq!(row[1], format!("`{class}`"), "{name}");
        }
    }
}

/// The classes with their prices are those of the code, and what is free is free there.
#[test]
fn the_table_of_classes_is_that_of_the_code() {
    let rows = Page::read(PAGE).rows_under("Google's classes");
    let told: BTreeMap<_, _> = rows.iter().map(|row| (row[0].clone(), price(&row[2]).0)).collect();
    let known = [PLACE.sku, SEARCH.sku].map(|sku: Sku| (format!("`{}`", sku.as_str()), sku.usd()));
    let free = [("–".to_owned(), 0.0)];
    assert_eq!(told, known.into_iter().chain(free).collect());
    let text = Page::read(PAGE).text;
    for field in PLACE.fields.split(',').chain(SEARCH.fields.split(',')).chain([HEALTH]) {
        let field = field.trim_start_matches("places.");
        assert!(text.contains(&format!("`{field}`")), "the page does not name the field {field}");
    }
}

/// The README shows the same prices.
#[test]
fn the_prices_of_the_readme_are_those_of_the_page() {
    let page: Vec<_> = Page::read(PAGE).rows_under("What a call costs");
    let readme: Vec<Vec<String>> = Page::read("README.md")
        .rows()
        .into_iter()
        .map(|(_, cells)| cells)
        .filter(|cells| TOOLS.contains(&cells[0].trim_matches('`')))
        .collect();
    // A table of tools without prices has two columns.
    for cells in readme.iter().filter(|cells| cells.len() == 3) {
        let row = page.iter().find(|row| row[0] == cells[0]).unwrap();
        assert_eq!(cells[2], row[2], "README: {}", cells[0]);
    }
}
