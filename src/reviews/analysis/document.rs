//! A review as the analysis reads it: its sanitised text, cut into words.

use super::{
    lexicon::Lexicon,
    vocabulary::{Meaning, Vocabulary},
    words::{Gap, cut, is_without_spaces, normalise},
};
use crate::{
    model::{Review, Text},
    reviews::sanitize,
};

/// A word of a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    /// Its number in the vocabulary.
    pub(super) word: u32,
    /// Where it begins in the text.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
    /// What stands before it.
    pub(super) gap: Gap,
}

/// A review with its text.
#[derive(Debug)]
pub(super) struct Document<'review> {
    /// The review.
    pub(super) review: &'review Review,
    /// The sanitised text; empty if there is none.
    pub(super) text: String,
    /// Primary subtag of the text's language, if there is a text.
    pub(super) language: Option<String>,
    /// The word lists of that language, if there are some.
    pub(super) lexicon: Option<&'static Lexicon>,
    /// The words.
    pub(super) tokens: Vec<Token>,
    /// Whether the text is in a script without spaces, whose words are shorter pieces.
    pub(super) is_without_spaces: bool,
}

impl<'review> Document<'review> {
    /// Reads the text in the language asked for, else as written.
    pub(super) fn read(review: &'review Review, vocabulary: &mut Vocabulary) -> Self {
        let analysed = review.text.as_ref().or(review.original_text.as_ref());
        let text = analysed.map(|text| sanitize::paragraph(&text.text, sanitize::TEXT_LIMIT).text).unwrap_or_default();
        let language = analysed.filter(|_| !text.is_empty()).map(primary_of);
        let lexicon = language.as_deref().and_then(Lexicon::of);
        let is_without_spaces = is_without_spaces(&text);
        let tokens = tokens(&text, vocabulary);
        Self { review, text, language, lexicon, tokens, is_without_spaces }
    }

    /// The review's id, sanitised.
    pub(super) fn id(&self) -> Option<String> {
        id(self.review)
    }

    /// Part of the text.
    pub(super) fn part(&self, start: usize, end: usize) -> &str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// The words with what they mean; nothing if the language has no lists.
    pub(super) fn meanings(&self, vocabulary: &mut Vocabulary, into: &mut Vec<Meaning>) {
        into.clear();
        if let Some(lexicon) = self.lexicon {
            into.extend(self.tokens.iter().map(|token| vocabulary.meaning(lexicon, token.word)));
        }
    }
}

/// A review's id, sanitised.
pub(super) fn id(review: &Review) -> Option<String> {
    review.id.as_deref().map(|id| sanitize::line(id, 512).text).filter(|id| !id.is_empty())
}

/// The words of a sanitised text.
pub(super) fn tokens(text: &str, vocabulary: &mut Vocabulary) -> Vec<Token> {
    let number = |vocabulary: &mut Vocabulary, word: &str| vocabulary.number(&normalise(word));
    cut(text)
        .into_iter()
        .map(|word| Token {
            word: number(vocabulary, text.get(word.span.clone()).unwrap_or_default()),
            start: word.span.start,
            end: word.span.end,
            gap: word.gap,
        })
        .collect()
}

/// The primary subtag of a text's language.
pub(super) fn primary_of(text: &Text) -> String {
    primary(text.language.as_deref())
}

/// The primary subtag in lower case; `und` for what is none.
pub(super) fn primary(tag: Option<&str>) -> String {
    let subtag = tag.and_then(|tag| tag.split(['-', '_']).next()).unwrap_or_default();
    let is_language = (2..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_language { subtag.to_ascii_lowercase() } else { "und".to_owned() }
}
