//! `/token` and `/revoke`: forms of clients, good ones and those that nobody should send.

use crate::support::{
    database::both,
    raw::{self, Connection},
    sign_in::{Answer, CALLBACK, Client, LOOPBACK, Site, both as tokens, but, written},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{
    Method,
    header::{HeaderMap, HeaderValue},
};
use serde_json::{Value, json};
use std::time::Duration;

const FORM: &str = "application/x-www-form-urlencoded";

/// What no answer to a stranger may hold: the insides of the server, and anything that opens something.
const INSIDES: [&str; 12] =
    ["panicked", "SELECT", "INSERT", "sqlx", "SQLite", "Postgres", ".rs:", "grs_", "grz_", "grr_", "eyJ", "stack"];

/// A refusal: no fault of the server, nothing of its insides, not to be kept.
#[track_caller]
pub(super) fn is_refusal(answer: &Answer) {
    assert!((400..500).contains(&answer.status), "{answer:?}");
    assert!(!INSIDES.iter().any(|inside| answer.text.contains(inside)), "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
}

/// A refusal in the form of OAuth: JSON with the name of the error, and a sentence.
#[track_caller]
pub(super) fn is_refused(answer: &Answer, status: u16, error: &str, why: &str) {
    is_refusal(answer);
    assert_eq!((answer.status, answer.error().as_str()), (status, error), "{why}: {answer:?}");
    assert_eq!(answer.header("content-type"), "application/json", "{why}");
    let told = answer.json();
    assert!(!told["error_description"].as_str().unwrap().is_empty() && told.as_object().unwrap().len() == 2, "{told}");
}

/// A request with a body of any kind, and more headers.
pub(super) async fn post(site: &Site, path: &str, headers: HeaderMap, body: impl Into<reqwest::Body>) -> Answer {
    Answer::of(site.request(Method::POST, path).headers(headers).body(body).send().await.unwrap()).await
}

pub(super) fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

/// Fields of a form, with a client that shows itself in the header.
async fn by_header(site: &Site, header: &[u8], fields: &[(&'static str, String)]) -> Answer {
    let header = HeaderValue::from_bytes(header).unwrap();
    let request = site.request(Method::POST, "/token").header("authorization", header).form(fields);
    Answer::of(request.send().await.unwrap()).await
}

pub(super) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// An exchange in which the body does not name the client.
fn nameless(fields: &[(&'static str, String)]) -> Vec<(&'static str, String)> {
    but(&but(fields, "client_id", ""), "client_secret", "")
}

async fn failures(site: &Site, reason: &str) -> f64 {
    site.server.metric(&format!("mcp_auth_failures_total{{reason=\"{reason}\"}}")).await
}

#[tokio::test]
async fn tok_01_only_forms_are_read() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let fields = site.exchanging(&client, &site.code(&client).await);
        let form = written(&fields);
        let object: Value = fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let parts = fields
            .iter()
            .map(|(name, value)| format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
        let parts = parts.collect::<String>() + "--x--\r\n";
        let before = failures(&site, "bad_request").await;
        let bad = [
            (vec!["application/json"], object.to_string()),
            (vec!["application/json; charset=utf-8"], object.to_string()),
            (vec!["multipart/form-data; boundary=x"], parts),
            (vec![], form.clone()),
            (vec![""], form.clone()),
            (vec!["text/plain"], form.clone()),
            (vec!["application/;"], form.clone()),
            (vec![";"], form.clone()),
            (vec!["\u{fc}"], form.clone()),
            (vec!["application/x-www-form-urlencodedx"], form.clone()),
            (vec![FORM, FORM], form.clone()),
            (vec![FORM, "application/json"], form.clone()),
        ];
        for (types, body) in &bad {
            let types: Vec<_> = types.iter().map(|value| ("content-type", *value)).collect();
            for path in ["/token", "/revoke"] {
                let answer = post(&site, path, headers(&types), body.clone()).await;
                is_refused(&answer, 400, "invalid_request", &format!("{path} {types:?}"));
            }
        }
        assert_eq!(failures(&site, "bad_request").await - before, 24.0, "each is counted");
        // Nothing of that has used the code up, and the letter case and the charset of a form are of no matter.
        let typed = headers(&[("content-type", "Application/X-WWW-Form-Urlencoded;charset=UTF-8")]);
        let (access, _) = tokens(&post(&site, "/token", typed, form).await);
        assert_eq!(site.opens(&access).await, 200, "{}", database.name());
    }
}

#[tokio::test]
async fn tok_02_parameters_stand_once_have_a_value_and_stay_out_of_the_address() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let code = site.code(&client).await;
        let good = site.exchanging(&client, &code);
        for name in ["grant_type", "code", "client_id", "redirect_uri", "code_verifier", "unknown"] {
            let value = good.iter().find(|(each, _)| *each == name).map_or("x", |(_, value)| value);
            for second in [value, "other", ""] {
                let mut twice = good.clone();
                twice.extend(vec![(name, second.to_owned()); if name == "unknown" { 2 } else { 1 }]);
                is_refused(&site.token(&twice).await, 400, "invalid_request", &format!("{name} and {second:?}"));
            }
        }
        let mut secrets = good.clone();
        secrets.extend(vec![("client_secret", "x".to_owned()); 2]);
        is_refused(&site.token(&secrets).await, 400, "invalid_request", "two secrets");
        for (name, error, status) in [
            ("grant_type", "invalid_request", 400),
            ("code", "invalid_request", 400),
            ("client_id", "invalid_client", 401),
            ("redirect_uri", "invalid_grant", 400),
            ("code_verifier", "invalid_grant", 400),
        ] {
            let mut empty = but(&good, name, "");
            is_refused(&site.token(&empty).await, status, error, &format!("without {name}"));
            empty.push((name, String::new()));
            is_refused(&site.token(&empty).await, status, error, &format!("{name} empty"));
        }
        for empty in ["grant_type=refresh_token&refresh_token=", "grant_type=refresh_token", ""] {
            let typed = headers(&[("content-type", FORM)]);
            let answer = post(&site, "/token", typed, format!("{empty}&client_id={}", client.id)).await;
            is_refused(&answer, 400, "invalid_request", empty);
        }
        for path in [format!("/token?{}", written(&good)), "/token?x=1".to_owned(), "/token?".to_owned()] {
            for form in [written(&good), written(&but(&good, "code", "")), String::new()] {
                let answer = post(&site, &path, headers(&[("content-type", FORM)]), form).await;
                is_refused(&answer, 400, "invalid_request", &path);
            }
        }
        // An empty one is as good as none, and the code is still there.
        let mut more = good.clone();
        more.extend([("scope", String::new()), ("client_secret", String::new())]);
        tokens(&site.token(&more).await);
    }
}

#[tokio::test]
async fn tok_03_there_are_two_kinds_of_grants() {
    for database in both().await {
        let site = Site::on(&database).await;
        for method in ["none", "client_secret_post"] {
            let client = site.register("Curious", method, CALLBACK).await;
            for kind in [
                "password",
                "client_credentials",
                "implicit",
                "urn:ietf:params:oauth:grant-type:device_code",
                "urn:ietf:params:oauth:grant-type:token-exchange",
                "urn:ietf:params:oauth:grant-type:jwt-bearer",
                "urn:ietf:params:oauth:grant-type:saml2-bearer",
                "urn:openid:params:grant-type:ciba",
                "Authorization_Code",
                "authorization_code ",
                "refresh_token\0",
                "' OR 1=1",
            ] {
                let mut fields = but(&site.exchanging(&client, "grz_x"), "grant_type", kind);
                for (name, value) in [("username", "ada"), ("password", "x"), ("assertion", "x"), ("device_code", "x")]
                {
                    fields.push((name, value.to_owned()));
                }
                is_refused(&site.token(&fields).await, 400, "unsupported_grant_type", kind);
            }
        }
    }
}

#[tokio::test]
async fn tok_04_a_client_shows_who_it_is_in_one_way() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.register("Confidential", "client_secret_basic", CALLBACK).await;
        let secret = client.secret.clone().unwrap();
        let fields = site.exchanging(&client, &site.code(&client).await);
        let header = basic(&client.id, &secret);
        let answer = by_header(&site, header.as_bytes(), &fields).await;
        is_refused(&answer, 400, "invalid_request", "both, and both right");
        let answer = by_header(&site, header.as_bytes(), &but(&fields, "client_secret", "wrong")).await;
        is_refused(&answer, 400, "invalid_request", "both, one of them wrong");
        let other = but(&nameless(&fields), "client_id", &site.client().await.id);
        is_refused(&by_header(&site, header.as_bytes(), &other).await, 400, "invalid_request", "two clients");
        // The id alone may stand there too.
        let named = but(&fields, "client_secret", "");
        let (access, _) = tokens(&by_header(&site, header.as_bytes(), &named).await);
        assert_eq!(site.opens(&access).await, 200, "{}", database.name());
    }
}

#[tokio::test]
async fn tok_05_a_client_that_does_not_show_what_it_has_to_is_not_known() {
    for database in both().await {
        let site = Site::on(&database).await;
        let public = site.client().await;
        for method in ["client_secret_basic", "client_secret_post"] {
            let client = site.register("Confidential", method, CALLBACK).await;
            let secret = client.secret.clone().unwrap();
            let fields = site.exchanging(&client, &site.code(&client).await);
            let public_fields = site.exchanging(&public, &site.code(&public).await);
            let before = failures(&site, "unknown_client").await;
            for (form, why) in [
                (but(&public_fields, "client_secret", &secret), "a public client with a secret"),
                (but(&fields, "client_secret", ""), "no secret"),
                (but(&fields, "client_secret", "wrong"), "a wrong secret"),
                (but(&fields, "client_secret", &secret[..secret.len() - 1]), "a secret that was cut"),
                (but(&fields, "client_secret", &secret.to_uppercase()), "in capitals"),
                (but(&fields, "client_id", "grc_unknown"), "an unknown client"),
                (but(&fields, "client_id", &public.id), "the secret of another client"),
            ] {
                let answer = site.token(&form).await;
                is_refused(&answer, 401, "invalid_client", why);
                assert_eq!(answer.header("www-authenticate"), "", "{why}");
            }
            for (header, why) in [
                (basic(&client.id, "wrong"), "a wrong secret"),
                (basic(&client.id, ""), "an empty secret"),
                (basic("grc_unknown", &secret), "an unknown client"),
                (basic(&public.id, &secret), "a public client with a secret"),
                (basic(&public.id, ""), "a public client with an empty secret"),
            ] {
                let answer = by_header(&site, header.as_bytes(), &nameless(&fields)).await;
                is_refused(&answer, 401, "invalid_client", why);
                assert_eq!(answer.header("www-authenticate"), "Basic realm=\"google-reviews\"", "{why}");
            }
            assert_eq!(failures(&site, "unknown_client").await - before, 12.0, "each is counted");
            // All that was for nothing: the codes are still good.
            tokens(&site.token(&fields).await);
            tokens(&site.token(&public_fields).await);
        }
    }
}

/// `a` as `%61`, and so on.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02X}"))
}

#[tokio::test]
async fn tok_06_names_in_the_header_are_decoded_once_and_may_be_anything() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.register("Confidential", "client_secret_basic", CALLBACK).await;
        let (id, secret) = (client.id.as_str(), client.secret.clone().unwrap());
        for header in [
            basic(id, &secret),
            basic(&encoded(id), &encoded(&secret)),
            basic(id, &secret).replacen("Basic", "bASIC", 1),
            basic(id, &secret).replacen("Basic ", "Basic   ", 1),
        ] {
            let fields = nameless(&site.exchanging(&client, &site.code(&client).await));
            tokens(&by_header(&site, header.as_bytes(), &fields).await);
        }
        let fields = nameless(&site.exchanging(&client, "grz_x"));
        let encode = |bytes: &[u8]| format!("Basic {}", STANDARD.encode(bytes)).into_bytes();
        for header in [
            encode(encoded(&encoded(&format!("{id}:{secret}"))).as_bytes()),
            encode(format!("{id}%3A{secret}").as_bytes()),
            encode(format!(":{id}:{secret}").as_bytes()),
            encode(format!("{id}:x:{secret}").as_bytes()),
            encode(format!("%zz%{id}:{secret}").as_bytes()),
            encode(format!("{id}%00:{secret}").as_bytes()),
            encode(format!("{id}\0:{secret}").as_bytes()),
            encode(format!("{}:x", "a".repeat(5_000)).as_bytes()),
            encode("ümläut:ß".as_bytes()),
            encode(&[0xff, 0xfe, b':', 0xff]),
            encode(b"%FF%FE:%FF"),
            encode(b"no colon"),
            encode(b":"),
            b"Basic".to_vec(),
            b"Basic ".to_vec(),
            b"Basic \xff\xfe".to_vec(),
            b"Basic !!!".to_vec(),
            b"Bearer abc".to_vec(),
        ] {
            let answer = by_header(&site, &header, &fields).await;
            is_refused(&answer, 401, "invalid_client", &String::from_utf8_lossy(&header));
        }
        elsewhere_too(&site).await;
        let twice =
            headers(&[("content-type", FORM), ("authorization", "Basic eDp5"), ("authorization", "Basic eDp5")]);
        is_refused(&post(&site, "/token", twice, "grant_type=x").await, 401, "invalid_client", database.name());
    }
}

/// In the body too, and where a browser brings it.
async fn elsewhere_too(site: &Site) {
    for id in ["%00", "grc_%00", "%FF%FE", "%C3%BC", "x%0D%0Ay", "'%20OR%201=1", &"a".repeat(600)] {
        for form in ["grant_type=authorization_code&code=x&client_id=", "token=x&client_id="] {
            let path = if form.starts_with("token") { "/revoke" } else { "/token" };
            let answer = post(site, path, headers(&[("content-type", FORM)]), format!("{form}{id}")).await;
            is_refused(&answer, 401, "invalid_client", id);
        }
        let answer = site.browser().get(&format!("/authorize?response_type=code&client_id={id}")).await;
        assert_eq!((answer.status, answer.location()), (400, ""), "{id}: {answer:?}");
    }
}

#[tokio::test]
async fn tok_07_no_answer_with_a_token_or_an_error_is_kept_on_its_way() {
    for database in both().await {
        let site = Site::with(&database, &[("limits.enabled", "true"), ("limits.client_burst", "8")]).await;
        let client = site.client().await;
        let fields = site.exchanging(&client, &site.code(&client).await);
        let kept = |answer: &Answer, status: u16| {
            assert_eq!((answer.status, answer.header("cache-control")), (status, "no-store"), "{answer:?}");
        };
        let given = site.token(&fields).await;
        kept(&given, 200);
        assert_eq!(given.header("content-type"), "application/json");
        let (_, refresh) = tokens(&given);
        kept(&site.refresh(&client, &refresh).await, 200);
        kept(&site.token(&but(&fields, "grant_type", "x")).await, 400);
        kept(&site.token(&fields).await, 400);
        kept(&site.token(&but(&fields, "client_id", "x")).await, 401);
        kept(&site.post("/token?x=1", &[]).await, 400);
        let other_method = site.get("/token").await;
        kept(&other_method, 405);
        assert_eq!(other_method.header("allow"), "POST");
        kept(&site.post("/token", &[("x", "y".repeat(40_000).as_str())]).await, 413);
        kept(&site.post("/revoke", &[("client_id", client.id.as_str()), ("token", "x")]).await, 200);
        kept(&site.post("/revoke", &[("client_id", "x"), ("token", "x")]).await, 401);
        let flood = async {
            loop {
                let answer = site.token(&fields).await;
                if answer.status == 429 {
                    return answer;
                }
            }
        };
        kept(&flood.await, 429);
        database.run("ALTER TABLE clients RENAME TO clients_away").await;
        kept(&site.token(&but(&fields, "client_id", "somebody_else")).await, 503);
    }
}

#[tokio::test]
async fn tok_08_a_client_gives_back_what_is_its_own_and_nothing_else() {
    for database in both().await {
        let site = Site::on(&database).await;
        let (mine, other) = (site.client().await, site.register("Other", "client_secret_post", LOOPBACK).await);
        let (access, refresh) = site.tokens(&mine).await;
        let unknown = format!("grr_{}", "A".repeat(70));
        let named = |sid: &str| {
            let part = |value: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
            format!("{}.{}.c2ln", part(json!({"alg": "ES256"})), part(json!({"sid": sid})))
        };
        for token in ["x", "", &unknown, "a.b.c", "grr_", &named("x"), &named("\0"), &named("' OR 1=1"), "\0"] {
            let answer = revoked(&site, &mine, token, &[]).await;
            if token.is_empty() {
                is_refused(&answer, 400, "invalid_request", "no token");
            } else {
                assert_eq!((answer.status, answer.text.as_str()), (200, ""), "{token:?}: {answer:?}");
            }
        }
        // The tokens of others, with and without a hint.
        for token in [&access, &refresh] {
            for hint in ["access_token", "refresh_token", "unknown"] {
                let answer = revoked(&site, &other, token, &[("token_type_hint", hint)]).await;
                assert_eq!((answer.status, answer.text.as_str()), (200, ""), "{answer:?}");
            }
            let unproven = Client { secret: None, ..other.clone() };
            is_refused(&revoked(&site, &unproven, token, &[]).await, 401, "invalid_client", "without its secret");
            let nobody = Client { id: "grc_x".to_owned(), ..mine.clone() };
            is_refused(&revoked(&site, &nobody, token, &[]).await, 401, "invalid_client", "an unknown client");
        }
        assert_eq!(site.opens(&access).await, 200, "{}", database.name());
        let (second, newest) = tokens(&site.refresh(&mine, &refresh).await);
        // The newest refresh token with a wrong hint ends all of the connection; that it is gone already is no error.
        for _ in 0..2 {
            let answer = revoked(&site, &mine, &newest, &[("token_type_hint", "access_token")]).await;
            assert_eq!((answer.status, answer.text.as_str()), (200, ""), "{answer:?}");
        }
        assert_eq!((site.opens(&access).await, site.opens(&second).await), (401, 401), "{}", database.name());
        for token in [&refresh, &newest] {
            is_refused(&site.refresh(&mine, token).await, 400, "invalid_grant", "a revoked family");
        }
        // So does an access token.
        let (access, refresh) = site.tokens(&other).await;
        assert_eq!(revoked(&site, &other, &access, &[("token_type_hint", "refresh_token")]).await.status, 200);
        assert_eq!(site.opens(&access).await, 401);
        is_refused(&site.refresh(&other, &refresh).await, 400, "invalid_grant", "a revoked family");
    }
}

async fn revoked(site: &Site, client: &Client, token: &str, more: &[(&'static str, &str)]) -> Answer {
    let mut fields = vec![("client_id", client.id.as_str()), ("token", token)];
    fields.extend(client.secret.iter().map(|secret| ("client_secret", secret.as_str())));
    fields.extend(more);
    site.post("/revoke", &fields).await
}

#[tokio::test]
async fn tok_09_tokens_are_not_looked_into_for_others() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.register("Confidential", "client_secret_post", CALLBACK).await;
        let (access, _) = site.tokens(&client).await;
        let secret = client.secret.clone().unwrap();
        let fields = [("token", access.as_str()), ("client_id", &client.id), ("client_secret", &secret)];
        for path in ["/introspect", "/token/introspect", "/oauth/introspect", "/token_info", "/tokeninfo", "/userinfo"]
        {
            for answer in [site.post(path, &fields).await, site.get(path).await] {
                assert!(answer.status == 404, "{path}: {answer:?}");
                assert!(!answer.text.contains("active") && !answer.text.contains("sub"), "{path}: {answer:?}");
            }
        }
        for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
            let metadata = site.get(path).await.json();
            let named: Vec<&String> = metadata.as_object().unwrap().keys().collect();
            assert!(!named.iter().any(|name| name.contains("introspection") || name.contains("userinfo")), "{named:?}");
        }
    }
}

/// Without the table of clients, whoever is let through to the database gets a 503.
#[tokio::test]
async fn tok_10_a_flood_of_invalid_clients_ends_before_the_database() {
    for database in both().await {
        let limits = [
            ("limits.enabled", "true"),
            ("limits.client_requests_a_minute", "60"),
            ("limits.client_burst", "5"),
            ("limits.address_requests_a_minute", "60"),
            ("limits.address_burst", "50"),
        ];
        let site = Site::with(&database, &limits).await;
        let flood = |id: String| {
            let site = &site;
            async move {
                let fields = [("grant_type", "authorization_code"), ("code", "x"), ("client_id", &id)];
                (site.post("/token", &fields).await, site.post("/revoke", &[("token", "x"), ("client_id", &id)]).await)
            }
        };
        let mut refused = 0;
        for _ in 0..10 {
            let (token, revoke) = flood("grc_invalid".to_owned()).await;
            for answer in [token, revoke] {
                is_refusal(&answer);
                refused += i32::from(answer.status == 429);
                assert_eq!(answer.header("retry-after"), if answer.status == 429 { "1" } else { "" });
            }
        }
        assert_eq!(refused, 15, "five, and then one a second");
        database.run("ALTER TABLE clients RENAME TO clients_away").await;
        let (token, revoke) = flood("grc_invalid".to_owned()).await;
        assert_eq!((token.status, revoke.status), (429, 429), "{}: the database is not asked", database.name());
        // Many invalid clients from one address end as well.
        let mut beyond = Vec::new();
        for number in 0..30 {
            let (token, revoke) = flood(format!("grc_{number}")).await;
            beyond.extend([token.status, revoke.status]);
        }
        // Of the 50 of this address, 22 were asked above.
        assert_eq!(beyond[..28], [503; 28], "{}", database.name());
        assert_eq!(beyond[28..], [429; 32], "{}", database.name());
        site.clock.advance(Duration::from_secs(1));
        assert_eq!(flood("grc_invalid".to_owned()).await.0.status, 503, "whoever waits is let through");
        database.run("ALTER TABLE clients_away RENAME TO clients").await;
        assert_eq!(site.server.metric("rate_limited_total{limit=\"client\"}").await, 17.0);
    }
}

#[tokio::test]
async fn tok_11_large_bodies_are_not_read_and_slow_ones_not_waited_for() {
    for database in both().await {
        let site = Site::with(&database, &[("server.body_timeout", "300ms")]).await;
        let (client, address) = (site.client().await, site.server.app.address());
        let large = "x".repeat(1_000_000);
        for (path, content_type) in [("/token", FORM), ("/revoke", FORM), ("/register", "application/json")] {
            let answer = post(&site, path, headers(&[("content-type", content_type)]), large.clone()).await;
            is_refusal(&answer);
            assert_eq!((answer.status, &answer.json()["code"]), (413, &json!("payload_too_large")), "{path}");
            let head = format!("POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: {content_type}\r\n");
            // Without a length, as much is read as may come.
            let chunks = format!("{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
            let (answer, _) = raw::once(address, &chunks).await;
            assert_eq!(answer.unwrap().status, 413, "{path}");
            for rest in ["content-length: 100\r\n\r\ng", "transfer-encoding: chunked\r\n\r\n1\r\ng\r\n"] {
                let mut connection = Connection::open(address).await;
                connection.send(&format!("{head}{rest}")).await;
                let answer = connection.answer().await.unwrap();
                assert_eq!((answer.status, answer.code().as_str()), (408, "body_too_slow"), "{path}: {answer:?}");
                assert_eq!(answer.header("cache-control"), Some("no-store"));
                assert!(connection.is_ended().await, "{path}");
            }
        }
        tokens(&site.exchange(&client, &site.code(&client).await).await);
    }
}

/// A preflight, as a browser sends it for a page of another site.
pub(super) async fn preflight(site: &Site, path: &str, method: &str) -> Answer {
    let asked = [
        ("origin", "https://inspector.example"),
        ("access-control-request-method", method),
        ("access-control-request-headers", "authorization,content-type,mcp-protocol-version"),
    ];
    Answer::of(site.request(Method::OPTIONS, path).headers(headers(&asked)).send().await.unwrap()).await
}

#[track_caller]
fn is_for_all_without_credentials(answer: &Answer) {
    assert_eq!(answer.header("access-control-allow-origin"), "*", "{answer:?}");
    assert_eq!(answer.header("access-control-allow-credentials"), "", "{answer:?}");
    assert_eq!(answer.header("set-cookie"), "", "{answer:?}");
}

#[tokio::test]
async fn tok_12_web_pages_may_ask_as_anybody_and_never_as_the_person_before_them() {
    for database in both().await {
        let limits = [("limits.enabled", "true"), ("limits.address_burst", "500"), ("limits.sign_in_burst", "100")];
        let site = Site::with(&database, &limits).await;
        let (server, oidc) = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration");
        for (path, method) in [
            ("/token", "POST"),
            ("/revoke", "POST"),
            ("/register", "POST"),
            (server, "GET"),
            (oidc, "GET"),
            ("/jwks.json", "GET"),
            ("/.well-known/oauth-protected-resource", "GET"),
            ("/.well-known/oauth-protected-resource/mcp", "GET"),
        ] {
            let answer = preflight(&site, path, method).await;
            assert_eq!(answer.status, 200, "{path}");
            is_for_all_without_credentials(&answer);
            assert!(answer.header("access-control-allow-methods").split(',').any(|each| each == method), "{path}");
            let allowed = answer.header("access-control-allow-headers").to_lowercase();
            for name in ["authorization", "content-type", "mcp-protocol-version"] {
                assert!(allowed.split(',').any(|each| each == name), "{path}: {allowed}");
            }
            // The answer itself, also with the cookies of somebody who is signed in, and also a refusal.
            let mut browser = site.signed_in().await;
            let request = site.request(method.parse().unwrap(), path).header("origin", "https://inspector.example");
            let answer = browser.send(request.header("sec-fetch-site", "cross-site")).await;
            assert!(answer.status < 500, "{answer:?}");
            is_for_all_without_credentials(&answer);
        }
        let client = site.client().await;
        let form = written(&site.exchanging(&client, &site.code(&client).await));
        let from = [("origin", "https://inspector.example"), ("content-type", FORM)];
        let answer = post(&site, "/token", headers(&from), form).await;
        tokens(&answer);
        is_for_all_without_credentials(&answer);
        pages_for_people_are_no_business_of_other_pages(&site).await;
        whoever_asks_too_much_reads_that_too(&site).await;
    }
}

async fn whoever_asks_too_much_reads_that_too(site: &Site) {
    let flood = async {
        loop {
            let request = site.request(Method::GET, "/jwks.json").header("origin", "https://inspector.example");
            let answer = Answer::of(request.send().await.unwrap()).await;
            if answer.status == 429 {
                return answer;
            }
        }
    };
    let refused = flood.await;
    is_for_all_without_credentials(&refused);
    assert_eq!(refused.header("access-control-expose-headers"), "www-authenticate,retry-after");
}

async fn pages_for_people_are_no_business_of_other_pages(site: &Site) {
    for (path, method) in
        [("/authorize", "GET"), ("/login", "POST"), ("/consent", "POST"), ("/connections", "POST"), ("/logout", "POST")]
    {
        let answer = preflight(site, path, method).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}: {answer:?}");
        let mut browser = site.signed_in().await;
        let answer = browser.send(site.request(Method::GET, path).header("origin", "https://x.example")).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
}
