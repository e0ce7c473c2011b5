//! What two servers cannot agree on is made equal: own names, ids and tokens that are drawn, times.

use serde_json::{Map, Value};

/// What a server calls itself.
pub struct Names {
    /// `urn:mrn:signalk:uuid:…` of the own vessel.
    own: String,
    /// `127.0.0.1:PORT`.
    host: String,
}

impl Names {
    /// Names of the server at `host`, whose own vessel is `context`.
    pub fn new(context: &str, host: &str) -> Self {
        Self { own: context.trim_start_matches("vessels.").to_owned(), host: host.to_owned() }
    }

    /// Returns the value with `SELF`, `HOST`, `UUID`, `TOKEN` and `TIME` where each server has its own. Members of one
    /// name, but for an id in it, are called by the path that they have, else numbered in the order of what is below them:
    /// a row that only one server has must not shift those behind it.
    pub fn normal(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => items.iter().map(|item| self.normal(item)).collect(),
            Value::Object(members) => {
                let members = members.iter().map(|(name, below)| {
                    let (name, below) = (self.text(name), self.normal(below));
                    match below["path"].as_str() {
                        Some(path) if name == "UUID" => (format!("UUID({path})"), below),
                        _ => (name, below),
                    }
                });
                let (drawn, mut all): (Vec<_>, Vec<_>) = members.partition(|(name, _)| name.contains("UUID"));
                let mut drawn: Vec<_> =
                    drawn.into_iter().map(|(name, below)| (name, below.to_string(), below)).collect();
                drawn.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
                let mut before: Option<(String, usize)> = None;
                for (name, _, below) in drawn {
                    let number = before.take().filter(|(last, _)| *last == name).map_or(0, |(_, number)| number + 1);
                    // The first row of a path is the only one, as a rule.
                    let is_only = number == 0 && name.ends_with(')');
                    all.push((if is_only { name.clone() } else { format!("{name}#{number}") }, below));
                    before = Some((name, number));
                }
                Value::Object(all.into_iter().collect::<Map<_, _>>())
            }
            // 3 and 3.0 are one number.
            Value::Number(number) => number.as_f64().map_or_else(|| value.clone(), Value::from),
            Value::Bool(_) | Value::Null => value.clone(),
        }
    }

    fn text(&self, text: &str) -> String {
        let text = text.replace(&self.own, "SELF").replace(&self.host, "HOST");
        if is_token(&text) {
            return "TOKEN".into();
        }
        let text = replaced(&text, UUID.len(), "UUID", |part| has_form(part, UUID));
        let text = replaced(&text, TIME_MS.len(), "TIME", |part| has_form(part, TIME_MS));
        replaced(&text, TIME.len(), "TIME", |part| has_form(part, TIME))
    }
}

/// `x` is a hexadecimal digit, `0` a digit.
const UUID: &str = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
const TIME_MS: &str = "0000-00-00T00:00:00.000Z";
const TIME: &str = "0000-00-00T00:00:00Z";

fn has_form(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.chars().zip(form.chars()).all(|(found, wanted)| match wanted {
            'x' => found.is_ascii_hexdigit(),
            '0' => found.is_ascii_digit(),
            other => found == other,
        })
}

/// A token of a login or a device has the form of a JWT.
fn is_token(text: &str) -> bool {
    text.starts_with("eyJ") && text.split('.').count() == 3
}

/// Replaces each part of that many bytes that is one.
fn replaced(text: &str, length: usize, by: &str, is_one: impl Fn(&str) -> bool) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(first) = rest.chars().next() {
        if let Some(part) = rest.get(..length).filter(|part| is_one(part)) {
            out.push_str(by);
            rest = &rest[part.len()..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn normal(value: &Value) -> Value {
        Names::new("vessels.urn:mrn:signalk:uuid:1287f958-7250-4a64-9a26-9370c6aa40a2", "127.0.0.1:4501").normal(value)
    }

    #[test]
    fn what_is_drawn_has_a_name() {
        let given = json!({
            "self": "vessels.urn:mrn:signalk:uuid:1287f958-7250-4a64-9a26-9370c6aa40a2",
            "url": "http://127.0.0.1:4501/signalk", "token": "eyJhbGciOiJ.eyJpZCI6.x-y", "at": "2026-11-30T11:30:40.423Z",
            "path": "notifications.cae7f651-4d87-4cc1-8505-5fb0b8d29217", "whole": 3, "when": "2026-11-30T11:30:40Z",
        });
        let wanted = json!({
            "self": "vessels.SELF", "url": "http://HOST/signalk", "token": "TOKEN", "at": "TIME",
            "path": "notifications.UUID", "whole": 3.0, "when": "TIME",
        });
        assert_eq!(normal(&given), wanted);
    }

    #[test]
    fn rows_by_id_have_the_order_of_what_they_hold() {
        let one = "cae7f651-4d87-4cc1-8505-5fb0b8d29217";
        let other = "0ae7f651-4d87-4cc1-8505-5fb0b8d29217";
        let first = normal(&json!({ one: { "a": 1 }, other: { "a": 2 } }));
        let second = normal(&json!({ other: { "a": 1 }, one: { "a": 2 } }));
        assert_eq!(first, second);
        assert_eq!(first, json!({ "UUID#0": { "a": 1.0 }, "UUID#1": { "a": 2.0 } }));
        let more = normal(&json!({ (format!("a.{one}")): 1, one: 2 }));
        assert_eq!(more, json!({ "UUID#0": 2.0, "a.UUID#0": 1.0 }), "each name counts by itself");
    }

    #[test]
    fn rows_of_a_path_are_called_by_it() {
        let one = "cae7f651-4d87-4cc1-8505-5fb0b8d29217";
        let other = "0ae7f651-4d87-4cc1-8505-5fb0b8d29217";
        let row = |path: &str, state: &str| json!({ "path": path, "state": state });
        let rows = normal(&json!({ one: row("notifications.b", "warn"), other: row("notifications.a", "warn") }));
        assert_eq!(rows["UUID(notifications.a)"], row("notifications.a", "warn"));
        assert_eq!(rows["UUID(notifications.b)"], row("notifications.b", "warn"));
        let own = normal(&json!({ one: row(&format!("a.{one}"), "warn"), other: row(&format!("a.{other}"), "alarm") }));
        assert_eq!(own["UUID(a.UUID)"]["state"], "alarm");
        assert_eq!(own["UUID(a.UUID)#1"]["state"], "warn");
    }

    #[test]
    fn other_texts_stay() {
        for text in ["2026-11-30", "cae7f651-4d87", "eyJ", "Grüße aus 127.0.0.1:45", ""] {
            assert_eq!(normal(&json!(text)), json!(text));
        }
    }
}
