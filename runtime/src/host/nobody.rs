//! [`Services`] where there are none: for a guest whose start section has not returned (plugin ABI §2.3), which has no
//! memory yet that a function could read from or write to, and for benches of a plugin by itself.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::delta::{Delta, DeltaVersion, ValueSink};
use crate::host::Services;
use crate::time::{Instant, UnixMillis};

/// Nobody to ask: answers with nothing, and does with an emitted delta what `H` does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nobody<H = ()> {
    /// The wall clock, which stands still.
    pub wall: UnixMillis,
    /// What is left of the deltas that were emitted.
    pub heard: H,
}

/// What becomes of a delta that nobody waits for: `()` forgets it, a number counts it, a `Vec<String>` keeps it.
pub trait Heard {
    /// Takes the text of a delta.
    fn hear(&mut self, delta: &str);
    /// Takes a delta of values, whose text is not made yet.
    fn hear_values(&mut self, delta: &Delta) {
        self.hear(delta.text());
    }
}

impl Heard for () {
    fn hear(&mut self, _: &str) {}
    fn hear_values(&mut self, _: &Delta) {}
}

impl Heard for u64 {
    fn hear(&mut self, _: &str) {
        *self = self.saturating_add(1);
    }
    fn hear_values(&mut self, _: &Delta) {
        self.hear("");
    }
}

impl Heard for Vec<String> {
    fn hear(&mut self, delta: &str) {
        self.push(delta.to_owned());
    }
}

impl<H: Heard> Services for Nobody<H> {
    fn wall(&self) -> UnixMillis {
        self.wall
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
    fn emit(&mut self, delta: &str, _: DeltaVersion) {
        self.heard.hear(delta);
    }
    fn publish(&mut self, _: usize, rows: &mut dyn FnMut(&mut dyn ValueSink)) {
        let nobody = Arc::default();
        if let Ok(delta) = Delta::of_values(&nobody, &nobody, self.wall, rows) {
            self.heard.hear_values(&delta);
        }
    }
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
