//! The page to log in with: plain HTML and a form, so that it works in the oldest browser on board.

use alloc::format;
use alloc::string::{String, ToString};

use super::Response;
use super::url::parameter;
use crate::http::Request;

/// Bytes of an address to go to afterwards.
const DESTINATION_BYTES_MAX: usize = 1024;
/// Nothing of the page comes from elsewhere, and nobody may frame it.
pub(super) const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
pub(super) const STYLE: &str = "body{font:16px system-ui,sans-serif;max-width:22em;margin:12vh auto;padding:0 1em;color:#123}\
    h1{font-size:1.3em}label{display:block;margin:.8em 0 .2em}\
    input:not([type=checkbox]){width:100%;box-sizing:border-box;padding:.5em;font:inherit}\
    button{margin-top:1.2em;padding:.6em 1.4em;font:inherit}p.wrong{color:#a00}p.hint{color:#567;font-size:.9em}";

/// Returns where to go after a login: an address of this gateway, `/` for every other text.
pub(crate) fn destination(wanted: Option<String>) -> String {
    let is_here = |text: &String| {
        // `//host` and `/\host` are other hosts to a browser.
        text.starts_with('/')
            && !text.starts_with("//")
            && text.len() <= DESTINATION_BYTES_MAX
            && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    };
    wanted.filter(is_here).unwrap_or_else(|| "/".to_string())
}

/// Tells whether a browser asks for a page to show.
pub(crate) fn wants_page(request: &Request) -> bool {
    request.method.is_read() && request.header("accept").is_some_and(|accept| accept.contains("text/html"))
}

/// Returns what a browser is shown that asks for `/login`, with `?code=` of the link a button instead of a password.
pub(crate) fn of(request: &Request) -> Response {
    match parameter(request.query(), "code") {
        Some(code) => {
            // A preview of the link must not use it up, so it takes a press of a button.
            let fields = format!("<input type=\"hidden\" name=\"code\" value=\"{}\">", escaped(&code));
            whole(200, "", &fields, "/")
        }
        None => page(200, "", &destination(parameter(request.query(), "destination"))),
    }
}

/// Returns the page with a sentence about what went wrong, if anything did.
pub(crate) fn page(status: u16, wrong: &str, destination: &str) -> Response {
    let fields = "<label for=\"u\">User</label><input id=\"u\" name=\"username\" autocomplete=\"username\" \
                  autocapitalize=\"none\" required autofocus>\
                  <label for=\"p\">Password</label><input id=\"p\" name=\"password\" type=\"password\" \
                  autocomplete=\"current-password\" required>\
                  <label><input type=\"checkbox\" name=\"rememberMe\" value=\"true\"> Remember me for 30 days</label>";
    whole(status, wrong, fields, destination)
}

fn whole(status: u16, wrong: &str, fields: &str, destination: &str) -> Response {
    let wrong = if wrong.is_empty() {
        String::new()
    } else {
        format!("<p class=\"wrong\" role=\"alert\">{}</p>", escaped(wrong))
    };
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sign in to this boat</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>{STYLE}</style></head>\
         <body><h1>Sign in to this boat</h1>{wrong}<form method=\"post\" action=\"/signalk/v1/auth/login\">{fields}\
         <input type=\"hidden\" name=\"destination\" value=\"{}\"><button>Sign in</button></form>\
         <p class=\"hint\">No user yet? The owner makes one on the gateway: <code>skiff user add NAME</code></p>\
         </body></html>\n",
        escaped(destination)
    );
    Response::new(status, "text/html; charset=utf-8", html)
        .with("content-security-policy", POLICY)
        // With no-referrer a browser says `Origin: null` of the form, as it does of a page elsewhere.
        .with("referrer-policy", "same-origin")
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::get;

    fn text(response: Response) -> String {
        String::from_utf8(response.body.into_owned()).unwrap()
    }

    #[test]
    fn only_addresses_of_this_gateway_are_gone_to() {
        let goes = |text: &str| destination(Some(text.into()));
        assert_eq!(goes("/@mxtommy/kip/#/page/1"), "/@mxtommy/kip/#/page/1");
        for elsewhere in ["", "//evil", "/\\evil", "https://evil", "evil", "/a\r\nset-cookie: x", &"/a".repeat(600)] {
            assert_eq!(goes(elsewhere), "/", "{elsewhere}");
        }
        assert_eq!(destination(None), "/");
    }

    #[test]
    fn what_a_visitor_brings_cannot_become_markup() {
        let page = text(of(&get("/login?code=%22%3E%3Cscript%3E")));
        assert!(page.contains("value=\"&quot;&gt;&lt;script&gt;\"") && !page.contains("<script"));
        let page = text(of(&get("/login?destination=/x%22y")));
        assert!(page.contains("value=\"/x&quot;y\"") && page.contains("type=\"password\""));
        assert!(text(super::page(401, "a <b>", "/")).contains("a &lt;b&gt;"));
    }

    #[test]
    fn nobody_frames_the_page() {
        let policy = of(&get("/login")).header("content-security-policy").unwrap_or_default().to_string();
        let referrer = of(&get("/login")).header("referrer-policy").map(ToString::to_string);
        assert_eq!(referrer.as_deref(), Some("same-origin"), "the form would come from nowhere");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"));
    }
}
