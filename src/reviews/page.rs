//! Pages of a sample. Five reviews are few, but with whole texts and their originals they can be more than a client takes
//! from one answer (Claude Code: 25,000 tokens); then the rest follows on another page.

use super::view::ReviewView;
use crate::model::{Code, Failure, Review, sha256_hex};

/// Bytes of reviews on one page. They are there twice, as text and as data, and come to at most one token for two bytes.
const PAGE_BYTES: usize = 18_000;
/// What a review takes beside its texts: names, times and links.
const BESIDE_TEXTS: usize = 500;
/// Digits that tell one sample from another.
const MARK: usize = 8;

/// How many reviews of a sample were on the pages before.
pub(super) fn start(token: Option<&str>, sample: &[&Review]) -> Result<usize, Failure> {
    let Some(token) = token else { return Ok(0) };
    let read = || {
        let (shown, marked) = token.split_once('.')?;
        let shown: usize = shown.parse().ok()?;
        (marked == mark(sample) && shown < sample.len()).then_some(shown)
    };
    read().ok_or_else(|| {
        let message = "Repeat the call without `page_token`, or with exactly the arguments of the call that gave it: the \
                       reviews that the source shows are others now.";
        Failure::new(Code::PageTokenMismatch, message)
    })
}

/// The token of the page after so many reviews, if there is one.
pub(super) fn after(shown: usize, sample: &[&Review]) -> Option<String> {
    (shown < sample.len()).then(|| format!("{shown}.{}", mark(sample)))
}

/// As many of these as a page holds, and one at least.
pub(super) fn fill(reviews: impl Iterator<Item = ReviewView>) -> Vec<ReviewView> {
    let (mut page, mut bytes) = (Vec::new(), 0);
    for review in reviews {
        let texts = [&review.text, &review.original_text].into_iter().flatten();
        bytes += texts.map(String::len).sum::<usize>() + BESIDE_TEXTS;
        if bytes > PAGE_BYTES && !page.is_empty() {
            break;
        }
        page.push(review);
    }
    page
}

fn mark(sample: &[&Review]) -> String {
    let ids: Vec<_> = sample.iter().map(|review| review.id.as_deref().unwrap_or_default()).collect();
    sha256_hex(&ids.join("\n")).chars().take(MARK).collect()
}
