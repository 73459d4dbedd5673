//! The binary as its users run it: every command, what it prints, and its exit code.

use crate::support::{
    BAKERY, TOOLS, TestServer,
    binary::{Serving, program, run, stderr, stdout},
};
use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader},
    process::{Output, Stdio},
    time::Duration,
};

#[test]
fn the_demo_prints_a_first_answer() {
    let output = run(&["demo", "--once", "--port", "0"]);

    let text = stdout(&output);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(text.contains("The Moonlit Bakery") && text.contains("★★★★★"), "{text}");
    assert!(
        text.contains("from 1,312 ratings") && text.contains("out of 1,312 ratings"),
        "one number, one form: {text}"
    );
    assert!(text.contains("synthetic") && text.contains("Synthetic demo data"));
    assert_eq!(stderr(&output), "");
}

#[test]
fn the_demo_names_the_port_that_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = run(&["demo", "--once", "--port", &port]);
    assert!(!output.status.success());
    assert!(stderr(&output).contains(&format!("port {port}; choose another with --port N")), "{}", stderr(&output));
}

#[test]
fn the_demo_says_how_to_connect_and_stays() {
    let mut child = program().args(["demo", "--port", "0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut page = String::new();
    for line in lines.by_ref() {
        page.push_str(&line);
        page.push('\n');
        if line.contains("Ctrl-C") {
            break;
        }
    }
    let endpoint = page.split_whitespace().find(|word| word.ends_with("/mcp")).unwrap().to_owned();
    let called = run(&["call", "get_place", &format!(r#"{{"place_id":"{BAKERY}"}}"#), "--url", &endpoint]);
    child.kill().unwrap();
    child.wait().unwrap();

    assert!(page.contains("claude mcp add --transport http google-reviews http://127.0.0.1:"), "{page}");
    assert!(page.contains("cursor://anysphere.cursor-deeplink/mcp/install?name=google-reviews&config="));
    assert!(stdout(&called).contains("The Moonlit Bakery"), "{}", stderr(&called));
}

#[tokio::test]
async fn call_makes_one_call_and_its_exit_code_tells() {
    let server = TestServer::start().await;
    let endpoint = server.app.endpoint();
    let call = async |arguments: &[&str]| {
        let arguments: Vec<String> = arguments
            .iter()
            .map(|argument| (*argument).to_owned())
            .chain(["--url".to_owned(), endpoint.clone()])
            .collect();
        let run = move || program().arg("call").args(&arguments).output().unwrap();
        tokio::task::spawn_blocking(run).await.unwrap()
    };

    let text = call(&["search_places", r#"{"query":"bakery"}"#]).await;
    assert!(text.status.success() && stdout(&text).contains("The Moonlit Bakery"), "{}", stderr(&text));
    let json = call(&["search_places", r#"{"query":"bakery"}"#, "--json"]).await;
    let result: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(result["structuredContent"]["data_source"], "synthetic");
    let failed = call(&["get_place", r#"{"place_id":"x"}"#]).await;
    assert!(!failed.status.success() && stderr(&failed).contains("`place_id`"), "{}", stderr(&failed));
    let unknown = call(&["no_such_tool"]).await;
    assert!(stderr(&unknown).contains("no such tool"), "{}", stderr(&unknown));
    let garbled = call(&["get_place", "{"]).await;
    assert!(stderr(&garbled).contains("not a JSON object"), "{}", stderr(&garbled));
}

#[test]
fn tools_prints_all_definitions() {
    let tools: Value = serde_json::from_slice(&run(&["tools"]).stdout).unwrap();
    let names: Vec<_> = tools.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, TOOLS);
    assert!(tools[0]["inputSchema"]["properties"]["query"]["maxLength"].is_u64());
}

#[test]
fn the_effective_configuration_is_printed_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let (file, secret) = (folder.path().join("server.toml"), folder.path().join("key"));
    std::fs::write(&file, "[server]\nlisten = \"127.0.0.1:7000\"\ntool_timeout = \"5s\"\n").unwrap();
    std::fs::write(&secret, "AIza-very-secret\n").unwrap();

    let output = program()
        .args(["check-config", "--config"])
        .arg(&file)
        .env("REVIEWS__SERVER__LISTEN", "127.0.0.1:7001")
        .env("REVIEWS__GOOGLE__API_KEY_FILE", &secret)
        .output()
        .unwrap();

    let text = stdout(&output);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(text.contains("listen = \"127.0.0.1:7001\"") && text.contains("tool_timeout = \"5s\""), "{text}");
    assert!(text.contains("api_key = \"[REDACTED]\"") && !text.contains("AIza"), "{text}");
    assert!(stderr(&output).contains("restrict the Google key"), "{}", stderr(&output));
    // What is printed is itself a configuration.
    let copy = folder.path().join("copy.toml");
    std::fs::write(&copy, text.replace("[REDACTED]", "x")).unwrap();
    assert!(program().args(["check-config", "--config"]).arg(&copy).output().unwrap().status.success());
}

#[test]
fn every_problem_of_a_configuration_is_told_at_once() {
    let output = program()
        .args(["check-config"])
        .env("REVIEWS__AUTH__MODE", "none")
        .env("REVIEWS__SERVER__LISTEN", "0.0.0.0:8080")
        .env("REVIEWS__SERVER__LISTNE", "127.0.0.1:1")
        .env("REVIEWS__SERVER__TOOL_TIMEOUT", "soon")
        .env("REVIEWS__SERVER__PUBLIC_URL", "https://reviews.example.com")
        .env("REVIEWS__GOOGLE__PLACES_URL", "http://places.example.com")
        .env("REVIEWS__GOOGLE__TOTAL_TIMEOUT", "0")
        .env("REVIEWS__GOOGLE__API_KEY_FILE", "/nowhere/key")
        .env("REVIEWS__UPSTREAM__PROVIDER", "bing")
        .env("REVIEWS__LOG__LEVEL", "=====")
        .env("REVIEWS__NONSENSE__KEY", "1")
        .output()
        .unwrap();

    assert_eq!(output.status.code(), Some(1));
    let problems = stderr(&output);
    for part in [
        "server.listen: must be a loopback address",
        "server.listne: is not a setting of this program; [server] has",
        "server.tool_timeout: is not a duration such as 250ms",
        "has 10 problem(s)",
        "server.public_url: must name a loopback host",
        "google.places_url: must be https",
        "google.total_timeout: must be longer than 0",
        "REVIEWS__GOOGLE__API_KEY_FILE: /nowhere/key cannot be read",
        "upstream.provider: ",
        "log.level: must be error, warn",
        "nonsense.key: is not a setting of this program",
    ] {
        assert!(problems.contains(part), "{part} is not in\n{problems}");
    }
}

#[test]
fn the_name_that_other_programs_use_for_the_key_is_taken_unless_ours_is_set() {
    let effective = |settings: &[(&str, &str)]| {
        stdout(&program().args(["check-config"]).envs(settings.iter().copied()).output().unwrap())
    };
    assert!(effective(&[]).contains("api_key = \"\""));
    assert!(effective(&[("GOOGLE_MAPS_API_KEY", "k")]).contains("api_key = \"[REDACTED]\""));
    let both = [("GOOGLE_MAPS_API_KEY", "demo-key-expired"), ("REVIEWS__GOOGLE__API_KEY", "")];
    assert!(effective(&both).contains("api_key = \"\""));
}

/// Without sign-in, whoever reaches the listener could spend the operator's money.
#[test]
fn dep_04_serve_refuses_a_listener_that_is_not_loopback() {
    for (key, value) in [("REVIEWS__SERVER__LISTEN", "0.0.0.0:0"), ("REVIEWS__SERVER__OPERATIONS_LISTEN", "[::]:0")] {
        let output = program().args(["serve"]).env("REVIEWS__AUTH__MODE", "none").env(key, value).output().unwrap();
        assert!(!output.status.success());
        assert!(stderr(&output).contains("must be a loopback address"), "{}", stderr(&output));
    }
}

/// A container must listen on all its addresses; that its port is published on loopback alone is said by hand, and does not
/// open a server that strangers reach.
#[test]
fn dep_03_a_server_that_others_reach_knows_its_callers_or_says_that_it_is_alone() {
    let all = [("REVIEWS__SERVER__LISTEN", "0.0.0.0:8080"), ("REVIEWS__SERVER__OPERATIONS_LISTEN", "0.0.0.0:9090")];
    let (none, alone) = (("REVIEWS__AUTH__MODE", "none"), ("REVIEWS__AUTH__NONE_IS_PUBLISHED_ON_LOOPBACK", "true"));
    let at = |url: &'static str| ("REVIEWS__SERVER__PUBLIC_URL", url);
    for (settings, refused) in [
        (vec![none], Some("server.listen: must be a loopback address")),
        (vec![none, alone], None),
        (vec![none, alone, at("http://localhost:8080")], None),
        (
            vec![none, alone, at("https://reviews.example.com")],
            Some("must name a loopback host while auth.mode is none"),
        ),
        (vec![], Some("server.public_url: must be set when server.listen is not loopback")),
        (vec![at("http://reviews.example.com")], Some("server.public_url: must be https")),
        (vec![at("https://reviews.example.com")], None),
    ] {
        let output = program().arg("check-config").envs(all).envs(settings.iter().copied()).output().unwrap();
        let told = stdout(&output) + &stderr(&output);
        assert_eq!(output.status.success(), refused.is_none(), "{settings:?}: {told}");
        assert!(refused.is_none_or(|refused| told.contains(refused)), "{settings:?}: {told}");
    }
}

/// Whoever finds a server on the internet would take what it says for true.
#[test]
fn invented_places_are_not_served_to_strangers() {
    for (url, is_refused) in [
        ("https://reviews.example.com", true),
        ("https://localhost", false),
        ("http://127.0.0.1:8080", false),
        ("", false),
    ] {
        let mut command = program();
        command.env("REVIEWS__UPSTREAM__PROVIDER", "demo").env("REVIEWS__SERVER__PUBLIC_URL", url);
        let output = command.arg("check-config").output().unwrap();
        let told = stdout(&output) + &stderr(&output);
        assert_eq!(output.status.success(), !is_refused, "{url}: {told}");
        assert_eq!(told.contains("upstream.provider: must be google while"), is_refused, "{url}: {told}");
    }
}

#[test]
fn life_13_a_port_in_use_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let mut command = program();
    command.env("REVIEWS__SERVER__LISTEN", &address).env("REVIEWS__STORE__DATA_DIR", folder.path());
    let output = command.arg("serve").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&format!("cannot listen on {address} (server.listen)")), "{}", stderr(&output));
}

#[test]
fn a_server_without_a_key_starts_and_says_so() {
    let serving = Serving::start(&[]);
    assert_eq!(serving.start.matches("GOOGLE_MAPS_API_KEY").count(), 1, "{}", serving.start);
    let arguments = format!(r#"{{"place_id":"{BAKERY}"}}"#);
    let called = run(&["call", "get_place", &arguments, "--url", &serving.endpoint]);
    assert!(stderr(&called).contains("GOOGLE_MAPS_API_KEY"), "{}", stderr(&called));
}

/// What a person can act on, not the types of a library.
#[test]
fn a_call_to_nobody_says_why_there_is_no_connection() {
    for (url, cause) in [("http://127.0.0.1:1/mcp", "Connection refused"), ("nonsense", "relative URL without a base")]
    {
        let called = run(&["call", "get_place", "--url", url]);
        assert_eq!(called.status.code(), Some(1));
        let said = stderr(&called);
        assert!(said.starts_with(&format!("error: cannot connect to {url}: {cause}")), "{said}");
        assert!(said.lines().count() == 1 && !said.contains("rmcp"), "{said}");
    }
}

#[test]
fn healthcheck_tells_by_its_exit_code() {
    let serving = Serving::start(&[]);
    let address = serving.endpoint.trim_start_matches("http://").trim_end_matches("/mcp").to_owned();
    let check =
        |address: &str| program().args(["healthcheck"]).env("REVIEWS__SERVER__LISTEN", address).output().unwrap();

    assert!(check(&address).status.success());
    drop(serving);
    let gone = check(&address);
    assert!(!gone.status.success());
    assert!(stderr(&gone).contains("nothing answers at"), "{}", stderr(&gone));
}

#[test]
fn life_01_an_idle_server_stops_at_once_when_asked() {
    for signal in ["-TERM", "-INT"] {
        let mut serving = Serving::start(&[]);
        serving.signal(signal);
        let asked = std::time::Instant::now();
        let status = serving.child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{signal}");
        assert!(asked.elapsed() < Duration::from_secs(20), "long before the end of the time to drain");
    }
}

/// A server with a call under way for which Google takes `milliseconds`, stopped: what the call printed, the rest of
/// the log, and whether the server ended well.
async fn stop_during_a_call(milliseconds: u64, settings: &[(&str, &str)]) -> (Output, String, bool) {
    let upstream = TestServer::start().await;
    let google = upstream.emulator.url();
    let google = [("REVIEWS__GOOGLE__PLACES_URL", google.as_str()), ("REVIEWS__GOOGLE__API_KEY", "demo-key")];
    let serving = Serving::start(&[&google, settings].concat());
    upstream.fault(serde_json::json!({"kind": "latency", "milliseconds": milliseconds})).await;
    let endpoint = serving.endpoint.clone();
    let arguments = format!(r#"{{"place_id":"{BAKERY}"}}"#);
    let call = tokio::task::spawn_blocking(move || run(&["call", "get_place", &arguments, "--url", &endpoint]));
    while upstream.upstream_requests().await.is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (log, ended_well) = tokio::task::spawn_blocking(|| serving.stop()).await.unwrap();
    (call.await.unwrap(), log, ended_well)
}

#[tokio::test]
async fn calls_under_way_finish_before_the_server_stops() {
    let (called, log, ended_well) = stop_during_a_call(800, &[]).await;

    assert!(called.status.success(), "{}\n{log}", stderr(&called));
    assert!(ended_well, "{log}");
}

/// A call that takes longer than the time to drain is cut off, and the exit code says so.
#[tokio::test]
async fn a_stop_that_cuts_calls_off_is_told() {
    let (called, log, ended_well) = stop_during_a_call(60_000, &[("REVIEWS__SERVER__DRAIN_TIMEOUT", "100ms")]).await;

    assert!(!ended_well && log.contains("cut off"), "{log}");
    assert!(!called.status.success());
}

/// A proxy in the environment is not asked for what is on this machine.
#[test]
fn the_demo_does_not_look_for_itself_behind_a_proxy() {
    let proxy = [
        ("http_proxy", "http://127.0.0.1:1"),
        ("HTTP_PROXY", "http://127.0.0.1:1"),
        ("ALL_PROXY", "http://127.0.0.1:1"),
    ];
    let output = program().args(["demo", "--once", "--port", "0"]).envs(proxy).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}

/// What is mistyped may be a secret.
#[test]
fn values_of_keys_that_do_not_exist_are_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.toml");
    std::fs::write(&file, "[google]\napi_key = \"AIza-very-secret\n").unwrap();
    let garbled = program().args(["check-config", "--config"]).arg(&file).output().unwrap();
    let mistyped =
        program().args(["check-config"]).env("REVIEWS__GOOGLE__APIKEY", "AIza-very-secret").output().unwrap();
    let spaced = program().args(["check-config"]).env("GOOGLE_MAPS_API_KEY", "AIza very\nsecret").output().unwrap();
    for output in [&garbled, &mistyped, &spaced] {
        assert!(!output.status.success());
        let page = stdout(output) + &stderr(output);
        assert!(!page.contains("AIza"), "{page}");
    }
    assert!(stderr(&garbled).contains("line 2"), "{}", stderr(&garbled));
    assert!(stderr(&mistyped).contains("google.apikey: is not a setting"), "{}", stderr(&mistyped));
    assert!(stderr(&spaced).contains("google.api_key: has spaces"), "{}", stderr(&spaced));
}

/// One line a call, with what an operator needs; never results, never free text.
#[tokio::test]
async fn leak_08_calls_are_logged_without_results_and_without_free_text() {
    let upstream = TestServer::start().await;
    let serving = Serving::start(&[
        ("REVIEWS__GOOGLE__PLACES_URL", upstream.emulator.url().as_str()),
        ("REVIEWS__GOOGLE__API_KEY", "demo-key-suspended"),
        ("REVIEWS__LOG__LEVEL", "trace"),
    ]);
    let endpoint = serving.endpoint.clone();
    let failing = Serving::start(&[
        ("REVIEWS__GOOGLE__PLACES_URL", upstream.emulator.url().as_str()),
        ("REVIEWS__GOOGLE__API_KEY", "demo-key"),
        ("REVIEWS__LOG__LEVEL", "trace"),
    ]);
    let good = failing.endpoint.clone();
    let work = move || {
        let arguments = format!(r#"{{"place_id":"{BAKERY}","limit":2,"language":"de"}}"#);
        run(&["call", "get_reviews", &arguments, "--url", &good]);
        run(&["call", "search_places", r#"{"query":"secret words of a user bakery"}"#, "--url", &good]);
        run(&["call", "get_place", r#"{"place_id":"free text, not an id"}"#, "--url", &good]);
        run(&["call", "get_reviews", &arguments, "--url", &endpoint]);
        run(&["call", "free text as a tool", "{}", "--url", &good]);
        let (log, other) = (failing.stop().0, serving.stop().0);
        (log, other)
    };
    let (log, other) = tokio::task::spawn_blocking(work).await.unwrap();

    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let calls: Vec<_> = lines.iter().filter(|line| line["message"] == "tool call").collect();
    assert_eq!(calls.len(), 3, "{log}");
    assert_eq!(calls[0]["place_id"], BAKERY);
    assert_eq!((&calls[0]["language"], &calls[0]["limit"]), (&Value::from("de"), &Value::from(2)));
    assert_eq!(calls[0]["outcome"], "ok");
    assert_eq!(calls[0]["tool"], "get_reviews");
    assert_eq!(calls[0]["request_id"].as_str().unwrap().len(), 32);
    assert!(calls[0]["duration_ms"].is_f64());
    assert_eq!((&calls[0]["cache_misses"], &calls[0]["upstream_calls"]), (&Value::from(1), &Value::from(1)));
    assert_eq!((&calls[0]["cost_usd"], &calls[0]["client"]), (&Value::from(0.025), &Value::from("google-reviews-mcp")));
    assert_eq!(calls[0]["principal"].as_str().unwrap().len(), 12, "a hash");
    assert_eq!(calls[1]["text_length"], 29);
    assert_eq!(calls[2]["error_code"], "invalid_argument");
    for page in [&log, &other] {
        for secret in ["secret words", "cinnamon", "Zimtschnecke", "free text", "demo-key", "Maggie"] {
            assert!(!page.contains(secret), "{secret} is in\n{page}");
        }
    }
}

#[test]
fn the_emulator_serves_alone_and_listens_on_this_machine_only() {
    let mut child = program().args(["emulator", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().rsplit(' ').next().unwrap().to_owned();
    let serving = Serving::start(&[("REVIEWS__GOOGLE__PLACES_URL", &url), ("GOOGLE_MAPS_API_KEY", "demo-key")]);
    let called = run(&["call", "search_places", r#"{"query":"bakery"}"#, "--url", &serving.endpoint]);
    child.kill().unwrap();
    child.wait().unwrap();

    assert!(stdout(&called).contains("The Moonlit Bakery"), "{}", stderr(&called));
    assert!(serving.operations.starts_with("http://127.0.0.1:"));
    let public = run(&["emulator", "--listen", "0.0.0.0:0"]);
    assert!(!public.status.success() && stderr(&public).contains("loopback"), "{}", stderr(&public));
}

/// Near the limit the operator is warned, once a day.
#[tokio::test]
async fn most_of_the_budget_spent_is_logged_once() {
    let upstream = TestServer::start().await;
    let serving = Serving::start(&[
        ("REVIEWS__GOOGLE__PLACES_URL", upstream.emulator.url().as_str()),
        ("REVIEWS__GOOGLE__API_KEY", "demo-key"),
        ("REVIEWS__GOOGLE__DAILY_CALLS", "5"),
        ("REVIEWS__CACHE__PLACES_CONTENT_TTL", "0"),
    ]);
    let endpoint = serving.endpoint.clone();
    let work = move || {
        for _ in 0..7 {
            run(&["call", "search_places", r#"{"query":"bakery"}"#, "--url", &endpoint]);
        }
        serving.stop().0
    };
    let log = tokio::task::spawn_blocking(work).await.unwrap();
    assert_eq!(log.matches("most of today's budget").count(), 1, "{log}");
    assert_eq!(log.matches("budget_exhausted").count(), 2, "{log}");
}

#[tokio::test]
async fn up_17_proxies_in_the_environment_are_used_only_when_asked_for() {
    let upstream = TestServer::start().await;
    let url = upstream.emulator.url();
    let outcome = async |wanted: &'static str| {
        let serving = Serving::start(&[
            ("REVIEWS__GOOGLE__PLACES_URL", url.as_str()),
            ("REVIEWS__GOOGLE__API_KEY", "demo-key"),
            ("REVIEWS__GOOGLE__USE_SYSTEM_PROXY", wanted),
            ("REVIEWS__GOOGLE__RETRIES", "0"),
            ("http_proxy", "http://127.0.0.1:1"),
        ]);
        let endpoint = serving.endpoint.clone();
        let work = move || {
            let output = run(&["call", "search_places", r#"{"query":"bakery"}"#, "--url", &endpoint]);
            drop(serving);
            output.status.success()
        };
        tokio::task::spawn_blocking(work).await.unwrap()
    };
    assert!(outcome("false").await, "by default none is used");
    assert!(!outcome("true").await, "there is no proxy at that port");
}
