//! What a client asks for, and what a person grants of it: permissions, and staying connected.

use crate::model::{Scope, Scopes};

/// The name by which a client asks to stay connected. Source: OpenID Connect Core §11.
pub(super) const OFFLINE: &str = "offline_access";

/// Permissions, and whether the connection outlasts the first token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permissions {
    /// What may be done.
    pub scopes: Scopes,
    /// Whether without asking again.
    pub offline: bool,
}

impl Permissions {
    /// What a client asks for by these names; all that there is if it names nothing. Names that are not known are left out,
    /// and nothing is left if none is known. Source: RFC 6749 §3.3.
    pub(super) fn asked(names: Option<&str>) -> Option<Self> {
        let Some(names) = names else { return Some(Self { scopes: Scopes::all(), offline: false }) };
        let asked = Self::parse(names);
        (!asked.scopes.is_empty()).then_some(asked)
    }

    pub(super) fn parse(names: &str) -> Self {
        Self { scopes: Scopes::parse(names), offline: names.split(' ').any(|name| name == OFFLINE) }
    }

    /// Whether all of `other` is in it.
    pub(super) fn covers(self, other: Self) -> bool {
        let has = |scope: &Scope| !other.scopes.contains(*scope) || self.scopes.contains(*scope);
        Scope::ALL.iter().all(has) && (self.offline || !other.offline)
    }

    /// What is in both.
    pub(super) fn and(self, other: Self) -> Self {
        let both = |scope: &Scope| self.scopes.contains(*scope) && other.scopes.contains(*scope);
        Self { scopes: Scope::ALL.into_iter().filter(both).collect(), offline: self.offline && other.offline }
    }

    /// What is in one of them.
    pub(super) fn or(self, other: Self) -> Self {
        let either = |scope: &Scope| self.scopes.contains(*scope) || other.scopes.contains(*scope);
        Self { scopes: Scope::ALL.into_iter().filter(either).collect(), offline: self.offline || other.offline }
    }

    /// The names with spaces between them.
    pub(super) fn names(self) -> String {
        let names = self.scopes.to_string();
        if self.offline { format!("{names} {OFFLINE}").trim_start().to_owned() } else { names }
    }
}

/// All names that clients may ask for.
pub(super) fn supported() -> Vec<&'static str> {
    Scope::ALL.map(Scope::as_str).into_iter().chain([OFFLINE]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_or_left_out() {
        let asked = |names| Permissions::asked(names).map(Permissions::names);
        assert_eq!(asked(None).as_deref(), Some("reviews:read reports:write"));
        assert_eq!(asked(Some("openid offline_access reviews:read")).as_deref(), Some("reviews:read offline_access"));
        assert_eq!((asked(Some("openid")), asked(Some("offline_access"))), (None, None));
        let (all, one) =
            (Permissions::parse("reviews:read reports:write offline_access"), Permissions::parse("reviews:read"));
        assert!(all.covers(one) && !one.covers(all) && all.and(one) == one && all.or(one) == all);
    }
}
