//! Where answers go: to an address that the client registered, letter by letter, and otherwise nowhere at all.

use crate::support::{
    database::{Database, both},
    now, raw,
    sign_in::{Answer, Browser, CALLBACK, Client, PASSWORD, STATE, Site, but, written},
};
use futures_util::FutureExt as _;
use google_reviews_mcp::clock::Clock;
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::json;

/// The names of all programs' own machine.
const LOOPBACKS: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];
/// What looks like one of them, and may be somebody else's.
const NO_LOOPBACKS: [&str; 7] = [
    "127.0.0.1.evil.com",
    "127.1",
    "0x7f.1",
    "2130706433",
    "localhost.evil",
    "[::ffff:127.0.0.1]",
    "127.0.0.1@evil.com",
];

/// An answer says nothing of what is inside, and holds no secret.
#[track_caller]
pub(super) fn harmless(answer: &Answer) {
    assert!(answer.status < 500, "{answer:?}");
    tells_nothing(answer);
}

/// Nothing of the inside, and no secret.
#[track_caller]
pub(super) fn tells_nothing(answer: &Answer) {
    for inner in ["SELECT ", "INSERT ", "UPDATE ", "sqlx", "panicked", "RUST_BACKTRACE", ".rs:", "argon2"] {
        assert!(!answer.text.contains(inner), "{inner}: {answer:?}");
    }
    for secret in ["grr_", "grz_", "grs_", "grw_", "eyJhbGci"] {
        assert!(!answer.text.contains(secret), "{secret}: {answer:?}");
    }
}

/// A page that says why nobody is sent anywhere.
#[track_caller]
pub(super) fn nowhere(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 400, "{what}: {answer:?}");
    assert!(!answer.headers.contains_key("location"), "{what}: {answer:?}");
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{what}");
    assert!(answer.text.contains("<h1>This cannot be connected</h1>"), "{what}: {answer:?}");
    harmless(answer);
}

/// The error with which a client is sent an answer: at its own address, with its state and the name of the server.
#[track_caller]
fn told(site: &Site, answer: &Answer, client: &Client) -> String {
    assert_eq!(answer.status, 303, "{answer:?}");
    assert!(answer.location().starts_with(&format!("{}?error=", client.redirect)), "{answer:?}");
    assert_eq!(answer.parameter("state").as_deref(), Some(STATE), "{answer:?}");
    assert_eq!(answer.parameter("iss"), Some(site.base.clone()), "{answer:?}");
    assert_eq!((answer.parameter("code"), answer.text.as_str()), (None, ""), "{answer:?}");
    harmless(answer);
    answer.parameter("error").unwrap()
}

/// Neither a stranger nor somebody who is signed in is sent to any of these addresses.
async fn all_lead_nowhere(site: &Site, client: &Client, addresses: &[&str]) {
    let (mut stranger, mut ada) = (site.browser(), site.signed_in().await);
    for address in addresses {
        let asking = but(&site.asking(client), "redirect_uri", address);
        nowhere(&stranger.authorize(&asking).await, address);
        nowhere(&ada.authorize(&asking).await, address);
    }
    let right = site.asking(client);
    assert!(ada.authorize(&right).await.location().starts_with("/consent?request="), "the registered one is good");
}

/// None of these can be registered.
async fn none_is_registered(site: &Site, addresses: &[&str]) {
    for address in addresses {
        let with_a_good_one = json!({"client_name": "Evil", "redirect_uris": [CALLBACK, address]});
        for body in [json!({"client_name": "Evil", "redirect_uris": [address]}), with_a_good_one] {
            let answer = site.registration(&body).await;
            assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_redirect_uri"), "{address}");
            harmless(&answer);
        }
    }
}

/// A client with several addresses; its first is the one that it asks for.
pub(super) async fn with_addresses(site: &Site, addresses: &[&str]) -> Client {
    let answer = site
        .registration(&json!({"client_name": "Several", "redirect_uris": addresses,
            "token_endpoint_auth_method": "none"}))
        .await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = answer.json()["client_id"].as_str().unwrap().to_owned();
    Client { id, secret: None, redirect: addresses[0].to_owned() }
}

#[tokio::test]
async fn rdr_01_an_address_that_is_not_registered_is_sent_nothing_now_or_later() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let other = site.register("Other", "none", "https://other.example/cb").await;
        all_lead_nowhere(&site, &client, &["https://evil.example/callback", &other.redirect, "nonsense", "/login"])
            .await;

        // Asked for while it was registered, and answered when it is not any more.
        let mut ada = site.signed_in().await;
        let page = ada.consent_page(&site.asking(&client)).await;
        let path = format!("/consent?request={}", page.field("request"));
        for change in ["UPDATE clients SET redirect_uris = '[\"https://other.example/cb\"]'", "DELETE FROM clients"] {
            database.run(change).await;
            for decision in ["allow", "deny"] {
                is_over(&ada.decide(&page, decision, &["reviews:read"]).await);
            }
            is_over(&ada.get(&path).await);
            is_over(&ada.get(&path.replace("/consent", "/login")).await);
        }
        assert_eq!((database.count("grants").await, database.count("decisions").await), (0, 0), "{}", database.name());
    }
}

/// A page that sends nobody on.
#[track_caller]
pub(super) fn is_over(answer: &Answer) {
    assert_eq!((answer.status, answer.location()), (400, ""), "{answer:?}");
    assert!(answer.text.contains("<h1>Please start again</h1>"), "{answer:?}");
    harmless(answer);
}

#[tokio::test]
async fn rdr_02_what_only_begins_or_ends_like_the_address_is_another() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let others = [
            "https://client.example/callback/evil",
            "https://client.example/callbackevil",
            "https://client.example/callback/",
            "https://client.example/Callback",
            "https://client.example/",
            "https://client.example",
            "https://client.example.evil.com/callback",
            "https://evil.client.example/callback",
            "https://evilclient.example/callback",
            "https://client.example:443/callback",
            "https://client.example:8443/callback",
            " https://client.example/callback",
            "https://client.example/callback ",
        ];
        all_lead_nowhere(&site, &client, &others).await;
    }
}

#[tokio::test]
async fn rdr_03_paths_are_not_walked() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let others = [
            "https://client.example/callback/../x",
            "https://client.example/x/../callback",
            "https://client.example/./callback",
            "https://client.example//callback",
            "https://client.example/callback/%2e%2e/x",
            "https://client.example/%2e/callback",
            "https://client.example/%63allback",
            "https://client.example/callback%00",
            "https://client.example/callback;x",
            "https://client.example\\callback",
            "https:\\\\client.example\\callback",
            "https://evil.example\\@client.example/callback",
        ];
        all_lead_nowhere(&site, &client, &others).await;
    }
}

#[tokio::test]
async fn rdr_04_queries_are_compared_too_and_fragments_are_none() {
    for database in both().await {
        let site = Site::on(&database).await;
        let registered = "https://client.example/cb?tenant=1&x=2";
        let client = site.register("With a query", "none", registered).await;
        let others = [
            "https://client.example/cb?tenant=1&x=2&y=3",
            "https://client.example/cb?x=2&tenant=1",
            "https://client.example/cb?tenant=1",
            "https://client.example/cb?tenant=1&x=2&",
            "https://client.example/cb",
            "https://client.example/cb?tenant=1&x=2#",
            "https://client.example/cb?tenant=1&x=2#fragment",
        ];
        all_lead_nowhere(&site, &client, &others).await;
        none_is_registered(&site, &["https://client.example/cb#", "https://client.example/cb?x#fragment"]).await;
        let sent = site.signed_in().await.agree(&site.asking(&client)).await;
        assert!(sent.location().starts_with(&format!("{registered}&code=")), "{sent:?}");

        let plain = site.client().await;
        all_lead_nowhere(
            &site,
            &plain,
            &[&format!("{CALLBACK}?x=1"), &format!("{CALLBACK}?"), &format!("{CALLBACK}#x")],
        )
        .await;
    }
}

#[tokio::test]
async fn rdr_05_names_before_the_host_are_not_taken() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let others = [
            "https://client.example@evil.example/callback",
            "https://client.example:443@evil.example/callback",
            "https://client.example%2fcallback@evil.example",
            "https://ada@client.example/callback",
            "https://ada:secret@client.example/callback",
            "https://@client.example/callback",
        ];
        all_lead_nowhere(&site, &client, &others).await;
        none_is_registered(&site, &others).await;
        none_is_registered(&site, &["cursor://ada@app/oauth", "http://ada@localhost:3334/cb"]).await;
    }
}

#[tokio::test]
async fn rdr_06_hosts_are_compared_letter_by_letter() {
    for database in both().await {
        let site = Site::on(&database).await;
        // The second is how the name is written on the wire that begins with a Cyrillic letter.
        let client = with_addresses(&site, &[CALLBACK, "https://xn--lient-0ye.example/callback"]).await;
        let others = [
            "https://CLIENT.example/callback",
            "https://client.EXAMPLE/callback",
            "HTTPS://client.example/callback",
            "https://client.example./callback",
            "https://\u{441}lient.example/callback",
            "https://client\u{3002}example/callback",
            "https://ｃlient.example/callback",
            "https://clie\u{ad}nt.example/callback",
            "https://client%2eexample/callback",
        ];
        all_lead_nowhere(&site, &client, &others).await;
        none_is_registered(&site, &["https://CLIENT.example/cb", "https://\u{441}lient.example/cb"]).await;
    }
}

#[tokio::test]
async fn rdr_07_http_is_for_the_own_machine_and_https_is_another_address() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        all_lead_nowhere(&site, &client, &["http://client.example/callback", "//client.example/callback"]).await;
        let local = site.register("Program", "none", "http://localhost:3334/cb").await;
        all_lead_nowhere(&site, &local, &["https://localhost:3334/cb", "ws://localhost:3334/cb"]).await;
        none_is_registered(&site, &["http://client.example/callback", "http://192.168.1.1/cb", "http://10.0.0.1/cb"])
            .await;
    }
}

#[tokio::test]
async fn rdr_08_of_the_own_machine_the_port_is_free_and_nothing_else() {
    for database in both().await {
        let site = Site::on(&database).await;
        let mut ada = site.signed_in().await;
        for host in LOOPBACKS {
            let client = site.register(host, "none", &format!("http://{host}:3334/cb?x=1")).await;
            for port in [":3334", ":51004", ":1", ":65535", ""] {
                let address = format!("http://{host}{port}/cb?x=1");
                let sent = ada.agree(&but(&site.asking(&client), "redirect_uri", &address)).await;
                let is_sent = sent.status == 303 && sent.location().starts_with(&format!("{address}&code="));
                assert!(is_sent, "{}, {address}: {sent:?}", database.name());
            }
            let elsewhere = LOOPBACKS.into_iter().filter(|other| *other != host);
            let mut others: Vec<String> = elsewhere.map(|other| format!("http://{other}:3334/cb?x=1")).collect();
            for rest in ["/other?x=1", "/cb", "/cb?x=2", "/cb?x=1&y=2", "/cb/?x=1", "?x=1", "/cb?x=1#f"] {
                others.push(format!("http://{host}:3334{rest}"));
            }
            for port in [":0", ":65536", ":99999", ":", ":x", ":3334:3334", ":+80", ":3334@evil.example"] {
                others.push(format!("http://{host}{port}/cb?x=1"));
            }
            others.extend(["https", "ws", "HTTP"].map(|scheme| format!("{scheme}://{host}:3334/cb?x=1")));
            for address in others {
                nowhere(&ada.authorize(&but(&site.asking(&client), "redirect_uri", &address)).await, &address);
            }
        }
    }
}

#[tokio::test]
async fn rdr_09_what_only_looks_like_the_own_machine_is_not() {
    for database in both().await {
        let site = Site::on(&database).await;
        let others = NO_LOOPBACKS.map(|host| [format!("http://{host}:3334/cb"), format!("http://{host}/cb")]).concat();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        none_is_registered(&site, &others).await;
        for host in LOOPBACKS {
            let client = site.register(host, "none", &format!("http://{host}:3334/cb")).await;
            all_lead_nowhere(&site, &client, &others).await;
        }
    }
}

#[tokio::test]
async fn rdr_10_addresses_of_apps_are_taken_and_those_that_a_browser_runs_or_reads_are_not() {
    for database in both().await {
        let site = Site::on(&database).await;
        let mut ada = site.signed_in().await;
        for address in ["cursor://anysphere.cursor-mcp/oauth/callback", "com.example.app:/oauth", "vscode://x.y/z?a=1"]
        {
            let client = site.register("App", "none", address).await;
            let sent = ada.agree(&site.asking(&client)).await;
            let separator = if address.contains('?') { '&' } else { '?' };
            assert!(
                sent.location().starts_with(&format!("{address}{separator}code=")),
                "{}: {sent:?}",
                database.name()
            );
            let longer = format!("{address}/x");
            all_lead_nowhere(&site, &client, &[&longer, &address.to_uppercase(), "cursor://evil/oauth", "cursor:"])
                .await;
        }
        let bad = [
            "javascript:alert(1)",
            "javascript://client.example/%0aalert(1)",
            "JavaScript:alert(1)",
            "data:text/html,<script>alert(1)</script>",
            "data:text/html;base64,PHNjcmlwdD4=",
            "file:///etc/passwd",
            "file://evil.example/share",
            "vbscript:msgbox(1)",
            "blob:https://client.example/1",
            "about:blank",
            "view-source:https://client.example/",
            "intent://x#Intent;scheme=https;end",
        ];
        none_is_registered(&site, &bad).await;
        let client = site.client().await;
        all_lead_nowhere(&site, &client, &bad).await;
    }
}

#[tokio::test]
async fn rdr_11_the_address_is_always_required() {
    for database in both().await {
        let site = Site::on(&database).await;
        let one = site.client().await;
        let several = with_addresses(&site, &[CALLBACK, "https://client.example/second"]).await;
        let mut ada = site.signed_in().await;
        for client in [one, several] {
            let asking = but(&site.asking(&client), "redirect_uri", "");
            nowhere(&ada.authorize(&asking).await, "left out");
            nowhere(&ada.get(&format!("/authorize?{}&redirect_uri=", written(&asking))).await, "empty");
            nowhere(&ada.get(&format!("/authorize?{}&redirect_uri", written(&asking))).await, "without a value");
            for registered in [CALLBACK, &client.redirect] {
                let sent = ada.authorize(&but(&asking, "redirect_uri", registered)).await;
                assert!(sent.location().starts_with("/consent?request="), "{}: {sent:?}", database.name());
            }
        }
        for unknown in ["", "grc_unknown", "https://evil.example/client.json", "' OR 1=1 --", "\0", "💥"] {
            nowhere(&ada.authorize(&but(&site.asking(&site.client().await), "client_id", unknown)).await, unknown);
        }
    }
}

#[tokio::test]
async fn rdr_12_what_breaks_lines_breaks_no_header() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let bad = [
            "https://client.example/callback\r\nx-evil: 1",
            "https://client.example/callback\nx-evil: 1",
            "https://client.example/callback\r",
            "https://client.example/call\tback",
            "https://client.example/callback\0",
            "https://client.example/callback\u{85}",
            "https://client.example/callback\u{2028}x-evil: 1",
            "https://client.example/c\u{e4}llback",
            "cursor://app/\r\nx-evil: 1",
            "http://localhost:1/\r\nx-evil: 1",
        ];
        none_is_registered(&site, &bad).await;
        all_lead_nowhere(&site, &client, &bad).await;
        // Packed into letters it is an address like others, and stays packed.
        let packed = "https://client.example/callback%0d%0ax-evil:%201";
        all_lead_nowhere(&site, &client, &[packed]).await;
        let odd = site.register("Odd", "none", packed).await;
        let sent = site.browser().authorize(&but(&site.asking(&odd), "response_type", "token")).await;
        assert!(sent.location().starts_with(&format!("{packed}?error=")), "{sent:?}");
        assert!(!sent.headers.contains_key("x-evil"), "{}: {sent:?}", database.name());
        // As bytes on the wire, it is no request.
        let address = site.server.app.address();
        let query = written(&but(&site.asking(&client), "redirect_uri", ""));
        for bytes in ["\r\nx-evil: 1", "\n", "\t", "\0", "\u{e4}"] {
            let head = format!("GET /authorize?{query}&redirect_uri={CALLBACK}{bytes} HTTP/1.1\r\nhost: {address}\r\n");
            let answer = raw::exchange(address, &format!("{head}connection: close\r\n\r\n")).await;
            let lower = answer.to_lowercase();
            assert!(raw::status(&answer) == 400 && !lower.contains("location:"), "{bytes:?}: {answer}");
        }
    }
}

#[tokio::test]
async fn rdr_13_two_addresses_are_none() {
    for database in both().await {
        let site = Site::on(&database).await;
        let second = "https://client.example/second";
        let client = with_addresses(&site, &[CALLBACK, second]).await;
        let mut ada = site.signed_in().await;
        let query = written(&site.asking(&client));
        for other in [second, CALLBACK, "https://evil.example/", ""] {
            let more = written(&[("redirect_uri", other.to_owned())]);
            nowhere(&ada.get(&format!("/authorize?{query}&{more}")).await, other);
            nowhere(&ada.get(&format!("/authorize?{more}&{query}")).await, other);
        }
        nowhere(&ada.get(&format!("/authorize?{query}&redirect%5Furi={CALLBACK}")).await, "in other letters");
        nowhere(&ada.get(&format!("/authorize?{query}&client_id={}", client.id)).await, "two clients");
        assert!(
            ada.get(&format!("/authorize?{query}")).await.location().starts_with("/consent"),
            "{}",
            database.name()
        );
    }
}

#[tokio::test]
async fn rdr_14_signing_in_leads_to_pages_of_the_server_alone() {
    for database in both().await {
        let site = Site::on(&database).await;
        for evil in [
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https:evil.example",
            "https://evil.example",
            "%2f%2fevil.example",
            "/%2f/evil.example",
            "javascript:alert(1)",
            "/consent\r\nlocation: https://evil.example",
        ] {
            let mut browser = site.browser();
            let evil_query = written(&[("next", evil.to_owned()), ("return_to", evil.to_owned())]);
            let page = browser.get(&format!("/login?{evil_query}&redirect_uri={evil_query}")).await;
            assert_eq!((page.status, page.field("request").as_str()), (200, ""), "{evil}");
            assert!(!page.text.contains("evil.example"), "{page:?}");
            let csrf = page.field("csrf");
            let as_request = written(&[("request", evil.to_owned())]);
            for path in ["/login", "/consent"] {
                is_over(&browser.get(&format!("{path}?{as_request}")).await);
            }
            let fields = [("csrf", csrf.as_str()), ("name", "ada"), ("password", PASSWORD)];
            is_over(&browser.post("/login", &[&fields[..], &[("request", evil)]].concat()).await);
            let more = ["next", "return_to", "redirect_uri", "url", "continue"].map(|name| (name, evil));
            let entered = browser.post(&format!("/login?{evil_query}"), &[&fields[..], &more[..]].concat()).await;
            assert_eq!((entered.status, entered.location()), (303, "/connections"), "{}, {evil}", database.name());
            assert_eq!(browser.get(&format!("/login?{evil_query}")).await.location(), "/connections", "{evil}");
            let csrf = browser.get("/connections").await.field("csrf");
            let refused = browser.post("/logout", &[("csrf", csrf.as_str()), ("request", evil)]).await;
            assert_eq!((refused.status, refused.location()), (403, ""), "{evil}");
            let left = browser.post("/logout", &[&[("csrf", csrf.as_str())], &more[..]].concat()).await;
            assert_eq!((left.status, left.location()), (303, "/login"), "{evil}");
        }
        for path in
            ["//evil.example/%2e%2e", "//evil.example/login", "/%5Cevil.example", "/login/", "/login//evil.example"]
        {
            let answer = site.get(path).await;
            assert_eq!((answer.status, answer.location()), (404, ""), "{path}");
        }
    }
}

#[tokio::test]
async fn rdr_15_other_faults_are_told_to_the_client_with_its_state_and_our_name() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let (mut stranger, mut ada) = (site.browser(), site.signed_in().await);
        for (name, value, error) in [
            ("response_type", "", "invalid_request"),
            ("response_type", "token", "unsupported_response_type"),
            ("response_mode", "fragment", "invalid_request"),
            ("code_challenge", "", "invalid_request"),
            ("code_challenge", "too-short", "invalid_request"),
            ("code_challenge_method", "", "invalid_request"),
            ("code_challenge_method", "plain", "invalid_request"),
            ("scope", "openid", "invalid_scope"),
            ("resource", "https://other.example/mcp", "invalid_target"),
            ("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported"),
            ("request_uri", "https://other.example/request", "request_uri_not_supported"),
            ("prompt", "none login", "invalid_request"),
        ] {
            let asking = but(&site.asking(&client), name, value);
            for browser in [&mut stranger, &mut ada] {
                let answer = browser.authorize(&asking).await;
                assert_eq!(told(&site, &answer, &client), error, "{}, {name}={value}", database.name());
            }
            let answer = stranger.authorize(&but(&asking, "state", "")).await;
            assert_eq!(
                (answer.parameter("error").as_deref(), answer.parameter("state")),
                (Some(error), None),
                "{name}"
            );
            assert_eq!(answer.parameter("iss"), Some(site.base.clone()));
        }
        for twice in ["scope", "resource", "code_challenge", "prompt", "unknown"] {
            let query = written(&site.asking(&client));
            let answer = ada.get(&format!("/authorize?{query}&{twice}=x&{twice}=x")).await;
            let error = told(&site, &answer, &client);
            assert!(["invalid_request", "invalid_target"].contains(&error.as_str()), "{twice}: {error}");
        }
        let page = ada.consent_page(&site.asking(&client)).await;
        assert_eq!(told(&site, &ada.decide(&page, "deny", &[]).await, &client), "access_denied");
        assert_eq!(database.count("grants").await, 0);
    }
}

#[tokio::test]
async fn rdr_16_there_are_codes_in_queries_and_nothing_else() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let mut ada = site.signed_in().await;
        for kind in ["token", "code token", "token code", "id_token", "code id_token", "none", "CODE", "code "] {
            let answer = ada.authorize(&but(&site.asking(&client), "response_type", kind)).await;
            assert_eq!(told(&site, &answer, &client), "unsupported_response_type", "{kind}");
        }
        for mode in ["fragment", "form_post", "web_message", "query.jwt", "jwt", "QUERY"] {
            let answer = ada.authorize(&but(&site.asking(&client), "response_mode", mode)).await;
            assert_eq!(told(&site, &answer, &client), "invalid_request", "{mode}");
            assert!(!answer.location().contains('#'), "{answer:?}");
        }
        let sent = ada.agree(&but(&site.asking(&client), "response_mode", "query")).await;
        assert!(sent.parameter("code").is_some() && !sent.location().contains('#'), "{}: {sent:?}", database.name());
        let metadata = site.get("/.well-known/oauth-authorization-server").await.json();
        assert_eq!(metadata["response_types_supported"], json!(["code"]));
        assert_eq!(metadata["response_modes_supported"], json!(["query"]));
    }
}

#[tokio::test]
async fn rdr_17_requests_are_neither_unpacked_nor_fetched() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let bait = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = format!("http://{}/request", bait.local_addr().unwrap());
        let (mut stranger, mut ada) = (site.browser(), site.signed_in().await);
        for uri in [at.as_str(), "http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "urn:x", "x"] {
            for browser in [&mut stranger, &mut ada] {
                let answer = browser.authorize(&but(&site.asking(&client), "request_uri", uri)).await;
                assert_eq!(told(&site, &answer, &client), "request_uri_not_supported", "{uri}");
            }
        }
        // {"alg":"none"} with another redirect and another client in it.
        let object = "eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmkiOiJodHRwczovL2V2aWwuZXhhbXBsZSIsImNsaWVudF9pZCI6IngifQ.";
        for request in [object, "x", &at] {
            let answer = ada.authorize(&but(&site.asking(&client), "request", request)).await;
            assert_eq!(told(&site, &answer, &client), "request_not_supported", "{request}");
        }
        let bare = vec![("client_id", client.id.clone()), ("request", object.to_owned())];
        nowhere(&ada.authorize(&bare).await, "an address in the object is none");
        assert!(bait.accept().now_or_never().is_none(), "{}: something was fetched", database.name());
        let metadata = site.get("/.well-known/oauth-authorization-server").await.json();
        let flags = ["request_parameter_supported", "request_uri_parameter_supported"].map(|name| &metadata[name]);
        assert_eq!(flags, [&json!(false); 2]);
    }
}

/// A person who has agreed to what this client asks for, and whose client has used it.
pub(super) async fn agreed<'a>(site: &'a Site, client: &Client) -> Browser<'a> {
    let mut ada = site.signed_in().await;
    let code = ada.code(client).await;
    assert_eq!(site.exchange(client, &code).await.status, 200);
    ada
}

/// A request for a page, as a browser sends it that goes there.
pub(super) fn going(site: &Site, method: Method, path: &str) -> reqwest::RequestBuilder {
    let request = site.request(method, path).header("sec-fetch-site", "cross-site");
    request.header("sec-fetch-mode", "navigate").header("sec-fetch-dest", "document")
}

#[tokio::test]
async fn rdr_18_only_get_asks_and_head_does_nothing() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let mut ada = agreed(&site, &client).await;
        let path = format!("/authorize?{}", written(&site.asking(&client)));
        let kept = async || (database.count("grants").await, database.count("decisions").await);
        let before = kept().await;
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
            for request in [
                going(&site, method.clone(), &path),
                going(&site, method.clone(), "/authorize").form(&site.asking(&client)),
            ] {
                let answer = ada.send(request.header("origin", &site.base)).await;
                assert_eq!((answer.status, answer.location()), (405, ""), "{method}: {answer:?}");
                assert_eq!(answer.header("allow"), "GET,HEAD", "{method}");
                harmless(&answer);
            }
        }
        let head = ada.send(going(&site, Method::HEAD, &path)).await;
        assert!(head.status == 303 && head.location().starts_with("/consent?request="), "{head:?}");
        let stranger = site.browser().send(going(&site, Method::HEAD, &path)).await;
        assert!(stranger.location().starts_with("/login?request="), "{stranger:?}");
        assert_eq!(kept().await, before, "{}: something was written", database.name());
        // Only the method was wrong.
        assert!(ada.send(going(&site, Method::GET, &path)).await.parameter("code").is_some());
        assert_eq!(kept().await, (before.0 + 1, before.1 + 1));
    }
}

#[tokio::test]
async fn rdr_19_nobody_is_asked_who_must_not_be_and_nothing_is_granted_unasked() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let silent = but(&site.asking(&client), "prompt", "none");
        let error = async |browser: &mut Browser<'_>, client: &Client, asking: &[(&str, String)]| {
            let before = database.count("grants").await;
            let answer = browser.authorize(asking).await;
            assert_eq!(database.count("grants").await, before, "{}", database.name());
            told(&site, &answer, client)
        };
        assert_eq!(error(&mut site.browser(), &client, &silent).await, "login_required");
        let mut ada = site.signed_in().await;
        assert_eq!(error(&mut ada, &client, &silent).await, "consent_required");
        // A code that was never exchanged is no agreement that is in use.
        ada.code(&client).await;
        assert_eq!(error(&mut ada, &client, &silent).await, "consent_required");

        let mut ada = agreed(&site, &client).await;
        assert!(ada.authorize(&silent).await.parameter("code").is_some(), "what was agreed to needs no question");
        let program = site.register("Program", "none", "http://127.0.0.1:3334/cb").await;
        agreed(&site, &program).await;
        let local = but(&site.asking(&program), "prompt", "none");
        assert_eq!(error(&mut ada, &program, &local).await, "consent_required");
        let path = format!("/authorize?{}", written(&silent));
        let quiet = ada.send(site.request(Method::GET, &path)).await;
        assert_eq!(told(&site, &quiet, &client), "consent_required", "whoever does not say that it goes there");
        ada.cookies.remove("__Host-session");
        assert_eq!(error(&mut ada, &client, &silent).await, "login_required");
        for both in ["none login", "none consent", "login none"] {
            let asking = but(&site.asking(&client), "prompt", both);
            assert_eq!(error(&mut ada, &client, &asking).await, "invalid_request", "{both}");
        }
    }
}

#[tokio::test]
async fn rdr_20_states_come_back_as_they_were_and_only_in_the_address() {
    for database in both().await {
        let site = Site::on(&database).await;
        let client = site.client().await;
        let mut ada = site.signed_in().await;
        let longest = "s".repeat(2_048);
        for state in [
            "\"><script>alert(1)</script>",
            "zwölf Ⅻ 😀 \u{202e}",
            "a&code=stolen&iss=https://evil.example#x",
            "\r\nset-cookie: x=1\r\n\r\n<h1>",
            "a+b%20c %00",
            &longest,
        ] {
            let asking = but(&site.asking(&client), "state", state);
            let page = ada.consent_page(&asking).await;
            assert!(!page.text.contains(state) && !page.text.contains("<script"), "{page:?}");
            let allowed = ada.decide(&page, "allow", &["reviews:read"]).await;
            let page = ada.consent_page(&asking).await;
            let denied = ada.decide(&page, "deny", &[]).await;
            let wrong = ada.authorize(&but(&asking, "response_type", "token")).await;
            for answer in [allowed, denied, wrong] {
                assert_eq!(answer.parameter("state").as_deref(), Some(state), "{}: {answer:?}", database.name());
                assert_eq!(answer.parameter("iss"), Some(site.base.clone()), "{answer:?}");
                assert_eq!(answer.text, "");
                assert!(answer.location().bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>#".contains(&byte)));
                assert!(!answer.headers.contains_key("set-cookie"), "{answer:?}");
            }
        }
        for length in [2_049, 10_240] {
            let state = "s".repeat(length);
            let answer = ada.authorize(&but(&site.asking(&client), "state", &state)).await;
            assert_eq!((answer.status, answer.parameter("error").as_deref()), (303, Some("invalid_request")));
            assert_eq!((answer.parameter("state"), answer.parameter("code")), (None, None), "{length}");
            assert!(answer.location().len() < 500 && answer.parameter("iss").is_some(), "{answer:?}");
        }
        let letters = "é".repeat(1_025);
        let answer = ada.authorize(&but(&site.asking(&client), "state", &letters)).await;
        assert_eq!(answer.parameter("error").as_deref(), Some("invalid_request"), "bytes are counted");
    }
}

/// What was done, how it should be answered, and how it was.
type Met = (&'static str, u16, Answer);

/// All answers with which the first person is let in.
async fn met_at_setup(site: &Site) -> [Met; 4] {
    let mut first = site.browser();
    let link = site.server.app.people().unwrap().first_link().await.unwrap().unwrap();
    let link = link.expose_secret();
    let page = first.get(&format!("/setup?link={link}")).await;
    let csrf = page.field("csrf");
    let fields = [("csrf", csrf.as_str()), ("link", link), ("name", "ada"), ("password", PASSWORD)];
    let differs = first.post("/setup", &[&fields[..], &[("repeated", "another one")]].concat()).await;
    let done = first.post("/setup", &[&fields[..], &[("repeated", PASSWORD)]].concat()).await;
    let spent = first.get(&format!("/setup?link={link}")).await;
    [("setup", 200, page), ("two passwords", 400, differs), ("set up", 303, done), ("used", 400, spent)]
}

/// All answers on the way from a client to its code, and back to nothing.
async fn met_by_a_client(site: &Site, client: &Client) -> [Met; 15] {
    let mut ada = site.browser();
    let asking = site.asking(client);
    let asked = ada.authorize(&asking).await;
    let login = ada.get(asked.location()).await;
    let wrong = ada.sign_in(asked.location(), "ada", "another password").await;
    let entered = ada.sign_in(asked.location(), "ada", PASSWORD).await;
    let consent = ada.get(entered.location()).await;
    let nothing = ada.decide(&consent, "allow", &[]).await;
    let allowed = ada.decide(&consent, "allow", &["reviews:read"]).await;
    let again = ada.decide(&consent, "allow", &["reviews:read"]).await;
    let other = ada.consent_page(&asking).await;
    let denied = ada.decide(&other, "deny", &[]).await;
    let unknown = ada.authorize(&but(&asking, "client_id", "grc_unknown")).await;
    let no_code = ada.authorize(&but(&asking, "response_type", "token")).await;
    let connections = ada.get("/connections").await;
    let foreign = ada.post("/connections", &[("csrf", "x"), ("revoke", &client.id)]).await;
    let csrf = connections.field("csrf");
    let revoke = [("csrf", csrf.as_str()), ("revoke", &client.id), ("redirect_uri", &client.redirect)];
    let revoked = ada.post("/connections", &revoke).await;
    let left = ada.post("/logout", &[("csrf", csrf.as_str())]).await;
    [
        ("authorize", 303, asked),
        ("login", 200, login),
        ("login, wrong", 401, wrong),
        ("login, right", 303, entered),
        ("consent", 200, consent),
        ("consent to nothing", 400, nothing),
        ("consent, allowed", 303, allowed),
        ("consent, answered", 400, again),
        ("consent, denied", 303, denied),
        ("authorize, unknown client", 400, unknown),
        ("authorize, wrong", 303, no_code),
        ("connections", 200, connections),
        ("a foreign form", 403, foreign),
        ("connections, revoked", 200, revoked),
        ("logout", 303, left),
    ]
}

/// A server without people, and all answers with which the first one meets it.
pub(super) async fn met_on(database: &Database) -> Vec<Met> {
    let site = Site::beside(database, Clock::manual(now()), &[]).await;
    let client = site.client().await;
    let at_setup = met_at_setup(&site).await;
    at_setup.into_iter().chain(met_by_a_client(&site, &client).await).collect()
}

#[tokio::test]
async fn rdr_21_no_answer_is_kept_or_named_to_the_next_site() {
    for database in both().await {
        for (what, status, answer) in met_on(&database).await {
            assert_eq!(answer.status, status, "{}, {what}: {answer:?}", database.name());
            assert_eq!(answer.header("referrer-policy"), "no-referrer", "{what}");
            assert_eq!(answer.header("cache-control"), "no-store", "{what}");
            // Nothing in a page leads a browser to another site by itself.
            for fetched in ["src=\"http", "src=\"//", "@import", "url(http", "http-equiv"] {
                assert!(!answer.text.contains(fetched), "{what}: {fetched}");
            }
        }
    }
}

#[tokio::test]
async fn rdr_22_what_a_form_held_is_not_sent_on() {
    for database in both().await {
        for (what, status, answer) in met_on(&database).await {
            assert_eq!(answer.status, status, "{}, {what}: {answer:?}", database.name());
            let is_onward = answer.headers.contains_key("location");
            assert_eq!(is_onward, status == 303, "{what}: {answer:?}");
            let told = format!("{} {}", answer.location(), answer.text);
            for held in [PASSWORD, &written(&[("", PASSWORD.to_owned())]), "another password", "another one"] {
                assert!(!told.contains(held), "{what}: {answer:?}");
            }
            assert!(!answer.location().contains("csrf"), "{what}: {answer:?}");
            assert!(!is_onward || answer.text.is_empty(), "{what}: {answer:?}");
        }
    }
}
