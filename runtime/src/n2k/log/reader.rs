//! Text formats, one line at a time.

use alloc::string::String;

use super::{
    Format, Item, LINE_BYTES_MAX, LineError, Mode, Record, bst, canboat, candump, garmin, ikonvert, n2kascii, prefix,
    sentence, trc, ydwg,
};
use crate::hal::CanFrame;
use crate::n2k::id::{Id, PGN_MAX};
use crate::n2k::is_fast;
use crate::time::UnixMillis;

/// Reads a log, one line at a time.
#[derive(Clone, Debug)]
pub struct LogReader {
    format: Format,
    mode: Mode,
    /// In [`Mode::Auto`]: a line of more than 8 bytes was seen, or [`canboat::FAST`].
    whole_lines: bool,
    columns: Option<garmin::Columns>,
    spans: candump::Spans,
    /// A short line that can be the first frame of a fast packet among whole messages: who sent it, and the byte that its
    /// next frame begins with.
    begun: Option<(Id, u8)>,
    /// Lines that turned out to be frames though short lines were taken as whole messages.
    misread: u64,
}

impl LogReader {
    /// Builds a reader; a binary format makes every line a [`LineError::Binary`].
    #[must_use]
    pub fn new(format: Format, mode: Mode) -> Self {
        Self {
            format,
            mode,
            whole_lines: mode == Mode::Fast,
            columns: None,
            spans: candump::Spans::default(),
            begun: None,
            misread: 0,
        }
    }

    /// Reads one line, with or without its end; `None` for blank lines, comments (`#`, `;`), lines that name columns,
    /// and what a gateway tells of itself.
    ///
    /// # Errors
    /// [`LineError`] says what is wrong with the line; the next one can be read as if nothing was.
    pub fn line(&mut self, line: &[u8]) -> Result<Option<Record>, LineError> {
        if line.len() > LINE_BYTES_MAX {
            return Err(LineError::TooLong { bytes: line.len() });
        }
        let Ok(text) = str::from_utf8(line) else {
            // Names of devices in Latin-1 stand beside what is read; each letter of theirs becomes one that is not.
            let text = String::from_utf8_lossy(line);
            return self.text(&text).map_err(|error| match error {
                LineError::UnknownFormat | LineError::NotOfFormat(_) => LineError::NotText,
                other => other,
            });
        };
        self.text(text)
    }

    fn text(&mut self, text: &str) -> Result<Option<Record>, LineError> {
        let (before, text) = prefix::without(prefix::trimmed(text));
        let (tagged, text) = sentence::without_tag_block(text);
        let before = tagged.or(before);
        let Some(&first) = text.as_bytes().first().filter(|first| !b"#;".contains(first)) else {
            self.whole_lines |= text == canboat::FAST && self.mode == Mode::Auto;
            return Ok(None);
        };
        let format = match self.format {
            // What the server was told in its own format, among what it heard.
            Format::Auto if first == b'{' && before.is_some() && text.contains("\"updates\"") => {
                return Err(LineError::Delta);
            }
            Format::Auto => self.format_of(text, first).ok_or(LineError::UnknownFormat)?,
            named => named,
        };
        let read = match format {
            Format::Candump => candump::read(text).map(|record| Some(self.spans.summed(record))),
            Format::Canboat => self.canboat(text).map(Some),
            Format::Ydwg => ydwg::read(text).map(Some),
            Format::N2kAscii => n2kascii::read(text).map(Some),
            Format::IKonvert | Format::Pcdin | Format::Mxpgn => sentence(text, format),
            Format::Garmin => self.garmin(text),
            Format::Trc => trc::read(text).map(Some),
            Format::Bst => bst::json(text),
            Format::Auto | Format::Ngt1 | Format::Ebl | Format::Pcap | Format::Ydvr => Err(LineError::Binary(format)),
        };
        // The time of the line itself is nearer to what happened, where it has a date.
        let dated = |time: Option<UnixMillis>| time.filter(|time| time.is_dated()).or(before).or(time);
        read.map(|record| record.map(|record| Record { time: dated(record.time), ..record }))
    }

    /// Finds out how a line is written.
    fn format_of(&self, text: &str, first: u8) -> Option<Format> {
        Some(match first {
            b'(' | b'<' => Format::Candump,
            b'$' | b'!' => Format::Pcdin,
            b'{' => Format::Bst,
            b'A' if n2kascii::is_like(text) => Format::N2kAscii,
            b'S' if text.starts_with("Sequence #") => Format::Garmin,
            b'0'..=b'9' if ydwg::is_like(text) => Format::Ydwg,
            // Only there do bytes have `0x` in front; the line with the columns can be missing.
            b'0'..=b'9' if text.contains(",0x") => Format::Garmin,
            b'0'..=b'9' | b'Z' if text.contains(',') => Format::Canboat,
            b'0'..=b'9' if trc::is_like(text) => Format::Trc,
            _ if candump::is_like(text) => Format::Candump,
            _ => return None,
        })
    }

    fn garmin(&mut self, text: &str) -> Result<Option<Record>, LineError> {
        if let Some(columns) = garmin::columns(text) {
            self.columns = Some(columns);
            return Ok(None);
        }
        garmin::read(text, self.columns.as_ref().unwrap_or_else(|| garmin::usual(text))).map(Some)
    }

    fn canboat(&mut self, text: &str) -> Result<Record, LineError> {
        let line = canboat::Line::read(text)?;
        let is_long = line.count > 8;
        if is_long && self.mode == Mode::Plain {
            return Err(LineError::FrameTooLong { bytes: line.count });
        }
        self.whole_lines |= is_long && self.mode == Mode::Auto;
        if line.count != line.announced {
            return Err(LineError::Length { announced: line.announced, found: line.count });
        }
        let payload = line.payload()?;
        let frame = Some(&payload).filter(|_| !is_long && !self.whole_lines && line.id.pgn <= PGN_MAX);
        if self.mode == Mode::Auto && self.whole_lines && !is_long {
            self.look_for_frames(line.id, &payload);
        }
        let item = match frame.and_then(|data| CanFrame::new(line.id.to_can(), data)) {
            Some(frame) => Item::Frame(frame),
            None => Item::Whole { id: line.id, payload },
        };
        Ok(Record { time: line.time, item })
    }
}

impl LogReader {
    /// Returns how often frames of fast packets were found where lines are taken as whole messages: the log mixes both.
    #[must_use]
    pub fn misread(&self) -> u64 {
        self.misread
    }

    /// Looks whether two short lines are the first frames of one fast packet: `00 2B …`, then `01 …` (n2k.md, fast packets).
    fn look_for_frames(&mut self, id: Id, payload: &[u8]) {
        let [first, length, _, _, _, _, _, _] = *payload else { return };
        let known = |(begun, next): (Id, u8)| (begun.pgn, begun.source) == (id.pgn, id.source) && next == first;
        if self.begun.is_some_and(known) {
            self.misread = self.misread.saturating_add(1);
            self.begun = None;
        } else if is_fast(id.pgn) && first & 0x1f == 0 && (9..=223).contains(&length) {
            self.begun = Some((id, first | 1));
        }
    }
}

/// Reads a sentence of whichever gateway; other ones are [`LineError::Nmea0183`].
fn sentence(text: &str, format: Format) -> Result<Option<Record>, LineError> {
    if ikonvert::is_like(text) {
        return ikonvert::read(text);
    }
    if text.starts_with("$PCDIN,") {
        return sentence::pcdin(text).map(Some);
    }
    if text.starts_with("$MXPGN,") {
        return sentence::mxpgn(text).map(Some);
    }
    Err(if text.starts_with(['$', '!']) { LineError::Nmea0183 } else { LineError::NotOfFormat(format) })
}
