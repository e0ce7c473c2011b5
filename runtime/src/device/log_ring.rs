//! The last lines of the log, in a fixed number of bytes.

use alloc::collections::VecDeque;
use alloc::string::String;
use core::fmt::{self, Write};

use crate::time::{Instant, UnixMillis};

/// Bytes of one line; the rest of a longer one is left out.
pub const LOG_LINE_BYTES_MAX: usize = 256;

/// Keeps the newest lines; the oldest make room.
///
/// A line is `[seconds since the start] level: text`, behind the wall clock once it is known. Nothing that steers a
/// terminal gets in: a control character becomes U+FFFD.
#[derive(Clone, Debug)]
pub struct LogRing {
    bytes: VecDeque<u8>,
    bytes_max: usize,
    lines: usize,
    lost: u64,
}

/// Takes at most [`LOG_LINE_BYTES_MAX`] bytes of text, whole characters.
struct Line(heapless::String<LOG_LINE_BYTES_MAX>);

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            self.0.push(if letter.is_control() { '\u{fffd}' } else { letter }).map_err(|_| fmt::Error)?;
        }
        Ok(())
    }
}

impl LogRing {
    /// Builds an empty ring and takes its memory; it never takes more.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes: VecDeque::with_capacity(bytes_max), bytes_max, lines: 0, lost: 0 }
    }

    /// Takes a line; `wall` may be unknown.
    pub fn push(&mut self, now: Instant, wall: Option<UnixMillis>, level: log::Level, text: &dyn fmt::Display) {
        let mut line = Line(heapless::String::new());
        let word = match level {
            log::Level::Error => "error",
            log::Level::Warn => "warning",
            log::Level::Info => "info",
            log::Level::Debug | log::Level::Trace => "debug",
        };
        let millis = now.as_millis();
        // A line that is too long is cut.
        if let Some(wall) = wall {
            let _ = write!(line, "{wall} ");
        }
        let _ = write!(line, "[{}.{:03}] {word}: {text}", millis / 1000, millis % 1000);
        let needed = line.0.len().saturating_add(1);
        if needed > self.bytes_max {
            self.lost = self.lost.saturating_add(1);
            return;
        }
        while self.bytes.len().saturating_add(needed) > self.bytes_max {
            self.drop_oldest();
        }
        self.bytes.extend(line.0.as_bytes());
        self.bytes.push_back(b'\n');
        self.lines = self.lines.saturating_add(1);
    }

    fn drop_oldest(&mut self) {
        while self.bytes.pop_front().is_some_and(|byte| byte != b'\n') {}
        self.lines = self.lines.saturating_sub(1);
        self.lost = self.lost.saturating_add(1);
    }

    /// Returns the newest `lines` lines, oldest first, each with its line end.
    #[must_use]
    pub fn tail(&self, lines: usize) -> String {
        let skipped = self.lines.saturating_sub(lines);
        let (front, back) = self.bytes.as_slices();
        let all = || front.iter().chain(back).copied();
        let mut passed = 0_usize;
        let from = if skipped == 0 {
            0
        } else {
            let mut ends = all().enumerate().filter(|(_, byte)| {
                passed = passed.saturating_add(usize::from(*byte == b'\n'));
                *byte == b'\n' && passed == skipped
            });
            ends.next().map_or(0, |(at, _)| at.saturating_add(1))
        };
        // Lines hold whole characters, and only whole lines are dropped.
        String::from_utf8(all().skip(from).collect()).unwrap_or_default()
    }

    /// Returns the count of lines that made room for others.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Returns the count of lines.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    fn say(ring: &mut LogRing, text: &str) {
        ring.push(Instant::from_millis(1_234), None, log::Level::Info, &text);
    }

    #[test]
    fn lines_have_time_and_level() {
        let mut ring = LogRing::new(1024);
        ring.push(Instant::from_millis(61_005), None, log::Level::Warn, &"low");
        ring.push(Instant::from_millis(62_000), Some(UnixMillis(0)), log::Level::Trace, &"a\nb\u{1b}[31m");
        assert_eq!(
            ring.tail(9),
            "[61.005] warning: low\n1970-01-01T00:00:00.000Z [62.000] debug: a\u{fffd}b\u{fffd}[31m\n"
        );
        assert_eq!(ring.tail(1).lines().count(), 1);
        assert_eq!((ring.tail(0), LogRing::new(0).tail(5)), (String::new(), String::new()));
    }

    #[test]
    fn the_oldest_lines_make_room() {
        let mut ring = LogRing::new(100);
        let capacity = ring.bytes.capacity();
        (0..1000).for_each(|number| say(&mut ring, &format!("line {number}")));
        let tail = ring.tail(usize::MAX);
        assert!(tail.len() <= 100 && tail.ends_with("line 999\n"), "{tail}");
        assert_eq!((tail.lines().count(), ring.lines()), (4, 4));
        assert_eq!((ring.lost(), ring.bytes.capacity()), (996, capacity));
    }

    #[test]
    fn long_lines_are_cut_at_a_character() {
        let mut ring = LogRing::new(4096);
        say(&mut ring, &"é".repeat(1000));
        let line = ring.tail(1);
        assert!(line.len() <= LOG_LINE_BYTES_MAX + 1 && line.ends_with("é\n"));
        let mut small = LogRing::new(8);
        say(&mut small, "does not fit at all");
        assert_eq!((small.tail(1), small.lost()), (String::new(), 1));
    }

    proptest::proptest! {
        #[test]
        fn the_tail_is_what_was_said_last(texts in proptest::collection::vec("[a-zé\n]{0,40}", 0..60), bytes in 0..600_usize, lines in 0..20_usize) {
            let mut ring = LogRing::new(bytes);
            texts.iter().for_each(|text| say(&mut ring, text));
            let tail = ring.tail(lines);
            let said: alloc::vec::Vec<String> = texts.iter().map(|text| format!("[1.234] info: {}\n", text.replace('\n', "\u{fffd}"))).filter(|line: &String| line.len() <= bytes).collect();
            let count = tail.matches('\n').count();
            proptest::prop_assert!(count <= lines && tail.len() <= bytes);
            proptest::prop_assert_eq!(tail, said[said.len() - count..].concat());
        }
    }
}
