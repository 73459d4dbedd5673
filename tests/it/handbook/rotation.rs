//! The page of keys is followed: the secret key is changed, and thrown away, as it says.

use super::installation::{Belongings, Installation, commands};
use crate::support::{binary::stderr, sign_in::both};

const PAGE: &str = "docs/self-host/keys.md";
const PREVIOUS: &str = "REVIEWS__SERVER__PREVIOUS_SECRET_KEY_FILE";

/// The heading of a way for one of the databases.
fn change_of(installation: &Installation) -> &'static str {
    match installation.kind() {
        "SQLite" => "With SQLite",
        _ => "With PostgreSQL, or where `server.secret_key` is set",
    }
}

#[tokio::test]
async fn the_secret_key_is_changed_as_the_page_says_and_nobody_notices() {
    for (mut installation, google) in Installation::both().await {
        let kind = installation.kind();
        let serving = installation.serve();
        let belongings = Belongings::made(&installation, google).await;
        let site = &belongings.site;
        assert!(serving.stop().1, "{kind}");

        installation.follow(PAGE, change_of(&installation));
        let refused = installation.try_serve();
        assert!(stderr(&refused).contains("neither server.secret_key nor server.previous_secret_key opens"), "{kind}");
        installation.set(PREVIOUS, "secrets/previous_secret_key");
        let serving = installation.serve();
        assert!(serving.start.contains("a signing key was sealed again under the new server.secret_key"), "{kind}");
        belongings.are_there(&installation).await;
        assert_eq!(site.opens(&belongings.access_token).await, 200, "{kind}");
        let (access_token, refresh_token) = both(&site.refresh(&belongings.client, &belongings.refresh_token).await);
        assert!(serving.stop().1, "{kind}");

        // Too early: the client that did nothing meanwhile must be connected again, and nobody else.
        installation.set(PREVIOUS, "");
        let _serving = installation.serve();
        belongings.are_there(&installation).await;
        assert_eq!(site.opens(&access_token).await, 200, "{kind}");
        both(&site.refresh(&belongings.client, &refresh_token).await);
        let refused = site.refresh(&belongings.idle, &belongings.idle_refresh_token).await;
        assert_eq!((refused.status, refused.error().as_str()), (400, "invalid_grant"), "{kind}");
    }
}

#[tokio::test]
async fn a_stolen_secret_key_is_thrown_away_as_the_page_says_with_all_tokens() {
    for (installation, google) in Installation::both().await {
        let kind = installation.kind();
        let serving = installation.serve();
        let belongings = Belongings::made(&installation, google).await;
        let site = &belongings.site;
        assert!(serving.stop().1, "{kind}");

        let number = usize::from(installation.database.is_some());
        installation.shell(&commands(PAGE, "When the secret key is lost or stolen", number));
        let _serving = installation.serve();
        belongings.are_there(&installation).await;
        assert_eq!(site.opens(&belongings.access_token).await, 401, "{kind}");
        let refused = site.refresh(&belongings.client, &belongings.refresh_token).await;
        assert_eq!((refused.status, refused.error().as_str()), (400, "invalid_grant"), "{kind}");
        site.tokens(&belongings.client).await;
    }
}

/// Deleting the signing keys alone ends access tokens, and clients get others by themselves.
#[tokio::test]
async fn signing_keys_are_deleted_and_clients_go_on_with_their_refresh_tokens() {
    for (installation, google) in Installation::both().await {
        let kind = installation.kind();
        let serving = installation.serve();
        let belongings = Belongings::made(&installation, google).await;
        let site = &belongings.site;
        assert!(serving.stop().1, "{kind}");

        let number = usize::from(installation.database.is_some());
        let all = commands(PAGE, "When the secret key is lost or stolen", number);
        let delete = all.lines().find(|line| line.contains("DELETE FROM signing_keys")).unwrap();
        installation.shell(delete);
        let _serving = installation.serve();
        assert_eq!(site.opens(&belongings.access_token).await, 401, "{kind}");
        let (access_token, _) = both(&site.refresh(&belongings.client, &belongings.refresh_token).await);
        assert_eq!(site.opens(&access_token).await, 200, "{kind}");
    }
}
