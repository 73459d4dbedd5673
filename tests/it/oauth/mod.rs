//! The authorization server, as clients and browsers meet it, and as those do who attack it: on both databases.

mod codes;
mod refresh;
mod refresh_model;
mod secrets;
