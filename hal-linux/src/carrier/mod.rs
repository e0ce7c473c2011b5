//! Carries HTTP and WebSocket between the network and the gateway thread.
//!
//! The core decides everything: routes, access, bodies. This floor only turns sockets into
//! [`Request`]s on a bounded channel and [`Response`]s into bytes, and keeps clients from holding
//! more than their share: connections, header and body sizes, times.

mod admin_ui;
mod beneath;
mod compress;
mod greeting;
mod http;
mod places;
mod plain;
mod serial_ports;
mod stream;
mod webapps;

use std::borrow::Cow;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use skiff_runtime::http::{Door, NO_CONNECTION, Request};
use skiff_runtime::server::{Response, patience};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::tls::Tls;
use crate::wake::Waker;
use places::{Place, Places};

pub use admin_ui::PACKAGE as ADMIN_UI;
pub use stream::{StreamLink, StreamMessage};
pub use webapps::WebApps;

/// Threads of the carrier; the gateway has its own.
const WORKERS: usize = 2;
/// Events waiting for the gateway thread; then clients wait.
const EVENTS_MAX: usize = 256;
/// Header fields of a request.
const HEADERS_MAX: usize = 64;
/// Bytes of the request line and headers together; the connection's read buffer.
const HEADER_BYTES_MAX: usize = 32 * 1024;
/// Time that open exchanges get to finish when the gateway stops.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// Bytes of all bodies that are on their way or being answered; more get 503.
const BODIES_BYTES_MAX: usize = 24 * 1024 * 1024;
/// Bodies are counted in units of this many bytes.
const BODY_UNIT_BYTES: usize = 4 * 1024;
/// Time between two warnings that no connection can be accepted.
const WARNING_PERIOD: Duration = Duration::from_secs(60);

/// An answer; its body can be one that others are sent, too.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status and header fields.
    pub head: Response,
    /// The body; that of `head` is empty.
    pub body: Bytes,
}

impl Answer {
    /// Takes a response apart.
    #[must_use]
    pub fn new(mut head: Response) -> Self {
        let body = match std::mem::take(&mut head.body) {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        };
        Self { head, body }
    }
}

/// A request or a text of a client, for the gateway thread.
pub enum CarrierEvent {
    /// The head of a request that has a body: is it worth reading?
    Head {
        /// Method, address and header fields.
        head: Request,
        /// Where the judgement goes, with the head: the bytes its body may have, or the refusal.
        answer: oneshot::Sender<(Request, Result<usize, Response>)>,
    },
    /// An HTTP request.
    Request {
        /// Method, address, header fields and body.
        request: Request,
        /// Where its answer goes.
        answer: oneshot::Sender<Answer>,
    },
    /// A WebSocket client asks for a delta stream.
    OpenStream {
        /// The upgrade request.
        request: Request,
        /// Whether it is accepted.
        answer: oneshot::Sender<Result<(), Response>>,
        /// The client's end, kept while the stream is open.
        link: StreamLink,
    },
    /// A stream client sent a text.
    StreamText {
        /// The key of its [`StreamLink`].
        key: u64,
        /// What it sent.
        text: String,
    },
}

/// Sizes the carrier keeps to.
#[derive(Clone, Copy, Debug)]
pub struct CarrierLimits {
    /// Requests that the gateway answers at the same time; more get 503.
    pub exchanges_max: usize,
    /// Stream clients.
    pub streams_max: usize,
    /// Body of a request, bytes; longer ones get 413.
    pub request_bytes_max: usize,
}

/// The listeners, already bound.
#[derive(Debug)]
pub struct Doors {
    /// For everybody on board.
    pub boat: TcpListener,
    /// For who administrates; `None` leaves it closed.
    pub admin: Option<TcpListener>,
}

/// A running carrier; dropping it closes its ports.
pub struct Carrier {
    runtime: Option<Runtime>,
    address: SocketAddr,
    admin_address: Option<SocketAddr>,
}

/// State that all connections share.
struct Shared {
    events: mpsc::Sender<CarrierEvent>,
    waker: Waker,
    limits: CarrierLimits,
    exchanges: Semaphore,
    /// Room for bodies, in units of [`BODY_UNIT_BYTES`].
    bodies: Semaphore,
    /// Room for answers that are compressed.
    compressing: Arc<Semaphore>,
    places: Arc<Places>,
    next_stream: std::sync::atomic::AtomicU64,
    /// Files of packages; none in the sample.
    webapps: Option<WebApps>,
    /// Certificate and key; none serves without TLS.
    tls: Option<Arc<Tls>>,
}

impl Carrier {
    /// Serves at the doors; events come out of the returned receiver, after the waker was woken.
    ///
    /// # Errors
    /// What the system said when threads or the listener could not be set up.
    pub fn start(
        doors: Doors,
        limits: CarrierLimits,
        waker: Waker,
        webapps: Option<WebApps>,
        tls: Option<Arc<Tls>>,
    ) -> io::Result<(Self, mpsc::Receiver<CarrierEvent>)> {
        let address = doors.boat.local_addr()?;
        let admin_address = doors.admin.as_ref().map(TcpListener::local_addr).transpose()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("carrier")
            .enable_io()
            .enable_time()
            .build()?;
        let (events, inbox) = mpsc::channel(EVENTS_MAX);
        let shared = Arc::new(Shared {
            events,
            waker,
            limits,
            exchanges: Semaphore::new(limits.exchanges_max),
            bodies: Semaphore::new(BODIES_BYTES_MAX / BODY_UNIT_BYTES),
            compressing: Arc::new(Semaphore::new(compress::AT_A_TIME_MAX)),
            places: Places::new(limits.exchanges_max.saturating_add(limits.streams_max)),
            next_stream: std::sync::atomic::AtomicU64::new(1),
            webapps: webapps.map(|apps| apps.beside(address)),
            tls,
        });
        let listeners = [(Door::Boat, Some(doors.boat)), (Door::Admin, doors.admin)];
        for (door, listener) in listeners.into_iter().filter_map(|(door, listener)| Some((door, listener?))) {
            listener.set_nonblocking(true)?;
            let listener = {
                let _entered = runtime.enter();
                tokio::net::TcpListener::from_std(listener)?
            };
            runtime.spawn(accept(listener, door, Arc::clone(&shared)));
        }
        Ok((Self { runtime: Some(runtime), address, admin_address }, inbox))
    }

    /// Returns the address it listens on, with the port that was really taken.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address of the admin's door, where it is open.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// Returns the runtime's handle, for tasks beside HTTP such as signals.
    #[must_use]
    pub fn handle(&self) -> Option<&tokio::runtime::Handle> {
        self.runtime.as_ref().map(Runtime::handle)
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
        }
    }
}

async fn accept(listener: tokio::net::TcpListener, door: Door, shared: Arc<Shared>) {
    let local = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
    let mut warned: Option<Instant> = None;
    loop {
        let (socket, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors: give the others time to close theirs.
                if warned.is_none_or(|at| at.elapsed() >= WARNING_PERIOD) {
                    log::warn!("cannot accept a connection: {error}; told once a minute");
                    warned = Some(Instant::now());
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(place) = shared.places.take(peer.ip().to_canonical(), Instant::now()).map(Arc::new) else {
            let _ = socket.try_write(NO_CONNECTION);
            continue;
        };
        // Small texts to stream clients must not wait for each other.
        let _ = socket.set_nodelay(true);
        tokio::spawn(serve(socket, peer, (door, local), Arc::clone(&shared), place));
    }
}

/// Serves a connection to its end; `door` is where it came in, and whether that is on loopback.
async fn serve(socket: TcpStream, peer: SocketAddr, door: (Door, bool), shared: Arc<Shared>, place: Arc<Place>) {
    let ip = peer.ip().to_canonical();
    let is_own = ip.is_loopback() || socket.local_addr().is_ok_and(|own| own.ip().to_canonical() == ip);
    let served = async {
        let Some(socket) = greeting::greet(socket, shared.tls.as_ref(), &place).await else { return };
        let (door, local) = door;
        let caller = http::Caller { peer: ip, is_own, secure: socket.is_secure(), door, local };
        let service = TowerToHyperService::new(http::service(Arc::clone(&shared), Arc::clone(&place), caller));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // From the end of one request to the end of the next head.
            .header_read_timeout(patience::IDLE)
            .max_headers(HEADERS_MAX)
            .max_buf_size(HEADER_BYTES_MAX)
            .serve_connection(TokioIo::new(socket), service)
            .with_upgrades();
        if let Err(error) = connection.await {
            log::debug!("connection of {peer}: {error}");
        }
    };
    tokio::select! {
        () = served => {}
        () = place.is_gone() => log::debug!("connection of {peer}: made room for another"),
    }
}
