//! The clients that people use, played step by step as they are known to behave: what they register, what they ask for, and
//! how they show who they are. Each goes all the way, from the first refusal to a tool that answers, and on to new tokens.

use super::{
    documents::clients,
    token_endpoint::{basic, headers, post},
};
use crate::support::{
    BAKERY,
    database::both,
    sign_in::{Answer, Client, NAME, PASSWORD, STATE, Site, VERIFIER, both as tokens, challenge, written},
    world::{Reply, World},
};
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

/// Registers once for each connection, and asks for a secret that it sends in the body.
pub(super) fn claude_ai() -> Value {
    json!({
        "client_name": "Claude",
        "redirect_uris": ["https://claude.ai/api/mcp/auth_callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_post",
        "scope": "reviews:read reports:write offline_access",
    })
}

/// Listens on any port of its own.
pub(super) fn claude_code() -> Value {
    json!({
        "client_name": "Claude Code (google-reviews)",
        "redirect_uris": ["http://localhost:51763/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    })
}

/// The same without a method: it gets a secret, and then shows it in the header.
pub(super) fn claude_code_with_a_secret() -> Value {
    let mut body = claude_code();
    body.as_object_mut().unwrap().remove("token_endpoint_auth_method");
    body
}

/// An app, a site and a port of the own machine in one registration; a server that refuses one of them loses it.
pub(super) fn cursor() -> Value {
    json!({
        "client_name": "Cursor",
        "redirect_uris": [
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "https://www.cursor.com/agents/mcp/oauth/callback",
            "http://localhost:8787/callback",
        ],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    })
}

/// Asks for a kind of grant that is not given here, and listens on another port when its own is taken.
pub(super) fn vs_code() -> Value {
    json!({
        "client_name": "Visual Studio Code",
        "client_uri": "https://code.visualstudio.com",
        "redirect_uris": [
            "https://insiders.vscode.dev/redirect",
            "https://vscode.dev/redirect",
            "http://127.0.0.1/",
            "http://127.0.0.1:33418/",
        ],
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
    })
}

/// Has an address for each connection.
pub(super) fn chatgpt() -> Value {
    json!({
        "client_name": "ChatGPT",
        "redirect_uris": ["https://chatgpt.com/connector/oauth/AbC123dEf456"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    })
}

/// The inspector of MCP, in a browser.
pub(super) fn inspector() -> Value {
    json!({
        "client_name": "MCP Inspector",
        "client_uri": "https://github.com/modelcontextprotocol/inspector",
        "redirect_uris": ["http://localhost:6274/oauth/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": "reviews:read reports:write",
    })
}

/// How a client shows who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shows {
    Nothing,
    InBody,
    InHeader,
}

/// One client on its way.
#[derive(Debug, Clone)]
struct Replay {
    /// What it registers, or, where that has an id, the document in which it describes itself.
    registration: Value,
    redirect: &'static str,
    shows: Shows,
    scope: Option<&'static str>,
    prompt: Option<&'static str>,
    /// Whether it names what its token is for.
    names_resource: bool,
    /// What its requests for tokens say that they come from.
    agent: &'static str,
}

/// What it reads before it begins.
struct Discovered {
    resource: String,
    metadata: Value,
}

impl Discovered {
    fn endpoint(&self, site: &Site, name: &str) -> String {
        let address = self.metadata[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", self.metadata));
        address.strip_prefix(&site.base).unwrap_or_else(|| panic!("{address} is elsewhere")).to_owned()
    }
}

/// On both databases, naming the resource and not.
async fn play(replay: Replay) {
    for database in both().await {
        let world = World::new().await;
        let site = Site::in_world(&database, &world, &[]).await;
        for names_resource in [true, false] {
            Replay { names_resource, ..replay.clone() }.run(&site, &world).await;
        }
    }
}

impl Replay {
    async fn run(&self, site: &Site, world: &World) {
        let found = discovered(site).await;
        let client = match self.registration["client_id"].as_str() {
            Some(id) => self.described(id, world, &found),
            None => self.registered(site, &found).await,
        };
        let code = self.agreed(site, &found, &client).await;
        let mut fields = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code),
            ("redirect_uri", self.redirect.to_owned()),
            ("code_verifier", VERIFIER.to_owned()),
        ];
        if self.names_resource {
            fields.push(("resource", found.resource.clone()));
        }
        let (access, refresh) = self.given(site, &found, &client, fields).await;
        self.is_served(site, &access).await;
        // Long after the first token is over.
        site.clock.advance(Duration::from_hours(1));
        assert_eq!(site.opens(&access).await, 401);
        let mut fields = vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", refresh.clone())];
        if self.names_resource {
            fields.push(("resource", found.resource.clone()));
        }
        let (newer, next) = self.given(site, &found, &client, fields).await;
        assert!(newer != access && next != refresh);
        self.is_served(site, &newer).await;
    }

    /// Describes itself, where the server says that it reads that, and that nothing need be shown.
    fn described(&self, id: &str, world: &World, found: &Discovered) -> Client {
        assert_eq!(found.metadata["client_id_metadata_document_supported"], json!(true));
        assert_eq!(found.metadata["authorization_response_iss_parameter_supported"], json!(true));
        assert!(found.metadata["token_endpoint_auth_methods_supported"].as_array().unwrap().contains(&json!("none")));
        world.publish(id, Reply::document(&self.registration, "public, max-age=300"));
        Client { id: id.to_owned(), secret: None, redirect: self.redirect.to_owned() }
    }

    /// Registers; the server keeps what was asked for, and gives a secret to who shows one.
    async fn registered(&self, site: &Site, found: &Discovered) -> Client {
        let sent = headers(&[("content-type", "application/json"), ("user-agent", self.agent)]);
        let path = found.endpoint(site, "registration_endpoint");
        let answer = post(site, &path, sent, self.registration.to_string()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let told = answer.json();
        assert_eq!(told["redirect_uris"], self.registration["redirect_uris"]);
        assert_eq!(told["grant_types"], json!(["authorization_code", "refresh_token"]));
        let method = match self.shows {
            Shows::Nothing => "none",
            Shows::InBody => "client_secret_post",
            Shows::InHeader => "client_secret_basic",
        };
        assert_eq!(told["token_endpoint_auth_method"], json!(method));
        let text = |name: &str| told[name].as_str().map(str::to_owned);
        let secret = text("client_secret");
        assert_eq!(secret.is_some(), self.shows != Shows::Nothing);
        Client { id: text("client_id").unwrap(), secret, redirect: self.redirect.to_owned() }
    }

    /// Sends the person to sign in and agree; a code.
    async fn agreed(&self, site: &Site, found: &Discovered, client: &Client) -> String {
        let mut asking = vec![
            ("response_type", "code".to_owned()),
            ("client_id", client.id.clone()),
            ("redirect_uri", self.redirect.to_owned()),
            ("code_challenge", challenge(VERIFIER)),
            ("code_challenge_method", "S256".to_owned()),
            ("state", STATE.to_owned()),
        ];
        asking.extend(self.scope.map(|scope| ("scope", scope.to_owned())));
        asking.extend(self.prompt.map(|prompt| ("prompt", prompt.to_owned())));
        if self.names_resource {
            asking.push(("resource", found.resource.clone()));
        }
        let path = found.endpoint(site, "authorization_endpoint");
        let mut browser = site.browser();
        let sent = browser.get(&format!("{path}?{}", written(&asking))).await;
        assert!(sent.location().starts_with("/login?request="), "{sent:?}");
        let entered = browser.sign_in(sent.location(), NAME, PASSWORD).await;
        assert!(entered.location().starts_with("/consent?request="), "{entered:?}");
        let page = browser.get(entered.location()).await;
        assert!(page.text.contains(self.registration["client_name"].as_str().unwrap()), "{page:?}");
        let answer = browser.decide(&page, "allow", &["reviews:read", "reports:write", "offline_access"]).await;
        self.code_of(&answer, site)
    }

    /// What a careful client looks at in the answer.
    fn code_of(&self, answer: &Answer, site: &Site) -> String {
        assert_eq!(answer.status, 303, "{answer:?}");
        assert!(answer.location().starts_with(&format!("{}?", self.redirect)), "{answer:?}");
        assert_eq!(answer.parameter("state").as_deref(), Some(STATE));
        assert_eq!(answer.parameter("iss").as_deref(), Some(site.base.as_str()), "letter by letter");
        answer.parameter("code").unwrap_or_else(|| panic!("no code: {answer:?}"))
    }

    /// Tokens for these fields, with the client shown in its own way.
    async fn given(
        &self,
        site: &Site,
        found: &Discovered,
        client: &Client,
        mut fields: Vec<(&'static str, String)>,
    ) -> (String, String) {
        let mut sent = headers(&[("content-type", "application/x-www-form-urlencoded"), ("user-agent", self.agent)]);
        let secret = client.secret.clone().unwrap_or_default();
        if self.shows == Shows::InHeader {
            sent.insert("authorization", basic(&client.id, &secret).parse().unwrap());
        } else {
            fields.push(("client_id", client.id.clone()));
        }
        if self.shows == Shows::InBody {
            fields.push(("client_secret", secret));
        }
        let answer = post(site, &found.endpoint(site, "token_endpoint"), sent, written(&fields)).await;
        let told = answer.json();
        assert_eq!(answer.header("content-type"), "application/json", "{answer:?}");
        assert_eq!((&told["token_type"], &told["expires_in"]), (&json!("Bearer"), &json!(900)), "{told}");
        assert!(told["scope"].as_str().unwrap().starts_with("reviews:read"), "{told}");
        tokens(&answer)
    }

    async fn is_served(&self, site: &Site, access: &str) {
        let call = json!({"name": "get_reviews", "arguments": {"place_id": BAKERY}});
        let answer = site.ask(access, "tools/call", call).await;
        assert_eq!((answer.status, &answer.body["result"]["isError"]), (200, &json!(false)), "{}", answer.body);
        assert_eq!(answer.body["result"]["structuredContent"]["place"]["place_id"], json!(BAKERY), "{}", answer.body);
    }
}

/// Follows what the server says, from a request without a token on.
async fn discovered(site: &Site) -> Discovered {
    let sent = headers(&[("content-type", "application/json"), ("accept", "application/json, text/event-stream")]);
    let params =
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}});
    let body = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
    let answer = post(site, "/mcp", sent, body.to_string()).await;
    assert_eq!(answer.status, 401, "{answer:?}");
    let challenge = answer.header("www-authenticate");
    let (_, rest) = challenge.split_once("resource_metadata=\"").unwrap_or_else(|| panic!("{challenge}"));
    let address = rest.split('"').next().unwrap();
    let protected = site.get(Url::parse(address).unwrap().path()).await.json();
    assert_eq!(protected["resource"], json!(site.resource()), "as the person typed it");
    let issuer = protected["authorization_servers"][0].as_str().unwrap().to_owned();
    assert_eq!(issuer, site.base);
    let metadata = site.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["issuer"], json!(issuer));
    Discovered { resource: site.resource(), metadata }
}

#[tokio::test]
async fn replay_of_claude_ai_with_a_secret_in_the_body() {
    play(Replay {
        registration: claude_ai(),
        redirect: "https://claude.ai/api/mcp/auth_callback",
        shows: Shows::InBody,
        scope: Some("reviews:read reports:write offline_access"),
        prompt: None,
        names_resource: true,
        agent: "python-httpx/0.28.1",
    })
    .await;
}

#[tokio::test]
async fn replay_of_claude_code_without_a_secret_on_another_port() {
    play(Replay {
        registration: claude_code(),
        redirect: "http://localhost:60212/callback",
        shows: Shows::Nothing,
        scope: Some("reviews:read reports:write offline_access"),
        prompt: Some("consent"),
        names_resource: true,
        agent: "claude-code/2.1.232 (cli)",
    })
    .await;
}

#[tokio::test]
async fn replay_of_claude_code_with_a_secret_in_the_header() {
    play(Replay {
        registration: claude_code_with_a_secret(),
        redirect: "http://localhost:51763/callback",
        shows: Shows::InHeader,
        scope: Some("reviews:read reports:write offline_access"),
        prompt: Some("consent"),
        names_resource: true,
        agent: "claude-code/2.1.232 (cli)",
    })
    .await;
}

#[tokio::test]
async fn replay_of_cursor_as_an_app_as_a_site_and_on_a_port() {
    for redirect in [
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "https://www.cursor.com/agents/mcp/oauth/callback",
        "http://localhost:8787/callback",
    ] {
        play(Replay {
            registration: cursor(),
            redirect,
            shows: Shows::Nothing,
            scope: Some("reviews:read reports:write"),
            prompt: None,
            names_resource: true,
            agent: "Cursor/3.1.0",
        })
        .await;
    }
}

#[tokio::test]
async fn replay_of_vs_code_on_its_port_on_another_and_on_the_web() {
    for redirect in ["http://127.0.0.1:33418/", "http://127.0.0.1:49831/", "https://vscode.dev/redirect"] {
        play(Replay {
            registration: vs_code(),
            redirect,
            shows: Shows::Nothing,
            scope: Some("reviews:read reports:write"),
            prompt: None,
            names_resource: true,
            agent: "Visual-Studio-Code/1.119.0",
        })
        .await;
    }
}

/// It names scopes at first, and may leave them out when it connects again.
#[tokio::test]
async fn replay_of_chatgpt_with_scopes_and_without() {
    for scope in [Some("reviews:read reports:write offline_access"), None] {
        play(Replay {
            registration: chatgpt(),
            redirect: "https://chatgpt.com/connector/oauth/AbC123dEf456",
            shows: Shows::Nothing,
            scope,
            prompt: None,
            names_resource: true,
            agent: "Python/3.12 aiohttp/3.9.5",
        })
        .await;
    }
}

#[tokio::test]
async fn replay_of_claude_ai_by_its_document() {
    play(Replay {
        registration: clients::claude_ai(),
        redirect: "https://claude.ai/api/mcp/auth_callback",
        shows: Shows::Nothing,
        scope: Some("reviews:read reports:write offline_access"),
        prompt: None,
        names_resource: true,
        agent: "python-httpx/0.28.1",
    })
    .await;
}

#[tokio::test]
async fn replay_of_claude_code_by_its_document_on_any_port() {
    for redirect in ["http://localhost:60212/callback", "http://127.0.0.1:3118/callback"] {
        play(Replay {
            registration: clients::claude_code(),
            redirect,
            shows: Shows::Nothing,
            scope: Some("reviews:read reports:write offline_access"),
            prompt: Some("consent"),
            names_resource: true,
            agent: "claude-code/2.1.232 (cli)",
        })
        .await;
    }
}

#[tokio::test]
async fn replay_of_vs_code_by_its_document_on_its_port_and_on_the_web() {
    for redirect in ["http://127.0.0.1:33418/", "http://127.0.0.1:49831/", "https://vscode.dev/redirect"] {
        play(Replay {
            registration: clients::vs_code(),
            redirect,
            shows: Shows::Nothing,
            scope: Some("reviews:read reports:write"),
            prompt: None,
            names_resource: true,
            agent: "Visual-Studio-Code/1.119.0",
        })
        .await;
    }
}

#[tokio::test]
async fn replay_of_chatgpt_by_its_document_with_scopes_and_without() {
    for scope in [Some("reviews:read reports:write offline_access"), None] {
        play(Replay {
            registration: clients::chatgpt(),
            redirect: "https://chatgpt.com/connector_platform_oauth_redirect",
            shows: Shows::Nothing,
            scope,
            prompt: None,
            names_resource: true,
            agent: "Python/3.12 aiohttp/3.9.5",
        })
        .await;
    }
}
