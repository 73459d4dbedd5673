//! Parts of the text form of answers that several tools share.

use crate::reviews::{Attribution, PlaceView, count};
use std::fmt::Write as _;

/// Name, figures, status and id of a place in one line.
pub(super) fn place_line(place: &PlaceView) -> String {
    let mut line = place.name.clone().unwrap_or_else(|| "(no name)".to_owned());
    let _ = write!(line, " — {}", figures(place));
    if let Some(status) = &place.status {
        if status.state != "operational" {
            let _ = write!(line, " · {}", status.state.replace('_', " "));
        }
        if let Some(moved) = &status.moved_to_place_id {
            let _ = write!(line, " to place_id {moved}");
        }
        if let Some(date) = &status.opens_on {
            let _ = write!(line, " on {date}");
        }
    }
    for part in [&place.category, &place.address].into_iter().flatten() {
        let _ = write!(line, " · {part}");
    }
    let _ = write!(line, " · place_id {}", place.place_id);
    if !place.unreadable_parts.is_empty() {
        let _ = write!(line, " · unreadable: {}", place.unreadable_parts.join(", "));
    }
    line
}

/// One place with what the source warns of.
pub(super) fn place(place: &PlaceView) -> String {
    let mut text = format!("{}\n", place_line(place));
    if let Some(alert) = &place.alert {
        let _ = writeln!(text, "Warning of the source: {alert}");
    }
    text
}

/// The mean and the number of ratings.
pub(super) fn figures(place: &PlaceView) -> String {
    match (place.rating, place.rating_count) {
        (Some(rating), Some(ratings)) => format!("{rating:.1} ★ from {}", count(ratings as usize, "rating")),
        (Some(rating), None) => format!("{rating:.1} ★"),
        (None, _) => "no ratings yet".to_owned(),
    }
}

/// How to get the rest.
pub(super) fn more(token: &str) -> String {
    format!("There are more: repeat the call with page_token \"{token}\".\n")
}

/// What must be shown with the content.
pub(super) fn attribution(attribution: &Attribution) -> String {
    let mut text = String::new();
    for notice in [&attribution.order_notice, &attribution.translation_notice].into_iter().flatten() {
        let _ = writeln!(text, "{notice}");
    }
    let _ = write!(text, "Source: {}", attribution.text);
    for party in &attribution.third_parties {
        let _ = write!(text, ", {}", party.name);
        if let Some(url) = &party.url {
            let _ = write!(text, " ({url})");
        }
    }
    if let Some(url) = &attribution.url {
        let _ = write!(text, " · {url}");
    }
    let _ = write!(text, " · retrieved {}", attribution.retrieved_at);
    text
}
