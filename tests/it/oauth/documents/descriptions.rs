//! What documents may say, and what becomes of it.

use super::{ID, TOLD, asked, clients, described, in_worlds, is_refused, is_taken, is_untouched};
use crate::support::{
    sign_in::{Answer, Client, Site, both as tokens, but},
    world::{Reply, World, description},
};
use serde_json::{Value, json};
use std::time::Duration;

/// Publishes it so that the next one is read soon.
fn publish(world: &World, document: &Value) {
    world.publish(ID, Reply::document(document, "no-store"));
}

/// The usual description with one field in another form; null leaves it out.
fn with(field: &str, value: Value) -> Value {
    let mut document = description(ID);
    if value.is_null() {
        document.as_object_mut().unwrap().remove(field);
    } else {
        document[field] = value;
    }
    document
}

async fn refuses(site: &Site, world: &World, document: &Value) {
    publish(world, document);
    let answer = is_refused(site, ID).await;
    assert!(answer.text.contains(TOLD), "{document}: {answer:?}");
}

async fn takes(site: &Site, world: &World, document: &Value) {
    publish(world, document);
    is_taken(site, ID).await;
    site.clock.advance(Duration::from_secs(30));
}

/// The page on which a person decides about this client.
async fn consent_page(site: &Site, client: &Client) -> Answer {
    site.signed_in().await.consent_page(&site.asking(client)).await
}

#[tokio::test]
async fn cimd_01_a_document_is_of_the_address_at_which_it_lies() {
    in_worlds(&[], async |site, world| {
        for other in [
            json!("https://client.example/oauth/other.json"),
            json!("https://client.example/oauth/client.json/"),
            json!("https://client.example/oauth/CLIENT.json"),
            json!("https://client.example:443/oauth/client.json"),
            json!("https://claude.ai/oauth/mcp-oauth-client-metadata"),
            json!(""),
            json!(1),
            json!([ID]),
            Value::Null,
        ] {
            refuses(site, world, &with("client_id", other)).await;
        }
        // Nor does it open anything by the other door.
        let exchanged = site.exchange(&described(ID), "grz_x").await;
        assert_eq!((exchanged.status, exchanged.error().as_str()), (401, "invalid_client"), "{exchanged:?}");
        takes(site, world, &description(ID)).await;
    })
    .await;
}

#[tokio::test]
async fn cimd_15_answers_go_to_the_clients_own_origin_to_this_computer_or_to_an_app() {
    in_worlds(&[], async |site, world| {
        for wrong in [
            Value::Null,
            json!([]),
            json!("https://client.example/callback"),
            json!([1]),
            json!({}),
            json!(["https://evil.example/callback"]),
            json!(["https://client.example.evil.example/callback"]),
            json!(["https://sub.client.example/callback"]),
            json!(["https://client.example:8443/callback"]),
            json!(["http://client.example/callback"]),
            json!(["https://client.example@evil.example/callback"]),
            json!(["javascript:alert(1)", "data:text/html,x", "https://client.example/#x"]),
        ] {
            refuses(site, world, &with("redirect_uris", wrong)).await;
        }
        // One of another origin spoils nothing for the others, and gets nothing.
        let (own, foreign) = ("https://client.example/callback", "https://evil.example/callback");
        publish(world, &with("redirect_uris", json!([foreign, own])));
        is_taken(site, ID).await;
        let answer = asked(site, &Client { redirect: foreign.to_owned(), ..described(ID) }).await;
        assert!(answer.status == 400 && answer.location().is_empty(), "{answer:?}");
        site.clock.advance(Duration::from_secs(30));
        for (redirect, warning) in [
            ("http://127.0.0.1:5000/cb", "also one that is not from <bdi>client.example</bdi>"),
            ("client-app:/cb", "also one that is not from <bdi>client.example</bdi>"),
        ] {
            publish(world, &with("redirect_uris", json!([redirect])));
            let page = consent_page(site, &Client { redirect: redirect.to_owned(), ..described(ID) }).await;
            assert!(page.text.contains(warning), "{redirect}: {page:?}");
            site.clock.advance(Duration::from_secs(30));
        }
    })
    .await;
}

#[tokio::test]
async fn cimd_16_a_client_that_describes_itself_has_no_secret() {
    in_worlds(&[], async |site, world| {
        let method = |value: Value| with("token_endpoint_auth_method", value);
        for wrong in [
            json!("client_secret_post"),
            json!("client_secret_basic"),
            json!("client_secret_jwt"),
            json!(["none", "client_secret_post"]),
            json!("tls_client_auth"),
            json!(""),
            json!({}),
        ] {
            refuses(site, world, &method(wrong)).await;
        }
        refuses(site, world, &with("client_secret", json!("grs_x"))).await;
        let supported = |value: Value| with("token_endpoint_auth_methods_supported", value);
        refuses(site, world, &supported(json!(["none", "client_secret_basic"]))).await;
        takes(site, world, &supported(json!(["none", "private_key_jwt"]))).await;
        for right in [Value::Null, json!("none"), json!(["none"]), json!(["private_key_jwt", "none"])] {
            takes(site, world, &method(right)).await;
        }
        // One that could show a key is taken as one that shows nothing; a key is not asked for, and none is fetched.
        publish(world, &method(json!("private_key_jwt")));
        let client = described(ID);
        let code = site.code(&client).await;
        let mut fields = site.exchanging(&client, &code);
        fields.push(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned()));
        fields.push(("client_assertion", "a.b.c".to_owned()));
        tokens(&site.token(&fields).await);
        // A secret that nobody gave opens nothing.
        let code = site.code(&client).await;
        let refused = site.token(&but(&site.exchanging(&client, &code), "client_secret", "grs_x")).await;
        assert_eq!(refused.error(), "invalid_client");
    })
    .await;
}

#[tokio::test]
async fn cimd_17_addresses_in_a_document_are_neither_fetched_nor_shown() {
    in_worlds(&[], async |site, world| {
        let mut document = description(ID);
        for field in ["logo_uri", "client_uri", "tos_uri", "policy_uri", "jwks_uri", "sector_identifier_uri"] {
            document[field] = json!(format!("https://evil.example/{field}"));
            world.publish(&format!("https://evil.example/{field}"), Reply::new(200, &[], "x"));
        }
        document["software_statement"] = json!("a.b.c");
        document["tos_uri"] = json!("javascript:alert(1)");
        publish(world, &document);
        let client = described(ID);
        let page = consent_page(site, &client).await;
        assert!(!page.text.contains("evil.example") && !page.text.contains("javascript:"), "{page:?}");
        let (_, refresh) = site.tokens(&client).await;
        tokens(&site.refresh(&client, &refresh).await);
        let mut browser = site.signed_in().await;
        let page = browser.get("/connections").await;
        assert!(page.text.contains("Described") && !page.text.contains("evil.example"), "{page:?}");
        let asked: Vec<String> = world.requests().into_iter().map(|request| request.address).collect();
        assert_eq!(asked, [ID], "the document, once, and nothing in it");
    })
    .await;
}

#[tokio::test]
async fn cimd_18_a_name_is_shown_as_text_and_its_host_beside_it() {
    let long = "x".repeat(4_000);
    in_worlds(&[], async |site, world| {
        for (name, shown) in [
            ("<script>alert(1)</script>", "&#60;script&#62;alert(1)&#60;/script&#62;"),
            ("Cla\u{200b}ude\u{202e}edoC", "ClaudeedoC"),
            ("Claude", "Claude"),
            (long.as_str(), &long[..100]),
        ] {
            publish(world, &with("client_name", json!(name)));
            let mut browser = site.signed_in().await;
            let page = browser.consent_page(&site.asking(&described(ID))).await;
            let heading = format!("<h1>Connect <bdi>{shown}</bdi>?</h1>");
            assert!(page.text.contains(&heading), "{name}: {page:?}");
            let host = "published by</p>\n<p class=\"onward\"><bdi>client.example</bdi></p>";
            assert!(page.text.contains(host) && !page.text.contains("<script"), "{name}: {page:?}");
            browser.decide(&page, "allow", &["reviews:read"]).await;
            site.clock.advance(Duration::from_secs(30));
        }
        // The name of the last agreement, and the host that answers for it.
        let page = site.signed_in().await.get("/connections").await;
        let shown = format!("<bdi>{}</bdi></h2>", &long[..100]);
        assert!(page.text.contains(&shown) && page.text.contains("<dd><bdi>client.example</bdi></dd>"), "{page:?}");
        refuses(site, world, &with("client_name", json!("x".repeat(10_000)))).await;
        takes(site, world, &with("client_name", Value::Null)).await;
    })
    .await;
}

#[tokio::test]
async fn cimd_29_the_documents_of_real_clients_are_taken_and_one_on_this_computer_warns() {
    in_worlds(&[], async |site, world| {
        for (document, redirect) in [
            (clients::claude_ai(), "https://claude.ai/api/mcp/auth_callback"),
            (clients::claude_ai(), "https://claude.com/api/mcp/auth_callback"),
            (clients::claude_code(), "http://localhost:51763/callback"),
            (clients::claude_code(), "http://127.0.0.1:60212/callback"),
            (clients::vs_code(), "http://127.0.0.1:33418/"),
            (clients::vs_code(), "https://vscode.dev/redirect"),
            (clients::chatgpt(), "https://chatgpt.com/connector_platform_oauth_redirect"),
        ] {
            let id = document["client_id"].as_str().unwrap();
            world.publish(id, Reply::document(&document, "public, max-age=3600"));
            let client = Client { redirect: redirect.to_owned(), ..described(id) };
            let page = consent_page(site, &client).await;
            let host = id.split('/').nth(2).unwrap();
            assert!(page.text.contains(&format!("<p class=\"onward\"><bdi>{host}</bdi></p>")), "{page:?}");
            assert!(page.text.contains(document["client_name"].as_str().unwrap()), "{page:?}");
            let warning = format!(
                "Any program on this computer can receive what is sent there, also one that is not from <bdi>{host}</bdi>."
            );
            assert_eq!(page.text.contains(&warning), redirect.starts_with("http://"), "{redirect}: {page:?}");
        }
        assert_eq!(world.requests().len(), 4, "each once: {:?}", world.requests());
    })
    .await;
}

/// Whoever cannot be fetched, for whatever reason, is known all the same, by the exact address alone.
#[tokio::test]
async fn known_clients_are_served_when_their_descriptions_cannot_be_fetched() {
    in_worlds(&[], async |site, world| {
        let id = "https://claude.ai/oauth/mcp-oauth-client-metadata";
        let client = Client { redirect: "https://claude.ai/api/mcp/auth_callback".to_owned(), ..described(id) };
        let challenge = Reply::new(403, &["content-type: text/html"], "<html>Just a moment...</html>");
        let page = Reply::new(200, &["content-type: text/html"], "<html>Just a moment...</html>");
        for reply in [challenge, page, Reply::raw("nonsense")] {
            world.publish(id, reply);
            let (access, _) = site.tokens(&client).await;
            assert_eq!(site.opens(&access).await, 200);
        }
        world.name("claude.ai", &[&[]]);
        site.tokens(&client).await;
        assert_eq!(world.requests().len(), 3, "each time it is tried anew");
        // Their copies are for them alone, and name their own addresses alone.
        let elsewhere = Client { redirect: "https://claude.ai/other".to_owned(), ..client.clone() };
        assert_eq!(asked(site, &elsewhere).await.status, 400);
        let longer = format!("{id}/");
        is_refused(site, &longer).await;
    })
    .await;
}

/// Nothing is fetched for whoever asks for tokens, or comes back from signing in.
#[tokio::test]
async fn a_description_is_fetched_for_a_request_and_for_nothing_else() {
    in_worlds(&[], async |site, world| {
        let client = described(ID);
        let fields = [
            ("grant_type", "refresh_token".to_owned()),
            ("refresh_token", "x".to_owned()),
            ("client_id", client.id.clone()),
        ];
        assert_eq!(site.token(&fields).await.error(), "invalid_client");
        is_untouched(world, "a request for tokens");
        world.publish(ID, Reply::document(&description(ID), "no-store"));
        let mut browser = site.signed_in().await;
        let page = browser.consent_page(&site.asking(&client)).await;
        // It is gone, and the copy is over; the person has still been asked about this client.
        world.publish(ID, Reply::new(404, &[], ""));
        site.clock.advance(Duration::from_mins(9));
        let sent = browser.decide(&page, "allow", &["reviews:read", "offline_access"]).await;
        let code = sent.parameter("code").unwrap_or_else(|| panic!("{sent:?}"));
        let (_, refresh) = tokens(&site.exchange(&client, &code).await);
        site.clock.advance(Duration::from_hours(24));
        tokens(&site.refresh(&client, &refresh).await);
        assert_eq!(world.requests().len(), 1);
    })
    .await;
}
