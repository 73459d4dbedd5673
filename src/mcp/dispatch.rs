//! The one path of every tool call: parse, validate, run under a guard, answer, and one log line.

use super::{
    arguments, result,
    server::Server,
    tool::{Call, Logged, Tool},
};
use crate::{
    clock::Deadline,
    model::{Code, Failure, RequestId},
};
use futures_util::FutureExt as _;
use rmcp::{
    ErrorData,
    handler::server::tool::ToolCallContext,
    model::{CallToolResponse, CallToolResult, JsonObject},
};
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

/// Calls a tool for a client. `schema` is the published schema of its arguments.
pub(super) async fn dispatch<T: Tool>(
    tool: Arc<T>,
    schema: Arc<JsonObject>,
    context: ToolCallContext<'_, Server>,
) -> Result<CallToolResponse, ErrorData> {
    let server = context.service;
    let started = server.clock.elapsed();
    let reference = reference(&context);
    let span = tracing::info_span!("tool_call", request_id = reference.as_str(), tool = T::NAME);
    let cancelled = context.request_context.ct.clone();
    let arguments = context.arguments.unwrap_or_default();

    let call = Call { deadline: Deadline::after(&server.clock, server.limits.tool_timeout) };
    let mut logged = Logged::default();
    let work = async {
        let input = arguments::parse::<T::Input>(arguments, &schema)?;
        logged = T::logged(&input);
        result::of_answer(&tool.run(call, input).await?)
    };
    let outcome = guarded(server.limits.tool_timeout, cancelled, work.instrument(span)).await;

    let duration = server.clock.elapsed().saturating_sub(started);
    let failure = outcome.as_ref().err();
    server.metrics.tool_call(T::NAME, duration, failure);
    server.metrics.operation("tools/call", Some(T::NAME), duration, failure.map(|_| "tool_error"));
    Line { tool: T::NAME, request_id: &reference, logged, duration, failure }.log();
    let result: CallToolResult = outcome.unwrap_or_else(|failure| result::of_failure(&failure, &reference));
    Ok(result.into())
}

/// Runs `work` to its end, its limit, its panic, or the moment when nobody waits for it any more.
async fn guarded<O>(
    limit: Duration,
    cancelled: CancellationToken,
    work: impl Future<Output = Result<O, Failure>>,
) -> Result<O, Failure> {
    let work = tokio::time::timeout(limit, AssertUnwindSafe(work).catch_unwind());
    tokio::select! {
        // The client went away: dropping the work closes its request to Google.
        () = cancelled.cancelled() => Err(Failure::new(Code::Cancelled, "The call was cancelled by the client.")),
        ended = work => match ended {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_panic)) => Err(Failure::internal()),
            Err(_elapsed) => Err(Failure::new(
                Code::TimedOut,
                format!("Try again in a few seconds: the call took longer than the {} s that it may take.", limit.as_secs_f32()),
            )
            .retry_after(Duration::from_secs(5))),
        },
    }
}

/// The reference that the edge gave to the request, or a new one where there is no edge.
fn reference(context: &ToolCallContext<'_, Server>) -> RequestId {
    let parts = context.request_context.extensions.get::<http::request::Parts>();
    parts.and_then(|parts| parts.extensions.get::<RequestId>().cloned()).unwrap_or_else(RequestId::random)
}

/// The log line of a call, without results and without free text.
struct Line<'a> {
    tool: &'static str,
    request_id: &'a RequestId,
    logged: Logged,
    duration: Duration,
    failure: Option<&'a Failure>,
}

impl Line<'_> {
    fn log(&self) {
        let Logged { place_id, language, limit, text_length } = &self.logged;
        tracing::info!(
            tool = self.tool,
            request_id = self.request_id.as_str(),
            place_id,
            language,
            limit,
            text_length,
            duration_ms = self.duration.as_secs_f64() * 1_000.0,
            outcome = if self.failure.is_some() { "error" } else { "ok" },
            error_code = self.failure.map(|failure| failure.code.as_str()),
            error_tier = self.failure.map(|failure| failure.code.class().0.as_str()),
            "tool call"
        );
    }
}
