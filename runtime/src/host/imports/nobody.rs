//! Services for a guest whose start section has not returned: there are none (plugin ABI §2.3).
//!
//! The guest has no memory yet that a function could read from or write to, so that none gets as far as to ask.

use alloc::string::String;

use crate::delta::DeltaVersion;
use crate::host::Services;
use crate::time::{Instant, UnixMillis};

/// Nobody to ask.
pub(super) struct Nobody;

impl Services for Nobody {
    fn wall(&self) -> UnixMillis {
        UnixMillis::default()
    }
    fn monotonic(&self) -> Instant {
        Instant::default()
    }
    fn random(&mut self, _: &mut [u8]) {}
    fn log(&mut self, _: log::Level, _: &str) {}
    fn set_status(&mut self, _: &str) {}
    fn set_error(&mut self, _: &str) {}
    fn read_config(&mut self) -> Option<String> {
        None
    }
    fn save_config(&mut self, _: &str) -> bool {
        false
    }
    fn emit(&mut self, _: &str, _: DeltaVersion) {}
    fn self_path(&mut self, _: &str) -> Option<String> {
        None
    }
    fn path(&mut self, _: &str) -> Option<String> {
        None
    }
    fn publish_notification(&mut self, _: &str, _: &str) -> bool {
        false
    }
}
