//! `demo`: the shortest way to a first answer, with everything embedded.

mod walk;

use super::{
    output::{complain, say},
    stop::StopSignals,
};
use crate::{
    app::{App, Parts},
    config::{self, Sources},
    mcp::{Connection, client::Client},
    model::{PersonName, hex, random_bytes},
    telemetry,
};
use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::{Map, Value, json};
use std::process::ExitCode;
use walk::Walk;

/// The place of the example call.
const PLACE: &str = "ChIJdemo_moonlit_bakery_001";

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Port on this machine; 0 takes any free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Make one call, print it, and exit
    #[arg(long)]
    once: bool,
    /// With sign-in, as a published server has it: shows the whole way to a token, and how to sign in yourself
    #[arg(long)]
    auth: bool,
}

/// Who can sign in to a demo.
struct Login {
    name: &'static str,
    password: String,
}

impl Demo {
    pub(super) async fn run(self) -> Result<ExitCode> {
        // One call ends by itself, and by a signal as any program does.
        let signals = if self.once { None } else { Some(StopSignals::listen()?) };
        // Gone when the demo ends.
        let folder = tempfile::tempdir().context("no folder can be made for the demo's database")?;
        // Nothing of the environment: the demo is the same everywhere.
        let sources = Sources::default()
            .with("server.listen", format!("127.0.0.1:{}", self.port))
            .with("server.operations_listen", "127.0.0.1:0")
            .with("store.data_dir", folder.path().to_string_lossy())
            .with("upstream.provider", "demo")
            .with("auth.mode", if self.auth { "oauth" } else { "none" })
            .with("log.level", "warn");
        let config = config::load(&sources)?.into_config()?;
        telemetry::install_logging(&config.log);
        let app = App::start(config, Parts::default()).await.with_context(|| {
            format!(
                "the demo cannot start on port {}; choose another with --port N, or any free one with --port 0",
                self.port
            )
        })?;

        say(
            "Google Reviews MCP, demo with synthetic data: places, people and reviews are invented, nothing leaves this machine.\n",
        );
        let login = if self.auth { Some(known(&app).await?) } else { None };
        if !self.once {
            introduce(&app, login.as_ref());
        }
        let token = match &login {
            Some(login) => Some(walk(&app, login).await?),
            None => None,
        };
        let succeeded = example_call(&app, token.as_deref()).await?;
        match signals {
            Some(mut signals) => {
                say("\nPress Ctrl-C to stop.");
                signals.arrived().await;
                signals.unless_asked_again(app.stop()).await;
            }
            None => {
                app.stop().await;
            }
        }
        Ok(if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Makes somebody known who can sign in.
async fn known(app: &App) -> Result<Login> {
    let login = Login { name: "demo", password: hex(&random_bytes::<8>()) };
    let people = app.people().context("nobody signs in here")?;
    people.add(PersonName::parse(login.name)?, Some(&login.password)).await?;
    Ok(login)
}

/// Shows the way to a token, and goes it.
async fn walk(app: &App, login: &Login) -> Result<String> {
    say("The way from nothing to a token, which a client goes by itself:\n");
    let token = Walk::to(app.endpoint())?.sign_in(login.name, &login.password).await?;
    say("  8. With the access token it calls tools.\n");
    Ok(token)
}

/// How to connect.
fn introduce(app: &App, login: Option<&Login>) {
    let connection = Connection::new(app.endpoint());
    say(&format!(
        "  MCP endpoint  {}\n  \
           In a browser  http://{}/\n  \
           Claude Code   {}\n  \
           Cursor        {}\n  \
           Metrics       http://{}/metrics",
        connection.endpoint(),
        app.address(),
        connection.claude_code(),
        connection.cursor_link(),
        app.operations_address()
    ));
    if let Some(Login { name, password }) = login {
        say(&format!(
            "  Sign in as    {name}, password {password}\n  Connections   http://{}/connections",
            app.address()
        ));
    }
    if let Some(emulator) = app.emulator() {
        say(&format!("  Emulator      {}/_emulator/requests", emulator.url()));
    }
    say("");
}

/// One call over the socket, as a client makes it.
async fn example_call(app: &App, token: Option<&str>) -> Result<bool> {
    let arguments = json!({"place_id": PLACE, "limit": 3});
    let client = Client::connect(&app.endpoint(), token).await?;
    let answer =
        client.call("get_reviews", arguments.as_object().cloned().unwrap_or_else(Map::<String, Value>::new)).await;
    client.close().await;
    let answer = answer?;
    say(&format!("A call of get_reviews with {arguments} gives:\n"));
    if answer.is_error {
        complain(&answer.text);
    } else {
        say(&answer.text);
    }
    Ok(!answer.is_error)
}
