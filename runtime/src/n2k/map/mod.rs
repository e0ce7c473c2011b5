//! PGN to Signal K paths and values.
//!
//! The rules are those of the npm package @signalk/n2k-signalk 4.6.0; where that is at fault the sane
//! value is given, and `docs/n2k-differences.md` lists each case. Values go straight from the payload
//! into the sink, nothing is allocated on the way.

mod electrical;
mod engine;
mod environment;
mod navigation;
mod tanks;

use super::decode::{Decoded, Lookup};
use super::id::Pgn;
use super::tables::Field;
use crate::delta::{Value, ValueSink};
use crate::json::Decimal;

/// Bytes of the longest path or text that is put together; the longest notification message has 56.
const TEXT_BYTES_MAX: usize = 96;
/// A path or text put together from parts.
type Text = heapless::String<TEXT_BYTES_MAX>;
/// A small number as text.
pub(super) type Digits = heapless::String<20>;

/// Gives the values of one payload to a sink.
type Rule = fn(&Decoded<'_>, &mut dyn ValueSink);

/// Returns the rule of a PGN that has one.
fn rule(pgn: Pgn) -> Option<Rule> {
    Some(match pgn.0 {
        127_245 => navigation::rudder,
        127_250 => navigation::heading,
        127_251 => navigation::rate_of_turn,
        127_257 => navigation::attitude,
        127_488 => engine::rapid,
        127_489 => engine::dynamic,
        127_505 => tanks::level,
        127_508 => electrical::battery,
        128_259 => navigation::speed,
        128_267 => environment::depth,
        129_025 => navigation::position,
        129_026 => navigation::course,
        129_029 => navigation::gnss,
        130_306 => environment::wind,
        130_310 => environment::outside,
        130_311 => environment::climate,
        130_312 => environment::temperature,
        _ => return None,
    })
}

/// Tells whether a PGN has paths in Signal K.
#[must_use]
pub fn is_mapped(pgn: Pgn) -> bool {
    rule(pgn).is_some()
}

/// Gives every value of one payload to `sink`.
pub fn values(pgn: Pgn, decoded: &Decoded<'_>, sink: &mut dyn ValueSink) {
    if let Some(rule) = rule(pgn) {
        rule(decoded, sink);
    }
}

/// Returns `source.instance` of a delta: PGNs that carry one single reading name its instance.
#[must_use]
pub fn source_instance(pgn: Pgn, decoded: &Decoded) -> Option<i64> {
    decoded.raw(Field::Instance).filter(|_| pgn.0 == 130_312)
}

/// Gives `field` to `sink` when it is there.
fn copy(decoded: &Decoded, field: Field, path: &str, sink: &mut dyn ValueSink) {
    if let Some(value) = decoded.number(field) {
        sink.value(path, Value::Number(value));
    }
}

/// Gives `field` to `sink` when it is there and not zero, which devices send for "no sensor".
fn copy_unless_zero(decoded: &Decoded, field: Field, path: &str, sink: &mut dyn ValueSink) {
    if decoded.raw(field) != Some(0) {
        copy(decoded, field, path, sink);
    }
}

/// Gives a field in percent as a ratio when it is there.
fn copy_percent(decoded: &Decoded, field: Field, path: &str, sink: &mut dyn ValueSink) {
    if let Some(value) = decoded.number(field) {
        sink.value(path, Value::Number(shifted(value, -2)));
    }
}

/// Gives the text of a code when it is there, or the code where it has none; `renamed` maps texts.
fn copy_text(decoded: &Decoded, field: Field, path: &str, renamed: &[(&str, &str)], sink: &mut dyn ValueSink) {
    match decoded.lookup(field) {
        Some(Lookup::Text(text)) => {
            let text = renamed.iter().find(|(from, _)| *from == text).map_or(text, |(_, to)| *to);
            sink.value(path, Value::Text(text));
        }
        Some(Lookup::Code(code)) => sink.value(path, Value::Number(Decimal::new(code, 0))),
        None => {}
    }
}

/// Returns `value` × 10^`power`.
fn shifted(value: Decimal, power: i8) -> Decimal {
    Decimal::new(value.mantissa, value.exponent.saturating_add(power))
}

/// Returns the exact sum; `None` when it does not fit.
fn sum(left: Decimal, right: Decimal) -> Option<Decimal> {
    let exponent = left.exponent.min(right.exponent);
    let aligned = |value: Decimal| {
        let scale = 10_i64.checked_pow(u32::from(value.exponent.abs_diff(exponent)))?;
        value.mantissa.checked_mul(scale)
    };
    Some(Decimal::new(aligned(left)?.checked_add(aligned(right)?)?, exponent))
}

/// Joins parts; what is longer than [`TEXT_BYTES_MAX`] is cut, which no caller's parts are.
fn join(parts: &[&str]) -> Text {
    let mut text = Text::new();
    for part in parts {
        let _ = text.push_str(part);
    }
    text
}

/// Writes a number that is not negative.
pub(super) fn digits(number: i64) -> Digits {
    let mut reversed = [0_u8; 20];
    let mut rest = number.unsigned_abs();
    let mut count = 0;
    for slot in &mut reversed {
        *slot = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        count += 1;
        if rest == 0 {
            break;
        }
    }
    let mut text = Digits::new();
    for digit in reversed.iter().take(count).rev() {
        let _ = text.push(char::from(*digit));
    }
    text
}

#[cfg(test)]
mod tests;
