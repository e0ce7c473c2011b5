//! NMEA 0183: sentences to Signal K deltas, and back to sentences.
//!
//! Values and paths are those of Signal K's own parser (npm `@signalk/nmea0183-signalk`), but for a list
//! (`docs/nmea0183-differences.md`): above all, what a sentence has lost is told as `null`. AIS messages are taken apart
//! by the crate `aivdm`. A sentence's `$source` is label and talker: `gps.GP`.
//!
//! ```
//! use skiff_runtime::n2k::DeltaForm;
//! use skiff_runtime::nmea0183::Sentences;
//! use skiff_runtime::time::UnixMillis;
//!
//! let mut sentences = Sentences::new("gps");
//! let form = DeltaForm::Stamped { self_context: "vessels.urn:mrn:signalk:uuid:0" };
//! let delta = sentences.delta("$IIMTW,17.75,C*27", UnixMillis(1_780_308_000_000), form).unwrap().unwrap();
//! assert!(delta.text().contains(r#"{"path":"environment.water.temperature","value":290.9}"#));
//! assert_eq!(delta.updates().next().unwrap().source_ref(), "gps.II");
//! ```

mod ais;
mod broadcast;
mod distress;
mod fields;
mod instruments;
#[cfg(any(test, feature = "outputs"))]
pub mod out;
mod proprietary;
mod route;
mod seatalk;
mod sentence;
mod sky;
mod target;
mod told_time;

use alloc::boxed::Box;
use core::fmt;
use core::fmt::Write;

use self::ais::Fragments;
use self::seatalk::SeaTalk;
use self::sentence::Sentence;
use self::sky::Sky;
use crate::delta::{Delta, DeltaWriter, NAME_BYTES_MAX, UpdateHead, Value};
use crate::n2k::DeltaForm;
use crate::time::UnixMillis;

pub use sentence::SENTENCE_BYTES_MAX;
pub use told_time::{ToldTime, log_time, told_time};

/// Bytes of a source label that are kept; `$source` is the label, a point and the talker.
const LABEL_BYTES_MAX: usize = NAME_BYTES_MAX - 4;
/// Kinds without a mapping that are counted apart; a boat has fewer, and what is no sentence in truth could make many.
const UNMAPPED_KINDS_MAX: usize = 16;

/// A kind of sentence without a mapping, and how many came.
pub type Unmapped = (heapless::String<10>, u64);

/// Why a sentence gave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SentenceError {
    /// Does not begin with `$` or `!` and an address, or is longer than [`SENTENCE_BYTES_MAX`].
    Malformed,
    /// The check sum does not agree.
    Checksum,
    /// No check sum, where one must be (AIS).
    NoChecksum,
    /// Parts of an AIS message that do not go together.
    Fragment,
    /// An AIS message that cannot be taken apart.
    Ais,
}

impl fmt::Display for SentenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "no sentence of NMEA 0183",
            Self::Checksum => "check sum does not agree",
            Self::NoChecksum => "check sum missing",
            Self::Fragment => "part of an AIS message whose other parts are missing",
            Self::Ais => "AIS message that cannot be read",
        })
    }
}

impl core::error::Error for SentenceError {}

/// Counters of one [`Sentences`]: what it read, and what it lost, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Sentences taken in.
    pub sentences: u64,
    /// Deltas made of them.
    pub deltas: u64,
    /// Sentences of a kind that has no mapping.
    pub unmapped: u64,
    /// Sentences of a mapped kind without any value.
    pub without_value: u64,
    /// Sentences that are none.
    pub malformed: u64,
    /// Sentences with a wrong check sum, or none where one must be.
    pub checksum: u64,
    /// Parts of AIS messages whose other parts are missing.
    pub fragments: u64,
    /// AIS messages that cannot be taken apart.
    pub ais: u64,
}

impl Counters {
    /// Adds the counts of another input.
    pub fn add(&mut self, other: &Self) {
        // Named in full, so that a counter that is forgotten here does not compile.
        let Self { sentences, deltas, unmapped, without_value, malformed, checksum, fragments, ais } = self;
        for (sum, more) in [
            (sentences, other.sentences),
            (deltas, other.deltas),
            (unmapped, other.unmapped),
            (without_value, other.without_value),
            (malformed, other.malformed),
            (checksum, other.checksum),
            (fragments, other.fragments),
            (ais, other.ais),
        ] {
            *sum = sum.saturating_add(more);
        }
    }

    /// Returns name and count of each way that sentences are lost.
    #[must_use]
    pub fn losses(&self) -> [(&'static str, u64); 4] {
        [
            ("nmea0183_malformed", self.malformed),
            ("nmea0183_checksum", self.checksum),
            ("nmea0183_fragments", self.fragments),
            ("nmea0183_ais", self.ais),
        ]
    }
}

/// Turns the sentences of one input into deltas.
#[derive(Debug)]
pub struct Sentences {
    label: heapless::String<LABEL_BYTES_MAX>,
    counters: Counters,
    /// Made at the first AIS message of several parts.
    fragments: Option<Box<Fragments>>,
    /// Made at the first sentence about satellites.
    sky: Option<Box<Sky>>,
    seatalk: SeaTalk,
    /// Made at the first kind that is not mapped.
    unmapped: Option<Box<heapless::Vec<Unmapped, UNMAPPED_KINDS_MAX>>>,
}

impl Sentences {
    /// Builds the parser of the input called `label`; a longer one than fits `$source` is cut.
    #[must_use]
    pub fn new(label: &str) -> Self {
        let mut kept = heapless::String::new();
        // A push that does not fit leaves the label as it is, and so does every one after it.
        let _ = label.chars().try_for_each(|letter| kept.push(letter));
        Self {
            label: kept,
            counters: Counters::default(),
            fragments: None,
            sky: None,
            seatalk: SeaTalk::default(),
            unmapped: None,
        }
    }

    /// Returns the counters so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Returns the kinds of sentences that have no mapping and how many came of each, 16 kinds at most:
    /// `GSA`, `PGRME`, `VDM-17` for an AIS message, `ALK-36` for a SeaTalk command.
    #[must_use]
    pub fn unmapped(&self) -> &[Unmapped] {
        self.unmapped.as_ref().map_or(&[], |kinds| kinds.as_slice())
    }

    /// Takes one line, with or without a tag block and its end, and returns its delta; `None` when it has no value, is of
    /// a kind that is not mapped, or is not the last part of a message.
    ///
    /// The time stamp is the sentence's own time, on the day nearest to `now` where it has no date; else its tag block's,
    /// else `now`.
    ///
    /// # Errors
    /// [`SentenceError`], which is counted.
    pub fn delta(&mut self, line: &str, now: UnixMillis, form: DeltaForm<'_>) -> Result<Option<Delta>, SentenceError> {
        count(&mut self.counters.sentences);
        let result = self.read(line, now, form);
        match &result {
            Ok(Some(_)) => count(&mut self.counters.deltas),
            Ok(None) => {}
            Err(error) => count(match error {
                SentenceError::Malformed => &mut self.counters.malformed,
                SentenceError::Checksum | SentenceError::NoChecksum => &mut self.counters.checksum,
                SentenceError::Fragment => &mut self.counters.fragments,
                SentenceError::Ais => &mut self.counters.ais,
            }),
        }
        result
    }

    fn read(&mut self, line: &str, now: UnixMillis, form: DeltaForm<'_>) -> Result<Option<Delta>, SentenceError> {
        let sentence = Sentence::read(line)?;
        let now = sentence.tag_time.unwrap_or(now);
        let stamp = sentence.own_time(Some(now)).unwrap_or(now);
        Ok(match sentence.kind {
            "VDM" | "VDO" => {
                let message = ais::message(&sentence, &mut self.fragments)?;
                message.and_then(|message| self.target(&sentence, &message, now, form))
            }
            "GSV" => {
                let mut sky = self.sky.take().unwrap_or_default();
                let is_whole = sky.take(&sentence);
                let delta = is_whole.then(|| self.write(&sentence, None, stamp, form, |writer| sky.give(writer)));
                self.sky = Some(sky);
                delta.flatten()
            }
            "ALK" | "PSMDST" => self.datagram(&sentence, stamp, form),
            "DSC" => {
                // A call that does not say whose it is has no values.
                let context = distress::context(&sentence);
                self.write(&sentence, context.as_deref(), stamp, form, |writer| {
                    if context.is_some() {
                        distress::values(&sentence, writer);
                    }
                })
            }
            kind => match instruments::find(kind) {
                Some(map) => self.write(&sentence, None, stamp, form, |writer| map.give(&sentence, writer)),
                None => {
                    self.count_unmapped(format_args!("{kind}"));
                    None
                }
            },
        })
    }

    fn datagram(&mut self, sentence: &Sentence<'_>, stamp: UnixMillis, form: DeltaForm<'_>) -> Option<Delta> {
        // `R` says that it was received.
        let from = usize::from(sentence.kind == "PSMDST" && sentence.fields.is(0, "R"));
        let mut seatalk = core::mem::take(&mut self.seatalk);
        let mut is_known = true;
        let delta = self.write(sentence, None, stamp, form, |writer| {
            is_known = seatalk.give(&sentence.fields, from, writer);
        });
        self.seatalk = seatalk;
        if !is_known {
            self.counters.without_value = self.counters.without_value.saturating_sub(1);
            self.count_unmapped(format_args!("{}-{}", sentence.name, sentence.fields.text(from)));
        }
        delta
    }

    /// Counts a sentence whose kind has no mapping; of more kinds than there is room for only the sum.
    fn count_unmapped(&mut self, kind: fmt::Arguments<'_>) {
        count(&mut self.counters.unmapped);
        let mut name = heapless::String::new();
        // A longer one is cut: no kind is.
        let _ = name.write_fmt(kind);
        let kinds = self.unmapped.get_or_insert_default();
        match kinds.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => count(known),
            None => {
                let _ = kinds.push((name, 1));
            }
        }
    }

    fn target(
        &mut self,
        sentence: &Sentence<'_>,
        message: &aivdm::AisMessage,
        now: UnixMillis,
        form: DeltaForm<'_>,
    ) -> Option<Delta> {
        if sentence.kind == "VDO" {
            return self.write(sentence, None, now, form, |writer| target::own(message, writer));
        }
        let Some(context) = target::context(message) else {
            self.count_unmapped(format_args!("{}-{}", sentence.kind, message.message_type()));
            return None;
        };
        self.write(sentence, Some(&context), now, form, |writer| target::values(message, now, writer))
    }

    fn write(
        &mut self,
        sentence: &Sentence<'_>,
        context: Option<&str>,
        stamp: UnixMillis,
        form: DeltaForm<'_>,
        values: impl FnOnce(&mut DeltaWriter),
    ) -> Option<Delta> {
        let mut source_ref = heapless::String::<NAME_BYTES_MAX>::new();
        let timestamp = stamp.text();
        let (first, label, context, source_ref) = match form {
            DeltaForm::Line { line } => (Some(("_line", Value::whole(line))), "", context, None),
            DeltaForm::Stamped { self_context } => {
                // The label is kept short enough.
                let _ = write!(source_ref, "{}.{}", self.label, sentence.talker);
                (None, self.label.as_str(), context.or(Some(self_context)), Some(source_ref.as_str()))
            }
        };
        let source = [
            ("label", Value::Text(label)),
            ("type", Value::Text("NMEA0183")),
            ("sentence", Value::Text(sentence.name)),
            ("talker", Value::Text(sentence.talker)),
        ];
        let stamp = Some(timestamp.as_str()).filter(|text| !text.is_empty());
        let mut writer = DeltaWriter::new(first, context);
        writer.update(&UpdateHead { source: Some(Value::Object(&source)), source_ref, timestamp: stamp });
        values(&mut writer);
        let delta = writer.finish().ok();
        if delta.is_none() {
            count(&mut self.counters.without_value);
        }
        delta
    }
}

fn count(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}

#[cfg(test)]
mod tests;
