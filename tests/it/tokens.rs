//! Access tokens of an issuer, good and forged, on real sockets. Every refusal is a 401 with a challenge.

use crate::support::{
    BAKERY, Builder, TestServer,
    binary::{Serving, program, stderr, stdout},
    check,
    database::{Database, both},
    issuer::{FakeIssuer, SigningKey},
    now, raw, rpc, until,
};
use futures_util::future::join_all;
use google_reviews_mcp::clock::Clock;
use serde_json::{Value, json};
use std::{process::Output, time::Duration};

const HEADER: &str = r#"{"alg":"ES256","typ":"at+jwt","kid":"one"}"#;

/// A server that takes the tokens of an issuer with one key.
struct Signed {
    server: TestServer,
    issuer: FakeIssuer,
    key: SigningKey,
    clock: Clock,
}

impl Signed {
    async fn start() -> Self {
        Self::with(|builder| builder).await
    }

    async fn with(change: impl FnOnce(Builder) -> Builder) -> Self {
        let key = SigningKey::p256();
        let issuer = FakeIssuer::start(&[key.public("one")]).await;
        let clock = Clock::manual(now());
        let builder =
            TestServer::builder().set("auth.mode", "oauth").set("auth.issuer", issuer.url.clone()).clock(clock.clone());
        let server = change(builder).start().await;
        let signed = Self { server, issuer, key, clock };
        until("the issuer's keys are there", async || signed.server.operations("/readyz").await.0 == 200).await;
        signed
    }

    /// Claims of a good token, with some of them in another form.
    fn claims(&self, changes: Value) -> Value {
        let seconds = self.clock.now().as_second();
        let mut claims = json!({
            "iss": self.issuer.url, "aud": self.server.app.endpoint(), "sub": "ada", "client_id": "test",
            "exp": seconds + 300, "iat": seconds, "scope": "reviews:read reports:write",
        });
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        claims
    }

    fn token(&self, changes: Value) -> String {
        self.key.token(HEADER, &self.claims(changes).to_string())
    }

    fn with_header(&self, header: &str) -> String {
        self.key.token(header, &self.claims(json!({})).to_string())
    }

    /// The status, and the challenge if there is one.
    async fn ask(&self, token: &str) -> (u16, String) {
        let request = self.request("tools/list", json!({})).header("authorization", format!("Bearer {token}"));
        let answer = rpc::send(request).await;
        let challenge = answer.headers.get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
        (answer.status, challenge.unwrap_or_default())
    }

    fn request(&self, method: &str, params: Value) -> reqwest::RequestBuilder {
        self.server
            .http
            .post(self.server.app.endpoint())
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .json(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
    }

    async fn accepts(&self, token: &str, why: &str) {
        assert_eq!(self.ask(token).await.0, 200, "{why}");
    }

    async fn refuses(&self, token: &str, why: &str) {
        let (status, challenge) = self.ask(token).await;
        assert_eq!(status, 401, "{why}");
        assert!(
            challenge.starts_with("Bearer resource_metadata=\"") && challenge.contains("error=\"invalid_"),
            "{why}: {challenge}"
        );
        assert_eq!(self.server.upstream_requests().await.len(), 0);
    }
}

#[tokio::test]
async fn a_good_token_opens_and_names_its_owner() {
    let signed = Signed::start().await;
    let token = signed.token(json!({}));
    signed.accepts(&token, "good").await;
    let call = signed
        .request("tools/call", json!({"name": "create_report", "arguments": {"place_ids": [BAKERY], "title": "x"}}));
    let answer = rpc::send(call.bearer_auth(&token)).await;
    let id = answer.body["result"]["structuredContent"]["report_id"].clone();
    let find = |sub: &str| {
        let token = signed.token(json!({"sub": sub}));
        rpc::send(
            signed
                .request("tools/call", json!({"name": "get_report", "arguments": {"report_id": id}}))
                .bearer_auth(token),
        )
    };
    assert_eq!(find("ada").await.body["result"]["isError"], json!(false));
    assert_eq!(find("eve").await.body["result"]["_meta"]["google-reviews/error"]["code"], "report_not_found");
}

#[tokio::test]
async fn what_one_caller_has_seen_or_made_is_offered_to_no_other() {
    let signed = Signed::start().await;
    let ask = async |sub: &str, method: &str, params: Value| {
        let request = signed.request(method, params).bearer_auth(signed.token(json!({"sub": sub})));
        rpc::send(request).await.body["result"].clone()
    };
    let made = json!({"name": "create_report", "arguments": {"place_ids": [BAKERY], "title": "x"}});
    let report = ask("ada", "tools/call", made).await["structuredContent"]["report_id"].clone();
    ask("ada", "tools/call", json!({"name": "get_place", "arguments": {"place_id": BAKERY}})).await;
    let prompt = |name: &str| json!({"type": "ref/prompt", "name": name});
    let template = json!({"type": "ref/resource", "uri": "report://{id}"});
    for (reference, argument, value) in [
        (prompt("analyze_place"), "place_id", &json!(BAKERY)),
        (prompt("compare_competitors"), "competitor_ids", &json!(BAKERY)),
        (prompt("compare_competitors"), "report_id", &report),
        (template, "id", &report),
    ] {
        let params = json!({"ref": reference, "argument": {"name": argument, "value": ""}});
        let offered = async |sub| ask(sub, "completion/complete", params.clone()).await["completion"]["values"].clone();
        assert_eq!(offered("ada").await, json!([value]), "{params}");
        assert_eq!(offered("eve").await, json!([]), "{params}");
    }
}

#[tokio::test]
async fn jwt_01_alg_none_is_refused() {
    let signed = Signed::start().await;
    let token = signed.with_header(r#"{"alg":"none","typ":"at+jwt","kid":"one"}"#);
    signed.refuses(&token, "signed all the same").await;
    let (unsigned, _) = token.rsplit_once('.').unwrap();
    signed.refuses(&format!("{unsigned}."), "no signature").await;
    signed.refuses(unsigned, "two parts").await;
}

#[tokio::test]
async fn jwt_02_variants_of_none_are_refused() {
    let signed = Signed::start().await;
    for name in ["None", "NONE", "nOnE", "", "es256", "ES256 "] {
        signed
            .refuses(&signed.with_header(&json!({"alg": name, "typ": "at+jwt", "kid": "one"}).to_string()), name)
            .await;
    }
}

/// The public key is public: whoever takes it as a shared secret believes everybody.
#[tokio::test]
async fn jwt_03_a_public_key_is_no_shared_secret() {
    use aws_lc_rs::hmac;
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE};
    let signed = Signed::start().await;
    let public = signed.key.public("one");
    let point =
        [BASE.decode(public["x"].as_str().unwrap()).unwrap(), BASE.decode(public["y"].as_str().unwrap()).unwrap()]
            .concat();
    for secret in [public.to_string().into_bytes(), point, public["x"].as_str().unwrap().as_bytes().to_vec()] {
        let head = BASE.encode(r#"{"alg":"HS256","typ":"at+jwt","kid":"one"}"#);
        let message = format!("{head}.{}", BASE.encode(signed.claims(json!({})).to_string()));
        let seal = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message.as_bytes());
        signed.refuses(&format!("{message}.{}", BASE.encode(seal)), "HS256 by the public key").await;
    }
}

#[tokio::test]
async fn jwt_04_a_key_signs_with_its_own_algorithm() {
    let signed = Signed::start().await;
    let other = SigningKey::rsa();
    let claims = signed.claims(json!({})).to_string();
    signed.refuses(&other.token(r#"{"alg":"RS256","typ":"at+jwt","kid":"one"}"#, &claims), "RS256").await;
    // RSA keys are taken as what they are.
    let rsa = SigningKey::rsa();
    signed.issuer.set_keys(&[signed.key.public("one"), rsa.public("two")]);
    signed.clock.advance(Duration::from_secs(31));
    let claims = signed.claims(json!({})).to_string();
    signed.accepts(&rsa.token(r#"{"alg":"RS256","typ":"at+jwt","kid":"two"}"#, &claims), "RS256 by an RSA key").await;
    signed.refuses(&rsa.token(r#"{"alg":"ES256","typ":"at+jwt","kid":"two"}"#, &claims), "ES256 by an RSA key").await;
}

#[tokio::test]
async fn jwt_37_keys_of_another_issuer_are_not_ours_under_any_name() {
    let signed = Signed::start().await;
    let stranger = SigningKey::p256();
    let other = FakeIssuer::start(&[stranger.public("one")]).await;
    let claims = signed.claims(json!({})).to_string();
    signed.refuses(&stranger.token(HEADER, &claims), "the same id, signed by another issuer's key").await;
    let claims = signed.claims(json!({"iss": other.url})).to_string();
    signed.refuses(&stranger.token(HEADER, &claims), "a good token of another issuer").await;
    assert_eq!(other.asked(), 0);
}

#[tokio::test]
async fn jwt_05_unknown_keys_are_asked_for_once_and_then_not_for_a_while() {
    let signed = Signed::start().await;
    let before = signed.issuer.asked();
    signed.clock.advance(Duration::from_secs(31));
    for number in 0..100 {
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": format!("unknown-{number}")}).to_string();
        signed.refuses(&signed.with_header(&header), "unknown").await;
    }
    assert_eq!(signed.issuer.asked() - before, 1);
}

#[tokio::test]
async fn jwt_06_ids_of_keys_are_names_and_nothing_more() {
    let signed = Signed::start().await;
    let long = "k".repeat(5_000);
    for id in ["../../dev/null", "' OR 1=1 --", "one\u{0}", "one\n", "ONE", "", &long] {
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": id}).to_string();
        signed.refuses(&signed.with_header(&header), id).await;
    }
    signed.refuses(&signed.with_header(r#"{"alg":"ES256","typ":"at+jwt","kid":["one"]}"#), "a list").await;
}

/// A token with the forger's own key, or an address of it, in its header.
async fn refuses_header(name: &str, value: impl Fn(&SigningKey, &FakeIssuer) -> Value) {
    let signed = Signed::start().await;
    let (forger, trap) = (SigningKey::p256(), FakeIssuer::start(&[]).await);
    let claims = signed.claims(json!({})).to_string();
    for id in ["one", "new"] {
        let mut header = json!({"alg": "ES256", "typ": "at+jwt", "kid": id});
        header[name] = value(&forger, &trap);
        signed.refuses(&forger.token(&header.to_string(), &claims), name).await;
    }
    assert_eq!(trap.asked(), 0);
}

#[tokio::test]
async fn jwt_07_a_key_in_the_token_is_the_forgers() {
    refuses_header("jwk", |forger, _| forger.public("one")).await;
}

#[tokio::test]
async fn jwt_08_an_address_in_the_token_is_not_asked() {
    refuses_header("jku", |_, trap| json!(format!("{}/keys", trap.url))).await;
    refuses_header("x5u", |_, trap| json!(format!("{}/keys", trap.url))).await;
    refuses_header("x5c", |_, _| json!(["MIIB"])).await;
}

#[tokio::test]
async fn jwt_09_extensions_that_must_be_understood_are_refused() {
    let signed = Signed::start().await;
    for crit in [json!(["b64"]), json!(["exp"]), json!([]), json!("x")] {
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": "one", "crit": crit, "b64": true}).to_string();
        signed.refuses(&signed.with_header(&header), &header).await;
    }
}

#[tokio::test]
async fn jwt_10_expired_tokens_are_refused_and_it_is_said() {
    let signed = Signed::start().await;
    let token = signed.token(json!({"exp": signed.clock.now().as_second() - 61}));
    let (status, challenge) = signed.ask(&token).await;
    assert_eq!(status, 401);
    assert!(challenge.contains("error=\"invalid_token\", error_description=\"The token has expired\""), "{challenge}");
}

#[tokio::test]
async fn jwt_11_tokens_of_the_future_are_refused() {
    let signed = Signed::start().await;
    signed.refuses(&signed.token(json!({"nbf": signed.clock.now().as_second() + 60})), "not yet valid").await;
}

#[tokio::test]
async fn jwt_32_clocks_may_be_thirty_seconds_apart_and_no_more() {
    let signed = Signed::start().await;
    let at = |seconds: i64| signed.clock.now().as_second() + seconds;
    signed.accepts(&signed.token(json!({"exp": at(-29)})), "just expired").await;
    signed.refuses(&signed.token(json!({"exp": at(-30)})), "expired").await;
    signed.accepts(&signed.token(json!({"nbf": at(30)})), "almost valid").await;
    signed.refuses(&signed.token(json!({"nbf": at(31)})), "not yet valid").await;
    signed.accepts(&signed.token(json!({"iat": at(30)})), "made by a clock that is ahead").await;
    signed.refuses(&signed.token(json!({"iat": at(3_600)})), "made in the future").await;
}

#[tokio::test]
async fn jwt_12_the_end_of_a_token_is_a_possible_number() {
    let signed = Signed::start().await;
    let soon = signed.clock.now().as_second() + 300;
    for value in [
        Value::Null,
        json!(soon.to_string()),
        json!(-5),
        json!(9_223_372_036_854_775_808_u64),
        json!(1e300),
        json!([soon]),
        json!(true),
    ] {
        signed.refuses(&signed.token(json!({"exp": value})), &value.to_string()).await;
    }
    let claims = signed.claims(json!({})).to_string().replace(&soon.to_string(), "NaN");
    signed.refuses(&signed.key.token(HEADER, &claims), "NaN").await;
    let half = serde_json::from_str::<Value>(&format!("{soon}.5")).unwrap();
    signed.accepts(&signed.token(json!({"exp": half})), "a fraction is a number").await;
}

#[tokio::test]
async fn jwt_13_the_begin_of_a_token_is_a_number() {
    let signed = Signed::start().await;
    for value in [json!("0"), json!({}), json!(-1), json!([0])] {
        signed.refuses(&signed.token(json!({"nbf": value})), &value.to_string()).await;
    }
}

#[tokio::test]
async fn jwt_14_only_the_issuer_itself_letter_by_letter() {
    let signed = Signed::start().await;
    let url = &signed.issuer.url;
    for other in [
        json!(format!("{url}/")),
        json!(url.to_uppercase()),
        json!("https://evil.example"),
        json!(""),
        Value::Null,
        json!([url]),
    ] {
        signed.refuses(&signed.token(json!({"iss": other})), &other.to_string()).await;
    }
}

#[tokio::test]
async fn jwt_15_a_token_says_for_whom_it_is() {
    let signed = Signed::start().await;
    for none in [Value::Null, json!(""), json!([]), json!({"0": signed.server.app.endpoint()}), json!(7)] {
        signed.refuses(&signed.token(json!({"aud": none})), &none.to_string()).await;
    }
}

#[tokio::test]
async fn jwt_16_tokens_for_other_resources_are_not_for_us() {
    let signed = Signed::start().await;
    let origin = signed.server.app.endpoint().trim_end_matches("/mcp").to_owned();
    for other in [json!("https://other.example/mcp"), json!(origin), json!([origin, "https://other.example/mcp"])] {
        signed.refuses(&signed.token(json!({"aud": other})), &other.to_string()).await;
    }
    // Some issuers know resources by names of their own.
    let named = Signed::with(|builder| builder.set("auth.audience", "reviews-api")).await;
    named.accepts(&named.token(json!({"aud": "reviews-api"})), "the name that is set").await;
    named.refuses(&named.token(json!({})), "the address, when a name is set").await;
}

#[tokio::test]
async fn jwt_17_of_several_audiences_we_must_be_one() {
    let signed = Signed::start().await;
    let own = signed.server.app.endpoint();
    signed.accepts(&signed.token(json!({"aud": ["https://other.example", own]})), "ours is among them").await;
    signed.refuses(&signed.token(json!({"aud": ["https://other.example", "x"]})), "ours is not").await;
}

#[tokio::test]
async fn jwt_18_audiences_are_compared_letter_by_letter() {
    let signed = Signed::start().await;
    let own = signed.server.app.endpoint();
    for other in [format!("{own}-evil"), format!("{own}/"), own.replace("127.0.0.1", "localhost"), own.to_uppercase()] {
        signed.refuses(&signed.token(json!({"aud": other})), &other).await;
    }
    let public = Signed::with(|builder| builder.set("server.public_url", "https://Reviews.Example.com:443")).await;
    public.accepts(&public.token(json!({"aud": "https://reviews.example.com/mcp"})), "as the metadata has it").await;
    for other in
        ["https://reviews.example.com:443/mcp", "https://Reviews.Example.com/mcp", "http://reviews.example.com/mcp"]
    {
        public.refuses(&public.token(json!({"aud": other})), other).await;
    }
}

#[tokio::test]
async fn jwt_19_tokens_are_typed_unless_the_operator_says_otherwise() {
    let signed = Signed::start().await;
    for typ in [r#""JWT""#, r#""id_token""#, r#""rt+jwt""#, "null", "1"] {
        signed.refuses(&signed.with_header(&format!(r#"{{"alg":"ES256","typ":{typ},"kid":"one"}}"#)), typ).await;
    }
    signed.refuses(&signed.with_header(r#"{"alg":"ES256","kid":"one"}"#), "no type").await;
    signed.accepts(&signed.with_header(r#"{"alg":"ES256","typ":"application/AT+JWT","kid":"one"}"#), "long").await;
    let loose = Signed::with(|builder| builder.set("auth.requires_typed_tokens", "false")).await;
    loose.accepts(&loose.with_header(r#"{"alg":"ES256","typ":"JWT","kid":"one"}"#), "untyped").await;
}

#[tokio::test]
async fn jwt_20_id_tokens_open_nothing() {
    for typed in ["true", "false"] {
        let signed = Signed::with(|builder| builder.set("auth.requires_typed_tokens", typed)).await;
        let header = r#"{"alg":"ES256","typ":"JWT","kid":"one"}"#;
        for changes in [json!({"nonce": "n"}), json!({"at_hash": "h"}), json!({"aud": "client"})] {
            let token = signed.key.token(header, &signed.claims(changes.clone()).to_string());
            signed.refuses(&token, &changes.to_string()).await;
        }
        // Some issuers repeat the nonce in access tokens, which they type as such.
        signed.accepts(&signed.token(json!({"nonce": "n"})), "typed as an access token").await;
    }
}

#[tokio::test]
async fn jwt_21_codes_and_refresh_tokens_open_nothing() {
    let signed = Signed::start().await;
    for other in ["c_4f7d9a1b2e", "Z8pTNnrK1sUo2XyWq3vB", "rt.1.AAAA"] {
        signed.refuses(other, other).await;
    }
}

#[tokio::test]
async fn jwt_22_a_token_names_its_owner_and_its_client() {
    let signed = Signed::start().await;
    for changes in [
        json!({"sub": null}),
        json!({"sub": ""}),
        json!({"sub": 7}),
        json!({"client_id": null}),
        json!({"client_id": ""}),
    ] {
        signed.refuses(&signed.token(changes.clone()), &changes.to_string()).await;
    }
    for name in ["azp", "appid", "cid"] {
        signed.accepts(&signed.token(json!({"client_id": null, name: "test"})), "as some issuers call it").await;
    }
}

#[tokio::test]
async fn jwt_23_what_is_said_twice_is_refused() {
    let signed = Signed::start().await;
    let claims = signed.claims(json!({})).to_string();
    for twice in [r#""aud":"evil","#, r#""exp":9999999999,"#, r#""sub":"eve","#, r#""scope":"reviews:read","#] {
        let claims = claims.replacen('{', &format!("{{{twice}"), 1);
        signed.refuses(&signed.key.token(HEADER, &claims), twice).await;
    }
    let header = r#"{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"one"}"#;
    signed.refuses(&signed.with_header(header), header).await;
}

#[tokio::test]
async fn jwt_24_tokens_have_three_parts() {
    let signed = Signed::start().await;
    let token = signed.token(json!({}));
    for wrong in
        [format!("{token}.a.b"), format!("{token}.a"), format!("{token}."), format!(".{token}"), "...".to_owned()]
    {
        signed.refuses(&wrong, &wrong).await;
    }
    let inner = signed.key.token(r#"{"alg":"ES256","typ":"at+jwt","kid":"one","cty":"JWT"}"#, &format!("{token:?}"));
    signed.refuses(&inner, "a token in a token").await;
}

#[tokio::test]
async fn jwt_25_long_tokens_are_not_read() {
    let signed = Signed::start().await;
    signed.refuses(&format!("{}.{}", "A".repeat(16_000), signed.token(json!({}))), "16 KB").await;
    let request = signed.request("tools/list", json!({}));
    // The listener ends a head of that size without reading it.
    if let Ok(answer) = request.header("authorization", format!("Bearer {}", "A".repeat(1_000_000))).send().await {
        assert!([400, 401, 431].contains(&answer.status().as_u16()), "{}", answer.status());
    }
    signed.accepts(&signed.token(json!({})), "others").await;
}

#[tokio::test]
async fn jwt_26_a_signature_is_written_in_one_way() {
    let signed = Signed::start().await;
    let token = signed.token(json!({}));
    let (signed_part, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    // The last letter carries four bits that are not used.
    let last = char::from(signature.as_bytes()[signature.len() - 1] + 1);
    for (wrong, why) in [
        (format!("{signed_part}.{first}{}", &signature[1..]), "one character of the signature"),
        (format!("{signed_part}.{}{last}", &signature[..signature.len() - 1]), "bits that mean nothing"),
        (format!("{token}=="), "padding"),
        (format!("{signed_part}.{}+/", &signature[..signature.len() - 2]), "the other alphabet"),
        (format!("{signed_part}.{}", &signature[..signature.len() - 1]), "shorter"),
        (format!("{token}A"), "longer"),
        ("a.b.c".to_owned(), "letters"),
    ] {
        signed.refuses(&wrong, why).await;
    }
    signed.accepts(&token, "as it was").await;
}

#[tokio::test]
async fn jwt_27_signatures_of_everything_are_refused() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE};
    let signed = Signed::start().await;
    let token = signed.token(json!({}));
    let (signed_part, signature) = token.rsplit_once('.').unwrap();
    signed.refuses(&format!("{signed_part}.{}", BASE.encode([0; 64])), "r and s are zero").await;
    let raw = BASE.decode(signature).unwrap();
    let mut der = vec![0x30, 70, 2, 33, 0];
    der.extend_from_slice(&raw[..32]);
    der.extend_from_slice(&[2, 33, 0]);
    der.extend_from_slice(&raw[32..]);
    signed.refuses(&format!("{signed_part}.{}", BASE.encode(der)), "DER").await;
}

#[tokio::test]
async fn jwt_28_keys_that_must_not_be_used_are_not() {
    let signed = Signed::start().await;
    let other = |changes: Value| {
        let mut key = signed.key.public("other");
        for (name, value) in changes.as_object().unwrap() {
            key[name] = value.clone();
        }
        key
    };
    let small = json!({"kty": "RSA", "kid": "other", "n": "wAcAKKPHCnd4E", "e": "AQAB"});
    for key in [
        other(json!({"use": "enc"})),
        other(json!({"key_ops": ["sign"]})),
        other(json!({"alg": "ES384"})),
        other(json!({"alg": "none"})),
        other(json!({"crv": "P-384"})),
        other(json!({"x": "AAAA"})),
        other(json!({"kty": "oct", "k": "c2VjcmV0"})),
        small,
    ] {
        signed.issuer.set_keys(&[signed.key.public("one"), key.clone()]);
        signed.clock.advance(Duration::from_secs(31));
        let header = r#"{"alg":"ES256","typ":"at+jwt","kid":"other"}"#;
        signed.refuses(&signed.with_header(header), &key.to_string()).await;
        signed.accepts(&signed.token(json!({"jti": key.to_string()})), "the good key beside it").await;
    }
    let p384 = SigningKey::p384();
    signed.issuer.set_keys(&[signed.key.public("one"), p384.public("other")]);
    signed.clock.advance(Duration::from_secs(31));
    let token = p384.token(r#"{"alg":"ES384","typ":"at+jwt","kid":"other"}"#, &signed.claims(json!({})).to_string());
    signed.accepts(&token, "P-384 as what it is").await;
}

/// What is no usable document leaves the keys as they were, for a day.
#[tokio::test]
async fn jwt_29_hostile_documents_change_nothing() {
    let signed = Signed::start().await;
    let many: Vec<Value> = (0..10_000).map(|number| signed.key.public(&number.to_string())).collect();
    let good = json!({"keys": [signed.key.public("one")]}).to_string();
    for (status, content_type, body) in [
        (200, "application/json", json!({"keys": many}).to_string()),
        (200, "application/json", format!("{good}{}", " ".repeat(5_000_000))),
        (200, "text/html", "<html>".to_owned()),
        (200, "text/html", good.clone()),
        (302, "application/json", good.clone()),
        (500, "application/json", good.clone()),
        (200, "application/json", "[]".to_owned()),
    ] {
        signed.issuer.set_status(status);
        signed.issuer.set_content_type(content_type);
        signed.issuer.set_body(body);
        let asked = signed.issuer.asked();
        signed.clock.advance(Duration::from_secs(301));
        until("the issuer is asked again", async || signed.issuer.asked() > asked).await;
        until("health knows", async || signed.server.operations("/health").await.0 == 503).await;
        signed.accepts(&signed.token(json!({})), "the keys of before").await;
        let unknown = signed.with_header(r#"{"alg":"ES256","typ":"at+jwt","kid":"new"}"#);
        signed.refuses(&unknown, "a new key is unknown, not a fault").await;
        assert_eq!(signed.server.operations("/readyz").await.0, 200, "it goes on serving");
    }
    let page: Value = serde_json::from_str(&signed.server.operations("/health").await.1).unwrap();
    assert!(check(&page, "issuer")["cause"].as_str().unwrap().contains("issuer"), "{page}");
    signed.clock.advance(Duration::from_hours(24));
    assert_eq!(signed.ask(&signed.token(json!({}))).await.0, 503, "nothing is believed for ever");

    signed.issuer.set_status(200);
    signed.issuer.set_content_type("application/json");
    signed.issuer.set_body(good);
    signed.clock.advance(Duration::from_mins(1));
    until("it is well again", async || signed.ask(&signed.token(json!({}))).await.0 == 200).await;
}

/// After a leak an issuer may have no key for a while.
#[tokio::test]
async fn jwt_31_an_issuer_can_withdraw_all_its_keys() {
    let signed = Signed::start().await;
    signed.issuer.set_keys(&[]);
    let asked = signed.issuer.asked();
    signed.clock.advance(Duration::from_secs(301));
    until("the issuer is asked again", async || signed.issuer.asked() > asked).await;
    until("nothing opens", async || signed.ask(&signed.token(json!({}))).await.0 == 401).await;
    assert_eq!(signed.server.operations("/health").await.0, 503);
}

/// Many come with a new key at once: the first causes a fetch, all wait for it, and none is refused.
#[tokio::test]
async fn jwt_05_all_who_come_with_a_new_key_wait_for_one_fetch() {
    let signed = Signed::start().await;
    let new = SigningKey::p256();
    signed.issuer.set_keys(&[signed.key.public("one"), new.public("two")]);
    // Although they were fetched a moment ago, ahead of need.
    let asked = signed.issuer.asked();
    let header = r#"{"alg":"ES256","typ":"at+jwt","kid":"two"}"#;
    let tokens: Vec<String> =
        (0..50).map(|number| new.token(header, &signed.claims(json!({"jti": number})).to_string())).collect();
    let answers = join_all(tokens.iter().map(|token| signed.ask(token))).await;
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    assert_eq!(signed.issuer.asked() - asked, 1);
}

#[tokio::test]
async fn jwt_30_without_keys_at_the_start_the_server_waits_for_them() {
    let key = SigningKey::p256();
    let issuer = FakeIssuer::start(&[key.public("one")]).await;
    issuer.set_status(503);
    let clock = Clock::manual(now());
    let builder =
        TestServer::builder().set("auth.mode", "oauth").set("auth.issuer", issuer.url.clone()).clock(clock.clone());
    let signed = Signed { server: builder.start().await, issuer, key, clock };
    until("it has asked", async || signed.issuer.asked() > 0).await;
    assert_eq!(signed.server.operations("/readyz").await.0, 503);
    assert_eq!(signed.ask(&signed.token(json!({}))).await.0, 503);
    signed.issuer.set_status(200);
    signed.clock.advance(Duration::from_secs(6));
    until("it is ready", async || signed.server.operations("/readyz").await.0 == 200).await;
    signed.accepts(&signed.token(json!({})), "now").await;
    // An issuer under another name lends nobody its keys.
    signed.issuer.set_name("https://evil.example");
    signed.clock.advance(Duration::from_secs(301));
    until("health knows", async || signed.server.operations("/health").await.1.contains("another name")).await;
}

#[tokio::test]
async fn jwt_31_keys_are_rotated_with_an_overlap() {
    let signed = Signed::start().await;
    let new = SigningKey::p256();
    let header = r#"{"alg":"ES256","typ":"at+jwt","kid":"two"}"#;
    signed.issuer.set_keys(&[signed.key.public("one"), new.public("two")]);
    signed.clock.advance(Duration::from_secs(31));
    signed.accepts(&new.token(header, &signed.claims(json!({})).to_string()), "the new one").await;
    signed.accepts(&signed.token(json!({})), "the old one").await;
    signed.issuer.set_keys(&[new.public("two")]);
    let asked = signed.issuer.asked();
    signed.clock.advance(Duration::from_secs(301));
    until("the issuer is asked again", async || signed.issuer.asked() > asked).await;
    until("the old one is forgotten", async || signed.ask(&signed.token(json!({}))).await.0 == 401).await;
    signed.accepts(&new.token(header, &signed.claims(json!({})).to_string()), "the new one").await;
}

#[tokio::test]
async fn jwt_34_tokens_in_addresses_and_bodies_are_none() {
    let signed = Signed::start().await;
    let token = signed.token(json!({}));
    let url = format!("{}?access_token={token}", signed.server.app.endpoint());
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "access_token": token});
    let answer = rpc::send(signed.server.http.post(url).json(&body)).await;
    assert_eq!(answer.status, 401);
    assert!(!answer.headers.get("www-authenticate").unwrap().to_str().unwrap().contains("error="));
}

/// There is no list of revoked tokens: they open until they expire, which is the issuer's choice, and no longer, although
/// they are remembered.
#[tokio::test]
async fn jwt_35_a_revoked_token_opens_no_longer_than_its_time() {
    let signed = Signed::start().await;
    let token = signed.token(json!({"exp": signed.clock.now().as_second() + 10}));
    signed.accepts(&token, "before").await;
    signed.clock.advance(Duration::from_secs(11));
    signed.accepts(&token, "within the leeway it is looked at again").await;
    signed.clock.advance(Duration::from_secs(30));
    signed.refuses(&token, "after").await;
}

/// The issuer withdraws the key under which somebody's tokens were signed.
#[tokio::test]
async fn jwt_39_what_was_remembered_is_over_within_minutes() {
    let signed = Signed::start().await;
    let token = signed.token(json!({"exp": signed.clock.now().as_second() + 3_000}));
    signed.accepts(&token, "before").await;
    signed.issuer.set_keys(&[SigningKey::p256().public("two")]);
    let asked = signed.issuer.asked();
    signed.clock.advance(Duration::from_secs(301));
    until("the issuer is asked again", async || signed.issuer.asked() > asked).await;
    until("it is over", async || signed.ask(&token).await.0 == 401).await;
}

#[tokio::test]
async fn jwt_36_what_is_not_granted_is_refused_with_what_is_missing() {
    let signed = Signed::start().await;
    let reader = signed.token(json!({"scope": "reviews:read openid"}));
    let call =
        |tool: &str, arguments: Value| signed.request("tools/call", json!({"name": tool, "arguments": arguments}));
    let write = call("create_report", json!({"place_ids": [BAKERY], "title": "x"}));
    let answer = rpc::send(write.bearer_auth(&reader)).await;
    assert_eq!(answer.status, 403);
    let challenge = answer.headers.get("www-authenticate").unwrap().to_str().unwrap();
    assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
    assert!(
        challenge.contains("scope=\"reviews:read reports:write\"") && challenge.contains("resource_metadata="),
        "{challenge}"
    );
    assert_eq!(answer.body["code"], "insufficient_scope");
    let read = rpc::send(call("get_place", json!({"place_id": BAKERY})).bearer_auth(&reader)).await;
    assert_eq!((read.status, &read.body["result"]["isError"]), (200, &json!(false)));
    let nothing = signed.token(json!({"scope": null}));
    assert_eq!(rpc::send(call("get_place", json!({"place_id": BAKERY})).bearer_auth(&nothing)).await.status, 403);
    signed.accepts(&nothing, "tools are listed to every known caller").await;
    let listed = signed.token(json!({"scope": null, "scp": ["reviews:read"]}));
    assert_eq!(rpc::send(call("get_place", json!({"place_id": BAKERY})).bearer_auth(&listed)).await.status, 200);
    assert_eq!(signed.server.metric("mcp_auth_failures_total{reason=\"insufficient_scope\"}").await, 2.0);
}

/// Before a body is read, and whatever stands in it.
#[tokio::test]
async fn dsc_01_without_a_credential_every_request_is_challenged() {
    let signed = Signed::start().await;
    let address = signed.server.app.address();
    let host = format!("host: {address}\r\n");
    for request in [
        raw::post(&host, "{not json"),
        raw::post(&host, "[]"),
        raw::post(&host, r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#),
        format!("GET /mcp HTTP/1.1\r\n{host}connection: close\r\n\r\n"),
        format!("DELETE /mcp HTTP/1.1\r\n{host}connection: close\r\n\r\n"),
        // The body never comes.
        format!(
            "POST /mcp HTTP/1.1\r\n{host}content-length: 1000000000\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n"
        ),
    ] {
        let answer = raw::exchange(address, &request).await;
        assert_eq!(raw::status(&answer), 401, "{request}\n{answer}");
        let way = format!(
            "www-authenticate: Bearer resource_metadata=\"http://{address}/.well-known/oauth-protected-resource/mcp\", scope=\"reviews:read reports:write\"\r\n"
        );
        assert!(answer.contains(&way), "{answer}");
    }
    assert_eq!(signed.server.metric("mcp_auth_failures_total{reason=\"missing\"}").await, 6.0);
}

const METADATA: [&str; 2] = ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"];

#[tokio::test]
async fn dsc_02_the_metadata_lies_at_both_paths() {
    let signed = Signed::start().await;
    for path in METADATA {
        let answer = rpc::send(signed.server.http.get(format!("http://{}{path}", signed.server.app.address()))).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body["resource"], signed.server.app.endpoint());
        assert_eq!(answer.body["authorization_servers"], json!([signed.issuer.url]));
        assert_eq!(answer.body["scopes_supported"], json!(["reviews:read", "reports:write"]));
        assert_eq!(answer.body["bearer_methods_supported"], json!(["header"]));
    }
    // Where nobody can sign in, there is none.
    let open = TestServer::start().await;
    assert_eq!(rpc::send(open.http.get(format!("http://{}{}", open.app.address(), METADATA[0]))).await.status, 404);
}

#[tokio::test]
async fn dsc_03_metadata_and_challenge_are_those_of_the_configuration() {
    let signed = Signed::with(|builder| builder.set("server.public_url", "https://reviews.example.com")).await;
    let forge = |request: reqwest::RequestBuilder| {
        request
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "http")
            .header("forwarded", "host=evil.example")
    };
    for path in METADATA {
        let request = signed.server.http.get(format!("http://{}{path}", signed.server.app.address()));
        let answer = rpc::send(forge(request)).await;
        assert_eq!(answer.body["resource"], "https://reviews.example.com/mcp");
        assert!(!answer.body.to_string().contains("evil"), "{}", answer.body);
        let host = "host: evil.example\r\nconnection: close\r\n\r\n";
        let answer = raw::exchange(signed.server.app.address(), &format!("GET {path} HTTP/1.1\r\n{host}")).await;
        assert!(!answer.contains("evil"), "{answer}");
    }
    let answer = rpc::send(forge(signed.request("tools/list", json!({})))).await;
    let challenge = answer.headers.get("www-authenticate").unwrap().to_str().unwrap();
    assert!(
        challenge.contains("\"https://reviews.example.com/.well-known/oauth-protected-resource/mcp\""),
        "{challenge}"
    );
}

#[tokio::test]
async fn dsc_06_only_the_exact_paths() {
    let signed = Signed::start().await;
    let address = signed.server.app.address();
    for path in [
        "/.well-known/oauth-protected-resource/",
        "//.well-known/oauth-protected-resource",
        "/.well-known//oauth-protected-resource",
        "/.Well-Known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/MCP",
        "/%2ewell-known/oauth-protected-resource",
        "/x/../.well-known/oauth-protected-resource",
        "/mcp/",
        "//mcp",
        "/MCP",
        "/mcp/../mcp",
        "/livez/../mcp",
        "/%6dcp",
    ] {
        let answer =
            raw::exchange(address, &format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"))
                .await;
        assert!([400, 401, 404].contains(&raw::status(&answer)), "{path}: {answer}");
        assert!(!answer.contains("authorization_servers"), "{path}");
    }
}

#[tokio::test]
async fn dsc_07_challenges_repeat_nothing_of_the_request() {
    let signed = Signed::start().await;
    let forged = signed.with_header(r#"{"alg":"ES256\", evil=\"x","typ":"at+jwt","kid":"evil\r\nevil: x"}"#);
    let (status, challenge) = signed.ask(&forged).await;
    assert_eq!(status, 401);
    assert!(!challenge.contains("evil"), "{challenge}");
}

#[tokio::test]
async fn dsc_08_pages_of_listed_origins_may_ask_and_others_not() {
    let signed = Signed::with(|builder| builder.set("server.allowed_origins", "http://localhost:6274")).await;
    let preflight = |origin: &'static str| {
        signed
            .server
            .http
            .request("OPTIONS".parse().unwrap(), signed.server.app.endpoint())
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization,content-type,mcp-protocol-version,mcp-method,mcp-name",
            )
            .send()
    };
    let answer = preflight("http://localhost:6274").await.unwrap();
    assert_eq!(answer.status(), 200);
    let header =
        |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    assert_eq!(header("access-control-allow-origin"), "http://localhost:6274");
    assert_eq!(header("access-control-allow-credentials"), "");
    for name in ["authorization", "mcp-protocol-version", "mcp-method", "mcp-name"] {
        assert!(header("access-control-allow-headers").contains(name), "{name}");
    }
    assert_eq!(preflight("http://evil.example").await.unwrap().status(), 403);
    assert_eq!(preflight("null").await.unwrap().status(), 403);
    let asked = rpc::send(signed.request("tools/list", json!({})).header("origin", "http://localhost:6274")).await;
    assert_eq!(asked.status, 401);
    assert_eq!(asked.headers.get("access-control-allow-origin").unwrap(), "http://localhost:6274");
    assert!(asked.headers.get("access-control-expose-headers").unwrap().to_str().unwrap().contains("www-authenticate"));
}

/// The command `key` on a database, beside its server.
fn key_command(database: &Database, arguments: &[&str]) -> Output {
    let variables = database.environment();
    let mut command = program();
    command.arg("key").args(arguments).envs(variables.iter().map(|(name, value)| (name, value)));
    command.env("REVIEWS__AUTH__MODE", "api_key").output().unwrap()
}

/// Calls a tool with a credential in a header.
async fn call_with(endpoint: &str, header: (&str, &str), tool: &str) -> rpc::Answer {
    let params = json!({"name": tool, "arguments": {"place_id": BAKERY}});
    let request = rpc::client()
        .post(endpoint)
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-11-25")
        .header(header.0, header.1)
        .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}));
    rpc::send(request).await
}

/// Keys of programs: made beside a running server, and good for what they are for.
#[tokio::test]
async fn api_keys_open_what_they_are_for() {
    for database in both().await {
        let google = TestServer::start().await;
        let serving = Serving::on(&database, &google.emulator.url(), &[("REVIEWS__AUTH__MODE", "api_key")]);
        let made = key_command(&database, &["add", "night job", "--scope", "reviews:read"]);
        assert!(made.status.success(), "{}", stderr(&made));
        let text = stdout(&made).trim().to_owned();
        let id = text.split('_').nth(1).unwrap().to_owned();
        let bearer = format!("Bearer {text}");
        let call = async |header: (&str, &str), tool: &str| call_with(&serving.endpoint, header, tool).await;
        assert_eq!(call(("authorization", &bearer), "get_place").await.status, 200, "{}", database.name());
        assert_eq!(call(("x-api-key", &text), "get_place").await.status, 200);
        assert_eq!(call(("authorization", &bearer), "create_report").await.status, 403);
        let last = if text.ends_with('A') { 'B' } else { 'A' };
        let other = format!("{}{last}", &text[..text.len() - 1]);
        for wrong in [other.as_str(), &format!("grk_{id}_"), "grk_000000000000_x", "grk_", "grk__"] {
            let answer = call(("x-api-key", wrong), "get_place").await;
            assert_eq!(answer.status, 401, "{wrong}");
            let challenge = answer.headers.get("www-authenticate").unwrap().to_str().unwrap();
            assert!(challenge.starts_with("Bearer realm=\"google-reviews\", "), "{challenge}");
        }
        // Our own commands say what to do.
        for (tool, token, told) in [
            ("get_place", None, "it does not know who calls: give it a key with --token-file"),
            ("create_report", Some(&text), "lacks the permission for this call"),
        ] {
            let mut command = program();
            let arguments = json!({"place_id": BAKERY, "place_ids": [BAKERY], "title": "x"}).to_string();
            command.args(["call", tool, &arguments, "--url", &serving.endpoint]);
            let refused = command.args(token.map(|token| ["--token", token]).into_iter().flatten()).output().unwrap();
            assert!(!refused.status.success() && stderr(&refused).contains(told), "{}", stderr(&refused));
        }
        let listed = stdout(&key_command(&database, &["list"]));
        assert!(listed.contains(&id) && listed.contains("night job") && !listed.contains(&text), "{listed}");
        let hashes = database.texts("SELECT hash FROM api_keys").await;
        assert!(hashes.len() == 1 && !hashes[0].contains(text.splitn(3, '_').nth(2).unwrap()), "{hashes:?}");
        let unknown = key_command(&database, &["add", "x", "--scope", "reviews:all"]);
        assert!(stderr(&unknown).contains("they are reviews:read, reports:write"), "{}", stderr(&unknown));
    }
}

/// A server that has seen a key remembers it for a minute at most; one that has not refuses at once.
#[tokio::test]
async fn api_keys_are_revoked_beside_a_running_server() {
    for database in both().await {
        let clock = Clock::manual(now());
        database.server().start().await.app.stop().await;
        let text = stdout(&key_command(&database, &["add", "x"])).trim().to_owned();
        let id = text.split('_').nth(1).unwrap().to_owned();
        let server = database.server().set("auth.mode", "api_key").clock(clock.clone()).start().await;
        let status = async || call_with(&server.app.endpoint(), ("x-api-key", &text), "get_place").await.status;
        assert_eq!(status().await, 200, "{}", database.name());
        assert!(key_command(&database, &["revoke", &id]).status.success());
        let again = key_command(&database, &["revoke", &id]);
        assert!(!again.status.success() && stderr(&again).contains("there is no key"), "{}", stderr(&again));
        assert!(stdout(&key_command(&database, &["list"])).contains("revoked"));
        clock.advance(Duration::from_mins(1));
        assert_eq!(status().await, 401);
        assert_eq!(server.metric("mcp_auth_failures_total{reason=\"revoked\"}").await, 1.0);
    }
}
