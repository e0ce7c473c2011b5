//! A register block that behaves as the manual says, for tests and for the emulated chip.
//!
//! It is one end of a bus: [`Model::deliver`] is a frame that another node sends, [`Model::send`] is the turn of this one.
//! Bits and their times are not there; an error is one call.

use alloc::collections::VecDeque;
use core::cell::Cell;

use super::{RAW_BYTES, Raw, Registers, register};

/// Bytes of the receive memory.
const MEMORY_BYTES: usize = 64;
/// Frames that the counter can tell.
const COUNT_MAX: usize = 64;
/// Recessive sequences of eleven bits that bring a controller back.
const RECOVERY: u32 = 128;

/// What became of a frame that this controller had to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It was acknowledged, and is gone.
    Frame(Raw),
    /// Nobody acknowledged it: it stays, and is tried again.
    Alone,
    /// There is none.
    Nothing,
}

/// A controller.
#[derive(Clone, Debug)]
pub struct Model {
    mode: u32,
    wanted: u32,
    pending: Cell<u32>,
    /// Frames, and whether they were cut.
    received: VecDeque<(Raw, bool)>,
    overrun: bool,
    /// Frames that found no room so far.
    pub overruns: u64,
    /// The bit of a cut frame stays when nothing waits any more, as was seen on the ESP32-C3.
    pub missed_sticks: bool,
    missed_stuck: bool,
    transmit: Raw,
    to_send: bool,
    receive_errors: u32,
    transmit_errors: u32,
    /// Recessive sequences to come while it is off the bus.
    recovery: Option<u32>,
    /// Timing, filter and the like: kept, without effect.
    others: [u32; 32],
}

impl Default for Model {
    /// Returns one after power-on: in reset.
    fn default() -> Self {
        Self {
            mode: register::MODE_RESET,
            wanted: 0,
            pending: Cell::new(0),
            received: VecDeque::new(),
            overrun: false,
            overruns: 0,
            missed_sticks: false,
            missed_stuck: false,
            transmit: [0; RAW_BYTES],
            to_send: false,
            receive_errors: 0,
            transmit_errors: 0,
            recovery: None,
            others: [0; 32],
        }
    }
}

/// Bytes that a frame takes of the memory.
fn size(raw: &Raw) -> usize {
    let [information, ..] = raw;
    let head = if information & 0x80 != 0 { 5 } else { 3 };
    head + if information & 0x40 != 0 { 0 } else { usize::from(information & 0x0f).min(8) }
}

impl Model {
    /// Returns one that was started.
    #[must_use]
    pub fn started(listens_only: bool) -> Self {
        Self { mode: if listens_only { register::MODE_LISTEN } else { 0 }, ..Self::default() }
    }

    fn takes_part(&self) -> bool {
        self.mode & register::MODE_RESET == 0 && self.recovery.is_none()
    }

    /// A frame passes on the bus; tells whether this controller acknowledged it.
    pub fn deliver(&mut self, raw: &Raw) -> bool {
        if !self.takes_part() {
            return false;
        }
        self.receive_errors = self.receive_errors.saturating_sub(1);
        let taken: usize = self.received.iter().filter(|(_, is_cut)| !is_cut).map(|(raw, _)| size(raw)).sum();
        let is_cut = taken + size(raw) > MEMORY_BYTES;
        if self.received.len() < COUNT_MAX {
            self.received.push_back((*raw, is_cut));
        }
        self.overrun |= is_cut;
        self.overruns += u64::from(is_cut);
        self.pending.set(self.pending.get() | register::INTERRUPT_RECEIVE);
        self.mode & register::MODE_LISTEN == 0
    }

    /// This controller's turn to send; others may acknowledge.
    pub fn send(&mut self, others: bool) -> Sent {
        if !self.takes_part() || !self.to_send {
            return Sent::Nothing;
        }
        if !others {
            // Without an acknowledgement a passive controller counts no further: it never goes off an empty bus.
            if self.transmit_errors < 128 {
                self.transmit_errors += 8;
            }
            return Sent::Alone;
        }
        self.to_send = false;
        self.transmit_errors = self.transmit_errors.saturating_sub(1);
        Sent::Frame(self.transmit)
    }

    /// An error while this controller sends; more than 255 count as off the bus.
    pub fn transmit_error(&mut self) {
        self.transmit_errors += 8;
        if self.transmit_errors > 255 {
            self.mode |= register::MODE_RESET;
            self.recovery = Some(RECOVERY);
            self.transmit_errors = 127;
            (self.receive_errors, self.to_send) = (0, false);
            self.received.clear();
        }
    }

    /// The bus is quiet for so many times eleven bits.
    pub fn quiet(&mut self, times: u32) {
        if self.mode & register::MODE_RESET != 0 {
            return;
        }
        if let Some(left) = self.recovery {
            self.recovery = left.checked_sub(times).filter(|left| *left > 0);
            self.transmit_errors = self.recovery.map_or(0, |left| left.min(127));
        }
    }

    /// Tells whether it asks for an interrupt: by level, and for frames as long as some wait.
    #[must_use]
    pub fn interrupts(&self) -> bool {
        let waiting = if self.received.is_empty() { 0 } else { register::INTERRUPT_RECEIVE };
        (self.pending.get() | waiting) & self.wanted != 0
    }

    /// Tells whether a frame is to be sent.
    #[must_use]
    pub fn is_sending(&self) -> bool {
        self.takes_part() && self.to_send
    }

    fn status(&self) -> u32 {
        let front_is_cut = self.received.front().map_or(self.missed_stuck, |(_, is_cut)| *is_cut || self.missed_stuck);
        let bits = [
            (!self.received.is_empty(), 1),
            (self.overrun, register::STATUS_OVERRUN),
            (!self.to_send, register::STATUS_FREE),
            (self.transmit_errors.max(self.receive_errors) >= 96, 1 << 6),
            (self.recovery.is_some(), register::STATUS_BUS_OFF),
            (front_is_cut, register::STATUS_MISSED),
        ];
        bits.iter().filter(|(is_set, _)| *is_set).map(|(_, bit)| bit).sum()
    }

    fn command(&mut self, value: u32) {
        if value & register::COMMAND_SEND != 0 && self.takes_part() && self.mode & register::MODE_LISTEN == 0 {
            self.to_send = true;
        }
        if value & register::COMMAND_RELEASE != 0 {
            let released = self.received.pop_front();
            self.missed_stuck |= self.missed_sticks && released.is_some_and(|(_, is_cut)| is_cut);
        }
        if value & register::COMMAND_CLEAR_OVERRUN != 0 {
            self.overrun = false;
        }
    }
}

impl Registers for Model {
    fn read(&self, offset: usize) -> u32 {
        match offset {
            register::MODE => self.mode,
            register::COMMAND => 0,
            register::STATUS => self.status(),
            register::PENDING => self.pending.replace(0),
            register::WANTED => self.wanted,
            register::RECEIVE_ERRORS => self.receive_errors,
            register::TRANSMIT_ERRORS => self.transmit_errors,
            register::WAITING => u32::try_from(self.received.len()).unwrap_or(0),
            register::FRAME..register::WAITING => {
                let index = (offset - register::FRAME) / 4;
                self.received.front().and_then(|(raw, _)| raw.get(index)).copied().unwrap_or(0).into()
            }
            _ => self.others.get(offset / 4).copied().unwrap_or(0),
        }
    }

    fn write(&mut self, offset: usize, value: u32) {
        match offset {
            register::MODE => {
                if value & register::MODE_RESET != 0 && self.mode & register::MODE_RESET == 0 {
                    self.received.clear();
                    self.to_send = false;
                }
                self.mode = value & 0xf;
            }
            register::COMMAND => self.command(value),
            register::WANTED => self.wanted = value & 0xff,
            // Only while it may be configured.
            register::RECEIVE_ERRORS if self.mode & register::MODE_RESET != 0 => self.receive_errors = value & 0xff,
            register::TRANSMIT_ERRORS if self.mode & register::MODE_RESET != 0 => self.transmit_errors = value & 0xff,
            register::FRAME..register::WAITING if self.mode & register::MODE_RESET == 0 => {
                if let Some(byte) = self.transmit.get_mut((offset - register::FRAME) / 4) {
                    *byte = (value & 0xff) as u8;
                }
            }
            register::STATUS | register::PENDING | register::WAITING => {}
            _ => {
                if let Some(other) = self.others.get_mut(offset / 4) {
                    *other = value;
                }
            }
        }
    }
}
