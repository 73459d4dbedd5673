//! One way to turn a pattern into a rule, so that the advertised pattern and the enforced one are the same text.

use regex::Regex;
use std::sync::LazyLock;

/// A rule as a regular expression, in the part of the language that Rust and JSON Schema share.
pub type Pattern = LazyLock<Regex>;

/// Compiles a constant pattern; each one is exercised by a test of its type.
#[expect(clippy::expect_used, reason = "constant patterns, each compiled by a test")]
pub(super) fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a valid constant pattern")
}

/// The value does not follow the grammar of its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {allowed}")]
pub struct Invalid {
    /// Which kind of value was expected.
    pub what: &'static str,
    /// What the grammar allows, in words.
    pub allowed: &'static str,
}
