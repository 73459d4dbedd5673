//! Every distinct word once: as a number, and with what it means in each language.

use super::{
    lexicon::{LANGUAGES, Lexicon},
    plural,
    words::{is_han_or_katakana, is_hiragana},
};
use std::collections::HashMap;

/// Longer ones, in bytes, are no words, and not worth looking for stems in.
const LONGEST_WORD: usize = 80;

/// What a word can be to a theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Ends a phrase: says nothing by itself.
    Filler,
    /// May be part of a phrase, and is no theme alone: praise and complaint.
    Colour,
    /// Can be a theme.
    Topic,
}

/// Which words a negation turns around.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Negates {
    /// None: it is no negation.
    Nothing,
    /// Those behind it.
    Behind,
    /// Those before it.
    Before,
    /// Those on either side.
    Around,
}

/// What a word means in a language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meaning {
    /// The same for all forms of a word.
    pub(super) key: u32,
    /// For themes.
    pub(super) role: Role,
    /// 1 for praise, -1 for a complaint, 0 for neither.
    pub(super) polarity: i8,
    /// Which words it turns around.
    pub(super) negates: Negates,
    /// Ends what a negation reaches.
    pub(super) turns: bool,
    /// Phrases of the list begin with it.
    pub(super) opens_phrase: bool,
}

/// The words that were met.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    numbers: HashMap<String, u32>,
    words: Vec<String>,
    meanings: [Vec<Option<Meaning>>; LANGUAGES],
}

impl Vocabulary {
    /// The number of a normalised word.
    pub(super) fn number(&mut self, word: &str) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        self.numbers.insert(word.to_owned(), number);
        self.words.push(word.to_owned());
        number
    }

    /// The word behind a number.
    pub(super) fn word(&self, number: u32) -> &str {
        self.words.get(number as usize).map_or("", String::as_str)
    }

    /// How many words there are.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// What a word means; looked up once per language.
    pub(super) fn meaning(&mut self, lexicon: &Lexicon, number: u32) -> Meaning {
        let index = number as usize;
        if let Some(Some(known)) = self.meanings.get(lexicon.number).and_then(|meanings| meanings.get(index)) {
            return *known;
        }
        let word = self.word(number).to_owned();
        let form = lexicon.form(&word);
        let key = self.number(&plural::fold(lexicon.language, &word));
        let polarity = match lexicon.scan() {
            _ if form.len() > LONGEST_WORD => 0,
            Some(entries) => i8::from(entries.is_match(&form)),
            None => lexicon.polarity(&form),
        };
        let meaning = Meaning {
            key,
            role: role(lexicon, &form, polarity != 0),
            polarity,
            negates: negates(lexicon, &form),
            turns: lexicon.contains("turns", &form),
            opens_phrase: !lexicon.phrases(&form).is_empty(),
        };
        if let Some(meanings) = self.meanings.get_mut(lexicon.number) {
            if meanings.len() <= index {
                meanings.resize(index + 1, None);
            }
            if let Some(place) = meanings.get_mut(index) {
                *place = Some(meaning);
            }
        }
        meaning
    }
}

fn negates(lexicon: &Lexicon, form: &str) -> Negates {
    let is_short_not = lexicon.language == "en" && form.ends_with("n't");
    let is_negative_verb = lexicon.language == "fa" && form.starts_with("نمی\u{200c}");
    let behind = is_short_not || lexicon.contains("negators_before", form);
    let before = is_negative_verb || lexicon.contains("negators_after", form);
    match (behind, before) {
        (true, true) => Negates::Around,
        (true, false) => Negates::Behind,
        (false, true) => Negates::Before,
        (false, false) => Negates::Nothing,
    }
}

fn role(lexicon: &Lexicon, form: &str, is_polar: bool) -> Role {
    let sections = ["stop", "negators_before", "negators_after", "turns"];
    let is_one_letter = form.chars().nth(1).is_none() && !form.chars().any(is_han_or_katakana);
    let is_no_word = form.len() > LONGEST_WORD || form.chars().any(|sign| sign.is_numeric() || sign == '_');
    if is_one_letter || is_no_word || sections.iter().any(|section| lexicon.contains(section, form)) {
        return Role::Filler;
    }
    if is_polar {
        return Role::Colour;
    }
    if lexicon.language == "ja" && !lexicon.contains("topics", form) && !is_noun(form) {
        return Role::Filler;
    }
    Role::Topic
}

/// Nouns of Japanese are written in Han or Katakana; what ends in Hiragana is mostly a verb.
fn is_noun(form: &str) -> bool {
    form.chars().any(is_han_or_katakana) && !form.chars().next_back().is_some_and(is_hiragana)
}
