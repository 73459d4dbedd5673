//! The house keeps its order: who may use whom, why each file exists, and how large a file may be.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Every room with those that it may use beside the leaves. A room that is not here fails the test.
pub(crate) const MAY_USE: &[(&str, &[&str])] = &[
    ("resilience", &[]),
    ("redis", &["resilience"]),
    ("store", &["resilience"]),
    ("outbound", &["resilience"]),
    ("cache", &["redis"]),
    ("budget", &["redis", "store"]),
    ("google", &["resilience", "budget"]),
    // `upstream` is the room that lib.rs calls so.
    ("reviews", &["cache", "upstream", "store"]),
    ("idempotency", &["store"]),
    ("mcp", &["idempotency"]),
    ("tools", &["mcp", "reviews"]),
    ("prompts", &["mcp", "reviews"]),
    ("resources", &["mcp", "reviews"]),
    ("jwt", &["outbound"]),
    ("auth", &["store", "jwt"]),
    ("oauth", &["store", "outbound", "jwt"]),
    ("http", &["auth", "oauth", "mcp", "redis"]),
    ("emulator", &[]),
    ("cli", &["app", "mcp", "store", "emulator"]),
];

/// Leaves may use those to their left.
pub(crate) const LEAVES: &[&str] = &["model", "clock", "config", "telemetry", "tasks", "health"];

/// May use all rooms.
const ROOTS: &[&str] = &["app", "lib", "main"];

const FILE_LINES: usize = 300;

#[test]
fn rooms_use_only_the_rooms_that_they_may() {
    let mut violations = Vec::new();
    for file in files(Path::new("src"), "rs") {
        let room = room_of(&file);
        if ROOTS.contains(&room.as_str()) {
            continue;
        }
        let allowed = allowed(&room).unwrap_or_else(|| panic!("{room} is not a room of the house"));
        for used in rooms_named_in(&fs::read_to_string(&file).unwrap()) {
            if used != room && !allowed.contains(&used.as_str()) {
                violations.push(format!("{}: {room} must not use {used}", file.display()));
            }
        }
    }
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn rmcp_appears_only_in_the_room_of_the_protocol() {
    for file in files(Path::new("src"), "rs").into_iter().filter(|file| !file.starts_with("src/mcp")) {
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains("rmcp::"), "{}", file.display());
    }
}

#[test]
fn every_file_says_why_it_exists() {
    for folder in ["src", "tests", "benches"] {
        for file in files(Path::new(folder), "rs") {
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.starts_with("//! "), "{} does not open with a `//!` line", file.display());
        }
    }
}

#[test]
fn files_are_no_longer_than_can_be_read_in_one_go() {
    for file in files(Path::new("src"), "rs") {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().take_while(|line| *line != "#[cfg(test)]").count();
        assert!(lines <= FILE_LINES, "{} has {lines} lines; find the missing concept", file.display());
    }
}

#[test]
fn the_emulator_shares_nothing_with_the_client_of_google() {
    for file in files(Path::new("src/emulator"), "rs") {
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains("google::") && !text.contains("schema-2"), "{}", file.display());
    }
}

/// A target without seeds begins at nothing, and one that is not declared is never run.
#[test]
fn every_fuzz_target_is_built_and_has_seeds_and_words() {
    let manifest = fs::read_to_string("tests/fuzz/Cargo.toml").unwrap();
    let targets = files(Path::new("tests/fuzz/targets"), "rs");
    assert!(!targets.is_empty());
    for target in targets {
        let name = target.file_stem().unwrap().to_string_lossy();
        assert!(manifest.contains(&format!("\nname = \"{name}\"\n")), "{name} is not declared");
        assert!(
            fs::read_dir(format!("tests/fuzz/corpus/{name}")).is_ok_and(|mut seeds| seeds.next().is_some()),
            "{name}"
        );
        assert!(Path::new(&format!("tests/fuzz/dictionaries/{name}.dict")).is_file(), "{name}");
    }
}

/// Every case of the reference list is named once, with its test or with the reason why there is none, and a test that
/// carries a case's id stands in the list.
#[test]
fn the_list_of_cases_agrees_with_the_tests() {
    let list = fs::read_to_string("tests/cases.md").unwrap();
    let tests: String = files(Path::new("tests"), "rs")
        .into_iter()
        .chain(files(Path::new("src"), "rs"))
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    // What needs a container engine is a script, whose checks are functions of the same names.
    let script = fs::read_to_string("tests/containers").unwrap();
    let case = regex::Regex::new(r"(?m)^- ([A-Z]+-[0-9]{2}): (.+)$").unwrap();
    let mut count = 0;
    for found in case.captures_iter(&list) {
        count += 1;
        let (id, state) = (&found[1], &found[2]);
        let prefix = format!("fn {}_", id.to_lowercase().replace('-', "_"));
        if let Some(test) = state.strip_prefix('`').and_then(|state| state.strip_suffix('`')) {
            let is_run = script.contains(&format!("\n{test}() {{")) && script.contains(&format!("\nfn {test}\n"));
            assert!(is_run || tests.contains(&format!("fn {test}(")), "{id}: there is no test {test}");
        } else {
            assert!(state.starts_with("n/a: "), "{id}: {state}");
            let has_test = tests.contains(&prefix) || script.contains(&prefix);
            assert!(!has_test, "{id} has a test that the list does not name");
        }
    }
    assert_eq!(count, 423, "the list names each of the 423 cases once");
}

fn allowed(room: &str) -> Option<Vec<&'static str>> {
    if let Some(position) = LEAVES.iter().position(|leaf| *leaf == room) {
        return Some(LEAVES[..position].to_vec());
    }
    let (_, rooms) = MAY_USE.iter().find(|(name, _)| *name == room)?;
    Some(rooms.iter().chain(LEAVES).copied().collect())
}

/// `src/http/door.rs` and `src/http.rs` are both of the room `http`.
fn room_of(file: &Path) -> String {
    let first = file.components().nth(1).unwrap();
    Path::new(&first).file_stem().unwrap().to_string_lossy().into_owned()
}

/// Rooms in `crate::room` and in `crate::{room, other::{…}}`.
fn rooms_named_in(text: &str) -> Vec<String> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut rooms = Vec::new();
    for (start, _) in code.match_indices("crate::") {
        let rest = &code[start + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => rooms.push(word(rest)),
            Some(list) => rooms.extend(outer_names(list)),
        }
    }
    rooms.retain(|room| !room.is_empty());
    rooms
}

/// The names at the outer level of a `use` list.
fn outer_names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut depth, mut is_start) = (0, true);
    for (position, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => is_start = true,
            _ if depth == 0 && is_start && !character.is_whitespace() => {
                names.push(word(&list[position..]));
                is_start = false;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|character| character.is_ascii_lowercase() || *character == '_').collect()
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() { files(&path, extension) } else { vec![path] }
        })
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    found.sort();
    found
}
