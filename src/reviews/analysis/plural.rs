//! One key for the forms of a noun, so that `croissant` and `croissants` are one theme. Keys are never shown.

/// The suffixes that Persian writes behind a word, without the joiner.
const PERSIAN_SUFFIXES: &[&str] = &[
    "هایشان",
    "هایمان",
    "هایتان",
    "هایش",
    "هایی",
    "های",
    "ها",
    "شان",
    "مان",
    "تان",
    "اش",
    "ام",
    "ات",
    "ای",
    "اند",
    "ی",
];

/// The key of a normalised word.
pub(super) fn fold(language: &str, word: &str) -> String {
    match language {
        "en" => english(word),
        "de" => german(word),
        "fr" => french(word),
        "es" => spanish(word),
        "fa" => persian(word),
        _ => word.to_owned(),
    }
}

fn english(word: &str) -> String {
    let word = word.strip_suffix("'s").unwrap_or(word);
    if !is_long(word, 4) || ["ss", "us", "is"].iter().any(|end| word.ends_with(end)) {
        return word.to_owned();
    }
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 2) {
        return format!("{stem}y");
    }
    let hisses = ["shes", "ches", "xes", "sses", "zes"];
    let ending = if hisses.iter().any(|end| word.ends_with(end)) { "es" } else { "s" };
    word.strip_suffix(ending).unwrap_or(word).to_owned()
}

/// Plurals in -n and -e, and the dative; not those that change a vowel.
fn german(word: &str) -> String {
    if !is_long(word, 6) {
        return word.to_owned();
    }
    let word = word.strip_suffix('n').unwrap_or(word);
    word.strip_suffix('e').unwrap_or(word).to_owned()
}

fn french(word: &str) -> String {
    if !is_long(word, 4) || word.ends_with("ss") {
        return word.to_owned();
    }
    let plural_in_x = word.strip_suffix('x').filter(|stem| stem.ends_with("eau"));
    plural_in_x.or_else(|| word.strip_suffix('s')).unwrap_or(word).to_owned()
}

/// `bares` and `bar`, `noches` and `noche`.
fn spanish(word: &str) -> String {
    if !is_long(word, 4) {
        return word.to_owned();
    }
    let word = word.strip_suffix('s').unwrap_or(word);
    word.strip_suffix('e').filter(|stem| is_long(stem, 3)).unwrap_or(word).to_owned()
}

/// Without the joiner and what stands behind it, and without a plural that is written together.
fn persian(word: &str) -> String {
    let mut parts: Vec<&str> = word.split('\u{200c}').collect();
    while parts.len() > 1 && parts.last().is_some_and(|last| PERSIAN_SUFFIXES.contains(last)) {
        parts.pop();
    }
    let joined = parts.concat();
    let stem = joined.strip_suffix("های").or_else(|| joined.strip_suffix("ها")).filter(|stem| is_long(stem, 3));
    stem.unwrap_or(&joined).to_owned()
}

fn is_long(word: &str, letters: usize) -> bool {
    word.chars().nth(letters - 1).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_a_noun_have_one_key() {
        for (language, one, several) in [
            ("en", "croissant", "croissants"),
            ("en", "berry", "berries"),
            ("en", "dish", "dishes"),
            ("de", "zimtschnecke", "zimtschnecken"),
            ("de", "brötchen", "brötchen"),
            ("fr", "gâteau", "gâteaux"),
            ("fr", "livre", "livres"),
            ("es", "bar", "bares"),
            ("es", "croqueta", "croquetas"),
            ("fa", "صندلی", "صندلی\u{200c}ها"),
            ("fa", "میز", "میزها"),
        ] {
            assert_eq!(fold(language, one), fold(language, several), "{language}");
        }
    }

    #[test]
    fn what_only_looks_like_a_plural_is_left() {
        for word in ["glass", "bus", "this", "gas"] {
            assert_eq!(fold("en", word), word);
        }
        assert_ne!(fold("fr", "prix"), fold("fr", "pri"));
    }
}
