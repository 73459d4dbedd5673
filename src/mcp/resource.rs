//! What a resource is: something that a client can list, read by its URI, and complete the URI of.

use super::{request::Kind, server::Server, tool::Call};
use crate::{
    clock::Deadline,
    model::{Failure, Principal},
};
use futures_util::future::BoxFuture;
use rmcp::{
    ErrorData, RoleServer,
    model::{
        ListResourceTemplatesResult, ListResourcesResult, Resource as Definition, ResourceContents, ResourceTemplate,
    },
    service::RequestContext,
};
use serde_json::json;

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
    /// Whether it is the same for all callers, and stays so until the next version.
    pub is_constant: bool,
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
        let caller = self.caller(context).principal;
        let answer = async {
            let position =
                cursor.map(|cursor| self.cursors.open(&caller, LIST, cursor, self.clock.now())).transpose()?;
            let (first, after) = position.as_deref().and_then(|position| position.split_once(':')).unwrap_or(("0", ""));
            let first: usize = first.parse().map_err(|_| Failure::internal())?;
            let mut after = Some(after).filter(|after| !after.is_empty());
            let mut listed = Page::default();
            // Until one kind has more than fits: many clients read the first page alone.
            for (kind, resource) in self.resources.iter().enumerate().skip(first) {
                let page = resource.list(&caller, after.take()).await?;
                listed.entries.extend(page.entries);
                if let Some(next) = page.next {
                    listed.next = Some(format!("{kind}:{next}"));
                    break;
                }
            }
            Ok(listed)
        };
        let page = self.answered(Kind::reading(LIST), context, answer).await?;
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
    pub(super) async fn read(&self, uri: &str, context: &RequestContext<RoleServer>) -> Result<Contents, ErrorData> {
        let call = Call {
            deadline: Deadline::after(&self.clock, self.limits.tool_timeout),
            principal: self.caller(context).principal,
        };
        let answer = async {
            for resource in self.resources.iter() {
                if let Some(contents) = resource.read(&call, uri).await? {
                    return Ok(Some(contents));
                }
            }
            Ok(None)
        };
        let contents = self.answered(Kind::reading("resources/read"), context, answer).await?;
        contents.ok_or_else(|| {
            let message = "there is no such resource, or it is not yours, or it has expired: resources/list shows those there are";
            ErrorData::resource_not_found(message, Some(json!({"uri": uri})))
        })
    }
}

impl Contents {
    /// In the form of the protocol.
    pub(super) fn at(self, uri: &str) -> ResourceContents {
        ResourceContents::text(self.text, uri).with_mime_type(self.mime_type)
    }
}

fn definition(listed: Listed) -> Definition {
    Definition::new(listed.uri, listed.name)
        .with_title(listed.title)
        .with_description(listed.description)
        .with_mime_type(listed.mime_type)
}
