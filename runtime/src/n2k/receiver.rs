//! One input: frames in, messages out, messages in, deltas out, everything counted.

use alloc::string::String;
use alloc::sync::Arc;

use super::decode::Decoded;
use super::fast_packet::{FastPacketError, FastPackets};
use super::id::{BROADCAST, Id, Pgn, SourceAddress};
use super::iso_tp::{self, IsoTp, IsoTpError};
use super::log::Item;
use super::map::memory::{Memory, Name, Source};
use super::map::{self, DeltaContext, Target};
use super::payload::Payload;
use super::table::is_fast;
use crate::delta::{
    BusHead, BusLabel, BusSink, BusSource, Delta, DeltaWriter, NAME_BYTES_MAX, ToldWriter, hexadecimal,
};
use crate::hal::CanFrame;
use crate::time::{Instant, UnixMillis};

/// Bytes of a source label that are kept; `$source` is the label, a point and the 16 digits of a NAME.
pub const LABEL_BYTES_MAX: usize = NAME_BYTES_MAX - 17;

/// ISO address claim (ISO 11783-5).
const ADDRESS_CLAIM: Pgn = Pgn(60_928);

/// One whole NMEA 2000 message.
///
/// An empty one is room for the next: moving one takes longer than reading a frame into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct N2kMessage {
    /// Who sent what to whom.
    pub id: Id,
    /// All of its data, fast packets and transfers cut to the announced length.
    pub payload: Payload,
}

impl Default for N2kMessage {
    /// Returns one without data, from nobody.
    fn default() -> Self {
        let id = Id { priority: 0, pgn: Pgn(0), source: SourceAddress::NULL, destination: BROADCAST };
        Self { id, payload: Payload::new() }
    }
}

/// What the delta is for.
#[derive(Clone, Copy, Debug)]
pub enum DeltaForm<'a> {
    /// Decoder output: `_line` first, no label, no context for the own vessel, no `$source`.
    Line {
        /// Line, frame or record number from 1 that completed the message.
        line: u64,
    },
    /// The gateway's: context, label and `$source`.
    Stamped {
        /// Context of the own vessel, `vessels.urn:…`.
        self_context: &'a str,
    },
}

/// Counters of one [`Receiver`]: what it read, and what it lost, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// CAN frames taken in.
    pub frames: u64,
    /// Messages put together, or taken in whole.
    pub messages: u64,
    /// Deltas made of them.
    pub deltas: u64,
    /// Messages of a PGN that has no mapping.
    pub unmapped: u64,
    /// Messages of a mapped PGN without any value.
    pub without_value: u64,
    /// Messages from address 254.
    pub null_address: u64,
    /// Whole messages longer than a payload can be.
    pub oversized: u64,
    /// Fast packets whose first frame was not seen.
    pub lost_no_start: u64,
    /// Fast packets with a frame missing.
    pub lost_gap: u64,
    /// Fast packet frames too short, announcing too much, or behind the end.
    pub lost_malformed: u64,
    /// Fast packets that did not end in time.
    pub lost_timed_out: u64,
    /// Fast packets evicted because too many were open.
    pub lost_evicted: u64,
    /// Fast packets begun anew before their end.
    pub lost_restarted: u64,
    /// Transport protocol frames whose parts do not go together.
    pub transfer_malformed: u64,
    /// Transport protocol data that were not announced.
    pub transfer_no_start: u64,
    /// Transfers that stood still for too long.
    pub transfer_timed_out: u64,
    /// Transfers that gave way to others.
    pub transfer_evicted: u64,
    /// Transfers begun anew before their end.
    pub transfer_restarted: u64,
    /// Transfers given up by sender or receiver.
    pub transfer_aborted: u64,
    /// Devices that were forgotten because more speak than are remembered.
    pub forgotten_sources: u64,
    /// Power factors forgotten for the same reason: apparent power is missing then.
    pub forgotten_power_factors: u64,
    /// Texts of alerts forgotten for the same reason.
    pub forgotten_alert_texts: u64,
    /// Messages whose lost values are not told, because others are remembered.
    pub forgotten_given: u64,
}

impl Counters {
    /// Adds the counts of another receiver.
    pub fn add(&mut self, other: &Self) {
        // Named in full, so that a counter that is forgotten here does not compile.
        let Self {
            frames,
            messages,
            deltas,
            unmapped,
            without_value,
            null_address,
            oversized,
            lost_no_start,
            lost_gap,
            lost_malformed,
            lost_timed_out,
            lost_evicted,
            lost_restarted,
            transfer_malformed,
            transfer_no_start,
            transfer_timed_out,
            transfer_evicted,
            transfer_restarted,
            transfer_aborted,
            forgotten_sources,
            forgotten_power_factors,
            forgotten_alert_texts,
            forgotten_given,
        } = self;
        for (sum, more) in [
            (frames, other.frames),
            (messages, other.messages),
            (deltas, other.deltas),
            (unmapped, other.unmapped),
            (without_value, other.without_value),
            (null_address, other.null_address),
            (oversized, other.oversized),
            (lost_no_start, other.lost_no_start),
            (lost_gap, other.lost_gap),
            (lost_malformed, other.lost_malformed),
            (lost_timed_out, other.lost_timed_out),
            (lost_evicted, other.lost_evicted),
            (lost_restarted, other.lost_restarted),
            (transfer_malformed, other.transfer_malformed),
            (transfer_no_start, other.transfer_no_start),
            (transfer_timed_out, other.transfer_timed_out),
            (transfer_evicted, other.transfer_evicted),
            (transfer_restarted, other.transfer_restarted),
            (transfer_aborted, other.transfer_aborted),
            (forgotten_sources, other.forgotten_sources),
            (forgotten_power_factors, other.forgotten_power_factors),
            (forgotten_alert_texts, other.forgotten_alert_texts),
            (forgotten_given, other.forgotten_given),
        ] {
            *sum = sum.saturating_add(more);
        }
    }

    /// Returns name and count of each way that frames and messages are lost.
    #[must_use]
    pub fn losses(&self) -> [(&'static str, u64); 17] {
        [
            ("n2k_oversized", self.oversized),
            ("n2k_no_start", self.lost_no_start),
            ("n2k_gap", self.lost_gap),
            ("n2k_malformed", self.lost_malformed),
            ("n2k_timed_out", self.lost_timed_out),
            ("n2k_evicted", self.lost_evicted),
            ("n2k_restarted", self.lost_restarted),
            ("n2k_transfer_malformed", self.transfer_malformed),
            ("n2k_transfer_no_start", self.transfer_no_start),
            ("n2k_transfer_timed_out", self.transfer_timed_out),
            ("n2k_transfer_evicted", self.transfer_evicted),
            ("n2k_transfer_restarted", self.transfer_restarted),
            ("n2k_transfer_aborted", self.transfer_aborted),
            ("n2k_forgotten_sources", self.forgotten_sources),
            ("n2k_forgotten_power_factors", self.forgotten_power_factors),
            ("n2k_forgotten_alert_texts", self.forgotten_alert_texts),
            ("n2k_forgotten_given", self.forgotten_given),
        ]
    }
}

/// How much one [`Receiver`] remembers. What is beyond is forgotten, the oldest first, and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiverLimits {
    /// Messages of the ISO transport protocol that are put together at a time, up to 1,785 bytes each.
    pub transfer_sessions_max: u8,
    /// Devices by address: their NAMEs, courses and sources that play; 16 bytes each. A bus has 252 addresses.
    pub sources_max: u8,
    /// Power factors of AC meters (65006 and its like), four of each; 32 bytes each.
    pub power_factors_max: u16,
    /// Messages whose values are told when they are gone, by device, PGN and instance; 8 bytes each.
    pub given_max: u16,
}

impl ReceiverLimits {
    /// Of a chip: a boat of 64 devices.
    pub const CHIP: Self =
        Self { transfer_sessions_max: iso_tp::SESSIONS, sources_max: 64, power_factors_max: 16, given_max: 96 };
    /// Of a computer: a full bus, each device an AC meter.
    pub const COMPUTER: Self =
        Self { transfer_sessions_max: 8, sources_max: 252, power_factors_max: 1008, given_max: 4096 };
}

impl Default for ReceiverLimits {
    fn default() -> Self {
        Self::CHIP
    }
}

/// What a message becomes.
#[derive(Clone, Copy)]
enum To {
    Values,
    Text,
}

/// Turns what one input receives into deltas.
#[derive(Clone, Debug)]
pub struct Receiver {
    label: heapless::String<LABEL_BYTES_MAX>,
    /// `$source` has the NAME where it is known.
    uses_name: bool,
    fast_packets: FastPackets,
    transfers: IsoTp,
    counters: Counters,
    memory: Memory,
    /// The device whose NAME became known last, its address and NAME.
    named: Option<(SourceAddress, Name)>,
    /// Every delta is told in the same memory.
    teller: ToldWriter,
    /// Every text is written in the same memory.
    writer: DeltaWriter,
    /// How a `source` object with the label begins.
    bus_label: BusLabel,
}

impl Receiver {
    /// Builds the receiver of the input called `label`; a longer one than [`LABEL_BYTES_MAX`] is cut.
    #[must_use]
    pub fn new(label: &str) -> Self {
        Self::with_limits(label, ReceiverLimits::default())
    }

    /// As [`new`](Self::new), with room for this much.
    #[must_use]
    pub fn with_limits(label: &str, limits: ReceiverLimits) -> Self {
        let mut kept = heapless::String::new();
        // A push that does not fit leaves the label as it is, and so does every one after it.
        let _ = label.chars().try_for_each(|letter| kept.push(letter));
        Self {
            bus_label: BusLabel::new(&kept),
            label: kept,
            uses_name: true,
            fast_packets: FastPackets::default(),
            transfers: IsoTp::new(limits.transfer_sessions_max.into()),
            counters: Counters::default(),
            memory: Memory::new(limits),
            named: None,
            teller: ToldWriter::default(),
            writer: DeltaWriter::default(),
        }
    }

    /// Takes a frame and returns the message that it completes.
    ///
    /// `now` is the monotonic clock; it ages fast packets that do not end.
    pub fn frame(&mut self, frame: &CanFrame, now: Instant) -> Option<N2kMessage> {
        let mut message = N2kMessage::default();
        self.frame_into(frame, now, &mut message).then_some(message)
    }

    /// As [`frame`](Self::frame), but puts the message into `message`: true when it is there.
    pub fn frame_into(&mut self, frame: &CanFrame, now: Instant, message: &mut N2kMessage) -> bool {
        count(&mut self.counters.frames);
        let id = Id::from_can(frame.id());
        let whole = if is_fast(id.pgn) {
            match self.fast_packets.push_into(&id, frame.data(), now, &mut message.payload) {
                Ok(whole) => whole,
                Err(error) => {
                    count(match error {
                        FastPacketError::Malformed => &mut self.counters.lost_malformed,
                    });
                    false
                }
            }
        } else if IsoTp::is_transport(id.pgn) {
            return self.transfer(&id, frame.data(), now, message);
        } else {
            message.payload.set(frame.data()).is_ok()
        };
        if whole {
            message.id = id;
            count(&mut self.counters.messages);
        }
        whole
    }

    /// Puts the message that a record of a log or an input completes into `message`: true when it is there.
    pub fn item_into(&mut self, item: &Item, now: Instant, message: &mut N2kMessage) -> bool {
        match item {
            Item::Frame(frame) => self.frame_into(frame, now, message),
            Item::Whole { id, payload } => self.whole_into(*id, payload, message),
        }
    }

    fn transfer(&mut self, id: &Id, data: &[u8], now: Instant, message: &mut N2kMessage) -> bool {
        match self.transfers.push(id, data, now) {
            Ok(Some((id, payload))) => {
                count(&mut self.counters.messages);
                *message = N2kMessage { id, payload };
                true
            }
            Ok(None) => false,
            Err(error) => {
                count(match error {
                    IsoTpError::Malformed => &mut self.counters.transfer_malformed,
                    IsoTpError::NoStart => &mut self.counters.transfer_no_start,
                });
                false
            }
        }
    }

    /// Returns the transport protocol, for a node that answers transfers to its address.
    pub fn transfers_mut(&mut self) -> &mut IsoTp {
        &mut self.transfers
    }

    /// Names devices in `$source` by NAME once it is known, as at first, or always by address.
    pub fn use_name(&mut self, yes: bool) {
        self.uses_name = yes;
        self.memory.forget_references();
    }

    /// Returns the `$source` that a device had by its address, and the one that it has now that its NAME is known: once
    /// for each device, right after its claim. Claims come late where nobody asks for them.
    pub fn take_renamed(&mut self) -> Option<(String, String)> {
        let (address, name) = self.named.take()?;
        let of = |device: &str| [self.label.as_str(), ".", device].concat();
        Some((of(&map::digits(address.0.into())), of(&hexadecimal(name.bits()))))
    }

    /// Returns the `$source` of the device at `address`.
    pub fn source_ref(&mut self, address: SourceAddress) -> Arc<str> {
        let name = self.memory.source(address).and_then(Source::name).map(Name::bits).filter(|_| self.uses_name);
        self.memory.reference(address, || source_ref(&self.label, address, name))
    }

    /// Visits the devices whose address claim was heard: address and NAME.
    pub fn devices(&self) -> impl Iterator<Item = (SourceAddress, u64)> {
        self.memory.claims().map(|(address, name)| (address, name.bits()))
    }

    /// Takes a message that came whole, as gateways and logs give them; `None` when it is too long, which is counted.
    pub fn whole(&mut self, id: Id, payload: &[u8]) -> Option<N2kMessage> {
        let mut message = N2kMessage::default();
        self.whole_into(id, payload, &mut message).then_some(message)
    }

    /// As [`whole`](Self::whole), but puts the message into `message`: true when it is there.
    pub fn whole_into(&mut self, id: Id, payload: &[u8], message: &mut N2kMessage) -> bool {
        let fits = message.payload.set(payload).is_ok();
        message.id = id;
        count(if fits { &mut self.counters.messages } else { &mut self.counters.oversized });
        fits
    }

    /// Returns the delta of a message, without a time stamp where `time` is not known; `None` when its PGN is unmapped, it
    /// comes from address 254, or it has no value.
    pub fn delta(&mut self, message: &N2kMessage, time: UnixMillis, form: DeltaForm<'_>) -> Option<Arc<Delta>> {
        let delta = match form {
            // A decoder's output is text, and begins with what only text has.
            DeltaForm::Line { .. } => {
                self.map(message, time, form, To::Text).and_then(|()| self.writer.delta().ok()).map(Arc::new)
            }
            DeltaForm::Stamped { .. } => {
                self.map(message, time, form, To::Values).and_then(|()| self.teller.delta().ok())
            }
        };
        self.count_delta(message, delta.is_some());
        delta
    }

    /// Returns the text of the delta that [`delta`](Self::delta) would return, in memory that is used again.
    pub fn delta_text(&mut self, message: &N2kMessage, time: UnixMillis, form: DeltaForm<'_>) -> Option<&str> {
        let written = self.map(message, time, form, To::Text).is_some() && self.writer.text().is_ok();
        self.count_delta(message, written);
        if written { self.writer.text().ok() } else { None }
    }

    fn count_delta(&mut self, message: &N2kMessage, written: bool) {
        count(if written {
            &mut self.counters.deltas
        } else if message.id.source == SourceAddress::NULL {
            &mut self.counters.null_address
        } else if map::is_mapped(message.id.pgn) && Decoded::new(message.id.pgn, &message.payload).is_some() {
            &mut self.counters.without_value
        } else {
            &mut self.counters.unmapped
        });
    }

    /// Gives the delta of a message to one of the writers; `None` when there is none.
    fn map(&mut self, message: &N2kMessage, time: UnixMillis, form: DeltaForm<'_>, to: To) -> Option<()> {
        let id = message.id;
        if id.source == SourceAddress::NULL {
            return None;
        }
        if id.pgn == ADDRESS_CLAIM {
            let name = <[u8; 8]>::try_from(message.payload.as_slice()).ok()?;
            let name = Name::new(u64::from_le_bytes(name))?;
            if self.memory.claim(id.source, name) && self.uses_name {
                self.named = Some((id.source, name));
            }
            return None;
        }
        let (rule, mapping) = map::find(id.pgn)?;
        // A reference: it is not moved then.
        let Some(decoded) = &Decoded::new(id.pgn, &message.payload) else { return None };
        // Some rules give null for an absent field; without a single byte there is nothing to say that of.
        if message.payload.is_empty() {
            return None;
        }
        // Nearly always it is the own vessel's, and a context is long: none is moved then.
        let foreign;
        let target = match mapping.target {
            Target::Own => None,
            of_other => {
                foreign = of_other.context(decoded);
                match &foreign {
                    DeltaContext::Own => None,
                    DeltaContext::Other(context) => Some(context.as_str()),
                    DeltaContext::Invalid => return None,
                }
            }
        };
        let known = self.memory.source(id.source);
        let name = known.and_then(Source::name).map(Name::bits);
        let device_instance = known.and_then(Source::device_instance);
        let (line, context, source_ref) = match form {
            DeltaForm::Line { line } => (Some(line), target, None),
            DeltaForm::Stamped { self_context } => {
                let (label, name) = (&self.label, name.filter(|_| self.uses_name));
                let source_ref = self.memory.reference(id.source, || source_ref(label, id.source, name));
                (None, Some(target.unwrap_or(self_context)), Some(source_ref))
            }
        };
        let head = BusHead {
            line,
            context,
            is_own: target.is_none(),
            source: BusSource {
                label: line.is_none().then(|| self.bus_label.clone()),
                pgn: id.pgn.0,
                address: id.source.0,
                name,
                device_instance,
                instance: mapping.source_instance(decoded),
            },
            source_ref: source_ref.as_ref(),
            time,
        };
        let sink: &mut dyn BusSink = match to {
            To::Values => &mut self.teller,
            To::Text => &mut self.writer,
        };
        sink.begin(head);
        let key = mapping.key(rule, id, decoded);
        let given = key.map_or(0, |key| self.memory.given(key));
        let memory = &mut self.memory;
        let mut scene = map::Scene { decoded, id, time, memory, sink, given };
        mapping.run(&mut scene);
        let now = scene.given;
        if let Some(key) = key.filter(|_| now != given) {
            self.memory.keep_given(key, now);
        }
        Some(())
    }

    /// Returns how many messages have begun and not ended: at the end of a log they are lost.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.fast_packets.unfinished().saturating_add(self.transfers.unfinished())
    }

    /// Returns the counters so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let dropped = self.fast_packets.dropped();
        let transfers = self.transfers.dropped();
        let forgotten = self.memory.forgotten();
        Counters {
            forgotten_sources: forgotten.sources,
            forgotten_power_factors: forgotten.power_factors,
            forgotten_alert_texts: forgotten.alert_texts,
            forgotten_given: forgotten.given,
            transfer_timed_out: transfers.timed_out,
            transfer_evicted: transfers.evicted,
            transfer_restarted: transfers.restarted,
            transfer_aborted: transfers.aborted,
            lost_no_start: dropped.no_start,
            lost_gap: dropped.gap,
            lost_timed_out: dropped.timed_out,
            lost_evicted: dropped.evicted,
            lost_restarted: dropped.restarted,
            ..self.counters
        }
    }
}

/// Returns the `$source` of a device. What stands for it is its NAME where it is known, since addresses change. The label is
/// kept short enough for this to fit.
fn source_ref(label: &str, address: SourceAddress, name: Option<u64>) -> Arc<str> {
    let device = match name {
        Some(name) => hexadecimal(name),
        None => map::digits(address.0.into()),
    };
    let mut text = heapless::String::<NAME_BYTES_MAX>::new();
    for part in [label, ".", &device] {
        let _ = text.push_str(part);
    }
    text.as_str().into()
}

fn count(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::n2k::encode::{Input, encode};
    use crate::n2k::{Field, Frames, Pgn};

    /// 2026-06-01T10:00:00Z.
    const TIME: UnixMillis = UnixMillis(1_780_308_000_000);

    fn id(pgn: u32, source: u8) -> Id {
        Id { priority: 6, pgn: Pgn(pgn), source: SourceAddress(source), destination: 255 }
    }

    fn assembled(receiver: &mut Receiver, pgn: u32, source: u8, fields: &[(Field, Input<'_>)]) -> N2kMessage {
        receiver.whole(id(pgn, source), &encode(Pgn(pgn), fields).unwrap()).unwrap()
    }

    #[test]
    fn lines_carry_the_number_and_no_label() {
        let mut receiver = Receiver::new("can0");
        let fields = [
            (Field::Instance, Input::Raw(3)),
            (Field::Source, Input::Raw(13)),
            (Field::ActualTemperature, Input::Raw(25_886)),
        ];
        let message = assembled(&mut receiver, 130_312, 42, &fields);
        assert_eq!(
            receiver.delta(&message, TIME, DeltaForm::Line { line: 98_765_432_109 }).unwrap().text(),
            r#"{"_line":98765432109,"updates":[{"source":{"label":"","type":"NMEA2000","pgn":130312,"src":"42","instance":"3"},"timestamp":"2026-06-01T10:00:00.000Z","values":[{"path":"environment.inside.freezer.temperature","value":258.86}]}]}"#
        );
    }

    #[test]
    fn stamped_deltas_carry_context_label_and_source() {
        let mut receiver = Receiver::new("can0");
        let message = assembled(&mut receiver, 127_251, 7, &[(Field::Rate, Input::Raw(-32))]);
        assert_eq!(
            receiver.delta(&message, TIME, DeltaForm::Stamped { self_context: "vessels.urn:x" }).unwrap().text(),
            r#"{"context":"vessels.urn:x","updates":[{"source":{"label":"can0","type":"NMEA2000","pgn":127251,"src":"7"},"timestamp":"2026-06-01T10:00:00.000Z","values":[{"path":"navigation.rateOfTurn","value":-0.000001}],"$source":"can0.7"}]}"#
        );
    }

    #[test]
    fn what_gives_no_delta_is_counted_by_its_reason() {
        let mut receiver = Receiver::new("can0");
        let form = DeltaForm::Line { line: 1 };
        let unmapped = receiver.whole(id(59_904, 1), &[0, 0, 0]).unwrap();
        assert_eq!(receiver.delta(&unmapped, TIME, form), None);
        let empty = assembled(&mut receiver, 127_250, 1, &[]);
        assert_eq!(receiver.delta(&empty, TIME, form), None);
        let blank = receiver.whole(id(127_257, 1), &[]).unwrap();
        assert_eq!(receiver.delta(&blank, TIME, form), None);
        let nobody = assembled(&mut receiver, 127_250, 254, &[(Field::Variation, Input::Raw(1))]);
        assert_eq!(receiver.delta(&nobody, TIME, form), None);
        assert_eq!(receiver.whole(id(129_540, 1), &[0; 1786]), None);
        let counters = receiver.counters();
        assert_eq!(
            (counters.unmapped, counters.without_value, counters.null_address, counters.oversized),
            (1, 2, 1, 1)
        );
        assert_eq!((counters.messages, counters.deltas), (4, 0));
    }

    #[test]
    fn losses_are_counted_by_their_kind() {
        let mut receiver = Receiver::new("can0");
        let payload = [1; 40];
        let parts = |source: u8| Frames::new(&id(127_489, source), 0, &payload).unwrap();
        let feed = |receiver: &mut Receiver, source: u8, indexes: &[usize], now: Instant| {
            let frames: Vec<_> = parts(source).collect();
            indexes.iter().for_each(|index| assert_eq!(receiver.frame(&frames[*index], now), None));
        };
        // No start, restarted, a gap, malformed.
        feed(&mut receiver, 1, &[1], Instant(0));
        feed(&mut receiver, 1, &[0], Instant::from_millis(100));
        feed(&mut receiver, 1, &[0, 1, 3], Instant::from_millis(100));
        feed(&mut receiver, 1, &[0], Instant::from_millis(100));
        let malformed = CanFrame::new(parts(1).next().unwrap().id(), &[]).unwrap();
        assert_eq!(receiver.frame(&malformed, Instant::from_millis(100)), None);
        for source in 2..20 {
            feed(&mut receiver, source, &[0], Instant::from_millis(101));
        }
        feed(&mut receiver, 1, &[0], Instant::from_millis(2000));
        let counters = receiver.counters();
        assert_eq!(counters.frames, 1 + 1 + 3 + 1 + 1 + 18 + 1);
        assert_eq!((counters.lost_no_start, counters.lost_gap, counters.lost_malformed), (1, 1, 1));
        assert_eq!((counters.lost_restarted, counters.lost_evicted, counters.lost_timed_out), (1, 3, 16));
        assert_eq!(receiver.unfinished(), 1);
        let announced = CanFrame::new(id(60_416, 1).to_can(), &[32, 20, 0, 3, 0xff, 0x05, 0xf8, 0x01]).unwrap();
        assert_eq!(receiver.frame(&announced, Instant::from_millis(2000)), None);
        assert_eq!(receiver.unfinished(), 2);
        let mut twice = counters;
        twice.add(&counters);
        let sum = |counters: &Counters| counters.losses().iter().map(|(_, count)| count).sum::<u64>();
        assert_eq!((sum(&counters), sum(&twice), twice.frames), (23, 46, 52));
    }

    #[test]
    fn a_device_whose_name_comes_late_is_told_once() {
        let mut receiver = Receiver::new("can0");
        let claim = |receiver: &mut Receiver, source: u8, name: u64| {
            let message = receiver.whole(id(60_928, source), &name.to_le_bytes()).unwrap();
            assert_eq!(receiver.delta(&message, TIME, DeltaForm::Line { line: 1 }), None);
            receiver.take_renamed()
        };
        let renamed = (String::from("can0.7"), String::from("can0.c078850000000001"));
        assert_eq!(claim(&mut receiver, 7, 0xc078_8500_0000_0001), Some(renamed));
        assert_eq!(claim(&mut receiver, 7, 0xc078_8500_0000_0001), None, "again");
        assert_eq!(claim(&mut receiver, 7, 0xc078_8500_0000_0002), None, "another device");
        assert_eq!(claim(&mut receiver, 8, u64::MAX), None, "no NAME");
        receiver.use_name(false);
        assert_eq!(claim(&mut receiver, 9, 0xc078_8500_0000_0003), None, "named by address");
    }

    #[test]
    fn a_message_is_read_into_a_used_one() {
        let mut receiver = Receiver::new("can0");
        let mut message = N2kMessage::default();
        assert!(receiver.whole_into(id(129_540, 1), &[1; 300], &mut message));
        let frame = CanFrame::new(id(127_257, 9).to_can(), &[1, 2, 3]).unwrap();
        assert!(receiver.frame_into(&frame, Instant(0), &mut message));
        assert_eq!((message.id, &message.payload[..]), (id(127_257, 9), &[1, 2, 3][..]));
        let fast: Vec<_> = Frames::new(&id(127_489, 2), 0, &[5; 26]).unwrap().collect();
        let done: Vec<_> = fast.iter().map(|frame| receiver.frame_into(frame, Instant(0), &mut message)).collect();
        assert_eq!(done, [false, false, false, true]);
        assert_eq!((message.id, &message.payload[..]), (id(127_489, 2), &[5; 26][..]));
        assert!(!receiver.whole_into(id(129_540, 1), &[0; 1786], &mut message));
    }

    #[test]
    fn a_long_label_is_cut() {
        let mut receiver = Receiver::new(&"é".repeat(200));
        let message = assembled(&mut receiver, 127_251, 250, &[(Field::Rate, Input::Raw(0))]);
        let delta = receiver.delta(&message, TIME, DeltaForm::Stamped { self_context: "x" }).unwrap();
        let source = delta.updates().next().unwrap().source_ref();
        assert!(source.ends_with("é.250"), "{source}");
    }
}
