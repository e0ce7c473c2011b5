//! Waiting: the processor sleeps until a device has something or a time has come.
//!
//! No interrupt handler runs: while the processor sleeps, interrupts wake it but are not taken (RISC-V privileged
//! architecture, `wfi`). The watchdog is off only for the sleep, which is shorter than its period.

use core::arch::asm;

use super::virtio;
use skiff_virt::clock;

use crate::watchdog;

/// Priority of each source; the platform-level interrupt controller of QEMU's `virt`.
const PRIORITY: *mut u32 = 0x0c00_0000 as *mut u32;
/// Sources that reach machine mode of the only processor.
const ENABLE: *mut u32 = 0x0c00_2000 as *mut u32;
/// Priorities up to this do not.
const THRESHOLD: *mut u32 = 0x0c20_0000 as *mut u32;
/// Read: which source; written: done with it.
const CLAIM: *mut u32 = 0x0c20_0004 as *mut u32;
/// Source of the first virtio place; the others follow.
const FIRST_SOURCE: usize = 1;

/// Bit of external interrupts in `mie`.
const EXTERNAL: usize = 1 << 11;
/// Bit of all interrupts in `mstatus`.
const INTERRUPTS: usize = 1 << 3;
/// Longest sleep; half of what the watchdog allows.
const SLEEP_MAX_MS: u64 = watchdog::PERIOD_MS / 2;

/// Lets virtio devices wake the processor.
pub fn open() {
    let mut sources = 0;
    for source in FIRST_SOURCE..FIRST_SOURCE + virtio::PLACES {
        let priority = PRIORITY.wrapping_add(source);
        // SAFETY: the controller is there on this machine; priority 1 is the lowest that counts.
        unsafe { priority.write_volatile(1) };
        sources |= 1 << source;
    }
    // SAFETY: as above.
    unsafe { THRESHOLD.write_volatile(0) };
    // SAFETY: as above. External interrupts are enabled in `mie` only while the processor sleeps.
    unsafe { ENABLE.write_volatile(sources) };
}

/// Sleeps until a device has something, or until `ticks`, or for a while.
pub fn sleep_until(ticks: u64) {
    // SAFETY: interrupts stay pending while they are off; the watchdog's among them.
    unsafe { asm!("csrc mstatus, {0}", in(reg) INTERRUPTS) };
    clock::alarm_at(ticks.min(clock::ticks().saturating_add(SLEEP_MAX_MS * clock::TICKS_PER_MS)));
    // SAFETY: with interrupts off, an enabled one ends `wfi` and is not taken.
    unsafe { asm!("csrs mie, {0}", "wfi", "csrc mie, {0}", in(reg) EXTERNAL) };
    // SAFETY: reading claims a source, 0 when there is none.
    let source = unsafe { CLAIM.read_volatile() };
    if source != 0 {
        // SAFETY: it was claimed just now. Its device is asked by the next poll, and says so again if it was not.
        unsafe { CLAIM.write_volatile(source) };
    }
    watchdog::tick();
    // SAFETY: the timer was moved on, and external interrupts are off in `mie`: only the watchdog can come.
    unsafe { asm!("csrs mstatus, {0}", in(reg) INTERRUPTS) };
}
