//! What signing in costs: a code for tokens, and a refresh, on SQLite and, with `TEST_POSTGRES_URL`, on PostgreSQL; and a
//! password. `cargo bench --bench sign_in`; compare figures within one run only.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark")]

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use google_reviews_mcp::{
    clock::Clock,
    config::{self, Registration, Sources},
    health::{Health, Need},
    model::{PersonName, SecretKey, random_secret},
    oauth::{
        AuthorizationServer, Browser, DocumentRules, Keys, Parameters, Parts, People, Permissions, Requester, Rules,
        Tokens,
    },
    outbound::{Internet, Strangers},
    store::Store,
    tasks::Tasks,
    telemetry::Metrics,
};
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::runtime::Runtime;

const REDIRECT: &str = "https://client.example/callback";
const VERIFIER: &str = "a-verifier-that-is-long-enough-for-every-test-1";
const PASSWORD: &str = "moonlit bakery at five in the morning";

/// An authorization server with one person and one client.
struct Bench {
    server: AuthorizationServer,
    person: String,
    client: String,
}

impl Bench {
    async fn new(settings: &[(&'static str, String)]) -> Self {
        let secret = SecretKey::random();
        let mut sources = Sources::default().with("server.secret_key", secret.to_hex());
        sources.overrides.extend(settings.iter().cloned());
        let config = config::load(&sources).unwrap().into_config().unwrap();
        let clock = Clock::system();
        let store = Store::new(&config.store, Health::new(clock.clone()).register("database", Need::Always)).unwrap();
        store.prepare().await.unwrap();
        // A database that was used before has keys under another secret.
        store.signing_keys().remove_before(i64::MAX).await.unwrap();
        let keys = Keys::new(store.clone(), &secret, None, clock.clone());
        keys.prepare().await.unwrap();
        let people = People::new(store.clone(), clock.clone());
        let name = format!("bench-{}", random_secret("").expose_secret()[..12].to_lowercase());
        let person = people.add(PersonName::parse(&name.replace('_', "-")).unwrap(), Some(PASSWORD)).await.unwrap();
        let documents = DocumentRules { enabled: false, hosts: Vec::new() };
        let (registration, registration_token) = (Registration::Open, None);
        let rules = Rules { registration, registration_token, most_clients: u32::MAX, documents };
        let (tasks, metrics) = (Tasks::new(), Metrics::new().unwrap());
        let strangers = Strangers::new(Arc::new(Internet), clock.clone()).unwrap();
        let (provider, previous) = (None, None);
        let parts = Parts { store, keys, people, provider, secret, previous, strangers, tasks, clock, metrics };
        let server = AuthorizationServer::new("http://127.0.0.1".into(), "http://127.0.0.1/mcp".into(), rules, parts);
        let client = json!({"client_name": name, "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none"});
        let client = server.register(client.to_string().as_bytes()).await.unwrap().kept.id;
        Self { server, person: person.id, client }
    }

    /// A code that somebody agreed to.
    async fn code(&self) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
        let asking = format!(
            "response_type=code&client_id={}&redirect_uri={REDIRECT}&code_challenge={challenge}&code_challenge_method=S256",
            self.client
        );
        let browser = Browser { visitor: "bench", session: None };
        let asked = self.server.asked(&Parameters::read(asking.as_bytes()), browser, || None).await.unwrap();
        let granted = Permissions { offline: true, ..asked.request.permissions() };
        let address = self.server.agree(&self.person, &asked, granted).await.unwrap();
        address.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned()
    }

    async fn tokens(&self, form: &str) -> Tokens {
        let form = format!("{form}&client_id={}&redirect_uri={REDIRECT}&code_verifier={VERIFIER}", self.client);
        let requester = Requester::read(None, Parameters::read(form.as_bytes())).unwrap();
        self.server.tokens(&requester).await.unwrap()
    }

    async fn exchange(&self, code: &str) -> String {
        let tokens = self.tokens(&format!("grant_type=authorization_code&code={code}")).await;
        tokens.answer()["refresh_token"].as_str().unwrap().to_owned()
    }

    async fn refresh(&self, token: &str) -> String {
        let tokens = self.tokens(&format!("grant_type=refresh_token&refresh_token={token}")).await;
        tokens.answer()["refresh_token"].as_str().unwrap().to_owned()
    }
}

fn measure(criterion: &mut Criterion, name: &str, runtime: &Runtime, settings: &[(&'static str, String)]) {
    let bench = runtime.block_on(Bench::new(settings));
    criterion.bench_function(&format!("{name}: a code becomes tokens"), |bencher| {
        let code = || runtime.block_on(bench.code());
        bencher.iter_batched(code, |code| runtime.block_on(bench.exchange(&code)), BatchSize::PerIteration);
    });
    let mut newest = runtime.block_on(async { bench.exchange(&bench.code().await).await });
    criterion.bench_function(&format!("{name}: a refresh"), |bencher| {
        bencher.iter(|| newest = runtime.block_on(bench.refresh(&newest)));
    });
    criterion.bench_function(&format!("{name}: a password"), |bencher| {
        bencher.iter(|| runtime.block_on(bench.server.people().sign_in("nobody", PASSWORD)).unwrap_err());
    });
}

fn databases(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    measure(criterion, "sqlite", &runtime, &[("store.data_dir", folder.path().display().to_string())]);
    if let Some(url) = std::env::var_os("TEST_POSTGRES_URL").and_then(|url| url.into_string().ok()) {
        measure(criterion, "postgresql", &runtime, &[("store.url", url)]);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(4));
    targets = databases
}
criterion_main!(benches);
