//! Deltas kept for what goes out of the gateway beside its server, and what became of the outputs.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Gateway;
use crate::delta::Delta;
use crate::json::Object;
use crate::queue::{Queue, QueueCounters};

/// Deltas that wait to be taken, and their bytes: those of a turn. The oldest gives way.
pub const OUTPUT_DELTAS_MAX: u16 = 4096;
/// Bytes of their texts.
pub const OUTPUT_BYTES_MAX: u32 = 4 * 1024 * 1024;

/// What is kept for the outputs, and told of them.
#[derive(Default)]
pub(super) struct Outputs {
    /// What was handed out and not taken yet; nothing is kept before somebody listens.
    queue: Option<Queue<Arc<Delta>>>,
    /// What the HAL said last.
    told: Vec<OutputStatus>,
}

impl Outputs {
    /// Returns what became of each.
    #[cfg(any(test, feature = "metrics"))]
    pub fn told(&self) -> &[OutputStatus] {
        &self.told
    }
}

/// One output, as the status tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputStatus {
    /// What it is called.
    pub name: String,
    /// Where it goes, without a secret.
    pub address: String,
    /// How it is written.
    pub format: &'static str,
    /// `open`, `connecting` or `waiting`.
    pub state: &'static str,
    /// Why it waits.
    pub reason: Option<String>,
    /// Those who are connected; one where it is no listener and open.
    pub clients: u64,
    /// Lines that were made.
    pub lines: u64,
    /// Bytes that were written, to all together.
    pub bytes: u64,
    /// Lines that did not reach somebody, or clients that were not served, by reason.
    pub dropped: [(&'static str, u64); 4],
    /// Messages that clients wanted on the bus.
    pub received: u64,
    /// Those of them that came faster than they were taken.
    pub overrun: u64,
}

impl OutputStatus {
    /// Writes what the status tells of it.
    pub fn write(&self, out: &mut Object<'_>) {
        out.text("name", &self.name).text("address", &self.address).text("format", self.format);
        out.text("state", self.state);
        if let Some(reason) = &self.reason {
            out.text("reason", reason);
        }
        out.number("clients", self.clients).number("lines", self.lines).number("bytes", self.bytes);
        out.object("dropped", |out| {
            for (reason, count) in self.dropped {
                out.number(reason, count);
            }
        });
        out.number("received", self.received).number("overrun", self.overrun);
    }
}

impl Gateway {
    /// Keeps every delta that is handed out to clients for [`next_output`](Self::next_output) from now on, of all
    /// contexts, values to which others are preferred left out.
    pub fn listen(&mut self) {
        self.outputs.queue.get_or_insert_with(|| Queue::new(OUTPUT_DELTAS_MAX, OUTPUT_BYTES_MAX));
    }

    /// Keeps none any more, and frames neither: the last output is gone.
    pub fn stop_listening(&mut self) {
        self.outputs.queue = None;
        self.inputs.tap.stop();
    }

    /// Takes the oldest delta that was handed out.
    pub fn next_output(&mut self) -> Option<Arc<Delta>> {
        self.outputs.queue.as_mut()?.pop()
    }

    /// Returns how many deltas were kept, and how many of them nobody took in time.
    #[must_use]
    pub fn output_counters(&self) -> QueueCounters {
        self.outputs.queue.as_ref().map(Queue::counters).unwrap_or_default()
    }

    /// Takes note of what became of the outputs, for the status.
    pub fn tell_outputs(&mut self, outputs: Vec<OutputStatus>) {
        self.outputs.told = outputs;
    }

    /// Writes the members `outputs`, and `relay` where raw outputs are listened to.
    pub(super) fn output_status(&self, out: &mut Object<'_>) {
        out.list("outputs", |out| {
            for output in &self.outputs.told {
                out.object(|out| output.write(out));
            }
        });
        let (deltas, raw) = (self.output_counters().dropped, self.passed_counters());
        out.object("output_drops", |out| {
            out.number("deltas", deltas).number("frames", raw.dropped);
        });
        out.object("relay", |out| self.inputs.relaying.status(out));
    }

    /// Keeps a delta where somebody listens.
    pub(super) fn put_out(&mut self, delta: &Arc<Delta>) {
        if let Some(queue) = &mut self.outputs.queue {
            queue.push(Arc::clone(delta), delta.text_bytes_max());
        }
    }
}
