//! `MailAddress`: by which a provider says who somebody is.

use super::grammar::{Invalid, Pattern, compile};
use std::{fmt, str::FromStr};

/// The grammar of an address as it is in use. ASCII alone: no two look alike, and the part after the only `@` is the domain.
static MAIL_ADDRESS_PATTERN: Pattern =
    Pattern::new(|| compile(r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,8}$"));

/// A mail address in lower case: no provider of today gives two people addresses that differ in case alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailAddress(String);

impl MailAddress {
    /// Parses an address, and brings it to lower case.
    ///
    /// # Errors
    /// [`Invalid`] when the text is none, or one with quotes, comments or letters beyond ASCII.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let well_formed = MAIL_ADDRESS_PATTERN.is_match(text);
        well_formed
            .then(|| Self(text.to_ascii_lowercase()))
            .ok_or(Invalid { what: "a mail address", allowed: "such as ada@example.com" })
    }

    /// What stands behind the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// In lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for MailAddress {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_form_and_one_domain() {
        for (good, form, domain) in [
            ("ada@example.com", "ada@example.com", "example.com"),
            ("Ada.O'Brien+x@Mail.Example.COM", "ada.o'brien+x@mail.example.com", "mail.example.com"),
            ("root@localhost", "root@localhost", "localhost"),
        ] {
            let address = MailAddress::parse(good).unwrap();
            assert_eq!((address.as_str(), address.domain()), (form, domain));
        }
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@example.com.",
            "ada@.example.com",
            "ada@example..com",
            "eve@evil.example@example.com",
            "\"eve@evil.example\"@example.com",
            "ada@example.com\n",
            "ada@example.com,eve@evil.example",
            " ada@example.com",
            "ada@ex\u{e4}mple.com",
            "ada@e\u{445}ample.com",
            "\u{17f}@example.com",
            "ada@\u{212a}.example",
            "ada@[127.0.0.1]",
        ] {
            assert!(MailAddress::parse(bad).is_err(), "{bad:?}");
        }
    }
}
