//! HTTP for plugins by `ureq`, one bounded thread per request.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::task::Poll;
use std::thread;

use skiff_runtime::hal::{Destinations, Fetch, FetchError, FetchHop, FetchId, FetchMethod, FetchReply};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use crate::wake::Waker;

/// Requests on their way at the same time, those included that were given up and have not noticed yet.
const THREADS_MAX: usize = 64;
/// Bytes of the headers of an answer.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Addresses without an owner (RFC 5737, RFC 3849): a route to them is a route to the internet.
const ELSEWHERE: [(SocketAddr, SocketAddr); 2] = [
    (
        SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9),
    ),
    (
        SocketAddr::new(std::net::IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0),
        SocketAddr::new(std::net::IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)), 9),
    ),
];

type Answer = Result<FetchReply, FetchError>;

/// HTTP and HTTPS client; TLS by rustls with Mozilla's roots.
pub struct UreqFetch {
    waker: Option<Waker>,
    flying: BTreeMap<FetchId, Receiver<Answer>>,
    last: u32,
    threads: Arc<AtomicUsize>,
    /// Who may sign the certificates of servers.
    roots: RootCerts,
}

impl UreqFetch {
    /// Builds a client that wakes the gateway thread when an answer is there.
    #[must_use]
    pub fn new(waker: Option<Waker>) -> Self {
        Self { waker, flying: BTreeMap::new(), last: 0, threads: Arc::default(), roots: RootCerts::WebPki }
    }
}

/// Counts a thread as long as it lives.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(threads: &Arc<AtomicUsize>) -> Option<Self> {
        let counted = Self(threads.clone());
        (threads.fetch_add(1, Ordering::SeqCst) < THREADS_MAX).then_some(counted)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Fetch for UreqFetch {
    fn begin(&mut self, hop: FetchHop) -> Result<FetchId, FetchError> {
        let counted = Counted::new(&self.threads).ok_or(FetchError::TooMany)?;
        self.last = self.last.checked_add(1).ok_or(FetchError::TooMany)?;
        let (report, answer) = sync_channel(1);
        let (waker, roots) = (self.waker.clone(), self.roots.clone());
        let carry = move || {
            let _counted = counted;
            // Nobody listens any more when the request was given up meanwhile.
            let _ = report.send(exchange(&hop, roots));
            if let Some(waker) = waker {
                waker.wake();
            }
        };
        thread::Builder::new().name("fetch".into()).spawn(carry).map_err(|_| FetchError::TooMany)?;
        self.flying.insert(FetchId(self.last), answer);
        Ok(FetchId(self.last))
    }

    fn poll(&mut self, id: FetchId) -> Poll<Answer> {
        let Some(answer) = self.flying.get(&id) else { return Poll::Ready(Err(FetchError::Cancelled)) };
        let answer = match answer.try_recv() {
            Err(TryRecvError::Empty) => return Poll::Pending,
            Ok(answer) => answer,
            Err(TryRecvError::Disconnected) => Err(FetchError::Broken),
        };
        self.flying.remove(&id);
        Poll::Ready(answer)
    }

    fn cancel(&mut self, id: FetchId) {
        self.flying.remove(&id);
    }
}

/// Carries one request; waits.
fn exchange(hop: &FetchHop, roots: RootCerts) -> Answer {
    let config = Config::builder()
        // A proxy of the environment would connect to what the policy forbids.
        .proxy(None)
        .max_redirects(0)
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .http_status_as_error(false)
        .timeout_global(Some(hop.timeout))
        .max_response_header_size(HEAD_BYTES_MAX)
        .user_agent(concat!("Skiff/", env!("CARGO_PKG_VERSION")))
        .build();
    let resolver = Checked { host: hop.host.clone(), port: hop.port, destinations: hop.destinations.clone() };
    let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), resolver);
    let url = hop.url();
    let sent = match hop.method {
        FetchMethod::Get => {
            let request =
                hop.headers.iter().fold(agent.get(&url), |request, (name, value)| request.header(name, value));
            request.call()
        }
        FetchMethod::Post => {
            let request =
                hop.headers.iter().fold(agent.post(&url), |request, (name, value)| request.header(name, value));
            request.send(hop.body.as_slice())
        }
    };
    let response = sent.map_err(|error| told(&error))?;
    let status = response.status().as_u16();
    let location = response.headers().get("location").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut body = Vec::new();
    // The reader decodes, so this bounds the decoded bytes.
    let mut reader = response.into_body().into_reader().take(u64::from(hop.body_bytes_max).saturating_add(1));
    reader.read_to_end(&mut body).map_err(|error| told_reading(&error))?;
    if body.len() > hop.body_bytes_max as usize {
        return Err(FetchError::TooLarge { limit: hop.body_bytes_max });
    }
    Ok(FetchReply { status, location, body })
}

/// Resolves names and keeps only addresses that are allowed; the connection goes to one of these, not to the name.
#[derive(Debug)]
struct Checked {
    host: String,
    port: u16,
    destinations: Destinations,
}

impl Resolver for Checked {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = DefaultResolver::default().resolve(uri, config, timeout).map_err(|error| match error {
            ureq::Error::Timeout(_) => error,
            _ => Unresolved(if is_offline() { FetchError::Offline } else { FetchError::UnknownHost }).into(),
        })?;
        let mut allowed = self.empty();
        for address in found.iter().filter(|address| self.destinations.allow(&self.host, address.ip(), self.port)) {
            allowed.push(*address);
        }
        if allowed.is_empty() { Err(Unresolved(FetchError::Denied).into()) } else { Ok(allowed) }
    }
}

/// What the resolver found out, passed through `ureq`.
#[derive(Debug)]
struct Unresolved(FetchError);

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Unresolved {}

impl From<Unresolved> for ureq::Error {
    fn from(error: Unresolved) -> Self {
        Self::Other(Box::new(error))
    }
}

/// Tells whether this machine has no way out; nothing is sent to find out.
fn is_offline() -> bool {
    ELSEWHERE.iter().all(|(from, to)| UdpSocket::bind(from).and_then(|socket| socket.connect(to)).is_err())
}

fn told(error: &ureq::Error) -> FetchError {
    match error {
        ureq::Error::Other(inner) => match inner.downcast_ref::<Unresolved>() {
            Some(Unresolved(error)) => error.clone(),
            None => FetchError::Broken,
        },
        ureq::Error::Io(error) => told_io(error),
        ureq::Error::Timeout(_) => FetchError::Timeout,
        ureq::Error::HostNotFound => FetchError::UnknownHost,
        ureq::Error::ConnectionFailed => FetchError::Unreachable,
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) | ureq::Error::Pem(_) => FetchError::Tls,
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => FetchError::Request("the URL or a header cannot be sent"),
        ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => FetchError::Malformed,
        _ => FetchError::Broken,
    }
}

fn told_io(error: &std::io::Error) -> FetchError {
    match error.kind() {
        ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown | ErrorKind::HostUnreachable if is_offline() => {
            FetchError::Offline
        }
        ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            FetchError::Unreachable
        }
        ErrorKind::TimedOut => FetchError::Timeout,
        // rustls reports a certificate it does not trust as invalid data.
        ErrorKind::InvalidData => FetchError::Tls,
        _ => FetchError::Broken,
    }
}

/// Maps an error of the body's reader, which wraps those of `ureq`.
fn told_reading(error: &std::io::Error) -> FetchError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>()) {
        Some(error) => told(error),
        None => told_io(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::TcpListener;
    use std::time::Duration;

    /// Serves one connection with fixed bytes; returns the address, and what was asked.
    fn server(answer: &'static [u8]) -> (SocketAddr, thread::JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let served = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let mut asked = Vec::new();
            let mut buffer = [0; 1024];
            while !asked.starts_with(b"\x16")
                && !(asked.windows(4).any(|end| end == b"\r\n\r\n")
                    && (!asked.starts_with(b"POST") || asked.ends_with(b"}")))
            {
                match stream.read(&mut buffer) {
                    Ok(0) | Err(_) => break,
                    Ok(count) => asked.extend_from_slice(&buffer[..count]),
                }
            }
            let _ = stream.write_all(answer);
            asked
        });
        (address, served)
    }

    fn hop(address: SocketAddr) -> FetchHop {
        FetchHop {
            method: FetchMethod::Get,
            secure: false,
            host: address.ip().to_string(),
            port: address.port(),
            target: "/tide?x=1".into(),
            headers: vec![("X-Boat".into(), "Pinta".into())],
            body: Vec::new(),
            timeout: Duration::from_secs(10),
            body_bytes_max: 16,
            destinations: Destinations::new(None, &["127.0.0.1".into()]).0,
        }
    }

    fn fetch(hop: FetchHop) -> Answer {
        fetch_trusting(RootCerts::WebPki, hop)
    }

    fn fetch_trusting(roots: RootCerts, hop: FetchHop) -> Answer {
        let waker = Waker::new().unwrap();
        let mut client = UreqFetch { roots, ..UreqFetch::new(Some(waker.clone())) };
        let id = client.begin(hop).unwrap();
        for _ in 0..100 {
            if let Poll::Ready(answer) = client.poll(id) {
                assert!(matches!(client.poll(id), Poll::Ready(Err(FetchError::Cancelled))), "an answer comes once");
                return answer;
            }
            waker.wait(&[], Some(Duration::from_millis(500)));
        }
        panic!("no answer");
    }

    #[test]
    fn a_request_goes_out_as_given_and_its_answer_comes_back() {
        let (address, served) = server(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nlost");
        let reply = fetch(hop(address)).unwrap();
        assert_eq!((reply.status, reply.body.as_slice()), (404, b"lost".as_slice()));
        let asked = String::from_utf8(served.join().unwrap()).unwrap().to_lowercase();
        assert!(asked.starts_with("get /tide?x=1 http/1.1\r\n") && asked.contains("x-boat: pinta\r\n"), "{asked}");

        let (address, served) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let post = FetchHop { method: FetchMethod::Post, body: b"{\"a\":1}".to_vec(), ..hop(address) };
        assert_eq!(fetch(post).unwrap().status, 200);
        let asked = String::from_utf8(served.join().unwrap()).unwrap();
        assert!(asked.starts_with("POST ") && asked.ends_with("\r\n\r\n{\"a\":1}"), "{asked}");
    }

    #[test]
    fn redirects_are_told_and_not_followed() {
        let (address, _served) =
            server(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
        let reply = fetch(hop(address)).unwrap();
        assert_eq!((reply.status, reply.location.as_deref()), (302, Some("http://127.0.0.1:1/")));
    }

    #[test]
    fn the_cap_counts_decoded_bytes() {
        let (address, _served) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n12345678901234567");
        assert_eq!(fetch(hop(address)), Err(FetchError::TooLarge { limit: 16 }));
        // 64 letters `a`, gzip.
        let (address, _served) = server(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\x4c\xa4\x0c\x00\x00\x55\x65\xb4\x89\x40\x00\x00\x00",
        );
        assert_eq!(fetch(hop(address)), Err(FetchError::TooLarge { limit: 16 }));
        let (address, _served) = server(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\x4c\xa4\x0c\x00\x00\x55\x65\xb4\x89\x40\x00\x00\x00",
        );
        let roomy = FetchHop { body_bytes_max: 64, ..hop(address) };
        assert_eq!(fetch(roomy).unwrap().body, [b'a'; 64]);
    }

    #[test]
    fn what_the_address_says_decides() {
        let (address, _served) = server(b"HTTP/1.1 200 OK\r\n\r\n");
        for host in ["127.0.0.1", "localhost"] {
            let hop = FetchHop { host: host.into(), destinations: Destinations::default(), ..hop(address) };
            assert_eq!(fetch(hop), Err(FetchError::Denied), "{host}");
        }
    }

    #[test]
    fn refusal_silence_and_nonsense_have_names() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert_eq!(fetch(hop(closed)), Err(FetchError::Unreachable));
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let slow = FetchHop { timeout: Duration::from_millis(100), ..hop(silent.local_addr().unwrap()) };
        assert_eq!(fetch(slow), Err(FetchError::Timeout));
        let (address, _served) = server(b"SSH-2.0-x\r\n\r\n");
        assert_eq!(fetch(hop(address)), Err(FetchError::Malformed));
        let (address, _served) = server(b"\x15\x03\x01\0\x02\x02\x28");
        let secure = FetchHop { secure: true, ..hop(address) };
        assert!(matches!(fetch(secure), Err(FetchError::Tls | FetchError::Broken)));
    }

    /// Serves one connection over TLS with a new certificate for `name`; returns the address and the certificate.
    fn secure_server(name: &str) -> (SocketAddr, ureq::tls::Certificate<'static>, thread::JoinHandle<bool>) {
        let signed = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![signed.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let served = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream);
            let mut asked = [0; 1024];
            let begun =
                stream.read(&mut asked).is_ok_and(|count| asked[..count].starts_with(b"GET /tide?x=1 HTTP/1.1"));
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret");
            stream.conn.send_close_notify();
            let _ = stream.flush();
            begun
        });
        (address, ureq::tls::Certificate::from_der(signed.cert.der()).to_owned(), served)
    }

    #[test]
    fn a_server_whose_certificate_is_trusted_is_read_over_tls() {
        let (address, certificate, served) = secure_server("127.0.0.1");
        let secure = FetchHop { secure: true, ..hop(address) };
        let reply = fetch_trusting(RootCerts::Specific(Arc::new(vec![certificate])), secure).unwrap();
        assert_eq!((reply.status, reply.body.as_slice()), (200, b"secret".as_slice()));
        assert!(served.join().unwrap());
    }

    #[test]
    fn a_certificate_of_strangers_or_for_another_name_is_refused_before_anything_is_sent() {
        let (address, _certificate, served) = secure_server("127.0.0.1");
        assert_eq!(fetch(FetchHop { secure: true, ..hop(address) }), Err(FetchError::Tls));
        assert!(!served.join().unwrap());
        let (address, certificate, served) = secure_server("tide.example");
        let roots = RootCerts::Specific(Arc::new(vec![certificate]));
        assert_eq!(fetch_trusting(roots, FetchHop { secure: true, ..hop(address) }), Err(FetchError::Tls));
        assert!(!served.join().unwrap());
    }
}
