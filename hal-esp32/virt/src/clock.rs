//! Clocks of the machine: `mtime` for time, `mcycle` for instructions.

use core::arch::asm;

/// Low and high word of `mtime` (core-local interruptor of QEMU's `virt`).
const MTIME: [*const u32; 2] = [0x0200_bff8 as *const u32, 0x0200_bffc as *const u32];
/// The same of `mtimecmp`.
const MTIMECMP: [*mut u32; 2] = [0x0200_4000 as *mut u32, 0x0200_4004 as *mut u32];
/// Ticks of `mtime` in a millisecond: 10 MHz.
pub const TICKS_PER_MS: u64 = 10_000;

/// Returns the ticks since power-on.
pub fn ticks() -> u64 {
    let [low_word, high_word] = MTIME;
    loop {
        // SAFETY: the timer is there on this machine, and reading it changes nothing.
        let high = unsafe { high_word.read_volatile() };
        // SAFETY: as above.
        let low = unsafe { low_word.read_volatile() };
        // SAFETY: as above. The high word is read twice because the low one can overflow in between.
        if unsafe { high_word.read_volatile() } == high {
            return u64::from(high) << 32 | u64::from(low);
        }
    }
}

/// Sets when the timer interrupt comes.
pub fn alarm_at(ticks: u64) {
    let [low, high] = [ticks as u32, (ticks >> 32) as u32];
    let [low_word, high_word] = MTIMECMP;
    // SAFETY: the register is there; the highest value first, so that no alarm comes half-way.
    unsafe { high_word.write_volatile(u32::MAX) };
    // SAFETY: as above.
    unsafe { low_word.write_volatile(low) };
    // SAFETY: as above.
    unsafe { high_word.write_volatile(high) };
}

/// Returns the processor's cycles; with QEMU's `-icount shift=0` these are instructions.
pub fn cycles() -> u64 {
    loop {
        let (high, low, again): (u32, u32, u32);
        // SAFETY: reading a counter changes nothing.
        unsafe {
            asm!("csrr {0}, mcycleh", "csrr {1}, mcycle", "csrr {2}, mcycleh", out(reg) high, out(reg) low, out(reg) again);
        }
        if high == again {
            return u64::from(high) << 32 | u64::from(low);
        }
    }
}
