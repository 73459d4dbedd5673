//! Text from strangers, made safe to show to a model, a terminal and a person, without breaking what they wrote.
//!
//! Removed: control characters and terminal escapes, direction overrides, invisible characters (among them the tag
//! characters that hide words), and more combining marks than any script stacks. Kept: joiners where emoji or a
//! script needs them, variation selectors behind what they vary, and the flags that are written with tags.
//! Neutralised with a space: the beginnings of Markdown links and images and of HTML tags, so that no client renders
//! or fetches them. Sources: Unicode Technical Reports 36 and 51, `CommonMark` 0.31.

mod invisible;
mod markup;

use unicode_segmentation::UnicodeSegmentation as _;

/// Characters of a name, an address, or another short line.
pub const NAME_LIMIT: usize = 300;
/// Characters of a review's text; the longest that Google accepts is 4,096.
pub const TEXT_LIMIT: usize = 5_000;
/// Characters of a review in a concise answer.
pub const EXCERPT_LIMIT: usize = 280;

/// A text that is safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clean {
    /// The text.
    pub text: String,
    /// Whether its end was cut off.
    pub is_shortened: bool,
}

/// One line of at most `limit` characters: line breaks become spaces.
pub fn line(text: &str, limit: usize) -> Clean {
    let visible = markup::neutralise(&invisible::remove(text));
    let words: Vec<&str> = visible.split_whitespace().collect();
    shorten(&words.join(" "), limit)
}

/// Several lines of at most `limit` characters together.
pub fn paragraph(text: &str, limit: usize) -> Clean {
    let visible = markup::neutralise(&invisible::remove(text));
    shorten(visible.trim(), limit)
}

/// A stranger's text as a quotation: every line of it is marked, so that it cannot pass for a line of ours.
pub fn quotation(text: &str) -> String {
    text.lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n")
}

/// A stranger's line between quotation marks, with those inside it escaped, so that it cannot end the quotation.
pub fn quoted(line: &str) -> String {
    serde_json::Value::from(line).to_string()
}

/// An address if it is an absolute http or https one without a user, and without anything that could break out of a
/// line or a link.
pub fn url(text: &str) -> Option<String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let is_plain = text.len() <= 2_048
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"' | b'`' | b'\\'));
    (is_plain && !authority.is_empty() && !authority.contains('@')).then(|| text.to_owned())
}

/// Cuts between what a reader sees as characters, and says so with an ellipsis.
fn shorten(text: &str, limit: usize) -> Clean {
    // Most texts are short: bytes are an upper bound of characters.
    if text.len() <= limit || text.chars().nth(limit).is_none() {
        return Clean { text: text.to_owned(), is_shortened: false };
    }
    let mut kept = String::with_capacity(limit * 2);
    let mut count = 0;
    for grapheme in text.graphemes(true) {
        count += grapheme.chars().count();
        if count >= limit {
            break;
        }
        kept.push_str(grapheme);
    }
    // What a joiner at the end would have joined was cut off.
    let is_loose = |last: char| last.is_whitespace() || matches!(last, '\u{200c}' | '\u{200d}');
    let mut kept = kept.trim_end_matches(is_loose).to_owned();
    kept.push('…');
    Clean { text: kept, is_shortened: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_not_within_them() {
        let family = "👨‍👩‍👧";
        assert_eq!(line(&family.repeat(3), 12).text, format!("{family}{family}…"));
        assert!(!line("short", 5).is_shortened);
        assert_eq!(line("shorter", 5).text, "shor…");
        assert_eq!(line("a🏽\u{200d}👩 and more", 4).text, "a🏽…", "a joiner has something to join");
    }

    #[test]
    fn only_web_addresses_pass() {
        assert!(url("https://maps.google.com/?cid=1&g_mp=Cid").is_some());
        for bad in
            ["javascript:alert(1)", "/relative", "https://a b/", "https://x/\n", "https://u@x/", "data:text/html,x", ""]
        {
            assert_eq!(url(bad), None, "{bad}");
        }
    }

    #[test]
    fn lines_and_paragraphs_keep_their_form() {
        assert_eq!(line("one\r\n two\tthree\n", 99).text, "one two three");
        assert_eq!(paragraph("one\r\ntwo\u{2028}three\n\n\n\nfour ", 99).text, "one\ntwo\nthree\n\nfour");
    }
}
