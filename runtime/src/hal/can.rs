//! CAN frames and the interface they come from.

use core::fmt;

use crate::time::Instant;

/// One CAN 2.0B frame with a 29-bit identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CanFrame {
    id: u32,
    length: u8,
    data: [u8; 8],
}

const _: () = assert!(size_of::<CanFrame>() == 16);

impl CanFrame {
    /// Largest 29-bit identifier.
    pub const ID_MAX: u32 = 0x1fff_ffff;

    /// Builds a frame from its 29-bit identifier and 0 to 8 data bytes.
    #[must_use]
    pub fn new(id: u32, payload: &[u8]) -> Option<Self> {
        let length = u8::try_from(payload.len()).ok().filter(|&length| length <= 8)?;
        if id > Self::ID_MAX {
            return None;
        }
        let mut data = [0; 8];
        for (to, from) in data.iter_mut().zip(payload) {
            *to = *from;
        }
        Some(Self { id, length, data })
    }

    /// Returns the 29-bit identifier.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// Returns the data bytes, 0 to 8.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        self.data.get(..usize::from(self.length)).unwrap_or(&self.data)
    }
}

/// Health of the interface as the controller counts it (ISO 11898-1 §12.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CanState {
    /// Takes part in the bus.
    Active,
    /// An error counter passed 96.
    Warning,
    /// An error counter passed 127: may not disturb the bus any more.
    Passive,
    /// The transmit error counter passed 255: off the bus.
    BusOff,
    /// The interface is down or gone.
    Down,
}

/// Why a frame could not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CanError {
    /// The transmit queue is full: keep the frame and try again at the next tick.
    Full,
    /// The interface is off the bus or down.
    Off,
}

impl fmt::Display for CanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "transmit queue full",
            Self::Off => "interface off the bus or down",
        })
    }
}

impl core::error::Error for CanError {}

/// A CAN interface.
pub trait Can {
    /// Takes the next received frame with the time of its reception, or `None` when there is none now.
    ///
    /// Frames of 11-bit identifiers, remote and error frames are not given.
    fn receive(&mut self) -> Option<(CanFrame, Instant)>;

    /// Queues a frame for sending.
    ///
    /// # Errors
    /// [`CanError::Full`] when it must be tried again later, [`CanError::Off`] when it cannot be sent.
    fn transmit(&mut self, frame: &CanFrame) -> Result<(), CanError>;

    /// Returns the health of the interface.
    fn state(&self) -> CanState;

    /// Tries to bring the interface back: a controller that is off the bus, an interface that was down or gone.
    ///
    /// It returns at once; [`state`](Self::state) tells whether it helped. A HAL whose interface comes back by itself
    /// does nothing.
    fn restart(&mut self) {}

    /// Returns the count of frames lost between bus and [`receive`](Self::receive) so far.
    fn lost(&self) -> u64;
}

#[cfg(test)]
mod tests {
    use super::CanFrame;

    #[test]
    fn refuses_what_is_no_extended_frame() {
        assert!(CanFrame::new(CanFrame::ID_MAX, &[0; 8]).is_some());
        assert!(CanFrame::new(CanFrame::ID_MAX + 1, &[]).is_none());
        assert!(CanFrame::new(0, &[0; 9]).is_none());
        assert_eq!(CanFrame::new(7, &[1, 2, 3]).unwrap().data(), [1, 2, 3]);
    }
}
