//! Sentences of the own vessel, in the order of fields of NMEA 0183 version 2.3.

use super::kind::{KINDS, Kind};
use super::line::{Line, Talker, Writer, degrees};
use super::values::{Look, Slot};
use crate::time::UnixMillis;

/// Metres per second to knots and to kilometres per hour.
const KNOTS: f64 = 3600.0 / 1852.0;
const KILOMETRES_PER_HOUR: f64 = 3.6;
/// Metres of a foot, a fathom, a nautical mile.
const FOOT: f64 = 0.3048;
const FATHOM: f64 = 6.0 * FOOT;
const MILE: f64 = 1852.0;
/// Pascals of a bar, kelvin at 0 °C.
const BAR: f64 = 1e5;
const CELSIUS_ZERO: f64 = 273.15;

/// Cross track error, bearings of the leg and to the waypoint, true and magnetic: from whoever leads the boat.
const LEADS: [[Slot; 4]; 3] = [
    [Slot::CourseError, Slot::CourseTrack, Slot::CourseBearing, Slot::CourseBearingMagnetic],
    [Slot::CircleError, Slot::CircleTrack, Slot::CircleBearing, Slot::CircleBearingMagnetic],
    [Slot::LineError, Slot::LineTrack, Slot::LineBearing, Slot::LineBearingMagnetic],
];

/// Makes a sentence; `None` where what it needs is missing or too old.
pub(super) fn sentence(kind: Kind, talker: Talker, look: Look<'_>) -> Option<Line> {
    let (_, _, name, _) = KINDS.get(kind as usize)?;
    let mut line = Writer::new('$', talker, name);
    match kind {
        Kind::Rmc => {
            let position = look.position()?;
            let time = look.fix_time();
            line.time_of_day(time).field("A").position(position);
            line.number(look.of(Slot::SpeedOverGround).map(|speed| speed * KNOTS), 2);
            line.direction(look.of(Slot::CourseTrue));
            let date = time.map(UnixMillis::text);
            let part = |from: usize| date.as_ref().and_then(|date| date.get(from..from + 2)).unwrap_or_default();
            line.field(format_args!("{}{}{}", part(8), part(5), part(2)));
            line.east_or_west(look.of(Slot::Variation)).field(mode(look));
        }
        Kind::Gga => {
            let position = look.position()?;
            line.time_of_day(look.fix_time()).position(position);
            // Whoever tells a position has a fix.
            line.number(Some(look.of(Slot::Quality).unwrap_or(1.0)), 0);
            match look.of(Slot::Satellites).filter(|count| (0.0..100.0).contains(count)) {
                Some(count) => line.field(format_args!("{count:02.0}")),
                None => line.field(""),
            };
            line.number(look.of(Slot::HorizontalDilution), 1);
            line.number(look.of(Slot::AntennaAltitude), 1).field("M");
            line.number(look.of(Slot::GeoidalSeparation), 1).field("M");
            line.number(look.of(Slot::DifferentialAge), 0);
            match look.of(Slot::DifferentialReference).filter(|station| (0.0..10_000.0).contains(station)) {
                Some(station) => line.field(format_args!("{station:04.0}")),
                None => line.field(""),
            };
        }
        Kind::Gll => {
            line.position(look.position()?).time_of_day(look.fix_time()).field("A").field(mode(look));
        }
        Kind::Vtg => {
            let speed = look.of(Slot::SpeedOverGround)?;
            let of_true = look.of(Slot::CourseTrue);
            let variation = look.of(Slot::Variation);
            let magnetic = look.of(Slot::CourseMagnetic).or(of_true.zip(variation).map(|(course, it)| course - it));
            line.direction(of_true).field("T").direction(magnetic).field("M");
            line.number(Some(speed * KNOTS), 2).field("N");
            line.number(Some(speed * KILOMETRES_PER_HOUR), 2).field("K").field(mode(look));
        }
        Kind::Hdg => {
            let magnetic = look.of(Slot::HeadingMagnetic)?;
            // What the sensor shows, where its deviation is known.
            let sensor = look.of(Slot::HeadingCompass).zip(look.of(Slot::Deviation));
            line.direction(Some(sensor.map_or(magnetic, |(compass, _)| compass)));
            line.east_or_west(sensor.map(|(_, deviation)| deviation)).east_or_west(look.of(Slot::Variation));
        }
        Kind::Hdt => {
            line.direction(Some(heading_true(look)?)).field("T");
        }
        Kind::Hdm => {
            line.direction(Some(heading_magnetic(look)?)).field("M");
        }
        Kind::MwvR | Kind::MwvT => {
            let (angle, speed, letter) = match kind {
                Kind::MwvR => (Slot::AngleApparent, Slot::SpeedApparent, "R"),
                _ => (Slot::AngleTrueWater, Slot::SpeedTrue, "T"),
            };
            let (angle, speed) = (look.of(angle)?, look.of(speed)?);
            line.direction(Some(angle)).field(letter).number(Some(speed), 2).field("M").field("A");
        }
        Kind::Vhw => {
            let speed = look.of(Slot::SpeedThroughWater)?;
            line.direction(heading_true(look)).field("T").direction(heading_magnetic(look)).field("M");
            line.number(Some(speed * KNOTS), 2).field("N").number(Some(speed * KILOMETRES_PER_HOUR), 2).field("K");
        }
        Kind::Dbt => {
            let depth = look.of(Slot::BelowTransducer)?;
            line.number(Some(depth / FOOT), 1).field("f").number(Some(depth), 2).field("M");
            line.number(Some(depth / FATHOM), 1).field("F");
        }
        Kind::Dpt => {
            let depth = look.of(Slot::BelowTransducer)?;
            // Below zero from the keel, above zero from the surface.
            let keel = look.of(Slot::TransducerToKeel).map(|below| -libm::fabs(below));
            let offset = keel.or_else(|| look.of(Slot::SurfaceToTransducer).map(libm::fabs));
            line.number(Some(depth), 2).number(offset, 3);
        }
        Kind::Mtw => {
            line.number(Some(look.of(Slot::WaterTemperature)? - CELSIUS_ZERO), 2).field("C");
        }
        Kind::XdrBaro => {
            line.field("P").number(Some(look.of(Slot::Pressure)? / BAR), 5).field("B").field("Barometer");
        }
        Kind::XdrTemp => {
            let celsius = look.of(Slot::OutsideTemperature)? - CELSIUS_ZERO;
            line.field("C").number(Some(celsius), 2).field("C").field("TempAir");
        }
        Kind::XdrNa => {
            for (slot, name) in [(Slot::Pitch, "PTCH"), (Slot::Roll, "ROLL")] {
                line.field("A").number(Some(degrees(look.of(slot)?)), 1).field("D").field(name);
            }
        }
        Kind::Rot => {
            line.number(Some(degrees(look.of(Slot::RateOfTurn)?) * 60.0), 2).field("A");
        }
        Kind::Rsa => {
            line.number(Some(degrees(look.of(Slot::RudderAngle)?)), 2).field("A").field("").field("");
        }
        Kind::Apb => {
            let [error, track, of_true, magnetic] =
                LEADS.iter().map(|lead| lead.map(|slot| look.of(slot))).find(|[error, track, bearing, magnetic]| {
                    error.is_some() && track.is_some() && (bearing.is_some() || magnetic.is_some())
                })?;
            line.field("A").field("A");
            off_track(&mut line, error?);
            // Of the course alone: what has raised no alarm has not arrived.
            let stands = |slot| if look.of(slot).is_some_and(|stands| stands > 0.0) { "A" } else { "V" };
            line.field(stands(Slot::ArrivalCircle))
                .field(stands(Slot::Perpendicular))
                .direction(track)
                .field("T")
                .field("");
            let letter = |is_true: bool| if is_true { "T" } else { "M" };
            line.direction(of_true.or(magnetic)).field(letter(of_true.is_some()));
            // The peer steers by the magnetic one.
            line.direction(magnetic.or(of_true)).field(letter(magnetic.is_none()));
        }
        Kind::Xte => {
            let error = LEADS.iter().find_map(|[error, ..]| look.of(*error))?;
            line.field("A").field("A");
            off_track(&mut line, error);
            line.field(mode(look));
        }
        Kind::Zda => {
            let time = look.datetime()?;
            let text = time.text();
            let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
            line.time_of_day(Some(time)).field(part(8, 10)).field(part(5, 7)).field(part(0, 4));
            line.field("00").field("00");
        }
        Kind::Vdm | Kind::Vdo => return None,
    }
    line.finish()
}

/// Distance off the track in miles, and the side to steer to: left where the boat is right of it.
fn off_track(line: &mut Writer, error: f64) {
    line.number(Some(libm::fabs(error) / MILE), 3).field(if error < 0.0 { "R" } else { "L" }).field("N");
}

fn heading_true(look: Look<'_>) -> Option<f64> {
    let sum = || Some(look.of(Slot::HeadingMagnetic)? + look.of(Slot::Variation)?);
    look.of(Slot::HeadingTrue).or_else(sum)
}

fn heading_magnetic(look: Look<'_>) -> Option<f64> {
    let difference = || Some(look.of(Slot::HeadingTrue)? - look.of(Slot::Variation)?);
    look.of(Slot::HeadingMagnetic).or_else(difference)
}

/// Letter of how the position was found (version 2.3), by the quality of GGA.
fn mode(look: Look<'_>) -> &'static str {
    match look.of(Slot::Quality).map(|quality| quality as u8) {
        Some(2) => "D",
        Some(6) => "E",
        Some(7) => "M",
        Some(8) => "S",
        _ => "A",
    }
}
