//! Sign-in with accounts of a provider outside, and who of them is let in.

use crate::model::{Invalid, MailAddress};
use secrecy::SecretString;
use std::str::FromStr;

/// How people sign in, where they do so here.
#[derive(Debug, Clone)]
pub struct Login {
    /// The provider, letter by letter as in its `iss`.
    pub issuer: Option<String>,
    /// By which this server is known there.
    pub client_id: Option<String>,
    /// By which it shows that it is.
    pub client_secret: Option<SecretString>,
    /// What people call the provider, if not by its host.
    pub name: Option<String>,
    /// Who of those that have an account there may sign in.
    pub allowed: Vec<Allowed>,
    /// Whether people can also sign in with a password of this server.
    pub passwords: bool,
}

impl Login {
    /// Whether somebody with this address may sign in, if the provider has told one that it vouches for.
    pub fn admits(&self, address: Option<&MailAddress>) -> bool {
        self.allowed.iter().any(|allowed| match (allowed, address) {
            (Allowed::Everybody, _) => true,
            (Allowed::Address(one), Some(address)) => one == address,
            (Allowed::Domain(domain), Some(address)) => domain == address.domain(),
            (Allowed::Address(_) | Allowed::Domain(_), None) => false,
        })
    }
}

/// Some who may sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// Whoever has an account.
    Everybody,
    /// Whoever has an address at exactly this domain.
    Domain(String),
    /// Whoever has this address.
    Address(MailAddress),
}

impl FromStr for Allowed {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        // What can stand behind an `@` is a domain.
        let as_domain = || MailAddress::parse(&format!("x@{text}")).map(|address| address.domain().to_owned());
        match (text, MailAddress::parse(text)) {
            ("*", _) => Ok(Self::Everybody),
            (_, Ok(address)) => Ok(Self::Address(address)),
            (_, Err(_)) => as_domain().map(Self::Domain).map_err(|_| Invalid {
                what: "each",
                allowed: "an address such as ada@example.com, a domain such as example.com, or * for everybody",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(allowed: &str, address: Option<&str>) -> bool {
        let allowed = allowed.split(' ').map(|one| one.parse().unwrap()).collect();
        let login = Login { issuer: None, client_id: None, client_secret: None, name: None, allowed, passwords: true };
        login.admits(address.map(|text| text.parse().unwrap()).as_ref())
    }

    #[test]
    fn an_address_is_allowed_by_itself_or_by_exactly_its_domain() {
        for (allowed, address, is_admitted) in [
            ("ada@example.com", "ada@example.com", true),
            ("Ada@Example.com", "aDA@exaMPLE.com", true),
            ("ada@example.com", "eve@example.com", false),
            ("ada@example.com", "ada@example.com.evil.example", false),
            ("example.com", "ada@example.com", true),
            ("EXAMPLE.com", "ada@example.com", true),
            ("example.com", "ada@mail.example.com", false),
            ("example.com", "ada@evilexample.com", false),
            ("example.com", "example.com@evil.example", false),
            ("eve@evil.example example.com", "ada@example.com", true),
            ("*", "eve@evil.example", true),
        ] {
            assert_eq!(admits(allowed, Some(address)), is_admitted, "{allowed}, {address}");
        }
        assert!(admits("*", None) && !admits("example.com", None) && !admits("ada@example.com", None));
    }

    #[test]
    fn what_is_neither_is_told() {
        for bad in ["@example.com", "ada@", "*.example.com", "ada@*", "example.com,example.org", "https://example.com"]
        {
            assert!(bad.parse::<Allowed>().is_err(), "{bad}");
        }
    }
}
