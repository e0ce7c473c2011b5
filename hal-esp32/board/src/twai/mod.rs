//! The CAN controller of the ESP32 chips (TWAI), through its registers alone.
//!
//! All of it is tested on Linux against [`model`], a register block that behaves as the manual says: ESP32-C6 technical
//! reference manual, chapter "Two-wire Automotive Interface". Its layout is that of the SJA1000 in PeliCAN mode.
//!
//! ```text
//! bus ─> receive memory, 64 bytes ─> front: FRAME ─(interrupt)─> drain() ─> a Sink
//!          └ a frame without room is counted and MISSED, and OVERRUN stands until it is cleared
//! bus <─ transmit buffer, one frame <─ Controller::transmit()
//! ```
//!
//! Nothing here waits: who finds the transmit buffer taken, or the controller off the bus, comes again.

mod drain;
#[cfg(any(test, feature = "model"))]
pub mod model;
#[cfg(test)]
mod tests;

pub use drain::{RAW_BYTES, Raw, Sink, drain, frame_of};

use skiff_runtime::hal::{CanError, CanFrame, CanState};

/// Offsets of the registers, bytes, and their bits.
pub mod register {
    /// How the controller takes part.
    pub const MODE: usize = 0x00;
    /// [`MODE`]: it does nothing on the bus, and may be configured. Going off the bus sets it.
    pub const MODE_RESET: u32 = 1 << 0;
    /// [`MODE`]: it sends nothing, not even an acknowledgement.
    pub const MODE_LISTEN: u32 = 1 << 1;
    /// What it is to do.
    pub const COMMAND: usize = 0x04;
    /// [`COMMAND`]: send what is in the transmit buffer.
    pub const COMMAND_SEND: u32 = 1 << 0;
    /// [`COMMAND`]: the frame at the front was read.
    pub const COMMAND_RELEASE: u32 = 1 << 2;
    /// [`COMMAND`]: that frames were lost was seen.
    pub const COMMAND_CLEAR_OVERRUN: u32 = 1 << 3;
    /// How it is.
    pub const STATUS: usize = 0x08;
    /// [`STATUS`]: frames came that there was no room for.
    pub const STATUS_OVERRUN: u32 = 1 << 1;
    /// [`STATUS`]: the transmit buffer may be written.
    pub const STATUS_FREE: u32 = 1 << 2;
    /// [`STATUS`]: off the bus.
    pub const STATUS_BUS_OFF: u32 = 1 << 7;
    /// [`STATUS`]: the frame at the front was cut, for there was no room.
    pub const STATUS_MISSED: u32 = 1 << 8;
    /// Interrupts that are pending; reading says that they were seen.
    pub const PENDING: usize = 0x0c;
    /// Interrupts that are wanted.
    pub const WANTED: usize = 0x10;
    /// [`PENDING`], [`WANTED`]: frames wait.
    pub const INTERRUPT_RECEIVE: u32 = 1 << 0;
    /// Receive errors.
    pub const RECEIVE_ERRORS: usize = 0x38;
    /// Transmit errors.
    pub const TRANSMIT_ERRORS: usize = 0x3c;
    /// Read: the frame at the front, written: the transmit buffer; a byte in each of thirteen registers.
    pub const FRAME: usize = 0x40;
    /// Frames that wait, cut ones among them, 64 at most.
    pub const WAITING: usize = 0x74;
    /// [`WAITING`]: its bits.
    pub const WAITING_MASK: u32 = 0x7f;
}

/// The registers, by their offset.
pub trait Registers {
    /// Reads one; [`register::PENDING`] forgets what was read.
    fn read(&self, offset: usize) -> u32;

    /// Writes one.
    fn write(&mut self, offset: usize, value: u32);
}

/// How the board takes part in the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It listens and sends nothing, not even an acknowledgement: as delivered.
    Listen,
    /// It is a node: acknowledges and sends.
    Full,
}

impl Part {
    /// Returns the part that a configured node asks for.
    #[must_use]
    pub fn of(is_node: bool) -> Self {
        if is_node { Self::Full } else { Self::Listen }
    }
}

/// A controller that was configured and started.
#[derive(Debug)]
pub struct Controller<R> {
    registers: R,
    part: Part,
}

impl<R: Registers> Controller<R> {
    /// Takes a controller, and lets it interrupt for each frame.
    pub fn new(mut registers: R, part: Part) -> Self {
        registers.write(register::WANTED, register::INTERRUPT_RECEIVE);
        Self { registers, part }
    }

    /// Hands a frame to the controller, which sends it until somebody acknowledges it.
    ///
    /// It is not given up where nobody does: a bus that is connected later gets it, the claim of the node's address first.
    ///
    /// # Errors
    /// [`CanError::Full`] while the frame before is not sent, [`CanError::Off`] when only listening or off the bus.
    pub fn transmit(&mut self, frame: &CanFrame) -> Result<(), CanError> {
        if self.part == Part::Listen || !self.is_on_bus() {
            return Err(CanError::Off);
        }
        if self.registers.read(register::STATUS) & register::STATUS_FREE == 0 {
            return Err(CanError::Full);
        }
        let mut raw = [0; RAW_BYTES];
        let (head, data) = raw.split_at_mut(5);
        // Extended, not remote, and how many bytes; the identifier from the left.
        let length = frame.data().len();
        let bytes = [0x80 | u8::try_from(length).unwrap_or(8)].into_iter().chain((frame.id() << 3).to_be_bytes());
        head.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        data.iter_mut().zip(frame.data()).for_each(|(to, from)| *to = *from);
        for (index, byte) in raw.iter().take(5 + length).enumerate() {
            self.registers.write(register::FRAME + 4 * index, u32::from(*byte));
        }
        self.registers.write(register::COMMAND, register::COMMAND_SEND);
        Ok(())
    }

    /// Returns the health of the controller.
    #[must_use]
    pub fn state(&self) -> CanState {
        if self.is_off() {
            return CanState::BusOff;
        }
        if self.is_reset() {
            return CanState::Down;
        }
        let errors = |offset| self.registers.read(offset) & 0xff;
        // ISO 11898-1 §12.1.4: passive from 128 on; controllers warn from 96 on.
        match errors(register::RECEIVE_ERRORS).max(errors(register::TRANSMIT_ERRORS)) {
            128.. => CanState::Passive,
            96.. => CanState::Warning,
            _ => CanState::Active,
        }
    }

    /// Lets a controller that went off the bus come back.
    ///
    /// It is on the bus when it has seen 128 times eleven recessive bits; one that counts them already is left alone, or a
    /// bus that is quiet for shorter than from one attempt to the next would never be heard.
    pub fn restart(&mut self) {
        if self.is_reset() {
            let mode = self.registers.read(register::MODE);
            self.registers.write(register::MODE, mode & !register::MODE_RESET);
        }
    }

    fn is_on_bus(&self) -> bool {
        !self.is_off() && !self.is_reset()
    }

    fn is_off(&self) -> bool {
        self.registers.read(register::STATUS) & register::STATUS_BUS_OFF != 0
    }

    fn is_reset(&self) -> bool {
        self.registers.read(register::MODE) & register::MODE_RESET != 0
    }

    /// Returns the registers.
    pub fn registers(&mut self) -> &mut R {
        &mut self.registers
    }
}
