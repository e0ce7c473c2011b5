//! A session that is told the past.

use alloc::string::String;
use alloc::sync::Arc;

use super::Session;
use crate::delta::Delta;
use crate::json;
use crate::model::Model;
use crate::time::Instant;

/// Bytes that a delta takes at most, as a rule.
const DELTA_BYTES: usize = 4096;

impl Session {
    /// Lets it be told the past alone; its hello says from when on and how fast. Nothing may have been taken from it.
    pub fn tell_the_past(&mut self, start_time: &str, rate: f64) {
        self.is_played = true;
        self.cached = None;
        // What it asks for besides was judged as that of a stream of now.
        let hello = self.replies.pop();
        self.replies.clear();
        if let Some(hello) = hello {
            let hello = json::with_member(&hello, "startTime", &json::quoted(start_time));
            let mut number = String::new();
            // Writing into a String cannot fail.
            let _ = json::write_f64(&mut number, rate);
            self.reply(&json::with_member(&hello, "playbackRate", &number));
        }
    }

    /// Gives it a delta of the past.
    pub fn play(&mut self, delta: &Arc<Delta>, model: &Model, now: Instant) {
        self.counters.offered = self.counters.offered.saturating_add(1);
        if let Some(delta) = self.select(delta, model, now) {
            self.enqueue(delta, now);
        }
    }

    /// Tells whether it can take a delta without falling behind.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.collapsed.is_empty() && self.live.has_room(DELTA_BYTES)
    }

    /// Tells whether everything was taken from it.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.replies.is_empty() && self.ready.is_empty() && self.live.is_empty() && self.collapsed.is_empty()
    }
}
