//! What the pages say is so: settings, commands, metrics, prices, rooms and links are held to the program, and what a page
//! tells its reader to do is done.

mod backup;
mod configuration;
mod connect;
mod house;
mod installation;
mod links;
mod made;
mod markdown;
mod messages;
mod metrics;
mod names;
mod prices;
mod promises;
mod rotation;
mod tools;

pub(crate) use made::held;
