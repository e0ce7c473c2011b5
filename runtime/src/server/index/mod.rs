//! The page at `/`: what the vessel says and how the plugins are, live.
//!
//! One page without anything from elsewhere. Its content security policy allows exactly its own
//! script and style, by hash, so that nothing a plugin serves or names can run in it.

use alloc::format;
use alloc::string::String;

use sha2::{Digest, Sha256};

use super::Response;
use super::url::authority;
use crate::http::Request;

const STYLE: &str = text(&STYLE_BYTES);
const STYLE_BYTES: [u8; lean::<0>(STYLE_SOURCE).1] = lean(STYLE_SOURCE).0;
const STYLE_SOURCE: &str = include_str!("page.css");
const SCRIPT: &str = text(&SCRIPT_BYTES);
const SCRIPT_BYTES: [u8; lean::<0>(SCRIPT_SOURCE).1] = lean(SCRIPT_SOURCE).0;
const SCRIPT_SOURCE: &str = include_str!("page.js");
const BODY: &str = include_str!("page.html");

/// Returns the page.
pub(super) fn page(request: &Request) -> Response {
    let host = request.header("host").filter(|host| authority(host).is_some());
    // Older browsers do not count a WebSocket of the same origin as 'self'.
    let sockets = host.map_or(String::new(), |host| format!(" ws://{host} wss://{host}"));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'{sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE)
    );
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Skiff</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n{BODY}<script>{SCRIPT}</script>\n</body>\n</html>\n"
    );
    Response::new(200, "text/html; charset=utf-8", page)
        .with("content-security-policy", &policy)
        .with("referrer-policy", "no-referrer")
}

/// Returns the lines of a text without indentation and comments of whole lines, and their bytes: when it is compiled, so
/// that a chip's flash holds what a browser reads.
#[expect(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "checked when it is compiled")]
const fn lean<const N: usize>(text: &str) -> ([u8; N], usize) {
    let (mut out, mut bytes, mut rest) = ([0; N], 0, text.as_bytes());
    let (mut begins, mut is_comment) = (true, false);
    while let [byte, after @ ..] = rest {
        if begins && *byte != b' ' {
            is_comment = matches!(rest, [b'/', b'/', ..]);
            begins = false;
        }
        if !begins && !is_comment {
            if bytes < N {
                out[bytes] = *byte;
            }
            bytes += 1;
        }
        begins |= *byte == b'\n';
        rest = after;
    }
    (out, bytes)
}

const fn text(bytes: &'static [u8]) -> &'static str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => "",
    }
}

/// Returns the SHA-256 of a text in base64, as a policy names it (CSP Level 3 §2.3.1).
fn hash(text: &str) -> String {
    base64(&Sha256::digest(text))
}

/// Writes base64 with padding (RFC 4648 §4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        let missing = 3_usize.saturating_sub(chunk.len());
        let word = word << (8 * missing);
        for position in 0..4_usize {
            let digit = usize::try_from(word >> (18 - 6 * position) & 0x3f).unwrap_or(0);
            let digit = ALPHABET.get(digit).copied().unwrap_or(b'=');
            out.push(if position > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::get;

    #[test]
    fn base64_of_the_rfc() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }

    #[test]
    fn the_page_needs_nothing_from_elsewhere() {
        let response = page(&get("/"));
        let text = String::from_utf8(response.body.clone()).unwrap();
        for foreign in ["http://", "https://", "src=", "href=", "@import", "url(", "innerHTML", " style=", " onclick"] {
            assert!(!text.contains(foreign), "{foreign}");
        }
        assert!(text.contains("/signalk/v1/stream") && text.contains("/skServer/plugins"));
    }

    #[test]
    fn the_policy_allows_only_its_own_script() {
        let response = page(&get("/"));
        let policy = response.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"));
        assert!(!policy.contains("unsafe"));
        assert!(policy.contains("connect-src 'self' ws://localhost:3000 wss://localhost:3000;"));
        assert!(!SCRIPT.contains("</script") && !STYLE.contains("</style"));
    }

    #[test]
    fn the_page_is_sent_without_indentation_and_comments() {
        let source = "a {\n  b; // kept\n\n    // gone\n}\n";
        let (out, bytes) = lean::<64>(source);
        assert_eq!(out.get(..bytes).and_then(|out| core::str::from_utf8(out).ok()), Some("a {\nb; // kept\n\n}\n"));
        assert!(
            SCRIPT.starts_with("\n\"use strict\";\n") && SCRIPT.ends_with('\n') && SCRIPT.len() < SCRIPT_SOURCE.len()
        );
        assert!(STYLE.contains(":root {\ncolor-scheme"));
    }

    #[test]
    fn a_hostile_host_does_not_reach_the_policy() {
        let mut request = get("/");
        request.headers = alloc::vec![("host".into(), "x; script-src *".into())];
        assert!(!page(&request).header("content-security-policy").unwrap().contains('*'));
    }
}
