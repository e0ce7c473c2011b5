//! Two hosts' transcripts of one scenario, and where they differ in what counts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};
use similar::{ChangeTag, TextDiff};

/// Returns the lines that differ, `-` for the upstream host and `+` for Skiff.
///
/// # Errors
/// The first line that is none of a transcript.
pub fn difference(upstream: &str, own: &str) -> Result<Vec<String>, String> {
    let (upstream, own) = (what_counts(upstream)?, what_counts(own)?);
    let diff = TextDiff::from_lines(&upstream, &own);
    let changes = diff.iter_all_changes().filter_map(|change| {
        let sign = match change.tag() {
            ChangeTag::Equal => return None,
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        };
        Some(format!("{sign} {}", change.value().trim_end()))
    });
    Ok(changes.collect())
}

/// Keeps the normative part of a transcript, an object a line with sorted members.
fn what_counts(transcript: &str) -> Result<String, String> {
    let mut out = String::new();
    for line in transcript.lines() {
        let mut object: Map<String, Value> = serde_json::from_str(&whole_characters(line))
            .map_err(|error| format!("no transcript line: {line}: {error}"))?;
        object.remove("seq");
        let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        match text("t").as_str() {
            "app" => {}
            "host" if text("fn").starts_with("as-fetch.") => continue,
            "host" => drop(object.remove("raw")),
            "wasi" => object.retain(|name, _| matches!(name.as_str(), "t" | "fn" | "ret" | "text")),
            "result" => {
                if let Some(value) = object.get_mut("value") {
                    presence_only(value);
                }
            }
            _ => continue,
        }
        let sorted: BTreeMap<_, _> = object.into_iter().collect();
        let line = serde_json::to_string(&sorted).map_err(|error| error.to_string())?;
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{line}");
    }
    Ok(out)
}

/// Replaces escapes of half a character, which JavaScript writes and JSON of whole characters cannot say.
fn whole_characters(line: &str) -> String {
    /// Code units of a pair begin with these six bits (Unicode, surrogates).
    const HIGH: u16 = 0x36;
    const LOW: u16 = 0x37;
    let first_bits = |at: usize| {
        let digits = line.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok().map(|unit| unit >> 10)
    };
    let (mut out, mut at) = (String::new(), 0);
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        let taken = match (first_bits(at), first_bits(at + 6)) {
            (Some(HIGH), Some(LOW)) => 12,
            (Some(HIGH | LOW), _) => {
                out.push('\u{fffd}');
                at += 6;
                continue;
            }
            // An escaped backslash does not begin another escape.
            _ if rest.starts_with('\\') => 2,
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
        out.push_str(rest.get(..taken).unwrap_or(rest));
        at += taken;
    }
    out
}

/// Of traps, refusals and error bodies only that they are there counts.
fn presence_only(value: &mut Value) {
    let there = Value::Bool(true);
    match value {
        Value::Object(members) if members.contains_key("trap") => *value = serde_json::json!({ "trap": there }),
        Value::Object(members) if members.contains_key("refused") => *value = serde_json::json!({ "refused": there }),
        Value::Object(members) => {
            // What the host answers to a PUT when the plugin fails.
            if members.get("statusCode") == Some(&Value::from(500))
                && let Some(message) = members.get_mut("message")
            {
                *message = there.clone();
            }
            if let Some(body) = members.get_mut("body")
                && body.get("error").is_some()
            {
                *body = serde_json::json!({ "error": there });
            }
        }
        _ => {}
    }
}
