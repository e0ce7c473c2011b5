//! The page at `/`: the whole one of `runtime/page`, or a small one that shows what the vessel says and how the plugins are.
//!
//! One file without anything from elsewhere. Its content security policy allows exactly its own
//! script and style, by hash, so that nothing a plugin serves or names can run in it.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

use super::Response;
use super::url::authority;
use crate::http::{Door, Request};

include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The page, compressed when it is built (RFC 1950).
const COMPRESSED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/page.zlib"));

const HTML: &str = "text/html; charset=utf-8";
/// Bytes that are unpacked where there is no system to give memory.
const UNPACKED_BYTES_MAX: usize = 32 * 1024;

/// Returns the page: compressed to those who take it, as every browser does, so that a board has no room to make for it.
pub(super) fn page(request: &Request) -> Response {
    let host = request.header("host").filter(|host| authority(host).is_some());
    // Older browsers do not count a WebSocket of the same origin as 'self'.
    let sockets = host.map_or(String::new(), |host| format!(" ws://{host} wss://{host}"));
    // A web app opens inside the page of the boat's door; nothing that a package brought does where somebody administrates.
    let frames = if request.door == Door::Boat { "'self'" } else { "'none'" };
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{SCRIPT_HASH}'; style-src 'sha256-{STYLE_HASH}'; connect-src 'self'{sockets}; img-src 'self' data:; frame-src {frames}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let is_taken = request.header("accept-encoding").is_some_and(takes_deflate);
    if !is_taken && PAGE_BYTES > UNPACKED_BYTES_MAX && !cfg!(feature = "std") {
        return Response::error(406, "the page is sent compressed alone: say Accept-Encoding: deflate");
    }
    let response = if is_taken {
        Response::fixed(200, HTML, COMPRESSED).with("content-encoding", "deflate")
    } else {
        Response::new(200, HTML, inflated())
    };
    response
        .with("content-security-policy", &policy)
        .with("referrer-policy", "no-referrer")
        .with("vary", "accept-encoding")
}

/// Tells whether a client takes `deflate` (RFC 9110 §12.5.3): it is named, and not with the weight 0.
fn takes_deflate(accepted: &str) -> bool {
    accepted.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let is_refused =
            weight.trim().strip_prefix("q=").is_some_and(|weight| weight.bytes().all(|digit| b"0.".contains(&digit)));
        name.trim().eq_ignore_ascii_case("deflate") && !is_refused
    })
}

/// Returns the page itself.
fn inflated() -> Vec<u8> {
    let mut page = vec![0; PAGE_BYTES];
    let flags = inflate_flags::TINFL_FLAG_PARSE_ZLIB_HEADER | inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut inflator = Box::<DecompressorOxide>::default();
    // What was compressed when this was built has the length that it had.
    let _ = decompress(&mut inflator, COMPRESSED, &mut page, 0, flags);
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::get;
    use base64ct::{Base64, Encoding};
    use sha2::{Digest, Sha256};
    use std::string::ToString;

    #[test]
    fn the_page_needs_nothing_from_elsewhere() {
        let response = page(&get("/"));
        let text = String::from_utf8(response.body.to_vec()).unwrap();
        // Names of XML, not addresses.
        let text = ["svg", "1998/Math/MathML", "2000/svg", "1999/xhtml", "1999/xlink"]
            .iter()
            .fold(text, |text, name| text.replace(&format!("http://www.w3.org/{name}"), ""))
            // What an app's address is resolved against, to tell whether it stays here.
            .replace("http://here", "");
        for foreign in ["http://", "https://", "@import", "url(", " src=", " onclick"] {
            assert!(!text.contains(foreign), "{foreign}");
        }
        assert!(text.contains("/signalk/v1/stream"));
    }

    #[test]
    fn a_web_app_opens_inside_at_the_boats_door_alone() {
        let mut request = get("/");
        let frames =
            |request: &Request| page(request).header("content-security-policy").unwrap().contains("frame-src 'self'");
        assert!(frames(&request));
        request.door = Door::Admin;
        assert!(!frames(&request));
    }

    #[test]
    fn the_policy_allows_only_its_own_script() {
        let response = page(&get("/"));
        let policy = response.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"));
        assert!(!policy.contains("unsafe"));
        assert!(policy.contains("connect-src 'self' ws://localhost:3000 wss://localhost:3000;"));
        let text = String::from_utf8(response.body.to_vec()).unwrap();
        let between = |from: &str, to: &str| text.split_once(from).unwrap().1.split_once(to).unwrap().0.to_string();
        for (part, part_hash) in
            [(between("<style>", "</style>"), STYLE_HASH), (between("<script>", "</script>"), SCRIPT_HASH)]
        {
            assert_eq!(Base64::encode_string(&Sha256::digest(part)), part_hash);
            assert!(policy.contains(part_hash));
        }
    }

    #[test]
    fn the_page_is_sent_without_indentation_and_comments() {
        let text = String::from_utf8(page(&get("/")).body.into_owned()).unwrap();
        assert!(text.starts_with("<!DOCTYPE html>\n") && text.ends_with("</body>\n</html>\n"));
        assert!(text.lines().all(|line| !line.starts_with([' ', '/'])), "{text}");
    }

    #[test]
    fn a_browser_gets_it_compressed() {
        let plain = page(&get("/"));
        assert_eq!((plain.header("content-encoding"), plain.header("vary")), (None, Some("accept-encoding")));
        assert_eq!(plain.body.len(), PAGE_BYTES);
        for (accepted, is_taken) in [
            ("gzip, deflate, br", true),
            ("Deflate;q=0.5", true),
            ("deflate;q=0, gzip", false),
            ("gzip", false),
            ("identity", false),
        ] {
            let mut request = get("/");
            request.headers.push(("accept-encoding".into(), accepted.into()));
            let response = page(&request);
            assert_eq!(response.header("content-encoding").is_some(), is_taken, "{accepted}");
            if is_taken {
                assert_eq!(miniz_oxide::inflate::decompress_to_vec_zlib(&response.body).unwrap(), plain.body[..]);
            }
        }
    }

    #[test]
    fn a_hostile_host_does_not_reach_the_policy() {
        let mut request = get("/");
        request.headers = alloc::vec![("host".into(), "x; script-src *".into())];
        assert!(!page(&request).header("content-security-policy").unwrap().contains('*'));
    }
}
