//! An analysis in words, a line a finding, with what is ours named as ours.

use super::{
    analysis::{Analysis, Contradiction, LanguageCount, Leaning, Ratings, Recency, Sentiment, Theme},
    count,
    sanitize::quoted,
};
use std::fmt::Write as _;

/// How the reviews of a finding are named: by their numbers in a list that is shown with it, or not at all.
#[derive(Debug, Clone, Copy)]
pub struct Citations<'a>(pub &'a [Option<String>]);

impl Citations<'_> {
    /// Where there is no list.
    pub const NONE: Citations<'static> = Citations(&[]);

    /// For example ` [1] [4]`.
    pub fn of(self, review_ids: &[String]) -> String {
        let position = |id: &String| self.0.iter().position(|listed| listed.as_ref() == Some(id));
        review_ids.iter().filter_map(position).fold(String::new(), |mut text, position| {
            let _ = write!(text, " [{}]", position + 1);
            text
        })
    }
}

/// The findings, each a line.
pub fn analysis_lines(analysis: &Analysis, citations: Citations<'_>) -> Vec<String> {
    if analysis.reviews == 0 {
        return vec!["No reviews to analyse.".to_owned()];
    }
    let mut lines = vec![ratings(&analysis.ratings), sentiment(&analysis.sentiment)];
    lines.extend(analysis.themes.iter().map(|each| theme(each, citations)));
    if analysis.themes.is_empty() {
        lines.push("Themes: no phrase that several of these reviews share.".to_owned());
    }
    lines.extend(languages("Written in", &analysis.languages));
    lines.extend(analysis.recency.as_ref().map(recency));
    lines.extend(analysis.contradictions.iter().map(|each| contradiction(each, citations)));
    lines.extend(analysis.signals.iter().map(|each| format!("{}{}", each.evidence, citations.of(&each.review_ids))));
    lines
}

fn ratings(ratings: &Ratings) -> String {
    let counts =
        [(5, ratings.stars_5), (4, ratings.stars_4), (3, ratings.stars_3), (2, ratings.stars_2), (1, ratings.stars_1)];
    let mut parts: Vec<String> = counts
        .into_iter()
        .filter(|(_, reviews)| *reviews > 0)
        .map(|(stars, reviews)| format!("{stars} ★ × {reviews}"))
        .collect();
    if ratings.unrated > 0 {
        parts.push(format!("without stars × {}", ratings.unrated));
    }
    let mean = ratings.mean.map_or_else(String::new, |mean| format!(", mean {mean:.1} (of this sample)"));
    format!("Stars: {}{mean}", parts.join(", "))
}

fn sentiment(sentiment: &Sentiment) -> String {
    let Sentiment { positive, mixed, negative, unknown, from_stars_alone, uncovered_languages } = sentiment;
    let mut line = format!("Leaning, by stars and words: {positive} positive, {mixed} mixed, {negative} negative");
    if *unknown > 0 {
        let _ = write!(line, ", {unknown} not known");
    }
    if *from_stars_alone > 0 {
        let _ = write!(line, "; {} judged by stars alone", count(*from_stars_alone, "review"));
    }
    match languages("no word list for", uncovered_languages) {
        Some(uncovered) => format!("{line} ({uncovered})"),
        None => line,
    }
}

fn theme(theme: &Theme, citations: Citations<'_>) -> String {
    let (reviews, leaning) = (count(theme.reviews, "review"), leaning(theme.leaning));
    format!("Theme {}: {reviews}, {leaning}{}", quoted(&theme.phrase), citations.of(&theme.review_ids))
}

fn leaning(leaning: Leaning) -> &'static str {
    match leaning {
        Leaning::Positive => "positive",
        Leaning::Mixed => "mixed",
        Leaning::Negative => "negative",
    }
}

fn languages(intro: &str, languages: &[LanguageCount]) -> Option<String> {
    let shown: Vec<_> = languages.iter().map(|each| format!("{} × {}", each.language, each.reviews)).collect();
    (!shown.is_empty()).then(|| format!("{intro}: {}", shown.join(", ")))
}

fn recency(recency: &Recency) -> String {
    format!(
        "Age: newest {}, oldest {}, half older than {}; {} in the last 90 days, {} in the last year",
        recency.newest,
        recency.oldest,
        count(recency.median_age_days as usize, "day"),
        recency.last_90_days,
        recency.last_365_days
    )
}

fn contradiction(contradiction: &Contradiction, citations: Citations<'_>) -> String {
    let mut line = String::from("Stars and words of a review disagree: ");
    if let Some(stars) = contradiction.stars {
        let _ = write!(line, "{stars} ★, but ");
    }
    let _ = write!(line, "{} words", leaning(contradiction.words_lean));
    let words: Vec<_> = contradiction.words.iter().map(|word| quoted(word)).collect();
    if !words.is_empty() {
        let _ = write!(line, " such as {}", words.join(", "));
    }
    line + &citations.of(std::slice::from_ref(&contradiction.review_id))
}
