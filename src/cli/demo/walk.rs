//! The whole way to a token, as a client and a person's browser go it, told step by step: for those who want to see what
//! their own client will do. Everything goes over the socket, as it would from elsewhere.

use crate::{
    cli::output::say,
    model::{random_secret, sha256},
};
use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Client, RequestBuilder, Response, header, redirect};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

/// Where the client of the demo would listen for the code; nobody needs to, because the browser is played too.
const REDIRECT: &str = "http://127.0.0.1:9/callback";

/// A client and a browser in one.
pub(super) struct Walk {
    http: Client,
    endpoint: String,
    cookies: Vec<String>,
}

impl Walk {
    /// To a token for this endpoint.
    pub(super) fn to(endpoint: String) -> Result<Self> {
        let http = Client::builder().no_proxy().timeout(Duration::from_secs(30)).redirect(redirect::Policy::none());
        Ok(Self { http: http.build()?, endpoint, cookies: Vec::new() })
    }

    /// Signs this person in and agrees for them; the access token.
    pub(super) async fn sign_in(mut self, name: &str, password: &str) -> Result<String> {
        let server = self.discover().await?;
        let client_id = self.register(&server).await?;
        let verifier = random_secret("");
        let code = self.ask(&server, &client_id, verifier.expose_secret(), (name, password)).await?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", verifier.expose_secret()),
            ("client_id", &client_id),
            ("resource", &self.endpoint),
        ];
        let told = json_of(self.http.post(text(&server, "token_endpoint")?).form(&form).send().await?).await?;
        say(&format!(
            "  7. The client exchanges the code, and shows the secret whose hash it sent: it gets an access token for {} seconds, \
             and a refresh token for the time after.",
            told.get("expires_in").unwrap_or(&Value::Null)
        ));
        text(&told, "access_token")
    }

    /// From a refusal to the metadata of who gives tokens.
    async fn discover(&self) -> Result<Value> {
        let refused = self.http.post(&self.endpoint).json(&json!({})).send().await?;
        let challenge = refused.headers().get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let challenge = challenge.context("the server does not ask for a token")?.to_owned();
        let address = quoted(&challenge, "resource_metadata=\"").context("the challenge leads nowhere")?;
        say(&format!("  1. A client without a token is told where to look: {} {address}", refused.status()));
        let resource = json_of(self.http.get(address).send().await?).await?;
        let issuer =
            resource.pointer("/authorization_servers/0").and_then(Value::as_str).context("nobody gives tokens")?;
        say(&format!("  2. There it finds who gives tokens for {}: {issuer}", text(&resource, "resource")?));
        json_of(self.http.get(format!("{issuer}/.well-known/oauth-authorization-server")).send().await?).await
    }

    async fn register(&self, server: &Value) -> Result<String> {
        let client = json!({"client_name": "The client of the demo", "redirect_uris": [REDIRECT],
            "token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "refresh_token"]});
        let told = json_of(self.http.post(text(server, "registration_endpoint")?).json(&client).send().await?).await?;
        let id = text(&told, "client_id")?;
        say(&format!("  3. It registers itself, and is now {id}"));
        Ok(id)
    }

    /// The browser's part: a person signs in and agrees.
    async fn ask(&mut self, server: &Value, client_id: &str, verifier: &str, who: (&str, &str)) -> Result<String> {
        let challenge = URL_SAFE_NO_PAD.encode(sha256(verifier));
        let mut address = Url::parse(&text(server, "authorization_endpoint")?)?;
        address.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", REDIRECT),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("scope", "reviews:read reports:write offline_access"),
            ("state", "of-the-demo"),
            ("resource", &self.endpoint),
        ]);
        say("  4. It opens a browser at /authorize, with the hash of a secret that it alone knows (PKCE).");
        let next = self.visit(self.http.get(address.clone())).await?.1;
        let (page, _) = self.visit(self.http.get(address.join(&next)?)).await?;
        let form = [("csrf", field(&page, "csrf")?), ("request", field(&page, "request")?)];
        let (name, password) = (("name", who.0.to_owned()), ("password", who.1.to_owned()));
        let signing_in = [form.as_slice(), &[name, password]].concat();
        let next = self.visit(self.http.post(address.join("/login")?).form(&signing_in)).await?.1;
        say(&format!("  5. The person signs in as {}.", who.0));
        let (page, _) = self.visit(self.http.get(address.join(&next)?)).await?;
        let form = [("csrf", field(&page, "csrf")?), ("request", field(&page, "request")?)];
        let ticked =
            ["scope.reviews:read", "scope.reports:write", "scope.offline_access"].map(|name| (name, "on".to_owned()));
        let agreeing = [form.as_slice(), &ticked, &[("decision", "allow".to_owned())]].concat();
        let next = self.visit(self.http.post(address.join("/consent")?).form(&agreeing)).await?.1;
        say("  6. They are asked what the client may do, agree, and the browser brings a code to the client.");
        let sent = Url::parse(&next).context("the browser is sent nowhere")?;
        let code = sent.query_pairs().find(|(name, _)| name == "code").map(|(_, code)| code.into_owned());
        code.context("there is no code")
    }

    /// A page, and where it sends a browser on to; cookies are kept.
    async fn visit(&mut self, request: RequestBuilder) -> Result<(String, String)> {
        let request = request.header("sec-fetch-site", "same-origin").header(header::COOKIE, self.cookies.join("; "));
        let answer = request.send().await?;
        let sent = answer.headers();
        let cookies =
            sent.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok()?.split(';').next());
        self.cookies.extend(cookies.map(str::to_owned));
        let next = sent.get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        ensure!(answer.status().as_u16() < 400, "a page was refused: {}", answer.status());
        Ok((answer.text().await?, next))
    }
}

async fn json_of(answer: Response) -> Result<Value> {
    Ok(answer.error_for_status()?.json().await?)
}

fn text(value: &Value, name: &str) -> Result<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned).with_context(|| format!("{name} is missing"))
}

/// What stands between this and the next quotation mark.
fn quoted<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split('"').next()
}

fn field(page: &str, name: &str) -> Result<String> {
    let value = quoted(page, &format!("name=\"{name}\" value=\""));
    value.map(str::to_owned).with_context(|| format!("the page has no field {name}"))
}
