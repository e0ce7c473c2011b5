//! The watchdog: a tick that does not end resets the board.

use core::arch::asm;

use skiff_virt::clock;

/// Longest time between two ticks. A C6 at 160 MHz does in 1.2 s what this board does in it.
pub const PERIOD_MS: u64 = 200;

/// Bit of the machine timer in `mie`.
const TIMER_ENABLE: usize = 1 << 7;
/// Bit of all interrupts in `mstatus`.
const INTERRUPTS: usize = 1 << 3;

/// Arms the watchdog.
pub fn start() {
    tick();
    // SAFETY: the only interrupt that is enabled is the timer, and its handler never returns.
    unsafe { asm!("csrs mie, {0}", "csrs mstatus, {1}", in(reg) TIMER_ENABLE, in(reg) INTERRUPTS) };
}

/// Says that a tick has ended.
pub fn tick() {
    clock::alarm_at(clock::ticks().saturating_add(PERIOD_MS * clock::TICKS_PER_MS));
}

/// Switches the watchdog off, for a board that is about to end.
pub fn stop() {
    // SAFETY: no interrupt comes any more; nothing waits for one.
    unsafe { asm!("csrc mie, {0}", in(reg) TIMER_ENABLE) };
}

/// Does nothing, for ever: what the watchdog is for.
pub fn wedge() -> ! {
    loop {
        core::hint::spin_loop();
    }
}
