//! What a release is made of, before there is one: the version that many files name, notes, archives, the entry in the registry
//! of MCP servers, and the workflows.

use crate::{
    interop::named,
    support::{BAKERY, TOOLS, binary::program, free_port, rpc, until},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Every file that `deploy/release.py` reads.
const READ: [&str; 7] = [
    "deploy/release.py",
    "Cargo.toml",
    "Cargo.lock",
    "tests/fuzz/Cargo.lock",
    "CHANGELOG.md",
    "Dockerfile",
    "deploy/server.json",
];

fn release(folder: &Path, arguments: &[&str]) -> Output {
    Command::new("python3").arg(folder.join("deploy/release.py")).args(arguments).output().unwrap()
}

/// What it prints of this repository.
fn printed(arguments: &[&str]) -> String {
    let output = release(Path::new("."), arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_release_is_refused_unless_its_tag_and_every_file_name_one_version() {
    assert_eq!(printed(&["check", &format!("v{VERSION}")]), format!("google-reviews-mcp {VERSION}\n"));
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("tests/fuzz")).unwrap();
    fs::create_dir_all(folder.path().join("deploy")).unwrap();
    for file in READ {
        fs::copy(file, folder.path().join(file)).unwrap();
    }
    assert!(release(folder.path(), &["check"]).status.success(), "a copy is no worse");
    let refused = |arguments: &[&str], why: &str| {
        let output = release(folder.path(), arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && told.contains(why), "{why}: {told}");
    };
    refused(&["check", "v9.9.9"], "the tag is v9.9.9");
    for (file, text, other, why) in [
        (
            "Cargo.lock",
            "google-reviews-mcp\"\nversion = \"",
            "google-reviews-mcp\"\nversion = \"9",
            "Cargo.lock says 9",
        ),
        ("tests/fuzz/Cargo.lock", "-mcp\"\nversion = \"", "-mcp\"\nversion = \"9", "tests/fuzz/Cargo.lock says 9"),
        ("CHANGELOG.md", &format!("## [{VERSION}] - "), "## [9.0.0] - ", "CHANGELOG.md says 9.0.0"),
        ("CHANGELOG.md", &format!("## [{VERSION}] - "), &format!("## [{VERSION}]\n"), "has no day"),
        ("CHANGELOG.md", "\n### Added", "\n## [0.0.1] - 2026-01-01\n\n### Added", "nothing is said of"),
        ("Dockerfile", "ARG VERSION=", "ARG VERSION=9", "Dockerfile says 9"),
        ("deploy/server.json", "\"version\": \"", "\"version\": \"9", "deploy/server.json says 9"),
        ("deploy/server.json", "-mcp:", "-mcp:9", "its image says 9"),
    ] {
        let whole = fs::read_to_string(file).unwrap();
        let changed = whole.replacen(text, other, 1);
        assert_ne!(changed, whole, "{file}: {text}");
        fs::write(folder.path().join(file), changed).unwrap();
        refused(&["check"], why);
        fs::write(folder.path().join(file), whole).unwrap();
    }
}

#[test]
fn the_notes_are_what_the_changelog_says_of_this_version_alone() {
    let notes = printed(&["notes"]);
    let changelog = fs::read_to_string("CHANGELOG.md").unwrap();
    assert!(changelog.contains(notes.trim()) && notes.starts_with("### "), "{notes}");
    assert!(!notes.contains("\n## "), "{notes}");
    for tool in TOOLS.iter().filter(|_| VERSION == "0.1.0") {
        assert!(notes.contains(&format!("`{tool}`")), "{tool}");
    }
}

#[test]
fn an_image_has_a_name_in_small_letters_and_the_tags_of_its_version() {
    let facts = printed(&["facts", "Ada-Lovelace/Reviews"]);
    let (minor, _) = VERSION.rsplit_once('.').unwrap();
    let wanted = format!(
        "version={VERSION}\nimage=ghcr.io/ada-lovelace/google-reviews-mcp\ntags={VERSION} {minor} latest\n\
         name=io.github.Ada-Lovelace/google-reviews-mcp\n"
    );
    assert_eq!(facts, wanted);
}

#[test]
fn an_archive_is_the_same_for_the_same_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("program"), "#!/bin/sh\necho tried\n").unwrap();
    fs::write(path("notices"), "whose it is").unwrap();
    let pack = |to: &str| {
        fs::create_dir(path(to)).unwrap();
        fs::read(printed(&["pack", &path("program"), &path("notices"), "arm64", &path(to)]).trim()).unwrap()
    };
    let first = pack("first");
    assert!(first == pack("second"), "they differ");
    // RFC 1952 §2.3: the time of the making, which is left out.
    assert_eq!(first[4..8], [0; 4]);
    let stem = format!("google-reviews-mcp-{VERSION}-linux-arm64");
    let archive = path(&format!("first/{stem}.tar.gz"));
    let done = Command::new("tar").args(["-xzf", &archive, "-C", &path("")]).status().unwrap();
    assert!(done.success());
    let tried = Command::new(path(&format!("{stem}/google-reviews-mcp"))).output().unwrap();
    assert_eq!(tried.stdout, b"tried\n");
    for document in ["LICENSE-MIT", "LICENSE-APACHE", "NOTICES.txt", "README.md", "CHANGELOG.md", "default.toml"] {
        assert!(Path::new(&path(&format!("{stem}/{document}"))).is_file(), "{document}");
    }
}

/// What is linked into it, and nothing that only builds or tests it.
#[test]
fn the_notices_are_of_what_is_linked_into_the_program() {
    let output = Command::new("deploy/notices.py").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let notices = String::from_utf8(output.stdout).unwrap();
    let named = regex::Regex::new(r"(?m)^([a-z0-9_-]+) (\d+\.\d+\.\d+\S*) \(.+\)$").unwrap();
    let named: BTreeSet<_> = named.captures_iter(&notices).map(|found| found[1].to_owned()).collect();
    for linked in ["tokio", "rmcp", "aws-lc-sys", "libsqlite3-sys", "unicode-script", "matchit"] {
        assert!(named.contains(linked), "{linked}: {named:?}");
    }
    for other in ["criterion", "proptest", "cc", "cmake", "google-reviews-mcp"] {
        assert!(!named.contains(other), "{other}");
    }
    for text in
        ["Permission is hereby granted, free of charge", "Apache License", "AWS Libcrypto", "UNICODE LICENSE V3"]
    {
        assert!(notices.contains(text), "{text}");
    }
}

/// As an owner publishes it.
fn published() -> Value {
    serde_json::from_str(&printed(&["server", "Ada-Lovelace/Reviews"])).unwrap()
}

/// The rules of `https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json` for the parts that are used here,
/// and nothing else is.
fn form_of_an_entry() -> Value {
    let input = |more: Value| {
        let mut properties = json!({
            "description": {"type": "string"},
            "isRequired": {"type": "boolean"},
            "isSecret": {"type": "boolean"},
            "format": {"enum": ["string", "number", "boolean", "filepath"]},
            "value": {"type": "string"},
            "default": {"type": "string"},
        });
        properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"type": "object", "properties": properties, "additionalProperties": false})
    };
    let argument = json!({"anyOf": [
        {"allOf": [input(json!({"type": {"const": "positional"}})), {"required": ["type", "value"]}]},
        {"allOf": [input(json!({"type": {"const": "named"}, "name": {"type": "string"}})), {"required": ["type", "name"]}]},
    ]});
    let variable = json!({"allOf": [input(json!({"name": {"type": "string"}})), {"required": ["name"]}]});
    let stdio = json!({"properties": {"type": {"const": "stdio"}}, "additionalProperties": false});
    let url = json!({"type": "string", "pattern": "^https?://[^\\s]+$"});
    let http = json!({"properties": {"type": {"const": "streamable-http"}, "url": url}, "required": ["type", "url"],
        "additionalProperties": false});
    let package = json!({
        "type": "object", "additionalProperties": false, "required": ["registryType", "identifier", "transport"],
        "properties": {
            "registryType": {"const": "oci"},
            "identifier": {"type": "string", "pattern": "^ghcr\\.io/[a-z0-9-]+/[a-z0-9-]+:[^:]+$"},
            "runtimeHint": {"type": "string"},
            "runtimeArguments": {"type": "array", "items": argument},
            "packageArguments": {"type": "array", "items": argument},
            "environmentVariables": {"type": "array", "items": variable},
            "transport": {"type": "object", "required": ["type"], "anyOf": [stdio, http]},
        },
    });
    json!({
        "type": "object", "additionalProperties": false, "required": ["$schema", "name", "description", "version"],
        "properties": {
            "$schema": {"const": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"},
            "name": {"type": "string", "pattern": "^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$", "minLength": 3, "maxLength": 200},
            "title": {"type": "string", "minLength": 1, "maxLength": 100},
            "description": {"type": "string", "minLength": 1, "maxLength": 100},
            "version": {"const": VERSION},
            "repository": {"type": "object", "required": ["url", "source"], "additionalProperties": false, "properties": {
                "url": {"type": "string", "pattern": "^https://github\\.com/[^/]+/[^/]+$"}, "source": {"const": "github"}}},
            "packages": {"type": "array", "items": package, "minItems": 1},
        },
    })
}

#[test]
fn the_entry_in_the_registry_has_its_form_and_an_owner_alone_is_set() {
    let entry = published();
    let form = jsonschema::validator_for(&form_of_an_entry()).unwrap();
    let faults: Vec<_> = form.iter_errors(&entry).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert_eq!(faults, Vec::<String>::new());
    assert!(!entry.to_string().contains("OWNER"), "{entry}");
    assert_eq!(entry["name"], "io.github.Ada-Lovelace/google-reviews-mcp");
    assert_eq!(entry["repository"]["url"], "https://github.com/Ada-Lovelace/Reviews");
    for package in entry["packages"].as_array().unwrap() {
        assert_eq!(package["identifier"], format!("ghcr.io/ada-lovelace/google-reviews-mcp:{VERSION}"));
    }
}

/// The package of this transport, as a client starts it: the program with its arguments, and in its environment what the image
/// has, what the entry fixes or proposes, and no Google key, which the person gives.
fn started(transport: &str) -> (Command, Value, tempfile::TempDir) {
    let entry = published();
    let packages = entry["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["transport"]["type"] == transport).unwrap().clone();
    let folder = tempfile::tempdir().unwrap();
    let mut command = program();
    for argument in package["packageArguments"].as_array().unwrap() {
        command.arg(argument["value"].as_str().unwrap());
    }
    for variable in package["environmentVariables"].as_array().unwrap() {
        if let Some(value) = variable["value"].as_str().or(variable["default"].as_str()) {
            command.env(variable["name"].as_str().unwrap(), value);
        }
    }
    // In place of the volume, and of Google.
    assert_eq!(package["runtimeArguments"][0]["value"], "google-reviews-mcp:/data");
    command.env("REVIEWS__STORE__DATA_DIR", folder.path()).env("REVIEWS__UPSTREAM__PROVIDER", "demo");
    (command, package, folder)
}

/// Ended when it is dropped, also by a test that fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_entry_starts_a_server_over_standard_input_and_output() {
    let (mut command, _, _folder) = started("stdio");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let ask = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params":
        {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
    writeln!(child.stdin.take().unwrap(), "{ask}").unwrap();
    let output = child.wait_with_output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["result"]["serverInfo"]["version"], VERSION);
}

#[tokio::test]
async fn the_entry_starts_a_server_that_this_machine_alone_reaches() {
    let (mut command, package, _folder) = started("streamable-http");
    assert_eq!(package["runtimeArguments"][1]["value"], "127.0.0.1:8080:8080");
    // Its port may be taken here.
    let port = free_port().to_string();
    let here = |text: &Value| text.as_str().unwrap().replace("8080", &port);
    let public = package["environmentVariables"].as_array().unwrap();
    let public = public.iter().find(|each| each["name"] == "REVIEWS__SERVER__PUBLIC_URL").unwrap();
    command.env("REVIEWS__SERVER__PUBLIC_URL", here(&public["value"]));
    // As the image has it.
    command.env("REVIEWS__SERVER__LISTEN", format!("0.0.0.0:{port}"));
    command.env("REVIEWS__SERVER__OPERATIONS_LISTEN", "127.0.0.1:0");
    let _running = Running(command.stderr(Stdio::null()).spawn().unwrap());
    let endpoint = here(&package["transport"]["url"]);
    until("it answers", async || rpc::call(&endpoint, "get_place", json!({"place_id": BAKERY})).await.is_ok()).await;
    let answer = rpc::call(&endpoint, "get_place", json!({"place_id": BAKERY})).await.unwrap().data();
    assert_eq!(answer["data_source"], "synthetic");
}

#[test]
fn workflows_and_scripts_are_free_of_known_faults() {
    let Some(python) = named("DEPLOY_PYTHON") else { return };
    let output = Command::new(python).arg("tests/deploy/workflows.py").output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
}
