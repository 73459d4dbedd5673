//! `create_report`: stores a report on some places for its caller, once however often it is asked for.

use super::arguments;
use crate::{
    clock::written,
    mcp::{Answer, Call, Logged, Repeatable, Tool, WriteTool},
    model::{Failure, PLACE_ID_PATTERN, QUERY_PATTERN, REQUEST_KEY_PATTERN, ReportId},
    reviews::{
        Reviews, count,
        reports::{MadeReport, NewReport},
        sanitize::quoted,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use validator::Validate;

/// The tool.
#[derive(Debug)]
pub struct CreateReport {
    reviews: Reviews,
}

/// On what, and under which name.
#[derive(Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// 1 to 10 different `place_id` as `search_places` gives them.
    #[validate(length(min = 1, max = 10))]
    #[schemars(inner(regex(pattern = *PLACE_ID_PATTERN)))]
    place_ids: Vec<String>,
    /// What to call it: 1 to 200 characters in one line.
    #[validate(length(min = 1, max = 200), regex(path = *QUERY_PATTERN))]
    title: String,
    /// Your name for this request, 1 to 255 visible ASCII characters: a call with the same one returns the same report.
    #[validate(length(min = 1, max = 255), regex(path = *REQUEST_KEY_PATTERN))]
    request_id: Option<String>,
}

/// The report.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    report_id: String,
    /// Read it as a resource, or with `get_report`.
    uri: String,
    /// Whether an earlier call had made it.
    replayed: bool,
    title: String,
    place_ids: Vec<String>,
    /// RFC 3339, UTC.
    created_at: String,
    /// From when on it is gone (RFC 3339, UTC).
    expires_at: String,
}

impl CreateReport {
    /// Over these use cases.
    pub fn new(reviews: Reviews) -> Self {
        Self { reviews }
    }
}

impl Tool for CreateReport {
    const NAME: &'static str = "create_report";
    const TITLE: &'static str = "Create a report";
    const SUMMARY: &'static str = "Store a report on up to 10 places";
    const DESCRIPTION: &'static str = "Stores a report on 1 to 10 Google Maps places for the caller: figures over the \
        reviews shown, themes, comparison, and what changed since the last report on the same places. Safe to repeat: the \
        same request_id returns the same report for 24 hours; without one, the same arguments do for 10 minutes. Read it \
        with get_report.";
    type Input = Input;
    type Output = Output;

    fn logged(input: &Input) -> Logged {
        Logged {
            places: Some(input.place_ids.len()),
            text_length: Some(input.title.chars().count()),
            ..Logged::default()
        }
    }
}

impl WriteTool for CreateReport {
    fn request_id(input: &Input) -> Option<&str> {
        input.request_id.as_deref()
    }

    async fn run(&self, call: Call, effect: Uuid, input: Input) -> Result<Output, Failure> {
        let places = arguments::place_ids(&input.place_ids)?;
        let new = NewReport { owner: call.principal, id: ReportId::from(effect), title: input.title, places };
        Ok(Output::of(self.reviews.create_report(&new, &call.deadline).await?))
    }
}

impl Output {
    fn of(made: MadeReport) -> Self {
        Self {
            uri: format!("report://{}", made.id),
            report_id: made.id.to_string(),
            replayed: made.was_there,
            title: made.title,
            place_ids: made.places.iter().map(ToString::to_string).collect(),
            created_at: written(made.created_at),
            expires_at: written(made.expires_at),
        }
    }
}

impl Repeatable for Output {
    fn replayed(self) -> Self {
        Self { replayed: true, ..self }
    }
}

impl Answer for Output {
    fn text(&self) -> String {
        format!(
            "Report {} on {} is stored until {}{}. Read it with get_report and report_id {}, or as {}.",
            quoted(&self.title),
            count(self.place_ids.len(), "place"),
            self.expires_at,
            if self.replayed { "; an earlier call had made it, and nothing was made again" } else { "" },
            self.report_id,
            self.uri
        )
    }
}
