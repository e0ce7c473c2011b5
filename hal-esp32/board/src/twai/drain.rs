//! What the interrupt handler does: it takes what the controller received.
//!
//! All of it is inlined into a handler that lies in RAM, and calls nothing: no instruction can be read from a flash that is
//! being erased, 45 ms and more, and the controller holds about five frames.

use skiff_runtime::hal::CanFrame;

use super::{Registers, register};

/// Bytes of a frame as the controller has it: information, identifier, data.
pub const RAW_BYTES: usize = 13;

/// A frame as the controller has it.
pub type Raw = [u8; RAW_BYTES];

/// Where frames go; its `put` has to be `#[inline(always)]`.
pub trait Sink {
    /// Takes a frame; `false` when there is no room.
    fn put(&mut self, raw: &Raw) -> bool;
}

/// Looks at the controller that often at most: it counts 64 frames, and some come while they are taken.
const TURNS_MAX: u32 = 128;

/// Takes all frames that wait, and returns how many were lost: those that the controller cut, and those that the sink had no
/// room for.
///
/// A frame is cut where the controller says so *and* has said since it was emptied last that it had no room: the bit alone
/// was seen to stay on chips of this family where nothing waited, and every frame after that would be thrown away. When
/// all is taken, the overrun is cleared, without which there is never another one.
#[inline(always)]
pub fn drain<R: Registers, S: Sink>(registers: &mut R, sink: &mut S) -> u32 {
    // Says that it was seen.
    let _ = registers.read(register::PENDING);
    let (mut lost, mut turns) = (0_u32, 0);
    while registers.read(register::WAITING) & register::WAITING_MASK != 0 && turns < TURNS_MAX {
        const CUT: u32 = register::STATUS_OVERRUN | register::STATUS_MISSED;
        let is_cut = registers.read(register::STATUS) & CUT == CUT;
        if is_cut || !sink.put(&front(registers)) {
            lost = lost.wrapping_add(1);
        }
        registers.write(register::COMMAND, register::COMMAND_RELEASE);
        turns += 1;
    }
    if registers.read(register::STATUS) & register::STATUS_OVERRUN != 0 {
        registers.write(register::COMMAND, register::COMMAND_CLEAR_OVERRUN);
    }
    lost
}

#[inline(always)]
fn front<R: Registers>(registers: &R) -> Raw {
    let byte = |index: usize| registers.read(register::FRAME + 4 * index) as u8;
    // Written out: a loop over an iterator may become a call.
    [
        byte(0),
        byte(1),
        byte(2),
        byte(3),
        byte(4),
        byte(5),
        byte(6),
        byte(7),
        byte(8),
        byte(9),
        byte(10),
        byte(11),
        byte(12),
    ]
}

/// Returns the frame of NMEA 2000; what has an identifier of 11 bits or asks remotely is none.
#[must_use]
pub fn frame_of(raw: &Raw) -> Option<CanFrame> {
    let [information, id @ .., _, _, _, _, _, _, _, _] = raw;
    let (is_extended, is_remote) = (information & 0x80 != 0, information & 0x40 != 0);
    if !is_extended || is_remote {
        return None;
    }
    let length = usize::from(information & 0x0f).min(8);
    CanFrame::new(u32::from_be_bytes(*id) >> 3, raw.get(5..5 + length)?)
}
