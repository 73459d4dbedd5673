//! Counts phrases of one to three words by the reviews that use them, in linear time.

use super::{hashing::NumberMap, themes::Part, vocabulary::Role};
use std::{cmp::Reverse, collections::HashMap};

/// Words of a phrase, at most.
pub(super) const LONGEST: usize = 3;
/// Stands where a shorter phrase has no word.
const NONE: u32 = u32::MAX;
/// A longer phrase replaces a shorter one if at most one in so many reviews have the shorter one only.
const ONE_IN: usize = 5;

/// The words of a phrase, filled up with [`NONE`].
pub(super) type Key = [u32; LONGEST];

/// The phrases that begin at a word, each with its last word.
pub(super) fn at(parts: &[Part], first: usize) -> impl Iterator<Item = (Key, usize)> + '_ {
    let mut key = [NONE; LONGEST];
    let mut has_topic = false;
    let words = parts.get(first..).unwrap_or_default().iter().take(LONGEST).enumerate();
    let run = words.take_while(|(offset, part)| *offset == 0 || !part.starts_run);
    run.filter_map(move |(offset, part)| {
        *key.get_mut(offset)? = part.key;
        has_topic |= part.role == Role::Topic;
        has_topic.then_some((key, first + offset))
    })
}

fn packed(key: Key) -> u128 {
    key.iter().fold(0, |packed, word| packed << 32 | u128::from(*word))
}

fn unpacked(key: u128) -> Key {
    [64, 32, 0].map(|shift| u32::try_from(key >> shift & u128::from(u32::MAX)).unwrap_or(NONE))
}

/// How many words a phrase has.
fn length(key: Key) -> usize {
    key.iter().filter(|word| **word != NONE).count()
}

#[derive(Debug, Clone, Copy)]
struct Count {
    reviews: usize,
    heads: usize,
    last: usize,
    first: (usize, usize),
}

/// Phrases with the number of reviews that use them.
#[derive(Debug)]
pub(super) struct Phrases(NumberMap<u128, Count>);

impl Phrases {
    /// Those that at least `frequent` documents use. Words that are too rare themselves are left out first, so that few
    /// combinations are left to count.
    pub(super) fn count(documents: &[Vec<Part>], words: usize, frequent: usize) -> Self {
        let single = count_words(documents, words);
        let is_frequent = |part: &Part| single.get(part.key as usize).is_some_and(|count| *count >= frequent);
        let mut phrases: NumberMap<u128, Count> = NumberMap::default();
        for (number, parts) in documents.iter().enumerate() {
            let starts = parts.iter().enumerate().filter(|(_, part)| is_frequent(part));
            for (first, _) in starts {
                for (key, last) in at(parts, first) {
                    if !parts.get(last).is_some_and(is_frequent) {
                        break;
                    }
                    let new = Count { reviews: 0, heads: 0, last: usize::MAX, first: (number, first) };
                    let count = phrases.entry(packed(key)).or_insert(new);
                    count.heads += usize::from(last == first && parts.get(first).is_some_and(|part| part.is_head));
                    if count.last != number {
                        count.reviews += 1;
                        count.last = number;
                    }
                }
            }
        }
        phrases.retain(|_, count| count.reviews >= frequent);
        Self(phrases)
    }

    /// By number of reviews, then the longer, then the earlier; without those that a longer one replaces.
    pub(super) fn most_frequent(&self, at_most: usize) -> Vec<Key> {
        let mut replaced_from: HashMap<Key, usize> = HashMap::new();
        let mut kept = Vec::new();
        for words in (1..=LONGEST).rev() {
            let phrases = self.0.iter().map(|(key, count)| (unpacked(*key), count));
            for (key, count) in phrases.filter(|(key, _)| length(*key) == words) {
                let longer = replaced_from.get(&key).copied().unwrap_or(0);
                let is_same = count.reviews.saturating_sub(longer) <= count.reviews / ONE_IN;
                if longer > 0 && (is_same || words == 1 && count.heads == 0) {
                    continue;
                }
                for within in parts_of(key) {
                    let most = replaced_from.entry(within).or_default();
                    *most = (*most).max(count.reviews);
                }
                kept.push((Reverse(count.reviews), Reverse(words), count.first, key));
            }
        }
        kept.sort_unstable();
        kept.into_iter().take(at_most).map(|(.., key)| key).collect()
    }
}

/// The shorter phrases within a phrase.
fn parts_of(key: Key) -> impl Iterator<Item = Key> {
    let [first, second, third] = key;
    let pairs = [[first, second, NONE], [second, third, NONE]];
    let words = key.map(|word| [word, NONE, NONE]);
    pairs.into_iter().chain(words).filter(move |part| *part != key && part[0] != NONE)
}

/// In how many documents each word stands.
fn count_words(documents: &[Vec<Part>], words: usize) -> Vec<usize> {
    let mut counts = vec![0_usize; words];
    let mut last = vec![usize::MAX; words];
    for (number, parts) in documents.iter().enumerate() {
        for part in parts {
            let index = part.key as usize;
            if let (Some(count), Some(last)) = (counts.get_mut(index), last.get_mut(index))
                && *last != number
            {
                *count += 1;
                *last = number;
            }
        }
    }
    counts
}
