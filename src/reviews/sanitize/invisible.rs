//! Takes out what no reader sees, and leaves what a script or an emoji needs.

use std::{iter::Peekable, str::Chars};
use unicode_normalization::char::is_combining_mark;
use unicode_script::{Script, UnicodeScript as _};

/// More marks on one character than any living script stacks; the rest is decoration that climbs over other lines.
const MARKS: usize = 6;
/// Variants of characters in one text.
const VARIANTS: usize = 8;
/// Blank lines in a row.
const LINE_BREAKS: usize = 2;

/// Takes out invisible and control characters, with the rules of the module above.
pub(super) fn remove(text: &str) -> String {
    let mut cleaner = Cleaner { kept: String::with_capacity(text.len()), marks: 0, variants: 0, line_breaks: 0 };
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            // Most of most texts, without the questions below.
            ' '..='~' => cleaner.push(character),
            '\u{1b}' => skip_escape(&mut characters),
            '\u{9b}' => skip_control_sequence(&mut characters),
            '\u{1f3f4}' => {
                cleaner.push(character);
                cleaner.flag(&mut characters);
            }
            _ => cleaner.take(character, characters.peek().copied()),
        }
    }
    cleaner.kept
}

struct Cleaner {
    kept: String,
    marks: usize,
    variants: usize,
    line_breaks: usize,
}

impl Cleaner {
    fn take(&mut self, character: char, next: Option<char>) {
        let before = self.kept.chars().next_back();
        match character {
            // A Windows line break is one line break.
            '\r' if next == Some('\n') => {}
            '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => self.break_line(),
            '\t' => self.push(' '),
            // Joiner and non-joiner, behind a letter of a script that joins; one of them at most.
            '\u{200c}' | '\u{200d}' if joins(before) => self.kept.push(character),
            // A joiner between the parts of an emoji.
            '\u{200d}' if self.ends_with_emoji() && is_emoji(next) => self.push(character),
            // Text or emoji form, behind something that has both.
            '\u{fe0e}' | '\u{fe0f}' if is_emoji(before) || before.is_some_and(is_keycap_base) => self.push(character),
            // Standardised and ideographic variants, behind a Han character: a few, as names have, and not one for
            // each byte of a hidden message.
            '\u{fe00}'..='\u{fe02}' | '\u{e0100}'..='\u{e01ef}' if is_han(before) && self.variants < VARIANTS => {
                self.variants += 1;
                self.kept.push(character);
            }
            _ if is_invisible(character) => {}
            _ if is_combining_mark(character) => {
                self.marks += 1;
                // Behind a space it would stand on what comes before this text, once the space is trimmed.
                if self.marks <= MARKS && before.is_some_and(|before| !before.is_whitespace()) {
                    self.kept.push(character);
                }
            }
            _ => self.push(character),
        }
    }

    fn push(&mut self, character: char) {
        self.marks = 0;
        self.line_breaks = 0;
        self.kept.push(character);
    }

    fn break_line(&mut self) {
        self.line_breaks += 1;
        if self.line_breaks <= LINE_BREAKS {
            self.kept.push('\n');
        }
    }

    /// An emoji, with its variation selector or skin tone if it has one.
    fn ends_with_emoji(&self) -> bool {
        let mut back = self.kept.chars().rev();
        match back.next() {
            Some('\u{fe0f}') => is_emoji(back.next()),
            last => is_emoji(last),
        }
    }

    /// England, Scotland and Wales are written as a black flag and tags; any other tags hide something.
    fn flag(&mut self, characters: &mut Peekable<Chars<'_>>) {
        let mut tags = String::new();
        while let Some(tag) = characters.next_if(|next| ('\u{e0000}'..='\u{e007f}').contains(next)) {
            tags.push(tag);
        }
        let letters: String = tags.chars().filter_map(|tag| char::from_u32(u32::from(tag) - 0xe0000)).collect();
        if matches!(letters.as_str(), "gbeng\u{7f}" | "gbsct\u{7f}" | "gbwls\u{7f}") {
            self.kept.push_str(&tags);
        }
    }
}

/// Skips what a terminal would read after an escape: a control sequence, or a string up to its end.
fn skip_escape(characters: &mut Peekable<Chars<'_>>) {
    match characters.peek() {
        Some('[') => {
            characters.next();
            skip_control_sequence(characters);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => skip_string(characters),
        _ => {}
    }
}

/// Parameters, then one final character.
fn skip_control_sequence(characters: &mut Peekable<Chars<'_>>) {
    while characters.next_if(|next| ('\u{20}'..='\u{3f}').contains(next)).is_some() {}
    characters.next_if(|next| ('\u{40}'..='\u{7e}').contains(next));
}

/// A string ends on its line with BEL or an escape and a backslash. One without an end is no string, and what a person
/// wrote behind it stays.
fn skip_string(characters: &mut Peekable<Chars<'_>>) {
    let mut ahead = characters.clone();
    while let Some(character) = ahead.next() {
        match character {
            '\u{7}' => {
                *characters = ahead;
                return;
            }
            '\u{1b}' => {
                ahead.next_if(|next| *next == '\\');
                *characters = ahead;
                return;
            }
            '\n' | '\r' => return,
            _ => {}
        }
    }
}

/// Characters without a visible form of their own, or that change how others are shown.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
        // Noncharacters
        || matches!(u32::from(character) & 0xfffe, 0xfffe)
        || ('\u{fdd0}'..='\u{fdef}').contains(&character)
}

/// Scripts whose letters take other forms beside a joiner.
fn joins(character: Option<char>) -> bool {
    let Some(character) = character else { return false };
    let script = if is_combining_mark(character) {
        character.script_extension().iter().next()
    } else {
        Some(character.script())
    };
    matches!(
        script,
        Some(
            Script::Arabic
                | Script::Bengali
                | Script::Devanagari
                | Script::Gujarati
                | Script::Gurmukhi
                | Script::Kannada
                | Script::Malayalam
                | Script::Mongolian
                | Script::Oriya
                | Script::Sinhala
                | Script::Syriac
                | Script::Tamil
                | Script::Telugu
        )
    )
}

/// Pictographs, their skin tones, and the signs that appear in joined emoji.
fn is_emoji(character: Option<char>) -> bool {
    matches!(
        character,
        Some(
            '\u{a9}'
            | '\u{ae}'
            | '\u{203c}'
            | '\u{2049}'
            | '\u{2122}'
            | '\u{2139}'
            | '\u{2190}'..='\u{21ff}'
            | '\u{2300}'..='\u{23ff}'
            | '\u{24c2}'
            | '\u{25a0}'..='\u{27bf}'
            | '\u{2900}'..='\u{297f}'
            | '\u{2b00}'..='\u{2bff}'
            | '\u{3030}'
            | '\u{303d}'
            | '\u{3297}'
            | '\u{3299}'
            | '\u{1f000}'..='\u{1faff}',
        )
    )
}

fn is_keycap_base(character: char) -> bool {
    character.is_ascii_digit() || matches!(character, '#' | '*')
}

fn is_han(character: Option<char>) -> bool {
    character.is_some_and(|character| character.script() == Script::Han)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_terminals_are_taken_out_with_their_parameters() {
        assert_eq!(remove("a\u{1b}[2Kb\u{1b}[1;31mc"), "abc");
        assert_eq!(remove("x\u{1b}]8;;http://evil\u{7}link\u{1b}]8;;\u{1b}\\y"), "xlinky");
        assert_eq!(remove("\u{9b}31mred\u{7}"), "red");
        // What only looks like the beginning of an escape takes nothing with it.
        assert_eq!(remove("a\u{1b}]no end\nb\u{9d}c\u{90}d"), "a]no end\nbcd");
    }

    #[test]
    fn hidden_words_and_turned_ones_are_taken_out() {
        let hidden: String = "evil".chars().filter_map(|letter| char::from_u32(0xe0000 + u32::from(letter))).collect();
        assert_eq!(remove(&format!("a{hidden}b\u{200b}\u{feff}\u{ad}c\u{e0101}d")), "abcd");
        assert_eq!(remove("abc\u{202e}def\u{2066}ghi\u{2069}"), "abcdefghi");
        assert_eq!(remove("a\u{200d}b\u{200c}c"), "abc");
        assert_eq!(remove(&format!("🏴{hidden}")), "🏴");
    }

    #[test]
    fn emoji_and_scripts_that_join_stay_whole() {
        for whole in [
            "👨‍👩‍👧‍👦 👩🏽‍🚀 ❤️‍🔥 🏳️‍🌈 🏴‍☠️ 5️⃣ ☎️",
            "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
            "می\u{200c}خواهم",
            "क्\u{200d}ष क्\u{200c}ष",
            "葛\u{e0100}城",
            "Việt Nam, naïve, שָׁלוֹם",
        ] {
            assert_eq!(remove(whole), whole);
        }
    }

    #[test]
    fn marks_do_not_climb() {
        let zalgo = format!("h{}i", "\u{301}".repeat(40));
        assert_eq!(remove(&zalgo).chars().count(), 2 + MARKS);
        assert_eq!(remove(&"\u{301}".repeat(10_000)), "");
        assert_eq!(remove(" \u{301}a\n\u{301}"), " a\n");
        let joined = format!("क{}", ("\u{902}".repeat(6) + "\u{200d}").repeat(100));
        assert!(remove(&joined).chars().count() <= 2 + 2 * MARKS, "joiners do not start a new tower");
        let hidden = "食\u{e0149}".repeat(40);
        assert_eq!(remove(&hidden).chars().filter(|each| *each != '食').count(), VARIANTS);
    }
}
