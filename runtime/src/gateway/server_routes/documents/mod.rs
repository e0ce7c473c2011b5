//! The API documents: OpenAPI 3.1 of the routes, AsyncAPI 3.0 of the streams, and a page for people.
//!
//! `made` makes them when this is built, from one table of operations; they lie here compressed together. The admin UI asks
//! for the list of streams and for each of them, and leads to `/doc/openapi`.

mod page;

use alloc::string::String;

use crate::http::Request;
use crate::json;
use crate::server::{Response, sign_in};

include!(concat!(env!("OUT_DIR"), "/documents.rs"));

/// `{"openapi":{NAME:DOCUMENT},"asyncapi":{NAME:DOCUMENT}}`, compressed when it is built (RFC 1950).
const COMPRESSED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/documents.zlib"));

/// Answers what is asked for below `/skServer/openapi` and `/skServer/asyncapi`; `form` is that word.
pub(super) fn listed(form: &str, below: &[&str]) -> Response {
    match below {
        [] => Response::json(200, list(form)),
        [name] => document(form, name).map_or_else(nothing, |text| Response::json(200, text)),
        _ => nothing(),
    }
}

/// Answers what is asked for below `/doc/openapi`: pages to browsers, and the documents to programs.
pub(crate) fn shown(below: &[&str], request: &Request) -> Response {
    match below {
        [] => page::of_all(),
        [name] if sign_in::wants_page(request) => {
            document("openapi", name).map_or_else(nothing, |text| page::of_one(&text, name))
        }
        below => listed("openapi", below),
    }
}

fn nothing() -> Response {
    Response::error(404, "there is no such document, see /skServer/openapi")
}

fn rows(form: &str) -> &'static [(&'static str, &'static str)] {
    if form == "openapi" { &OPENAPI } else { &ASYNCAPI }
}

fn list(form: &str) -> String {
    json::list(|out| {
        for (name, title) in rows(form) {
            out.object(|row| {
                row.text("name", name).text("title", title);
                row.text("jsonUrl", &["/skServer/", form, "/", name].concat());
                row.text("docsUrl", if form == "openapi" { "/doc/openapi" } else { "/admin/#/asyncapi" });
            });
        }
    })
}

/// Returns a document.
fn document(form: &str, name: &str) -> Option<String> {
    rows(form).iter().find(|(known, _)| *known == name)?;
    let all = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(COMPRESSED, DOCUMENTS_BYTES).ok()?;
    let all = String::from_utf8(all).ok()?;
    json::member(json::member(&all, form)?, name).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::get;

    #[test]
    fn each_that_is_listed_is_there_and_no_other() {
        for (form, rows) in [("openapi", &OPENAPI[..]), ("asyncapi", &ASYNCAPI[..])] {
            for (name, title) in rows {
                let text = document(form, name).expect(name);
                let info = json::member(&text, "info").unwrap();
                assert_eq!(json::member(info, "title").and_then(json::string).as_deref(), Some(*title));
                assert!(list(form).contains(&["/skServer/", form, "/", name].concat()));
            }
            for name in ["", "nothing", "..", "openapi"] {
                assert_eq!(listed(form, &[name]).status, 404, "{name}");
            }
            assert_eq!(listed(form, &["course", "more"]).status, 404);
        }
        assert_eq!(document("openapi", "deltas"), None, "a stream is no API");
    }

    #[test]
    fn browsers_get_a_page_and_programs_the_document() {
        let kind = |request: &Request| shown(&["course"], request).header("content-type").map(String::from);
        let mut browser = get("/doc/openapi/course");
        assert_eq!(kind(&browser).as_deref(), Some("application/json; charset=utf-8"));
        browser.headers.push(("accept".into(), "text/html,*/*".into()));
        assert_eq!(kind(&browser).as_deref(), Some("text/html; charset=utf-8"));
    }

    #[test]
    fn they_stay_small() {
        assert!(COMPRESSED.len() <= 15 * 1024, "{} bytes", COMPRESSED.len());
    }
}
