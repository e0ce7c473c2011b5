//! Compresses answers on their way out: gzip, for clients that take it.
//!
//! What is worth it depends on the answer alone, so that `Vary` is true whoever asks. What is compressed in one go is
//! bounded by the length of an answer, how many are at a time by [`AT_A_TIME_MAX`]: all others get the same bytes plain.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;
use tokio::sync::Semaphore;
use tower::ServiceExt;
use tower_http::CompressionLevel;
use tower_http::compression::Compression;

/// Shorter answers fit into one packet anyway.
const BYTES_MIN: u64 = 1024;
/// Longer answers are sent as they are: a chart's worth of tiles, not an app; the scripts of KIP have 2.3 MB.
const BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Answers that are compressed at the same time; each takes some 350 KB while it is sent.
pub(super) const AT_A_TIME_MAX: usize = 4;

/// What a request says about the form of its answer.
#[derive(Debug)]
pub(super) struct Asked {
    accepts: HeaderMap,
    takes_gzip: bool,
}

impl Asked {
    /// Reads it off a request.
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let mut accepts = HeaderMap::new();
        for value in request.headers().get_all(header::ACCEPT_ENCODING) {
            accepts.append(header::ACCEPT_ENCODING, value.clone());
        }
        let names = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.to_ascii_lowercase().contains("gzip"));
        let takes_gzip = accepts.values().any(names);
        Self { accepts, takes_gzip }
    }
}

/// Returns the answer in the form that was asked for, compressed where `room` has a place.
pub(super) async fn in_form(asked: Asked, room: &Arc<Semaphore>, mut answer: Response) -> Response {
    if answer.status() == StatusCode::NOT_MODIFIED {
        vary(answer.headers_mut());
        return answer;
    }
    if !is_worth(&answer) {
        return answer;
    }
    vary(answer.headers_mut());
    if !asked.takes_gzip {
        return answer;
    }
    let Ok(place) = Arc::clone(room).try_acquire_owned() else { return answer };
    if let Some(weak) = answer.headers().get(header::ETAG).and_then(weakened) {
        answer.headers_mut().insert(header::ETAG, weak);
    }
    // The layer sits before a service; ours has its answer already, and finds it in the request.
    let mut request = Request::new(answer);
    *request.headers_mut() = asked.accepts;
    let plain = tower::service_fn(|request: Request<Response>| ready(Ok::<_, Infallible>(request.into_body())));
    let gzip = Compression::new(plain).quality(CompressionLevel::Fastest).compress_when(|_, _, _: &_, _: &_| true);
    let Ok(answer) = gzip.oneshot(request).await;
    // Of a `HEAD` nobody asks for the body, and it is not made.
    answer.map(|body| {
        Body::new(body.map_frame(move |frame| {
            // Free again when the last of it is sent.
            let _ = &place;
            frame
        }))
    })
}

/// Tells whether an answer is a text of a length that is worth compressing, and not in a form of its own already.
fn is_worth(answer: &Response) -> bool {
    let headers = answer.headers();
    let in_own_form = [header::CONTENT_ENCODING, header::CONTENT_RANGE].iter().any(|name| headers.contains_key(name));
    let keeps_form = headers.get_all(header::CACHE_CONTROL).iter().any(|value| contains(value, "no-transform"));
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let bytes = announced.or_else(|| answer.body().size_hint().exact());
    answer.status() == StatusCode::OK
        && !in_own_form
        && !keeps_form
        && headers.get(header::CONTENT_TYPE).is_some_and(is_text)
        && bytes.is_some_and(|bytes| (BYTES_MIN..=BYTES_MAX).contains(&bytes))
}

/// Tells whether a media type is text, or shrinks as text does; a stream of events is to arrive at once.
fn is_text(value: &HeaderValue) -> bool {
    let Ok(text) = value.to_str() else { return false };
    let kind = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_one = kind.starts_with("text/") || kind.ends_with("+json") || kind.ends_with("+xml");
    let others = ["json", "javascript", "xml", "wasm", "geo+json", "x-ndjson"];
    kind != "text/event-stream" && (is_one || kind.strip_prefix("application/").is_some_and(|of| others.contains(&of)))
}

/// Says that the answer is another for a client that takes another encoding (RFC 9110 §12.5.5).
fn vary(headers: &mut HeaderMap) {
    if !headers.get_all(header::VARY).iter().any(|value| contains(value, "accept-encoding")) {
        headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
}

/// Returns the entity tag of the same thing in other bytes (RFC 9110 §8.8.1); `None` for one that is weak already.
fn weakened(tag: &HeaderValue) -> Option<HeaderValue> {
    let tag = tag.to_str().ok().filter(|tag| !tag.starts_with("W/"))?;
    HeaderValue::from_str(&format!("W/{tag}")).ok()
}

fn contains(value: &HeaderValue, part: &str) -> bool {
    value.to_str().is_ok_and(|text| text.to_ascii_lowercase().contains(part))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn asked(accepts: &str) -> Asked {
        Asked::of(&Request::builder().header("accept-encoding", accepts).body(()).unwrap())
    }

    fn answer(kind: &str, bytes: usize) -> Response {
        Response::builder().header("content-type", kind).body(Body::from(vec![b'a'; bytes])).unwrap()
    }

    fn in_form_of(asked: Asked, room: &Arc<Semaphore>, answer: Response) -> Response {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(in_form(asked, room, answer))
    }

    fn bytes_of(answer: Response) -> Vec<u8> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(answer.into_body().collect()).unwrap().to_bytes().to_vec()
    }

    fn encoding(answer: &Response) -> Option<&str> {
        answer.headers().get("content-encoding").map(|value| value.to_str().unwrap())
    }

    fn room() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(1))
    }

    #[test]
    fn a_long_text_is_sent_compressed_to_who_takes_it() {
        let room = room();
        let made = in_form_of(asked("deflate, GZIP;q=0.5"), &room, answer("application/json", 5000));
        assert_eq!((encoding(&made), made.headers().get("content-length")), (Some("gzip"), None));
        assert_eq!(made.headers()["vary"], "accept-encoding");
        let sent = bytes_of(made);
        assert!(sent.len() < 100, "{} bytes", sent.len());
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(&*sent).read_to_end(&mut text).unwrap();
        assert_eq!(text, [b'a'; 5000]);
        for accepts in ["", "identity", "br", "gzip;q=0"] {
            let made = in_form_of(asked(accepts), &room, answer("text/html; charset=utf-8", 5000));
            assert_eq!(
                (encoding(&made), &made.headers()["vary"]),
                (None, &HeaderValue::from_static("accept-encoding"))
            );
            assert_eq!(bytes_of(made).len(), 5000, "{accepts}");
        }
    }

    #[test]
    fn what_is_not_worth_it_stays_as_it_is() {
        let with = |name, value| {
            let mut answer = answer("text/css", 5000);
            answer.headers_mut().insert(name, HeaderValue::from_static(value));
            answer
        };
        let mut part = with(header::CONTENT_RANGE, "bytes 0-4999/9000");
        *part.status_mut() = StatusCode::PARTIAL_CONTENT;
        for plain in [
            answer("text/plain", 1023),
            answer("text/plain", 8 * 1024 * 1024 + 1),
            answer("image/png", 5000),
            answer("text/event-stream", 5000),
            answer("application/octet-stream", 5000),
            with(header::CONTENT_ENCODING, "br"),
            with(header::CACHE_CONTROL, "no-transform"),
            part,
        ] {
            let before = plain.headers().clone();
            assert_eq!(in_form_of(asked("gzip"), &room(), plain).headers(), &before);
        }
        for kind in ["image/svg+xml", "application/wasm", "application/geo+json", "text/javascript"] {
            assert_eq!(encoding(&in_form_of(asked("gzip"), &room(), answer(kind, 1024))), Some("gzip"));
        }
    }

    #[test]
    fn a_tag_gets_weak_and_ranges_are_not_offered() {
        let tagged = || {
            let mut answer = answer("text/css", 5000);
            answer.headers_mut().insert(header::ETAG, HeaderValue::from_static("\"1\""));
            answer.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
            answer
        };
        let made = in_form_of(asked("gzip"), &room(), tagged());
        assert_eq!((made.headers()["etag"].as_bytes(), made.headers().get("accept-ranges")), (&b"W/\"1\""[..], None));
        let plain = in_form_of(asked(""), &room(), tagged());
        assert_eq!(plain.headers()["etag"], "\"1\"");
    }

    #[test]
    fn nothing_changed_varies_too() {
        let mut unchanged = Response::new(Body::empty());
        *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
        assert_eq!(in_form_of(asked(""), &room(), unchanged).headers()["vary"], "accept-encoding");
    }

    #[test]
    fn who_finds_no_place_gets_it_plain_and_a_place_is_free_when_all_is_sent() {
        let room = room();
        let form = || in_form_of(asked("gzip"), &room, answer("text/css", 5000));
        let first = form();
        assert_eq!((encoding(&first), encoding(&form())), (Some("gzip"), None));
        drop(first);
        assert_eq!(encoding(&form()), Some("gzip"));
    }
}
