//! Sentences that makers have of their own: NKE's targets, CruzPro's engine gauges.

use super::fields::{Reading, Unit, radians, rounded};
use super::instruments::give;
use super::sentence::Fields;
use crate::delta::ValueSink;

/// `PNKEP`, by number: target speed in knots and kilometres per hour; course on the next tack; best wind angle.
pub(super) fn pnkep(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    let angle = || fields.read(1, Unit::Same).map(|degrees| radians(degrees.max(0.0)));
    match fields.text(0) {
        "01" => {
            let speed = fields.read(1, Unit::Knots).or(|| fields.read(3, Unit::KilometresPerHour));
            give(sink, "performance.targetSpeed", speed);
        }
        "02" => give(sink, "performance.tackMagnetic", angle()),
        "03" => give(sink, "performance.targetAngle", angle()),
        _ => {}
    }
}

/// Pascals of a pound per square inch.
const POUND_PER_SQUARE_INCH: f64 = 6894.757;

/// `PBVE`, by the first letter: revolutions and hours of an engine, oil pressure, coolant temperature. Each letter is
/// four bits, `A` to `P`, in no order of weight.
pub(super) fn pbve(fields: &Fields<'_>, sink: &mut dyn ValueSink) {
    let data = fields.text(0).as_bytes();
    let letter = |index: usize| data.get(index).and_then(|letter| letter.checked_sub(b'A')).filter(|bits| *bits < 16);
    let digits = |from: usize, weights: &[f64]| {
        let part = |(index, weight): (usize, &f64)| Some(f64::from(letter(from.checked_add(index)?)?) * weight);
        weights.iter().enumerate().map(part).sum::<Option<f64>>()
    };
    let number = |from: usize| digits(from, &[16.0, 1.0, 4096.0, 256.0]);
    // The gauge shows units of the United States.
    let is_american = data.get(15..17) == Some(b"AA");
    let value = |path: &'static str, value: Option<f64>, sink: &mut dyn ValueSink| {
        give(sink, path, value.map_or(Reading::Bad, Reading::Value));
    };
    match data.first() {
        Some(b'B') => {
            value("propulsion.0.revolutions", number(42).map(|per_minute| per_minute / 60.0), sink);
            let seconds =
                number(30).zip(digits(28, &[16.0, 1.0])).map(|(hours, minutes)| hours * 3600.0 + minutes * 60.0);
            value("propulsion.0.runTime", seconds, sink);
        }
        Some(b'D') => {
            let unit = if is_american { POUND_PER_SQUARE_INCH } else { 1e5 };
            value("propulsion.0.oilPressure", number(28).map(|pressure| pressure * unit), sink);
        }
        Some(b'E') => {
            let celsius = |degrees: f64| if is_american { (degrees - 32.0) * 5.0 / 9.0 } else { degrees };
            value(
                "propulsion.0.coolantTemperature",
                number(28).map(celsius).map(|degrees| rounded(degrees + 273.15, 1e6)),
                sink,
            );
        }
        _ => {}
    }
}
