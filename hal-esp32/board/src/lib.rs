//! What the firmware of a board decides, apart from its hardware: all of it is tested on Linux.
//!
//! - [`boot_choice`]: which firmware slot the boot loader starts.
//! - [`button`]: what a held button asks for.
//! - [`twai`]: the CAN controller: frames in and out, overrun, off the bus and back.
//! - [`wifi`]: which networks the board joins or makes.
//! - [`light`]: what the LED shows.
//! - [`neighbours`]: what it answers on a network: names, and on its own network addresses.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod boot_choice;
pub mod button;
pub mod light;
pub mod neighbours;
pub mod twai;
pub mod wifi;
