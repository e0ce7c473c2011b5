//! What one start asks of the next: kept in memory that a reset of the software leaves alone.

use core::sync::atomic::{AtomicBool, Ordering};

use esp_hal::ram;
use portable_atomic::AtomicU32;
use skiff_board::wifi::Mode;

/// Told from what the memory holds after power-on.
const JOIN: u32 = 0x6a6f_696e;
/// As above.
const SET_UP: u32 = 0x7365_7475;

#[ram(unstable(rtc_fast, persistent))]
static ASKED: AtomicU32 = AtomicU32::new(0);

static SOON: AtomicBool = AtomicBool::new(false);

/// Takes what the start before asked for.
pub fn asked() -> Option<Mode> {
    match ASKED.swap(0, Ordering::Relaxed) {
        JOIN => Some(Mode::Join),
        SET_UP => Some(Mode::SetUp),
        _ => None,
    }
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

/// Asks for a new start, when what is going on is done.
pub fn restart_soon() {
    SOON.store(true, Ordering::Relaxed);
}

/// Tells whether one was asked for.
pub fn is_wanted() -> bool {
    SOON.load(Ordering::Relaxed)
}
