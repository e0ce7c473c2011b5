//! The beginning of a connection: plain or TLS, on one port.
//!
//! The first byte tells: a TLS record that begins a handshake is 0x16 (RFC 8446 §5.1), which begins no HTTP request. One
//! port keeps what devices know (SensESP, pypilot, OpenCPN: plain HTTP on 3000) and what browsers are sent on to.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ServerConfig;
use skiff_runtime::server::patience;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::places::Place;
use crate::tls::Tls;

/// Time for a handshake, and before it for its turn; a phone at the edge of the Wi-Fi takes one or two seconds.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// First byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// A connection, ready for HTTP.
pub(super) enum Socket {
    /// As it came.
    Plain(TcpStream),
    /// Through TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Socket {
    /// Tells whether it goes through TLS.
    pub(super) fn is_secure(&self) -> bool {
        matches!(self, Self::Tls(_))
    }
}

/// Makes a connection ready; `None` when nothing comes of it.
pub(super) async fn greet(socket: TcpStream, tls: Option<&Arc<Tls>>, place: &Place) -> Option<Socket> {
    let Some(tls) = tls else { return Some(Socket::Plain(socket)) };
    let mut first = [0];
    let count = timeout(patience::IDLE, socket.peek(&mut first)).await.ok()?.ok()?;
    if count == 0 {
        return None;
    }
    if first != [HANDSHAKE] {
        return Some(Socket::Plain(socket));
    }
    // Who is many waits for itself.
    timeout(HANDSHAKE_TIMEOUT, place.greets()).await.ok()?;
    let config = match tls.at_hand() {
        Some(config) => Some(config),
        None => {
            let tls = Arc::clone(tls);
            // It reads files.
            tokio::task::spawn_blocking(move || tls.look()).await.ok()?
        }
    };
    let stream = shake(socket, config?, HANDSHAKE_TIMEOUT).await;
    place.has_greeted();
    stream.map(|stream| Socket::Tls(Box::new(stream)))
}

/// Does the handshake.
async fn shake(socket: TcpStream, config: Arc<ServerConfig>, within: Duration) -> Option<TlsStream<TcpStream>> {
    match timeout(within, TlsAcceptor::from(config).accept(socket)).await {
        Ok(accepted) => accepted.map_err(|error| log::debug!("TLS: {error}")).ok(),
        Err(_) => {
            log::debug!("TLS: no handshake within {within:?}");
            None
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, out),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, out),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(socket) => socket.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Instant;

    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::super::places::Places;
    use super::*;
    use crate::tls::{Choice, Names};

    /// Has a client send `bytes`, and the server do something with its connection.
    fn met<T>(bytes: &[u8], serve: impl AsyncFnOnce(TcpStream) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            client.write_all(bytes).await.unwrap();
            if bytes.is_empty() {
                client.shutdown().await.unwrap();
            }
            // It stays open until the server is done.
            serve(listener.accept().await.unwrap().0).await
        })
    }

    fn tls() -> Arc<Tls> {
        Arc::new(Tls::open(Choice::Made, false, None, Names::of("boat", &[], &[])).unwrap())
    }

    #[test]
    fn the_first_byte_tells_and_is_not_taken() {
        let place = Places::new(8).take(IpAddr::from([127, 0, 0, 1]), Instant::now()).unwrap();
        let tls = tls();
        let got = met(b"GET", async |socket| match greet(socket, Some(&tls), &place).await {
            Some(Socket::Plain(mut socket)) => {
                let mut got = [0; 3];
                tokio::io::AsyncReadExt::read_exact(&mut socket, &mut got).await.unwrap();
                Some(got)
            }
            _ => None,
        });
        assert_eq!(got, Some(*b"GET"));
        assert!(met(b"", async |socket| greet(socket, Some(&tls), &place).await).is_none(), "nothing came");
        assert!(met(b"\x16 no handshake at all", async |socket| greet(socket, Some(&tls), &place).await).is_none());
    }

    #[test]
    fn a_handshake_that_does_not_go_on_is_given_up() {
        let config = tls().look().unwrap();
        let begun = [HANDSHAKE, 3, 1, 2, 0];
        assert!(met(&begun, async |socket| shake(socket, config, Duration::from_millis(1)).await).is_none());
    }
}
