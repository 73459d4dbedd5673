//! `report://{id}`: the caller's reports, each with its charts.

use crate::{
    mcp::{Call, Contents, Listed, Page, Resource, Template, Variable},
    model::{Code, Failure, Principal, ReportId},
    reviews::{
        Reviews,
        reports::{Chart, MadeReport},
    },
};
use futures_util::future::BoxFuture;
use jiff::Timestamp;

const REPORT: &str = "report://{id}";
const CHART: &str = "report://{id}/{chart}";
const MARKDOWN: &str = "text/markdown";
const SVG: &str = "image/svg+xml";
/// Reports on one page of a list.
const PAGE: u32 = 50;
/// Completions; one more than a client gets says that there are more.
const COMPLETIONS: u32 = 101;

/// The kind.
#[derive(Debug)]
pub struct ReportResource {
    reviews: Reviews,
}

impl ReportResource {
    /// Over these use cases.
    pub fn new(reviews: Reviews) -> Self {
        Self { reviews }
    }

    async fn contents(&self, call: &Call, uri: &str) -> Result<Option<Contents>, Failure> {
        let Some(rest) = uri.strip_prefix("report://") else { return Ok(None) };
        let (id, chart) = match rest.split_once('/') {
            None => (rest, None),
            Some((id, file_name)) => match Chart::parse(file_name) {
                Some(chart) => (id, Some(chart)),
                None => return Ok(None),
            },
        };
        let Ok(id) = ReportId::parse(id) else { return Ok(None) };
        let found = match chart {
            None => self.reviews.report(&call.principal, id, &call.deadline).await.map(|report| report.markdown()),
            Some(chart) => self.reviews.chart(&call.principal, id, chart).await,
        };
        match found {
            Ok(text) => {
                Ok(Some(Contents { mime_type: if chart.is_some() { SVG } else { MARKDOWN }, text, is_constant: false }))
            }
            // Not there, or somebody else's: the same for the caller.
            Err(failure) if failure.code == Code::ReportNotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn page(&self, caller: &Principal, after: Option<&str>) -> Result<Page, Failure> {
        let after = after.map(position).transpose()?;
        let mut reports = self.reviews.list_reports(caller, after, PAGE + 1).await?;
        let has_more = reports.len() > PAGE as usize;
        reports.truncate(PAGE as usize);
        let next = reports.last().filter(|_| has_more);
        let next = next.map(|last| format!("{},{}", last.created_at.as_millisecond(), last.id));
        Ok(Page { entries: reports.into_iter().map(listed).collect(), next })
    }

    async fn completions(
        &self,
        caller: &Principal,
        variable: Variable<'_>,
        value: &str,
    ) -> Result<Option<Vec<String>>, Failure> {
        match (variable.template, variable.name) {
            (REPORT | CHART, "id") => Ok(Some(self.reviews.report_ids(caller, value, COMPLETIONS).await?)),
            (CHART, "chart") => {
                let names = Chart::ALL.into_iter().map(|chart| chart.file_name().to_owned());
                Ok(Some(names.filter(|name| name.starts_with(value)).collect()))
            }
            _ => Ok(None),
        }
    }
}

impl Resource for ReportResource {
    fn templates(&self) -> Vec<Template> {
        vec![
            Template {
                uri: REPORT,
                name: "report",
                title: "Report",
                description: "A stored report of yours, with names and ratings as the source has them now.",
                mime_type: MARKDOWN,
            },
            Template {
                uri: CHART,
                name: "report_chart",
                title: "Chart of a report",
                description: "A chart of a report: stars.svg or leaning.svg.",
                mime_type: SVG,
            },
        ]
    }

    fn list<'a>(&'a self, caller: &'a Principal, after: Option<&'a str>) -> BoxFuture<'a, Result<Page, Failure>> {
        Box::pin(self.page(caller, after))
    }

    fn read<'a>(&'a self, call: &'a Call, uri: &'a str) -> BoxFuture<'a, Result<Option<Contents>, Failure>> {
        Box::pin(self.contents(call, uri))
    }

    fn complete<'a>(
        &'a self,
        caller: &'a Principal,
        variable: Variable<'a>,
        value: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<String>>, Failure>> {
        Box::pin(self.completions(caller, variable, value))
    }
}

fn listed(report: MadeReport) -> Listed {
    Listed {
        uri: format!("report://{}", report.id),
        name: format!("report-{}", report.id),
        title: report.title,
        description: format!(
            "Report on {}, made {}, kept until {}",
            crate::reviews::count(report.places.len(), "place"),
            report.created_at.strftime("%Y-%m-%d"),
            report.expires_at.strftime("%Y-%m-%d")
        ),
        mime_type: MARKDOWN,
    }
}

/// It was sealed by this server, so one that cannot be read is a fault of ours.
fn position(text: &str) -> Result<(Timestamp, ReportId), Failure> {
    let parse = || {
        let (created_at, id) = text.split_once(',')?;
        Some((Timestamp::from_millisecond(created_at.parse().ok()?).ok()?, ReportId::parse(id).ok()?))
    };
    parse().ok_or_else(Failure::internal)
}
