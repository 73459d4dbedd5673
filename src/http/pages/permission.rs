//! What a client asks a person for, in words.

use crate::model::Scope;

/// The name of staying connected. Source: OpenID Connect Core 1.0 §11.
const OFFLINE_ACCESS: &str = "offline_access";

/// Something that a person can grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Permission {
    /// Part of what the server does.
    Use(Scope),
    /// Refresh tokens.
    StayConnected,
}

impl Permission {
    /// From names with spaces between them, each once and in our order; names of other permissions are left out.
    pub(in crate::http) fn parse(names: &str) -> Vec<Self> {
        let all = Scope::ALL.into_iter().map(Self::Use).chain([Self::StayConnected]);
        all.filter(|permission| names.split(' ').any(|name| name == permission.name())).collect()
    }

    /// The technical name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Use(scope) => scope.as_str(),
            Self::StayConnected => OFFLINE_ACCESS,
        }
    }

    /// What it lets a client do, to somebody who must decide.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Use(Scope::ReviewsRead) => "Read places and reviews, and analyse them (may cost Google API calls)",
            Self::Use(Scope::ReportsWrite) => "Create reports",
            Self::StayConnected => "Stay connected for up to 90 days, without asking again",
        }
    }

    /// The same to somebody who has decided.
    pub(super) fn short(self) -> &'static str {
        match self {
            Self::Use(Scope::ReviewsRead) => "read places and reviews",
            Self::Use(Scope::ReportsWrite) => "create reports",
            Self::StayConnected => "stay connected",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_told_once_and_in_our_order() {
        let names = |text| Permission::parse(text).into_iter().map(Permission::name).collect::<Vec<_>>();
        assert_eq!(names("offline_access reviews:read openid reviews:read"), ["reviews:read", "offline_access"]);
        assert_eq!(names("reports:write"), ["reports:write"]);
        assert_eq!(names(""), Vec::<&str>::new());
    }
}
