//! One input: frames, records or sentences in, deltas out, and whether its source is there.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;

#[cfg(any(test, feature = "server-routes"))]
use super::InputId;
use super::board::Board;
use super::devices::Devices;
use super::interface::{Interface, Participation};
#[cfg(any(test, feature = "remote"))]
use super::live::Live;
#[cfg(any(test, feature = "remote"))]
use super::remote::Remote;
use super::tap::Tap;
use crate::delta::Delta;
use crate::hal::{CanFrame, Clock, Rng, Storage};
use crate::json::Object;
use crate::model::Model;
use crate::n2k::log::Item;
use crate::n2k::{self, DeltaForm, N2kMessage, Receiver, ReceiverLimits};
use crate::nmea0183::{self, Sentences};
use crate::time::{Instant, UnixMillis};

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

/// What an input is lent while it takes something in: the clocks, and the board that may learn the time from it.
pub(super) struct Hearing<'g> {
    pub board: &'g mut Board,
    pub clock: &'g mut dyn Clock,
    /// What was told so far: a device can turn out to be called otherwise.
    pub model: &'g mut Model,
    /// The form of deltas.
    pub form: DeltaForm<'g>,
}

impl Hearing<'_> {
    /// Returns the time stamp of a delta: what its record says, else the wall clock, which its message may just have set.
    fn stamp(&self, time: Option<UnixMillis>) -> UnixMillis {
        time.or_else(|| self.clock.wall()).unwrap_or(UnixMillis::UNKNOWN)
    }
}

/// One input.
pub(super) struct Input {
    /// Its number, where inputs come and go; else that is its place.
    #[cfg(any(test, feature = "server-routes"))]
    pub id: InputId,
    label: String,
    receiver: Receiver,
    devices: Devices,
    /// Made at the first sentence.
    sentences: Option<Box<Sentences>>,
    /// The CAN interface it reads; `None` where records and sentences are pushed in.
    interface: Option<Interface>,
    state: InputState,
    /// How often it came to [`InputState::Waiting`].
    drops: u64,
    /// Lines that could not be read.
    bad_lines: u64,
    /// What the HAL lost on the way, such as datagrams.
    lost: u64,
    #[cfg(any(test, feature = "remote"))]
    pub live: Live,
}

impl Input {
    pub fn new(label: &str, interface: Option<Interface>, limits: ReceiverLimits) -> Self {
        Self {
            #[cfg(any(test, feature = "server-routes"))]
            id: InputId(0),
            label: label.to_string(),
            receiver: Receiver::with_limits(label, limits),
            devices: Devices::default(),
            sentences: None,
            interface,
            state: InputState::Open,
            drops: 0,
            bad_lines: 0,
            lost: 0,
            #[cfg(any(test, feature = "remote"))]
            live: Live::default(),
        }
    }

    pub fn label(&self) -> &str {
        &self.label
    }

    /// Tells whether NMEA 2000 comes from it, or can: another server does not say of each value whether a bus told it.
    pub fn is_n2k(&self) -> bool {
        #[cfg(any(test, feature = "remote"))]
        if self.live.remote.is_some() {
            return true;
        }
        self.receiver.counters().messages > 0
    }

    /// Returns its label, and the server whose deltas it brings.
    #[cfg(any(test, feature = "remote"))]
    pub fn remote(&mut self) -> (&str, &mut Remote) {
        (&self.label, self.live.remote.get_or_insert_default())
    }

    /// Takes note of how much came so far, for the rate.
    #[cfg(any(test, feature = "remote"))]
    pub fn measure(&mut self, now: Instant) {
        let (n2k, sentences) = (self.counters(), self.sentence_counters());
        let refused = self.live.remote.as_ref().map_or(0, |remote| remote.refused());
        let all = [n2k.frames, sentences.sentences, self.live.deltas(), refused, self.bad_lines];
        self.live.measure(all.into_iter().fold(0, u64::saturating_add), now);
    }

    #[cfg(any(test, feature = "server-routes"))]
    pub fn devices(&self) -> &n2k::devices::Devices {
        self.devices.all()
    }

    #[cfg(any(test, feature = "server-routes"))]
    pub fn devices_mut(&mut self) -> &mut n2k::devices::Devices {
        self.devices.all_mut()
    }

    pub fn interface(&self) -> Option<&Interface> {
        self.interface.as_ref()
    }

    pub fn interface_mut(&mut self) -> Option<&mut Interface> {
        self.interface.as_mut()
    }

    /// Returns the counters of NMEA 2000.
    pub fn counters(&self) -> n2k::Counters {
        self.receiver.counters()
    }

    /// Returns the counters of NMEA 0183.
    pub fn sentence_counters(&self) -> nmea0183::Counters {
        self.sentences.as_ref().map(|sentences| sentences.counters()).unwrap_or_default()
    }

    /// Returns the kinds of sentences that have no mapping, and how many came of each.
    pub fn unmapped_sentences(&self) -> &[nmea0183::Unmapped] {
        self.sentences.as_ref().map_or(&[], |sentences| sentences.unmapped())
    }

    /// Names devices by NAME, or by address.
    pub fn use_name(&mut self, yes: bool) {
        self.receiver.use_name(yes);
    }

    /// Puts a node on its interface; an input without one stays as it is.
    pub fn take_part(&mut self, how: &Participation<'_>, storage: &mut dyn Storage, rng: &mut dyn Rng) {
        if let Some(interface) = &mut self.interface {
            interface.take_part(&self.label, how, storage, rng);
        }
    }

    /// Takes the next frame of its interface.
    pub fn next_frame(&mut self) -> Option<CanFrame> {
        self.interface.as_mut()?.receive()
    }

    /// Takes a frame or a record; returns the delta of the message that it completes.
    ///
    /// Time stamps are the record's, `time`, else the wall clock's; there are none while that is not known.
    pub fn take(&mut self, item: &Item, time: Option<UnixMillis>, hearing: &mut Hearing<'_>) -> Option<Arc<Delta>> {
        let now = hearing.clock.now();
        let mut message = N2kMessage::default();
        if !self.receiver.item_into(item, now, &mut message) {
            return None;
        }
        hearing.board.hear_message(&self.label, &message, time.is_none(), now, hearing.clock);
        if let Some(interface) = &mut self.interface {
            interface.hear(&message, now);
        }
        let delta = self.receiver.delta(&message, hearing.stamp(time), hearing.form);
        if delta.is_none()
            && let Some((from, to)) = self.receiver.take_renamed()
        {
            hearing.model.rename_source(&from, &to);
        }
        if delta.is_none() {
            self.devices.hear(&message, &mut self.receiver, &self.label, hearing.model);
        }
        delta
    }

    /// Takes a sentence of NMEA 0183; what cannot be read is counted.
    pub fn take_sentence(
        &mut self,
        line: &str,
        time: Option<UnixMillis>,
        hearing: &mut Hearing<'_>,
    ) -> Option<Arc<Delta>> {
        hearing.board.hear_sentence(&self.label, line, time.is_none(), hearing.clock);
        let label = &self.label;
        let sentences = self.sentences.get_or_insert_with(|| Box::new(Sentences::new(label)));
        // A refused sentence stands in the counters.
        sentences.delta(line, hearing.stamp(time), hearing.form).ok().flatten().map(Arc::new)
    }

    /// Looks after its interface; returns when to do so again.
    pub fn drive(&mut self, storage: &mut dyn Storage, tap: &mut Tap, now: Instant) -> Option<Instant> {
        let interface = self.interface.as_mut()?;
        let asks = self.devices.ask(interface, now);
        let driven = interface.drive(&self.label, self.receiver.transfers_mut(), storage, tap, now);
        if let Some(state) = driven.state {
            self.set_state(state);
        }
        asks.map_or(driven.wake, |at| Some(driven.wake.map_or(at, |wake| wake.min(at))))
    }

    /// Takes note of whether its source is there.
    pub fn set_state(&mut self, mut state: InputState) {
        if let InputState::Waiting(reason) = &mut state {
            reason.truncate(reason.floor_char_boundary(REASON_BYTES_MAX));
            self.drops = self.drops.saturating_add(1);
        }
        self.state = state;
    }

    /// Returns whether its source is there.
    #[cfg(any(test, feature = "server-routes"))]
    pub fn state(&self) -> &InputState {
        &self.state
    }

    /// Counts a line that could not be read.
    pub fn count_bad_line(&mut self) {
        self.bad_lines = self.bad_lines.saturating_add(1);
    }

    /// Takes note of how much was lost before it came here, in all.
    pub fn set_lost(&mut self, total: u64) {
        self.lost = total;
    }

    /// Returns how much was lost before it came here.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Writes what `GET /skiff/v1/status` tells of it.
    pub fn status(&self, out: &mut Object<'_>) {
        let (n2k, sentences) = (self.counters(), self.sentence_counters());
        out.text("label", &self.label).text("state", self.state.name());
        if let InputState::Waiting(reason) = &self.state {
            out.text("reason", reason);
        }
        out.number("frames", n2k.frames).number("messages", n2k.messages).number("sentences", sentences.sentences);
        let deltas = n2k.deltas.saturating_add(sentences.deltas);
        #[cfg(any(test, feature = "remote"))]
        let deltas = deltas.saturating_add(self.live.deltas());
        out.number("deltas", deltas);
        out.number("bad_lines", self.bad_lines).number("drops", self.drops).number("lost", self.lost);
        if sentences.unmapped > 0 {
            out.number("unmapped_sentences", sentences.unmapped).object("unmapped_kinds", |out| {
                for (kind, count) in self.unmapped_sentences() {
                    out.number(kind, *count);
                }
            });
        }
        #[cfg(any(test, feature = "remote"))]
        self.live.status(out);
    }

    /// Writes what the status tells of its interface; nothing where it has none.
    pub fn interface_status(&self, out: &mut Object<'_>) {
        if let Some(interface) = &self.interface {
            interface.status(&self.label, self.receiver.devices(), out);
        }
    }
}
