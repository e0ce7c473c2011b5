//! One WebSocket client of a delta stream or a binary stream (RFC 6455).

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use skiff_runtime::http::Request;
use skiff_runtime::server::stream::StreamText;
use skiff_runtime::server::{Response, patience};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::{self, error::ProtocolError};

use super::{CarrierEvent, Shared, http};

/// Texts between the gateway and a client's socket; behind it the core keeps only the latest of each path.
const TEXTS_MAX: usize = 16;
/// Longest text a client may send, bytes; a subscription of 64 paths has about 10 KiB.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Time that a client has to take part in the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes that wait to be written before a client counts as slow.
const WRITE_BYTES_MAX: usize = 256 * 1024;

/// A message on its way to a client.
#[derive(Clone, Debug)]
pub enum StreamMessage {
    /// A text.
    Text(StreamText),
    /// A frame of a binary stream.
    Binary(Arc<[u8]>),
    /// Close the connection, the client takes too little.
    TooSlow,
}

/// The gateway's end of a client: texts go in, never waiting.
#[derive(Debug)]
pub struct StreamLink {
    key: u64,
    texts: mpsc::Sender<StreamMessage>,
    /// The gateway has more for it: the client wakes the gateway when there is room.
    starved: Arc<AtomicBool>,
}

impl StreamLink {
    /// Returns the number that the client's events carry.
    #[must_use]
    pub fn key(&self) -> u64 {
        self.key
    }

    /// Tells whether the client is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.texts.is_closed()
    }

    /// Gives the client messages from `next` until it is full or there are none.
    pub fn fill(&self, mut next: impl FnMut() -> Option<StreamMessage>) {
        loop {
            // Set before the try: room that comes up after it wakes the gateway.
            self.starved.store(true, Ordering::SeqCst);
            match self.texts.try_reserve() {
                Ok(room) => match next() {
                    Some(message) => room.send(message),
                    None => break,
                },
                Err(TrySendError::Full(())) => return,
                Err(TrySendError::Closed(())) => break,
            }
        }
        self.starved.store(false, Ordering::SeqCst);
    }
}

/// Asks the core whether the client may have a stream, and upgrades the connection when it may.
pub(super) async fn open(
    shared: &Arc<Shared>,
    request: Request,
    upgrade: WebSocketUpgrade,
) -> axum::response::Response {
    let key = shared.next_stream.fetch_add(1, Ordering::Relaxed);
    let (texts, outgoing) = mpsc::channel(TEXTS_MAX);
    let starved = Arc::new(AtomicBool::new(false));
    let link = StreamLink { key, texts, starved: Arc::clone(&starved) };
    let (answer, answered) = oneshot::channel();
    if shared.events.send(CarrierEvent::OpenStream { request, answer, link }).await.is_err() {
        return http::respond(Response::error(503, "the gateway is stopping"));
    }
    shared.waker.wake();
    match answered.await {
        Ok(Ok(())) => {}
        Ok(Err(refused)) => return http::respond(refused),
        Err(_) => return http::respond(Response::error(503, "the gateway is stopping")),
    }
    let client = Client { key, outgoing, starved, shared: Arc::clone(shared) };
    upgrade
        .max_message_size(TEXT_BYTES_MAX)
        .max_frame_size(TEXT_BYTES_MAX)
        .max_write_buffer_size(WRITE_BYTES_MAX)
        .on_upgrade(move |socket| client.serve(socket))
}

/// How a client's stream ends.
enum Ending {
    /// There is nobody to say goodbye to.
    Gone,
    /// The client closes it, and is answered by the library.
    Asked,
    /// We close it, with a code and a reason (RFC 6455 §7.4.1).
    With(u16, &'static str),
}

/// Returns how a stream ends whose client broke the protocol.
fn violation(error: axum::Error) -> Ending {
    match error.into_inner().downcast_ref() {
        Some(tungstenite::Error::Capacity(_)) => Ending::With(close_code::SIZE, "the message is too long"),
        Some(tungstenite::Error::Utf8(_)) => Ending::With(close_code::INVALID, "the text is not UTF-8"),
        Some(tungstenite::Error::Protocol(error)) if !matches!(error, ProtocolError::ResetWithoutClosingHandshake) => {
            Ending::With(close_code::PROTOCOL, "the frame breaks RFC 6455")
        }
        _ => Ending::Gone,
    }
}

/// Ends a stream with the closing handshake (RFC 6455 §7.1.2).
async fn end(socket: &mut WebSocket, ending: Ending) {
    match ending {
        Ending::Gone => return,
        // Reading on sends the answer, until the connection is over.
        Ending::Asked => {}
        Ending::With(code, reason) => {
            let frame = CloseFrame { code, reason: reason.into() };
            if socket.send(Message::Close(Some(frame))).await.is_err() {
                return;
            }
        }
    }
    while let Some(Ok(_)) = socket.recv().await {}
}

struct Client {
    key: u64,
    outgoing: mpsc::Receiver<StreamMessage>,
    starved: Arc<AtomicBool>,
    shared: Arc<Shared>,
}

impl Drop for Client {
    /// The gateway sees the closed channel at its next turn, so it needs one.
    fn drop(&mut self) {
        self.outgoing.close();
        self.shared.waker.wake();
    }
}

impl Client {
    async fn serve(mut self, mut socket: WebSocket) {
        let mut pings = tokio::time::interval(patience::PING);
        pings.tick().await;
        let mut heard = true;
        let close = loop {
            let outcome: ControlFlow<Ending> = tokio::select! {
                message = self.outgoing.recv() => match message {
                    Some(StreamMessage::Text(text)) => match Utf8Bytes::try_from(Bytes::from_owner(text)) {
                        Ok(text) => self.send(&mut socket, Message::Text(text)).await,
                        // A text is UTF-8.
                        Err(_) => ControlFlow::Break(Ending::Gone),
                    },
                    Some(StreamMessage::Binary(frame)) => {
                        self.send(&mut socket, Message::Binary(Bytes::from_owner(frame))).await
                    }
                    Some(StreamMessage::TooSlow) => ControlFlow::Break(Ending::With(close_code::POLICY, "too slow")),
                    None => ControlFlow::Break(Ending::With(close_code::AWAY, "the gateway is stopping")),
                },
                received = socket.recv() => {
                    heard = true;
                    match received {
                        Some(Ok(message)) => self.receive(message).await,
                        Some(Err(error)) => ControlFlow::Break(violation(error)),
                        None => ControlFlow::Break(Ending::Gone),
                    }
                }
                _ = pings.tick() => {
                    if heard {
                        heard = false;
                        self.send(&mut socket, Message::Ping(Vec::new().into())).await
                    } else {
                        ControlFlow::Break(Ending::Gone)
                    }
                }
            };
            if let ControlFlow::Break(ending) = outcome {
                break ending;
            }
        };
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, end(&mut socket, close)).await;
    }

    async fn send(&self, socket: &mut WebSocket, message: Message) -> ControlFlow<Ending> {
        if self.starved.swap(false, Ordering::SeqCst) {
            self.shared.waker.wake();
        }
        match tokio::time::timeout(patience::STALL, socket.send(message)).await {
            Ok(Ok(())) => ControlFlow::Continue(()),
            Ok(Err(_)) | Err(_) => ControlFlow::Break(Ending::Gone),
        }
    }

    async fn receive(&self, message: Message) -> ControlFlow<Ending> {
        let text = match message {
            Message::Text(text) => text.as_str().to_owned(),
            Message::Close(_) => return ControlFlow::Break(Ending::Asked),
            // Some clients send their JSON as bytes.
            Message::Binary(bytes) => match String::from_utf8(bytes.into()) {
                Ok(text) => text,
                Err(_) => return ControlFlow::Break(Ending::With(close_code::UNSUPPORTED, "messages are JSON")),
            },
            // Pings are answered by the library.
            Message::Ping(_) | Message::Pong(_) => return ControlFlow::Continue(()),
        };
        if self.shared.events.send(CarrierEvent::StreamText { key: self.key, text }).await.is_err() {
            return ControlFlow::Break(Ending::With(close_code::AWAY, "the gateway is stopping"));
        }
        self.shared.waker.wake();
        ControlFlow::Continue(())
    }
}
