//! Output rows, published after every call that ended well.

use alloc::string::String;
#[cfg(any(test, feature = "trace"))]
use alloc::vec::Vec;

use skiff_abi::Capability;
use skiff_abi::values::{
    BOOLEAN, DECIMALS_MAX, JSON, NOTIFICATION, NOTIFICATION_STATE_BITS, NOTIFICATION_STATES, NULL, NUMBER, ROW_BYTES,
    SOUND, TEXT, VISUAL, output,
};

use super::{Values, word};
use crate::delta::{DELTA_BYTES_MAX, ValueSink};
use crate::host::Services;
use crate::host::engine::{GuestSlice, Linear, Reach};
use crate::host::instance::Instance;
use crate::json::{self, Decimal, Value};

/// Integers up to here are exact in a double.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// What of a publication was refused.
#[derive(Default)]
struct Refused {
    /// Rows.
    count: u64,
    /// The last one, and what is wrong with it.
    row: u32,
    reason: &'static str,
}

impl Refused {
    fn add(&mut self, row: u32, reason: &'static str) {
        *self = Self { count: self.count.saturating_add(1), row, reason };
    }
}

impl Instance {
    /// Publishes the rows that the call changed, before the guest's memory for texts is given back.
    pub(in crate::host) fn publish(&mut self, services: &mut dyn Services) {
        let Some(mut values) = self.values.take() else { return };
        let bytes = values.know_outputs(self.linear());
        if let Some(bytes) = bytes.filter(|_| self.guest.state().capabilities.allows(Capability::DataWrite, false)) {
            let mut refused = Refused::default();
            if bytes > DELTA_BYTES_MAX {
                refused.add(0, "more at once than a delta takes");
            } else {
                services.publish(bytes, &mut |sink| values.give(self.linear(), sink, &mut refused));
            }
            if refused.count > 0 {
                let index = refused.row.wrapping_sub(values.output_rows) / ROW_BYTES;
                let path = values.outputs.get(index as usize).map_or("", |output| &output.path.text);
                services.refuse(refused.count, &["output ", path, ": ", refused.reason].concat());
            }
        }
        self.values = Some(values);
    }

    /// Returns the outputs of a guest that takes values, as it names them, each with the kind that its row has now.
    #[cfg(any(test, feature = "trace"))]
    #[must_use]
    pub fn outputs(&self) -> Vec<(String, u8)> {
        let Some(values) = self.values() else { return Vec::new() };
        let rows = (0..).map(|index| values.output_rows.wrapping_add(ROW_BYTES.wrapping_mul(index)));
        let outputs = values.outputs.iter().zip(rows);
        outputs.map(|(output, row)| (String::from(&*output.path.text), kind(self.linear(), row).0)).collect()
    }

    /// Takes the counters as known: what a call changed that did not end well is not published.
    pub(in crate::host) fn pass_over_outputs(&mut self) {
        if let Some(mut values) = self.values.take() {
            values.know_outputs(self.linear());
            self.values = Some(values);
        }
    }
}

impl Values {
    /// Notes which counters have changed; `None` when none has, else the bytes that are said together.
    pub(super) fn know_outputs(&mut self, memory: Linear<'_>) -> Option<usize> {
        let (mut row, mut bytes) = (self.output_rows, None);
        for output in &mut self.outputs {
            let counter = word(memory, row, output::COUNTER);
            output.is_changed = counter != output.counter;
            output.counter = counter;
            if output.is_changed {
                let has_text = matches!(kind(memory, row).0, TEXT | JSON | NOTIFICATION);
                let text = if has_text { word(memory, row, output::TEXT_BYTES) } else { 0 };
                let said = output.path.text.len().saturating_add(usize::try_from(text).unwrap_or(usize::MAX));
                bytes = Some(bytes.unwrap_or(0_usize).saturating_add(said));
            }
            row = row.wrapping_add(ROW_BYTES);
        }
        bytes
    }

    /// Gives the changed values to `sink`: rows of members of one path as one object.
    fn give(&mut self, memory: Linear<'_>, sink: &mut dyn ValueSink, refused: &mut Refused) {
        let mut row = self.output_rows;
        let mut rest = self.outputs.as_mut_slice();
        while let Some((output, behind)) = rest.split_first_mut() {
            if core::mem::take(&mut output.is_changed) {
                let path = output.path.path();
                if !output.is_allowed {
                    refused.add(row, "a path that Signal K does not allow");
                } else if let Some(member) = output.path.member() {
                    let mut object = String::from("{");
                    write_member(memory, row, member, &mut object, refused);
                    for (other, at) in behind.iter_mut().zip(1..) {
                        if let Some(member) =
                            other.path.member().filter(|_| other.is_changed && other.path.path() == path)
                        {
                            write_member(
                                memory,
                                row.wrapping_add(ROW_BYTES.wrapping_mul(at)),
                                member,
                                &mut object,
                                refused,
                            );
                            other.is_changed = false;
                        }
                    }
                    object.push('}');
                    if object.len() > 2 {
                        sink.value(path, Value::Json(&object));
                    }
                } else if let Err(reason) = give_value(memory, row, &mut |value| sink.value(path, value)) {
                    refused.add(row, reason);
                }
            }
            row = row.wrapping_add(ROW_BYTES);
            rest = behind;
        }
    }
}

/// Adds a row as a member of the object that is open.
fn write_member(memory: Linear<'_>, row: u32, member: &str, object: &mut String, refused: &mut Refused) {
    let given = give_value(memory, row, &mut |value| {
        if object.len() > 1 {
            object.push(',');
        }
        // Writing into a String cannot fail.
        let _ = json::write_string(object, member);
        object.push(':');
        let _ = value.write(object);
    });
    if let Err(reason) = given {
        refused.add(row, reason);
    }
}

/// Returns kind and state of a row.
fn kind(memory: Linear<'_>, row: u32) -> (u8, u8) {
    let [_, _, kind, state] = word(memory, row, output::PATH_BYTES).to_le_bytes();
    (kind, state)
}

/// Gives the value of a row, or says what is wrong with it.
fn give_value(memory: Linear<'_>, row: u32, give: &mut dyn FnMut(Value<'_>)) -> Result<(), &'static str> {
    let word = |offset| word(memory, row, offset);
    let number = f64::from_bits(u64::from(word(output::NUMBER)) | u64::from(word(output::NUMBER + 4)) << u32::BITS);
    let (kind, state) = kind(memory, row);
    let bytes = match kind {
        TEXT | JSON | NOTIFICATION => {
            memory.bytes(GuestSlice { ptr: word(output::TEXT), len: word(output::TEXT_BYTES) })
        }
        _ => None,
    };
    let text = bytes.as_deref().and_then(|bytes| core::str::from_utf8(bytes).ok());
    match (kind, text) {
        (NUMBER, _) if number.is_finite() => give(rounded(number, word(output::DECIMALS))?),
        (BOOLEAN, _) if number == 0.0 || number == 1.0 => give(Value::Bool(number == 1.0)),
        (NUMBER | BOOLEAN, _) => return Err("a number that its kind does not have"),
        (NULL, _) => give(Value::Null),
        (TEXT | JSON | NOTIFICATION, None) => return Err("its text leaves the memory or is no UTF-8"),
        (TEXT, Some(text)) => give(Value::Text(text)),
        (JSON, Some(text)) => match json::compact(text) {
            Ok(json) => give(Value::Json(&json)),
            Err(_) => return Err("its text is no JSON"),
        },
        (NOTIFICATION, Some(text)) => {
            let name = NOTIFICATION_STATES.get(usize::from(state & NOTIFICATION_STATE_BITS));
            let name = name.filter(|_| state & !(NOTIFICATION_STATE_BITS | VISUAL | SOUND) == 0);
            let Some(name) = name else { return Err("a state that is not known") };
            let methods = [Value::Text("visual"), Value::Text("sound")];
            let (from, to) = (usize::from(state & VISUAL == 0), 1 + usize::from(state & SOUND != 0));
            give(Value::Object(&[
                ("state", Value::Text(name)),
                ("method", Value::List(methods.get(from..to).unwrap_or_default())),
                ("message", Value::Text(text)),
            ]));
        }
        _ => return Err("a kind that is not known"),
    }
    Ok(())
}

/// Returns a number as it is published: its shortest text, or rounded to `decimals` - 1 places. The rounding is that of
/// `number * 10^places` in doubles, half away from zero, so that guests can do the same; where the integer would not be
/// exact, the number is left as it is.
fn rounded(number: f64, decimals: u32) -> Result<Value<'static>, &'static str> {
    let Some(places) = decimals.checked_sub(1) else { return Ok(Value::Float(number)) };
    let exponent = i8::try_from(places).ok().filter(|places| *places <= DECIMALS_MAX.cast_signed());
    let Some(exponent) = exponent else { return Err("more decimals than there are") };
    let mut scale = 1.0;
    for _ in 0..exponent {
        scale *= 10.0;
    }
    let scaled = number * scale;
    if scaled.abs() >= EXACT_MAX {
        return Ok(Value::Float(number));
    }
    #[expect(clippy::cast_possible_truncation, reason = "within 53 bits; the fraction is cut off on purpose")]
    let mantissa = (scaled + 0.5_f64.copysign(scaled)) as i64;
    Ok(Value::Number(Decimal::new(mantissa, -exponent)))
}
