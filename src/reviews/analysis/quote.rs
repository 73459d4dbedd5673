//! The part of a text around a phrase: what a person would read out to show where a theme comes from.

use super::{
    document::{primary, tokens},
    lexicon::Lexicon,
    vocabulary::Vocabulary,
    words::is_without_spaces,
};
use crate::reviews::sanitize;
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation as _;

const CUT: char = '…';

/// The sentence with the phrase, or as much of it around the phrase as fits.
pub(super) fn around(text: &str, language: Option<&str>, phrase: &str, limit: usize) -> Option<String> {
    let text = sanitize::line(text, sanitize::TEXT_LIMIT).text;
    let found = find(&text, language, phrase)?;
    if text.chars().nth(limit).is_none() {
        return Some(text);
    }
    let sentence = sentence(&text, &found);
    let kept = if marked_length(&text, &sentence) <= limit { sentence } else { fill(&text, &found, &sentence, limit) };
    let quoted = marked(&text, &kept);
    // A phrase longer than the limit.
    if quoted.chars().nth(limit).is_some() { Some(sanitize::line(&quoted, limit).text) } else { Some(quoted) }
}

/// Where the phrase stands, in any of its forms.
fn find(text: &str, language: Option<&str>, phrase: &str) -> Option<Range<usize>> {
    let mut vocabulary = Vocabulary::default();
    let lexicon = Lexicon::of(&primary(language));
    let mut keys = |text: &str| -> Vec<(u32, Range<usize>)> {
        let tokens = tokens(text, &mut vocabulary);
        let key =
            |vocabulary: &mut Vocabulary, word| lexicon.map_or(word, |lexicon| vocabulary.meaning(lexicon, word).key);
        tokens.iter().map(|token| (key(&mut vocabulary, token.word), token.start..token.end)).collect()
    };
    let (words, wanted) = (keys(text), keys(phrase));
    let is_there =
        |window: &&[(u32, Range<usize>)]| window.iter().map(|(key, _)| key).eq(wanted.iter().map(|(key, _)| key));
    if !wanted.is_empty()
        && let Some(window) = words.windows(wanted.len()).find(is_there)
    {
        return Some(window.first()?.1.start..window.last()?.1.end);
    }
    // The dictionary may cut a phrase in another way than the text around it.
    let start = text.find(phrase).filter(|_| !phrase.is_empty() && is_without_spaces(phrase))?;
    Some(start..start + phrase.len())
}

/// The sentences that the phrase stands in.
fn sentence(text: &str, found: &Range<usize>) -> Range<usize> {
    let sentences = text.split_sentence_bound_indices().map(|(start, sentence)| start..start + sentence.len());
    let touched = sentences.filter(|sentence| sentence.start < found.end && sentence.end > found.start);
    let all = touched.reduce(|first, last| first.start..last.end).unwrap_or_else(|| found.clone());
    trimmed(text, all)
}

/// Words around the phrase within the sentence, taking turns, first behind it.
fn fill(text: &str, found: &Range<usize>, sentence: &Range<usize>, limit: usize) -> Range<usize> {
    let bounds: Vec<usize> = text.split_word_bound_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let mut kept = found.clone();
    let (mut grows_behind, mut grows_before) = (true, true);
    while grows_behind || grows_before {
        let behind = bounds.iter().copied().find(|at| *at > kept.end && *at <= sentence.end);
        grows_behind = grow(text, &mut kept, behind.map(|end| (None, Some(end))), limit);
        let before = bounds.iter().rev().copied().find(|at| *at < kept.start && *at >= sentence.start);
        grows_before = grow(text, &mut kept, before.map(|start| (Some(start), None)), limit);
    }
    trimmed(text, kept)
}

/// Moves one end, if the quote then fits.
fn grow(text: &str, kept: &mut Range<usize>, ends: Option<(Option<usize>, Option<usize>)>, limit: usize) -> bool {
    let Some((start, end)) = ends else { return false };
    let larger = start.unwrap_or(kept.start)..end.unwrap_or(kept.end);
    let fits = marked_length(text, &larger) <= limit;
    if fits {
        *kept = larger;
    }
    fits
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = text.get(range.clone()).unwrap_or_default();
    let start = range.start + (part.len() - part.trim_start().len());
    start..start + part.trim().len()
}

/// Characters with the marks where it was cut.
fn marked_length(text: &str, range: &Range<usize>) -> usize {
    let marks = usize::from(range.start > 0) + usize::from(range.end < text.len());
    text.get(range.clone()).map_or(0, |part| part.chars().count()) + marks
}

fn marked(text: &str, range: &Range<usize>) -> String {
    let mut quoted = String::new();
    if range.start > 0 {
        quoted.push(CUT);
    }
    quoted.push_str(text.get(range.clone()).unwrap_or_default());
    if range.end < text.len() {
        quoted.push(CUT);
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTER: &str = "We drove for two hours. The friendly staff gave us the last croissants, which were warm, and \
        a table by the window. Parking was easy.";

    #[test]
    fn a_short_text_is_quoted_whole() {
        assert_eq!(around("Friendly staff!", Some("en"), "friendly staff", 80).as_deref(), Some("Friendly staff!"));
    }

    #[test]
    fn of_a_long_text_the_sentence_is_quoted_or_what_fits_of_it() {
        let whole = "…The friendly staff gave us the last croissants, which were warm, and a table by the window.…";
        assert_eq!(around(LETTER, Some("en-US"), "croissant", 120).as_deref(), Some(whole));
        let words: Vec<&str> = LETTER.split([' ', ',', '.']).collect();
        for limit in 30..90 {
            let quoted = around(LETTER, Some("en"), "croissant", limit).unwrap();
            assert!(quoted.contains("last croissants") && quoted.chars().count() <= limit, "{quoted}");
            assert!(quoted.starts_with('…') && quoted.ends_with('…'));
            assert!(quoted.split([' ', ',', '.', '…']).all(|word| words.contains(&word)), "cut in a word: {quoted}");
        }
    }

    #[test]
    fn a_phrase_that_is_not_there_is_not_quoted() {
        assert_eq!(around(LETTER, Some("en"), "rude staff", 80), None);
        assert_eq!(around(LETTER, Some("en"), "", 80), None);
        assert_eq!(around("", Some("en"), "staff", 80), None);
    }

    #[test]
    fn a_phrase_is_found_in_scripts_without_spaces_and_behind_a_joiner() {
        let bath = "露天風呂は最高、料理も丁寧。ただし壁が薄く、隣の部屋のいびきが川の音と見事に合奏していました。";
        assert_eq!(around(bath, Some("ja"), "露天風呂", 20).as_deref(), Some("露天風呂は最高、料理も丁寧。…"));
        assert!(around("صندلی‌ها سفت بود", Some("fa"), "صندلی", 40).is_some());
    }

    #[test]
    fn nothing_unsanitised_is_quoted_and_no_limit_is_exceeded() {
        let hostile = "chips \u{1b}[31m![x](http://evil/) \u{202e}chips";
        let quoted = around(hostile, Some("en"), "chips", 60).unwrap();
        assert!(!quoted.contains(['\u{1b}', '\u{202e}']) && !quoted.contains("![") && !quoted.contains("]("));
        for limit in 0..40 {
            assert!(around(LETTER, Some("en"), "friendly staff", limit).unwrap().chars().count() <= limit.max(1));
        }
    }
}
