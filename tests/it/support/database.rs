//! The two databases, so that a test can run on both.

use super::{Builder, SECRET_KEY, TestServer, postgres};
use google_reviews_mcp::{
    clock::Clock,
    config::{self, Sources},
    health::{Health, Need},
    store::Store,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, Row as _};
use std::{ffi::OsString, path::PathBuf, str::FromStr as _};
use tempfile::TempDir;

/// An empty database for one test.
pub(crate) enum Database {
    Sqlite(TempDir),
    Postgres(postgres::Database),
}

/// One of each kind.
pub(crate) async fn both() -> [Database; 2] {
    [Database::sqlite(), Database::postgres().await]
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    pub(crate) async fn postgres() -> Self {
        Self::Postgres(postgres::Database::new().await)
    }

    /// For messages.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    /// What a server is told to use it.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Sqlite(folder) => vec![("store.data_dir", folder.path().display().to_string())],
            Self::Postgres(database) => vec![("store.url", database.url.clone()), ("store.pool_min", "0".to_owned())],
        }
    }

    /// The same for the binary.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let mut variables = vec![("REVIEWS__SERVER__SECRET_KEY".to_owned(), SECRET_KEY.to_owned())];
        let name = |key: &str| format!("REVIEWS__{}", key.to_uppercase().replace('.', "__"));
        variables.extend(self.settings().into_iter().map(|(key, value)| (name(key), value)));
        variables
    }

    /// A server on it.
    pub(crate) fn server(&self) -> Builder {
        self.settings().into_iter().fold(TestServer::builder(), |builder, (key, value)| builder.set(key, value))
    }

    /// The store of a process of its own on it, not open yet.
    pub(crate) fn store(&self, clock: &Clock) -> Store {
        let mut sources = Sources::default().with("server.secret_key", SECRET_KEY).with("google.api_key", "demo-key");
        sources.overrides.extend(self.settings());
        let config = config::load(&sources).unwrap().into_config().unwrap();
        Store::new(&config.store, Health::new(clock.clone()).register("database", Need::Always)).unwrap()
    }

    pub(crate) fn file(&self) -> PathBuf {
        match self {
            Self::Sqlite(folder) => folder.path().join("google-reviews.db"),
            Self::Postgres(_) => panic!("PostgreSQL has no file"),
        }
    }

    /// Runs a statement beside the server.
    pub(crate) async fn run(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(_) => drop(self.sqlite_connection().await.execute(sql).await.unwrap()),
            Self::Postgres(database) => drop(connection(&database.url).await.execute(sql).await.unwrap()),
        }
    }

    /// The numbers in the first row of an answer.
    pub(crate) async fn numbers(&self, sql: &str) -> Vec<i64> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(_) => {
                let row = self.sqlite_connection().await.fetch_one(sql).await.unwrap();
                (0..row.len()).map(|column| row.get(column)).collect()
            }
            Self::Postgres(database) => {
                let row = connection(&database.url).await.fetch_one(sql).await.unwrap();
                (0..row.len()).map(|column| row.get(column)).collect()
            }
        }
    }

    /// The texts in the first column of an answer.
    pub(crate) async fn texts(&self, sql: &'static str) -> Vec<String> {
        match self {
            Self::Sqlite(_) => sqlx::query_scalar(sql).fetch_all(&mut self.sqlite_connection().await).await.unwrap(),
            Self::Postgres(database) => database.texts(sql).await,
        }
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        self.numbers(&format!("SELECT COUNT(*) FROM {table}")).await[0]
    }

    /// Everything that the database has: each column of each table as text, and the bytes of SQLite's files.
    pub(crate) async fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let columns = match self {
            Self::Sqlite(_) => {
                "SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
            }
            Self::Postgres(_) => {
                "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'"
            }
        };
        let mut found = Vec::new();
        for column in self.texts(columns).await {
            let (table, name) = column.split_once('.').unwrap();
            let sql = |kind| {
                AssertSqlSafe(format!(
                    "SELECT CAST(\"{name}\" AS {kind}) FROM \"{table}\" WHERE \"{name}\" IS NOT NULL"
                ))
            };
            let values: Vec<Vec<u8>> = match self {
                Self::Sqlite(_) => {
                    sqlx::query_scalar(sql("BLOB")).fetch_all(&mut self.sqlite_connection().await).await.unwrap()
                }
                Self::Postgres(postgres) => {
                    let mut connection = connection(&postgres.url).await;
                    let texts: Vec<String> = sqlx::query_scalar(sql("TEXT")).fetch_all(&mut connection).await.unwrap();
                    texts.into_iter().map(String::into_bytes).collect()
                }
            };
            found.push((format!("the column {column}"), values.join(&b'\n')));
        }
        if let Self::Sqlite(_) = self {
            for more in ["", "-wal", "-shm"] {
                let mut path: OsString = self.file().into_os_string();
                path.push(more);
                // By another program: a process that closes such a file loses all its locks on it, also those of SQLite.
                let read = std::process::Command::new("cat").arg(&path).output().unwrap();
                // Without a server there is one file alone.
                if read.status.success() {
                    found.push((format!("the file google-reviews.db{more}"), read.stdout));
                }
            }
        }
        found
    }

    pub(crate) async fn sqlite_connection(&self) -> sqlx::SqliteConnection {
        sqlx::sqlite::SqliteConnectOptions::new().filename(self.file()).connect().await.unwrap()
    }
}

async fn connection(url: &str) -> sqlx::PgConnection {
    sqlx::postgres::PgConnectOptions::from_str(url).unwrap().connect().await.unwrap()
}
