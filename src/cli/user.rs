//! `user`: people who sign in at this server. A running server obeys at once; what was granted to clients opens for a minute more.

use super::{
    ConfigFile,
    output::{complain, say},
};
use crate::{
    app::{self, Administration},
    clock::written,
    config::Config,
    model::PersonName,
};
use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Args, Subcommand};
use secrecy::SecretString;
use std::{
    io::{BufRead as _, Read as _},
    process::ExitCode,
};

/// Longer than any password; whoever pipes in a disk is told so.
const MOST_INPUT: u64 = 64 * 1_024;

/// Let people in who sign in at this server, and out
#[derive(Debug, Args)]
pub(super) struct Users {
    #[command(flatten)]
    file: ConfigFile,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a person known, and print a link by which they choose a password, once
    Add {
        /// By which they sign in: letters from a to z, digits, and . _ - @ +
        name: PersonName,
        /// Take the password from the first line of standard input, and print no link
        #[arg(long)]
        password_stdin: bool,
    },
    /// List all people
    List,
    /// Remove a person with all that is theirs: sessions, accounts, what they agreed to, reports, and answers of their calls
    Remove {
        /// By which they sign in
        name: PersonName,
    },
    /// Take a person's password and sessions away, and print a link by which they choose another
    Reset {
        /// By which they sign in
        name: PersonName,
    },
    /// Print a new link for the first person, as long as there is nobody
    Link,
}

impl Users {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let (config, administration) = self.file.administer().await?;
        let done = match self.command {
            Command::Add { .. } | Command::Reset { .. } | Command::Link if !config.auth.login.passwords => {
                Err(anyhow!(
                    "nobody signs in with a password here (auth.login.passwords): people come from auth.login.issuer, and \
                 auth.login.allowed says who"
                ))
            }
            Command::Add { name, password_stdin: true } => add_with_password(&administration, name).await,
            Command::Add { name, password_stdin: false } => add(&administration, &config, name).await,
            Command::List => list(&administration).await,
            Command::Remove { name } => remove(&administration, &name).await,
            Command::Reset { name } => reset(&administration, &config, &name).await,
            Command::Link => first_link(&administration, &config).await,
        };
        administration.close().await;
        done.map(|()| ExitCode::SUCCESS)
    }
}

async fn add(administration: &Administration, config: &Config, name: PersonName) -> Result<()> {
    let person = administration.add_user(name, None).await?;
    let link = administration.setup_link(&person).await?.with_context(|| nobody(&person.name))?;
    show(config, &link, &format!("{} chooses a password with it.", person.name))
}

async fn add_with_password(administration: &Administration, name: PersonName) -> Result<()> {
    let password = first_line()?;
    let person = administration.add_user(name, Some(&password)).await?;
    say(&format!("{} can sign in.", person.name));
    Ok(())
}

async fn list(administration: &Administration) -> Result<()> {
    let users = administration.users().await?;
    if users.is_empty() {
        say("There is nobody. `user link` prints a link for the first person, `user add` makes somebody known.");
    }
    for (user, issuers) in users {
        let state = match (user.password_hash.is_some(), issuers.as_slice()) {
            (true, []) => "can sign in".to_owned(),
            (true, issuers) => format!("can sign in, also by {}", issuers.join(", ")),
            (false, []) => "has no password yet".to_owned(),
            (false, issuers) => format!("signs in by {}", issuers.join(", ")),
        };
        say(&format!("{:<40}  made {}  {state}", user.person.name.as_str(), written(user.created_at)));
    }
    Ok(())
}

async fn remove(administration: &Administration, name: &PersonName) -> Result<()> {
    if !administration.remove_user(name).await? {
        bail!(nobody(name));
    }
    say(&format!(
        "Removed {name} with all that was theirs: sessions, what they granted to clients, reports, and answers of their calls."
    ));
    Ok(())
}

async fn reset(administration: &Administration, config: &Config, name: &PersonName) -> Result<()> {
    let person = administration.reset_user(name).await?.with_context(|| nobody(name))?;
    let link = administration.setup_link(&person).await?.with_context(|| nobody(name))?;
    show(
        config,
        &link,
        &format!(
            "{name} has no password now, is signed out everywhere, and chooses another with it; their clients must connect again."
        ),
    )
}

async fn first_link(administration: &Administration, config: &Config) -> Result<()> {
    let link = administration.first_link().await?.context(
        "there is somebody already, so nobody can be the first: `user add NAME` makes another person known, `user reset NAME` \
         prints a new link for one",
    )?;
    show(
        config,
        &link,
        "The first person chooses a name and a password with it; links from before are of no use any more.",
    )
}

fn nobody(name: &PersonName) -> String {
    format!("there is nobody with the name {name}: `user list` shows all")
}

/// The link alone on standard output, for those who pass it on.
fn show(config: &Config, link: &SecretString, what: &str) -> Result<()> {
    say(&app::setup_address(config, link)?);
    complain(&format!("This link is shown this once, and is good for 24 hours and for one use. {what}"));
    Ok(())
}

/// A password from a pipe; an end of line is not part of it.
fn first_line() -> Result<SecretString> {
    let mut line = String::new();
    let read = std::io::stdin().lock().take(MOST_INPUT).read_line(&mut line);
    // The bytes that are no text may be the password.
    if read.is_err() {
        bail!("standard input is not text in UTF-8");
    }
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line.into())
}
