//! Which clients that describe themselves the operator takes, and how they stand among the others.

use super::{ID, asked, described, in_worlds, is_refused, is_taken, is_untouched};
use crate::support::{
    binary::{program, stderr, stdout},
    child,
    database::{Database, both},
    sign_in::{Client, Site, both as tokens},
    world::{Reply, World, description},
};
use serde_json::json;
use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const CLAUDE: &str = "https://claude.ai/oauth/mcp-oauth-client-metadata";

/// The environment of a process cannot be changed while others read it, so the fetch is made in a process of its own.
#[test]
fn cimd_22_a_proxy_in_the_environment_is_not_asked() {
    if child::is_child() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        return runtime.block_on(async {
            let world = World::new().await;
            let site = Site::in_world(&Database::sqlite(), &world, &[]).await;
            world.publish_usual(ID);
            is_taken(&site, ID).await;
            assert_eq!((world.lookups().len(), world.requests().len()), (1, 1));
        });
    }
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    std::thread::spawn(move || {
        for connection in proxy.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
            drop(connection);
        }
    });
    let names = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    let variables = names.map(|name| (name, address.as_str()));
    let test = "cimd_22_a_proxy_in_the_environment_is_not_asked";
    let ended = child::again_with(module_path!(), test, Duration::from_mins(2), &variables);
    assert!(ended.status.success(), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn cimd_25_a_known_client_is_known_by_its_exact_address() {
    let lookalikes = [
        "https://claude.ai/oauth/../oauth/mcp-oauth-client-metadata",
        "https://claude.ai/oauth/./mcp-oauth-client-metadata",
        "https://claude.ai//oauth/mcp-oauth-client-metadata/..",
        "HTTPS://CLAUDE.AI/oauth/mcp-oauth-client-metadata",
        "https://CLAUDE.AI/oauth/mcp-oauth-client-metadata",
        "https://claude.ai./oauth/mcp-oauth-client-metadata",
        "https://claude.ai:443/oauth/mcp-oauth-client-metadata",
        "https://claude.ai@evil.example/oauth/mcp-oauth-client-metadata",
        "https://claude.ai\\@evil.example/oauth/mcp-oauth-client-metadata",
        "https://claude.ai/oauth/mcp-oauth-client-metadata?",
        "https://cl\u{430}ude.ai/oauth/mcp-oauth-client-metadata",
    ];
    let longer = "https://claude.ai.evil.com/oauth/mcp-oauth-client-metadata";
    in_worlds(&[("auth.allowed_client_hosts", "claude.ai")], async |site, world| {
        for id in lookalikes.into_iter().chain([longer, "https://evil.example/claude.ai/client.json"]) {
            world.publish(id, Reply::document(&json!({}), "no-store"));
            is_refused(site, id).await;
            is_untouched(world, id);
        }
    })
    .await;
    in_worlds(&[], async |site, world| {
        for id in lookalikes {
            is_refused(site, id).await;
            is_untouched(world, id);
        }
        // It is somebody else: no copy stands in for it, and it says who it is.
        is_refused(site, longer).await;
        world.publish_usual(longer);
        let page = site.signed_in().await.consent_page(&site.asking(&described(longer))).await;
        assert!(page.text.contains("<p class=\"onward\"><bdi>claude.ai.evil.com</bdi></p>"), "{page:?}");
        // Nor does Claude's address take answers that go there.
        let client = Client { redirect: described(longer).redirect, ..described(CLAUDE) };
        assert_eq!(asked(site, &client).await.status, 400);
    })
    .await;
}

#[tokio::test]
async fn cimd_26_the_operator_says_whose_documents_are_taken() {
    let hosts = "claude.ai client.example";
    in_worlds(&[("auth.allowed_client_hosts", hosts)], async |site, world| {
        for other in [
            "https://vscode.dev/oauth/client-metadata.json",
            "https://evil.example/client.json",
            "https://a.claude.ai/x",
        ] {
            world.publish_usual(other);
            is_refused(site, other).await;
            is_untouched(world, other);
        }
        world.publish_usual(ID);
        is_taken(site, ID).await;
    })
    .await;
    in_worlds(&[("auth.client_documents", "off")], async |site, world| {
        let metadata = site.get("/.well-known/oauth-authorization-server").await.json();
        assert_eq!(metadata["client_id_metadata_document_supported"], json!(false));
        for id in [ID, CLAUDE] {
            world.publish_usual(id);
            is_refused(site, id).await;
            is_untouched(world, id);
        }
    })
    .await;
}

/// What was granted to such a client is kept, seen, and taken back as with every other.
#[tokio::test]
async fn a_client_that_describes_itself_is_listed_and_revoked_as_others_are() {
    for database in both().await {
        let world = World::new().await;
        let site = Site::in_world(&database, &world, &[]).await;
        world.publish_usual(ID);
        let client = described(ID);
        is_taken(&site, ID).await;
        assert_eq!(database.count("clients").await, 0, "whoever has agreed to nothing writes nothing");
        let (access, refresh) = site.tokens(&client).await;
        let (second, _) = site.tokens(&client).await;
        assert_eq!((site.opens(&access).await, database.count("clients").await), (200, 1), "{}", database.name());
        // The person takes one connection back: all tokens of this client.
        let mut browser = site.signed_in().await;
        let page = browser.get("/connections").await;
        assert!(page.text.contains("<dt>Described by</dt>\n<dd><bdi>client.example</bdi></dd>"), "{page:?}");
        let (csrf, place) = (page.field("csrf"), page.field("redirect_uri"));
        let taken = browser.post("/connections", &[("csrf", &csrf), ("redirect_uri", &place), ("revoke", ID)]).await;
        assert!(taken.text.contains("was disconnected"), "{taken:?}");
        assert_eq!((site.opens(&access).await, site.opens(&second).await), (401, 401));
        assert_eq!(site.refresh(&client, &refresh).await.error(), "invalid_grant");
        // It gives a token back, with the id alone.
        let (access, refresh) = site.tokens(&client).await;
        assert_eq!(site.post("/revoke", &[("token", &refresh), ("client_id", ID)]).await.status, 200);
        assert_eq!(site.opens(&access).await, 401);
        // The operator removes it.
        let (_, refresh) = site.tokens(&client).await;
        let beside = |arguments: &[&str]| {
            program().args(["client"]).args(arguments).envs(database.environment()).output().unwrap()
        };
        let listed = stdout(&beside(&["list"]));
        assert!(listed.contains(ID) && listed.contains("Described") && listed.contains(&client.redirect), "{listed}");
        let revoked = beside(&["revoke", ID]);
        assert!(revoked.status.success(), "{}", stderr(&revoked));
        assert_eq!(site.refresh(&client, &refresh).await.error(), "invalid_client");
        // A person may connect it again, and what it says of itself by then is what is kept.
        let mut renamed = description(ID);
        renamed["client_name"] = json!("Renamed");
        world.publish(ID, Reply::document(&renamed, "max-age=60"));
        site.clock.advance(Duration::from_hours(1));
        tokens(&site.exchange(&client, &site.code(&client).await).await);
        assert!(stdout(&beside(&["list"])).contains("Renamed"), "{}", database.name());
    }
}
