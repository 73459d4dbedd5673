//! The binary with exactly the variables that a file of `deploy/` gives it. Only what such a file cannot know is put in their
//! place: free ports, a folder, the emulator in place of Google, and what stands in the secrets.

use super::{SECRET_KEY, TestServer, binary::program, free_port, postgres, redis::RedisServer, rpc, until};
use google_reviews_mcp::emulator::DEMO_KEY;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

pub(crate) type Variables = BTreeMap<String, String>;

/// What a server is given by whoever deploys it, and Google.
pub(crate) struct Surroundings {
    pub(crate) google: TestServer,
    pub(crate) database: postgres::Database,
    pub(crate) redis: RedisServer,
}

impl Surroundings {
    pub(crate) async fn new() -> Self {
        Self {
            google: TestServer::start().await,
            database: postgres::Database::new().await,
            redis: RedisServer::start().await,
        }
    }

    /// What is in the secret for this setting.
    fn secret(&self, setting: &str) -> Option<String> {
        match setting {
            "GOOGLE_MAPS_API_KEY" | "REVIEWS__GOOGLE__API_KEY" => Some(DEMO_KEY.to_owned()),
            "REVIEWS__SERVER__SECRET_KEY" => Some(SECRET_KEY.to_owned()),
            "REVIEWS__STORE__URL" => Some(self.database.url.clone()),
            "REVIEWS__CACHE__REDIS_URL" => Some(self.redis.url()),
            _ => None,
        }
    }
}

/// How a program is started: with these variables, and nothing else.
pub(crate) struct Deployed {
    pub(crate) variables: Variables,
    pub(crate) folder: TempDir,
}

impl Deployed {
    pub(crate) fn new(mut variables: Variables, surroundings: &Surroundings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for listener in ["LISTEN", "OPERATIONS_LISTEN"] {
            // Its default.
            variables.entry(format!("REVIEWS__SERVER__{listener}")).or_insert_with(|| "127.0.0.1:8080".to_owned());
        }
        for (name, value) in &mut variables {
            let setting = name.trim_end_matches("_FILE");
            if let Some(secret) = surroundings.secret(setting) {
                *value = if name == setting { secret } else { written(folder.path(), setting, &secret) };
            } else if name.ends_with("LISTEN") {
                let (host, _) = value.rsplit_once(':').unwrap();
                *value = format!("{host}:{}", free_port());
            } else if name == "REVIEWS__STORE__DATA_DIR" {
                *value = folder.path().join("data").display().to_string();
            }
        }
        variables.insert("REVIEWS__GOOGLE__PLACES_URL".to_owned(), surroundings.google.emulator.url());
        Self { variables, folder }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.args(arguments).envs(&self.variables);
        command
    }

    /// Where the listener of this setting is reached on this machine.
    pub(crate) fn origin(&self, listener: &str) -> String {
        let address = &self.variables[&format!("REVIEWS__SERVER__{listener}")];
        format!("http://127.0.0.1:{}", address.rsplit_once(':').unwrap().1)
    }

    /// A file with this in it; returns its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        written(self.folder.path(), name, text)
    }

    /// A key, as whoever runs the server makes one beside it.
    pub(crate) fn key(&self, name: &str) -> String {
        let made = self.command(&["key", "add", name]).output().unwrap();
        let told = String::from_utf8(made.stdout).unwrap();
        let key = told.split_whitespace().find(|word| word.starts_with("grk_"));
        key.unwrap_or_else(|| panic!("{told}{}", String::from_utf8_lossy(&made.stderr))).to_owned()
    }

    /// Starts the server; returns when it says that it is ready.
    pub(crate) async fn serve(&self) -> Running {
        let log = self.folder.path().join("log");
        let mut command = self.command(&["serve"]);
        let child = command.stdout(Stdio::null()).stderr(File::create(&log).unwrap()).spawn().unwrap();
        let mut running = Running { child, log };
        let ready = format!("{}/readyz", self.origin("LISTEN"));
        until("it is ready", async || {
            assert_eq!(running.child.try_wait().unwrap(), None, "it ended: {}", running.log());
            rpc::client().get(&ready).send().await.is_ok_and(|answer| answer.status() == 200)
        })
        .await;
        running
    }
}

/// A running server, ended when it is dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    log: PathBuf,
}

impl Running {
    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// With the line break that `echo` puts at the end.
fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, format!("{text}\n")).unwrap();
    path.display().to_string()
}
