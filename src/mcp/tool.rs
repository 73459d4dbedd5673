//! What a tool is: one file in `tools/`, one value in its list. The plumbing lives here, once.

use super::{dispatch, schema, server::Server};
use crate::{
    clock::Deadline,
    model::{Failure, Principal, Scope},
};
use rmcp::{
    handler::server::router::tool::ToolRoute,
    model::{Tool as Definition, ToolAnnotations},
};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::{fmt, future::Future, sync::Arc};
use uuid::Uuid;
use validator::Validate;

/// One thing that a client can ask for: what it is. What it does is in [`ReadTool`] or [`WriteTool`].
pub trait Tool: Send + Sync + 'static {
    /// The name by which it is called.
    const NAME: &'static str;
    /// A title for people.
    const TITLE: &'static str;
    /// For people, on the page of the server: one line that says what it does.
    const SUMMARY: &'static str = Self::TITLE;
    /// For a model that chooses among the tools of many servers: what it gives, when to use it, what it does not do.
    const DESCRIPTION: &'static str;
    /// The arguments. Its `validate` attributes are both the enforced rules and the published schema, and the doc
    /// comment of each field says what is allowed: it is quoted when a value does not fit.
    type Input: DeserializeOwned + Validate + JsonSchema + Send;
    /// The answer.
    type Output: Answer;

    /// What of the arguments may be logged.
    fn logged(input: &Self::Input) -> Logged;
}

/// A tool that changes nothing: it may be called again at will, and is called off when the client leaves.
pub trait ReadTool: Tool {
    /// Finds out.
    ///
    /// # Errors
    /// A [`Failure`] is told to the caller.
    fn run(&self, call: Call, input: Self::Input) -> impl Future<Output = Result<Self::Output, Failure>> + Send;
}

/// A tool that makes or changes something. It is done once however often it is called, its first answer is repeated,
/// and it goes on when the client leaves; see [`crate::idempotency`].
pub trait WriteTool: Tool<Input: Serialize, Output: Repeatable> {
    /// The argument `request_id`, by which the caller makes repetitions known.
    fn request_id(input: &Self::Input) -> Option<&str>;

    /// Does it. `effect` names what is made: it is the same for every try of one call, so whoever is asked to make what
    /// is there already returns that.
    ///
    /// # Errors
    /// A [`Failure`] is told to the caller and not remembered.
    fn run(
        &self,
        call: Call,
        effect: Uuid,
        input: Self::Input,
    ) -> impl Future<Output = Result<Self::Output, Failure>> + Send;
}

/// An answer that is kept and given again.
pub trait Repeatable: Answer + DeserializeOwned {
    /// The same, saying that it is that of an earlier call.
    #[must_use]
    fn replayed(self) -> Self;
}

/// What a tool may know of the call beside its arguments.
#[derive(Debug, Clone)]
pub struct Call {
    /// By when the answer is needed; it goes with whatever the tool does.
    pub deadline: Deadline,
    /// Who calls.
    pub principal: Principal,
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
    /// How many places.
    pub places: Option<usize>,
    /// Which language.
    pub language: Option<String>,
    /// How many results.
    pub limit: Option<u8>,
    /// How many characters of free text.
    pub text_length: Option<usize>,
}

/// A tool in one line, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brief {
    /// The name by which it is called.
    pub name: &'static str,
    /// What it does.
    pub line: &'static str,
}

impl Brief {
    const fn of<T: Tool>() -> Self {
        Self { name: T::NAME, line: T::SUMMARY }
    }
}

/// A tool, ready to be offered by a server.
pub struct Offer {
    pub(super) brief: Brief,
    pub(super) scope: Scope,
    pub(super) route: ToolRoute<Server>,
    pub(super) definition: Definition,
}

impl Offer {
    /// Offers a tool that reads; it needs `reviews:read`.
    pub fn reading<T: ReadTool>(tool: T) -> Self {
        let (tool, definition) = (Arc::new(tool), definition::<T>(true));
        let input = Arc::clone(&definition.input_schema);
        let route = ToolRoute::new_dyn(definition.clone(), move |context| {
            Box::pin(dispatch::read(Arc::clone(&tool), Arc::clone(&input), context))
        });
        Self { brief: Brief::of::<T>(), scope: Scope::ReviewsRead, route, definition }
    }

    /// Offers a tool that writes; it needs `reports:write`.
    pub fn writing<T: WriteTool>(tool: T) -> Self {
        let (tool, definition) = (Arc::new(tool), definition::<T>(false));
        let input = Arc::clone(&definition.input_schema);
        let route = ToolRoute::new_dyn(definition.clone(), move |context| {
            Box::pin(dispatch::write(Arc::clone(&tool), Arc::clone(&input), context))
        });
        Self { brief: Brief::of::<T>(), scope: Scope::ReportsWrite, route, definition }
    }

    /// What people are told of it.
    pub fn brief(&self) -> Brief {
        self.brief
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

fn definition<T: Tool>(reads: bool) -> Definition {
    let mut definition = Definition::new(T::NAME, T::DESCRIPTION, Arc::new(schema::of_input::<T::Input>()));
    definition.title = Some(T::TITLE.to_owned());
    definition.output_schema = Some(Arc::new(schema::of_output::<T::Output>()));
    let annotations = ToolAnnotations::with_title(T::TITLE).read_only(reads).open_world(true);
    // Both kinds may be repeated: what writes is done once. Nothing that is there is destroyed.
    definition.annotations = Some(annotations.destructive(false).idempotent(true));
    definition
}
