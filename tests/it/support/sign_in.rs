//! Signing in by hand: a server with its own authorization server, a browser without a screen, and a client that does
//! exactly what a test tells it, so that tests can do what no real client does.

use super::{Builder, TestServer, database::Database, now, rpc, world::World};
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use google_reviews_mcp::{clock::Clock, model::PersonName};
use regex::Regex;
use reqwest::{Method, Response, header::HeaderMap, redirect};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) const NAME: &str = "ada";
pub(crate) const PASSWORD: &str = "moonlit bakery at five in the morning";
/// A verifier and, made from it, its challenge.
pub(crate) const VERIFIER: &str = "a-verifier-that-is-long-enough-for-every-test-1";
pub(crate) const STATE: &str = "state-of-the-test";
/// Of the clients that tests register.
pub(crate) const CALLBACK: &str = "https://client.example/callback";
pub(crate) const LOOPBACK: &str = "http://127.0.0.1:3334/callback";

/// The S256 challenge of a verifier.
pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

/// A server where people sign in; one of them is [`NAME`].
pub(crate) struct Site {
    pub(crate) server: TestServer,
    /// `http://127.0.0.1:PORT`, which is also the issuer.
    pub(crate) base: String,
    pub(crate) clock: Clock,
    http: reqwest::Client,
}

/// A client as the server knows it.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: Option<String>,
    pub(crate) redirect: String,
}

/// An answer of the server, read whole.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }

    /// The value of a parameter in the address that it leads to.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(self.location()).ok()?;
        url.query_pairs().find(|(each, _)| each == name).map(|(_, value)| value.into_owned())
    }

    /// The OAuth error that it tells, in a body.
    #[track_caller]
    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_else(|| panic!("no error: {self:?}")).to_owned()
    }

    /// The value of a hidden field of its form; of several forms, the last.
    pub(crate) fn field(&self, name: &str) -> String {
        let pattern = format!("<input type=\"hidden\" name=\"{name}\" value=\"([^\"]*)\">");
        let found = Regex::new(&pattern).unwrap().captures_iter(&self.text).last().map(|found| found[1].to_owned());
        found.unwrap_or_else(|| panic!("no field {name}: {self:?}"))
    }
}

impl Site {
    /// On this database, by a clock that stands still.
    pub(crate) async fn on(database: &Database) -> Self {
        Self::with(database, &[]).await
    }

    /// The same with more settings.
    pub(crate) async fn with(database: &Database, settings: &[(&'static str, &str)]) -> Self {
        Self::beside(database, Clock::manual(now()), settings).await.with_somebody().await
    }

    /// The same on a network of the test.
    pub(crate) async fn in_world(database: &Database, world: &World, settings: &[(&'static str, &str)]) -> Self {
        let builder = database.server().network(world.clone());
        Self::built(builder, Clock::manual(now()), settings).await.with_somebody().await
    }

    async fn with_somebody(self) -> Self {
        let site = self;
        let people = site.server.app.people().unwrap();
        people.add(PersonName::parse(NAME).unwrap(), Some(PASSWORD)).await.unwrap();
        site
    }

    /// One more server on a database that has everything already.
    pub(crate) async fn beside(database: &Database, clock: Clock, settings: &[(&'static str, &str)]) -> Self {
        Self::built(database.server(), clock, settings).await
    }

    async fn built(builder: Builder, clock: Clock, settings: &[(&'static str, &str)]) -> Self {
        let builder = builder.set("auth.mode", "oauth").clock(clock.clone());
        let server = settings.iter().fold(builder, |builder, (key, value)| builder.set(key, *value)).start().await;
        let base = format!("http://{}", server.app.address());
        Self::at(&base, server, clock)
    }

    /// One that is reached here, such as the binary, with `server` as its Google.
    pub(crate) fn at(base: &str, server: TestServer, clock: Clock) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(rpc::PATIENCE).redirect(redirect::Policy::none());
        let http = http.build().unwrap();
        Self { server, base: base.to_owned(), clock, http }
    }

    /// The same as it is reached by a proxy.
    pub(crate) fn through(self, base: String, http: reqwest::Client) -> Self {
        Self { base, http, ..self }
    }

    pub(crate) fn resource(&self) -> String {
        format!("{}/mcp", self.base)
    }

    /// A request to a path of the server.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).send().await.unwrap()).await
    }

    /// Sends a form as a client does, without cookies.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        Answer::of(self.request(Method::POST, path).form(fields).send().await.unwrap()).await
    }

    /// What a registration is answered.
    pub(crate) async fn registration(&self, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, "/register").json(body).send().await.unwrap()).await
    }

    /// Registers a client by this method with this redirect.
    pub(crate) async fn register(&self, name: &str, method: &str, redirect: &str) -> Client {
        let body = json!({"client_name": name, "redirect_uris": [redirect], "token_endpoint_auth_method": method,
            "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"]});
        let answer = self.registration(&body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let told = answer.json();
        let text = |name: &str| told[name].as_str().map(str::to_owned);
        Client { id: text("client_id").unwrap(), secret: text("client_secret"), redirect: redirect.to_owned() }
    }

    /// A client without a secret.
    pub(crate) async fn client(&self) -> Client {
        self.register("Test client", "none", CALLBACK).await
    }

    /// A browser that has never been here.
    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser { site: self, cookies: BTreeMap::new() }
    }

    /// A browser that has been here before.
    pub(crate) fn browser_with(&self, cookies: BTreeMap<String, String>) -> Browser<'_> {
        Browser { site: self, cookies }
    }

    /// A browser in which [`NAME`] is signed in.
    pub(crate) async fn signed_in(&self) -> Browser<'_> {
        let mut browser = self.browser();
        let answer = browser.sign_in("/login", NAME, PASSWORD).await;
        assert_eq!((answer.status, answer.location()), (303, "/connections"), "{answer:?}");
        browser
    }

    /// What a good request of a client has; a test changes some of it.
    pub(crate) fn asking(&self, client: &Client) -> Vec<(&'static str, String)> {
        vec![
            ("response_type", "code".to_owned()),
            ("client_id", client.id.clone()),
            ("redirect_uri", client.redirect.clone()),
            ("code_challenge", challenge(VERIFIER)),
            ("code_challenge_method", "S256".to_owned()),
            ("scope", "reviews:read reports:write offline_access".to_owned()),
            ("state", STATE.to_owned()),
            ("resource", self.resource()),
        ]
    }

    /// A code for this client, from a person who agrees to everything.
    pub(crate) async fn code(&self, client: &Client) -> String {
        self.signed_in().await.code(client).await
    }

    /// What a good exchange has; a test changes some of it.
    pub(crate) fn exchanging(&self, client: &Client, code: &str) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", client.redirect.clone()),
            ("code_verifier", VERIFIER.to_owned()),
            ("client_id", client.id.clone()),
            ("resource", self.resource()),
        ];
        fields.extend(client.secret.clone().map(|secret| ("client_secret", secret)));
        fields
    }

    /// Sends a form to `/token`.
    pub(crate) async fn token(&self, fields: &[(&'static str, String)]) -> Answer {
        Answer::of(self.request(Method::POST, "/token").form(fields).send().await.unwrap()).await
    }

    /// Exchanges a code as it should be.
    pub(crate) async fn exchange(&self, client: &Client, code: &str) -> Answer {
        self.token(&self.exchanging(client, code)).await
    }

    /// What a good refresh has.
    pub(crate) fn refreshing(client: &Client, refresh_token: &str) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("grant_type", "refresh_token".to_owned()),
            ("refresh_token", refresh_token.to_owned()),
            ("client_id", client.id.clone()),
        ];
        fields.extend(client.secret.clone().map(|secret| ("client_secret", secret)));
        fields
    }

    pub(crate) async fn refresh(&self, client: &Client, refresh_token: &str) -> Answer {
        self.token(&Self::refreshing(client, refresh_token)).await
    }

    /// Access token and refresh token of a client, from a person who agrees to everything.
    pub(crate) async fn tokens(&self, client: &Client) -> (String, String) {
        let code = self.code(client).await;
        both(&self.exchange(client, &code).await)
    }

    /// An MCP request with this token.
    pub(crate) async fn ask(&self, access_token: &str, method: &str, params: Value) -> rpc::Answer {
        let request = self.http.post(self.resource()).header("accept", "application/json, text/event-stream");
        let request = request.header("mcp-protocol-version", "2025-11-25").bearer_auth(access_token);
        rpc::send(request.json(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))).await
    }

    /// The status of one.
    pub(crate) async fn opens(&self, access_token: &str) -> u16 {
        self.ask(access_token, "tools/list", json!({})).await.status
    }
}

/// Access token and refresh token in an answer that has both.
#[track_caller]
pub(crate) fn both(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 200, "{answer:?}");
    let told = answer.json();
    let text = |name: &str| told[name].as_str().unwrap_or_else(|| panic!("no {name}: {told}")).to_owned();
    (text("access_token"), text("refresh_token"))
}

/// A list of parameters with one of them in another form; an empty text leaves it out.
pub(crate) fn but(fields: &[(&'static str, String)], name: &'static str, value: &str) -> Vec<(&'static str, String)> {
    let mut fields: Vec<_> = fields.iter().filter(|(each, _)| *each != name).cloned().collect();
    if !value.is_empty() {
        fields.push((name, value.to_owned()));
    }
    fields
}

/// Parameters as they stand in an address or a form.
pub(crate) fn written(fields: &[(&str, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// A browser: keeps cookies, follows nothing by itself, and says where its forms come from as browsers do.
pub(crate) struct Browser<'a> {
    site: &'a Site,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Browser<'_> {
    /// A page, as somebody who follows a link gets it.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let request = self.site.request(Method::GET, path);
        let request = request.header("sec-fetch-site", "cross-site").header("sec-fetch-mode", "navigate");
        self.send(request.header("sec-fetch-dest", "document")).await
    }

    /// Sends a form of a page of the server.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request =
            self.site.request(Method::POST, path).header("origin", "null").header("sec-fetch-site", "same-origin");
        self.send(request.form(fields)).await
    }

    /// Sends any request with its cookies, and keeps those of the answer.
    pub(crate) async fn send(&mut self, request: reqwest::RequestBuilder) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = if cookies.is_empty() { request } else { request.header("cookie", cookies.join("; ")) };
        let answer = Answer::of(request.send().await.unwrap()).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Signs in on this page, which is `/login` or one with a request.
    pub(crate) async fn sign_in(&mut self, page: &str, name: &str, password: &str) -> Answer {
        let shown = self.get(page).await;
        let (csrf, request) = (shown.field("csrf"), shown.field("request"));
        let fields = [("csrf", csrf.as_str()), ("request", &request), ("name", name), ("password", password)];
        self.post("/login", &fields).await
    }

    /// Goes to `/authorize` with these parameters.
    pub(crate) async fn authorize(&mut self, asking: &[(&str, String)]) -> Answer {
        self.get(&format!("/authorize?{}", written(asking))).await
    }

    /// Goes on from `/authorize` to the page of consent; somebody must be signed in.
    pub(crate) async fn consent_page(&mut self, asking: &[(&str, String)]) -> Answer {
        let sent = self.authorize(asking).await;
        assert!(sent.status == 303 && sent.location().starts_with("/consent?request="), "{sent:?}");
        self.get(sent.location()).await
    }

    /// Answers a page of consent, with these permissions ticked.
    pub(crate) async fn decide(&mut self, page: &Answer, decision: &str, ticked: &[&str]) -> Answer {
        let (csrf, request) = (page.field("csrf"), page.field("request"));
        let ticked: Vec<String> = ticked.iter().map(|name| format!("scope.{name}")).collect();
        let mut fields = vec![("csrf", csrf.as_str()), ("request", &request), ("decision", decision)];
        fields.extend(ticked.iter().map(|name| (name.as_str(), "on")));
        self.post("/consent", &fields).await
    }

    /// Agrees to everything; where the browser is sent.
    pub(crate) async fn agree(&mut self, asking: &[(&str, String)]) -> Answer {
        let page = self.consent_page(asking).await;
        self.decide(&page, "allow", &["reviews:read", "reports:write", "offline_access"]).await
    }

    /// A code for this client, from a person who is asked also if they agreed to the same before.
    pub(crate) async fn code(&mut self, client: &Client) -> String {
        let sent = self.agree(&but(&self.site.asking(client), "prompt", "consent")).await;
        assert_eq!(sent.status, 303, "{sent:?}");
        sent.parameter("code").unwrap_or_else(|| panic!("no code: {sent:?}"))
    }
}
