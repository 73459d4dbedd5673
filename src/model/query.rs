//! The rules of free text and of page tokens, as published in tool schemas.

use super::grammar::{Pattern, compile};

/// Free text without control characters, and not of spaces alone. JSON Schema's `\s` has U+FEFF, and Rust's has not.
pub static QUERY_PATTERN: Pattern =
    Pattern::new(|| compile(r"^ *[^\s\uFEFF\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"));

/// An upstream's page token: opaque, but of harmless characters.
pub static PAGE_TOKEN_PATTERN: Pattern = Pattern::new(|| compile(r"^[A-Za-z0-9_=+/.-]+$"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_text_has_words_and_no_control_characters() {
        assert!(QUERY_PATTERN.is_match("café «Zur Post», 東京") && QUERY_PATTERN.is_match("  x "));
        for bad in ["", "   ", "a\nb", "a\u{0}", "a\u{9b}31m", "\t", "\u{feff}", " \u{feff}"] {
            assert!(!QUERY_PATTERN.is_match(bad), "{bad:?}");
        }
        assert!(PAGE_TOKEN_PATTERN.is_match("AeCrKXsZ_x-1=="));
        assert!(!PAGE_TOKEN_PATTERN.is_match("x&key=1"));
    }
}
