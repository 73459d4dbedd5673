//! A certificate, for `localhost` or other names, made for one test, and whoever trusts it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tempfile::TempDir;

/// A certificate, its key, and the authority that issued it.
#[derive(Debug)]
pub(crate) struct Certificate {
    folder: TempDir,
}

const KEY: [&str; 5] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

impl Certificate {
    /// For `localhost`.
    pub(crate) fn new() -> Self {
        Self::of(&["localhost"])
    }

    /// For these names.
    pub(crate) fn of(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let (authority, authority_key) = (at("authority.pem"), at("authority.key"));
        request(&[&["-keyout", &authority_key, "-out", &authority, "-subj", "/CN=Authority of a test"]]);
        let issuer = ["-CA", &authority, "-CAkey", &authority_key, "-subj", "/CN=Host of a test"];
        let names = format!("subjectAltName={},IP:127.0.0.1", dns(names));
        let names = ["-addext", &names, "-addext", "basicConstraints=CA:FALSE"];
        request(&[&["-keyout", &at("privkey.pem"), "-out", &at("fullchain.pem")], &issuer, &names]);
        Self { folder }
    }

    pub(crate) fn chain(&self) -> PathBuf {
        self.folder.path().join("fullchain.pem")
    }

    /// One more of the same authority and key, for these names, that ended long ago.
    pub(crate) fn expired(&self, names: &[&str]) -> PathBuf {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let settings = format!(
            "[ca]\ndefault_ca=here\n[here]\ndatabase={}\nserial={}\nnew_certs_dir={}\ndefault_md=sha256\n\
             policy=any\nx509_extensions=names\n[any]\ncommonName=supplied\n[names]\nsubjectAltName={}\n",
            at("issued"),
            at("serial"),
            self.folder.path().display(),
            dns(names)
        );
        for (name, text) in [("settings", settings.as_str()), ("issued", ""), ("serial", "01")] {
            fs::write(at(name), text).unwrap();
        }
        let (request, key, chain) = (at("request.pem"), at("privkey.pem"), at("expired.pem"));
        openssl(&["req", "-new", "-key", &key, "-subj", "/CN=Host of a test", "-out", &request]);
        let (authority, authority_key, settings) = (at("authority.pem"), at("authority.key"), at("settings"));
        let dates = ["-startdate", "20240101000000Z", "-enddate", "20250101000000Z"];
        let by = ["-config", &settings, "-cert", &authority, "-keyfile", &authority_key];
        let whole = [&["ca", "-batch", "-notext", "-in", &request, "-out", &chain][..], &by, &dates].concat();
        openssl(&whole);
        chain.into()
    }

    /// Whom one must trust.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("privkey.pem")
    }

    /// Somebody who trusts it.
    pub(crate) fn client(&self) -> reqwest::Client {
        trusting(&self.authority())
    }
}

/// Somebody who trusts this authority, and follows nothing by himself.
pub(crate) fn trusting(authority: &Path) -> reqwest::Client {
    let authority = reqwest::Certificate::from_pem(&fs::read(authority).unwrap()).unwrap();
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    client.timeout(Duration::from_mins(2)).tls_certs_only([authority]).build().unwrap()
}

fn dns(names: &[&str]) -> String {
    names.iter().map(|name| format!("DNS:{name}")).collect::<Vec<_>>().join(",")
}

fn request(arguments: &[&[&str]]) {
    openssl(&[&["req", "-x509", "-days", "2"], &KEY[..], &arguments.concat()].concat());
}

fn openssl(arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("openssl ({error}): tests/run installs it"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
