//! People at their pages: forms that only they can send, agreements that are remembered no further than they were meant,
//! sessions, passwords and links, and those who try to get at them.

use super::redirects::{agreed, going, harmless, is_over, met_on, nowhere, with_addresses};
use crate::support::{
    BAKERY, TestServer,
    binary::{Serving, program, stderr},
    database::{Database, both},
    now,
    sign_in::{Answer, Browser, CALLBACK, Client, LOOPBACK, NAME, PASSWORD, STATE, Site, both as tokens, but, written},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use google_reviews_mcp::{clock::Clock, model::PersonName};
use regex::Regex;
use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::{collections::BTreeMap, io::Write as _, process::Stdio, time::Duration};

const SESSION: &str = "__Host-session";
const VISITOR: &str = "__Host-browser";
const EVERYTHING: [&str; 3] = ["reviews:read", "reports:write", "offline_access"];
const ANOTHER: &str = "another password than that of ada";

/// Makes somebody known, with the password of all.
async fn add(site: &Site, name: &str) {
    site.server.app.people().unwrap().add(PersonName::parse(name).unwrap(), Some(PASSWORD)).await.unwrap();
}

async fn signed_in_as<'a>(site: &'a Site, name: &str) -> Browser<'a> {
    let mut browser = site.browser();
    let answer = browser.sign_in("/login", name, PASSWORD).await;
    assert_eq!((answer.status, answer.location()), (303, "/connections"), "{answer:?}");
    browser
}

/// The same browser once more, as it is now.
fn copy<'a>(site: &'a Site, browser: &Browser<'_>) -> Browser<'a> {
    let mut copied = site.browser();
    copied.cookies.clone_from(&browser.cookies);
    copied
}

/// The page that says that a form is not taken.
#[track_caller]
fn foreign(answer: &Answer, what: &str) {
    assert_eq!((answer.status, answer.location()), (403, ""), "{what}: {answer:?}");
    assert!(!answer.headers.contains_key("set-cookie"), "{what}: {answer:?}");
    harmless(answer);
}

/// How many grants and answers to requests there are.
async fn kept(database: &Database) -> (i64, i64) {
    (database.count("grants").await, database.count("decisions").await)
}

/// Whether a person is asked, and not sent on at once.
#[track_caller]
fn asks(answer: &Answer, what: &str) {
    assert!(answer.status == 303 && answer.location().starts_with("/consent?request="), "{what}: {answer:?}");
}

/// The code with which a client is sent an answer at once.
#[track_caller]
fn at_once(answer: &Answer, client: &Client, what: &str) -> String {
    assert!(answer.status == 303 && answer.location().starts_with(&client.redirect), "{what}: {answer:?}");
    answer.parameter("code").unwrap_or_else(|| panic!("{what}: {answer:?}"))
}

#[tokio::test]
async fn con_01_a_form_needs_the_proof_of_its_own_page_session_and_request() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let asking = site.asking(&client);
        let (mut ada, mut other) = (site.signed_in().await, site.signed_in().await);
        let login = site.browser().get("/login").await.field("csrf");
        let connections = ada.get("/connections").await.field("csrf");
        let (page, elsewhere) = (ada.consent_page(&asking).await, other.consent_page(&asking).await);
        let (csrf, request) = (page.field("csrf"), page.field("request"));
        let rest = [("request", request.as_str()), ("decision", "allow"), ("scope.reviews:read", "on")];
        for wrong in ["", "x", &"0".repeat(64), &login, &connections, &elsewhere.field("csrf"), &csrf[1..], &request] {
            foreign(&ada.post("/consent", &[&rest[..], &[("csrf", wrong)]].concat()).await, wrong);
        }
        foreign(&ada.post("/consent", &rest).await, "missing");
        let twice = [("csrf", csrf.as_str()), ("csrf", &csrf)];
        foreign(&ada.post("/consent", &[&rest[..], &twice].concat()).await, "twice");
        let right = [&rest[..], &twice[..1]].concat();
        foreign(&other.post("/consent", &right).await, "the session of another browser");
        foreign(&site.browser().post("/consent", &right).await, "no cookies");
        let mut earlier = copy(&site, &ada);
        earlier.sign_in(&format!("/login?request={request}"), NAME, PASSWORD).await;
        foreign(&earlier.post("/consent", &right).await, "the session before");
        assert_eq!(kept(&database).await, (0, 0), "{}", database.name());

        let mut ada = site.signed_in().await;
        let (first, second) = (ada.consent_page(&asking).await, ada.consent_page(&asking).await);
        assert_eq!(ada.decide(&first, "allow", &EVERYTHING).await.status, 303);
        let (used, fresh) = (first.field("csrf"), second.field("request"));
        let moved = [("csrf", used.as_str()), ("request", &fresh), ("decision", "allow"), ("scope.reviews:read", "on")];
        foreign(&ada.post("/consent", &moved).await, "used, for another request");
        let again = ada.decide(&first, "allow", &EVERYTHING).await;
        assert_eq!((again.status, again.location()), (400, ""), "{again:?}");
        assert!(again.text.contains("<h1>This was answered before</h1>"), "{again:?}");
        assert_eq!(kept(&database).await, (1, 1), "{}", database.name());
        other_forms(&mut ada, &client).await;
    }
}

/// The other forms take no wrong proof either.
async fn other_forms(ada: &mut Browser<'_>, client: &Client) {
    for wrong in ["", "x", &"0".repeat(64)] {
        let revoke = [("csrf", wrong), ("revoke", client.id.as_str()), ("redirect_uri", client.redirect.as_str())];
        foreign(&ada.post("/connections", &revoke).await, wrong);
        foreign(&ada.post("/logout", &[("csrf", wrong)]).await, wrong);
        foreign(&ada.post("/login", &[("csrf", wrong), ("name", NAME), ("password", PASSWORD)]).await, wrong);
        foreign(&ada.post("/setup", &[("csrf", wrong), ("link", "grl_x"), ("password", PASSWORD)]).await, wrong);
    }
    assert!(ada.get("/connections").await.text.contains("Test client"), "nothing was taken back, nobody signed out");
}

/// What a browser may say of where a form comes from, and whether it is then taken.
fn origins(base: &str) -> Vec<(Vec<(&'static str, String)>, bool)> {
    let site = |value: &str| ("sec-fetch-site", value.to_owned());
    let origin = |value: &str| ("origin", value.to_owned());
    let port = base.rsplit(':').next().unwrap();
    vec![
        (vec![site("cross-site")], false),
        (vec![site("same-site")], false),
        (vec![site("none")], false),
        (vec![site("")], false),
        (vec![site("Same-Origin")], false),
        (vec![site("cross-site"), origin(base)], false),
        (vec![site("cross-site"), origin("null")], false),
        (vec![origin("https://evil.example")], false),
        (vec![origin("null")], false),
        (vec![origin("")], false),
        (vec![origin("http://127.0.0.1:1")], false),
        (vec![origin(&format!("https://127.0.0.1:{port}"))], false),
        (vec![origin(&format!("{base}.evil.example"))], false),
        (vec![origin(base), origin("https://evil.example")], false),
        (vec![site("same-origin"), origin("https://evil.example")], false),
        (vec![site("same-origin"), origin("null")], true),
        (vec![site("same-origin"), origin(base)], true),
        (vec![site("same-origin")], true),
        (vec![origin(base)], true),
        (vec![], true),
    ]
}

fn with_headers(request: RequestBuilder, headers: &[(&'static str, String)]) -> RequestBuilder {
    headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
}

#[tokio::test]
async fn con_02_forms_come_from_here_and_without_a_word_of_that_people_are_asked() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let mut ada = site.signed_in().await;
        for (headers, is_taken) in origins(&site.base) {
            let page = ada.consent_page(&site.asking(&client)).await;
            let (csrf, request) = (page.field("csrf"), page.field("request"));
            let fields = [("csrf", csrf.as_str()), ("request", &request), ("decision", "deny")];
            let sent = ada.send(with_headers(site.request(Method::POST, "/consent").form(&fields), &headers)).await;
            let what = format!("{}, {headers:?}", database.name());
            if is_taken {
                assert_eq!((sent.status, sent.parameter("error").as_deref()), (303, Some("access_denied")), "{what}");
                continue;
            }
            foreign(&sent, &what);
            let csrf = ada.get("/connections").await.field("csrf");
            for path in ["/connections", "/logout", "/login", "/setup"] {
                let fields = [("csrf", csrf.as_str()), ("revoke", &client.id), ("redirect_uri", &client.redirect)];
                let sent = ada.send(with_headers(site.request(Method::POST, path).form(&fields), &headers)).await;
                foreign(&sent, &format!("{path}, {what}"));
            }
        }
        remembered_for_navigations(&site, &client, &database).await;
    }
}

/// What was agreed to before is answered at once only if a browser says that it goes there with its whole window.
async fn remembered_for_navigations(site: &Site, client: &Client, database: &Database) {
    let mut ada = agreed(site, client).await;
    let path = format!("/authorize?{}", written(&site.asking(client)));
    let all = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    let before = kept(database).await;
    let ask = async |ada: &mut Browser<'_>, headers: &[(&'static str, &str)]| {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        ada.send(with_headers(site.request(Method::GET, &path), &headers)).await
    };
    asks(&ask(&mut ada, &[]).await, "no headers at all");
    for missing in 0..3 {
        let headers: Vec<_> = all.iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, each)| *each).collect();
        asks(&ask(&mut ada, &headers).await, all[missing].0);
    }
    for dest in ["iframe", "frame", "embed", "object", "image", "script", "empty", "fencedframe", ""] {
        asks(&ask(&mut ada, &[all[0], all[1], ("sec-fetch-dest", dest)]).await, dest);
    }
    for mode in ["cors", "no-cors", "same-origin", "websocket", ""] {
        asks(&ask(&mut ada, &[all[0], ("sec-fetch-mode", mode), all[2]]).await, mode);
    }
    assert_eq!(kept(database).await, before, "{}", database.name());
    at_once(&ask(&mut ada, &all).await, client, database.name());
}

/// What a page without scripts and frames does not have outside of its text.
fn lively() -> Regex {
    Regex::new(r#"(?i)<(script|style|base|iframe|object|embed|img)|<[^>]*\s(on\w+|style)\s*=|="\s*javascript:"#)
        .unwrap()
}

/// The sources to which the forms of a page may lead.
fn leads_to(answer: &Answer) -> Vec<String> {
    let policy = answer.header("content-security-policy");
    let sources = policy.split("; ").find_map(|each| each.strip_prefix("form-action ")).unwrap();
    sources.split(' ').map(str::to_owned).collect()
}

#[tokio::test]
async fn con_03_pages_are_framed_by_nobody_and_run_nothing() {
    for database in both().await {
        for (what, status, answer) in met_on(&database).await {
            assert_eq!(answer.status, status, "{}, {what}: {answer:?}", database.name());
            assert_eq!(answer.header("x-frame-options"), "DENY", "{what}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
            if status == 303 {
                continue;
            }
            let policy = answer.header("content-security-policy");
            for part in ["default-src 'none'", "script-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
                assert!(policy.split("; ").any(|each| each == part), "{what}, {part}: {policy}");
            }
            assert!(!leads_to(&answer).is_empty() && !policy.contains("unsafe"), "{what}: {policy}");
            assert!(!lively().is_match(&answer.text), "{what}: {}", answer.text);
        }
    }
    for database in both().await {
        let site = Site::on(&database).await;
        let mut ada = site.signed_in().await;
        let evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'; script-src *";
        for (address, source) in [
            (CALLBACK, "https://client.example"),
            (LOOPBACK, "http://127.0.0.1:3334"),
            ("cursor://anysphere.cursor-mcp/oauth", "cursor:"),
        ] {
            let client = site.register(evil, "none", address).await;
            let page = ada.consent_page(&site.asking(&client)).await;
            assert_eq!(leads_to(&page)[..2], ["'self'", source], "{}", database.name());
            assert!(!page.header("content-security-policy").contains('*'), "{page:?}");
            let login = ada.get(&format!("/login?request={}", page.field("request"))).await;
            assert_eq!(leads_to(&login), ["'self'"]);
            ada.decide(&page, "allow", &EVERYTHING).await;
            for page in [page, login, ada.get("/connections").await] {
                assert!(!lively().is_match(&page.text), "{page:?}");
                assert!(page.text.contains("alert(1)"), "it is shown as what it is: {page:?}");
            }
        }
    }
}

#[tokio::test]
async fn con_04_what_was_agreed_to_is_for_one_client_one_address_and_one_person() {
    for database in both().await {
        let site = Site::on(&database).await;
        let second = "https://client.example/second";
        let client = with_addresses(&site, &[CALLBACK, second]).await;
        let like = |redirect: &str, id: &str| Client { id: id.to_owned(), secret: None, redirect: redirect.to_owned() };
        let name = database.name();
        let mut ada = agreed(&site, &client).await;
        at_once(&ada.authorize(&site.asking(&client)).await, &client, name);
        at_once(&site.signed_in().await.authorize(&site.asking(&client)).await, &client, "in another browser of hers");

        let other = site.register("Several", "none", CALLBACK).await;
        assert_ne!(other.id, client.id);
        asks(&ada.authorize(&site.asking(&other)).await, "another client, of the same name and address");
        asks(&ada.authorize(&site.asking(&like(second, &client.id))).await, "another address");
        add(&site, "eve").await;
        asks(&signed_in_as(&site, "eve").await.authorize(&site.asking(&client)).await, "another person");
        asks(&ada.authorize(&but(&site.asking(&client), "prompt", "consent")).await, "who wants to be asked is");
        for prompt in ["login", "select_account", "login consent"] {
            asks(&ada.authorize(&but(&site.asking(&client), "prompt", prompt)).await, prompt);
        }

        // Agreeing to the one does not agree to the other, and taking back takes back that one alone.
        let code = at_once(&ada.agree(&site.asking(&other)).await, &other, name);
        assert_eq!(site.exchange(&other, &code).await.status, 200);
        let csrf = ada.get("/connections").await.field("csrf");
        let revoke = [("csrf", csrf.as_str()), ("revoke", &client.id), ("redirect_uri", CALLBACK)];
        assert_eq!(ada.post("/connections", &revoke).await.status, 200);
        asks(&ada.authorize(&site.asking(&client)).await, "taken back");
        at_once(&ada.authorize(&site.asking(&other)).await, &other, name);

        for address in
            [LOOPBACK, "http://localhost:3334/cb", "http://[::1]:3334/cb", "cursor://app/oauth", "com.app:/cb"]
        {
            let program = site.register("Program", "none", address).await;
            let mut ada = agreed(&site, &program).await;
            asks(&ada.authorize(&site.asking(&program)).await, address);
        }
        let idle = site.register("Idle", "none", "https://idle.example/cb").await;
        let mut ada = agreed(&site, &idle).await;
        site.clock.advance(Duration::from_hours(30 * 24));
        ada.sign_in("/login", NAME, PASSWORD).await;
        asks(&ada.authorize(&site.asking(&idle)).await, "what is over is over");
    }
}

#[tokio::test]
async fn con_05_whoever_asks_for_more_asks_again() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let mut ada = site.signed_in().await;
        let asking = |scope: &str| but(&site.asking(&client), "scope", scope);
        // Asked for everything, and given one thing.
        let page = ada.consent_page(&asking("reviews:read reports:write offline_access")).await;
        let sent = ada.decide(&page, "allow", &["reviews:read"]).await;
        let code = at_once(&sent, &client, database.name());
        assert_eq!(site.exchange(&client, &code).await.json()["scope"], "reviews:read");
        for wider in [
            "reviews:read reports:write",
            "reports:write",
            "reviews:read offline_access",
            "reviews:read reports:write offline_access",
            "",
        ] {
            asks(&ada.authorize(&asking(wider)).await, wider);
        }
        for same in ["reviews:read", "reviews:read reviews:read", "reviews:read openid"] {
            let code = at_once(&ada.authorize(&asking(same)).await, &client, same);
            let told = site.exchange(&client, &code).await.json();
            assert_eq!((told["scope"].as_str(), told.get("refresh_token")), (Some("reviews:read"), None), "{same}");
        }
        // Two agreements are not one of both: the last one counts.
        site.clock.advance(Duration::from_millis(1));
        let page = ada.consent_page(&asking("reports:write")).await;
        let code = at_once(&ada.decide(&page, "allow", &["reports:write"]).await, &client, "");
        assert_eq!(site.exchange(&client, &code).await.status, 200);
        asks(&ada.authorize(&asking("reviews:read reports:write")).await, "both");
        asks(&ada.authorize(&asking("reviews:read")).await, "what was agreed to before the last time");
        site.clock.advance(Duration::from_millis(1));
        // All of it covers each part, and a part is all that is given.
        let code = ada.code(&client).await;
        tokens(&site.exchange(&client, &code).await);
        let code = at_once(&ada.authorize(&asking("reports:write")).await, &client, "a part");
        assert_eq!(site.exchange(&client, &code).await.json()["scope"], "reports:write", "{}", database.name());
    }
}

#[tokio::test]
async fn con_06_a_site_that_leads_people_here_gets_nothing_from_what_they_agreed_to() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let mut ada = agreed(&site, &client).await;
        let before = kept(&database).await;
        for address in ["https://evil.example/callback", CALLBACK, LOOPBACK, "evil://app"] {
            // It can take the name, and even name the address of the other.
            let evil = site.register("Test client", "client_secret_post", address).await;
            asks(&ada.authorize(&site.asking(&evil)).await, address);
            asks(&ada.authorize(&but(&site.asking(&evil), "prompt", "login")).await, address);
            let silent = ada.authorize(&but(&site.asking(&evil), "prompt", "none")).await;
            assert_eq!(
                (silent.parameter("error").as_deref(), silent.parameter("code")),
                (Some("consent_required"), None)
            );
            if address != CALLBACK {
                nowhere(&ada.authorize(&but(&site.asking(&client), "redirect_uri", address)).await, address);
            }
        }
        let path = format!("/authorize?{}", written(&site.asking(&client)));
        for (name, value) in [("sec-fetch-dest", "iframe"), ("sec-fetch-mode", "no-cors")] {
            let request = site.request(Method::GET, &path).header("sec-fetch-site", "cross-site");
            asks(&ada.send(request.header(name, value)).await, value);
        }
        assert_eq!(kept(&database).await, before, "{}", database.name());
        // The one that was agreed to may come from wherever its own pages are.
        at_once(&ada.send(going(&site, Method::GET, &path)).await, &client, database.name());
    }
}

/// Values that are like a cookie and are not it.
fn tampered(value: &str) -> Vec<String> {
    let flip = |at: usize| {
        let mut letters: Vec<char> = value.chars().collect();
        letters[at] = if letters[at] == 'A' { 'B' } else { 'A' };
        letters.into_iter().collect::<String>()
    };
    let last = value.len() - 1;
    vec![
        flip(0),
        flip(last / 2),
        flip(last),
        value[..last].to_owned(),
        format!("{value}A"),
        format!("\"{value}\""),
        format!("{value}%00"),
        value.to_lowercase(),
        "x".repeat(10_000),
        "' OR 1=1 --".to_owned(),
        String::new(),
    ]
}

#[tokio::test]
async fn con_07_cookies_are_of_this_host_alone_and_a_changed_one_is_none() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let asking = site.asking(&client);
        let set = |answer: &Answer| answer.header("set-cookie").to_owned();
        let mut ada = site.browser();
        let visited = set(&ada.get("/login").await);
        let entered = set(&ada.sign_in("/login", NAME, PASSWORD).await);
        for (cookie, name) in [(visited, VISITOR), (entered, SESSION)] {
            let parts: Vec<&str> = cookie.split("; ").collect();
            assert!(parts[0].starts_with(&format!("{name}=")) && parts[0].len() > name.len() + 43, "{cookie}");
            let mut attributes = parts[1..].to_vec();
            attributes.sort_unstable();
            assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"], "{}: {cookie}", database.name());
        }
        let page = ada.consent_page(&asking).await;
        let path = format!("/consent?request={}", page.field("request"));
        for (name, location) in [(SESSION, "/login"), (VISITOR, "")] {
            for value in tampered(&ada.cookies[name]) {
                let mut forged = copy(&site, &ada);
                forged.cookies.insert(name.to_owned(), value.clone());
                foreign(&copy(&site, &forged).decide(&page, "allow", &EVERYTHING).await, &value);
                let seen = copy(&site, &forged).get(&path).await;
                if name == SESSION {
                    assert!(seen.status == 303 && seen.location().starts_with(location), "{value}: {seen:?}");
                    assert_eq!(copy(&site, &forged).get("/connections").await.location(), "/login", "{value}");
                } else {
                    is_over(&seen);
                }
            }
        }
        forged_in_other_ways(&site, &ada, &page).await;
        assert_eq!(kept(&database).await, (0, 0), "{}", database.name());
        assert_eq!(ada.decide(&page, "allow", &EVERYTHING).await.status, 303, "only the cookies were wrong");
    }
}

/// Cookies of somebody else, twice, or under names that any site could set.
async fn forged_in_other_ways(site: &Site, ada: &Browser<'_>, page: &Answer) {
    add(site, "eve").await;
    let eve = signed_in_as(site, "eve").await;
    for name in [SESSION, VISITOR] {
        let mut mixed = copy(site, ada);
        mixed.cookies.insert(name.to_owned(), eve.cookies[name].clone());
        foreign(&mixed.decide(page, "allow", &EVERYTHING).await, name);
        for other in [name.trim_start_matches("__Host-"), &name.to_lowercase(), &name.replace("__Host", "__Secure")] {
            let mut renamed = copy(site, ada);
            let value = renamed.cookies.remove(name).unwrap();
            renamed.cookies.insert(other.to_owned(), value);
            foreign(&renamed.decide(page, "allow", &EVERYTHING).await, other);
        }
        // A second one of the name: nobody knows which of the two is ours.
        let twice = format!("{}; {name}={}", ada.cookies[name], eve.cookies[name]);
        let mut doubled = copy(site, ada);
        doubled.cookies.insert(name.to_owned(), twice);
        foreign(&doubled.decide(page, "allow", &EVERYTHING).await, name);
    }
}

#[tokio::test]
async fn con_08_what_is_answered_is_what_was_asked_whatever_the_form_says() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let evil = site.register("Evil", "none", "https://evil.example/cb").await;
        let mut ada = site.signed_in().await;
        let asking = but(&site.asking(&client), "scope", "reviews:read");
        let page = ada.consent_page(&asking).await;
        let (csrf, request) = (page.field("csrf"), page.field("request"));
        let other = ada.consent_page(&site.asking(&evil)).await.field("request");
        let rest = [("csrf", csrf.as_str()), ("decision", "allow"), ("scope.reviews:read", "on")];
        foreign(&ada.post("/consent", &[&rest[..], &[("request", &other)]].concat()).await, "that of another page");
        for changed in tampered(&request).into_iter().chain([format!("{request} "), format!("{request}.{other}")]) {
            foreign(&ada.post("/consent", &[&rest[..], &[("request", &changed)]].concat()).await, &changed);
            is_over(&ada.get(&format!("/consent?{}", written(&[("request", changed)]))).await);
        }
        foreign(&ada.post("/consent", &rest).await, "left out");
        let twice = [("request", request.as_str()), ("request", &request)];
        foreign(&ada.post("/consent", &[&rest[..], &twice].concat()).await, "twice");
        assert_eq!(kept(&database).await, (0, 0), "{}", database.name());

        let added = [
            ("request", request.as_str()),
            ("client_id", &evil.id),
            ("redirect_uri", &evil.redirect),
            ("state", "another state"),
            ("scope", "reviews:read reports:write"),
            ("scope.reports:write", "on"),
            ("scope.admin", "on"),
            ("code_challenge", "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"),
            ("resource", "https://evil.example/mcp"),
            ("person", "eve"),
        ];
        let sent = ada.post("/consent?client_id=evil&decision=deny", &[&rest[..], &added].concat()).await;
        let code = at_once(&sent, &client, database.name());
        assert_eq!(sent.parameter("state").as_deref(), Some(STATE));
        let told = site.exchange(&client, &code).await.json();
        assert_eq!(told["scope"], "reviews:read", "what was not asked for cannot be ticked: {told}");
        let page = ada.consent_page(&but(&asking, "prompt", "consent")).await;
        for decision in ["", "ALLOW", "yes", "allow deny"] {
            let answer = ada.decide(&page, decision, &["reviews:read"]).await;
            assert_eq!((answer.status, answer.location()), (400, ""), "{decision}");
        }
        assert_eq!(ada.decide(&page, "allow", &["reports:write"]).await.status, 400, "nothing of what was asked for");
        assert_eq!(kept(&database).await, (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn con_09_a_request_is_answered_once_in_its_browser_within_ten_minutes() {
    for database in both().await {
        let site = Site::on(&database).await;
        // On PostgreSQL there may be two servers.
        let second = match &database {
            Database::Sqlite(_) => None,
            Database::Postgres(_) => Some(Site::beside(&database, site.clock.clone(), &[]).await),
        };
        let beside = second.as_ref().unwrap_or(&site);
        let client = site.client().await;
        let asking = site.asking(&client);
        let mut ada = site.signed_in().await;
        for (first, second) in [("allow", "allow"), ("allow", "deny"), ("deny", "allow"), ("deny", "deny")] {
            let page = ada.consent_page(&asking).await;
            assert_eq!(ada.decide(&page, first, &EVERYTHING).await.status, 303);
            for site in [&site, beside] {
                let again = copy(site, &ada).decide(&page, second, &EVERYTHING).await;
                assert_eq!((again.status, again.location()), (400, ""), "{}, {first}, {second}", database.name());
                harmless(&again);
            }
        }
        assert_eq!(kept(&database).await, (2, 4), "{}", database.name());
        for round in 0..5 {
            let page = ada.consent_page(&asking).await;
            let tries = (0..8).map(|number| {
                let (site, decision) =
                    (if number % 2 == 0 { &site } else { beside }, ["allow", "deny"][number / 2 % 2]);
                let (mut browser, page) = (copy(site, &ada), &page);
                async move { browser.decide(page, decision, &EVERYTHING).await.status }
            });
            let mut statuses = join_all(tries).await;
            statuses.sort_unstable();
            assert_eq!((statuses[0], &statuses[1..]), (303, [400; 7].as_slice()), "{}, {round}", database.name());
        }
        assert_eq!(database.count("decisions").await, 9);
        elsewhere(&site, &client, &mut ada).await;
        later(&site, &client, &mut ada).await;
    }
}

/// In another browser, or by another person.
async fn elsewhere(site: &Site, client: &Client, ada: &mut Browser<'_>) {
    add(site, "eve").await;
    let (asking, mut eve) = (site.asking(client), signed_in_as(site, "eve").await);
    let page = ada.consent_page(&asking).await;
    let (path, login) = ["/consent", "/login"].map(|path| format!("{path}?request={}", page.field("request"))).into();
    for browser in [&mut eve, &mut site.browser(), &mut site.signed_in().await] {
        is_over(&browser.get(&path).await);
        is_over(&browser.get(&login).await);
    }
    foreign(&eve.decide(&page, "allow", &EVERYTHING).await, "the form of somebody else");
    let own = eve.get("/connections").await.field("csrf");
    let fields = [("csrf", own.as_str()), ("request", &page.field("request")), ("decision", "allow")];
    foreign(&eve.post("/consent", &fields).await, "with a proof of her own");

    // Two at one computer: the request goes on to the other, and the form that was shown to the first is of no use.
    let leave = [("csrf", page.field("csrf")), ("request", page.field("request"))];
    let left = ada.post("/logout", &leave.each_ref().map(|(name, value)| (*name, value.as_str()))).await;
    assert_eq!(left.location(), login, "{left:?}");
    assert_eq!(ada.sign_in(&login, "eve", PASSWORD).await.location(), path);
    foreign(&ada.decide(&page, "allow", &EVERYTHING).await, "the form of the one before");
    let of_eve = ada.get(&path).await;
    assert!(of_eve.text.contains("<bdi>eve</bdi>"), "{of_eve:?}");
    at_once(&ada.decide(&of_eve, "allow", &EVERYTHING).await, client, "eve agrees");
    assert!(ada.get("/connections").await.text.contains("Test client"));
}

/// When the time is over.
async fn later(site: &Site, client: &Client, ada: &mut Browser<'_>) {
    let asking = site.asking(client);
    let (last, late) = (ada.consent_page(&asking).await, ada.consent_page(&asking).await);
    let path = format!("/consent?request={}", late.field("request"));
    site.clock.advance(Duration::from_millis(599_999));
    at_once(&ada.decide(&last, "allow", &EVERYTHING).await, client, "in the last moment");
    assert_eq!(ada.get(&path).await.status, 200);
    site.clock.advance(Duration::from_millis(1));
    for decision in ["allow", "deny"] {
        is_over(&ada.decide(&late, decision, &EVERYTHING).await);
    }
    is_over(&ada.get(&path).await);
    is_over(&ada.get(&path.replace("/consent", "/login")).await);
    let csrf = ada.get("/connections").await.field("csrf");
    let fields =
        [("csrf", csrf.as_str()), ("request", &late.field("request")), ("name", "ada"), ("password", PASSWORD)];
    is_over(&ada.post("/login", &fields).await);
}

#[tokio::test]
async fn con_10_who_says_no_gives_nothing() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let mut ada = site.signed_in().await;
        let page = ada.consent_page(&site.asking(&client)).await;
        // Also with all permissions ticked, as the form is sent by its other button.
        let sent = ada.decide(&page, "deny", &EVERYTHING).await;
        assert_eq!(sent.status, 303, "{sent:?}");
        assert!(sent.location().starts_with(&format!("{CALLBACK}?error=access_denied&")), "{sent:?}");
        let told = ["error", "state", "iss", "code"].map(|name| sent.parameter(name));
        let expected = [Some("access_denied"), Some(STATE), Some(site.base.as_str()), None];
        assert_eq!(told, expected.map(|value| value.map(str::to_owned)), "{}", database.name());
        assert_eq!(kept(&database).await, (0, 1), "{}", database.name());
        asks(&ada.authorize(&site.asking(&client)).await, "no is not remembered either");
        assert!(!ada.get("/connections").await.text.contains("Test client"));
    }
}

#[tokio::test]
async fn con_11_a_session_begins_when_somebody_signs_in() {
    for database in both().await {
        let site = Site::on(&database).await;
        let fixed = "grw_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let mut ada = site.browser();
        ada.cookies.insert(SESSION.to_owned(), fixed.to_owned());
        let page = ada.get("/login").await;
        assert!(!page.header("set-cookie").contains(SESSION), "{page:?}");
        assert_eq!(ada.sign_in("/login", NAME, PASSWORD).await.status, 303);
        let first = ada.cookies[SESSION].clone();
        assert_ne!(first, fixed);
        let is_in = async |session: &str| {
            let mut browser = copy(&site, &site.browser());
            browser.cookies.insert(SESSION.to_owned(), session.to_owned());
            browser.get("/connections").await.status == 200
        };
        assert!(is_in(&first).await && !is_in(fixed).await, "{}", database.name());
        let visitor = ada.cookies[VISITOR].clone();
        assert!(!is_in(&visitor).await, "what every visitor has opens nothing");

        // Whoever signs in again, or as somebody else, has another one, and the one before is over.
        add(&site, "eve").await;
        for name in [NAME, "eve"] {
            let before = ada.cookies[SESSION].clone();
            let page = login_anew(&site, &mut ada).await;
            assert_eq!(ada.sign_in(&page, name, PASSWORD).await.status, 303);
            assert_ne!(ada.cookies[SESSION], before);
            assert!(is_in(&ada.cookies[SESSION]).await && !is_in(&before).await, "{}", database.name());
        }
        assert_eq!(database.count("sessions").await, 1);
        let before = ada.cookies[SESSION].clone();
        let page = login_anew(&site, &mut ada).await;
        assert_eq!(ada.sign_in(&page, NAME, ANOTHER).await.status, 401);
        assert!(ada.cookies[SESSION] == before && is_in(&before).await, "who is not let in stays who they were");
    }
}

/// A page to sign in, also for somebody who is signed in.
async fn login_anew(site: &Site, browser: &mut Browser<'_>) -> String {
    let sent = browser.authorize(&site.asking(&site.client().await)).await;
    sent.location().replace("/consent?", "/login?")
}

/// A try to sign in from an address.
async fn try_from(site: &Site, address: &str, name: &str, password: &str) -> Answer {
    let mut browser = site.browser();
    let csrf = browser.get("/login").await.field("csrf");
    let fields = [("csrf", csrf.as_str()), ("name", name), ("password", password)];
    let request = site.request(Method::POST, "/login").header("x-forwarded-for", address);
    browser.send(request.form(&fields)).await
}

/// A server where a name can be tried twice from one address and then once in ten minutes, and five times as often from
/// all addresses together; so can all names from one address.
async fn limited(database: &Database) -> Site {
    let limits = [
        ("limits.enabled", "true"),
        ("limits.sign_ins_an_hour", "6"),
        ("limits.sign_in_burst", "2"),
        ("server.trusted_proxies", "127.0.0.0/8"),
    ];
    Site::with(database, &limits).await
}

/// Who must wait is told so, and for how long.
#[track_caller]
fn must_wait(answer: &Answer, seconds: &str, what: &str) {
    assert_eq!((answer.status, answer.header("retry-after")), (429, seconds), "{what}: {answer:?}");
    assert!(answer.text.contains("Too many tries. Wait"), "{what}: {answer:?}");
    assert!(!answer.header("set-cookie").contains(SESSION), "{what}: {answer:?}");
    harmless(answer);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn con_12_passwords_cannot_be_tried_without_end_nor_memory_be_used_up() {
    for database in both().await {
        let site = limited(&database).await;
        let hashed = || site.server.app.people().unwrap().passwords_hashed();
        let (here, there) = ("198.51.100.1", "198.51.100.2");
        for name in ["ada", "ADA"] {
            assert_eq!(try_from(&site, here, name, ANOTHER).await.status, 401, "{}", database.name());
        }
        let before = hashed();
        must_wait(&try_from(&site, here, "ada", ANOTHER).await, "600", "wrong");
        must_wait(&try_from(&site, here, "ada", PASSWORD).await, "600", "right");
        must_wait(&try_from(&site, here, " Ada ", PASSWORD).await, "600", "written otherwise");
        assert_eq!(hashed(), before, "who must wait costs nothing");
        assert_eq!(try_from(&site, there, "ada", PASSWORD).await.status, 303, "she is not kept out elsewhere");
        site.clock.advance(Duration::from_millis(599_999));
        must_wait(&try_from(&site, here, "ada", PASSWORD).await, "1", "a millisecond early");
        site.clock.advance(Duration::from_millis(1));
        assert_eq!(try_from(&site, here, "ada", PASSWORD).await.status, 303, "{}", database.name());
        assert!(site.server.metric("rate_limited_total{limit=\"sign_in\"}").await >= 4.0);
        from_many_addresses_and_with_many_names(&site).await;
    }
    for database in both().await {
        let peak = sign_in_together(&database, 64).await;
        assert!(peak < 256 * 1_024, "{}: {peak} kB", database.name());
    }
}

/// A name is limited wherever the tries come from, and an address whatever names it tries.
async fn from_many_addresses_and_with_many_names(site: &Site) {
    add(site, "bob").await;
    for number in 0..10 {
        let answer = try_from(site, &format!("192.0.2.{}", number / 2), "bob", ANOTHER).await;
        assert_eq!(answer.status, 401, "{number}");
        let answer = try_from(site, "203.0.113.7", &format!("nobody-{number}"), PASSWORD).await;
        assert_eq!(answer.status, 401, "{number}");
    }
    must_wait(&try_from(site, "192.0.2.200", "bob", PASSWORD).await, "120", "many addresses");
    must_wait(&try_from(site, "203.0.113.7", "ada", PASSWORD).await, "120", "many names");
    assert_eq!(try_from(site, "192.0.2.200", "ada", PASSWORD).await.status, 303, "another name");
    site.clock.advance(Duration::from_secs(119));
    must_wait(&try_from(site, "192.0.2.201", "bob", PASSWORD).await, "1", "many addresses");
    site.clock.advance(Duration::from_secs(1));
    assert_eq!(try_from(site, "192.0.2.200", "bob", PASSWORD).await.status, 303, "by time it works again");
    assert_eq!(try_from(site, "203.0.113.7", "ada", PASSWORD).await.status, 303, "by time it works again");
}

/// The most memory, in kilobytes, that a server process needs when so many sign in at the same moment, and get in.
async fn sign_in_together(database: &Database, how_many: usize) -> u64 {
    let google = TestServer::start().await;
    let serving = Serving::on(database, &google.emulator.url(), &[("REVIEWS__AUTH__MODE", "oauth")]);
    let mut user = program();
    user.args(["user", "add", NAME, "--password-stdin"])
        .envs(database.environment())
        .env("REVIEWS__AUTH__MODE", "oauth");
    let mut user = user.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    user.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    let added = user.wait_with_output().unwrap();
    assert!(added.status.success(), "{}", stderr(&added));
    let base = format!("http://{}", serving.address());
    let page = Answer::of(google.http.get(format!("{base}/login")).send().await.unwrap()).await;
    let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let fields = [("csrf", page.field("csrf")), ("name", NAME.to_owned()), ("password", PASSWORD.to_owned())];
    let tries =
        (0..how_many).map(|_| http.post(format!("{base}/login")).header("cookie", &cookie).form(&fields).send());
    for answer in join_all(tries).await {
        let answer = Answer::of(answer.unwrap()).await;
        assert_eq!((answer.status, answer.location()), (303, "/connections"), "{}: {answer:?}", database.name());
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", serving.child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let (log, is_well) = serving.stop();
    assert!(is_well && !log.contains(PASSWORD), "{log}");
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

/// A page without what is another for every visitor and every name.
fn common(answer: &Answer, name: &str) -> String {
    let page = Regex::new("name=\"csrf\" value=\"[^\"]*\"").unwrap().replace_all(&answer.text, "CSRF").into_owned();
    let shown = format!("name=\"name\" value=\"{name}\"");
    assert!(page.contains(&shown) && page.contains("CSRF"), "{page}");
    page.replace(&shown, "NAME")
}

#[tokio::test]
async fn con_13_who_is_known_here_is_not_told() {
    for database in both().await {
        let site = Site::on(&database).await;
        let people = site.server.app.people().unwrap();
        people.add(PersonName::parse("without.password").unwrap(), None).await.unwrap();
        let mut browser = site.browser();
        let mut seen = BTreeMap::new();
        for name in [NAME, "ADA", "nobody", "without.password", "no name at all", "x", "root@example.org"] {
            let before = people.passwords_hashed();
            let answer = browser.sign_in("/login", name, ANOTHER).await;
            assert_eq!(answer.status, 401, "{name}");
            assert_eq!(people.passwords_hashed() - before, 1, "{}, {name}: the same work", database.name());
            assert_eq!(database.count("sessions").await, 0);
            let mut headers = answer.headers.clone();
            for other in ["date", "x-request-id", "content-length"] {
                headers.remove(other);
            }
            seen.entry((common(&answer, name), format!("{headers:?}"))).or_insert_with(Vec::new).push(name);
            harmless(&answer);
        }
        assert_eq!(seen.len(), 1, "{}: {seen:#?}", database.name());
        let before = people.passwords_hashed();
        for name in [NAME, "nobody"] {
            assert_eq!(browser.sign_in("/login", name, &"x".repeat(1_025)).await.status, 400, "{name}");
        }
        assert_eq!(people.passwords_hashed(), before, "nor by what is refused at once");
    }
    for database in both().await {
        let site = limited(&database).await;
        let mut seen = BTreeMap::new();
        for name in [NAME, "nobody"] {
            let mut statuses = Vec::new();
            for _ in 0..4 {
                let answer = try_from(&site, "198.51.100.1", name, ANOTHER).await;
                statuses.push((answer.status, answer.header("retry-after").to_owned(), common(&answer, name)));
            }
            seen.entry(statuses).or_insert_with(Vec::new).push(name);
        }
        assert_eq!(seen.len(), 1, "{}: {seen:#?}", database.name());
    }
}

#[tokio::test]
async fn con_14_what_cannot_be_a_password_is_none_and_the_same_one_is_the_same() {
    for database in both().await {
        let site = Site::on(&database).await;
        let people = site.server.app.people().unwrap();
        let before = people.passwords_hashed();
        for bad in
            ["x".repeat(1_025), "é".repeat(513), "x".repeat(30_000), "x".repeat(1_000_000), format!("{PASSWORD}\0")]
        {
            let answer = site.browser().sign_in("/login", NAME, &bad).await;
            assert_eq!((answer.status, answer.location()), (400, ""), "{}, {bad:.20}", database.name());
            assert!(!answer.text.contains(&bad), "{bad:.20}");
            harmless(&answer);
        }
        assert_eq!(people.passwords_hashed(), before, "{}: nothing was hashed", database.name());
        assert_eq!(site.browser().sign_in("/login", NAME, &"x".repeat(1_024)).await.status, 401, "one that could be");
        assert_eq!(people.passwords_hashed(), before + 1);

        // Set on one keyboard, typed on another.
        let bob = people.add(PersonName::parse("bob").unwrap(), None).await.unwrap();
        let link = people.link_for(&bob).await.unwrap().unwrap();
        let mut browser = site.browser();
        let before = people.passwords_hashed();
        let bad =
            ["x".repeat(1_025), "x".repeat(1_000_000), format!("{PASSWORD}\0"), "Zürich".to_owned(), "bob".to_owned()];
        for bad in bad.iter().map(String::as_str).chain(["", "zwölf\nZeichen und mehr"]) {
            let answer = set_up(&mut browser, link.expose_secret(), "", bad).await;
            assert_eq!((answer.status, answer.location()), (400, ""), "{}, {bad:.20}", database.name());
            harmless(&answer);
        }
        assert_eq!(people.passwords_hashed(), before, "{}", database.name());
        let done = set_up(&mut browser, link.expose_secret(), "", "Zürich Å ﬁnanz 12").await;
        assert_eq!((done.status, done.location()), (303, "/connections"), "{done:?}");
        for same in ["Zürich Å ﬁnanz 12", "Zu\u{308}rich \u{212b} finanz １２", "Zürich A\u{30a} finanz 12"] {
            assert_eq!(site.browser().sign_in("/login", "bob", same).await.status, 303, "{same}");
        }
        for other in ["Zurich Å ﬁnanz 12", "zürich å finanz 12", "Zürich Å finanz 12 "] {
            assert_eq!(site.browser().sign_in("/login", "bob", other).await.status, 401, "{other}");
        }
    }
}

/// Follows a link and chooses a name, where there is none yet, and a password.
async fn set_up(browser: &mut Browser<'_>, link: &str, name: &str, password: &str) -> Answer {
    let csrf = browser.get(&format!("/setup?link={link}")).await.field("csrf");
    let fields =
        [("csrf", csrf.as_str()), ("link", link), ("name", name), ("password", password), ("repeated", password)];
    browser.post("/setup", &fields).await
}

#[tokio::test]
async fn con_15_who_signs_out_is_out_also_with_the_old_cookie() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let asking = site.asking(&client);
        let mut other = agreed(&site, &client).await;
        let mut ada = site.signed_in().await;
        let page = ada.consent_page(&but(&asking, "prompt", "consent")).await;
        let request = page.field("request");
        let csrf = ada.get("/connections").await.field("csrf");
        foreign(&ada.post("/logout", &[]).await, "without a proof");
        assert_eq!(ada.get("/logout").await.status, 405, "a link signs nobody out");
        assert_eq!(ada.get("/connections").await.status, 200);

        let old = copy(&site, &ada);
        let left = ada.post("/logout", &[("csrf", csrf.as_str())]).await;
        assert_eq!((left.status, left.location()), (303, "/login"), "{left:?}");
        let cookie = left.header("set-cookie");
        assert!(cookie.starts_with("__Host-session=; ") && cookie.contains("Max-Age=0"), "{cookie}");
        assert!(
            cookie.contains("Secure") && cookie.contains("Path=/"),
            "or a browser would not take it back: {cookie}"
        );
        assert!(!ada.cookies.contains_key(SESSION));
        // A browser that has kept the cookie all the same, and all pages of before.
        let (before, was) = (kept(&database).await, || copy(&site, &old));
        assert_eq!(was().get("/connections").await.location(), "/login", "{}", database.name());
        assert_eq!(
            was().get(&format!("/consent?request={request}")).await.location(),
            format!("/login?request={request}")
        );
        foreign(&was().decide(&page, "allow", &EVERYTHING).await, "consent");
        let revoke = [("csrf", csrf.as_str()), ("revoke", &client.id), ("redirect_uri", &client.redirect)];
        foreign(&was().post("/connections", &revoke).await, "connections");
        foreign(&was().post("/logout", &[("csrf", csrf.as_str())]).await, "logout");
        assert!(
            was().authorize(&asking).await.location().starts_with("/login?request="),
            "not even what was agreed to"
        );
        let silent = was().authorize(&but(&asking, "prompt", "none")).await;
        assert_eq!(silent.parameter("error").as_deref(), Some("login_required"));
        assert_eq!(kept(&database).await, before, "{}", database.name());
        assert_eq!(other.get("/connections").await.status, 200, "her other browser is not signed out");
        assert_eq!(database.count("sessions").await, 1);
    }
}

#[tokio::test]
async fn con_18_every_answer_names_this_server() {
    for database in both().await {
        let site = Site::with(&database, &[("server.public_url", "https://reviews.example/")]).await;
        let (client, resource) = (site.client().await, "https://reviews.example/mcp");
        let asking = but(&site.asking(&client), "resource", resource);
        let mut ada = site.signed_in().await;
        let mut answers = vec![
            site.browser().authorize(&but(&asking, "prompt", "none")).await,
            ada.authorize(&but(&asking, "prompt", "none")).await,
            ada.agree(&asking).await,
        ];
        let code = answers[2].parameter("code").unwrap();
        let exchanging = but(&site.exchanging(&client, &code), "resource", resource);
        assert_eq!(site.token(&exchanging).await.status, 200);
        answers.push(ada.authorize(&asking).await);
        answers.push(ada.authorize(&but(&asking, "prompt", "none")).await);
        let page = ada.consent_page(&but(&asking, "prompt", "consent")).await;
        answers.push(ada.decide(&page, "deny", &[]).await);
        for (name, value) in [
            ("response_type", "token"),
            ("response_mode", "fragment"),
            ("scope", "openid"),
            ("resource", "https://other.example/mcp"),
            ("code_challenge", ""),
            ("request", "x"),
            ("request_uri", "https://other.example/"),
            ("prompt", "none login"),
            ("state", &"s".repeat(3_000)),
            ("iss", "https://evil.example"),
        ] {
            answers.push(ada.authorize(&but(&asking, name, value)).await);
        }
        let metadata = site.get("/.well-known/oauth-authorization-server").await.json();
        assert_eq!(metadata["issuer"], "https://reviews.example");
        assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
        let mut kinds = BTreeMap::new();
        for answer in &answers {
            let url = url::Url::parse(answer.location()).unwrap_or_else(|_| panic!("{answer:?}"));
            assert!(answer.status == 303 && answer.location().starts_with(CALLBACK), "{answer:?}");
            let names: Vec<String> =
                url.query_pairs().filter(|(name, _)| name == "iss").map(|(_, value)| value.into_owned()).collect();
            assert_eq!(names, ["https://reviews.example"], "{}: {answer:?}", database.name());
            *kinds.entry(answer.parameter("error").unwrap_or_else(|| "code".to_owned())).or_insert(0) += 1;
        }
        assert_eq!((kinds.len(), kinds["code"]), (10, 4), "{kinds:?}");
    }
}

#[tokio::test]
async fn con_19_nobody_is_signed_in_by_another_site() {
    for database in both().await {
        let site = Site::on(&database).await;
        add(&site, "mallory").await;
        let mut mallory = site.browser();
        let csrf = mallory.get("/login").await.field("csrf");
        let fields = [("csrf", csrf.as_str()), ("name", "mallory"), ("password", PASSWORD)];
        let mut ada = site.signed_in().await;
        let session = ada.cookies[SESSION].clone();
        let mut fresh = site.browser();
        let own = fresh.get("/login").await.field("csrf");
        let with_own = [("csrf", own.as_str()), ("name", "mallory"), ("password", PASSWORD)];
        for (headers, is_taken) in origins(&site.base) {
            let what = format!("{}, {headers:?}", database.name());
            let request = || with_headers(site.request(Method::POST, "/login"), &headers);
            // The proof of her own browser does not fit into theirs, wherever the form comes from.
            for browser in [&mut ada, &mut fresh, &mut site.browser()] {
                foreign(&browser.send(request().form(&fields)).await, &what);
            }
            // Nor does a proof that fits help a form that comes from elsewhere.
            if !is_taken {
                foreign(&fresh.send(request().form(&with_own)).await, &what);
            }
        }
        assert_eq!((&ada.cookies[SESSION], fresh.cookies.get(SESSION)), (&session, None));
        assert_eq!(database.count("sessions").await, 1, "{}", database.name());
        assert!(ada.get("/connections").await.text.contains("<bdi>ada</bdi>"));
        let plain = site.request(Method::POST, "/login").header("content-type", "text/plain");
        let as_text = plain.body(format!("csrf={own}&name=mallory&password=x"));
        let refused = fresh.send(as_text.header("sec-fetch-site", "same-origin")).await;
        assert_eq!((refused.status, refused.location()), (400, ""), "{refused:?}");
        assert_eq!(fresh.post("/login", &with_own).await.status, 303, "only where it came from was wrong");
    }
}

#[tokio::test]
async fn con_21_tokens_are_told_in_answers_of_the_token_endpoint_and_nowhere_else() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.register("Confidential", "client_secret_post", CALLBACK).await;
        let asking = site.asking(&client);
        let mut ada = site.browser();
        let sent = ada.authorize(&asking).await;
        let login = ada.get(sent.location()).await;
        let entered = ada.sign_in(sent.location(), NAME, PASSWORD).await;
        let page = ada.get(entered.location()).await;
        let allowed = ada.decide(&page, "allow", &EVERYTHING).await;
        let code = at_once(&allowed, &client, database.name());
        let told = site.exchange(&client, &code).await;
        let (access, refresh) = tokens(&told);
        let called = site.server.http.post(site.resource()).bearer_auth(&access).header("accept", "*/*");
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": "get_place", "arguments": {"place_id": BAKERY}}});
        let mut answers = vec![
            sent,
            login,
            page,
            Answer::of(called.json(&call).send().await.unwrap()).await,
            ada.get("/connections").await,
            ada.authorize(&asking).await,
            ada.authorize(&but(&asking, "response_type", "token")).await,
            site.exchange(&client, &code).await,
            ada.get("/").await,
            site.get("/jwks.json").await,
            site.get("/.well-known/oauth-authorization-server").await,
            site.get("/nothing").await,
        ];
        for (token, kind) in [(&access, "access_token"), (&refresh, "refresh_token")] {
            let secret = client.secret.as_deref().unwrap();
            let fields = [("token", token.as_str()), ("client_id", &client.id), ("client_secret", secret)];
            answers.push(site.post("/revoke", &fields).await);
            for path in ["/mcp", "/connections", "/authorize", "/login", "/token"] {
                // In an address it is of no use, and is not repeated.
                let in_address = format!("{path}?{kind}={token}");
                let answer = site.get(&in_address).await;
                assert!(answer.status != 200 || path == "/login", "{in_address}: {answer:?}");
                answers.push(answer);
                answers.push(site.post(&in_address, &[(kind, token)]).await);
            }
        }
        let session = ada.cookies[SESSION].clone();
        let of_client = client.secret.clone().unwrap();
        for answer in answers.iter().chain([&entered, &allowed]) {
            let text = format!("{:?} {}", answer.headers, answer.text);
            for secret in [&access, &refresh, &of_client, "grr_", "grs_", "eyJhbGci"] {
                assert!(!text.contains(secret), "{}: {answer:?}", database.name());
            }
            let is_entering = std::ptr::eq(answer, &raw const entered);
            assert!(is_entering || !text.contains(&session), "{}: {answer:?}", database.name());
            let is_allowing = std::ptr::eq(answer, &raw const allowed);
            assert!(is_allowing || !text.contains(&code), "{}: {answer:?}", database.name());
        }
        assert!(!entered.location().contains(&session) && !entered.text.contains(&session));
        assert!(!told.text.contains(&session) && told.headers.get("location").is_none());
    }
}

/// PostgreSQL takes no NUL in a text: what has one is unknown, and no fault of the database.
#[tokio::test]
async fn an_id_that_no_row_can_have_is_unknown() {
    for database in both().await {
        let site = Site::on(&database).await;
        let (client, id) = (site.client().await, "grc_\0");
        let refused = site.token(&but(&site.exchanging(&client, "grz_x"), "client_id", id)).await;
        assert_eq!((refused.status, refused.error().as_str()), (401, "invalid_client"), "{}", database.name());
        let forged = format!("x.{}.x", URL_SAFE_NO_PAD.encode(r#"{"sid":"\u0000"}"#));
        assert_eq!(site.post("/revoke", &[("token", &forged), ("client_id", &client.id)]).await.status, 200);
        let mut ada = agreed(&site, &client).await;
        let csrf = ada.get("/connections").await.field("csrf");
        for (client_id, place) in [(id, CALLBACK), (client.id.as_str(), "\0")] {
            let revoke = [("csrf", csrf.as_str()), ("revoke", client_id), ("redirect_uri", place)];
            let page = ada.post("/connections", &revoke).await;
            assert!(page.status == 200 && page.text.contains("Test client"), "{}: {page:?}", database.name());
        }
        assert_eq!(try_from(&site, "", "ada\0", PASSWORD).await.status, 401, "{}", database.name());
        is_spent(&ada.get("/setup?link=grl_%00").await, database.name());
    }
}

/// A server without people, and the link for the first one.
async fn deserted(database: &Database) -> (Site, String) {
    let site = Site::beside(database, Clock::manual(now()), &[]).await;
    let link = site.server.app.people().unwrap().first_link().await.unwrap().unwrap();
    (site, link.expose_secret().to_owned())
}

/// A link that is of no use.
#[track_caller]
fn is_spent(answer: &Answer, what: &str) {
    assert_eq!((answer.status, answer.location()), (400, ""), "{what}: {answer:?}");
    assert!(answer.text.contains("<h1>This link is of no use</h1>"), "{what}: {answer:?}");
    assert!(!answer.headers.contains_key("set-cookie") && !answer.text.contains("grl_"), "{what}: {answer:?}");
    harmless(answer);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn con_22_the_first_person_is_whoever_has_the_link_once_and_within_a_day() {
    for database in both().await {
        let (site, link) = deserted(&database).await;
        for wrong in ["", "grl_", "grl_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &link[..46], "' OR 1=1 --"] {
            is_spent(&site.browser().get(&format!("/setup?{}", written(&[("link", wrong.to_owned())]))).await, wrong);
        }
        is_spent(&site.browser().get("/setup").await, "no link");
        for round in 0..4 {
            let link = site.server.app.people().unwrap().first_link().await.unwrap().unwrap();
            race(&site, link.expose_secret(), &database, round).await;
            database.run("DELETE FROM people").await;
        }
        within_a_day(&site).await;
        assert_eq!(database.count("people").await, 1, "{}", database.name());
        assert!(site.server.app.first_link().await.unwrap().is_none(), "there is no link any more");
    }
}

/// Two browsers with one link: one of them is let in, and that is the first person.
async fn race(site: &Site, link: &str, database: &Database, round: usize) {
    let (mut ada, mut eve) = (site.browser(), site.browser());
    let path = format!("/setup?link={link}");
    let (page_of_ada, page_of_eve) = (ada.get(&path).await, eve.get(&path).await);
    let post = async |browser: &mut Browser<'_>, page: &Answer, name: &str| {
        let (csrf, password) = (page.field("csrf"), format!("the password of {name}"));
        let fields = [("csrf", csrf.as_str()), ("link", link), ("name", name), ("password", &password)];
        browser.post("/setup", &[&fields[..], &[("repeated", &password)]].concat()).await
    };
    foreign(&post(&mut eve, &page_of_ada, "eve").await, "the form of another browser");
    let (first, second) = tokio::join!(post(&mut ada, &page_of_ada, "ada"), post(&mut eve, &page_of_eve, "eve"));
    let what = format!("{}, {round}", database.name());
    let (winner, loser, name) = if first.status == 303 { (first, second, "ada") } else { (second, first, "eve") };
    assert_eq!((winner.status, winner.location()), (303, "/connections"), "{what}: {winner:?}");
    is_spent(&loser, &what);
    assert_eq!((database.count("people").await, database.count("sessions").await), (1, 1), "{what}");
    let (mut inside, mut outside) = if name == "ada" { (ada, eve) } else { (eve, ada) };
    assert!(inside.get("/connections").await.text.contains(&format!("<bdi>{name}</bdi>")), "{what}");
    assert_eq!(outside.get("/connections").await.location(), "/login", "{what}");
    for browser in [&mut inside, &mut outside] {
        is_spent(&browser.get(&path).await, &what);
    }
    let page = if name == "ada" { page_of_eve } else { page_of_ada };
    is_spent(&post(&mut outside, &page, "mallory").await, "used, and used again");
}

/// A link is good for a day, and so is the page that it led to.
async fn within_a_day(site: &Site) {
    let people = site.server.app.people().unwrap();
    let late = people.first_link().await.unwrap().unwrap();
    let late = late.expose_secret();
    let mut browser = site.browser();
    let path = format!("/setup?link={late}");
    let csrf = browser.get(&path).await.field("csrf");
    let fields = [("csrf", csrf.as_str()), ("link", late), ("name", "late"), ("password", PASSWORD)];
    site.clock.advance(Duration::from_millis(24 * 3_600_000 - 1));
    assert_eq!(browser.get(&path).await.status, 200, "in the last moment");
    site.clock.advance(Duration::from_millis(1));
    is_spent(&browser.get(&path).await, "a day later");
    is_spent(&browser.post("/setup", &[&fields[..], &[("repeated", PASSWORD)]].concat()).await, "a day later");
    let link = people.first_link().await.unwrap().unwrap();
    let replaced = people.first_link().await.unwrap().unwrap();
    is_spent(&browser.get(&format!("/setup?link={}", link.expose_secret())).await, "another was made");
    site.clock.advance(Duration::from_millis(24 * 3_600_000 - 1));
    assert_eq!(set_up(&mut browser, replaced.expose_secret(), "ada", PASSWORD).await.status, 303);
}
