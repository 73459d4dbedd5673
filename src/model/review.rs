//! `Review`: what one person wrote about one place, with all that attribution needs.

use super::Rating;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Text with the language that the upstream says it is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// The text itself. Untrusted until it has been sanitised.
    pub text: String,
    /// BCP 47 tag, as sent.
    pub language: Option<String>,
}

/// Who wrote a review. Google asks that name, picture and profile link go with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The public name. Untrusted until it has been sanitised.
    pub name: Option<String>,
    /// The author's public profile.
    pub profile_url: Option<String>,
    /// The author's picture.
    pub photo_url: Option<String>,
}

/// One review. Whatever the upstream left out is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Review {
    /// The review's own id, stable across languages and calls.
    pub id: Option<String>,
    /// Whole stars.
    pub rating: Option<Rating>,
    /// In the language asked for, translated by the upstream where it can; absent for a rating without words.
    pub text: Option<Text>,
    /// As written by the author.
    pub original_text: Option<Text>,
    /// Who wrote it.
    pub author: Author,
    /// When it was written or last edited.
    pub published_at: Option<Timestamp>,
    /// The same in words, in the language asked for.
    pub published_relative: Option<String>,
    /// `YYYY-MM` of the visit, which must be shown in France.
    pub visited: Option<String>,
    /// Where the review can be read.
    pub url: Option<String>,
    /// Where the review can be reported.
    pub report_url: Option<String>,
}

impl Review {
    /// Whether `text` is a translation of `original_text`.
    ///
    /// Compared by the words: the language tags are no guide, since a translation comes as `en-US` and an
    /// original as `en`.
    pub fn is_translated(&self) -> bool {
        match (&self.text, &self.original_text) {
            (Some(text), Some(original)) => text.text != original.text,
            _ => false,
        }
    }
}
