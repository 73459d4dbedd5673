//! The page of the house: its rooms are those that the test of the architecture holds.

use super::held;
use crate::architecture::{LEAVES, MAY_USE};
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

const PAGE: &str = "docs/architecture.md";

#[test]
fn the_rooms_are_those_of_the_test_that_holds_them() {
    let mut made = "\n| room | may use, beside the leaves | what it is |\n|---|---|---|\n".to_owned();
    for (room, rooms) in MAY_USE {
        let rooms: Vec<_> = rooms.iter().map(|room| format!("`{room}`")).collect();
        let rooms = if rooms.is_empty() { "–".to_owned() } else { rooms.join(", ") };
        let (path, why) = opening(room);
        let _ = writeln!(made, "| [`{room}`](../{path}) | {rooms} | {why} |");
    }
    let _ = write!(made, "\nThe leaves, each of which may use those before it:\n\n| leaf | what it is |\n|---|---|\n");
    for leaf in LEAVES {
        let (path, why) = opening(leaf);
        let _ = writeln!(made, "| [`{leaf}`](../{path}) | {why} |");
    }
    made.push('\n');
    held(PAGE, "the_rooms", &made);
}

/// The file in which a room begins, and the first sentence of what it says of itself.
fn opening(room: &str) -> (String, String) {
    let paths = [format!("src/{room}/mod.rs"), format!("src/{room}.rs")];
    let path =
        paths.into_iter().find(|path| Path::new(path).is_file()).unwrap_or_else(|| panic!("there is no room {room}"));
    let text = fs::read_to_string(&path).unwrap();
    let head: Vec<_> = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    let head = head.join(" ");
    let sentence = head.split_inclusive(". ").next().unwrap_or_default().trim().trim_end_matches('.');
    // Links of rustdoc lead nowhere here.
    (path, sentence.replace("[`", "`").replace("`]", "`").replace('|', "\\|"))
}

/// All files of a kind in a folder, in their order.
pub(super) fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![PathBuf::from(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
