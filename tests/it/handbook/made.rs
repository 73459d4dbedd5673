//! Parts of pages that are made from something else, and held to it.

use std::{
    fs,
    sync::{Mutex, PoisonError},
};

/// Tests that run at once write several parts of one page.
static WRITING: Mutex<()> = Mutex::new(());

/// Holds the part of a page between `<!-- made: NAME -->` and `<!-- end: NAME -->` to what it is made from. With `UPDATE_DOCS`
/// in the environment it is written anew.
pub(crate) fn held(page: &str, name: &str, made: &str) {
    let _alone = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let text = fs::read_to_string(page).unwrap();
    let (begin, end) = (format!("<!-- made: {name} -->\n"), format!("<!-- end: {name} -->"));
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{page}: no {begin}"));
    let (part, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{page}: no {end}"));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(page, format!("{before}{begin}{made}{end}{after}")).unwrap();
        return;
    }
    // Where lines are broken depends on how long the names in them are, and a fork has others.
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(part), words(made), "{page}: write it anew: UPDATE_DOCS=1 tests/run {name}");
}
