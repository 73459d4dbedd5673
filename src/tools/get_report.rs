//! `get_report`: the caller's own report, to be read and as data.

use crate::{
    mcp::{Answer, Call, Logged, ReadTool, Tool},
    model::{Code, Failure, REPORT_ID_PATTERN, ReportId},
    reviews::{Reviews, reports::ShownReport},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

/// The tool.
#[derive(Debug)]
pub struct GetReport {
    reviews: Reviews,
}

/// Which report.
#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// `report_id` as `create_report` gives it: a UUID in lower case.
    #[validate(regex(path = *REPORT_ID_PATTERN))]
    report_id: String,
}

/// The report.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Output(ShownReport);

impl GetReport {
    /// Over these use cases.
    pub fn new(reviews: Reviews) -> Self {
        Self { reviews }
    }
}

impl Tool for GetReport {
    const NAME: &'static str = "get_report";
    const TITLE: &'static str = "Get a report";
    const SUMMARY: &'static str = "Read a stored report again";
    const DESCRIPTION: &'static str = "Returns a report that the caller stored with create_report, as Markdown and as data. \
        Its figures are of when it was made; names, ratings and numbers of ratings are asked of Google again, which costs as \
        much as asking for each place.";
    type Input = Input;
    type Output = Output;

    fn logged(_input: &Input) -> Logged {
        Logged::default()
    }
}

impl ReadTool for GetReport {
    async fn run(&self, call: Call, input: Input) -> Result<Output, Failure> {
        let id = ReportId::parse(&input.report_id)
            .map_err(|invalid| Failure::new(Code::InvalidArgument, format!("{invalid}.")))?;
        Ok(Output(self.reviews.report(&call.principal, id, &call.deadline).await?))
    }
}

impl Answer for Output {
    fn text(&self) -> String {
        self.0.markdown()
    }
}
