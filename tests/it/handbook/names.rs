//! Names in pages exist: settings by both of their names, commands with their options, and messages of the program.

use super::{
    configuration::{Setting, settings},
    house::files,
    markdown::{Code, Page, pages},
};
use crate::support::binary::{program, stdout};
use regex::Regex;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// Pages about programs that are made of this one: their settings and commands are not this program's.
fn is_about_another(page: &Page) -> bool {
    page.path.starts_with("docs/fork")
}

/// The variables of a text that are meant to be settings.
fn variables(text: &str) -> Vec<String> {
    let variable = Regex::new(r"\bREVIEWS__[A-Z0-9_]+").unwrap();
    variable
        .find_iter(text)
        .map(|found| found.as_str().to_owned())
        .filter(|name| name != "REVIEWS__SECTION__KEY")
        .collect()
}

fn known_variables(settings: &[Setting]) -> BTreeSet<String> {
    let names = |setting: &Setting| {
        let file = setting.is_secret().then(|| format!("{}_FILE", setting.variable()));
        [Some(setting.variable()), file].into_iter().flatten().collect::<Vec<_>>()
    };
    settings.iter().flat_map(names).collect()
}

#[test]
fn every_variable_that_a_page_names_is_a_setting() {
    let known = known_variables(&settings());
    let (mut unknown, mut count) = (Vec::new(), 0);
    let more = [".env.example", "docker-compose.yml", "Dockerfile"].map(Page::read);
    for page in pages().iter().chain(&more).filter(|page| !is_about_another(page)) {
        for (number, line) in page.text.lines().enumerate() {
            for name in variables(line) {
                count += 1;
                if !known.contains(&name) {
                    unknown.push(format!("{}: there is no {name}", page.at(number + 1)));
                }
            }
        }
    }
    assert!(count > 100, "the names are not found: {count}");
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

/// What is no setting although it looks like one: names of files, and attributes of spans.
fn is_something_else(name: &str) -> bool {
    let ends = [
        "log", "env", "toml", "json", "rs", "md", "yml", "yaml", "conf", "key", "db", "py", "sh", "service", "example",
    ];
    let spans = fs::read_to_string("src/telemetry/spans.rs").unwrap();
    name.rsplit('.').next().is_some_and(|end| ends.contains(&end)) || spans.contains(&format!("{name} = "))
}

#[test]
fn every_setting_that_a_page_names_exists() {
    let keys: BTreeSet<String> = settings().into_iter().map(|setting| setting.key).collect();
    let sections: BTreeSet<&str> = keys.iter().filter_map(|key| key.split('.').next()).collect();
    let name = Regex::new(r"^([a-z]+(?:\.[a-z_*]+)+)(?: = .*)?$").unwrap();
    let (mut unknown, mut count) = (Vec::new(), 0);
    for page in pages().iter().filter(|page| !is_about_another(page)) {
        for Code { line, language, text } in page.code() {
            let Some(found) = name.captures(&text).filter(|_| language.is_none()) else { continue };
            let found = &found[1];
            if !sections.contains(found.split('.').next().unwrap()) || is_something_else(found) {
                continue;
            }
            count += 1;
            // A section within a section, and all settings of a kind, are named too.
            let pattern = format!("^{}(\\..+)?$", found.replace('.', "\\.").replace('*', ".*"));
            let pattern = Regex::new(&pattern).unwrap();
            if !keys.iter().any(|key| pattern.is_match(key)) {
                unknown.push(format!("{}: there is no {found}", page.at(line)));
            }
        }
    }
    assert!(count > 100, "the names are not found: {count}");
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

/// What a command says of itself, by its words: `user add`.
struct Helps(BTreeMap<String, Option<String>>);

impl Helps {
    /// Nothing, if there is no such command.
    fn of(&mut self, words: &[&str]) -> Option<&str> {
        let help = self.0.entry(words.join(" ")).or_insert_with(|| {
            let output = program().args(words).arg("--help").output().unwrap();
            output.status.success().then(|| stdout(&output))
        });
        help.as_deref()
    }
}

/// Commands in a text: the words behind the program's name, as far as they can be commands, and the options of the line.
fn commands(text: &str) -> Vec<(Vec<String>, Vec<String>)> {
    // As it is installed, as an image's entry, and by Cargo.
    let begin =
        Regex::new(r"(?m)(?:^|[\s/(`])(?:google-reviews-mcp|cargo run(?: --release)? --)[ \t]+([a-z].*)$").unwrap();
    let end = Regex::new(r"[|;&<>`#]|\$\(").unwrap();
    // Where the name is that of a unit, a namespace or a container, or what another program starts.
    let others =
        "kubectl|systemctl|journalctl|gcloud|fly|flyctl|aws|useradd|adduser|helm|docker (?:logs|stop|inspect|rm)|npx";
    let other = Regex::new(&format!(r"\b(?:{others})\b.*google-reviews-mcp[ \t]")).unwrap();
    let mut found = Vec::new();
    for line in text.lines().filter(|line| !other.is_match(line) || line.contains("bin/google-reviews-mcp")) {
        for call in begin.captures_iter(line) {
            // Only to where the shell goes on with something else.
            let call = end.split(&call[1]).next().unwrap().to_owned();
            let words = call.split_whitespace();
            let is_word = |word: &&str| word.chars().all(|each| each.is_ascii_lowercase() || each == '-');
            let names =
                words.clone().take_while(is_word).filter(|word| !word.starts_with('-')).take(2).map(str::to_owned);
            let options = words.filter(|word| word.starts_with("--") && word.len() > 2);
            let options = options.map(|word| word.split('=').next().unwrap().to_owned());
            found.push((names.collect(), options.collect()));
        }
    }
    found
}

#[test]
fn every_command_that_a_page_names_exists_with_its_options() {
    let mut helps = Helps(BTreeMap::new());
    let (mut unknown, mut count) = (Vec::new(), 0);
    for page in pages().iter().filter(|page| !is_about_another(page)) {
        for Code { line, text, .. } in page.code() {
            for (names, options) in commands(&text) {
                let Some(first) = names.first() else { continue };
                count += 1;
                let mut words = vec![first.as_str()];
                let Some(help) = helps.of(&words).map(str::to_owned) else {
                    unknown.push(format!("{}: there is no command {first}", page.at(line)));
                    continue;
                };
                let mut help = help;
                if help.contains("\nCommands:\n") {
                    words.extend(names.get(1).map(String::as_str));
                    let Some(inner) = helps.of(&words).filter(|_| words.len() == 2) else {
                        unknown.push(format!("{}: there is no command {}", page.at(line), names.join(" ")));
                        continue;
                    };
                    help.push_str(inner);
                }
                let has = |option: &str| Regex::new(&format!("{option}(?:[^a-z-]|$)")).unwrap().is_match(&help);
                for option in options.iter().filter(|option| !has(option)) {
                    unknown.push(format!("{}: {} has no {option}", page.at(line), words.join(" ")));
                }
            }
        }
    }
    assert!(count > 20, "the commands are not found: {count}");
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

/// Whoever looks for a message finds it on the page of troubles only if it is the program's own, letter by letter. What differs
/// from case to case stands as `…` there.
#[test]
fn messages_on_the_page_of_troubles_are_the_programs_own() {
    let mut sources: String = files("src", "rs").iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    sources.extend(files("src/http/pages", "html").iter().map(|file| fs::read_to_string(file).unwrap()));
    sources = Regex::new(r"\\\n\s*").unwrap().replace_all(&sources, "").replace("\\\"", "\"");
    let pages = ["troubleshooting", "upgrade"].map(|name| Page::read(format!("docs/self-host/{name}.md")));
    let is_message = |code: &Code| code.language.as_deref() == Some("text");
    let messages =
        pages.iter().flat_map(|page| page.blocks().into_iter().filter(is_message).map(move |code| (page, code)));
    let messages: Vec<_> = messages.collect();
    assert!(messages.len() > 15, "{}", messages.len());
    for (page, Code { line, text, .. }) in messages {
        for piece in text.lines().flat_map(|line| line.split('…')).map(str::trim).filter(|piece| piece.len() > 3) {
            assert!(sources.contains(piece), "{}: the program never says {piece:?}", page.at(line));
        }
    }
}
