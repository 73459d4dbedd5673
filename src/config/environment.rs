//! Settings from environment variables, and secrets from the files that variables name.

use super::{Problem, reader::SECRETS};
use std::{
    collections::{BTreeMap, HashMap},
    fs,
};

const PREFIX: &str = "REVIEWS__";
/// Names that other programs use for our keys.
const ALIASES: &[(&str, &str)] = &[("GOOGLE_MAPS_API_KEY", "google.api_key")];

/// Settings from the environment, secrets from the files that it names.
pub(super) fn settings(environment: &HashMap<String, String>, problems: &mut Vec<Problem>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (name, value) in environment {
        let (base, is_file) = match name.strip_suffix("_FILE") {
            Some(base) => (base, true),
            None => (name.as_str(), false),
        };
        let alias = ALIASES.iter().find(|(alias, _)| *alias == base).map(|(_, key)| (*key).to_owned());
        let ours = base.strip_prefix(PREFIX).map(|path| path.to_ascii_lowercase().replace("__", "."));
        // Our own name wins over one that is shared with other programs.
        if alias.is_some() && environment.keys().any(|other| own_name(other, alias.as_deref())) {
            continue;
        }
        let Some(key) = ours.or(alias) else { continue };
        if !is_file {
            found.entry(key).or_insert_with(|| value.clone());
        } else if SECRETS.contains(&key.as_str()) {
            match fs::read_to_string(value) {
                Ok(text) => {
                    found.insert(key, text.trim_end_matches(['\r', '\n']).to_owned());
                }
                Err(error) => {
                    problems.push(Problem { key: name.clone(), message: format!("{value} cannot be read: {error}") });
                }
            }
        } else {
            problems.push(Problem { key: name.clone(), message: "only secrets are read from files".to_owned() });
        }
    }
    found
}

fn own_name(variable: &str, key: Option<&str>) -> bool {
    variable
        .strip_suffix("_FILE")
        .unwrap_or(variable)
        .strip_prefix(PREFIX)
        .is_some_and(|path| Some(path.to_ascii_lowercase().replace("__", ".").as_str()) == key)
}
