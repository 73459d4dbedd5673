//! Reviews with the same text, or with a long run of the same words, found by hashing: never by comparing pairs.

use super::{
    document::{Document, Token},
    figures::{Signal, SignalKind},
    signals::{between, identity, in_quotes, signal},
};
use crate::{model::Review, reviews::count};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{BuildHasherDefault, Hasher},
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
    let spread =
        |group: &Group| group.members.iter().filter_map(|index| places.get(*index)).collect::<BTreeSet<_>>().len();
    let groups = groups(documents);
    let found = groups.iter().map(|group| (group, spread(group))).filter(|(_, places)| *places > 1);
    found.take(GROUPS).map(|(group, places)| describe(documents, group, places)).collect()
}

/// Documents that share words.
#[derive(Debug, Default)]
struct Group {
    /// In the order of the documents.
    members: Vec<usize>,
    /// Some of the words that two of them share.
    shared: String,
}

/// A run of words: where it begins, and how long it is.
#[derive(Debug, Clone, Copy)]
struct Run {
    document: usize,
    at: usize,
    words: usize,
}

fn groups(documents: &[Document<'_>]) -> Vec<Group> {
    let mut sets = Sets::new(documents.len());
    let mut shared: BTreeMap<usize, Run> = BTreeMap::new();
    let windows: usize = documents.iter().map(|document| (document.tokens.len() + 1).saturating_sub(RUN)).sum();
    let mut seen: HashMap<u64, Run, BuildHasherDefault<AsItIs>> = HashMap::default();
    seen.reserve(windows);
    for (number, document) in documents.iter().enumerate() {
        for (hash, run) in runs(number, document) {
            let first = *seen.entry(hash).or_insert(run);
            if first.document != number && words(documents, first).eq(words(documents, run)) {
                sets.join(first.document, number);
                shared.entry(number).or_insert(run);
            }
        }
    }
    let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
    for number in 0..documents.len() {
        let group = groups.entry(sets.root(number)).or_default();
        group.members.push(number);
        if let Some(run) = shared.get(&number).filter(|_| group.shared.is_empty()) {
            group.shared = written(documents, *run);
        }
    }
    let mut groups: Vec<Group> = groups.into_values().filter(|group| group.members.len() > 1).collect();
    groups.sort_by_key(|group| (Reverse(group.members.len()), group.members.first().copied()));
    groups
}

/// All runs of a document with their hashes; of a short text, the whole.
fn runs(number: usize, document: &Document<'_>) -> Vec<(u64, Run)> {
    let factor = if document.is_without_spaces { PIECES } else { 1 };
    let (whole, words) = (WHOLE * factor, RUN * factor);
    let tokens = &document.tokens;
    if tokens.len() < words {
        let run = Run { document: number, at: 0, words: tokens.len() };
        return if tokens.len() < whole { Vec::new() } else { vec![(hash(tokens), run)] };
    }
    let windows = tokens.windows(words).enumerate();
    windows.map(|(at, window)| (hash(window), Run { document: number, at, words })).collect()
}

fn words<'documents>(documents: &'documents [Document<'_>], run: Run) -> impl Iterator<Item = u32> + 'documents {
    let tokens = documents.get(run.document).map_or(&[][..], |document| &document.tokens);
    tokens.iter().skip(run.at).take(run.words).map(|token| token.word)
}

fn written(documents: &[Document<'_>], run: Run) -> String {
    let Some(document) = documents.get(run.document) else { return String::new() };
    let mut tokens = document.tokens.iter().skip(run.at).take(run.words);
    let first = tokens.next();
    let last = tokens.next_back().or(first);
    first.zip(last).map(|(first, last)| document.part(first.start, last.end).to_owned()).unwrap_or_default()
}

/// Mixed well enough for a table: equality is checked on the words.
fn hash(tokens: &[Token]) -> u64 {
    let mixed = tokens.iter().fold(tokens.len() as u64, |hash, token| {
        (hash.rotate_left(5) ^ u64::from(token.word)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    mixed ^ (mixed >> 32)
}

fn describe(documents: &[Document<'_>], group: &Group, places: usize) -> Signal {
    let members: Vec<&Document<'_>> = group.members.iter().filter_map(|index| documents.get(*index)).collect();
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
    let seen = format!(
        "{}{of}{by} {what}, such as {}{}",
        count(reviews.len(), "review"),
        in_quotes(&group.shared),
        between(&reviews)
    );
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

/// For keys that are hashes already.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}
