//! Several places side by side: ranked by the source's rating, with our figures over each sample, and what differs.

use super::{PlaceView, analysis::Analysis, sanitize::quoted};
use schemars::JsonSchema;
use serde::Serialize;
use std::cmp::{Ordering, Reverse};

/// Themes of a place in a comparison.
const THEMES: usize = 3;

/// How places are ranked, in a sentence.
pub const RANKING: &str =
    "Ranked by the source's rating, then by its number of ratings; places without ratings come last.";

/// What the source says of a place.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PlaceFacts {
    /// Its id.
    pub place_id: String,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The source's mean of all ratings, 1 to 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<f64>,
    /// The source's number of ratings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating_count: Option<u32>,
    /// Whether one can go there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Its page at the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maps_url: Option<String>,
}

/// One row of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ComparedPlace {
    /// From 1.
    pub rank: usize,
    /// What the source says of it.
    #[serde(flatten)]
    pub facts: PlaceFacts,
    /// Our figures.
    pub sample: SampleFigures,
}

/// Our figures over the few reviews that the source shows, none of them the source's.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SampleFigures {
    /// Reviews in the sample.
    pub reviews: usize,
    /// Mean stars of the sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_stars: Option<f64>,
    /// Reviews that praise.
    pub positive: usize,
    /// Reviews that do both, or neither.
    pub mixed: usize,
    /// Reviews that complain.
    pub negative: usize,
    /// Day of the newest review, YYYY-MM-DD.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest_review: Option<String>,
    /// What several of its reviews mention: untrusted words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub themes: Vec<String>,
    /// All of them, to compare by.
    #[serde(skip)]
    all_themes: Vec<String>,
}

impl PlaceFacts {
    /// Of a place as the source has it.
    pub(super) fn of(place: PlaceView) -> Self {
        Self {
            place_id: place.place_id,
            name: place.name,
            rating: place.rating,
            rating_count: place.rating_count,
            state: place.status.map(|status| status.state),
            maps_url: place.maps_url,
        }
    }

    /// The name, or the id where the name is not known.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.place_id)
    }
}

impl SampleFigures {
    fn of(analysis: &Analysis) -> Self {
        Self {
            reviews: analysis.reviews,
            mean_stars: analysis.ratings.mean,
            positive: analysis.sentiment.positive,
            mixed: analysis.sentiment.mixed,
            negative: analysis.sentiment.negative,
            newest_review: analysis.recency.as_ref().map(|recency| recency.newest.clone()),
            themes: analysis.themes.iter().take(THEMES).map(|theme| theme.phrase.clone()).collect(),
            all_themes: analysis.themes.iter().map(|theme| theme.phrase.clone()).collect(),
        }
    }
}

/// Ranks places.
pub fn rank<'a>(places: impl IntoIterator<Item = (PlaceFacts, &'a Analysis)>) -> Vec<ComparedPlace> {
    let mut rows: Vec<_> = places
        .into_iter()
        .map(|(facts, analysis)| ComparedPlace { rank: 0, facts, sample: SampleFigures::of(analysis) })
        .collect();
    // Stable: equal places stay in the order in which they were asked for.
    rows.sort_by(|one, other| {
        descending(one.facts.rating, other.facts.rating)
            .then_with(|| Reverse(one.facts.rating_count).cmp(&Reverse(other.facts.rating_count)))
    });
    for (position, row) in rows.iter_mut().enumerate() {
        row.rank = position + 1;
    }
    rows
}

/// Greatest first, nothing last.
fn descending(one: Option<f64>, other: Option<f64>) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => other.total_cmp(&one),
        (one, other) => other.is_some().cmp(&one.is_some()),
    }
}

/// What differs between ranked places, in sentences that say whose figures they are.
pub fn differences(rows: &[ComparedPlace]) -> Vec<String> {
    let found = [ratings(rows), counts(rows), leanings(rows), recency(rows)];
    found.into_iter().flatten().chain(themes(rows)).collect()
}

fn ratings(rows: &[ComparedPlace]) -> Option<String> {
    let rated: Vec<_> = rows.iter().filter_map(|row| Some((row.facts.label(), row.facts.rating?))).collect();
    let ((best, most), (worst, least)) = (*rated.first()?, *rated.last()?);
    let differ = most - least >= 0.05;
    differ.then(|| format!("The source rates {best} highest ({most:.1}) and {worst} lowest ({least:.1})."))
}

fn counts(rows: &[ComparedPlace]) -> Option<String> {
    let counted = || rows.iter().filter_map(|row| Some((row.facts.label(), row.facts.rating_count?)));
    let (best, most) = counted().max_by_key(|(_, count)| *count)?;
    let (worst, least) = counted().min_by_key(|(_, count)| *count)?;
    let differ = most > least;
    differ.then(|| {
        let [most, least] = [most, least].map(|count| super::count(count as usize, "rating"));
        format!("{best} has {most}, {worst} has {least}: the fewer, the less a rating says.")
    })
}

fn leanings(rows: &[ComparedPlace]) -> Option<String> {
    let judged = || rows.iter().filter(|row| row.sample.reviews > 0);
    let complaints = |row: &&ComparedPlace| share(row.sample.negative, row.sample.reviews);
    let worst = judged().max_by(|one, other| complaints(one).total_cmp(&complaints(other)))?;
    let best = judged().min_by(|one, other| complaints(one).total_cmp(&complaints(other)))?;
    let differ = complaints(&worst) > complaints(&best);
    let shown = |row: &ComparedPlace| format!("{} of {}", row.sample.negative, row.sample.reviews);
    differ.then(|| {
        format!(
            "Of the reviews shown, most complain at {} ({}) and fewest at {} ({}); that is our count over small samples.",
            worst.facts.label(),
            shown(worst),
            best.facts.label(),
            shown(best)
        )
    })
}

fn recency(rows: &[ComparedPlace]) -> Option<String> {
    let dated = || rows.iter().filter_map(|row| Some((row.facts.label(), row.sample.newest_review.as_deref()?)));
    let (newest, last) = dated().max_by_key(|(_, day)| *day)?;
    let (oldest, first) = dated().min_by_key(|(_, day)| *day)?;
    (last > first).then(|| format!("The newest review shown is of {last} at {newest}, and of {first} at {oldest}."))
}

/// What is a theme at one place alone.
fn themes(rows: &[ComparedPlace]) -> Vec<String> {
    let is_elsewhere = |phrase: &String, row: &ComparedPlace| {
        rows.iter().any(|other| other.rank != row.rank && other.sample.all_themes.contains(phrase))
    };
    let alone = |row: &ComparedPlace| {
        let phrases: Vec<_> =
            row.sample.themes.iter().filter(|phrase| !is_elsewhere(phrase, row)).map(|phrase| quoted(phrase)).collect();
        (!phrases.is_empty())
            .then(|| format!("Themes at {} and at no other: {}.", row.facts.label(), phrases.join(", ")))
    };
    rows.iter().filter_map(alone).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of reviews are small")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
