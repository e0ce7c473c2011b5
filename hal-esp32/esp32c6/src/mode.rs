//! What one start asks of the next: kept in memory that a reset of the software leaves alone.

use core::sync::atomic::Ordering;

use esp_hal::ram;
use portable_atomic::AtomicU32;
use skiff_board::wifi::Mode;

/// Told from what the memory holds after power-on.
const JOIN: u32 = 0x6a6f_696e;
/// As above.
const SET_UP: u32 = 0x7365_7475;
/// As above: the button asked for it.
const OPEN: u32 = 0x6f70_656e;

#[ram(unstable(rtc_fast, persistent))]
static ASKED: AtomicU32 = AtomicU32::new(0);

/// Takes what the start before asked for, and whether the button opened the set-up page.
pub fn asked() -> (Option<Mode>, bool) {
    match ASKED.swap(0, Ordering::Relaxed) {
        JOIN => (Some(Mode::Join), false),
        SET_UP => (Some(Mode::SetUp), false),
        OPEN => (Some(Mode::SetUp), true),
        _ => (None, false),
    }
}

/// Starts anew with the set-up page open.
pub fn restart_opened() -> ! {
    ASKED.store(OPEN, Ordering::Relaxed);
    restart()
}

/// Starts anew in a mode.
pub fn restart_in(mode: Mode) -> ! {
    ASKED.store(if mode == Mode::Join { JOIN } else { SET_UP }, Ordering::Relaxed);
    restart()
}

/// Starts anew.
pub fn restart() -> ! {
    log::info!("starting anew");
    esp_hal::system::software_reset()
}
