//! The last lines of the log, in a fixed number of bytes.

use heapless::Deque;

/// The last bytes of a log, whole lines, the oldest going first.
#[derive(Debug, Default)]
pub struct LogRing<const BYTES: usize> {
    bytes: Deque<u8, BYTES>,
    /// Lines that went, or were too long.
    lost: u64,
}

impl<const BYTES: usize> LogRing<BYTES> {
    /// Builds an empty ring.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Deque::new(), lost: 0 }
    }

    /// Takes a line, without its end. Line ends within become blanks, so that a line stays one.
    pub fn push(&mut self, line: &str) {
        let wanted = line.len().saturating_add(1);
        if wanted > BYTES {
            self.lost = self.lost.saturating_add(1);
            return;
        }
        while BYTES.saturating_sub(self.bytes.len()) < wanted {
            self.lost = self.lost.saturating_add(1);
            while self.bytes.pop_front().is_some_and(|byte| byte != b'\n') {}
        }
        for byte in line.bytes() {
            // There is room.
            let _ = self.bytes.push_back(if byte == b'\n' { b' ' } else { byte });
        }
        let _ = self.bytes.push_back(b'\n');
    }

    /// Returns the bytes, oldest first: UTF-8, whole lines.
    #[must_use]
    pub fn as_slices(&self) -> (&[u8], &[u8]) {
        self.bytes.as_slices()
    }

    /// Returns how many lines are gone.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    fn text<const BYTES: usize>(ring: &LogRing<BYTES>) -> String {
        let (first, second) = ring.as_slices();
        String::from_utf8([first, second].concat()).unwrap()
    }

    #[test]
    fn the_oldest_lines_go_whole() {
        let mut ring = LogRing::<16>::new();
        ring.push("first");
        ring.push("second");
        assert_eq!(text(&ring), "first\nsecond\n");
        ring.push("3");
        assert_eq!(text(&ring), "first\nsecond\n3\n");
        ring.push("fourth");
        assert_eq!((text(&ring).as_str(), ring.lost()), ("second\n3\nfourth\n", 1));
        ring.push("exactly fifteen");
        assert_eq!((text(&ring).as_str(), ring.lost()), ("exactly fifteen\n", 4));
    }

    #[test]
    fn a_line_is_one_line_and_fits() {
        let mut ring = LogRing::<16>::new();
        ring.push("two\nlines");
        ring.push("this is longer than all of it");
        assert_eq!((text(&ring).as_str(), ring.lost()), ("two lines\n", 1));
    }

    #[test]
    fn text_stays_utf_8() {
        let mut ring = LogRing::<32>::new();
        for number in 0..100 {
            ring.push(if number % 3 == 0 { "Grüße" } else { "€€" });
            let _ = text(&ring);
        }
    }
}
