//! Names that clients give themselves, and other texts of theirs, made fit to be shown: what cannot be seen, or turns the text around it, goes.

use unicode_normalization::UnicodeNormalization as _;

/// Longer texts are cut.
const LONGEST: usize = 100;
const NAMELESS: &str = "A client without a name";

/// The name as it is kept and shown.
pub(super) fn cleaned(name: &str) -> String {
    let name = visible(name);
    if name.is_empty() { NAMELESS.to_owned() } else { name }
}

/// What can be seen of a text that others wrote, in one line; it may be nothing.
pub(super) fn visible(text: &str) -> String {
    let visible: String =
        text.nfc().map(|letter| if letter.is_whitespace() { ' ' } else { letter }).filter(|c| is_visible(*c)).collect();
    let short: String = visible.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    short.chars().take(LONGEST).collect()
}

/// No control, and nothing of the general category Cf or of the fillers that look like nothing.
fn is_visible(letter: char) -> bool {
    !letter.is_control()
        && !matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{115f}' | '\u{1160}'
            | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{ffff}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
            | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_left_out() {
        assert_eq!(cleaned("  Claude\n\tCode "), "Claude Code");
        assert_eq!(cleaned("Cla\u{200b}ude\u{202e}edoC\u{0}\u{feff}\u{e0041}"), "ClaudeedoC");
        assert_eq!(cleaned("<script>alert(1)</script>"), "<script>alert(1)</script>", "escaped where it is shown");
        assert_eq!(cleaned(&"x".repeat(10_000)).len(), LONGEST);
        assert_eq!((cleaned(""), cleaned("\u{200b}\u{3164}")), (NAMELESS.to_owned(), NAMELESS.to_owned()));
        assert_eq!(cleaned("カーソル"), "カーソル");
    }
}
