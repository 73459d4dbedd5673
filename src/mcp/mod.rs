//! The protocol. rmcp appears only here; what it leaves to a server is done here too: the panic guard, the time limit,
//! cancellation, enforced input rules, cache hints, and errors that say what to do.
//!
//! Both eras of the protocol are served at one endpoint without sessions, so that any instance can answer any request.

mod arguments;
pub mod client;
mod completion;
mod connect;
mod cursor;
mod dispatch;
mod era;
mod handler;
mod operation;
mod prompt;
mod request;
mod resource;
mod result;
mod schema;
mod server;
mod sessions;
mod tool;
mod transport;

pub use arguments::parse as read_arguments;
pub use connect::Connection;
pub use prompt::{Argument, Form, Given, Prompt};
pub use resource::{Contents, Listed, Page, Resource, Template, Variable};
pub use result::written;
pub use schema::of_input as input_schema;
pub use server::{Limits, Offers, Parts, Server};
pub use tool::{Answer, Brief, Call, Logged, Offer, ReadTool, Repeatable, Tool, WriteTool};
pub use transport::{BrokenOff, converse, endpoint};
