//! What can be read by its URI, one file a kind. To add one, write its file and add its line to [`all`].

mod attribution;
mod report;

use crate::{mcp::Resource, reviews::Reviews};
use std::sync::Arc;

pub use attribution::AttributionResource;
pub use report::ReportResource;

/// Every kind, in the order in which clients see them: what is the caller's own first.
pub fn all(reviews: &Reviews) -> Vec<Arc<dyn Resource>> {
    vec![Arc::new(ReportResource::new(reviews.clone())), Arc::new(AttributionResource)]
}
