//! What an ID token must say, and what it says of a person. Times are compared with the clock that is passed in. Source: OpenID
//! Connect Core §2, §3.1.3.7 and §5.1.

use super::{Account, NotArrived, Provider, exchange::Given};
use crate::{
    jwt::{Audience, LEEWAY, Unverified, moment},
    model::{MailAddress, PersonName},
    store::Identity,
    telemetry::AuthFailure,
};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::Value;

/// Source: OpenID Connect Core §2.
const LONGEST_SUBJECT: usize = 255;

/// Where everybody can have an account by any address, and keeps it when the address is no longer theirs. Google vouches for
/// addresses that it hosts: its own, and those of organisations, which it names in `hd`. Source:
/// <https://developers.google.com/identity/gsi/web/guides/verify-google-id-token>.
const GOOGLE: &str = "https://accounts.google.com";
const GOOGLES_OWN: &str = "gmail.com";

/// What an ID token claims. Fields that are named twice are refused.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
    #[serde(flatten)]
    told: Told,
}

/// What is told of a person, in an ID token or beside it. What has another form than it should is as good as not told.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Told {
    email: Option<Value>,
    email_verified: Option<Value>,
    hd: Option<Value>,
    preferred_username: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Person {
    sub: String,
    #[serde(flatten)]
    told: Told,
}

impl Provider {
    /// What the ID token claims, if it is the provider's and for this sign-in.
    pub(super) async fn claims(&self, given: &Given, nonce: &str, now: Timestamp) -> Result<Claims, AuthFailure> {
        let token = Unverified::read(given.id_token.expose_secret())?;
        if token.kind().is_some_and(|kind| !kind.eq_ignore_ascii_case("JWT")) {
            return Err(AuthFailure::WrongType);
        }
        let claims = self.issuer.claims(&token).await?;
        let claims: Claims = serde_json::from_slice(&claims).map_err(|_| AuthFailure::WrongClaims)?;
        claims.check((self.issuer.name(), &self.client_id), nonce, now)?;
        Ok(claims)
    }
}

impl Claims {
    fn check(&self, (issuer, client_id): (&str, &str), nonce: &str, now: Timestamp) -> Result<(), AuthFailure> {
        if self.iss != issuer {
            return Err(AuthFailure::WrongIssuer);
        }
        let audiences = self.aud.names();
        // One of several must be said to be meant.
        let is_meant = self.azp.as_deref().map_or(audiences.len() == 1, |party| party == client_id);
        if !is_meant || !audiences.iter().any(|name| name == client_id) {
            return Err(AuthFailure::WrongAudience);
        }
        if self.nonce.as_deref() != Some(nonce) || self.sub.is_empty() || self.sub.len() > LONGEST_SUBJECT {
            return Err(AuthFailure::WrongClaims);
        }
        if moment(self.exp)? + LEEWAY <= now {
            return Err(AuthFailure::Expired);
        }
        for begins in [Some(self.iat), self.nbf].into_iter().flatten() {
            if moment(begins)? > now + LEEWAY {
                return Err(AuthFailure::NotYetValid);
            }
        }
        Ok(())
    }

    pub(super) fn subject(&self) -> &str {
        &self.sub
    }

    pub(super) fn has_address(&self) -> bool {
        self.told.email.is_some()
    }

    /// What is told beside the token counts where the token says nothing.
    pub(super) fn add(&mut self, told: Told) {
        self.told = told;
    }

    /// What an answer tells of this person, and of no other.
    pub(super) fn of_person(body: &[u8], subject: &str) -> Result<Told, NotArrived> {
        let person: Person = serde_json::from_slice(body).map_err(|_| AuthFailure::WrongClaims)?;
        if person.sub == subject { Ok(person.told) } else { Err(AuthFailure::WrongClaims.into()) }
    }

    /// The account.
    pub(super) fn account(self, issuer: &str) -> Account {
        let address = self.told.address(issuer);
        let name = address.as_ref().map(MailAddress::as_str).or(self.told.username());
        Account {
            name: PersonName::like(name.unwrap_or_default()),
            identity: Identity { issuer: issuer.to_owned(), subject: self.sub },
            address,
        }
    }
}

impl Told {
    /// The address, if the provider says that it has verified it; some say so in a word.
    fn address(&self, issuer: &str) -> Option<MailAddress> {
        let is_verified = match self.email_verified.as_ref()? {
            Value::Bool(is_verified) => *is_verified,
            Value::String(word) => word == "true",
            _ => false,
        };
        let address = MailAddress::parse(self.email.as_ref()?.as_str()?).ok()?;
        let is_hosted = issuer != GOOGLE || self.hd.is_some() || address.domain() == GOOGLES_OWN;
        (is_verified && is_hosted).then_some(address)
    }

    fn username(&self) -> Option<&str> {
        self.preferred_username.as_ref()?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Somebody who has left a company keeps a Google account that was made with its address.
    #[test]
    fn google_vouches_for_the_addresses_that_it_hosts() {
        for (issuer, address, organisation, is_vouched_for) in [
            (GOOGLE, "ada@gmail.com", None, true),
            (GOOGLE, "ada@example.com", Some("example.com"), true),
            (GOOGLE, "ada@example.com", None, false),
            (GOOGLE, "ada@gmail.com.example.com", None, false),
            ("https://login.example.com", "ada@example.com", None, true),
        ] {
            let told = json!({"email": address, "email_verified": true, "hd": organisation});
            let told: Told = serde_json::from_value(told).unwrap();
            assert_eq!(told.address(issuer).is_some(), is_vouched_for, "{issuer} {address} {organisation:?}");
        }
    }
}
