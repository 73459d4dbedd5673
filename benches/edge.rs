//! What it costs to know a caller and to hold the limits: a token for the first time and remembered, an API key for the
//! first time and remembered, the limiter. `cargo bench --bench edge`; compare figures within one run only.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a benchmark")]

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use axum::{Json, Router, routing::get};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use criterion::{Criterion, criterion_group, criterion_main};
use google_reviews_mcp::{
    auth::{ApiKey, Auth, Gate, Outside, Protected, Source},
    clock::Clock,
    config::{self, Config, Sources},
    health::{Health, Need},
    http::Limiter,
    jwt::Issuer,
    model::{Caller, Principal, Scopes},
    outbound::Outbound,
    store::{KeptKey, Store},
    tasks::Tasks,
    telemetry::Metrics,
};
use http::HeaderMap;
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::runtime::Runtime;

const RESOURCE: &str = "https://reviews.example.com/mcp";

/// An issuer with one key.
struct Signer {
    key: EcdsaKeyPair,
    url: String,
}

impl Signer {
    async fn start() -> Self {
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref()).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (_, point) = key.public_key().as_ref().split_first().unwrap();
        let (x, y) = point.split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let keys = json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "one", "x": x, "y": y}]});
        let metadata = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
        let routes = Router::new()
            .route("/keys", get(move || async move { Json(keys) }))
            .route("/.well-known/openid-configuration", get(move || async move { Json(metadata) }));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { key, url }
    }

    fn headers(&self, number: u64) -> HeaderMap {
        let expires = Clock::system().now().as_second() + 3_000;
        let claims = json!({"iss": self.url, "aud": RESOURCE, "sub": format!("caller-{number}"), "client_id": "bench",
            "exp": expires, "scope": "reviews:read reports:write"});
        let header = r#"{"alg":"ES256","typ":"at+jwt","kid":"one"}"#;
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        bearer(&format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn bearer(credential: &str) -> HeaderMap {
    HeaderMap::from_iter([(http::header::AUTHORIZATION, format!("Bearer {credential}").parse().unwrap())])
}

fn settings(more: &[(&'static str, String)]) -> Config {
    let mut sources = Sources::default();
    sources.overrides.extend(more.iter().cloned());
    config::load(&sources).unwrap().into_config().unwrap()
}

/// What the edge asks, with an issuer and a database behind it.
async fn auth(signer: &Signer, folder: &std::path::Path) -> (Auth, Store) {
    let config = settings(&[
        ("auth.mode", "oauth".to_owned()),
        ("auth.issuer", signer.url.clone()),
        ("server.public_url", "https://reviews.example.com".to_owned()),
        ("store.data_dir", folder.display().to_string()),
    ]);
    let (clock, metrics) = (Clock::system(), Metrics::new().unwrap());
    let health = Health::new(clock.clone());
    let store = Store::new(&config.store, health.register("database", Need::Always)).unwrap();
    store.prepare().await.unwrap();
    let reporter = health.register("issuer", Need::ToStart);
    let parts = (Outbound::new().unwrap(), reporter);
    let issuer = Issuer::new(&signer.url, &config.auth.algorithms, parts, Tasks::new(), clock.clone());
    issuer.refresh().await;
    let outside = Outside::new(&config.auth, Arc::new(issuer), clock.clone());
    let protected = Protected::new(config.server.public_url.as_ref().unwrap(), Some(&signer.url));
    let gate = Gate::Guarded { tokens: Some(Source::Outside(outside)), keys: store.clone() };
    (Auth::new(gate, protected, clock, metrics), store)
}

fn callers(criterion: &mut Criterion) {
    let (runtime, folder) = (Runtime::new().unwrap(), tempfile::tempdir().unwrap());
    let (signer, auth, store) = runtime.block_on(async {
        let signer = Signer::start().await;
        let (auth, store) = auth(&signer, folder.path()).await;
        (signer, auth, store)
    });
    let number = AtomicU64::new(0);
    let known = |headers: &HeaderMap| runtime.block_on(auth.caller(headers)).unwrap();
    criterion.bench_function("a token for the first time", |bencher| {
        let new = || signer.headers(number.fetch_add(1, Ordering::Relaxed));
        bencher.iter_batched(new, |headers| known(&headers), criterion::BatchSize::SmallInput);
    });
    let token = signer.headers(0);
    criterion.bench_function("a token that is remembered", |bencher| bencher.iter(|| known(&token)));

    let new_key = || {
        let key = ApiKey::random();
        let kept = KeptKey {
            id: key.id.clone(),
            name: "bench".to_owned(),
            hash: key.hash(),
            scopes: Scopes::all().to_string(),
            created_at: Clock::system().now(),
            revoked_at: None,
        };
        runtime.block_on(store.api_keys().insert(&kept)).unwrap();
        bearer(key.text.expose_secret())
    };
    criterion.bench_function("an API key for the first time (SQLite)", |bencher| {
        bencher.iter_batched(new_key, |headers| known(&headers), criterion::BatchSize::SmallInput);
    });
    let key = new_key();
    criterion.bench_function("an API key that is remembered", |bencher| bencher.iter(|| known(&key)));

    let limiter = Limiter::new(&settings(&[]), None, &Clock::system(), Metrics::new().unwrap());
    let caller = Caller::new(Principal::new("bench"), Scopes::all());
    criterion.bench_function("the limit of a caller", |bencher| {
        bencher.iter(|| runtime.block_on(limiter.wait_of_caller(&caller)));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = callers
}
criterion_main!(benches);
