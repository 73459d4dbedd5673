//! A real Redis, started on a free port with a folder of its own and without files, ended when it is dropped. Where a test
//! only uses it, `TEST_REDIS_URL` names another, of which it gets a database for itself.

use deadpool_redis::redis::{Client, Cmd, FromRedisValue, RedisResult, aio::MultiplexedConnection, cmd};
use std::{
    net::SocketAddr,
    ops::Deref,
    process::{Child, Command, Stdio},
    sync::{LazyLock, Mutex},
    time::Duration,
};
use url::Url;

/// A Redis that answers.
pub(crate) struct Redis {
    url: String,
}

/// A running Redis of a test's own, which may be killed and spoilt.
pub(crate) struct RedisServer {
    child: Child,
    folder: tempfile::TempDir,
    pub(crate) address: SocketAddr,
    redis: Redis,
}

/// Something to keep data in, for a test that does nothing to Redis itself.
pub(crate) enum LentRedis {
    Own(RedisServer),
    Given { redis: Redis, number: u8 },
}

/// The databases of the given Redis that no test uses. The first is left alone.
static FREE: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(|| Mutex::new((1..16).collect()));

impl Redis {
    pub(crate) fn url(&self) -> String {
        self.url.clone()
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

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        Client::open(self.url.as_str())?.get_multiplexed_async_connection().await
    }

    async fn answers(&self) {
        for _ in 0..1_000 {
            if self.try_run::<String>(&cmd("PING")).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("Redis does not answer at {}", self.url);
    }
}

impl RedisServer {
    pub(crate) async fn start() -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], super::free_port()));
        let folder = tempfile::tempdir().unwrap();
        let child = spawn(address, folder.path());
        let server = Self { child, folder, address, redis: Redis { url: format!("redis://{address}") } };
        server.answers().await;
        server
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
}

impl Deref for RedisServer {
    type Target = Redis;

    fn deref(&self) -> &Redis {
        &self.redis
    }
}

impl LentRedis {
    /// An empty database of the Redis that `TEST_REDIS_URL` names, or a Redis where none is named or all are in use.
    pub(crate) async fn take() -> Self {
        let given = std::env::var("TEST_REDIS_URL").ok().filter(|url| !url.is_empty());
        let free = given.and_then(|url| Some((Url::parse(&url).unwrap(), FREE.lock().unwrap().pop()?)));
        let Some((mut url, number)) = free else { return Self::Own(RedisServer::start().await) };
        url.set_path(&number.to_string());
        let redis = Redis { url: url.into() };
        redis.answers().await;
        redis.run::<()>(&cmd("FLUSHDB")).await;
        Self::Given { redis, number }
    }
}

impl Deref for LentRedis {
    type Target = Redis;

    fn deref(&self) -> &Redis {
        match self {
            Self::Own(server) => server,
            Self::Given { redis, .. } => redis,
        }
    }
}

impl Drop for LentRedis {
    fn drop(&mut self) {
        if let Self::Given { number, .. } = self {
            FREE.lock().unwrap().push(*number);
        }
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
