//! Merges the sources and reads value after value, remembering every problem instead of stopping at the first.

use super::environment;
use config::{File, FileFormat, Value, ValueKind};
use serde::de::DeserializeOwned;
use std::{
    collections::{BTreeMap, HashMap},
    fmt::{self, Write as _},
    fs,
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

const DEFAULTS: &str = include_str!("default.toml");
/// Keys whose value is never shown and may come from a file.
pub(super) const SECRETS: &[&str] = &[
    "google.api_key",
    "cache.redis_url",
    "server.secret_key",
    "server.previous_secret_key",
    "store.url",
    "auth.registration_token",
    "auth.login.client_secret",
];

/// What may stand in a value, where the words of its type do not say it to people.
const FORMS: &[(&str, &str)] = &[
    ("server.listen", "must be an IP address with a port, such as 127.0.0.1:8080"),
    ("server.operations_listen", "must be an IP address with a port, such as 127.0.0.1:9090"),
    ("server.public_url", "must be an origin such as http://localhost:8080"),
    ("google.places_url", "must be an origin such as https://places.googleapis.com"),
    ("upstream.provider", "must be google or demo"),
    ("auth.mode", "must be oauth, api_key or none"),
    ("auth.registration", "must be open, token or off"),
    ("auth.client_documents", "must be on or off"),
    ("log.format", "must be auto, json or pretty"),
];

/// Where settings come from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// A TOML file.
    pub file: Option<PathBuf>,
    /// Environment variables.
    pub environment: HashMap<String, String>,
    /// Values that override all else, by key; used by commands such as `demo`.
    pub overrides: Vec<(&'static str, String)>,
}

impl Sources {
    /// The process's environment and the file that it names, if `file` is not given.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn from_process(file: Option<PathBuf>) -> Self {
        let environment: HashMap<_, _> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let file =
            file.or_else(|| environment.get("REVIEWS_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from));
        Self { file, environment, overrides: Vec::new() }
    }

    /// The same, with a value that overrides all sources.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.overrides.push((key, value.into()));
        self
    }
}

/// One thing that is wrong, with the key that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `section.key`, or the variable or file that could not be read.
    pub key: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.key, self.message)
    }
}

/// All sources merged.
pub(super) struct Reader {
    merged: config::Config,
    defaults: config::Config,
    pub(super) problems: Vec<Problem>,
}

impl Reader {
    pub(super) fn open(sources: &Sources) -> Result<Self, Problem> {
        let cannot_read =
            |key: &str, error: config::ConfigError| Problem { key: key.to_owned(), message: error.to_string() };
        let defaults = config::Config::builder()
            .add_source(File::from_str(DEFAULTS, FileFormat::Toml))
            .build()
            .map_err(|error| cannot_read("default.toml", error))?;
        let mut problems = Vec::new();
        let mut builder = config::Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        let mut file_name = "configuration".to_owned();
        if let Some(path) = &sources.file {
            file_name = path.display().to_string();
            let text = fs::read_to_string(path)
                .map_err(|error| Problem { key: file_name.clone(), message: format!("cannot be read: {error}") })?;
            builder = builder.add_source(File::from_str(&text, FileFormat::Toml));
        }
        for (key, value) in environment::settings(&sources.environment, &mut problems) {
            builder = builder.set_override(&key, value).map_err(|error| cannot_read(&key, error))?;
        }
        for (key, value) in &sources.overrides {
            builder = builder.set_override(*key, value.clone()).map_err(|error| cannot_read(key, error))?;
        }
        let merged =
            builder.build().map_err(|error| Problem { key: file_name, message: without_source(&error.to_string()) })?;
        let mut reader = Self { merged, defaults, problems };
        reader.report_unknown_keys();
        Ok(reader)
    }

    /// A value of any type that knows how to read itself; on a problem, its default.
    #[expect(clippy::expect_used, reason = "every default is read by a test")]
    pub(super) fn value<T: DeserializeOwned>(&mut self, key: &str) -> T {
        match self.merged.get(key) {
            Ok(value) => value,
            Err(error) => {
                self.report(key, &error);
                self.defaults.get(key).expect("every key has a valid default")
            }
        }
    }

    /// A value that may be left empty.
    pub(super) fn optional<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let text: String = self.value(key);
        if text.trim().is_empty() {
            return None;
        }
        match self.merged.get(key) {
            Ok(value) => Some(value),
            Err(error) => {
                self.report(key, &error);
                None
            }
        }
    }

    /// Values with spaces between them; there may be none.
    pub(super) fn list<T: FromStr<Err: fmt::Display>>(&mut self, key: &str) -> Vec<T> {
        self.list_of(key, str::parse)
    }

    /// The same, each read by this.
    pub(super) fn list_of<T, E: fmt::Display>(&mut self, key: &str, read: impl Fn(&str) -> Result<T, E>) -> Vec<T> {
        let text: String = self.value(key);
        let mut found = Vec::new();
        for part in text.split_whitespace() {
            match read(part) {
                Ok(value) => found.push(value),
                Err(error) => {
                    self.problems
                        .push(Problem { key: key.to_owned(), message: format!("{part:?} cannot be read: {error}") });
                }
            }
        }
        found
    }

    /// A duration such as `30s`, or `0`.
    pub(super) fn duration(&mut self, key: &str) -> Duration {
        let text: String = self.value(key);
        parse_duration(&text).unwrap_or_else(|error| {
            self.problems.push(Problem {
                key: key.to_owned(),
                message: format!("is not a duration such as 250ms, 30s, 10m or 0: {error}"),
            });
            let default: String = self.defaults.get(key).unwrap_or_default();
            parse_duration(&default).unwrap_or_default()
        })
    }

    /// The effective configuration as text, and what was wrong with it.
    pub(super) fn finish(self) -> (String, Vec<Problem>) {
        let mut text = String::new();
        let mut section = "";
        // Only keys that are settings: a mistyped one may hold a secret.
        let known = flatten(self.defaults.cache.clone());
        let values = flatten(self.merged.cache.clone());
        for (key, value) in values.iter().filter(|(key, _)| known.contains_key(*key)) {
            let (head, name) = key.split_once('.').unwrap_or(("", key));
            if head != section {
                let _ = writeln!(text, "{}[{head}]", if section.is_empty() { "" } else { "\n" });
                section = head;
            }
            let shown = match &value.kind {
                ValueKind::String(text) if text.is_empty() => "\"\"".to_owned(),
                _ if SECRETS.contains(&key.as_str()) => "\"[REDACTED]\"".to_owned(),
                ValueKind::String(text) => format!("{text:?}"),
                other => other.to_string(),
            };
            let _ = writeln!(text, "{name} = {shown}");
        }
        (text, self.problems)
    }

    fn report(&mut self, key: &str, error: &config::ConfigError) {
        let form = FORMS.iter().find(|(formed, _)| *formed == key).map(|(_, form)| (*form).to_owned());
        let message = match form {
            Some(form) => form,
            None if SECRETS.contains(&key) => "is not text".to_owned(),
            None => error.to_string().replace(&format!(" for key `{key}`"), ""),
        };
        self.problems.push(Problem { key: key.to_owned(), message });
    }

    fn report_unknown_keys(&mut self) {
        let known = flatten(self.defaults.cache.clone());
        for key in flatten(self.merged.cache.clone()).into_keys().filter(|key| !known.contains_key(key)) {
            let section = key.split('.').next().unwrap_or_default().to_owned();
            let siblings: Vec<_> =
                known.keys().filter_map(|key| key.strip_prefix(&format!("{section}."))).map(str::to_owned).collect();
            let message = if siblings.is_empty() {
                "is not a setting of this program".to_owned()
            } else {
                format!("is not a setting of this program; [{section}] has {}", siblings.join(", "))
            };
            self.problems.push(Problem { key, message });
        }
    }
}

fn flatten(value: Value) -> BTreeMap<String, Value> {
    fn walk(prefix: &str, value: Value, found: &mut BTreeMap<String, Value>) {
        match value.kind {
            ValueKind::Table(table) => {
                for (name, value) in table {
                    let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
                    walk(&key, value, found);
                }
            }
            _ => {
                found.insert(prefix.to_owned(), value);
            }
        }
    }
    let mut found = BTreeMap::new();
    walk("", value, &mut found);
    found
}

fn parse_duration(text: &str) -> Result<Duration, humantime::DurationError> {
    if text == "0" { Ok(Duration::ZERO) } else { humantime::parse_duration(text) }
}

/// A parser's message shows the line that it cannot read, which may hold a secret: its place and its reason are enough.
fn without_source(message: &str) -> String {
    let lines: Vec<&str> = message.lines().collect();
    match lines.as_slice() {
        [place, .., reason] => format!("{place}: {reason}"),
        _ => message.to_owned(),
    }
}
