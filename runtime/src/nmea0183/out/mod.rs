//! Signal K values in, sentences of NMEA 0183 out.
//!
//! [`Sentences`] hears deltas, keeps the latest values, and makes the sentences that they ask for: each at most once in
//! [`Config::every`], and none whose values are missing or too old. Fields are those of version 2.3
//! (`docs/nmea0183-out.md` lists them, and where npm's `signalk-to-nmea0183` differs).
//!
//! ```
//! use skiff_runtime::delta::{DeltaWriter, UpdateHead, Value, ValueSink};
//! use skiff_runtime::nmea0183::out::{Config, Sentences};
//! use skiff_runtime::time::Instant;
//!
//! let own = "vessels.urn:mrn:signalk:uuid:0";
//! let mut writer = DeltaWriter::new(None, Some(own));
//! writer.update(&UpdateHead { source_ref: Some("can0.7"), ..UpdateHead::default() });
//! writer.value("navigation.headingTrue", Value::Float(1.5));
//! let mut sentences = Sentences::new(Config::default(), own);
//! sentences.hear(&writer.finish().unwrap(), Instant(0));
//! sentences.poll(Instant(0));
//! assert_eq!(sentences.next_line().unwrap(), "$IIHDT,85.94,T*22\r\n");
//! ```

mod armour;
mod kind;
mod line;
mod own;
mod targets;
#[cfg(test)]
mod tests;
mod values;

use alloc::string::String;
use core::time::Duration;

use self::kind::KINDS;
use self::targets::{Class, Motion, Targets, mmsi_of};
use self::values::{Look, Slot, Slots, Values, set_of};
use crate::delta::Delta;
use crate::json;
use crate::queue::{Queue, QueueCounters};
use crate::time::{Instant, UnixMillis};

pub use self::kind::{Kind, Kinds, Paces};
pub use self::line::{LINE_BYTES_MAX, Line, Talker};
pub use self::targets::{STATIC_EVERY, TARGETS_MAX};

/// Lines that wait to be taken, and their bytes; AIS waits for room, of the rest the oldest is lost.
pub const LINES_MAX: u16 = 256;
const LINES_BYTES_MAX: u32 = LINES_MAX as u32 * LINE_BYTES_MAX as u32;
/// Room that is left for the own vessel: every kind once, and what one target can add.
const OWN_LINES: usize = KINDS.len() + 4;

/// What is made, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Who speaks in the sentences of the own vessel's instruments; AIS is said by `AI`.
    pub talker: Talker,
    /// Shortest time between two sentences of a kind, or between two positions of one AIS target.
    pub every: Duration,
    /// The same of single kinds, where it is another.
    pub paces: Paces,
    /// Which sentences are made.
    pub kinds: Kinds,
    /// The own vessel's number, for VDO; without one that of its context, if it has one.
    pub mmsi: Option<u32>,
}

impl Default for Config {
    fn default() -> Self {
        Self { talker: Talker::II, every: Duration::from_secs(1), paces: Paces::NONE, kinds: Kinds::ALL, mmsi: None }
    }
}

impl Config {
    fn pace(&self, kind: Kind) -> Duration {
        self.paces.of(kind).unwrap_or(self.every)
    }
}

/// Makes sentences of deltas.
#[derive(Debug)]
pub struct Sentences {
    config: Config,
    self_context: String,
    mmsi: Option<u32>,
    class: Class,
    values: Values,
    /// Values that came since each kind was made last.
    heard: [Slots; KINDS.len()],
    made: [Option<Instant>; KINDS.len()],
    targets: Targets,
    lines: Queue<Line>,
}

impl Sentences {
    /// Begins with no value known; `self_context` is `vessels.urn:…` of the own vessel.
    #[must_use]
    pub fn new(config: Config, self_context: &str) -> Self {
        Self {
            config,
            self_context: self_context.into(),
            mmsi: config.mmsi.or_else(|| mmsi_of(self_context)),
            class: Class::Unknown,
            values: Values::new(),
            heard: [0; KINDS.len()],
            made: [None; KINDS.len()],
            targets: Targets::default(),
            lines: Queue::new(LINES_MAX, LINES_BYTES_MAX),
        }
    }

    /// Takes the values of a delta; what it asks for is made by [`poll`](Self::poll).
    pub fn hear(&mut self, delta: &Delta, now: Instant) {
        if !delta.is_own(&self.self_context) {
            if self.config.kinds.has(Kind::Vdm) {
                self.targets.hear(delta, now);
            }
            return;
        }
        let mut new: Slots = 0;
        for update in delta.updates() {
            let time = update.time().millis().unwrap_or(UnixMillis::UNKNOWN);
            for (path, value) in update.entries() {
                match path {
                    "" => {
                        let told =
                            json::member(&value.shown(), "mmsi").and_then(json::string).and_then(|it| it.parse().ok());
                        self.mmsi = self.config.mmsi.or(told).or(self.mmsi);
                    }
                    "sensors.ais.class" => {
                        let is_a = *value.shown() == *"\"A\"";
                        self.class = if is_a { Class::A } else { Class::B };
                    }
                    _ => new |= self.values.hear(path, &value, time, now),
                }
            }
        }
        if new != 0 {
            self.heard.iter_mut().for_each(|heard| *heard |= new);
        }
    }

    /// Makes what is due; returns when to call it again although nothing new came.
    pub fn poll(&mut self, now: Instant) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        for (index, (kind, _, _, triggers)) in KINDS.into_iter().enumerate() {
            let (Some(heard), Some(made)) = (self.heard.get_mut(index), self.made.get_mut(index)) else { continue };
            let is_asked = triggers.iter().any(|slot| *heard & set_of(*slot) != 0);
            if !is_asked || !self.config.kinds.has(kind) {
                continue;
            }
            if let Some(due) = made.map(|made| made + self.config.pace(kind)).filter(|due| *due > now) {
                next = Some(next.map_or(due, |next| next.min(due)));
                continue;
            }
            *heard = 0;
            let look = self.values.at(now);
            let lines = &mut self.lines;
            let mut is_made = false;
            let mut push = |line: Line| {
                is_made = true;
                let bytes = line.len();
                lines.push(line, bytes);
            };
            if kind == Kind::Vdo {
                if let (Some(mmsi), Some(motion)) = (self.mmsi, motion(look)) {
                    targets::own(mmsi, self.class, &motion, Talker::AI, push);
                }
            } else if let Some(line) = own::sentence(kind, self.config.talker, look) {
                push(line);
            }
            if is_made {
                *made = Some(now);
            }
        }
        let lines = &mut self.lines;
        let has_room = |lines: &Queue<Line>| lines.len() < usize::from(LINES_MAX).saturating_sub(OWN_LINES);
        if !has_room(lines) {
            return Some(now);
        }
        let more = self.targets.give(now, self.config.pace(Kind::Vdm), Talker::AI, &mut |line| {
            let bytes = line.len();
            lines.push(line, bytes);
            has_room(lines)
        });
        [next, more].into_iter().flatten().min()
    }

    /// Takes the oldest line, with CR LF at its end.
    pub fn next_line(&mut self) -> Option<Line> {
        self.lines.pop()
    }

    /// Returns how many lines were made, and how many of them nobody took in time.
    #[must_use]
    pub fn counters(&self) -> QueueCounters {
        self.lines.counters()
    }

    /// Returns how many AIS targets are known, at most [`TARGETS_MAX`].
    #[must_use]
    pub fn targets(&self) -> usize {
        self.targets.len()
    }
}

/// Returns how the own vessel moves; `None` without a position.
fn motion(look: Look<'_>) -> Option<Motion> {
    Some(Motion {
        position: Some(look.position()?),
        speed: look.of(Slot::SpeedOverGround),
        course: look.of(Slot::CourseTrue),
        heading: look.of(Slot::HeadingTrue),
        turn: look.of(Slot::RateOfTurn),
        second: look.fix_time().map(|time| time.0.div_euclid(1000).rem_euclid(60) as u32),
        ..Motion::default()
    })
}
