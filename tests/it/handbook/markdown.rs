//! As much of Markdown as the pages use: headings with the anchors that GitHub gives them, links, and code.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

/// A page of this repository.
pub(super) struct Page {
    /// From the root of the repository.
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// A piece of code, with the number of its first line.
pub(super) struct Code {
    pub(super) line: usize,
    /// The language of a block; nothing for code within a line.
    pub(super) language: Option<String>,
    pub(super) text: String,
}

/// All pages.
pub(super) fn pages() -> Vec<Page> {
    let mut found = vec![PathBuf::from("README.md"), PathBuf::from("CHANGELOG.md")];
    for folder in ["docs", "deploy", ".github"] {
        walk(Path::new(folder), &mut found);
    }
    found.sort();
    found.into_iter().filter(|path| path.exists()).map(Page::read).collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

impl Page {
    pub(super) fn read(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path, text }
    }

    /// For messages.
    pub(super) fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }

    /// The lines outside of blocks of code, numbered from 1.
    pub(super) fn prose(&self) -> Vec<(usize, &str)> {
        let mut fence = None;
        let mut lines = Vec::new();
        for (number, line) in self.text.lines().enumerate() {
            match (fence, fence_of(line)) {
                (None, Some((marks, _))) => fence = Some(marks),
                (Some(open), Some((marks, ""))) if marks >= open => fence = None,
                (None, None) => lines.push((number + 1, line)),
                _ => {}
            }
        }
        lines
    }

    /// All code: blocks, and what stands in backticks.
    pub(super) fn code(&self) -> Vec<Code> {
        let mut found = self.blocks();
        let inline = regex::Regex::new("`([^`]+)`").unwrap();
        for (line, text) in self.prose() {
            found.extend(inline.captures_iter(text).map(|code| Code {
                line,
                language: None,
                text: code[1].to_owned(),
            }));
        }
        found
    }

    /// The blocks of code, in their order.
    pub(super) fn blocks(&self) -> Vec<Code> {
        let mut found = Vec::new();
        let mut open: Option<(usize, Code)> = None;
        for (number, line) in self.text.lines().enumerate() {
            match (&mut open, fence_of(line)) {
                (None, Some((marks, language))) => {
                    let code = Code { line: number + 2, language: Some(language.to_owned()), text: String::new() };
                    open = Some((marks, code));
                }
                (Some((marks, _)), Some((closing, ""))) if closing >= *marks => {
                    found.extend(open.take().map(|(_, code)| code));
                }
                (Some((_, code)), _) => {
                    code.text.push_str(line);
                    code.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a block of code has no end", self.path.display());
        found
    }

    /// The blocks of code under this heading, up to the next heading.
    pub(super) fn blocks_under(&self, heading: &str) -> Vec<Code> {
        let is_heading = |line: &str| line.starts_with('#');
        let prose = self.prose();
        let position =
            prose.iter().position(|(_, line)| is_heading(line) && line.trim_start_matches('#').trim() == heading);
        let position = position.unwrap_or_else(|| panic!("{}: no heading {heading:?}", self.path.display()));
        let begin = prose[position].0;
        let end =
            prose[position + 1..].iter().find(|(_, line)| is_heading(line)).map_or(usize::MAX, |(number, _)| *number);
        self.blocks().into_iter().filter(|code| code.line > begin && code.line < end).collect()
    }

    /// The cells of all rows of tables, without heads and rules.
    pub(super) fn rows(&self) -> Vec<(usize, Vec<String>)> {
        let prose = self.prose();
        let is_row = |line: &str| line.starts_with('|');
        let is_rule = |line: &str| is_row(line) && line.chars().all(|each| "|-: ".contains(each));
        let mut found = Vec::new();
        for (position, (number, line)) in prose.iter().enumerate() {
            let is_head = prose.get(position + 1).is_some_and(|(_, next)| is_rule(next));
            if is_row(line) && !is_rule(line) && !is_head {
                let cells = line.trim_matches('|').replace("\\|", "\u{1}");
                found.push((*number, cells.split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect()));
            }
        }
        found
    }

    /// The rows of the tables under this heading, up to the next heading.
    pub(super) fn rows_under(&self, heading: &str) -> Vec<Vec<String>> {
        let prose = self.prose();
        let is_it = |line: &str| line.starts_with('#') && line.trim_start_matches('#').trim() == heading;
        let begin = prose.iter().find(|(_, line)| is_it(line)).unwrap_or_else(|| panic!("no heading {heading:?}")).0;
        let end = prose.iter().find(|(number, line)| *number > begin && line.starts_with('#'));
        let end = end.map_or(usize::MAX, |(number, _)| *number);
        self.rows().into_iter().filter(|(line, _)| (begin..end).contains(line)).map(|(_, cells)| cells).collect()
    }

    /// The anchors of its headings, as GitHub makes them, and those that it names itself.
    pub(super) fn anchors(&self) -> HashSet<String> {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut anchors = HashSet::new();
        let own = regex::Regex::new(r#"<a (?:id|name)="([^"]+)">"#).unwrap();
        for (_, line) in self.prose() {
            anchors.extend(own.captures_iter(line).map(|found| found[1].to_owned()));
            let title = line.trim_start_matches('#');
            if title.len() == line.len() || !title.starts_with(' ') {
                continue;
            }
            let anchor = anchor(title.trim());
            let count = seen.entry(anchor.clone()).or_default();
            anchors.insert(if *count == 0 { anchor } else { format!("{anchor}-{count}") });
            *count += 1;
        }
        anchors
    }

    /// Where its links lead, with the numbers of their lines.
    pub(super) fn links(&self) -> Vec<(usize, String)> {
        let code = regex::Regex::new("`[^`]*`").unwrap();
        let link = regex::Regex::new(r"\]\(\s*<?([^()\s<>]*(?:\([^()\s]*\)[^()\s]*)*)>?(?:\s+\x22[^\x22]*\x22)?\s*\)")
            .unwrap();
        let reference = regex::Regex::new(r"^\s{0,3}\[[^\]]+\]:\s*(\S+)").unwrap();
        let html = regex::Regex::new(r#"(?:href|src)="([^"]+)""#).unwrap();
        let mut found = Vec::new();
        for (number, text) in self.prose() {
            // Brackets in code lead nowhere; what is linked may be code.
            let kept = code.replace_all(text, "x");
            for pattern in [&link, &reference, &html] {
                found.extend(pattern.captures_iter(&kept).map(|target| (number, target[1].to_owned())));
            }
        }
        found
    }
}

/// How many marks a fence has, and the language behind it.
fn fence_of(line: &str) -> Option<(usize, &str)> {
    let line = line.trim_start();
    let marks = line.chars().take_while(|each| *each == '`').count();
    (marks >= 3).then(|| (marks, line[marks..].trim()))
}

/// The anchor that GitHub gives a heading.
pub(super) fn anchor(title: &str) -> String {
    let link = regex::Regex::new(r"\[([^\]]*)\]\([^)]*\)").unwrap();
    let title = link.replace_all(title, "$1").to_lowercase();
    let kept = title.chars().filter(|each| each.is_alphanumeric() || "-_ ".contains(*each));
    kept.map(|each| if each == ' ' { '-' } else { each }).collect()
}
