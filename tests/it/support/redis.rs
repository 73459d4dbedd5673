//! A real Redis, started on a free port with a folder of its own and without files, ended when it is dropped.

use deadpool_redis::redis::{Client, Cmd, FromRedisValue, RedisResult, aio::MultiplexedConnection, cmd};
use std::{
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// A running Redis.
pub(crate) struct RedisServer {
    child: Child,
    folder: tempfile::TempDir,
    pub(crate) address: SocketAddr,
}

impl RedisServer {
    pub(crate) async fn start() -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let child = spawn(address, folder.path());
        let server = Self { child, folder, address };
        server.answers().await;
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Runs a command and returns its answer.
    pub(crate) async fn run<T: FromRedisValue>(&self, command: &Cmd) -> T {
        self.try_run(command).await.expect("an answer of Redis")
    }

    pub(crate) async fn try_run<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        command.query_async(&mut self.connect().await?).await
    }

    /// The names of all keys of the cache.
    pub(crate) async fn cache_keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.run(cmd("KEYS").arg("google-reviews:cache:*")).await;
        keys.sort();
        keys
    }

    /// Waits until the cache keeps this many values: they are written after the answer.
    pub(crate) async fn keeps(&self, values: usize) {
        while self.cache_keys().await.len() < values {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGSTOP or SIGCONT.
    pub(crate) fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Starts it again at the same address.
    pub(crate) async fn restart(&mut self) {
        self.child = spawn(self.address, self.folder.path());
        self.answers().await;
    }

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        Client::open(self.url())?.get_multiplexed_async_connection().await
    }

    async fn answers(&self) {
        for _ in 0..1_000 {
            if self.try_run::<String>(&cmd("PING")).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("Redis does not answer at {}", self.address);
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(address: SocketAddr, folder: &std::path::Path) -> Child {
    Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &address.port().to_string(), "--dir"])
        .arg(folder)
        .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server: tests/run installs it")
}
