//! What a server is made of, whichever way its clients come to it.

use super::{
    base::{Base, Domain},
    upstream,
};
use crate::{
    config::Config,
    emulator::Emulator,
    mcp::{Brief, Offer, Offers, Server},
    prompts, resources, tools,
};
use anyhow::Result;
use std::time::Duration;
use tokio_util::sync::DropGuard;

/// How long work in the background may take to end.
const LAST_WORK: Duration = Duration::from_secs(5);
/// How long closing the database may take, and sending the last figures.
const LONGEST_CLOSE: Duration = Duration::from_secs(2);

/// The parts between the database and the protocol.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) base: Base,
    pub(super) domain: Domain,
    pub(super) server: Server,
    /// The tools, for people.
    pub(super) tools: Vec<Brief>,
    /// Where reviews come from, if that is here.
    pub(super) emulator: Option<Emulator>,
    /// Keeps the heart beating, also while the server stops.
    _heart: DropGuard,
}

impl Core {
    /// Builds them; the database is not open yet.
    pub(super) async fn build(config: &Config, base: Base, more: Offers) -> Result<Box<Self>> {
        let heart = base.heartbeat.keep(&base.tasks, base.metrics.clone());
        let (google, emulator) = upstream(config, &base.clock, &base.tasks).await?;
        let domain = base.domain(config, google)?;
        let (prompts, resources) = (prompts::all(&domain.reviews), resources::all(&domain.reviews));
        let offers = Offers { tools: tools::all(&domain.reviews), prompts, resources }.and(more);
        let tools = offers.tools.iter().map(Offer::brief).collect();
        let server = base.server(config, offers);
        Ok(Box::new(Self { base, domain, server, tools, emulator, _heart: heart }))
    }

    /// Ends background work, sends the last figures, and closes the database. Returns whether all ended in time.
    pub(super) async fn stop(&self) -> bool {
        // What was begun for a client that has left may still be under way: it is recorded to its end.
        let ended = self.base.tasks.stop(LAST_WORK).await;
        // A database that does not answer must not keep the process from ending.
        let _ = tokio::time::timeout(LONGEST_CLOSE, self.base.store.close()).await;
        self.base.metrics.finish(LONGEST_CLOSE).await;
        ended
    }
}
