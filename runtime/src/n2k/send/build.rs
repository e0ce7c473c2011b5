//! Values of Signal K to payloads, through the tables' encoder.

use core::f64::consts::{PI, TAU};

use super::paths::Subject;
use crate::json::Decimal;
use crate::n2k::encode::{EncodeError, Input, encode};
use crate::n2k::payload::Payload;
use crate::n2k::tables::Field;

/// Decimals that a value is rounded to before its field rounds it: more than any field of these PGNs has.
const DECIMALS: i8 = 9;
const DECIMAL_SCALE: f64 = 1e9;
/// Largest value that is written, far beyond any field's range and below what the decimals leave room for.
const VALUE_MAX: f64 = 9e9;

/// Where the transducer stands, m.
const SURFACE: u8 = 1;
const KEEL: u8 = 2;

/// A value as the encoder takes it; `None` where it is no number that could be in any range.
fn decimal(value: f64) -> Option<Decimal> {
    if !value.is_finite() || value.abs() > VALUE_MAX {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most 9e18")]
    let mantissa = libm::round(value * DECIMAL_SCALE) as i64;
    Some(Decimal::new(mantissa, -DECIMALS))
}

/// Turns an angle into 0 to 2 pi, without reaching the end.
fn full_turn(angle: f64) -> f64 {
    let turned = angle - TAU * libm::floor(angle / TAU);
    // Rounded to the field's resolution the last step would be a whole turn.
    if turned >= TAU - 5e-5 { 0.0 } else { turned }
}

/// Turns an angle into -pi to pi.
fn half_turn(angle: f64) -> f64 {
    let turned = full_turn(angle);
    if turned > PI { turned - TAU } else { turned }
}

/// Builds the payload of a message of its parts; `None` when a main part is missing.
pub(super) fn payload(subject: Subject, part: impl Fn(u8) -> Option<f64>) -> Option<Result<Payload, EncodeError>> {
    let (pgn, _, _) = subject.schedule();
    let mut fields = heapless::Vec::<(Field, Input<'static>), 6>::new();
    let mut raw = |field, number: u8| {
        // There is room for the fields of each message.
        let _ = fields.push((field, Input::Raw(number.into())));
    };
    match subject {
        Subject::Wind(reference) => raw(Field::Reference, reference),
        Subject::Heading(reference) => raw(Field::Reference, reference),
        Subject::Battery(instance) => raw(Field::Instance, instance),
        Subject::Tank(fluid, instance) => {
            raw(Field::Instance, instance);
            raw(Field::Type, fluid);
        }
        Subject::Temperature(source, instance) | Subject::ExtendedTemperature(source, instance) => {
            raw(Field::Instance, instance);
            raw(Field::Source, source);
        }
        Subject::Switches(bank) => return Some(Ok(switches(bank, &part))),
        Subject::Depth | Subject::Position => {}
    }
    let values: [(Field, Option<f64>); 3] = match subject {
        Subject::Wind(_) => {
            let (speed, angle) = (part(0)?, part(1)?);
            [(Field::WindSpeed, Some(speed)), (Field::WindAngle, Some(full_turn(angle))), (Field::Sid, None)]
        }
        Subject::Depth => {
            let offset = part(SURFACE).filter(|above| *above > 0.0).or(part(KEEL).map(|below| -below));
            [(Field::Depth, Some(part(0)?)), (Field::Offset, offset), (Field::Sid, None)]
        }
        Subject::Position => {
            [(Field::Latitude, Some(part(0)?)), (Field::Longitude, Some(part(1)?)), (Field::Sid, None)]
        }
        Subject::Heading(_) => [
            (Field::Heading, Some(full_turn(part(0)?))),
            (Field::Deviation, part(1).map(half_turn)),
            (Field::Variation, part(2).map(half_turn)),
        ],
        Subject::Battery(_) => {
            let parts = [part(0), part(1), part(2)];
            if parts.iter().all(Option::is_none) {
                return None;
            }
            let [voltage, current, temperature] = parts;
            [(Field::Voltage, voltage), (Field::Current, current), (Field::Temperature, temperature)]
        }
        // Ratio to percent, cubic metres to litres.
        Subject::Tank(..) => [
            (Field::Level, Some(part(0)? * 100.0)),
            (Field::Capacity, part(1).map(|capacity| capacity * 1000.0)),
            (Field::Reserved, None),
        ],
        Subject::Temperature(..) => {
            [(Field::ActualTemperature, Some(part(0)?)), (Field::Sid, None), (Field::SetTemperature, None)]
        }
        Subject::ExtendedTemperature(..) => {
            [(Field::Temperature, Some(part(0)?)), (Field::Sid, None), (Field::SetTemperature, None)]
        }
        Subject::Switches(_) => return None,
    };
    for (field, value) in values {
        let Some(value) = value else { continue };
        let Some(number) = decimal(value) else { return Some(Err(EncodeError::OutOfRange(field))) };
        let _ = fields.push((field, Input::Number(number)));
    }
    Some(encode(pgn, &fields))
}

/// Two bits a switch: off, on, or "not available".
fn switches(bank: u8, part: &impl Fn(u8) -> Option<f64>) -> Payload {
    let mut bits = u64::MAX << 8 | u64::from(bank);
    for switch in 0..super::paths::PARTS_MAX {
        let Ok(number) = u8::try_from(switch) else { continue };
        if let Some(state) = part(number) {
            let at = 8 + 2 * u32::from(number);
            bits = bits & !(3 << at) | u64::from(state != 0.0) << at;
        }
    }
    // Eight bytes fit a payload.
    Payload::from_slice(&bits.to_le_bytes()).unwrap_or_default()
}
