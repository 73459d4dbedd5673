//! Requests beside calls of tools: the same guard, figures and spans for all of them, and failures in the form of the
//! protocol.

use super::{
    dispatch::{guarded, permitted, reference},
    operation::Operation,
    result,
    server::Server,
};
use crate::{
    model::{Failure, Scope},
    telemetry::spans::Subject,
};
use rmcp::{ErrorData, RoleServer, service::RequestContext};
use tracing::Instrument as _;

/// What a request is, for figures and spans, and what its caller must be permitted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    method: &'static str,
    subject: Subject,
    scope: Option<Scope>,
}

impl Kind {
    /// A request that every caller may make.
    pub(super) fn open(method: &'static str, subject: Subject) -> Self {
        Self { method, subject, scope: None }
    }

    /// A request about what only those see who may read.
    pub(super) fn reading(method: &'static str) -> Self {
        Self { method, subject: Subject::None, scope: Some(Scope::ReviewsRead) }
    }
}

impl Server {
    /// Makes an answer from what the server knows of itself.
    pub(super) fn observed<R>(
        &self,
        method: &'static str,
        context: &RequestContext<RoleServer>,
        answer: impl FnOnce() -> R,
    ) -> R {
        let operation = Operation::begin(self, method, Subject::None, context);
        let answer = answer();
        operation.end(None, None);
        answer
    }

    /// Runs the work for a request under the same guard as a tool's, and tells a failure in the form of the protocol.
    pub(super) async fn answered<T>(
        &self,
        kind: Kind,
        context: &RequestContext<RoleServer>,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, ErrorData> {
        self.hear(context);
        let Kind { method, subject, scope } = kind;
        let operation = Operation::begin(self, method, subject, context);
        let work = async {
            if let Some(scope) = scope {
                permitted(&self.caller(context), scope)?;
            }
            work.await
        };
        let work = work.instrument(operation.span.clone());
        let outcome = guarded(self.limits.tool_timeout, context.ct.clone(), work).await;
        let code = outcome.as_ref().err().map(|failure| failure.code.as_str());
        let outcome = outcome.map_err(|failure| {
            let reference = reference(&context.extensions);
            tracing::info!(
                method,
                request_id = reference.as_str(),
                trace_id = %operation.trace_id,
                error_code = failure.code.as_str(),
                "request refused"
            );
            result::as_error(&failure, &reference)
        });
        operation.end(outcome.as_ref().err().map(result::error_type), code);
        outcome
    }
}
