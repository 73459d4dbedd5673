//! `compare_places`: several places side by side, ranked, with what differs.

use super::{arguments, text};
use crate::{
    mcp::{Answer, Call, Logged, ReadTool, Tool},
    model::{DataSource, Failure, PLACE_ID_PATTERN},
    reviews::{
        Attribution, Comparison, Reviews,
        analysis::Signal,
        comparison::{ComparedPlace, RANKING},
        count,
        reports::Unavailable,
        sanitize::quoted,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use validator::Validate;

/// The tool.
#[derive(Debug)]
pub struct ComparePlaces {
    reviews: Reviews,
}

/// Which places.
#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// 2 to 10 different `place_id` as `search_places` gives them.
    #[validate(length(min = 2, max = 10))]
    #[schemars(inner(regex(pattern = *PLACE_ID_PATTERN)))]
    place_ids: Vec<String>,
}

/// The places.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    data_source: DataSource,
    /// Best first.
    places: Vec<ComparedPlace>,
    /// How they are ranked.
    ranking: String,
    /// What differs; ours where it says so.
    differences: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    signals: Vec<Signal>,
    /// Places that could not be compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unavailable: Vec<Unavailable>,
    attribution: Attribution,
}

impl ComparePlaces {
    /// Over these use cases.
    pub fn new(reviews: Reviews) -> Self {
        Self { reviews }
    }
}

impl Tool for ComparePlaces {
    const NAME: &'static str = "compare_places";
    const TITLE: &'static str = "Compare places";
    const SUMMARY: &'static str = "Set 2 to 10 places side by side in one table";
    const DESCRIPTION: &'static str = "Compares 2 to 10 Google Maps places in one table, ranked by Google's rating, with \
        this server's figures over the up to 5 reviews that Google shows of each, and what differs. One call costs as much \
        as asking for each place.";
    type Input = Input;
    type Output = Output;

    fn logged(input: &Input) -> Logged {
        Logged { places: Some(input.place_ids.len()), ..Logged::default() }
    }
}

impl ReadTool for ComparePlaces {
    async fn run(&self, call: Call, input: Input) -> Result<Output, Failure> {
        let ids = arguments::place_ids(&input.place_ids)?;
        let Comparison { places, differences, signals, unavailable, source, attribution } =
            self.reviews.compare(&ids, &call.deadline).await?;
        self.reviews.saw(&call.principal, places.iter().map(|place| place.facts.place_id.as_str()));
        let ranking = RANKING.to_owned();
        Ok(Output { data_source: source, places, ranking, differences, signals, unavailable, attribution })
    }
}

impl Answer for Output {
    fn text(&self) -> String {
        let mut page =
            format!("{} Samples are the few reviews that the source shows, counted by us.\n\n", self.ranking);
        page.push_str("| | place | source's rating | sample: mean, praise / mixed / complaint | themes |\n|---|---|---|---|---|\n");
        for place in &self.places {
            page.push_str(&row(place));
        }
        page.push('\n');
        for line in self.differences.iter().chain(self.signals.iter().map(|signal| &signal.evidence)) {
            let _ = writeln!(page, "- {line}");
        }
        for place in &self.unavailable {
            let _ = writeln!(page, "- Not compared: {}: {}", place.place_id, place.message);
        }
        page.push('\n');
        page + &text::attribution(&self.attribution)
    }
}

fn row(place: &ComparedPlace) -> String {
    let sample = &place.sample;
    let rating = match (place.facts.rating, place.facts.rating_count) {
        (Some(rating), Some(ratings)) => format!("{rating:.1} ★ from {}", count(ratings as usize, "rating")),
        (Some(rating), None) => format!("{rating:.1} ★"),
        (None, _) => "none yet".to_owned(),
    };
    let state = place.facts.state.as_deref().filter(|state| *state != "operational");
    let state = state.map_or_else(String::new, |state| format!(", {}", state.replace('_', " ")));
    let figures = sample.mean_stars.map_or_else(
        || "no reviews".to_owned(),
        |mean| format!("{mean:.1}, {} / {} / {}", sample.positive, sample.mixed, sample.negative),
    );
    let themes: Vec<_> = sample.themes.iter().map(|phrase| quoted(phrase)).collect();
    format!(
        "| {} | {} ({}{state}) | {rating} | {figures} | {} |\n",
        place.rank,
        place.facts.label().replace('|', "/"),
        place.facts.place_id,
        themes.join(", ").replace('|', "/")
    )
}
