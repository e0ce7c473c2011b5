//! The page of a board that is being set up: plain HTML and a form, for the small browser that a phone shows by itself when a
//! network leads nowhere.

use alloc::format;
use alloc::string::String;

use super::sign_in::{POLICY, STYLE, escaped};
use super::{Access, Response, session_cookie};
use crate::device::wifi::{JoinFailure, Seen};
use crate::http::Door;

/// What the page to choose a network shows.
pub(crate) struct Choice<'c> {
    /// What went wrong with what was sent before, if anything did.
    pub wrong: &'c str,
    /// The networks there are.
    pub seen: &'c [Seen],
    /// The network that is to be joined, and why it was not.
    pub before: Option<(&'c str, Option<JoinFailure>)>,
    /// The board has an owner: whoever changes something shows the token.
    pub needs_token: bool,
}

/// Returns the page with the networks to choose from.
pub(crate) fn choose(status: u16, choice: &Choice<'_>) -> Response {
    let mut body = wrong(choice.wrong);
    if let Some((ssid, failure)) = choice.before {
        let why = match failure {
            Some(JoinFailure::NotFound) => "it was not found",
            Some(JoinFailure::Password) => "it did not take the password",
            Some(JoinFailure::Other) => "it did not let the gateway in; is the password right?",
            None => "it is kept",
        };
        body.push_str(&format!("<p>Network before: <b>{}</b>; {why}.</p>", escaped(ssid)));
    }
    body.push_str("<p>Which network is this gateway to join?</p><form method=\"post\" action=\"/setup\">");
    for network in choice.seen {
        let strength = match network.dbm {
            -60.. => "strong",
            -75..-60 => "fair",
            _ => "weak",
        };
        let lock = if network.is_open { ", open" } else { "" };
        let ssid = escaped(&network.ssid);
        body.push_str(&format!(
            "<label><input type=\"radio\" name=\"ssid\" value=\"{ssid}\"> {ssid} <small>{strength}{lock}</small></label>"
        ));
    }
    body.push_str(
        "<label for=\"o\">Another network</label><input id=\"o\" name=\"other\" maxlength=\"32\" autocapitalize=\"none\">\
         <label for=\"p\">Password of the network</label><input id=\"p\" name=\"password\" type=\"password\" maxlength=\"63\" \
         autocomplete=\"off\">",
    );
    if choice.needs_token {
        body.push_str(
            "<label for=\"t\">Token of the owner</label><input id=\"t\" name=\"token\" type=\"password\" required>",
        );
    }
    body.push_str("<button>Join</button></form>");
    whole(status, &body)
}

/// Returns the page that tells how to go on while the board joins: its name, and the code for who becomes the owner.
pub(crate) fn joins(ssid: &str, host: &str, code: Option<&str>) -> Response {
    let ssid = escaped(ssid);
    let next = match code {
        Some(code) => format!(
            "open <a href=\"http://{host}.local/setup?code={code}\">http://{host}.local/setup</a> within ten minutes and \
             give this code, once:</li></ol><p><b>{code}</b></p>"
        ),
        None => format!("open <a href=\"http://{host}.local/\">http://{host}.local</a></li></ol>"),
    };
    whole(
        200,
        &format!(
            "<p>The gateway joins <b>{ssid}</b> now; this network ends.</p><ol><li>join <b>{ssid}</b> with this device, \
             too</li><li>{next}<p class=\"hint\">If it cannot join, the network <b>{host}</b> is there again in two minutes, \
             and this page says why.</p>"
        ),
    )
}

/// Returns the page that takes the code.
pub(crate) fn ask_code(status: u16, problem: &str, code: &str) -> Response {
    whole(
        status,
        &format!(
            "{}<form method=\"post\" action=\"/setup\"><label for=\"c\">Code from the page of the gateway's own network</label>\
             <input id=\"c\" name=\"code\" value=\"{}\" autocapitalize=\"none\" autocomplete=\"off\" required>\
             <button>Become the owner</button></form>",
            wrong(problem),
            escaped(code)
        ),
    )
}

/// Returns the page for the new owner, whose browser may read from then on.
pub(crate) fn owned(token: &str, access: &Access) -> Response {
    let cookie = format!("{}={}; Path=/; HttpOnly; SameSite=Strict", session_cookie(Door::Boat), access.session());
    let body = format!(
        "<p>The gateway is yours. This token changes things on it; it is shown once, keep it:</p><p><code>{token}</code></p>\
         <p><a href=\"/\">Open the gateway</a></p>"
    );
    whole(200, &body).with("set-cookie", &cookie)
}

/// Returns the page of a board that is set up.
pub(crate) fn is_done(status: u16) -> Response {
    whole(
        status,
        "<p>This gateway is set up. Its button opens this page again.</p><p><a href=\"/\">Open the gateway</a></p>",
    )
}

/// Returns where a device that looks for the internet is sent: to the page, by address, for the name that it asked for is
/// somebody else's.
pub(crate) fn redirect(address: core::net::Ipv4Addr) -> Response {
    Response::empty(302).with("location", &format!("http://{address}/setup"))
}

fn wrong(problem: &str) -> String {
    if problem.is_empty() {
        return String::new();
    }
    format!("<p class=\"wrong\" role=\"alert\">{}</p>", escaped(problem))
}

fn whole(status: u16, body: &str) -> Response {
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Set up Skiff</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>{STYLE}\
         input[type=radio]{{width:auto}}code{{word-break:break-all}}</style></head><body><h1>Set up Skiff</h1>{body}</body></html>\n"
    );
    Response::new(status, "text/html; charset=utf-8", html)
        .with("content-security-policy", POLICY)
        // With no-referrer a browser says `Origin: null` of the form, as it does of a page elsewhere.
        .with("referrer-policy", "same-origin")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(response: Response) -> String {
        String::from_utf8(response.body.into_owned()).unwrap()
    }

    #[test]
    fn names_of_networks_are_no_markup() {
        let evil = Seen { ssid: "\"><script>".into(), dbm: -50, is_open: true };
        let choice = Choice {
            wrong: "a <b>",
            seen: &[evil],
            before: Some(("<i>", Some(JoinFailure::Password))),
            needs_token: true,
        };
        let page = text(choose(400, &choice));
        assert!(!page.contains("<script") && !page.contains("<i>") && page.contains("a &lt;b&gt;"), "{page}");
        assert!(page.contains("value=\"&quot;&gt;&lt;script&gt;\"") && page.contains("strong, open"));
        assert!(page.contains("did not take the password") && page.contains("name=\"token\""));
        assert!(!text(joins("<i>", "skiff-ab12", Some("aaaaa-bbbbb"))).contains("<i>"));
        assert!(!text(ask_code(200, "", "\"><i>")).contains("<i>"));
    }

    #[test]
    fn the_page_needs_no_script_and_nothing_from_elsewhere() {
        let choice = Choice { wrong: "", seen: &[], before: None, needs_token: false };
        for page in [choose(200, &choice), joins("boat", "skiff-ab12", None), ask_code(200, "", ""), is_done(200)] {
            assert!(page.header("content-security-policy").unwrap().contains("form-action 'self'"));
            let page = text(page);
            assert!(!page.contains("src=") && !page.contains("<script") && !page.contains("token"), "{page}");
        }
    }
}
