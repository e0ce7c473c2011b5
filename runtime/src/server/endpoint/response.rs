//! What a handler's answer becomes (plugin ABI §9.3, §9.4).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{self, JsonError};
use crate::server::Response;

/// Header fields of one answer.
const HEADERS_MAX: usize = 32;
/// Bytes of one header field.
const HEADER_BYTES_MAX: usize = 2048;

/// Header fields that a plugin can set, besides its own `x-…`: those that speak of this answer. All others belong to the
/// connection, or to every page of the gateway's origin (plugin ABI L-47).
const ALLOWED: [&str; 15] = [
    "accept-ranges",
    "allow",
    "cache-control",
    "content-disposition",
    "content-language",
    "content-location",
    "content-range",
    "content-security-policy",
    "content-type",
    "etag",
    "expires",
    "last-modified",
    "location",
    "retry-after",
    "vary",
];

/// Returns the response of a handler that answered `answer`, `{"statusCode","headers","body"}`.
///
/// Anything that is no such object, or longer than `bytes_max`, is a 500 that says so.
#[must_use]
pub fn response(handler: &str, answer: &str, bytes_max: u32) -> Response {
    let failed = |what: &str| handler_failed(handler, what);
    if answer.trim().is_empty() {
        return failed("it answered nothing");
    }
    if answer.len() > usize::try_from(bytes_max).unwrap_or(usize::MAX) {
        return failed(&format!("its answer is longer than {bytes_max} bytes"));
    }
    let (mut status, mut headers, mut body) = (200, Vec::new(), None);
    let read = json::members::<Bad>(answer, |key, value| {
        match key {
            "statusCode" => status = status_code(value)?,
            "headers" => headers = header_fields(value)?,
            "body" => body = Some(value),
            _ => {}
        }
        Ok(())
    });
    if let Err(Bad(clause)) = read {
        return failed(clause);
    }
    let content_type =
        headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type")).map(|(_, value)| value.clone());
    let (body, default_type) = match body {
        None | Some("null") => (String::new(), None),
        Some(value) if value.starts_with('"') => {
            let Some(text) = json::string(value) else {
                return failed("its body is no text");
            };
            let is_json =
                content_type.as_deref().is_some_and(|kind| kind.to_ascii_lowercase().contains("application/json"));
            // A text that says it is JSON and is not goes out as it is.
            let parsed = if is_json { json::compact(&text).ok() } else { None };
            (parsed.unwrap_or_else(|| text.into_owned()), Some("text/html; charset=utf-8"))
        }
        Some(value) => match json::compact(value) {
            Ok(json) => (json, Some("application/json; charset=utf-8")),
            Err(_) => return failed("its body is no JSON"),
        },
    };
    if content_type.is_none()
        && let Some(default_type) = default_type
    {
        headers.push(("content-type".to_owned(), default_type.to_owned()));
    }
    headers.push(("x-content-type-options".to_owned(), "nosniff".to_owned()));
    Response { status, headers, body: body.into_bytes().into(), unclaimed: false }
}

/// Returns the answer when the plugin does not export the handler.
#[must_use]
pub fn handler_missing(handler: &str) -> Response {
    Response::error(500, &format!("handler {handler} is not exported by the plugin"))
}

/// Returns the answer when the handler trapped or answered what is no response; `reason` is one clause.
#[must_use]
pub fn handler_failed(handler: &str, reason: &str) -> Response {
    Response::error(500, &format!("handler {handler} failed: {reason}"))
}

/// Returns the answer when the handler used up its fuel.
#[must_use]
pub fn handler_slow(handler: &str) -> Response {
    let body = json::object(|body| {
        body.text("error", "Gateway Timeout");
        body.text("message", &format!("handler {handler} used up its time and was stopped"));
    });
    Response::json(504, body)
}

/// Returns the answer while the plugin does not run.
#[must_use]
pub fn plugin_not_running(state: &str) -> Response {
    Response::error(503, &format!("the plugin does not run, its state is {state}"))
}

/// Why an answer is none; one clause.
struct Bad(&'static str);

impl From<JsonError> for Bad {
    fn from(_: JsonError) -> Self {
        Self("its answer is no JSON object")
    }
}

fn status_code(value: &str) -> Result<u16, Bad> {
    if matches!(value, "null" | "0" | "false" | "\"\"") {
        return Ok(200);
    }
    let number: u16 = value.parse().map_err(|_| Bad("its statusCode is no status"))?;
    // 1xx are not final (RFC 9110 §15.2), beyond 599 no client knows what is meant.
    if (200..=599).contains(&number) { Ok(number) } else { Err(Bad("its statusCode is not between 200 and 599")) }
}

fn header_fields(value: &str) -> Result<Vec<(String, String)>, Bad> {
    let mut headers = Vec::new();
    if value == "null" {
        return Ok(headers);
    }
    json::members::<Bad>(value, |name, value| {
        let text = match json::string(value) {
            Some(text) => text.into_owned(),
            None if json::number(value).is_some() => value.to_owned(),
            None => return Err(Bad("a header field is neither text nor number")),
        };
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let is_name = !name.is_empty() && name.bytes().all(is_token);
        let is_value = text.bytes().all(|byte| byte == b'\t' || (0x20..0x7f).contains(&byte));
        if !is_name || !is_value || name.len().saturating_add(text.len()) > HEADER_BYTES_MAX {
            return Err(Bad("a header field is not valid"));
        }
        let lower = name.to_ascii_lowercase();
        if !ALLOWED.contains(&&*lower) && !lower.starts_with("x-") {
            return Ok(());
        }
        if headers.len() >= HEADERS_MAX {
            return Err(Bad("it answered too many header fields"));
        }
        headers.push((lower, text));
        Ok(())
    })
    .map_err(|_| Bad("its header fields are not valid"))?;
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    /// Status, content type and body.
    fn of(answer: &str) -> (u16, String, String) {
        let response = response("h", answer, 1000);
        let kind = response.header("content-type").unwrap_or_default().to_string();
        (response.status, kind, String::from_utf8(response.body.into_owned()).unwrap())
    }

    fn row(answer: &str, status: u16, kind: &str, body: &str) {
        assert_eq!(of(answer), (status, kind.to_string(), body.to_string()), "{answer}");
    }

    const HTML: &str = "text/html; charset=utf-8";
    const JSON: &str = "application/json; charset=utf-8";

    #[test]
    fn status_codes() {
        row(r#"{"statusCode":404,"body":"x"}"#, 404, HTML, "x");
        row(r#"{"body":"x"}"#, 200, HTML, "x");
        row(r#"{"statusCode":0,"body":"x"}"#, 200, HTML, "x");
        for bad in ["1", "99", "101", "600", "-1", "2.5", "\"ok\"", "{}"] {
            assert_eq!(of(&format!(r#"{{"statusCode":{bad}}}"#)).0, 500, "{bad}");
        }
    }

    #[test]
    fn bodies() {
        row(
            r#"{"headers":{"Content-Type":"application/json"},"body":"{ \"a\": 1.0 }"}"#,
            200,
            "application/json",
            r#"{"a":1}"#,
        );
        row(r#"{"headers":{"Content-Type":"application/json"},"body":"{ no"}"#, 200, "application/json", "{ no");
        row(
            r#"{"headers":{"content-type":"text/plain"},"body":"{ \"a\": 1.0 }"}"#,
            200,
            "text/plain",
            r#"{ "a": 1.0 }"#,
        );
        row(r#"{"body":"<b>é</b>"}"#, 200, HTML, "<b>é</b>");
        row(r#"{"body":{"a":[1,2]}}"#, 200, JSON, r#"{"a":[1,2]}"#);
        row(r#"{"body":[true]}"#, 200, JSON, "[true]");
        row(r#"{"body":false}"#, 200, JSON, "false");
        row(r#"{"body":42}"#, 200, JSON, "42");
        row(r#"{"body":null}"#, 200, "", "");
        row(r#"{"statusCode":204}"#, 204, "", "");
    }

    #[test]
    fn header_fields_are_set_and_numbers_accepted() {
        let response = response("h", r#"{"headers":{"X-A":"b","x-n":7},"body":"x"}"#, 1000);
        assert_eq!((response.header("x-a"), response.header("x-n")), (Some("b"), Some("7")));
    }

    #[test]
    fn header_fields_that_are_not_valid_are_errors() {
        for headers in [r#"{"a b":"x"}"#, r#"{"a":"x\r\ny: z"}"#, r#"{"a":{}}"#, r#"{"":"x"}"#, r#"{"a":"é"}"#, "[]"] {
            assert_eq!(of(&format!(r#"{{"headers":{headers},"body":"x"}}"#)).0, 500, "{headers}");
        }
        row(r#"{"headers":null,"body":"x"}"#, 200, HTML, "x");
    }

    #[test]
    fn a_plugin_cannot_speak_for_the_whole_origin() {
        let response = response(
            "h",
            r#"{"headers":{"Set-Cookie":"a=b","Access-Control-Allow-Origin":"*","Content-Length":3,"Alt-Svc":"h3","Refresh":"0",
                "Link":"</x>","Server":"x","NEL":"{}","Report-To":"{}","Accept-CH":"x","ETag":"\"1\"","X-Tide":"ebb"}}"#,
            1000,
        );
        assert_eq!(response.status, 200);
        for name in [
            "set-cookie",
            "access-control-allow-origin",
            "content-length",
            "alt-svc",
            "refresh",
            "link",
            "server",
            "nel",
            "report-to",
            "accept-ch",
        ] {
            assert_eq!(response.header(name), None, "{name}");
        }
        assert_eq!((response.header("etag"), response.header("x-tide")), (Some("\"1\""), Some("ebb")));
    }

    #[test]
    fn what_is_no_answer_is_a_500_that_names_the_handler() {
        for answer in ["", " ", "nonsense", "[]", "7", r#"{"body":"cut"#] {
            let (status, kind, body) = of(answer);
            assert_eq!((status, &*kind), (500, JSON), "{answer}");
            assert!(body.starts_with(r#"{"error":"handler h failed: "#), "{body}");
        }
        assert_eq!(response("h", r#"{"body":"long"}"#, 5).status, 500);
    }

    #[test]
    fn each_failure_has_its_answer() {
        assert_eq!(&handler_missing("h").body[..], br#"{"error":"handler h is not exported by the plugin"}"#);
        assert_eq!(&handler_failed("h", "unreachable").body[..], br#"{"error":"handler h failed: unreachable"}"#);
        assert_eq!((handler_slow("h").status, plugin_not_running("crashed").status), (504, 503));
        assert!(handler_slow("h").body.starts_with(br#"{"error":"Gateway Timeout","message":"#));
    }

    proptest::proptest! {
        #[test]
        fn any_answer_gives_a_status(answer in "(\\{|\\}|\"|:|,|statusCode|headers|body|[0-9]|\\PC){0,40}") {
            proptest::prop_assert!((200..=599).contains(&response("h", &answer, 1000).status));
        }
    }
}
