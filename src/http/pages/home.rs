//! The page `/`, for a person who opens the server's address: what this is, how it is, what it costs, how to connect.

use super::{
    Frame, answer,
    policy::Policy,
    words::{Moment, dollars, span},
};
use crate::{
    config::{Auth, AuthMode, Config, Provider},
    health::{Check, State as Condition},
    http::overview::Overview,
    mcp::{Brief, Connection},
    model::Spend,
};
use askama::Template;
use axum::{Router, extract::State, response::Response, routing::get};
use http::StatusCode;
use std::{net::SocketAddr, sync::Arc};

/// What the page says that does not change while the server runs.
#[derive(Debug)]
pub struct Home {
    connection: Connection,
    tools: Vec<Brief>,
    origin: Origin,
    sign_in: SignIn,
    kept: Kept,
}

/// How a client becomes known.
#[derive(Debug)]
enum SignIn {
    /// It need not.
    None,
    /// By a key of the operator.
    Key,
    /// At this issuer.
    Issuer(String),
    /// Here.
    Here,
}

impl SignIn {
    fn needs_key(&self) -> bool {
        matches!(self, Self::Key)
    }

    fn is_here(&self) -> bool {
        matches!(self, Self::Here)
    }

    fn issuer(&self) -> Option<&str> {
        match self {
            Self::Issuer(name) => Some(name),
            Self::None | Self::Key | Self::Here => None,
        }
    }
}

impl From<&Auth> for SignIn {
    fn from(auth: &Auth) -> Self {
        match (auth.mode, &auth.issuer) {
            (AuthMode::None, _) => Self::None,
            (AuthMode::Oauth, Some(issuer)) => Self::Issuer(issuer.clone()),
            (AuthMode::Oauth, None) => Self::Here,
            (AuthMode::ApiKey, _) => Self::Key,
        }
    }
}

/// Where places and reviews come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Google,
    /// The embedded emulator.
    Invented,
    /// An address that the operator set, such as an emulator of theirs.
    Elsewhere,
}

impl Origin {
    fn is_invented(self) -> bool {
        self == Self::Invented
    }

    fn is_elsewhere(self) -> bool {
        self == Self::Elsewhere
    }
}

/// What is kept, and for how long.
#[derive(Debug)]
struct Kept {
    /// Places and reviews, if they are kept at all.
    content: Option<String>,
    /// Whether they are in Redis too.
    is_shared: bool,
    reports: String,
    /// Whether reports hold names and ratings of places.
    names_and_ratings: bool,
}

impl From<&Config> for Kept {
    fn from(config: &Config) -> Self {
        let content = config.cache.places_content_ttl;
        Self {
            content: (!content.is_zero()).then(|| span(content)),
            is_shared: config.cache.redis_url.is_some(),
            reports: span(config.reports.lifetime),
            names_and_ratings: config.reports.keep_google_figures,
        }
    }
}

impl Home {
    /// Of a server that listens here and offers these tools.
    pub fn new(config: &Config, address: SocketAddr, tools: Vec<Brief>) -> Self {
        let endpoint = match &config.server.public_url {
            Some(url) => format!("{}/mcp", url.origin().ascii_serialization()),
            // In a container: its port is published on the machine's own loopback.
            None if address.ip().is_unspecified() => format!("http://127.0.0.1:{}/mcp", address.port()),
            None => format!("http://{address}/mcp"),
        };
        let origin = match config.upstream.provider {
            Provider::Demo => Origin::Invented,
            Provider::Google if config.google.places_url.domain() == Some("places.googleapis.com") => Origin::Google,
            Provider::Google => Origin::Elsewhere,
        };
        let (sign_in, kept) = (SignIn::from(&config.auth), Kept::from(config));
        Self { connection: Connection::new(endpoint), tools, origin, sign_in, kept }
    }

    /// The route of the page.
    pub(in crate::http) fn route(self, overview: Overview) -> Router {
        Router::new().route("/", get(show)).with_state((Arc::new(self), overview))
    }
}

async fn show(State((home, overview)): State<(Arc<Home>, Overview)>) -> Response {
    answer(StatusCode::OK, Policy::Script, &Page::new(&home, &overview))
}

/// The page of one moment.
#[derive(Debug, Template)]
#[template(path = "home.html")]
struct Page<'a> {
    frame: Frame,
    connection: &'a Connection,
    tools: &'a [Brief],
    origin: Origin,
    sign_in: &'a SignIn,
    /// claude.ai calls from its own servers, and by https alone.
    is_reached_by_claude_ai: bool,
    verdict: Line,
    checks: Vec<Line>,
    spend: SpendView,
    kept: &'a Kept,
    /// While the operator looks for a fault.
    results_logged_until: Option<Moment>,
    now: Moment,
}

/// How something is: a mark and a word, so that neither colour nor form must be seen.
#[derive(Debug)]
struct Line {
    title: &'static str,
    class: &'static str,
    mark: &'static str,
    word: &'static str,
    since: Option<Moment>,
}

/// Today's spend.
#[derive(Debug)]
struct SpendView {
    usd: String,
    limit_usd: Option<String>,
    calls: u64,
    limit_calls: Option<u64>,
    /// The part of the nearer limit, in percent, if there is a limit.
    used_percent: Option<String>,
    /// How the part looks: from four fifths on, as a warning.
    class: &'static str,
    is_exhausted: bool,
    resets: Moment,
}

impl<'a> Page<'a> {
    fn new(home: &'a Home, overview: &Overview) -> Self {
        let checks = overview.health.checks();
        Self {
            frame: Frame::new("Google Reviews MCP"),
            connection: &home.connection,
            tools: &home.tools,
            origin: home.origin,
            sign_in: &home.sign_in,
            is_reached_by_claude_ai: home.connection.endpoint().starts_with("https://"),
            verdict: verdict(overview, &checks),
            checks: checks.iter().map(|check| line(check, home.origin)).collect(),
            spend: SpendView::from(overview.spending.today()),
            kept: &home.kept,
            results_logged_until: overview.results_logged_until().map(Moment::from),
            now: Moment::from(overview.health.now()),
        }
    }
}

/// All in one word.
fn verdict(overview: &Overview, checks: &[Check]) -> Line {
    let down = checks.iter().filter(|check| !check.state.is_up()).count();
    let (class, mark, word) = if overview.stopping.is_cancelled() {
        ("down", "▲", "Stopping")
    } else if !overview.health.is_ready() {
        ("down", "▲", "Not ready to serve")
    } else if down > 0 {
        ("down", "▲", "Running, but not everything works")
    } else {
        ("up", "●", "Up and running")
    };
    Line { title: "", class, mark, word, since: None }
}

fn line(check: &Check, origin: Origin) -> Line {
    let title = match (check.name, origin) {
        ("google_places", Origin::Google) => "Google Places API",
        ("google_places", Origin::Invented) => "Built-in demo data",
        ("google_places", Origin::Elsewhere) => "Source of places",
        ("redis", _) => "Redis, the shared cache",
        ("database", _) => "Database",
        ("disk", _) => "Disk space",
        ("issuer", _) => "Sign-in issuer",
        (name, _) => name,
    };
    let (class, mark, word) = match check.state {
        Condition::Up => ("up", "●", "up"),
        Condition::Down(_) => ("down", "▲", "down"),
        Condition::Unknown => ("unknown", "○", "not asked yet"),
    };
    Line { title, class, mark, word, since: Some(Moment::from(check.since)) }
}

impl From<Spend> for SpendView {
    fn from(spend: Spend) -> Self {
        let is_limited = spend.limit_usd.is_some() || spend.limit_calls.is_some();
        Self {
            usd: dollars(spend.usd),
            limit_usd: spend.limit_usd.map(dollars),
            calls: spend.calls,
            limit_calls: spend.limit_calls,
            used_percent: is_limited.then(|| format!("{:.0}", (spend.used_ratio * 100.0).floor())),
            class: if spend.used_ratio < 0.8 { "up" } else { "down" },
            is_exhausted: is_limited && spend.used_ratio >= 1.0,
            resets: Moment::from(spend.resets_at),
        }
    }
}
