//! Times, spans and money as people read them.

use jiff::Timestamp;
use std::time::Duration;

/// A moment: the same for the eye and for programs.
#[derive(Debug)]
pub(super) struct Moment {
    /// RFC 3339.
    pub(super) exact: String,
    /// To the minute, UTC.
    pub(super) shown: String,
}

impl From<Timestamp> for Moment {
    fn from(time: Timestamp) -> Self {
        Self { exact: crate::clock::written(time), shown: time.strftime("%-d %b %Y, %H:%M UTC").to_string() }
    }
}

/// In the largest unit that leaves nothing over.
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let (length, unit) = units.into_iter().find(|(length, _)| seconds.is_multiple_of(*length)).unwrap_or((1, "second"));
    match seconds / length {
        1 => format!("one {unit}"),
        count => format!("{count} {unit}s"),
    }
}

/// US dollars to the cent, and to the tenth of a cent where there is one: one call may cost 2.5 cents.
pub(super) fn dollars(usd: f64) -> String {
    let exact = format!("${usd:.3}");
    exact.strip_suffix('0').unwrap_or(&exact).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_sums_read_as_people_say_them() {
        let spans = [60, 90, 600, 3_600, 2_592_000].map(|seconds| span(Duration::from_secs(seconds)));
        assert_eq!(spans, ["one minute", "90 seconds", "10 minutes", "one hour", "30 days"]);
        assert_eq!([0.0, 0.025, 0.05, 5.0].map(dollars), ["$0.00", "$0.025", "$0.05", "$5.00"]);
    }
}
