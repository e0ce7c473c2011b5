//! Lines of a transcript.

use alloc::format;
use alloc::string::{String, ToString};

use sha2::{Digest, Sha256};

use crate::json::{self, Object};

/// A string with more UTF-16 units is shown by length, hash and beginning.
const SHOWN_UNITS_MAX: usize = 20_000;
/// Units of its beginning.
const HEAD_UNITS: usize = 40;

/// The transcript so far: it numbers lines and hands them on.
pub(super) struct Lines<'s> {
    sink: &'s mut dyn FnMut(&str),
    seq: u64,
}

impl<'s> Lines<'s> {
    pub(super) fn new(sink: &'s mut dyn FnMut(&str)) -> Self {
        Self { sink, seq: 0 }
    }

    /// Writes a line of kind `t`.
    pub(super) fn line(&mut self, t: &str, fill: impl FnOnce(&mut Object<'_>)) {
        let line = json::object(|line| fill(line.number("seq", self.seq).text("t", t)));
        self.seq = self.seq.saturating_add(1);
        (self.sink)(&if line.len() > SHOWN_UNITS_MAX { shortened(&line) } else { line });
    }

    /// Writes an `app` line.
    pub(super) fn app(&mut self, event: &str, fill: impl for<'l, 'o> FnOnce(&'l mut Object<'o>) -> &'l mut Object<'o>) {
        self.line("app", |line| {
            fill(line.text("ev", event));
        });
    }

    /// Writes a `result` line; `value` is JSON.
    pub(super) fn result(&mut self, step: &str, value: &str) {
        self.line("result", |line| {
            line.text("step", step).json("value", value);
        });
    }
}

/// Replaces the long strings in JSON text, at any depth.
fn shortened(text: &str) -> String {
    match text.as_bytes().first() {
        Some(b'{') => {
            // A line of ours is JSON; nested deeper than the reader goes it is shown as it is.
            let rewritten = json::rewritten(text, |out, key, value| {
                out.json(key, &shortened(value));
            });
            rewritten.unwrap_or_else(|_| text.to_string())
        }
        Some(b'[') => {
            let mut read = Ok(());
            let out = json::list(|out| {
                read = json::items::<json::JsonError>(text, |item| {
                    out.json(&shortened(item));
                    Ok(())
                });
            });
            if read.is_ok() { out } else { text.to_string() }
        }
        Some(b'"') if text.len() > SHOWN_UNITS_MAX => match json::string(text) {
            Some(value) => short(&value),
            None => text.to_string(),
        },
        _ => text.to_string(),
    }
}

fn short(value: &str) -> String {
    let units = value.encode_utf16().count();
    if units <= SHOWN_UNITS_MAX {
        return json::quoted(value);
    }
    let sha256 = Sha256::digest(value.as_bytes());
    let sha256 = sha256.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let mut left = HEAD_UNITS;
    let head = value.chars().take_while(|character| {
        let fits = character.len_utf16() <= left;
        left = left.saturating_sub(character.len_utf16());
        fits
    });
    let head: String = head.collect();
    json::object(|short| {
        short.number("long", units).text("sha256", &sha256).text("head", &head);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn written(write: impl FnOnce(&mut Lines<'_>)) -> Vec<String> {
        let mut out = Vec::new();
        let mut sink = |line: &str| out.push(line.to_string());
        write(&mut Lines::new(&mut sink));
        out
    }

    #[test]
    fn lines_are_numbered_objects() {
        let lines = written(|lines| {
            lines.app("status", |line| line.text("msg", "a \"b\""));
            lines.result("poll", "0");
            lines.line("mem", |_| ());
        });
        assert_eq!(
            lines,
            [
                r#"{"seq":0,"t":"app","ev":"status","msg":"a \"b\""}"#,
                r#"{"seq":1,"t":"result","step":"poll","value":0}"#,
                r#"{"seq":2,"t":"mem"}"#
            ]
        );
    }

    #[test]
    fn a_long_string_is_shown_by_length_hash_and_head() {
        let long = "ä".repeat(20_001);
        let lines = written(|lines| lines.result("x", &format!("[{{\"a\":{}}}]", json::quoted(&long))));
        let line = lines.first().map(String::as_str).unwrap_or_default();
        assert!(line.contains(r#"[{"a":{"long":20001,"sha256":""#), "{}", &line[..200]);
        assert!(line.ends_with(&format!("\"head\":\"{}\"}}}}]}}", "ä".repeat(40))));
        let kept = written(|lines| lines.result("x", &json::quoted(&"ä".repeat(20_000))));
        assert!(kept[0].len() > 40_000);
    }
}
