//! `search_places`: from free text to places with their ids.

use super::{arguments, text};
use crate::{
    mcp::{Answer, Call, Logged, ReadTool, Tool},
    model::{Code, DataSource, Failure, LANGUAGE_PATTERN, PAGE_TOKEN_PATTERN, QUERY_PATTERN, REGION_PATTERN, Search},
    reviews::{Attribution, PlaceView, Reviews},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use validator::Validate;

/// The tool.
#[derive(Debug)]
pub struct SearchPlaces {
    reviews: Reviews,
}

/// What to search for.
#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Name or kind of place with its town, such as "Hotel Adler Basel": up to 300 characters, no links.
    #[validate(length(min = 1, max = 300), regex(path = *QUERY_PATTERN))]
    query: String,
    /// Prefer places around this point.
    #[validate(nested)]
    near: Option<Near>,
    /// BCP 47 tag of the answer's language, such as "en" or "pt-BR".
    #[serde(default = "arguments::english")]
    #[validate(length(max = 35), regex(path = *LANGUAGE_PATTERN))]
    language: String,
    /// Two-letter region such as "DE".
    #[validate(regex(path = *REGION_PATTERN))]
    region: Option<String>,
    /// Results: 1 to 20.
    #[serde(default = "ten")]
    #[validate(range(min = 1, max = 20))]
    limit: u8,
    /// `next_page_token` of the page before, all else unchanged.
    #[validate(length(max = 4096), regex(path = *PAGE_TOKEN_PATTERN))]
    page_token: Option<String>,
}

/// A circle.
#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
struct Near {
    /// Degrees, -90 to 90.
    #[validate(range(min = -90.0, max = 90.0))]
    latitude: f64,
    /// Degrees, -180 to 180.
    #[validate(range(min = -180.0, max = 180.0))]
    longitude: f64,
    /// Metres, 1 to 50000.
    #[serde(default = "five_kilometres")]
    #[validate(range(min = 1.0, max = 50_000.0))]
    radius_meters: f64,
}

fn ten() -> u8 {
    10
}

fn five_kilometres() -> f64 {
    5_000.0
}

/// The hits.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// Whether this is real data of Google Maps or invented demo data.
    data_source: DataSource,
    /// The hits, best first.
    places: Vec<PlaceView>,
    /// Pass it as `page_token` for more hits.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
    /// Hits left out because the source sent them in an unreadable form.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable_places: Option<usize>,
    attribution: Attribution,
}

impl SearchPlaces {
    /// Over these use cases.
    pub fn new(reviews: Reviews) -> Self {
        Self { reviews }
    }
}

impl Tool for SearchPlaces {
    const NAME: &'static str = "search_places";
    const TITLE: &'static str = "Search places";
    const SUMMARY: &'static str = "Find places by name, kind or address";
    const DESCRIPTION: &'static str = "Finds shops, restaurants, hotels and sights on Google Maps by name, kind or \
        address: place_id, rating, number of ratings, address. Use it first: other tools need a place_id. Opens no links, \
        gives no reviews.";
    type Input = Input;
    type Output = Output;

    fn logged(input: &Input) -> Logged {
        Logged {
            language: Some(input.language.clone()),
            limit: Some(input.limit),
            text_length: Some(input.query.chars().count()),
            ..Logged::default()
        }
    }
}

impl ReadTool for SearchPlaces {
    async fn run(&self, call: Call, input: Input) -> Result<Output, Failure> {
        refuse_links(&input.query)?;
        let search = Search {
            language: arguments::language(&input.language)?,
            region: arguments::region(input.region.as_ref())?,
            near: input.near.map(|near| (near.latitude, near.longitude, near.radius_meters)),
            query: input.query,
            page_size: input.limit,
            page_token: input.page_token,
        };
        let is_first_page = search.page_token.is_none();
        let found = self.reviews.search(&search, &call.deadline).await.map_err(|failure| match failure.code {
            // The token is the part of such a request that goes stale.
            Code::GoogleRejectedRequest if !is_first_page => Failure::new(Code::PageTokenMismatch, WRONG_TOKEN),
            _ => failure,
        })?;
        self.reviews.saw(&call.principal, found.places.iter().map(|place| place.place_id.as_str()));
        Ok(Output {
            data_source: found.source,
            places: found.places,
            next_page_token: found.next_page_token,
            unreadable_places: Some(found.unreadable_places).filter(|count| *count > 0),
            attribution: found.attribution,
        })
    }
}

const WRONG_TOKEN: &str = "Repeat the search without `page_token`, or with exactly the arguments of the search that gave \
                           it: a token belongs to its query, language, region, limit and point, and it expires.";

/// A link in the query would find nothing, and would be billed all the same.
fn refuse_links(query: &str) -> Result<(), Failure> {
    let lower = query.to_ascii_lowercase();
    let is_link = ["://", "maps.app.goo.gl/", "goo.gl/maps", "google.com/maps", "maps.google."]
        .iter()
        .any(|part| lower.contains(part));
    if !is_link {
        return Ok(());
    }
    let mut message =
        "`query` is a link, and links cannot be opened here; expected: the name of the place with its town.".to_owned();
    if let Some(name) = name_in_link(query) {
        let _ = write!(message, " The link names \"{name}\": search for that.");
    } else {
        message.push_str(" Ask the user for the name, or open the link and read it there.");
    }
    Err(Failure::invalid_argument(message))
}

/// Long links carry the name after `/place/`.
fn name_in_link(link: &str) -> Option<String> {
    let (_, rest) = link.split_once("/place/")?;
    let segment = rest.split(['/', '?', '#']).next()?.replace('+', " ");
    let pair = format!("name={}", segment.replace('&', "%26"));
    let name = url::form_urlencoded::parse(pair.as_bytes()).next()?.1.into_owned();
    let name = crate::reviews::sanitize::line(&name, 100).text.replace('"', "'");
    (!name.is_empty()).then_some(name)
}

impl Answer for Output {
    fn text(&self) -> String {
        let mut page = String::new();
        if self.places.is_empty() {
            page.push_str("No place was found. Try another spelling, or add the town.\n");
        }
        for (position, place) in self.places.iter().enumerate() {
            let link = place.maps_url.as_ref().map(|url| format!(" · {url}")).unwrap_or_default();
            let _ = writeln!(page, "{}. {}{link}", position + 1, text::place_line(place));
        }
        if let Some(count) = self.unreadable_places {
            let _ = writeln!(page, "{count} more could not be read and were left out.");
        }
        if let Some(token) = &self.next_page_token {
            page.push_str(&text::more(token));
        }
        page + &text::attribution(&self.attribution)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_link_is_refused_with_the_name_it_holds() {
        let refused = |query: &str| refuse_links(query).expect_err("a link").message;
        assert!(
            refused("https://www.google.com/maps/place/Caf%C3%A9+M%C3%BCller/@48.1,11.5,17z")
                .contains("\"Café Müller\"")
        );
        assert!(refused("https://maps.app.goo.gl/AbCdEf123").contains("Ask the user"));
        assert!(refused("maps.app.goo.gl/AbCdEf123").contains("`query`"));
        assert!(refuse_links("Bakery at 5/7 Quay Street: open?").is_ok());
    }
}
