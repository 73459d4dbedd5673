//! A real Caddy with the configuration in `deploy/caddy`, in a folder of its own, ended when it is dropped.

use super::certificate::trusting;
use std::{
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

/// A running Caddy.
pub(crate) struct Caddy {
    child: Child,
    folder: TempDir,
    /// `https://localhost:PORT`
    pub(crate) base: String,
    /// The same by plain http.
    pub(crate) plain: String,
}

impl Caddy {
    /// In front of `server`, on this port, as `localhost` with a certificate of its own authority.
    pub(crate) async fn in_front_of(server: SocketAddr, port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plain_port = super::free_port();
        let mut command = Command::new("caddy");
        command.args(["run", "--adapter", "caddyfile", "--config", "deploy/caddy/Caddyfile"]);
        command.env("REVIEWS_DOMAIN", "localhost").env("REVIEWS_UPSTREAM", server.to_string());
        command.env("HTTPS_PORT", port.to_string()).env("HTTP_PORT", plain_port.to_string());
        for name in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            command.env(name, folder.path());
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|error| panic!("caddy ({error}): tests/run installs it"));
        let (base, plain) = (format!("https://localhost:{port}"), format!("http://localhost:{plain_port}"));
        let caddy = Self { child, folder, base, plain };
        super::until("Caddy serves with a certificate", async || {
            caddy.authority().exists() && caddy.client().get(&caddy.base).send().await.is_ok()
        })
        .await;
        caddy
    }

    /// Somebody who trusts its authority.
    pub(crate) fn client(&self) -> reqwest::Client {
        trusting(&self.authority())
    }

    fn authority(&self) -> PathBuf {
        self.folder.path().join("caddy/pki/authorities/local/root.crt")
    }
}

impl Drop for Caddy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
