//! Clients and the people behind them as the operator sees them: commands beside a running server, room, limits.

use crate::support::{
    binary::{program, stderr, stdout},
    database::{Database, both},
    sign_in::{CALLBACK, Client, NAME, Site, both as tokens},
    until,
};
use serde_json::json;
use std::{process::Output, time::Duration};

/// Runs a command on a database, beside whatever serves from it.
async fn beside(database: &Database, arguments: &[&str]) -> Output {
    let mut command = program();
    command.args(arguments).envs(database.environment());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

async fn client(database: &Database, arguments: &[&str]) -> Output {
    beside(database, &[&["client"], arguments].concat()).await
}

#[tokio::test]
async fn the_operator_makes_lists_and_revokes_clients_beside_a_running_server() {
    for database in both().await {
        let site = Site::on(&database).await;
        let none = stdout(&client(&database, &["list"]).await);
        assert!(none.starts_with("There are no clients."), "{none}");
        let made = client(&database, &["add", "Night job", "--redirect", CALLBACK, "--secret"]).await;
        let (told, warned) = (stdout(&made), stderr(&made));
        assert!(made.status.success() && warned.contains("is shown this once"), "{told}{warned}");
        let value = |name: &str| told.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
        let (id, secret) = (value("client_id="), Some(value("client_secret=")));
        let night_job = Client { id: id.clone(), secret, redirect: CALLBACK.to_owned() };
        let (access, refresh) = site.tokens(&night_job).await;
        assert_eq!(site.opens(&access).await, 200);

        let listed = stdout(&client(&database, &["list"]).await);
        assert!(listed.contains(&id) && listed.contains("Night job") && listed.contains(CALLBACK), "{listed}");
        let revoked = client(&database, &["revoke", &id]).await;
        assert!(revoked.status.success(), "{}", stderr(&revoked));
        // Another process has revoked it: what this one remembers is over within a minute.
        site.clock.advance(Duration::from_mins(1));
        assert_eq!(site.opens(&access).await, 401, "{}", database.name());
        assert_eq!(site.refresh(&night_job, &refresh).await.error(), "invalid_client");

        let again = client(&database, &["revoke", &id]).await;
        assert!(!again.status.success() && stderr(&again).contains("there is no client"));
        let public = client(&database, &["add", "App", "--redirect", "com.example.app:/cb"]).await;
        assert!(!stdout(&public).contains("secret"));
        tokens(&site.exchange(&app(&public), &site.code(&app(&public)).await).await);
        let wrong = client(&database, &["add", "x", "--redirect", "http://example.com/cb"]).await;
        assert!(
            !wrong.status.success() && stderr(&wrong).contains("redirect_uris must be https"),
            "{}",
            stderr(&wrong)
        );
    }
}

fn app(made: &Output) -> Client {
    let id = stdout(made).trim().strip_prefix("client_id=").unwrap().to_owned();
    Client { id, secret: None, redirect: "com.example.app:/cb".to_owned() }
}

#[tokio::test]
async fn a_client_of_the_operator_stays_and_others_make_room() {
    for database in both().await {
        let site = Site::with(&database, &[("limits.clients", "3")]).await;
        let made = client(&database, &["add", "Night job", "--redirect", CALLBACK]).await;
        assert!(made.status.success(), "{}", stderr(&made));
        let used = site.register("Used", "none", CALLBACK).await;
        let (_, refresh) = site.tokens(&used).await;
        let unused = site.register("Unused", "none", CALLBACK).await;
        let more = |name: &str| json!({"client_name": name, "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"});
        assert_eq!(site.registration(&more("early")).await.status, 503, "somebody may still agree to all of them");
        site.clock.advance(Duration::from_mins(16));
        assert_eq!(site.registration(&more("late")).await.status, 201, "{}", database.name());
        let listed = stdout(&client(&database, &["list"]).await);
        assert!(!listed.contains(&unused.id), "nobody had agreed to it: {listed}");
        assert!(listed.contains("Night job") && listed.contains(&used.id) && listed.contains("late"), "{listed}");
        tokens(&site.refresh(&used, &refresh).await);

        site.clock.advance(Duration::from_hours(200 * 24));
        until("those that register themselves are removed", async || {
            site.clock.advance(Duration::from_secs(6));
            database.count("clients").await == 1
        })
        .await;
        assert!(stdout(&client(&database, &["list"]).await).contains("Night job"));
    }
}

/// Whoever had the password may have connected a client of their own.
#[tokio::test]
async fn a_reset_takes_back_what_was_granted() {
    for database in both().await {
        let site = Site::on(&database).await;
        let thief = site.client().await;
        let (access, refresh) = site.tokens(&thief).await;
        let code = site.code(&thief).await;
        let reset = beside(&database, &["user", "reset", NAME]).await;
        assert!(reset.status.success() && stderr(&reset).contains("must connect again"), "{}", stderr(&reset));
        assert_eq!(site.refresh(&thief, &refresh).await.error(), "invalid_grant");
        assert_eq!(site.exchange(&thief, &code).await.error(), "invalid_grant");
        site.clock.advance(Duration::from_mins(1));
        assert_eq!(site.opens(&access).await, 401, "{}", database.name());
    }
}

/// Behind the address of an office or of a hosted client are many people.
#[tokio::test]
async fn people_behind_a_shared_address_are_limited_by_name_and_address_and_not_together() {
    let settings = [
        ("limits.enabled", "true"),
        ("limits.sign_in_burst", "2"),
        ("limits.shared_addresses", "203.0.113.0/24"),
        ("server.trusted_proxies", "127.0.0.1"),
    ];
    let site = Site::with(&Database::sqlite(), &settings).await;
    let mut browser = site.browser();
    let csrf = browser.get("/login").await.field("csrf");
    let mut tries = async |name: &str, address: &str| {
        let request = site.request(reqwest::Method::POST, "/login").header("x-forwarded-for", address);
        let fields = [("csrf", csrf.as_str()), ("name", name), ("password", "not the password")];
        browser.send(request.form(&fields)).await.status
    };
    for number in 0..30 {
        assert_eq!(tries(&format!("person-{number}"), "203.0.113.7").await, 401, "{number}");
    }
    for (address, wanted) in [("203.0.113.8", 401), ("203.0.113.8", 401), ("203.0.113.8", 429), ("203.0.113.9", 401)] {
        assert_eq!(tries("eve", address).await, wanted, "{address}");
    }
    let mut statuses = Vec::new();
    for number in 0..12 {
        statuses.push(tries(&format!("somebody-{number}"), "198.51.100.1").await);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 2, "one address with all names: {statuses:?}");
}
