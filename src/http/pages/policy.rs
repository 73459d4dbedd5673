//! What a page may do: nothing that its policy does not name. Source: Content Security Policy Level 3.

use http::HeaderValue;

/// A page that may not even show its pictures can still be read.
const STRICTEST: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// To where the sites of clients lead on at once, such as claude.ai into the app Claude: a browser holds the form to its policy
/// at every one of these steps, and the code is spent when it stops in between.
const LEADS_ON: &str = "https: claude: cursor: vscode: vscode-insiders:";

/// Style and script are files of ours, pictures are ours or written into the page. Nobody may frame a page, so that no
/// click on it is another's.
#[derive(Debug, Clone, Copy)]
pub(super) enum Policy<'a> {
    /// To be read, with our script to help.
    Script,
    /// To be read.
    Text,
    /// With forms that this server takes, and without script. Browsers hold a form to its policy wherever its answer
    /// leads, so the policy of one whose answer leaves this server must name where that is: an origin, or a scheme with its
    /// colon.
    Forms { onward: Option<&'a str> },
}

impl Policy<'_> {
    /// The header's text.
    pub(super) fn header(self) -> HeaderValue {
        let script = if matches!(self, Self::Script) { "'self'" } else { "'none'" };
        let forms = match self {
            Self::Script | Self::Text => "'none'".to_owned(),
            Self::Forms { onward } => match onward.filter(|source| is_source(source)) {
                Some(source) => format!("'self' {source} {LEADS_ON}"),
                None => "'self'".to_owned(),
            },
        };
        let policy = format!(
            "default-src 'none'; style-src 'self'; script-src {script}; img-src 'self' data:; base-uri 'none'; \
             form-action {forms}; frame-ancestors 'none'"
        );
        HeaderValue::try_from(policy).unwrap_or(STRICTEST)
    }
}

/// Whether it is one origin or one scheme and nothing more: no space, semicolon, comma or wildcard that would change
/// what else the policy says.
fn is_source(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_letter = |also: &'static str| move |letter: char| letter.is_ascii_alphanumeric() || also.contains(letter);
    let is_scheme =
        scheme.starts_with(|first: char| first.is_ascii_alphabetic()) && scheme.chars().all(is_letter("+-."));
    let is_host = |host: &str| !host.is_empty() && host.chars().all(is_letter("-._:"));
    is_scheme && (rest.is_empty() || rest.strip_prefix("//").is_some_and(is_host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn has(policy: Policy<'_>, script: &str, forms: &str) {
        let wanted = format!(
            "default-src 'none'; style-src 'self'; script-src {script}; img-src 'self' data:; base-uri 'none'; \
             form-action {forms}; frame-ancestors 'none'"
        );
        assert_eq!(policy.header(), wanted.as_str());
    }

    #[test]
    fn a_page_may_do_what_it_needs() {
        has(Policy::Script, "'self'", "'none'");
        has(Policy::Text, "'none'", "'none'");
        has(Policy::Forms { onward: None }, "'none'", "'self'");
        for source in ["https://claude.ai", "http://127.0.0.1:3334", "http://localhost:3334", "cursor:", "com.app+x-1:"]
        {
            has(
                Policy::Forms { onward: Some(source) },
                "'none'",
                &format!("'self' {source} https: claude: cursor: vscode: vscode-insiders:"),
            );
        }
    }

    #[test]
    fn what_is_no_source_is_left_out_of_the_policy() {
        for other in [
            "",
            "null",
            "*",
            "https://*",
            "https://*.example",
            "https://",
            "//claude.ai",
            "claude.ai",
            ":",
            "1a:",
            "https://claude.ai/callback",
            "https://claude.ai evil.example",
            "https://claude.ai; script-src *",
            "https://claude.ai;script-src%20*",
            "https://claude.ai,x",
            "https://claude.ai\r\nx: y",
            "https://a@b",
            "'unsafe-inline'",
            "cursor: https://evil.example",
            "https://bücher.example",
        ] {
            has(Policy::Forms { onward: Some(other) }, "'none'", "'self'");
        }
    }
}
