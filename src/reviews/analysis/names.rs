//! Words of names, which are no themes: of the place, and of the people who wrote.

use super::{
    document::{Document, tokens},
    lexicon::Lexicon,
    vocabulary::Vocabulary,
};
use crate::reviews::sanitize;

/// A word that so many times more reviews use than authors carry is a word, and only then a name: `Coffee Lover`.
const TIMES: usize = 10;

/// The keys of words that belong to names, each marked.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<bool>);

impl Names {
    /// Of these texts, and of the authors of the documents.
    pub(super) fn of(documents: &[Document<'_>], texts: &[&str], vocabulary: &mut Vocabulary) -> Self {
        let lexicons = lexicons(documents);
        let mut names = Self::default();
        for text in texts {
            for key in keys(text, &lexicons, vocabulary) {
                names.mark(key);
            }
        }
        let mut carried: Vec<usize> = Vec::new();
        for name in documents.iter().filter_map(|document| document.review.author.name.as_deref()) {
            for key in keys(name, &lexicons, vocabulary) {
                add(&mut carried, key, 1);
            }
        }
        let used = used(documents, vocabulary);
        for (key, carried) in carried.iter().enumerate().filter(|(_, carried)| **carried > 0) {
            if used.get(key).is_none_or(|used| *used < carried.saturating_mul(TIMES)) {
                names.mark(key);
            }
        }
        names
    }

    /// Whether a word belongs to a name.
    pub(super) fn contains(&self, key: u32) -> bool {
        self.0.get(key as usize).is_some_and(|is_name| *is_name)
    }

    fn mark(&mut self, key: usize) {
        if self.0.len() <= key {
            self.0.resize(key + 1, false);
        }
        if let Some(place) = self.0.get_mut(key) {
            *place = true;
        }
    }
}

fn add(counts: &mut Vec<usize>, key: usize, number: usize) {
    if counts.len() <= key {
        counts.resize(key + 1, 0);
    }
    if let Some(place) = counts.get_mut(key) {
        *place += number;
    }
}

/// The lists that the documents are read with.
fn lexicons(documents: &[Document<'_>]) -> Vec<&'static Lexicon> {
    let mut lexicons: Vec<&'static Lexicon> = Vec::new();
    for lexicon in documents.iter().filter_map(|document| document.lexicon) {
        if !lexicons.iter().any(|known| known.number == lexicon.number) {
            lexicons.push(lexicon);
        }
    }
    lexicons
}

/// The keys of a name's words, each once, in each language: a name is in none.
fn keys(name: &str, lexicons: &[&'static Lexicon], vocabulary: &mut Vocabulary) -> Vec<usize> {
    let name = sanitize::line(name, sanitize::NAME_LIMIT).text;
    let mut keys = Vec::new();
    for token in tokens(&name, vocabulary) {
        keys.extend(lexicons.iter().map(|lexicon| vocabulary.meaning(lexicon, token.word).key as usize));
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// How many documents use each word, by its key.
fn used(documents: &[Document<'_>], vocabulary: &mut Vocabulary) -> Vec<usize> {
    let mut used = Vec::new();
    let mut last: Vec<usize> = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let Some(lexicon) = document.lexicon else { continue };
        for token in &document.tokens {
            let key = vocabulary.meaning(lexicon, token.word).key as usize;
            if last.len() <= key {
                last.resize(key + 1, usize::MAX);
            }
            if let Some(last) = last.get_mut(key).filter(|last| **last != index) {
                *last = index;
                add(&mut used, key, 1);
            }
        }
    }
    used
}
