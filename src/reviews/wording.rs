//! An analysis in words, a line a finding, with what is ours named as ours.

use super::{
    analysis::{Analysis, Contradiction, LanguageCount, Leaning, Ratings, Recency, Sentiment, Theme},
    count,
    sanitize::quoted,
};
use std::fmt::Write as _;

/// The findings, each a line.
pub fn analysis_lines(analysis: &Analysis) -> Vec<String> {
    if analysis.reviews == 0 {
        return vec!["No reviews to analyse.".to_owned()];
    }
    let mut lines = vec![ratings(&analysis.ratings), sentiment(&analysis.sentiment)];
    lines.extend(analysis.themes.iter().map(theme));
    if analysis.themes.is_empty() {
        lines.push("Themes: no phrase that several of these reviews share.".to_owned());
    }
    lines.extend(languages("Written in", &analysis.languages));
    lines.extend(analysis.recency.as_ref().map(recency));
    lines.extend(analysis.contradictions.iter().map(contradiction));
    lines.extend(analysis.signals.iter().map(|signal| signal.evidence.clone()));
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

fn theme(theme: &Theme) -> String {
    let leaning = leaning(theme.leaning);
    let reviews = count(theme.reviews, "review");
    format!("Theme {}: {reviews}, {leaning} ({})", quoted(&theme.phrase), theme.review_ids.join(", "))
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

fn contradiction(contradiction: &Contradiction) -> String {
    let words: Vec<_> = contradiction.words.iter().map(|word| quoted(word)).collect();
    format!(
        "Stars and words disagree: {} ★, but {} words such as {} ({})",
        contradiction.stars,
        leaning(contradiction.words_lean),
        words.join(", "),
        contradiction.review_id
    )
}
