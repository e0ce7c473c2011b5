//! Group functions (PGN 126208) to this node: what is asked, and the acknowledgement that refuses it.
//!
//! A request without conditions is answered by the PGN itself. Whatever cannot be done is refused with the error codes
//! of the acknowledge group function; group functions to everybody are never answered, so that a bus does not flood.

use crate::n2k::id::Pgn;
use crate::n2k::payload::Payload;

/// PGN of group functions.
pub const PGN_GROUP: Pgn = Pgn(126_208);

const REQUEST: u8 = 0;
const COMMAND: u8 = 1;
const ACKNOWLEDGE: u8 = 2;
const READ: u8 = 3;
const WRITE: u8 = 5;

/// Interval and offset that mean "leave it as it is".
const INTERVAL_UNCHANGED: u32 = u32::MAX;
const INTERVAL_DEFAULT: u32 = u32::MAX - 1;
const OFFSET_UNCHANGED: u16 = u16::MAX;
/// Priorities that mean "as it is" and "the default".
const PRIORITY_UNCHANGED: u8 = 8;
const PRIORITY_DEFAULT: u8 = 9;
const PRIORITY_NOT_AVAILABLE: u8 = 15;
/// Parameters that an acknowledgement names.
const PARAMETERS_MAX: u8 = 253;

/// PGN error codes of an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PgnError {
    /// None.
    Acknowledge = 0,
    /// The node does not know the PGN.
    NotSupported = 1,
    /// The node knows the PGN, and not this request or command for it.
    RequestNotSupported = 4,
    /// Fields can be neither read nor written one by one.
    ReadWriteNotSupported = 6,
}

/// Error codes for interval or priority of an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum IntervalError {
    /// None.
    Acknowledge = 0,
    /// They cannot be changed.
    NotSupported = 1,
    /// The interval is shorter than the node can do.
    TooLow = 2,
}

/// Error codes for a parameter of an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum ParameterError {
    Acknowledge = 0,
    NotSupported = 5,
}

/// The request of a group function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GroupRequest {
    /// Send this PGN now; `period_ms` is to be its period from now on, `None` leaves it.
    Send { pgn: Pgn, period: Period, parameters: u8 },
    /// Change fields of this PGN.
    Change { pgn: Pgn, changes_priority: bool, parameters: u8 },
    /// Read or write fields one by one.
    ReadWrite { pgn: Pgn },
}

/// The period that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Period {
    Unchanged,
    Default,
    Millis(u32),
    /// An offset, or an offset beside an interval: not to be had.
    Offset,
}

/// Reads a group function; `None` for answers to own ones and for what has not the length it needs.
pub(super) fn read(payload: &[u8]) -> Option<GroupRequest> {
    let (&[function, low, middle, high], rest) = payload.split_first_chunk::<4>()?;
    let pgn = Pgn(u32::from_le_bytes([low, middle, high, 0]));
    match function {
        REQUEST => {
            let (&[a, b, c, d, e, f, parameters], _) = rest.split_first_chunk::<7>()?;
            let period = match (u32::from_le_bytes([a, b, c, d]), u16::from_le_bytes([e, f])) {
                (INTERVAL_UNCHANGED, OFFSET_UNCHANGED | 0) => Period::Unchanged,
                (INTERVAL_DEFAULT, OFFSET_UNCHANGED | 0) => Period::Default,
                (millis, OFFSET_UNCHANGED | 0) => Period::Millis(millis),
                _ => Period::Offset,
            };
            Some(GroupRequest::Send { pgn, period, parameters })
        }
        COMMAND => {
            let (&[priority, parameters], _) = rest.split_first_chunk::<2>()?;
            let priority = priority & 0xf;
            let unchanged = matches!(priority, PRIORITY_UNCHANGED | PRIORITY_DEFAULT | PRIORITY_NOT_AVAILABLE);
            Some(GroupRequest::Change { pgn, changes_priority: !unchanged, parameters })
        }
        READ | WRITE => Some(GroupRequest::ReadWrite { pgn }),
        _ => None,
    }
}

/// Returns the payload of an acknowledgement; each parameter of what was asked has its code, zero where the PGN or all
/// is refused anyway.
pub(super) fn acknowledge(pgn: Pgn, error: PgnError, interval: IntervalError, parameters: u8) -> Payload {
    let parameters = parameters.min(PARAMETERS_MAX);
    let code = if error == PgnError::Acknowledge && interval == IntervalError::Acknowledge {
        ParameterError::NotSupported
    } else {
        ParameterError::Acknowledge
    } as u8;
    let [low, middle, high, _] = pgn.0.to_le_bytes();
    let mut payload = Payload::default();
    let head = [ACKNOWLEDGE, low, middle, high, error as u8 | (interval as u8) << 4, parameters];
    // 133 bytes at most.
    let _ = payload.extend_from_slice(&head);
    for pair in 0..parameters.div_ceil(2) {
        let is_half = parameters % 2 == 1 && pair == parameters / 2;
        let _ = payload.push(if is_half { 0xf0 | code } else { code << 4 | code });
    }
    payload
}

/// Returns the payload of a command to set fields of `pgn` by their numbers, each with a value of one byte.
#[must_use]
pub fn command(pgn: Pgn, fields: &[(u8, u8)]) -> Payload {
    let [low, middle, high, _] = pgn.0.to_le_bytes();
    let count = u8::try_from(fields.len()).unwrap_or(u8::MAX);
    let mut payload = Payload::default();
    let _ = payload.extend_from_slice(&[COMMAND, low, middle, high, 0xf0 | PRIORITY_UNCHANGED, count]);
    for (field, value) in fields.iter().take(usize::from(count)) {
        // A payload takes 1,785 bytes.
        let _ = payload.extend_from_slice(&[*field, *value]);
    }
    payload
}

/// Returns the payload of a command to set a field of `pgn` that is a text with its length before it (the length with both
/// bytes of the head, 1 for ASCII, the letters). What does not fit is cut off.
#[must_use]
pub fn command_text(pgn: Pgn, field: u8, text: &str) -> Payload {
    let [low, middle, high, _] = pgn.0.to_le_bytes();
    let text = text.as_bytes();
    let text = text.get(..text.len().min(usize::from(u8::MAX - 2))).unwrap_or(text);
    let length = u8::try_from(text.len()).unwrap_or(0).saturating_add(2);
    let mut payload = Payload::default();
    let head = [COMMAND, low, middle, high, 0xf0 | PRIORITY_UNCHANGED, 1, field, length, 1];
    // A payload takes 1,785 bytes.
    let _ = payload.extend_from_slice(&head);
    let _ = payload.extend_from_slice(text);
    payload
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::n2k::Field;
    use crate::n2k::decode::Decoded;

    const HEADING: [u8; 3] = [0x12, 0xf1, 0x01];

    fn asked(head: &[u8], rest: &[u8]) -> Option<GroupRequest> {
        read(&[head, HEADING.as_slice(), rest].concat())
    }

    #[test]
    fn requests_and_commands_are_read() {
        let pgn = Pgn(127_250);
        let send = |period, parameters| Some(GroupRequest::Send { pgn, period, parameters });
        assert_eq!(asked(&[0], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]), send(Period::Unchanged, 0));
        assert_eq!(asked(&[0], &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1, 2]), send(Period::Default, 1));
        assert_eq!(asked(&[0], &[0xe8, 3, 0, 0, 0, 0, 0]), send(Period::Millis(1000), 0));
        assert_eq!(asked(&[0], &[0xe8, 3, 0, 0, 7, 0, 0]), send(Period::Offset, 0));
        let change = |changes_priority| Some(GroupRequest::Change { pgn, changes_priority, parameters: 2 });
        assert_eq!(asked(&[1], &[0xf8, 2]), change(false));
        assert_eq!(asked(&[1], &[0xf3, 2]), change(true));
        for function in [3, 5] {
            assert_eq!(asked(&[function], &[]), Some(GroupRequest::ReadWrite { pgn }));
        }
        for (function, rest) in [(2, &[0, 0][..]), (4, &[]), (6, &[]), (0, &[1, 2, 3]), (1, &[8]), (9, &[])] {
            assert_eq!(asked(&[function], rest), None, "{function}");
        }
        assert_eq!(read(&[0, 1]), None);
    }

    #[test]
    fn acknowledgements_have_a_nibble_for_each_parameter() {
        let refused = acknowledge(Pgn(127_250), PgnError::NotSupported, IntervalError::Acknowledge, 3);
        assert_eq!(refused.as_slice(), [2, 0x12, 0xf1, 1, 0x01, 3, 0x00, 0xf0]);
        let decoded = Decoded::new(PGN_GROUP, &refused).unwrap();
        assert_eq!(decoded.raw(Field::PgnErrorCode), Some(1));
        let interval = acknowledge(Pgn(126_993), PgnError::Acknowledge, IntervalError::TooLow, 0);
        assert_eq!(interval.as_slice(), [2, 0x11, 0xf0, 1, 0x20, 0]);
        let parameter = acknowledge(Pgn(126_993), PgnError::Acknowledge, IntervalError::Acknowledge, 2);
        assert_eq!(parameter.as_slice(), [2, 0x11, 0xf0, 1, 0x00, 2, 0x55]);
        let most = acknowledge(Pgn(1), PgnError::Acknowledge, IntervalError::Acknowledge, 255);
        assert_eq!(most.len(), 6 + 127);
    }

    #[test]
    fn commands_name_fields_by_number() {
        let payload = command(Pgn(127_501), &[(1, 3), (5, 1)]);
        assert_eq!(payload.as_slice(), [1, 0x0d, 0xf2, 1, 0xf8, 2, 1, 3, 5, 1]);
    }
}
