//! What a caller may do. Each tool needs one of these; a token or key carries some of them.

use std::fmt;

/// One permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Ask for places, reviews, analyses and one's own reports.
    ReviewsRead,
    /// Make reports.
    ReportsWrite,
}

impl Scope {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 2] = [Self::ReviewsRead, Self::ReportsWrite];

    /// The name in tokens, challenges and metadata.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReviewsRead => "reviews:read",
            Self::ReportsWrite => "reports:write",
        }
    }

    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Some permissions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Scopes(u8);

impl Scopes {
    /// None.
    pub const NONE: Self = Self(0);

    /// All that there are.
    pub fn all() -> Self {
        Scope::ALL.into_iter().collect()
    }

    /// From names with spaces between them; names of other permissions are left out. Source: RFC 6749 §3.3.
    pub fn parse(names: &str) -> Self {
        names.split(' ').filter_map(Scope::parse).collect()
    }

    /// Whether this one is among them.
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// These and one more.
    #[must_use]
    pub fn with(self, scope: Scope) -> Self {
        Self(self.0 | scope.bit())
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for Scopes {
    /// Their names with spaces between them.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Scope::ALL.into_iter().filter(|scope| self.contains(*scope)).map(Scope::as_str).collect();
        formatter.write_str(&names.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        let scopes = Scopes::parse("offline_access reports:write reviews:read reviews:readx");
        assert_eq!(scopes.to_string(), "reviews:read reports:write");
        assert_eq!(scopes, Scopes::all());
        assert!(Scopes::parse("REVIEWS:READ,reports:write").is_empty());
        assert!(!Scopes::parse("reviews:read").contains(Scope::ReportsWrite));
    }
}
