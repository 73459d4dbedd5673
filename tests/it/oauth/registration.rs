//! Registration: anybody may, so nothing is believed, little is kept, and nothing comes of it until a person agrees.

use super::{
    metadata::Trap,
    replays,
    token_endpoint::{headers, is_refusal, is_refused, post, preflight},
};
use crate::support::{
    database::{Database, both},
    sign_in::{Answer, CALLBACK, Client, LOOPBACK, Site, both as tokens},
    until,
};
use aws_lc_rs::digest::{SHA256, digest};
use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Executor as _};
use std::{str::FromStr as _, time::Duration};

const DAY: Duration = Duration::from_hours(24);
const ALMOST_A_DAY: Duration = Duration::from_secs(24 * 60 * 60 - 1);

/// What a plain client says of itself, with some of it in another form; `null` leaves it out.
fn described(changes: Value) -> Value {
    let mut body = json!({"client_name": "Test client", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"]});
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    body
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

#[track_caller]
fn registered(answer: &Answer) -> Value {
    assert_eq!((answer.status, answer.header("content-type")), (201, "application/json"), "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
    answer.json()
}

fn text<'a>(told: &'a Value, name: &str) -> &'a str {
    told[name].as_str().unwrap_or_else(|| panic!("no {name}: {told}"))
}

#[tokio::test]
async fn dcr_01_a_flood_from_one_address_leaves_few_clients() {
    for database in both().await {
        let site = Site::with(&database, &[("limits.enabled", "true")]).await;
        let flood = stream::iter(0..10_000).map(|number| {
            let site = &site;
            async move { site.registration(&described(json!({"client_name": format!("Client {number}")}))).await }
        });
        let answers: Vec<Answer> = flood.buffer_unordered(16).collect().await;
        let (let_through, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!((let_through.len(), refused.len()), (30, 9_970), "{}", database.name());
        for answer in &refused {
            is_refusal(answer);
            assert_eq!((answer.status, &answer.json()["code"]), (429, &json!("rate_limited")), "{answer:?}");
            assert!((1..=30).contains(&answer.header("retry-after").parse::<u64>().unwrap()), "{answer:?}");
        }
        assert_eq!(database.count("clients").await, 30);
        // Whoever waits so long is served, once.
        site.clock.advance(Duration::from_secs(30));
        registered(&site.registration(&described(json!({"client_name": "Patient"}))).await);
        let next = site.registration(&described(json!({"client_name": "Impatient"}))).await;
        assert_eq!((next.status, next.header("retry-after")), (429, "30"));
    }
}

#[tokio::test]
async fn dcr_02_when_there_is_room_for_no_more_those_that_are_there_go_on() {
    for database in both().await {
        let site = Site::with(&database, &[("limits.clients", "3")]).await;
        let (public, secret) = (site.client().await, site.register("Secret", "client_secret_basic", CALLBACK).await);
        let (_, refresh) = site.tokens(&public).await;
        site.register("Third", "none", CALLBACK).await;
        for method in ["none", "client_secret_post"] {
            let more = described(json!({"client_name": "One more", "token_endpoint_auth_method": method}));
            let answer = site.registration(&more).await;
            assert_eq!((answer.status, answer.header("retry-after")), (503, "600"), "{answer:?}");
            assert_eq!(answer.json()["code"], json!("too_many_clients"));
        }
        assert_eq!(database.count("clients").await, 3, "{}", database.name());
        // The same client as before needs no room.
        assert_eq!(site.client().await.id, public.id);
        tokens(&site.refresh(&public, &refresh).await);
        for client in [&public, &secret] {
            let (access, _) = site.tokens(client).await;
            assert_eq!(site.opens(&access).await, 200);
        }
        // Nobody agrees to the third one: when a person has had time enough to do so, it makes room for others.
        site.clock.advance(Duration::from_secs(15 * 60 - 1));
        assert_eq!(site.registration(&described(json!({"client_name": "One more"}))).await.status, 503);
        site.clock.advance(Duration::from_secs(1));
        registered(&site.registration(&described(json!({"client_name": "One more"}))).await);
        let answer = site.registration(&described(json!({"client_name": "And one more"}))).await;
        assert_eq!((answer.status, database.count("clients").await), (503, 3), "{}", database.name());
        for client in [&public, &secret] {
            site.tokens(client).await;
        }
    }
}

#[tokio::test]
async fn dcr_03_the_same_client_without_a_secret_is_one_client() {
    for database in both().await {
        let site = Site::on(&database).await;
        let first = registered(&site.registration(&described(json!({}))).await);
        let same = stream::iter(0..20).map(|_| async { site.registration(&described(json!({}))).await });
        let same: Vec<Answer> = same.buffer_unordered(20).collect().await;
        for answer in &same {
            assert_eq!(text(&registered(answer), "client_id"), text(&first, "client_id"));
        }
        assert_eq!(database.count("clients").await, 1, "{}", database.name());
        // Any other that asks at once with others like it is one as well.
        let twins = stream::iter(0..20).map(|_| async { site.register("Twin", "none", CALLBACK).await.id });
        let twins: Vec<String> = twins.buffer_unordered(20).collect().await;
        assert!(twins.iter().all(|id| *id == twins[0] && id != text(&first, "client_id")), "{twins:?}");
        // What differs in anything is another.
        let mut ids = vec![text(&first, "client_id").to_owned()];
        for other in [
            json!({"client_name": "Test Client"}),
            json!({"redirect_uris": [CALLBACK, LOOPBACK]}),
            json!({"redirect_uris": [LOOPBACK, CALLBACK]}),
            json!({"grant_types": ["authorization_code"]}),
        ] {
            ids.push(text(&registered(&site.registration(&described(other)).await), "client_id").to_owned());
        }
        // Who has a secret never shares it.
        for method in ["client_secret_basic", "client_secret_post"] {
            let mut secrets = Vec::new();
            for _ in 0..2 {
                let told = site.registration(&described(json!({"token_endpoint_auth_method": method}))).await.json();
                ids.push(text(&told, "client_id").to_owned());
                secrets.push(text(&told, "client_secret").to_owned());
            }
            assert_ne!(secrets[0], secrets[1]);
        }
        let number = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), number, "{ids:?}");
        // A moment after it came again it is not removed, however old it is.
        site.clock.advance(ALMOST_A_DAY);
        let again = registered(&site.registration(&described(json!({}))).await);
        assert_eq!(again["client_id"], first["client_id"]);
        until("the others are removed", async || {
            site.clock.advance(Duration::from_secs(6));
            database.count("clients").await <= 1
        })
        .await;
        let client = Client { id: text(&first, "client_id").to_owned(), secret: None, redirect: CALLBACK.to_owned() };
        site.tokens(&client).await;
    }
}

#[tokio::test]
async fn dcr_04_an_app_a_site_and_the_own_machine_in_one_registration() {
    for database in both().await {
        let site = Site::on(&database).await;
        let told = registered(&site.registration(&replays::cursor()).await);
        assert_eq!(told["redirect_uris"], replays::cursor()["redirect_uris"], "{}", database.name());
        for kind in ["web", "native"] {
            for redirect in ["http://localhost:3334/cb", "http://127.0.0.1/cb", "http://[::1]:1/cb", CALLBACK] {
                let body = described(json!({"application_type": kind, "redirect_uris": [redirect]}));
                let told = registered(&site.registration(&body).await);
                assert_eq!(told["redirect_uris"], json!([redirect]));
            }
        }
    }
}

#[tokio::test]
async fn dcr_05_the_clients_that_people_use_are_registered() {
    for database in both().await {
        let site = Site::on(&database).await;
        let clients = [
            (replays::claude_ai(), "client_secret_post"),
            (replays::claude_code(), "none"),
            (replays::claude_code_with_a_secret(), "client_secret_basic"),
            (replays::cursor(), "none"),
            (replays::vs_code(), "none"),
            (replays::chatgpt(), "none"),
            (replays::inspector(), "none"),
        ];
        for (body, method) in clients {
            let told = registered(&site.registration(&body).await);
            for name in ["client_name", "redirect_uris", "response_types"] {
                assert_eq!(told[name], body[name], "{body}");
            }
            assert_eq!(told["token_endpoint_auth_method"], json!(method), "{body}");
            assert_eq!(told["grant_types"], json!(["authorization_code", "refresh_token"]));
            assert_eq!(told["client_id_issued_at"], json!(site.clock.now().as_second()));
            assert_eq!(told.get("client_secret").is_some(), method != "none", "{told}");
            assert_eq!(told.get("client_secret_expires_at"), (method != "none").then_some(&json!(0)), "{told}");
            let scope = body["scope"].as_str().unwrap_or("reviews:read reports:write offline_access");
            assert_eq!(told["scope"], json!(scope));
            assert!(text(&told, "client_id").starts_with("grc_"));
        }
        assert_eq!(database.count("clients").await, 7, "{}", database.name());
    }
}

#[tokio::test]
async fn dcr_06_addresses_that_lead_elsewhere_are_refused_and_so_is_the_whole_client() {
    for database in both().await {
        let site = Site::on(&database).await;
        let long = format!("https://client.example/{}", "a".repeat(4_096));
        let bad = [
            "javascript:alert(1)",
            "data:text/html,x",
            "https://*.client.example/cb",
            "https://client.example/*",
            "*",
            "https://client.example/cb#fragment",
            "https://client.example/cb#",
            "http://client.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "https://good@evil.example/cb",
            "file:///etc/passwd",
            "/cb",
            "",
            "https://client.example/\0",
            &long,
        ];
        for uri in bad {
            for uris in [json!([uri]), json!([CALLBACK, uri]), json!([uri, CALLBACK])] {
                let answer = site.registration(&described(json!({"redirect_uris": uris}))).await;
                is_refused(&answer, 400, "invalid_redirect_uri", uri);
                assert!(uri.len() < 3 || !answer.text.contains(uri), "nothing is repeated: {answer:?}");
            }
        }
        let many: Vec<String> = (0..1_000).map(|number| format!("https://client.example/{number}")).collect();
        for uris in [json!([]), Value::Null, json!(many), json!(many[..21])] {
            let answer = site.registration(&described(json!({"redirect_uris": uris}))).await;
            is_refused(&answer, 400, "invalid_redirect_uri", "none, or too many");
        }
        what_is_no_description_is_refused(&site).await;
        assert_eq!(database.count("clients").await, 0, "{}", database.name());
    }
}

/// Bodies that are no objects with the fields of a client, or in which a field is not what it may be.
async fn what_is_no_description_is_refused(site: &Site) {
    for (name, value) in [
        ("redirect_uris", json!(CALLBACK)),
        ("redirect_uris", json!([1])),
        ("redirect_uris", json!([[CALLBACK]])),
        ("client_name", json!(["x"])),
        ("scope", json!(["reviews:read"])),
        ("grant_types", json!("authorization_code")),
        ("response_types", json!(["token"])),
        ("response_types", json!([])),
        ("token_endpoint_auth_method", json!("private_key_jwt")),
        ("token_endpoint_auth_method", json!("client_secret_jwt")),
        ("token_endpoint_auth_method", json!("tls_client_auth")),
        ("token_endpoint_auth_method", json!("None")),
        ("token_endpoint_auth_method", json!("")),
    ] {
        let answer = site.registration(&described(json!({name: value}))).await;
        is_refused(&answer, 400, "invalid_client_metadata", &format!("{name}: {value}"));
    }
    let twice = format!("{{\"redirect_uris\":[\"{CALLBACK}\"],\"redirect_uris\":[\"https://evil.example\"]}}");
    let listed = json!([[CALLBACK], "A list", "none", null, null, null]).to_string();
    let deep = format!("{{\"logo_uri\":{}", "[".repeat(30_000));
    for body in ["", "null", "[]", "{", "x", "\u{feff}{}", "\"x\"", "1", &twice, &listed, &deep] {
        let json = headers(&[("content-type", "application/json")]);
        let answer = post(site, "/register", json, body.to_owned()).await;
        is_refused(&answer, 400, "invalid_client_metadata", &body[..body.len().min(50)]);
    }
}

#[tokio::test]
async fn dcr_07_a_name_is_shown_as_text_that_can_be_seen() {
    for database in both().await {
        let site = Site::on(&database).await;
        let cases = [
            ("<script>alert(1)</script>", "<script>alert(1)</script>"),
            ("\"><img src=x onerror=alert(1)>", "\"><img src=x onerror=alert(1)>"),
            ("Qui\u{202e}et\u{2066}\u{200b}\u{feff} Re\u{0}aders\n\r\tApp", "Quiet Readers App"),
            ("  ", "A client without a name"),
            ("{{ 7 * 7 }} ' OR 1=1 --", "{{ 7 * 7 }} ' OR 1=1 --"),
        ];
        let mut browser = site.signed_in().await;
        let mut shown = async |sent: &str| {
            let told = registered(&site.registration(&described(json!({"client_name": sent}))).await);
            let id = text(&told, "client_id").to_owned();
            let client = Client { id, secret: None, redirect: CALLBACK.to_owned() };
            (text(&told, "client_name").to_owned(), browser.consent_page(&site.asking(&client)).await.text)
        };
        for (sent, kept) in cases {
            let (name, page) = shown(sent).await;
            assert_eq!(name, kept);
            assert!(!page.contains("<script>alert") && !page.contains("<img"), "{page}");
            assert!(!page.contains(['\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}', '\0']), "{page}");
            let seen = page.replace("&#60;", "<").replace("&#62;", ">").replace("&#34;", "\"").replace("&#39;", "'");
            assert!(seen.contains(kept), "{kept}: {page}");
        }
        let (name, page) = shown(&"Long ".repeat(2_000)).await;
        assert_eq!(name.chars().count(), 100, "{name}");
        assert!(!page.contains(&"Long ".repeat(30)), "{}", database.name());
        let nameless = registered(&site.registration(&described(json!({"client_name": null}))).await);
        assert_eq!(nameless["client_name"], json!("A client without a name"));
        // More than the body of any client.
        let huge = site.registration(&described(json!({"client_name": "x".repeat(70_000)}))).await;
        is_refusal(&huge);
        assert_eq!(huge.status, 413);
    }
}

#[tokio::test]
async fn dcr_08_kinds_of_grants_are_those_that_there_are_and_the_answer_says_which() {
    for database in both().await {
        let site = Site::on(&database).await;
        for kinds in [
            json!(["client_credentials", "password"]),
            json!(["password"]),
            json!(["refresh_token"]),
            json!(["implicit", "refresh_token"]),
            json!([]),
        ] {
            let answer = site.registration(&described(json!({"grant_types": kinds}))).await;
            is_refused(&answer, 400, "invalid_client_metadata", &kinds.to_string());
        }
        assert_eq!(database.count("clients").await, 0, "{}", database.name());
        let jwt = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        let (one, two) = (json!(["authorization_code"]), json!(["authorization_code", "refresh_token"]));
        for (asked, given) in [
            (json!(["authorization_code", "client_credentials", "password"]), &one),
            (json!(["refresh_token", jwt, "authorization_code", "implicit"]), &two),
            (json!(["authorization_code", "authorization_code"]), &one),
            (Value::Null, &two),
        ] {
            let told = registered(&site.registration(&described(json!({"grant_types": asked}))).await);
            assert_eq!(told["grant_types"], *given, "{asked}");
            assert_eq!(told["response_types"], json!(["code"]));
            // And that is how it is.
            let client =
                Client { id: text(&told, "client_id").to_owned(), secret: None, redirect: CALLBACK.to_owned() };
            let code = site.code(&client).await;
            let answer = site.exchange(&client, &code).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(answer.json().get("refresh_token").is_some(), *given == two, "{asked}: {answer:?}");
        }
        let told =
            registered(&site.registration(&described(json!({"response_types": ["code", "token", "id_token"]}))).await);
        assert_eq!(told["response_types"], json!(["code"]));
        let told = registered(&site.registration(&described(json!({"scope": "openid reviews:read admin"}))).await);
        assert_eq!(told["scope"], json!("reviews:read"));
    }
}

#[tokio::test]
async fn dcr_09_a_secret_is_told_once_and_only_its_hash_is_kept() {
    for database in both().await {
        let site = Site::on(&database).await;
        for (method, named) in
            [("client_secret_basic", true), ("client_secret_post", true), ("client_secret_basic", false)]
        {
            let asked = if named { json!(method) } else { Value::Null };
            let told = registered(&site.registration(&described(json!({"token_endpoint_auth_method": asked}))).await);
            assert_eq!(
                (text(&told, "token_endpoint_auth_method"), &told["client_secret_expires_at"]),
                (method, &json!(0))
            );
            let secret = text(&told, "client_secret");
            assert!(secret.starts_with("grs_") && secret.len() == 4 + 43, "256 bits: {}", secret.len());
            let hash = hex(digest(&SHA256, secret.as_bytes()).as_ref());
            let rows = "SELECT id || ' ' || name || ' ' || redirect_uris || ' ' || authentication || ' ' || secret_hash
                || ' ' || COALESCE(digest, '') FROM clients ORDER BY created_at_ms DESC";
            let rows = database.texts(rows).await;
            assert!(rows.iter().any(|row| row.contains(&hash)), "{}: {rows:?}", database.name());
            assert!(!rows.iter().any(|row| row.contains(&secret[4..])), "{}", database.name());
            // It opens what it should, and the hash does not.
            let id = text(&told, "client_id").to_owned();
            let client = Client { id, secret: Some(secret.to_owned()), redirect: CALLBACK.to_owned() };
            let code = site.code(&client).await;
            let thief = Client { secret: Some(hash), ..client.clone() };
            is_refused(&site.exchange(&thief, &code).await, 401, "invalid_client", "the hash");
            let exchanged = site.exchange(&client, &code).await;
            assert!(!exchanged.text.contains(secret));
            tokens(&exchanged);
        }
        let public = registered(&site.registration(&described(json!({}))).await);
        assert!(public.get("client_secret").is_none() && public.get("client_secret_expires_at").is_none(), "{public}");
    }
}

#[tokio::test]
async fn dcr_10_addresses_in_a_registration_are_never_fetched() {
    for database in both().await {
        let (site, trap) = (Site::on(&database).await, Trap::set().await);
        let inside = |path: &str| format!("http://127.0.0.1:{}/{path}", trap.port);
        let told = registered(
            &site
                .registration(&described(json!({
                    "jwks_uri": inside("jwks"), "sector_identifier_uri": inside("sector"), "logo_uri": inside("logo"),
                    "client_uri": inside("client"), "tos_uri": inside("tos"), "policy_uri": inside("policy"),
                    "request_uris": [inside("request")], "initiate_login_uri": inside("login"),
                    "backchannel_logout_uri": inside("logout"), "redirect_uris": [inside("callback")],
                })))
                .await,
        );
        let client = Client { id: text(&told, "client_id").to_owned(), secret: None, redirect: inside("callback") };
        let page = site.signed_in().await.consent_page(&site.asking(&client)).await;
        for path in ["jwks", "sector", "logo", "client", "tos", "policy"] {
            assert!(!page.text.contains(&inside(path)), "{path}: {page:?}");
            assert!(!told.to_string().contains(&inside(path)), "{path}: {told}");
        }
        site.tokens(&client).await;
        assert_eq!(trap.calls().await, 0, "{}", database.name());
    }
}

#[tokio::test]
async fn dcr_11_a_statement_of_somebody_else_changes_nothing() {
    for database in both().await {
        let site = Site::on(&database).await;
        // {"alg":"none"} and {"client_name":"Google","redirect_uris":["https://evil.example/cb"]}.
        let statement = "eyJhbGciOiJub25lIn0.eyJjbGllbnRfbmFtZSI6Ikdvb2dsZSIsInJlZGlyZWN0X3VyaXMiOlsiaHR0cHM6Ly9ldmlsLmV4YW1wbGUvY2IiXX0.";
        let plain = registered(&site.registration(&described(json!({}))).await);
        for value in [json!(statement), json!("x"), json!(""), json!({"a": 1})] {
            let told = registered(&site.registration(&described(json!({"software_statement": value}))).await);
            assert_eq!(told, plain, "{}: as if it were not there", database.name());
        }
    }
}

#[tokio::test]
async fn dcr_12_a_client_chooses_neither_its_id_nor_its_rights() {
    for database in both().await {
        let site = Site::on(&database).await;
        let chosen = json!({
            "client_id": "grc_mine", "client_secret": "grs_mine", "client_id_issued_at": 1, "client_secret_expires_at": 1,
            "first_party": true, "is_first_party": true, "trusted": true, "skip_consent": true, "consent": "implicit",
            "admin": true, "scope": "reviews:read admin openid", "audience": ["https://elsewhere.example"],
            "registration_access_token": "mine", "access_token_lifetime": 999_999_999, "id": "grc_mine",
            "digest": "x", "secret_hash": "x", "used_at": 1, "token_endpoint_auth_method": "client_secret_post",
        });
        let told = registered(&site.registration(&described(chosen)).await);
        let mut names: Vec<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        let mut known = [
            "client_id",
            "client_id_issued_at",
            "client_name",
            "client_secret",
            "client_secret_expires_at",
            "grant_types",
            "redirect_uris",
            "response_types",
            "scope",
            "token_endpoint_auth_method",
        ];
        known.sort_unstable();
        assert_eq!(names, known, "{}", database.name());
        assert_eq!((&told["client_secret_expires_at"], &told["scope"]), (&json!(0), &json!("reviews:read")));
        assert_eq!(told["client_id_issued_at"], json!(site.clock.now().as_second()));
        let client = Client {
            id: text(&told, "client_id").to_owned(),
            secret: Some(text(&told, "client_secret").to_owned()),
            redirect: CALLBACK.to_owned(),
        };
        assert!(client.id != "grc_mine" && client.secret.as_deref() != Some("grs_mine"));
        let mine = Client { id: "grc_mine".to_owned(), ..client.clone() };
        assert_eq!(site.browser().authorize(&site.asking(&mine)).await.status, 400);
        // A person is asked, also where somebody has agreed to another client of this address.
        site.tokens(&site.client().await).await;
        site.signed_in().await.consent_page(&site.asking(&client)).await;
        let code = site.code(&client).await;
        let answer = site.exchange(&client, &code).await.json();
        assert_eq!(answer["expires_in"], json!(900));
    }
}

#[tokio::test]
async fn dcr_13_clients_are_not_managed_by_themselves_and_nothing_says_so() {
    for database in both().await {
        let site = Site::on(&database).await;
        for method in ["none", "client_secret_basic"] {
            let told = registered(&site.registration(&described(json!({"token_endpoint_auth_method": method}))).await);
            assert!(!told.as_object().unwrap().keys().any(|name| name.starts_with("registration_")), "{told}");
            let id = text(&told, "client_id");
            for path in ["/register".to_owned(), format!("/register/{id}"), format!("/register?client_id={id}")] {
                for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
                    let request = site.request(method.clone(), &path).bearer_auth(id).json(&described(json!({})));
                    let answer = Answer::of(request.send().await.unwrap()).await;
                    assert!([404, 405].contains(&answer.status), "{method} {path}: {answer:?}");
                    assert!(!answer.text.contains(id), "{answer:?}");
                }
            }
        }
        assert_eq!(database.count("clients").await, 2, "{}", database.name());
    }
}

#[tokio::test]
async fn dcr_14_only_json_is_read() {
    for database in both().await {
        let site = Site::on(&database).await;
        let body = described(json!({})).to_string();
        for types in [
            vec!["application/;"],
            vec![],
            vec![""],
            vec!["text/plain"],
            vec!["application/x-www-form-urlencoded"],
            vec!["multipart/form-data; boundary=x"],
            vec!["application"],
            vec!["/"],
            vec![";charset=utf-8"],
            vec!["application/jsonx"],
            vec!["text/json"],
            vec!["\u{fc}"],
            vec!["text/plain", "application/json"],
            vec!["application/json", "text/plain"],
        ] {
            let pairs: Vec<_> = types.iter().map(|value| ("content-type", *value)).collect();
            let answer = post(&site, "/register", headers(&pairs), body.clone()).await;
            is_refusal(&answer);
            assert!([400, 415].contains(&answer.status), "{types:?}: {answer:?}");
        }
        assert_eq!(database.count("clients").await, 0, "{}", database.name());
        for value in ["application/json", "Application/JSON; charset=UTF-8", "application/json;"] {
            registered(&post(&site, "/register", headers(&[("content-type", value)]), body.clone()).await);
        }
    }
}

/// Waits, by the server's clock, until what had to be removed is removed: then all else was looked at too.
async fn removed(site: &Site, database: &Database, client: &Client) {
    until("it is removed", async || {
        site.clock.advance(Duration::from_secs(6));
        !is_kept(database, client).await
    })
    .await;
}

async fn is_kept(database: &Database, client: &Client) -> bool {
    database.numbers(&format!("SELECT COUNT(*) FROM clients WHERE id = '{}'", client.id)).await == [1]
}

#[tokio::test]
async fn dcr_15_clients_that_nobody_uses_are_removed_and_never_one_that_somebody_agrees_to() {
    for database in both().await {
        // A slow machine holds rows for longer.
        let patient =
            [("store.lock_timeout", "20s"), ("store.statement_timeout", "20s"), ("store.acquire_timeout", "20s")];
        let site = Site::with(&database, &patient).await;
        let first = site.register("First", "none", CALLBACK).await;
        let idle = site.register("Agreed to once", "client_secret_post", CALLBACK).await;
        let used = site.register("Agreed to again", "none", CALLBACK).await;
        for client in [&idle, &used] {
            site.tokens(client).await;
        }
        let of_operator = site.register("Of the operator", "none", CALLBACK).await;
        database.run(&format!("UPDATE clients SET by_operator = 1 WHERE id = '{}'", of_operator.id)).await;
        site.clock.advance(DAY / 2);
        let second = site.register("Second", "none", CALLBACK).await;
        site.clock.advance(ALMOST_A_DAY.saturating_sub(DAY / 2));
        assert!(is_kept(&database, &first).await);
        site.clock.advance(Duration::from_secs(1));
        removed(&site, &database, &first).await;
        for client in [&idle, &used, &second] {
            assert!(is_kept(&database, client).await, "{}", database.name());
        }
        // Whoever comes back with it is told, in a way that makes clients register anew.
        assert_eq!(site.browser().authorize(&site.asking(&first)).await.status, 400);
        is_refused(&site.refresh(&first, "grr_x").await, 401, "invalid_client", "a client that was removed");

        site.clock.advance(60 * DAY);
        site.tokens(&used).await;
        site.clock.advance(27 * DAY);
        let marker = site.register("Marker", "none", CALLBACK).await;
        site.clock.advance(DAY);
        removed(&site, &database, &marker).await;
        assert!(is_kept(&database, &idle).await, "{}: 89 days are not 90", database.name());
        site.clock.advance(DAY);
        removed(&site, &database, &idle).await;
        for client in [&used, &of_operator] {
            assert!(is_kept(&database, client).await, "{}", database.name());
        }
        assert_eq!(
            database.numbers("SELECT COUNT(*) FROM grants WHERE client_id NOT IN (SELECT id FROM clients)").await,
            [0]
        );
        tokens(&site.exchange(&used, &site.code(&used).await).await);

        agreed_to_at_the_last_moment(&site, &database, true).await;
        agreed_to_at_the_last_moment(&site, &database, false).await;
    }
}

/// A person agrees to a client in the moment in which it is removed. The clock stands, so that nothing else ends meanwhile,
/// and nobody else removes anything.
async fn agreed_to_at_the_last_moment(site: &Site, database: &Database, person_is_first: bool) {
    let client = site.register(if person_is_first { "Early" } else { "Late" }, "none", CALLBACK).await;
    let mut browser = site.signed_in().await;
    let page = browser.consent_page(&site.asking(&client)).await;
    let older = format!("UPDATE clients SET created_at_ms = created_at_ms - 86400000 WHERE id = '{}'", client.id);
    database.run(&older).await;

    let store = database.store(&site.clock);
    store.attach().await.unwrap();
    let remove = async || {
        let now = site.clock.now();
        store.clients().purge(now - DAY, now - 90 * DAY).await.unwrap();
    };
    let mut decide = async || browser.decide(&page, "allow", &["reviews:read", "offline_access"]).await;
    let sent = match database {
        // Writers queue for one connection: which one is first is not for a test to say.
        Database::Sqlite(_) => tokio::join!(decide(), remove()).0,
        Database::Postgres(_) if person_is_first => while_rows_are_held(database, decide, remove).await.0,
        Database::Postgres(_) => while_rows_are_held(database, remove, decide).await.1,
    };
    // Whoever was first, all of it holds or nothing.
    let is_kept = is_kept(database, &client).await;
    if let Some(code) = sent.parameter("code") {
        assert!(is_kept, "{}: {sent:?}", database.name());
        let (access, _) = tokens(&site.exchange(&client, &code).await);
        assert_eq!(site.opens(&access).await, 200);
    } else {
        assert_eq!((sent.status, sent.location()), (400, ""), "{sent:?}");
        assert!(!is_kept, "{}", database.name());
    }
    if matches!(database, Database::Postgres(_)) {
        assert_eq!(is_kept, person_is_first, "{sent:?}");
    }
    assert_eq!(
        database.numbers("SELECT COUNT(*) FROM grants WHERE client_id NOT IN (SELECT id FROM clients)").await,
        [0]
    );
}

/// Both come while the rows of clients are held by somebody else, one after the other, and go on when these are let go.
async fn while_rows_are_held<A, B>(
    database: &Database,
    first: impl AsyncFnOnce() -> A,
    second: impl AsyncFnOnce() -> B,
) -> (A, B) {
    let Database::Postgres(cluster) = database else { panic!("rows are held in PostgreSQL alone") };
    let mut holder = sqlx::postgres::PgConnectOptions::from_str(&cluster.url).unwrap().connect().await.unwrap();
    holder.execute("BEGIN; SELECT id FROM clients FOR UPDATE").await.unwrap();
    let waiting = async |number: i64| {
        let sql =
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        until("they wait", async || database.numbers(sql).await == [number]).await;
    };
    let turn = tokio::sync::Notify::new();
    let afterwards = async {
        turn.notified().await;
        second().await
    };
    let others = async {
        waiting(1).await;
        turn.notify_one();
        waiting(2).await;
        holder.execute("COMMIT").await.unwrap();
    };
    let (first, second, ()) = tokio::join!(first(), afterwards, others);
    (first, second)
}

#[tokio::test]
async fn dcr_16_where_registration_is_off_there_is_none() {
    for database in both().await {
        let before = Site::on(&database).await;
        let client = before.client().await;
        let clock = before.clock.clone();
        before.server.app.stop().await;
        let site = Site::beside(&database, clock, &[("auth.registration", "off")]).await;
        for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
            let metadata = site.get(path).await.json();
            assert!(metadata.get("registration_endpoint").is_none(), "{metadata}");
            assert!(metadata["token_endpoint"].is_string());
        }
        for answer in [
            site.registration(&described(json!({"client_name": "Uninvited"}))).await,
            site.get("/register").await,
            post(&site, "/register", headers(&[("content-type", "text/plain")]), "x").await,
        ] {
            is_refusal(&answer);
            assert_eq!(answer.status, 404, "{answer:?}");
        }
        assert_eq!(preflight(&site, "/register", "POST").await.header("access-control-allow-origin"), "");
        assert_eq!(database.count("clients").await, 1, "{}", database.name());
        // Those that are there go on.
        let (access, _) = site.tokens(&client).await;
        assert_eq!(site.opens(&access).await, 200);
    }
}

#[tokio::test]
async fn dcr_17_where_registration_needs_a_token_nothing_else_will_do() {
    const TOKEN: &str = "5c1d7f6a1f0d4a0e9b1c2d3e4f5061728394a5b6c7d8e9f0";
    for database in both().await {
        let settings = [("auth.registration", "token"), ("auth.registration_token", TOKEN)];
        let site = Site::with(&database, &settings).await;
        let metadata = site.get("/.well-known/oauth-authorization-server").await.json();
        assert!(metadata["registration_endpoint"].is_string());
        let shown = async |values: &[&str]| {
            let mut pairs = vec![("content-type", "application/json")];
            pairs.extend(values.iter().map(|value| ("authorization", *value)));
            post(&site, "/register", headers(&pairs), described(json!({})).to_string()).await
        };
        let (right, longer) = (format!("Bearer {TOKEN}"), format!("Bearer {TOKEN}x"));
        let (capitals, cut) = (format!("Bearer {}", TOKEN.to_uppercase()), format!("Bearer {}", &TOKEN[1..]));
        let basic = format!("Basic {TOKEN}");
        for values in [
            &[][..],
            &[""],
            &["Bearer"],
            &["Bearer "],
            &["Bearer wrong"],
            &[&longer],
            &[&capitals],
            &[&cut],
            &[TOKEN],
            &[&basic],
            &["Bearer \u{fc}"],
            &["Bearer wrong", &right],
            &[&right, "Bearer wrong"],
        ] {
            let answer = shown(values).await;
            is_refusal(&answer);
            assert_eq!(answer.status, 401, "{values:?}: {answer:?}");
            assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"google-reviews\"");
            assert!(!answer.text.contains(TOKEN));
        }
        assert_eq!(site.server.metric("mcp_auth_failures_total{reason=\"unknown_client\"}").await, 13.0);
        // Nor in the body or the address.
        let answer = site.registration(&described(json!({"registration_token": TOKEN, "access_token": TOKEN}))).await;
        assert_eq!(answer.status, 401);
        let request =
            site.request(Method::POST, &format!("/register?access_token={TOKEN}")).json(&described(json!({})));
        assert_eq!(request.send().await.unwrap().status(), 401);
        assert_eq!(database.count("clients").await, 0, "{}", database.name());
        for value in [&right, &right.replacen("Bearer", "bearer", 1)] {
            let told = registered(&shown(&[value]).await);
            let client =
                Client { id: text(&told, "client_id").to_owned(), secret: None, redirect: CALLBACK.to_owned() };
            let (access, _) = site.tokens(&client).await;
            assert_eq!(site.opens(&access).await, 200);
        }
    }
}

#[tokio::test]
async fn dcr_18_a_page_of_another_site_registers_and_gains_nothing_without_consent() {
    const EVIL: &str = "https://evil.example";
    for database in both().await {
        let site = Site::on(&database).await;
        let mut victim = site.signed_in().await;
        let cookies = victim.cookies.clone();
        let allowed = preflight(&site, "/register", "POST").await;
        assert_eq!(allowed.header("access-control-allow-origin"), "*");
        assert_eq!(allowed.header("access-control-allow-credentials"), "");
        // What a browser sends without asking first is not read.
        let body = described(json!({"redirect_uris": ["https://evil.example/cb"]}));
        let from =
            |request: reqwest::RequestBuilder| request.header("origin", EVIL).header("sec-fetch-site", "cross-site");
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
            let request = site.request(Method::POST, "/register").header("content-type", kind).body(body.to_string());
            is_refusal(&victim.send(from(request)).await);
        }
        assert_eq!(database.count("clients").await, 0, "{}", database.name());
        let answer = victim.send(from(site.request(Method::POST, "/register").json(&body))).await;
        let told = registered(&answer);
        assert_eq!((answer.header("access-control-allow-origin"), answer.header("set-cookie")), ("*", ""));
        assert_eq!(victim.cookies, cookies);
        let redirect = "https://evil.example/cb".to_owned();
        let client = Client { id: text(&told, "client_id").to_owned(), secret: None, redirect };
        // The person is asked; nobody else can answer for them.
        let page = victim.consent_page(&site.asking(&client)).await;
        let hidden = victim.authorize(&[site.asking(&client), vec![("prompt", "none".to_owned())]].concat()).await;
        assert_eq!(hidden.parameter("error").as_deref(), Some("consent_required"), "{hidden:?}");
        assert_eq!(hidden.parameter("code"), None);
        let (csrf, request) = (page.field("csrf"), page.field("request"));
        let fields =
            [("csrf", csrf.as_str()), ("request", &request), ("decision", "allow"), ("scope.reviews:read", "on")];
        for forged in [
            from(site.request(Method::POST, "/consent")).form(&fields),
            site.request(Method::POST, "/consent").header("origin", EVIL).form(&fields),
            from(site.request(Method::POST, "/consent")).form(&fields[1..]),
        ] {
            let answer = victim.send(forged).await;
            assert_eq!((answer.status, answer.location()), (403, ""), "{answer:?}");
        }
        assert_eq!(database.count("grants").await, 0, "{}", database.name());
        is_refused(&site.exchange(&client, "grz_x").await, 400, "invalid_grant", "no code");
        // It is theirs to agree.
        let sent = victim.decide(&page, "allow", &["reviews:read"]).await;
        assert!(sent.parameter("code").is_some(), "{sent:?}");
    }
}
