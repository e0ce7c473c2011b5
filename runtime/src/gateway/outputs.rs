//! Deltas kept for what goes out of the gateway beside its server: NMEA 0183, streams without a web socket.

use alloc::sync::Arc;

use super::Gateway;
use crate::delta::Delta;
use crate::queue::{Queue, QueueCounters};

/// Deltas that wait to be taken, and their bytes: those of a turn. The oldest gives way.
pub const OUTPUT_DELTAS_MAX: u16 = 4096;
/// Bytes of their texts.
pub const OUTPUT_BYTES_MAX: u32 = 4 * 1024 * 1024;

/// What was handed out and not taken yet; nothing is kept before somebody listens.
pub(super) type Outputs = Option<Queue<Arc<Delta>>>;

impl Gateway {
    /// Keeps every delta that is handed out to clients for [`next_output`](Self::next_output) from now on, of all
    /// contexts, values to which others are preferred left out.
    pub fn listen(&mut self) {
        self.outputs.get_or_insert_with(|| Queue::new(OUTPUT_DELTAS_MAX, OUTPUT_BYTES_MAX));
    }

    /// Takes the oldest delta that was handed out.
    pub fn next_output(&mut self) -> Option<Arc<Delta>> {
        self.outputs.as_mut()?.pop()
    }

    /// Returns how many deltas were kept, and how many of them nobody took in time.
    #[must_use]
    pub fn output_counters(&self) -> QueueCounters {
        self.outputs.as_ref().map(Queue::counters).unwrap_or_default()
    }

    /// Keeps a delta where somebody listens.
    pub(super) fn put_out(&mut self, delta: &Arc<Delta>) {
        if let Some(outputs) = &mut self.outputs {
            outputs.push(Arc::clone(delta), delta.text_bytes_max());
        }
    }
}
