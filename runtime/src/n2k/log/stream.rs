//! Bytes in, entries out: splits lines, messages and packets, whatever the chunks are.

use alloc::string::String;
use alloc::vec::Vec;

use super::dle::Wire;
use super::pcap::{self, Capture};
use super::ydvr::{self, Recorder};
use super::{Format, LINE_BYTES_MAX, LineError, LogReader, Mode, Record, prefix};
use crate::time::UnixMillis;

/// Bytes that [`LogStream::feed`] takes at once.
pub const CHUNK_BYTES_MAX: usize = 64 * 1024;

/// What a log gives next. Numbers count lines, messages or packets, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one entry at a time; the large one is the usual one")]
pub enum LogEntry {
    /// A frame or message.
    Record {
        /// Number of its line, message or packet, from 1.
        number: u64,
        /// What it holds.
        record: Record,
    },
    /// A sentence of NMEA 0183, without the end of its line.
    Sentence {
        /// Number of its line, message or packet, from 1.
        number: u64,
        /// When Signal K Server logged it; a tag block's time is in the text.
        time: Option<UnixMillis>,
        /// Its text, a tag block in front included.
        text: String,
    },
    /// A delta that Signal K Server logged.
    Delta {
        /// Number of its line, from 1.
        number: u64,
        /// When it was logged.
        time: Option<UnixMillis>,
        /// Its JSON.
        text: String,
    },
    /// A line, message or packet that could not be read.
    Bad {
        /// Number of its line, message or packet, from 1.
        number: u64,
        /// Why.
        error: LineError,
        /// Nothing can be read behind it: the log is cut off there, or damaged so that its parts cannot be found.
        is_last: bool,
    },
}

#[derive(Clone, Debug)]
enum Framing {
    /// Too few bytes yet to say.
    Unknown,
    Lines,
    Wire(Wire),
    /// A capture whose head is not there yet.
    CaptureHead,
    Capture(Capture),
    Recorder(Recorder),
    /// A file of another kind: one error, then nothing.
    Refused(LineError),
    /// Nothing more can be read.
    Over,
}

/// First bytes of files that are no logs: gzip (RFC 1952 §2.3.1), zip (APPNOTE 4.3.7), bzip2, xz, zstd (RFC 8878 §3.1.1),
/// and the byte order marks of UTF-16.
const OTHER_FILES: [(&[u8], LineError); 7] = [
    (&[0x1f, 0x8b], LineError::Packed),
    (b"PK\x03\x04", LineError::PackedBy("zip")),
    (b"BZh", LineError::PackedBy("bzip2")),
    (&[0xfd, b'7', b'z', b'X'], LineError::PackedBy("xz")),
    (&[0x28, 0xb5, 0x2f, 0xfd], LineError::PackedBy("zstd")),
    (&[0xff, 0xfe], LineError::Utf16),
    (&[0xfe, 0xff], LineError::Utf16),
];

/// Reads a log of any format from the bytes it is fed, in bounded memory: a line and a chunk.
#[derive(Clone, Debug)]
pub struct LogStream {
    format: Format,
    reader: LogReader,
    framing: Framing,
    buffer: Vec<u8>,
    /// Bytes of the buffer that were read.
    start: usize,
    /// Bytes behind `start` that hold no end of line.
    searched: usize,
    /// A line is passed over because it is too long.
    is_skipping: bool,
    /// A line was read: it is text.
    has_read_line: bool,
    /// A newline was seen.
    has_newline: bool,
    is_ended: bool,
    number: u64,
}

impl LogStream {
    /// Builds a stream; [`Format::Auto`] finds out the format by the first bytes, in text line by line.
    #[must_use]
    pub fn new(format: Format, mode: Mode) -> Self {
        let framing = match format {
            Format::Auto => Framing::Unknown,
            Format::Ngt1 => Framing::Wire(Wire::new(false)),
            Format::Ebl => Framing::Wire(Wire::new(true)),
            Format::Pcap => Framing::CaptureHead,
            Format::Ydvr => Framing::Recorder(Recorder::default()),
            _ => Framing::Lines,
        };
        Self {
            format,
            reader: LogReader::new(format, mode),
            framing,
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            is_skipping: false,
            has_read_line: false,
            has_newline: false,
            is_ended: false,
            number: 0,
        }
    }

    /// Takes bytes and returns how many, at most [`CHUNK_BYTES_MAX`]; none before [`next_entry`](Self::next_entry) has
    /// given everything.
    pub fn feed(&mut self, bytes: &[u8]) -> usize {
        self.buffer.drain(..self.start.min(self.buffer.len()));
        self.start = 0;
        let room = (LINE_BYTES_MAX + CHUNK_BYTES_MAX).saturating_sub(self.buffer.len());
        let taken = bytes.get(..room.min(CHUNK_BYTES_MAX)).unwrap_or(bytes);
        self.buffer.extend_from_slice(taken);
        taken.len()
    }

    /// Ends the line that was fed last, as the end of a datagram does; binary formats have no lines and are left alone.
    pub fn end_line(&mut self) {
        let is_open = self.rest().last().is_some_and(|byte| *byte != b'\n');
        if is_open && (matches!(self.framing, Framing::Lines) || self.rest().iter().all(u8::is_ascii)) {
            self.feed(b"\n");
        }
    }

    /// Tells that no more bytes come; what is left is then read as the last line.
    pub fn end(&mut self) {
        self.is_ended = true;
    }

    /// Returns the next entry, `None` when more bytes are needed, or at the end.
    pub fn next_entry(&mut self) -> Option<LogEntry> {
        if matches!(self.framing, Framing::Unknown) {
            self.detect()?;
        }
        match &self.framing {
            Framing::Unknown | Framing::Over => None,
            &Framing::Refused(error) => Some(self.over(error)),
            Framing::Lines => self.line(),
            Framing::Wire(_) => self.wire(),
            Framing::CaptureHead => {
                self.capture_head()?;
                self.next_entry_of_capture()
            }
            Framing::Capture(_) => self.next_entry_of_capture(),
            Framing::Recorder(_) => self.next_entry_of_recorder(),
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    fn detect(&mut self) -> Option<()> {
        let first = self.rest();
        // A recorder's file is known by its sixth byte.
        let enough = if first.get(2..4) == Some(&[0xff, 0xff]) { 6 } else { 4 };
        if first.len() < enough && !self.is_ended {
            return None;
        }
        if let Some((_, error)) = OTHER_FILES.iter().find(|(mark, _)| first.starts_with(mark)) {
            self.framing = Framing::Refused(*error);
            return Some(());
        }
        // Without a mark: letters of ASCII, a zero beside each.
        let is_wide = |[a, b, c, d]: [u8; 4]| {
            let is_letter = |byte: u8| (b' '..0x7f).contains(&byte);
            (is_letter(a) && is_letter(c) && b | d == 0) || (is_letter(b) && is_letter(d) && a | c == 0)
        };
        if self.format == Format::Auto && first.first_chunk().is_some_and(|first| is_wide(*first)) {
            self.framing = Framing::Refused(LineError::Utf16);
            return Some(());
        }
        let is_capture = first.first_chunk().is_some_and(|first| pcap::is_like(*first));
        self.framing = match Wire::detect(first) {
            Some(is_ebl) => Framing::Wire(Wire::new(is_ebl)),
            None if is_capture => Framing::CaptureHead,
            None if ydvr::is_like(first) => Framing::Recorder(Recorder::default()),
            None => Framing::Lines,
        };
        Some(())
    }

    /// Goes over to the wire of an NGT-1 whose first message is cut off at the front, as when a port is opened while
    /// it talks, and returns the bytes passed over. Text holds no such bytes.
    fn find_wire(&mut self) -> Option<usize> {
        if self.has_read_line || self.format != Format::Auto {
            return None;
        }
        // Within this line only: the others get their turn.
        let rest = self.rest();
        let end = rest.iter().position(|byte| self.ends_line(*byte)).map_or(rest.len(), |end| end + 1);
        let passed = rest.get(..end).unwrap_or(rest).windows(3).position(Wire::is_begin)?;
        self.start += passed;
        self.searched = 0;
        self.is_skipping = false;
        self.framing = Framing::Wire(Wire::new(false));
        Some(passed)
    }

    /// Tells of something that could not be read, with more behind it.
    fn bad(&mut self, error: LineError) -> LogEntry {
        self.number = self.number.saturating_add(1);
        LogEntry::Bad { number: self.number, error, is_last: false }
    }

    /// Returns what is wrong with the log as a whole, and reads nothing more.
    fn over(&mut self, error: LineError) -> LogEntry {
        self.framing = Framing::Over;
        self.number = self.number.saturating_add(1);
        LogEntry::Bad { number: self.number, error, is_last: true }
    }

    fn line(&mut self) -> Option<LogEntry> {
        loop {
            match self.find_wire() {
                None => {}
                Some(0) => return self.wire(),
                Some(_) => return Some(self.bad(LineError::CutOff)),
            }
            let Some(length) = self.line_end() else { return self.unfinished_line() };
            let (from, is_skipped) = (self.start, core::mem::take(&mut self.is_skipping));
            self.start += length + 1;
            self.searched = 0;
            if is_skipped {
                continue;
            }
            self.number = self.number.saturating_add(1);
            let entry = self.entry(from, from + length, false);
            if entry.is_some() {
                return entry;
            }
        }
    }

    fn ends_line(&self, byte: u8) -> bool {
        byte == b'\n' || (byte == b'\r' && !self.has_newline)
    }

    /// Returns how long the next line is when its end is there. Carriage returns alone end lines as long as no newline
    /// was seen: in other logs they are noise beside newlines, and would move the numbers of lines.
    fn line_end(&mut self) -> Option<usize> {
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        let unseen = rest.get(self.searched..).unwrap_or_default();
        let Some(at) = unseen.iter().position(|byte| self.ends_line(*byte)) else {
            self.searched = rest.len();
            return None;
        };
        let returns = unseen.iter().skip(at).take_while(|byte| **byte == b'\r').count();
        match unseen.get(at + returns) {
            Some(b'\n') => {
                self.has_newline = true;
                Some(self.searched + at + returns)
            }
            Some(_) => Some(self.searched + at),
            None => {
                self.searched += at;
                None
            }
        }
    }

    /// The buffer holds a line without its end.
    fn unfinished_line(&mut self) -> Option<LogEntry> {
        let length = self.rest().len();
        let (is_skipping, is_too_long) = (self.is_skipping, length > LINE_BYTES_MAX);
        if is_skipping || is_too_long {
            self.start = self.buffer.len();
            self.searched = 0;
        }
        if is_too_long && !is_skipping {
            self.is_skipping = true;
            self.number = self.number.saturating_add(1);
            let error = LineError::TooLong { bytes: length };
            return Some(LogEntry::Bad { number: self.number, error, is_last: self.is_ended });
        }
        if !self.is_ended {
            return None;
        }
        self.framing = Framing::Over;
        if is_skipping || length == 0 {
            return None;
        }
        let from = self.start;
        self.number = self.number.saturating_add(1);
        self.entry(from, from + length, true)
    }

    /// Reads the line in these bytes of the buffer.
    fn entry(&mut self, from: usize, to: usize, is_last: bool) -> Option<LogEntry> {
        let line = self.buffer.get(from..to).unwrap_or_default();
        let number = self.number;
        match self.reader.line(line) {
            Ok(record) => {
                self.has_read_line |= record.is_some();
                record.map(|record| LogEntry::Record { number, record })
            }
            Err(error @ (LineError::Nmea0183 | LineError::Delta)) => {
                self.has_read_line = true;
                let text = String::from_utf8_lossy(line);
                let (time, text) = prefix::without(prefix::trimmed(&text));
                let text = String::from(text);
                Some(if error == LineError::Delta {
                    LogEntry::Delta { number, time, text }
                } else {
                    LogEntry::Sentence { number, time, text }
                })
            }
            Err(error) => Some(LogEntry::Bad { number, error, is_last }),
        }
    }

    fn wire(&mut self) -> Option<LogEntry> {
        let Framing::Wire(wire) = &mut self.framing else { return None };
        while let Some(&byte) = self.buffer.get(self.start) {
            self.start += 1;
            let Some(ended) = wire.byte(byte) else { continue };
            self.number = self.number.saturating_add(1);
            match ended {
                Ok(None) => {}
                Ok(Some(record)) => return Some(LogEntry::Record { number: self.number, record }),
                Err(error) => return Some(LogEntry::Bad { number: self.number, error, is_last: false }),
            }
        }
        let is_cut_off = self.is_ended && wire.is_inside();
        is_cut_off.then(|| self.over(LineError::CutOff))
    }

    fn capture_head(&mut self) -> Option<()> {
        let head = self.rest().first_chunk().copied();
        match head.map(|head| Capture::read(&head)) {
            Some(Ok(capture)) => {
                self.start += pcap::HEAD_BYTES;
                self.framing = Framing::Capture(capture);
                Some(())
            }
            Some(Err(_)) => Some(()),
            None if self.is_ended && !self.rest().is_empty() => Some(()),
            None => None,
        }
    }

    fn next_entry_of_capture(&mut self) -> Option<LogEntry> {
        let Framing::Capture(capture) = self.framing else {
            let head = self.rest().first_chunk().copied();
            let error = head.and_then(|head| Capture::read(&head).err()).unwrap_or(LineError::CutOff);
            return Some(self.over(error));
        };
        let rest = self.rest();
        let length = match capture.packet_bytes(rest) {
            Ok(length) => length.filter(|length| *length <= rest.len()),
            Err(error) => return Some(self.over(error)),
        };
        let Some(length) = length else {
            let is_cut_off = self.is_ended && !rest.is_empty();
            return is_cut_off.then(|| self.over(LineError::CutOff));
        };
        let read = capture.packet(rest.get(..length).unwrap_or_default());
        self.start += length;
        self.number = self.number.saturating_add(1);
        let number = self.number;
        Some(match read {
            Ok(record) => LogEntry::Record { number, record },
            Err(error) => LogEntry::Bad { number, error, is_last: false },
        })
    }

    fn next_entry_of_recorder(&mut self) -> Option<LogEntry> {
        loop {
            let Framing::Recorder(recorder) = &mut self.framing else { return None };
            let rest = self.buffer.get(self.start..).unwrap_or_default();
            // The next record's head shows whether this one was understood.
            let is_enough = self.is_ended || rest.len() >= LINE_BYTES_MAX.min(CHUNK_BYTES_MAX) / 8;
            let Some(length) = recorder.record_bytes(rest).filter(|_| is_enough) else {
                let is_cut_off = self.is_ended && !rest.is_empty();
                return is_cut_off.then(|| self.over(LineError::CutOff));
            };
            // Records have no mark: where one is wrong, the place of the next is lost.
            let read = match recorder.record(rest.get(..length).unwrap_or_default()) {
                Ok(read) => read,
                Err(error) => return Some(self.over(error)),
            };
            self.start += length;
            self.number = self.number.saturating_add(1);
            if let Some(record) = read {
                return Some(LogEntry::Record { number: self.number, record });
            }
        }
    }

    /// Returns how often frames were found in a canboat log whose lines are taken as whole messages.
    #[must_use]
    pub fn misread(&self) -> u64 {
        self.reader.misread()
    }

    /// Returns the format that was asked for.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }
}
