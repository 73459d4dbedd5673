//! The word lists: what praises, what complains, what turns a word around, and what says nothing about a place.
//!
//! They are ours, small, and written by hand, one file a language. An entry that ends with `*` stands for all words
//! that begin with it; `_` joins the words of a phrase. In Japanese an entry is found anywhere in the text, since the
//! dictionary cuts inflected words in ways that depend on what surrounds them.

use super::words::{cut, normalise, without_accents};
use regex::Regex;
use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

const LISTS: &[(&str, &str)] = &[
    ("en", include_str!("lexicon/en.txt")),
    ("de", include_str!("lexicon/de.txt")),
    ("fr", include_str!("lexicon/fr.txt")),
    ("es", include_str!("lexicon/es.txt")),
    ("ja", include_str!("lexicon/ja.txt")),
    ("fa", include_str!("lexicon/fa.txt")),
];

static LEXICONS: LazyLock<Vec<Lexicon>> = LazyLock::new(|| {
    LISTS.iter().enumerate().map(|(number, (language, list))| Lexicon::read(number, language, list)).collect()
});

/// How many languages there are lists for.
pub(super) const LANGUAGES: usize = LISTS.len();

const JOINER: char = '\u{200c}';
/// The shortest word that is recognised at the end of a compound.
const COMPOUND_HEAD: usize = 5;

/// The word lists of one language.
#[derive(Debug)]
pub(super) struct Lexicon {
    /// Its place among the languages.
    pub(super) number: usize,
    /// Primary subtag.
    pub(super) language: &'static str,
    words: HashMap<String, i8>,
    stems: HashMap<String, i8>,
    phrases: HashMap<String, Vec<Phrase>>,
    sections: HashMap<&'static str, HashSet<String>>,
    scan: Option<Regex>,
}

/// Several words that mean something together.
#[derive(Debug)]
pub(super) struct Phrase {
    /// The words behind the first.
    pub(super) rest: Vec<String>,
    /// 1 for praise, -1 for a complaint, 0 for what only looks like one.
    pub(super) polarity: i8,
}

impl Lexicon {
    /// Of a language, by primary subtag.
    pub(super) fn of(language: &str) -> Option<&'static Self> {
        LEXICONS.iter().find(|lexicon| lexicon.language == language)
    }

    /// The form in which a word stands in the lists.
    pub(super) fn form(&self, word: &str) -> String {
        match self.language {
            "fr" | "es" => without_accents(word),
            "de" => word.replace('ß', "ss"),
            _ => word.to_owned(),
        }
    }

    /// 1 for praise, -1 for a complaint, 0 for neither.
    pub(super) fn polarity(&self, form: &str) -> i8 {
        if let Some(polarity) = self.words.get(form) {
            return *polarity;
        }
        if self.contains("stop", form) {
            return 0;
        }
        let found = self.by_stem(form, 1).or_else(|| self.by_compound(form)).or_else(|| self.by_suffix(form));
        found.unwrap_or(0)
    }

    /// Whether the word stands in a section.
    pub(super) fn contains(&self, section: &str, form: &str) -> bool {
        self.sections.get(section).is_some_and(|words| words.contains(form))
    }

    /// The phrases that begin with a word.
    pub(super) fn phrases(&self, first: &str) -> &[Phrase] {
        self.phrases.get(first).map_or(&[], Vec::as_slice)
    }

    /// Finds entries anywhere in a text, for a language without spaces.
    pub(super) fn scan(&self) -> Option<&Regex> {
        self.scan.as_ref()
    }

    /// By the longest stem, which has at least so many bytes.
    fn by_stem(&self, form: &str, shortest: usize) -> Option<i8> {
        let ends = form.char_indices().map(|(at, letter)| at + letter.len_utf8());
        let mut stems = ends.filter(|end| *end >= shortest).filter_map(|end| self.stems.get(form.get(..end)?));
        stems.next_back().copied()
    }

    /// German puts words together: the last part is what the word is, and `un` in front turns it around.
    fn by_compound(&self, form: &str) -> Option<i8> {
        if self.language != "de" {
            return None;
        }
        let mut heads = form.char_indices().skip(2).filter_map(|(at, _)| {
            let head = form.get(at..).filter(|head| head.len() >= COMPOUND_HEAD)?;
            let known = self.words.get(head).copied().or_else(|| self.by_stem(head, COMPOUND_HEAD))?;
            Some(if form.get(..at).is_some_and(|front| front.ends_with("un")) { -known } else { known })
        });
        heads.next()
    }

    /// Persian writes the article, the copula, the comparison and the plural behind a word, often without a space.
    fn by_suffix(&self, form: &str) -> Option<i8> {
        const SUFFIXES: &[&str] = &["ترین", "هایی", "های", "ها", "تر", "اند", "ست", "ند", "ی", "ه", "م"];
        if self.language != "fa" {
            return None;
        }
        let stems = SUFFIXES.iter().filter_map(|suffix| form.strip_suffix(suffix));
        let stems = stems.map(|stem| stem.trim_end_matches(JOINER));
        stems.filter(|stem| stem.chars().count() > 2).find_map(|stem| self.words.get(stem).copied())
    }

    fn read(number: usize, language: &'static str, list: &'static str) -> Self {
        let mut lexicon = Self {
            number,
            language,
            words: HashMap::new(),
            stems: HashMap::new(),
            phrases: HashMap::new(),
            sections: HashMap::new(),
            scan: None,
        };
        let mut section = "";
        for line in list.lines().filter(|line| !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                section = name;
                continue;
            }
            for entry in line.split_whitespace() {
                lexicon.add(section, entry);
            }
        }
        if language == "ja" {
            lexicon.scan = lexicon.alternatives();
        }
        lexicon
    }

    fn add(&mut self, section: &'static str, entry: &str) {
        // In Persian, many people leave the joiner out.
        if self.language == "fa" && entry.contains(JOINER) {
            self.add(section, &entry.replace(JOINER, ""));
        }
        let polarity = match section {
            "positive" => 1,
            "negative" => -1,
            "neutral" => 0,
            _ => {
                let form = self.form(&normalise(entry));
                self.sections.entry(section).or_default().insert(form);
                return;
            }
        };
        let text = entry.replace('_', " ");
        if self.language == "ja" {
            self.words.insert(normalise(&text).into_owned(), polarity);
            return;
        }
        if let Some(stem) = text.strip_suffix('*') {
            self.stems.insert(self.form(&normalise(stem)), polarity);
            return;
        }
        let parts = cut(&text).into_iter().filter_map(|word| text.get(word.span).map(normalise));
        let mut parts = parts.map(|part| self.form(&part)).collect::<Vec<_>>().into_iter();
        let Some(first) = parts.next() else { return };
        let rest: Vec<String> = parts.collect();
        if rest.is_empty() {
            self.words.insert(first, polarity);
        } else {
            self.phrases.entry(first).or_default().push(Phrase { rest, polarity });
        }
    }

    /// All entries, the longest first, so that it wins.
    fn alternatives(&self) -> Option<Regex> {
        let mut entries: Vec<&str> = self.words.keys().map(String::as_str).collect();
        entries.sort_unstable_by_key(|entry| (std::cmp::Reverse(entry.len()), *entry));
        let escaped: Vec<String> = entries.into_iter().map(regex::escape).collect();
        Regex::new(&escaped.join("|")).ok()
    }
}
