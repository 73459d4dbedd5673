//! A certificate for `localhost`, made for one test, and whoever trusts it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tempfile::TempDir;

/// A certificate, its key, and the authority that issued it.
pub(crate) struct Certificate {
    folder: TempDir,
}

const KEY: [&str; 5] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

impl Certificate {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let (authority, authority_key) = (at("authority.pem"), at("authority.key"));
        request(&[&["-keyout", &authority_key, "-out", &authority, "-subj", "/CN=Authority of a test"]]);
        let issuer = ["-CA", &authority, "-CAkey", &authority_key, "-subj", "/CN=localhost"];
        let names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"];
        request(&[&["-keyout", &at("privkey.pem"), "-out", &at("fullchain.pem")], &issuer, &names]);
        Self { folder }
    }

    pub(crate) fn chain(&self) -> PathBuf {
        self.folder.path().join("fullchain.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("privkey.pem")
    }

    /// Somebody who trusts it.
    pub(crate) fn client(&self) -> reqwest::Client {
        trusting(&self.folder.path().join("authority.pem"))
    }
}

/// Somebody who trusts this authority, and follows nothing by himself.
pub(crate) fn trusting(authority: &Path) -> reqwest::Client {
    let authority = reqwest::Certificate::from_pem(&fs::read(authority).unwrap()).unwrap();
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    client.timeout(Duration::from_mins(2)).tls_certs_only([authority]).build().unwrap()
}

fn request(arguments: &[&[&str]]) {
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-days", "2"]).args(KEY).args(arguments.concat());
    let output = command.output().unwrap_or_else(|error| panic!("openssl ({error}): tests/run installs it"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
