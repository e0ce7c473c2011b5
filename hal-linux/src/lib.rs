//! The Skiff gateway for Linux: its HAL, the HTTP carrier, and the command line `skiff`.
//!
//! The core (`skiff-runtime`) does the work; this crate gives it clocks, files, sockets and CAN
//! ([`hal`]), clients ([`carrier`]), inputs and a thread ([`run`]), and people ([`cli`]).
// Only `hal::tap` allows it, for one ioctl.
#![deny(unsafe_code)]

pub mod announce;
pub mod appstore;
pub mod author;
pub mod backup;
pub mod bench;
pub mod carrier;
pub mod charts;
pub mod cli;
pub mod connections;
pub mod doctor;
pub mod hal;
pub mod home;
pub mod input;
pub mod layout;
pub mod limits;
pub mod logs;
#[cfg(feature = "mqtt")]
pub mod mqtt;
pub mod output;
pub mod packages;
pub mod run;
pub mod sample;
pub mod suggest;
pub mod tls;
pub mod wake;
