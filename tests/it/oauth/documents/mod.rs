//! Clients that describe themselves in documents of their own. The documents lie on hosts of the test; what judges their
//! addresses is what judges those of the internet.

mod addresses;
mod answers;
pub(super) mod clients;
mod descriptions;
mod keeping;
mod policy;

use crate::support::{
    database::both,
    sign_in::{Answer, Client, Site},
    world::World,
};

/// Of a document that tests publish.
const ID: &str = "https://client.example/oauth/client.json";
/// What a person is told of every description that is not there, whatever the reason.
const TOLD: &str = "The client describes itself at an address that this server does not take, or that does not describe \
                    it now. The log of this server says why.";

/// On both databases, each with a world of its own.
async fn in_worlds(settings: &[(&'static str, &str)], test: impl AsyncFn(&Site, &World)) {
    for database in both().await {
        let world = World::new().await;
        let site = Site::in_world(&database, &world, settings).await;
        test(&site, &world).await;
    }
}

/// The client that the document at this address describes, if it takes answers at its own host.
fn described(id: &str) -> Client {
    let host = id.split('/').nth(2).unwrap();
    Client { id: id.to_owned(), secret: None, redirect: format!("https://{host}/callback") }
}

/// What a stranger is answered who comes with a request of this client.
async fn asked(site: &Site, client: &Client) -> Answer {
    site.browser().authorize(&site.asking(client)).await
}

/// A client with this id is taken: the person is asked to sign in.
async fn is_taken(site: &Site, id: &str) {
    let answer = asked(site, &described(id)).await;
    assert!(answer.status == 303 && answer.location().starts_with("/login?request="), "{id}: {answer:?}");
}

/// A client with this id is not: nobody is sent anywhere.
async fn is_refused(site: &Site, id: &str) -> Answer {
    let before = site.server.metric("mcp_auth_failures_total{reason=\"bad_request\"}").await;
    let redirect = "https://client.example/callback".to_owned();
    let answer = asked(site, &Client { id: id.to_owned(), secret: None, redirect }).await;
    assert_eq!((answer.status, answer.location()), (400, ""), "{id}: {answer:?}");
    assert!(answer.text.contains("This cannot be connected"), "{id}: {answer:?}");
    for told in ["reqwest", "hyper", "panicked", "SELECT", "10.0.0.", "refused"] {
        assert!(!answer.text.contains(told), "{id}: {answer:?}");
    }
    let after = site.server.metric("mcp_auth_failures_total{reason=\"bad_request\"}").await;
    assert!((after - before - 1.0).abs() < f64::EPSILON, "{id}: it is counted");
    answer
}

/// Nobody was asked for anything.
#[track_caller]
fn is_untouched(world: &World, what: &str) {
    assert_eq!(world.lookups(), Vec::<String>::new(), "{what}");
    is_unconnected(world, what);
}

/// No address was found good, and no connection was made.
#[track_caller]
fn is_unconnected(world: &World, what: &str) {
    assert!(world.reached().is_empty() && world.connections() == 0, "{what}: {:?}", world.reached());
}
