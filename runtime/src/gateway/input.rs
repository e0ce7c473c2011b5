//! Inputs: what they take in, whether their source is there, and what `GET /skiff/v1/status` tells of it.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::fmt::{self, Write};

use super::{Gateway, InputId};
use crate::json;
use crate::n2k::{DeltaForm, Receiver};
use crate::nmea0183::{self, Sentences};
use crate::time::UnixMillis;

/// Bytes of a reason that are kept.
const REASON_BYTES_MAX: usize = 200;

/// Whether the source of an input is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum InputState {
    /// It is there: an open file, port or connection.
    #[default]
    Open,
    /// A connection is being made.
    Connecting,
    /// It is not there, for this reason; another attempt follows by itself.
    Waiting(String),
    /// A file was played to its end.
    Ended,
}

impl InputState {
    /// Returns the word for it in the status.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Connecting => "connecting",
            Self::Waiting(_) => "waiting",
            Self::Ended => "ended",
        }
    }
}

/// One input.
pub(super) struct Input {
    pub label: String,
    pub receiver: Receiver,
    /// Made at the first sentence.
    pub sentences: Option<Box<Sentences>>,
    state: InputState,
    /// How often it came to [`InputState::Waiting`].
    drops: u64,
    /// Lines that could not be read.
    bad_lines: u64,
}

impl Input {
    pub fn new(label: &str) -> Self {
        Self {
            label: label.to_string(),
            receiver: Receiver::new(label),
            sentences: None,
            state: InputState::Open,
            drops: 0,
            bad_lines: 0,
        }
    }

    /// Tells whether NMEA 2000 comes from it.
    pub fn is_n2k(&self) -> bool {
        self.receiver.counters().messages > 0
    }

    /// Writes `{"label":…,"state":…,…}`.
    pub fn write_status(&self, out: &mut String) -> fmt::Result {
        let n2k = self.receiver.counters();
        let sentences = self.sentences.as_ref().map(|sentences| sentences.counters()).unwrap_or_default();
        out.push_str("{\"label\":");
        json::write_string(out, &self.label)?;
        write!(out, ",\"state\":\"{}\",", self.state.name())?;
        if let InputState::Waiting(reason) = &self.state {
            out.push_str("\"reason\":");
            json::write_string(out, reason)?;
            out.push(',');
        }
        write!(
            out,
            "\"frames\":{},\"messages\":{},\"sentences\":{},\"deltas\":{},\"bad_lines\":{},\"drops\":{}}}",
            n2k.frames,
            n2k.messages,
            sentences.sentences,
            n2k.deltas.saturating_add(sentences.deltas),
            self.bad_lines,
            self.drops
        )
    }
}

impl Gateway {
    /// Takes a sentence of NMEA 0183 of an input and publishes its delta; what cannot be read is counted.
    ///
    /// `time` becomes the time stamp, else the wall clock's.
    pub fn receive_sentence(&mut self, input: InputId, line: &str, time: Option<UnixMillis>) {
        self.hear_sentence(input, line, time.is_none());
        let wall = time.unwrap_or_else(|| self.wall());
        let form = DeltaForm::Stamped { self_context: &self.setup.self_context };
        let Some(input) = self.inputs.get_mut(input.0) else { return };
        let label = &input.label;
        let sentences = input.sentences.get_or_insert_with(|| Box::new(Sentences::new(label)));
        // A refused sentence stands in the counters.
        if let Ok(Some(delta)) = sentences.delta(line, wall, form) {
            self.totals.deltas_0183 = self.totals.deltas_0183.saturating_add(1);
            self.take_in(delta, 0);
        }
    }

    /// Takes note of whether the source of an input is there.
    pub fn set_input_state(&mut self, input: InputId, mut state: InputState) {
        let Some(input) = self.inputs.get_mut(input.0) else { return };
        if let InputState::Waiting(reason) = &mut state {
            reason.truncate(reason.floor_char_boundary(REASON_BYTES_MAX));
            input.drops = input.drops.saturating_add(1);
        }
        input.state = state;
    }

    /// Counts a line of an input that could not be read.
    pub fn count_bad_line(&mut self, input: InputId) {
        if let Some(input) = self.inputs.get_mut(input.0) {
            input.bad_lines = input.bad_lines.saturating_add(1);
        }
    }

    /// Returns the sum of what was lost of NMEA 0183.
    pub(super) fn sentence_counters(&self) -> nmea0183::Counters {
        let mut total = nmea0183::Counters::default();
        for sentences in self.inputs.iter().filter_map(|input| input.sentences.as_ref()) {
            total.add(&sentences.counters());
        }
        total
    }
}
