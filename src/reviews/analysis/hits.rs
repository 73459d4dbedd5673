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
    /// Where the last phrase ended: its words negate nothing behind it.
    phrase_end: usize,
}

impl Reader {
    /// What praises and complains in a document.
    pub(super) fn read(&mut self, document: &Document<'_>, vocabulary: &mut Vocabulary) -> &[Hit] {
        self.hits.clear();
        self.phrase_end = 0;
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
        let negation = if polarity == 0 { None } else { self.negation_before(at, document) };
        if phrase.is_some() {
            self.phrase_end = last + 1;
        }
        if polarity != 0
            && let (Some(first), Some(end)) = (document.tokens.get(at), document.tokens.get(last))
        {
            let behind = self.negation_behind(last, document);
            let is_negated = negation.is_some() || behind.is_some();
            self.hits.push(Hit {
                start: negation.unwrap_or(first.start),
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
            let earlier = at.checked_sub(distance).filter(|earlier| *earlier >= self.phrase_end)?;
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

#[cfg(test)]
mod tests {
    use super::{super::samples::review, *};

    /// Each hit as it stands in the text, with its sign.
    fn hits(language: &str, text: &str) -> Vec<String> {
        let (mut vocabulary, mut reader) = (Vocabulary::default(), Reader::default());
        let review = review(0, language, text);
        let document = Document::read(&review, &mut vocabulary);
        let sign = |polarity: i8| if polarity > 0 { '+' } else { '-' };
        let hits = reader.read(&document, &mut vocabulary);
        hits.iter().map(|hit| format!("{}{}", sign(hit.polarity), document.part(hit.start, hit.end))).collect()
    }

    #[test]
    fn english_is_negated_before_the_word_within_its_clause() {
        assert_eq!(hits("en", "The staff wasn't very friendly."), ["-wasn't very friendly"]);
        assert_eq!(hits("en", "No problem at all, great food"), ["+No problem", "+great"]);
        assert_eq!(hits("en", "Not cheap but good"), ["+good"]);
        assert_eq!(hits("en", "Nobody came. Friendly chef"), ["-Nobody came", "+Friendly"]);
        assert_eq!(hits("en", "Never again! Not worth it."), ["-Never again", "-Not worth"]);
        assert_eq!(hits("en", "not only good, kind of"), ["+good"]);
        assert!(hits("en", "We sat outside on a Tuesday").is_empty());
    }

    #[test]
    fn german_has_compounds_umlauts_and_a_prefix_that_turns_around() {
        assert_eq!(hits("de", "Superleckeres Essen"), ["+Superleckeres"]);
        assert_eq!(
            hits("de", "Eine Riesenenttäuschung, unfreundliches Personal"),
            ["-Riesenenttäuschung", "-unfreundliches"]
        );
        assert_eq!(hits("de", "Überhaupt nicht schön, kein Problem"), ["-nicht schön", "+kein Problem"]);
        assert_eq!(
            hits("de", "Schmeckt nicht. Grossartig, großartig!"),
            ["-Schmeckt nicht", "+Grossartig", "+großartig"]
        );
        assert_eq!(hits("de", "Alles unlecker und superungemütlich"), ["-unlecker", "-superungemütlich"]);
        assert!(hits("de", "Ein Abenteuer mit Mehrwertsteuer im Müllerhaus").is_empty());
    }

    #[test]
    fn french_has_elisions_and_accents_that_people_leave_out() {
        assert_eq!(hits("fr", "L'accueil n'est pas agréable"), ["-pas agréable"]);
        assert_eq!(hits("fr", "Tres decu, service pas mal"), ["-decu", "+pas mal"]);
        assert_eq!(hits("fr", "Un peu cher mais délicieux"), ["-cher", "+délicieux"]);
        assert_eq!(hits("fr", "Sans aucun problème, on reviendra"), ["+aucun problème", "+on reviendra"]);
    }

    #[test]
    fn spanish_is_negated_before_the_word() {
        assert_eq!(hits("es", "No es bueno, nada recomendable"), ["-No es bueno", "-nada recomendable"]);
        assert_eq!(hits("es", "Sin problemas. ¡Riquísimo!"), ["+Sin problemas", "+Riquísimo"]);
        assert_eq!(hits("es", "No volveré, pero merece la pena"), ["-No volveré", "+merece la pena"]);
    }

    #[test]
    fn japanese_is_negated_by_its_ending() {
        assert_eq!(hits("ja", "料理は美味しくなかったです。"), ["-美味しくなかった"]);
        assert_eq!(hits("ja", "料理は美味しいです。"), ["+美味しい"]);
        assert_eq!(hits("ja", "楽しめませんでした。問題ありません。"), ["-楽しめません", "+問題ありません"]);
        assert_eq!(hits("ja", "親切ではなかったが、丁寧だった"), ["-親切ではなかった", "+丁寧"]);
        assert_eq!(hits("ja", "美味しいですがきれいではない"), ["+美味しい", "-きれいではない"]);
        assert_eq!(hits("ja", "最高かもしれない"), ["+最高"]);
        assert!(hits("ja", "雑誌を読んだ").is_empty());
    }

    #[test]
    fn persian_is_negated_behind_the_word_and_its_joiner_may_be_missing() {
        assert_eq!(hits("fa", "غذا خوب نبود"), ["-خوب نبود"]);
        assert_eq!(hits("fa", "غذا خوب بود"), ["+خوب"]);
        assert_eq!(hits("fa", "ته‌دیگ عالی، قیمت‌ها نه"), ["+عالی"]);
        assert_eq!(hits("fa", "هیچ مشکلی نداشتیم"), ["+هیچ مشکلی نداشتیم"]);
        assert_eq!(hits("fa", "دیگر نمی‌آیم"), ["-دیگر نمی‌آیم"]);
        assert_eq!(hits("fa", "خوشمزه‌ترین غذا، بي‌ادب و بیادب"), ["+خوشمزه‌ترین", "-بي‌ادب", "-بیادب"]);
    }

    #[test]
    fn what_no_list_covers_has_no_hits() {
        assert!(hits("it", "Ottimo, excellent, perfetto").is_empty());
    }
}
