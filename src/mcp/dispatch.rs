//! The one path of every tool call: parse, validate, run under a guard (once, if it writes), answer, and one log line.

use super::{
    arguments,
    operation::Operation,
    result,
    server::Server,
    tool::{Call, Logged, ReadTool, Repeatable as _, Tool, WriteTool},
};
use crate::{
    clock::Deadline,
    idempotency::Request,
    model::{Caller, Code, Failure, Principal, RequestId, Scope},
    telemetry::{Cost, Ledger, spans::Subject},
};
use futures_util::FutureExt as _;
use opentelemetry::trace::TraceId;
use rmcp::{
    ErrorData, RoleServer,
    handler::server::tool::ToolCallContext,
    model::{CallToolResponse, CallToolResult, Extensions, JsonObject},
    service::RequestContext,
};
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

/// Letters of a client's name in the log.
const LONGEST_CLIENT: usize = 40;

/// Calls a tool that reads. `schema` is the published schema of its arguments.
pub(super) async fn read<T: ReadTool>(
    tool: Arc<T>,
    schema: Arc<JsonObject>,
    context: ToolCallContext<'_, Server>,
) -> Result<CallToolResponse, ErrorData> {
    dispatch::<T, _>((Scope::ReviewsRead, schema), context, async |_server, call, input| tool.run(call, input).await)
        .await
}

/// Calls a tool that writes: once for all its repetitions.
pub(super) async fn write<T: WriteTool>(
    tool: Arc<T>,
    schema: Arc<JsonObject>,
    context: ToolCallContext<'_, Server>,
) -> Result<CallToolResponse, ErrorData> {
    dispatch::<T, _>((Scope::ReportsWrite, schema), context, async |server, call, input| {
        let mut arguments = serde_json::to_value(&input).map_err(|_| Failure::internal())?;
        if let Some(arguments) = arguments.as_object_mut() {
            arguments.shift_remove("request_id");
        }
        let key = T::request_id(&input).map(str::to_owned);
        let request = Request { principal: call.principal.clone(), tool: T::NAME, key, arguments };
        let (deadline, limit) = (call.deadline.clone(), server.limits.tool_timeout);
        let work = move |effect| async move {
            // Its own limit: nobody may be waiting for it any more.
            let done = tokio::time::timeout(limit, tool.run(call, effect, input)).await;
            let output = done.unwrap_or_else(|_elapsed| Err(timed_out(limit)))?;
            serde_json::to_string(&output).map_err(|_| Failure::internal())
        };
        let once = server.idempotency.once(request, &deadline, work).await?;
        let output: T::Output = serde_json::from_str(&once.answer).map_err(|error| {
            tracing::error!(category = ?error.classify(), "a kept answer cannot be read");
            Failure::internal()
        })?;
        Ok(if once.is_replayed { output.replayed() } else { output })
    })
    .await
}

/// What all calls have in common: arguments, guard, metrics, log line, and the form of the answer.
async fn dispatch<T: Tool, R>(
    (scope, schema): (Scope, Arc<JsonObject>),
    context: ToolCallContext<'_, Server>,
    run: R,
) -> Result<CallToolResponse, ErrorData>
where
    R: AsyncFnOnce(&Server, Call, T::Input) -> Result<T::Output, Failure>,
{
    let server = context.service;
    let operation = Operation::begin(server, "tools/call", Subject::Tool(T::NAME), &context.request_context);
    let reference = reference(&context.request_context.extensions);
    let span = tracing::info_span!("tool_call", request_id = reference.as_str(), tool = T::NAME);
    let cancelled = context.request_context.ct.clone();
    let caller = server.caller(&context.request_context);
    let who = Who::of(&caller.principal, &context.request_context);
    let arguments = context.arguments.unwrap_or_default();

    let deadline = Deadline::after(&server.clock, server.limits.tool_timeout);
    let mut logged = Logged::default();
    let work = async {
        permitted(&caller, scope)?;
        let call = Call { deadline, principal: caller.principal };
        let input = arguments::parse::<T::Input>(arguments, &schema)?;
        logged = T::logged(&input);
        result::of_answer(&run(server, call, input).await?)
    };
    let ledger = Ledger::new(span);
    let work = work.instrument(operation.span.clone());
    let outcome = ledger.scope(guarded(server.limits.tool_timeout, cancelled, work)).await;

    let (failure, trace_id) = (outcome.as_ref().err(), operation.trace_id);
    let duration = operation.end(failure.map(|_| "tool_error"), failure.map(|failure| failure.code.as_str()));
    server.metrics.tool_call(T::NAME, duration, failure);
    let cost = ledger.cost();
    Line { tool: T::NAME, request_id: &reference, trace_id, who, logged, duration, cost, failure }.log();
    let result: CallToolResult = outcome.unwrap_or_else(|failure| result::of_failure(&failure, &reference));
    if server.results_until.is_some_and(|until| server.clock.now() < until) {
        let result = serde_json::to_string(&result).unwrap_or_default();
        tracing::info!(tool = T::NAME, request_id = reference.as_str(), result, "tool result");
    }
    Ok(result.into())
}

/// Runs `work` to its end, its limit, its panic, or the moment when nobody waits for it any more.
pub(super) async fn guarded<O>(
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
            Err(_elapsed) => Err(timed_out(limit)),
        },
    }
}

fn timed_out(limit: Duration) -> Failure {
    let message = format!(
        "Try again in a few seconds: the call took longer than the {} s that it may take.",
        limit.as_secs_f32()
    );
    Failure::new(Code::TimedOut, message).retry_after(Duration::from_secs(5))
}

/// The reference that the edge gave to the request, or a new one where there is no edge.
pub(super) fn reference(extensions: &Extensions) -> RequestId {
    from_the_edge(extensions).unwrap_or_else(RequestId::random)
}

/// The edge refuses such calls before they get here; whatever gets here is looked at all the same.
pub(super) fn permitted(caller: &Caller, scope: Scope) -> Result<(), Failure> {
    if caller.may(scope) { Ok(()) } else { Err(Failure::insufficient_scope(scope)) }
}

/// What the client calls itself, in the letters that a name needs: in each request since 2026-07-28, and before that, when
/// it told only once and there are no sessions, by its `User-Agent`; without HTTP it is as it told.
pub(super) fn client(context: &RequestContext<RoleServer>) -> String {
    let parts = context.extensions.get::<http::request::Parts>();
    let agent = parts.and_then(|parts| parts.headers.get(http::header::USER_AGENT)?.to_str().ok());
    let name = context.meta.client_info().map(|client| client.name);
    let name = name.or_else(|| agent.map(str::to_owned));
    let name = name.or_else(|| Some(context.peer.peer_info()?.client_info.name.clone())).unwrap_or_default();
    let is_plain = |each: &char| each.is_ascii_alphanumeric() || "._- ".contains(*each);
    name.split('/').next().unwrap_or_default().chars().filter(is_plain).take(LONGEST_CLIENT).collect()
}

pub(super) fn from_the_edge<T: Clone + Send + Sync + 'static>(extensions: &Extensions) -> Option<T> {
    extensions.get::<http::request::Parts>()?.extensions.get::<T>().cloned()
}

/// Who called, as far as it may be logged: a hash of the caller, and the name by which the client calls itself, in the
/// letters that a name needs.
struct Who {
    principal: String,
    client: String,
}

impl Who {
    fn of(principal: &Principal, context: &RequestContext<RoleServer>) -> Self {
        Self { principal: principal.hashed(), client: client(context) }
    }
}

/// The log line of a call, without results and without free text.
struct Line<'a> {
    tool: &'static str,
    request_id: &'a RequestId,
    trace_id: TraceId,
    who: Who,
    logged: Logged,
    duration: Duration,
    cost: Cost,
    failure: Option<&'a Failure>,
}

impl Line<'_> {
    fn log(&self) {
        let Logged { place_id, places, language, limit, text_length } = &self.logged;
        tracing::info!(
            tool = self.tool,
            request_id = self.request_id.as_str(),
            trace_id = %self.trace_id,
            place_id,
            places,
            language,
            limit,
            text_length,
            principal = self.who.principal,
            client = self.who.client,
            cache_hits = self.cost.cache_hits,
            cache_misses = self.cost.cache_misses,
            upstream_calls = self.cost.upstream_calls,
            cost_usd = self.cost.usd,
            duration_ms = self.duration.as_secs_f64() * 1_000.0,
            outcome = if self.failure.is_some() { "error" } else { "ok" },
            error_code = self.failure.map(|failure| failure.code.as_str()),
            error_tier = self.failure.map(|failure| failure.code.class().0.as_str()),
            "tool call"
        );
    }
}
