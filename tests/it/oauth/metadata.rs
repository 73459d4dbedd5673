//! What clients read before anything else, and what they may keep of lists.

use super::token_endpoint::{headers, is_refused, post};
use crate::support::{
    BAKERY, TOOLS,
    database::both,
    rpc::{self, MODERN},
    sign_in::{CALLBACK, NAME, PASSWORD, Site, VERIFIER, both as tokens, but},
    until,
};
use google_reviews_mcp::{clock::Clock, model::PersonName};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::net::{TcpListener, TcpStream};

const SERVER: &str = "/.well-known/oauth-authorization-server";
const OIDC: &str = "/.well-known/openid-configuration";

/// A port of this machine, and who has connected to it.
pub(super) struct Trap {
    pub(super) port: u16,
    callers: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Trap {
    pub(super) async fn set() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, callers) = (listener.local_addr().unwrap().port(), Arc::default());
        let trap = Self { port, callers };
        let seen = Arc::clone(&trap.callers);
        tokio::spawn(async move {
            while let Ok((_, caller)) = listener.accept().await {
                seen.lock().unwrap().push(caller);
            }
        });
        trap
    }

    /// How many there were before the one who asks.
    pub(super) async fn calls(&self) -> usize {
        let last = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap().local_addr().unwrap();
        until("the last one is seen", async || self.callers.lock().unwrap().contains(&last)).await;
        self.callers.lock().unwrap().len() - 1
    }
}

#[tokio::test]
async fn dsc_04_the_metadata_lies_where_clients_look_and_names_its_issuer_letter_by_letter() {
    for database in both().await {
        for public in [None, Some("https://reviews.example"), Some("https://reviews.example/")] {
            let settings: Vec<_> = public.map(|url| ("server.public_url", url)).into_iter().collect();
            let site = Site::beside(&database, Clock::system(), &settings).await;
            let issuer = public.map_or(site.base.as_str(), |url| url.trim_end_matches('/'));
            let protected = site.get("/.well-known/oauth-protected-resource/mcp").await.json();
            assert_eq!(protected["authorization_servers"], json!([issuer]));
            // Of an issuer without a path, the place of RFC 8414 is this one, inserted or not.
            let (server, oidc) = (site.get(SERVER).await, site.get(OIDC).await);
            for answer in [&server, &oidc] {
                assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{answer:?}");
                assert_eq!(answer.json()["issuer"], json!(issuer), "{}", database.name());
            }
            assert_eq!(server.text, oidc.text);
            let metadata = server.json();
            for (name, path) in [
                ("authorization_endpoint", "/authorize"),
                ("token_endpoint", "/token"),
                ("registration_endpoint", "/register"),
                ("revocation_endpoint", "/revoke"),
                ("jwks_uri", "/jwks.json"),
            ] {
                assert_eq!(metadata[name], json!(format!("{issuer}{path}")), "where clients go that read nothing");
                assert_ne!(site.get(path).await.status, 404, "{path}");
            }
            // Nothing of it comes from a request.
            let forged = [
                ("x-forwarded-host", "evil.example"),
                ("x-forwarded-proto", "https"),
                ("forwarded", "host=evil.example"),
            ];
            let request = site.request(reqwest::Method::GET, SERVER).headers(headers(&forged));
            assert_eq!(request.send().await.unwrap().text().await.unwrap(), server.text);
            // Other servers would be there, and are not.
            for path in ["/mcp/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/mcp"] {
                assert_eq!(site.get(path).await.status, 404, "{path}");
            }
            site.server.app.stop().await;
        }
    }
}

/// The facts in the metadata, one by one.
fn says_what_it_should(metadata: &Value) {
    let facts = [
        ("response_types_supported", json!(["code"])),
        ("response_modes_supported", json!(["query"])),
        ("grant_types_supported", json!(["authorization_code", "refresh_token"])),
        ("code_challenge_methods_supported", json!(["S256"])),
        ("token_endpoint_auth_methods_supported", json!(["none", "client_secret_post", "client_secret_basic"])),
        ("revocation_endpoint_auth_methods_supported", json!(["none", "client_secret_post", "client_secret_basic"])),
        ("scopes_supported", json!(["reviews:read", "reports:write", "offline_access"])),
        ("authorization_response_iss_parameter_supported", json!(true)),
        ("client_id_metadata_document_supported", json!(true)),
        ("request_parameter_supported", json!(false)),
        ("request_uri_parameter_supported", json!(false)),
    ];
    for (name, value) in facts {
        assert_eq!(metadata[name], value, "{name}");
    }
}

#[tokio::test]
async fn dsc_05_what_the_metadata_says_is_what_is_done() {
    for database in both().await {
        let site = Site::on(&database).await;
        let metadata = site.get(SERVER).await.json();
        says_what_it_should(&metadata);
        // Each way to show who a client is leads to tokens, and answers name the issuer.
        for method in metadata["token_endpoint_auth_methods_supported"].as_array().unwrap() {
            let client = site.register("By any way", method.as_str().unwrap(), CALLBACK).await;
            let sent = site.signed_in().await.agree(&site.asking(&client)).await;
            assert_eq!(sent.parameter("iss").as_deref(), Some(site.base.as_str()));
            tokens(&site.exchange(&client, &sent.parameter("code").unwrap()).await);
        }
        // Another way to prove a verifier is not there, whatever it is called.
        let client = site.client().await;
        let mut browser = site.signed_in().await;
        for method in ["plain", "s256", "S512"] {
            let asking = but(&but(&site.asking(&client), "code_challenge_method", method), "code_challenge", VERIFIER);
            let sent = browser.authorize(&asking).await;
            assert_eq!(sent.parameter("error").as_deref(), Some("invalid_request"), "{method}: {sent:?}");
            assert_eq!(sent.parameter("iss").as_deref(), Some(site.base.as_str()), "also in errors");
        }
        for (name, value, error) in [
            ("response_type", "token", "unsupported_response_type"),
            ("response_mode", "fragment", "invalid_request"),
            ("request", "x", "request_not_supported"),
            ("request_uri", "https://client.example/r", "request_uri_not_supported"),
        ] {
            let sent = browser.authorize(&but(&site.asking(&client), name, value)).await;
            assert_eq!(sent.parameter("error").as_deref(), Some(error), "{name}: {sent:?}");
        }
        // An address is no id of a client as long as the metadata does not say so, and nobody is asked what is there.
        let trap = Trap::set().await;
        for id in [
            format!("https://127.0.0.1:{}/client.json", trap.port),
            "https://claude.ai/oauth/mcp-oauth-client-metadata".to_owned(),
        ] {
            let sent = browser.authorize(&but(&site.asking(&client), "client_id", &id)).await;
            assert_eq!((sent.status, sent.location()), (400, ""), "{sent:?}");
            let fields = but(&site.exchanging(&client, "grz_x"), "client_id", &id);
            is_refused(&site.token(&fields).await, 401, "invalid_client", &id);
        }
        assert_eq!(trap.calls().await, 0, "{}", database.name());
    }
}

/// A request as a client of 2026-07-28 sends it; its result.
async fn modern(site: &Site, token: &str, method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let name = params["name"].as_str().or(params["uri"].as_str()).unwrap_or_default().to_owned();
    let mut sent = vec![
        ("accept", "application/json, text/event-stream"),
        ("content-type", "application/json"),
        ("mcp-protocol-version", MODERN),
        ("mcp-method", method),
    ];
    if !name.is_empty() {
        sent.push(("mcp-name", &name));
    }
    let bearer = format!("Bearer {token}");
    sent.push(("authorization", &bearer));
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let answer = post(site, "/mcp", headers(&sent), body.to_string()).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{answer:?}");
    assert_eq!(answer.header("vary"), "Authorization");
    answer.json()["result"].clone()
}

/// The access token of somebody who agrees to these permissions.
async fn permitted(site: &Site, name: &str, password: &str, ticked: &[&str]) -> String {
    let client = site.client().await;
    let mut browser = site.browser();
    browser.sign_in("/login", name, password).await;
    let page = browser.consent_page(&site.asking(&client)).await;
    let sent = browser.decide(&page, "allow", ticked).await;
    let answer = site.exchange(&client, &sent.parameter("code").unwrap()).await;
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

fn hint(result: &Value) -> (&str, i64) {
    (result["cacheScope"].as_str().unwrap_or_default(), result["ttlMs"].as_i64().unwrap_or(-1))
}

/// Tools are listed to every caller, whatever they may call; what belongs to one caller is for that one alone.
#[tokio::test]
async fn mcp_34_what_is_shared_is_the_same_for_all_and_what_is_not_is_private() {
    for database in both().await {
        let site = Site::on(&database).await;
        let bob = "a second moonlit bakery at six";
        site.server.app.people().unwrap().add(PersonName::parse("bob").unwrap(), Some(bob)).await.unwrap();
        let reader = permitted(&site, NAME, PASSWORD, &["reviews:read"]).await;
        let writer = permitted(&site, "bob", bob, &["reviews:read", "reports:write"]).await;
        let only_writer = permitted(&site, "bob", bob, &["reports:write"]).await;

        let lists = [
            ("server/discover", ("public", 3_600_000)),
            ("tools/list", ("public", 300_000)),
            ("prompts/list", ("public", 300_000)),
            ("resources/templates/list", ("public", 300_000)),
        ];
        for (method, expected) in lists {
            let result = modern(&site, &reader, method, json!({})).await;
            assert_eq!(hint(&result), expected, "{method}: {result}");
            for token in [&writer, &only_writer] {
                assert_eq!(modern(&site, token, method, json!({})).await, result, "{method}: one for all");
            }
        }
        let tools = modern(&site, &reader, "tools/list", json!({})).await["tools"].clone();
        let names: Vec<_> = tools.as_array().unwrap().iter().map(|tool| tool["name"].clone()).collect();
        assert_eq!(names, TOOLS, "{}", database.name());

        // A report of one is in the list of that one alone.
        let arguments = json!({"place_ids": [BAKERY], "title": "Of Bob"});
        let made = modern(&site, &writer, "tools/call", json!({"name": "create_report", "arguments": arguments})).await;
        assert_eq!(made["isError"], json!(false), "{made}");
        let uri = |list: &Value| list["resources"][0]["uri"].as_str().unwrap_or_default().to_owned();
        let (of_reader, of_writer) = (
            modern(&site, &reader, "resources/list", json!({})).await,
            modern(&site, &writer, "resources/list", json!({})).await,
        );
        assert_eq!((hint(&of_reader), hint(&of_writer)), (("private", 0), ("private", 0)));
        assert_eq!(uri(&of_reader), "reviews://attribution", "{of_reader}");
        let uri = uri(&of_writer);
        let read = modern(&site, &writer, "resources/read", json!({"uri": uri})).await;
        assert_eq!(hint(&read), ("private", 0), "{read}");
        // Older clients know no such hints.
        for method in ["tools/list", "resources/list", "resources/templates/list"] {
            let old = site.ask(&writer, method, json!({})).await.body["result"].clone();
            assert!(old.is_object() && hint(&old) == ("", -1), "{method}: {old}");
        }
        // Who may not read gets no list at all, and is told what is missing.
        let answer: rpc::Answer = site.ask(&only_writer, "resources/list", json!({})).await;
        assert_eq!(answer.status, 403, "{}", answer.body);
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert!(
            challenge.contains("error=\"insufficient_scope\"") && challenge.contains("reviews:read"),
            "{challenge}"
        );
    }
}
