//! The keys that sign access tokens: made once, shared by all instances, replaced each month, and sealed under a secret
//! that can be changed; on both databases.

use crate::support::{
    SECRET_KEY,
    database::{Database, both},
    now,
};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey},
    encoding::AsBigEndian as _,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use futures_util::future::join_all;
use google_reviews_mcp::{
    clock::Clock,
    model::{SecretKey, hex},
    oauth::{Keys, KeysError},
    store::Store,
    telemetry::Metrics,
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

const DAY: Duration = Duration::from_hours(24);
const HOUR: Duration = Duration::from_hours(1);
const SECOND: Duration = Duration::from_secs(1);
/// After which an instance reads again what others have made.
const MINUTE: Duration = Duration::from_mins(1);

async fn store(database: &Database) -> Store {
    let store = database.store(&Clock::system());
    store.prepare().await.unwrap();
    store
}

fn secret() -> SecretKey {
    SecretKey::parse(SECRET_KEY).unwrap()
}

/// An instance that has not started yet.
async fn instance(database: &Database, clock: &Clock) -> Keys {
    Keys::new(store(database).await, &secret(), None, clock.clone())
}

/// One that has.
async fn started(database: &Database, clock: &Clock) -> Keys {
    let keys = instance(database, clock).await;
    keys.prepare().await.unwrap();
    keys
}

/// The ids of all keys that are published.
async fn published(keys: &Keys) -> Vec<String> {
    let set = keys.published().await.unwrap();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn token(keys: &Keys) -> String {
    keys.sign(&json!({"sub": "somebody"})).await.unwrap()
}

/// By which key a token says that it is signed.
fn signer(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

/// Whether a library of somebody else takes this token with the keys that are published.
async fn is_taken(token: &str, keys: &Keys) -> bool {
    let set: JwkSet = serde_json::from_value(keys.published().await.unwrap()).unwrap();
    let Some(key) = set.find(&signer(token)) else { return false };
    let mut rules = Validation::new(Algorithm::ES256);
    // Tokens of this test say only whose they are.
    (rules.validate_exp, rules.validate_aud) = (false, false);
    rules.required_spec_claims.clear();
    let decoded = jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &rules);
    decoded.is_ok_and(|decoded| decoded.claims == json!({"sub": "somebody"}))
}

/// The table, row by row.
async fn rows(database: &Database) -> Vec<String> {
    let all = "SELECT CAST(sequence AS TEXT) || ' ' || id || ' ' || public || ' ' || private || ' ' ||
                   CAST(created_at_ms AS TEXT) || ' ' || CAST(signs_from_ms AS TEXT)
               FROM signing_keys ORDER BY sequence";
    database.texts(all).await
}

async fn privates(database: &Database) -> Vec<String> {
    database.texts("SELECT private FROM signing_keys ORDER BY sequence").await
}

/// Changes one character in the middle.
fn changed(text: &str) -> String {
    let middle = text.len() / 2;
    let other = if &text[middle..=middle] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &text[..middle], &text[middle + 1..])
}

#[tokio::test]
async fn the_first_start_makes_a_key_that_signs_at_once() {
    for database in both().await {
        let clock = Clock::manual(now());
        let keys = instance(&database, &clock).await;
        assert!(matches!(keys.sign(&json!({})).await, Err(KeysError::Missing)), "{}", database.name());
        assert!(matches!(keys.published().await, Err(KeysError::Missing)));
        assert_eq!(keys.age(), None);

        keys.prepare().await.unwrap();
        let set = keys.published().await.unwrap();
        let key = &set["keys"][0];
        let names: Vec<_> = key.as_object().unwrap().keys().collect();
        assert_eq!(names, ["kty", "crv", "x", "y", "kid", "use", "alg"], "nothing private is published");
        let kinds = (&key["kty"], &key["crv"], &key["use"], &key["alg"]);
        assert_eq!(kinds, (&json!("EC"), &json!("P-256"), &json!("sig"), &json!("ES256")));
        assert_eq!(set["keys"].as_array().unwrap().len(), 1);

        let token = token(&keys).await;
        let head = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
        let head: Value = serde_json::from_slice(&head).unwrap();
        assert_eq!(head, json!({"alg": "ES256", "typ": "at+jwt", "kid": key["kid"]}));
        assert!(is_taken(&token, &keys).await);
        assert!(!is_taken(&changed(&token), &keys).await);
        let (signed, _) = token.rsplit_once('.').unwrap();
        let other = self::token(&keys).await;
        assert_ne!(other.rsplit_once('.').unwrap().1, token.rsplit_once('.').unwrap().1, "{signed}");

        assert_eq!(keys.age(), Some(Duration::ZERO));
        clock.advance(HOUR);
        assert_eq!(keys.age(), Some(HOUR));
        // The next start makes no other.
        keys.prepare().await.unwrap();
        assert_eq!(database.count("signing_keys").await, 1);
    }
}

#[tokio::test]
async fn the_next_instance_takes_the_same_key() {
    for database in both().await {
        let clock = Clock::manual(now());
        let (one, other) = (started(&database, &clock).await, started(&database, &clock).await);
        assert_eq!(published(&one).await, published(&other).await, "{}", database.name());
        assert!(is_taken(&token(&one).await, &other).await && is_taken(&token(&other).await, &one).await);
        assert_eq!(database.count("signing_keys").await, 1);
        // One that has not heard of a start reads by itself.
        assert!(is_taken(&token(&one).await, &instance(&database, &clock).await).await);
    }
}

#[tokio::test]
async fn instances_that_start_or_rotate_at_the_same_time_make_one_key() {
    for database in both().await {
        let clock = Clock::manual(now());
        let mut instances = Vec::new();
        for _ in 0..6 {
            instances.push(instance(&database, &clock).await);
        }
        for result in join_all(instances.iter().map(Keys::prepare)).await {
            result.unwrap();
        }
        assert_eq!(database.count("signing_keys").await, 1, "{}", database.name());

        clock.advance(29 * DAY);
        for result in join_all(instances.iter().map(Keys::rotate)).await {
            result.unwrap();
        }
        assert_eq!(database.count("signing_keys").await, 2, "{}", database.name());
        let mut seen = BTreeSet::new();
        for keys in &instances {
            seen.insert(published(keys).await);
        }
        assert_eq!(seen.len(), 1, "all publish the same two keys");
    }
}

#[tokio::test]
async fn a_key_is_published_a_day_ahead_signs_for_a_month_and_goes_an_hour_later() {
    for database in both().await {
        let clock = Clock::manual(now());
        let (keys, other) = (started(&database, &clock).await, started(&database, &clock).await);
        let first = published(&keys).await;
        clock.advance((29 * DAY).saturating_sub(SECOND));
        keys.rotate().await.unwrap();
        assert_eq!(published(&keys).await, first, "{}", database.name());
        assert_eq!(published(&other).await, first);

        // The next one is published, by those that have not made it within a minute.
        clock.advance(SECOND);
        keys.rotate().await.unwrap();
        let both = published(&keys).await;
        assert_eq!((both.len(), &both[..1]), (2, &first[..]));
        assert_eq!(published(&other).await, first, "what was read a moment ago is not read again");
        clock.advance(MINUTE);
        assert_eq!(published(&other).await, both);
        clock.advance(DAY.saturating_sub(MINUTE + SECOND));
        assert_eq!(signer(&token(&keys).await), both[0]);
        let of_the_first = token(&keys).await;

        // Then it signs, and tokens of the one before are still taken.
        clock.advance(SECOND);
        for keys in [&keys, &other] {
            let token = token(keys).await;
            assert_eq!((signer(&token), keys.age()), (both[1].clone(), Some(Duration::ZERO)));
            assert!(is_taken(&token, keys).await && is_taken(&of_the_first, keys).await);
        }
        clock.advance(HOUR.saturating_sub(SECOND));
        keys.rotate().await.unwrap();
        assert_eq!(published(&keys).await, both);

        // An hour later it is gone.
        clock.advance(SECOND);
        keys.rotate().await.unwrap();
        assert_eq!(published(&keys).await, both[1..]);
        assert!(!is_taken(&of_the_first, &keys).await);
        assert_eq!(database.count("signing_keys").await, 1);
        clock.advance(MINUTE);
        assert_eq!(published(&other).await, both[1..]);
    }
}

/// A server that was off for months publishes the next key a day ahead as well.
#[tokio::test]
async fn after_a_long_time_the_next_key_is_still_published_a_day_ahead() {
    for database in both().await {
        let clock = Clock::manual(now());
        let first = published(&started(&database, &clock).await).await;
        clock.advance(100 * DAY);
        let keys = started(&database, &clock).await;
        keys.rotate().await.unwrap();
        let both = published(&keys).await;
        assert_eq!((both.len(), signer(&token(&keys).await)), (2, first[0].clone()), "{}", database.name());
        assert_eq!(keys.age(), Some(100 * DAY));
        clock.advance(DAY);
        keys.rotate().await.unwrap();
        assert_eq!((signer(&token(&keys).await), keys.age()), (both[1].clone(), Some(Duration::ZERO)));
    }
}

#[tokio::test]
async fn tok_14_a_changed_secret_key_opens_what_the_previous_one_sealed_and_a_wrong_one_destroys_nothing() {
    for database in both().await {
        let (clock, new, wrong) = (Clock::manual(now()), SecretKey::random(), SecretKey::random());
        let old_keys = started(&database, &clock).await;
        clock.advance(29 * DAY);
        old_keys.rotate().await.unwrap();
        let (ids, token, before) = (published(&old_keys).await, token(&old_keys).await, rows(&database).await);
        assert_eq!(before.len(), 2);

        // Without the previous secret, or with another one, the start is refused, and nothing is changed.
        for previous in [None, Some(&wrong)] {
            let refused = Keys::new(store(&database).await, &new, previous, clock.clone());
            let error = refused.prepare().await.unwrap_err();
            let told = error.to_string();
            assert!(matches!(error, KeysError::WrongSecret), "{}: {told}", database.name());
            assert!(told.contains("server.secret_key") && told.contains("server.previous_secret_key"), "{told}");
            assert!(matches!(refused.rotate().await, Err(KeysError::WrongSecret)));
            assert!(matches!(refused.sign(&json!({})).await, Err(KeysError::WrongSecret)));
            assert!(matches!(refused.published().await, Err(KeysError::WrongSecret)));
            assert_eq!(rows(&database).await, before);
        }

        // With it, all keys are sealed again; they are the same keys.
        let changing = Keys::new(store(&database).await, &new, Some(&secret()), clock.clone());
        changing.prepare().await.unwrap();
        assert_eq!(published(&changing).await, ids);
        assert!(is_taken(&token, &changing).await);
        let after = rows(&database).await;
        assert!(before.iter().zip(&after).all(|(before, after)| before != after));

        // So the previous one is not needed any more, and the old one alone opens nothing.
        let changed = Keys::new(store(&database).await, &new, None, clock.clone());
        changed.prepare().await.unwrap();
        assert_eq!((published(&changed).await, rows(&database).await), (ids, after.clone()));
        assert!(is_taken(&self::token(&changed).await, &changing).await);
        let back = instance(&database, &clock).await;
        assert!(matches!(back.prepare().await, Err(KeysError::WrongSecret)));
        assert_eq!(rows(&database).await, after);
    }
}

/// One key fits and another does not: not even the one that fits is sealed again.
#[tokio::test]
async fn a_secret_that_opens_some_keys_only_changes_nothing() {
    for database in both().await {
        let (clock, new) = (Clock::manual(now()), SecretKey::random());
        let keys = started(&database, &clock).await;
        clock.advance(29 * DAY);
        keys.rotate().await.unwrap();
        let second = privates(&database).await[1].clone();
        database
            .run(&format!("UPDATE signing_keys SET private = '{}' WHERE private = '{second}'", changed(&second)))
            .await;
        let before = rows(&database).await;
        let changing = Keys::new(store(&database).await, &new, Some(&secret()), clock.clone());
        assert!(matches!(changing.prepare().await, Err(KeysError::WrongSecret)), "{}", database.name());
        assert_eq!(rows(&database).await, before);
    }
}

/// While the secret is changed on one instance after the other, tokens of each are taken by all.
#[tokio::test]
async fn an_instance_with_the_old_secret_goes_on_until_it_is_restarted() {
    for database in both().await {
        let (clock, new) = (Clock::manual(now()), SecretKey::random());
        let old = started(&database, &clock).await;
        let changing = Keys::new(store(&database).await, &new, Some(&secret()), clock.clone());
        changing.prepare().await.unwrap();
        clock.advance(MINUTE);
        old.rotate().await.unwrap();
        assert!(is_taken(&token(&old).await, &changing).await && is_taken(&token(&changing).await, &old).await);

        // What one makes meanwhile the other cannot open, and does not make again.
        clock.advance(29 * DAY);
        changing.rotate().await.unwrap();
        old.rotate().await.unwrap();
        assert_eq!((published(&changing).await.len(), published(&old).await.len()), (2, 1), "{}", database.name());
        assert_eq!(database.count("signing_keys").await, 2);

        // The other way round as well; and what the old one has made is sealed again as soon as it is seen.
        clock.advance(DAY + 2 * HOUR);
        changing.rotate().await.unwrap();
        assert_eq!(database.count("signing_keys").await, 1);
        database.run("DELETE FROM signing_keys").await;
        let old = started(&database, &clock).await;
        changing.rotate().await.unwrap();
        assert!(is_taken(&token(&old).await, &changing).await);
        Keys::new(store(&database).await, &new, None, clock.clone()).prepare().await.unwrap();
    }
}

/// Who can write into the database, and does not know the secret, makes no key that is taken.
#[tokio::test]
async fn a_row_that_the_secret_does_not_open_is_not_published() {
    for database in both().await {
        let clock = Clock::manual(now());
        let keys = started(&database, &clock).await;
        let ids = published(&keys).await;
        // A key of theirs; ours under a name of theirs; and one that is ours in all but the public part.
        let foreign = both_keys_of_somebody_else().await;
        let theirs = "INSERT INTO signing_keys SELECT 2, ";
        database.run(&format!("{theirs} '{}', '{}', '{}', 0, 0", foreign[0], foreign[1], foreign[2])).await;
        let copied =
            "INSERT INTO signing_keys SELECT 3, 'another', public, private, 0, 0 FROM signing_keys WHERE sequence = 1";
        database.run(copied).await;
        database.run(&format!("UPDATE signing_keys SET public = '{}' WHERE sequence = 1", foreign[1])).await;
        clock.advance(MINUTE);
        assert_eq!(published(&keys).await, ids, "{}", database.name());
        assert_eq!(signer(&token(&keys).await), ids[0]);
        assert!(is_taken(&token(&keys).await, &keys).await);
        // Also not by one that reads everything for the first time; and a start is refused.
        let other = instance(&database, &clock).await;
        assert_eq!(published(&other).await, ids);
        assert!(is_taken(&token(&keys).await, &other).await);
        assert!(matches!(other.prepare().await, Err(KeysError::WrongSecret)));
    }
}

/// Id, public and sealed private part of a key of another installation.
async fn both_keys_of_somebody_else() -> [String; 3] {
    let database = Database::sqlite();
    let keys = Keys::new(store(&database).await, &SecretKey::random(), None, Clock::manual(now()));
    keys.prepare().await.unwrap();
    let public = database.texts("SELECT public FROM signing_keys").await.remove(0);
    [published(&keys).await.remove(0), public, privates(&database).await.remove(0)]
}

/// While the database is away, what was read before is still there.
#[tokio::test]
async fn keys_that_were_read_outlast_the_database() {
    for database in both().await {
        let clock = Clock::manual(now());
        let store = store(&database).await;
        let keys = Keys::new(store.clone(), &secret(), None, clock.clone());
        keys.prepare().await.unwrap();
        let ids = published(&keys).await;
        store.close().await;
        clock.advance(HOUR);
        assert_eq!(published(&keys).await, ids, "{}", database.name());
        assert!(is_taken(&token(&keys).await, &keys).await);
        assert!(matches!(keys.rotate().await, Err(KeysError::Store(_))));
        let empty = Keys::new(store, &secret(), None, clock);
        assert!(matches!(empty.prepare().await, Err(KeysError::Store(_))));
        assert!(matches!(empty.sign(&json!({})).await, Err(KeysError::Store(_))));
    }
}

/// Opened with the secret, as the server does it: the private part as PKCS#8.
fn opened(id: &str, private: &str) -> Vec<u8> {
    let key = secret().derive("signing keys");
    let seal = RandomizedNonceKey::new(&AES_256_GCM, key.expose_secret()).unwrap();
    let mut sealed = URL_SAFE_NO_PAD.decode(private).unwrap();
    let mut rest = sealed.split_off(12);
    let nonce = Nonce::try_assume_unique_for_key(&sealed).unwrap();
    seal.open_in_place(nonce, Aad::from(id.as_bytes()), &mut rest).unwrap().to_vec()
}

#[tokio::test]
async fn the_private_key_is_not_in_the_database() {
    for database in both().await {
        let store = store(&database).await;
        let keys = Keys::new(store.clone(), &secret(), None, Clock::manual(now()));
        keys.prepare().await.unwrap();
        let id = published(&keys).await.remove(0);
        let whole = opened(&id, &privates(&database).await[0]);
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &whole).unwrap();
        let number = pair.private_key().as_be_bytes().unwrap().as_ref().to_vec();
        assert!(whole.windows(number.len()).any(|part| part == number), "it is what the key is made of");

        let mut kept = rows(&database).await.concat().into_bytes();
        store.close().await;
        if let Database::Sqlite(_) = database {
            kept.extend(std::fs::read(database.file()).unwrap());
        }
        for secret in [whole, number] {
            let written = [
                secret.clone(),
                hex(&secret).into_bytes(),
                hex(&secret).to_uppercase().into_bytes(),
                STANDARD.encode(&secret).into_bytes(),
                STANDARD_NO_PAD.encode(&secret).into_bytes(),
                URL_SAFE_NO_PAD.encode(&secret).into_bytes(),
            ];
            for form in written {
                assert!(!kept.windows(form.len()).any(|part| part == form), "{}", database.name());
            }
        }
    }
}

#[test]
fn the_figures_of_the_sign_in_are_there_from_the_start() {
    let metrics = Metrics::new().unwrap();
    let line = |name: &str| {
        let page = metrics.render().unwrap();
        page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned))
    };
    assert_eq!(line("refresh_reuse_total").as_deref(), Some("0"));
    metrics.refresh_reuse();
    assert_eq!(line("refresh_reuse_total").as_deref(), Some("1"));

    let age = std::sync::Arc::new(std::sync::Mutex::new(None));
    let read = std::sync::Arc::clone(&age);
    metrics.watch_signing_key(move || *read.lock().unwrap());
    assert_eq!(line("signing_key_age_seconds"), None);
    *age.lock().unwrap() = Some(90.5);
    assert_eq!(line("signing_key_age_seconds").as_deref(), Some("90.5"));
}
