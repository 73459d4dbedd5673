//! Configurations that cannot be meant: each problem is told with what is allowed, all of them at once, and no secret is
//! shown.

use crate::support::binary::{program, stderr, stdout};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{path::Path, process::Output};

/// A secret as it should be.
const KEY: &str = "8c01f2a97be34d650f1a9bc4d2e87351600cfb4a18d97e253bd6409af5e1c872";

fn checked(settings: &[(&str, &str)]) -> Output {
    program().arg("check-config").envs(settings.iter().copied()).output().unwrap()
}

/// All that is told of these settings, line by line.
fn problems(settings: &[(&str, &str)]) -> Vec<String> {
    let output = checked(settings);
    assert_eq!(output.status.code(), Some(1), "{settings:?}: {}", stdout(&output));
    let told = stderr(&output);
    let mut lines = told.lines();
    let problems: Vec<String> =
        lines.by_ref().skip(1).map(|line| line.strip_prefix("  - ").unwrap().to_owned()).collect();
    let head = format!("the configuration has {} problem(s):", problems.len());
    assert_eq!(told.lines().next(), Some(head.as_str()), "{told}");
    problems
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn life_12_each_bad_value_is_told_with_what_is_allowed() {
    for (name, value, told) in [
        (
            "REVIEWS__SERVER__LISTEN",
            "localhost",
            "server.listen: must be an IP address with a port, such as 127.0.0.1:8080",
        ),
        (
            "REVIEWS__SERVER__TOOL_TIMEOUT",
            "soon",
            "server.tool_timeout: is not a duration such as 250ms, 30s, 10m or 0: expected number at 0",
        ),
        ("REVIEWS__SERVER__PUBLIC_URL", "here", "server.public_url: must be an origin such as http://localhost:8080"),
        ("REVIEWS__UPSTREAM__PROVIDER", "bing", "upstream.provider: must be google or demo"),
        ("REVIEWS__LOG__FORMAT", "xml", "log.format: must be auto, json or pretty"),
        (
            "REVIEWS__GOOGLE__DAILY_BUDGET_USD",
            "much",
            "google.daily_budget_usd: invalid type: string \"much\", expected a floating point",
        ),
        ("REVIEWS__SERVER__TOOL_TIMEOUT", "3m", "server.tool_timeout: must be longer than 0 and at most 2m"),
        ("REVIEWS__HEALTH__WATCHDOG", "1s", "health.watchdog: must be 0, or from 3s to 10m"),
        ("REVIEWS__HEALTH__WATCHDOG", "11m", "health.watchdog: must be 0, or from 3s to 10m"),
        ("REVIEWS__GOOGLE__RETRIES", "9", "google.retries: must be at most 2: more would flood an upstream that fails"),
        ("REVIEWS__CACHE__REDIS_URL", "canary", "cache.redis_url: must be an address such as redis://127.0.0.1:6379"),
        ("REVIEWS__STORE__URL", "mysql://canary", "store.url: must begin with sqlite:// or postgres://"),
    ] {
        assert_eq!(problems(&[(name, value)]), [told], "{name}={value}");
    }
    for good in ["0", "3s", "10m"] {
        assert!(checked(&[("REVIEWS__HEALTH__WATCHDOG", good)]).status.success(), "{good}");
    }
}

#[test]
fn life_12_a_name_that_is_no_setting_is_told_and_those_of_others_are_left_alone() {
    let [unknown] = &problems(&[("REVIEWS__LOG__LEVLE", "info")])[..] else { panic!("one problem") };
    assert_eq!(unknown, "log.levle: is not a setting of this program; [log] has format, level, results_until");
    assert_eq!(
        problems(&[("REVIEWS_LOG__LEVEL", "info")]),
        [
            "REVIEWS_LOG__LEVEL: is not a setting of this program; REVIEWS__LOG__LEVEL may be meant, with two underscores"
        ]
    );
    assert_eq!(
        problems(&[("REVIEWS__LOG__LEVEL_FILE", "/dev/null")]),
        ["REVIEWS__LOG__LEVEL_FILE: only secrets are read from files"]
    );
    let others =
        [("REVIEWS_PORT_8080_TCP_ADDR", "10.0.0.1"), ("REVIEWS_SERVICE_HOST", "10.0.0.1"), ("LOG__LEVEL", "x")];
    assert!(checked(&others).status.success());
}

#[test]
fn life_12_a_line_break_at_the_end_of_a_secrets_file_is_no_part_of_the_secret() {
    let folder = tempfile::tempdir().unwrap();
    for (number, end) in ["", "\n", "\r\n", "\n\n"].into_iter().enumerate() {
        let key = written(folder.path(), &format!("key-{number}"), &format!("{KEY}{end}"));
        let google = written(folder.path(), &format!("google-{number}"), &format!("AIza-canary{end}"));
        let output = checked(&[("REVIEWS__SERVER__SECRET_KEY_FILE", &key), ("GOOGLE_MAPS_API_KEY_FILE", &google)]);
        let page = stdout(&output);
        assert!(output.status.success(), "{end:?}: {}", stderr(&output));
        assert!(page.contains("secret_key = \"[REDACTED]\"") && page.contains("api_key = \"[REDACTED]\""), "{page}");
    }
}

#[test]
fn life_12_a_secrets_file_that_is_missing_or_empty_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("nowhere").display().to_string();
    let (empty, blank) = (written(folder.path(), "empty", ""), written(folder.path(), "blank", " \n"));
    let at = folder.path().display().to_string();
    for (path, told) in [
        (&missing, format!("{missing} cannot be read: No such file or directory (os error 2)")),
        (&at, format!("{at} cannot be read: Is a directory (os error 21)")),
        (&empty, format!("{empty} is empty: write the secret into it")),
        (&blank, format!("{blank} is empty: write the secret into it")),
        (&String::new(), "names no file: give the path of one, or leave it out".to_owned()),
    ] {
        for name in ["REVIEWS__SERVER__SECRET_KEY_FILE", "REVIEWS__GOOGLE__API_KEY_FILE", "GOOGLE_MAPS_API_KEY_FILE"] {
            assert_eq!(problems(&[(name, path)]), [format!("{name}: {told}")]);
        }
    }
}

#[test]
fn life_12_secrets_that_anybody_could_guess_are_refused() {
    let form =
        "server.secret_key: must be 32 random bytes, as `openssl rand -hex 32` or `openssl rand -base64 32` gives them";
    let chance = "server.secret_key: must be random, which these bytes are not: anybody could guess them; \
                  `openssl rand -hex 32` makes a new one";
    let folder = tempfile::tempdir().unwrap();
    for (secret, told) in [
        ("changeme".to_owned(), form),
        (KEY[..32].to_owned(), form),
        (format!("{KEY}00"), form),
        (format!("{KEY} "), form),
        ("0".repeat(64), chance),
        ("ab".repeat(32), chance),
        ("deadbeef".repeat(8), chance),
        ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned(), chance),
    ] {
        assert_eq!(problems(&[("REVIEWS__SERVER__SECRET_KEY", &secret)]), [told]);
        let file = written(folder.path(), "key", &secret);
        assert_eq!(problems(&[("REVIEWS__SERVER__SECRET_KEY_FILE", &file)]), [told]);
    }
    assert!(checked(&[("REVIEWS__SERVER__SECRET_KEY", KEY)]).status.success());
}

#[test]
fn tok_14_the_previous_secret_key_follows_the_same_rules_and_is_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let previous = KEY.replace("8c01", "9d12");
    let file = written(folder.path(), "previous", &format!("{previous}\n"));
    for (name, value) in
        [("REVIEWS__SERVER__PREVIOUS_SECRET_KEY", &previous), ("REVIEWS__SERVER__PREVIOUS_SECRET_KEY_FILE", &file)]
    {
        for settings in [vec![(name, value.as_str())], vec![(name, value), ("REVIEWS__SERVER__SECRET_KEY", KEY)]] {
            let output = checked(&settings);
            let page = stdout(&output);
            assert!(output.status.success(), "{settings:?}: {}", stderr(&output));
            assert!(page.contains("previous_secret_key = \"[REDACTED]\"") && !page.contains(&previous), "{page}");
        }
    }
    let told = problems(&[("REVIEWS__SERVER__PREVIOUS_SECRET_KEY", "changeme")]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("server.previous_secret_key: must be 32 random bytes, as "), "{told:?}");
    // The same bytes in the other form are the same key.
    let bytes: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&KEY[2 * at..2 * at + 2], 16).unwrap()).collect();
    for same in [KEY.to_owned(), KEY.to_uppercase(), STANDARD.encode(bytes)] {
        let told = problems(&[("REVIEWS__SERVER__SECRET_KEY", KEY), ("REVIEWS__SERVER__PREVIOUS_SECRET_KEY", &same)]);
        let wanted = "server.previous_secret_key: must be another than server.secret_key: it is the one from before a \
                      change, and empty otherwise";
        assert_eq!(told, [wanted]);
    }
}

/// `serve` says the same as `check-config`, before it opens or makes anything.
#[test]
fn life_12_serve_refuses_with_all_problems_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let output = program()
        .arg("serve")
        .env("REVIEWS__STORE__DATA_DIR", &data)
        .env("REVIEWS__SERVER__SECRET_KEY", "canary")
        .env("REVIEWS__SERVER__LISTNE", "canary")
        .env("REVIEWS__GOOGLE__API_KEY_FILE", "/nowhere/key")
        .env("REVIEWS__UPSTREAM__PROVIDER", "bing")
        .env("REVIEWS__REPORTS__LIFETIME", "1h")
        .env("REVIEWS__GOOGLE__DAILY_BUDGET_USD", "much")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(!told.contains("canary"), "{told}");
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], "error: the configuration has 6 problem(s):");
    let wanted = [
        "  - REVIEWS__GOOGLE__API_KEY_FILE: /nowhere/key cannot be read: No such file or directory (os error 2)",
        "  - server.listne: is not a setting of this program; [server] has ",
        "  - upstream.provider: must be google or demo",
        "  - google.daily_budget_usd: invalid type: string \"much\", expected a floating point",
        "  - server.secret_key: must be 32 random bytes, as ",
        "  - reports.lifetime: must be from 1d to 366d",
    ];
    assert_eq!(lines.len(), 1 + wanted.len(), "{told}");
    for (line, wanted) in lines[1..].iter().zip(wanted) {
        assert!(line.starts_with(wanted), "{line}\nis not\n{wanted}");
    }
    assert!(!data.exists() && output.stdout.is_empty());
}

/// Nobody and everybody must be meant, and nothing that is set does nothing.
#[test]
fn a_login_provider_is_set_with_all_that_it_needs_and_where_it_is_used() {
    let name = |key: &str| format!("REVIEWS__AUTH__LOGIN__{key}");
    let told = |settings: &[(&str, &str)]| {
        let named: Vec<(String, &str)> = settings.iter().map(|(key, value)| (name(key), *value)).collect();
        let named: Vec<(&str, &str)> = named.iter().map(|(key, value)| (key.as_str(), *value)).collect();
        problems(&named)
    };
    let issuer = ("ISSUER", "https://login.example.com");
    let [client, allowed] = &told(&[issuer])[..] else { panic!("two problems") };
    assert_eq!(client, "auth.login.client_id: must be set with auth.login.issuer: the provider gives one");
    assert!(allowed.starts_with("auth.login.allowed: must say who may sign in: addresses, domains, or *"), "{allowed}");
    let unused = "is used with auth.login.issuer only: set that, or leave it empty";
    let idle = [("CLIENT_ID", "x"), ("CLIENT_SECRET", "canary"), ("NAME", "x"), ("ALLOWED", "*")];
    let keys = ["client_id", "client_secret", "name", "allowed"];
    assert_eq!(told(&idle), keys.map(|key| format!("auth.login.{key}: {unused}")));
    let nobody = "auth.login.passwords: must be true without auth.login.issuer: nobody could sign in";
    assert_eq!(told(&[("PASSWORDS", "false")]), [nobody]);
    for bad in ["http://login.example.com", "https://login.example.com?x", "login.example.com"] {
        let [wrong] = &told(&[("ISSUER", bad), idle[0], idle[3]])[..] else { panic!("one problem: {bad}") };
        assert!(wrong.starts_with("auth.login.issuer: must be an https address without query"), "{wrong}");
    }
    for bad in ["@example.com", "*.example.com", "ada@example.com,example.org"] {
        let told = told(&[issuer, idle[0], ("ALLOWED", bad)]);
        assert!(
            told[0].starts_with(&format!("auth.login.allowed: {bad:?} cannot be read: each must be an address")),
            "{told:?}"
        );
    }
    let good = [issuer, idle[0], idle[1], idle[2], ("ALLOWED", "ada@example.com example.org"), ("PASSWORDS", "false")];
    for (elsewhere, value) in
        [("REVIEWS__AUTH__MODE", "api_key"), ("REVIEWS__AUTH__ISSUER", "https://other.example.com")]
    {
        let mut settings: Vec<(String, &str)> = good.iter().map(|(key, value)| (name(key), *value)).collect();
        settings.push((elsewhere.to_owned(), value));
        let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (key.as_str(), *value)).collect();
        let [told] = &problems(&settings)[..] else { panic!("one problem: {elsewhere}") };
        assert!(told.starts_with("auth.login.issuer: is used where people sign in here only"), "{told}");
    }
    let folder = tempfile::tempdir().unwrap();
    let secret = written(folder.path(), "secret", "canary-of-the-file\n");
    let mut settings: Vec<(String, &str)> = good.iter().map(|(key, value)| (name(key), *value)).collect();
    settings[2] = (name("CLIENT_SECRET_FILE"), &secret);
    let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    let output = checked(&settings);
    let page = stdout(&output);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(page.contains("login.client_secret = \"[REDACTED]\"") && !page.contains("canary"), "{page}");
}

/// Whoever sets a token believes that it protects something.
#[test]
fn a_token_of_registration_that_protects_nothing_is_told() {
    let token = "8c01f2a97be34d650f1a9bc4d2e87351600cfb4a18d97e253bd6409af5e1c872";
    let told = "auth.registration_token: is used with auth.registration token only: set that, or leave it empty";
    assert_eq!(problems(&[("REVIEWS__AUTH__REGISTRATION_TOKEN", token)]), [told]);
    let told = "auth.registration_token: must be set with auth.registration token, to at least 32 letters: `openssl rand -hex \
                32` makes one";
    for short in ["", "short"] {
        let settings = [("REVIEWS__AUTH__REGISTRATION", "token"), ("REVIEWS__AUTH__REGISTRATION_TOKEN", short)];
        assert_eq!(problems(&settings), [told], "{short}");
    }
    let good = [("REVIEWS__AUTH__REGISTRATION", "token"), ("REVIEWS__AUTH__REGISTRATION_TOKEN", token)];
    let output = checked(&good);
    assert!(output.status.success() && !stdout(&output).contains(token), "{}", stdout(&output));
}

/// A host that is written otherwise would never be one that is asked for.
#[test]
fn hosts_of_clients_are_names_and_nothing_more() {
    let told = "auth.allowed_client_hosts: must be names of hosts in small letters such as claude.ai, with spaces between \
                them, without https:// and port";
    for wrong in
        ["https://claude.ai", "Claude.ai", "claude.ai:443", "claude.ai/oauth", "*.claude.ai", "127.0.0.1", "claude"]
    {
        let hosts = format!("vscode.dev {wrong}");
        assert_eq!(problems(&[("REVIEWS__AUTH__ALLOWED_CLIENT_HOSTS", hosts.as_str())]), [told], "{wrong}");
    }
    let good =
        [("REVIEWS__AUTH__ALLOWED_CLIENT_HOSTS", "claude.ai vscode.dev"), ("REVIEWS__AUTH__CLIENT_DOCUMENTS", "off")];
    assert!(checked(&good).status.success());
    let told = "auth.client_documents: must be on or off";
    assert_eq!(problems(&[("REVIEWS__AUTH__CLIENT_DOCUMENTS", "maybe")]), [told]);
}
