//! Skiff's core: Signal K WebAssembly plugins on NMEA 2000 data, in a fixed memory budget.
//!
//! The crate is `no_std` + `alloc`, poll-driven, and has no thread and no clock of its own: a HAL
//! (Linux, a chip, or the in-memory [`hal::sim`]) supplies the world. `docs/ARCHITECTURE.md`
//! draws the floors; a module imports only from floors below its own. "Plugin ABI §…" means `docs/plugin-abi.md`.
#![cfg_attr(not(any(test, feature = "std")), no_std)]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable,
        clippy::string_slice
    )
)]

extern crate alloc;

pub mod accounts;
pub mod budget;
pub mod carrier;
pub mod clock;
pub mod config;
#[cfg(any(test, feature = "course"))]
pub mod course;
pub mod crc32;
pub mod delta;
pub mod device;
#[cfg(any(test, feature = "mdns"))]
pub mod discovery;
pub mod fetch;
#[cfg(feature = "flash")]
pub mod flash;
pub mod gateway;
pub mod hal;
#[cfg(any(test, feature = "history"))]
pub mod history;
pub mod host;
pub mod http;
#[cfg(feature = "engine-chip")]
pub mod images;
pub mod json;
pub mod model;
pub mod n2k;
#[cfg(feature = "smoltcp")]
pub mod net;
pub mod nmea0183;
pub mod package;
pub mod paths;
pub mod plugin;
pub mod queue;
pub mod replay;
#[cfg(any(test, feature = "trace"))]
pub mod scenario;
pub mod server;
pub mod sorted;
#[cfg(any(test, feature = "stores"))]
pub mod stores;
pub mod time;
#[cfg(any(test, feature = "tracks"))]
pub mod tracks;
pub mod vfs;
