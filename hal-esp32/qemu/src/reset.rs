//! Why the board was reset: kept in RAM that no start code touches.

use core::fmt;

use skiff_virt::exit;

/// Marks a cell that was written by us and not by chance.
const MAGIC: u32 = 0x534b_4946;

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Reason {
    /// A tick did not end in time.
    Watchdog = 1,
}

/// The cell as it lies in RAM.
#[repr(C)]
#[derive(Clone, Copy)]
struct Kept {
    magic: u32,
    reason: u32,
    at: u32,
    count: u32,
    check: u32,
}

impl Kept {
    fn sum(&self) -> u32 {
        !(self.magic ^ self.reason.rotate_left(8) ^ self.at ^ self.count.rotate_left(16))
    }
}

/// The record of the last start.
#[derive(Clone, Copy, Debug)]
pub enum Last {
    /// Power came on.
    PowerOn,
    /// The watchdog fired while the processor was at this address; and the number of resets since power-on.
    Watchdog {
        /// Address of the instruction.
        at: u32,
        /// Resets since power-on.
        count: u32,
    },
}

impl Last {
    /// Tells whether this is the first start since power-on.
    pub fn is_first(self) -> bool {
        matches!(self, Self::PowerOn)
    }
}

impl fmt::Display for Last {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PowerOn => f.write_str("reset reason: power-on"),
            Self::Watchdog { at, count } => {
                write!(f, "reset reason: watchdog, a tick did not end; at {at:#010x}, resets since power-on: {count}")
            }
        }
    }
}

unsafe extern "C" {
    static mut _kept: Kept;
}

/// Returns why the board started. The next start says power-on unless [`reset`] says otherwise.
pub fn take() -> Last {
    let cell = &raw mut _kept;
    // SAFETY: link.x gives the cell a place of its own; any content is a valid `Kept`.
    let kept = unsafe { cell.read_volatile() };
    if kept.magic != MAGIC || kept.check != kept.sum() || kept.reason != Reason::Watchdog as u32 {
        // SAFETY: as above.
        unsafe { cell.write_volatile(Kept { magic: 0, reason: 0, at: 0, count: 0, check: 0 }) };
        return Last::PowerOn;
    }
    Last::Watchdog { at: kept.at, count: kept.count }
}

/// Resets a board whose watchdog fired while the processor was at this address.
pub fn by_watchdog(at: usize) -> ! {
    reset(Reason::Watchdog, at)
}

/// Keeps the reason and resets the board.
fn reset(reason: Reason, at: usize) -> ! {
    let cell = &raw mut _kept;
    // SAFETY: as in `take`.
    let before = unsafe { cell.read_volatile() };
    let count = if before.magic == MAGIC && before.check == before.sum() { before.count.saturating_add(1) } else { 1 };
    let mut kept = Kept { magic: MAGIC, reason: reason as u32, at: at as u32, count, check: 0 };
    kept.check = kept.sum();
    // SAFETY: as in `take`.
    unsafe { cell.write_volatile(kept) };
    exit::reboot()
}
