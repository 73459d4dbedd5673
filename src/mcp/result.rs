//! How answers and failures look on the wire.

use super::tool::Answer;
use crate::model::{Failure, RequestId, Tier};
use rmcp::model::{CallToolResult, ContentBlock, MetaObject};
use serde_json::json;

/// The key below which a failure's facts are found in `_meta`.
const ERROR_KEY: &str = "google-reviews/error";

/// An answer: text to read, and the same as data.
pub(super) fn of_answer<A: Answer>(answer: &A) -> Result<CallToolResult, Failure> {
    let data = serde_json::to_value(answer).map_err(|error| {
        tracing::error!(%error, "an answer cannot be written as JSON");
        Failure::internal()
    })?;
    let mut result = CallToolResult::success(vec![ContentBlock::text(answer.text())]);
    result.structured_content = Some(data);
    Ok(result)
}

/// A failure: a sentence that says what to do, and the facts for programs.
pub(super) fn of_failure(failure: &Failure, reference: &RequestId) -> CallToolResult {
    let (tier, status, is_retryable) = failure.code.class();
    let mut text = failure.message.clone();
    if tier != Tier::Client {
        text.push_str(&format!(" (reference {reference})"));
    }
    let mut facts = json!({
        "tier": tier.as_str(),
        "status": status,
        "code": failure.code.as_str(),
        "retryable": is_retryable,
        "reference": reference.as_str(),
    });
    if let Some(wait) = failure.retry_after {
        facts["retry_after_seconds"] = json!(wait.as_secs().max(1));
    }
    let mut meta = MetaObject::default();
    meta.insert(ERROR_KEY.to_owned(), facts);
    let mut result = CallToolResult::error(vec![ContentBlock::text(text)]);
    result.meta = Some(meta);
    result
}
