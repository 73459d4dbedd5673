//! Codes: given once, to one client, for one redirect and one verifier.

use crate::support::{
    database::both,
    sign_in::{Site, both as tokens},
};

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

#[tokio::test]
async fn code_01_a_code_that_comes_again_takes_back_what_it_gave() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let code = site.code(&client).await;
        let (access, refresh) = tokens(&site.exchange(&client, &code).await);
        assert_eq!(site.opens(&access).await, 200);
        let again = site.exchange(&client, &code).await;
        assert_eq!((again.status, again.error().as_str()), (400, "invalid_grant"));
        assert_eq!(site.opens(&access).await, 401, "{}", database.name());
        assert_eq!(site.refresh(&client, &refresh).await.error(), "invalid_grant");
    }
}
