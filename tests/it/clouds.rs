//! What lies in `deploy/` for clouds and for a bare machine is what its readers take, and starts a server that gets ready.

use crate::{
    interop::named,
    kubernetes::judged_by_node,
    support::{
        BAKERY,
        binary::{run, stderr, stdout},
        deployed::{Deployed, Surroundings, Variables},
        postgres::is_root,
        rpc, until,
    },
};
use http::{HeaderMap, HeaderValue};
use regex::Regex;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

const UNIT: &str = "deploy/systemd/google-reviews-mcp.service";
/// What `systemd-analyze security` may say, in tenths: 0 is no exposure, 100 all.
const MOST_EXPOSURE: &str = "15";

/// Runs `tests/deploy/clouds.py`; nothing without its Python.
fn looked_at(command: &str) -> Option<Output> {
    let mut script = Command::new(named("DEPLOY_PYTHON")?);
    Some(script.args(["tests/deploy/clouds.py", command]).env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap())
}

/// The variables of each file.
fn settings() -> Option<BTreeMap<String, Variables>> {
    let output = looked_at("settings")?;
    Some(serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output))))
}

#[test]
fn files_for_clouds_are_what_their_readers_take() {
    let Some(found) = looked_at("check") else { return };
    assert!(found.status.success(), "{}{}", stdout(&found), stderr(&found));
}

#[test]
fn the_actor_is_as_the_schema_of_apify_says() {
    let Some(node) = named("INTEROP_NODE") else { return };
    let actor: Value = serde_json::from_str(&fs::read_to_string("deploy/apify/.actor/actor.json").unwrap()).unwrap();
    let judged = judged_by_node(&node, &json!({ "actor": actor }).to_string().into_bytes());
    assert!(judged.status.success(), "{}{}", stdout(&judged), stderr(&judged));
}

/// Each with its own variables, and no other.
#[tokio::test]
async fn every_file_starts_a_server_that_gets_ready() {
    let Some(settings) = settings() else { return };
    let surroundings = Surroundings::new().await;
    assert_eq!(settings.len(), 6);
    for (name, variables) in settings {
        let server = Deployed::new(variables, &surroundings);
        if name == "docker-mcp" {
            answers_over_standard_input(&server);
            continue;
        }
        let checked = server.command(&["check-config"]).output().unwrap();
        assert!(checked.status.success(), "{name}: {}", stderr(&checked));
        let mut running = server.serve().await;
        // Only SQLite leaves a file.
        let folder = Path::new(&server.variables["REVIEWS__STORE__DATA_DIR"]);
        assert_eq!(folder.join("google-reviews.db").exists(), name == "systemd", "{name}");
        if name == "apify" {
            takes_its_key_beside_that_of_the_platform(&server).await;
        }
        running.signal("-TERM");
        running.signal("-TERM");
        running.child.wait().unwrap();
    }
}

/// Apify wants its own token in the address, and asks at `/` whether the Actor is ready.
async fn takes_its_key_beside_that_of_the_platform(server: &Deployed) {
    let mut headers = HeaderMap::new();
    headers.insert("x-api-key", HeaderValue::from_str(&server.key("actor")).unwrap());
    let call = json!({"name": "get_place", "arguments": {"place_id": BAKERY}});
    let endpoint = format!("{}/mcp?token=apify_api_x", server.origin("LISTEN"));
    let answer = rpc::call_with(&endpoint, call, headers).await.unwrap();
    assert!(answer.data()["place"].is_object(), "{}", answer.0);
    let host = server.variables["REVIEWS__SERVER__PUBLIC_URL"].trim_start_matches("https://").to_owned();
    let probe = rpc::client().get(server.origin("LISTEN")).header("host", host);
    let probe = probe.header("x-apify-container-server-readiness-probe", "1").send().await.unwrap();
    assert_eq!(probe.status(), 200);
}

/// As the gateway of Docker runs it: the variables of the image with its listeners for everybody, and standard input.
fn answers_over_standard_input(server: &Deployed) {
    let mut command = server.command(&["stdio"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "gateway", "version": "1"},
    }});
    writeln!(child.stdin.take().unwrap(), "{hello}").unwrap();
    let output = child.wait_with_output().unwrap();
    let (told, log) = (stdout(&output), stderr(&output));
    let answer: Value = serde_json::from_str(told.trim()).unwrap_or_else(|_| panic!("{told}{log}"));
    assert_eq!(answer["result"]["serverInfo"]["name"], "google-reviews", "{answer}");
}

/// Whatever a file or a page of these names, also where it is only told.
#[test]
fn every_variable_that_is_named_is_a_setting() {
    let known = stdout(&run(&["check-config"]));
    let mut section = "";
    let mut settings = BTreeSet::new();
    for line in known.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if let Some((key, _)) = line.split_once(" = ") {
            settings.insert(format!("{section}.{key}"));
        }
    }
    let variable = Regex::new(r"REVIEWS__[A-Z0-9_]+").unwrap();
    let mut count = 0;
    for file in ["deploy", "docs/self-host"].iter().flat_map(|folder| files(Path::new(folder))) {
        let text = fs::read_to_string(&file).unwrap();
        for found in variable.find_iter(&text) {
            let key = found.as_str().trim_start_matches("REVIEWS__").to_lowercase().replace("__", ".");
            let key = key.strip_suffix("_file").unwrap_or(&key);
            assert!(settings.contains(key), "{}: {} is no setting", file.display(), found.as_str());
            count += 1;
        }
    }
    assert!(count > 50, "{count}");
}

/// All files in a folder and below.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn systemd_analyze(arguments: &[&str]) -> Option<Output> {
    let Ok(output) = Command::new("systemd-analyze").args(arguments).env("SYSTEMD_COLORS", "0").output() else {
        assert!(std::env::var_os("CI").is_none(), "systemd-analyze is missing");
        eprintln!("not run: systemd-analyze is not here, so {UNIT} is not looked at");
        return None;
    };
    Some(output)
}

#[test]
fn the_unit_of_systemd_is_valid_and_leaves_little_exposed() {
    let folder = tempfile::tempdir().unwrap();
    // Its program is not installed here.
    let unit = fs::read_to_string(UNIT).unwrap().replace("/usr/local/bin/google-reviews-mcp", "/bin/true");
    let file = folder.path().join("google-reviews-mcp.service");
    fs::write(&file, unit).unwrap();
    let file = file.to_str().unwrap();
    let Some(verified) = systemd_analyze(&["verify", "--man=no", file]) else { return };
    assert!(verified.status.success() && stderr(&verified).is_empty(), "{}", stderr(&verified));
    let security = ["security", "--offline=true", "--no-pager", "--threshold", MOST_EXPOSURE, file];
    let exposed = systemd_analyze(&security).unwrap();
    assert!(exposed.status.success(), "{}{}", stdout(&exposed), stderr(&exposed));
}

/// What the kernel may be asked for, by the lines of the unit.
fn allowed_calls() -> Option<BTreeSet<String>> {
    let unit = fs::read_to_string(UNIT).unwrap();
    let mut allowed = BTreeSet::new();
    for filter in unit.lines().filter_map(|line| line.strip_prefix("SystemCallFilter=")) {
        let (takes, set) = filter.strip_prefix('~').map_or((false, filter), |set| (true, set));
        for call in calls_of(set)? {
            if takes {
                allowed.remove(&call)
            } else {
                allowed.insert(call)
            };
        }
    }
    Some(allowed)
}

/// The calls of a set, with those of the sets in it.
fn calls_of(set: &str) -> Option<BTreeSet<String>> {
    let output = systemd_analyze(&["syscall-filter", "--no-pager", set])?;
    let mut calls = BTreeSet::new();
    for word in stdout(&output).lines().filter_map(|line| line.strip_prefix("    ")).map(str::trim) {
        match word {
            word if word.starts_with('#') => {}
            word if word.starts_with('@') => calls.extend(calls_of(word)?),
            word => drop(calls.insert(word.to_owned())),
        }
    }
    Some(calls)
}

/// A filter that refuses one of its calls would end the server at the start, or in the middle of something.
#[tokio::test]
async fn the_server_asks_the_kernel_for_nothing_that_its_unit_refuses() {
    let (Some(settings), Some(allowed)) = (settings(), allowed_calls()) else { return };
    assert!(allowed.len() > 200 && !allowed.contains("reboot"), "{}", allowed.len());
    let surroundings = Surroundings::new().await;
    let server = Deployed::new(settings["systemd"].clone(), &surroundings);
    let traced = server.folder.path().join("calls");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o"]).arg(&traced).arg(env!("CARGO_BIN_EXE_google-reviews-mcp")).arg("serve");
    command.env_clear().envs(&server.variables).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("strace: tests/run installs it");
    let ready = format!("{}/readyz", server.origin("LISTEN"));
    until("it is ready", async || rpc::client().get(&ready).send().await.is_ok_and(|answer| answer.status() == 200))
        .await;
    rpc::client().get(server.origin("LISTEN")).send().await.unwrap();
    let text = fs::read_to_string(&traced).unwrap();
    let process = text.split_whitespace().next().unwrap();
    assert!(Command::new("kill").args(["-TERM", process]).status().unwrap().success());
    child.wait().unwrap();
    let call = Regex::new(r"(?m)^\d+ +([a-z0-9_]+)\(").unwrap();
    let text = fs::read_to_string(&traced).unwrap();
    let mut asked: BTreeSet<String> = call.captures_iter(&text).map(|found| found[1].to_owned()).collect();
    if is_root() {
        // SQLite gives its files to the owner of the folder, but only as root, which the unit never is.
        asked.remove("fchown");
    }
    assert!(asked.contains("accept4") && asked.len() > 30, "{asked:?}");
    let refused: Vec<_> = asked.difference(&allowed).collect();
    assert!(refused.is_empty(), "{refused:?}");
}
