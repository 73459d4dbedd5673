//! A whole life of the authorization server, in which everything happens that makes, takes or refuses a secret. What was
//! secret in it is then looked for in everything that stays or leaves: the database, the log, spans, figures, health pages,
//! and all answers but the one that tells it.

use crate::support::{
    SECRET_KEY, TestServer,
    binary::{Serving, program, stderr, stdout},
    collector::Collector,
    database::{Database, both},
    sign_in::{Answer, Browser, CALLBACK, Client, STATE, Site, VERIFIER, both as tokens, but, challenge, written},
    until,
};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey},
    encoding::AsBigEndian as _,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use google_reviews_mcp::{
    clock::Clock,
    model::{SecretKey, hex},
};
use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret as _;
use serde_json::json;
use sqlx::{Connection as _, Executor as _};
use std::{borrow::Cow, io::Write as _, process::Stdio};

const FIRST: &str = "canary one: seven tall ships & a heron";
const SECOND: &str = "canary two: nine grey geese + an otter";
const WRONG: &str = "canary three: what somebody typed by mistake";
const TYPED_AS_NAME: &str = "canary-four-eleven-owls";
const REGISTRATION: &str = "5f1c0d9e7b3a48c2a6d1e0f9b8c7a6d55f1c0d9e7b3a48c2a6d1e0f9b8c7a6d5";
/// Stands where it has no business, as what people paste into the wrong field.
const PASTED: &str = "canary-pasted-0f9b8c7a6d5e4f3a2b1c";

/// Where a secret may be.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    /// In these answers.
    In(Vec<usize>),
    /// In answers, since browsers carry it on; but nowhere else.
    Carried,
}

#[derive(Debug)]
struct Secret {
    name: &'static str,
    /// It, and what it can be told from when it is cut or written in another way.
    forms: Vec<Vec<u8>>,
    told: Told,
}

/// What was seen, and what must not be.
#[derive(Default)]
struct Witness {
    answers: Vec<(String, Vec<u8>)>,
    places: Vec<(String, Vec<u8>)>,
    secrets: Vec<Secret>,
}

impl Witness {
    /// Keeps an answer; returns its number.
    fn heard(&mut self, what: &str, answer: &Answer) -> usize {
        let text = format!("{:?}\n{}", answer.headers, answer.text);
        self.answers.push((format!("{} answered {}", what, answer.status), text.into_bytes()));
        self.answers.len() - 1
    }

    /// Keeps what a command printed.
    fn printed(&mut self, what: &str, text: &str) -> usize {
        self.answers.push((what.to_owned(), text.as_bytes().to_vec()));
        self.answers.len() - 1
    }

    fn secret(&mut self, name: &'static str, text: &str, told: &[usize]) {
        assert!(text.len() >= 16, "{name}: {text}");
        self.secrets.push(Secret { name, forms: forms(text), told: Told::In(told.to_vec()) });
    }

    fn carried(&mut self, name: &'static str, text: &str) {
        self.secrets.push(Secret { name, forms: forms(text), told: Told::Carried });
    }

    /// An access token by its claims and its signature: its head is that of all.
    fn access(&mut self, text: &str, told: &[usize]) {
        let (_, claims, signature) = parts(text);
        let forms = forms(signature).into_iter().chain([claims.as_bytes().to_vec()]).collect();
        self.secrets.push(Secret { name: "an access token", forms, told: Told::In(told.to_vec()) });
    }

    /// Where secrets are that must not be there.
    fn leaks(&self) -> Vec<String> {
        let answers = self.answers.iter().enumerate().map(|(number, seen)| (Some(number), seen));
        let mut found = Vec::new();
        for (number, (place, bytes)) in answers.chain(self.places.iter().map(|seen| (None, seen))) {
            let (text, secrets) = (Text::of(bytes), self.secrets.iter());
            let leaks =
                secrets.filter(|secret| !secret.may_be_in(number) && secret.forms.iter().any(|form| text.has(form)));
            found.extend(leaks.map(|secret| format!("{}: {place}", secret.name)));
        }
        found
    }

    fn is_in(&self, place: &str, text: &str) -> bool {
        self.places.iter().any(|(name, bytes)| name == place && Text::of(bytes).has(text.as_bytes()))
    }
}

impl Secret {
    /// Whether it may be in this answer, or in what is none.
    fn may_be_in(&self, answer: Option<usize>) -> bool {
        match (&self.told, answer) {
            (Told::In(numbers), Some(answer)) => numbers.contains(&answer),
            (Told::Carried, Some(_)) => true,
            (_, None) => false,
        }
    }
}

/// Bytes to search in, also as letters, in which searching is faster.
struct Text<'a> {
    bytes: &'a [u8],
    letters: Cow<'a, str>,
}

impl<'a> Text<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, letters: String::from_utf8_lossy(bytes) }
    }

    fn has(&self, form: &[u8]) -> bool {
        match std::str::from_utf8(form) {
            Ok(form) => self.letters.contains(form),
            Err(_) => self.bytes.windows(form.len()).any(|part| part == form),
        }
    }
}

/// Head, claims and signature.
fn parts(token: &str) -> (&str, &str, &str) {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (head, claims) = signed.split_once('.').unwrap();
    (head, claims, signature)
}

/// A text as it stands, as it stands in addresses, in forms, in JSON in a log, in hexadecimal digits and in base64, and the
/// two ends of a long one.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let form = url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let mut forms = vec![text.to_owned(), form.replace('+', "%20"), form];
    forms.extend([
        json!(text).to_string().trim_matches('"').to_owned(),
        format!("{text:?}").trim_matches('"').to_owned(),
    ]);
    forms.extend([hex(text.as_bytes()), hex(text.as_bytes()).to_uppercase()]);
    // Without the last letters: they depend on what follows.
    let whole = &text.as_bytes()[..text.len() / 3 * 3];
    forms.extend([STANDARD_NO_PAD.encode(whole), URL_SAFE_NO_PAD.encode(whole)]);
    if text.len() > 40 && text.is_ascii() {
        forms.push(text[text.len() - 24..].to_owned());
        // The first part of a refresh token is the name of its grant, which is no secret.
        forms.extend((!text.starts_with("grr_")).then(|| text[4..28].to_owned()));
    }
    forms.sort();
    forms.dedup();
    forms.into_iter().map(String::into_bytes).collect()
}

/// The bytes of a private key, as they are and as they could be written.
fn forms_of_key(bytes: &[u8]) -> Vec<Vec<u8>> {
    let texts = [
        hex(bytes),
        hex(bytes).to_uppercase(),
        STANDARD.encode(bytes),
        STANDARD_NO_PAD.encode(bytes),
        URL_SAFE_NO_PAD.encode(bytes),
        format!("{bytes:?}"),
    ];
    texts.into_iter().map(String::into_bytes).chain([bytes.to_vec()]).collect()
}

/// The life that is played.
struct Life<'a> {
    site: &'a Site,
    witness: Witness,
}

impl Life<'_> {
    async fn send(&mut self, what: &str, request: RequestBuilder) -> (Answer, usize) {
        let answer = Answer::of(request.send().await.unwrap()).await;
        let number = self.witness.heard(what, &answer);
        (answer, number)
    }

    async fn form(&mut self, path: &str, fields: &[(&'static str, String)]) -> (Answer, usize) {
        self.send(path, self.site.request(Method::POST, path).form(fields)).await
    }

    async fn get(&mut self, browser: &mut Browser<'_>, path: &str) -> (Answer, usize) {
        let answer = browser.get(path).await;
        self.heard_by(browser, path, answer)
    }

    async fn post(&mut self, browser: &mut Browser<'_>, path: &str, fields: &[(&str, &str)]) -> (Answer, usize) {
        let answer = browser.post(path, fields).await;
        self.heard_by(browser, path, answer)
    }

    /// Keeps what a browser got, with what it is to carry on.
    fn heard_by(&mut self, browser: &Browser<'_>, path: &str, answer: Answer) -> (Answer, usize) {
        let number = self.witness.heard(path.split('?').next().unwrap(), &answer);
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if browser.cookies.contains_key(name) {
                self.witness.secret("a cookie", value, &[number]);
            }
        }
        for name in ["csrf", "request"] {
            if answer.text.contains(&format!("name=\"{name}\"")) {
                let value = answer.field(name);
                (!value.is_empty()).then(|| self.witness.carried(name_of(name), &value));
            }
        }
        (answer, number)
    }

    /// A link, and a password that is chosen with it; before that, one that does not fit.
    async fn set_up(&mut self, browser: &mut Browser<'_>, printed: usize, link: &str, (name, password): (&str, &str)) {
        let (page, first) = self.get(browser, &format!("/setup?link={link}")).await;
        let csrf = page.field("csrf");
        let fields = |repeated| {
            let mut fields =
                vec![("csrf", csrf.as_str()), ("link", link), ("password", password), ("repeated", repeated)];
            fields.extend((!name.is_empty()).then_some(("name", name)));
            fields
        };
        let (again, second) = self.post(browser, "/setup", &fields(WRONG)).await;
        assert!(again.text.contains("differ"), "{again:?}");
        let (done, _) = self.post(browser, "/setup", &fields(password)).await;
        assert_eq!(done.status, 303, "{done:?}");
        let (spent, _) = self.post(browser, "/setup", &fields(password)).await;
        assert!(spent.status >= 400, "{spent:?}");
        // The form with which a link is used has it.
        self.witness.secret("a setup link", link, &[printed, first, second]);
    }

    async fn sign_in(&mut self, browser: &mut Browser<'_>, page: &str, name: &str, password: &str) -> Answer {
        let (page, _) = self.get(browser, page).await;
        let (csrf, request) = (page.field("csrf"), page.field("request"));
        let fields = [("csrf", csrf.as_str()), ("request", &request), ("name", name), ("password", password)];
        self.post(browser, "/login", &fields).await.0
    }

    /// A client with a secret; before that, one that the operator's token did not open for.
    async fn register(&mut self, name: &str) -> Client {
        let body = json!({"client_name": name, "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "client_secret_basic"});
        let request = || self.site.request(Method::POST, "/register").json(&body);
        let (wrong, right) = (request().bearer_auth(PASTED), request().bearer_auth(REGISTRATION));
        assert_eq!(self.send("/register", wrong).await.0.status, 401);
        let (answer, number) = self.send("/register", right).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let told = answer.json();
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        let client =
            Client { id: text("client_id"), secret: Some(text("client_secret")), redirect: CALLBACK.to_owned() };
        self.witness.secret("a client's secret", client.secret.as_ref().unwrap(), &[number]);
        self.witness.secret("a client's header", &basic(&client), &[]);
        client
    }

    /// A code, by a browser in which somebody is signed in.
    async fn code(&mut self, browser: &mut Browser<'_>, client: &Client) -> String {
        let (sent, number) = self.get(browser, &format!("/authorize?{}", written(&self.site.asking(client)))).await;
        // Whoever has agreed to the same before is not asked again.
        if let Some(code) = sent.parameter("code") {
            self.witness.secret("a code", &code, &[number]);
            return code;
        }
        let (page, _) = self.get(browser, sent.location()).await;
        self.agree(browser, &page).await
    }

    async fn agree(&mut self, browser: &mut Browser<'_>, page: &Answer) -> String {
        let (csrf, request) = (page.field("csrf"), page.field("request"));
        let mut fields = vec![("csrf", csrf.as_str()), ("request", &request), ("decision", "allow")];
        fields.extend(["scope.reviews:read", "scope.reports:write", "scope.offline_access"].map(|name| (name, "on")));
        let (sent, number) = self.post(browser, "/consent", &fields).await;
        let code = sent.parameter("code").unwrap_or_else(|| panic!("no code: {sent:?}"));
        self.witness.secret("a code", &code, &[number]);
        code
    }

    /// Access token and refresh token in an answer that tells them.
    fn told(&mut self, (answer, number): (Answer, usize)) -> (String, String) {
        let (access, refresh) = tokens(&answer);
        self.witness.access(&access, &[number]);
        self.witness.secret("a refresh token", &refresh, &[number]);
        (access, refresh)
    }

    /// The same refresh token once more, which is told again.
    fn told_again(&mut self, (answer, number): (Answer, usize), before: &str) {
        let (access, refresh) = tokens(&answer);
        assert_eq!(refresh, before);
        self.witness.access(&access, &[number]);
        let told = forms(&refresh);
        let secret = self.witness.secrets.iter_mut().find(|secret| secret.forms == told).unwrap();
        let Told::In(numbers) = &mut secret.told else { panic!("{secret:?}") };
        numbers.push(number);
    }

    async fn refresh(&mut self, client: &Client, token: &str) -> (Answer, usize) {
        self.form("/token", &Site::refreshing(client, token)).await
    }

    /// Calls a tool, which asks the database, and shows something that opens or not.
    async fn open(&mut self, shown: &str) -> u16 {
        let params = json!({"name": "get_report", "arguments": {"report_id": "01a1f8d8-8329-7098-9e27-d01776b6e79f"}});
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let request = self.site.request(Method::POST, "/mcp").json(&body).bearer_auth(shown);
        let request = request.header("accept", "application/json, text/event-stream");
        self.send("/mcp", request.header("mcp-protocol-version", "2025-11-25")).await.0.status
    }
}

fn name_of(field: &str) -> &'static str {
    if field == "csrf" { "the proof of a form" } else { "a sealed request" }
}

/// What a client shows in the header.
fn basic(client: &Client) -> String {
    STANDARD.encode(format!("{}:{}", client.id, client.secret.as_deref().unwrap()))
}

/// Runs a command of the operator; what it printed.
async fn operator(database: &Database, arguments: &[&str], input: &str) -> String {
    let mut command = program();
    command.args(arguments).envs(database.environment()).stdin(Stdio::piped());
    let input = input.to_owned();
    let run = move || {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    stdout(&output)
}

/// People come in: the first by a link, one more by another link, and with passwords, right and wrong.
async fn people(life: &mut Life<'_>, database: &Database) {
    // The server's own first link, which would take the place of a later one.
    until("there is a link", async || database.count("setup_links").await == 1).await;
    let mut browser = life.site.browser();
    for (arguments, name, password) in [
        (&["user", "link"][..], "ada", FIRST),
        (&["user", "add", "eve"], "", SECOND),
        (&["user", "reset", "eve"], "", SECOND),
    ] {
        let shown = operator(database, arguments, "").await;
        let printed = life.witness.printed("a command that makes a link", &shown);
        let link = shown.trim().rsplit_once("link=").unwrap().1.to_owned();
        life.set_up(&mut browser, printed, &link, (name, password)).await;
    }
    operator(database, &["user", "add", "bob", "--password-stdin"], &format!("{SECOND}\n")).await;
    let mut stranger = life.site.browser();
    for (name, password) in [("ada", WRONG), ("nobody", WRONG), (TYPED_AS_NAME, FIRST)] {
        let answer = life.sign_in(&mut stranger, "/login", name, password).await;
        assert_eq!(answer.status, 401, "{answer:?}");
    }
    // The form shows again what stood in the field that is for a name.
    let form = life.witness.answers.len() - 1;
    life.witness.secret("a password in the field for a name", TYPED_AS_NAME, &[form]);
    let answer = life.sign_in(&mut stranger, "/login", "bob", SECOND).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    let csrf = life.get(&mut stranger, "/connections").await.0.field("csrf");
    assert_eq!(life.post(&mut stranger, "/logout", &[("csrf", WRONG)]).await.0.status, 403);
    life.post(&mut stranger, "/logout", &[("csrf", &csrf)]).await;
    for (name, text) in [("a password", FIRST), ("another password", SECOND), ("a wrong password", WRONG)] {
        life.witness.secret(name, text, &[]);
    }
}

/// A client gets tokens in the right way, after all wrong ones, renews them and loses them.
async fn client(life: &mut Life<'_>, browser: &mut Browser<'_>) -> (Client, String, String) {
    let client = life.register("One").await;
    let code = life.code(browser, &client).await;
    let good = life.site.exchanging(&client, &code);
    for (name, value) in [
        ("code_verifier", "a-verifier-that-nobody-ever-hashed-into-a-challenge"),
        ("client_secret", PASTED),
        ("redirect_uri", "https://other.example/callback"),
        ("resource", "https://other.example/mcp"),
        ("grant_type", PASTED),
        ("code", PASTED),
    ] {
        let answer = life.form("/token", &but(&good, name, value)).await.0;
        assert!((400..500).contains(&answer.status), "{name}: {answer:?}");
    }
    let answer = life.form("/token", &good).await;
    let (access, first) = life.told(answer);
    assert_eq!(life.open(&access).await, 200);
    let bare = but(&Site::refreshing(&client, &first), "client_secret", "");
    let request = life.site.request(Method::POST, "/token").form(&bare);
    let answer = life.send("/token", request.header("authorization", format!("Basic {}", basic(&client)))).await;
    let (_, second) = life.told(answer);
    let answer = life.refresh(&client, &first).await;
    life.told_again(answer, &second);
    let answer = life.refresh(&client, &second).await;
    let (access, third) = life.told(answer);
    (client, access, third)
}

/// Everything that ends a connection: a code that comes twice, a token that comes back, revocation, and the person.
async fn ends(life: &mut Life<'_>, browser: &mut Browser<'_>, client: &Client, kept: &str) {
    let code = life.code(browser, client).await;
    let answer = life.form("/token", &life.site.exchanging(client, &code)).await;
    let (access, refresh) = life.told(answer);
    assert_eq!(life.form("/token", &life.site.exchanging(client, &code)).await.0.error(), "invalid_grant");
    assert_eq!((life.open(&access).await, life.refresh(client, &refresh).await.0.status), (401, 400));

    let code = life.code(browser, client).await;
    let answer = life.form("/token", &life.site.exchanging(client, &code)).await;
    let (_, first) = life.told(answer);
    let mut newest = first.clone();
    for _ in 0..2 {
        let answer = life.refresh(client, &newest).await;
        newest = life.told(answer).1;
    }
    assert_eq!(life.refresh(client, &first).await.0.error(), "invalid_grant", "a replay");

    for token in [PASTED, kept] {
        let mut fields = vec![("token", token.to_owned()), ("client_id", client.id.clone())];
        assert_eq!(life.form("/revoke", &fields).await.0.status, 401, "without the secret");
        fields.extend(client.secret.clone().map(|secret| ("client_secret", secret)));
        assert_eq!(life.form("/revoke", &fields).await.0.status, 200);
    }
    life.code(browser, client).await;
    let csrf = life.get(browser, "/connections").await.0.field("csrf");
    let fields = [("csrf", csrf.as_str()), ("revoke", &client.id), ("redirect_uri", CALLBACK)];
    assert_eq!(life.post(browser, "/connections", &fields).await.0.status, 200);
}

/// What programs and people send that never could work, with a secret in the midst of it.
async fn nonsense(life: &mut Life<'_>, secret: &str) {
    let site = life.site;
    let address = |path: &str| format!("{path}?token={PASTED}&code={PASTED}&secret={secret}");
    for path in ["/token", "/revoke", "/register", "/login", "/consent", "/setup", "/authorize", "/mcp", "/jwks.json"] {
        for method in [Method::GET, Method::POST, Method::PUT] {
            life.send(path, site.request(method, &address(path))).await;
        }
        let json = site.request(Method::POST, path).header("content-type", "application/json");
        life.send(path, json.body(format!("{{\"token\": \"{secret}\", \"{PASTED}\": "))).await;
        let parts =
            site.request(Method::POST, path).header("content-type", format!("multipart/form-data; boundary={PASTED}"));
        life.send(path, parts.body(format!("--{PASTED}\r\n\r\n{secret}\r\n--{PASTED}--"))).await;
        let headers = [("cookie", format!("__Host-session={secret}")), ("authorization", format!("Basic {secret}"))];
        for (name, value) in headers.into_iter().chain([("authorization", format!("{PASTED} {secret}"))]) {
            life.send(path, site.request(Method::POST, path).header(name, value).form(&[("grant_type", PASTED)])).await;
        }
        life.form(path, &[("code", secret.to_owned()), ("code", PASTED.to_owned())]).await;
        life.form(path, &[("client_id", secret.to_owned()), ("refresh_token", secret.to_owned())]).await;
    }
    let body = json!({"client_name": 1, "redirect_uris": [format!("http://{PASTED}.example/{secret}")]});
    life.send("/register", site.request(Method::POST, "/register").bearer_auth(REGISTRATION).json(&body)).await;
    life.witness.secret("what was pasted", PASTED, &[]);
}

/// The same while nothing can be written.
async fn locked(life: &mut Life<'_>, database: &Database, browser: &mut Browser<'_>, client: &Client, token: &str) {
    let code = life.code(browser, client).await;
    let exchanging = life.site.exchanging(client, &code);
    let mut statuses = Vec::new();
    match database {
        Database::Sqlite(_) => {
            let mut other = database.sqlite_connection().await;
            other.execute("BEGIN IMMEDIATE").await.unwrap();
            statuses.extend(unwritten(life, browser, client, (token, &exchanging)).await);
            other.execute("ROLLBACK").await.unwrap();
        }
        Database::Postgres(postgres) => {
            let mut other = sqlx::PgConnection::connect(&postgres.url).await.unwrap();
            other
                .execute("BEGIN; LOCK TABLE grants, clients, sessions, people IN ACCESS EXCLUSIVE MODE")
                .await
                .unwrap();
            statuses.extend(unwritten(life, browser, client, (token, &exchanging)).await);
            other.execute("ROLLBACK").await.unwrap();
        }
    }
    assert_eq!(statuses, [503, 503, 503], "{}", database.name());
    let answer = life.form("/token", &exchanging).await;
    life.told(answer);
}

async fn unwritten(
    life: &mut Life<'_>,
    browser: &mut Browser<'_>,
    client: &Client,
    (token, exchanging): (&str, &[(&'static str, String)]),
) -> [u16; 3] {
    let refresh = life.refresh(client, token).await.0.status;
    let exchange = life.form("/token", exchanging).await.0.status;
    let body = json!({"redirect_uris": [CALLBACK]});
    let register = life.site.request(Method::POST, "/register").bearer_auth(REGISTRATION).json(&body);
    let register = life.send("/register", register).await.0.status;
    life.get(browser, "/connections").await;
    [refresh, exchange, register]
}

/// All pages that tell how the server is.
async fn pages(life: &mut Life<'_>, operations: &str) {
    let main = ["/", "/health", "/readyz", "/livez", "/startupz", "/nothing", "/jwks.json"];
    let wellknown = ["/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource"];
    for path in main.into_iter().chain(wellknown) {
        life.send(path, life.site.request(Method::GET, path)).await;
    }
    for path in ["/", "/health", "/readyz", "/livez", "/startupz", "/metrics"] {
        let answer = Answer::of(reqwest::get(format!("{operations}{path}")).await.unwrap()).await;
        life.witness.heard(&format!("operations {path}"), &answer);
    }
}

/// The private parts of the keys that sign, opened as the server opens them.
async fn signing_keys(database: &Database) -> Vec<Vec<u8>> {
    let rows = database.texts("SELECT id || ' ' || private FROM signing_keys").await;
    let key = SecretKey::parse(SECRET_KEY).unwrap().derive("signing keys");
    let seal = RandomizedNonceKey::new(&AES_256_GCM, key.expose_secret()).unwrap();
    let mut found = Vec::new();
    for row in rows {
        let (id, private) = row.split_once(' ').unwrap();
        let mut sealed = URL_SAFE_NO_PAD.decode(private).unwrap();
        let mut rest = sealed.split_off(12);
        let nonce = Nonce::try_assume_unique_for_key(&sealed).unwrap();
        let whole = seal.open_in_place(nonce, Aad::from(id.as_bytes()), &mut rest).unwrap().to_vec();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &whole).unwrap();
        found.push(pair.private_key().as_be_bytes().unwrap().as_ref().to_vec());
        found.push(whole);
    }
    found
}

async fn play(life: &mut Life<'_>, database: &Database, operations: &str) -> Client {
    people(life, database).await;
    let shown = operator(database, &["key", "add", "robot"], "").await;
    let number = life.witness.printed("the command that makes a key", &shown);
    let api_key = shown.trim().to_owned();
    life.witness.secret("an API key", &api_key, &[number]);

    // A browser comes from a client, and signs in on the way.
    let mut browser = life.site.browser();
    let early = life.register("Early").await;
    let (sent, _) = life.get(&mut browser, &format!("/authorize?{}", written(&life.site.asking(&early)))).await;
    let answer = life.sign_in(&mut browser, sent.location(), "ada", FIRST).await;
    let (page, _) = life.get(&mut browser, answer.location()).await;
    let unused = life.agree(&mut browser, &page).await;

    let (client, access, newest) = client(life, &mut browser).await;
    // No key ends in this letter.
    let changed = format!("{}x", &api_key[..api_key.len() - 1]);
    for (shown, status) in [(&access, 200), (&api_key, 200), (&changed, 401), (&newest, 401), (&unused, 401)] {
        assert_eq!(life.open(shown).await, status);
    }
    locked(life, database, &mut browser, &client, &newest).await;
    nonsense(life, &newest).await;
    nonsense(life, &access).await;
    ends(life, &mut browser, &client, &newest).await;
    let mut stranger = life.site.browser();
    let mut last = 0;
    for _ in 0..12 {
        last = life.sign_in(&mut stranger, "/login", "eve", WRONG).await.status;
    }
    assert_eq!(last, 429, "too many tries");
    pages(life, operations).await;
    client
}

#[tokio::test]
async fn tok_13_no_secret_is_found_in_the_database_in_logs_or_in_any_answer_but_the_one_that_tells_it() {
    for (database, level) in both().await.into_iter().zip(["trace", "debug"]) {
        let collector = Collector::start().await;
        let google = TestServer::start().await;
        let settings = [
            ("REVIEWS__AUTH__MODE", "oauth"),
            ("REVIEWS__AUTH__REGISTRATION", "token"),
            ("REVIEWS__AUTH__REGISTRATION_TOKEN", REGISTRATION),
            ("REVIEWS__LIMITS__ENABLED", "true"),
            ("REVIEWS__STORE__BUSY_TIMEOUT", "100ms"),
            ("REVIEWS__STORE__LOCK_TIMEOUT", "100ms"),
            ("REVIEWS__LOG__LEVEL", level),
        ];
        let settings = [&settings, collector.environment().as_slice()].concat();
        let serving = Serving::on(&database, &google.emulator.url(), &settings);
        let ready = format!("{}/readyz", serving.operations);
        until("it is ready", async || reqwest::get(&ready).await.is_ok_and(|answer| answer.status() == 200)).await;
        let site = Site::at(serving.endpoint.trim_end_matches("/mcp"), google, Clock::system());
        let mut life = Life { site: &site, witness: Witness::default() };
        let client = play(&mut life, &database, &serving.operations).await;
        let mut witness = life.witness;

        for (name, text) in
            [("the verifier", VERIFIER), ("the key of keys", SECRET_KEY), ("the registration token", REGISTRATION)]
        {
            witness.secret(name, text, &[]);
        }
        witness.carried("the state", STATE);
        for key in signing_keys(&database).await {
            witness.secrets.push(Secret {
                name: "a signing key",
                forms: forms_of_key(&key),
                told: Told::In(Vec::new()),
            });
        }
        witness.places.extend(database.contents().await);
        let start = serving.start.clone();
        let (rest, _) = tokio::task::spawn_blocking(move || serving.stop()).await.unwrap();
        witness.places.push(("the log".to_owned(), (start + &rest).into_bytes()));
        witness.places.push(("spans and figures that were sent".to_owned(), collector.text().into_bytes()));
        assert_eq!(witness.leaks(), Vec::<String>::new(), "{}", database.name());
        is_a_search(witness, &database, &client).await;
    }
}

/// What is there is found: each secret where it was told, what is no secret in each place, and a secret that is put into the
/// database.
async fn is_a_search(mut witness: Witness, database: &Database, client: &Client) {
    assert!(witness.secrets.len() > 60 && witness.answers.len() > 150, "{}", witness.answers.len());
    for secret in &witness.secrets {
        let Told::In(numbers) = &secret.told else { continue };
        for number in numbers {
            let (place, answer) = &witness.answers[*number];
            assert!(secret.forms.iter().any(|form| Text::of(answer).has(form)), "{} is not in {place}", secret.name);
        }
    }
    let names =
        ["a cookie", "a setup link", "a client's secret", "a code", "an access token", "a refresh token", "an API key"];
    for name in names {
        let told = |secret: &&Secret| secret.name == name && secret.told != Told::In(Vec::new());
        assert!(witness.secrets.iter().any(|secret| told(&secret)), "{name}");
    }
    assert!(witness.is_in("the log", &client.id) && witness.is_in("the log", "nobody was signed in"));
    assert!(witness.is_in("the log", "the database is busy"));
    let sent = "spans and figures that were sent";
    assert!(
        witness.is_in(sent, "tools/call get_report")
            && witness.is_in(sent, "mcp.auth.failures")
            && witness.is_in(sent, "reports.")
    );
    assert!(
        witness.is_in("the column clients.id", &client.id)
            && witness.is_in("the column grants.challenge", &challenge(VERIFIER))
    );
    if let Database::Sqlite(_) = database {
        assert!(
            ["", "-wal"].iter().any(|more| witness.is_in(&format!("the file google-reviews.db{more}"), &client.id))
        );
        assert!(witness.places.iter().any(|(name, bytes)| name.ends_with("-wal") && !bytes.is_empty()));
    }

    for planted in [client.secret.as_ref().unwrap().to_owned(), STANDARD_NO_PAD.encode(&FIRST[..36])] {
        database.run(&format!("UPDATE clients SET name = 'x{planted}y' WHERE id = '{}'", client.id)).await;
        witness.places = database.contents().await;
        let found = witness.leaks();
        assert!(found.iter().any(|leak| leak.ends_with("the column clients.name")), "{found:?}");
    }
}
