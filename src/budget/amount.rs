//! Money and requests, counted exactly.

/// Millionths of a US dollar, so that sums are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Micros(pub u64);

impl Micros {
    /// From dollars, rounded up.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "prices and limits are small")]
    pub fn of_usd(usd: f64) -> Self {
        // Binary fractions make 0.025 dollars a little more than 25,000 millionths.
        Self((usd.max(0.0) * 1_000_000.0 - 1e-6).ceil() as u64)
    }

    /// So many times.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self(self.0.saturating_mul(u64::from(times)))
    }

    /// In dollars.
    #[expect(clippy::cast_precision_loss, reason = "a day's sum is far below 2^52 millionths")]
    pub fn usd(self) -> f64 {
        self.0 as f64 / 1_000_000.0
    }
}

/// Money and requests.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    pub(super) micros: u64,
    pub(super) calls: u64,
}

impl Sums {
    /// The greater of each.
    pub(super) fn max(self, other: Self) -> Self {
        Self { micros: self.micros.max(other.micros), calls: self.calls.max(other.calls) }
    }

    /// Adds, or takes away down to zero.
    pub(super) fn change(&mut self, cost: Micros, times: i64) {
        let amount = cost.0.saturating_mul(times.unsigned_abs());
        if times >= 0 {
            self.micros = self.micros.saturating_add(amount);
            self.calls = self.calls.saturating_add(times.unsigned_abs());
        } else {
            self.micros = self.micros.saturating_sub(amount);
            self.calls = self.calls.saturating_sub(times.unsigned_abs());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_exact() {
        assert_eq!([0.025, 0.035, 5.0, 0.0].map(Micros::of_usd), [25_000, 35_000, 5_000_000, 0].map(Micros));
        assert_eq!(Micros::of_usd(1e-9), Micros(1), "no limit is so small that it is none");
    }
}
