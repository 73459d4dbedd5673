//! Reviews with the same text, or with a long run of the same words, found by hashing: never by comparing pairs.

use super::{
    document::{Document, Token},
    figures::{Signal, SignalKind},
    hashing::NumberMap,
    signals::{between, identity, signal},
};
use crate::{model::Review, reviews::count};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// A shared run of so many words is seldom an accident.
const RUN: usize = 8;
/// Equal texts with fewer words often are: "Very good, thank you!"
const WHOLE: usize = 4;
/// The words of a script without spaces are cut into about twice as many pieces.
const PIECES: usize = 2;
/// Groups that are reported.
const GROUPS: usize = 5;

/// Groups of documents that share a text or a run of words, the largest first.
pub(super) fn find(documents: &[Document<'_>]) -> Vec<Signal> {
    let groups = groups(documents);
    groups.iter().take(GROUPS).map(|group| describe(documents, group, 1)).collect()
}

/// Only groups that stand in several places; `places` says where each document stands.
pub(super) fn across(documents: &[Document<'_>], places: &[usize]) -> Vec<Signal> {
    let spread = |group: &Group| group.iter().filter_map(|index| places.get(*index)).collect::<BTreeSet<_>>().len();
    let groups = groups(documents);
    let found = groups.iter().map(|group| (group, spread(group))).filter(|(_, places)| *places > 1);
    found.take(GROUPS).map(|(group, places)| describe(documents, group, places)).collect()
}

/// Documents that share words, by their numbers.
type Group = Vec<usize>;

/// Where a run of words begins.
#[derive(Debug, Clone, Copy)]
struct Run {
    document: u32,
    at: u32,
}

fn groups(documents: &[Document<'_>]) -> Vec<Group> {
    let mut sets = Sets::new(documents.len());
    let mut seen: NumberMap<u64, Run> = NumberMap::default();
    seen.reserve(documents.iter().map(|document| document.tokens.len().saturating_sub(RUN)).sum());
    for (number, document) in documents.iter().enumerate() {
        let length = run_length(document);
        for (at, hash) in hashes(&document.tokens, length).enumerate() {
            let run = Run { document: small(number), at: small(at) };
            let first = *seen.entry(hash).or_insert(run);
            let other = first.document as usize;
            let is_new = other != number && sets.root(other) != sets.root(number);
            if is_new && words(documents, first, length).eq(words(documents, run, length)) {
                sets.join(other, number);
            }
        }
    }
    let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
    for number in 0..documents.len() {
        groups.entry(sets.root(number)).or_default().push(number);
    }
    let mut groups: Vec<Group> = groups.into_values().filter(|group| group.len() > 1).collect();
    groups.sort_by_key(|group| (Reverse(group.len()), group.first().copied()));
    groups
}

/// How many words must be shared: all words of a short text, none of one that is too short.
fn run_length(document: &Document<'_>) -> usize {
    let factor = if document.is_without_spaces { PIECES } else { 1 };
    match document.tokens.len() {
        words if words < WHOLE * factor => 0,
        words => words.min(RUN * factor),
    }
}

/// The hash of each run of so many words, from left to right: each from the one before it. Equal hashes are no proof.
fn hashes(tokens: &[Token], length: usize) -> impl Iterator<Item = u64> + '_ {
    const BASE: u64 = 0x0000_0100_0000_01b3;
    let value = |token: &Token| u64::from(token.word) + 1;
    let leaves = (0..length).fold(1_u64, |power, _| power.wrapping_mul(BASE));
    let mut hash = 0_u64;
    let enters = tokens.iter().enumerate().filter(move |_| length > 0);
    enters.filter_map(move |(index, token)| {
        hash = hash.wrapping_mul(BASE).wrapping_add(value(token));
        if let Some(gone) = index.checked_sub(length).and_then(|index| tokens.get(index)) {
            hash = hash.wrapping_sub(value(gone).wrapping_mul(leaves));
        }
        (index + 1 >= length).then_some(hash)
    })
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn words<'documents>(
    documents: &'documents [Document<'_>],
    run: Run,
    length: usize,
) -> impl Iterator<Item = u32> + 'documents {
    let tokens = documents.get(run.document as usize).map_or(&[][..], |document| &document.tokens);
    tokens.iter().skip(run.at as usize).take(length).map(|token| token.word)
}

/// What was seen, in our words alone: evidence is kept in reports, and no review's text may be.
fn describe(documents: &[Document<'_>], group: &[usize], places: usize) -> Signal {
    let members: Vec<&Document<'_>> = group.iter().filter_map(|index| documents.get(*index)).collect();
    let reviews: Vec<&Review> = members.iter().map(|document| document.review).collect();
    let authors: BTreeSet<&str> = reviews.iter().filter_map(|review| identity(&review.author)).collect();
    let first = members.first().map_or(&[][..], |document| &document.tokens);
    let same = |document: &&Document<'_>| {
        document.tokens.iter().map(|token| token.word).eq(first.iter().map(|token| token.word))
    };
    let what = if members.iter().all(same) {
        format!("have the same text of {}", count(first.len(), "word"))
    } else {
        "share long runs of the same words".to_owned()
    };
    let by = if authors.len() > 1 { format!(" by {}", count(authors.len(), "author")) } else { String::new() };
    let of = if places > 1 { format!(" of {}", count(places, "place")) } else { String::new() };
    let seen = format!("{}{of}{by} {what}{}", count(reviews.len(), "review"), between(&reviews));
    signal(SignalKind::DuplicateTexts, &reviews, &seen)
}

/// Which documents belong together, by a parent for each.
struct Sets(Vec<usize>);

impl Sets {
    fn new(number: usize) -> Self {
        Self((0..number).collect())
    }

    /// The first document of the set, with the way there shortened.
    fn root(&mut self, mut member: usize) -> usize {
        while let Some(parent) = self.0.get(member).copied().filter(|parent| *parent != member) {
            let above = self.0.get(parent).copied().unwrap_or(parent);
            if let Some(place) = self.0.get_mut(member) {
                *place = above;
            }
            member = parent;
        }
        member
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        if let Some(place) = self.0.get_mut(one.max(other)) {
            *place = one.min(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            samples::{numbered, review},
            vocabulary::Vocabulary,
        },
        *,
    };

    fn found(language: &str, texts: &[&str]) -> Vec<Signal> {
        let reviews = numbered(texts.iter().map(|text| review(5, language, text)).collect());
        let mut vocabulary = Vocabulary::default();
        find(&reviews.iter().map(|review| Document::read(review, &mut vocabulary)).collect::<Vec<_>>())
    }

    #[test]
    fn equal_texts_of_four_words_are_duplicates_whatever_their_case_and_signs() {
        let signals = found("en", &["Best soup in town!", "The bread is fine.", "best soup, in TOWN"]);
        assert_eq!(signals.len(), 1);
        assert_eq!(
            (signals[0].kind, &signals[0].review_ids[..]),
            (SignalKind::DuplicateTexts, &["r0", "r2"].map(str::to_owned)[..])
        );
        assert_eq!(
            signals[0].evidence,
            "2 reviews have the same text of 4 words; a signal, which proves nothing by itself."
        );
        assert_eq!(found("en", &["Very good soup", "Very good soup"]), []);
    }

    #[test]
    fn a_shared_run_of_eight_words_is_a_duplicate_and_one_of_seven_is_none() {
        let one = "Yesterday: they repaired my old phone within one hour and smiled";
        assert_eq!(found("en", &[one, "So they repaired my old phone within one hour"]).len(), 1);
        assert_eq!(found("en", &[one, "So they repaired my old phone within one day"]), []);
        assert_eq!(found("en", &[&format!("{one}. {one}."), "Nothing like it"]), [], "within one review");
    }

    #[test]
    fn groups_grow_together_and_the_largest_is_first() {
        let (a, b) = ("one two three four five six seven eight", "a b c d e f g h i j");
        let both = format!("{a} and {b}");
        let signals = found("en", &["p q r s t", "p q r s t", a, b, &both]);
        assert_eq!(signals.iter().map(|signal| signal.review_ids.len()).collect::<Vec<_>>(), [3, 2]);
        assert!(signals[0].evidence.contains("3 reviews share long runs of the same words"));
    }

    #[test]
    fn pieces_of_scripts_without_spaces_count_half() {
        assert_eq!(found("ja", &["とても美味しかったです。", "とても美味しかったです！"]), []);
        let long = "露天風呂は最高、料理も丁寧。ただし壁が薄く、隣の部屋のいびきが川の音と合奏していました。";
        assert_eq!(found("ja", &[long, long]).len(), 1);
    }

    #[test]
    fn evidence_holds_no_words_of_a_review() {
        let text = "nice ”; all is well\u{202e} “ ![x](http://evil/) and four more words here";
        let evidence = &found("en", &[text, text])[0].evidence;
        assert!(!evidence.contains("well") && !evidence.contains("evil") && evidence.is_ascii(), "{evidence}");
    }

    #[test]
    fn hashes_that_roll_are_those_of_each_run() {
        let mut vocabulary = Vocabulary::default();
        let tokens = super::super::document::tokens("a b c a b c a", &mut vocabulary);
        let rolled: Vec<u64> = hashes(&tokens, 3).collect();
        let each: Vec<u64> = tokens.windows(3).flat_map(|window| hashes(window, 3)).collect();
        assert_eq!(rolled, each);
        assert_eq!((rolled[0], rolled.len()), (rolled[3], 5));
        assert_ne!(rolled[0], rolled[1]);
    }
}
