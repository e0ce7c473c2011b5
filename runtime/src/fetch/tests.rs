use core::time::Duration;
use std::format;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::plain::{HEAD_BYTES_MAX, PlainHttp, Reader};
use super::*;
use crate::hal::sim::{SimClock, SimFetch, SimNetwork};
use crate::hal::{Clock, Network, Received, Socket};
use crate::time::UnixMillis;

/// Fetches from a scripted web until the end.
fn fetch(web: &SimFetch, url: &str, headers: &[(&str, &str)], post: Option<&[u8]>) -> Result<Fetched, FetchError> {
    let headers: Vec<(String, String)> = headers.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
    let order = Order {
        method: if post.is_some() { FetchMethod::Post } else { FetchMethod::Get },
        url,
        headers: &headers,
        body: post.unwrap_or_default(),
        body_bytes_max: 100,
        destinations: &Destinations::default(),
    };
    let mut client = web.clone();
    let now = Instant::default();
    let mut exchange = Exchange::begin(&order, now, &mut client)?;
    match exchange.poll(now, &mut client) {
        Poll::Ready(result) => result,
        Poll::Pending => match exchange.poll(now + FETCH_TIMEOUT, &mut client) {
            Poll::Ready(result) => result,
            Poll::Pending => panic!("a request outlives its time"),
        },
    }
}

fn web() -> SimFetch {
    SimFetch::new(SimClock::new(UnixMillis(0)))
}

#[test]
fn redirects_are_followed_and_said() {
    let web = web();
    web.redirect("http://sea.example/a", 302, "b?x=1");
    web.redirect("http://sea.example/b?x=1", 307, "https://shore.example:8443/c");
    web.serve("https://shore.example:8443/c", 404, b"gone");
    let answer = Fetched { status: 404, redirected: true, body: b"gone".to_vec() };
    assert_eq!(fetch(&web, "http://sea.example/a", &[], None), Ok(answer));
    web.serve("http://sea.example/d", 300, b"choose");
    assert_eq!(fetch(&web, "http://sea.example/d", &[], None).map(|fetched| fetched.redirected), Ok(false));
}

#[test]
fn a_post_that_is_redirected_changes_as_the_standard_says() {
    let web = web();
    for (status, path) in [(301, "a"), (302, "b"), (303, "c"), (307, "d"), (308, "e")] {
        web.redirect(&format!("http://sea.example/{path}"), status, "/end");
    }
    web.serve("http://sea.example/end", 200, b"");
    for (path, method) in [
        ("a", FetchMethod::Get),
        ("b", FetchMethod::Get),
        ("c", FetchMethod::Get),
        ("d", FetchMethod::Post),
        ("e", FetchMethod::Post),
    ] {
        let headers = [("Content-Type", "text/csv"), ("X-Boat", "Pinta")];
        fetch(&web, &format!("http://sea.example/{path}"), &headers, Some(b"body")).unwrap();
        let last = web.requests().pop().unwrap();
        assert_eq!(last.method, method, "{path}");
        let is_post = method == FetchMethod::Post;
        assert_eq!((last.body.is_empty(), last.headers.len()), (!is_post, if is_post { 2 } else { 1 }), "{path}");
    }
}

#[test]
fn credentials_stay_with_the_origin_they_were_given_for() {
    let web = web();
    web.redirect("https://sea.example/a", 302, "/b");
    web.redirect("https://sea.example/b", 302, "https://evil.example/c");
    web.serve("https://evil.example/c", 200, b"");
    let headers = [("Authorization", "Bearer x"), ("cookie", "y"), ("Accept", "text/plain")];
    fetch(&web, "https://sea.example/a", &headers, None).unwrap();
    let counts: Vec<usize> = web.requests().iter().map(|request| request.headers.len()).collect();
    assert_eq!(counts, [3, 3, 1]);
}

#[test]
fn a_redirect_cannot_lead_where_a_request_could_not_go() {
    let web = web();
    web.name("home.example", "127.0.0.1".parse().unwrap());
    for (location, error) in [
        ("http://127.0.0.1/", FetchError::Denied),
        ("http://169.254.169.254/latest/meta-data", FetchError::Denied),
        ("http://home.example/", FetchError::Denied),
        ("http://2852039166/", FetchError::Denied),
        ("file:///etc/passwd", FetchError::Request("the scheme of the URL is neither http nor https")),
        ("http://user:secret@sea.example/", FetchError::Request("the URL holds credentials")),
        ("http://sea.example/loop", FetchError::Redirects { limit: REDIRECTS_MAX }),
    ] {
        web.redirect("http://sea.example/a", 302, location);
        web.redirect("http://sea.example/loop", 302, "/loop");
        assert_eq!(fetch(&web, "http://sea.example/a", &[], None), Err(error), "{location}");
    }
}

#[test]
fn a_request_ends_by_its_time_its_size_and_its_headers() {
    let web = web();
    web.serve_after("http://sea.example/slow", FETCH_TIMEOUT * 2, 200, b"");
    assert_eq!(fetch(&web, "http://sea.example/slow", &[], None), Err(FetchError::Timeout));
    assert_eq!(web.counts(), (0, 1), "and is given up");
    web.serve("http://sea.example/big", 200, &[0; 101]);
    assert_eq!(fetch(&web, "http://sea.example/big", &[], None), Err(FetchError::TooLarge { limit: 100 }));
    for header in [("X-A", "a\r\nX-B: b"), ("X A", "b"), ("", "b"), ("X\n", "b"), ("X-A", "a\0")] {
        let error = FetchError::Request("a header cannot be sent like that");
        assert_eq!(fetch(&web, "http://sea.example/big", &[header], None), Err(error), "{header:?}");
    }
    web.serve("http://sea.example/ok", 200, b"");
    fetch(&web, "http://sea.example/ok", &[("Host", "evil"), ("Content-Length", "9"), ("X-A", " a ")], None).unwrap();
    assert_eq!(web.requests().pop().unwrap().headers, [("X-A".to_string(), "a".to_string())]);
}

/// A server on the simulated network, and a client over it.
struct Wire {
    network: SimNetwork,
    clock: SimClock,
    plain: PlainHttp,
    listener: Socket,
}

impl Wire {
    fn new() -> Self {
        let mut network = SimNetwork::new();
        network.name("sea.example", "203.0.113.7".parse().unwrap());
        network.name("home.example", "127.0.0.1".parse().unwrap());
        let listener = network.listen("203.0.113.7:80".parse().unwrap()).unwrap();
        Self { network, clock: SimClock::new(UnixMillis(0)), plain: PlainHttp::default(), listener }
    }

    fn client(&mut self) -> FetchClient<'_> {
        FetchClient { fetch: None, network: Some(&mut self.network), plain: &mut self.plain, now: self.clock.now() }
    }

    fn begin(&mut self, url: &str, post: Option<&[u8]>) -> Result<Exchange, FetchError> {
        let headers = [("X-Boat".to_string(), "Pinta".to_string())];
        let order = Order {
            method: if post.is_some() { FetchMethod::Post } else { FetchMethod::Get },
            url,
            headers: &headers,
            body: post.unwrap_or_default(),
            body_bytes_max: 6000,
            destinations: &Destinations::default(),
        };
        let now = self.clock.now();
        Exchange::begin(&order, now, &mut self.client())
    }

    fn poll(&mut self, exchange: &mut Exchange) -> Poll<Result<Fetched, FetchError>> {
        let now = self.clock.now();
        exchange.poll(now, &mut self.client())
    }

    /// Accepts the connection and reads what was sent so far.
    fn asked(&mut self) -> (Socket, String) {
        let (peer, _) = self.network.accept(self.listener).unwrap();
        let mut buffer = [0; 4096];
        let Ok(Received::Bytes(count)) = self.network.receive(peer, &mut buffer) else { panic!("nothing was asked") };
        (peer, String::from_utf8(buffer[..count].to_vec()).unwrap())
    }
}

#[test]
fn plain_http_goes_over_the_network_of_a_chip() {
    let mut wire = Wire::new();
    let mut exchange = wire.begin("http://sea.example/tide?x=1", Some(b"{}")).unwrap();
    assert!(wire.poll(&mut exchange).is_pending());
    let (peer, asked) = wire.asked();
    assert_eq!(
        asked,
        format!(
            "POST /tide?x=1 HTTP/1.1\r\nHost: sea.example\r\nConnection: close\r\nAccept-Encoding: identity\r\n\
             X-Boat: Pinta\r\nAccept: */*\r\nUser-Agent: Skiff/{}\r\nContent-Length: 2\r\n\r\n{{}}",
            env!("CARGO_PKG_VERSION")
        )
    );
    wire.network
        .send(peer, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n4.2\r")
        .unwrap();
    assert!(wire.poll(&mut exchange).is_pending());
    wire.network.send(peer, b"\n2;x=y\r\n m\r\n0\r\nTrailer: a\r\n\r\n").unwrap();
    let answer = Fetched { status: 200, redirected: false, body: b"4.2 m".to_vec() };
    assert_eq!(wire.poll(&mut exchange), Poll::Ready(Ok(answer)));
    assert_eq!(wire.network.receive(peer, &mut [0; 4]), Ok(Received::Closed), "the connection is given back");
}

#[test]
fn plain_http_says_what_it_cannot_do_and_what_went_wrong() {
    let mut wire = Wire::new();
    assert_eq!(wire.begin("https://sea.example/", None).err(), Some(FetchError::NoTls));
    for (url, error) in [
        ("http://home.example/", FetchError::Denied),
        ("http://127.0.0.1/", FetchError::Denied),
        ("http://nobody.example/", FetchError::UnknownHost),
        ("http://203.0.113.8/", FetchError::Unreachable),
    ] {
        let mut exchange = wire.begin(url, None).unwrap();
        assert_eq!(wire.poll(&mut exchange), Poll::Ready(Err(error)), "{url}");
    }
    for (answer, error) in [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n4.2".as_slice(), FetchError::Broken),
        (b"HTTP/1.1 200 OK\r\n", FetchError::Broken),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6001\r\n\r\n", FetchError::TooLarge { limit: 6000 }),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", FetchError::Malformed),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", FetchError::Malformed),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", FetchError::Malformed),
        (b"SSH-2.0-x\r\n\r\n", FetchError::Malformed),
    ] {
        let mut exchange = wire.begin("http://sea.example/", None).unwrap();
        assert!(wire.poll(&mut exchange).is_pending());
        let (peer, _) = wire.asked();
        wire.network.send(peer, answer).unwrap();
        wire.network.close(peer);
        assert_eq!(wire.poll(&mut exchange), Poll::Ready(Err(error)), "{}", String::from_utf8_lossy(answer));
    }
    let mut silent = wire.begin("http://sea.example/", None).unwrap();
    assert!(wire.poll(&mut silent).is_pending());
    wire.clock.advance(FETCH_TIMEOUT + Duration::from_secs(1));
    assert_eq!(wire.poll(&mut silent), Poll::Ready(Err(FetchError::Timeout)));
}

/// What a reader makes of an answer that comes in pieces.
fn read(answer: &[u8], piece: usize, limit: u32) -> Result<FetchReply, FetchError> {
    let mut reader = Reader::new(limit);
    for part in answer.chunks(piece.max(1)) {
        if reader.take(part)? {
            return Ok(reader.reply());
        }
    }
    reader.end()?;
    Ok(reader.reply())
}

#[test]
fn a_head_without_end_is_refused() {
    let endless = [b"HTTP/1.1 200 OK\r\nX: ".as_slice(), &vec![b'a'; HEAD_BYTES_MAX]].concat();
    for piece in [1, 100, endless.len()] {
        assert_eq!(read(&endless, piece, 10), Err(FetchError::Malformed));
    }
}

proptest! {
    #[test]
    fn an_answer_reads_the_same_however_it_is_cut(
        body in proptest::collection::vec(any::<u8>(), 0..300), sizes in proptest::collection::vec(1..40_usize, 1..20), piece in 1..64_usize,
    ) {
        let mut chunked = b"HTTP/1.1 201 Created\r\ntransfer-encoding: Chunked\r\n\r\n".to_vec();
        let (mut rest, mut sizes) = (body.as_slice(), sizes.iter().cycle());
        while !rest.is_empty() {
            let (part, next) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
            chunked.extend(format!("{:X}\r\n", part.len()).as_bytes());
            chunked.extend(part);
            chunked.extend(b"\r\n");
            rest = next;
        }
        chunked.extend(b"0\r\n\r\n");
        let counted = [format!("HTTP/1.1 201 Created\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), &body].concat();
        let closed = [b"HTTP/1.0 201 Created\r\n\r\n".as_slice(), &body].concat();
        for answer in [chunked, counted, closed] {
            prop_assert_eq!(read(&answer, piece, 300).unwrap(), FetchReply { status: 201, location: None, body: body.clone() });
            if body.len() > 1 {
                let limit = u32::try_from(body.len() - 1).unwrap();
                prop_assert_eq!(read(&answer, piece, limit), Err(FetchError::TooLarge { limit }));
            }
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600), piece in 1..64_usize) {
        let _ = read(&bytes, piece, 100);
        let _ = read(&[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice(), &bytes].concat(), piece, 100);
    }
}
