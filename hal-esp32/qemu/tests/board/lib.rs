//! The emulated board as its tests see it: booted with a partition, listened to, reached over its network.
//!
//! `cargo xtask qemu` builds the image and says in the environment where it is. A test that boots a board is `ignored`
//! by `cargo test`: the image takes minutes to build, and the emulator is not on every machine.

mod client;
mod files;
mod live;
mod partition;
mod prediction;

pub use client::{BoardClient, FROM_BUS, PATIENCE, free_port};
pub use files::{by_json, config_of, file_of, number_from, path_from, top};
pub use live::{Ended, Live, boot, boot_image, boot_live, boot_live_with};
pub use partition::Partition;
pub use prediction::{expect_close_predictions, expect_safe_predictions};
