//! The authorization server, as clients and browsers meet it, and as those do who attack it: on both databases.

mod clients;
mod codes;
mod documents;
mod erasure;
mod metadata;
mod people;
mod pkce;
mod provider;
mod redirects;
mod refresh;
mod refresh_model;
mod registration;
mod replays;
mod secrets;
mod token_endpoint;
