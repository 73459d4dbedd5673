//! The pages under `docs/connect`: what they tell people to type is typed here, word by word but for addresses, keys and folders,
//! with the clients of `tests/interop`; and what they say that the server answers is what it answers.

use super::markdown::{self, Page};
use crate::interop::{node, python};
use crate::support::{
    BAKERY, TOOLS, TestServer,
    binary::{Serving, program},
    database::Database,
    sign_in::{NAME, PASSWORD},
};
use google_reviews_mcp::mcp::{Connection, client::Client};
use regex::Regex;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    ffi::OsString,
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const PAGES: &str = "docs/connect";
/// In every page, a server without sign-in on one's own machine; and one with it, elsewhere.
const HERE: &str = "http://127.0.0.1:8080/mcp";
const THERE: &str = "https://reviews.example.com/mcp";
/// Where a person puts their own.
const KEYS: [&str; 3] = ["YOUR_KEY", "${env:REVIEWS_KEY}", "${input:reviews-key}"];

/// A piece of a page that is to be typed, or to be put into a file.
struct Block {
    page: String,
    language: String,
    /// What it is saved as, if it is.
    file: Option<String>,
    text: String,
}

/// Every block of every page, in their order.
fn blocks() -> Vec<Block> {
    let of = |page: &Page| {
        let name = page.path.display().to_string();
        let block = |code: markdown::Code| {
            let said = code.language.unwrap_or_default();
            let (language, file) =
                said.split_once(' ').map_or((said.as_str(), None), |(said, file)| (said, Some(file)));
            assert!(!language.is_empty(), "{name}: a block without a language: {}", code.text);
            Block { page: name.clone(), language: language.to_owned(), file: file.map(str::to_owned), text: code.text }
        };
        page.blocks().into_iter().map(block).collect::<Vec<_>>()
    };
    pages().iter().flat_map(of).collect()
}

fn pages() -> Vec<Page> {
    markdown::pages().into_iter().filter(|page| page.path.starts_with(PAGES)).collect()
}

fn page(name: &str) -> String {
    Page::read(Path::new(PAGES).join(name)).text
}

#[test]
fn the_pages_have_the_lines_and_links_of_the_page_for_people() {
    for endpoint in [HERE, THERE] {
        let connection = Connection::new(endpoint);
        for (name, line) in [
            ("claude-code.md", connection.claude_code()),
            ("cursor.md", connection.cursor_link()),
            ("vs-code.md", connection.vs_code_link()),
            ("vs-code.md", connection.vs_code()),
            ("other.md", connection.settings()),
        ] {
            assert!(page(name).contains(&format!("\n{line}\n")), "{name} lacks {line}");
        }
    }
}

/// What a page says that it was tried with is what the tests have.
#[test]
fn the_pages_name_the_versions_that_are_tried() {
    let node = fs::read_to_string("tests/interop/package.json").unwrap();
    let python = fs::read_to_string("tests/interop/requirements.txt").unwrap();
    let said = Regex::new(r"`([@a-z/-]+)` (\d+\.\d+\.\d+)").unwrap();
    let mut names = BTreeSet::new();
    for page in pages() {
        for found in said.captures_iter(&page.text) {
            let (name, version) = (&found[1], &found[2]);
            let is_tried = node.contains(&format!("\"{name}\": \"{version}\""))
                || python.lines().any(|line| line == format!("{name}=={version}"));
            assert!(is_tried, "{}: {name} {version}", page.path.display());
            names.insert(name.to_owned());
        }
    }
    let wanted = ["@modelcontextprotocol/client", "@modelcontextprotocol/inspector", "fastmcp", "mcp", "mcp-remote"];
    assert_eq!(names.into_iter().collect::<Vec<_>>(), wanted);
}

/// The two servers of the pages, and a machine on which their programs are installed.
struct Bench {
    open: TestServer,
    closed: Serving,
    key: String,
    database: Database,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new(node: &OsString, python: &OsString) -> Self {
        let (open, database) = (TestServer::start().await, Database::sqlite());
        let settings = [("REVIEWS__AUTH__MODE", "oauth"), ("REVIEWS__UPSTREAM__PROVIDER", "demo")];
        let closed = Serving::on(&database, &open.emulator.url(), &settings);
        operate(&database, &["user", "add", NAME, "--password-stdin"], PASSWORD);
        let key = operate(&database, &["key", "add", "pages"], "").trim().to_owned();
        let folder = tempfile::tempdir().unwrap();
        let bench = Self { open, closed, key, database, folder };
        bench.install(&node.to_string_lossy(), &python.to_string_lossy());
        fs::write(bench.folder.path().join("key"), &bench.key).unwrap();
        bench
    }

    /// `npx` would ask a registry, and so finds here what is installed.
    fn install(&self, node: &str, python: &str) {
        let tests = fs::canonicalize("tests/interop").unwrap().display().to_string();
        let (node, python) = (absolute(node), absolute(python));
        let inspector = "@modelcontextprotocol/inspector/clients/launcher/build/index.js";
        let modules = format!("{tests}/node_modules");
        symlink(&modules, self.folder.path().join("node_modules")).unwrap();
        for (name, script) in [
            ("node", format!("exec '{node}' \"$@\"")),
            ("python", format!("exec '{python}' \"$@\"")),
            // As others do, it goes on by itself: some listen for the way back only when it has been started.
            ("browser", format!("'{node}' '{tests}/open.mjs' \"$1\" >/dev/null 2>&1 &")),
            ("google-reviews-mcp", format!("exec '{}' \"$@\"", env!("CARGO_BIN_EXE_google-reviews-mcp"))),
            (
                "npx",
                format!(
                    "[ \"$1\" = -y ] && shift\ncase $1 in\n@modelcontextprotocol/inspector) program={inspector} ;;\n\
                     mcp-remote) program=mcp-remote/dist/proxy.js ;;\n*) exit 9 ;;\nesac\nshift\n\
                     exec '{node}' '{modules}/'\"$program\" \"$@\""
                ),
            ),
        ] {
            let path = self.path(&format!("bin/{name}"));
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    /// A text of a page with what is this machine's own.
    fn own(&self, text: &str) -> String {
        let data = self.folder.path().display().to_string();
        let mut text = text.replace(HERE, &self.open.app.endpoint()).replace(THERE, &self.closed.endpoint);
        for (theirs, ours) in [("/tmp/google-reviews", "/one"), ("/home/you/.local/share/google-reviews-mcp", "/two")] {
            text = text.replace(theirs, &format!("{data}{ours}"));
        }
        KEYS.iter().fold(text, |text, key| text.replace(key, &self.key))
    }

    /// A program as a person starts it, in an environment without anything of this one.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let path = format!("{}:/usr/bin:/bin", self.path("bin/x").parent().unwrap().display());
        command.env_clear().current_dir(self.folder.path()).env("PATH", path).env("HOME", self.folder.path());
        command.env("BROWSER", self.path("bin/browser")).env("MCP_AUTO_OPEN_ENABLED", "true");
        command.envs([("INTEROP_NAME", NAME), ("INTEROP_PASSWORD", PASSWORD)]);
        // The Inspector keeps what it gets in a file where there is no ring of keys, and wants to be told so.
        command.env("MCP_INSPECTOR_SECRET_STORE", "file").env("MCP_INSPECTOR_SECRET_KEY", "0b".repeat(32));
        // Nothing leaves this machine.
        command.env("REVIEWS__HEALTH__INTERVAL", "0");
        command
    }

    /// What a script prints; panics if it fails.
    fn typed(&self, script: &str) -> String {
        let mut command = self.command("sh");
        if script.starts_with("google-reviews-mcp client") {
            command.envs(self.database.environment());
        }
        let output = command.args(["-euc", &self.own(script)]).stdin(Stdio::null()).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{script}\n{}: {out}{err}", output.status);
        out.into_owned()
    }

    /// What the server has that a client of MCP starts with such settings.
    fn tools_of(&self, settings: &Value) -> Vec<String> {
        let mut command = self.command(settings["command"].as_str().unwrap());
        for argument in settings["args"].as_array().unwrap() {
            command.arg(self.own(argument.as_str().unwrap()));
        }
        for (name, value) in settings["env"].as_object().into_iter().flatten() {
            command.env(name, self.own(value.as_str().unwrap()));
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut ask = |message: Value| {
            writeln!(input, "{message}").unwrap();
            message.get("id")?;
            let line = lines.next().and_then(Result::ok);
            line.map(|line| serde_json::from_str::<Value>(&line).unwrap())
        };
        let client =
            json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        ask(json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client}));
        ask(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        let answer = ask(json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}}));
        // Some end with their input, and some when they are asked to.
        child.kill().unwrap();
        let ended = child.wait_with_output().unwrap();
        let answer = answer.unwrap_or_else(|| panic!("{settings}: {}", String::from_utf8_lossy(&ended.stderr)));
        let tools = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("{settings}: {answer}"));
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }
}

fn absolute(program: &str) -> String {
    std::path::absolute(program).unwrap().display().to_string()
}

/// A command of the operator, beside the server.
fn operate(database: &Database, arguments: &[&str], input: &str) -> String {
    let mut command = program();
    command.args(arguments).envs(database.environment()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What cannot be typed here, by its beginning: programs that are not free to be had, what fetches from a registry, and what is
/// there for a person to look at.
const LEFT: [&str; 5] = [
    "claude mcp add ",
    "code --add-mcp ",
    "npm install ",
    "python -m pip install ",
    "npx @modelcontextprotocol/inspector\n",
];

/// What is to be seen after a script, by a part of it.
const SEEN: [(&str, &str); 9] = [
    ("reviews.py", "Moonlit Bakery"),
    ("reviews.mts", "Moonlit Bakery"),
    ("people.py", "create_report"),
    ("--tool-name search_places", BAKERY),
    ("--method tools/list", "compare_places"),
    ("--method resources/list", "reviews://attribution"),
    ("search_places", BAKERY),
    ("smoke", "get_report"),
    ("\"method\":\"initialize\"", "\"serverInfo\""),
];

#[tokio::test]
async fn what_the_pages_say_is_typed_and_works() {
    let (Some(node), Some(python)) = (node(), python()) else { return };
    let bench = Bench::new(&node, &python).await;
    let mut counted = [0, 0];
    let mut saw = String::new();
    tokio::task::spawn_blocking(move || {
        for block in blocks() {
            if let Some(file) = &block.file {
                fs::write(bench.path(file), bench.own(&block.text)).unwrap();
            } else if block.language == "sh" && LEFT.iter().any(|left| block.text.starts_with(left)) {
                counted[1] += 1;
            } else if block.language == "sh" {
                let out = bench.typed(&block.text);
                let client = ("client add", "grc_");
                let seen = SEEN.iter().copied().chain([client]).find(|(part, _)| block.text.contains(part));
                let (_, seen) = seen.unwrap_or_else(|| panic!("{}: what is seen after {}?", block.page, block.text));
                assert!(out.contains(seen), "{}: {}{out}", block.page, block.text);
                let _ = writeln!(saw, "{}: {}", block.page, block.text.trim());
                counted[0] += 1;
            }
        }
        println!("{saw}");
        assert!(counted[0] >= 14 && counted[1] >= 6, "{counted:?}");
    })
    .await
    .unwrap();
}

/// Servers that a block of settings names, with their names.
fn servers(settings: &Value) -> Vec<Value> {
    let listed = settings.get("mcpServers").or(settings.get("servers")).unwrap_or_else(|| panic!("{settings}"));
    let listed = listed.as_object().unwrap();
    assert!(listed.keys().eq(["google-reviews"]), "{settings}");
    listed.values().cloned().collect()
}

/// Settings with an address lead to one of the two servers, and a key in them opens it; those with a program start one that has
/// all tools.
#[tokio::test]
async fn the_settings_of_the_pages_lead_to_a_server() {
    let (Some(node), Some(python)) = (node(), python()) else { return };
    let bench = Bench::new(&node, &python).await;
    let (mut programs, mut addresses) = (Vec::new(), 0);
    for block in blocks().iter().filter(|block| block.language == "json") {
        let settings = serde_json::from_str(&block.text).unwrap_or_else(|fault| panic!("{}: {fault}", block.page));
        for server in servers(&settings) {
            if server["command"] == "docker" {
                // There is no engine here; what the container runs is the same program.
                assert_eq!(server["args"].as_array().unwrap().last(), Some(&json!("stdio")), "{}", block.page);
            } else if server["command"].is_string() {
                programs.push(server);
            } else {
                addresses += 1;
                let url = server["url"].as_str().unwrap();
                assert!([HERE, THERE].contains(&url), "{}: {url}", block.page);
                let header = server["headers"]["Authorization"].as_str();
                let own = header.map(|header| bench.own(header));
                let token = own.as_deref().map(|own| own.strip_prefix("Bearer ").unwrap());
                let connected = Client::connect(&bench.own(url), token).await;
                // Without a key one is sent to sign in, where people sign in.
                assert_eq!(connected.is_ok(), url == HERE || token.is_some(), "{}: {server}", block.page);
            }
        }
    }
    assert_eq!((programs.len() >= 5, addresses >= 9), (true, true), "{} {addresses}", programs.len());
    tokio::task::spawn_blocking(move || {
        for each in &programs {
            assert_eq!(bench.tools_of(each), TOOLS, "{each}");
        }
    })
    .await
    .unwrap();
}

/// The rows of a table of statuses and codes.
fn rows(text: &str) -> BTreeSet<(u16, String)> {
    let row = Regex::new(r"(?m)^\| (\d{3}) \| `([a-z_]+)` \|").unwrap();
    row.captures_iter(text).map(|row| (row[1].parse().unwrap(), row[2].to_owned())).collect()
}

#[tokio::test]
async fn the_server_answers_what_the_page_says_that_it_answers() {
    let closed = TestServer::builder().set("auth.mode", "oauth").start().await;
    let strict = TestServer::builder()
        .set("limits.enabled", "true")
        .set("limits.address_requests_a_minute", "1")
        .set("limits.address_burst", "1")
        .start()
        .await;
    let open = TestServer::start().await;
    let post = |server: &TestServer, path: &str| {
        let origin = server.app.endpoint().replace("/mcp", "");
        let request = server.http.post(format!("{origin}{path}")).header("content-type", "application/json");
        request.header("accept", "application/json, text/event-stream").body("{}")
    };
    let _ = post(&strict, "/mcp").send().await.unwrap();
    let mut answered = BTreeSet::new();
    for request in [
        post(&closed, "/mcp"),
        post(&open, "/mcp").header("host", "reviews.example.com"),
        post(&open, "/mcp").header("origin", "https://elsewhere.example"),
        post(&open, "/mcp/"),
        post(&open, "/sse"),
        open.http.get(open.app.endpoint()),
        post(&open, "/mcp").body(vec![b' '; 256 * 1024 + 1]),
        post(&strict, "/mcp"),
    ] {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        assert_eq!(status == 429, answer.headers().contains_key("retry-after"));
        let problem: Value = answer.json().await.unwrap();
        answered.insert((status, problem["code"].as_str().unwrap().to_owned()));
    }
    let mut said = rows(&page("other.md"));
    // `oauth::…` holds what a permission is needed for, and `store_faults` what happens without a database.
    for (status, code) in [(403, "insufficient_scope"), (503, "sign_in_unavailable")] {
        assert!(said.remove(&(status, code.to_owned())), "{status} {code}");
    }
    assert_eq!(answered, said);
}
