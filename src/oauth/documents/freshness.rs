//! How long a description is kept: as its host says, within bounds. Source: RFC 9111 §5.2.2.

use std::time::Duration;

/// However often it may change, a sign-in takes some requests.
const SHORTEST: Duration = Duration::from_secs(30);
/// Where its host says nothing.
const USUAL: Duration = Duration::from_mins(10);
/// A client that was taken over must not stay as it was for long.
pub(super) const LONGEST: Duration = Duration::from_hours(24);

/// From `Cache-Control` in small letters.
pub(super) fn lifetime(cache_control: &str) -> Duration {
    let directives = || cache_control.split(',').map(str::trim);
    if directives().any(|each| matches!(each.split('=').next(), Some("no-store" | "no-cache"))) {
        return SHORTEST;
    }
    let Some(age) = directives().find_map(|each| each.strip_prefix("max-age=")) else { return USUAL };
    let digits = age.trim_matches('"');
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return SHORTEST;
    }
    // A number that does not fit is a large one.
    Duration::from_secs(digits.parse().unwrap_or(u64::MAX)).clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_says_holds_within_bounds() {
        for (said, seconds) in [
            ("", 600),
            ("public", 600),
            ("max-age=60", 60),
            ("public, max-age=\"3600\"", 3_600),
            ("max-age=0", 30),
            ("max-age=999999999", 86_400),
            ("max-age=99999999999999999999999999", 86_400),
            ("max-age=-1", 30),
            ("max-age=", 30),
            ("no-store", 30),
            ("max-age=3600,no-cache=\"x\"", 30),
        ] {
            assert_eq!(lifetime(said), Duration::from_secs(seconds), "{said}");
        }
    }
}
