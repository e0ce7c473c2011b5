//! Compares what two servers answered, request by request and stream by stream, down to single values.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Characters of a value that a difference shows.
const SHOWN_MAX: usize = 60;
/// Messages of a path that two servers may differ in: they begin their periods when they please.
const COUNT_TOLERANCE: f64 = 2.0;

/// Or that share of them: a machine that has much to do delays a feeder.
const COUNT_SHARE: f64 = 0.3;

/// Returns a line for each difference, `NAME WHERE: UPSTREAM -> SKIFF`; both are answers as `walk.mjs` prints them, normalised.
pub fn differences(upstream: &[Value], skiff: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    for (kind, compare) in [("request", requests as fn(&Value, &Value, &mut Lines<'_>)), ("stream", streams)] {
        let of = |all: &[Value]| all.iter().filter(|line| line["t"] == kind).cloned().collect::<Vec<_>>();
        let (upstream, skiff) = (of(upstream), of(skiff));
        for one in &upstream {
            let name = one["name"].as_str().unwrap_or_default();
            let mut lines =
                Lines { name: format!("{}{name}", if kind == "stream" { "stream " } else { "" }), found: &mut found };
            match skiff.iter().find(|other| other["name"] == name) {
                Some(other) => compare(one, other, &mut lines),
                None => lines.push("", "was not asked of Skiff"),
            }
        }
        if upstream.len() != skiff.len() {
            found.push(format!("{} {kind}s were made upstream, {} on Skiff", upstream.len(), skiff.len()));
        }
    }
    found
}

struct Lines<'a> {
    name: String,
    found: &'a mut Vec<String>,
}

impl Lines<'_> {
    fn push(&mut self, at: &str, what: &str) {
        let space = if at.is_empty() { "" } else { " " };
        self.found.push(format!("{}{space}{at}: {what}", self.name));
    }

    fn change(&mut self, at: &str, upstream: &Value, skiff: &Value) {
        self.push(at, &format!("{} -> {}", shown(upstream), shown(skiff)));
    }
}

fn requests(upstream: &Value, skiff: &Value, lines: &mut Lines<'_>) {
    for at in ["failed", "status", "type", "location"] {
        if upstream[at] != skiff[at] {
            lines.change(at, &upstream[at], &skiff[at]);
            if at != "location" {
                return;
            }
        }
    }
    // Sentences and pages are each server's own: that there is one counts.
    if upstream["text"] != skiff["text"] {
        lines.change("text", &upstream["text"], &skiff["text"]);
    }
    values("", &upstream["body"], &skiff["body"], lines);
}

fn streams(upstream: &Value, skiff: &Value, lines: &mut Lines<'_>) {
    for at in ["failed", "closed"] {
        if upstream[at] != skiff[at] {
            lines.change(at, &upstream[at], &skiff[at]);
        }
    }
    let none = Map::new();
    let map = |line: &Value, of: &str| line[of].as_object().unwrap_or(&none).clone();
    let (one, other) = (map(upstream, "values"), map(skiff, "values"));
    for path in one.keys().chain(other.keys()).collect::<BTreeSet<_>>() {
        match (one.get(path), other.get(path)) {
            (Some(one), Some(other)) => {
                let count = |row: &Value| row["count"].as_f64().unwrap_or_default();
                let most = count(one).max(count(other));
                if (count(one) - count(other)).abs() > COUNT_TOLERANCE.max(most * COUNT_SHARE) {
                    lines.push(path, &format!("{} times -> {} times", count(one), count(other)));
                }
                values(&format!("{path} value"), &one["value"], &other["value"], lines);
                values(&format!("{path} sources"), &one["sources"], &other["sources"], lines);
            }
            (Some(_), None) => lines.push(path, "only upstream"),
            (None, _) => lines.push(path, "only on Skiff"),
        }
    }
    values("meta", &upstream["meta"], &skiff["meta"], lines);
    values("messages", &upstream["other"], &skiff["other"], lines);
}

/// Compares two values; what only one has is one line, whatever is below it.
fn values(at: &str, upstream: &Value, skiff: &Value, lines: &mut Lines<'_>) {
    match (upstream, skiff) {
        (Value::Object(one), Value::Object(other)) => {
            for name in one.keys().chain(other.keys()).collect::<BTreeSet<_>>() {
                let below = format!("{at}/{name}");
                match (one.get(name), other.get(name)) {
                    (Some(one), Some(other)) => values(&below, one, other, lines),
                    (Some(_), None) => lines.push(&below, "only upstream"),
                    (None, _) => lines.push(&below, "only on Skiff"),
                }
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (number, (one, other)) in one.iter().zip(other).enumerate() {
                values(&format!("{at}/{number}"), one, other, lines);
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            lines.push(at, &format!("{} items -> {} items", one.len(), other.len()));
        }
        (one, other) if one == other => {}
        (one, other) => lines.change(if at.is_empty() { "body" } else { at }, one, other),
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_answers_differ_in_nothing() {
        let all = [
            json!({ "t": "request", "name": "GET /a", "status": 200, "type": "application/json", "body": { "a": [1, { "b": null }] } }),
            json!({ "t": "stream", "name": "self", "values": { "x y": { "count": 3, "value": 1, "sources": ["s"] } }, "meta": {}, "other": [] }),
        ];
        assert_eq!(differences(&all, &all), Vec::<String>::new());
    }

    #[test]
    fn a_difference_names_request_place_and_both_sides() {
        let answer = |body: Value| {
            [json!({ "t": "request", "name": "GET /a", "status": 200, "type": "application/json", "body": body })]
        };
        let one = answer(json!({ "same": 1, "kind": "x", "list": [1, 2], "gone": { "deep": 1 } }));
        let other = answer(json!({ "same": 1, "kind": 2, "list": [1], "more": 1 }));
        let wanted = [
            "GET /a /gone: only upstream",
            r#"GET /a /kind: "x" -> 2"#,
            "GET /a /list: 2 items -> 1 items",
            "GET /a /more: only on Skiff",
        ];
        assert_eq!(differences(&one, &other), wanted);
    }

    #[test]
    fn another_status_or_type_is_one_line_whatever_the_body_says() {
        let answer = |status: u16, kind: &str, body: Value| {
            [json!({ "t": "request", "name": "PUT /a", "status": status, "type": kind, "body": body })]
        };
        let one = answer(200, "application/json", json!({ "a": 1 }));
        assert_eq!(
            differences(&one, &answer(404, "application/json", json!({ "b": 1 }))),
            ["PUT /a status: 200 -> 404"]
        );
        assert_eq!(
            differences(&one, &answer(200, "text/html", json!(null))),
            [r#"PUT /a type: "application/json" -> "text/html""#]
        );
    }

    #[test]
    fn what_only_one_was_asked_is_told() {
        let one = [
            json!({ "t": "request", "name": "GET /a", "status": 200 }),
            json!({ "t": "request", "name": "GET /b", "status": 200 }),
        ];
        assert_eq!(
            differences(&one, &one[..1]),
            ["GET /b: was not asked of Skiff", "2 requests were made upstream, 1 on Skiff"]
        );
    }

    #[test]
    fn periods_may_begin_at_another_time_and_nothing_else() {
        let heard = |count: u32, path: &str| {
            [
                json!({ "t": "stream", "name": "fixed", "values": { path: { "count": count, "value": 5, "sources": ["s"] } }, "meta": {}, "other": [] }),
            ]
        };
        assert!(differences(&heard(3, "self speed"), &heard(5, "self speed")).is_empty());
        assert_eq!(
            differences(&heard(3, "self speed"), &heard(15, "self speed")),
            ["stream fixed self speed: 3 times -> 15 times"]
        );
        assert_eq!(
            differences(&heard(3, "self a"), &heard(3, "self b")),
            ["stream fixed self a: only upstream", "stream fixed self b: only on Skiff"]
        );
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(shown(&json!("ü".repeat(200))).chars().count(), SHOWN_MAX + 1);
    }
}
