//! Actisense binary messages (BST): what NGT-1, NGX and W2K gateways send, bare or in JSON.
//!
//! Facts from the public format descriptions of Actisense's SDK: BST 93 (whole message), 94 (the same, on its way to the
//! bus), 95 (CAN frame), D0 (whole message, newer gateways). Frames on the wire are `DLE STX … check sum DLE ETX` with each DLE inside doubled.

use alloc::vec::Vec;

use super::{Item, LineError, Record};
use crate::hal::CanFrame;
use crate::n2k::id::{Id, Pgn, SourceAddress};
use crate::n2k::payload::{MESSAGE_BYTES_MAX, Payload};

/// Escape byte of the wire.
pub(super) const DLE: u8 = 0x10;
/// After [`DLE`]: a message begins.
pub(super) const STX: u8 = 2;
/// After [`DLE`]: a message ends.
pub(super) const ETX: u8 = 3;
/// Bytes of the longest message with its check sum: head of D0, data.
pub(super) const MESSAGE_MAX: usize = 13 + MESSAGE_BYTES_MAX + 1;

/// A whole message from the bus.
const RECEIVED: u8 = 0x93;
/// A whole message that a host gave to be sent; the gateway puts its own address in.
const SENT: u8 = 0x94;
/// A CAN frame.
const FRAME: u8 = 0x95;
/// A whole message of newer gateways.
const MESSAGE: u8 = 0xd0;
/// A command to the gateway itself.
const COMMAND: u8 = 0xa1;
/// Operating mode, and "all messages of the bus" as its argument.
const RECEIVE_ALL: [u8; 3] = [0x11, 0x02, 0x00];

/// Returns the bytes that make an NGT-1 give all messages of the bus; without them it can be silent.
#[must_use]
pub fn start_command() -> Vec<u8> {
    wire(COMMAND, &RECEIVE_ALL)
}

/// Returns a message as it goes over the wire.
pub(super) fn wire(command: u8, data: &[u8]) -> Vec<u8> {
    let length = data.len().to_le_bytes()[0];
    let sum = data.iter().fold(command.wrapping_add(length), |sum, byte| sum.wrapping_add(*byte));
    let body = [command, length].into_iter().chain(data.iter().copied()).chain([sum.wrapping_neg()]);
    let mut out = Vec::from([DLE, STX]);
    for byte in body {
        out.push(byte);
        if byte == DLE {
            out.push(DLE);
        }
    }
    out.extend([DLE, ETX]);
    out
}

/// Reads a message with its check sum, as it comes over the wire.
///
/// # Errors
/// [`LineError`] says what is wrong.
pub(super) fn checked(message: &[u8]) -> Result<Option<Item>, LineError> {
    if message.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)) != 0 {
        return Err(LineError::Checksum);
    }
    read(message.split_last().map_or(&[], |(_, rest)| rest))
}

/// Reads a message; `None` for what is not of the bus: commands and answers of the gateway, what it sent by itself.
///
/// # Errors
/// [`LineError`] says what is wrong.
pub(super) fn read(message: &[u8]) -> Result<Option<Item>, LineError> {
    let short = LineError::Part("head of the message");
    match *message {
        [RECEIVED, _, priority, low, middle, page, destination, source, _, _, _, _, announced, ref data @ ..] => {
            let announced = usize::from(announced);
            let data = data.get(..announced).ok_or(LineError::Length { announced, found: data.len() })?;
            let pgn = Pgn(u32::from_le_bytes([low, middle, page, 0]));
            let id = Id { priority: priority & 7, pgn, source: SourceAddress(source), destination };
            whole(id, data).map(Some)
        }
        [SENT, _, priority, low, middle, page, destination, announced, ref data @ ..] => {
            let announced = usize::from(announced);
            let data = data.get(..announced).ok_or(LineError::Length { announced, found: data.len() })?;
            let pgn = Pgn(u32::from_le_bytes([low, middle, page, 0]));
            whole(Id { priority: priority & 7, pgn, source: SourceAddress(0), destination }, data).map(Some)
        }
        [FRAME, _, _, _, source, specific, format, flags, ref data @ ..] => {
            let id = can_id(source, specific, format, flags);
            let frame = CanFrame::new(id, data).ok_or(LineError::FrameTooLong { bytes: data.len() })?;
            // Bit 7: to the bus, not from it.
            Ok((flags & 0x80 == 0).then_some(Item::Frame(frame)))
        }
        [MESSAGE, _, _, destination, source, specific, format, flags, control, _, _, _, _, ref data @ ..] => {
            let id = Id { destination, ..Id::from_can(can_id(source, specific, format, flags)) };
            // Bit 3: to the bus, not from it.
            if control & 8 != 0 { Ok(None) } else { whole(id, data).map(Some) }
        }
        [RECEIVED | SENT | FRAME | MESSAGE, ..] | [] => Err(short),
        _ => Ok(None),
    }
}

/// Puts a 29-bit identifier together; `flags` hold data page (bits 0 and 1) and priority (bits 2 to 4).
fn can_id(source: u8, specific: u8, format: u8, flags: u8) -> u32 {
    u32::from_le_bytes([source, specific, format, flags & 0x1f])
}

fn whole(id: Id, data: &[u8]) -> Result<Item, LineError> {
    let payload = Payload::from_slice(data).map_err(|_| LineError::PayloadTooLong { bytes: data.len() })?;
    Ok(Item::Whole { id, payload })
}

/// Reads `{"pgn":127250,"payload":[147,19,…]}`, the bytes of a message with or without its check sum.
///
/// # Errors
/// [`LineError`] says what is wrong.
pub(super) fn json(text: &str) -> Result<Option<Record>, LineError> {
    let list = text.split_once("\"payload\"").and_then(|(_, rest)| rest.trim_start().strip_prefix(':'));
    let list = list.and_then(|rest| rest.trim_start().strip_prefix('[')?.split_once(']'));
    let without = if text.contains("\"fields\"") { LineError::Analyzed } else { LineError::Part("payload") };
    let (list, _) = list.ok_or(without)?;
    let mut message = heapless::Vec::<u8, MESSAGE_MAX>::new();
    for number in list.split(',') {
        let byte = number.trim().parse().map_err(|_| LineError::Part("payload"))?;
        message.push(byte).map_err(|_| LineError::PayloadTooLong { bytes: list.split(',').count() })?;
    }
    Ok(read(&message)?.map(|item| Record { time: None, item }))
}
