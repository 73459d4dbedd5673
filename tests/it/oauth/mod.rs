//! The authorization server, as clients and browsers meet it, and as those do who attack it: on both databases.

mod clients;
mod codes;
mod people;
mod pkce;
mod redirects;
