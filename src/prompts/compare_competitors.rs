//! `compare_competitors`: one place beside those that it competes with.

use super::{
    HONESTLY, Words,
    arguments::{COMPETITORS, LANGUAGE, PLACE, REGION, REPORT, answer_in, find, places},
};
use crate::mcp::{Form, Given};
use serde_json::json;

pub(super) const WORDS: Words = Words {
    form: Form {
        name: "compare_competitors",
        title: "Compare with competitors",
        description: "Where a place stands beside its competitors, what they do better, and what has changed",
        arguments: &[PLACE, COMPETITORS, REPORT, LANGUAGE, REGION],
    },
    text,
};

fn text(given: &Given) -> String {
    let place = given.get(PLACE.name).map(String::as_str).unwrap_or_default();
    let competitors = match given.get(COMPETITORS.name) {
        Some(list) => {
            let list: Vec<_> = places(list).map(|place| json!(place).to_string()).collect();
            format!(
                "Its competitors are {}: each a place_id, or a name to look for with search_places.",
                list.join(", ")
            )
        }
        None => "Find up to 4 competitors: look with search_places for places of the same kind near it, leave out the place \
                 itself and what is closed for good, and tell me whom you chose and why."
            .to_owned(),
    };
    let change = match given.get(REPORT.name) {
        Some(report) => format!(
            "\n4. Call get_report with report_id {}, and tell me what has changed since it was made.",
            json!(report)
        ),
        None => String::new(),
    };
    format!(
        "Tell me where a place stands beside its competitors.\n\n\
         1. {}\n\
         2. {competitors}\n\
         3. Call compare_places with all of them, and analyze_reviews for those of which the comparison says too little.\
         {change}\n\n\
         Answer with the table, then with what the place does better, what others do better, each with a quote, and what \
         its owner could do first. Do not make a ranking out of differences that samples this small cannot carry.\n\n{}\n{HONESTLY}",
        find(place, given),
        answer_in(given),
    )
}
