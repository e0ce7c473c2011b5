use super::*;
use proptest::prelude::*;
use std::string::String;

const LIMITS: Limits = Limits { head_bytes_max: 256, headers_max: 16, body_bytes_max: 64 };

/// Feeds everything in pieces of at most `size` bytes, and returns what came out.
fn read(bytes: &[u8], size: usize) -> (Vec<Request>, Result<(), Refusal>, usize) {
    let mut reader = Reader::new(LIMITS);
    let (mut requests, mut continues) = (Vec::new(), 0);
    let mut rest = bytes;
    loop {
        loop {
            match reader.step() {
                Ok(RequestStep::Request { request, .. }) => requests.push(request),
                Ok(RequestStep::Continue) => continues += 1,
                Ok(RequestStep::Pending) => break,
                Err(refusal) => return (requests, Err(refusal), continues),
            }
        }
        if rest.is_empty() {
            return (requests, Ok(()), continues);
        }
        let taken = reader.push(&rest[..size.min(rest.len())]);
        assert!(taken > 0, "a reader that waits has room");
        rest = &rest[taken..];
    }
}

fn bodies(bytes: &[u8], size: usize) -> (Vec<String>, Result<(), Refusal>) {
    let (requests, end, _) = read(bytes, size);
    (requests.into_iter().map(|request| String::from_utf8(request.body).unwrap()).collect(), end)
}

#[test]
fn requests_follow_each_other() {
    let stream =
        b"\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 4\r\n\r\nbodyGET /c HTTP/1.1\n\n";
    for size in 1..stream.len() {
        let (requests, end, _) = read(stream, size);
        let targets: Vec<&str> = requests.iter().map(|request| request.target.as_str()).collect();
        assert_eq!((targets, end), (vec!["/a", "/b", "/c"], Ok(())), "{size}");
        assert_eq!(requests[1].body, b"body");
    }
}

#[test]
fn chunks_are_joined() {
    let stream = b"PUT / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3;x=\"y\"\r\nabc\r\n0a\r\n0123456789\r\n0\r\nT: 1\r\n\r\nGET / HTTP/1.1\r\n\r\n";
    for size in 1..stream.len() {
        assert_eq!(bodies(stream, size), (vec!["abc0123456789".into(), String::new()], Ok(())), "{size}");
    }
}

#[test]
fn broken_chunks_are_refused() {
    let chunked = |rest: &str| {
        let stream = std::format!("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{rest}");
        let refusals: Vec<_> = (1..8).map(|size| bodies(stream.as_bytes(), size).1).collect();
        assert!(refusals.windows(2).all(|pair| pair[0] == pair[1]), "{refusals:?}");
        refusals[0].unwrap_err().status()
    };
    assert_eq!(chunked("x\r\n"), 400);
    assert_eq!(chunked("-1\r\n"), 400);
    assert_eq!(chunked("3\r\nabcd\r\n"), 400);
    assert_eq!(chunked("ffffffffffffffffff\r\n"), 400);
    assert_eq!(chunked(&std::format!("1;{}", "x".repeat(100))), 400);
    assert_eq!(chunked("41\r\n"), 413);
    assert_eq!(chunked(&"10\r\n0123456789abcdef\r\n".repeat(5)), 413);
    assert_eq!(chunked("ffffffffffffffff\r\n"), 413);
    assert_eq!(chunked(&std::format!("0\r\n{}", "T: 1\r\n".repeat(60))), 431);
    assert_eq!(chunked(&std::format!("0\r\nT: {}", "1".repeat(300))), 431);
}

#[test]
fn heads_without_end_are_refused() {
    let endless = std::format!("GET / HTTP/1.1\r\nX: {}", "y".repeat(300));
    assert_eq!(bodies(endless.as_bytes(), 7).1, Err(Refusal::HeadTooLarge));
    assert_eq!(bodies(b"\x16\x03\x01\x02\x00", 1).1.unwrap_err().status(), 400);
    assert_eq!(bodies(b"GET / HTTP/1.1\r\n", 1), (vec![], Ok(())), "half a head is no request");
}

#[test]
fn continue_is_told_once_and_only_to_who_waits() {
    let head = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    let mut reader = Reader::new(LIMITS);
    reader.push(head);
    assert!(matches!(reader.step(), Ok(RequestStep::Continue)));
    assert!(matches!(reader.step(), Ok(RequestStep::Pending)));
    reader.push(b"ok");
    assert!(matches!(reader.step(), Ok(RequestStep::Request { request, .. }) if request.body == b"ok"));
    let mut together = head.to_vec();
    together.extend(b"ok");
    let (requests, _, continues) = read(&together, together.len());
    assert_eq!((requests.len(), continues), (1, 0), "the body was not held back");
}

#[test]
fn nothing_is_held_between_requests() {
    let mut reader = Reader::new(LIMITS);
    reader.push(b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody");
    assert!(reader.held_bytes() > 0 && !reader.is_idle());
    assert!(matches!(reader.step(), Ok(RequestStep::Request { .. })));
    assert!(reader.is_idle());
    assert_eq!(reader.held_bytes(), 0);
}

#[test]
fn a_refused_stream_stays_refused() {
    let mut reader = Reader::new(LIMITS);
    reader.push(b"nonsense\r\n\r\n");
    let refusal = reader.step().unwrap_err();
    reader.push(b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(reader.step().unwrap_err(), refusal);
}

proptest! {
    #[test]
    fn pieces_do_not_matter(bytes in proptest::collection::vec(any::<u8>(), 0..200), size in 1_usize..40) {
        let whole = read(&bytes, bytes.len().max(1));
        let pieces = read(&bytes, size);
        prop_assert_eq!((whole.0, whole.1), (pieces.0, pieces.1));
    }

    #[test]
    fn whole_requests_survive_any_cut(
        parts in proptest::collection::vec(("[a-z]{1,8}", proptest::collection::vec(any::<u8>(), 0..30), any::<bool>()), 1..5),
        size in 1_usize..40,
    ) {
        let mut stream = Vec::new();
        for (path, body, chunked) in &parts {
            stream.extend(std::format!("POST /{path} HTTP/1.1\r\n").bytes());
            if *chunked {
                stream.extend(b"Transfer-Encoding: chunked\r\n\r\n");
                for chunk in body.chunks(7) {
                    stream.extend(std::format!("{:x}\r\n", chunk.len()).bytes());
                    stream.extend(chunk);
                    stream.extend(b"\r\n");
                }
                stream.extend(b"0\r\n\r\n");
            } else {
                stream.extend(std::format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
                stream.extend(body);
            }
        }
        let (requests, end, _) = read(&stream, size);
        prop_assert_eq!(end, Ok(()));
        prop_assert_eq!(requests.len(), parts.len());
        for (request, (path, body, _)) in requests.iter().zip(&parts) {
            prop_assert_eq!(&request.target, &std::format!("/{path}"));
            prop_assert_eq!(&request.body, body);
        }
    }
}
