//! SeaTalk datagrams inside of sentences, `$STALK,00,02,00,64,00` and `$PSMDST`.
//!
//! What the bytes mean was found out by Thomas Knauf (SeaTalk Technical Reference); Raymarine never told. A datagram is
//! its command, a byte with the count in its low half, and data. Latitude and longitude, date and time come in two each.

use super::fields::{half_turn, kelvin, knots, radians};
use super::instruments::{give_text, position};
use super::sentence::Fields;
use crate::delta::{Value, ValueSink};
use crate::time::UnixMillis;

/// Bytes of the longest datagram.
const BYTES_MAX: usize = 18;
/// Metres of a tenth of a foot, of a nautical mile.
const TENTH_FOOT: f64 = 0.030_48;
const MILE: f64 = 1852.0;

/// The halves that were told so far.
#[derive(Debug, Default)]
pub(super) struct SeaTalk {
    latitude: Option<f64>,
    longitude: Option<f64>,
    /// Year, month, day.
    date: Option<[i64; 3]>,
    millis_of_day: Option<i64>,
}

/// The bytes of a datagram.
struct Datagram(heapless::Vec<u8, BYTES_MAX>);

impl Datagram {
    fn read(fields: &Fields<'_>, from: usize) -> Self {
        let bytes = (from..fields.count()).map_while(|index| u8::from_str_radix(fields.text(index), 16).ok());
        Self(bytes.take(BYTES_MAX).collect())
    }

    fn byte(&self, index: usize) -> Option<u8> {
        self.0.get(index).copied()
    }

    fn high(&self, index: usize) -> Option<u8> {
        self.byte(index).map(|byte| byte >> 4)
    }

    /// Two bytes, the low one first.
    fn word(&self, index: usize) -> Option<u16> {
        Some(u16::from_le_bytes([self.byte(index)?, self.byte(index + 1)?]))
    }

    /// Two bytes in degrees and minutes, the highest bit apart.
    fn degrees(&self) -> Option<(f64, bool)> {
        let word = self.word(3)?;
        let minutes = f64::from(word & 0x7fff) / 100.0;
        Some((f64::from(self.byte(2)?) + minutes / 60.0, word & 0x8000 != 0))
    }

    /// Compass heading: quarters, pairs of degrees, and single ones as bits that are set.
    fn heading(&self) -> Option<f64> {
        let (quarter, pairs) = (self.high(1)?, self.byte(2)? & 0x3f);
        let single = (quarter >> 2).count_ones();
        Some(f64::from(quarter & 3) * 90.0 + f64::from(pairs) * 2.0 + f64::from(single))
    }
}

impl SeaTalk {
    /// Gives the values of a datagram whose command stands in a field; false for one that is not mapped.
    pub fn give(&mut self, fields: &Fields<'_>, from: usize, sink: &mut dyn ValueSink) -> bool {
        let datagram = Datagram::read(fields, from);
        let Some(command) = datagram.byte(0) else { return true };
        let is_known = COMMANDS.contains(&command);
        if is_known {
            // A datagram that is cut off gives what came before the cut.
            let _ = self.values(command, &datagram, sink);
        }
        is_known
    }

    fn values(&mut self, command: u8, it: &Datagram, sink: &mut dyn ValueSink) -> Option<()> {
        let mut give = |path: &str, value: f64| sink.value(path, Value::Float(value));
        let wide = |index: usize, high: u8| Some(f64::from(it.word(index)?) + f64::from(high) * 65536.0);
        match command {
            0x00 => {
                // Third bit: the transducer is defective.
                let depth = f64::from(it.word(3)? & 0x7fff) * TENTH_FOOT;
                let is_lost = it.byte(2)? & 4 != 0;
                sink.value(
                    "environment.depth.belowTransducer",
                    if is_lost { Value::Null } else { Value::Float(depth) },
                );
            }
            0x10 => {
                let halves = u16::from_be_bytes([it.byte(2)?, it.byte(3)?]);
                give("environment.wind.angleApparent", half_turn(radians(f64::from(halves) / 2.0)));
            }
            0x11 => {
                let speed = f64::from(it.byte(2)? & 0x7f) + f64::from(it.byte(3)?) / 10.0;
                give("environment.wind.speedApparent", knots(speed));
            }
            0x20 => give("navigation.speedThroughWater", knots(f64::from(it.word(2)?) / 10.0)),
            0x21 => give("navigation.trip", wide(2, it.byte(4)? & 0xf)? / 100.0 * MILE),
            0x22 => give("navigation.log", f64::from(it.word(2)?) / 10.0 * MILE),
            0x25 => {
                give("navigation.log", wide(2, it.high(1)?)? / 10.0 * MILE);
                give("navigation.trip", wide(4, it.byte(6)? & 0xf)? / 100.0 * MILE);
            }
            0x26 => {
                let valid = it.high(6)?;
                if valid & 4 != 0 {
                    give("navigation.speedThroughWater", knots(f64::from(it.word(2)?) / 100.0));
                }
                if valid & 8 == 0 {
                    give("navigation.averageSpeedThroughWater", knots(f64::from(it.word(4)?) / 100.0));
                }
            }
            0x27 => give("environment.water.temperature", kelvin((f64::from(it.word(2)?) - 100.0) / 10.0)),
            0x50 | 0x51 => {
                let (degrees, is_set) = it.degrees()?;
                if command == 0x50 {
                    self.latitude = Some(if is_set { -degrees } else { degrees });
                } else {
                    self.longitude = Some(if is_set { degrees } else { -degrees });
                }
                position(sink, "navigation.position", Some((self.latitude?, self.longitude?)));
            }
            0x52 => give("navigation.speedOverGround", knots(f64::from(it.word(2)?) / 10.0)),
            0x53 => {
                let (quarter, pairs) = (it.high(1)?, it.byte(2)? & 0x3f);
                let course = f64::from(quarter & 3) * 90.0 + f64::from(pairs) * 2.0 + f64::from(quarter & 0xc) / 8.0;
                give("navigation.courseOverGroundMagnetic", radians(course));
            }
            0x54 => {
                // Six bits of minutes, six of seconds.
                let (low, high) = (it.high(1)?, it.byte(2)?);
                let (minutes, seconds) = (i64::from(high >> 2), i64::from((high << 4 | low) & 0x3f));
                self.millis_of_day = Some(((i64::from(it.byte(3)?) * 60 + minutes) * 60 + seconds) * 1000);
                self.datetime(sink)?;
            }
            0x56 => {
                self.date = Some([2000 + i64::from(it.byte(3)?), i64::from(it.high(1)?), i64::from(it.byte(2)?)]);
                self.datetime(sink)?;
            }
            0x57 => {
                let count = it.high(1)?;
                // One is how a receiver says that it has none of its own.
                let dilution = if count == 1 { 0x94 } else { it.byte(2)? };
                give("navigation.gnss.satellites", count.into());
                give("navigation.gnss.horizontalDilution", dilution.into());
            }
            0x82 => {
                let (x, y, z) = (it.byte(2)?, it.byte(4)?, it.byte(6)?);
                let sixes = [x & 0x3f, (y & 0xf) << 2 | x >> 6, (z & 3) << 4 | y >> 4, z >> 2];
                let letters = sixes.map(|six| b'0'.wrapping_add(six));
                // What is not used is `0`.
                let name = core::str::from_utf8(&letters).ok()?.trim_matches('0');
                give_text(sink, "navigation.courseRhumbline.nextPoint.ID", name);
            }
            0x84 => {
                let course = f64::from(it.high(2)? >> 2) * 90.0 + f64::from(it.byte(3)?) / 2.0;
                let (mode, rudder) = (it.byte(4)?, it.byte(6)?.cast_signed());
                give("navigation.headingMagnetic", radians(it.heading()?));
                give("steering.autopilot.target.headingMagnetic", radians(course));
                give("steering.rudderAngle", radians(rudder.into()));
                let state = match mode & 0xf {
                    mode if mode & 8 != 0 => "route",
                    mode if mode & 4 != 0 => "wind",
                    mode if mode & 2 != 0 => "auto",
                    _ => "standby",
                };
                sink.value("steering.autopilot.state", Value::Text(state));
            }
            0x85 => {
                let (flags, side) = (it.byte(6)? & 0xf, it.high(6)?);
                if flags & 1 != 0 {
                    let off = f64::from(u16::from_be_bytes([it.high(1)?, it.byte(2)?])) / 100.0 * MILE;
                    give("navigation.courseRhumbline.crossTrackError", if side & 4 != 0 { -off } else { off });
                }
                if flags & 2 != 0 {
                    let quarter = it.byte(3)? & 0xf;
                    let halves = (it.byte(4)? & 0xf) << 4 | it.high(3)?;
                    let bearing = radians(f64::from(quarter & 3) * 90.0 + f64::from(halves) / 2.0);
                    let leaf = if quarter & 8 != 0 { "True" } else { "Magnetic" };
                    sink.value_below("navigation.courseRhumbline.bearingToDestination", leaf, Value::Float(bearing));
                }
                if flags & 4 != 0 {
                    let steps = f64::from(u16::from(it.byte(5)?) << 4 | u16::from(it.high(4)?));
                    let miles = if side & 1 != 0 { steps / 100.0 } else { steps / 10.0 };
                    let path = "navigation.courseRhumbline.nextPoint.distance";
                    sink.value(path, Value::Float(miles * MILE));
                }
            }
            // West above zero.
            0x99 => give("navigation.magneticVariation", radians(-f64::from(it.byte(2)?.cast_signed()))),
            0x9c => {
                give("navigation.headingMagnetic", radians(it.heading()?));
                give("steering.rudderAngle", radians(it.byte(3)?.cast_signed().into()));
            }
            _ => {}
        }
        Some(())
    }

    fn datetime(&self, sink: &mut dyn ValueSink) -> Option<()> {
        let ([year, month, day], millis) = (self.date?, self.millis_of_day?);
        let is_sound = (1..=12).contains(&month) && (1..=31).contains(&day) && millis < 86_400_000;
        let time = UnixMillis::from_civil(year, month, day, millis).text();
        is_sound.then(|| sink.value("navigation.datetime", Value::Text(&time)))
    }
}

/// What is mapped.
const COMMANDS: [u8; 21] = [
    0x00, 0x10, 0x11, 0x20, 0x21, 0x22, 0x25, 0x26, 0x27, 0x50, 0x51, 0x52, 0x53, 0x54, 0x56, 0x57, 0x82, 0x84, 0x85,
    0x99, 0x9c,
];
