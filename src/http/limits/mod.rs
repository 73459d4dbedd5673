//! How much anybody may ask: by address before callers are known, so that a flood costs no signatures, and by caller after
//! that. The generic cell rate algorithm, with room for bursts.

mod shared;
mod sign_in;
mod table;

use super::{
    address::{client_address, network_of},
    admission::Refusal,
    problem::Problem,
};
use crate::{
    clock::Clock,
    config,
    model::Caller,
    redis::Redis,
    tasks::Tasks,
    telemetry::{Limit, Metrics},
};
use axum::{extract::Request, response::IntoResponse as _};
use http::{Extensions, HeaderMap, StatusCode};
use ipnet::IpNet;
use shared::Shared;
use sign_in::SignIn;
use std::{net::IpAddr, sync::Arc, time::Duration};
use table::Table;

/// How often what is over is forgotten.
const TIDY_EVERY: Duration = Duration::from_mins(1);

/// One request each interval, and so many at once after a pause.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    pub(super) interval: Duration,
    pub(super) burst: u32,
}

/// All limits of one server. Clones share them.
#[derive(Debug, Clone)]
pub struct Limiter(Option<Arc<Parts>>);

#[derive(Debug)]
struct Parts {
    addresses: Table,
    callers: Table,
    sign_in: SignIn,
    /// What all servers together allow, where they share a Redis.
    shared: Option<Shared>,
    trusted_proxies: Vec<IpNet>,
    shared_addresses: Vec<IpNet>,
    metrics: Metrics,
}

impl Limiter {
    /// With these settings; without limits if they are turned off.
    pub fn new(config: &config::Config, redis: Option<Redis>, clock: &Clock, metrics: Metrics) -> Self {
        let settings = &config.limits;
        if !settings.enabled {
            return Self(None);
        }
        let callers = Rate::a_minute(settings.caller_requests_a_minute, settings.caller_burst);
        // What a server allows by itself when the others cannot be asked.
        let part = if redis.is_some() { callers.divided(settings.servers) } else { callers };
        Self(Some(Arc::new(Parts {
            addresses: Table::new(Rate::a_minute(settings.address_requests_a_minute, settings.address_burst), clock),
            sign_in: SignIn::new(settings, clock),
            callers: Table::new(part, clock),
            shared: redis.map(|redis| Shared::new(redis, callers)),
            trusted_proxies: config.server.trusted_proxies.clone(),
            shared_addresses: settings.shared_addresses.clone(),
            metrics,
        })))
    }

    /// Lets a request through if its address has not asked too much.
    pub(super) fn admit_address(&self, request: &Request) -> Result<(), Refusal> {
        match self.0.as_ref().and_then(|parts| parts.wait_of_address(request)) {
            Some(wait) => {
                Err(refuse(wait, "This address has sent too many requests: wait as long as Retry-After says."))
            }
            None => Ok(()),
        }
    }

    /// Lets a request through if its caller has not asked too much.
    pub(super) async fn admit_caller(&self, caller: &Caller) -> Result<(), Refusal> {
        match self.wait_of_caller(caller).await {
            Some(wait) => Err(refuse(wait, "You have sent too many requests: wait as long as Retry-After says.")),
            None => Ok(()),
        }
    }

    /// Counts a request of this caller; how long to wait if it is too many.
    pub async fn wait_of_caller(&self, caller: &Caller) -> Option<Duration> {
        self.0.as_ref()?.wait_of_caller(caller).await
    }

    /// Forgets from time to time who has not asked for long.
    pub fn tidy(&self, tasks: &Tasks, clock: &Clock, metrics: Metrics) {
        let Some(parts) = self.0.clone() else { return };
        let clock = clock.clone();
        tasks.supervise("limits_upkeep", metrics, move || {
            let (parts, clock) = (Arc::clone(&parts), clock.clone());
            async move {
                loop {
                    clock.sleep(TIDY_EVERY).await;
                    parts.addresses.tidy();
                    parts.callers.tidy();
                    parts.sign_in.tidy();
                }
            }
        });
    }
}

impl Rate {
    fn a_minute(requests: u32, burst: u32) -> Self {
        Self { interval: Duration::from_mins(1) / requests.max(1), burst }
    }

    fn an_hour(requests: u32, burst: u32) -> Self {
        Self { interval: Duration::from_hours(1) / requests.max(1), burst }
    }

    fn divided(self, by: u32) -> Self {
        let by = by.max(1);
        Self { interval: self.interval * by, burst: (self.burst / by).max(1) }
    }

    fn times(self, by: u32) -> Self {
        Self { interval: self.interval / by.max(1), burst: self.burst.saturating_mul(by) }
    }
}

impl Parts {
    /// How long to wait, if this address has asked too much.
    fn wait_of_address(&self, request: &Request) -> Option<Duration> {
        let wait = self.addresses.wait(&self.network(request.extensions(), request.headers())?);
        if wait.is_some() {
            self.metrics.rate_limited(Limit::Address);
        }
        wait
    }

    /// From which network a request comes; none for those behind whose addresses are many people: each of them is limited as
    /// a caller.
    fn network(&self, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
        let address = self.address(extensions, headers)?;
        let is_shared = self.shared_addresses.iter().any(|network| network.contains(&address));
        (!is_shared).then(|| network_of(address))
    }

    fn address(&self, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
        client_address(extensions, headers, &self.trusted_proxies)
    }

    async fn wait_of_caller(&self, caller: &Caller) -> Option<Duration> {
        let name = caller.principal.as_str().as_bytes();
        let wait = match &self.shared {
            Some(shared) => shared.wait(name).await.unwrap_or_else(|_unavailable| self.callers.wait(&name)),
            None => self.callers.wait(&name),
        };
        if wait.is_some() {
            self.metrics.rate_limited(Limit::Caller);
        }
        wait
    }
}

/// In whole seconds, rounded up: whoever waits so long is served.
fn refuse(wait: Duration, detail: &'static str) -> Refusal {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).retry_after(seconds).into_response().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_07_an_ipv6_network_of_64_bits_is_one_address() {
        let of = |text: &str| network_of(text.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("203.0.113.1"), of("203.0.113.2"));
    }
}
