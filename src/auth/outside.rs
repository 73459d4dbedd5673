//! An issuer outside, such as a company's sign-in, whose access tokens this server takes.

use super::{
    Denied,
    access_token::{Rules, Verified},
};
use crate::{
    clock::Clock,
    config,
    jwt::{Issuer, LEEWAY, Unverified},
};
use std::sync::Arc;

/// The issuer, and what its tokens must be like.
#[derive(Debug)]
pub struct Outside {
    rules: Rules,
    issuer: Arc<Issuer>,
    clock: Clock,
}

impl Outside {
    /// This issuer.
    pub fn new(settings: &config::Auth, issuer: Arc<Issuer>, clock: Clock) -> Self {
        let rules = Rules {
            issuer: issuer.name().to_owned(),
            audience: settings.audience.clone(),
            must_be_typed: settings.requires_typed_tokens,
            leeway: LEEWAY,
        };
        Self { rules, issuer, clock }
    }

    /// Its name, as in `iss`.
    pub fn name(&self) -> &str {
        &self.rules.issuer
    }

    /// Whose token this is, if it is meant for `resource`.
    pub(super) async fn judge(&self, token: &str, resource: &str) -> Result<Verified, Denied> {
        let token = Unverified::read(token)?;
        let claims = self.issuer.claims(&token).await?;
        Ok(self.rules.judge(&token, &claims, resource, self.clock.now())?)
    }
}
