//! An installation as the pages of `docs/self-host` have it: a folder with `data`, `secrets` and `backups`, in which their
//! commands are run as they stand there, and a server that people and programs use meanwhile.

use super::markdown::Page;
use crate::support::{
    BAKERY, TestServer, ToolResult,
    binary::{Serving, program, stderr, stdout},
    database::Database,
    free_port, rpc,
    sign_in::{Client, NAME, PASSWORD, Site},
};
use google_reviews_mcp::{clock::Clock, emulator::DEMO_KEY};
use reqwest::{
    header::{AUTHORIZATION, HeaderMap},
    redirect,
};
use serde_json::{Value, json};
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

/// The folder with all that an installation has, and the settings of its server.
pub(super) struct Installation {
    folder: TempDir,
    /// PostgreSQL's; with SQLite the database is in `data`.
    pub(super) database: Option<Database>,
    port: u16,
    upstream: String,
    more: Vec<(&'static str, &'static str)>,
}

impl Installation {
    /// One of each kind, and what stands in for Google.
    pub(super) async fn both() -> Vec<(Self, TestServer)> {
        let sqlite = Self::new(None).await;
        vec![sqlite, Self::new(Some(Database::postgres().await)).await]
    }

    pub(super) async fn new(database: Option<Database>) -> (Self, TestServer) {
        let google = TestServer::start().await;
        let (folder, upstream) = (tempfile::tempdir().unwrap(), google.emulator.url());
        let installation = Self { folder, database, port: free_port(), upstream, more: Vec::new() };
        if installation.database.is_some() {
            installation.shell("umask 077; mkdir secrets; openssl rand -hex 32 >secrets/secret_key");
            installation.name_the_database();
        }
        (installation, google)
    }

    /// The word by which headings of the pages tell the kinds apart.
    pub(super) fn kind(&self) -> &'static str {
        if self.database.is_some() { "PostgreSQL" } else { "SQLite" }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the address of the database where the pages expect it.
    pub(super) fn name_the_database(&self) {
        let settings = self.database.as_ref().unwrap().settings();
        let (_, url) = settings.iter().find(|(key, _)| *key == "store.url").unwrap();
        fs::write(self.path().join("secrets/store_url"), url).unwrap();
    }

    /// From now on the server has this setting too; an empty one takes it away.
    pub(super) fn set(&mut self, name: &'static str, value: &'static str) {
        self.more.retain(|(each, _)| *each != name);
        if !value.is_empty() {
            self.more.push((name, value));
        }
    }

    /// The settings, with paths as they are from everywhere.
    fn settings(&self) -> Vec<(String, String)> {
        let path = |name: &str| self.path().join(name).display().to_string();
        let mut settings = vec![
            ("REVIEWS__AUTH__MODE".to_owned(), "oauth".to_owned()),
            ("REVIEWS__SERVER__LISTEN".to_owned(), format!("127.0.0.1:{}", self.port)),
            ("REVIEWS__GOOGLE__PLACES_URL".to_owned(), self.upstream.clone()),
            ("REVIEWS__GOOGLE__API_KEY".to_owned(), DEMO_KEY.to_owned()),
            ("REVIEWS__STORE__DATA_DIR".to_owned(), path("data")),
        ];
        if self.database.is_some() {
            settings.push(("REVIEWS__STORE__URL_FILE".to_owned(), path("secrets/store_url")));
            settings.push(("REVIEWS__SERVER__SECRET_KEY_FILE".to_owned(), path("secrets/secret_key")));
            settings.push(("REVIEWS__STORE__POOL_MIN".to_owned(), "0".to_owned()));
        }
        settings.extend(self.more.iter().map(|(name, value)| ((*name).to_owned(), path(value))));
        settings
    }

    /// Starts the server, always at the same address: tokens are for it.
    pub(super) fn serve(&self) -> Serving {
        let settings = self.settings();
        let settings: Vec<(&str, &str)> =
            settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Serving::start(&settings)
    }

    /// A start that ends by itself.
    pub(super) fn try_serve(&self) -> Output {
        // One that does not end fails the test in place of stopping it.
        let mut command = Command::new("timeout");
        command.args(["60", env!("CARGO_BIN_EXE_google-reviews-mcp"), "serve"]).env_clear().envs(self.settings());
        command.env("REVIEWS__SERVER__OPERATIONS_LISTEN", "127.0.0.1:0").stdin(Stdio::null()).output().unwrap()
    }

    /// Runs the program beside the server.
    pub(super) fn run(&self, arguments: &[&str], input: &str) -> String {
        let mut command = program();
        let command = command.args(arguments).envs(self.settings()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        stdout(&output)
    }

    /// Runs commands of a page in the folder, as they stand there. What they print.
    pub(super) fn shell(&self, commands: &str) -> String {
        shell_in(self.path(), commands)
    }

    /// Runs the first block under a heading of a page.
    pub(super) fn follow(&self, page: &str, heading: &str) -> String {
        self.shell(&commands(page, heading, 0))
    }
}

/// Runs commands in a folder, as a person does who has the program in the path, and stops at the first that fails.
pub(super) fn shell_in(folder: &Path, commands: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_google-reviews-mcp")).parent().unwrap().display().to_string();
    let path = format!("{program}:{}", std::env::var("PATH").unwrap());
    let output = Command::new("sh").args(["-euc", commands]).current_dir(folder).env("PATH", path).output().unwrap();
    assert!(output.status.success(), "{commands}\n{}", stderr(&output));
    stdout(&output)
}

/// The block of commands under a heading of a page.
pub(super) fn commands(page: &str, heading: &str, number: usize) -> String {
    let blocks = Page::read(PathBuf::from(page)).blocks_under(heading);
    let blocks: Vec<_> = blocks.into_iter().filter(|code| code.language.as_deref() == Some("sh")).collect();
    blocks.into_iter().nth(number).unwrap_or_else(|| panic!("{page}: too few commands under {heading}")).text
}

/// What people and programs have at a server: a password, two connected clients, an API key, and a report.
pub(super) struct Belongings {
    pub(super) site: Site,
    pub(super) key: String,
    pub(super) report: String,
    /// A client that uses what it has.
    pub(super) client: Client,
    pub(super) access_token: String,
    pub(super) refresh_token: String,
    /// One that does nothing unless a test says so.
    pub(super) idle: Client,
    pub(super) idle_refresh_token: String,
}

impl Belongings {
    /// On a server that nobody has used yet.
    pub(super) async fn made(installation: &Installation, google: TestServer) -> Self {
        installation.run(&["user", "add", NAME, "--password-stdin"], PASSWORD);
        let key = installation.run(&["key", "add", "night job"], "").lines().next().unwrap().to_owned();
        let base = format!("http://127.0.0.1:{}", installation.port);
        // A connection to a server that was stopped is of no use at the next one.
        let http = reqwest::Client::builder().no_proxy().redirect(redirect::Policy::none()).pool_max_idle_per_host(0);
        let site = Site::at(&base, google, Clock::system()).through(base, http.build().unwrap());
        let (client, idle) = (site.client().await, site.client().await);
        let (access_token, refresh_token) = site.tokens(&client).await;
        let (_, idle_refresh_token) = site.tokens(&idle).await;
        let report = reported(&site, &key, "first").await;
        Self { site, key, report, client, access_token, refresh_token, idle, idle_refresh_token }
    }

    /// A call by the program with the API key.
    pub(super) async fn call(&self, tool: &str, arguments: Value) -> ToolResult {
        called(&self.site, &self.key, tool, arguments).await
    }

    /// What neither the secret key nor a backup may touch: the person with the password, the API key, and the report.
    pub(super) async fn are_there(&self, installation: &Installation) {
        let kind = installation.kind();
        let shown = self.call("get_report", json!({"report_id": self.report})).await.data();
        assert_eq!(shown["title"], "first", "{kind}");
        self.site.signed_in().await;
        let people = installation.run(&["user", "list"], "");
        assert!(people.starts_with(NAME) && people.lines().count() == 1, "{kind}: {people}");
    }
}

async fn called(site: &Site, key: &str, tool: &str, arguments: Value) -> ToolResult {
    let headers = HeaderMap::from_iter([(AUTHORIZATION, format!("Bearer {key}").parse().unwrap())]);
    rpc::call_with(&site.resource(), json!({"name": tool, "arguments": arguments}), headers).await.unwrap()
}

/// The id of a new report.
pub(super) async fn reported(site: &Site, key: &str, title: &str) -> String {
    let arguments = json!({"place_ids": [BAKERY], "title": title, "request_id": title.replace(' ', "-")});
    called(site, key, "create_report", arguments).await.data()["report_id"].as_str().unwrap().to_owned()
}
