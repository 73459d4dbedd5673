//! People who sign in here: their names, passwords, sessions and links, on both databases, and the command `user`.

use crate::support::{
    TestServer,
    binary::{Serving, program, stderr, stdout},
    child,
    database::{Database, both},
    now, until,
};
use futures_util::future::join_all;
use google_reviews_mcp::{
    clock::Clock,
    model::{PersonName, sha256_hex},
    oauth::{BadPassword, Invitation, People, SetUpError, SignInError},
    store::{KeptPerson, Person, Proof, SetUp, Store},
};
use secrecy::{ExposeSecret as _, SecretString};
use std::{
    io::Write as _,
    process::{Output, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::sync::Barrier;
use uuid::Uuid;

const PASSWORD: &str = "correct horse battery staple";
const ROUNDS: usize = 60;
const DAY: Duration = Duration::from_hours(24);

/// The store of a process of its own on this database.
async fn open(database: &Database, clock: &Clock) -> Store {
    let store = database.store(clock);
    store.prepare().await.unwrap();
    store
}

async fn people(database: &Database, clock: &Clock) -> People {
    People::new(open(database, clock).await, clock.clone())
}

fn name(text: &str) -> PersonName {
    PersonName::parse(text).unwrap()
}

fn kept(text: &str) -> KeptPerson {
    let person = Person { id: Uuid::new_v4().to_string(), name: name(text) };
    KeptPerson { person, password_hash: Some(SecretString::from("a hash")), created_at: now() }
}

/// Lets two begin at the same moment, again and again with one a little later than the other.
async fn at_once<A, B>(round: usize, one: A, other: B) -> (A::Output, B::Output)
where
    A: Future<Output: Send> + Send + 'static,
    B: Future<Output: Send> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(2));
    let (waits, lag) = (Arc::clone(&barrier), Duration::from_micros(100 * (round as u64 % 8)));
    let one = tokio::spawn(async move {
        waits.wait().await;
        one.await
    });
    let other = tokio::spawn(async move {
        barrier.wait().await;
        tokio::time::sleep(lag).await;
        other.await
    });
    (one.await.unwrap(), other.await.unwrap())
}

#[tokio::test]
async fn the_first_person_is_let_in_by_a_link_once() {
    for database in both().await {
        let clock = Clock::manual(now());
        let people = people(&database, &clock).await;
        let replaced = people.first_link().await.unwrap().unwrap();
        let link = people.first_link().await.unwrap().unwrap();
        let (replaced, link) = (replaced.expose_secret(), link.expose_secret());
        assert!(link.starts_with("grl_") && link.len() == 47, "{link}");
        assert_eq!(database.texts("SELECT hash FROM setup_links").await, [sha256_hex(link)]);
        assert_eq!(people.invited(link).await.unwrap(), Some(Invitation::First));
        for wrong in [replaced, "", "grl_", &link[..46], &sha256_hex(link)] {
            assert_eq!(people.invited(wrong).await.unwrap(), None, "{wrong}");
            assert!(matches!(people.set_up(wrong, Some("ada"), PASSWORD).await, Err(SetUpError::LinkSpent)));
        }

        for wrong in [None, Some(""), Some("ada lovelace")] {
            assert!(matches!(people.set_up(link, wrong, PASSWORD).await, Err(SetUpError::BadName(_))), "{wrong:?}");
        }
        for (wrong, why) in [("short", BadPassword::TooShort), ("ada.lovelace", BadPassword::IsName)] {
            let outcome = people.set_up(link, Some("Ada.Lovelace"), wrong).await;
            assert!(matches!(outcome, Err(SetUpError::BadPassword(found)) if found == why), "{wrong}");
        }
        assert_eq!((people.passwords_hashed(), database.count("people").await), (0, 0), "nothing came of it");

        let signed_in = people.set_up(link, Some("Ada.Lovelace"), PASSWORD).await.unwrap();
        assert_eq!(signed_in.person.name.as_str(), "ada.lovelace");
        assert!(Uuid::parse_str(&signed_in.person.id).is_ok_and(|id| id.get_version_num() == 4));
        assert_eq!(people.session(signed_in.token.expose_secret()).await.unwrap(), Some(signed_in.person));
        assert!(matches!(people.set_up(link, Some("eve"), PASSWORD).await, Err(SetUpError::LinkSpent)));
        assert!(people.first_link().await.unwrap().is_none(), "there is somebody");
        assert_eq!((database.count("people").await, database.count("setup_links").await), (1, 0));
        let hash = &database.texts("SELECT password_hash FROM people").await[0];
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    }
}

#[tokio::test]
async fn a_link_of_the_first_person_is_of_no_use_when_there_is_somebody_or_a_day_has_passed() {
    for database in both().await {
        let clock = Clock::manual(now());
        let people = people(&database, &clock).await;
        let old = people.first_link().await.unwrap().unwrap();
        clock.advance(Duration::from_millis(24 * 3_600_000 - 1));
        assert!(people.invited(old.expose_secret()).await.unwrap().is_some());
        clock.advance(Duration::from_millis(1));
        assert!(people.invited(old.expose_secret()).await.unwrap().is_none(), "{}", database.name());
        let spent = people.set_up(old.expose_secret(), Some("eve"), PASSWORD).await;
        assert!(matches!(spent, Err(SetUpError::LinkSpent)));
        let late = open(&database, &clock).await;
        let used = late.setup_links().use_first(&sha256_hex(old.expose_secret()), &kept("eve"), clock.now()).await;
        assert_eq!(used.unwrap(), SetUp::Spent);

        let link = people.first_link().await.unwrap().unwrap();
        people.add(name("ada"), None).await.unwrap();
        assert!(people.invited(link.expose_secret()).await.unwrap().is_none());
        let spent = people.set_up(link.expose_secret(), Some("eve"), PASSWORD).await;
        assert!(matches!(spent, Err(SetUpError::LinkSpent)));
        let used = late.setup_links().use_first(&sha256_hex(link.expose_secret()), &kept("eve"), clock.now()).await;
        assert_eq!(used.unwrap(), SetUp::Spent);
        assert_eq!(database.count("people").await, 1);
    }
}

/// Two processes on one database, both with the link.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_with_the_link_of_the_first_person_one_wins() {
    for database in both().await {
        let clock = Clock::manual(now());
        let stores = [open(&database, &clock).await, open(&database, &clock).await];
        for round in 0..ROUNDS {
            database.run("DELETE FROM people").await;
            assert!(stores[0].setup_links().insert_first("link", now() + DAY).await.unwrap());
            let [ada, eve] = [("ada", stores[0].clone()), ("eve", stores[1].clone())].map(|(who, store)| async move {
                store.setup_links().use_first("link", &kept(who), now()).await.unwrap()
            });
            let outcomes = at_once(round, ada, eve).await;
            let is_one = matches!(outcomes, (SetUp::Done, SetUp::Spent) | (SetUp::Spent, SetUp::Done));
            assert!(is_one, "{}, {round}: {outcomes:?}", database.name());
            assert_eq!(database.count("people").await, 1);
        }
        // The whole way, with passwords.
        let [one, other] = stores.map(|store| People::new(store, clock.clone()));
        for round in 0..4 {
            database.run("DELETE FROM people").await;
            let link = Arc::new(one.first_link().await.unwrap().unwrap());
            let [ada, eve] = [("ada", one.clone()), ("eve", other.clone())].map(|(who, people)| {
                let link = Arc::clone(&link);
                async move { people.set_up(link.expose_secret(), Some(who), PASSWORD).await }
            });
            let outcomes = at_once(round, ada, eve).await;
            let is_one = matches!(outcomes, (Ok(_), Err(SetUpError::LinkSpent)) | (Err(SetUpError::LinkSpent), Ok(_)));
            assert!(is_one, "{}, {round}: {outcomes:?}", database.name());
            assert_eq!((database.count("people").await, database.count("sessions").await), (1, 1));
        }
    }
}

/// Two processes that each make a link, and people who have one each: also when the second link is made while the first
/// one is being used.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_with_a_link_each_one_wins() {
    for database in both().await {
        let clock = Clock::manual(now());
        let stores = [open(&database, &clock).await, open(&database, &clock).await];
        let insert = |store: &Store, link: &'static str| {
            let store = store.clone();
            async move { store.setup_links().insert_first(link, now() + DAY).await.unwrap() }
        };
        let spend = |store: &Store, link: &'static str, who: &'static str| {
            let store = store.clone();
            async move { store.setup_links().use_first(link, &kept(who), now()).await.unwrap() }
        };
        for round in 0..ROUNDS {
            let what = format!("{}, {round}", database.name());
            database.run("DELETE FROM people").await;
            let made = at_once(round, insert(&stores[0], "one"), insert(&stores[1], "two")).await;
            assert_eq!((made, database.count("setup_links").await), ((true, true), 1), "{what}");
            let outcomes = at_once(round, spend(&stores[0], "one", "ada"), spend(&stores[1], "two", "eve")).await;
            let is_one = matches!(outcomes, (SetUp::Done, SetUp::Spent) | (SetUp::Spent, SetUp::Done));
            assert!(is_one && database.count("people").await == 1, "{what}: {outcomes:?}");

            database.run("DELETE FROM people").await;
            insert(&stores[0], "one").await;
            let late = (insert(&stores[1], "two"), spend(&stores[1], "two", "eve"));
            let late = Box::pin(async move { (late.0.await, late.1.await).1 });
            let outcomes = at_once(round, spend(&stores[0], "one", "ada"), late).await;
            let is_one = matches!(outcomes, (SetUp::Done, SetUp::Spent) | (SetUp::Spent, SetUp::Done));
            assert!(is_one && database.count("people").await == 1, "{what}: {outcomes:?}");
            database.run("DELETE FROM setup_links").await;
        }
    }
}

/// What the races may meet and seldom do: the second comes when the first has written, and not yet committed.
#[tokio::test]
async fn whoever_comes_while_the_first_person_is_being_written_waits() {
    let database = Database::postgres().await;
    let Database::Postgres(postgres) = &database else { panic!() };
    let clock = Clock::manual(now());
    let store = open(&database, &clock).await;
    store.setup_links().insert_first("one", now() + DAY).await.unwrap();
    let pool = sqlx::PgPool::connect(&postgres.url).await.unwrap();
    let mut first = pool.begin().await.unwrap();
    sqlx::query("DELETE FROM setup_links WHERE hash = 'one'").execute(&mut *first).await.unwrap();
    sqlx::query("INSERT INTO people VALUES ('1', 'ada', NULL, 0)").execute(&mut *first).await.unwrap();
    let others = tokio::spawn(async move {
        let (links, late) = (store.setup_links(), kept("eve"));
        let made = links.insert_first("two", now() + DAY).await.unwrap();
        (made, links.use_first("two", &late, now()).await.unwrap(), links.find("two", now()).await.unwrap())
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!others.is_finished(), "a link was made beside the one that is being used");
    first.commit().await.unwrap();
    let (_, used, found) = others.await.unwrap();
    assert_eq!((used, found, database.count("people").await), (SetUp::Spent, None, 1));
    pool.close().await;
}

#[tokio::test]
async fn a_link_of_somebody_sets_a_password_once_and_ends_their_sessions() {
    for database in both().await {
        let clock = Clock::manual(now());
        let people = people(&database, &clock).await;
        let ada = people.add(name("ada"), Some(PASSWORD)).await.unwrap();
        let eve = people.add(name("eve"), None).await.unwrap();
        assert!(matches!(people.add(name("ADA"), None).await, Err(SetUpError::NameTaken)));
        let old = people.sign_in("Ada", PASSWORD).await.unwrap();
        let replaced = people.link_for(&ada).await.unwrap().unwrap();
        let link = people.link_for(&ada).await.unwrap().unwrap();
        let link_of_eve = people.link_for(&eve).await.unwrap().unwrap();
        assert_eq!(database.count("setup_links").await, 2);
        assert_eq!(people.invited(link.expose_secret()).await.unwrap(), Some(Invitation::Known(ada.clone())));
        assert_eq!(people.invited(replaced.expose_secret()).await.unwrap(), None);

        let new = people.set_up(link.expose_secret(), Some("mallory"), "another password").await.unwrap();
        assert_eq!(new.person, ada, "who has a name keeps it");
        assert_eq!(people.session(old.token.expose_secret()).await.unwrap(), None, "{}", database.name());
        assert_eq!(people.session(new.token.expose_secret()).await.unwrap(), Some(ada.clone()));
        let again = people.set_up(link.expose_secret(), None, "a third password").await;
        assert!(matches!(again, Err(SetUpError::LinkSpent)));
        assert!(matches!(people.sign_in("ada", PASSWORD).await, Err(SignInError::WrongNameOrPassword)));
        people.sign_in("ada", "another password").await.unwrap();

        let is_name = people.set_up(link_of_eve.expose_secret(), None, "eve").await;
        assert!(matches!(is_name, Err(SetUpError::BadPassword(_))));
        clock.advance(DAY);
        assert!(matches!(people.set_up(link_of_eve.expose_secret(), None, PASSWORD).await, Err(SetUpError::LinkSpent)));
        let gone = Person { id: "nobody".to_owned(), name: name("nobody") };
        assert!(people.link_for(&gone).await.unwrap().is_none());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_with_the_link_of_somebody_one_wins() {
    for database in both().await {
        let clock = Clock::manual(now());
        let stores = [open(&database, &clock).await, open(&database, &clock).await];
        let ada = kept("ada");
        stores[0].people().insert(&ada).await.unwrap();
        for round in 0..ROUNDS {
            assert!(stores[0].setup_links().insert_for(&ada.person.id, "link", now() + DAY).await.unwrap());
            let [one, other] = [("one", stores[0].clone()), ("other", stores[1].clone())].map(|(hash, store)| {
                let id = ada.person.id.clone();
                async move { store.setup_links().use_known("link", &id, &hash.into(), now()).await.unwrap() }
            });
            let outcomes = at_once(round, one, other).await;
            let winner = if outcomes.0 { "one" } else { "other" };
            assert!(outcomes.0 != outcomes.1, "{}, {round}: {outcomes:?}", database.name());
            assert_eq!(database.texts("SELECT password_hash FROM people").await, [winner]);
        }
    }
}

/// A sign-in that began before the password was taken away must not outlive that.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_session_of_an_old_password_is_left() {
    for database in both().await {
        let clock = Clock::manual(now());
        let stores = [open(&database, &clock).await, open(&database, &clock).await];
        let ada = kept("ada");
        stores[0].people().insert(&ada).await.unwrap();
        let hash = ada.password_hash.unwrap();
        let mut seen = [0, 0];
        for round in 0..ROUNDS {
            stores[0].people().set_password(&ada.person.id, Some(&hash)).await.unwrap();
            let (id, other_id, hash) = (ada.person.id.clone(), ada.person.id.clone(), hash.clone());
            let (store, other) = (stores[0].clone(), stores[1].clone());
            let sign_in =
                async move { store.sessions().insert("token", &id, Proof::Password(&hash), now()).await.unwrap() };
            let reset = async move { other.people().set_password(&other_id, None).await.unwrap() };
            let (is_in, is_reset) = if round % 2 == 0 {
                at_once(round, sign_in, reset).await
            } else {
                let (is_reset, is_in) = at_once(round, reset, sign_in).await;
                (is_in, is_reset)
            };
            assert!(is_reset);
            seen[usize::from(is_in)] += 1;
            assert_eq!(database.count("sessions").await, 0, "{}, {round}", database.name());
        }
        assert!(seen.iter().all(|count| *count > 0), "both came first now and then: {seen:?}");
    }
}

#[tokio::test]
async fn sessions_end_with_their_time_by_sign_out_and_with_the_person() {
    for database in both().await {
        let clock = Clock::manual(now());
        let people = people(&database, &clock).await;
        let ada = people.add(name("ada"), Some(PASSWORD)).await.unwrap();
        let sign_in = async || people.sign_in("ada", PASSWORD).await.unwrap().token;
        let is_in = async |token: &SecretString| people.session(token.expose_secret()).await.unwrap().is_some();
        let (idle, out, other) = (sign_in().await, sign_in().await, sign_in().await);
        let text = other.expose_secret();
        assert!(text.starts_with("grw_") && text.len() == 47 && text != out.expose_secret(), "{text}");
        assert_eq!(people.session(text).await.unwrap(), Some(ada.clone()));
        let kept = database.texts("SELECT hash FROM sessions").await;
        assert!(kept.len() == 3 && kept.contains(&sha256_hex(text)), "{kept:?}");
        for wrong in ["", "grw_", &text[..46], &sha256_hex(text)] {
            assert_eq!(people.session(wrong).await.unwrap(), None);
        }
        people.sign_out(out.expose_secret()).await.unwrap();
        people.sign_out(out.expose_secret()).await.unwrap();
        assert!(!is_in(&out).await && is_in(&other).await, "{}", database.name());

        clock.advance(Duration::from_millis(12 * 3_600_000 - 1));
        assert!(is_in(&other).await, "this is a visit");
        clock.advance(Duration::from_millis(1));
        assert!(!is_in(&idle).await && is_in(&other).await);
        for _ in 0..14 {
            assert!(is_in(&other).await);
            clock.advance(Duration::from_hours(11));
        }
        assert!(is_in(&other).await, "166 hours after the sign-in");
        clock.advance(Duration::from_hours(2));
        assert!(!is_in(&other).await, "seven days after it");

        let last = sign_in().await;
        let store = open(&database, &clock).await;
        assert!(store.people().remove(&ada.id).await.unwrap() && !store.people().remove(&ada.id).await.unwrap());
        assert!(!is_in(&last).await);
        assert_eq!(database.count("sessions").await, 0);
    }
}

/// Between two visits of which the second is written down there are five minutes.
#[tokio::test]
async fn a_visit_is_written_down_now_and_then() {
    for database in both().await {
        let clock = Clock::manual(now());
        let people = people(&database, &clock).await;
        people.add(name("ada"), Some(PASSWORD)).await.unwrap();
        let token = people.sign_in("ada", PASSWORD).await.unwrap().token;
        let written = async || {
            people.session(token.expose_secret()).await.unwrap().unwrap();
            database.numbers("SELECT seen_at_ms - created_at_ms FROM sessions").await[0] / 1_000
        };
        clock.advance(Duration::from_secs(299));
        assert_eq!(written().await, 0, "{}", database.name());
        clock.advance(Duration::from_secs(1));
        assert_eq!(written().await, 300);
        clock.advance(Duration::from_secs(299));
        assert_eq!(written().await, 300);
    }
}

#[tokio::test]
async fn all_who_may_not_sign_in_get_the_same_answer_for_the_same_work() {
    for database in both().await {
        let people = people(&database, &Clock::manual(now())).await;
        people.add(name("ada"), Some(PASSWORD)).await.unwrap();
        people.add(name("eve"), None).await.unwrap();
        for (name, password) in [
            ("ada", "another password"),
            ("ada", ""),
            ("nobody", PASSWORD),
            ("eve", PASSWORD),
            ("eve", ""),
            ("no name at all", PASSWORD),
            ("", PASSWORD),
            (&"x".repeat(1_000_000), PASSWORD),
            ("ada'; --", PASSWORD),
        ] {
            let before = people.passwords_hashed();
            let error = people.sign_in(name, password).await.unwrap_err();
            assert_eq!(error.to_string(), "The name or the password is wrong.", "{name:.20}");
            assert_eq!(people.passwords_hashed() - before, 1, "{name:.20}");
        }
        let before = people.passwords_hashed();
        for name in ["ada", "nobody"] {
            for password in ["x".repeat(1_025), "x".repeat(1_000_000), format!("{PASSWORD}\0")] {
                assert!(matches!(people.sign_in(name, &password).await, Err(SignInError::BadPassword)));
            }
        }
        assert_eq!(people.passwords_hashed(), before, "what cannot be a password costs nothing");
        people.sign_in("ADA", "ｃorrect horse battery staple").await.unwrap();
        assert_eq!(database.count("sessions").await, 1);
    }
}

/// In a process of its own, whose memory is that of nobody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_sign_in_at_once_all_get_in_and_take_little_memory() {
    if !child::is_child() {
        let test = "many_who_sign_in_at_once_all_get_in_and_take_little_memory";
        let ended = child::again(module_path!(), test, Duration::from_mins(2));
        assert!(ended.status.success(), "{}{}", ended.stdout, ended.stderr);
        return;
    }
    let database = Database::sqlite();
    let people = people(&database, &Clock::manual(now())).await;
    people.add(name("ada"), Some(PASSWORD)).await.unwrap();
    let before = peak_mib();
    let tries = (0..64).map(|_| {
        let people = people.clone();
        tokio::spawn(async move { people.sign_in("ada", PASSWORD).await.map(|_| ()) })
    });
    for outcome in join_all(tries).await {
        outcome.unwrap().unwrap();
    }
    let more = peak_mib() - before;
    // Four times 19, less the one that was there before; 64 times would be 1 216.
    assert!(more < 76 + 24, "{more} MiB more than {before}");
}

/// The most memory that this process ever had.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1_024
}

#[tokio::test]
async fn what_is_over_is_removed() {
    for database in both().await {
        let clock = Clock::manual(now());
        let store = open(&database, &clock).await;
        for who in ["ada", "eve"] {
            let person = kept(who);
            store.people().insert(&person).await.unwrap();
            let (id, age) = (&person.person.id, if who == "ada" { 0 } else { 25 });
            let (since, hash) = (now() - Duration::from_hours(age), person.password_hash.unwrap());
            assert!(store.sessions().insert(who, id, Proof::Password(&hash), since).await.unwrap());
            assert!(store.setup_links().insert_for(id, who, since + DAY).await.unwrap());
        }
        store.close().await;
        let _server = database.server().clock(clock).start().await;
        let left = async |table: &str| database.count(table).await == 1;
        until("it is removed", async || left("sessions").await && left("setup_links").await).await;
        assert_eq!(
            database.texts("SELECT hash FROM sessions UNION ALL SELECT hash FROM setup_links").await,
            ["ada"; 2]
        );
        assert_eq!(database.count("people").await, 2);
    }
}

/// Runs `user` beside whatever runs on the database.
fn user_command(database: &Database, arguments: &[&str], input: &str) -> Output {
    let mut command = program();
    command.arg("user").args(arguments).envs(database.environment());
    command.env("REVIEWS__AUTH__MODE", "api_key").env("REVIEWS__SERVER__PUBLIC_URL", "https://reviews.example");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Who does not read it has ended by then.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// The link in the answer of a command.
fn link(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    assert!(stderr(output).contains("for 24 hours and for one use"), "{}", stderr(output));
    let printed = stdout(output);
    let link = printed.trim().strip_prefix("https://reviews.example/setup?link=");
    link.unwrap_or_else(|| panic!("{printed}")).to_owned()
}

#[tokio::test]
async fn people_are_let_in_and_out_beside_a_running_server() {
    for database in both().await {
        let google = TestServer::start().await;
        let _serving = Serving::on(&database, &google.emulator.url(), &[("REVIEWS__AUTH__MODE", "api_key")]);
        let user = |arguments: &[&str]| user_command(&database, arguments, "");
        let refused = |arguments: &[&str], why: &str| {
            let output = user(arguments);
            assert!(!output.status.success() && output.stdout.is_empty(), "{}", stdout(&output));
            assert!(stderr(&output).contains(why), "{}", stderr(&output));
        };
        assert!(stdout(&user(&["list"])).starts_with("There is nobody."));
        let (replaced, first) = (link(&user(&["link"])), link(&user(&["link"])));

        // As the server does it.
        let people = people(&database, &Clock::system()).await;
        assert_eq!(people.invited(&replaced).await.unwrap(), None, "{}", database.name());
        let ada = people.set_up(&first, Some("ada"), PASSWORD).await.unwrap();
        refused(&["link"], "there is somebody already");

        let of_eve = link(&user(&["add", "Eve"]));
        refused(&["add", "eve"], "There is somebody with this name already");
        refused(&["add", "eve adams"], "a name must be 1 to 64 characters");
        let listed = stdout(&user(&["list"]));
        let states: Vec<_> = listed.lines().map(|line| (&line[..4], line.split("Z  ").nth(1).unwrap())).collect();
        assert_eq!(states, [("ada ", "can sign in"), ("eve ", "has no password yet")]);
        assert!(!listed.contains("argon2"), "{listed}");
        let eve = people.set_up(&of_eve, None, "another password").await.unwrap();

        let again = link(&user(&["reset", "ADA"]));
        assert_eq!(people.session(ada.token.expose_secret()).await.unwrap(), None);
        assert!(people.session(eve.token.expose_secret()).await.unwrap().is_some());
        assert!(matches!(people.sign_in("ada", PASSWORD).await, Err(SignInError::WrongNameOrPassword)));
        assert_eq!(people.invited(&again).await.unwrap(), Some(Invitation::Known(ada.person)));
        refused(&["reset", "nobody"], "there is nobody with the name nobody");

        assert_eq!(
            stdout(&user(&["remove", "Eve"])),
            "Removed eve with all that was theirs: sessions, what they granted to clients, reports, and answers of their calls.\n"
        );
        assert_eq!(people.session(eve.token.expose_secret()).await.unwrap(), None);
        refused(&["remove", "eve"], "there is nobody with the name eve");
        assert!(user(&["remove", "ada"]).status.success());
        assert_eq!((database.count("people").await, database.count("setup_links").await), (0, 0));
        assert_eq!(people.invited(&link(&user(&["link"]))).await.unwrap(), Some(Invitation::First));
    }
}

#[tokio::test]
async fn a_password_can_come_from_standard_input() {
    for database in both().await {
        let people = people(&database, &Clock::system()).await;
        let add = |name: &str, input: &str| user_command(&database, &["add", name, "--password-stdin"], input);
        for (name, input) in
            [("ada", format!("{PASSWORD}\n")), ("bob", format!("{PASSWORD}\r\nmore")), ("eve", PASSWORD.into())]
        {
            let added = add(name, &input);
            assert_eq!(stdout(&added), format!("{name} can sign in.\n"), "{}", stderr(&added));
            assert_eq!(people.sign_in(name, PASSWORD).await.unwrap().person.name.as_str(), name);
        }
        for (input, why) in [
            ("", "at least 12 characters"),
            ("short\n", "at least 12 characters"),
            ("Mallory.Mallory\n", "other than the name"),
            (&"x".repeat(100_000), "at most 1024 bytes"),
            ("correct horse\u{0} battery", "without control characters"),
        ] {
            let refused = add("mallory.mallory", input);
            assert!(!refused.status.success() && stderr(&refused).contains(why), "{}", stderr(&refused));
        }
        assert_eq!(
            (database.count("people").await, database.count("setup_links").await),
            (3, 0),
            "{}",
            database.name()
        );
    }
}
