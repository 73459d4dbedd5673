//! Reads the command line, runs the command, and turns its result into an exit code.

use clap::Parser as _;
use google_reviews_mcp::cli::Cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    Cli::parse().run()
}
