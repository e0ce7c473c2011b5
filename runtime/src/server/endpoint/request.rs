//! The request object a handler gets (plugin ABI §9.2).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::query::query_json;
use crate::http::Request;
use crate::json::{self, JsonError};
use crate::server::Response;

/// Header fields that carry the caller's credentials; plugins never see them (plugin ABI L-40).
const CREDENTIALS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "sec-websocket-protocol"];
/// Query member that carries a token.
const TOKEN: &str = "token";

/// Why a request is not handed to a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// The body is longer than the limit.
    BodyTooLong {
        /// Bytes allowed.
        limit: u32,
    },
    /// The body says it is JSON and is not.
    Json(JsonError),
    /// The body is JSON, but neither object nor array.
    JsonKind,
    /// The body is not UTF-8.
    NotText,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BodyTooLong { limit } => write!(f, "body longer than {limit} bytes"),
            Self::Json(error) => write!(f, "body: {error}"),
            Self::JsonKind => f.write_str("body must be a JSON object or array"),
            Self::NotText => f.write_str("body is not UTF-8"),
        }
    }
}

impl core::error::Error for RequestError {}

impl RequestError {
    /// Returns the response for the caller: 413 or 400.
    #[must_use]
    pub fn response(&self) -> Response {
        let status = if matches!(self, Self::BodyTooLong { .. }) { 413 } else { 400 };
        Response::error(status, &alloc::format!("{self}"))
    }
}

/// Returns `{"method","path","query","params","body","headers"}` for a handler.
///
/// `path` is below the mount point and not decoded, as `Route::Plugin` has it; `params` come from the pattern.
/// Credentials are left out of headers and query. A body of another content type than JSON or a form is `{}`.
///
/// # Errors
/// [`RequestError`] when the body is too long or not what its content type says.
pub fn request_object(
    request: &Request,
    path: &str,
    params: &[(String, String)],
    body_bytes_max: u32,
) -> Result<String, RequestError> {
    let body = body(request, body_bytes_max)?;
    Ok(json::object(|object| {
        object.text("method", request.method.name()).text("path", path);
        object.json("query", &query_json(request.query(), &[TOKEN]));
        object.object("params", |out| texts(out, params)).json("body", &body);
        object.object("headers", |out| texts(out, &headers(request)));
    }))
}

fn body(request: &Request, limit: u32) -> Result<String, RequestError> {
    if request.body.len() > usize::try_from(limit).unwrap_or(usize::MAX) {
        return Err(RequestError::BodyTooLong { limit });
    }
    let content_type = request.header("content-type").unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let is_json = media_type.eq_ignore_ascii_case("application/json");
    let is_form = media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    if request.body.is_empty() || !(is_json || is_form) {
        return Ok("{}".into());
    }
    let text = core::str::from_utf8(&request.body).map_err(|_| RequestError::NotText)?;
    if is_form {
        return Ok(query_json(text, &[]));
    }
    let json = json::compact(text).map_err(RequestError::Json)?;
    if json.starts_with(['{', '[']) { Ok(json) } else { Err(RequestError::JsonKind) }
}

/// Returns the header fields with lower-case names, repeated ones joined (RFC 9110 §5.3).
fn headers(request: &Request) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in &request.headers {
        let name = name.to_ascii_lowercase();
        if CREDENTIALS.contains(&&*name) {
            continue;
        }
        match headers.iter_mut().find(|(known, _)| *known == name) {
            Some((_, joined)) => {
                joined.push_str(", ");
                joined.push_str(value);
            }
            None => headers.push((name, value.clone())),
        }
    }
    // The address a page was opened with can hold a token; its origin is enough.
    for (name, value) in &mut headers {
        if name == "referer"
            && let Some(query) = value.find('?')
        {
            value.truncate(query);
        }
    }
    headers
}

fn texts(out: &mut json::Object<'_>, members: &[(String, String)]) {
    for (name, value) in members {
        out.text(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Method;
    use crate::http::get;
    use std::string::ToString;

    fn with_body(content_type: &str, body: &str) -> Result<String, RequestError> {
        let mut request = Request { method: Method::Post, body: body.into(), ..get("/plugins/x/a") };
        request.headers = alloc::vec![("Content-Type".to_string(), content_type.to_string())];
        let text = request_object(&request, "/a", &[], 100)?;
        Ok(json::member(&text, "body").unwrap().to_string())
    }

    #[test]
    fn the_object_has_its_members_in_order() {
        let mut request = get("/plugins/x/a/7?q=1&q=2&token=secret");
        request.headers.push(("X-Two".into(), "a".into()));
        request.headers.push(("x-two".into(), "b".into()));
        let params = [("id".to_string(), "7".to_string())];
        assert_eq!(
            request_object(&request, "/a/7", &params, 100).unwrap(),
            r#"{"method":"GET","path":"/a/7","query":{"q":["1","2"]},"params":{"id":"7"},"body":{},"headers":{"host":"localhost:3000","x-two":"a, b"}}"#
        );
    }

    #[test]
    fn plugins_never_see_credentials() {
        let mut request = get("/plugins/x/a?token=secret&tok%65n=secret");
        for name in ["Authorization", "COOKIE", "Proxy-Authorization", "Sec-WebSocket-Protocol"] {
            request.headers.push((name.into(), "secret".into()));
        }
        request.headers.push(("Referer".into(), "http://localhost:3000/?token=secret".into()));
        let text = request_object(&request, "/a", &[], 100).unwrap();
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn bodies_follow_their_content_type() {
        assert_eq!(with_body("application/json", " { \"a\" : 1.0 } ").unwrap(), r#"{"a":1}"#);
        assert_eq!(with_body("Application/JSON; charset=utf-8", "[1]").unwrap(), "[1]");
        assert_eq!(
            with_body("application/x-www-form-urlencoded", "a=1&b[c]=x+y").unwrap(),
            r#"{"a":"1","b":{"c":"x y"}}"#
        );
        assert_eq!(with_body("text/plain", "hello").unwrap(), "{}");
        assert_eq!(with_body("application/json", "").unwrap(), "{}");
    }

    #[test]
    fn bodies_that_are_not_what_they_say_are_refused() {
        assert!(matches!(with_body("application/json", "{"), Err(RequestError::Json(_))));
        assert_eq!(with_body("application/json", "7"), Err(RequestError::JsonKind));
        assert_eq!(with_body("text/plain", &"x".repeat(101)), Err(RequestError::BodyTooLong { limit: 100 }));
        let request = Request {
            body: alloc::vec![0xff],
            headers: alloc::vec![("content-type".into(), "application/json".into())],
            ..get("/")
        };
        assert_eq!(request_object(&request, "/", &[], 100), Err(RequestError::NotText));
        assert_eq!(RequestError::BodyTooLong { limit: 1 }.response().status, 413);
        assert_eq!(RequestError::JsonKind.response().status, 400);
    }

    proptest::proptest! {
        #[test]
        fn any_request_gives_json(path in "\\PC{0,20}", query in "\\PC{0,20}", header in "\\PC{0,20}", body in proptest::collection::vec(proptest::num::u8::ANY, 0..40), kind in 0_usize..3) {
            let kinds = ["application/json", "application/x-www-form-urlencoded", "x"];
            let mut request = Request { body, ..get(&std::format!("/a?{query}")) };
            request.headers = alloc::vec![("Content-Type".into(), kinds[kind].into()), (header.clone(), header)];
            if let Ok(text) = request_object(&request, &path, &[], 1000) {
                proptest::prop_assert_eq!(json::compact(&text).unwrap(), text);
            }
        }
    }
}
