//! Any stream is requests and perhaps a refusal, the same in whatever pieces it arrives, within the limits.

#![no_main]

use libfuzzer_sys::fuzz_target;
use skiff_runtime::http::{Limits, Reader, Refusal, Request, RequestStep};

const LIMITS: Limits = Limits { head_bytes_max: 512, headers_max: 16, body_bytes_max: 256 };

fn read(stream: &[u8], piece: usize) -> (Vec<(Request, bool)>, Option<Refusal>) {
    let mut reader = Reader::new(LIMITS);
    let mut requests = Vec::new();
    let mut rest = stream;
    loop {
        loop {
            match reader.step() {
                Ok(RequestStep::Request { request, keep_alive }) => {
                    assert!(request.body.len() <= LIMITS.body_bytes_max);
                    assert!(request.headers.len() <= LIMITS.headers_max + 1);
                    requests.push((request, keep_alive));
                }
                Ok(RequestStep::Continue) => {}
                Ok(RequestStep::Pending) => break,
                Err(refusal) => return (requests, Some(refusal)),
            }
            assert!(reader.held_bytes() <= 2 * (LIMITS.head_bytes_max + LIMITS.body_bytes_max));
        }
        if rest.is_empty() {
            return (requests, None);
        }
        let taken = reader.push(&rest[..piece.min(rest.len())]);
        assert!(taken > 0, "a reader that waits has room");
        rest = &rest[taken..];
    }
}

fuzz_target!(|input: (u8, &[u8])| {
    let (piece, stream) = input;
    assert_eq!(read(stream, usize::from(piece).max(1)), read(stream, usize::MAX));
});
