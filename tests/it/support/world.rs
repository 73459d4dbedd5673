//! A network of a test: names lead to addresses as the test says, these are judged as those of the internet are, and behind
//! each that passes is a host on this machine, which speaks TLS and answers whatever it is told to, also what no server of
//! a library would.

use super::certificate::Certificate;
use google_reviews_mcp::outbound::{Lookup, Network};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    fs, io,
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

/// Where all names lead, unless a test says otherwise.
pub(crate) const PUBLIC: &str = "93.184.215.14";
/// A public address behind which a test puts another host.
pub(crate) const OTHER: &str = "1.1.1.1";
/// The host of the descriptions that tests invent.
pub(crate) const HOST: &str = "client.example";
const NAMES: &[&str] = &[
    HOST,
    "reviews.example.org",
    "claude.ai",
    "claude.ai.evil.com",
    "claude.com",
    "vscode.dev",
    "chatgpt.com",
    "evil.example",
];

/// Clones are the same network.
#[derive(Debug, Clone)]
pub(crate) struct World(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    certificate: Certificate,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// One answer a lookup; the last stays.
    names: HashMap<String, Vec<Vec<IpAddr>>>,
    /// Behind addresses; none: the ordinary host.
    places: HashMap<IpAddr, SocketAddr>,
    host: Option<SocketAddr>,
    replies: HashMap<String, Reply>,
    lookups: Vec<String>,
    reached: Vec<IpAddr>,
    connections: usize,
    requests: Vec<Request>,
}

/// What a host was asked.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) address: String,
    /// In small letters.
    pub(crate) head: String,
}

/// What a host answers, byte by byte.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    bytes: Vec<u8>,
    then: Then,
}

#[derive(Debug, Clone)]
enum Then {
    End,
    /// Nothing more, and the connection stays.
    Wait,
    /// This again and again.
    Repeat(Vec<u8>),
    /// These, each when the test allows it.
    Pace(Vec<u8>, Arc<Semaphore>),
}

impl Reply {
    /// An answer with these lines of its head and this body.
    pub(crate) fn new(status: u16, head: &[&str], body: impl AsRef<[u8]>) -> Self {
        let head: String = head.iter().flat_map(|line| [*line, "\r\n"]).collect();
        let length = format!("content-length: {}\r\n", body.as_ref().len());
        let start = format!("HTTP/1.1 {status} x\r\n{head}{length}connection: close\r\n\r\n");
        Self::raw([start.as_bytes(), body.as_ref()].concat())
    }

    /// A document, with a line of its head about how long it may be kept.
    pub(crate) fn document(document: &Value, cache_control: &str) -> Self {
        let kept = format!("cache-control: {cache_control}");
        Self::new(200, &["content-type: application/json", &kept], document.to_string())
    }

    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), then: Then::End }
    }

    pub(crate) fn then_wait(self) -> Self {
        Self { then: Then::Wait, ..self }
    }

    /// The bytes one by one, each when the test allows it.
    pub(crate) fn paced(self, pace: &Arc<Semaphore>) -> Self {
        Self { bytes: Vec::new(), then: Then::Pace(self.bytes, Arc::clone(pace)) }
    }

    pub(crate) fn then_repeat(self, piece: impl Into<Vec<u8>>) -> Self {
        Self { then: Then::Repeat(piece.into()), ..self }
    }
}

/// The description of a client without a secret, which takes answers at its own host.
pub(crate) fn description(address: &str) -> Value {
    let host = address.strip_prefix("https://").unwrap().split('/').next().unwrap();
    json!({
        "client_id": address,
        "client_name": "Described",
        "redirect_uris": [format!("https://{host}/callback")],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    })
}

impl World {
    pub(crate) async fn new() -> Self {
        let world = Self(Arc::new(Inner { certificate: Certificate::of(NAMES), state: Mutex::default() }));
        for name in NAMES {
            world.name(name, &[&[PUBLIC]]);
        }
        let host = world.host_with(&world.certificate().chain(), &world.certificate().key()).await;
        world.state().host = Some(host);
        world
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    pub(crate) fn certificate(&self) -> &Certificate {
        &self.0.certificate
    }

    /// Where a name leads, lookup by lookup; the last stays.
    pub(crate) fn name(&self, name: &str, answers: &[&[&str]]) {
        let answer = |addresses: &&[&str]| addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.state().names.insert(name.to_owned(), answers.iter().map(answer).collect());
    }

    /// What is behind an address.
    pub(crate) fn place(&self, address: &str, place: SocketAddr) {
        self.state().places.insert(address.parse().unwrap(), place);
    }

    /// What is at an address of a document.
    pub(crate) fn publish(&self, address: &str, reply: Reply) {
        self.state().replies.insert(address.to_owned(), reply);
    }

    /// A description there.
    pub(crate) fn publish_usual(&self, address: &str) {
        self.publish(address, Reply::document(&description(address), "max-age=3600"));
    }

    /// The names that were looked up.
    pub(crate) fn lookups(&self) -> Vec<String> {
        self.state().lookups.clone()
    }

    /// The addresses that were found good to be connected to.
    pub(crate) fn reached(&self) -> Vec<IpAddr> {
        self.state().reached.clone()
    }

    /// How many connections hosts took.
    pub(crate) fn connections(&self) -> usize {
        self.state().connections
    }

    /// What hosts were asked.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    /// One more host, with another certificate.
    pub(crate) async fn host_with(&self, chain: &Path, key: &Path) -> SocketAddr {
        let chain = CertificateDer::pem_slice_iter(&fs::read(chain).unwrap()).map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        let settings = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let settings = settings.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let acceptor = TlsAcceptor::from(Arc::new(settings.with_single_cert(chain, key).unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let world = self.clone();
        tokio::spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                world.state().connections += 1;
                let (world, acceptor) = (world.clone(), acceptor.clone());
                tokio::spawn(async move { world.answer(connection, acceptor).await });
            }
        });
        address
    }

    /// Whoever hangs up early has their reasons.
    async fn answer(&self, connection: TcpStream, acceptor: TlsAcceptor) -> io::Result<()> {
        let mut stream = acceptor.accept(connection).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8(head).unwrap();
        let path = head.split(' ').nth(1).unwrap().to_owned();
        let head = head.to_ascii_lowercase();
        let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        let address = format!("https://{host}{path}");
        let reply = {
            let mut state = self.state();
            state.requests.push(Request { address: address.clone(), head: head.clone() });
            state.replies.get(&address).cloned().unwrap_or_else(|| Reply::new(404, &[], "nothing here"))
        };
        stream.write_all(&reply.bytes).await?;
        match reply.then {
            Then::End => stream.shutdown().await,
            Then::Wait => std::future::pending().await,
            Then::Pace(bytes, pace) => {
                for byte in bytes {
                    pace.acquire().await.unwrap().forget();
                    stream.write_all(&[byte]).await?;
                    stream.flush().await?;
                }
                stream.shutdown().await
            }
            Then::Repeat(piece) => loop {
                stream.write_all(&piece).await?;
                stream.flush().await?;
            },
        }
    }
}

impl Network for World {
    fn lookup(&self, host: &str) -> Lookup {
        let mut state = self.state();
        state.lookups.push(host.to_owned());
        let answers = state.names.get_mut(host);
        let answer = answers.map(|answers| if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() });
        Box::pin(async move { answer.ok_or(io::Error::from(io::ErrorKind::NotFound)) })
    }

    fn place_of(&self, address: IpAddr) -> SocketAddr {
        let mut state = self.state();
        state.reached.push(address);
        state.places.get(&address).copied().or(state.host).unwrap()
    }

    fn authorities(&self) -> Option<Vec<reqwest::Certificate>> {
        let authority = fs::read(self.certificate().authority()).unwrap();
        Some(vec![reqwest::Certificate::from_pem(&authority).unwrap()])
    }
}
