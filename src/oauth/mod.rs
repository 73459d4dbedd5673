//! THE AUTHORIZATION SERVER: a side room for the self-hoster who has no identity provider. People sign in here, agree to
//! what a client may do, and the client gets tokens that `auth` takes. Small and strict: authorization code with PKCE,
//! rotating refresh tokens, nothing else.
//!
//! Sources: OAuth 2.1 (draft 13), RFC 6749, RFC 7009, RFC 7591, RFC 7636, RFC 8414, RFC 8707, RFC 9068, RFC 9207, RFC 9700.

mod key_ring;
mod keys;
mod passwords;
mod people;
mod seal;
mod signing_key;

pub use crate::store::{Invitation, Person};
pub use keys::{Keys, KeysError};
pub use passwords::BadPassword;
pub use people::{People, SetUpError, SignInError, SignedIn, session_cutoff};
