//! Lines of a transcript.

use alloc::string::{String, ToString};

use crate::host::shown_text;
use crate::json::{self, Object};

/// A line that is longer can hold a string that is shown by length, hash and beginning.
const SHOWN_UNITS_MAX: usize = 20_000;
/// Lines that one call of the plugin may have, and their bytes; more are counted.
const LINES_PER_CALL: u32 = 8192;
const BYTES_PER_CALL: usize = 8 * 1024 * 1024;

/// The transcript so far: it numbers lines and hands them on.
pub(super) struct Lines<'s> {
    sink: &'s mut dyn FnMut(&str),
    seq: u64,
    /// Lines and bytes of the call under way, and what is over.
    in_call: u32,
    bytes_in_call: usize,
    left_out: u64,
}

impl<'s> Lines<'s> {
    pub(super) fn new(sink: &'s mut dyn FnMut(&str)) -> Self {
        Self { sink, seq: 0, in_call: 0, bytes_in_call: 0, left_out: 0 }
    }

    /// A call of the plugin begins.
    pub(super) fn begin_call(&mut self) {
        (self.in_call, self.bytes_in_call) = (0, 0);
    }

    /// Counts lines that are not written.
    pub(super) fn leave_out(&mut self, count: u64) {
        self.left_out = self.left_out.saturating_add(count);
    }

    /// A call of the plugin has ended: says how much of it is not shown.
    pub(super) fn end_call(&mut self) {
        let left_out = core::mem::take(&mut self.left_out);
        if left_out > 0 {
            self.line("app", |line| {
                line.text("ev", "left-out").number("lines", left_out);
            });
        }
    }

    /// Writes a line of a call, while there is room for more of it.
    pub(super) fn of_call(&mut self, t: &str, fill: impl FnOnce(&mut Object<'_>)) {
        if self.in_call >= LINES_PER_CALL || self.bytes_in_call >= BYTES_PER_CALL {
            return self.leave_out(1);
        }
        self.in_call = self.in_call.saturating_add(1);
        let bytes = self.line(t, fill);
        self.bytes_in_call = self.bytes_in_call.saturating_add(bytes);
    }

    /// Writes a line of kind `t`; returns its bytes.
    pub(super) fn line(&mut self, t: &str, fill: impl FnOnce(&mut Object<'_>)) -> usize {
        let line = json::object(|line| fill(line.number("seq", self.seq).text("t", t)));
        self.seq = self.seq.saturating_add(1);
        let line = if line.len() > SHOWN_UNITS_MAX { shortened(&line) } else { line };
        (self.sink)(&line);
        line.len()
    }

    /// Writes an `app` line.
    pub(super) fn app(&mut self, event: &str, fill: impl for<'l, 'o> FnOnce(&'l mut Object<'o>) -> &'l mut Object<'o>) {
        self.of_call("app", |line| {
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
            Some(value) => shown_text(&value),
            None => text.to_string(),
        },
        _ => text.to_string(),
    }
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
    fn a_call_has_so_many_lines_and_what_is_over_is_counted() {
        let lines = written(|lines| {
            for call in 0..2 {
                lines.begin_call();
                for _ in 0..LINES_PER_CALL + 5 {
                    lines.app("status", |line| line.number("call", call));
                }
                lines.leave_out(2);
                lines.end_call();
                lines.end_call();
            }
        });
        assert_eq!(lines.len(), 2 * (LINES_PER_CALL as usize + 1));
        let last = lines.last().map(String::as_str).unwrap_or_default();
        assert!(last.ends_with(r#""t":"app","ev":"left-out","lines":7}"#), "{last}");
        let long = "x".repeat(15_000);
        let lines = written(|lines| {
            lines.begin_call();
            (0..1000).for_each(|_| lines.app("status", |line| line.text("msg", &long)));
        });
        assert!(lines.iter().map(String::len).sum::<usize>() <= BYTES_PER_CALL + 20_000);
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
