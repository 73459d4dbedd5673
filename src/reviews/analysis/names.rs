//! Words of names, which are no themes: of the place, and of the people who wrote.

use super::{
    document::{Document, tokens},
    lexicon::Lexicon,
    vocabulary::Vocabulary,
};
use crate::reviews::sanitize;
use std::collections::{HashMap, HashSet};

/// A word that so many times more reviews use than authors carry is a word, and only then a name: `Coffee Lover`.
const TIMES: usize = 10;

/// The keys of words that belong to names.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<u32>);

impl Names {
    /// Of these texts, and of the authors of the documents.
    pub(super) fn of(documents: &[Document<'_>], texts: &[&str], vocabulary: &mut Vocabulary) -> Self {
        let lexicons = lexicons(documents);
        let mut names = HashSet::new();
        for text in texts {
            names.extend(keys(text, &lexicons, vocabulary));
        }
        let mut carried: HashMap<u32, usize> = HashMap::new();
        for name in documents.iter().filter_map(|document| document.review.author.name.as_deref()) {
            let distinct: HashSet<u32> = keys(name, &lexicons, vocabulary).collect();
            for key in distinct {
                *carried.entry(key).or_default() += 1;
            }
        }
        let used = used(documents, &carried, vocabulary);
        names.extend(
            carried
                .into_iter()
                .filter(|(key, carried)| used.get(key).is_none_or(|used| *used < carried.saturating_mul(TIMES)))
                .map(|(key, _)| key),
        );
        Self(names)
    }

    /// Whether a word belongs to a name.
    pub(super) fn contains(&self, key: u32) -> bool {
        self.0.contains(&key)
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

/// The keys of a name's words, in each language: a name is in none.
fn keys(name: &str, lexicons: &[&'static Lexicon], vocabulary: &mut Vocabulary) -> impl Iterator<Item = u32> + use<> {
    let name = sanitize::line(name, sanitize::NAME_LIMIT).text;
    let mut keys = Vec::new();
    for token in tokens(&name, vocabulary) {
        keys.extend(lexicons.iter().map(|lexicon| vocabulary.meaning(lexicon, token.word).key));
    }
    keys.into_iter()
}

/// How many documents use each of these words.
fn used(documents: &[Document<'_>], wanted: &HashMap<u32, usize>, vocabulary: &mut Vocabulary) -> HashMap<u32, usize> {
    let mut used = HashMap::new();
    let mut last: HashMap<u32, usize> = HashMap::new();
    for (index, document) in documents.iter().enumerate() {
        let Some(lexicon) = document.lexicon else { continue };
        for token in &document.tokens {
            let key = vocabulary.meaning(lexicon, token.word).key;
            if wanted.contains_key(&key) && last.insert(key, index) != Some(index) {
                *used.entry(key).or_default() += 1;
            }
        }
    }
    used
}
