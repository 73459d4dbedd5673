//! How strangers' names become addresses, and addresses connections. The product has the internet; whoever builds the
//! server in a program of their own, as tests do, may bring another network, on which the same rules hold.

use reqwest::Certificate;
use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
};

/// The port of https: strangers name no other.
const PORT: u16 = 443;

/// An answer that comes.
pub type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// A network with names.
pub trait Network: fmt::Debug + Send + Sync + 'static {
    /// All addresses of a host, of both kinds.
    fn lookup(&self, host: &str) -> Lookup;

    /// Where a connection to an address goes, after the address was judged.
    fn place_of(&self, address: IpAddr) -> SocketAddr {
        SocketAddr::new(address, PORT)
    }

    /// Whose certificates are believed; nothing: those of the authorities that the machine believes.
    fn authorities(&self) -> Option<Vec<Certificate>> {
        None
    }
}

/// The internet, as this machine sees it.
#[derive(Debug, Clone, Copy)]
pub struct Internet;

impl Network for Internet {
    fn lookup(&self, host: &str) -> Lookup {
        // The dot at its end makes a name whole: a machine in a cluster would try names of its own network first.
        let whole = format!("{host}.");
        Box::pin(async move {
            let found = tokio::net::lookup_host((whole, PORT)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}
