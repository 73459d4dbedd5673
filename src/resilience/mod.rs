//! How a call to something that may fail is made to cost little when it does: breaker, retries, shedding.

pub mod breaker;
pub mod retry;
pub mod shed;

pub use breaker::{Breaker, Verdict};
pub use retry::{RetryBudget, RetryPolicy};
pub use shed::Shed;
