//! What a prompt is: a request that a person picks from a list, fills in, and sends to the model.

use super::{request::Kind, server::Server};
use crate::{
    model::{Failure, Principal},
    telemetry::spans::Subject,
};
use futures_util::future::BoxFuture;
use rmcp::{
    ErrorData, RoleServer,
    model::{
        GetPromptRequestParams, GetPromptResult, JsonObject, Prompt as Definition, PromptArgument, PromptMessage, Role,
    },
    service::RequestContext,
};
use serde_json::Value;
use std::collections::BTreeMap;

const GET: &str = "prompts/get";

/// One prompt.
pub trait Prompt: Send + Sync {
    /// What it is, and what is to be filled in.
    fn form(&self) -> Form;

    /// The request in words, from what was filled in: names of the form's arguments, no empty values, and all that are
    /// required.
    ///
    /// # Errors
    /// A [`Failure`] says which value does not fit, and what is allowed.
    fn write(&self, given: &Given) -> Result<String, Failure>;

    /// Values that begin like `value` for one of its arguments.
    fn complete<'a>(
        &'a self,
        caller: &'a Principal,
        argument: &'a str,
        value: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, Failure>>;
}

/// What was filled in, by the names of arguments.
pub type Given = BTreeMap<String, String>;

/// What a prompt says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// The name by which it is asked for.
    pub name: &'static str,
    /// A title for people.
    pub title: &'static str,
    /// What it does, for people.
    pub description: &'static str,
    /// What is to be filled in.
    pub arguments: &'static [Argument],
}

/// One value to be filled in.
#[derive(Debug, Clone, Copy)]
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// A title for people.
    pub title: &'static str,
    /// What is allowed.
    pub description: &'static str,
    /// Whether it must be given.
    pub is_required: bool,
}

impl Form {
    /// How clients see it.
    pub(super) fn definition(&self) -> Definition {
        let argument = |argument: &Argument| {
            PromptArgument::new(argument.name)
                .with_title(argument.title)
                .with_description(argument.description)
                .with_required(argument.is_required)
        };
        let arguments = self.arguments.iter().map(argument).collect();
        Definition::new(self.name, Some(self.description), Some(arguments)).with_title(self.title)
    }

    /// The values that were given, all of them texts of known names. Sent empty means not given, as forms do.
    fn read(&self, given: JsonObject) -> Result<Given, Failure> {
        let known =
            || self.arguments.iter().map(|argument| format!("`{}`", argument.name)).collect::<Vec<_>>().join(", ");
        let mut values = Given::new();
        for (name, value) in given {
            let Some(argument) = self.arguments.iter().find(|argument| argument.name == name) else {
                let message = format!("This prompt has no such argument; its arguments are {}.", known());
                return Err(Failure::invalid_argument(message));
            };
            match value {
                Value::Null => {}
                Value::String(text) if text.trim().is_empty() => {}
                Value::String(text) => drop(values.insert(name, text.trim().to_owned())),
                _ => return Err(argument.refuse()),
            }
        }
        let is_missing = |argument: &&Argument| argument.is_required && !values.contains_key(argument.name);
        match self.arguments.iter().find(is_missing) {
            None => Ok(values),
            Some(argument) => {
                let message = format!("`{}` is missing; expected: {}", argument.name, argument.description);
                Err(Failure::invalid_argument(message))
            }
        }
    }
}

impl Argument {
    /// The failure of a value that is not allowed.
    pub fn refuse(&self) -> Failure {
        Failure::invalid_argument(format!("`{}` is not allowed; expected: {}", self.name, self.description))
    }
}

impl Server {
    /// One prompt, filled in.
    pub(super) async fn prompt(
        &self,
        request: GetPromptRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<GetPromptResult, ErrorData> {
        let Some((form, prompt)) = self.prompts.iter().find(|(form, _)| form.name == request.name) else {
            let known: Vec<_> = self.prompts.iter().map(|(form, _)| form.name).collect();
            let unknown = format!("This server has no such prompt; its prompts are {}.", known.join(", "));
            let refusal = async { Err(Failure::invalid_argument(unknown)) };
            return self.answered(Kind::open(GET, Subject::None), context, refusal).await;
        };
        let work = async { prompt.write(&form.read(request.arguments.unwrap_or_default())?) };
        let text = self.answered(Kind::open(GET, Subject::Prompt(form.name)), context, work).await?;
        let message = PromptMessage::new_text(Role::User, text);
        Ok(GetPromptResult::new(vec![message]).with_description(form.description))
    }
}
