//! Serial ports that plugins may open.

use alloc::boxed::Box;
use core::fmt;

/// How a port is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SerialSettings {
    /// Bits a second.
    pub baud: u32,
    /// Bits of a character, 5 to 8.
    pub data_bits: u8,
    /// Parity bit: 0 none, 1 odd, 2 even.
    pub parity: u8,
    /// Stop bits, 1 or 2.
    pub stop_bits: u8,
}

impl SerialSettings {
    /// Tells whether every member has a value that exists.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        matches!(self.baud, 50..=4_000_000)
            && matches!(self.data_bits, 5..=8)
            && self.parity <= 2
            && matches!(self.stop_bits, 1 | 2)
    }
}

/// Why a port does not do what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SerialError {
    /// No such device.
    NotFound,
    /// The system forbids it, or another program has it.
    Denied,
    /// It cannot be set like that.
    Unsupported,
    /// The device is gone.
    Gone,
    /// Nothing can be read or written now.
    Pending,
}

impl fmt::Display for SerialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "no such serial port",
            Self::Denied => "the serial port is not permitted or in use",
            Self::Unsupported => "the serial port cannot be set like that",
            Self::Gone => "the serial port is gone",
            Self::Pending => "nothing to read or no room to write now",
        })
    }
}

impl core::error::Error for SerialError {}

impl embedded_io::Error for SerialError {
    fn kind(&self) -> embedded_io::ErrorKind {
        match self {
            Self::NotFound => embedded_io::ErrorKind::NotFound,
            Self::Denied => embedded_io::ErrorKind::PermissionDenied,
            Self::Unsupported => embedded_io::ErrorKind::Unsupported,
            Self::Gone => embedded_io::ErrorKind::BrokenPipe,
            Self::Pending => embedded_io::ErrorKind::Interrupted,
        }
    }
}

/// An open port, as `embedded-io` knows it. It never waits: what is not there now is [`SerialError::Pending`].
/// Dropping it closes the port.
pub trait SerialPort: embedded_io::Read<Error = SerialError> + embedded_io::Write {}

impl<T: embedded_io::Read<Error = SerialError> + embedded_io::Write> SerialPort for T {}

/// Opens serial ports.
pub trait SerialPorts {
    /// Opens a port by the name its system gives it (`/dev/ttyUSB0`, `uart1`). Whether the plugin may is the core's
    /// question.
    ///
    /// # Errors
    /// [`SerialError`] other than `Pending`.
    fn open(&mut self, name: &str, settings: SerialSettings) -> Result<Box<dyn SerialPort>, SerialError>;
}
