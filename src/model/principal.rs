//! `Principal`: who calls. What belongs to one is shown to no other.

use std::fmt;

/// A caller, by a name that never changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal(String);

impl Principal {
    /// By this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The one caller of a server without sign-in: whoever sits at the machine.
    pub fn local() -> Self {
        Self::new("local")
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
