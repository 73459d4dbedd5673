//! What a day has cost so far, in the form in which it is told: to the operator, and on the page for people.

use jiff::Timestamp;

/// The spend of a day against its limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spend {
    /// US dollars at list prices, what is set aside for calls under way included.
    pub usd: f64,
    /// How many dollars may be spent, if there is a limit.
    pub limit_usd: Option<f64>,
    /// Requests that are billed, counted in the same way.
    pub calls: u64,
    /// How many there may be, if there is a limit.
    pub limit_calls: Option<u64>,
    /// The part of the nearer limit that is used; 0 without limits.
    pub used_ratio: f64,
    /// When the next day begins.
    pub resets_at: Timestamp,
}
