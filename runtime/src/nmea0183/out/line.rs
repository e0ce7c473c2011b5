//! A sentence as it is written: start, address, fields, check sum.

use core::f64::consts::PI;
use core::fmt::{self, Display, Write};

use crate::nmea0183::fields::{rounded, turn};
use crate::time::UnixMillis;

/// Bytes of a sentence with its end, CR LF (NMEA 0183 version 4, §5.3: 82). Longer ones are not made.
pub const LINE_BYTES_MAX: usize = 82;

/// A sentence, with CR LF at its end.
pub type Line = heapless::String<LINE_BYTES_MAX>;

/// Who speaks: two letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Talker([u8; 2]);

impl Talker {
    /// Integrated instrumentation, what npm's `signalk-to-nmea0183` says most.
    pub const II: Self = Self(*b"II");
    /// A transponder of a vessel.
    pub const AI: Self = Self(*b"AI");

    /// Takes two letters; `P` begins the sentences of makers.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
        let is_sound = letters.iter().all(u8::is_ascii_uppercase) && !text.starts_with('P');
        is_sound.then_some(Self(letters))
    }
}

impl Display for Talker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| f.write_char(char::from(*letter)))
    }
}

/// Writes a sentence field by field; one that grows too long becomes none.
pub(super) struct Writer {
    line: Line,
    is_over: bool,
}

impl Writer {
    /// Begins a sentence: `$`, or `!` of one whose data is armoured.
    pub fn new(start: char, talker: Talker, sentence: &str) -> Self {
        let mut writer = Self { line: Line::new(), is_over: false };
        writer.put(format_args!("{start}{talker}{sentence}"));
        writer
    }

    fn put(&mut self, text: fmt::Arguments<'_>) {
        self.is_over |= self.line.write_fmt(text).is_err();
    }

    /// Adds a field.
    pub fn field(&mut self, value: impl Display) -> &mut Self {
        self.put(format_args!(",{value}"));
        self
    }

    /// Adds a number with so many digits behind the point, or an empty field.
    pub fn number(&mut self, value: Option<f64>, digits: usize) -> &mut Self {
        match value {
            // No `-0.00`.
            Some(value) => {
                let value = if rounded(value, 1e4) == 0.0 { 0.0 } else { value };
                self.put(format_args!(",{value:.digits$}"));
            }
            None => self.put(format_args!(",")),
        }
        self
    }

    /// Adds a direction in degrees from 0 to below 360, of radians.
    pub fn direction(&mut self, angle: Option<f64>) -> &mut Self {
        let degrees = angle.map(|angle| rounded(degrees(turn(angle)), 100.0));
        self.number(degrees.map(|degrees| if degrees >= 360.0 { 0.0 } else { degrees }), 2)
    }

    /// Adds an angle to one side and the letter of that side, east above zero, of radians.
    pub fn east_or_west(&mut self, angle: Option<f64>) -> &mut Self {
        let size = angle.map(|angle| degrees(libm::fabs(angle)));
        self.number(size, 2).field(angle.map_or("", |angle| if angle < 0.0 { "W" } else { "E" }))
    }

    /// Adds `ddmm.mmmm,N,dddmm.mmmm,E`.
    pub fn position(&mut self, (latitude, longitude): (f64, f64)) -> &mut Self {
        for (place, digits, [above, below]) in [(latitude, 2, ["N", "S"]), (longitude, 3, ["E", "W"])] {
            // Ten thousandths of a minute, at most 180 degrees of them.
            let parts = libm::round(libm::fabs(place) * 600_000.0) as u32;
            let (whole, minutes, fraction) = (parts / 600_000, parts / 10_000 % 60, parts % 10_000);
            self.put(format_args!(",{whole:0digits$}{minutes:02}.{fraction:04}"));
            self.field(if place < 0.0 { below } else { above });
        }
        self
    }

    /// Adds `hhmmss.ss`, or an empty field.
    pub fn time_of_day(&mut self, time: Option<UnixMillis>) -> &mut Self {
        let Some(time) = time else { return self.field("") };
        let text = time.text();
        let part = |from: usize| text.get(from..from.saturating_add(2)).unwrap_or_default();
        self.field(format_args!("{}{}{}.{}", part(11), part(14), part(17), part(20)))
    }

    /// Returns the line.
    pub fn finish(mut self) -> Option<Line> {
        let sum = self.line.bytes().skip(1).fold(0, |sum, byte| sum ^ byte);
        self.put(format_args!("*{sum:02X}\r\n"));
        (!self.is_over).then_some(self.line)
    }
}

/// Returns degrees of radians.
pub(super) fn degrees(radians: f64) -> f64 {
    radians * 180.0 / PI
}
