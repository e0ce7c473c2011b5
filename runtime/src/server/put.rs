//! PUT requests of clients, to be handled by plugins (plugin ABI §4.2, §12.2).
//!
//! The same rules hold over REST and over a stream: one handler is found, called once, and its
//! answer becomes the state of the request.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::host::put_export;
use crate::json;
use crate::plugin::Registry;
use crate::plugin::Reply;

/// A PUT request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// Context, `vessels.self` or a full one.
    pub context: String,
    /// Signal K path to change.
    pub path: String,
    /// Value, JSON.
    pub value: String,
    /// Package name of the plugin that shall handle it, needed where several can.
    pub source: Option<String>,
}

/// The handler of a PUT request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handler {
    /// Package name.
    pub package: String,
    /// Export that takes the change, named after context and path.
    pub export: String,
}

/// State of a request, as clients read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutState {
    /// `true` while there is no final answer.
    pub pending: bool,
    /// Status code.
    pub status: u16,
    /// What is said about it.
    pub message: Option<String>,
    /// `data` and `percentComplete` of the plugin's answer: name and JSON.
    pub extras: Vec<(&'static str, String)>,
}

impl PutState {
    /// Returns a final state.
    #[must_use]
    pub fn completed(status: u16, message: &str) -> Self {
        Self { pending: false, status, message: Some(message.into()), extras: Vec::new() }
    }

    /// Returns the state while a plugin is at it.
    #[must_use]
    pub fn waiting() -> Self {
        Self { pending: true, status: 202, message: None, extras: Vec::new() }
    }

    /// Reads the answer of a handler.
    #[must_use]
    pub fn of(reply: &Reply) -> Self {
        let text = match reply {
            Reply::Text(Some(text)) => text,
            Reply::Text(None) => return Self::completed(500, "the handler answered nothing"),
            Reply::Missing => return Self::completed(501, "the handler is not implemented by the plugin"),
            Reply::Late => return Self::completed(504, reply.trouble()),
            Reply::Busy | Reply::Closed | Reply::Stopped => return Self::completed(503, reply.trouble()),
            Reply::Failed(reason) => return Self::completed(500, reason),
        };
        let Some(answer) = json::compact(text).ok().filter(|answer| answer.starts_with('{')) else {
            return Self::completed(500, "the handler gave an answer that is no JSON object");
        };
        let text = |name: &str| json::member(&answer, name).and_then(json::string);
        let said = json::member(&answer, "statusCode").and_then(json::number);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be a status code")]
        let said = said.filter(|code| (200.0..600.0).contains(code)).map(|code| code as u16);
        let (pending, status) = match text("state").as_deref() {
            Some("PENDING") => (true, said.unwrap_or(202)),
            Some("COMPLETED") => (false, said.unwrap_or(200)),
            Some("SUCCESS") => (false, 200),
            Some("FAILURE" | "FAILED") => (false, 502),
            _ => return Self::completed(500, "the handler gave an answer without a known state"),
        };
        let extras = ["data", "percentComplete"]
            .into_iter()
            .filter_map(|name| Some((name, String::from(json::member(&answer, name)?))))
            .collect();
        Self { pending, status, message: text("message").map(alloc::borrow::Cow::into_owned), extras }
    }

    /// Returns `{"state","requestId","statusCode","message"?,…,"href"?}`.
    #[must_use]
    pub fn json(&self, request_id: Option<&str>, href: Option<&str>) -> String {
        json::object(|out| {
            out.text("state", if self.pending { "PENDING" } else { "COMPLETED" });
            if let Some(id) = request_id {
                out.text("requestId", id);
            }
            out.number("statusCode", self.status);
            if let Some(message) = &self.message {
                out.text("message", message);
            }
            for (name, value) in &self.extras {
                out.json(name, value);
            }
            if let Some(href) = href {
                out.text("href", href);
            }
        })
    }
}

impl Put {
    /// Reads `PUT /signalk/v1/api/<context>/<path>`; `segments` are those below `/signalk/v1/api`.
    ///
    /// # Errors
    /// The state that says what is wrong.
    pub fn of_request(segments: &[&str], body: &[u8]) -> Result<Self, PutState> {
        let bad = |message: &str| PutState::completed(400, message);
        // As for reading, a slash at the end says nothing.
        let segments = segments.strip_suffix(&[""]).unwrap_or(segments);
        let [group, key, path @ ..] = segments else { return Err(bad("the path is too short")) };
        if path.is_empty() {
            return Err(bad("the path is too short"));
        }
        let body = core::str::from_utf8(body).map_err(|_| bad("the body is not UTF-8"))?;
        let body = json::compact(body).map_err(|error| bad(&format!("the body is no JSON: {error}")))?;
        let value = json::member(&body, "value").ok_or_else(|| bad("the body has no value"))?;
        let source = json::member(&body, "source").and_then(json::string).map(alloc::borrow::Cow::into_owned);
        Ok(Self { context: format!("{group}.{key}"), path: path.join("."), value: value.into(), source })
    }

    /// Finds the one handler for it.
    ///
    /// A context is compared as it was registered, except that `vessels.self` and the own vessel's name are one.
    ///
    /// # Errors
    /// 405 when the path has no handler, 400 when it has several and the source is not named.
    pub fn handler(&self, registry: &Registry, self_context: &str) -> Result<Handler, PutState> {
        let same = |context: &str| {
            let full = |context| if matches!(context, "" | "vessels.self" | "self") { self_context } else { context };
            *full(context) == *full(self.context.as_str())
        };
        let mut found: Vec<Handler> = Vec::new();
        for plugin in registry.plugins() {
            let Some(offers) = plugin.offers() else { continue };
            let Some(offer) = offers.puts().find(|offer| offer.path == self.path && same(&offer.context)) else {
                continue;
            };
            let export = put_export(&offer.context, &offer.path);
            found.push(Handler { package: plugin.package_name().into(), export });
        }
        if found.is_empty() {
            return Err(PutState::completed(405, &format!("nothing handles PUT for {}", self.path)));
        }
        if let Some(source) = &self.source {
            // Dashboards may know the plugin by its id too (plugin ABI appendix E).
            let by_id = |package: &str| package.replace(['@', '/'], "_") == *source;
            found.retain(|handler| handler.package == *source || by_id(&handler.package));
            return found
                .into_iter()
                .next()
                .ok_or_else(|| PutState::completed(405, &format!("{source} does not handle PUT for {}", self.path)));
        }
        match found.len() {
            1 => found.into_iter().next().ok_or_else(PutState::waiting),
            _ => Err(PutState::completed(400, "there are several sources for this path, name one in source")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (bool, u16) {
        let state = PutState::of(&Reply::Text(Some(text.into())));
        (state.pending, state.status)
    }

    #[test]
    fn answers_become_states() {
        assert_eq!(of(r#"{"state":"COMPLETED","statusCode":200}"#), (false, 200));
        assert_eq!(of(r#"{"state":"COMPLETED","statusCode":403,"message":"locked"}"#), (false, 403));
        assert_eq!(of(r#"{"state":"PENDING"}"#), (true, 202));
        assert_eq!(of(r#"{"state":"SUCCESS","statusCode":500}"#), (false, 200));
        assert_eq!(of(r#"{"state":"FAILURE"}"#), (false, 502));
        for bad in ["", "nonsense", "[]", "{}", r#"{"state":"DONE"}"#] {
            assert_eq!(of(bad), (false, 500), "{bad}");
        }
        assert_eq!(of(r#"{"state":"COMPLETED","statusCode":9999}"#), (false, 200), "no status code at all");
        assert_eq!(PutState::of(&Reply::Missing).status, 501);
        assert_eq!(PutState::of(&Reply::Late).status, 504);
        assert_eq!(PutState::of(&Reply::Text(None)).status, 500);
    }

    #[test]
    fn a_state_is_written_with_what_the_plugin_added() {
        let text = r#"{"state":"PENDING","message":"turning","data":{"a":1},"percentComplete":0.5,"other":1}"#;
        let state = PutState::of(&Reply::Text(Some(text.into())));
        assert_eq!(
            state.json(Some("7"), Some("/signalk/v1/requests/7")),
            r#"{"state":"PENDING","requestId":"7","statusCode":202,"message":"turning","data":{"a":1},"percentComplete":0.5,"href":"/signalk/v1/requests/7"}"#
        );
    }

    #[test]
    fn requests_need_a_path_and_a_value() {
        let put = |segments: &[&str], body: &str| Put::of_request(segments, body.as_bytes());
        let good = put(&["vessels", "self", "a", "b"], r#"{"value":{"x": 1},"source":"@acme/p"}"#).unwrap();
        assert_eq!((&*good.context, &*good.path, &*good.value), ("vessels.self", "a.b", r#"{"x":1}"#));
        assert_eq!(good.source.as_deref(), Some("@acme/p"));
        assert_eq!(put(&["vessels", "self", "a"], r#"{"value":null}"#).unwrap().value, "null");
        for (segments, body) in [
            (&["vessels", "self"][..], r#"{"value":1}"#),
            (&["vessels", "self", "a"], "{}"),
            (&["vessels", "self", "a"], "nonsense"),
            (&["vessels", "self", "a"], ""),
        ] {
            assert_eq!(put(segments, body).unwrap_err().status, 400, "{body}");
        }
    }
}
