//! Refresh tokens replace each other. Clients lose answers, ask twice at once and from several places, and servers and
//! databases die in between: nobody honest is signed out by that, and whoever stole a token ends it for everybody.

use crate::support::{
    TestServer,
    binary::{Serving, program, stderr},
    database::{Database, both},
    free_port, postgres,
    postgres::Cluster,
    proxy::{Mode, Proxy},
    sign_in::{Answer, CALLBACK, Client, NAME, PASSWORD, Site, both as tokens, but, written},
    until,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use google_reviews_mcp::{
    clock::Clock,
    model::sha256_hex,
    store::{NextTokens, Store},
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _};
use std::{collections::BTreeSet, io::Write as _, process::Stdio, time::Duration};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// A second less.
fn almost(time: Duration) -> Duration {
    time.saturating_sub(SECOND)
}

/// An answer that refuses with this error, and says no more than that.
#[track_caller]
fn refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, answer.error().as_str()), (status, error), "{answer:?}");
    assert_eq!((answer.header("cache-control"), answer.header("content-type")), ("no-store", "application/json"));
    let told = answer.text.to_lowercase();
    for internal in ["grr_", "eyj", "grant_id", "sql", "select", "update", "panicked", ".rs", "127.0.0.1"] {
        assert!(!told.contains(internal), "{internal} in {told}");
    }
}

#[track_caller]
fn is_over(answer: &Answer) {
    refused(answer, 400, "invalid_grant");
}

/// A refusal for now, which makes no client throw its token away.
#[track_caller]
fn comes_again(answer: &Answer) {
    refused(answer, 503, "temporarily_unavailable");
    assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
}

/// How often tokens were given; there is one grant.
async fn generation(database: &Database) -> i64 {
    database.numbers("SELECT generation FROM grants").await[0]
}

/// How many grants are revoked.
async fn revoked(database: &Database) -> i64 {
    database.numbers("SELECT COUNT(*) FROM grants WHERE revoked_at_ms IS NOT NULL").await[0]
}

async fn reuses(site: &Site) -> f64 {
    site.server.metric("refresh_reuse_total").await
}

/// Refreshes from this address, as a proxy tells it.
async fn refresh_from(site: &Site, address: &str, client: &Client, token: &str) -> Answer {
    let request = site.request(Method::POST, "/token").header("x-forwarded-for", address);
    Answer::of(request.form(&Site::refreshing(client, token)).send().await.unwrap()).await
}

/// The permissions in an access token.
fn scope_of(access: &str) -> String {
    let claims = URL_SAFE_NO_PAD.decode(access.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["scope"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn ref_01_a_refresh_gives_new_tokens_and_marks_the_old_one() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let (old_access, first) = site.tokens(&client).await;
        site.clock.advance(MINUTE);
        let answer = site.refresh(&client, &first).await;
        let (access, second) = tokens(&answer);
        assert!(second != first && access != old_access, "{}", database.name());
        let told = answer.json();
        assert_eq!((&told["token_type"], &told["expires_in"]), (&json!("Bearer"), &json!(900)));
        assert_eq!(told["scope"], "reviews:read reports:write offline_access");
        assert_eq!((answer.header("cache-control"), site.opens(&access).await), ("no-store", 200));
        let kept = database.texts("SELECT token_hash || ' ' || previous_hash FROM grants").await;
        assert_eq!(kept, [format!("{} {}", sha256_hex(&second), sha256_hex(&first))]);
        assert_eq!(generation(&database).await, 2);
    }
}

#[tokio::test]
async fn ref_02_within_a_minute_the_old_token_gives_the_same_successor() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let (_, first) = site.tokens(&client).await;
        let (access, second) = tokens(&site.refresh(&client, &first).await);
        let mut seen = BTreeSet::from([access.clone()]);
        for _ in 0..3 {
            let (access, again) = tokens(&site.refresh(&client, &first).await);
            assert!(again == second && seen.insert(access), "{}: an access token of its own", database.name());
        }
        // Also when the successor is in use, up to the last moment of the minute.
        assert_eq!(site.opens(&access).await, 200);
        site.clock.advance(MINUTE);
        let (access, again) = tokens(&site.refresh(&client, &first).await);
        assert_eq!((again == second, site.opens(&access).await, generation(&database).await), (true, 200, 2));
        tokens(&site.refresh(&client, &second).await);
        assert_eq!((revoked(&database).await, reuses(&site).await), (0, 0.0));
    }
}

/// Several processes of one client that share a file of tokens.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ref_03_five_at_once_get_one_successor_two_hundred_times() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let (_, mut newest) = site.tokens(&client).await;
        for round in 1..=200 {
            let answers = join_all((0..5).map(|_| site.refresh(&client, &newest))).await;
            let (accesses, successors): (BTreeSet<_>, BTreeSet<_>) = answers.iter().map(tokens).unzip();
            let what = format!("{}, {round}: {answers:?}", database.name());
            assert_eq!((accesses.len(), successors.len()), (5, 1), "{what}");
            assert_eq!(generation(&database).await, round + 1, "{what}");
            assert_eq!(site.opens(accesses.first().unwrap()).await, 200, "{what}");
            newest = successors.into_iter().next().unwrap();
        }
        assert_eq!((database.count("grants").await, revoked(&database).await), (1, 0));
        assert_eq!(reuses(&site).await, 0.0);
    }
}

#[tokio::test]
async fn ref_04_two_addresses_may_use_a_token_at_once() {
    for database in both().await {
        let settings = [("server.trusted_proxies", "127.0.0.1"), ("limits.enabled", "true")];
        let site = Site::with(&database, &settings).await;
        let client = site.client().await;
        let (_, first) = site.tokens(&client).await;
        let one = refresh_from(&site, "160.79.104.10", &client, &first).await;
        site.clock.advance(Duration::from_millis(200));
        let other = refresh_from(&site, "160.79.106.35", &client, &first).await;
        let ((access, second), (other_access, same)) = (tokens(&one), tokens(&other));
        assert_eq!((same, generation(&database).await), (second, 2), "{}", database.name());
        assert_eq!((site.opens(&access).await, site.opens(&other_access).await), (200, 200));
    }
}

/// Six times: five within a second, and once more when the minute is long over.
#[tokio::test]
async fn ref_05_as_long_as_nobody_used_the_successor_the_old_token_gives_it() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let (old_access, first) = site.tokens(&client).await;
        assert_eq!(site.opens(&old_access).await, 200);
        let (_, second) = tokens(&site.refresh(&client, &first).await);
        for _ in 0..4 {
            site.clock.advance(Duration::from_millis(200));
            assert_eq!(tokens(&site.refresh(&client, &first).await).1, second);
        }
        // An access token from before the successor is no use of it, neither before it came nor later.
        site.clock.advance(MINUTE);
        assert_eq!(site.opens(&old_access).await, 200);
        site.clock.advance(Duration::from_secs(7 * 60 + 45));
        let (access, again) = tokens(&site.refresh(&client, &first).await);
        assert_eq!((again, generation(&database).await), (second.clone(), 2), "{}", database.name());
        site.clock.advance(20 * DAY);
        assert_eq!(tokens(&site.refresh(&client, &first).await).1, second, "and weeks later");
        assert_eq!(site.opens(&access).await, 401, "which is none of its access tokens");
        tokens(&site.refresh(&client, &second).await);
    }
}

#[tokio::test]
async fn ref_06_a_replay_of_what_was_replaced_and_used_ends_everything() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let (old_access, first) = site.tokens(&client).await;
        let (access, second) = tokens(&site.refresh(&client, &first).await);
        assert_eq!((site.opens(&old_access).await, site.opens(&access).await), (200, 200));
        site.clock.advance(MINUTE);
        assert_eq!(tokens(&site.refresh(&client, &first).await).1, second, "the minute is not over");
        assert_eq!((site.opens(&old_access).await, site.opens(&access).await), (200, 200));
        site.clock.advance(Duration::from_millis(1));
        is_over(&site.refresh(&client, &first).await);

        // Those that were let in a moment ago are not let in any more.
        assert_eq!((site.opens(&old_access).await, site.opens(&access).await), (401, 401), "{}", database.name());
        is_over(&site.refresh(&client, &second).await);
        is_over(&site.refresh(&client, &first).await);
        assert_eq!((revoked(&database).await, generation(&database).await), (1, 2));
        assert_eq!(reuses(&site).await, 1.0, "one event, however often it comes");
        assert_eq!(site.server.metric("mcp_auth_failures_total{reason=\"wrong_grant\"}").await, 3.0);
        assert_eq!(site.server.metric("mcp_auth_failures_total{reason=\"revoked\"}").await, 2.0);
    }
}

#[tokio::test]
async fn ref_07_when_a_thief_is_first_both_are_out_as_soon_as_the_victim_comes() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let (own_access, stolen) = site.tokens(&client).await;
        let (access, of_thief) = tokens(&site.refresh(&client, &stolen).await);
        assert_eq!(site.opens(&access).await, 200);
        site.clock.advance(MINUTE + SECOND);
        is_over(&site.refresh(&client, &stolen).await);
        is_over(&site.refresh(&client, &of_thief).await);
        assert_eq!((site.opens(&access).await, site.opens(&own_access).await), (401, 401), "{}", database.name());
        assert_eq!((reuses(&site).await, revoked(&database).await), (1.0, 1));

        // A thief who only refreshes shares the successor with the victim, until one of them goes on.
        let (_, stolen) = site.tokens(&client).await;
        let (_, of_thief) = tokens(&site.refresh(&client, &stolen).await);
        site.clock.advance(MINUTE + SECOND);
        let (access, of_victim) = tokens(&site.refresh(&client, &stolen).await);
        assert_eq!((of_thief == of_victim, site.opens(&access).await), (true, 200));
        let (access, _) = tokens(&site.refresh(&client, &of_victim).await);
        assert_eq!(site.opens(&access).await, 200);
        site.clock.advance(MINUTE + SECOND);
        is_over(&site.refresh(&client, &of_thief).await);
        assert_eq!((site.opens(&access).await, reuses(&site).await, revoked(&database).await), (401, 2.0, 2));
    }
}

#[tokio::test]
async fn ref_08_a_token_in_foreign_hands_is_refused_and_harms_nobody() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.register("With a secret", "client_secret_post", CALLBACK).await;
        let stranger = site.client().await;
        let (_, first) = site.tokens(&client).await;
        let (access, second) = tokens(&site.refresh(&client, &first).await);
        let (_, third) = tokens(&site.refresh(&client, &second).await);
        // The first would end everything, were it shown by its own client.
        for token in [&first, &second, &third] {
            is_over(&site.refresh(&stranger, token).await);
            for secret in ["", "grs_wrong"] {
                let fields = but(&Site::refreshing(&client, token), "client_secret", secret);
                refused(&site.token(&fields).await, 401, "invalid_client");
            }
        }
        // Neither would one that somebody made up beside the newest two.
        for token in [&second, &third] {
            let made_up = format!("{}{}", &token[..token.len() - 20], "A".repeat(20));
            is_over(&site.refresh(&client, &made_up).await);
        }
        assert_eq!((revoked(&database).await, reuses(&site).await), (0, 0.0), "{}", database.name());
        assert_eq!(site.opens(&access).await, 200);
        assert_eq!(tokens(&site.refresh(&client, &second).await).1, third);
        tokens(&site.refresh(&client, &third).await);
        assert_eq!(generation(&database).await, 4);
    }
}

#[tokio::test]
async fn ref_09_a_refresh_may_ask_for_less_and_never_for_more() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let mut browser = site.signed_in().await;
        let page = browser.consent_page(&site.asking(&client)).await;
        let sent = browser.decide(&page, "allow", &["reviews:read", "offline_access"]).await;
        let (_, read_only) = tokens(&site.exchange(&client, &sent.parameter("code").unwrap()).await);
        let asking = async |token: &str, scope: &str| {
            let mut fields = Site::refreshing(&client, token);
            fields.push(("scope", scope.to_owned()));
            site.token(&fields).await
        };
        for wider in ["reviews:read reports:write", "reports:write", "reviews:read admin", "openid", "REVIEWS:READ"] {
            refused(&asking(&read_only, wider).await, 400, "invalid_scope");
        }
        assert_eq!(generation(&database).await, 1, "{}: nothing was replaced", database.name());
        let (access, read_only) = tokens(&asking(&read_only, "reviews:read").await);
        assert_eq!((scope_of(&access).as_str(), site.opens(&access).await), ("reviews:read", 200));
        refused(&asking(&read_only, "reports:write").await, 400, "invalid_scope");

        let (_, all) = site.tokens(&client).await;
        let answer = asking(&all, "reviews:read").await;
        let (access, next) = tokens(&answer);
        assert_eq!(answer.json()["scope"], "reviews:read offline_access");
        assert_eq!(scope_of(&access), "reviews:read", "this one may do less");
        let (access, again) = tokens(&asking(&all, "reports:write").await);
        assert_eq!(
            (scope_of(&access).as_str(), &again),
            ("reports:write", &next),
            "and so may the one that comes again"
        );
        let (access, _) = tokens(&site.refresh(&client, &next).await);
        assert_eq!(scope_of(&access), "reviews:read reports:write", "the next may do everything again");
    }
}

#[tokio::test]
async fn ref_10_a_refresh_is_for_this_resource_alone() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let (_, first) = site.tokens(&client).await;
        let asking = async |token: &str, resource: &str| {
            let mut fields = Site::refreshing(&client, token);
            fields.push(("resource", resource.to_owned()));
            site.token(&fields).await
        };
        let base = &site.base;
        for other in ["https://other.example/mcp", base, &format!("{base}/mcp/x"), &format!("{base}/mcp?x"), "mcp"] {
            refused(&asking(&first, other).await, 400, "invalid_target");
        }
        let mut twice = Site::refreshing(&client, &first);
        twice.extend([("resource", site.resource()), ("resource", "https://other.example/mcp".to_owned())]);
        refused(&site.token(&twice).await, 400, "invalid_target");
        assert_eq!(generation(&database).await, 1, "{}: nothing was replaced", database.name());
        let (access, second) = tokens(&asking(&first, &site.resource()).await);
        assert_eq!(site.opens(&access).await, 200);
        refused(&asking(&first, "https://other.example/mcp").await, 400, "invalid_target");
        tokens(&site.refresh(&client, &second).await);
    }
}

#[tokio::test]
async fn ref_11_tokens_end_after_a_month_unused_and_after_three_in_any_case() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let (_, first) = site.tokens(&client).await;
        site.clock.advance(almost(30 * DAY));
        let (_, second) = tokens(&site.refresh(&client, &first).await);
        site.clock.advance(almost(30 * DAY));
        assert_eq!(tokens(&site.refresh(&client, &first).await).1, second, "the answer was lost a month ago");
        site.clock.advance(SECOND);
        is_over(&site.refresh(&client, &second).await);
        is_over(&site.refresh(&client, &first).await);
        assert_eq!((reuses(&site).await, revoked(&database).await), (0.0, 0), "{}: nobody stole it", database.name());

        let (_, mut newest) = site.tokens(&client).await;
        for _ in 0..3 {
            site.clock.advance(29 * DAY);
            newest = tokens(&site.refresh(&client, &newest).await).1;
        }
        site.clock.advance(almost(3 * DAY));
        newest = tokens(&site.refresh(&client, &newest).await).1;
        site.clock.advance(SECOND);
        is_over(&site.refresh(&client, &newest).await);
        assert_eq!(reuses(&site).await, 0.0);
    }
}

/// Somebody whose connection ended yesterday comes back as the client that they were: clients forget their registration
/// only when they are told that it is gone.
#[tokio::test]
async fn a_client_that_refreshes_is_in_use() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let (_, mut newest) = site.tokens(&client).await;
        for _ in 0..9 {
            site.clock.advance(almost(10 * DAY));
            newest = tokens(&site.refresh(&client, &newest).await).1;
        }
        site.clock.advance(30 * DAY);
        is_over(&site.refresh(&client, &newest).await);
        site.clock.advance(59 * DAY);
        let (access, _) = site.tokens(&client).await;
        assert_eq!(site.opens(&access).await, 200, "{}", database.name());
    }
}

/// Runs a command of the operator beside the server.
async fn operator(database: &Database, arguments: &[&str], input: &str) {
    let mut command = program();
    command.args(arguments).envs(database.environment()).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let input = input.to_owned();
    let run = move || {
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
}

#[tokio::test]
async fn ref_12_what_was_taken_back_or_removed_gives_nothing_any_more() {
    for database in both().await {
        let site = Site::on(&database).await;
        let (client, other) = (site.client().await, site.register("Other", "none", "https://other.example/x").await);
        let mut browser = site.signed_in().await;
        let code = browser.code(&client).await;
        let (access, first) = tokens(&site.exchange(&client, &code).await);
        let (_, second) = tokens(&site.refresh(&client, &first).await);
        let (_, kept) = site.tokens(&other).await;
        assert_eq!(site.opens(&access).await, 200);

        // The person takes it back.
        let csrf = browser.get("/connections").await.field("csrf");
        let fields = [("csrf", csrf.as_str()), ("revoke", &client.id), ("redirect_uri", &client.redirect)];
        assert_eq!(browser.post("/connections", &fields).await.status, 200);
        is_over(&site.refresh(&client, &second).await);
        is_over(&site.refresh(&client, &first).await);
        assert_eq!(site.opens(&access).await, 401, "{}", database.name());
        let (_, kept) = tokens(&site.refresh(&other, &kept).await);
        assert_eq!(reuses(&site).await, 0.0);

        // The operator removes the client. RFC 6749 §5.2: who is not known is told that.
        let (access, first) = site.tokens(&client).await;
        operator(&database, &["client", "revoke", &client.id], "").await;
        refused(&site.refresh(&client, &first).await, 401, "invalid_client");
        assert_eq!(site.opens(&access).await, 401);

        // The operator removes the person.
        operator(&database, &["user", "remove", NAME], "").await;
        is_over(&site.refresh(&other, &kept).await);
    }
}

/// A port that stays the same when the server is started again, and with it the name of the server in its tokens.
fn free_address() -> String {
    format!("127.0.0.1:{}", free_port())
}

/// The binary at the address of this site.
async fn serve(database: &Database, site: &Site, more: &[(&str, &str)]) -> Serving {
    let address = site.base.trim_start_matches("http://");
    let settings = [("REVIEWS__AUTH__MODE", "oauth"), ("REVIEWS__SERVER__LISTEN", address)];
    let serving = Serving::on(database, &site.server.emulator.url(), &[&settings[..], more].concat());
    let ready = format!("{}/readyz", serving.operations);
    until("it is ready", async || reqwest::get(&ready).await.is_ok_and(|answer| answer.status().is_success())).await;
    serving
}

/// The binary, and what a test does with it; somebody can sign in.
async fn binary(database: &Database, more: &[(&str, &str)]) -> (Serving, Site) {
    let site = Site::at(&format!("http://{}", free_address()), TestServer::start().await, Clock::system());
    let serving = serve(database, &site, more).await;
    operator(database, &["user", "add", NAME, "--password-stdin"], PASSWORD).await;
    (serving, site)
}

/// The same for clients that come back when the server was started again: their connections broke.
fn anew(site: Site) -> Site {
    let Site { server, base, clock, .. } = site;
    Site::at(&base, server, clock)
}

/// Sends a refresh, and reads nothing.
async fn send_refresh(site: &Site, client: &Client, token: &str) -> tokio::net::TcpStream {
    let address = site.base.trim_start_matches("http://");
    let body = written(&Site::refreshing(client, token));
    let request = format!(
        "POST /token HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// A proxy before this database, and the address of the database behind it.
async fn proxied(database: &postgres::Database) -> (Proxy, String) {
    let mut url = url::Url::parse(&database.url).unwrap();
    let target = format!("127.0.0.1:{}", url.port().unwrap_or(5432));
    let proxy = Proxy::start(target.parse().unwrap()).await;
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(proxy.address.port())).unwrap();
    (proxy, url.to_string())
}

/// Lets the next write to the one grant happen, and its answer never arrive. The row is locked until the write waits for
/// it; then nothing comes through any more, and the lock is let go.
struct Swallow(sqlx::PgConnection);

impl Swallow {
    async fn prepare(database: &postgres::Database) -> Self {
        let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
        connection.execute("BEGIN; SELECT id FROM grants FOR UPDATE").await.unwrap();
        Self(connection)
    }

    async fn happen(mut self, proxy: &Proxy) {
        const WAITING: &str = "SELECT COUNT(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%UPDATE grants%'";
        until("the write waits", async || {
            // Figures of activity stay as they were first seen in a transaction.
            self.0.execute("SELECT pg_stat_clear_snapshot()").await.unwrap();
            sqlx::query_scalar::<_, i64>(WAITING).fetch_one(&mut self.0).await.unwrap() > 0
        })
        .await;
        proxy.set(Mode::Stall);
        self.0.execute("ROLLBACK").await.unwrap();
    }
}

#[tokio::test]
async fn ref_13_killed_after_the_write_and_before_the_answer_the_old_token_still_works() {
    for database in both().await {
        let (proxy, url) = match &database {
            Database::Sqlite(_) => (None, String::new()),
            Database::Postgres(database) => {
                let (proxy, url) = proxied(database).await;
                (Some(proxy), url)
            }
        };
        let more = [("REVIEWS__STORE__URL", url.as_str())];
        let more = if proxy.is_some() { &more[..] } else { &[] };
        let (mut serving, site) = binary(&database, more).await;
        let client = site.client().await;
        let (_, first) = site.tokens(&client).await;
        let mut unread = match (&database, &proxy) {
            (Database::Postgres(postgres), Some(proxy)) => {
                let swallow = Swallow::prepare(postgres).await;
                let unread = send_refresh(&site, &client, &first).await;
                swallow.happen(proxy).await;
                unread
            }
            _ => send_refresh(&site, &client, &first).await,
        };
        until("the token is replaced", async || generation(&database).await == 2).await;
        serving.kill();
        let mut answer = Vec::new();
        if proxy.is_some() {
            let _ = unread.read_to_end(&mut answer).await;
            assert!(answer.is_empty(), "the server was killed before it answered");
        }

        let site = anew(site);
        let _serving = serve(&database, &site, &[]).await;
        let (access, second) = tokens(&site.refresh(&client, &first).await);
        assert_eq!((generation(&database).await, site.opens(&access).await), (2, 200), "{}", database.name());
        assert_eq!(tokens(&site.refresh(&client, &first).await).1, second);
        tokens(&site.refresh(&client, &second).await);
    }
}

/// What was revoked stays so, and what was replaced is still known for what it is.
#[tokio::test]
async fn ref_14_killed_between_a_refresh_and_a_replay_the_server_forgets_nothing() {
    for database in both().await {
        let (mut serving, site) = binary(&database, &[]).await;
        let client = site.client().await;
        let (_, first) = site.tokens(&client).await;
        let (_, second) = tokens(&site.refresh(&client, &first).await);
        serving.kill();
        let site = anew(site);
        let mut serving = serve(&database, &site, &[]).await;
        assert_eq!(tokens(&site.refresh(&client, &first).await).1, second, "{}", database.name());
        let (access, third) = tokens(&site.refresh(&client, &second).await);
        assert_eq!(site.opens(&access).await, 200);
        serving.kill();

        let site = anew(site);
        let mut serving = serve(&database, &site, &[]).await;
        is_over(&site.refresh(&client, &first).await);
        assert_eq!(site.opens(&access).await, 401);
        serving.kill();
        let log = serving.rest();
        let told = log.lines().find(|line| line.contains("a refresh token came back that was replaced"));
        assert!(told.is_some_and(|line| line.contains(&client.id) && line.contains("WARN")), "{log}");

        let site = anew(site);
        let _serving = serve(&database, &site, &[]).await;
        for token in [&first, &second, &third] {
            is_over(&site.refresh(&client, token).await);
        }
        assert_eq!((site.opens(&access).await, revoked(&database).await), (401, 1));
    }
}

/// With SQLite there is one server.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ref_15_two_servers_that_are_asked_at_once_give_one_successor() {
    let database = Database::postgres().await;
    let one = Site::on(&database).await;
    let other = Site::beside(&database, one.clock.clone(), &[("server.public_url", &one.base)]).await;
    let client = one.client().await;
    let (_, mut newest) = one.tokens(&client).await;
    for round in 1..=100 {
        let (answer, its) = tokio::join!(one.refresh(&client, &newest), other.refresh(&client, &newest));
        let ((access, successor), (its_access, same)) = (tokens(&answer), tokens(&its));
        assert_eq!((&same, generation(&database).await), (&successor, round + 1), "{round}");
        assert_eq!((one.opens(&its_access).await, other.opens(&access).await), (200, 200), "{round}");
        newest = successor;
    }
    assert_eq!((revoked(&database).await, reuses(&one).await, reuses(&other).await), (0, 0.0, 0.0));
}

#[tokio::test]
async fn ref_16_while_the_database_is_away_the_client_is_told_to_come_again() {
    // A file that another program locks.
    let database = Database::sqlite();
    let site = Site::with(&database, &[("store.busy_timeout", "100ms")]).await;
    let client = site.client().await;
    let (access, first) = site.tokens(&client).await;
    let mut other = database.sqlite_connection().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    comes_again(&site.refresh(&client, &first).await);
    assert_eq!(site.opens(&access).await, 200, "reading goes on");
    other.execute("ROLLBACK").await.unwrap();
    let (_, second) = tokens(&site.refresh(&client, &first).await);
    tokens(&site.refresh(&client, &second).await);
    assert_eq!((generation(&database).await, revoked(&database).await), (3, 0));

    // A server that was killed.
    let mut cluster = Cluster::start().await;
    let url = cluster.url("postgres");
    let settings = [("store.url", url.as_str()), ("store.pool_min", "0"), ("store.acquire_timeout", "300ms")];
    let site = Site::with(&Database::sqlite(), &settings).await;
    let client = site.client().await;
    let (access, first) = site.tokens(&client).await;
    cluster.kill();
    for _ in 0..3 {
        comes_again(&site.refresh(&client, &first).await);
        assert_eq!(site.opens(&access).await, 503, "whether it is valid is not known now");
    }
    cluster.resume().await;
    let (access, second) = tokens(&site.refresh(&client, &first).await);
    assert_eq!(site.opens(&access).await, 200);
    tokens(&site.refresh(&client, &second).await);
    assert_eq!(reuses(&site).await, 0.0);
}

#[tokio::test]
async fn ref_17_when_it_is_not_known_whether_the_write_happened_the_old_token_gives_what_it_made() {
    let postgres = postgres::Database::new().await;
    let (proxy, url) = proxied(&postgres).await;
    let site = Site::with(&Database::sqlite(), &[("store.url", &url), ("store.pool_min", "0")]).await;
    let client = site.client().await;
    let (_, first) = site.tokens(&client).await;
    let swallow = Swallow::prepare(&postgres).await;
    let database = Database::Postgres(postgres);
    let breaks = async {
        swallow.happen(&proxy).await;
        until("the token is replaced", async || generation(&database).await == 2).await;
        proxy.set(Mode::Cut);
    };
    let (answer, ()) = tokio::join!(site.refresh(&client, &first), breaks);
    comes_again(&answer);
    let kept = database.texts("SELECT token_hash FROM grants").await;

    proxy.set(Mode::Through);
    let mut answer = site.refresh(&client, &first).await;
    // Other connections that broke are found out one by one.
    while answer.status == 503 {
        comes_again(&answer);
        answer = site.refresh(&client, &first).await;
    }
    let (access, second) = tokens(&answer);
    assert_eq!((kept, generation(&database).await), (vec![sha256_hex(&second)], 2));
    assert_eq!(site.opens(&access).await, 200);
    assert_eq!(tokens(&site.refresh(&client, &first).await).1, second);
    tokens(&site.refresh(&client, &second).await);
    assert_eq!((revoked(&database).await, reuses(&site).await), (0, 0.0));
}

#[tokio::test]
async fn ref_18_a_token_given_at_the_very_end_lives_until_the_end_and_at_least_a_second() {
    for database in both().await {
        let site = Site::on(&database).await;
        // The end is no whole second.
        site.clock.advance(Duration::from_millis(300));
        let client = site.client().await;
        let (_, mut newest) = site.tokens(&client).await;
        for _ in 0..3 {
            site.clock.advance(25 * DAY);
            newest = tokens(&site.refresh(&client, &newest).await).1;
        }
        let mut left = 15 * DAY;
        let little = Duration::from_millis(200);
        for (at, told) in [(16 * MINUTE, 900), (15 * MINUTE, 900), (MINUTE, 60), (SECOND, 1), (little, 1)] {
            site.clock.advance(left.checked_sub(at).unwrap());
            left = at;
            let answer = site.refresh(&client, &newest).await;
            let (access, next) = tokens(&answer);
            assert_eq!(answer.json()["expires_in"], json!(told), "{}, {at:?} before the end", database.name());
            assert_eq!(site.opens(&access).await, 200);
            newest = next;
        }
        let (last, _) = tokens(&site.refresh(&client, &newest).await);
        site.clock.advance(left);
        is_over(&site.refresh(&client, &newest).await);
        // Clocks may be half a minute apart.
        site.clock.advance(Duration::from_secs(31));
        assert_eq!(site.opens(&last).await, 401);
    }
}

/// The store of a process of its own beside the server.
async fn beside(database: &Database, clock: &Clock) -> Store {
    let store = database.store(clock);
    store.attach().await.unwrap();
    store
}

/// Some as clients do it, and most in the store, which is where rows could grow.
#[tokio::test]
async fn ref_19_ten_thousand_refreshes_leave_one_row() {
    const ALL: i64 = 10_000;
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let (_, mut newest) = site.tokens(&client).await;
        let tables = ["grants", "decisions", "sessions", "clients", "people", "signing_keys"];
        let rows = async || join_all(tables.map(|table| database.count(table))).await;
        let before = rows().await;
        for _ in 1..=200 {
            site.clock.advance(SECOND);
            newest = tokens(&site.refresh(&client, &newest).await).1;
        }
        let store = beside(&database, &site.clock).await;
        let id = database.texts("SELECT id FROM grants").await.remove(0);
        while let Some(found) = store.grants().find(&id).await.unwrap().filter(|grant| grant.generation <= ALL) {
            let next = NextTokens {
                token_hash: Some(sha256_hex(&found.generation.to_string())),
                successor: found.successor.clone(),
                idle_until: site.clock.now() + 30 * DAY,
                expires_at: found.expires_at,
            };
            assert!(store.grants().rotate(&found, &next, site.clock.now()).await.unwrap());
        }
        assert_eq!((rows().await, generation(&database).await), (before, ALL + 1), "{}", database.name());
        let measure = match &database {
            Database::Sqlite(_) => "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
            Database::Postgres(_) => "SELECT pg_total_relation_size('grants')",
        };
        let bytes = database.numbers(measure).await[0];
        assert!(bytes < 2_000_000, "{}: {bytes} bytes", database.name());
        // A real one of long ago is known for what it is all the same.
        is_over(&site.refresh(&client, &newest).await);
        assert_eq!((revoked(&database).await, reuses(&site).await), (1, 1.0), "{}", database.name());
    }
}

#[tokio::test]
async fn ref_20_what_is_older_than_the_last_but_one_is_not_brought_back() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        // Within the minute, with nothing used, and by whichever of the old ones.
        for (nth, replayed) in [(1, 0), (2, 0), (3, 1)] {
            let (access, first) = site.tokens(&client).await;
            let mut chain = vec![first];
            for _ in 0..replayed + 2 {
                let next = tokens(&site.refresh(&client, chain.last().unwrap()).await).1;
                chain.push(next);
            }
            is_over(&site.refresh(&client, &chain[replayed]).await);
            for token in chain.iter().rev() {
                is_over(&site.refresh(&client, token).await);
            }
            assert_eq!((site.opens(&access).await, reuses(&site).await), (401, f64::from(nth)), "{}", database.name());
            assert_eq!(revoked(&database).await, i64::from(nth));
        }
    }
}
