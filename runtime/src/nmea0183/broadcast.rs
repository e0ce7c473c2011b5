//! What AIS stations broadcast in forms of an area (message 8): weather and water everywhere (area 1, function 31, IMO
//! SN.1/Circ.289; before it function 11) and of the United States (area 367, function 33), ships of inland waterways (area
//! 200, function 10).

use core::fmt::Write;

use super::fields::{kelvin, knots, radians, rounded};
use super::target::{Context, mmsi_context, name, place};
use aivdm::message::BinaryBroadcastMessage;

use crate::delta::{Value, ValueSink};
use crate::json::Decimal;
use crate::time::UnixMillis;

/// The bits of a message behind area and function.
struct Bits<'m>(&'m [u8]);

impl Bits<'_> {
    /// Returns a number of at most 28 bits; `None` beyond the message.
    fn unsigned(&self, from: u16, width: u16) -> Option<i32> {
        let mut number = 0_i32;
        for bit in from..from.checked_add(width)? {
            let byte = self.0.get(usize::from(bit / 8))?;
            number = number << 1 | i32::from(byte >> (7 - bit % 8) & 1);
        }
        Some(number)
    }

    fn signed(&self, from: u16, width: u16) -> Option<i32> {
        let spare = 32_u32.checked_sub(width.into())?;
        self.unsigned(from, width)?.checked_shl(spare)?.checked_shr(spare)
    }
}

/// How a number is meant.
#[derive(Clone, Copy)]
enum Kind {
    Knots,
    TenthKnots,
    Degrees,
    /// Tenths of a degree Celsius, the lowest below zero; the older function counts from there.
    Celsius(i32),
    Percent,
    /// Hectopascals, from this number.
    Pressure,
    /// Tenths of what Signal K has.
    Tenths,
    /// Hundredths of a metre, from -10 m.
    Level,
    TenthPercent,
    Same,
}

/// One number of a message.
struct Row {
    /// Below `environment.`
    path: &'static str,
    /// First bit in function 31 and in function 11, behind area and function.
    from: [u16; 2],
    width: u16,
    /// The greatest that is a number, the others say that there is none.
    max: i32,
    kind: Kind,
}

const fn row(path: &'static str, from: [u16; 2], width: u16, max: i32, kind: Kind) -> Row {
    Row { path, from, width, max, kind }
}

impl Row {
    /// Reads the number in one of the two forms; `None` where there is none.
    fn number(&self, bits: &Bits<'_>, form: usize) -> Option<i32> {
        let (from, is_old) = (*self.from.get(form)?, form == 1);
        let (number, lowest, max) = match self.kind {
            Kind::Celsius(lowest) if is_old => (bits.unsigned(from, self.width)? - lowest, -lowest, self.max),
            Kind::Celsius(lowest) => (bits.signed(from, self.width)?, -lowest, self.max),
            // The older function has three bits less of it, in steps of 10 cm.
            Kind::Level if is_old => (bits.unsigned(from, self.width.saturating_sub(3))?, 0, 400),
            _ => (bits.unsigned(from, self.width)?, 0, self.max),
        };
        (lowest..=max).contains(&number).then_some(number)
    }
}

impl Kind {
    /// Returns what a number means in the units of Signal K.
    fn value(self, number: i32, is_old: bool) -> f64 {
        let number = f64::from(number);
        match self {
            // To hundredths, as the peer has it.
            Self::Knots => rounded(knots(number), 100.0),
            Self::TenthKnots => rounded(knots(number / 10.0), 100.0),
            Self::Degrees => radians(number),
            Self::Celsius(_) => kelvin(number / 10.0),
            Self::Percent => number / 100.0,
            Self::Pressure => (number + if is_old { 800.0 } else { 799.0 }) * 100.0,
            Self::Tenths => number / 10.0,
            Self::Level => rounded(number / if is_old { 10.0 } else { 100.0 } - 10.0, 100.0),
            Self::TenthPercent => number / 1000.0,
            Self::Same => number,
        }
    }
}

const ROWS: [Row; 19] = [
    row("wind.averageSpeed", [66, 65], 7, 126, Kind::Knots),
    row("wind.gust", [73, 72], 7, 126, Kind::Knots),
    row("wind.directionTrue", [80, 79], 9, 359, Kind::Degrees),
    row("wind.gustDirectionTrue", [89, 88], 9, 359, Kind::Degrees),
    row("outside.temperature", [98, 97], 11, 600, Kind::Celsius(600)),
    row("outside.relativeHumidity", [109, 108], 7, 100, Kind::Percent),
    row("outside.dewPointTemperature", [116, 115], 10, 500, Kind::Celsius(200)),
    row("outside.pressure", [126, 125], 9, 400, Kind::Pressure),
    row("water.level", [145, 144], 12, 4000, Kind::Level),
    row("water.current.drift", [159, 155], 8, 251, Kind::TenthKnots),
    row("water.current.set", [167, 163], 9, 359, Kind::Degrees),
    row("water.waves.significantHeight", [220, 216], 8, 251, Kind::Tenths),
    row("water.waves.period", [228, 224], 6, 60, Kind::Same),
    row("water.waves.directionTrue", [234, 230], 9, 359, Kind::Degrees),
    row("water.swell.height", [243, 239], 8, 251, Kind::Tenths),
    row("water.swell.period", [251, 247], 6, 60, Kind::Same),
    row("water.swell.directionTrue", [257, 253], 9, 359, Kind::Degrees),
    row("water.temperature", [270, 266], 10, 500, Kind::Celsius(100)),
    row("water.salinity", [283, 279], 9, 501, Kind::TenthPercent),
];

/// A code of a message and its words.
type Code = (&'static str, [u16; 2], u16, &'static [&'static str]);

const TENDENCIES: &[&str] = &["steady", "decreasing", "increasing"];
const CODES: [Code; 5] = [
    ("outside.pressureTendency", [135, 134], 2, TENDENCIES),
    ("water.levelTendency", [157, 153], 2, TENDENCIES),
    (
        "water.seaState",
        [266, 262],
        4,
        &[
            "calm, 0-0.2 m/s",
            "light air, 0.3-1.5 m/s",
            "light breeze, 1.6-3.3 m/s",
            "gentle breeze, 3.4-5.4 m/s",
            "moderate breeze, 5.5-7.9 m/s",
            "fresh breeze, 8-10.7 m/s",
            "strong breeze, 10.8-13.8 m/s",
            "high wind, 13.9-17.1 m/s",
            "gale, 17.2-20.7 m/s",
            "strong gale, 20.8-24.4 m/s",
            "storm, 24.5-28.4 m/s",
            "violent storm, 28.5-32.6 m/s",
            "hurricane-force, \u{2265} 32.7 m/s",
        ],
    ),
    (
        "outside.precipitation",
        [280, 276],
        3,
        &["reserved", "rain", "thunderstorm", "freezing rain", "mixed/ice", "snow", "reserved"],
    ),
    ("water.ice", [292, 288], 2, &["no", "yes"]),
];

/// Returns the context of a message's sender; `None` for areas and functions that are not mapped.
pub(super) fn context(message: &BinaryBroadcastMessage) -> Option<Context> {
    let (mmsi, data) = (message.mmsi.raw(), message.data.bytes());
    // One sender speaks for many stations: they are told apart by the thousandths of their degrees, or by a number.
    match (message.dac, message.fi) {
        (1, 31 | 11) => {
            let mut context = mmsi_context("meteo", mmsi)?;
            context.push(':').ok()?;
            let (latitude, longitude) = position(message.fi, data)?;
            for degrees in [latitude, longitude] {
                write!(context, "{:03}", thousandths(degrees) % 1000).ok()?;
            }
            Some(context)
        }
        (367, 33) => {
            let mut context = mmsi_context("meteo", mmsi)?;
            write!(context, ":{}", Bits(data).unsigned(20, 7)?).ok()?;
            Some(context)
        }
        (200, 10) => mmsi_context("vessels", mmsi),
        _ => None,
    }
}

/// Returns an angle in thousandths of a degree, without its sign, as JavaScript's `toFixed` rounds it: the number itself, not
/// its product, and half a thousandth up. Floats in the formatting machinery are 15 KB on a chip.
fn thousandths(degrees: f64) -> u64 {
    let bits = degrees.abs().to_bits();
    let (exponent, fraction) = (bits >> (f64::MANTISSA_DIGITS - 1), bits & ((1 << (f64::MANTISSA_DIGITS - 1)) - 1));
    // IEEE 754: 1.fraction times a power of two; angles are below 2^10, and the smallest ones are none.
    let Some(shift) = 1075_u64.checked_sub(exponent).filter(|shift| (43..64).contains(shift)) else { return 0 };
    let product = (fraction | 1 << (f64::MANTISSA_DIGITS - 1)).saturating_mul(1000);
    (product >> shift).saturating_add(product >> (shift - 1) & 1)
}

/// Gives what a message of a mapped area and function says; `now` tells the year and the month.
pub(super) fn values(message: &BinaryBroadcastMessage, now: UnixMillis, sink: &mut dyn ValueSink) {
    let number = |number: i64| Value::Number(Decimal::new(number, 0));
    sink.value("sensors.ais.designatedAreaCode", number(message.dac.into()));
    sink.value("sensors.ais.functionalId", number(message.fi.into()));
    let data = message.data.bytes();
    match message.dac {
        367 => sites(data, now, sink),
        200 => inland(data, sink),
        _ => weather(message.fi, data, now, sink),
    }
}

/// Returns latitude and longitude in degrees of a message of area 1.
fn position(function: u8, data: &[u8]) -> Option<(f64, f64)> {
    let bits = Bits(data);
    // Function 31 has the longitude first.
    let (latitude, longitude) = if function == 31 { (25, 0) } else { (0, 24) };
    let thousandths = |from, width| bits.signed(from, width).map(|minutes| f64::from(minutes) / 60_000.0);
    Some((thousandths(latitude, 24)?, thousandths(longitude, 25)?))
}

/// Length, beam and draught of a ship on inland waterways.
fn inland(data: &[u8], sink: &mut dyn ValueSink) {
    let bits = Bits(data);
    let part = |from, width, exponent| {
        let number = bits.unsigned(from, width).filter(|number| *number > 0)?;
        Some(Value::Number(Decimal::new(number.into(), exponent)))
    };
    if let Some(length) = part(48, 13, -1) {
        sink.value("design.length", Value::Object(&[("overall", length)]));
    }
    if let Some(beam) = part(61, 10, -1) {
        sink.value("design.beam", beam);
    }
    if let Some(draught) = part(88, 11, -2) {
        sink.value("design.draft", Value::Object(&[("current", draught)]));
    }
}

/// Bits of a report of a site, of which a message has up to eight.
const REPORT_BITS: u16 = 112;
/// Letters of a site's name.
const SITE_LETTERS: u16 = 14;

/// Reports of a site: where it is, its name, wind, level, weather.
fn sites(data: &[u8], now: UnixMillis, sink: &mut dyn ValueSink) {
    let bits = Bits(data);
    let number = |from, width, max: i32| bits.unsigned(from, width).filter(|number| *number <= max);
    let mut give = |path: &str, number: Option<i32>, kind: Kind| {
        if let Some(number) = number {
            sink.value_below("environment.", path, Value::Float(kind.value(number, false)));
        }
    };
    let mut tendencies = heapless::Vec::<(&str, i32), 4>::new();
    let (mut place_of, mut name_of, mut visible) = (None, None, None);
    for at in (0..=8).map(|report| report * REPORT_BITS) {
        // What measures it: a sensor there, or one that is relayed.
        let is_measured = |from: u16| matches!(bits.unsigned(at + from, 3), Some(1 | 2));
        match bits.unsigned(at, 4).filter(|_| bits.unsigned(at + REPORT_BITS - 1, 1).is_some()) {
            Some(0) if bits.unsigned(at + 27, 6).is_some_and(|version| (1..=15).contains(&version)) => {
                let degrees = |from, width| bits.signed(at + from, width).map(|parts| f64::from(parts) / 600_000.0);
                place_of = degrees(61, 27).zip(degrees(33, 28));
            }
            Some(1) => {
                let letters = (0..SITE_LETTERS).map_while(|letter| bits.unsigned(at + 27 + letter * 6, 6));
                let letters = letters.filter_map(|six| u8::try_from(if six < 32 { six + 64 } else { six }).ok());
                name_of = Some(letters.map(char::from).collect::<heapless::String<16>>());
            }
            Some(2) => {
                give("wind.averageSpeed", number(at + 27, 7, 121), Kind::Knots);
                give("wind.gust", number(at + 34, 7, 121), Kind::Knots);
                give("wind.directionTrue", number(at + 41, 9, 359), Kind::Degrees);
                give("wind.gustDirectionTrue", number(at + 50, 9, 359), Kind::Degrees);
            }
            Some(3) if is_measured(50) => {
                let level = bits.signed(at + 27, 16).filter(|level| *level > i32::from(i16::MIN));
                give("water.level", level.map(|level| level + 1000), Kind::Level);
                // Here they count the other way.
                let tendency = number(at + 43, 2, 2).map(|tendency| ("water.levelTendency", (5 - tendency) % 3));
                let _ = tendency.map(|tendency| tendencies.push(tendency));
            }
            Some(9) => {
                let between = |from, width, lowest: i32, max: i32| {
                    bits.signed(at + from, width).filter(|number| (lowest..=max).contains(number))
                };
                if is_measured(38) {
                    give("outside.temperature", between(27, 11, -600, 600), Kind::Celsius(600));
                }
                if is_measured(61) {
                    visible = number(at + 43, 8, 241);
                    give("outside.dewPointTemperature", between(51, 10, -200, 500), Kind::Celsius(200));
                }
                if is_measured(75) {
                    give("outside.pressure", number(at + 64, 9, 400), Kind::Pressure);
                    let tendency = number(at + 73, 2, 2).map(|tendency| ("outside.pressureTendency", tendency));
                    let _ = tendency.map(|tendency| tendencies.push(tendency));
                }
                give("water.salinity", number(at + 78, 9, 501), Kind::TenthPercent);
            }
            _ => {}
        }
    }
    if let Some(position) = place_of {
        place(sink, position);
    }
    if let Some(text) = name_of {
        name(sink, &text);
    }
    if let Some(tenths) = visible {
        visibility(tenths, tenths == 241, sink);
    }
    for (path, tendency) in tendencies {
        coded(path, tendency, TENDENCIES, sink);
    }
    time(&bits, [4, 9, 14], now, sink);
}

/// Gives what a station tells; `now` tells the year and the month.
pub(super) fn weather(function: u8, data: &[u8], now: UnixMillis, sink: &mut dyn ValueSink) {
    let (bits, form) = (Bits(data), usize::from(function != 31));
    let is_old = form == 1;
    if let Some(position) = position(function, data) {
        place(sink, position);
    }
    for row in &ROWS {
        if let Some(number) = row.number(&bits, form) {
            sink.value_below("environment.", row.path, Value::Float(row.kind.value(number, is_old)));
        }
    }
    for (path, from, width, words) in &CODES {
        let Some(code) = bits.unsigned(from.get(form).copied().unwrap_or_default(), *width) else { continue };
        coded(path, code, words, sink);
    }
    // The newer function says when it is more than can be measured.
    if let Some(tenths) = bits.unsigned(138, 7).filter(|tenths| !is_old && *tenths < 127) {
        visibility(tenths, bits.unsigned(137, 1) == Some(1), sink);
    }
    time(&bits, if is_old { [49, 54, 59] } else { [50, 55, 60] }, now, sink);
}

/// Gives a code's word and, beside it, the code.
fn coded(path: &str, code: i32, words: &[&str], sink: &mut dyn ValueSink) {
    let Some(word) = usize::try_from(code).ok().and_then(|code| words.get(code)) else { return };
    let mut beside = heapless::String::<64>::new();
    // The longest path of the table fits.
    let _ = write!(beside, "environment.{path}Value");
    sink.value_below("environment.", path, Value::Text(word));
    sink.value(&beside, Value::Number(Decimal::new(code.into(), 0)));
}

/// Gives a visibility in tenths of a mile.
fn visibility(tenths: i32, is_over: bool, sink: &mut dyn ValueSink) {
    let path = "environment.outside.horizontalVisibility";
    sink.value(path, Value::Float(f64::from(tenths) * 185.2));
    sink.value_below(path, ".overRange", Value::Bool(is_over));
}

/// Day, hour and minute, in the month of `now`.
fn time(bits: &Bits<'_>, [day, hour, minute]: [u16; 3], now: UnixMillis, sink: &mut dyn ValueSink) {
    let number = |from, width, max: i32| bits.unsigned(from, width).filter(|number| *number <= max);
    let (Some(day), Some(hour), Some(minute)) = (number(day, 5, 31), number(hour, 5, 23), number(minute, 6, 59)) else {
        return;
    };
    let now = now.text();
    if let Some(month) = now.get(..8).filter(|_| day > 0) {
        let mut text = heapless::String::<32>::new();
        // 24 letters.
        let _ = write!(text, "{month}{day:02}T{hour:02}:{minute:02}:00.000Z");
        sink.value("environment.date", Value::Text(&text));
    }
}

#[cfg(test)]
mod tests {
    use super::thousandths;
    use std::format;

    #[test]
    fn thousandths_are_rounded_as_the_number_is() {
        for raw in (-10_800_000..=10_800_000).step_by(7).chain([0, 1, 29, 30, 31, 59_999, 60_000]) {
            let degrees = f64::from(raw) / 60_000.0;
            // Exact halves are rounded up there, and to even here.
            if (degrees * 16.0).fract() == 0.0 && (degrees * 1000.0).fract() != 0.0 {
                continue;
            }
            let wanted = format!("{:.3}", degrees.abs()).replace('.', "");
            assert_eq!(format!("{:04}", thousandths(degrees)), wanted, "{raw}");
        }
    }

    #[test]
    fn half_a_thousandth_is_rounded_up_and_what_is_no_angle_is_none() {
        assert_eq!((thousandths(0.0625), thousandths(-0.1875), thousandths(359.9995)), (63, 188, 360_000));
        for none in [0.0, f64::MIN_POSITIVE, 0.000_4, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(thousandths(none), 0, "{none}");
        }
    }
}
