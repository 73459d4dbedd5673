//! `ReportId`: the name of a stored report.

use super::grammar::{Invalid, Pattern, compile};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// The grammar of a report id, as published in tool schemas: a UUID in lower case (RFC 9562).
pub static REPORT_ID_PATTERN: Pattern =
    Pattern::new(|| compile("^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"));

/// The name of a report; later ones sort after earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReportId(Uuid);

impl ReportId {
    /// Parses a report id.
    ///
    /// # Errors
    /// [`Invalid`] when the text does not follow [`REPORT_ID_PATTERN`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = Invalid { what: "a report id", allowed: "a UUID in lower case, as create_report gives it" };
        let well_formed = Some(text).filter(|text| REPORT_ID_PATTERN.is_match(text));
        well_formed.and_then(|text| Uuid::parse_str(text).ok()).map(Self).ok_or(invalid)
    }
}

impl From<Uuid> for ReportId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl fmt::Display for ReportId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(formatter)
    }
}

impl TryFrom<String> for ReportId {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<ReportId> for String {
    fn from(id: ReportId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_uuids_in_lower_case_are_report_ids() {
        let good = "019a9d3e-5c00-7abc-8def-0123456789ab";
        assert_eq!(ReportId::parse(good).map(|id| id.to_string()).as_deref(), Ok(good));
        for bad in
            ["", "x", "019A9D3E-5C00-7ABC-8DEF-0123456789AB", "../019a9d3e", "{019a9d3e-5c00-7abc-8def-0123456789ab}"]
        {
            assert!(ReportId::parse(bad).is_err(), "{bad}");
        }
    }
}
