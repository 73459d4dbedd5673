//! How answers and failures look on the wire.

use super::tool::Answer;
use crate::model::{Failure, RequestId, Tier};
use rmcp::{
    ErrorData,
    model::{CallToolResult, ContentBlock, ErrorCode, MetaObject},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The key below which a failure's facts are found in `_meta`.
pub(super) const ERROR_KEY: &str = "google-reviews/error";

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

/// The same as [`of_answer`], ready to be written, for measurements.
///
/// # Errors
/// An internal [`Failure`] when the answer cannot be written as JSON.
pub fn written<A: Answer>(answer: &A) -> Result<impl Serialize + use<A>, Failure> {
    of_answer(answer)
}

/// A failure of a tool: a sentence that says what to do, and the facts for programs.
pub(super) fn of_failure(failure: &Failure, reference: &RequestId) -> CallToolResult {
    let mut meta = MetaObject::default();
    meta.insert(ERROR_KEY.to_owned(), facts(failure, reference));
    let mut result = CallToolResult::error(vec![ContentBlock::text(sentence(failure, reference))]);
    result.meta = Some(meta);
    result
}

/// A failure of any other request, which the protocol tells as an error.
pub(super) fn as_error(failure: &Failure, reference: &RequestId) -> ErrorData {
    let code = match failure.code.class().0 {
        Tier::Client => ErrorCode::INVALID_PARAMS,
        Tier::Server | Tier::Dependency => ErrorCode::INTERNAL_ERROR,
    };
    ErrorData::new(code, sentence(failure, reference), Some(json!({ERROR_KEY: facts(failure, reference)})))
}

/// The label of such an error in metrics.
pub(super) fn error_type(error: &ErrorData) -> &'static str {
    if error.code == ErrorCode::INVALID_PARAMS { "-32602" } else { "-32603" }
}

fn sentence(failure: &Failure, reference: &RequestId) -> String {
    match failure.code.class().0 {
        Tier::Client => failure.message.clone(),
        Tier::Server | Tier::Dependency => format!("{} (reference {reference})", failure.message),
    }
}

fn facts(failure: &Failure, reference: &RequestId) -> Value {
    let (tier, status, is_retryable) = failure.code.class();
    let mut facts = Map::from_iter([
        ("tier".to_owned(), json!(tier.as_str())),
        ("status".to_owned(), json!(status)),
        ("code".to_owned(), json!(failure.code.as_str())),
        ("retryable".to_owned(), json!(is_retryable)),
        ("reference".to_owned(), json!(reference.as_str())),
    ]);
    if let Some(wait) = failure.retry_after {
        facts.insert("retry_after_seconds".to_owned(), json!(wait.as_secs().max(1)));
    }
    Value::Object(facts)
}
