//! `RequestId`: the reference that ties an answer, its log line and a bug report together.

use std::fmt;
use uuid::Uuid;

/// A random name of one request. Always ours: one that a caller sends could forge log lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// A name that was never used before.
    pub fn random() -> Self {
        Self(Uuid::new_v4().simple().to_string())
    }

    /// The name as text: 32 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
