//! PKCE: a code is of use only to who made the request for it. Source: RFC 7636; RFC 9700 §2.1.1.

use super::codes::refused;
use crate::support::{
    database::{Database, both},
    sign_in::{Browser, CALLBACK, Client, LOOPBACK, STATE, Site, VERIFIER, both as tokens, but, challenge},
};

type Fields = Vec<(&'static str, String)>;

/// So long that it can be a verifier, and not the one.
const OTHER: &str = "another-verifier-that-is-long-enough-for-it-all";
const BAD_REQUESTS: &str = "mcp_auth_failures_total{reason=\"bad_request\"}";

/// With one more parameter, whatever is there already.
fn and(fields: &Fields, name: &'static str, value: &str) -> Fields {
    let mut fields = fields.clone();
    fields.push((name, value.to_owned()));
    fields
}

/// One where nobody is signed in, and one of a person who is not even asked, as they have agreed to the same before.
async fn browsers<'a>(site: &'a Site, client: &Client) -> [Browser<'a>; 2] {
    let mut known = site.signed_in().await;
    let code = known.code(client).await;
    tokens(&site.exchange(client, &code).await);
    let at_once = known.authorize(&site.asking(client)).await;
    assert!(at_once.parameter("code").is_some(), "{at_once:?}");
    [site.browser(), known]
}

/// Holds, in both browsers and on both databases, that with none of the requests that `wrong` makes of a good one anybody is
/// asked or gets a code, and that the client is told.
async fn none_is_taken(wrong: impl Fn(&Fields) -> Vec<Fields>) {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let mut browsers = browsers(&site, &client).await;
        all_are_refused(&site, &database, &mut browsers, &wrong(&site.asking(&client))).await;
    }
}

async fn all_are_refused(site: &Site, database: &Database, browsers: &mut [Browser<'_>], wrong: &[Fields]) {
    let (grants, counted) = (database.count("grants").await, site.server.metric(BAD_REQUESTS).await);
    let mut refusals = 0.0;
    for asking in wrong {
        for browser in &mut *browsers {
            let told = browser.authorize(asking).await;
            let what = format!("{}: {asking:?}: {told:?}", database.name());
            assert_eq!((told.status, told.parameter("error").as_deref()), (303, Some("invalid_request")), "{what}");
            assert!(told.location().starts_with(&format!("{CALLBACK}?")), "{what}");
            assert_eq!(told.parameter("state").as_deref(), Some(STATE), "{what}");
            assert_eq!(told.parameter("iss").as_deref(), Some(site.base.as_str()), "{what}");
            assert!(
                told.parameter("error_description")
                    .is_some_and(|told| told.contains("code_challenge") || told.contains("twice")),
                "{what}"
            );
            assert_eq!((told.parameter("code"), told.text.as_str()), (None, ""), "{what}");
            refusals += 1.0;
        }
    }
    assert_eq!(database.count("grants").await, grants, "{}: nothing was granted", database.name());
    assert_eq!(site.server.metric(BAD_REQUESTS).await - counted, refusals, "{}: each is counted", database.name());
}

/// A code that this request got, from a person who agrees.
async fn code_for(browser: &mut Browser<'_>, asking: &Fields) -> String {
    let sent = browser.agree(asking).await;
    sent.parameter("code").unwrap_or_else(|| panic!("no code: {sent:?}"))
}

/// Holds that none of these verifiers is taken for a new code of this client, and that the true one still is.
async fn only_its_own_is_taken(site: &Site, client: &Client, wrong: &[&str]) {
    let code = site.code(client).await;
    for verifier in wrong {
        let fields = but(&site.exchanging(client, &code), "code_verifier", verifier);
        refused(&site.token(&fields).await, "invalid_grant", verifier);
    }
    tokens(&site.exchange(client, &code).await);
}

#[tokio::test]
async fn pkce_01_without_a_challenge_nobody_is_asked() {
    none_is_taken(|good| {
        let none = but(good, "code_challenge", "");
        let neither = but(&none, "code_challenge_method", "");
        vec![and(&none, "code_challenge", ""), none, neither]
    })
    .await;
}

#[tokio::test]
async fn pkce_02_a_verifier_in_plain_is_no_challenge() {
    let database = Database::sqlite();
    let site = Site::on(&database).await;
    let metadata = site.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    none_is_taken(|good| {
        let methods = ["plain", "PLAIN", "Plain"].map(|method| but(good, "code_challenge_method", method));
        methods.iter().flat_map(|asking| [asking.clone(), but(asking, "code_challenge", VERIFIER)]).collect()
    })
    .await;
}

#[tokio::test]
async fn pkce_03_a_challenge_without_a_method_is_none() {
    none_is_taken(|good| {
        let none = but(good, "code_challenge_method", "");
        vec![but(&none, "code_challenge", VERIFIER), and(&none, "code_challenge_method", ""), none]
    })
    .await;
}

#[tokio::test]
async fn pkce_04_without_its_verifier_a_code_gives_nothing() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let code = site.code(&client).await;
        let none = but(&site.exchanging(&client, &code), "code_verifier", "");
        for fields in [and(&none, "code_verifier", ""), and(&none, "code_challenge", &challenge(VERIFIER)), none] {
            refused(&site.token(&fields).await, "invalid_grant", &format!("{fields:?}"));
        }
        tokens(&site.exchange(&client, &code).await);
    }
}

#[tokio::test]
async fn pkce_05_another_verifier_than_its_own_gives_nothing() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.register("Test client", "none", LOOPBACK).await;
        let (hash, swapped) = (challenge(VERIFIER), VERIFIER.to_uppercase());
        let longer = format!("{VERIFIER}1");
        let shorter = &VERIFIER[..VERIFIER.len() - 1];
        only_its_own_is_taken(&site, &client, &[OTHER, &hash, &challenge(&hash), &swapped, &longer, shorter]).await;

        // The verifier of another request of the same client, made at the same time, fits that one alone.
        let mut browser = site.signed_in().await;
        let asking = site.asking(&client);
        let codes = [
            code_for(&mut browser, &asking).await,
            code_for(&mut browser, &but(&asking, "code_challenge", &challenge(OTHER))).await,
        ];
        for (code, verifier) in codes.iter().zip([OTHER, VERIFIER]) {
            let fields = but(&site.exchanging(&client, code), "code_verifier", verifier);
            refused(&site.token(&fields).await, "invalid_grant", "crossed");
        }
        for (code, verifier) in codes.iter().zip([VERIFIER, OTHER]) {
            tokens(&site.token(&but(&site.exchanging(&client, code), "code_verifier", verifier)).await);
        }
    }
}

/// Whoever takes the challenge out of a request on its way, or puts their own in, gets no code that they could use.
#[tokio::test]
async fn pkce_06_nobody_takes_the_challenge_out_on_the_way() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let mut browsers = browsers(&site, &client).await;
        let asking = site.asking(&client);
        // Asked for without, to be exchanged with any verifier.
        let none = but(&but(&asking, "code_challenge", ""), "code_challenge_method", "");
        all_are_refused(&site, &database, &mut browsers, &[none]).await;

        // Put in beside a form of ours: what was asked for stays.
        let [_, mut browser] = browsers;
        let page = browser.consent_page(&and(&asking, "prompt", "consent")).await;
        let (csrf, request) = (page.field("csrf"), page.field("request"));
        let own = challenge(OTHER);
        let fields = [
            ("csrf", csrf.as_str()),
            ("request", &request),
            ("decision", "allow"),
            ("scope.reviews:read", "on"),
            ("code_challenge", &own),
            ("code_challenge_method", "plain"),
        ];
        let code = browser.post("/consent", &fields).await.parameter("code").expect("a code");
        for verifier in [OTHER, &own] {
            let fields = but(&site.exchanging(&client, &code), "code_verifier", verifier);
            refused(&site.token(&fields).await, "invalid_grant", verifier);
        }
        assert_eq!(site.exchange(&client, &code).await.status, 200, "{}", database.name());

        // Were there ever a code without a challenge, nothing would fit it, and nothing would not either.
        let code = code_for(&mut browser, &and(&asking, "prompt", "consent")).await;
        database.run("UPDATE grants SET challenge = '' WHERE generation = 0").await;
        let good = site.exchanging(&client, &code);
        for fields in
            [but(&good, "code_verifier", ""), and(&but(&good, "code_verifier", ""), "code_verifier", ""), good]
        {
            refused(&site.token(&fields).await, "invalid_grant", &format!("{fields:?}"));
        }
    }
}

/// Each comes with the challenge that is its own hash: what is wrong with it is its form alone.
#[tokio::test]
async fn pkce_07_a_verifier_has_43_to_128_plain_letters() {
    let (short, shortest) = ("a".repeat(42), "a".repeat(43));
    let (longest, long) = ("Z9-._~".repeat(21) + "aa", "a".repeat(129));
    let with = |letters: &str| format!("{letters}{}", "a".repeat(50));
    let wrong = ["+", "/", "=", " ", "%", "\0", "é", "\n", "{"].map(with);
    let end = wrong[5].chars().rev().collect::<String>();
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.register("Test client", "none", LOOPBACK).await;
        let mut browser = site.signed_in().await;
        let all_wrong = wrong.iter().map(String::as_str).chain(["", "a", &short, &long, &end]);
        for (verifier, is_right) in all_wrong.map(|wrong| (wrong, false)).chain([(&*shortest, true), (&*longest, true)])
        {
            let asking = but(&site.asking(&client), "code_challenge", &challenge(verifier));
            let code = code_for(&mut browser, &asking).await;
            let fields = and(&but(&site.exchanging(&client, &code), "code_verifier", ""), "code_verifier", verifier);
            let answer = site.token(&fields).await;
            if is_right {
                tokens(&answer);
            } else {
                refused(&answer, "invalid_grant", &format!("{}, {verifier:?}", database.name()));
            }
        }
    }
}

#[tokio::test]
async fn pkce_08_a_challenge_has_43_letters_of_base64url() {
    let hash = challenge(VERIFIER);
    let shorter = &hash[..42];
    let with = |letter: &str| format!("{shorter}{letter}");
    let hex = google_reviews_mcp::model::sha256_hex(VERIFIER);
    let wrong = [
        shorter.to_owned(),
        with("AA"),
        format!("{hash}="),
        with("+"),
        with("/"),
        with("="),
        with("."),
        with("~"),
        with(" "),
        with("\0"),
        with("é"),
        format!("{}é", &hash[..41]),
        hex,
        "A".to_owned(),
        "A".repeat(5_000),
    ];
    none_is_taken(|good| wrong.iter().map(|wrong| but(good, "code_challenge", wrong)).collect()).await;
}

#[tokio::test]
async fn pkce_09_the_method_is_s256_letter_by_letter() {
    let wrong = ["s256", "S256 ", " S256", "S-256", "S256\0", "S256\n", "S256,plain", "S256 plain", "sha256", "S512"];
    none_is_taken(|good| wrong.map(|wrong| but(good, "code_challenge_method", wrong)).to_vec()).await;
}

#[tokio::test]
async fn pkce_10_of_two_challenges_neither_counts() {
    none_is_taken(|good| {
        let none = but(good, "code_challenge", "");
        let twice = |one: &str, other: &str| and(&and(&none, "code_challenge", one), "code_challenge", other);
        let (own, other) = (challenge(VERIFIER), challenge(OTHER));
        vec![
            twice(&own, &own),
            twice(&own, &other),
            twice(&other, &own),
            twice(&own, ""),
            twice("", &own),
            and(good, "code_challenge_method", "S256"),
            and(good, "code_challenge_method", "plain"),
            and(good, "code_challenge_method", ""),
        ]
    })
    .await;

    // Of two verifiers neither.
    let database = Database::sqlite();
    let site = Site::on(&database).await;
    let client = site.client().await;
    let code = site.code(&client).await;
    let good = site.exchanging(&client, &code);
    for other in [VERIFIER, OTHER, ""] {
        refused(&site.token(&and(&good, "code_verifier", other)).await, "invalid_request", other);
    }
    tokens(&site.exchange(&client, &code).await);
}

/// A secret is no substitute: it says which client asks, and not that the code came to who asked for it.
#[tokio::test]
async fn pkce_11_clients_with_a_secret_are_held_to_it_too() {
    for database in both().await {
        let site = Site::on(&database).await;
        for method in ["client_secret_post", "client_secret_basic"] {
            let client = site.register(method, method, CALLBACK).await;
            assert!(client.secret.is_some());
            let good = site.asking(&client);
            let none = but(&good, "code_challenge", "");
            let neither = but(&none, "code_challenge_method", "");
            let plain = but(&good, "code_challenge_method", "plain");
            let mut browsers = browsers(&site, &client).await;
            all_are_refused(&site, &database, &mut browsers, &[none, neither, plain]).await;

            let client = site.register(method, method, LOOPBACK).await;
            only_its_own_is_taken(&site, &client, &["", OTHER, &challenge(VERIFIER)]).await;
        }
    }
}

/// A wrong verifier uses nothing up: whoever has found a code, and cannot use it, cannot keep its owner from using it either.
/// Whoever has not found it is told the same, and comes no further.
#[tokio::test]
async fn pkce_12_a_wrong_verifier_spoils_nothing() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let code = site.code(&client).await;
        let mut told = Vec::new();
        for attempt in 0..30 {
            let guess = format!("{attempt:043}");
            let found = but(&site.exchanging(&client, &code), "code_verifier", &guess);
            let missed = site.exchanging(&client, &format!("grz_{guess}"));
            for fields in [found, missed] {
                let answer = site.token(&fields).await;
                refused(&answer, "invalid_grant", &guess);
                told.push(answer.text);
            }
        }
        told.dedup();
        assert_eq!(told.len(), 1, "{}: found or missed, all are told the same", database.name());
        assert_eq!(database.numbers("SELECT generation FROM grants WHERE revoked_at_ms IS NULL").await, [0]);
        let (access, _) = tokens(&site.exchange(&client, &code).await);
        assert_eq!(site.opens(&access).await, 200, "{}", database.name());
    }
}
