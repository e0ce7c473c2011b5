//! Frames and messages of the bus as they pass, for outputs that hand them on raw.

use super::Gateway;
use crate::hal::CanFrame;
use crate::n2k::log::{Item, Record};
use crate::queue::{Queue, QueueCounters};
use crate::time::UnixMillis;

/// Frames and messages that wait to be taken: those of a turn. The oldest gives way.
pub const PASSED_MAX: u16 = 4096;

/// A frame or message of NMEA 2000 that passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// What, and when: the log's time where it comes from one, else now.
    pub record: Record,
    /// The own node has sent it.
    pub is_sent: bool,
}

/// What passed and was not taken yet; nothing is kept before somebody listens.
#[derive(Debug, Default)]
pub(super) struct Tap(Option<Queue<Passed>>);

impl Tap {
    /// Keeps a frame or message that was received.
    pub fn received(&mut self, item: &Item, time: Option<UnixMillis>) {
        self.keep(|| Passed { record: Record { time, item: item.clone() }, is_sent: false });
    }

    /// Keeps a frame that was received of an interface.
    pub fn received_frame(&mut self, frame: &CanFrame) {
        self.keep(|| Passed { record: Record { time: None, item: Item::Frame(*frame) }, is_sent: false });
    }

    /// Keeps a frame that the own node has sent.
    pub fn sent(&mut self, frame: &CanFrame) {
        self.keep(|| Passed { record: Record { time: None, item: Item::Frame(*frame) }, is_sent: true });
    }

    /// Keeps none any more.
    pub fn stop(&mut self) {
        self.0 = None;
    }

    fn keep(&mut self, make: impl FnOnce() -> Passed) {
        if let Some(queue) = &mut self.0 {
            queue.push(make(), 1);
        }
    }
}

impl Gateway {
    /// Keeps each frame and message of NMEA 2000 for [`next_passed`](Self::next_passed) from now on.
    pub fn listen_raw(&mut self) {
        self.inputs.tap.0.get_or_insert_with(|| Queue::new(PASSED_MAX, PASSED_MAX.into()));
    }

    /// Takes the oldest that passed; what came without a time has that of now.
    pub fn next_passed(&mut self) -> Option<Passed> {
        let mut passed = self.inputs.tap.0.as_mut()?.pop()?;
        passed.record.time = passed.record.time.or_else(|| self.hal.clock.wall());
        Some(passed)
    }

    /// Returns how many passed, and how many of them nobody took in time.
    #[must_use]
    pub fn passed_counters(&self) -> QueueCounters {
        self.inputs.tap.0.as_ref().map(Queue::counters).unwrap_or_default()
    }
}
