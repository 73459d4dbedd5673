//! Finds the words of praise and complaint in a text, and turns around those that are negated.

use super::{
    document::Document,
    lexicon::{Lexicon, Phrase},
    vocabulary::{Meaning, Negates, Vocabulary},
    words::{Gap, is_hiragana},
};
use regex::Regex;

/// How many words behind a negation it reaches.
const REACH_BEHIND: usize = 3;
/// How many words before a negation it reaches.
const REACH_BEFORE: usize = 2;
/// How far behind a Japanese word its ending reaches, in letters.
const ENDING: usize = 10;
/// Endings of Japanese that negate, and those that only look like it.
const NEGATIVE_ENDINGS: &[&str] = &["ない", "なかった", "なく", "なし", "ません"];
const NO_NEGATIVE_ENDINGS: &[&str] =
    &["しれない", "しれません", "たまらない", "しかない", "ないか", "ないほど", "なくてはならない"];
/// To think and to say, which often stand between what is negated and the negation.
const VERBS: &[char] = &['思', '言'];
/// A Japanese clause ends behind these, and with it what an ending can negate.
const CONJUNCTIONS: &[&str] = &["が", "けど", "ので", "から", "のに"];

/// A word or phrase of praise or complaint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    /// Where it begins in the text, with its negation.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
    /// 1 for praise, -1 for a complaint.
    pub(super) polarity: i8,
}

/// Reads one document after the other, in the same memory.
#[derive(Debug, Default)]
pub(super) struct Reader {
    meanings: Vec<Meaning>,
    hits: Vec<Hit>,
}

impl Reader {
    /// What praises and complains in a document.
    pub(super) fn read(&mut self, document: &Document<'_>, vocabulary: &mut Vocabulary) -> &[Hit] {
        self.hits.clear();
        let Some(lexicon) = document.lexicon else { return &self.hits };
        if let Some(entries) = lexicon.scan() {
            scan(&document.text, entries, lexicon, &mut self.hits);
            return &self.hits;
        }
        document.meanings(vocabulary, &mut self.meanings);
        let mut at = 0;
        while at < self.meanings.len() {
            at += self.step(at, document, lexicon, vocabulary);
        }
        &self.hits
    }

    /// Reads the word or phrase at a position; how many words that were.
    fn step(&mut self, at: usize, document: &Document<'_>, lexicon: &Lexicon, vocabulary: &Vocabulary) -> usize {
        let Some(meaning) = self.meanings.get(at).copied() else { return 1 };
        let phrase = meaning.opens_phrase.then(|| phrase_at(at, document, lexicon, vocabulary)).flatten();
        let (polarity, words) = phrase.map_or((meaning.polarity, 1), |phrase| (phrase.polarity, phrase.rest.len() + 1));
        let last = at + words - 1;
        if polarity != 0
            && let (Some(first), Some(end)) = (document.tokens.get(at), document.tokens.get(last))
        {
            let before = self.negation_before(at, document);
            let behind = self.negation_behind(last, document);
            let is_negated = before.is_some() || behind.is_some();
            self.hits.push(Hit {
                start: before.unwrap_or(first.start),
                end: behind.unwrap_or(end.end),
                polarity: if is_negated { -polarity } else { polarity },
            });
        }
        words
    }

    /// Where a negation begins that reaches this word from before it.
    fn negation_before(&self, at: usize, document: &Document<'_>) -> Option<usize> {
        let mut gap = document.tokens.get(at)?.gap;
        for distance in 1..=REACH_BEHIND {
            let earlier = at.checked_sub(distance)?;
            let (meaning, token) = (self.meanings.get(earlier)?, document.tokens.get(earlier)?);
            if gap == Gap::Break || meaning.turns {
                return None;
            }
            if matches!(meaning.negates, Negates::Behind | Negates::Around) {
                return Some(token.start);
            }
            gap = token.gap;
        }
        None
    }

    /// Where a negation ends that reaches this word from behind it.
    fn negation_behind(&self, at: usize, document: &Document<'_>) -> Option<usize> {
        for distance in 1..=REACH_BEFORE {
            let (meaning, token) = (self.meanings.get(at + distance)?, document.tokens.get(at + distance)?);
            if token.gap == Gap::Break || meaning.turns {
                return None;
            }
            if matches!(meaning.negates, Negates::Before | Negates::Around) {
                return Some(token.end);
            }
        }
        None
    }
}

/// The longest phrase of the lists that begins here.
fn phrase_at<'lists>(
    at: usize,
    document: &Document<'_>,
    lexicon: &'lists Lexicon,
    vocabulary: &Vocabulary,
) -> Option<&'lists Phrase> {
    let form = |position: usize| {
        let token = document.tokens.get(position)?;
        Some((token.gap, lexicon.form(vocabulary.word(token.word))))
    };
    let fits = |phrase: &&Phrase| {
        phrase.rest.iter().enumerate().all(|(offset, expected)| {
            form(at + 1 + offset).is_some_and(|(gap, found)| gap != Gap::Break && found == *expected)
        })
    };
    let (_, first) = form(at)?;
    lexicon.phrases(&first).iter().filter(fits).max_by_key(|phrase| phrase.rest.len())
}

/// Finds the entries of a language without spaces, each with the ending behind it.
fn scan(text: &str, entries: &Regex, lexicon: &Lexicon, hits: &mut Vec<Hit>) {
    let mut found = entries.find_iter(text).peekable();
    while let Some(entry) = found.next() {
        let polarity = lexicon.polarity(entry.as_str());
        let next = found.peek().map_or(text.len(), regex::Match::start);
        let negation = negative_ending(text.get(entry.end()..next).unwrap_or_default());
        if polarity != 0 {
            hits.push(Hit {
                start: entry.start(),
                end: entry.end() + negation.unwrap_or(0),
                polarity: if negation.is_some() { -polarity } else { polarity },
            });
        }
    }
}

/// How long the negation in the ending of a word is, in bytes, if there is one.
fn negative_ending(behind: &str) -> Option<usize> {
    let mut letters = behind.char_indices().enumerate();
    let end =
        letters.find(|(count, (_, letter))| *count >= ENDING || !(is_hiragana(*letter) || VERBS.contains(letter)));
    let ending = behind.get(..end.map_or(behind.len(), |(_, (at, _))| at))?;
    let clause = CONJUNCTIONS.iter().filter_map(|conjunction| ending.find(conjunction)).min();
    let ending = ending.get(..clause.unwrap_or(ending.len()))?;
    if NO_NEGATIVE_ENDINGS.iter().any(|other| ending.contains(other)) {
        return None;
    }
    NEGATIVE_ENDINGS.iter().filter_map(|negation| Some(ending.find(negation)? + negation.len())).max()
}
