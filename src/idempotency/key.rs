//! What makes two calls the same call.

use crate::{
    model::{Principal, hex},
    store::Attempt,
};
use aws_lc_rs::digest::{Context, SHA256};
use serde_json::Value;
use std::time::Duration;

/// How long an answer is remembered under a key that the caller gave.
const KEEP_GIVEN: Duration = Duration::from_hours(24);
/// How long under one that is derived from the arguments: a caller that means it twice need not wait for long.
const KEEP_DERIVED: Duration = Duration::from_mins(10);

/// A writing call.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who calls.
    pub principal: Principal,
    /// Which tool.
    pub tool: &'static str,
    /// The key that the caller gave. The id of the JSON-RPC request is none: clients count from 0 again and again.
    pub key: Option<String>,
    /// All other arguments, defaults filled in.
    pub arguments: Value,
}

impl Request {
    pub(super) fn into_attempt(self) -> Attempt {
        let fingerprint = hash(&[self.tool, &self.arguments.to_string()]);
        let (key, keep) = match &self.key {
            Some(key) => (hash(&["given", key]), KEEP_GIVEN),
            None => (hash(&["derived", &fingerprint]), KEEP_DERIVED),
        };
        Attempt { owner: self.principal, key, tool: self.tool, fingerprint, keep }
    }
}

/// SHA-256 over the parts, each with its length, so that no two lists of parts are the same text.
fn hash(parts: &[&str]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    hex(context.finish().as_ref())
}
