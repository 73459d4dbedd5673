//! Retries at one layer: few, spread out, within the deadline of the call, and within a budget, so that an upstream
//! that fails is not also flooded.

use crate::clock::{Clock, Deadline};
use std::{
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// The longest wait before another try.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// With less time left than this, a try could not end.
pub const LEAST_TIME: Duration = Duration::from_millis(250);

/// How often and when.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Tries beyond the first.
    pub most: u32,
    /// The longest wait before the first retry; it doubles with each.
    pub first_wait: Duration,
}

/// What an error means for another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Another {
    /// It would end the same.
    No,
    /// It may succeed.
    Yes,
    /// It may succeed after this time, as the other side has said.
    After(Duration),
}

/// Extra calls are at most a fifth of the needed ones, from a hundred on; before, two more for quiet times.
#[derive(Debug)]
pub struct RetryBudget(Mutex<f64>);

/// What one call adds.
const SHARE: f64 = 0.18;
/// What quiet times leave for the first failures.
const RESERVE: f64 = 2.0;
/// What a long good time can save up.
const SAVED: f64 = 8.0;

impl Default for RetryBudget {
    fn default() -> Self {
        Self(Mutex::new(RESERVE))
    }
}

impl RetryBudget {
    fn deposit(&self) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *tokens = (*tokens + SHARE).min(SAVED);
    }

    fn withdraw(&self) -> bool {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let has_one = *tokens >= 1.0;
        if has_one {
            *tokens -= 1.0;
        }
        has_one
    }
}

/// Makes an attempt, and others if they are worth it.
///
/// # Errors
/// The error of the last attempt.
pub async fn retrying<T, E, F>(
    (policy, budget): (RetryPolicy, &RetryBudget),
    (clock, deadline): (&Clock, &Deadline),
    worth: impl Fn(&E) -> Another,
    mut attempt: impl FnMut() -> F,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    budget.deposit();
    let mut waited = 0;
    loop {
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let wait = match worth(&error) {
            Another::No => return Err(error),
            Another::Yes => jittered(policy.first_wait, waited),
            Another::After(wait) => wait,
        };
        let fits = wait <= LONGEST_WAIT && deadline.left(clock) >= wait + LEAST_TIME;
        if waited == policy.most || !fits || !budget.withdraw() {
            return Err(error);
        }
        waited += 1;
        clock.sleep(wait).await;
    }
}

/// Full jitter: anything up to the doubled wait, so that those who failed together do not return together.
fn jittered(first: Duration, retry: u32) -> Duration {
    let longest = first.saturating_mul(2_u32.saturating_pow(retry)).min(LONGEST_WAIT);
    longest.mul_f64(rand::random_range(0.0..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn clock() -> Clock {
        Clock::manual("2026-11-20T12:00:00Z".parse().expect("time"))
    }

    async fn attempts(outcomes: &[Another], left: Duration) -> u32 {
        let (clock, made) = (clock(), Cell::new(0_u32));
        let policy = RetryPolicy { most: 2, first_wait: Duration::from_secs(1) };
        let deadline = Deadline::after(&clock, left);
        let budget = RetryBudget::default();
        let run = retrying(
            (policy, &budget),
            (&clock, &deadline),
            |error: &Another| *error,
            || {
                let outcome = outcomes[made.get() as usize % outcomes.len()];
                made.set(made.get() + 1);
                async move { Err::<(), _>(outcome) }
            },
        );
        let moving = async {
            loop {
                clock.advance(Duration::from_millis(100));
                tokio::task::yield_now().await;
            }
        };
        tokio::select! { _ = run => {} () = moving => {} }
        made.get()
    }

    #[tokio::test]
    async fn there_are_two_retries_at_most_and_none_beyond_the_deadline() {
        let minute = Duration::from_mins(2);
        assert_eq!(attempts(&[Another::Yes], minute).await, 3);
        assert_eq!(attempts(&[Another::No], minute).await, 1);
        assert_eq!(attempts(&[Another::Yes, Another::No], minute).await, 2);
        assert_eq!(attempts(&[Another::Yes], Duration::from_millis(200)).await, 1);
        assert_eq!(attempts(&[Another::After(Duration::from_secs(30))], minute).await, 3);
        assert_eq!(attempts(&[Another::After(Duration::from_secs(30))], Duration::from_secs(20)).await, 1);
        assert_eq!(attempts(&[Another::After(Duration::from_hours(24))], Duration::MAX).await, 1);
    }

    #[test]
    fn extra_calls_are_at_most_a_fifth_of_the_needed_ones() {
        let budget = RetryBudget::default();
        let mut extra = 0;
        for _ in 0..1_000 {
            budget.deposit();
            extra += u32::from(budget.withdraw());
        }
        assert!((175..=185).contains(&extra), "{extra}");
    }
}
