//! Hexadecimal numbers and bytes, as every text format has them.

use super::LineError;
use crate::hal::CanFrame;
use crate::n2k::payload::Payload;

/// Bytes of one CAN frame.
pub(super) type Data = heapless::Vec<u8, 8>;

/// What takes bytes, up to a length of its own.
pub(super) trait Bytes {
    /// Takes one more, false when it does not fit.
    fn add(&mut self, byte: u8) -> bool;
}

impl Bytes for Data {
    fn add(&mut self, byte: u8) -> bool {
        self.push(byte).is_ok()
    }
}

impl Bytes for Payload {
    fn add(&mut self, byte: u8) -> bool {
        self.push(byte).is_ok()
    }
}

/// Reads the bytes of `text`, two digits each, and adds them to `data`.
///
/// # Errors
/// [`LineError::Data`] when they are not or do not fit.
pub(super) fn bytes(text: &str, data: &mut impl Bytes) -> Result<(), LineError> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return Err(LineError::Data);
    }
    for [high, low] in pairs {
        let byte = nibble(*high).zip(nibble(*low)).map(|(high, low)| high << 4 | low);
        if !byte.is_some_and(|byte| data.add(byte)) {
            return Err(LineError::Data);
        }
    }
    Ok(())
}

/// Reads one byte of one or two digits and adds it to `data`.
///
/// # Errors
/// [`LineError::Data`] when it is none or does not fit.
pub(super) fn byte(text: &str, data: &mut impl Bytes) -> Result<(), LineError> {
    match text.as_bytes() {
        [digit] => nibble(*digit).filter(|byte| data.add(*byte)).map(|_| ()).ok_or(LineError::Data),
        [_, _] => bytes(text, data),
        _ => Err(LineError::Data),
    }
}

/// Reads the bytes of a whole message.
///
/// # Errors
/// [`LineError::PayloadTooLong`], [`LineError::Data`].
pub(super) fn payload(text: &str) -> Result<Payload, LineError> {
    let mut payload = Payload::new();
    let count = text.len() / 2;
    if count > crate::n2k::payload::MESSAGE_BYTES_MAX {
        return Err(LineError::PayloadTooLong { bytes: count });
    }
    bytes(text, &mut payload)?;
    Ok(payload)
}

/// Reads `count` bytes written apart: `FF 10 3B`; what follows them is not data.
///
/// # Errors
/// [`LineError`] says what is wrong.
pub(super) fn listed<'t>(words: impl Iterator<Item = &'t str>, count: usize) -> Result<Data, LineError> {
    if count > 8 {
        return Err(LineError::FrameTooLong { bytes: count });
    }
    let mut data = Data::new();
    for word in words.take(count) {
        if word == "remote" {
            return Err(LineError::NotDataFrame);
        }
        byte(word, &mut data)?;
    }
    if data.len() == count { Ok(data) } else { Err(LineError::Length { announced: count, found: data.len() }) }
}

/// Reads a number of exactly `digits` hexadecimal digits.
pub(super) fn number(text: &str, digits: usize) -> Option<u32> {
    let is_number = text.len() == digits && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_number { u32::from_str_radix(text, 16).ok() } else { None }
}

/// Reads a 29-bit identifier.
///
/// # Errors
/// [`LineError::Identifier`], [`LineError::ElevenBit`], [`LineError::NotDataFrame`].
pub(super) fn identifier(text: &str) -> Result<u32, LineError> {
    let id = number(text, text.len()).ok_or(LineError::Identifier)?;
    match text.len() {
        8 if id <= CanFrame::ID_MAX => Ok(id),
        // The flag of an error frame, linux/can.h CAN_ERR_FLAG.
        8 if id & 0x2000_0000 != 0 => Err(LineError::NotDataFrame),
        3 => Err(LineError::ElevenBit),
        _ => Err(LineError::Identifier),
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
