//! The Skiff gateway on the ESP32-C6: TWAI in, plugins, Wi-Fi out. It has been built, never run on a chip.
#![no_std]
#![no_main]

extern crate alloc;

mod bus;
mod clock;
mod flash;
mod log_sink;
mod mode;
#[cfg(feature = "radio")]
mod radio;
#[cfg(not(feature = "radio"))]
#[path = "no_radio.rs"]
mod radio;
mod random;
mod serve;
mod slots;
mod storage;

use esp_backtrace as _;
use esp_hal::clock::CpuClock;
use esp_hal::gpio::{Input, InputConfig, Level, Output, OutputConfig, Pull};
use esp_hal::rtc_cntl::{Rtc, RwdtStage};
use esp_hal::time::Duration;
use esp_hal::timer::timg::TimerGroup;

esp_bootloader_esp_idf::esp_app_desc!();

/// A tick that takes longer resets the board.
const WATCHDOG: Duration = Duration::from_secs(5);
/// Heap in the memory that the boot loader leaves, and beside it.
const HEAP_RECLAIMED_BYTES: usize = 64 * 1024;
/// See above.
const HEAP_BYTES: usize = 272 * 1024;

#[esp_hal::main]
fn main() -> ! {
    let chip = esp_hal::init(esp_hal::Config::default().with_cpu_clock(CpuClock::max()));
    esp_alloc::heap_allocator!(#[esp_hal::ram(reclaimed)] size: HEAP_RECLAIMED_BYTES);
    esp_alloc::heap_allocator!(size: HEAP_BYTES);
    log_sink::open();
    let mut rtc = Rtc::new(chip.RTC_TIMER);
    rtc.rwdt.set_timeout(RwdtStage::Stage0, WATCHDOG);
    rtc.rwdt.enable();
    esp_rtos::start(TimerGroup::new(chip.TIMG0).timer0, chip.FROM_CPU_INTR0);
    log::info!("skiff {}, reset: {:?}", env!("CARGO_PKG_VERSION"), esp_hal::system::reset_reason());
    let parts = serve::Parts {
        rtc,
        flash: chip.FLASH,
        wifi: chip.WIFI,
        twai: chip.TWAI0,
        twai_rx: chip.GPIO4,
        twai_tx: chip.GPIO5,
        led: Output::new(chip.GPIO15, Level::Low, OutputConfig::default()),
        button: Input::new(chip.GPIO9, InputConfig::default().with_pull(Pull::Up)),
    };
    let Err(reason) = serve::run(parts);
    log::error!("{reason}");
    // A firmware that is on trial goes with this reset.
    esp_hal::system::software_reset()
}
