//! The wire of NGT-1 gateways, and EBL files, which hold it with time records in between.

use alloc::vec::Vec;

use super::bst::{self, DLE, ETX, STX};
use super::{LineError, Record};
use crate::time::UnixMillis;

/// Escape byte of EBL's own records; doubled inside messages.
const ESC: u8 = 0x1b;
/// After [`ESC`]: a record of EBL's own begins.
const SOH: u8 = 1;
/// After [`ESC`]: such a record ends.
const END: u8 = 0x0a;
/// Kind of the record that holds the time: eight bytes, 100 ns since 1601 (Windows FILETIME).
const KIND_TIME: u8 = 3;
const FILETIME_TO_UNIX_MS: i64 = 11_644_473_600_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Between,
    Message,
    /// A record of EBL's own.
    Note,
}

/// Takes the wire apart, byte by byte.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    is_ebl: bool,
    state: State,
    /// The last byte was this escape byte, and waits for what follows.
    escape: Option<u8>,
    message: Vec<u8>,
    time: Option<UnixMillis>,
}

impl Wire {
    pub fn new(is_ebl: bool) -> Self {
        Self { is_ebl, state: State::Between, escape: None, message: Vec::new(), time: None }
    }

    /// Tells whether bytes of these first ones are such a wire: `Some(true)` for EBL.
    pub fn detect(first: &[u8]) -> Option<bool> {
        match first {
            [DLE, STX | ETX, ..] => Some(false),
            [ESC, SOH | END, ..] => Some(true),
            _ => None,
        }
    }

    /// Tells whether three bytes begin a message that gateways send: received, sent, answer, frame, newer ones.
    pub fn is_begin(bytes: &[u8]) -> bool {
        matches!(bytes, [DLE, STX, 0x93 | 0x94 | 0xa0 | 0x95 | 0xd0])
    }

    /// Tells whether a message has begun and not ended.
    pub fn is_inside(&self) -> bool {
        self.state != State::Between
    }

    /// Takes a byte; `Some` when it ends a message: what that holds, `None` when it is not from the bus.
    pub fn byte(&mut self, byte: u8) -> Option<Result<Option<Record>, LineError>> {
        match (self.state, self.escape.take()) {
            (State::Between, Some(DLE)) if byte == STX => self.begin(State::Message),
            (State::Between, Some(ESC)) if byte == SOH => self.begin(State::Note),
            (State::Between, _) => {
                self.escape = Some(byte).filter(|byte| *byte == DLE || (self.is_ebl && *byte == ESC));
            }
            (State::Message, Some(DLE)) => match byte {
                DLE => return self.keep(DLE),
                ETX => {
                    self.state = State::Between;
                    let time = self.time;
                    return Some(bst::checked(&self.message).map(|item| item.map(|item| Record { time, item })));
                }
                STX => {
                    self.begin(State::Message);
                    return Some(Err(LineError::CutOff));
                }
                _ => {
                    self.state = State::Between;
                    return Some(Err(LineError::CutOff));
                }
            },
            (State::Note, Some(_)) if byte == END => {
                self.state = State::Between;
                self.note();
            }
            // One escape byte of a pair, or one that stands alone.
            (_, Some(escape)) => {
                let kept = self.keep(escape);
                if byte == escape || kept.is_some() {
                    return kept;
                }
                return self.byte(byte);
            }
            (State::Message, None) if byte == DLE || (self.is_ebl && byte == ESC) => self.escape = Some(byte),
            (State::Note, None) if byte == ESC => self.escape = Some(byte),
            (_, None) => return self.keep(byte),
        }
        None
    }

    fn begin(&mut self, state: State) {
        self.state = state;
        self.message.clear();
    }

    fn keep(&mut self, byte: u8) -> Option<Result<Option<Record>, LineError>> {
        if self.message.len() >= bst::MESSAGE_MAX {
            self.state = State::Between;
            return Some(Err(LineError::PayloadTooLong { bytes: self.message.len() }));
        }
        self.message.push(byte);
        None
    }

    fn note(&mut self) {
        if let [KIND_TIME, time @ ..] = self.message.as_slice()
            && let Some(time) = time.first_chunk()
        {
            let millis = i64::try_from(u64::from_le_bytes(*time) / 10_000).unwrap_or(i64::MAX);
            self.time = Some(UnixMillis(millis.saturating_sub(FILETIME_TO_UNIX_MS)));
        }
    }
}
