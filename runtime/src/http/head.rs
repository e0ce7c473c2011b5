//! Request line and header fields.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::{HEADERS_MAX, Limits, Method, Refusal, Request};

/// How the body is framed (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// This many bytes.
    Length(usize),
    /// Chunks until an empty one.
    Chunked,
}

/// A head, and what follows it.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) request: Request,
    /// Whether the connection goes on after the response.
    pub(super) keep_alive: bool,
    pub(super) framing: Framing,
    /// The client waits for `100 Continue` before it sends the body.
    pub(super) expects_continue: bool,
}

/// Parses a head; `bytes` ends with its empty line.
pub(super) fn parse(bytes: &[u8], limits: &Limits) -> Result<Head, Refusal> {
    let mut fields = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let fields = fields.get_mut(..limits.headers_max.min(HEADERS_MAX)).unwrap_or_default();
    let mut parsed = httparse::Request::new(fields);
    match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(Refusal::Malformed("the request breaks off")),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::HeadTooLarge),
        Err(_) => return Err(Refusal::Malformed("not an HTTP/1.1 request")),
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers: Vec<(String, String)> =
        parsed.headers.iter().map(|field| (field.name.to_owned(), text(field.value))).collect();
    let is_old = parsed.version == Some(0);
    let mut request = Request {
        method: Method::from_name(parsed.method.unwrap_or_default()),
        target: parsed.path.unwrap_or_default().to_owned(),
        headers,
        body: Vec::new(),
        // Nothing is believed of the caller that its carrier does not say.
        peer: None,
        local: false,
        secure: false,
        door: super::Door::Boat,
    };
    origin_form(&mut request);
    let keep_alive =
        !request.has_token("connection", "close") && (!is_old || request.has_token("connection", "keep-alive"));
    let framing = framing(&request, is_old, limits)?;
    let expects_continue = match request.header("expect") {
        // HTTP/1.0 has no interim responses: the field is ignored there (RFC 9110 §10.1.1).
        None => false,
        Some(_) if is_old => false,
        Some(value) if value.eq_ignore_ascii_case("100-continue") => framing != Framing::Length(0),
        Some(_) => return Err(Refusal::Expectation),
    };
    Ok(Head { request, keep_alive, framing, expects_continue })
}

/// Turns `http://host/path` into `/path`; the host it names counts instead of `Host` (RFC 9112 §3.2.2).
fn origin_form(request: &mut Request) {
    let rest = ["http://", "https://"].iter().find_map(|scheme| {
        let start = request.target.get(..scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then(|| request.target.get(scheme.len()..)).flatten()
    });
    let Some(rest) = rest else { return };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let host = host.to_owned();
    let mut target = String::new();
    if !path.starts_with('/') {
        target.push('/');
    }
    target.push_str(path);
    request.target = target;
    request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("host"));
    request.headers.push(("host".to_owned(), host));
}

/// Finds out where the body ends; whatever two readers could understand differently is refused (RFC 9112 §11.2).
fn framing(request: &Request, is_old: bool, limits: &Limits) -> Result<Framing, Refusal> {
    let mut codings = request.headers_named("transfer-encoding");
    let (coding, second) = (codings.next(), codings.next());
    let has_length = request.header("content-length").is_some();
    if let Some(coding) = coding {
        if has_length || is_old {
            return Err(Refusal::Malformed("transfer-encoding beside content-length or in HTTP/1.0"));
        }
        if second.is_some() || !coding.eq_ignore_ascii_case("chunked") {
            return Err(Refusal::Coding);
        }
        return Ok(Framing::Chunked);
    }
    let mut length = None;
    for value in request.headers_named("content-length").flat_map(|value| value.split(',')) {
        let value = value.trim();
        if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Refusal::Malformed("content-length is no number"));
        }
        // A number beyond usize is too long as well.
        let bytes = value.parse::<usize>().unwrap_or(usize::MAX);
        if length.is_some_and(|known| known != bytes) {
            return Err(Refusal::Malformed("two different values of content-length"));
        }
        length = Some(bytes);
    }
    match length.unwrap_or(0) {
        bytes if bytes > limits.body_bytes_max => Err(Refusal::BodyTooLarge { limit: limits.body_bytes_max }),
        bytes => Ok(Framing::Length(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { head_bytes_max: 1024, headers_max: 8, body_bytes_max: 100 };

    fn head(text: &str) -> Result<Head, Refusal> {
        parse(text.as_bytes(), &LIMITS)
    }

    fn with(fields: &str) -> Result<Head, Refusal> {
        head(&std::format!("POST /a?b HTTP/1.1\r\nHost: x\r\n{fields}\r\n"))
    }

    #[test]
    fn connections_stay_open_as_their_version_says() {
        let keep = |text: &str| head(text).unwrap().keep_alive;
        assert!(keep("GET / HTTP/1.1\r\n\r\n"));
        assert!(!keep("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n"));
        assert!(!keep("GET / HTTP/1.1\r\nConnection: upgrade, close\r\n\r\n"));
        assert!(!keep("GET / HTTP/1.0\r\n\r\n"));
        assert!(keep("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    }

    #[test]
    fn ambiguous_ends_are_refused() {
        for fields in [
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: 3\r\nContent-Length: 4\r\n",
            "Content-Length: 3, 4\r\n",
            "Content-Length: -1\r\n",
            "Content-Length: +1\r\n",
            "Content-Length: 0x1\r\n",
            "Content-Length:\r\n",
            "Content-Length : 3\r\n",
            "X: a\r\n folded\r\n",
        ] {
            assert!(matches!(with(fields), Err(Refusal::Malformed(_))), "{fields}");
        }
        for fields in ["Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: chunked\r\ntransfer-encoding: x\r\n"]
        {
            assert_eq!(with(fields).unwrap_err(), Refusal::Coding, "{fields}");
        }
        assert!(head("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert_eq!(with("Content-Length: 3, 3\r\n").unwrap().framing, Framing::Length(3));
    }

    #[test]
    fn bodies_and_heads_beyond_the_limit_are_refused() {
        let too_large = Refusal::BodyTooLarge { limit: 100 };
        assert_eq!(with("Content-Length: 100\r\n").unwrap().framing, Framing::Length(100));
        assert_eq!(with("Content-Length: 101\r\n").unwrap_err(), too_large);
        assert_eq!(with("Content-Length: 99999999999999999999999999\r\n").unwrap_err(), too_large);
        assert_eq!(with(&"X: y\r\n".repeat(8)).unwrap_err(), Refusal::HeadTooLarge);
    }

    #[test]
    fn only_continue_can_be_expected() {
        assert!(with("Expect: 100-Continue\r\nContent-Length: 1\r\n").unwrap().expects_continue);
        assert!(!with("Expect: 100-continue\r\n").unwrap().expects_continue);
        assert_eq!(with("Expect: tea\r\n").unwrap_err(), Refusal::Expectation);
        assert!(!head("GET / HTTP/1.0\r\nExpect: tea\r\n\r\n").unwrap().expects_continue);
    }

    #[test]
    fn an_absolute_target_names_the_host() {
        for (target, path) in [("http://other:80/a?b", "/a?b"), ("HTTP://other:80", "/"), ("http://other:80?x", "/?x")]
        {
            let request = head(&std::format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n")).unwrap().request;
            assert_eq!((request.target.as_str(), request.header("host")), (path, Some("other:80")), "{target}");
            assert_eq!(request.headers_named("Host").count(), 1);
        }
    }

    #[test]
    fn nothing_is_believed_of_a_caller_before_its_carrier_speaks() {
        let request = with("X-Forwarded-For: 127.0.0.1\r\nForwarded: for=127.0.0.1;proto=https\r\n").unwrap().request;
        assert_eq!((request.peer, request.local, request.secure), (None, false, false));
    }

    #[test]
    fn what_is_not_http_1_is_refused() {
        for text in
            ["GET /\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "\x16\x03\x01 / HTTP/1.1\r\n\r\n", "G / HTTP/1.1\r\nx\r\n\r\n"]
        {
            assert!(matches!(head(text), Err(Refusal::Malformed(_))), "{text}");
        }
    }
}
