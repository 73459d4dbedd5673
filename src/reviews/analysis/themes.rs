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

#[cfg(test)]
mod tests {
    use super::{
        super::samples::{numbered, review},
        *,
    };
    use crate::model::{Author, Review};

    fn themes(reviews: &[Review], names: &[&str]) -> Vec<Theme> {
        let mut vocabulary = Vocabulary::default();
        let documents: Vec<_> = reviews.iter().map(|review| Document::read(review, &mut vocabulary)).collect();
        let leanings = super::super::sentiment::judge(&documents, &mut vocabulary).leanings;
        find(&documents, &leanings, names, &mut vocabulary)
    }

    fn phrases(language: &str, texts: &[&str]) -> Vec<(String, usize)> {
        let reviews: Vec<Review> = texts.iter().map(|text| review(4, language, text)).collect();
        themes(&reviews, &[]).into_iter().map(|theme| (theme.phrase, theme.reviews)).collect()
    }

    fn named(expected: &[(&str, usize)]) -> Vec<(String, usize)> {
        expected.iter().map(|(phrase, reviews)| ((*phrase).to_owned(), *reviews)).collect()
    }

    #[test]
    fn the_forms_of_a_word_are_one_theme_in_its_most_frequent_form() {
        let found = phrases("en", &["A croissant.", "Two croissants!", "Croissants, warm", "Croissants croissants"]);
        assert_eq!(found, named(&[("croissants", 4)]));
        assert_eq!(phrases("en", &["A muffin.", "Muffins!"]), named(&[("muffin", 2)]), "the first of equals");
    }

    #[test]
    fn a_longer_phrase_replaces_its_parts_where_it_has_the_same_reviews() {
        let found = phrases("en", &["The friendly staff.", "Friendly staff!", "So friendly staff"]);
        assert_eq!(found, named(&[("friendly staff", 3)]));
        let found = phrases("en", &["Fish soup.", "Fish soup", "Soup!", "Soup, please", "A soup"]);
        assert_eq!(found, named(&[("soup", 5), ("fish soup", 2)]));
        assert_eq!(phrases("en", &["Open-air bath", "open-air bath"]), named(&[("open-air bath", 2)]));
    }

    #[test]
    fn no_phrase_crosses_punctuation_or_fillers() {
        let found = phrases("en", &["Soup, bread and the cheese", "Soup, bread and the cheese"]);
        assert_eq!(found, named(&[("soup", 2), ("bread", 2), ("cheese", 2)]));
    }

    #[test]
    fn praise_numbers_and_names_are_no_themes() {
        assert_eq!(phrases("en", &["Lovely, 25, really", "Lovely, 25, really"]), []);
        let by = |name: &str, text: &str| Review {
            author: Author { name: Some(name.to_owned()), ..Author::default() },
            ..review(5, "en", text)
        };
        let reviews = [by("Rosalind", "Moonlit tea with Marlow"), by("Marlow K.", "Moonlit tea, Rosalind")];
        let found: Vec<String> = themes(&reviews, &["The Moonlit Bakery"]).into_iter().map(|one| one.phrase).collect();
        assert_eq!(found, ["tea"]);
    }

    #[test]
    fn a_word_that_many_use_is_no_name_because_one_author_carries_it() {
        let mut reviews: Vec<Review> = (0..30).map(|_| review(5, "en", "The coffee")).collect();
        reviews[0].author.name = Some("Coffee Lover".to_owned());
        assert_eq!(themes(&reviews, &[])[0].phrase, "coffee");
        assert_eq!(themes(&reviews[..9], &[]), []);
    }

    #[test]
    fn all_six_languages_have_themes_and_others_have_none() {
        assert_eq!(phrases("de", &["Die Zimtschnecken!", "Eine Zimtschnecke"]), named(&[("Zimtschnecken", 2)]));
        assert_eq!(phrases("fr", &["L'accueil", "un accueil", "d’accueil"]), named(&[("accueil", 3)]));
        assert_eq!(phrases("es", &["La tortilla.", "Las tortillas"]), named(&[("tortilla", 2)]));
        assert_eq!(phrases("ja", &["露天風呂は最高。", "露天風呂が広い"]), named(&[("露天風呂", 2)]));
        assert_eq!(phrases("ja", &["うどんを食べました", "うどんです"]), named(&[("うどん", 2)]));
        assert_eq!(phrases("fa", &["صندلی‌ها", "صندلی"]), named(&[("صندلی‌ها", 2)]));
        assert_eq!(phrases("it", &["la pizza", "la pizza"]), []);
    }

    #[test]
    fn a_theme_leans_as_two_thirds_of_its_reviews_do() {
        let reviews = |stars: [u8; 3]| stars.map(|stars| review(stars, "en", "The soup"));
        let leaning = |stars| themes(&reviews(stars), &[])[0].leaning;
        assert_eq!(leaning([5, 5, 1]), Leaning::Positive);
        assert_eq!(leaning([1, 2, 5]), Leaning::Negative);
        assert_eq!(leaning([5, 3, 1]), Leaning::Mixed);
    }

    #[test]
    fn ten_reviews_are_named_and_all_are_counted_and_one_in_a_hundred_is_needed() {
        let mut reviews: Vec<Review> = (0..300).map(|_| review(5, "en", "The soup")).collect();
        reviews.extend([review(5, "en", "A dessert"), review(5, "en", "The dessert")]);
        let found = themes(&numbered(reviews), &[]);
        assert_eq!(found.len(), 1, "two of 302 are too few");
        assert_eq!((found[0].reviews, found[0].review_ids.len()), (300, NAMED_REVIEWS));
        assert_eq!(found[0].review_ids[..2], ["r0", "r1"]);
    }

    #[test]
    fn a_phrase_is_short() {
        let long = "extraordinarilylongword".repeat(2);
        let text = format!("{long} {long} {long}");
        let found = phrases("en", &[&text, &text]);
        assert!(!found.is_empty() && found.iter().all(|(phrase, _)| phrase.chars().count() <= PHRASE_LIMIT));
    }
}
