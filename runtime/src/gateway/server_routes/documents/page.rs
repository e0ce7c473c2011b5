//! The documents as pages: what there is, and the operations of one, without a script.

use alloc::borrow::Cow;
use alloc::string::String;

use super::OPENAPI;
use crate::json;
use crate::server::Response;

/// Nothing from elsewhere, and no script at all.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const HEAD: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>APIs of this gateway</title>\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>\
    body{font:16px system-ui,sans-serif;max-width:62em;margin:2em auto;padding:0 1em;color:#123}h1{font-size:1.4em}\
    td{padding:.35em .8em .35em 0;vertical-align:top;border-top:1px solid #dde}table{border-collapse:collapse}\
    code{overflow-wrap:anywhere}small{color:#567}</style></head><body>\n";

/// Returns the page that lists all APIs.
pub(super) fn of_all() -> Response {
    let mut out = String::from(HEAD);
    out.push_str("<h1>APIs of this gateway</h1><table>\n");
    for (name, title) in OPENAPI {
        for part in [
            "<tr><td><a href=\"/doc/openapi/",
            name,
            "\">",
            title,
            "</a><td><a href=\"/skServer/openapi/",
            name,
            "\">OpenAPI</a>\n",
        ] {
            out.push_str(part);
        }
    }
    whole(out, "</table><p><small>Programs find the list at /skServer/openapi, streams at /skServer/asyncapi.</small>")
}

/// Returns the page of one document.
pub(super) fn of_one(document: &str, name: &str) -> Response {
    let info = json::member(document, "info").unwrap_or("{}");
    let mut out = String::from(HEAD);
    out.push_str("<p><a href=\"/doc/openapi\">All APIs</a></p><h1>");
    push(&mut out, &text(info, "title"));
    out.push_str("</h1><p>");
    push(&mut out, &text(info, "description"));
    out.push_str("</p><table>\n");
    each(json::member(document, "paths").unwrap_or("{}"), |path, operations| {
        each(operations, |method, operation| {
            // Parameters stand beside the methods.
            if method != "parameters" {
                row(&mut out, method, path, operation);
            }
        });
    });
    out.push_str("</table><p><a href=\"/skServer/openapi/");
    push(&mut out, name);
    whole(out, "\">The document (OpenAPI 3.1)</a>, with bodies and answers")
}

fn row(out: &mut String, method: &str, path: &str, operation: &str) {
    out.push_str("<tr><td>");
    push(out, &method.to_ascii_uppercase());
    out.push_str("<td><code>");
    push(out, path);
    out.push_str("</code><td>");
    push(out, &text(operation, "summary"));
    out.push_str("<td><small>");
    // Each way to say who one is has the same role.
    let security = json::member(operation, "security").unwrap_or("[]");
    out.push_str(["admin", "readwrite", "readonly"].into_iter().find(|role| security.contains(role)).unwrap_or("all"));
    out.push_str("</small>\n");
}

fn whole(mut out: String, end: &str) -> Response {
    out.push_str(end);
    out.push_str("</p></body></html>\n");
    Response::new(200, "text/html; charset=utf-8", out)
        .with("content-security-policy", POLICY)
        .with("referrer-policy", "no-referrer")
}

fn each(object: &str, mut visit: impl FnMut(&str, &str)) {
    // It was written as an object.
    let _ = json::members::<json::JsonError>(object, |name, value| {
        visit(name, value);
        Ok(())
    });
}

fn text<'a>(object: &'a str, name: &str) -> Cow<'a, str> {
    json::member(object, name).and_then(json::string).unwrap_or_default()
}

/// Adds a text; what would be markup is not.
fn push(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_each_operation_and_who_may() {
        let document = r#"{"info":{"title":"A <b>","description":""},"paths":{"/a/{b}":{"parameters":[],
            "get":{"summary":"Reads","security":[{},{"bearer":["readonly"]}]},"put":{"summary":"Sets","security":[{"bearer":["admin"]}]},
            "post":{"summary":"Asks","security":[{}]}}}}"#;
        let page = String::from_utf8(of_one(document, "a").body.into_owned()).unwrap();
        assert!(page.contains("<h1>A &lt;b></h1>"), "{page}");
        for row in [
            "GET<td><code>/a/{b}</code><td>Reads<td><small>readonly",
            "PUT<td><code>/a/{b}</code><td>Sets<td><small>admin",
        ] {
            assert!(page.contains(row), "{row}");
        }
        assert!(page.contains("Asks<td><small>all<") && !page.contains("PARAMETERS"));
    }

    #[test]
    fn nothing_on_it_is_from_elsewhere() {
        let page = of_all();
        assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
        let text = String::from_utf8(page.body.into_owned()).unwrap();
        assert!(!text.contains("http:") && !text.contains("<script") && text.contains("/doc/openapi/course"));
    }
}
