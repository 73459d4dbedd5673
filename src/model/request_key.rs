//! The rule of the argument `request_id`, by which a caller makes repetitions of a writing call known.

use super::grammar::{Pattern, compile};

/// 1 to 255 visible ASCII characters, so that no two of them look alike.
pub static REQUEST_KEY_PATTERN: Pattern = Pattern::new(|| compile("^[!-~]{1,255}$"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_are_visible_ascii() {
        assert!(REQUEST_KEY_PATTERN.is_match("order-4711/a~!"));
        assert!(REQUEST_KEY_PATTERN.is_match(&"x".repeat(255)));
        for bad in ["", "a b", "a\n", "é", "\u{0}", "a\u{200b}", &"x".repeat(256)] {
            assert!(!REQUEST_KEY_PATTERN.is_match(bad), "{bad:?}");
        }
    }
}
