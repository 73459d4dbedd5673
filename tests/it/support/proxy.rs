//! A TCP proxy that delays, cuts, stalls or garbles what goes through it.

use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::watch,
};

/// What the proxy does to bytes and connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Lets everything through.
    Through,
    /// The same, each piece this much later.
    Delay(Duration),
    /// Breaks all connections and refuses new ones at once.
    Cut,
    /// Takes bytes and lets none through.
    Stall,
    /// Keeps bytes until the mode changes, and then lets them through.
    Hold,
    /// Answers garbage in place of what the other side says.
    Corrupt,
    /// One byte of the answer at a time, each this much later.
    Trickle(Duration),
}

/// A running proxy; it ends with the test's runtime.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    mode: Arc<watch::Sender<Mode>>,
}

impl Proxy {
    /// Starts in front of `target`.
    pub(crate) async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, receiver) = watch::channel(Mode::Through);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let mode = receiver.clone();
                tokio::spawn(connection(client, target, mode));
            }
        });
        Self { address, mode: Arc::new(sender) }
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

async fn connection(client: TcpStream, target: SocketAddr, mode: watch::Receiver<Mode>) {
    if *mode.borrow() == Mode::Cut {
        return;
    }
    let Ok(server) = TcpStream::connect(target).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let cut = async {
        let _ = mode.clone().wait_for(|mode| *mode == Mode::Cut).await;
    };
    let (up, down) = (mode.clone(), mode.clone());
    tokio::select! {
        () = pump(from_client, to_server, up, false) => {}
        () = pump(from_server, to_client, down, true) => {}
        () = cut => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut mode: watch::Receiver<Mode>, is_answer: bool) {
    let mut piece = [0_u8; 4096];
    while let Ok(length) = from.read(&mut piece).await {
        if length == 0 {
            return;
        }
        let Ok(now) = mode.wait_for(|mode| *mode != Mode::Hold).await.map(|mode| *mode) else { return };
        if pass(now, &piece[..length], &mut to, is_answer).await.is_err() {
            return;
        }
    }
}

async fn pass(mode: Mode, bytes: &[u8], to: &mut OwnedWriteHalf, is_answer: bool) -> std::io::Result<()> {
    match mode {
        Mode::Delay(delay) => {
            tokio::time::sleep(delay).await;
            to.write_all(bytes).await
        }
        Mode::Stall => Ok(()),
        Mode::Corrupt if is_answer => to.write_all(&vec![b'?'; bytes.len()]).await,
        Mode::Trickle(delay) if is_answer => {
            for byte in bytes {
                tokio::time::sleep(delay).await;
                to.write_all(&[*byte]).await?;
            }
            Ok(())
        }
        Mode::Through | Mode::Hold | Mode::Corrupt | Mode::Trickle(_) | Mode::Cut => to.write_all(bytes).await,
    }
}
