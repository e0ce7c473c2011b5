//! One question to another server over HTTP/1.0: without chunks, and the connection ends with the answer.

use std::io::{Read, Write};

use skiff_runtime::json;

use super::line::Line;
use super::{Site, Trust};

/// Bytes of an answer with its head.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// What is asked.
#[derive(Default)]
pub struct Asked<'a> {
    /// Path.
    pub path: &'a str,
    /// Who asks.
    pub token: Option<&'a str>,
    /// JSON that is sent.
    pub body: Option<&'a str>,
}

/// Asks a server; returns status and JSON.
///
/// # Errors
/// What the system said, or what the answer lacks.
pub fn ask(host: &str, port: u16, is_secure: bool, what: &Asked<'_>) -> Result<(u16, String), String> {
    let wrong = || "write a name or an address".to_owned();
    let site = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let site = Site::parse(&site, is_secure, None, what.path)?;
    if what.token.is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) || site.host != host {
        return Err(wrong());
    }
    let (head, body) = exchange(&site, &Trust::System, what)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = json::compact(&body).map_err(|_| "no JSON came".to_owned())?;
    Ok((status.ok_or("no answer of HTTP came")?, body))
}

/// Asks, and returns head and body.
pub(super) fn exchange(site: &Site, trust: &Trust, what: &Asked<'_>) -> Result<(String, String), String> {
    let mut line = Line::open(site, trust, None)?;
    let authority = site.authority();
    let token = what.token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    let (method, body) = what.body.map_or(("GET", ""), |body| ("POST", body));
    let kind = what.body.map_or_else(String::new, |body| {
        format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len())
    });
    let request = format!(
        "{method} {} HTTP/1.0\r\nHost: {authority}\r\nAccept: application/json\r\n{token}{kind}\r\n{body}",
        what.path
    );
    line.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    line.flush().map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    let read = line.take(ANSWER_BYTES_MAX).read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer);
    match (text.split_once("\r\n\r\n"), read) {
        (Some((head, body)), _) => Ok((head.to_owned(), body.to_owned())),
        (None, Err(error)) => Err(error.to_string()),
        (None, Ok(_)) => Err("no answer of HTTP came; is it a Signal K server?".into()),
    }
}
