//! `get_place`: what there is to know about one place without its reviews.

use super::{arguments, text};
use crate::{
    mcp::{Answer, Call, Logged, ReadTool, Tool},
    model::{DataSource, Failure, LANGUAGE_PATTERN, PLACE_ID_PATTERN, REGION_PATTERN},
    reviews::{Attribution, OnePlace, PlaceDetails, Reviews, sanitize},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use validator::Validate;

/// The tool.
#[derive(Debug)]
pub struct GetPlace {
    reviews: Reviews,
}

/// Which place.
#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// `place_id` as `search_places` gives it: 10 to 512 letters, digits, "_" or "-".
    #[validate(regex(path = *PLACE_ID_PATTERN))]
    place_id: String,
    /// Language of the answer as a BCP 47 tag such as "en" or "pt-BR".
    #[serde(default = "arguments::english")]
    #[validate(length(max = 35), regex(path = *LANGUAGE_PATTERN))]
    language: String,
    /// Two-letter region such as "DE", for the form of addresses.
    #[validate(regex(path = *REGION_PATTERN))]
    region: Option<String>,
}

/// The place.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// Whether this is real data of Google Maps or invented demo data.
    data_source: DataSource,
    place: PlaceDetails,
    attribution: Attribution,
}

impl GetPlace {
    /// Over these use cases.
    pub fn new(reviews: Reviews) -> Self {
        Self { reviews }
    }
}

impl Tool for GetPlace {
    const NAME: &'static str = "get_place";
    const TITLE: &'static str = "Get a place";
    const SUMMARY: &'static str = "Look up one place: rating, status, warnings";
    const DESCRIPTION: &'static str = "Returns one Google Maps place by place_id: name, address, rating, number of \
        ratings, whether it is open, closed, moved or still to open, warnings, and Google's own summary of its reviews \
        where there is one. For what people wrote use get_reviews.";
    type Input = Input;
    type Output = Output;

    fn logged(input: &Input) -> Logged {
        Logged { place_id: Some(input.place_id.clone()), language: Some(input.language.clone()), ..Logged::default() }
    }
}

impl ReadTool for GetPlace {
    async fn run(&self, call: Call, input: Input) -> Result<Output, Failure> {
        let which = arguments::which_place(&input.place_id, &input.language, input.region.as_ref())?;
        let OnePlace { place, source, attribution } = self.reviews.place(&which, &call.deadline).await?;
        self.reviews.saw(&call.principal, [which.id.as_str()]);
        Ok(Output { data_source: source, place, attribution })
    }
}

impl Answer for Output {
    fn text(&self) -> String {
        let mut page = text::place(&self.place.place);
        if let Some(summary) = &self.place.review_summary {
            let _ = writeln!(page, "Summary of its reviews:\n{}", sanitize::quotation(&summary.text));
            for (name, shown) in [
                ("Disclosure", &summary.disclosure),
                ("Reviews", &summary.reviews_url),
                ("Report the summary", &summary.report_url),
            ] {
                if let Some(shown) = shown {
                    let _ = writeln!(page, "{name}: {shown}");
                }
            }
        }
        page + &text::attribution(&self.attribution)
    }
}
