//! Cuts a text into words, with spaces or without, and brings each word into one form.

use icu_segmenter::{WordSegmenter, options::WordBreakInvariantOptions};
use std::{borrow::Cow, ops::Range};
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};
use unicode_script::{Script, UnicodeScript as _};
use unicode_segmentation::UnicodeSegmentation as _;

/// What is cut off at the end of a word: a genitive, or a short form of "is".
const GENITIVES: &[&str] = &["'s", "’s", "'S", "’S"];

/// What stands between a word and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    /// Punctuation, a line break, or the beginning of the text.
    Break,
    /// Spaces, or the apostrophe of an elision.
    Space,
    /// A hyphen.
    Hyphen,
    /// Nothing, in a script without spaces.
    Nothing,
}

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// Its bytes in the text.
    pub(super) span: Range<usize>,
    /// What stands before it.
    pub(super) gap: Gap,
}

/// The words of a text, in order. Addresses of the web and of mail are left out.
pub(super) fn cut(text: &str) -> Vec<Word> {
    let mut addresses = addresses(text).into_iter().peekable();
    let mut is_address = |start: usize| {
        while addresses.next_if(|address| address.end <= start).is_some() {}
        addresses.peek().is_some_and(|address| address.contains(&start))
    };
    let spans = if is_without_spaces(text) { without_spaces(text) } else { by_spaces(text) };
    let mut words = Vec::with_capacity(spans.len());
    let mut end = None;
    for span in spans.into_iter().filter(|span| !is_address(span.start)) {
        let between = end.and_then(|end| text.get(end..span.start));
        let gap = between.map_or(Gap::Break, |between| gap(without_genitive(between)));
        end = Some(span.end);
        words.push(Word { span, gap });
    }
    words
}

/// Whether a part of the text is in a script that writes no spaces between words.
pub(super) fn is_without_spaces(text: &str) -> bool {
    // The letters of all these scripts lie behind Thai.
    text.chars().any(|letter| {
        letter >= '\u{e00}'
            && matches!(
                letter.script(),
                Script::Han
                    | Script::Hiragana
                    | Script::Katakana
                    | Script::Thai
                    | Script::Lao
                    | Script::Khmer
                    | Script::Myanmar
            )
    })
}

/// In lower case and in the compatible form of Unicode, with one apostrophe, and Persian letters in one spelling.
pub(super) fn normalise(word: &str) -> Cow<'_, str> {
    // Most words of most texts.
    if word.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(word);
    }
    if word.is_ascii() {
        return Cow::Owned(word.to_ascii_lowercase());
    }
    let letters = word.nfkc().flat_map(char::to_lowercase);
    Cow::Owned(letters.filter_map(unify).collect::<String>().trim_matches('\u{200c}').to_owned())
}

/// Without accents, as many people type.
pub(super) fn without_accents(word: &str) -> String {
    if word.is_ascii() { word.to_owned() } else { word.nfd().filter(|letter| !is_combining_mark(*letter)).collect() }
}

/// Whether the letter is Hiragana.
pub(super) fn is_hiragana(letter: char) -> bool {
    ('\u{3041}'..='\u{309f}').contains(&letter)
}

/// Whether the letter is Han or Katakana, which write the nouns of Japanese.
pub(super) fn is_han_or_katakana(letter: char) -> bool {
    letter >= '\u{2e80}' && (letter == 'ー' || matches!(letter.script(), Script::Han | Script::Katakana))
}

/// One of several letters or signs that stand for the same; nothing for ornaments.
fn unify(letter: char) -> Option<char> {
    match letter {
        '’' | 'ʼ' | '‘' => Some('\''),
        'ي' | 'ى' => Some('ی'),
        'ك' => Some('ک'),
        'ۀ' => Some('ه'),
        // Lengthening, vowel signs, and the sign of a genitive.
        '\u{640}' | '\u{64b}'..='\u{652}' | '\u{654}' => None,
        _ => Some(letter),
    }
}

fn without_genitive(between: &str) -> &str {
    GENITIVES.iter().find_map(|end| between.strip_prefix(end)).unwrap_or(between)
}

fn gap(between: &str) -> Gap {
    match between {
        "" => Gap::Nothing,
        " " | "'" | "’" => Gap::Space,
        "-" | "‐" | "‑" => Gap::Hyphen,
        _ if between.chars().all(|sign| sign == ' ' || sign == '\u{a0}' || sign == '\u{202f}') => Gap::Space,
        _ => Gap::Break,
    }
}

/// What a space separates and what looks like an address.
fn addresses(text: &str) -> Vec<Range<usize>> {
    if !text.contains("://") && !text.contains("www.") && !text.contains('@') {
        return Vec::new();
    }
    let mut start = 0;
    let mut addresses = Vec::new();
    for part in text.split(char::is_whitespace) {
        let end = start + part.len();
        if part.contains("://") || part.contains("www.") || part.contains('@') {
            addresses.push(start..end);
        }
        start = end + text.get(end..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    }
    addresses
}

/// By the rules of Unicode (UAX 29), and also between an elided article and its noun, and at a forgotten space.
fn by_spaces(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::with_capacity(text.len() / 6);
    for (start, word) in text.unicode_word_indices() {
        let mut from = start;
        for (offset, sign) in word.char_indices().filter(|(_, sign)| matches!(sign, '.' | ':' | '\'' | '’')) {
            let at = start + offset;
            let is_elided = matches!(sign, '.' | ':') || text.get(from..at).is_some_and(is_elided);
            if is_elided {
                spans.push(from..at);
                from = at + sign.len_utf8();
            }
        }
        let kept = GENITIVES.iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word);
        spans.push(from..(start + kept.len()).max(from));
    }
    spans.retain(|span| !span.is_empty());
    spans
}

/// What stands before an apostrophe in French.
fn is_elided(before: &str) -> bool {
    const ELIDED: &[&str] =
        &["l", "d", "j", "m", "t", "s", "n", "c", "qu", "jusqu", "lorsqu", "puisqu", "quelqu", "quoiqu"];
    ELIDED.iter().any(|elided| elided.eq_ignore_ascii_case(before))
}

/// Where nothing stands between words. What belongs to no word is trimmed: see [`trim`].
fn without_spaces(text: &str) -> Vec<Range<usize>> {
    let segmenter = WordSegmenter::new_auto(WordBreakInvariantOptions::default());
    let mut spans = Vec::with_capacity(text.len() / 6);
    let mut start = 0;
    for end in segmenter.segment_str(text) {
        let Some(part) = text.get(start..end) else { continue };
        if part.chars().next().is_some_and(char::is_alphanumeric) {
            spans.extend(trim(text, start..end));
        }
        start = end;
    }
    spans
}

/// The dictionary leaves particles at nouns, and cuts verbs and adjectives behind their first character, which alone
/// means nothing.
fn trim(text: &str, span: Range<usize>) -> Option<Range<usize>> {
    const PARTICLES: &[char] = &['の', 'に', 'は', 'が', 'を', 'で', 'と', 'も', 'へ', 'や', 'だ', 'な'];
    let word = text.get(span.clone())?;
    if !word.chars().any(is_hiragana) && word.chars().nth(1).is_some() || !word.chars().any(is_han_or_katakana) {
        return Some(span);
    }
    let honorific = word.starts_with(['お', 'ご']);
    let front = if honorific { word } else { word.trim_start_matches(is_hiragana) };
    let back = if front.chars().filter(|letter| is_hiragana(*letter)).count() == 1 {
        front.strip_suffix(['の', 'に', 'は', 'が', 'を']).unwrap_or(front)
    } else {
        front
    };
    let start = span.end - front.len();
    let end = start + back.len();
    let next = text.get(end..)?.chars().next();
    let is_stem =
        back.chars().nth(1).is_none() && next.is_some_and(|next| is_hiragana(next) && !PARTICLES.contains(&next));
    (!is_stem).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        cut(text).into_iter().map(|word| &text[word.span]).collect()
    }

    #[test]
    fn words_are_cut_at_spaces_elisions_and_forgotten_spaces() {
        assert_eq!(words("L'accueil n'est pas"), ["L", "accueil", "n", "est", "pas"]);
        assert_eq!(words("Great food.Nice, isn’t it?"), ["Great", "food", "Nice", "isn’t", "it"]);
        assert_eq!(words("the table's edge"), ["the", "table", "edge"]);
        assert_eq!(words("quelqu’un d’aimable"), ["quelqu", "un", "d", "aimable"]);
    }

    #[test]
    fn addresses_are_no_words() {
        assert_eq!(
            words("see https://a.example/?q=b or www.c.example or me@d.example now"),
            ["see", "or", "or", "now"]
        );
    }

    #[test]
    fn scripts_without_spaces_are_cut_into_words() {
        assert_eq!(words("露天風呂は最高、料理も丁寧。"), ["露天風呂", "は", "最高", "料理", "も", "丁寧"]);
        assert_eq!(words("壁が薄く"), ["壁", "が", "く"], "the stem of an adjective is no word");
        assert!(words("อาหารอร่อยมาก").len() > 1);
    }

    #[test]
    fn the_gap_before_a_word_is_known() {
        let gaps = |text: &str| cut(text).into_iter().map(|word| word.gap).collect::<Vec<_>>();
        assert_eq!(gaps("open-air bath"), [Gap::Break, Gap::Hyphen, Gap::Space]);
        assert_eq!(gaps("tea, l'eau"), [Gap::Break, Gap::Break, Gap::Space]);
        assert_eq!(gaps("chef's table\nwine"), [Gap::Break, Gap::Space, Gap::Break]);
    }

    #[test]
    fn one_word_has_one_form() {
        assert_eq!(normalise("CAFÉ"), normalise("cafe\u{301}"));
        assert_eq!(normalise("كيك"), "کیک");
        assert_eq!(normalise("ﬁne"), "fine");
        assert_eq!(normalise("ISN’T"), "isn't");
        assert_eq!(without_accents("déçu"), "decu");
    }
}
