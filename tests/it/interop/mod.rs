//! Other people's clients and judges, unmodified.

mod clients;
mod conformance;
mod delegated;
mod fixtures;
mod scanner;
mod sign_in;

use crate::support::{PROMPTS, TOOLS};
use serde_json::{Map, Value};
use std::{
    ffi::{OsStr, OsString},
    path::Path,
    process::Command,
};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

/// The program that `tests/run` names in this variable; without it, nothing is run, except where that would go unnoticed.
pub(crate) fn named(variable: &str) -> Option<OsString> {
    let program = std::env::var_os(variable);
    if program.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{variable} is not set: run the tests with tests/run");
        eprintln!("not run: {variable} is not set; tests/run sets it");
    }
    program
}

/// Node, for the scripts `*.mjs`.
pub(crate) fn node() -> Option<OsString> {
    named("INTEROP_NODE")
}

/// Python, with the packages of the scripts `*.py`.
pub(crate) fn python() -> Option<OsString> {
    named("INTEROP_PYTHON")
}

/// A script in `tests/interop`, to be run by this program.
fn script(program: &OsStr, script: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.arg(Path::new("tests/interop").join(script)).args(arguments).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// What a script prints; panics if it finds a fault.
async fn printed(mut command: Command) -> String {
    let (output, command) = tokio::task::spawn_blocking(move || (command.output().unwrap(), command)).await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {out}{err}");
    println!("{out}");
    out.into_owned()
}

/// The same, of a script that needs no more than its arguments.
async fn run(program: &OsStr, name: &str, arguments: &[&str]) -> String {
    printed(script(program, name, arguments)).await
}

/// This client says of itself that it called every tool, read a report and what must be shown with it, and got every prompt;
/// `before` stands between its version and that.
#[track_caller]
fn used_all(out: &str, client: &str, before: &str) {
    let (called, got) = (TOOLS.join(", "), PROMPTS.join(", "));
    let rest = out.strip_prefix(client).and_then(|rest| rest.split_once(&format!("{before}called {called}; read ")));
    assert!(rest.is_some_and(|(_, rest)| rest.contains(&format!(" resources; got {got}"))), "{out}");
}

/// It also completed the id of a report, and an argument of every prompt.
#[track_caller]
fn completed_all(out: &str) {
    assert!(out.contains(&format!("; completed report://{{id}}, {}", PROMPTS.join(", "))), "{out}");
}
