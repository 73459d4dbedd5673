//! Google Reviews MCP: one self-hosted server through which AI clients read and analyse Google reviews.
//!
//! # The rooms, in the order in which a call walks through them
//!
//! | room | what it is |
//! |---|---|
//! | [`cli`] | one file a command |
//! | [`app`] | the composition root: the only place that constructs |
//! | [`http`] | the edge: listeners, routes, Host and Origin, JSON-RPC's form, sign-in, health paths, metrics page, pages for people |
//! | [`auth`] | who calls: tokens of this server or of an issuer outside, API keys, challenges |
//! | [`jwt`] | signed tokens: their form, the keys of an issuer, signatures |
//! | [`mcp`] | the protocol: the server, the trait `Tool`, the one path of a call, transports, a client, how clients connect |
//! | [`tools`], [`prompts`], [`resources`] | what we offer: one file each |
//! | [`reviews`] | the domain: use cases, sanitising, attribution, samples, analysis, reports |
//! | [`idempotency`] | claim, lease, replay: a writing call is done once |
//! | [`cache`] | two tiers, typed keys, one flight per key |
//! | [`budget`] | what was spent today |
//! | [`resilience`] | breaker, retries, load shedding |
//! | [`redis`] | the pool |
//! | [`outbound`] | documents from addresses outside, guarded where a stranger named them |
//! | [`store`] | SQLite or PostgreSQL: people, clients, grants, keys, reports, claims, the spend of the day |
//! | [`google`] | the upstream: client, field masks and prices, drift check, errors |
//! | [`oauth`] | side room: the authorization server, for people who sign in here |
//! | [`emulator`] | side room: a server that speaks Google's wire format, with invented data and faults |
//!
//! Leaves that every room may use: [`model`], [`clock`], [`config`], [`telemetry`], [`tasks`], [`health`].
//!
//! Data flows one way, and `tests/it/architecture.rs` holds who may use whom.
//!
//! # How to add a tool
//!
//! Write `src/tools/my_tool.rs` with an `Input`, an `Output` and an `impl Tool`, and add one line to
//! [`tools::all`]. `docs/fork/add-a-tool.md` shows it with an example, and pages beside it show how to rename the whole, add a
//! table and swap the upstream.

pub mod app;
pub mod auth;
pub mod budget;
pub mod cache;
pub mod cli;
pub mod clock;
pub mod config;
pub mod emulator;
pub mod google;
pub mod health;
pub mod http;
pub mod idempotency;
pub mod jwt;
pub mod mcp;
pub mod model;
pub mod oauth;
pub mod outbound;
pub mod prompts;
pub mod redis;
pub mod resilience;
pub mod resources;
pub mod reviews;
pub mod store;
pub mod tasks;
pub mod telemetry;
pub mod tools;

/// The upstream that the use cases ask. Whoever swaps it names another room here, which offers what [`google`] does.
use google as upstream;
