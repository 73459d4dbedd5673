//! The sanitiser: nothing of what it promises to take out is left, judged by other tables than its own; what it gave out
//! once it gives out again unchanged; and what it quotes stays a quotation.
#![no_main]

use google_reviews_mcp::reviews::sanitize::{Clean, TEXT_LIMIT, line, paragraph, quotation, quoted, url};
use libfuzzer_sys::fuzz_target;
use regex::Regex;
use std::sync::LazyLock;

/// Never shown: controls (but line breaks), private characters, noncharacters, what turns a text round, tags, and whatever
/// else Unicode says to show nothing for, but joiners and variants, which have rules of their own.
static HIDDEN: LazyLock<Regex> = LazyLock::new(|| {
    rule(
        r"[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Cc}\p{Co}\p{Noncharacter_Code_Point}\u{2028}\u{2029}\u{fff9}-\u{fffb}\u{2800}--\n\u{200c}\u{200d}\u{fe00}-\u{fe02}\u{fe0e}\u{fe0f}\u{e0100}-\u{e01ef}]",
    )
});
/// A joiner behind nothing that it could join, or behind another one.
static LONE_JOINER: LazyLock<Regex> = LazyLock::new(|| rule(r"(^|[\p{Z}\p{Cc}!-~\u{200c}\u{200d}])[\u{200c}\u{200d}]"));
static LATIN_JOINER: LazyLock<Regex> = LazyLock::new(|| rule(r"[\p{Latin}\p{Cyrillic}\p{Greek}][\u{200c}\u{200d}]"));
static VARIANT: LazyLock<Regex> = LazyLock::new(|| rule(r"[\u{fe00}-\u{fe02}\u{e0100}-\u{e01ef}]"));
static LONE_VARIANT: LazyLock<Regex> = LazyLock::new(|| rule(r"(^|[^\p{Han}])[\u{fe00}-\u{fe02}\u{e0100}-\u{e01ef}]"));
static LONE_FORM: LazyLock<Regex> =
    LazyLock::new(|| rule(r"(^|[\p{L}\p{M}\p{Z}\p{Cc}--\u{2139}\u{24c2}])[\u{fe0e}\u{fe0f}]"));
static TOWER: LazyLock<Regex> = LazyLock::new(|| rule(r"\p{M}{7,}"));
/// A mark with nothing of its own text to stand on would stand on ours.
static LEADING_MARK: LazyLock<Regex> = LazyLock::new(|| rule(r"^\p{M}"));
static MARKUP: LazyLock<Regex> = LazyLock::new(|| rule(r"!\[|\][(\[:]|<[A-Za-z/!?]|`{3}|~{3}"));
static BLANK_LINES: LazyLock<Regex> = LazyLock::new(|| rule(r"\n{3}"));

const FLAGS: [&str; 3] = [
    "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "🏴\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
];

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    // Few of these texts are long, so a short limit stands for the real ones. One limit and one form a text: it is faster.
    let limit = if text.len() % 8 < 3 { 9 } else { TEXT_LIMIT };
    if text.len().is_multiple_of(2) {
        one_line(&text, limit);
    } else {
        several_lines(&text, limit);
    }
    address(&text);
});

fn one_line(text: &str, limit: usize) {
    let shown = line(text, limit);
    check(text, &shown, limit);
    assert!(!shown.text.contains(|each: char| each.is_whitespace() && each != ' '), "a line is one line");
    assert!(!shown.text.contains("  "), "one space between words: {:?}", shown.text);
    assert_eq!(line(&shown.text, limit).text, shown.text, "a line, again");
}

fn several_lines(text: &str, limit: usize) {
    let shown = paragraph(text, limit);
    check(text, &shown, limit);
    assert!(!BLANK_LINES.is_match(&shown.text), "{:?}", shown.text);
    assert_eq!(paragraph(&shown.text, limit).text, shown.text, "a paragraph, again");
    quotes(&shown.text);
}

fn check(given: &str, shown: &Clean, limit: usize) {
    let length = shown.text.chars().count();
    assert!(length <= limit, "{length} characters");
    assert!(!shown.is_shortened || shown.text.ends_with('…'));
    // Broken markup takes a space more.
    let longest = given.chars().count() + given.matches(['!', ']', '<']).count();
    assert!(!shown.is_shortened || longest > limit, "a short text was shortened");
    assert_eq!(shown.text.trim(), shown.text);
    let text = FLAGS.into_iter().fold(shown.text.clone(), |text, flag| text.replace(flag, "🏴"));
    for (what, rule) in [
        ("something hidden", &HIDDEN),
        ("a joiner that joins nothing", &LONE_JOINER),
        ("a joiner behind a letter that it does not join", &LATIN_JOINER),
        ("a variant of nothing", &LONE_VARIANT),
        ("a form of nothing", &LONE_FORM),
        ("a mark at the beginning", &LEADING_MARK),
        ("markup", &MARKUP),
    ] {
        assert!(!rule.is_match(&text), "{what} is left in {text:?} of {given:?}");
    }
    assert!(VARIANT.find_iter(&text).count() <= 8, "variants of characters: {text:?}");
    let bare: String = text
        .chars()
        .filter(|each| !matches!(each, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}'))
        .collect();
    assert!(!TOWER.is_match(&bare), "a tower of marks: {text:?}");
    // What people write in plain letters stays: all words of a text that has nothing else.
    if given.chars().all(|each| each.is_ascii_alphanumeric() || each == ' ') && !shown.is_shortened {
        assert!(given.split_whitespace().eq(shown.text.split_whitespace()), "{given:?} became {:?}", shown.text);
    }
}

fn quotes(text: &str) {
    let quotation = quotation(text);
    assert!(quotation.is_empty() || quotation.split('\n').all(|line| line.starts_with("> ")), "{quotation:?}");
    let words = quotation.split('\n').flat_map(|line| line.split_whitespace().skip(1));
    assert!(text.split_whitespace().eq(words));
    let quoted = quoted(text);
    let read: String = serde_json::from_str(&quoted).expect("a quoted line is one value");
    assert_eq!(read, text);
    assert!(!quoted.contains('\n'));
}

fn address(text: &str) {
    let Some(address) = url(text) else { return };
    assert_eq!(address, text);
    assert!(address.bytes().all(|byte| byte.is_ascii_graphic()));
    if let Ok(parsed) = url::Url::parse(&address) {
        assert!(matches!(parsed.scheme(), "http" | "https"), "{address}");
        assert!(parsed.username().is_empty() && parsed.password().is_none(), "a user in {address}");
        assert!(parsed.has_host());
    }
}

fn rule(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern")
}
