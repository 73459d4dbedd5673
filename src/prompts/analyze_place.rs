//! `analyze_place`: what people say about one place.

use super::{
    HONESTLY, Words,
    arguments::{LANGUAGE, PLACE, REGION, answer_in, find},
};
use crate::mcp::{Form, Given};

pub(super) const WORDS: Words = Words {
    form: Form {
        name: "analyze_place",
        title: "Analyse a place",
        description: "What people praise and criticise about a place, with quotes, and how far that can be trusted",
        arguments: &[PLACE, LANGUAGE, REGION],
    },
    text,
};

fn text(given: &Given) -> String {
    let place = given.get(PLACE.name).map(String::as_str).unwrap_or_default();
    format!(
        "Tell me what people say about a place.\n\n\
         1. {}\n\
         2. Call get_place for its rating, the number of ratings, and whether it is open.\n\
         3. Call analyze_reviews; where you need a whole text, get_reviews.\n\
         4. Tell me, in this order: what the place is and how it is rated; what is praised and what is criticised, each \
         theme with one quote; where stars and texts disagree, and what looks suspicious, if anything does; how recent the \
         reviews are; what cannot be known from them.\n\n{}\n{HONESTLY}",
        find(place, given),
        answer_in(given),
    )
}
