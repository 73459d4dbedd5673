//! What a resource is: something that a client can list, read by its URI, and complete the URI of.

use super::{
    dispatch::{caller, guarded, permitted, reference},
    operation::Operation,
    result,
    server::Server,
    tool::Call,
};
use crate::{
    clock::Deadline,
    model::{Failure, Principal, Scope},
};
use futures_util::future::BoxFuture;
use rmcp::{
    ErrorData, RoleServer,
    model::{
        CompleteRequestParams, CompleteResult, CompletionInfo, ListResourceTemplatesResult, ListResourcesResult,
        ReadResourceResult, Reference, Resource as Definition, ResourceContents, ResourceTemplate,
    },
    service::RequestContext,
};
use serde_json::json;
use tracing::Instrument as _;

/// One kind of resource, with URIs of its own.
pub trait Resource: Send + Sync {
    /// The forms of its URIs (RFC 6570).
    fn templates(&self) -> Vec<Template>;

    /// One page of those that this caller may see, from `after` on.
    fn list<'a>(&'a self, caller: &'a Principal, after: Option<&'a str>) -> BoxFuture<'a, Result<Page, Failure>>;

    /// What is at this URI for this caller; nothing if there is nothing.
    fn read<'a>(&'a self, call: &'a Call, uri: &'a str) -> BoxFuture<'a, Result<Option<Contents>, Failure>>;

    /// Values that begin like `value` for a variable; nothing if there is none such.
    fn complete<'a>(
        &'a self,
        caller: &'a Principal,
        variable: Variable<'a>,
        value: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<String>>, Failure>>;
}

/// A variable in a form of URIs.
#[derive(Debug, Clone, Copy)]
pub struct Variable<'a> {
    /// The form.
    pub template: &'a str,
    /// Its name in there.
    pub name: &'a str,
}

/// A form of URIs.
#[derive(Debug, Clone)]
pub struct Template {
    /// The form.
    pub uri: &'static str,
    /// A name for programs.
    pub name: &'static str,
    /// A title for people.
    pub title: &'static str,
    /// What is there.
    pub description: &'static str,
    /// In which form.
    pub mime_type: &'static str,
}

/// An entry of a list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Where it is.
    pub uri: String,
    /// A name for programs.
    pub name: String,
    /// A title for people.
    pub title: String,
    /// What it is.
    pub description: String,
    /// In which form.
    pub mime_type: &'static str,
}

/// Some entries of a list.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Listed>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// What is at a URI.
#[derive(Debug, Clone)]
pub struct Contents {
    /// In which form.
    pub mime_type: &'static str,
    /// The text.
    pub text: String,
}

/// The list to which a cursor belongs.
const LIST: &str = "resources/list";

impl Server {
    /// One page of all kinds, one kind after the other.
    pub(super) async fn resources(
        &self,
        cursor: Option<&str>,
        context: &RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let caller = caller(context).principal;
        let answer = async {
            let position =
                cursor.map(|cursor| self.cursors.open(&caller, LIST, cursor, self.clock.now())).transpose()?;
            let (kind, after) = position.as_deref().and_then(|position| position.split_once(':')).unwrap_or(("0", ""));
            let kind: usize = kind.parse().map_err(|_| Failure::internal())?;
            let Some(resource) = self.resources.get(kind) else { return Ok(Page::default()) };
            let mut page = resource.list(&caller, Some(after).filter(|after| !after.is_empty())).await?;
            page.next = match page.next {
                Some(next) => Some(format!("{kind}:{next}")),
                None => (kind + 1 < self.resources.len()).then(|| format!("{}:", kind + 1)),
            };
            Ok(page)
        };
        let page = self.answered("resources/list", context, answer).await?;
        Ok(ListResourcesResult {
            next_cursor: page.next.map(|next| self.cursors.seal(&caller, LIST, &next, self.clock.now())),
            resources: page.entries.into_iter().map(definition).collect(),
            ..ListResourcesResult::default()
        })
    }

    /// The forms of all URIs.
    pub(super) fn templates(&self) -> ListResourceTemplatesResult {
        let templates = self.resources.iter().flat_map(|resource| resource.templates());
        let shown = |template: Template| {
            ResourceTemplate::new(template.uri, template.name)
                .with_title(template.title)
                .with_description(template.description)
                .with_mime_type(template.mime_type)
        };
        ListResourceTemplatesResult {
            resource_templates: templates.map(shown).collect(),
            ..ListResourceTemplatesResult::default()
        }
    }

    /// What is at a URI.
    pub(super) async fn read(
        &self,
        uri: &str,
        context: &RequestContext<RoleServer>,
    ) -> Result<ReadResourceResult, ErrorData> {
        let call = Call {
            deadline: Deadline::after(&self.clock, self.limits.tool_timeout),
            principal: caller(context).principal,
        };
        let answer = async {
            for resource in self.resources.iter() {
                if let Some(contents) = resource.read(&call, uri).await? {
                    return Ok(Some(contents));
                }
            }
            Ok(None)
        };
        let Some(contents) = self.answered("resources/read", context, answer).await? else {
            let message = "there is no such resource, or it is not yours, or it has expired: resources/list shows those there are";
            return Err(ErrorData::resource_not_found(message, Some(json!({"uri": uri}))));
        };
        let contents = ResourceContents::text(contents.text, uri).with_mime_type(contents.mime_type);
        Ok(ReadResourceResult::new(vec![contents]))
    }

    /// Values for a variable of a URI's form.
    pub(super) async fn completions(
        &self,
        request: &CompleteRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let caller = caller(context).principal;
        let Reference::Resource(reference) = &request.r#ref else {
            return Err(ErrorData::invalid_params(
                "this server has no prompts; resource templates can be completed",
                None,
            ));
        };
        let answer = async {
            for resource in self.resources.iter() {
                let variable = Variable { template: &reference.uri, name: &request.argument.name };
                if let Some(values) = resource.complete(&caller, variable, &request.argument.value).await? {
                    return Ok(Some(values));
                }
            }
            Ok(None)
        };
        let Some(mut values) = self.answered("completion/complete", context, answer).await? else {
            let message =
                "there is no such resource template, or it has no such argument: resources/templates/list shows them";
            return Err(ErrorData::invalid_params(message, None));
        };
        let has_more = values.len() > CompletionInfo::MAX_VALUES;
        values.truncate(CompletionInfo::MAX_VALUES);
        let values = CompletionInfo::with_pagination(values, None, has_more);
        Ok(CompleteResult::new(values.map_err(|_| ErrorData::internal_error("too many values", None))?))
    }

    /// Runs the work for a request under the same guard as a tool's, and tells a failure in the form of the protocol.
    async fn answered<T>(
        &self,
        method: &'static str,
        context: &RequestContext<RoleServer>,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, ErrorData> {
        self.hear(context);
        let operation = Operation::begin(self, method, None, context);
        let work = async {
            permitted(&caller(context), Scope::ReviewsRead)?;
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

fn definition(listed: Listed) -> Definition {
    Definition::new(listed.uri, listed.name)
        .with_title(listed.title)
        .with_description(listed.description)
        .with_mime_type(listed.mime_type)
}
