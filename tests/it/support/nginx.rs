//! A real nginx in front of a server, with a configuration and a folder of its own, ended when it is dropped.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    time::Duration,
};

const PROGRAM: &str = "/usr/sbin/nginx";

/// A running nginx.
pub(crate) struct Nginx {
    child: Child,
    _folder: tempfile::TempDir,
    pub(crate) address: SocketAddr,
}

impl Nginx {
    /// Passes everything on to `server`, on connections that it keeps, and says from where it came.
    pub(crate) async fn in_front_of(server: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
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
        let file = folder.path().join("nginx.conf");
        fs::write(&file, configuration).unwrap();
        let mut command = Command::new(PROGRAM);
        command.arg("-p").arg(folder.path()).arg("-c").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| panic!("{PROGRAM} ({error}): tests/run installs it"));
        let nginx = Self { child, _folder: folder, address };
        while tokio::net::TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
