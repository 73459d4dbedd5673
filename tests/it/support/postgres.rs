//! A real PostgreSQL from the Debian package, started on a free port in a folder of its own. It ends with the process
//! that started it, however that ends; `TEST_POSTGRES_URL` names another for the tests that need no cluster of their own.

use sqlx::{Connection as _, Executor as _, PgConnection};
use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};
use tempfile::TempDir;

/// A running cluster.
pub(crate) struct Cluster {
    folder: TempDir,
    port: u16,
    watchdog: Option<Child>,
}

/// Starts the server, and ends it when standard input does: with the test process, or when told to.
const WATCHDOG: &str =
    r#""$@" >/dev/null 2>&1 & server=$!; cat >/dev/null; kill -INT $server 2>/dev/null; wait $server"#;

impl Cluster {
    /// Starts an empty one.
    pub(crate) async fn start() -> Self {
        static TEMPLATE: OnceLock<TempDir> = OnceLock::new();
        let template = TEMPLATE.get_or_init(new_template).path().join("data");
        let folder = open_folder();
        done(unprivileged("cp").arg("-a").arg(&template).arg(folder.path().join("data")));
        let port = super::free_port();
        let mut cluster = Self { folder, port, watchdog: None };
        cluster.resume().await;
        cluster
    }

    /// The address of one of its databases.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs a statement as its owner.
    pub(crate) async fn run(&self, sql: &'static str) {
        run(&self.url("postgres"), sql).await;
    }

    /// SIGKILL for the server and all that it started.
    pub(crate) fn kill(&mut self) {
        let Some(mut watchdog) = self.watchdog.take() else { return };
        self.signal("-KILL");
        drop(watchdog.stdin.take());
        watchdog.wait().unwrap();
    }

    /// Starts it at the same address, after a kill.
    pub(crate) async fn resume(&mut self) {
        let data = self.folder.path().join("data");
        let _ = fs::remove_file(data.join("postmaster.pid"));
        let mut command = unprivileged("sh");
        command.args(["-c", WATCHDOG, "watchdog"]).arg(program("postgres")).arg("-D").arg(&data);
        command.args([
            "-p",
            &self.port.to_string(),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
        ]);
        command.args(["-c", "fsync=off", "-c", "max_connections=400", "-c", "shared_buffers=32MB"]);
        self.watchdog = Some(command.stdin(Stdio::piped()).spawn().expect("sh"));
        for _ in 0..600 {
            if PgConnection::connect(&self.url("postgres")).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("PostgreSQL does not answer on port {}", self.port);
    }

    /// Sends a signal to the server.
    pub(crate) fn signal(&self, signal: &str) {
        let file = fs::read_to_string(self.folder.path().join("data/postmaster.pid")).unwrap_or_default();
        if let Some(id) = file.lines().next() {
            let _ = Command::new("kill").args([signal, id]).status();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One database of a cluster, gone when it is dropped.
pub(crate) struct Database {
    name: String,
    base: String,
    pub(crate) url: String,
}

impl Database {
    /// A new one, in the cluster that all tests share.
    pub(crate) async fn new() -> Self {
        let base = shared().await;
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        let mut connection = PgConnection::connect(&base).await.expect("PostgreSQL");
        connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        let mut url = url::Url::parse(&base).unwrap();
        url.set_path(&name);
        Self { name, base, url: url.to_string() }
    }

    /// Runs a statement in it.
    pub(crate) async fn run(&self, sql: &'static str) {
        run(&self.url, sql).await;
    }

    /// The texts in the first column of an answer.
    pub(crate) async fn texts(&self, sql: &'static str) -> Vec<String> {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
    }

    /// Runs a statement about it, outside of it: `{}` stands for its name.
    pub(crate) async fn alter(&self, sql: &str) {
        let mut connection = PgConnection::connect(&self.base).await.unwrap();
        connection.execute(sqlx::AssertSqlSafe(sql.replace("{}", &self.name))).await.unwrap();
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (base, sql) = (self.base.clone(), format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        let drop = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                if let Ok(mut connection) = PgConnection::connect(&base).await {
                    let _ = connection.execute(sqlx::AssertSqlSafe(sql)).await;
                }
            });
        };
        let _ = std::thread::spawn(drop).join();
    }
}

async fn run(url: &str, sql: &'static str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection.execute(sql).await.unwrap();
}

/// The address of the cluster that all tests share.
async fn shared() -> String {
    static CLUSTER: tokio::sync::OnceCell<Cluster> = tokio::sync::OnceCell::const_new();
    match std::env::var("TEST_POSTGRES_URL") {
        Ok(url) if !url.is_empty() => url,
        _ => CLUSTER.get_or_init(Cluster::start).await.url("postgres"),
    }
}

/// A cluster as `initdb` makes it, to be copied: that is much faster.
fn new_template() -> TempDir {
    let folder = open_folder();
    let data = folder.path().join("data");
    let mut initdb = unprivileged(program("initdb"));
    done(initdb.arg("-D").arg(data).args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]));
    folder
}

/// PostgreSQL refuses to run as root.
pub(crate) fn unprivileged(program: impl AsRef<Path>) -> Command {
    if !is_root() {
        return Command::new(program.as_ref());
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program.as_ref());
    command
}

/// Whether files can be written whatever their permissions say.
pub(crate) fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.starts_with(b"0\n")
}

/// A folder that the user `postgres` can write.
fn open_folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("postgres").tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

/// Debian keeps them out of the path.
fn program(name: &str) -> PathBuf {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> =
        installed.map(|version| version.path().join("bin").join(name)).filter(|path| path.exists()).collect();
    found.sort();
    found.pop().unwrap_or_else(|| PathBuf::from(name))
}

fn done(command: &mut Command) {
    let output = command.output().expect("postgresql: tests/run installs it");
    if !output.status.success() {
        std::io::stderr().write_all(&output.stderr).unwrap();
        panic!("{command:?} failed");
    }
}
