//! What is left of a person who was removed, and of what was revoked: nothing that opens, answers or tells of them.

use crate::support::{
    BAKERY,
    binary::{program, stderr},
    database::{Database, both},
    now,
    provider::FakeProvider,
    redis::{LentRedis, Redis},
    rpc,
    sign_in::{Browser, CALLBACK, Client, NAME, PASSWORD, Site, both as tokens},
    until,
};
use deadpool_redis::redis::cmd;
use google_reviews_mcp::{clock::Clock, model::PersonName};
use serde_json::{Value, json};
use std::time::Duration;

const EVERYTHING: [&str; 3] = ["reviews:read", "reports:write", "offline_access"];
/// Within this time a running server knows of what the operator does beside it.
const KNOWN_BY_THEN: Duration = Duration::from_mins(1);

/// Runs `user remove` beside the server.
async fn remove(database: &Database, name: &str) {
    let mut command = program();
    command.args(["user", "remove", name]).envs(database.environment());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}

/// Access token and refresh token for a client, by a browser in which somebody is signed in.
async fn connected(site: &Site, browser: &mut Browser<'_>, client: &Client) -> (String, String) {
    let page = browser.consent_page(&site.asking(client)).await;
    let sent = browser.decide(&page, "allow", &EVERYTHING).await;
    tokens(&site.exchange(client, &sent.parameter("code").unwrap()).await)
}

async fn call(site: &Site, token: &str, tool: &str, arguments: Value) -> rpc::Answer {
    site.ask(token, "tools/call", json!({"name": tool, "arguments": arguments})).await
}

/// The id of the report that this call makes, and whether it had been made before.
async fn report(site: &Site, token: &str, title: &str, key: &str) -> (String, bool) {
    let arguments = json!({"place_ids": [BAKERY], "title": title, "request_id": key});
    let answer = call(site, token, "create_report", arguments).await;
    let data = &answer.body["result"]["structuredContent"];
    let id = data["report_id"].as_str().unwrap_or_else(|| panic!("{} {}", answer.status, answer.body));
    (id.to_owned(), data["replayed"].as_bool().unwrap())
}

/// Whether this report can be read with this token.
async fn reads(site: &Site, token: &str, id: &str) -> bool {
    let answer = call(site, token, "get_report", json!({"report_id": id})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["result"]["isError"] == json!(false)
}

/// What is remembered for a caller is remembered by the hash of the credential, or under the id of the person, which nobody
/// gets again: so nothing has to be found and taken out for it to be out of reach.
#[tokio::test]
async fn cache_09_what_was_revoked_is_out_of_reach_also_for_who_comes_by_the_same_name() {
    for database in both().await {
        let site = Site::on(&database).await;
        let (one, other) = (site.client().await, site.register("Another client", "none", CALLBACK).await);
        let mut ada = site.signed_in().await;
        let (first, refresh) = connected(&site, &mut ada, &one).await;
        let (second, _) = connected(&site, &mut ada, &other).await;
        let (id, is_replayed) = report(&site, &first, "Of Ada", "once").await;
        assert!(!is_replayed && reads(&site, &first, &id).await && reads(&site, &second, &id).await);

        // One connection is taken back: its token is remembered, and opens no more; the person still has what is theirs.
        let csrf = ada.get("/connections").await.field("csrf");
        let revoke = [("csrf", csrf.as_str()), ("revoke", &one.id), ("redirect_uri", CALLBACK)];
        assert_eq!(ada.post("/connections", &revoke).await.status, 200);
        assert_eq!((site.opens(&first).await, site.opens(&second).await), (401, 200), "{}", database.name());
        assert_eq!(site.refresh(&one, &refresh).await.error(), "invalid_grant");
        assert_eq!(
            report(&site, &second, "Of Ada", "once").await,
            (id.clone(), true),
            "the answer belongs to the person"
        );

        remove(&database, NAME).await;
        site.clock.advance(KNOWN_BY_THEN);
        assert_eq!((site.opens(&first).await, site.opens(&second).await), (401, 401), "{}", database.name());
        assert_eq!(ada.get("/connections").await.location(), "/login", "signed out");

        // Somebody by the same name, with the same password and client, and with the same key for the same call.
        site.server.app.people().unwrap().add(PersonName::parse(NAME).unwrap(), Some(PASSWORD)).await.unwrap();
        let (third, _) = connected(&site, &mut site.signed_in().await, &one).await;
        assert!(!reads(&site, &third, &id).await, "{}", database.name());
        let listed = site.ask(&third, "resources/list", json!({})).await;
        assert!(!listed.body.to_string().contains(&id), "{}", listed.body);
        let (new, is_replayed) = report(&site, &third, "Of Ada", "once").await;
        assert!(new != id && !is_replayed, "{}: an answer of somebody else", database.name());
        assert_eq!((site.opens(&first).await, site.opens(&second).await), (401, 401));
    }
}

/// What tells of somebody, with where it stands before they are removed.
async fn needles(database: &Database, who: &str) -> Vec<(String, String)> {
    let mut found = vec![("the name".to_owned(), who.to_owned()), ("the title".to_owned(), format!("Report of {who}"))];
    let id = format!("(SELECT id FROM people WHERE name = '{who}')");
    for (what, sql) in [
        ("the id", format!("SELECT id FROM people WHERE id = {id}")),
        ("the account", format!("SELECT subject FROM identities WHERE person_id = {id}")),
        ("a session", format!("SELECT hash FROM sessions WHERE person_id = {id}")),
        ("a link", format!("SELECT hash FROM setup_links WHERE person_id = {id}")),
        ("a grant", format!("SELECT id FROM grants WHERE person_id = {id}")),
        ("a token", format!("SELECT token_hash FROM grants WHERE person_id = {id}")),
        ("a report", format!("SELECT id FROM reports WHERE owner = 'person:' || {id}")),
        ("a key", format!("SELECT request_key FROM idempotency WHERE owner = 'person:' || {id}")),
        ("an answer", format!("SELECT effect_id FROM idempotency WHERE owner = 'person:' || {id}")),
    ] {
        let texts = database.texts(sql.leak()).await;
        assert!(!texts.is_empty(), "{what} of {who}");
        found.extend(texts.into_iter().map(|text| (what.to_owned(), text)));
    }
    found
}

/// Where any of these stands: in tables, files, or Redis.
async fn places(database: &Database, redis: &Redis, needles: &[(String, String)]) -> Vec<String> {
    let mut contents = database.contents().await;
    for key in redis.run::<Vec<String>>(cmd("KEYS").arg("*")).await {
        let bytes = match redis.run::<String>(cmd("TYPE").arg(&key)).await.as_str() {
            "string" => redis.run::<Vec<u8>>(cmd("GET").arg(&key)).await,
            "hash" => redis.run::<Vec<Vec<u8>>>(cmd("HGETALL").arg(&key)).await.concat(),
            // It ended in between.
            "none" => Vec::new(),
            other => panic!("{key} is a {other}"),
        };
        contents.push((format!("Redis: {key}"), [key.into_bytes(), bytes].concat()));
    }
    let found = contents.iter().flat_map(|(place, bytes)| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        needles
            .iter()
            .filter(move |(_, needle)| text.contains(needle))
            .map(move |(what, _)| format!("{what} in {place}"))
    });
    found.collect()
}

/// Somebody comes by an account, is given a link for a password, connects a client, and makes a report; the access token.
async fn lives(site: &Site, provider: &FakeProvider, who: &str) -> String {
    let client = site.client().await;
    provider.change(|answers| answers.claims = json!({"sub": format!("account-of-{who}"), "email": who}));
    let mut browser = site.browser();
    let sent = browser.get("/login/provider").await;
    let back = provider.sign_in(sent.location());
    assert_eq!(browser.get(&back).await.location(), "/connections");
    let people = site.server.app.people().unwrap();
    let session = &browser.cookies["__Host-session"];
    let person = people.session(session).await.unwrap().unwrap();
    people.link_for(&person).await.unwrap().unwrap();
    let (access, refresh) = connected(site, &mut browser, &client).await;
    let (access_again, _) = tokens(&site.refresh(&client, &refresh).await);
    let (title, key) = (format!("Report of {who}"), format!("key-{}", who.len()));
    assert_eq!((site.opens(&access).await, report(site, &access_again, &title, &key).await.1), (200, false));
    access_again
}

#[tokio::test]
async fn cache_14_of_a_removed_person_nothing_is_left_in_any_table_file_or_cache() {
    for database in both().await {
        let redis = LentRedis::take().await;
        let clock = Clock::manual(now());
        let provider = FakeProvider::start(clock.clone()).await;
        let redis_url = redis.url();
        let more =
            [("cache.redis_url", redis_url.as_str()), ("limits.enabled", "true"), ("cache.places_content_ttl", "60s")];
        let site = Site::beside(&database, clock, &[&provider.settings("example.com"), &more[..]].concat()).await;
        let (ada, eve) = ("canary-ada@example.com", "canary-evelyn@example.com");
        let token = lives(&site, &provider, ada).await;
        let of_eve = lives(&site, &provider, eve).await;
        assert_ne!(redis.cache_keys().await, Vec::<String>::new());
        let (gone, stays) = (needles(&database, ada).await, needles(&database, eve).await);
        for needle in &gone {
            let found = places(&database, &redis, std::slice::from_ref(needle)).await;
            assert!(found.iter().any(|place| place.contains("the column ")), "{needle:?}: {found:?}");
        }

        remove(&database, ada).await;
        let in_tables = async || {
            let found = places(&database, &redis, &gone).await;
            found.into_iter().filter(|place| !place.contains("the file ")).collect::<Vec<_>>()
        };
        assert_eq!(in_tables().await, Vec::<String>::new(), "{}", database.name());
        // What the server still remembers as valid writes for as long.
        let late = json!({"place_ids": [BAKERY], "title": format!("Report of {ada}"), "request_id": "late"});
        assert_eq!(call(&site, &token, "create_report", late).await.status, 200);
        assert_ne!(in_tables().await, Vec::<String>::new(), "{}: a late call", database.name());

        site.clock.advance(KNOWN_BY_THEN);
        assert_eq!(site.opens(&token).await, 401);
        site.clock.advance(Duration::from_mins(10));
        until("nothing is left", async || {
            site.clock.advance(Duration::from_secs(5));
            places(&database, &redis, &gone).await.is_empty()
        })
        .await;
        let left = places(&database, &redis, &stays).await;
        for (what, _) in &stays {
            let column = |place: &&String| place.starts_with(&format!("{what} in the column "));
            // Ten minutes are longer than what is derived from arguments is remembered, and shorter than all else.
            assert!(left.iter().any(|place| column(&place)), "{}: {what} of somebody else: {left:?}", database.name());
        }
        assert_eq!(site.opens(&of_eve).await, 200);
        // The account may sign in again: as somebody new.
        provider.change(|answers| answers.claims = json!({"sub": format!("account-of-{ada}"), "email": ada}));
        let mut browser = site.browser();
        let sent = browser.get("/login/provider").await;
        assert_eq!(browser.get(&provider.sign_in(sent.location())).await.location(), "/connections");
        assert!(browser.get("/connections").await.text.contains(ada));
        assert_eq!(database.count("reports").await, 1, "that of the other");
    }
}
