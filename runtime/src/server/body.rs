//! Bodies with a few named texts: a JSON object, or a form as programs send it that know nothing else.

use alloc::borrow::Cow;
use alloc::string::String;

use super::url::decode_query;
use crate::http::Request;
use crate::json;

/// The members of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fields {
    /// Compact JSON object.
    Json(String),
    /// `application/x-www-form-urlencoded` (WHATWG URL, §5.1).
    Form(String),
}

impl Fields {
    /// Reads the body of a request; one without a body has no members. `None` when it is neither an object nor a form.
    #[must_use]
    pub fn of(request: &Request) -> Option<Self> {
        let text = core::str::from_utf8(&request.body).ok()?;
        let kind = request.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Some(Self::Form(text.into()));
        }
        let text = if text.trim().is_empty() { "{}" } else { text };
        json::compact(text).ok().filter(|text| text.starts_with('{')).map(Self::Json)
    }

    /// Returns a text; of JSON a member that is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        match self {
            Self::Json(text) => json::member(text, name).and_then(json::string).map(Cow::into_owned),
            Self::Form(text) => {
                let mut pairs = text.split('&').filter_map(|pair| pair.split_once('='));
                let (_, value) = pairs.find(|(key, _)| decode_query(key).as_deref() == Some(name))?;
                decode_query(value).map(Cow::into_owned)
            }
        }
    }
}

impl Fields {
    /// Tells whether something is wanted: `true`, of a form also what a ticked box sends.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        match self {
            Self::Json(text) => json::member(text, name) == Some("true"),
            Self::Form(_) => self.text(name).is_some_and(|value| matches!(value.as_str(), "true" | "on" | "1")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Method, get};

    fn of(kind: &str, body: &[u8]) -> Option<Fields> {
        let headers = alloc::vec![("Content-Type".into(), kind.into())];
        Fields::of(&Request { headers, method: Method::Post, body: body.into(), ..get("/") })
    }

    #[test]
    fn objects_and_forms_have_named_texts() {
        let json = of("application/json", br#" {"a": "x \u00e9", "b": 7}"#).unwrap();
        assert_eq!((json.text("a").as_deref(), json.text("b"), json.text("c")), (Some("x \u{e9}"), None, None));
        let form = of("Application/X-WWW-form-urlencoded; charset=utf-8", b"a=x+%C3%A9&b=7&d").unwrap();
        assert_eq!((form.text("a").as_deref(), form.text("b").as_deref()), (Some("x \u{e9}"), Some("7")));
        assert_eq!((form.text("c"), form.text("d")), (None, None));
        assert_eq!(of("", b""), Some(Fields::Json("{}".into())));
        let json = of("", br#"{"a":true,"b":"true","c":false}"#).unwrap();
        assert_eq!(["a", "b", "c", "d"].map(|name| json.flag(name)), [true, false, false, false]);
        let form = of("application/x-www-form-urlencoded", b"a=on&b=true&c=no").unwrap();
        assert_eq!(["a", "b", "c", "d"].map(|name| form.flag(name)), [true, true, false, false]);
    }

    #[test]
    fn what_is_neither_is_refused() {
        for (kind, body) in [("", &b"[]"[..]), ("application/json", b"a=b"), ("", b"\xff"), ("", b"{")] {
            assert_eq!(of(kind, body), None);
        }
        let broken = of("application/x-www-form-urlencoded", b"a=%ff&%ff=1").unwrap();
        assert_eq!((broken.text("a"), broken.text("")), (None, None));
    }
}
