//! An ESP32-C6 as far as Skiff's firmware uses it: it runs the image that is flashed, from flash.
//!
//! The processor, the memory map, interrupts, the system timer, the scheduler's timer, the watchdog, the CAN controller
//! ([`skiff_board::twai::model`]), flash with its times, and the functions of the ROM that are called. Other registers keep
//! what is written. Not there: radio, caches and their cost, the second core, USB's other side, voltages.
//!
//! It is no model of the chip to develop against: what differs from the chip in a way that this firmware does not see was
//! left out, and what the chip does that its manual does not tell is not known here.
#![forbid(unsafe_code)]

mod boot;
mod bus;
mod cpu;
mod flash;
mod interrupts;
mod machine;
mod rom;
mod timers;

pub use bus::{Bus, PER_US};
pub use flash::{BYTES as FLASH_BYTES, Flash};
pub use machine::{Machine, Reset, Stopped};
