//! Bytes on a socket, for requests that no HTTP library would send.

use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

/// Longer than any deadline that a test sets: a server that hangs fails the test instead of stopping it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection that is kept.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    read: Vec<u8>,
}

/// One answer on it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Status line and headers.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The code of a problem.
    pub(crate) fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self::try_open(address).await.expect("a connection")
    }

    pub(crate) async fn try_open(address: SocketAddr) -> std::io::Result<Self> {
        Ok(Self { stream: TcpStream::connect(address).await?, read: Vec::new() })
    }

    /// From this address of the machine.
    pub(crate) async fn from(source: &str, address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{source}:0").parse().unwrap()).unwrap();
        Self { stream: socket.connect(address).await.expect("a connection"), read: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: &str) {
        self.stream.write_all(bytes.as_bytes()).await.expect("sent");
    }

    /// The next answer; none if the connection ends before it.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        let end = loop {
            if let Some(end) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8(self.read.drain(..end).collect()).unwrap();
        let mut answer = Answer { status: status(&head), head, body: String::new() };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        while self.read.len() < length {
            self.more().await?;
        }
        answer.body = String::from_utf8(self.read.drain(..length).collect()).unwrap();
        Some(answer)
    }

    /// Whether the server ends the connection, with nothing more to read.
    pub(crate) async fn is_ended(&mut self) -> bool {
        self.more().await.is_none() && self.read.is_empty()
    }

    /// Reads a piece; none at the end of the connection.
    async fn more(&mut self) -> Option<()> {
        match timeout(PATIENCE, self.stream.read_buf(&mut self.read)).await.expect("an answer or an end") {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(()),
        }
    }
}

/// One request on a connection of its own, and whether the server ended that connection after its answer.
pub(crate) async fn once(address: SocketAddr, request: &str) -> (Option<Answer>, bool) {
    let mut connection = Connection::open(address).await;
    connection.send(request).await;
    let answer = connection.answer().await;
    let is_last = answer.as_ref().is_none_or(|answer| answer.header("connection") == Some("close"));
    (answer, is_last && connection.is_ended().await)
}

/// Sends `request` and returns everything up to the end of the connection, or what came within two seconds.
pub(crate) async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    let _ = timeout(Duration::from_secs(2), stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// A whole POST to `/mcp` with these headers (each ending in CRLF), closing the connection.
pub(crate) fn post(headers: &str, body: &str) -> String {
    format!(
        "POST /mcp HTTP/1.1\r\n{headers}content-type: application/json\r\naccept: application/json, text/event-stream\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// The status of an answer.
pub(crate) fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}
