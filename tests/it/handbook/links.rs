//! Every link of every page leads somewhere.

use super::markdown::{Page, pages};
use std::{
    collections::HashMap,
    path::{Component, Path, PathBuf},
};

#[test]
fn links_of_pages_lead_to_files_and_headings_that_are_there() {
    let pages = pages();
    let anchors: HashMap<_, _> = pages.iter().map(|page| (page.path.clone(), page.anchors())).collect();
    let (mut broken, mut count) = (Vec::new(), 0);
    for page in &pages {
        for (line, target) in page.links() {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            count += 1;
            let (path, anchor) =
                target.split_once('#').map_or((target.as_str(), None), |(path, anchor)| (path, Some(anchor)));
            let file = if path.is_empty() { page.path.clone() } else { from(page, path) };
            if !file.exists() {
                broken.push(format!("{}: there is no {}", page.at(line), file.display()));
            } else if let (Some(anchor), Some(known)) = (anchor, anchors.get(&file))
                && !known.contains(anchor)
            {
                broken.push(format!("{}: {} has no heading for #{anchor}", page.at(line), file.display()));
            }
        }
    }
    assert!(count > 50, "the links are not found: {count}");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// A path in a link, from the root of the repository; one that begins with `/` is from there.
fn from(page: &Page, path: &str) -> PathBuf {
    let base = if path.starts_with('/') { Path::new("") } else { page.path.parent().unwrap() };
    let mut found = PathBuf::new();
    for part in base.join(path.trim_start_matches('/')).components() {
        match part {
            // Outside of the repository nothing is there for everybody.
            Component::ParentDir => assert!(found.pop(), "{}: {path} leads out", page.path.display()),
            Component::CurDir => {}
            part => found.push(part),
        }
    }
    found
}
