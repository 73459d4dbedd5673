//! `PersonName`: by which a person signs in.

use super::{
    grammar::{Invalid, Pattern, compile},
    hex, random_bytes,
};
use std::{fmt, str::FromStr};

/// The grammar of a person's name. ASCII alone, so that no two names look alike; there is room for a mail address.
pub static PERSON_NAME_PATTERN: Pattern = Pattern::new(|| compile("^[A-Za-z0-9._@+-]{1,64}$"));

/// Letters of a name at most, as in its grammar.
const LONGEST: usize = 64;
/// Of these, for what sets two names apart.
const APART: usize = 5;

/// The name of a person, in lower case: however it is written, it is the same person.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PersonName(String);

impl PersonName {
    /// Parses a name, and brings it to lower case.
    ///
    /// # Errors
    /// [`Invalid`] when the text does not follow [`PERSON_NAME_PATTERN`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let well_formed = PERSON_NAME_PATTERN.is_match(text);
        well_formed.then(|| Self(text.to_ascii_lowercase())).ok_or(Invalid {
            what: "a name",
            allowed: "1 to 64 characters: letters from a to z, digits, and . _ - @ +",
        })
    }

    /// One that looks like this text, whatever it is, with room for [`PersonName::apart`].
    pub fn like(text: &str) -> Self {
        let possible = |letter: char| letter.is_ascii_alphanumeric() || "._@+-".contains(letter);
        let letters = text.chars().map(|letter| if possible(letter) { letter.to_ascii_lowercase() } else { '_' });
        let name: String = letters.take(LONGEST - APART).collect();
        Self(if name.is_empty() { "somebody".to_owned() } else { name })
    }

    /// One that looks like this one, where somebody else has it.
    #[must_use]
    pub fn apart(&self) -> Self {
        let begin: String = self.0.chars().take(LONGEST - APART).collect();
        Self(format!("{begin}-{}", hex(&random_bytes::<2>())))
    }

    /// In lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PersonName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for PersonName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_ascii_and_have_one_form() {
        let (longest, too_long) = ("x".repeat(64), "x".repeat(65));
        for (good, form) in [
            ("ada", "ada"),
            ("Ada.Lovelace+reviews@Example.org", "ada.lovelace+reviews@example.org"),
            ("_-7", "_-7"),
            (&longest, &longest),
        ] {
            assert_eq!(PersonName::parse(good).map(|name| name.to_string()).as_deref(), Ok(form));
        }
        for bad in [
            "",
            " ",
            "ada lovelace",
            "ada\n",
            "\u{430}da",
            "\u{212a}",
            "ada\u{0}",
            "a/b",
            "<b>",
            "\u{200b}ada",
            &too_long,
        ] {
            assert!(PersonName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn any_text_can_be_made_a_name_and_any_name_another() {
        for (text, name) in [
            ("Ada@Example.com", "ada@example.com"),
            ("o'brien@example.com", "o_brien@example.com"),
            ("\u{430}da <b>", "_da__b_"),
            ("", "somebody"),
            (&"x".repeat(300), &"x".repeat(59)),
        ] {
            let like = PersonName::like(text);
            assert_eq!(like.as_str(), name);
            let apart = like.apart();
            assert!(apart.as_str().starts_with(&format!("{name}-")) && apart != like.apart());
            assert_eq!(PersonName::parse(apart.as_str()), Ok(apart));
        }
    }
}
