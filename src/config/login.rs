//! Rules for sign-in with accounts of a provider outside: who is let in is said, and so is what the provider knows this
//! server by.

use super::{Config, Problem, callers::is_issuer, check::problem};

const ELSEWHERE: &str = "is used where people sign in here only, with auth.mode oauth and an empty auth.issuer";

/// What of these rules the configuration breaks.
pub(super) fn problems(config: &Config) -> Vec<Problem> {
    let (auth, login) = (&config.auth, &config.auth.login);
    let mut found = Vec::new();
    let Some(issuer) = &login.issuer else {
        let needing = [
            ("auth.login.client_id", login.client_id.is_some()),
            ("auth.login.client_secret", login.client_secret.is_some()),
            ("auth.login.name", login.name.is_some()),
            ("auth.login.allowed", !login.allowed.is_empty()),
        ];
        let idle = needing.into_iter().filter(|(_, is_set)| *is_set);
        found.extend(
            idle.map(|(key, _)| problem(key, "is used with auth.login.issuer only: set that, or leave it empty")),
        );
        if !login.passwords {
            let nobody = "must be true without auth.login.issuer: nobody could sign in";
            found.push(problem("auth.login.passwords", nobody));
        }
        return found;
    };
    if !auth.is_own() {
        found.push(problem("auth.login.issuer", ELSEWHERE));
    }
    if !is_issuer(issuer) {
        found.push(problem(
            "auth.login.issuer",
            "must be an https address without query, exactly as in `iss`; plain http is for loopback only",
        ));
    }
    if login.client_id.is_none() {
        found.push(problem("auth.login.client_id", "must be set with auth.login.issuer: the provider gives one"));
    }
    if login.allowed.is_empty() {
        found.push(problem(
            "auth.login.allowed",
            "must say who may sign in: addresses, domains, or * for everybody who has an account at auth.login.issuer",
        ));
    }
    found
}
