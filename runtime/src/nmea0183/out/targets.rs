//! What is known of other vessels and marks, and the AIS messages made of it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use super::armour::Bits;
use super::line::{Line, Talker, degrees};
use crate::delta::Delta;
use crate::json::{self, Value};
use crate::nmea0183::fields::turn;
use crate::nmea0183::target::{MANEUVERS, STATES};
use crate::time::{Instant, UnixMillis};

/// Vessels and marks that are known at a time; the one heard last longest ago gives way.
pub const TARGETS_MAX: usize = 512;
/// Shortest time between two messages that say who a target is; transponders send them every 6 minutes, but who connects
/// wants the names sooner.
pub const STATIC_EVERY: Duration = Duration::from_secs(60);

const KNOTS: f64 = 3600.0 / 1852.0;
/// What fields say that have nothing to say (ITU-R M.1371-5, tables 48 and 52).
const NO_LONGITUDE: i32 = 181 * 600_000;
const NO_LATITUDE: i32 = 91 * 600_000;
const NO_SPEED: u32 = 1023;
const NO_COURSE: u32 = 3600;
const NO_HEADING: u32 = 511;
const NO_TURN: i32 = -128;
const NO_SECOND: u32 = 60;
const NO_STATE: u32 = 15;

/// Which messages a target sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Class {
    #[default]
    Unknown,
    A,
    B,
    Mark,
}

/// How something moves, in the units of Signal K.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Motion {
    /// Degrees.
    pub position: Option<(f64, f64)>,
    pub speed: Option<f64>,
    pub course: Option<f64>,
    pub heading: Option<f64>,
    pub turn: Option<f64>,
    /// Second of the minute that it was measured in.
    pub second: Option<u32>,
    pub state: Option<u32>,
    pub maneuver: Option<u32>,
}

impl Motion {
    /// Writes message 1.
    fn class_a(&self, mmsi: u32, bits: &mut Bits) {
        bits.put(1, 6).put(0, 2).put(mmsi, 30).put(self.state.unwrap_or(NO_STATE), 4);
        // 4.733 times the root of degrees a minute.
        let rate = self.turn.map(|turn| {
            let rate = degrees(turn) * 60.0;
            libm::copysign(libm::round(4.733 * libm::sqrt(libm::fabs(rate))).min(126.0), rate) as i32
        });
        bits.put_signed(rate.unwrap_or(NO_TURN), 8);
        self.ground(bits);
        bits.put(self.maneuver.unwrap_or(0), 2).put(0, 3).put(0, 1).put(0, 19);
    }

    /// Writes message 18.
    fn class_b(&self, mmsi: u32, bits: &mut Bits) {
        bits.put(18, 6).put(0, 2).put(mmsi, 30).put(0, 8);
        self.ground(bits);
        // Carrier sense, no display, no DSC, whole band; no message 22, not assigned; of the radio the class alone.
        bits.put(0, 2).put(0b100_1000, 7).put(0b1110_0000_0000_0000_0110, 20);
    }

    /// Writes speed, accuracy, position, course, heading, second.
    fn ground(&self, bits: &mut Bits) {
        let speed = self.speed.map(|speed| libm::round(speed * KNOTS * 10.0).clamp(0.0, 1022.0) as u32);
        bits.put(speed.unwrap_or(NO_SPEED), 10);
        self.place(bits);
        let tenths = |angle: f64| libm::round(degrees(turn(angle)) * 10.0) as u32 % 3600;
        bits.put(self.course.map_or(NO_COURSE, tenths), 12);
        bits.put(self.heading.map_or(NO_HEADING, |angle| libm::round(degrees(turn(angle))) as u32 % 360), 9);
        bits.put(self.second.unwrap_or(NO_SECOND), 6);
    }

    /// Writes accuracy and position.
    fn place(&self, bits: &mut Bits) {
        let parts = |degrees: f64| libm::round(degrees * 600_000.0) as i32;
        let (latitude, longitude) = self.position.map_or((NO_LATITUDE, NO_LONGITUDE), |(latitude, longitude)| {
            (parts(latitude.clamp(-90.0, 90.0)), parts(longitude.clamp(-180.0, 180.0)))
        });
        bits.put(0, 1).put_signed(longitude, 28).put_signed(latitude, 27);
    }
}

/// Gives the sentences of the own vessel's position report: message 1 of class A, else 18.
pub(super) fn own(mmsi: u32, class: Class, motion: &Motion, talker: Talker, give: impl FnMut(Line)) {
    let mut bits = Bits::default();
    if class == Class::A {
        motion.class_a(mmsi, &mut bits);
    } else {
        motion.class_b(mmsi, &mut bits);
    }
    bits.sentences(talker, "VDO", 0, give);
}

/// Who something is.
#[derive(Debug, Default)]
struct Identity {
    name: heapless::String<20>,
    callsign: heapless::String<7>,
    imo: u32,
    ship_type: u32,
    mark_type: u32,
    length: Option<f64>,
    beam: Option<f64>,
    from_bow: Option<f64>,
    from_center: Option<f64>,
    draft: Option<f64>,
    destination: heapless::String<20>,
    arrival: UnixMillis,
    off_position: bool,
    is_virtual: bool,
}

impl Identity {
    /// Writes the distances of the antenna to bow, stern, port, starboard, in metres.
    fn sides(&self, bits: &mut Bits) {
        let metres = |value: f64, max: f64| libm::round(value.clamp(0.0, max)) as u32;
        let length = self.length.unwrap_or(0.0);
        let bow = self.from_bow.unwrap_or(0.0).min(length);
        let beam = self.beam.unwrap_or(0.0);
        // Where the antenna is not known, all is on one side (M.1371-5, figure 41).
        let starboard = self.from_center.map_or(beam, |center| beam / 2.0 - center);
        bits.put(metres(bow, 511.0), 9).put(metres(length - bow, 511.0), 9);
        bits.put(metres(beam - starboard, 63.0), 6).put(metres(starboard, 63.0), 6);
    }

    /// Writes message 5.
    fn class_a(&self, mmsi: u32, bits: &mut Bits) {
        bits.put(5, 6).put(0, 2).put(mmsi, 30).put(0, 2).put(self.imo, 30);
        bits.put_text(&self.callsign, 7).put_text(&self.name, 20).put(self.ship_type, 8);
        self.sides(bits);
        bits.put(0, 4);
        let text = if self.arrival.is_known() { self.arrival.text() } else { heapless::String::new() };
        let part = |from: usize| text.get(from..from + 2).and_then(|part| part.parse().ok());
        bits.put(part(5).unwrap_or(0), 4).put(part(8).unwrap_or(0), 5);
        bits.put(part(11).unwrap_or(24), 5).put(part(14).unwrap_or(60), 6);
        bits.put(libm::round(self.draft.unwrap_or(0.0).clamp(0.0, 25.5) * 10.0) as u32, 8);
        bits.put_text(&self.destination, 20).put(0, 1).put(0, 1);
    }

    /// Writes message 24, part A.
    fn class_b_name(&self, mmsi: u32, bits: &mut Bits) {
        bits.put(24, 6).put(0, 2).put(mmsi, 30).put(0, 2).put_text(&self.name, 20);
    }

    /// Writes message 24, part B; the maker is not known.
    fn class_b_ship(&self, mmsi: u32, bits: &mut Bits) {
        bits.put(24, 6).put(0, 2).put(mmsi, 30).put(1, 2).put(self.ship_type, 8).put_text("", 7);
        bits.put_text(&self.callsign, 7);
        self.sides(bits);
        bits.put(0, 4).put(0, 2);
    }

    /// Writes message 21.
    fn mark(&self, mmsi: u32, motion: &Motion, bits: &mut Bits) {
        bits.put(21, 6).put(0, 2).put(mmsi, 30).put(self.mark_type, 5).put_text(&self.name, 20);
        motion.place(bits);
        self.sides(bits);
        bits.put(0, 4).put(motion.second.unwrap_or(NO_SECOND), 6).put(self.off_position.into(), 1);
        bits.put(0, 8).put(0, 1).put(self.is_virtual.into(), 1).put(0, 1).put(0, 1);
    }
}

/// A vessel or mark.
#[derive(Debug)]
struct Target {
    mmsi: u32,
    class: Class,
    motion: Motion,
    identity: Box<Identity>,
    heard: Instant,
    /// Something new is to be told.
    has_moved: bool,
    is_named: bool,
    /// When it was told last.
    moved: Option<Instant>,
    named: Option<Instant>,
}

impl Target {
    fn new(mmsi: u32, now: Instant) -> Self {
        Self {
            mmsi,
            class: Class::Unknown,
            motion: Motion::default(),
            identity: Box::new(Identity { arrival: UnixMillis::UNKNOWN, ..Identity::default() }),
            heard: now,
            has_moved: false,
            is_named: false,
            moved: None,
            named: None,
        }
    }

    /// Takes a value.
    fn hear(&mut self, path: &str, value: &Value<'_>, time: UnixMillis) {
        let (motion, identity) = (&mut self.motion, &mut *self.identity);
        let shown = value.shown();
        let text: &str = &shown;
        let number = || value.number().filter(|number| number.is_finite());
        let member = |name: &str| json::member(text, name);
        let code = |text: Option<&str>| text.and_then(json::number).map(|number| number as u32);
        match path {
            "navigation.position" => {
                motion.position =
                    member("latitude").and_then(json::number).zip(member("longitude").and_then(json::number));
                motion.second = time.is_known().then(|| (time.0.div_euclid(1000).rem_euclid(60)) as u32);
                self.has_moved |= motion.position.is_some();
            }
            "navigation.speedOverGround" => motion.speed = number(),
            "navigation.courseOverGroundTrue" => motion.course = number(),
            "navigation.headingTrue" => motion.heading = number(),
            "navigation.rateOfTurn" => motion.turn = number(),
            "navigation.state" => motion.state = place_of(text, &STATES),
            "navigation.specialManeuver" => motion.maneuver = place_of(text, &MANEUVERS),
            "sensors.ais.class" => {
                self.class = match text {
                    "\"A\"" => Class::A,
                    "\"B\"" => Class::B,
                    "\"ATON\"" => Class::Mark,
                    _ => Class::Unknown,
                };
            }
            "" => {
                let mut is_new = false;
                if let Some(name) = member("name") {
                    cut(&mut identity.name, name);
                    is_new = true;
                }
                if let Some(callsign) = member("communication").and_then(|it| json::member(it, "callsignVhf")) {
                    cut(&mut identity.callsign, callsign);
                    is_new = true;
                }
                if let Some(imo) = member("registrations").and_then(|it| json::member(it, "imo")).and_then(json::string)
                {
                    identity.imo = imo.trim_start_matches("IMO").trim().parse().unwrap_or(0);
                    is_new = true;
                }
                self.is_named |= is_new;
            }
            _ => {
                match path {
                    "design.length" => identity.length = member("overall").and_then(json::number),
                    "design.beam" => identity.beam = number(),
                    "sensors.ais.fromBow" => identity.from_bow = number(),
                    "sensors.ais.fromCenter" => identity.from_center = number(),
                    "design.aisShipType" => identity.ship_type = code(member("id")).unwrap_or(0).min(255),
                    "design.draft" => {
                        identity.draft = member("current").or_else(|| member("maximum")).and_then(json::number);
                    }
                    "navigation.destination.commonName" => cut(&mut identity.destination, text),
                    "navigation.destination.eta" => {
                        let time = json::string(text).and_then(|text| UnixMillis::parse_iso(&text));
                        identity.arrival = time.unwrap_or(UnixMillis::UNKNOWN);
                    }
                    "atonType" => identity.mark_type = code(member("id")).unwrap_or(0).min(31),
                    "offPosition" => identity.off_position = text == "true",
                    "virtual" => identity.is_virtual = text == "true",
                    _ => return,
                }
                self.is_named = true;
            }
        }
    }

    /// Gives what is due; returns when more is.
    fn give(
        &mut self,
        now: Instant,
        every: Duration,
        sequence: &mut u8,
        talker: Talker,
        give: &mut dyn FnMut(Line),
    ) -> Option<Instant> {
        if self.class == Class::Unknown {
            return None;
        }
        let mmsi = self.mmsi;
        let mut send = |fill: &mut dyn FnMut(&mut Bits)| {
            let mut bits = Bits::default();
            fill(&mut bits);
            *sequence = sequence.wrapping_add(1) % 10;
            bits.sentences(talker, "VDM", *sequence, &mut *give);
        };
        let mut due = None;
        let is_due = |is_new: &mut bool, last: &mut Option<Instant>, every: Duration, due: &mut Option<Instant>| {
            let at = last.map_or(now, |last| last + every);
            let is_due = *is_new && at <= now;
            if is_due {
                (*is_new, *last) = (false, Some(now));
            } else if *is_new {
                *due = Some(due.map_or(at, |due| due.min(at)));
            }
            is_due
        };
        let (motion, identity) = (&self.motion, &*self.identity);
        if is_due(&mut self.has_moved, &mut self.moved, every, &mut due) {
            match self.class {
                Class::A => send(&mut |bits| motion.class_a(mmsi, bits)),
                Class::B => send(&mut |bits| motion.class_b(mmsi, bits)),
                Class::Mark => send(&mut |bits| identity.mark(mmsi, motion, bits)),
                Class::Unknown => {}
            }
        }
        if self.class != Class::Mark && is_due(&mut self.is_named, &mut self.named, STATIC_EVERY.max(every), &mut due) {
            match self.class {
                Class::A => send(&mut |bits| identity.class_a(mmsi, bits)),
                _ => {
                    if !identity.name.is_empty() {
                        send(&mut |bits| identity.class_b_name(mmsi, bits));
                    }
                    send(&mut |bits| identity.class_b_ship(mmsi, bits));
                }
            }
        }
        due
    }
}

/// Returns the place of a JSON text among some words.
fn place_of(text: &str, words: &[&str]) -> Option<u32> {
    let text = json::string(text).filter(|text| !text.is_empty())?;
    words.iter().position(|word| *word == &*text).and_then(|place| u32::try_from(place).ok())
}

/// Keeps as much of a JSON text as fits.
fn cut<const N: usize>(kept: &mut heapless::String<N>, text: &str) {
    kept.clear();
    let text = json::string(text).unwrap_or_default();
    let _ = text.chars().try_for_each(|letter| kept.push(letter));
}

/// Returns the number behind `mmsi:` of a context or URN.
pub(super) fn mmsi_of(context: &str) -> Option<u32> {
    let digits = context.rsplit_once("mmsi:").map(|(_, digits)| digits)?;
    digits.parse().ok().filter(|mmsi| *mmsi < 1_000_000_000)
}

/// Vessels and marks by their numbers.
#[derive(Debug, Default)]
pub(super) struct Targets {
    known: Vec<Target>,
    /// Before this nobody has anything to tell.
    due: Option<Instant>,
    sequence: u8,
}

impl Targets {
    /// Takes the values of a delta; contexts without an MMSI have no AIS.
    pub fn hear(&mut self, delta: &Delta, now: Instant) {
        let Some(mmsi) = mmsi_of(delta.context()) else { return };
        let at = match self.known.iter().position(|target| target.mmsi == mmsi) {
            Some(at) => at,
            None => {
                let oldest = self.known.iter().enumerate().min_by_key(|(_, target)| target.heard).map(|(at, _)| at);
                if let Some(oldest) = oldest.filter(|_| self.known.len() >= TARGETS_MAX) {
                    self.known.swap_remove(oldest);
                }
                self.known.push(Target::new(mmsi, now));
                self.known.len().saturating_sub(1)
            }
        };
        let Some(target) = self.known.get_mut(at) else { return };
        target.heard = now;
        for update in delta.updates() {
            let time = update.time().millis().unwrap_or(UnixMillis::UNKNOWN);
            update.entries().for_each(|(path, value)| target.hear(path, &value, time));
        }
        if target.has_moved || target.is_named {
            // When exactly is looked at then.
            self.due = Some(now);
        }
    }

    /// Gives what is due while there is room; returns when more is.
    pub fn give(
        &mut self,
        now: Instant,
        every: Duration,
        talker: Talker,
        give: &mut dyn FnMut(Line) -> bool,
    ) -> Option<Instant> {
        if self.due.is_none_or(|due| due > now) {
            return self.due;
        }
        self.due = None;
        let mut has_room = true;
        for target in &mut self.known {
            if !has_room {
                // The rest next time.
                self.due = Some(now);
                break;
            }
            let due = target.give(now, every, &mut self.sequence, talker, &mut |line| has_room &= give(line));
            self.due = [self.due, due].into_iter().flatten().min();
        }
        self.due
    }

    pub fn len(&self) -> usize {
        self.known.len()
    }
}
