//! `Principal`: who calls. What belongs to one is shown to no other. `Caller`: who calls now, and what they may do.

use super::{Scope, Scopes, sha256_hex};
use std::fmt;

/// So many digits of the hash are logged.
const LOGGED: usize = 12;

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

    /// A person who signs in here, under whatever name this server goes.
    pub fn person(id: &str) -> Self {
        Self(format!("person:{id}"))
    }

    /// What may be logged of the name: enough to see that two calls are of the same caller.
    pub fn hashed(&self) -> String {
        sha256_hex(&self.0).chars().take(LOGGED).collect()
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

/// Who calls, and what they may do in this call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub principal: Principal,
    /// What they may do.
    pub scopes: Scopes,
}

impl Caller {
    /// Someone who may do these things.
    pub fn new(principal: Principal, scopes: Scopes) -> Self {
        Self { principal, scopes }
    }

    /// Whoever sits at the machine of a server without sign-in; may do all.
    pub fn local() -> Self {
        Self::new(Principal::local(), Scopes::all())
    }

    /// Nobody that the edge knows; may do nothing.
    pub fn nobody() -> Self {
        Self::new(Principal::new(""), Scopes::NONE)
    }

    /// Whether this is permitted.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(scope)
    }
}
