//! A report as Markdown. Names are sanitised; what reviewers and the owner wrote stands in quotation marks, with those
//! inside it escaped.

use super::{Changes, PlaceChange, ReportPlace, ShownReport, chart::Chart};
use crate::{
    clock::written,
    reviews::{
        Citations,
        analysis::Analysis,
        analysis_lines,
        comparison::{PlaceFacts, RANKING},
        count,
        sanitize::quoted,
    },
};
use std::fmt::Write as _;

/// The whole report.
pub(super) fn write(report: &ShownReport) -> String {
    let mut page = format!("# Report {}\n\n", quoted(&report.title));
    let _ = writeln!(
        page,
        "Made {}, kept until {}. Figures are ours, over the few reviews that the source showed then: a sample, not all \
         reviews. Names, ratings and numbers of ratings are the source's, as of {}.\n",
        report.created_at, report.expires_at, report.attribution.retrieved_at
    );
    table(&mut page, report);
    for (chart, uri) in Chart::ALL.iter().zip(&report.charts) {
        let _ = writeln!(page, "![{}]({uri})", chart.title());
    }
    section(&mut page, "What differs", &report.differences);
    for place in &report.places {
        let _ = writeln!(page, "\n## {}: {}\n", place.letter, heading(&place.facts));
        for line in analysis_lines(&place.analysis, Citations::NONE) {
            let _ = writeln!(page, "- {line}");
        }
    }
    let signals: Vec<String> = report.signals.iter().map(|signal| signal.evidence.clone()).collect();
    section(&mut page, "Over all places", &signals);
    if let Some(changes) = &report.changes {
        section(&mut page, &format!("Since the report of {}", written(changes.since)), &since(report, changes));
    }
    let missing: Vec<String> =
        report.unavailable.iter().map(|place| format!("{}: {}", place.place_id, place.message)).collect();
    section(&mut page, "Without names and figures of the source just now", &missing);
    source(&mut page, report);
    page
}

fn table(page: &mut String, report: &ShownReport) {
    page.push_str("| | place | source's rating | sample | mean of sample | praise / mixed / complaint |\n|---|---|---|---|---|---|\n");
    for place in &report.places {
        let Analysis { reviews, ratings, sentiment, .. } = &place.analysis;
        let mean = ratings.mean.map_or_else(|| "–".to_owned(), |mean| format!("{mean:.1}"));
        let _ = writeln!(
            page,
            "| {} | {} | {} | {reviews} | {mean} | {} / {} / {} |",
            place.letter,
            cell(place.facts.label()),
            rating(place),
            sentiment.positive,
            sentiment.mixed,
            sentiment.negative
        );
    }
    page.push('\n');
    if report.places.len() > 1 {
        let _ = writeln!(page, "{RANKING}\n");
    }
}

fn rating(place: &ReportPlace) -> String {
    let rank = place.rank.map(|rank| format!("{rank}. ")).unwrap_or_default();
    match (place.facts.rating, place.facts.rating_count) {
        (Some(rating), Some(ratings)) => format!("{rank}{rating:.1} from {}", count(ratings as usize, "rating")),
        (Some(rating), None) => format!("{rank}{rating:.1}"),
        (None, _) => "–".to_owned(),
    }
}

fn heading(facts: &PlaceFacts) -> String {
    match (&facts.name, &facts.maps_url) {
        (Some(name), Some(url)) => format!("{name} (place_id {}, {url})", facts.place_id),
        (Some(name), None) => format!("{name} (place_id {})", facts.place_id),
        (None, _) => format!("place_id {}", facts.place_id),
    }
}

/// What changed, a sentence a place.
fn since(report: &ShownReport, changes: &Changes) -> Vec<String> {
    let label = |change: &PlaceChange| {
        let place = report.places.iter().find(|place| place.facts.place_id == change.place_id.as_str());
        place.map_or_else(|| change.place_id.to_string(), |place| place.facts.label().to_owned())
    };
    changes.places.iter().map(|change| format!("{}: {}", label(change), sentence(change))).collect()
}

fn sentence(change: &PlaceChange) -> String {
    if !change.is_any() {
        return "the same reviews, nothing changed.".to_owned();
    }
    let mut text =
        format!("{} new in the sample, {} no longer shown", count(change.new_reviews, "review"), change.gone_reviews);
    if let (Some(before), Some(now)) = (change.mean_stars_before, change.mean_stars_now) {
        let _ = write!(text, "; mean of the sample {before:.1} then, {now:.1} now");
    }
    let _ = write!(text, "; complaints {} then, {} now", change.negative_before, change.negative_now);
    for (name, themes) in [("new themes", &change.new_themes), ("themes gone", &change.gone_themes)] {
        if !themes.is_empty() {
            let themes: Vec<_> = themes.iter().map(|phrase| quoted(phrase)).collect();
            let _ = write!(text, "; {name}: {}", themes.join(", "));
        }
    }
    if let Some(rating) = change.rating_before {
        let _ = write!(text, "; the source's rating was {rating:.1}");
    }
    text + "."
}

fn section(page: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(page, "\n## {title}\n");
    for line in lines {
        let _ = writeln!(page, "- {line}");
    }
}

fn source(page: &mut String, report: &ShownReport) {
    let attribution = &report.attribution;
    let _ = write!(page, "\nSource: {} · retrieved {}", attribution.text, attribution.retrieved_at);
    for party in &attribution.third_parties {
        let _ = write!(page, " · {}", party.name);
    }
    page.push('\n');
}

/// A name cannot end a cell.
fn cell(text: &str) -> String {
    text.replace('|', "/")
}
