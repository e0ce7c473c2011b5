//! The Skiff gateway on the emulated RISC-V board `qemu-riscv32`: 4 MiB of flash, 400 KiB of RAM for everything.
//!
//! The core, the limits and the packages are those of every other board. `cargo xtask qemu` builds and boots it: the
//! log in flash is played through the gateway, and what plugins emit goes out on the UART, one line each. Lines that
//! begin with `#` are talk.
#![no_std]
#![no_main]

extern crate alloc;

mod budget;
mod clock;
mod exit;
mod flash;
mod frames;
mod heap;
mod net;
mod packages;
mod partition;
mod play;
mod report;
mod reset;
mod stack;
mod start;
mod talk;
mod uart;
mod watchdog;

use partition::Partition;
// Every copy goes through it.
use skiff_memcpy as _;

/// What the start code calls: everything is set up, interrupts are off.
fn main() -> ! {
    heap::open();
    talk::open();
    let reset = reset::take();
    log::info!("{reset}");
    watchdog::start();
    let partition = Partition::in_flash();
    if partition.asks_for("wedge") && reset.is_first() {
        log::info!("asked to wedge: this tick never ends");
        stack::wedge();
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
