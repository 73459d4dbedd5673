//! The result of `smoke` as a table for people and as JSON for programs.

use super::outcome::{Outcome, milliseconds};
use serde_json::{Value, json};
use std::{fmt::Write as _, time::Duration};

/// All that was found out about one server.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) url: String,
    /// Whose data the server has, as its answers say.
    pub(super) data_source: Option<String>,
    pub(super) outcomes: Vec<Outcome>,
}

impl Page {
    pub(super) fn is_ok(&self) -> bool {
        self.outcomes.iter().all(Outcome::is_ok)
    }

    pub(super) fn as_json(&self) -> Value {
        let tools: Vec<_> = self.outcomes.iter().map(Outcome::as_json).collect();
        json!({"ok": self.is_ok(), "url": self.url, "data_source": self.data_source, "tools": tools})
    }

    /// A line a tool, and one with the sums.
    pub(super) fn as_table(&self) -> String {
        let names: Vec<_> = self.outcomes.iter().map(|outcome| printable(&outcome.tool)).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let mut table = format!("{:width$}  {:6}  {:>8}  {:>5}  note\n", "tool", "result", "ms", "drift");
        for (name, outcome) in names.iter().zip(&self.outcomes) {
            let result = if outcome.is_ok() { "ok" } else { "failed" };
            let time = outcome.duration.map_or_else(|| "-".to_owned(), |time| format!("{:.1}", milliseconds(time)));
            let (drift, note) = (outcome.drift(), printable(&outcome.note()));
            let line = format!("{name:width$}  {result:6}  {time:>8}  {drift:>5}  {note}");
            let _ = writeln!(table, "{}", line.trim_end());
        }
        table + "\n" + &self.sums()
    }

    fn sums(&self) -> String {
        let ok = self.outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let time: Duration = self.outcomes.iter().filter_map(|outcome| outcome.duration).sum();
        let drift: u64 = self.outcomes.iter().map(Outcome::drift).sum();
        let source = self.data_source.as_deref().unwrap_or("unknown");
        format!(
            "{} tools: {ok} ok, {} failed; drift findings: {drift}; {:.1} ms; data source: {}",
            self.outcomes.len(),
            self.outcomes.len() - ok,
            milliseconds(time),
            printable(source)
        )
    }
}

/// In one line and without what a terminal would obey: the words are those of a server that may be anybody's.
fn printable(text: &str) -> String {
    let words = text.replace(char::is_control, " ");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_nothing_is_obeyed_by_a_terminal() {
        let slow = Outcome {
            tool: "search_places".to_owned(),
            duration: Some(Duration::from_micros(1_234_560)),
            findings: Vec::new(),
            fault: None,
        };
        let odd = Outcome::not_called("x\u{1b}[31m", "one\ntwo");
        let page = Page { url: String::new(), data_source: None, outcomes: vec![slow, odd] };
        assert_eq!(
            page.as_table(),
            "tool           result        ms  drift  note\n\
             search_places  ok        1234.6      0\n\
             x [31m         failed         -      0  one two\n\n\
             2 tools: 1 ok, 1 failed; drift findings: 0; 1234.6 ms; data source: unknown"
        );
        assert!(!page.is_ok());
    }
}
