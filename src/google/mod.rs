//! The upstream: Google's Places API (New). The only room that knows its wire format, prices and errors.
//!
//! To swap the upstream, put a folder beside this one that offers what the rest of the house uses of this one, and name it
//! in `lib.rs`: [`Places`], [`Paid`] and [`UpstreamError`]. `docs/fork/swap-the-upstream.md` shows one.

mod advice;
mod client;
mod convert;
pub mod drift;
mod errors;
mod http;
pub mod mask;
mod repair;
mod schema;
mod watch;
mod wire;

pub use client::{Paid, Places};
pub use convert::{Reading, place_from_body, search_page_from_body};
/// By this name the use cases know the errors of any upstream.
pub use errors::GoogleError as UpstreamError;
pub use errors::{GoogleError, Restriction, classify};
pub use repair::json_from_body;
