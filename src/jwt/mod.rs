//! SIGNED TOKENS, whoever takes them: their form, the keys of an issuer, and whether one of these has signed a token. What a
//! token must say, and what follows from it, is decided where it is taken: `auth` takes access tokens, `oauth` the ID tokens
//! of a provider at which people sign in.
//!
//! Sources: RFC 7515 (JWS), RFC 7517 (JWK), RFC 7519 (JWT), RFC 8725 (best practices).

mod claims;
mod issuer;
mod jwks;
mod token;

pub use claims::{Audience, moment};
pub use issuer::{Issuer, LIMITS, Metadata};
pub use jwks::Jwks;
pub use token::Unverified;

use std::time::Duration;

/// How far the clocks of two machines may be apart.
pub const LEEWAY: Duration = Duration::from_secs(30);
