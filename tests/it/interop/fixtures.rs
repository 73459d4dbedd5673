//! The tools, prompts and resources that the conformance suite asks for by name, as far as what can be offered here can be them.

use crate::support::Builder;
use futures_util::{FutureExt as _, future::BoxFuture};
use google_reviews_mcp::{
    mcp::{
        Answer, Argument, Call, Contents, Form, Given, Listed, Logged, Offer, Page, Prompt, ReadTool, Resource,
        Template, Tool, Variable,
    },
    model::{Failure, Principal},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

/// A server with all of them beside its own.
pub(super) fn all(builder: Builder) -> Builder {
    builder
        .tool(Offer::reading(SimpleText))
        .tool(Offer::reading(ErrorHandling))
        .tool(Offer::reading(CustomHeader))
        .prompt(SIMPLE)
        .prompt(WITH_ARGUMENTS)
        .resource(Texts)
}

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
struct NoArguments {}

#[derive(Serialize, JsonSchema)]
struct Said {
    text: String,
}

impl Answer for Said {
    fn text(&self) -> String {
        self.text.clone()
    }
}

struct SimpleText;

impl Tool for SimpleText {
    const NAME: &'static str = "test_simple_text";
    const TITLE: &'static str = "Simple text";
    const DESCRIPTION: &'static str = "Answers with a text.";
    type Input = NoArguments;
    type Output = Said;

    fn logged(_: &NoArguments) -> Logged {
        Logged::default()
    }
}

impl ReadTool for SimpleText {
    async fn run(&self, _: Call, _: NoArguments) -> Result<Said, Failure> {
        Ok(Said { text: "This is a simple text response for testing.".to_owned() })
    }
}

struct ErrorHandling;

impl Tool for ErrorHandling {
    const NAME: &'static str = "test_error_handling";
    const TITLE: &'static str = "Error handling";
    const DESCRIPTION: &'static str = "Fails.";
    type Input = NoArguments;
    type Output = Said;

    fn logged(_: &NoArguments) -> Logged {
        Logged::default()
    }
}

impl ReadTool for ErrorHandling {
    async fn run(&self, _: Call, _: NoArguments) -> Result<Said, Failure> {
        Err(Failure::invalid_argument("This tool intentionally returns an error for testing"))
    }
}

/// No tool of ours has an argument that goes along as a header; that the suite finds nothing says that one could.
struct CustomHeader;

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
struct Region {
    /// Any text.
    #[schemars(extend("x-mcp-header" = "Region"))]
    region: String,
}

impl Tool for CustomHeader {
    const NAME: &'static str = "test_custom_header";
    const TITLE: &'static str = "Custom header";
    const DESCRIPTION: &'static str = "Answers with its argument, which is a header too.";
    type Input = Region;
    type Output = Said;

    fn logged(_: &Region) -> Logged {
        Logged::default()
    }
}

impl ReadTool for CustomHeader {
    async fn run(&self, _: Call, input: Region) -> Result<Said, Failure> {
        Ok(Said { text: input.region })
    }
}

const SIMPLE: Written = Written {
    form: Form { name: "test_simple_prompt", title: "Simple prompt", description: "A text.", arguments: &[] },
    text: |_| "This is a simple prompt for testing.".to_owned(),
};

const ARGUMENTS: &[Argument] = &[
    Argument { name: "arg1", title: "First", description: "any text", is_required: true },
    Argument { name: "arg2", title: "Second", description: "any text", is_required: true },
];

const WITH_ARGUMENTS: Written = Written {
    form: Form {
        name: "test_prompt_with_arguments",
        title: "Prompt with arguments",
        description: "Says what its arguments are.",
        arguments: ARGUMENTS,
    },
    text: |given| format!("Prompt with arguments: arg1='{}', arg2='{}'", given["arg1"], given["arg2"]),
};

/// A prompt of which every argument can be one of three words.
struct Written {
    form: Form,
    text: fn(&Given) -> String,
}

impl Prompt for Written {
    fn form(&self) -> Form {
        self.form
    }

    fn write(&self, given: &Given) -> Result<String, Failure> {
        Ok((self.text)(given))
    }

    fn complete<'a>(
        &'a self,
        _: &'a Principal,
        _: &'a str,
        value: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, Failure>> {
        let fitting = ["test", "testing", "tests"].into_iter().filter(move |each| each.starts_with(value));
        async { Ok(fitting.map(str::to_owned).collect()) }.boxed()
    }
}

const STATIC: &str = "test://static-text";

/// `test://static-text`, and `test://template/{id}/data`.
struct Texts;

impl Resource for Texts {
    fn templates(&self) -> Vec<Template> {
        vec![Template {
            uri: "test://template/{id}/data",
            name: "template",
            title: "Template",
            description: "Says what its id is.",
            mime_type: "application/json",
        }]
    }

    fn list<'a>(&'a self, _: &'a Principal, _: Option<&'a str>) -> BoxFuture<'a, Result<Page, Failure>> {
        let listed = Listed {
            uri: STATIC.to_owned(),
            name: "static-text".to_owned(),
            title: "Static text".to_owned(),
            description: "A text.".to_owned(),
            mime_type: "text/plain",
        };
        async { Ok(Page { entries: vec![listed], next: None }) }.boxed()
    }

    fn read<'a>(&'a self, _: &'a Call, uri: &'a str) -> BoxFuture<'a, Result<Option<Contents>, Failure>> {
        let id = uri.strip_prefix("test://template/").and_then(|rest| rest.strip_suffix("/data"));
        let contents = match id {
            Some(id) => Some(Contents {
                mime_type: "application/json",
                text: json!({"id": id, "templateTest": true, "data": format!("Data for ID: {id}")}).to_string(),
                is_constant: true,
            }),
            None => (uri == STATIC).then(|| Contents {
                mime_type: "text/plain",
                text: "This is the content of the static text resource.".to_owned(),
                is_constant: true,
            }),
        };
        async { Ok(contents) }.boxed()
    }

    fn complete<'a>(
        &'a self,
        _: &'a Principal,
        _: Variable<'a>,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<String>>, Failure>> {
        async { Ok(None) }.boxed()
    }
}
