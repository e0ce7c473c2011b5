//! What lies at the admin's door: the files of Signal K Server's admin UI, and the way to web apps at the boat's door.
//!
//! A script that another package brought would act there with the rights of the admin. So the UI's page loads scripts of its
//! own address alone, those that upstream puts into it are left out, and a web app is a link that leads to the other door. Its
//! icon is shown: the other door gives nothing to pages of this one.

use std::net::SocketAddr;
use std::path::Path;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header, uri::Authority};
use axum::response::Response;

/// Its package.
pub const PACKAGE: &str = "@signalk/server-admin-ui";
/// Where upstream puts the scripts of other packages into its page.
const FOREIGN_SCRIPTS: &str = "%ADDONSCRIPTS%";
/// The page; it has some 2 KB.
const PAGE_BYTES_MAX: u64 = 256 * 1024;
/// Forms of configurations are compiled in the browser, which needs `unsafe-eval`.
const POLICY: &str = "script-src 'self' 'unsafe-eval'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
/// Of an image: a sandbox without any right.
const IMAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";
/// Where its style sheet looks for the images of `img/`, relative to itself.
const IMAGES: &str = "/assets/public_src/img/";

/// Returns the file that is meant by a path below `/admin`: `None` is the page.
pub(super) fn file_of(below: &str) -> Option<String> {
    match below {
        "/" | "/index.html" => None,
        _ => Some(below.strip_prefix(IMAGES).map_or_else(|| below.to_owned(), |image| format!("/img/{image}"))),
    }
}

/// Reads the page, without the place for the scripts of other packages.
pub(super) fn page(files: &Path) -> Option<String> {
    let page = files.join("index.html");
    let is_page = std::fs::symlink_metadata(&page).is_ok_and(|about| about.is_file() && about.len() <= PAGE_BYTES_MAX);
    let text = is_page.then(|| std::fs::read_to_string(page).ok()).flatten()?;
    Some(text.replace(FOREIGN_SCRIPTS, ""))
}

/// Answers with the page.
pub(super) fn show(page: String) -> Response {
    let mut answer = Response::new(Body::from(page));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    guard(headers);
    answer
}

/// Lets nobody frame what is shown, and no page that it opens reach back.
pub(super) fn guard(headers: &mut HeaderMap) {
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
}

/// Tells whether an image is asked for, for a page of this door.
pub(super) fn wants_image(headers: &HeaderMap) -> bool {
    asks_for(headers, "image/", "image")
}

fn asks_for(headers: &HeaderMap, kind: &str, destination: &str) -> bool {
    let accepts = headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(kind.as_bytes()));
    accepts && headers.get("sec-fetch-dest").is_none_or(|said| said == destination)
}

/// Keeps the image of a web app to being one: opened as a page of its own it can run no script (SVG), and nothing else is
/// taken for one.
pub(super) fn only_image(mut answer: Response) -> Option<Response> {
    let headers = answer.headers_mut();
    let kind = headers.get(header::CONTENT_TYPE)?;
    if !kind.as_bytes().starts_with(b"image/") {
        return None;
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(IMAGE_POLICY));
    guard(headers);
    Some(answer)
}

/// Returns where a page is at the boat's door; `None` for what acts where it is loaded, such as scripts.
pub(super) fn at_boat(boat: SocketAddr, target: &str, headers: &HeaderMap, secure: bool) -> Option<String> {
    if !asks_for(headers, "text/html", "document") {
        return None;
    }
    let called: Authority = headers.get(header::HOST)?.to_str().ok()?.parse().ok()?;
    // It is called as it was here, unless it listens elsewhere.
    let is_here = boat.ip().is_unspecified() || boat.ip().is_loopback();
    let host = if is_here { called.host().to_owned() } else { SocketAddr::new(boat.ip(), 0).ip().to_string() };
    let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
    let scheme = if secure { "https" } else { "http" };
    Some(format!("{scheme}://{host}:{}{target}", boat.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(accept: &str, destination: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("boat.local:3001"));
        headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
        if let Some(destination) = destination {
            headers.insert("sec-fetch-dest", HeaderValue::from_str(destination).unwrap());
        }
        headers
    }

    #[test]
    fn pages_are_at_the_boats_door_and_scripts_are_nowhere() {
        let any: SocketAddr = "0.0.0.0:3000".parse().unwrap();
        let page = at_boat(any, "/kip/?a", &asked("text/html,*/*", Some("document")), false);
        assert_eq!(page.as_deref(), Some("http://boat.local:3000/kip/?a"));
        let other = at_boat("[fd00::1]:80".parse().unwrap(), "/kip/", &asked("text/html,*/*", None), true);
        assert_eq!(other.as_deref(), Some("https://[fd00::1]:80/kip/"));
        assert!(
            wants_image(&asked("image/avif,*/*", Some("image")))
                && !wants_image(&asked("image/avif", Some("document")))
        );
        for headers in [
            asked("image/avif", None),
            asked("*/*", Some("script")),
            asked("*/*", None),
            asked("text/html", Some("iframe")),
        ] {
            assert_eq!(at_boat(any, "/kip/remoteEntry.js", &headers, false), None);
        }
    }

    #[test]
    fn the_page_has_no_scripts_of_others() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(page(folder.path()), None);
        std::fs::write(folder.path().join("index.html"), "<head>\n%ADDONSCRIPTS%\n</head>").unwrap();
        assert_eq!(page(folder.path()).as_deref(), Some("<head>\n\n</head>"));
        let policy = show(String::new()).headers()[header::CONTENT_SECURITY_POLICY].clone();
        assert!(policy.to_str().unwrap().contains("script-src 'self'"));
        assert_eq!(file_of("/assets/public_src/img/a.svg").as_deref(), Some("/img/a.svg"));
        assert_eq!((file_of("/"), file_of("/x.js").as_deref()), (None, Some("/x.js")));
    }
}
