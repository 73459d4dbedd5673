//! `call`: one tool call as a real MCP client.

use super::{
    Endpoint,
    output::{complain, say},
};
use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::{Map, Value};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(super) struct Call {
    /// The tool, for example `search_places`
    tool: String,
    /// Its arguments as a JSON object
    #[arg(default_value = "{}", value_name = "JSON")]
    arguments: String,
    #[command(flatten)]
    endpoint: Endpoint,
    /// Print the whole result as JSON
    #[arg(long)]
    json: bool,
}

impl Call {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let arguments: Map<String, Value> =
            serde_json::from_str(&self.arguments).context("the arguments are not a JSON object")?;
        let client = self.endpoint.connect().await?;
        let answer = client.call(&self.tool, arguments).await;
        client.close().await;
        let answer = answer?;
        match (self.json, answer.is_error) {
            (true, _) => say(&serde_json::to_string_pretty(&answer.raw)?),
            (false, false) => say(&answer.text),
            (false, true) => complain(&answer.text),
        }
        Ok(if answer.is_error { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}
