//! How often anybody may try to sign in, register a client, or ask for tokens, where people sign in here. A name can be tried
//! from everywhere, and an address can try every name: both are bounded, more widely than the two together, so that whoever
//! tries the name of somebody else does not keep that one out at once.

use super::{Limiter, Rate, refuse, table::Table};
use crate::{
    clock::Clock,
    config,
    http::{address::network_of, admission::Refusal},
    telemetry::Limit,
};
use axum::extract::Request;
use http::{Extensions, HeaderMap};
use std::time::Duration;

/// How many times more is allowed with one name from all addresses, and from one address with all names.
const WIDER: u32 = 5;

#[derive(Debug)]
pub(super) struct SignIn {
    tries: Table,
    names: Table,
    addresses: Table,
    registrations: Table,
    clients: Table,
}

impl SignIn {
    pub(super) fn new(limits: &config::Limits, clock: &Clock) -> Self {
        let tries = Rate::an_hour(limits.sign_ins_an_hour, limits.sign_in_burst);
        let registrations = Rate::an_hour(limits.registrations_an_hour, limits.registration_burst);
        let clients = Rate::a_minute(limits.client_requests_a_minute, limits.client_burst);
        let table = |rate| Table::new(rate, clock);
        Self {
            tries: table(tries),
            names: table(tries.times(WIDER)),
            addresses: table(tries.times(WIDER)),
            registrations: table(registrations),
            clients: table(clients),
        }
    }

    pub(super) fn tidy(&self) {
        for table in [&self.tries, &self.names, &self.addresses, &self.registrations, &self.clients] {
            table.tidy();
        }
    }
}

impl Limiter {
    /// Counts a try to sign in with this name; how long to wait if it is too many.
    pub(in crate::http) fn wait_of_sign_in(
        &self,
        name: &str,
        extensions: &Extensions,
        headers: &HeaderMap,
    ) -> Option<Duration> {
        let parts = self.0.as_ref()?;
        let name = name.to_lowercase();
        let (network, from) = (parts.network(extensions, headers), parts.address(extensions, headers).map(network_of));
        let tables = &parts.sign_in;
        let wait = network.and_then(|network| tables.addresses.wait(&network));
        let wait = wait.or_else(|| tables.tries.wait(&(&name, from)));
        let wait = wait.or_else(|| tables.names.wait(&name));
        if wait.is_some() {
            parts.metrics.rate_limited(Limit::SignIn);
        }
        wait
    }

    /// Lets a registration through if there were not too many from its address.
    pub(in crate::http) fn admit_registration(&self, request: &Request) -> Result<(), Refusal> {
        match self.wait_of_new_client(request.extensions(), request.headers()) {
            Some(wait) => Err(refuse(
                wait,
                "Too many clients were registered from this address: wait as long as Retry-After says.",
            )),
            None => Ok(()),
        }
    }

    /// Counts a client that is new from this address, registered or fetched by its description; how long to wait if there
    /// were too many.
    pub(in crate::http) fn wait_of_new_client(&self, extensions: &Extensions, headers: &HeaderMap) -> Option<Duration> {
        let parts = self.0.as_ref()?;
        let network = parts.network(extensions, headers)?;
        let wait = parts.sign_in.registrations.wait(&network);
        if wait.is_some() {
            parts.metrics.rate_limited(Limit::Registration);
        }
        wait
    }

    /// Lets a request for tokens through if this client has not sent too many from its address: nobody else uses up what a
    /// client has, by saying to be it.
    pub(in crate::http) fn admit_client(
        &self,
        client_id: &str,
        extensions: &Extensions,
        headers: &HeaderMap,
    ) -> Result<(), Refusal> {
        let Some(parts) = &self.0 else { return Ok(()) };
        match parts.sign_in.clients.wait(&(client_id, parts.address(extensions, headers).map(network_of))) {
            Some(wait) => {
                parts.metrics.rate_limited(Limit::Client);
                Err(refuse(wait, "This client has sent too many requests: wait as long as Retry-After says."))
            }
            None => Ok(()),
        }
    }
}
