//! For how long a description is kept, how often one is fetched, and what changes when it changes.

use super::{ID, asked, described, in_worlds, is_refused, is_taken};
use crate::support::{
    sign_in::{Client, both as tokens},
    until,
    world::{Reply, description},
};
use futures_util::future::join_all;
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;

#[tokio::test]
async fn cimd_19_a_description_is_kept_for_a_day_at_most_and_half_a_minute_at_least() {
    in_worlds(&[], async |site, world| {
        let day = Duration::from_hours(24);
        let second = Duration::from_secs(1);
        for (said, kept) in [
            ("max-age=999999999", day),
            ("max-age=86401", day),
            ("no-store", 30 * second),
            ("no-cache, max-age=600", 30 * second),
            ("max-age=0", 30 * second),
            ("public, max-age=90", 90 * second),
        ] {
            world.publish(ID, Reply::document(&description(ID), said));
            let before = world.requests().len();
            is_taken(site, ID).await;
            site.clock.advance(kept.saturating_sub(second));
            is_taken(site, ID).await;
            assert_eq!(world.requests().len(), before + 1, "{said}: kept");
            site.clock.advance(second);
            is_taken(site, ID).await;
            assert_eq!(world.requests().len(), before + 2, "{said}: and no longer");
            site.clock.advance(day);
        }
        // What fails is tried again at once, and what was there before is not used for longer than it was good.
        for reply in [Reply::new(404, &["cache-control: max-age=600"], ""), Reply::new(200, &[], "x")] {
            world.publish(ID, reply);
            let before = world.requests().len();
            is_refused(site, ID).await;
            is_refused(site, ID).await;
            assert_eq!(world.requests().len(), before + 2);
        }
        world.publish_usual(ID);
        is_taken(site, ID).await;
    })
    .await;
}

#[tokio::test]
async fn cimd_20_one_fetch_for_many_and_not_many_for_one() {
    let settings =
        [("limits.enabled", "true"), ("limits.address_burst", "100000"), ("limits.registration_burst", "30")];
    in_worlds(&settings, async |site, world| {
        // The host answers when all have come.
        let pace = Arc::new(Semaphore::new(0));
        let body = description(ID).to_string();
        let whole = Reply::new(200, &["content-type: application/json", "cache-control: max-age=86400"], body);
        world.publish(ID, whole.paced(&pace));
        let taken = join_all((0..100).map(|_| is_taken(site, ID)));
        tokio::join!(taken, async {
            until("the host is asked", async || !world.requests().is_empty()).await;
            assert_eq!(site.get("/livez").await.status, 200);
            pace.add_permits(100_000);
        });
        assert_eq!((world.requests().len(), world.connections()), (1, 1));
        let ids: Vec<String> = (0..1_000).map(|number| format!("https://client.example/{number}.json")).collect();
        let mut refused = 0;
        for some in ids.chunks(50) {
            for answer in join_all(some.iter().map(async |id| asked(site, &described(id)).await)).await {
                assert!(matches!(answer.status, 400 | 429), "{answer:?}");
                if answer.status == 429 {
                    assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0, "{answer:?}");
                    refused += 1;
                }
            }
        }
        assert_eq!((refused, world.requests().len()), (971, 30), "one of the thirty was the first");
        assert!(site.server.metric("rate_limited_total{limit=\"registration\"}").await > 970.0);
        // What is there needs no fetch, and neither does who is known.
        is_taken(site, ID).await;
        let claude = "https://claude.ai/oauth/mcp-oauth-client-metadata";
        let callback = "https://claude.ai/api/mcp/auth_callback".to_owned();
        let answer = asked(site, &Client { redirect: callback, ..described(claude) }).await;
        assert_eq!((answer.status, world.requests().len()), (303, 30), "{answer:?}");
        site.clock.advance(Duration::from_mins(1));
        assert_eq!(asked(site, &described(&ids[0])).await.status, 400, "as time passes, more is fetched");
    })
    .await;
}

/// Whoever has many addresses cannot make this server hold many connections.
#[tokio::test]
async fn so_many_descriptions_are_fetched_at_once_and_no_more() {
    in_worlds(&[], async |site, world| {
        let ids: Vec<String> = (0..64).map(|number| format!("https://client.example/{number}.json")).collect();
        for id in &ids {
            world.publish(id, Reply::raw("").then_wait());
        }
        world.publish_usual(ID);
        let waiting = join_all(ids.iter().map(async |id| asked(site, &described(id)).await));
        let (answers, ()) = tokio::join!(waiting, async {
            until("all hosts are asked", async || world.requests().len() == 64).await;
            let busy = asked(site, &described(ID)).await;
            assert_eq!((busy.status, busy.header("retry-after")), (503, "5"), "{busy:?}");
            site.clock.advance(Duration::from_secs(5));
        });
        assert!(answers.iter().all(|answer| answer.status == 400));
        is_taken(site, ID).await;
    })
    .await;
}

#[tokio::test]
async fn cimd_21_a_code_goes_where_it_was_asked_for_and_the_next_request_by_the_new_description() {
    in_worlds(&[], async |site, world| {
        let client = described(ID);
        world.publish(ID, Reply::document(&description(ID), "no-store"));
        let code = site.code(&client).await;
        let mut changed = description(ID);
        changed["redirect_uris"] = json!(["https://client.example/moved"]);
        world.publish(ID, Reply::document(&changed, "no-store"));
        site.clock.advance(Duration::from_secs(31));
        let moved = Client { redirect: "https://client.example/moved".to_owned(), ..client.clone() };
        // The new description is read in between.
        let answer = asked(site, &moved).await;
        assert!(answer.status == 303 && world.requests().len() == 2, "{answer:?}");
        assert_eq!(site.exchange(&moved, &code).await.error(), "invalid_grant", "the code is bound");
        let (_, refresh) = tokens(&site.exchange(&client, &code).await);
        let answer = asked(site, &client).await;
        assert!(answer.status == 400 && answer.location().is_empty(), "{answer:?}");
        assert!(answer.text.contains("did not register"), "{answer:?}");
        tokens(&site.refresh(&client, &refresh).await);
        site.tokens(&moved).await;
    })
    .await;
}
