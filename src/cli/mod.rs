//! The command line, one file a command.

mod call;
mod check_config;
mod client;
mod demo;
mod emulator;
mod healthcheck;
mod key;
mod migrate;
mod output;
mod serve;
mod smoke;
mod stdio;
mod stop;
mod tools;
mod user;

use crate::{
    app::Administration,
    config::{self, Config, Sources},
    mcp::client::Client,
    telemetry,
};
use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::{fs, path::PathBuf, process::ExitCode};

/// Read and analyse Google reviews from Claude, Cursor and any other MCP client.
#[derive(Debug, Parser)]
#[command(version, about, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve MCP over HTTP, from configuration
    Serve(ConfigFile),
    /// Serve MCP to one client on this machine, which starts this program, over standard input and output
    Stdio(ConfigFile),
    /// Try it: everything embedded, with invented places; nothing leaves this machine
    Demo(demo::Demo),
    /// Serve the emulator of Google's Places API alone
    Emulator(emulator::Emulate),
    /// Call one tool of a running server, as an MCP client
    Call(call::Call),
    /// Call every tool of a running server and check the answers; the exit code tells
    Smoke(smoke::Smoke),
    /// Print all tool definitions as JSON
    Tools,
    /// Print the effective configuration, secrets redacted, with every problem
    CheckConfig(ConfigFile),
    /// Bring the schema of the configured database up to date
    Migrate(ConfigFile),
    /// Make, list and revoke API keys
    Key(key::Keys),
    /// Let people in who sign in at this server, and out
    User(user::Users),
    /// Make, list and revoke clients for which people sign in
    Client(client::Clients),
    /// Ask a running server on this machine whether it is ready; the exit code tells
    Healthcheck(ConfigFile),
}

/// Where settings come from beside the environment.
#[derive(Debug, Args)]
struct ConfigFile {
    /// A TOML file with settings; those that it lacks have defaults
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    fn sources(self) -> Sources {
        Sources::from_process(self.config)
    }

    fn load(self) -> Result<Config> {
        Ok(config::load(&self.sources())?.into_config()?)
    }

    /// The same for a command that listens nowhere. In the image, the listeners that are set are for everybody's address, and
    /// ask for much that such a command has no need of.
    fn load_without_listeners(self) -> Result<Config> {
        let nowhere = |sources: Sources, key| sources.with(key, "127.0.0.1:0");
        let sources = ["server.listen", "server.operations_listen"].into_iter().fold(self.sources(), nowhere);
        Ok(config::load(&sources)?.into_config()?)
    }

    /// The configured database, for a command that changes something beside a server. What the command prints is its answer:
    /// that the database is open is nothing to tell.
    async fn administer(self) -> Result<(Config, Administration)> {
        let mut config = self.load()?;
        "warn".clone_into(&mut config.log.level);
        telemetry::install_logging(&config.log);
        let administration = Administration::open(&config).await?;
        Ok((config, administration))
    }
}

/// Which running server to call.
#[derive(Debug, Args)]
struct Endpoint {
    /// The server's MCP endpoint
    #[arg(long, default_value = "http://127.0.0.1:8080/mcp")]
    url: String,
    /// A bearer token, where the server wants one
    #[arg(long)]
    token: Option<String>,
    /// The same from a file: what stands on a command line is seen by everybody on the machine
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
}

impl Endpoint {
    async fn connect(&self) -> Result<Client> {
        let read = |path: &PathBuf| {
            fs::read_to_string(path).with_context(|| format!("the token in {} cannot be read", path.display()))
        };
        let from_file = self.token_file.as_ref().map(read).transpose()?;
        let token = from_file.as_deref().map(str::trim_end).or(self.token.as_deref());
        Ok(Client::connect(&self.url, token).await?)
    }
}

impl Cli {
    /// Runs the command. What goes wrong is told on standard error.
    pub fn run(self) -> ExitCode {
        let outcome = leave_no_core().and_then(|()| {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            let outcome = runtime.block_on(self.command.run());
            // What is over is over: a lookup of a name that hangs in a thread must not keep the process.
            runtime.shutdown_background();
            outcome
        });
        outcome.unwrap_or_else(|error| {
            output::complain(&format!("error: {error:#}"));
            ExitCode::FAILURE
        })
    }
}

/// A dump of the memory holds every secret, and lies about in places that nobody cleans. Before any command, because nearly
/// all of them read secrets; where a program collects dumps in place of the kernel, it obeys the same limit.
fn leave_no_core() -> Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).context("core dumps cannot be turned off")
}

impl Command {
    async fn run(self) -> Result<ExitCode> {
        match self {
            Self::Serve(file) => serve::run(file.load()?).await,
            Self::Stdio(file) => stdio::run(file.load_without_listeners()?).await,
            Self::Demo(demo) => demo.run().await,
            Self::Emulator(emulate) => emulate.run().await,
            Self::Call(call) => call.run().await,
            Self::Smoke(smoke) => smoke.run().await,
            Self::Tools => tools::run(),
            Self::CheckConfig(file) => check_config::run(&file.sources()),
            Self::Migrate(file) => migrate::run(file.load()?).await,
            Self::Key(keys) => keys.run().await,
            Self::Client(clients) => clients.run().await,
            Self::User(users) => users.run().await,
            Self::Healthcheck(file) => healthcheck::run(file.load()?).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
