//! Codes: given once, to one client, for one redirect and one verifier.

use crate::support::{
    TestServer,
    binary::Serving,
    database::{Database, both},
    free_port, rpc,
    sign_in::{
        Answer, Browser, CALLBACK, Client, LOOPBACK, NAME, PASSWORD, Site, VERIFIER, both as tokens, but, challenge,
    },
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use futures_util::future::join_all;
use google_reviews_mcp::{
    clock::Clock,
    model::{PersonName, hex, sha256_hex},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};
use tokio::sync::{Barrier, Notify};

/// Holds that `/token` refuses this by this name, and tells nothing of what it was sent or of itself.
#[track_caller]
pub(super) fn refused(answer: &Answer, error: &str, what: &str) {
    let status = if error == "invalid_client" { 401 } else { 400 };
    assert_eq!((answer.status, answer.error().as_str()), (status, error), "{what}: {answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store", "{what}");
    let told: Vec<String> = answer.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(told, ["error", "error_description"], "{what}");
    for word in ["grz_", "grr_", "grs_", "eyJ", VERIFIER, &challenge(VERIFIER), "SELECT", "UPDATE", "sqlx", "panicked"]
    {
        assert!(!answer.text.contains(word), "{what}: {word} in {answer:?}");
    }
}

/// Holds that the tokens of a client are dead.
async fn are_dead(site: &Site, client: &Client, (access, refresh): &(String, String), what: &str) {
    assert_eq!(site.opens(access).await, 401, "{what}");
    refused(&site.refresh(client, refresh).await, "invalid_grant", what);
}

/// Holds that they live, and uses them.
async fn live(site: &Site, client: &Client, (access, refresh): &(String, String), what: &str) {
    assert_eq!(site.opens(access).await, 200, "{what}");
    let (newer, _) = tokens(&site.refresh(client, refresh).await);
    assert_eq!(site.opens(&newer).await, 200, "{what}");
}

/// Holds that none of these is exchanged, and that the code is not used up by any.
async fn none_is_exchanged(
    site: &Site,
    client: &Client,
    code: &str,
    (error, wrong): (&str, &[Vec<(&'static str, String)>]),
) -> (String, String) {
    for fields in wrong {
        refused(&site.token(fields).await, error, &format!("{fields:?}"));
    }
    let given = tokens(&site.exchange(client, code).await);
    assert_eq!(site.opens(&given.0).await, 200);
    given
}

/// What an access token says.
fn claims(access: &str) -> Value {
    let payload = access.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn a_code_becomes_tokens_that_open() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let code = site.code(&client).await;
        let answer = site.exchange(&client, &code).await;
        let (access, refresh) = tokens(&answer);
        assert_eq!(answer.json()["scope"], "reviews:read reports:write offline_access");
        assert_eq!(site.opens(&access).await, 200);
        let (newer, _) = tokens(&site.refresh(&client, &refresh).await);
        assert_eq!(site.opens(&newer).await, 200, "{}", database.name());
    }
}

/// However late: also when its own time has long been over, and when its tokens were replaced. What else the same client has
/// stays.
#[tokio::test]
async fn code_01_a_code_that_comes_again_takes_back_what_it_gave() {
    const HOUR: Duration = Duration::from_hours(1);
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.register("Test client", "none", LOOPBACK).await;
        for (later, is_refreshed) in [(Duration::from_secs(30), false), (HOUR, true)] {
            let what = format!("{}, {later:?}", database.name());
            let other = site.tokens(&client).await;
            let code = site.code(&client).await;
            let mut given = tokens(&site.exchange(&client, &code).await);
            assert_eq!(site.opens(&given.0).await, 200, "{what}");
            site.clock.advance(later);
            if is_refreshed {
                given = tokens(&site.refresh(&client, &given.1).await);
                assert_eq!(site.opens(&given.0).await, 200, "{what}");
            }
            refused(&site.exchange(&client, &code).await, "invalid_grant", &what);
            are_dead(&site, &client, &given, &what).await;
            tokens(&site.refresh(&client, &other.1).await);
            refused(&site.exchange(&client, &code).await, "invalid_grant", &what);
        }
    }
}

/// Whoever has found the code, and cannot use it, cannot take anything from its owner either.
#[tokio::test]
async fn code_02_who_could_not_use_a_code_takes_nothing_back_with_it() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.register("Owner", "client_secret_post", CALLBACK).await;
        let other = site.register("Other", "none", CALLBACK).await;
        let confidential = site.register("Third", "client_secret_post", CALLBACK).await;
        let code = site.code(&client).await;
        let good = site.exchanging(&client, &code);
        let given = tokens(&site.exchange(&client, &code).await);
        for (name, value, error) in [
            ("code_verifier", "a-verifier-that-was-guessed-and-is-long-enough", "invalid_grant"),
            ("code_verifier", &challenge(VERIFIER), "invalid_grant"),
            ("code_verifier", "", "invalid_grant"),
            ("redirect_uri", LOOPBACK, "invalid_grant"),
            ("redirect_uri", "", "invalid_grant"),
            ("resource", "https://other.example/mcp", "invalid_target"),
            ("client_secret", "grs_guessed", "invalid_client"),
            ("client_secret", "", "invalid_client"),
            ("client_id", &other.id, "invalid_client"),
            ("client_id", "grc_unknown", "invalid_client"),
            ("client_id", "", "invalid_client"),
        ] {
            refused(&site.token(&but(&good, name, value)).await, error, &format!("{name}={value}"));
        }
        for thief in [&other, &confidential] {
            refused(&site.exchange(thief, &code).await, "invalid_grant", &thief.id);
        }
        live(&site, &client, &given, database.name()).await;
    }
}

/// There is no grace, however soon it comes: who lost an answer cannot be told from who stole the code, and to connect again
/// is one click.
#[tokio::test]
async fn code_03_a_code_has_no_grace_for_lost_answers() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        for later in [Duration::ZERO, Duration::from_millis(1), Duration::from_secs(20)] {
            let what = format!("{}, {later:?}", database.name());
            let mut browser = site.signed_in().await;
            let code = browser.code(&client).await;
            let lost = tokens(&site.exchange(&client, &code).await);
            site.clock.advance(later);
            refused(&site.exchange(&client, &code).await, "invalid_grant", &what);
            are_dead(&site, &client, &lost, &what).await;

            let code = browser.code(&client).await;
            let given = tokens(&site.exchange(&client, &code).await);
            live(&site, &client, &given, &what).await;
            // So that this person is asked again.
            disconnect(&mut browser, &client).await;
        }
    }
}

/// On PostgreSQL they reach two servers. As a code that comes again takes back what it gave, none of them keeps anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn code_04_of_many_who_bring_a_code_at_once_one_gets_tokens() {
    const ROUNDS: usize = 50;
    const AT_ONCE: usize = 4;
    for database in both().await {
        let mut sites = vec![Site::on(&database).await];
        if matches!(database, Database::Postgres(_)) {
            sites.push(Site::beside(&database, sites[0].clock.clone(), &[]).await);
        }
        let client = sites[0].client().await;
        let mut browser = sites[0].signed_in().await;
        for round in 0..ROUNDS {
            let what = format!("{}, round {round}", database.name());
            let code = browser.code(&client).await;
            let barrier = Barrier::new(AT_ONCE);
            let brought = (0..AT_ONCE).map(async |each| {
                barrier.wait().await;
                let site = &sites[(each + round) % sites.len()];
                (site, site.exchange(&client, &code).await)
            });
            let (given, refusals): (Vec<_>, Vec<_>) =
                join_all(brought).await.into_iter().partition(|(_, answer)| answer.status == 200);
            assert_eq!((given.len(), refusals.len()), (1, AT_ONCE - 1), "{what}");
            for (_, refusal) in refusals {
                refused(&refusal, "invalid_grant", &what);
            }
            let (site, answer) = &given[0];
            are_dead(site, &client, &tokens(answer), &what).await;
        }
        let exchanged = "SELECT COUNT(*), MIN(generation), MAX(generation) FROM grants";
        assert_eq!(database.numbers(exchanged).await, [i64::try_from(ROUNDS).unwrap(), 1, 1], "{}", database.name());
    }
}

#[tokio::test]
async fn code_05_a_code_lives_for_a_minute() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.register("Test client", "none", LOOPBACK).await;
        let mut browser = site.signed_in().await;

        let code = browser.code(&client).await;
        site.clock.advance(Duration::from_millis(59_999));
        let given = tokens(&site.exchange(&client, &code).await);

        for late in [Duration::from_mins(1), Duration::from_secs(61), Duration::from_hours(24)] {
            let code = browser.code(&client).await;
            site.clock.advance(late);
            for _ in 0..2 {
                refused(&site.exchange(&client, &code).await, "invalid_grant", &format!("{late:?}"));
            }
            browser = site.signed_in().await;
        }
        // It gave nothing, and took nothing.
        let changed =
            "SELECT COUNT(*) FROM grants WHERE generation <> 0 OR token_hash IS NOT NULL OR revoked_at_ms > 0";
        assert_eq!(database.numbers(changed).await, [1], "{}", database.name());
        tokens(&site.refresh(&client, &given.1).await);
    }
}

#[tokio::test]
async fn code_06_a_code_is_of_no_use_to_another_client() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let others = [
            site.register("Other", "none", CALLBACK).await,
            site.register("Third", "client_secret_post", CALLBACK).await,
            site.register("Fourth", "client_secret_basic", CALLBACK).await,
        ];
        let code = site.code(&client).await;
        // Each knows all that its owner knows, and says who it is.
        let wrong: Vec<_> = others.iter().map(|other| site.exchanging(other, &code)).collect();
        none_is_exchanged(&site, &client, &code, ("invalid_grant", &wrong)).await;

        // The owner's own name does not help whoever shows a secret of their own with it.
        let owner = &others[1];
        let code = site.code(owner).await;
        let secret = others[2].secret.as_deref().unwrap();
        let wrong = ["", secret].map(|secret| but(&site.exchanging(owner, &code), "client_secret", secret));
        none_is_exchanged(&site, owner, &code, ("invalid_client", &wrong)).await;
    }
}

#[tokio::test]
async fn code_07_a_code_goes_with_the_redirect_it_was_sent_to() {
    const SECOND: &str = "https://client.example/second";
    for database in both().await {
        let site = Site::on(&database).await;
        let body = json!({"client_name": "Two", "redirect_uris": [CALLBACK, SECOND, LOOPBACK],
            "token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "refresh_token"]});
        let id = site.registration(&body).await.json()["client_id"].as_str().unwrap().to_owned();
        // Of a program on the person's computer, any port is taken: but from then on it is that one.
        let other_port = LOOPBACK.replace("3334", "4445");
        for redirect in [CALLBACK, &other_port] {
            let client = Client { id: id.clone(), secret: None, redirect: redirect.to_owned() };
            let code = site.code(&client).await;
            let good = site.exchanging(&client, &code);
            let slash = format!("{redirect}/");
            let query = format!("{redirect}?");
            let upper = redirect.replace("callback", "Callback");
            let port = redirect.replace(".example", ".example:443");
            let all = [SECOND, LOOPBACK, &slash, &query, &upper, &port, "https://evil.example/", "callback", " "];
            let mut wrong: Vec<_> = all
                .into_iter()
                .filter(|wrong| *wrong != redirect)
                .map(|wrong| but(&good, "redirect_uri", wrong))
                .collect();
            let none = but(&good, "redirect_uri", "");
            let empty = [&none[..], &[("redirect_uri", String::new())]].concat();
            wrong.extend([none, empty]);
            none_is_exchanged(&site, &client, &code, ("invalid_grant", &wrong)).await;
        }
    }
}

#[tokio::test]
async fn code_08_a_code_for_another_resource_is_kept_for_its_own() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let resource = site.resource();
        let wrong = [
            "https://other.example/mcp",
            &site.base,
            &format!("{}/", site.base),
            &format!("{resource}/x"),
            &format!("{resource}?x=1"),
            &format!("{resource}//"),
            &resource.to_uppercase(),
            &resource.replace("127.0.0.1", "localhost"),
            &resource.replace("http:", "https:"),
        ]
        .map(str::to_owned);

        // None is ignored where the person is asked either.
        let mut browser = site.signed_in().await;
        for wrong in &wrong {
            let told = browser.authorize(&but(&site.asking(&client), "resource", wrong)).await;
            assert_eq!((told.status, told.parameter("error").as_deref()), (303, Some("invalid_target")), "{wrong}");
            assert_eq!(told.parameter("code"), None);
        }
        assert_eq!(database.count("grants").await, 0);

        let code = browser.code(&client).await;
        let good = site.exchanging(&client, &code);
        let wrong = wrong.map(|wrong| but(&good, "resource", &wrong));
        let (access, _) = none_is_exchanged(&site, &client, &code, ("invalid_target", &wrong)).await;
        assert_eq!(claims(&access)["aud"], json!(resource), "{}", database.name());

        // Who does not say it again gets a token for what was asked for, and for nothing else.
        disconnect(&mut browser, &client).await;
        let code = browser.code(&client).await;
        let (access, _) = tokens(&site.token(&but(&site.exchanging(&client, &code), "resource", "")).await);
        assert_eq!(claims(&access)["aud"], json!(resource), "{}", database.name());
    }
}

#[tokio::test]
async fn code_09_a_resource_is_one_whole_address() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let resource = site.resource();
        let with = |fields: &[(&'static str, String)], resources: &[&str]| {
            let resources = resources.iter().map(|resource| ("resource", (*resource).to_owned()));
            but(fields, "resource", "").into_iter().chain(resources).collect::<Vec<_>>()
        };
        let (fragment, ended) = (format!("{resource}#part"), format!("{resource}#"));
        let user = resource.replace("//", "//user@");
        let list = format!("{resource} https://other.example/mcp");
        let wrong: [&[&str]; 12] = [
            &[&fragment],
            &[&ended],
            &["/mcp"],
            &["mcp"],
            &["//127.0.0.1/mcp"],
            &["urn:mcp"],
            &[&user],
            &[&list],
            &[&resource, "https://other.example/mcp"],
            &["https://other.example/mcp", &resource],
            &[&resource, &resource],
            &[&resource, ""],
        ];
        let mut browser = site.signed_in().await;
        for wrong in wrong {
            let told = browser.authorize(&with(&site.asking(&client), wrong)).await;
            assert_eq!((told.status, told.parameter("error").as_deref()), (303, Some("invalid_target")), "{wrong:?}");
            assert_eq!(told.parameter("code"), None);
        }
        let code = browser.code(&client).await;
        let wrong = wrong.map(|wrong| with(&site.exchanging(&client, &code), wrong));
        none_is_exchanged(&site, &client, &code, ("invalid_target", &wrong)).await;
    }
}

#[tokio::test]
async fn code_10_a_code_gives_what_was_granted_whatever_is_asked_for_then() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.register("Test client", "none", LOOPBACK).await;
        for asked in
            ["reviews:read reports:write offline_access", "reports:write", "admin *", "x\0y", &"y ".repeat(500)]
        {
            let mut browser = site.signed_in().await;
            let page = browser.consent_page(&site.asking(&client)).await;
            let code = browser.decide(&page, "allow", &["reviews:read"]).await.parameter("code").expect("a code");
            let answer = site.token(&but(&site.exchanging(&client, &code), "scope", asked)).await;
            let what = format!("{}, {asked}: {answer:?}", database.name());
            assert_eq!((answer.status, &answer.json()["scope"]), (200, &json!("reviews:read")), "{what}");
            assert_eq!(answer.json().get("refresh_token"), None, "{what}");
            let access = answer.json()["access_token"].as_str().unwrap().to_owned();
            assert_eq!(claims(&access)["scope"], json!("reviews:read"), "{what}");
            assert_eq!(site.opens(&access).await, 200, "{what}");
            let write = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "create_report",
                "arguments": {"place_ids": ["ChIJdemo_moonlit_bakery_001"], "title": "x", "request_id": "x"}}});
            let request = site.request(Method::POST, "/mcp").header("accept", "application/json, text/event-stream");
            let request = request.header("mcp-protocol-version", "2025-11-25").bearer_auth(&access).json(&write);
            assert_eq!(rpc::send(request).await.status, 403, "{what}");
        }
        assert_eq!(database.count("reports").await, 0);
    }
}

/// Whoever guesses has one chance in 2^256 with each guess, and few guesses.
#[tokio::test]
async fn code_11_codes_cannot_be_guessed() {
    const CODES: usize = 40;
    const GUESSES: usize = 5;
    for database in both().await {
        let settings =
            [("limits.enabled", "true"), ("limits.client_burst", "5"), ("limits.client_requests_a_minute", "6")];
        let site = Site::with(&database, &settings).await;
        let (client, other) = (site.client().await, site.register("Other", "none", CALLBACK).await);
        let mut browser = site.signed_in().await;
        let mut codes = BTreeSet::new();
        let (mut ones, mut zeros) = ([0_u8; 32], [0_u8; 32]);
        for _ in 0..CODES {
            let code = browser.code(&client).await;
            let bytes = URL_SAFE_NO_PAD.decode(code.strip_prefix("grz_").unwrap()).unwrap();
            assert_eq!(bytes.len(), 32, "256 bits");
            for ((one, zero), byte) in ones.iter_mut().zip(&mut zeros).zip(bytes) {
                *one |= byte;
                *zero |= !byte;
            }
            codes.insert(code);
        }
        assert_eq!((codes.len(), ones, zeros), (CODES, [0xff; 32], [0xff; 32]), "chance has made every bit");
        let kept: BTreeSet<_> = database.texts("SELECT code_hash FROM grants").await.into_iter().collect();
        assert_eq!(kept, codes.iter().map(|code| sha256_hex(code)).collect());

        let code = codes.first().unwrap();
        for guess in 0..GUESSES {
            let guess = format!("grz_{guess:043}");
            refused(&site.exchange(&client, &guess).await, "invalid_grant", &guess);
        }
        // From here on, not even the right one is taken.
        let late = site.exchange(&client, code).await;
        assert_eq!(late.status, 429, "{}: {late:?}", database.name());
        let wait: u64 = late.header("retry-after").parse().unwrap();
        assert!((1..=10).contains(&wait), "{late:?}");
        assert!(!late.text.contains(code.as_str()) && !late.text.contains("access_token"), "{late:?}");
        assert_eq!(site.server.metric("rate_limited_total{limit=\"client\"}").await, 1.0);
        // Others are not kept waiting, and nothing was used up.
        let theirs = browser.code(&other).await;
        tokens(&site.exchange(&other, &theirs).await);
        site.clock.advance(Duration::from_secs(wait));
        tokens(&site.exchange(&client, code).await);
    }
}

/// Killed at any moment of an exchange, a server has done all of it or nothing; and what it answered is so.
#[tokio::test]
async fn code_12_killed_in_the_middle_of_an_exchange_it_has_done_all_or_nothing() {
    const ROUNDS: usize = 30;
    const AT_ONCE: usize = 6;
    for database in both().await {
        let google = TestServer::start().await;
        let (client, codes) = codes_for_an_hour(&database, ROUNDS * AT_ONCE).await;
        let listen = format!("127.0.0.1:{}", free_port());
        let settings = [("REVIEWS__AUTH__MODE", "oauth"), ("REVIEWS__SERVER__LISTEN", listen.as_str())];
        let serve = || Serving::on(&database, &google.emulator.url(), &settings);
        let mut answers = Vec::new();
        for (round, codes) in codes.chunks(AT_ONCE).enumerate() {
            answers.extend(exchange_until_killed(serve(), &client, codes, round).await);
            let (all, nothing) = ("generation = 1 AND token_hash IS NOT NULL", "generation = 0 AND token_hash IS NULL");
            let between = format!("SELECT COUNT(*) FROM grants WHERE NOT (({all}) OR ({nothing}))");
            assert_eq!(database.numbers(&between).await, [0], "{}, round {round}", database.name());
        }
        let answered = answers.iter().filter(|answer| answer.is_some()).count();
        assert!(answered > 0 && answered < codes.len(), "{answered} of {} were answered", codes.len());

        let server = serve();
        let client = Exchanger::new(&server, &client);
        for (code, answer) in codes.iter().zip(answers) {
            let sql = format!("SELECT generation FROM grants WHERE code_hash = '{}'", sha256_hex(code));
            let generation = database.numbers(&sql).await[0];
            let what = format!("{}: {answer:?}", database.name());
            match answer {
                Some(answer) => {
                    assert_eq!(generation, 1, "{what}");
                    let (access, refresh) = tokens(&answer);
                    assert_eq!(client.opens(&access).await, 200, "{what}");
                    tokens(&client.refresh(&refresh).await);
                }
                None if generation == 0 => drop(tokens(&client.exchange(code).await.unwrap())),
                // Done, and not answered: it is as if the answer had been lost.
                None => refused(&client.exchange(code).await.unwrap(), "invalid_grant", &what),
            }
        }
    }
}

/// A client, and codes of it that live longer than others, so that they last for a test.
async fn codes_for_an_hour(database: &Database, count: usize) -> (Client, Vec<String>) {
    let site = Site::beside(database, Clock::system(), &[]).await;
    let people = site.server.app.people().unwrap();
    people.add(PersonName::parse(NAME).unwrap(), Some(PASSWORD)).await.unwrap();
    let client = site.client().await;
    let mut browser = site.signed_in().await;
    let mut codes = Vec::new();
    for _ in 0..count {
        codes.push(browser.code(&client).await);
    }
    drop(browser);
    site.server.app.stop().await;
    let longer = "SET code_expires_at_ms = code_expires_at_ms + 3600000, idle_until_ms = idle_until_ms + 3600000";
    database.run(&format!("UPDATE grants {longer}")).await;
    (client, codes)
}

/// A client of a server that may be killed.
struct Exchanger {
    http: reqwest::Client,
    base: String,
    client: Client,
}

impl Exchanger {
    fn new(server: &Serving, client: &Client) -> Self {
        Self { http: rpc::passing_client(), base: format!("http://{}", server.address()), client: client.clone() }
    }

    /// An error if the connection breaks or is refused.
    async fn exchange(&self, code: &str) -> Result<Answer, reqwest::Error> {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.client.redirect),
            ("code_verifier", VERIFIER),
            ("client_id", &self.client.id),
        ];
        let response = self.http.post(format!("{}/token", self.base)).form(&fields).send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, text: response.text().await? })
    }

    async fn opens(&self, access_token: &str) -> u16 {
        let request = self.http.post(format!("{}/mcp", self.base)).bearer_auth(access_token);
        let request = request.header("accept", "application/json, text/event-stream");
        let request = request.header("mcp-protocol-version", "2025-11-25");
        rpc::send(request.json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}))).await.status
    }

    async fn refresh(&self, refresh_token: &str) -> Answer {
        let fields = Site::refreshing(&self.client, refresh_token);
        Answer::of(self.http.post(format!("{}/token", self.base)).form(&fields).send().await.unwrap()).await
    }
}

/// Exchanges these at once. The server is killed at another moment in every round; in every second, after the first answer.
async fn exchange_until_killed(
    mut server: Serving,
    client: &Client,
    codes: &[String],
    round: usize,
) -> Vec<Option<Answer>> {
    let (client, first) = (Exchanger::new(&server, client), Notify::new());
    let exchanges = join_all(codes.iter().map(async |code| {
        let answer = client.exchange(code).await.ok();
        first.notify_one();
        answer
    }));
    let kill = async {
        let mut longest = 20_000;
        if round.is_multiple_of(2) {
            first.notified().await;
            longest = 4_000;
        }
        tokio::time::sleep(Duration::from_micros((round as u64 * 7_919) % longest)).await;
        server.kill();
    };
    tokio::join!(exchanges, kill).0
}

/// Takes back on `/connections` what was granted to this client.
async fn disconnect(browser: &mut Browser<'_>, client: &Client) {
    let page = browser.get("/connections").await;
    assert!(page.text.contains(&format!("name=\"revoke\" value=\"{}\"", client.id)), "{page:?}");
    let csrf = page.field("csrf");
    let fields = [("csrf", csrf.as_str()), ("revoke", &client.id), ("redirect_uri", &client.redirect)];
    let done = browser.post("/connections", &fields).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert!(!done.text.contains(&client.id), "{done:?}");
}

#[tokio::test]
async fn code_13_a_code_dies_with_the_consent() {
    for database in both().await {
        let site = Site::on(&database).await;
        let (client, other) = (site.client().await, site.register("Other", "none", CALLBACK).await);
        let mut browser = site.signed_in().await;
        let code = browser.code(&client).await;
        let second = browser.code(&client).await;
        let theirs = browser.code(&other).await;
        disconnect(&mut browser, &client).await;
        for code in [&code, &second, &code] {
            refused(&site.exchange(&client, code).await, "invalid_grant", database.name());
        }
        assert_eq!(database.numbers("SELECT COUNT(*) FROM grants WHERE token_hash IS NOT NULL").await, [0]);
        // It was taken back from this one alone, and can be given again.
        tokens(&site.exchange(&other, &theirs).await);
        let again = browser.code(&client).await;
        assert_eq!(site.exchange(&client, &again).await.status, 200, "{}", database.name());
    }
}

#[tokio::test]
async fn code_14_a_code_is_compared_letter_by_letter() {
    const WRONG_GRANTS: &str = "mcp_auth_failures_total{reason=\"wrong_grant\"}";
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let code = site.code(&client).await;
        let bare = code.strip_prefix("grz_").unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(bare).unwrap();
        let wrong = [
            code[..code.len() - 1].to_owned(),
            code[..code.len() / 2].to_owned(),
            "grz_".to_owned(),
            "g".to_owned(),
            bare.to_owned(),
            format!("{code}A"),
            format!("{code}="),
            format!("{code} "),
            format!(" {code}"),
            format!("{code}\0"),
            format!("{code}\n"),
            format!("{code}%00"),
            format!("{code}{code}"),
            format!("{code},{code}"),
            format!("{code}' OR '1'='1"),
            format!("{code}{}", "A".repeat(10_000)),
            code.to_uppercase(),
            code.to_lowercase(),
            code.chars().map(other_case).collect(),
            code.replacen("grz_", "GRZ_", 1),
            code.replacen("grz_", "grr_", 1),
            // The same bytes, written in another way.
            format!("grz_{}{}", &bare[..42], same_bytes(bare)),
            format!("grz_{}", STANDARD.encode(&bytes)),
            sha256_hex(&code),
        ];
        let counted = site.server.metric(WRONG_GRANTS).await;
        let fields = wrong.iter().map(|wrong| site.exchanging(&client, wrong)).collect::<Vec<_>>();
        none_is_exchanged(&site, &client, &code, ("invalid_grant", &fields)).await;
        let refusals = u32::try_from(wrong.len()).unwrap();
        assert_eq!(site.server.metric(WRONG_GRANTS).await - counted, f64::from(refusals), "{}", database.name());
    }
}

fn other_case(letter: char) -> char {
    if letter.is_ascii_uppercase() { letter.to_ascii_lowercase() } else { letter.to_ascii_uppercase() }
}

/// Another last letter that stands for the same bits: the last two of its six are not read.
fn same_bytes(bare: &str) -> char {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = LETTERS.find(bare.chars().last().unwrap()).unwrap();
    LETTERS.chars().nth(last ^ 1).unwrap()
}

#[tokio::test]
async fn code_15_of_a_code_the_database_has_its_hash_alone() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let code = site.code(&client).await;
        let bare = code.strip_prefix("grz_").unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(bare).unwrap();
        let mut forms = Vec::new();
        for plain in [code.as_bytes(), bare.as_bytes(), &bytes] {
            forms.push(plain.to_vec());
            forms.push(STANDARD_NO_PAD.encode(plain).into_bytes());
            forms.push(URL_SAFE_NO_PAD.encode(plain).into_bytes());
            let hex = hex(plain);
            forms.push(hex.to_uppercase().into_bytes());
            forms.push(hex.into_bytes());
        }
        let hash = sha256_hex(&code);
        for is_exchanged in [false, true] {
            if is_exchanged {
                tokens(&site.exchange(&client, &code).await);
            }
            let what = format!("{}, exchanged: {is_exchanged}", database.name());
            assert_eq!(database.texts("SELECT code_hash FROM grants").await, [hash.as_str()], "{what}");
            let kept = everything(&database).await;
            assert!(contains(&kept, hash.as_bytes()) && contains(&kept, client.id.as_bytes()), "{what}: all is seen");
            for form in &forms {
                assert!(!contains(&kept, form), "{what}: {}", String::from_utf8_lossy(form));
            }
        }
    }
}

/// All that a database has: the rows of all tables, or the files with also what was deleted.
async fn everything(database: &Database) -> Vec<u8> {
    match database {
        Database::Sqlite(folder) => {
            let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
            files.filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).unwrap()).collect()
        }
        Database::Postgres(_) => {
            let rows = database.texts("SELECT schema_to_xml('public', true, false, '')::text").await;
            rows.concat().into_bytes()
        }
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
