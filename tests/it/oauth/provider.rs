//! Sign-in with accounts of a provider outside, as people do it, and as those do who attack it. The provider is played.

use super::redirects::tells_nothing;
use crate::support::{
    BAKERY, TestServer,
    binary::Serving,
    check,
    database::{Database, both},
    issuer::SigningKey,
    now,
    provider::{ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, FakeProvider, REFRESH_TOKEN, read},
    sign_in::{Answer, Browser, NAME, PASSWORD, Site, both as tokens, challenge},
    until,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use google_reviews_mcp::{clock::Clock, model::PersonName, store::Identity};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::sync::Barrier;

const SESSION: &str = "__Host-session";
const EVERYTHING: [&str; 3] = ["reviews:read", "reports:write", "offline_access"];

/// A server whose people come from a provider.
struct Delegated {
    site: Site,
    provider: FakeProvider,
}

impl Delegated {
    /// Where whoever has an address at example.com may sign in.
    async fn on(database: &Database) -> Self {
        Self::with(database, "example.com", &[]).await
    }

    async fn with(database: &Database, allowed: &str, more: &[(&'static str, &str)]) -> Self {
        let clock = Clock::manual(now());
        let provider = FakeProvider::start(clock.clone()).await;
        let settings = [&provider.settings(allowed), more].concat();
        Self { site: Site::beside(database, clock, &settings).await, provider }
    }

    /// With a provider that says this of itself.
    async fn saying(database: &Database, metadata: Value) -> Self {
        let clock = Clock::manual(now());
        let provider = FakeProvider::start(clock.clone()).await;
        provider.change(|answers| answers.metadata = metadata);
        Self { site: Site::beside(database, clock, &provider.settings("example.com")).await, provider }
    }

    /// Where a browser is sent from the page of sign-in.
    async fn leave(&self, browser: &mut Browser<'_>, page: &str) -> String {
        let shown = browser.get(page).await;
        let way = shown.text.split("href=\"").find(|part| part.starts_with("/login/provider"));
        let way =
            way.unwrap_or_else(|| panic!("no way to a provider: {shown:?}")).split('"').next().unwrap().to_owned();
        let sent = browser.get(&way).await;
        assert!(sent.status == 303 && sent.location().starts_with(&self.provider.url), "{sent:?}");
        sent.location().to_owned()
    }

    /// The path on which somebody comes back who has signed in there.
    async fn back(&self, browser: &mut Browser<'_>) -> String {
        let sent = browser.get("/login/provider").await;
        assert_eq!(sent.status, 303, "{sent:?}");
        self.provider.sign_in(sent.location())
    }

    /// What somebody is answered who has signed in there.
    async fn sign_in(&self, browser: &mut Browser<'_>) -> Answer {
        let back = self.back(browser).await;
        browser.get(&back).await
    }

    /// The same in a browser that has never been here, with this in the ID token.
    async fn claiming(&self, claims: Value) -> Answer {
        self.provider.change(|answers| answers.claims = claims);
        self.sign_in(&mut self.site.browser()).await
    }
}

/// Nobody is signed in, and nothing is told that should not be.
#[track_caller]
fn turned_away(answer: &Answer, status: u16, what: &str) {
    assert_eq!((answer.status, answer.location()), (status, ""), "{what}: {answer:?}");
    let cookies = answer.headers.get_all("set-cookie").iter();
    assert!(cookies.into_iter().all(|cookie| !cookie.to_str().unwrap().contains(SESSION)), "{what}: {answer:?}");
    tells_nothing(answer);
}

#[track_caller]
fn let_in(answer: &Answer, what: &str) {
    assert_eq!((answer.status, answer.location()), (303, "/connections"), "{what}: {answer:?}");
}

async fn names(database: &Database) -> Vec<String> {
    database.texts("SELECT name FROM people ORDER BY created_at_ms, name").await
}

#[tokio::test]
async fn somebody_with_an_account_of_the_provider_connects_a_client() {
    for database in both().await {
        let there = Delegated::on(&database).await;
        let (site, client) = (&there.site, there.site.client().await);
        let mut ada = site.browser();
        let login = ada.authorize(&site.asking(&client)).await;
        let page = ada.get(login.location()).await;
        assert!(page.text.contains("Sign in with <bdi>Example &#38; Sons</bdi>"), "{page:?}");

        let address = there.leave(&mut ada, login.location()).await;
        let (end, query) = address.split_once('?').unwrap();
        assert_eq!(end, format!("{}/authorize", there.provider.url));
        let asked = read(query);
        let callback = format!("{}/login/callback", site.base);
        for (name, value) in [
            ("policy", "1"),
            ("response_type", "code"),
            ("client_id", CLIENT_ID),
            ("redirect_uri", &callback),
            ("scope", "openid email"),
            ("code_challenge_method", "S256"),
        ] {
            assert_eq!(asked[name], value, "{name}");
        }
        assert_eq!((asked.len(), asked["code_challenge"].len(), asked["nonce"].len()), (9, 43, 43), "{asked:?}");
        let again = read(there.leave(&mut ada, login.location()).await.split_once('?').unwrap().1);
        for name in ["state", "nonce", "code_challenge"] {
            assert_ne!(asked[name], again[name], "{name} is new each time");
        }

        let back = there.provider.sign_in(&address);
        let arrived = ada.get(&back).await;
        assert!(arrived.status == 303 && arrived.location().starts_with("/consent?request="), "{arrived:?}");
        let page = ada.get(arrived.location()).await;
        assert!(page.text.contains("ada@example.com"), "{page:?}");
        let sent = ada.decide(&page, "allow", &EVERYTHING).await;
        let (access, _) = tokens(&site.exchange(&client, &sent.parameter("code").unwrap()).await);
        let params = json!({"name": "get_reviews", "arguments": {"place_id": BAKERY}});
        let answer = site.ask(&access, "tools/call", params).await;
        assert_eq!(answer.body["result"]["isError"], json!(false), "{}", answer.body);

        // Who has been here before is the same person, whatever their address is now.
        let claims = json!({"email": "countess@example.com"});
        let_in(&there.claiming(claims).await, "again");
        assert_eq!(names(&database).await, ["ada@example.com"], "{}", database.name());
        let_in(&there.claiming(json!({"sub": "eve-4711", "email": "eve@example.com"})).await, "somebody else");
        assert_eq!(names(&database).await.len(), 2);
        let kept = database.texts("SELECT subject FROM identities ORDER BY subject").await;
        assert_eq!(kept, ["ada-0815", "eve-4711"]);
        assert_eq!(database.count("sessions").await, 3);
    }
}

#[tokio::test]
async fn con_16_an_answer_of_the_provider_is_taken_once_in_the_browser_that_asked() {
    for database in both().await {
        let there = Delegated::on(&database).await;
        let (mut ada, mut eve) = (there.site.browser(), there.site.browser());
        let (back, of_eve) = (there.back(&mut ada).await, there.back(&mut eve).await);
        let (good, foreign) = (read(back.split_once('?').unwrap().1), read(of_eve.split_once('?').unwrap().1));
        let with =
            |state: &str| FakeProvider::back(&[("code", &good["code"]), ("state", state), ("iss", &good["iss"])]);
        let state = good["state"].as_str();
        let changed = format!("{}{}", &state[..state.len() - 1], if state.ends_with('A') { "B" } else { "A" });
        let asking = eve.authorize(&there.site.asking(&there.site.client().await)).await;
        let request = asking.location().split_once("request=").unwrap().1.to_owned();
        for (what, path) in [
            ("the state of another browser", of_eve.clone()),
            ("its state with a code of ours", with(&foreign["state"])),
            ("a changed state", with(&changed)),
            ("a shorter one", with(&state[..40])),
            ("another sealed text", with(&request)),
            ("no state", FakeProvider::back(&[("code", &good["code"])])),
            ("two states", format!("{back}&state={state}")),
            ("an error with a foreign state", FakeProvider::back(&[("error", "access_denied"), ("state", "x")])),
            ("nothing at all", "/login/callback".to_owned()),
        ] {
            turned_away(&ada.get(&path).await, 400, what);
        }
        turned_away(&there.site.browser().get(&back).await, 400, "no cookie");
        let mut other = there.site.browser();
        other.get("/login").await;
        turned_away(&other.get(&back).await, 400, "another cookie");
        assert_eq!((there.provider.exchanges(), database.count("decisions").await), (0, 0), "{}", database.name());

        let_in(&ada.get(&back).await, "the right one");
        turned_away(&ada.get(&back).await, 400, "a replay");
        let fresh = with(&read(there.back(&mut ada).await.split_once('?').unwrap().1)["state"]);
        turned_away(&ada.get(&fresh).await, 400, "a used code");
        turned_away(&ada.get(&fresh).await, 400, "whatever came of it, once");
        assert_eq!(there.provider.exchanges(), 2);

        let slow = there.back(&mut eve).await;
        there.site.clock.advance(Duration::from_mins(10));
        turned_away(&eve.get(&slow).await, 400, "after ten minutes");
        let in_time = there.back(&mut eve).await;
        there.site.clock.advance(Duration::from_millis(599_999));
        let_in(&eve.get(&in_time).await, "a moment before that");
        assert_eq!(there.site.server.metric("mcp_auth_failures_total{reason=\"bad_request\"}").await, 15.0);
    }
}

#[tokio::test]
async fn con_17_what_the_provider_says_is_shown_as_text_with_a_way_back() {
    let evil = "</p><script>alert(1)</script><img src=x onerror=alert(1)>\"'\u{202e}\n<b>";
    for database in both().await {
        let there = Delegated::on(&database).await;
        let client = there.site.client().await;
        let mut ada = there.site.browser();
        let login = ada.authorize(&there.site.asking(&client)).await.location().to_owned();
        let state = async |ada: &mut Browser<'_>| {
            read(there.leave(ada, &login).await.split_once('?').unwrap().1)["state"].clone()
        };
        for error in ["access_denied", "consent_required", "login_required", "interaction_required"] {
            for description in [evil, ""] {
                let told = [("error", error), ("error_description", description), ("iss", &there.provider.url)];
                let path = FakeProvider::back(&[&told[..], &[("state", &state(&mut ada).await)]].concat());
                let page = ada.get(&path).await;
                turned_away(&page, 403, error);
                assert!(!page.text.contains("<script") && !page.text.contains("<img") && !page.text.contains("<b>"));
                assert!(!page.text.contains('\u{202e}'), "{page:?}");
                let says = "Example &#38; Sons says: &#60;/p&#62;&#60;script&#62;alert(1)";
                assert_eq!(page.text.contains(says), !description.is_empty(), "{page:?}");
                let way = page.text.split("href=\"").find_map(|part| part.strip_prefix("/login?request=")).unwrap();
                let way = format!("/login?request={}", way.split('"').next().unwrap());
                assert!(ada.get(&way).await.text.contains("Test client"), "the way back goes on with the same request");
                turned_away(&ada.get(&path).await, 400, "a replay");
            }
        }
        for error in ["server_error", "temporarily_unavailable", "unauthorized_client", "invalid_scope", evil] {
            let told = [("error", error), ("error_description", evil), ("iss", there.provider.url.as_str())];
            let path = FakeProvider::back(&[&told[..], &[("state", &state(&mut ada).await)]].concat());
            let page = ada.get(&path).await;
            turned_away(&page, 503, error);
            assert_eq!(page.header("retry-after"), "5");
            assert!(!page.text.contains("alert(1)"), "{page:?}");
        }
        assert_eq!((there.provider.exchanges(), database.count("people").await), (0, 0), "{}", database.name());
    }
}

/// A change to what the provider does, and what is then counted.
type Forgery = (&'static str, Box<dyn Fn(&FakeProvider)>, &'static str);

fn claims(what: &'static str, claims: Value, reason: &'static str) -> Forgery {
    let change = move |provider: &FakeProvider| {
        let claims = claims.clone();
        provider.change(|answers| answers.claims = claims);
    };
    (what, Box::new(change), reason)
}

fn header(what: &'static str, header: &'static str, reason: &'static str) -> Forgery {
    (what, Box::new(move |provider| provider.change(|answers| header.clone_into(&mut answers.header))), reason)
}

fn forgeries() -> Vec<Forgery> {
    let seconds = now().as_second();
    let signed_by = |key: SigningKey, header: &'static str, what, reason| -> Forgery {
        let key = Arc::new(key);
        let change = move |provider: &FakeProvider| {
            provider.change(|answers| {
                answers.key = Arc::clone(&key);
                header.clone_into(&mut answers.header);
            });
        };
        (what, Box::new(change), reason)
    };
    vec![
        header("no algorithm", r#"{"alg":"none","kid":"one"}"#, "wrong_algorithm"),
        header("a shared secret", r#"{"alg":"HS256","kid":"one"}"#, "wrong_algorithm"),
        header("the algorithm of another key", r#"{"alg":"RS256","kid":"one"}"#, "wrong_algorithm"),
        header("a key that nobody has", r#"{"alg":"ES256","kid":"two"}"#, "unknown_key"),
        header("an access token", r#"{"alg":"ES256","kid":"one","typ":"at+jwt"}"#, "wrong_type"),
        header("a logout token", r#"{"alg":"ES256","kid":"one","typ":"logout+jwt"}"#, "wrong_type"),
        header("a demand", r#"{"alg":"ES256","kid":"one","crit":["x"]}"#, "unreadable"),
        signed_by(SigningKey::p256(), r#"{"alg":"ES256","kid":"one"}"#, "a foreign key", "wrong_signature"),
        signed_by(SigningKey::rsa(), r#"{"alg":"RS256","kid":"one"}"#, "a foreign RSA key", "wrong_algorithm"),
        claims("another issuer", json!({"iss": "https://evil.example"}), "wrong_issuer"),
        claims("another audience", json!({"aud": "somebody else"}), "wrong_audience"),
        claims("no audience", json!({"aud": []}), "wrong_audience"),
        claims("several audiences, none meant", json!({"aud": [CLIENT_ID, "somebody else"]}), "wrong_audience"),
        claims("several, another meant", json!({"aud": [CLIENT_ID, "x"], "azp": "x"}), "wrong_audience"),
        claims("for another party", json!({"azp": "somebody else"}), "wrong_audience"),
        claims("another nonce", json!({"nonce": "somebody else's"}), "wrong_claims"),
        claims("no nonce", json!({"nonce": null}), "wrong_claims"),
        claims("no subject", json!({"sub": null}), "wrong_claims"),
        claims("an empty subject", json!({"sub": ""}), "wrong_claims"),
        claims("a subject that is a number", json!({"sub": 815}), "wrong_claims"),
        claims("a long subject", json!({"sub": "x".repeat(256)}), "wrong_claims"),
        claims("over", json!({"exp": seconds - 30}), "expired"),
        claims("no end", json!({"exp": null}), "wrong_claims"),
        claims("an end that is a text", json!({"exp": "2099"}), "wrong_claims"),
        claims("of the future", json!({"iat": seconds + 31}), "not_yet_valid"),
        claims("for the future", json!({"nbf": seconds + 31}), "not_yet_valid"),
        claims("of no time", json!({"iat": null}), "wrong_claims"),
    ]
}

#[tokio::test]
async fn an_id_token_is_the_providers_for_this_server_and_this_sign_in_and_not_over() {
    for database in both().await {
        let there = Delegated::on(&database).await;
        let mut good = (String::new(), None);
        there.provider.change(|answers| good = (answers.header.clone(), Some(Arc::clone(&answers.key))));
        for (what, forge, reason) in forgeries() {
            forge(&there.provider);
            let metric = format!("mcp_auth_failures_total{{reason=\"{reason}\"}}");
            let before = there.site.server.metric(&metric).await;
            let answer = there.sign_in(&mut there.site.browser()).await;
            turned_away(&answer, 403, what);
            assert!(answer.text.contains("cannot be relied on"), "{what}: {answer:?}");
            assert_eq!(there.site.server.metric(&metric).await, before + 1.0, "{what}: {reason}");
            there.provider.change(|answers| {
                (answers.header, answers.key) = (good.0.clone(), good.1.clone().unwrap());
                answers.claims = json!({});
            });
        }
        for (what, token) in
            [("no token", json!({"access_token": "x"})), ("no text", json!({"id_token": 1})), ("nothing", json!([]))]
        {
            there.provider.change(|answers| answers.exchange = Some((200, token.to_string())));
            turned_away(&there.sign_in(&mut there.site.browser()).await, 503, what);
        }
        for token in ["", "x", "a.b", "a.b.c", "a.b.c.d.e"] {
            let answer = json!({"id_token": token}).to_string();
            there.provider.change(|answers| answers.exchange = Some((200, answer)));
            turned_away(&there.sign_in(&mut there.site.browser()).await, 403, token);
        }
        there.provider.change(|answers| answers.exchange = None);
        assert_eq!((database.count("people").await, database.count("sessions").await), (0, 0), "{}", database.name());

        // A token of another sign-in, which was good there.
        let_in(&there.claiming(json!({})).await, "good");
        let mut used = String::new();
        there.provider.change(|answers| used = answers.id_tokens.last().unwrap().clone());
        let answer = json!({"id_token": used}).to_string();
        there.provider.change(|answers| answers.exchange = Some((200, answer)));
        turned_away(&there.sign_in(&mut there.site.browser()).await, 403, "an ID token of another sign-in");
        there.provider.change(|answers| answers.exchange = None);
        let seconds = now().as_second();
        for good in [
            json!({"aud": [CLIENT_ID]}),
            json!({"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID}),
            json!({"exp": seconds - 29, "iat": seconds + 30}),
        ] {
            let_in(&there.claiming(good.clone()).await, &good.to_string());
        }
    }
}

#[tokio::test]
async fn who_may_sign_in_is_said_by_addresses_that_the_provider_has_verified() {
    for database in both().await {
        let there = Delegated::with(&database, "example.com Eve@Mail.Example", &[]).await;
        for (what, told, says) in [
            ("another domain", json!({"email": "ada@evil.example"}), "ada@evil.example is not on the list"),
            ("one below", json!({"email": "ada@mail.example.com"}), "ada@mail.example.com is not on the list"),
            ("one that ends alike", json!({"email": "ada@notexample.com"}), "ada@notexample.com is not on the list"),
            ("another person", json!({"email": "bob@mail.example"}), "bob@mail.example is not on the list"),
            ("not verified", json!({"email_verified": false}), "no mail address of yours that it has verified"),
            ("perhaps verified", json!({"email_verified": null}), "no mail address of yours that it has verified"),
            ("a number", json!({"email_verified": 1}), "no mail address of yours that it has verified"),
            ("no address", json!({"email": "<b>@example.com"}), "no mail address of yours that it has verified"),
            ("two", json!({"email": "x@evil.example, ada@example.com"}), "no mail address of yours"),
            ("two signs", json!({"email": "\"x@evil.example\"@example.com"}), "no mail address of yours"),
            ("letters that look alike", json!({"email": "ada@ex\u{430}mple.com"}), "no mail address of yours"),
            ("a list", json!({"email": ["ada@example.com"]}), "no mail address of yours"),
        ] {
            let answer = there.claiming(told).await;
            turned_away(&answer, 403, what);
            assert!(answer.text.contains(says), "{what}: {answer:?}");
        }
        assert_eq!(there.site.server.metric("mcp_auth_failures_total{reason=\"not_allowed\"}").await, 12.0);
        assert_eq!((database.count("people").await, database.count("identities").await), (0, 0), "{}", database.name());
        for good in ["ada@example.com", "ADA@EXAMPLE.COM", "eve@mail.example", "Eve@Mail.Example"] {
            let_in(&there.claiming(json!({"email": good, "sub": good.to_lowercase()})).await, good);
        }
        let in_a_word = json!({"email_verified": "true", "sub": "ada@example.com"});
        let_in(&there.claiming(in_a_word).await, "some say it in a word");
        assert_eq!(names(&database).await, ["ada@example.com", "eve@mail.example"]);
    }
}

/// Some providers tell of addresses only where they are asked for them.
#[tokio::test]
async fn an_address_that_is_not_in_the_token_is_asked_for() {
    for database in both().await {
        let there = Delegated::on(&database).await;
        let bare = || json!({"email": null, "email_verified": null});
        let person = |told: Value| there.provider.change(|answers| answers.person = Some(told));
        person(json!({"sub": "ada-0815", "email": "ada@example.com", "email_verified": true}));
        let_in(&there.claiming(bare()).await, database.name());
        person(json!({"sub": "eve-4711", "email": "eve@example.com", "email_verified": true}));
        turned_away(&there.claiming(bare()).await, 403, "of somebody else");
        person(json!({"email": "eve@example.com", "email_verified": true}));
        turned_away(&there.claiming(bare()).await, 403, "of nobody");
        person(json!({"sub": "ada-0815", "email": "ada@example.com"}));
        turned_away(&there.claiming(bare()).await, 403, "not verified");
        person(json!({"sub": "ada-0815", "email": "ada@example.com", "email_verified": true}));
        turned_away(&there.claiming(json!({"email": "ada@evil.example"})).await, 403, "the token counts");
        there.provider.change(|answers| answers.person = None);
        turned_away(&there.claiming(bare()).await, 503, "it is refused there");
        assert_eq!(names(&database).await, ["ada@example.com"]);
    }
}

#[tokio::test]
async fn everybody_may_sign_in_where_the_operator_says_so() {
    for database in both().await {
        let there = Delegated::with(&database, "*", &[]).await;
        for (subject, told, name) in [
            ("1", json!({"email": "o'brien@evil.example"}), "o_brien@evil.example"),
            ("2", json!({"email": null, "preferred_username": "Grace Hopper"}), "grace_hopper"),
            ("3", json!({"email": "not verified@x", "email_verified": false}), "somebody"),
        ] {
            let mut told = told;
            told["sub"] = json!(subject);
            let_in(&there.claiming(told).await, name);
            assert!(names(&database).await.contains(&name.to_owned()), "{}: {name}", database.name());
        }
    }
}

/// An address can be given to somebody else, and a name can be chosen by anybody: neither opens what is a person's.
#[tokio::test]
async fn an_account_opens_nothing_of_a_person_by_the_same_name() {
    for database in both().await {
        let there = Delegated::on(&database).await;
        let people = there.site.server.app.people().unwrap();
        people.add(PersonName::parse("ada@example.com").unwrap(), Some(PASSWORD)).await.unwrap();
        let mut local = there.site.browser();
        let_in(&local.sign_in("/login", "ada@example.com", PASSWORD).await, "by password");
        let client = there.site.client().await;
        let granted = local.agree(&there.site.asking(&client)).await;
        assert_eq!(granted.status, 303);
        for subject in ["ada-0815", "ada-0816"] {
            there.provider.change(|answers| answers.claims = json!({"sub": subject}));
            let mut browser = there.site.browser();
            let_in(&there.sign_in(&mut browser).await, subject);
            let page = browser.get("/connections").await;
            assert!(page.text.contains("ada@example.com-") && !page.text.contains("Test client"), "{page:?}");
        }
        let names: BTreeSet<String> = names(&database).await.into_iter().collect();
        assert_eq!(names.len(), 3, "{}: {names:?}", database.name());
        assert!(names.iter().all(|name| name.starts_with("ada@example.com")), "{names:?}");
    }
}

/// Two tabs, or two browsers, in which somebody signs in for the first time, at the same moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_comes_twice_at_once_is_one_person() {
    const AT_ONCE: usize = 4;
    for database in both().await {
        let site = Site::beside(&database, Clock::manual(now()), &[]).await;
        for round in 1..=30 {
            let barrier = Arc::new(Barrier::new(AT_ONCE));
            let arriving = (0..AT_ONCE).map(|_| {
                let (people, waits) = (site.server.app.people().unwrap().clone(), Arc::clone(&barrier));
                let account = Identity { issuer: "https://example.com".to_owned(), subject: format!("ada-{round}") };
                tokio::spawn(async move {
                    waits.wait().await;
                    people.sign_in_by(&account, &PersonName::like("ada@example.com")).await.unwrap().person.id
                })
            });
            let ids: BTreeSet<String> =
                futures_util::future::join_all(arriving).await.into_iter().map(Result::unwrap).collect();
            let counts = [database.count("people").await, database.count("identities").await];
            assert_eq!((ids.len(), counts), (1, [round; 2]), "{}, {round}", database.name());
        }
        assert_eq!(database.count("sessions").await, 30 * 4, "{}", database.name());
    }
}

#[tokio::test]
async fn an_answer_names_its_issuer_where_the_provider_says_that_it_does() {
    for database in both().await {
        let there = Delegated::on(&database).await;
        let mut ada = there.site.browser();
        let with = |back: &str, issuers: &[&str]| {
            let told = read(back.split_once('?').unwrap().1);
            let issuers = issuers.iter().map(|issuer| ("iss", *issuer));
            let told = [("code", told["code"].as_str()), ("state", told["state"].as_str())].into_iter().chain(issuers);
            FakeProvider::back(&told.collect::<Vec<_>>())
        };
        let (ours, slash) = (there.provider.url.clone(), format!("{}/", there.provider.url));
        for issuers in [&[][..], &["https://evil.example"], &[&slash], &[&ours, "https://evil.example"]] {
            let back = there.back(&mut ada).await;
            turned_away(&ada.get(&with(&back, issuers)).await, 400, &format!("{issuers:?}"));
        }
        assert_eq!(there.provider.exchanges(), 0, "{}", database.name());
        let silent = json!({"authorization_response_iss_parameter_supported": null});
        let old = Delegated::saying(&Database::sqlite(), silent).await;
        let mut ada = old.site.browser();
        let back = old.back(&mut ada).await;
        let told = read(back.split_once('?').unwrap().1);
        let bare = FakeProvider::back(&[("code", &told["code"]), ("state", &told["state"])]);
        let_in(&ada.get(&bare).await, "it does not say so");
    }
}

#[tokio::test]
async fn this_server_shows_who_it_is_as_the_provider_wants_it() {
    let database = Database::sqlite();
    for (methods, is_in_header) in [
        (json!(null), true),
        (json!(["client_secret_basic"]), true),
        (json!(["private_key_jwt", "client_secret_post", "client_secret_basic"]), true),
        (json!(["client_secret_post"]), false),
        (json!(["private_key_jwt"]), false),
    ] {
        let metadata = json!({"token_endpoint_auth_methods_supported": methods});
        let there = Delegated::saying(&database, metadata).await;
        let_in(&there.sign_in(&mut there.site.browser()).await, &methods.to_string());
        there.provider.change(|answers| {
            let (sender, form) = answers.exchanges.last().unwrap();
            assert_eq!(
                (sender.starts_with("Basic "), form.contains_key("client_secret")),
                (is_in_header, !is_in_header)
            );
            assert_eq!(challenge(&form["code_verifier"]).len(), 43);
        });
        there.site.server.app.stop().await;
    }
}

#[tokio::test]
async fn a_provider_that_is_away_keeps_nobody_else_from_signing_in() {
    for database in both().await {
        let clock = Clock::manual(now());
        let mut gone = FakeProvider::start(clock.clone()).await;
        "http://127.0.0.1:1".clone_into(&mut gone.url);
        let site = Site::with(&database, &gone.settings("example.com")).await;
        until("it is looked for", async || site.server.operations("/health").await.1.contains("cannot be reached"))
            .await;
        let page: Value = serde_json::from_str(&site.server.operations("/health").await.1).unwrap();
        assert_eq!(check(&page, "issuer")["state"], "down", "{page}");
        assert_eq!(site.server.operations("/readyz").await.0, 200, "who is signed in does not need it");
        assert_eq!(site.server.metric("dependency_up{dependency=\"issuer\"}").await, 0.0);
        let mut ada = site.browser();
        let login = ada.authorize(&site.asking(&site.client().await)).await.location().to_owned();
        let way = login.replace("/login?", "/login/provider?");
        let away = ada.get(&way).await;
        turned_away(&away, 503, database.name());
        assert_eq!(away.header("retry-after"), "5");
        assert!(away.text.contains(&format!("href=\"{login}\"")), "the way back: {away:?}");
        let entered = ada.sign_in(&login, NAME, PASSWORD).await;
        assert!(entered.location().starts_with("/consent?request="), "{entered:?}");
    }
}

#[tokio::test]
async fn a_provider_that_answers_nonsense_signs_nobody_in() {
    for database in both().await {
        let there = Delegated::on(&database).await;
        let large = json!({"id_token": "x".repeat(300 * 1024)}).to_string();
        for (status, body, shown) in [
            (500, "{}", 503),
            (503, "<h1>panic at line 1</h1>", 503),
            (401, "{}", 503),
            (302, "{}", 503),
            (400, "{\"error\":\"invalid_grant\"}", 400),
            (200, "no JSON", 503),
            (200, large.as_str(), 503),
        ] {
            there.provider.change(|answers| answers.exchange = Some((status, body.to_owned())));
            let answer = there.sign_in(&mut there.site.browser()).await;
            turned_away(&answer, shown, &format!("{status} {}", &body[..body.len().min(20)]));
            assert!(!answer.text.contains("panic"), "{answer:?}");
        }
        for metadata in [
            json!({"authorization_endpoint": null}),
            json!({"authorization_endpoint": "http://evil.example/"}),
            json!({"authorization_endpoint": "javascript:alert(1)"}),
            json!({"issuer": "https://evil.example"}),
            json!({"jwks_uri": "http://evil.example/keys"}),
        ] {
            let odd = Delegated::saying(&Database::sqlite(), metadata.clone()).await;
            let mut ada = odd.site.browser();
            ada.get("/login").await;
            turned_away(&ada.get("/login/provider").await, 503, &metadata.to_string());
        }
        assert_eq!(database.count("people").await, 0, "{}", database.name());
    }
}

#[tokio::test]
async fn where_there_are_no_passwords_nobody_chooses_or_sends_one() {
    for database in both().await {
        let there = Delegated::with(&database, "example.com", &[("auth.login.passwords", "false")]).await;
        let site = &there.site;
        site.server.app.people().unwrap().add(PersonName::parse(NAME).unwrap(), Some(PASSWORD)).await.unwrap();
        let mut ada = site.browser();
        let page = ada.get("/login").await;
        assert!(!page.text.contains("password\"") && !page.text.contains("<form"), "{page:?}");
        let fields = [("csrf", "x"), ("request", ""), ("name", NAME), ("password", PASSWORD)];
        turned_away(&ada.post("/login", &fields).await, 400, "a password");
        assert_eq!(ada.get("/setup?link=grl_x").await.status, 404);
        assert!(site.server.app.first_link().await.unwrap().is_none());
        let_in(&there.sign_in(&mut ada).await, database.name());
        let csrf = ada.get("/connections").await.field("csrf");
        assert_eq!(ada.post("/logout", &[("csrf", &csrf)]).await.location(), "/login");
    }
}

/// Each answer costs the provider a question.
#[tokio::test]
async fn a_browser_that_comes_back_too_often_has_to_wait() {
    let database = Database::sqlite();
    let there = Delegated::with(&database, "example.com", &[("limits.enabled", "true")]).await;
    let mut ada = there.site.browser();
    for _ in 0..10 {
        let_in(&there.sign_in(&mut ada).await, "within the limit");
        let csrf = ada.get("/connections").await.field("csrf");
        ada.post("/logout", &[("csrf", &csrf)]).await;
    }
    let back = there.back(&mut ada).await;
    let told = ada.get(&back).await;
    turned_away(&told, 429, "one more");
    assert_eq!((there.provider.exchanges(), told.header("retry-after").is_empty()), (10, false));
    there.site.clock.advance(Duration::from_mins(1));
    let_in(&ada.get(&back).await, "it was not used up");
}

#[tokio::test]
async fn nothing_of_the_providers_is_kept_or_logged() {
    for (database, level) in both().await.into_iter().zip(["trace", "debug"]) {
        let google = TestServer::start().await;
        let provider = FakeProvider::start(Clock::system()).await;
        let name = |key: &str| format!("REVIEWS__{}", key.to_uppercase().replace('.', "__"));
        let mut settings: Vec<(String, &str)> =
            provider.settings("example.com").into_iter().map(|(key, value)| (name(key), value)).collect();
        settings.extend([(name("auth.mode"), "oauth"), (name("log.level"), level)]);
        let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let serving = Serving::on(&database, &google.emulator.url(), &settings);
        let ready = format!("{}/readyz", serving.operations);
        until("it is ready", async || reqwest::get(&ready).await.is_ok_and(|answer| answer.status() == 200)).await;
        let site = Site::at(serving.endpoint.trim_end_matches("/mcp"), google, Clock::system());
        let there = Delegated { site, provider };
        let mut ada = there.site.browser();
        let back = there.back(&mut ada).await;
        let mut secrets = vec![
            read(back.split_once('?').unwrap().1)["code"].clone(),
            read(back.split_once('?').unwrap().1)["state"].clone(),
            ACCESS_TOKEN.to_owned(),
            REFRESH_TOKEN.to_owned(),
            CLIENT_SECRET.to_owned(),
            URL_SAFE_NO_PAD.encode(CLIENT_SECRET),
        ];
        let arrived = ada.get(&back).await;
        let_in(&arrived, level);
        let forged = there.claiming(json!({"nonce": "x"})).await;
        turned_away(&forged, 403, "forged");
        there.provider.change(|answers| {
            for (sender, form) in &answers.exchanges {
                secrets.extend([sender["Basic ".len()..].to_owned(), form["code_verifier"].clone()]);
            }
            secrets.extend(answers.id_tokens.iter().flat_map(|token| token.split('.').skip(1)).map(str::to_owned));
        });
        assert_eq!(secrets.len(), 14);
        let mut places = database.contents().await;
        for (what, answer) in [("the page", &arrived), ("the refusal", &forged)] {
            places.push((what.to_owned(), format!("{:?}{}", answer.headers, answer.text).into_bytes()));
        }
        let start = serving.start.clone();
        let (rest, _) = tokio::task::spawn_blocking(move || serving.stop()).await.unwrap();
        assert!(rest.contains("nobody was signed in who came from the login provider"), "{rest}");
        places.push(("the log".to_owned(), (start + &rest).into_bytes()));
        for (place, bytes) in places {
            let text = String::from_utf8_lossy(&bytes);
            for secret in &secrets {
                assert!(!text.contains(secret.as_str()), "{}: {secret} is in {place}", database.name());
            }
        }
    }
}
