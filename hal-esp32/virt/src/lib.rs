//! QEMU's RISC-V machine `virt` as a small board: 4 MiB of flash, 400 KiB of RAM for everything.
//!
//! What every program on it needs, whatever it does: the gateway of `hal-esp32/qemu`, other engines' benches. A program
//! names its `main` with [`entry!`] and is linked with `-Tlink.x`.
#![no_std]

pub mod clock;
pub mod exit;
pub mod heap;
pub mod partition;
pub mod stack;
mod start;
pub mod uart;

// Every copy goes through it.
use skiff_memcpy as _;
