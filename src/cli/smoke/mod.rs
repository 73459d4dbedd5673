//! `smoke`: every tool of a running server, called as an MCP client calls it. One glance after a deployment, one exit
//! code for a scheduler.

mod known;
mod outcome;
mod page;
mod schema;

use super::{Endpoint, output::say};
use crate::{
    clock::Clock,
    mcp::client::{Client, ClientError},
};
use anyhow::Result;
use clap::Args;
use known::{COMPARE_PLACES, Found, KNOWN, Known, SEARCH_PLACES};
use outcome::{Fault, Outcome};
use page::Page;
use serde_json::Value;
use std::process::ExitCode;

/// A kind of place of which there are several everywhere, also in the demo.
const COMMON_KIND: &str = "restaurant";

#[derive(Debug, Args)]
pub(super) struct Smoke {
    #[command(flatten)]
    endpoint: Endpoint,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    /// Ask about this place in place of the first one that is found
    #[arg(long, value_name = "PLACE_ID")]
    place: Option<String>,
    /// What to search for
    #[arg(long, value_name = "TEXT", default_value = "bakery")]
    query: String,
}

/// One walk through all tools of a server.
struct Walk<'a> {
    client: &'a Client,
    clock: Clock,
    /// As the server lists them.
    definitions: Vec<Value>,
    found: Found,
    data_source: Option<String>,
}

impl Smoke {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let client = self.endpoint.connect().await?;
        let (url, place, query) = (self.endpoint.url, self.place, self.query);
        let page = walk(&client, url, place, query).await;
        client.close().await;
        let page = page?;
        if self.json {
            say(&serde_json::to_string_pretty(&page.as_json())?);
        } else {
            say(&page.as_table());
        }
        Ok(if page.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

async fn walk(client: &Client, url: String, place: Option<String>, query: String) -> Result<Page, ClientError> {
    let clock = Clock::system();
    let day = clock.now().strftime("%Y-%m-%d").to_string();
    let found = Found { query, day, places: place.into_iter().collect(), report_id: None };
    let definitions = client.definitions().await?;
    let mut walk = Walk { client, clock, definitions, found, data_source: None };
    let mut outcomes = Vec::new();
    for tool in KNOWN {
        outcomes.push(walk.step(tool).await);
    }
    outcomes.extend(walk.unknown());
    Ok(Page { url, data_source: walk.data_source, outcomes })
}

impl Walk<'_> {
    /// Calls one tool and judges its answer.
    async fn step(&mut self, tool: &Known) -> Outcome {
        let Some(definition) = self.definitions.iter().find(|definition| name(definition) == tool.name) else {
            return Outcome::not_called(tool.name, "the server does not offer this tool");
        };
        let schema = definition.get("outputSchema").cloned();
        if tool.name == COMPARE_PLACES && self.found.places.len() == 1 {
            self.look_for_another_place().await;
        }
        let arguments = match (tool.arguments)(&self.found) {
            Ok(arguments) => arguments.as_object().cloned().unwrap_or_default(),
            Err(why) => return Outcome::not_called(tool.name, why),
        };
        let start = self.clock.elapsed();
        let answer = self.client.call(tool.name, arguments).await;
        let duration = Some(self.clock.elapsed().saturating_sub(start));
        let (data, fault) = match &answer {
            Ok(answer) => (answer.data.as_ref(), outcome::judge(tool, schema.as_ref(), answer).err()),
            Err(error) => (None, Some(Fault::new(error.to_string()))),
        };
        let findings = data.map(outcome::findings).unwrap_or_default();
        if let Some(data) = data {
            self.found.learn(tool.name, data);
            let source = || data.get("data_source")?.as_str().map(str::to_owned);
            self.data_source = self.data_source.take().or_else(source);
        }
        Outcome { tool: tool.name.to_owned(), duration, findings, fault }
    }

    /// A search may find one place alone, and a comparison needs two. If this finds none either, the comparison says so.
    async fn look_for_another_place(&mut self) {
        let arguments = known::search(COMMON_KIND).as_object().cloned().unwrap_or_default();
        let answer = self.client.call(SEARCH_PLACES, arguments).await;
        if let Some(data) = answer.ok().and_then(|answer| answer.data) {
            self.found.learn(SEARCH_PLACES, &data);
        }
    }

    /// Tools that nobody taught this command to call: a test that leaves one out must not look whole.
    fn unknown(&self) -> Vec<Outcome> {
        let names = self.definitions.iter().map(name);
        names
            .filter(|name| !KNOWN.iter().any(|known| known.name == *name))
            .map(|name| Outcome::not_called(name, "not called: smoke does not know this tool"))
            .collect()
    }
}

fn name(definition: &Value) -> &str {
    definition.get("name").and_then(Value::as_str).unwrap_or_default()
}
