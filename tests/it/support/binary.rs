//! The binary as its users run it.

use super::{ToolResult, database::Database, rpc};
use google_reviews_mcp::emulator::DEMO_KEY;
use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Output, Stdio},
    thread::JoinHandle,
};

/// The binary in an environment without settings.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_google-reviews-mcp"));
    command.env_clear().stdin(Stdio::null());
    command
}

/// The same, begun by another program.
fn started_by(starter: &[&str]) -> Command {
    let [first, rest @ ..] = starter else { return program() };
    let mut command = Command::new(first);
    command.args(rest).arg(env!("CARGO_BIN_EXE_google-reviews-mcp")).env_clear().stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A running `serve`, ended when it is dropped.
pub(crate) struct Serving {
    pub(crate) child: Child,
    _folder: tempfile::TempDir,
    /// Reads the log to its end: a process whose log nobody reads stops when the pipe is full.
    rest: Option<JoinHandle<String>>,
    /// What it logged until it served.
    pub(crate) start: String,
    pub(crate) endpoint: String,
    pub(crate) operations: String,
}

impl Serving {
    /// Serves from this database, with the emulator at `upstream` as Google. Ready when it returns.
    pub(crate) fn on(database: &Database, upstream: &str, more: &[(&str, &str)]) -> Self {
        Self::under(&[], database, upstream, more)
    }

    /// The same, begun by a program that becomes the server in the end, such as `taskset -c 0`.
    pub(crate) fn under(starter: &[&str], database: &Database, upstream: &str, more: &[(&str, &str)]) -> Self {
        let variables = database.environment();
        let mut settings: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        settings.extend([("REVIEWS__GOOGLE__PLACES_URL", upstream), ("REVIEWS__GOOGLE__API_KEY", DEMO_KEY)]);
        settings.extend(more);
        Self::begin(starter, &settings)
    }

    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        Self::begin(&[], settings)
    }

    /// Calls a tool; an error if the connection breaks or is refused.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Result<ToolResult, reqwest::Error> {
        rpc::call(&self.endpoint, tool, arguments).await
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The same as a process that may open only so many files.
    pub(crate) fn with_files(files: u32, settings: &[(&str, &str)]) -> Self {
        Self::begin(&["sh", "-c", &format!("ulimit -n {files} && exec \"$0\" \"$@\"")], settings)
    }

    /// Where clients connect.
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.endpoint.trim_start_matches("http://").trim_end_matches("/mcp").parse().unwrap()
    }

    /// The log from where it served to its end.
    pub(crate) fn rest(&mut self) -> String {
        self.rest.take().unwrap().join().unwrap()
    }

    fn begin(starter: &[&str], settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = started_by(starter);
        command.args(["serve"]).stderr(Stdio::piped()).env("REVIEWS__STORE__DATA_DIR", folder.path());
        command.env("REVIEWS__SERVER__LISTEN", "127.0.0.1:0").env("REVIEWS__SERVER__OPERATIONS_LISTEN", "127.0.0.1:0");
        command.env("REVIEWS__LIMITS__ENABLED", "false");
        // Nobody signs in, unless a test is about that.
        command.env("REVIEWS__AUTH__MODE", "none");
        // Google is asked by calls alone, unless a test is about that.
        command.env("REVIEWS__HEALTH__INTERVAL", "0");
        let mut child = command.envs(settings.iter().copied()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let (mut start, mut endpoint, mut operations) = (String::new(), String::new(), String::new());
        while endpoint.is_empty() {
            let mut line = String::new();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "serve ended before it served");
            start.push_str(&line);
            let line: Value =
                serde_json::from_str(&line).unwrap_or_else(|_| panic!("not one JSON object a line: {line}"));
            line["endpoint"].as_str().unwrap_or_default().clone_into(&mut endpoint);
            operations = line["operations"].as_str().map_or(operations, str::to_owned);
        }
        let rest = std::thread::spawn(move || {
            let mut rest = String::new();
            log.read_to_string(&mut rest).unwrap();
            rest
        });
        Self { child, _folder: folder, rest: Some(rest), start, endpoint, operations }
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// Ends it as an orchestrator does; returns the rest of the log and whether it ended well.
    pub(crate) fn stop(mut self) -> (String, bool) {
        self.signal("-TERM");
        let rest = self.rest();
        let status = self.child.wait().unwrap();
        (rest, status.success())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
