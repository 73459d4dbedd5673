//! What several reviews mention: frequent phrases of one to three words, with the reviews that use them.
//!
//! A phrase stands within one clause and holds no filler (articles, pronouns, verbs that say nothing about a place),
//! no number, and no word of a name; at least one of its words is neither praise nor complaint. It is frequent if at
//! least two reviews use it, and at least one in a hundred. A phrase within a longer one is left out if that has nearly
//! the same reviews, and a word if it only ever describes another one. Only texts in a language with word lists have
//! themes: without a list, fillers would win.

use super::{
    document::{Document, Token},
    figures::{Leaning, Theme},
    names::Names,
    phrases::{Key, Phrases},
    vocabulary::{Role, Vocabulary},
    words::Gap,
};
use crate::reviews::sanitize;
use std::collections::HashMap;

/// Themes of an analysis.
const THEMES: usize = 8;
/// Reviews named for each.
const NAMED_REVIEWS: usize = 10;
/// Characters of a phrase.
const PHRASE_LIMIT: usize = 60;
/// One in so many reviews must use a phrase.
const ONE_IN: usize = 100;

/// Languages that put a noun before what describes it.
const NOUN_FIRST: &[&str] = &["fr", "es", "fa"];

/// A word as a theme sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// The same for all forms of a word.
    pub(super) key: u32,
    /// What it can be; no filler, except the first word of a compound, which stands as colour.
    pub(super) role: Role,
    /// Whether a phrase cannot go on from the word before.
    pub(super) starts_run: bool,
    /// Whether it is more than what describes another word: nothing of the phrase stands behind it, or, in languages
    /// that put the noun first, before it.
    pub(super) is_head: bool,
    /// Which token of the document it is.
    pub(super) token: usize,
}

/// The most frequent phrases; `leanings` are those of the documents.
pub(super) fn find(
    documents: &[Document<'_>],
    leanings: &[Option<Leaning>],
    not_a_theme: &[&str],
    vocabulary: &mut Vocabulary,
) -> Vec<Theme> {
    let names = Names::of(documents, not_a_theme, vocabulary);
    let parts: Vec<Vec<Part>> = documents.iter().map(|document| parts(document, &names, vocabulary)).collect();
    let frequent = documents.len().div_ceil(ONE_IN).max(2);
    let chosen = Phrases::count(&parts, vocabulary.len(), frequent).most_frequent(THEMES);
    describe(&chosen, documents, &parts, leanings)
}

/// What phrases can be made of.
fn parts(document: &Document<'_>, names: &Names, vocabulary: &mut Vocabulary) -> Vec<Part> {
    let mut parts = Vec::new();
    let Some(lexicon) = document.lexicon else { return parts };
    let mut starts_run = true;
    for (index, token) in document.tokens.iter().enumerate() {
        let meaning = vocabulary.meaning(lexicon, token.word);
        let is_filler = meaning.role == Role::Filler && !opens_compound(&document.tokens, index);
        if is_filler || names.contains(meaning.key) {
            starts_run = true;
            continue;
        }
        starts_run |= token.gap == Gap::Break;
        let role = if meaning.role == Role::Filler { Role::Colour } else { meaning.role };
        parts.push(Part { key: meaning.key, role, starts_run, is_head: true, token: index });
        starts_run = false;
    }
    mark_heads(&mut parts, NOUN_FIRST.contains(&lexicon.language));
    parts
}

/// The first of two words that a hyphen joins: `open-air`.
fn opens_compound(tokens: &[Token], index: usize) -> bool {
    let is_joined = |index: usize| tokens.get(index).is_some_and(|token| token.gap == Gap::Hyphen);
    !is_joined(index) && is_joined(index + 1) && !is_joined(index + 2)
}

fn mark_heads(parts: &mut [Part], is_noun_first: bool) {
    let mut next_starts_run = true;
    for part in parts.iter_mut().rev() {
        part.is_head = if is_noun_first { part.starts_run } else { next_starts_run };
        next_starts_run = part.starts_run;
    }
}

/// One theme while its reviews are gathered.
#[derive(Debug, Default)]
struct Gathered {
    reviews: usize,
    review_ids: Vec<String>,
    positive: usize,
    negative: usize,
    surfaces: Vec<(String, usize)>,
}

/// Gathers the reviews and the written forms of the chosen phrases.
fn describe(
    chosen: &[Key],
    documents: &[Document<'_>],
    parts: &[Vec<Part>],
    leanings: &[Option<Leaning>],
) -> Vec<Theme> {
    let mut gathered: Vec<Gathered> = chosen.iter().map(|_| Gathered::default()).collect();
    let places: HashMap<Key, usize> = chosen.iter().enumerate().map(|(place, key)| (*key, place)).collect();
    for ((document, parts), leaning) in documents.iter().zip(parts).zip(leanings) {
        let mut seen = [false; THEMES];
        for (at, _) in parts.iter().enumerate().filter(|(_, part)| chosen.iter().any(|key| key[0] == part.key)) {
            for (key, last) in super::phrases::at(parts, at) {
                let Some(place) = places.get(&key) else { continue };
                let (Some(theme), Some(seen)) = (gathered.get_mut(*place), seen.get_mut(*place)) else { continue };
                theme.write(&surface(document, parts, at, last));
                if !*seen {
                    theme.add(document, *leaning);
                    *seen = true;
                }
            }
        }
    }
    gathered.into_iter().map(Gathered::finish).collect()
}

impl Gathered {
    fn add(&mut self, document: &Document<'_>, leaning: Option<Leaning>) {
        self.reviews += 1;
        if self.review_ids.len() < NAMED_REVIEWS {
            self.review_ids.extend(document.id());
        }
        self.positive += usize::from(leaning == Some(Leaning::Positive));
        self.negative += usize::from(leaning == Some(Leaning::Negative));
    }

    fn write(&mut self, surface: &str) {
        match self.surfaces.iter_mut().find(|(known, _)| known == surface) {
            Some((_, count)) => *count += 1,
            None => self.surfaces.push((surface.to_owned(), 1)),
        }
    }

    /// In its most frequent form; the first of several. It leans if two thirds of its reviews do.
    fn finish(self) -> Theme {
        let mut best: Option<&(String, usize)> = None;
        for surface in &self.surfaces {
            if best.is_none_or(|best| surface.1 > best.1) {
                best = Some(surface);
            }
        }
        let phrase = best.map(|(surface, _)| sanitize::line(surface, PHRASE_LIMIT).text).unwrap_or_default();
        let leaning = match (self.positive * 3 >= self.reviews * 2, self.negative * 3 >= self.reviews * 2) {
            (true, _) => Leaning::Positive,
            (_, true) => Leaning::Negative,
            _ => Leaning::Mixed,
        };
        Theme { phrase, reviews: self.reviews, review_ids: self.review_ids, leaning }
    }
}

/// A phrase as it is written: in lower case, except in German, whose nouns are capitalised.
fn surface(document: &Document<'_>, parts: &[Part], first: usize, last: usize) -> String {
    let token = |part: &Part| document.tokens.get(part.token).copied();
    let mut written = String::new();
    for part in parts.get(first..=last).unwrap_or_default() {
        let Some(token) = token(part) else { continue };
        match token.gap {
            _ if written.is_empty() => {}
            Gap::Hyphen => written.push_str(document.part(token.start.saturating_sub(1), token.start)),
            Gap::Nothing => {}
            Gap::Space | Gap::Break => written.push(' '),
        }
        written.push_str(document.part(token.start, token.end));
    }
    let is_german = document.lexicon.is_some_and(|lexicon| lexicon.language == "de");
    if is_german { written } else { written.to_lowercase() }
}
