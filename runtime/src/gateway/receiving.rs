//! What a host pushes into an input: records, sentences, deltas, and what became of the source.

use alloc::sync::Arc;

use super::{Gateway, InputId, InputState};
use crate::delta::{Delta, Stamp};
use crate::n2k::log::{Item, Record};
use crate::time::UnixMillis;

impl Gateway {
    /// Takes one record of an input: decodes it, and publishes the delta when it completes a message.
    ///
    /// Time stamps are the record's, else the wall clock's; there are none while that is not known.
    pub fn receive(&mut self, input: InputId, record: &Record) {
        self.receive_item(input, &record.item, record.time);
    }

    /// As [`receive`](Self::receive), the record's time apart from it.
    pub fn receive_item(&mut self, input: InputId, item: &Item, time: Option<UnixMillis>) {
        let (inputs, mut hearing) = self.hearing();
        #[cfg(feature = "outputs")]
        inputs.tap.received(item, time);
        let delta = inputs.get_mut(input).and_then(|input| input.take(item, time, &mut hearing));
        self.take_in_some(delta);
    }

    /// Takes a sentence of NMEA 0183 of an input and publishes its delta; what cannot be read is counted.
    ///
    /// `time` becomes the time stamp, else the wall clock's.
    pub fn receive_sentence(&mut self, input: InputId, line: &str, time: Option<UnixMillis>) {
        let (inputs, mut hearing) = self.hearing();
        let delta = inputs.get_mut(input).and_then(|input| input.take_sentence(line, time, &mut hearing));
        self.take_in_some(delta);
    }

    /// Takes a delta that another server logged, JSON text, and publishes it; one that cannot be read is counted.
    ///
    /// `time` becomes the time stamp of updates that have none, else the wall clock's.
    pub fn receive_delta(&mut self, input: InputId, text: &str, time: Option<UnixMillis>) {
        let Some(label) = self.inputs.get_mut(input).map(|input| input.label()) else { return };
        let now = time.or_else(|| self.hal.clock.wall()).unwrap_or(UnixMillis::UNKNOWN);
        let stamp = Stamp { source_ref: label, self_context: &self.setup.self_context, now };
        match Delta::parse(text, &stamp) {
            Ok(delta) => self.take_in(Arc::new(delta), 0),
            Err(_) => self.count_bad_line(input),
        }
    }

    /// Takes note of whether the source of an input is there.
    pub fn set_input_state(&mut self, input: InputId, state: InputState) {
        if let Some(input) = self.inputs.get_mut(input) {
            input.set_state(state);
        }
    }

    /// Counts a line of an input that could not be read.
    pub fn count_bad_line(&mut self, input: InputId) {
        if let Some(input) = self.inputs.get_mut(input) {
            input.count_bad_line();
        }
    }

    /// Takes note of how much an input lost before it came here, such as datagrams without room in a queue, in all.
    pub fn set_input_lost(&mut self, input: InputId, total: u64) {
        if let Some(input) = self.inputs.get_mut(input) {
            input.set_lost(total);
        }
    }

    fn take_in_some(&mut self, delta: Option<Arc<Delta>>) {
        if let Some(delta) = delta {
            self.take_in(delta, 0);
        }
    }
}
