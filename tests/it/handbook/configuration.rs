//! `docs/configuration.md` is made from `src/config/default.toml`, whose comments are the one place where settings are
//! explained.

use super::{held, markdown::anchor};
use google_reviews_mcp::config::{self, Sources};
use std::{collections::HashMap, fmt::Write as _, fs};

const PAGE: &str = "docs/configuration.md";
/// The end of lines that are made.
const WIDTH: usize = 118;

/// One setting, as `default.toml` has it.
pub(super) struct Setting {
    /// `section.key`.
    pub(super) key: String,
    default: String,
    explanation: String,
}

impl Setting {
    pub(super) fn variable(&self) -> String {
        format!("REVIEWS__{}", self.key.to_uppercase().replace('.', "__"))
    }

    /// Whether it may come from a file, as the program itself says.
    pub(super) fn is_secret(&self) -> bool {
        let variable = format!("{}_FILE", self.variable());
        let environment = HashMap::from([(variable.clone(), "/nowhere".to_owned())]);
        let loaded = config::load(&Sources { environment, ..Sources::default() }).unwrap();
        let told: Vec<_> = loaded.problems.iter().filter(|problem| problem.key == variable).collect();
        assert_eq!(told.len(), 1, "{variable}: {:?}", loaded.problems);
        !told[0].message.contains("only secrets are read from files")
    }
}

/// A part of the file: a section, a setting, or words that belong to no setting.
enum Part {
    Section(String),
    Setting(Setting),
    Words(String),
}

/// All settings, in the order of the file.
pub(super) fn settings() -> Vec<Setting> {
    let of = |part| if let Part::Setting(setting) = part { Some(setting) } else { None };
    parts().into_iter().filter_map(of).collect()
}

fn parts() -> Vec<Part> {
    let mut parts = Vec::new();
    let (mut section, mut comment) = (String::new(), String::new());
    let words = |comment: &mut String, parts: &mut Vec<Part>| {
        if !comment.is_empty() {
            parts.push(Part::Words(std::mem::take(comment)));
        }
    };
    for line in fs::read_to_string("src/config/default.toml").unwrap().lines() {
        if let Some(text) = line.strip_prefix('#') {
            comment.push_str(text);
        } else if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            words(&mut comment, &mut parts);
            name.clone_into(&mut section);
            parts.push(Part::Section(name.to_owned()));
        } else if let Some((key, default)) = line.split_once(" = ") {
            let explanation = std::mem::take(&mut comment).trim().to_owned();
            parts.push(Part::Setting(Setting {
                key: format!("{section}.{key}"),
                default: default.to_owned(),
                explanation,
            }));
        } else {
            assert_eq!(line, "", "not understood");
            words(&mut comment, &mut parts);
        }
    }
    words(&mut comment, &mut parts);
    parts
}

#[test]
fn the_configuration_page_is_that_of_the_defaults() {
    let keys: Vec<String> = settings().into_iter().map(|setting| setting.key).collect();
    let mut made = String::new();
    // The first words are about the file itself.
    for part in parts().iter().skip_while(|part| !matches!(part, Part::Section(_))) {
        match part {
            Part::Section(name) => {
                let _ = writeln!(made, "\n## {name}");
            }
            Part::Words(text) => {
                let _ = writeln!(made, "\n{}", wrapped(&linked(text.trim(), "", &keys)));
            }
            Part::Setting(setting) => {
                let _ = writeln!(made, "\n### `{}`\n", setting.key);
                let _ = writeln!(made, "{}\n", from_where(setting));
                let text = setting.explanation.strip_prefix("Secret. ").unwrap_or(&setting.explanation);
                let _ = writeln!(made, "{}", wrapped(&linked(text, &setting.key, &keys)));
            }
        }
    }
    made.push('\n');
    held(PAGE, "the_configuration_page", &made);
}

#[test]
fn each_setting_is_explained_and_each_secret_says_that_it_is_one() {
    let settings = settings();
    assert!(settings.len() > 80, "the settings are not found: {}", settings.len());
    for setting in settings {
        assert!(setting.explanation.len() > 20, "{} is not explained", setting.key);
        assert_eq!(setting.explanation.starts_with("Secret. "), setting.is_secret(), "{}", setting.key);
        assert!(setting.explanation.ends_with('.'), "{}: {}", setting.key, setting.explanation);
    }
}

/// The default, and the names in the environment.
fn from_where(setting: &Setting) -> String {
    let variable = setting.variable();
    let default = match setting.default.as_str() {
        "\"\"" => "Default: empty".to_owned(),
        default => format!("Default: `{default}`"),
    };
    if setting.is_secret() {
        format!("{default} · Environment: `{variable}`, or the path of a file in `{variable}_FILE` · **Secret**")
    } else {
        format!("{default} · Environment: `{variable}`")
    }
}

/// Values in quotation marks and names of variables become code, and names of settings links.
fn linked(text: &str, own: &str, keys: &[String]) -> String {
    let value = regex::Regex::new(r#""([^"]+)""#).unwrap();
    let variable = regex::Regex::new(r"\b[A-Z]+(?:_[A-Z*]+)+").unwrap();
    let name = regex::Regex::new(r"\b[a-z]+(?:\.[a-z_]+)+\b").unwrap();
    let mut made = String::new();
    for (position, piece) in text.split('`').enumerate() {
        if position % 2 == 1 {
            let _ = write!(made, "`{piece}`");
            continue;
        }
        for (position, piece) in value.replace_all(piece, "`$1`").split('`').enumerate() {
            if position % 2 == 1 {
                let _ = write!(made, "`{piece}`");
                continue;
            }
            let piece = variable.replace_all(piece, "`$0`");
            made.push_str(&name.replace_all(&piece, |found: &regex::Captures<'_>| {
                let key = &found[0];
                if key != own && keys.iter().any(|each| each == key) {
                    format!("[`{key}`](#{})", anchor(key))
                } else {
                    key.to_owned()
                }
            }));
        }
    }
    made
}

/// Lines of a width that can be read; what has no space is not broken.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().unwrap();
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}
