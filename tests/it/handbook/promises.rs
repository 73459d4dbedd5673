//! The table of `docs/security.md`, from a promise to the test that holds it, is made from `tests/cases.md` and the tests, and
//! held to them.

use super::held;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

#[test]
fn the_table_of_promises_is_that_of_the_tests() {
    held("docs/security.md", "the_table_of_promises", &table_of_cases());
}

/// One table a group, one line a case.
fn table_of_cases() -> String {
    let places = places();
    let mut made = String::new();
    for line in fs::read_to_string("tests/cases.md").unwrap().lines() {
        if let Some(group) = line.strip_prefix("## ") {
            let _ = write!(made, "\n### {group}\n\n| case | what holds | where |\n|---|---|---|\n");
        } else if let Some((id, state)) = line.strip_prefix("- ").and_then(|line| line.split_once(": ")) {
            match state.strip_prefix('`').and_then(|state| state.strip_suffix('`')) {
                Some(test) => {
                    let place = places.get(test).unwrap_or_else(|| panic!("{id}: where is {test}?")).display();
                    let _ = writeln!(made, "| {id} | {} | [`{place}`](../{place}) |", in_words(id, test));
                }
                None => {
                    let _ = writeln!(made, "| {id} | {state} | – |");
                }
            }
        }
    }
    made.push('\n');
    made
}

/// `jwt_01_alg_none_is_refused` is "alg none is refused".
fn in_words(id: &str, test: &str) -> String {
    let prefix = id.to_lowercase().replace('-', "_");
    test.strip_prefix(&format!("{prefix}_")).unwrap_or(test).replace('_', " ")
}

/// In which file each test is.
fn places() -> BTreeMap<String, PathBuf> {
    let mut places = BTreeMap::new();
    let mut folders = vec![PathBuf::from("tests/it"), PathBuf::from("src")];
    let mut files = vec![PathBuf::from("tests/containers")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    let function = regex::Regex::new(r"(?m)^\s*(?:pub )?(?:async )?fn ([a-z0-9_]+)").unwrap();
    for file in files.into_iter().filter(|file| is_code(file)) {
        for found in function.captures_iter(&fs::read_to_string(&file).unwrap()) {
            places.insert(found[1].to_owned(), file.clone());
        }
    }
    places
}

fn is_code(file: &Path) -> bool {
    file.extension().is_none_or(|extension| extension == "rs")
}
