//! `PlaceId`: the stable name of a place, the only Google content that may be kept without limit.

use super::grammar::{Invalid, Pattern, compile};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The grammar of a place id, as published in tool schemas. Google documents the ids as opaque text of no fixed
/// length; all that were seen are URL-safe base64, which also keeps them from escaping a URL path.
pub static PLACE_ID_PATTERN: Pattern = Pattern::new(|| compile("^[A-Za-z0-9_-]{10,512}$"));

/// A place id that follows [`PLACE_ID_PATTERN`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlaceId(String);

impl PlaceId {
    /// Parses a place id.
    ///
    /// # Errors
    /// [`Invalid`] when the text does not follow [`PLACE_ID_PATTERN`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if PLACE_ID_PATTERN.is_match(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid { what: "a place id", allowed: "10 to 512 letters, digits, `_` or `-`" })
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PlaceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for PlaceId {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<PlaceId> for String {
    fn from(id: PlaceId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_could_leave_a_url_path_are_refused() {
        for bad in
            ["../v1/other", "a/b", "ChIJN1t_tD?key=x", "ChIJN1t_tD#b", "%2e%2e%2e%2e", "short", "ChIJN1t_tDeu\n", ""]
        {
            assert!(PlaceId::parse(bad).is_err(), "{bad:?}");
        }
        assert!(PlaceId::parse(&"a".repeat(513)).is_err());
        assert!(PlaceId::parse("ChIJN1t_tDeuEmsRUsoyG83frY4").is_ok());
        assert!(PlaceId::parse(&"a".repeat(512)).is_ok());
    }
}
