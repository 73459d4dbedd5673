//! How a person tells a client of this server: the line to paste, the link to click, the settings to write.
//!
//! Sources: the documentation of Claude Code (`claude mcp add`), of Cursor (install links), and of VS Code (`mcp.json`,
//! `code --add-mcp`, `vscode:mcp/install`).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

/// The name under which clients list this server.
const NAME: &str = "google-reviews";

/// The endpoint, in the words of each client.
#[derive(Debug, Clone)]
pub struct Connection {
    endpoint: String,
}

impl Connection {
    /// To the endpoint at this URL.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self { endpoint: endpoint.into() }
    }

    /// The URL that clients connect to.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The command of Claude Code.
    pub fn claude_code(&self) -> String {
        format!("claude mcp add --transport http {NAME} {}", self.endpoint)
    }

    /// The link that Cursor installs from.
    pub fn cursor_link(&self) -> String {
        let settings = STANDARD.encode(json!({"url": self.endpoint}).to_string());
        format!("cursor://anysphere.cursor-deeplink/mcp/install?name={NAME}&config={}", in_a_url(&settings))
    }

    /// The link that VS Code installs from.
    pub fn vs_code_link(&self) -> String {
        format!("vscode:mcp/install?{}", in_a_url(&self.for_vs_code().to_string()))
    }

    /// The command of VS Code.
    pub fn vs_code(&self) -> String {
        format!("code --add-mcp '{}'", self.for_vs_code())
    }

    /// The settings that most clients read from a file.
    pub fn settings(&self) -> String {
        let settings = json!({"mcpServers": {NAME: {"type": "http", "url": self.endpoint}}});
        serde_json::to_string_pretty(&settings).unwrap_or_default()
    }

    fn for_vs_code(&self) -> Value {
        json!({"name": NAME, "type": "http", "url": self.endpoint})
    }
}

fn in_a_url(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}
