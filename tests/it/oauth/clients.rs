//! The command `client`, beside a running server.

use crate::support::{
    binary::{program, stderr, stdout},
    database::{Database, both},
    sign_in::{CALLBACK, Client, Site, both as tokens},
};
use std::process::Output;

/// Runs `client` on a database, beside whatever serves from it.
async fn client(database: &Database, arguments: &[&str]) -> Output {
    let mut command = program();
    command.arg("client").args(arguments).envs(database.environment());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
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
        site.clock.advance(std::time::Duration::from_mins(1));
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
