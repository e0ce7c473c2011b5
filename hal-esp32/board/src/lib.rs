//! What the firmware of a board decides, apart from its hardware: all of it is tested on Linux.
//!
//! - [`back_off`]: when to come back to a bus that the controller was thrown off.
//! - [`boot_choice`]: which firmware slot the boot loader starts.
//! - [`button`]: what a held button asks for.
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

pub mod back_off;
pub mod boot_choice;
pub mod button;
pub mod light;
pub mod neighbours;
pub mod wifi;
