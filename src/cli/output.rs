//! Writing to the terminal. A reader that went away, such as `head`, is no error.

use std::io::{self, Write as _};

/// A line of the command's answer.
pub(super) fn say(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// A line about what went wrong.
pub(super) fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
