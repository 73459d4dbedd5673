//! What holds for all pages with forms, whatever they are shown. With `PAGE_FILES` they are left in that folder, to be
//! looked at.

use super::{
    connections::{Connections, Granted},
    consent::Consent,
    message::{Back, Message},
    permission::Permission,
    setup::{Person, Setup},
    sign_in::{Asking, Provider, Refused, SignIn},
};
use axum::response::Response;
use http::{StatusCode, header};
use regex::Regex;
use std::{collections::BTreeSet, fs, path::Path, time::Duration};

const CSRF: &str = "csrf-of-this-browser";
const REQUEST: &str = "sealed-request";
/// Tags, quotes, a letter that turns the direction of what follows, and a word that fits on no line.
const HOSTILE: &str = "<script>alert(1)</script>\"'><b>&amp;\u{202e}\u{5e9}\u{5dc}\u{5d5}\u{5dd} \
                       Wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww";

fn sign_in(client: &str, refused: Option<Refused>) -> Response {
    let asking = Asking {
        request: REQUEST.to_owned(),
        client: client.to_owned(),
        redirect_uri: "https://claude.ai/api/mcp/auth_callback".to_owned(),
    };
    let name = refused.map(|_| "ada".to_owned()).unwrap_or_default();
    SignIn { csrf: CSRF.to_owned(), asking: Some(asking), name, refused, ..SignIn::default() }.answer()
}

/// With a provider of this name, and with passwords or without.
fn sign_in_at(provider: &str, is_without_passwords: bool) -> Response {
    let provider = Provider { name: provider.to_owned(), way: format!("/login/provider?request={REQUEST}") };
    SignIn { csrf: CSRF.to_owned(), provider: Some(provider), is_without_passwords, ..SignIn::default() }.answer()
}

fn asked(client: &str, redirect_uri: &str) -> Consent {
    Consent {
        csrf: CSRF.to_owned(),
        request: REQUEST.to_owned(),
        client: client.to_owned(),
        client_host: None,
        redirect_uri: redirect_uri.to_owned(),
        resource: "https://reviews.example.org/mcp".to_owned(),
        person: "ada".to_owned(),
        permissions: Permission::parse("reviews:read reports:write offline_access"),
        is_nothing_ticked: false,
    }
}

fn granted(client: &str, redirect_uri: &str, last_used: Option<&str>) -> Granted {
    Granted {
        client_id: format!("grc_{client}"),
        redirect_uri: redirect_uri.to_owned(),
        client: client.to_owned(),
        client_host: redirect_uri.starts_with("https:").then(|| "claude.ai".to_owned()),
        permissions: Permission::parse("reviews:read offline_access"),
        since: "2026-11-01T09:30:00Z".parse().unwrap(),
        last_used: last_used.map(|time| time.parse().unwrap()),
    }
}

fn connections(granted: Vec<Granted>, disconnected: Option<&str>) -> Response {
    let disconnected = disconnected.map(str::to_owned);
    Connections { csrf: CSRF.to_owned(), person: "ada".to_owned(), granted, disconnected }.answer()
}

fn setup(person: Person, error: Option<&'static str>) -> Response {
    let error = error.map(Into::into);
    Setup { csrf: CSRF.to_owned(), link: "secret-of-the-link".to_owned(), person, error }.answer()
}

fn message(happened: &str) -> Response {
    let advice = "Go back to your client and connect again.".into();
    let back = Some(Back::Home);
    Message { title: "This client is not known", happened: happened.to_owned().into(), advice, back }
        .answer(StatusCode::BAD_REQUEST)
}

/// Pages that know no client.
fn without_clients() -> Vec<(&'static str, Response)> {
    let known = || Person::Known("grace".to_owned());
    vec![
        ("sign-in", SignIn { csrf: CSRF.to_owned(), ..SignIn::default() }.answer()),
        ("sign-in-provider", sign_in_at("Example & Sons", false)),
        ("sign-in-provider-alone", sign_in_at("Example & Sons", true)),
        ("connections-none", connections(Vec::new(), None)),
        ("setup-first", setup(Person::First(String::new()), None)),
        ("setup-known", setup(known(), None)),
        ("setup-error", setup(known(), Some("The two passwords are not the same. Type both again."))),
        ("message", message("The address that it sent you with names a client that this server does not have.")),
    ]
}

/// Pages that show a client of this name.
fn with_clients(name: &str) -> Vec<(&'static str, Response)> {
    let site = "https://claude.ai/api/mcp/auth_callback";
    let program = "http://127.0.0.1:3334/callback";
    let app = "cursor://anysphere.cursor-mcp/oauth/callback";
    let published = Consent { client_host: Some("claude.ai".to_owned()), ..asked(name, site) };
    let unticked = Consent { is_nothing_ticked: true, ..asked(name, site) };
    let all = vec![
        granted(name, site, Some("2026-11-20T12:00:00Z")),
        granted(name, program, None),
        granted(name, app, Some("2026-11-19T08:05:00Z")),
    ];
    vec![
        ("sign-in-client", sign_in(name, None)),
        ("sign-in-wrong", sign_in(name, Some(Refused::Wrong))),
        ("sign-in-wait", sign_in(name, Some(Refused::Wait(Duration::from_secs(847))))),
        ("consent-site", published.answer()),
        ("consent-program", asked(name, program).answer()),
        ("consent-app", asked(name, app).answer()),
        ("consent-nothing", unticked.answer()),
        ("connections", connections(all, Some(name))),
        ("message-client", message(name)),
    ]
}

async fn text(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1_000_000).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The content as it is read: a line for each block, and for each field what a person sees of it.
fn words(page: &str) -> String {
    let main = &page[page.find("<body").unwrap()..page.find("<footer").unwrap()];
    let replaced = |text: &str, tag: &str, by: &str| Regex::new(tag).unwrap().replace_all(text, by).into_owned();
    let text = replaced(main, "<a class=\"skip\".*?</a>|\n", " ");
    let text = replaced(&text, "<input type=\"checkbox\"[^>]* checked>", "[x]");
    let text = replaced(&text, "<input type=\"checkbox\"[^>]*>", "[ ]");
    let text = replaced(&text, "<button[^>]*>([^<]*)", "\n( $1 )");
    let text = replaced(&text, "</?(?:p|h1|h2|dt|dd|legend|label|form|section|div)\\b[^>]*>", "\n");
    let text = replaced(&text, "<[^>]*>", "");
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Every element is closed in order, every attribute quoted, every ampersand escaped; nothing runs.
#[track_caller]
fn is_sound(name: &str, page: &str) {
    let rest = page.strip_prefix("<!DOCTYPE html>\n").expect("a document type");
    let tag = Regex::new(r#"<(/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"<]*")?)*)\s*(/?)>"#).unwrap();
    let mut open = Vec::new();
    for found in tag.captures_iter(rest) {
        let element = found[2].to_owned();
        match (&found[1], &found[4]) {
            ("/", "") => assert_eq!(open.pop(), Some(element), "{name}: closed at {}", &found[0]),
            ("", "/") => assert!(open.contains(&"svg".to_owned()), "{name}: {}", &found[0]),
            _ if ["meta", "link", "input"].contains(&element.as_str()) => {}
            _ => open.push(element),
        }
    }
    assert_eq!(open, Vec::<String>::new(), "{name}: never closed");
    let between = tag.replace_all(rest, "");
    assert!(!between.contains('<') && !between.contains('>'), "{name}: {between}");
    assert!(!Regex::new("&(?:#[0-9]+|[a-z]+);").unwrap().replace_all(rest, "").contains('&'), "{name}");
    assert_eq!(page.matches("<h1").count(), 1, "{name}");
    for forbidden in ["<script", "<style", " style=", "javascript:", "http-equiv"] {
        assert!(!page.contains(forbidden), "{name} has {forbidden}: {page}");
    }
    assert!(!Regex::new(r"<[^>]*\son\w+=").unwrap().is_match(page), "{name}");
}

/// Every form is posted and shows that this server made it; every field has a label, and every id stands once.
#[track_caller]
fn has_sound_forms(name: &str, page: &str) {
    let all = |pattern: &str| -> Vec<String> {
        Regex::new(pattern).unwrap().captures_iter(page).map(|found| found[1].to_owned()).collect()
    };
    for form in all("(?s)(<form.*?</form>)") {
        assert!(form.contains(" method=\"post\" action=\"/"), "{name}: {form}");
        assert!(form.contains(&format!("<input type=\"hidden\" name=\"csrf\" value=\"{CSRF}\">")), "{name}: {form}");
        assert!(form.contains("<button"), "{name}: {form}");
    }
    let id = Regex::new(" id=\"([a-z]+)\"").unwrap();
    for input in all("(<label class=\"tick\"><input[^>]*>|<input[^>]*>)") {
        let label = id.captures(&input).map(|id| format!("<label for=\"{}\">", &id[1]));
        let is_labelled = input.starts_with("<label") || label.is_some_and(|label| page.contains(&label));
        assert!(is_labelled || input.contains("type=\"hidden\""), "{name}: no label: {input}");
    }
    let ids = all(" id=\"([^\"]*)\"");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{name}: {ids:?}");
    for named in all(" aria-(?:labelledby|describedby)=\"([^\"]*)\"").iter().flat_map(|ids| ids.split(' ')) {
        assert!(ids.iter().any(|id| id == named), "{name}: nothing is called {named}");
    }
}

#[tokio::test]
async fn pages_are_well_formed_and_run_nothing_whatever_a_client_calls_itself() {
    let folder = std::env::var_os("PAGE_FILES");
    let hostile = with_clients(HOSTILE).into_iter().map(|(name, response)| (format!("hostile-{name}"), response));
    let usual = without_clients().into_iter().chain(with_clients("Claude Code"));
    for (name, response) in usual.map(|(name, response)| (name.to_owned(), response)).chain(hostile) {
        assert_eq!(response.headers()[header::REFERRER_POLICY], "no-referrer", "{name}");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store", "{name}");
        let page = text(response).await;
        is_sound(&name, &page);
        has_sound_forms(&name, &page);
        if name.starts_with("hostile") {
            assert!(page.contains("&#60;script&#62;alert(1)&#60;/script&#62;&#34;&#39;&#62;"), "{name}: {page}");
        }
        if let Some(folder) = &folder {
            fs::write(Path::new(folder).join(format!("{name}.html")), page).unwrap();
        }
    }
}

/// The ways out of a form that a page's policy names, beside this server.
fn onward(response: &Response) -> String {
    let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    let start =
        "default-src 'none'; style-src 'self'; script-src 'none'; img-src 'self' data:; base-uri 'none'; form-action ";
    policy.strip_prefix(start).unwrap().strip_suffix("; frame-ancestors 'none'").unwrap().to_owned()
}

#[test]
fn a_form_leads_to_this_server_and_that_of_consent_to_where_the_client_goes_on() {
    for (redirect_uri, wanted) in [
        ("https://claude.ai/api/mcp/auth_callback", "https://claude.ai"),
        ("http://127.0.0.1:3334/callback", "http://127.0.0.1:3334"),
        ("cursor://anysphere.cursor-mcp/oauth/callback", "cursor:"),
    ] {
        let wanted = format!("'self' {wanted} https: claude: cursor: vscode: vscode-insiders:");
        assert_eq!(onward(&asked("x", redirect_uri).answer()), wanted);
    }
    assert_eq!(onward(&asked("x", "no address; script-src *").answer()), "'self'");
    assert_eq!(onward(&sign_in("x", None)), "'self'", "a password goes nowhere else");
    for (name, response) in without_clients() {
        assert_eq!(onward(&response), if name == "message" { "'none'" } else { "'self'" }, "{name}");
    }
    assert_eq!(onward(&connections(Vec::new(), None)), "'self'");
}

#[test]
fn a_page_has_the_status_of_what_happened() {
    let refused = [
        (Refused::Wrong, 401, None),
        (Refused::Wait(Duration::from_millis(29_001)), 429, Some("30")),
        (Refused::Unfit, 400, None),
        (Refused::Stale, 403, None),
    ];
    for (refused, status, wait) in refused {
        let response = sign_in("x", Some(refused));
        let told = response.headers().get(header::RETRY_AFTER).map(|value| value.to_str().unwrap());
        assert_eq!((response.status().as_u16(), told), (status, wait), "{refused:?}");
    }
    let unticked = Consent { is_nothing_ticked: true, ..asked("x", "https://claude.ai/") };
    assert_eq!(unticked.answer().status(), 400);
    assert_eq!(setup(Person::First(String::new()), Some("No.")).status(), 400);
    assert_eq!([sign_in("x", None), connections(Vec::new(), None)].map(|page| page.status().as_u16()), [200, 200]);
}

/// Who asks, where it goes on, for which server, what it may do, and that it may be a trick.
#[tokio::test]
async fn con_20_the_page_of_consent_says_what_is_agreed_to() {
    let client_host = Some("claude.ai".to_owned());
    let consent = Consent { client_host, ..asked("Claude", "https://claude.ai/api/mcp/auth_callback") };
    insta::assert_snapshot!("consent", words(&text(consent.answer()).await));
}

/// Any program on a computer can wait at one of its addresses, and any app can lay claim to a scheme.
#[tokio::test]
async fn con_23_the_page_of_consent_warns_of_whoever_else_listens_on_this_computer() {
    for (redirect_uri, wanted) in [
        ("http://127.0.0.1:3334/callback", Some("Any program on this computer can receive what is sent there.")),
        ("http://localhost/callback", Some("Any program on this computer can receive what is sent there.")),
        ("http://[::1]:3334/callback", Some("Any program on this computer can receive what is sent there.")),
        ("cursor://anysphere.cursor-mcp/cb", Some("Any app on this device can lay claim to such an address.")),
        ("https://claude.ai/callback", None),
    ] {
        let words = words(&text(asked("Claude Code", redirect_uri).answer()).await);
        match wanted {
            Some(wanted) => assert!(words.contains(wanted), "{redirect_uri}: {words}"),
            None => assert!(!words.contains("can receive") && !words.contains("lay claim"), "{words}"),
        }
    }
}
