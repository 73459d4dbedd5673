//! What a tool is: one file in `tools/`, one value in its list. The plumbing lives here, once.

use super::{dispatch::dispatch, schema, server::Server};
use crate::{clock::Deadline, model::Failure};
use rmcp::{
    handler::server::router::tool::ToolRoute,
    model::{Tool as Definition, ToolAnnotations},
};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::{fmt, future::Future, sync::Arc};
use validator::Validate;

/// One thing that a client can ask for.
pub trait Tool: Send + Sync + 'static {
    /// The name by which it is called.
    const NAME: &'static str;
    /// A title for people.
    const TITLE: &'static str;
    /// For a model that chooses among the tools of many servers: what it gives, when to use it, what it does not do.
    const DESCRIPTION: &'static str;
    /// Whether it only reads. A tool that changes something says so here, and clients ask their user.
    const IS_READ_ONLY: bool = true;
    /// The arguments. Its `validate` attributes are both the enforced rules and the published schema, and the doc
    /// comment of each field says what is allowed: it is quoted when a value does not fit.
    type Input: DeserializeOwned + Validate + JsonSchema + Send;
    /// The answer.
    type Output: Answer;

    /// What of the arguments may be logged.
    fn logged(input: &Self::Input) -> Logged;

    /// Does it.
    ///
    /// # Errors
    /// A [`Failure`] is told to the caller.
    fn run(&self, call: Call, input: Self::Input) -> impl Future<Output = Result<Self::Output, Failure>> + Send;
}

/// What a tool may know of the call beside its arguments.
#[derive(Debug, Clone)]
pub struct Call {
    /// By when the answer is needed; it goes with whatever the tool does.
    pub deadline: Deadline,
}

/// An answer in both forms: data for programs, text for models that read only text.
pub trait Answer: Serialize + JsonSchema + Send {
    /// The same as the data, to be read.
    fn text(&self) -> String;
}

/// The parts of a call's arguments that are logged: never free text, only its length.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logged {
    /// Which place.
    pub place_id: Option<String>,
    /// Which language.
    pub language: Option<String>,
    /// How many results.
    pub limit: Option<u8>,
    /// How many characters of free text.
    pub text_length: Option<usize>,
}

/// A tool, ready to be offered by a server.
pub struct Offer {
    pub(super) route: ToolRoute<Server>,
    pub(super) definition: Definition,
}

impl Offer {
    /// Offers this tool.
    pub fn of<T: Tool>(tool: T) -> Self {
        let input = Arc::new(schema::of_input::<T::Input>());
        let mut definition = Definition::new(T::NAME, T::DESCRIPTION, Arc::clone(&input));
        definition.title = Some(T::TITLE.to_owned());
        definition.output_schema = Some(Arc::new(schema::of_output::<T::Output>()));
        definition.annotations = Some(
            ToolAnnotations::with_title(T::TITLE)
                .read_only(T::IS_READ_ONLY)
                .destructive(!T::IS_READ_ONLY)
                .idempotent(T::IS_READ_ONLY)
                .open_world(true),
        );
        let tool = Arc::new(tool);
        let route = ToolRoute::new_dyn(definition.clone(), move |context| {
            Box::pin(dispatch(Arc::clone(&tool), Arc::clone(&input), context))
        });
        Self { route, definition }
    }

    /// The definition as clients see it.
    pub fn definition(&self) -> Value {
        serde_json::to_value(&self.definition).unwrap_or(Value::Object(Map::new()))
    }
}

impl fmt::Debug for Offer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Offer").field("name", &self.definition.name).finish_non_exhaustive()
    }
}
