//! Settings from environment variables, and secrets from the files that variables name.

use super::{Problem, reader::SECRETS};
use std::{
    collections::{BTreeMap, HashMap},
    fs,
};

const PREFIX: &str = "REVIEWS__";
/// How names begin that were meant to begin with [`PREFIX`].
const NEARLY_PREFIX: &str = "REVIEWS_";
/// Names that other programs use for our keys.
const ALIASES: &[(&str, &str)] = &[("GOOGLE_MAPS_API_KEY", "google.api_key")];

/// Settings from the environment, secrets from the files that it names.
pub(super) fn settings(environment: &HashMap<String, String>, problems: &mut Vec<Problem>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    // In order, so that problems are told in the same order each time.
    for (name, value) in environment.iter().collect::<BTreeMap<_, _>>() {
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
        let Some(key) = ours.or(alias) else {
            problems.extend(misspelt(name));
            continue;
        };
        if !is_file {
            found.entry(key).or_insert_with(|| value.clone());
        } else if SECRETS.contains(&key.as_str()) {
            match read_secret(value) {
                Ok(secret) => {
                    found.insert(key, secret);
                }
                Err(message) => problems.push(Problem { key: name.clone(), message }),
            }
        } else {
            problems.push(Problem { key: name.clone(), message: "only secrets are read from files".to_owned() });
        }
    }
    found
}

/// A name with one underscore too few would be overlooked. With a single one everywhere it may be another program's:
/// Kubernetes sets `REVIEWS_PORT` and its like where a service is called `reviews`.
fn misspelt(name: &str) -> Option<Problem> {
    let rest = name.strip_prefix(NEARLY_PREFIX).filter(|rest| rest.contains("__"))?;
    let message = format!("is not a setting of this program; {PREFIX}{rest} may be meant, with two underscores");
    Some(Problem { key: name.to_owned(), message })
}

/// The secret in this file, without the line break that editors and `echo` put at the end. Whoever names a file wants the
/// secret that is in it: an empty one is not the same as none.
fn read_secret(path: &str) -> Result<String, String> {
    if path.is_empty() {
        return Err("names no file: give the path of one, or leave it out".to_owned());
    }
    let text = fs::read_to_string(path).map_err(|error| format!("{path} cannot be read: {error}"))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.trim().is_empty() {
        return Err(format!("{path} is empty: write the secret into it"));
    }
    Ok(secret.to_owned())
}

fn own_name(variable: &str, key: Option<&str>) -> bool {
    variable
        .strip_suffix("_FILE")
        .unwrap_or(variable)
        .strip_prefix(PREFIX)
        .is_some_and(|path| Some(path.to_ascii_lowercase().replace("__", ".").as_str()) == key)
}
