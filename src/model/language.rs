//! Languages (BCP 47, RFC 5646) and regions (CLDR, two letters) as they are sent to Google.

use super::grammar::{Invalid, Pattern, compile};

/// The well-formed part of BCP 47 that is of use here: language, then script, region and variants.
pub static LANGUAGE_PATTERN: Pattern = Pattern::new(|| compile("^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$"));

/// A two-letter CLDR region.
pub static REGION_PATTERN: Pattern = Pattern::new(|| compile("^[A-Za-z]{2}$"));

/// A language tag such as `en` or `pt-BR`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Language(String);

impl Language {
    /// Parses a language tag.
    ///
    /// # Errors
    /// [`Invalid`] when the text is not a well-formed tag.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if LANGUAGE_PATTERN.is_match(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid { what: "a language", allowed: "a BCP 47 tag such as `en` or `pt-BR`" })
        }
    }

    /// What is read where nobody says otherwise.
    pub fn english() -> Self {
        Self("en".to_owned())
    }

    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A region such as `DE`, in upper case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Region(String);

impl Region {
    /// Parses a region.
    ///
    /// # Errors
    /// [`Invalid`] when the text is not two letters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if REGION_PATTERN.is_match(text) {
            Ok(Self(text.to_ascii_uppercase()))
        } else {
            Err(Invalid { what: "a region", allowed: "two letters such as `DE`" })
        }
    }

    /// The region as text, in upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_follow_their_grammar() {
        for good in ["en", "de", "pt-BR", "zh-Hant-TW", "es-419", "fil"] {
            assert!(Language::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "e", "en\r\nX-Evil: 1", "../", "en_US", "english!", &"en-".repeat(400)] {
            assert!(Language::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Region::parse("de").expect("valid").as_str(), "DE");
        assert!(Region::parse("DEU").is_err());
        assert!(Region::parse("d1").is_err());
    }
}
