//! How a review leans, by its stars and its words together, and where the two contradict each other.
//!
//! Words: each word of our lists that is found counts 1 for praise or 1 for complaint; a negation up to three words
//! before it in the same clause (in Japanese and Persian behind it) turns it around. The balance counts from -3 to 3.
//!
//! Stars: 4 and 5 count 3, 3 count 0, 1 and 2 count -3. The sum of both is positive from 2 and negative from -2; between
//! them a review is mixed, as where two words more complain than praise under five stars. So stars alone decide where no
//! words are found: 4 and 5 are positive, 3 is mixed, 1 and 2 are negative. Without stars the words decide alone. Without
//! either a review is unknown.
//!
//! Irony and comparisons are not recognised: "great, another hour of waiting" counts as praise.

use super::{
    document::Document,
    figures::{Contradiction, Leaning, Sentiment},
    hits::{Hit, Reader},
    languages, stars,
    vocabulary::Vocabulary,
};
use crate::reviews::sanitize;

/// What 4 and 5 stars add; 1 and 2 take away as much.
const STARS_WEIGH: i32 = 3;
/// What the words of a review may add to its stars, or take away.
const WORDS_WEIGH: i32 = 3;
/// From which sum on a review leans.
const LEANS: i32 = 2;
/// How many more words of one kind than of the other are clear.
const CLEAR: i32 = 2;
/// Words named for a contradiction.
const NAMED_WORDS: usize = 5;
/// Characters of such a word with its negation.
const WORD_LIMIT: usize = 60;

/// How each document leans, what that adds up to, and which words contradict the stars.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    /// In the order of the documents; nothing where it is unknown.
    pub(super) leanings: Vec<Option<Leaning>>,
    /// Counted.
    pub(super) sentiment: Sentiment,
    /// In the order of the documents.
    pub(super) contradictions: Vec<Contradiction>,
}

/// Judges all documents.
pub(super) fn judge(documents: &[Document<'_>], vocabulary: &mut Vocabulary) -> Judgement {
    let mut judgement = Judgement::default();
    let mut reader = Reader::default();
    for document in documents {
        let hits = reader.read(document, vocabulary);
        let balance: i32 = hits.iter().map(|hit| i32::from(hit.polarity)).sum();
        let stars = document.review.rating.map(stars::whole);
        let leaning = lean(stars, (!hits.is_empty()).then_some(balance));
        judgement.count(leaning, stars.is_some() && document.lexicon.is_none());
        judgement.contradictions.extend(contradiction(document, stars, balance, hits));
    }
    let uncovered = documents.iter().filter(|document| document.lexicon.is_none());
    judgement.sentiment.uncovered_languages =
        languages::count(uncovered.filter_map(|document| document.language.clone()));
    judgement
}

impl Judgement {
    fn count(&mut self, leaning: Option<Leaning>, is_from_stars_alone: bool) {
        let place = match leaning {
            Some(Leaning::Positive) => &mut self.sentiment.positive,
            Some(Leaning::Mixed) => &mut self.sentiment.mixed,
            Some(Leaning::Negative) => &mut self.sentiment.negative,
            None => &mut self.sentiment.unknown,
        };
        *place += 1;
        self.sentiment.from_stars_alone += usize::from(is_from_stars_alone);
        self.leanings.push(leaning);
    }
}

/// The rule of this module.
fn lean(stars: Option<u8>, balance: Option<i32>) -> Option<Leaning> {
    let Some(stars) = stars else {
        return balance.map(|balance| leaning(balance, 1));
    };
    let weight = match stars {
        4.. => STARS_WEIGH,
        3 => 0,
        _ => -STARS_WEIGH,
    };
    Some(leaning(weight + balance.unwrap_or(0).clamp(-WORDS_WEIGH, WORDS_WEIGH), LEANS))
}

fn leaning(balance: i32, threshold: i32) -> Leaning {
    match balance {
        balance if balance >= threshold => Leaning::Positive,
        balance if balance <= -threshold => Leaning::Negative,
        _ => Leaning::Mixed,
    }
}

/// Many stars with words that clearly complain, or few with words that clearly praise; only with an id to name it by.
fn contradiction(document: &Document<'_>, stars: Option<u8>, balance: i32, hits: &[Hit]) -> Option<Contradiction> {
    let stars = stars?;
    let (words_lean, polarity) = match balance {
        balance if balance >= CLEAR && stars <= 2 => (Leaning::Positive, 1),
        balance if balance <= -CLEAR && stars >= 4 => (Leaning::Negative, -1),
        _ => return None,
    };
    let mut words = Vec::new();
    for hit in hits.iter().filter(|hit| hit.polarity == polarity) {
        let word = sanitize::line(&document.part(hit.start, hit.end).to_lowercase(), WORD_LIMIT).text;
        if !words.contains(&word) && words.len() < NAMED_WORDS {
            words.push(word);
        }
    }
    Some(Contradiction { review_id: document.id()?, stars: Some(stars), words_lean, words })
}

#[cfg(test)]
mod tests {
    use super::{
        super::samples::{numbered, review},
        *,
    };
    use crate::model::Review;

    fn judged(reviews: &[Review]) -> Judgement {
        let mut vocabulary = Vocabulary::default();
        let documents: Vec<_> = reviews.iter().map(|review| Document::read(review, &mut vocabulary)).collect();
        judge(&documents, &mut vocabulary)
    }

    fn leaning_of(stars: u8, language: &str, text: &str) -> Option<Leaning> {
        judged(&[review(stars, language, text)]).leanings[0]
    }

    #[test]
    fn stars_alone_decide_where_there_are_no_words() {
        use Leaning::{Mixed, Negative, Positive};
        let expected = [None, Some(Negative), Some(Negative), Some(Mixed), Some(Positive), Some(Positive)];
        for (stars, expected) in (0..).zip(expected) {
            assert_eq!(leaning_of(stars, "en", ""), expected, "{stars} stars");
            assert_eq!(leaning_of(stars, "en", "On a Tuesday."), expected, "{stars} stars");
        }
    }

    #[test]
    fn words_move_what_stars_say() {
        assert_eq!(leaning_of(3, "en", "Great food, friendly staff"), Some(Leaning::Positive));
        assert_eq!(leaning_of(3, "en", "Great food, rude staff"), Some(Leaning::Mixed));
        assert_eq!(leaning_of(4, "en", "Lovely, but slow"), Some(Leaning::Positive));
        assert_eq!(leaning_of(4, "en", "Good, but slow, noisy and overpriced"), Some(Leaning::Mixed));
        assert_eq!(leaning_of(5, "en", "Dirty and rude"), Some(Leaning::Mixed));
        assert_eq!(leaning_of(1, "en", "Pretty, and good"), Some(Leaning::Negative));
        assert_eq!(leaning_of(0, "en", "Delicious"), Some(Leaning::Positive));
        assert_eq!(leaning_of(0, "en", "Delicious and dirty"), Some(Leaning::Mixed));
    }

    #[test]
    fn what_no_list_covers_is_said() {
        let reviews = [
            review(5, "it", "Ottimo"),
            review(2, "it-IT", "Pessimo"),
            review(4, "", "Hm"),
            review(5, "en", ""),
            review(0, "sv", "Bra"),
            review(5, "en", "Good"),
        ];
        let sentiment = judged(&reviews).sentiment;
        assert_eq!((sentiment.positive, sentiment.mixed, sentiment.negative, sentiment.unknown), (4, 0, 1, 1));
        assert_eq!(sentiment.from_stars_alone, 4);
        let uncovered: Vec<_> =
            sentiment.uncovered_languages.iter().map(|count| (count.language.as_str(), count.reviews)).collect();
        assert_eq!(uncovered, [("it", 2), ("sv", 1), ("und", 1)]);
    }

    #[test]
    fn stars_and_words_that_clearly_differ_contradict_each_other() {
        let reviews = numbered(vec![
            review(1, "en", "Best cinnamon buns, friendly girl at the till, lovely window."),
            review(5, "de", "Langweilig, verstaubt. Nie wieder."),
            review(1, "ja", "最高でした。女将さんの笑顔も。"),
            review(5, "en", "A bit slow, otherwise fine."),
            review(3, "en", "Great, great, great"),
            review(2, "en", "Not good, not friendly, not clean"),
        ]);
        let found = judged(&reviews).contradictions;
        assert_eq!(found.iter().map(|each| each.review_id.as_str()).collect::<Vec<_>>(), ["r0", "r1", "r2"]);
        assert_eq!((found[0].stars, found[0].words_lean), (Some(1), Leaning::Positive));
        assert_eq!(found[0].words, ["best", "friendly", "lovely"]);
        assert_eq!((found[1].words_lean, found[1].words.len()), (Leaning::Negative, 3));
    }

    #[test]
    fn a_contradiction_names_five_words_at_most_and_needs_an_id() {
        let praise = "good great lovely tasty superb excellent perfect";
        assert_eq!(judged(&numbered(vec![review(1, "en", praise)])).contradictions[0].words.len(), NAMED_WORDS);
        assert!(judged(&[review(1, "en", praise)]).contradictions.is_empty());
    }
}
