//! The wire of NGT-1 gateways, and EBL files, which hold it with records of their own in between.
//!
//! Newer recorders (W2K) write frames as records of their own: `ESC SOH 07`, a BST 95 without check sum, `ESC LF`.

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
/// Kind of the record that holds a CAN frame.
const KIND_FRAME: u8 = 7;
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
    /// The count of the last frame record, milliseconds in 16 bits, and what has passed since the last time record.
    count: Option<u16>,
    passed_ms: i64,
}

impl Wire {
    pub fn new(is_ebl: bool) -> Self {
        Self { is_ebl, state: State::Between, escape: None, message: Vec::new(), time: None, count: None, passed_ms: 0 }
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
                return self.note();
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

    /// Takes a record of EBL's own: a time, or a frame; others say nothing of the bus.
    fn note(&mut self) -> Option<Result<Option<Record>, LineError>> {
        match self.message.as_slice() {
            [KIND_TIME, time @ ..] => {
                let millis = i64::try_from(u64::from_le_bytes(*time.first_chunk()?) / 10_000).unwrap_or(i64::MAX);
                self.time = Some(UnixMillis(millis.saturating_sub(FILETIME_TO_UNIX_MS)));
                (self.count, self.passed_ms) = (None, 0);
                None
            }
            [KIND_FRAME, frame @ ..] => {
                let item = bst::read(frame);
                if let [_, _, low, high, ..] = *frame {
                    let count = u16::from_le_bytes([low, high]);
                    let passed = self.count.replace(count).map_or(0, |last| count.wrapping_sub(last));
                    self.passed_ms = self.passed_ms.saturating_add(passed.into());
                }
                let time = UnixMillis(self.time.map_or(0, |time| time.0).saturating_add(self.passed_ms));
                Some(item.map(|item| item.map(|item| Record { time: Some(time), item })))
            }
            _ => None,
        }
    }
}
