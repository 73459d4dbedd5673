//! `key`: API keys, for programs that cannot sign in. A running server obeys within a minute.

use super::{ConfigFile, output::say};
use crate::{
    app::Administration,
    clock::written,
    model::{Scope, Scopes},
};
use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use secrecy::ExposeSecret as _;
use std::process::ExitCode;

/// Letters of a key's name.
const LONGEST_NAME: usize = 80;

/// Make, list and revoke API keys
#[derive(Debug, Args)]
pub(super) struct Keys {
    #[command(flatten)]
    file: ConfigFile,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key and print it, once: only its hash is kept
    Add {
        /// What it is for, for your own list
        name: String,
        /// What it may do: reviews:read, reports:write. All if none is given
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
    },
    /// List all keys, without their secrets
    List,
    /// Revoke a key for ever
    Revoke {
        /// Its id, as `key list` shows it
        id: String,
    },
}

impl Keys {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let (_, administration) = self.file.administer().await?;
        let done = match self.command {
            Command::Add { name, scopes } => add(&administration, &name, &scopes).await,
            Command::List => list(&administration).await,
            Command::Revoke { id } => revoke(&administration, &id).await,
        };
        administration.close().await;
        done.map(|()| ExitCode::SUCCESS)
    }
}

async fn add(administration: &Administration, name: &str, scopes: &[String]) -> Result<()> {
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        bail!("a name has 1 to {LONGEST_NAME} characters, none of them a control character");
    }
    let scopes = permitted(scopes)?;
    let key = administration.add_key(name, scopes).await?;
    say(key.text.expose_secret());
    super::output::complain(&format!(
        "This is the key {} for {name}, with {scopes}. It is shown this once: send it as Authorization: Bearer.",
        key.id
    ));
    Ok(())
}

fn permitted(names: &[String]) -> Result<Scopes> {
    if names.is_empty() {
        return Ok(Scopes::all());
    }
    let scope = |name: &String| {
        let known = Scope::ALL.map(Scope::as_str).join(", ");
        Scope::parse(name).with_context(|| format!("there is no scope {name:?}: they are {known}"))
    };
    names.iter().map(scope).collect()
}

async fn list(administration: &Administration) -> Result<()> {
    let keys = administration.keys().await?;
    if keys.is_empty() {
        say("There are no API keys.");
    }
    for key in keys {
        let state = match key.revoked_at {
            Some(at) => format!("revoked {}", written(at)),
            None => format!("made {}", written(key.created_at)),
        };
        say(&format!("{}  {:<30}  {:<28}  {state}", key.id, key.scopes, key.name));
    }
    Ok(())
}

async fn revoke(administration: &Administration, id: &str) -> Result<()> {
    if administration.revoke_key(id).await? {
        say(&format!("Revoked {id}: running servers refuse it within a minute."));
        return Ok(());
    }
    bail!("there is no key {id}, or it was revoked already: `key list` shows them")
}
