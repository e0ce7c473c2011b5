//! What one plugin may log in a minute at the usual verbosity: equal lines are counted, and there is a budget of bytes.

use alloc::format;
use alloc::string::String;
use core::time::Duration;

use crate::time::Instant;

/// Bytes of lines in one minute; what is over is counted. A plugin that says something each second has 500 for it.
const BYTES_PER_MINUTE: usize = 32 * 1024;
const MINUTE: Duration = Duration::from_secs(60);
/// Bytes of a line beside its text: level, package, time.
const LINE_BYTES: usize = 64;

/// The log of one plugin as far as it is counted.
#[derive(Debug, Default)]
pub(super) struct LogShare {
    /// When the minute began.
    began: Instant,
    bytes: usize,
    /// Lines of this minute that were over.
    left_out: u32,
    /// Checksum of the latest line, and how often it came again.
    last: Option<u32>,
    repeats: u32,
}

impl LogShare {
    /// Takes a line; tells whether it is said, and `tell`s first what was counted before it.
    pub(super) fn take(&mut self, line: &str, now: Instant, tell: &mut dyn FnMut(String)) -> bool {
        self.end_minute(now, tell);
        let sum = Some(crate::crc32::crc32(line.as_bytes()));
        if self.last == sum {
            self.repeats = self.repeats.saturating_add(1);
            return false;
        }
        self.tell_repeats(tell);
        self.last = sum;
        let bytes = self.bytes.saturating_add(line.len()).saturating_add(LINE_BYTES);
        if bytes > BYTES_PER_MINUTE {
            self.left_out = self.left_out.saturating_add(1);
            return false;
        }
        self.bytes = bytes;
        true
    }

    /// Begins another minute when one is over.
    pub(super) fn end_minute(&mut self, now: Instant, tell: &mut dyn FnMut(String)) {
        if now.since(self.began) < MINUTE {
            return;
        }
        self.tell_repeats(tell);
        if self.left_out > 0 {
            tell(format!("{} lines were left out: more than {BYTES_PER_MINUTE} bytes in a minute", self.left_out));
        }
        *self = Self { began: now, ..Self::default() };
    }

    fn tell_repeats(&mut self, tell: &mut dyn FnMut(String)) {
        if self.repeats > 0 && self.bytes < BYTES_PER_MINUTE {
            let clause = format!("the line before came {} more times", self.repeats);
            self.bytes = self.bytes.saturating_add(clause.len()).saturating_add(LINE_BYTES);
            tell(clause);
        }
        self.repeats = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;
    use std::vec::Vec;

    fn said(lines: impl IntoIterator<Item = (u64, String)>) -> Vec<String> {
        let mut share = LogShare::default();
        let mut said = Vec::new();
        for (seconds, line) in lines {
            let mut before = Vec::new();
            let is_said = share.take(&line, Instant::from_millis(seconds * 1000), &mut |clause| before.push(clause));
            said.append(&mut before);
            if is_said {
                said.push(line);
            }
        }
        said
    }

    #[test]
    fn equal_lines_are_counted() {
        let lines = ["a", "a", "a", "b", "a"].map(|line| (0, line.to_string()));
        assert_eq!(said(lines), ["a", "the line before came 2 more times", "b", "a"]);
    }

    #[test]
    fn a_line_is_said_again_in_another_minute() {
        let lines = [(0, "a"), (30, "a"), (61, "a"), (62, "b")].map(|(at, line)| (at, line.to_string()));
        assert_eq!(said(lines), ["a", "the line before came 1 more times", "a", "b"]);
    }

    #[test]
    fn a_minute_has_so_many_bytes() {
        let mut lines: Vec<(u64, String)> = (0..1000).map(|number| (0, format!("{number:0100}"))).collect();
        lines.push((60, "later".into()));
        let said = said(lines);
        let fit = BYTES_PER_MINUTE / (100 + LINE_BYTES);
        assert_eq!(said.len(), fit + 2);
        assert_eq!(said[fit], format!("{} lines were left out: more than 32768 bytes in a minute", 1000 - fit));
        assert_eq!(said[fit + 1], "later");
        let total: usize = said.iter().map(String::len).sum();
        assert!(total <= BYTES_PER_MINUTE + 200);
    }

    #[test]
    fn two_lines_in_turn_are_bounded_too() {
        let lines = (0..100_000).map(|number| (0, if number % 2 == 0 { "a" } else { "b" }.to_string()));
        assert!(said(lines).len() <= BYTES_PER_MINUTE / LINE_BYTES);
    }
}
