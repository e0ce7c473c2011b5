//! The Skiff gateway on the emulated RISC-V board `qemu-riscv32`: 4 MiB of flash, 400 KiB of RAM for everything.
//!
//! The core, the limits and the packages are those of every other board. `cargo xtask qemu` builds and boots it: the
//! log in flash is played through the gateway, and what plugins emit goes out on the UART, one line each. Lines that
//! begin with `#` are talk.
#![no_std]
#![no_main]

extern crate alloc;

mod budget;
mod flash;
mod frames;
mod net;
mod packages;
mod partition;
mod play;
#[cfg(feature = "engine-chip")]
mod promised;
mod report;
mod reset;
mod talk;
mod watchdog;

use partition::Partition;
use skiff_virt::{exit, heap};

skiff_virt::entry!(main, timer: reset::by_watchdog);

/// Everything is set up, interrupts are off.
fn main() -> ! {
    heap::open();
    talk::open();
    let reset = reset::take();
    log::info!("{reset}");
    watchdog::start();
    let partition = Partition;
    if partition.asks_for("wedge") && reset.is_first() {
        log::info!("asked to wedge: this tick never ends");
        watchdog::wedge();
    }
    let done = if partition.asks_for("net") { net::run(&partition) } else { play::run(&partition) };
    let code = match done {
        Ok(()) => exit::DONE,
        Err(reason) => {
            log::error!("{reason}");
            exit::FAILED
        }
    };
    watchdog::stop();
    report::print();
    exit::exit(code)
}
