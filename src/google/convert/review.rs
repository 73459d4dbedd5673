//! One review. Whatever is wrong in it leaves it out.

use super::{decode, in_range, partial_date, text};
use crate::{
    google::{
        drift::{DriftKind, Finding},
        wire,
    },
    model::{Author, PartialDate, Rating, Review},
};
use serde_json::Value;

/// Reads the review at `position` of its list.
pub(super) fn read(body: Value, position: usize) -> Result<Review, Finding> {
    let wire: wire::Review = decode(body, "reviews[]", Some(position))?;
    convert(wire).map_err(|finding| Finding { element: Some(position), ..finding })
}

fn convert(wire: wire::Review) -> Result<Review, Finding> {
    let not_a_time = |_| super::wrong(DriftKind::WrongType, "reviews[].publishTime");
    let author = wire.author_attribution.unwrap_or_default();
    let visited = match wire.visit_date {
        Some(date) => partial_date(date, "reviews[].visitDate")?,
        None => None,
    };
    Ok(Review {
        id: wire.name.as_deref().and_then(|name| name.rsplit('/').next()).map(str::to_owned),
        rating: in_range(wire.rating, Rating::new, "reviews[].rating")?,
        text: wire.text.and_then(text),
        original_text: wire.original_text.and_then(text),
        author: Author { name: author.display_name, profile_url: author.uri, photo_url: author.photo_uri },
        published_at: wire.publish_time.map(|time| time.parse().map_err(not_a_time)).transpose()?,
        published_relative: wire.relative_publish_time_description,
        visited: visited.map(month),
        url: wire.google_maps_uri,
        report_url: wire.flag_content_uri,
    })
}

/// Google truncates the day of a visit; a year alone is possible.
fn month(date: PartialDate) -> String {
    match date.month {
        Some(month) => format!("{:04}-{month:02}", date.year),
        None => format!("{:04}", date.year),
    }
}
