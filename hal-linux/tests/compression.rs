//! Compressed answers, over real HTTP: files of web apps, the tree, the page.

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use support::{Gateway, PATIENCE};
use tempfile::tempdir;

const SCRIPT_WORDS: usize = 2000;

fn script() -> String {
    (0..SCRIPT_WORDS).map(|number| format!("const word{number} = {};\n", number * 7919)).collect()
}

/// A configuration folder with one web app.
fn folder(config: &Path) {
    let app = config.join("node_modules/app");
    fs::create_dir_all(app.join("public")).unwrap();
    fs::write(app.join("package.json"), r#"{"name":"app","version":"1.0.0","keywords":["signalk-webapp"]}"#).unwrap();
    fs::write(app.join("public/app.js"), script()).unwrap();
    fs::write(app.join("public/icon.png"), [7; 5000]).unwrap();
}

/// Head and body of an answer, as they are on the wire but for the chunks.
fn ask(gateway: &Gateway, method: &str, path: &str, fields: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(&gateway.authority).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let host = &gateway.authority;
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{fields}\r\n").unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    let end = reply.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(reply[..end].to_vec()).unwrap();
    let rest = reply[end + 4..].to_vec();
    let body = if head.contains("transfer-encoding: chunked") { joined(&rest) } else { rest };
    (head, body)
}

/// Joins the chunks of a body (RFC 9112 §7.1).
fn joined(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while !chunks.is_empty() {
        let end = chunks.windows(2).position(|window| window == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&chunks[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&chunks[end + 2..end + 2 + size]);
        chunks = &chunks[end + 2 + size + 2..];
    }
    body
}

fn unpacked(gzip: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(gzip).read_to_end(&mut bytes).unwrap();
    bytes
}

const TAKES: &str = "Accept-Encoding: gzip, br\r\n";

fn field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[test]
fn texts_are_compressed_for_who_takes_it_and_other_files_are_not() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    folder(&config);
    let gateway = Gateway::start(home.path(), &["--config", config.to_str().unwrap()]);
    let (plain, text) = ask(&gateway, "GET", "/app/app.js", "");
    assert_eq!((field(&plain, "content-encoding"), field(&plain, "vary")), (None, Some("accept-encoding")), "{plain}");
    assert_eq!(text, script().into_bytes());
    let (head, body) = ask(&gateway, "GET", "/app/app.js", TAKES);
    assert_eq!(
        (field(&head, "content-encoding"), field(&head, "vary")),
        (Some("gzip"), Some("accept-encoding")),
        "{head}"
    );
    assert!(body.len() < text.len() / 2 && unpacked(&body) == text, "{} of {} bytes", body.len(), text.len());

    // The head of a `HEAD` is that of the `GET`, but for what only making the body tells.
    let (of_head, nothing) = ask(&gateway, "HEAD", "/app/app.js", TAKES);
    assert!(nothing.is_empty());
    for name in ["content-encoding", "vary", "etag", "last-modified", "content-length", "content-type"] {
        assert_eq!(field(&of_head, name), field(&head, name), "{of_head}");
    }
    let tag = field(&head, "etag").unwrap();
    let (unchanged, _) = ask(&gateway, "GET", "/app/app.js", &format!("{TAKES}If-None-Match: {tag}\r\n"));
    assert!(unchanged.starts_with("HTTP/1.1 304") && unchanged.contains("vary: accept-encoding"), "{unchanged}");

    let (part, bytes) = ask(&gateway, "GET", "/app/app.js", &format!("{TAKES}Range: bytes=0-1999\r\n"));
    assert!(part.starts_with("HTTP/1.1 206") && field(&part, "content-encoding").is_none(), "{part}");
    assert_eq!(bytes, text[..2000]);
    let (image, bytes) = ask(&gateway, "GET", "/app/icon.png", TAKES);
    assert_eq!((field(&image, "content-encoding"), bytes), (None, vec![7; 5000]), "{image}");
}

#[test]
fn the_tree_and_the_page_are_compressed_and_short_answers_are_not() {
    let home = tempdir().unwrap();
    let gateway = Gateway::start(home.path(), &["--sample"]);
    gateway.get_until("/signalk/v1/api/vessels/self", |body| body.len() > 2000);
    for (path, part) in [("/signalk/v1/api/vessels/self", "navigation"), ("/", "<!doctype html>")] {
        let (head, body) = ask(&gateway, "GET", path, TAKES);
        assert_eq!(field(&head, "content-encoding"), Some("gzip"), "{path}: {head}");
        let text = String::from_utf8(unpacked(&body)).unwrap();
        assert!(text.to_lowercase().contains(part), "{text}");
    }
    let (head, body) = ask(&gateway, "GET", "/signalk", TAKES);
    assert!(field(&head, "content-encoding").is_none() && body.starts_with(b"{"), "{head}");
}
