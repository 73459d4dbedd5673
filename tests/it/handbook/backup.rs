//! The page of backups is followed, command by command, on a server that people use meanwhile; what it says is kept is there
//! afterwards, and what it says is lost is not.

use super::installation::{Belongings, Installation, commands, reported, shell_in};
use crate::support::{database::Database, sign_in::both, until};
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

const PAGE: &str = "docs/self-host/backup.md";

/// Makes a backup while somebody writes without a pause.
async fn back_up(installation: &Installation, belongings: &Belongings) -> String {
    let (is_done, written) = (AtomicBool::new(false), AtomicU32::new(0));
    let commands = commands(PAGE, &format!("{}: back up", installation.kind()), 0);
    let writing = async {
        while !is_done.load(Ordering::Relaxed) {
            let number = written.fetch_add(1, Ordering::Relaxed);
            reported(&belongings.site, &belongings.key, &format!("meanwhile {number}")).await;
        }
    };
    let copying = async {
        until("somebody writes", async || written.load(Ordering::Relaxed) > 3).await;
        let folder = installation.path().to_owned();
        let printed = tokio::task::spawn_blocking(move || shell_in(&folder, &commands)).await;
        is_done.store(true, Ordering::Relaxed);
        printed.unwrap()
    };
    let ((), printed) = tokio::join!(writing, copying);
    printed
}

#[tokio::test]
async fn what_the_page_of_backups_saves_from_a_running_server_comes_back() {
    for (mut installation, google) in Installation::both().await {
        let kind = installation.kind();
        let mut serving = installation.serve();
        let belongings = Belongings::made(&installation, google).await;
        let site = &belongings.site;

        let printed = back_up(&installation, &belongings).await;
        match kind {
            "SQLite" => assert_eq!(printed, "ok\n"),
            _ => assert!(printed.trim().parse::<u32>().unwrap() > 10, "{printed}"),
        }
        // Later than the backup: a report, and a token in place of another.
        let late = reported(site, &belongings.key, "late").await;
        let (_, newer) = both(&site.refresh(&belongings.idle, &belongings.idle_refresh_token).await);

        // The machine is gone, and another one begins with the backup.
        serving.kill();
        if installation.database.is_some() {
            installation.database = Some(Database::postgres().await);
            installation.name_the_database();
        }
        installation.follow(PAGE, &format!("{kind}: restore"));
        let _serving = installation.serve();
        belongings.are_there(&installation).await;
        assert_eq!(
            belongings.call("get_report", json!({"report_id": late})).await.code(),
            "report_not_found",
            "{kind}"
        );
        assert_eq!(site.opens(&belongings.access_token).await, 200, "{kind}");
        let (access_token, _) = both(&site.refresh(&belongings.client, &belongings.refresh_token).await);
        assert_eq!(site.opens(&access_token).await, 200, "{kind}");
        let refused = site.refresh(&belongings.idle, &newer).await;
        assert_eq!((refused.status, refused.error().as_str()), (400, "invalid_grant"), "{kind}");
    }
}

/// Why the page warns: what was written last is not in the file yet.
#[tokio::test]
async fn a_copy_of_the_file_of_a_running_server_lacks_what_was_written_last() {
    let (installation, google) = Installation::new(None).await;
    let _serving = installation.serve();
    Belongings::made(&installation, google).await;
    let count = |file: &str| {
        let counted = installation.shell(&format!("sqlite3 {file} 'SELECT count(*) FROM reports'"));
        counted.trim().parse::<u32>().unwrap()
    };
    installation.shell("cp data/google-reviews.db copy.db");
    assert_eq!(count("copy.db"), 0);
    let other = commands(PAGE, "SQLite: back up", 1);
    assert!(other.starts_with("python3"), "{other}");
    installation.shell(&format!("backup=other; mkdir $backup\n{other}"));
    assert_eq!(count("other/google-reviews.db"), 1);
}

#[tokio::test]
async fn a_backup_is_tried_beside_the_running_server() {
    let (installation, google) = Installation::new(None).await;
    let _serving = installation.serve();
    // One of before is not in the way of another.
    installation.shell("mkdir -p backups/2026-01-01-000000");
    Belongings::made(&installation, google).await;
    assert_eq!(installation.follow(PAGE, "SQLite: back up"), "ok\n");
    assert_eq!(installation.shell("ls backups | wc -l").trim(), "2");
    let people = installation.follow(PAGE, "Try it");
    assert!(people.starts_with("ada ") && people.lines().count() == 1, "{people}");
    assert!(!installation.path().join("trial").exists());
}
