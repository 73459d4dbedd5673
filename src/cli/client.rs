//! `client`: the programs for which people sign in. Most register themselves; here are all of them. A running server obeys
//! within a minute.

use super::{
    ConfigFile,
    output::{complain, say},
};
use crate::{app::Administration, clock::written};
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use secrecy::ExposeSecret as _;
use std::process::ExitCode;

/// Make, list and revoke clients
#[derive(Debug, Args)]
pub(super) struct Clients {
    #[command(flatten)]
    file: ConfigFile,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a client and print its id, and its secret if it has one, once
    Add {
        /// What people are told that it is called
        name: String,
        /// Where answers may go, such as <https://example.com/callback> or <http://localhost/callback> (any port)
        #[arg(long = "redirect", value_name = "ADDRESS", required = true)]
        redirects: Vec<String>,
        /// It can keep a secret, and shows it
        #[arg(long)]
        secret: bool,
    },
    /// List all clients, also those that registered themselves
    List,
    /// Remove a client with all that people have granted to it
    Revoke {
        /// Its id, as `client list` shows it
        id: String,
    },
}

impl Clients {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let (_, administration) = self.file.administer().await?;
        let done = match self.command {
            Command::Add { name, redirects, secret } => add(&administration, &name, redirects, secret).await,
            Command::List => list(&administration).await,
            Command::Revoke { id } => revoke(&administration, &id).await,
        };
        administration.close().await;
        done.map(|()| ExitCode::SUCCESS)
    }
}

async fn add(administration: &Administration, name: &str, redirects: Vec<String>, has_secret: bool) -> Result<()> {
    let client = administration.add_client(name, redirects, has_secret).await?;
    say(&format!("client_id={}", client.kept.id));
    if let Some(secret) = &client.secret {
        say(&format!("client_secret={}", secret.expose_secret()));
        complain("The secret is shown this once: only its hash is kept.");
    }
    Ok(())
}

async fn list(administration: &Administration) -> Result<()> {
    let clients = administration.clients().await?;
    if clients.is_empty() {
        say("There are no clients. They register themselves when somebody connects one, or `client add` makes one.");
    }
    for client in clients {
        let used = client.used_at.map_or_else(|| "never used".to_owned(), |at| format!("used {}", written(at)));
        let (made, places) = (written(client.created_at), client.redirect_uris.join(" "));
        say(&format!("{}  {:<30}  made {made}  {used}  {places}", client.id, client.name));
    }
    Ok(())
}

async fn revoke(administration: &Administration, id: &str) -> Result<()> {
    if !administration.revoke_client(id).await? {
        bail!("there is no client {id}: `client list` shows them");
    }
    say(&format!("Removed {id}: running servers refuse it, and what was granted to it, within a minute."));
    Ok(())
}
