//! Who on a bus sent an update, as numbers: the text of its `source` object is made where somebody reads it.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt::{self, Write};

use crate::json::decimal_digits;

/// How a `source` object begins that has no label.
const WITHOUT_LABEL: &str = "{\"label\":\"\",\"type\":\"NMEA2000\",\"pgn\":";
/// What stands behind the label, up to the PGN.
const OF_THE_BUS: &str = ",\"type\":\"NMEA2000\",\"pgn\":";

/// A label and what every `source` object of its input begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusLabel(Arc<str>);

impl BusLabel {
    /// Makes the beginning for a label.
    #[must_use]
    pub fn new(label: &str) -> Self {
        let mut start = String::from("{\"label\":");
        // Writing into a String cannot fail.
        let _ = crate::json::write_string(&mut start, label);
        start.push_str(OF_THE_BUS);
        Self(start.into())
    }
}

/// The `source` object of an NMEA 2000 message: `{"label","type":"NMEA2000","pgn","src","canName"?,"deviceInstance"?,
/// "instance"?}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusSource {
    /// The input's label; an empty one where there is none.
    pub label: Option<BusLabel>,
    /// Number of the message.
    pub pgn: u32,
    /// Address of the device.
    pub address: u8,
    /// Its NAME (ISO 11783-5), where it is known.
    pub name: Option<u64>,
    /// The device instance of that.
    pub device_instance: Option<u8>,
    /// Which of several things the values are of.
    pub instance: Option<BusInstance>,
}

/// Which of several things a device tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusInstance {
    /// This one.
    Number(u32),
    /// The message does not say, as the peer has it.
    Undefined,
}

impl BusSource {
    /// Writes the object; members that are not known are left out.
    ///
    /// # Errors
    /// What the sink returns.
    pub fn write(&self, out: &mut dyn Write) -> fmt::Result {
        // Only the label can need escapes: the others are digits, hexadecimal or a word.
        out.write_str(self.label.as_ref().map_or(WITHOUT_LABEL, |label| &label.0))?;
        let digits =
            |number: u32, out: &mut dyn Write| out.write_str(decimal_digits(number.into(), &mut itoa::Buffer::new()));
        digits(self.pgn, out)?;
        out.write_str(",\"src\":\"")?;
        digits(self.address.into(), out)?;
        if let Some(name) = self.name {
            out.write_str("\",\"canName\":\"")?;
            out.write_str(&hexadecimal(name))?;
        }
        // Whether the text that a member ends with is still open.
        let mut open = true;
        if let Some(instance) = self.device_instance {
            out.write_str("\",\"deviceInstance\":")?;
            digits(instance.into(), out)?;
            open = false;
        }
        if let Some(instance) = self.instance {
            out.write_str(if open { "\",\"instance\":\"" } else { ",\"instance\":\"" })?;
            match instance {
                BusInstance::Number(number) => digits(number, out)?,
                BusInstance::Undefined => out.write_str("undefined")?,
            }
            open = true;
        }
        out.write_str(if open { "\"}" } else { "}" })
    }
}

/// Returns a NAME as the peer writes it: hexadecimal, lower case, no zeros in front.
#[must_use]
pub fn hexadecimal(number: u64) -> heapless::String<20> {
    let mut digits = [b'0'; 16];
    let mut rest = number;
    let mut first = digits.len();
    for (at, digit) in digits.iter_mut().enumerate().rev() {
        let nibble = rest.to_le_bytes()[0] & 0xf;
        *digit = if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble };
        first = at;
        rest >>= 4;
        if rest == 0 {
            break;
        }
    }
    // ASCII, and 16 bytes fit.
    let text = digits.get(first..).and_then(|digits| core::str::from_utf8(digits).ok());
    heapless::String::try_from(text.unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_without_formatting() {
        for number in [0, 0xf, 0x10, 0xc078_9c00_e7e0_4c73, u64::MAX] {
            assert_eq!(hexadecimal(number).as_str(), std::format!("{number:x}"));
        }
    }

    #[test]
    fn a_source_is_an_object_of_what_is_known() {
        for label in [None, Some(BusLabel::new("a\"b"))] {
            for known in 0..8 {
                let has = |part: u8| known & part != 0;
                let source = BusSource {
                    label: label.clone(),
                    pgn: 130_312,
                    address: 7,
                    name: has(1).then_some(0xc0ff_ee00_0000_0001),
                    device_instance: has(2).then_some(3),
                    instance: has(4).then_some(BusInstance::Undefined),
                };
                let mut text = String::new();
                source.write(&mut text).unwrap();
                let read: serde_json::Value = serde_json::from_str(&text).unwrap();
                assert_eq!(read["label"], if label.is_some() { "a\"b" } else { "" }, "{text}");
                assert_eq!((read["pgn"].as_u64(), read["src"].as_str()), (Some(130_312), Some("7")), "{text}");
                assert_eq!(read.get("canName").is_some(), has(1), "{text}");
                assert_eq!(read.get("deviceInstance").is_some(), has(2), "{text}");
                assert_eq!(read.get("instance").is_some(), has(4), "{text}");
            }
        }
    }
}
