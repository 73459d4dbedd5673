//! A real nginx in front of servers, with a folder of its own, ended when it is dropped: as simple as can be, or with the
//! configuration in `deploy/nginx`.

use super::certificate::Certificate;
use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

const PROGRAM: &str = "/usr/sbin/nginx";

/// A running nginx.
pub(crate) struct Nginx {
    child: Child,
    folder: tempfile::TempDir,
    pub(crate) address: SocketAddr,
    /// Where plain http is sent on, with the configuration in `deploy/nginx`.
    pub(crate) plain: SocketAddr,
}

impl Nginx {
    /// Passes everything on to `server`, on connections that it keeps, and says from where it came.
    pub(crate) async fn in_front_of(server: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], super::free_port()));
        let at = folder.path().display();
        let configuration = format!(
            "daemon off; master_process off; pid {at}/pid; error_log {at}/error.log;
            events {{ worker_connections 256; }}
            http {{
                access_log off; client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;
                fastcgi_temp_path {at}/fastcgi; uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;
                upstream server {{ server {server}; keepalive 4; }}
                server {{
                    listen {address};
                    location / {{
                        proxy_pass http://server; proxy_http_version 1.1; proxy_set_header Connection \"\";
                        proxy_set_header Host {server}; proxy_set_header X-Forwarded-For $remote_addr;
                    }}
                }}
            }}"
        );
        Self::run(folder, &configuration, address, address).await
    }

    /// With the configuration in `deploy/nginx`, as `localhost` on this port.
    pub(crate) async fn deployed(port: u16, servers: &[SocketAddr], certificate: &Certificate) -> Self {
        Self::as_deployed(port, servers, certificate, " ssl http2").await
    }

    /// The same without TLS, for requests that are written byte by byte.
    pub(crate) async fn deployed_without_tls(port: u16, servers: &[SocketAddr], certificate: &Certificate) -> Self {
        Self::as_deployed(port, servers, certificate, "").await
    }

    async fn as_deployed(port: u16, servers: &[SocketAddr], certificate: &Certificate, tls: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The processes that do the work are not those of root.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let plain = SocketAddr::from(([127, 0, 0, 1], super::free_port()));
        let configuration = localized(folder.path(), (address, tls), plain, servers, certificate);
        Self::run(folder, &configuration, address, plain).await
    }

    async fn run(folder: tempfile::TempDir, configuration: &str, address: SocketAddr, plain: SocketAddr) -> Self {
        let file = folder.path().join("nginx.conf");
        fs::write(&file, configuration).unwrap();
        let mut command = Command::new(PROGRAM);
        command.arg("-p").arg(folder.path()).arg("-c").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| panic!("{PROGRAM} ({error}): tests/run installs it"));
        let mut nginx = Self { child, folder, address, plain };
        while tokio::net::TcpStream::connect(address).await.is_err() {
            assert!(nginx.child.try_wait().unwrap().is_none(), "{}", nginx.log("error.log"));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        nginx
    }

    /// What it wrote so far.
    pub(crate) fn log(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// How many of the requests so far went to this server.
    pub(crate) fn sent_to(&self, server: SocketAddr) -> usize {
        self.log("access.log").lines().filter(|line| line.contains(&format!(" {server} "))).count()
    }
}

/// The configuration in `deploy/nginx` with the names and places of a test; everything else is as it stands there.
fn localized(
    folder: &Path,
    (address, tls): (SocketAddr, &str),
    plain: SocketAddr,
    servers: &[SocketAddr],
    certificate: &Certificate,
) -> String {
    let text = fs::read_to_string("deploy/nginx/nginx.conf").unwrap();
    let other = |line: &&str| !line.contains("[::]:") && !line.contains("#server 127.0.0.1");
    let mut text = text.lines().filter(other).collect::<Vec<_>>().join("\n");
    let at = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {at}/{name}; "))
        .concat();
    let server = "server 127.0.0.1:8080 max_fails=1 fail_timeout=1s;";
    let servers: String =
        servers.iter().map(|address| server.replace("127.0.0.1:8080", &address.to_string())).collect();
    for (here, there) in [
        ("worker_processes auto;", "daemon off; worker_processes 2;".to_owned()),
        ("/run/nginx.pid", format!("{at}/pid")),
        ("/var/log/nginx", at.to_string()),
        ("server_tokens off;", format!("server_tokens off; {temporary}")),
        (server, servers),
        ("listen 80", format!("listen {plain}")),
        ("listen 443 ssl http2", format!("listen {address}{tls}")),
        ("server_name reviews.example.com", "server_name localhost".to_owned()),
        ("/etc/nginx/certificates/fullchain.pem", certificate.chain().display().to_string()),
        ("/etc/nginx/certificates/privkey.pem", certificate.key().display().to_string()),
    ] {
        assert!(text.contains(here), "deploy/nginx/nginx.conf has no {here}");
        text = text.replace(here, &there);
    }
    text
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The first process ends the others.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}
