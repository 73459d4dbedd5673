//! All integration tests in one binary: the real server on real sockets, each test with a server and an emulator of
//! its own.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::float_cmp,
    clippy::manual_assert,
    clippy::needless_pass_by_value,
    reason = "tests"
)]

mod analysis;
mod architecture;
mod caching;
mod canaries;
mod clouds;
mod commands;
mod configuration;
mod crash;
mod definitions;
mod deploy;
mod drift;
mod edge;
mod emulator;
mod endurance;
mod eras;
mod errors;
mod handbook;
mod health;
mod hostile_reviews;
mod idempotency;
mod injection;
mod interop;
mod kubernetes;
mod oauth;
mod observed;
mod operations;
mod page;
mod people;
mod process;
mod prompts;
mod protocol;
mod proxied;
mod rates;
mod recorded;
mod redis_faults;
mod release;
mod replicas;
mod reports;
mod resilience;
mod signing_keys;
mod smoke;
mod stdio;
mod stopping;
mod store_faults;
mod support;
mod tokens;
mod tools;
mod traces;
