//! The clock itself: whom to believe, how to follow.

use core::time::Duration;

use super::sighting::{Origin, Sighting, SourceName};
use crate::json::Object;
use crate::time::{Instant, UnixMillis};

/// Nothing can be before this software was made, 2026-11-01; catches GPS receivers whose weeks ran over (1024 weeks back).
pub const BUILT_AFTER: UnixMillis = UnixMillis::from_civil(2026, 11, 1, 0);
/// Neither is anything this long after it: half a century.
const LATEST_AFTER_MILLIS: i64 = 50 * 365 * 86_400_000;
/// Sightings this close to each other mean the same time: devices send up to a second late.
const AGREE_MILLIS: i64 = 1_500;
/// A single device is believed when it went on as a clock for this long; one that stands still is off by more by then.
const CONFIRM: Duration = Duration::from_secs(3);
/// A clock that is set gives way to a different time only when one device says so for this long.
const JUMP_AFTER: Duration = Duration::from_secs(10);
/// A candidate not heard for this long begins anew.
const FORGOTTEN: Duration = Duration::from_secs(15);
/// The device that is followed is given up when silent for this long.
const SILENT: Duration = Duration::from_secs(120);
/// A lesser device may move the clock only when nothing better was heard for this long: a quartz is off by more than
/// [`AGREE_MILLIS`] then (20 ppm).
const HELD: Duration = Duration::from_secs(24 * 3600);
/// Deviations are looked at together for this long: the sighting that came with the least delay counts.
const WINDOW: Duration = Duration::from_secs(60);
/// Going back is done one millisecond at a time, so that no stamp is before an earlier one.
const SLEW_STEP: Duration = Duration::from_millis(20);
/// Devices that are watched before the clock is set.
const CANDIDATES: usize = 6;

/// A device that says a time the clock does not show.
#[derive(Clone, Debug)]
struct Candidate {
    source: SourceName,
    origin: Origin,
    /// Unix time minus time since boot, milliseconds.
    offset: i64,
    first: Instant,
    last: Instant,
}

/// The device that is followed.
#[derive(Clone, Debug)]
struct Master {
    source: SourceName,
    origin: Origin,
    heard: Instant,
    window_began: Instant,
    /// Largest offset in the window: the least delayed sighting.
    best: Option<i64>,
    /// Best offset of the first window and when it ended: what drift is measured from.
    baseline: Option<(i64, Instant)>,
}

/// What is known about the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockState {
    /// Nothing.
    Unknown,
    /// A device tells it.
    Followed,
    /// The device fell silent; the board's own quartz goes on.
    Held,
}

impl ClockState {
    /// Returns the word for it in the status.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Followed => "followed",
            Self::Held => "held",
        }
    }
}

/// A wall clock that the bus sets; see the constants of this file for what it believes.
#[derive(Clone, Debug)]
pub struct BusClock {
    earliest: UnixMillis,
    /// Unix time minus time since boot, milliseconds.
    offset: Option<i64>,
    master: Option<Master>,
    candidates: heapless::Vec<Candidate, CANDIDATES>,
    /// Milliseconds to go back.
    slew: i64,
    slewed: Instant,
    local_offset_minutes: Option<i16>,
    refused: u64,
    jumps: u32,
    drift_ppm: Option<i32>,
}

impl Default for BusClock {
    fn default() -> Self {
        Self::new(BUILT_AFTER)
    }
}

fn millis(now: Instant) -> i64 {
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

impl BusClock {
    /// Builds a clock that believes nothing before `earliest`, when the image was built.
    #[must_use]
    pub fn new(earliest: UnixMillis) -> Self {
        Self {
            earliest,
            offset: None,
            master: None,
            candidates: heapless::Vec::new(),
            slew: 0,
            slewed: Instant::default(),
            local_offset_minutes: None,
            refused: 0,
            jumps: 0,
            drift_ppm: None,
        }
    }

    /// Returns the wall clock, once it is known.
    #[must_use]
    pub fn wall(&self, now: Instant) -> Option<UnixMillis> {
        Some(UnixMillis(self.offset?.saturating_add(millis(now))))
    }

    /// Returns what is known.
    #[must_use]
    pub fn state(&self, now: Instant) -> ClockState {
        match (&self.offset, &self.master) {
            (None, _) => ClockState::Unknown,
            (Some(_), Some(master)) if now.since(master.heard) < SILENT => ClockState::Followed,
            _ => ClockState::Held,
        }
    }

    /// Takes what a device said at `now`; returns the wall clock when it is to be set.
    pub fn take(&mut self, sighting: &Sighting, now: Instant) -> Option<UnixMillis> {
        let latest = self.earliest.0.saturating_add(LATEST_AFTER_MILLIS);
        if !(self.earliest.0..latest).contains(&sighting.time.0) {
            self.refused = self.refused.saturating_add(1);
            return None;
        }
        let offset = sighting.time.0.saturating_sub(millis(now));
        let agrees = self.offset.is_some_and(|own| agree(own, offset));
        if agrees && sighting.local_offset_minutes.is_some() {
            self.local_offset_minutes = sighting.local_offset_minutes;
        }
        match (self.offset, &self.master) {
            (Some(own), Some(master)) if agrees && master.source == sighting.source => {
                self.forget(&sighting.source);
                self.follow(own, offset, sighting.origin, now)
            }
            // As good as, or better than, the one that is followed, or in place of one that fell silent.
            (Some(own), Some(master))
                if agrees && (sighting.origin > master.origin || now.since(master.heard) >= SILENT) =>
            {
                self.forget(&sighting.source);
                self.master = Some(Master::new(sighting, now));
                self.follow(own, offset, sighting.origin, now)
            }
            (Some(_), _) if agrees => {
                self.forget(&sighting.source);
                None
            }
            _ => self.consider(sighting, offset, now),
        }
    }

    /// Goes back a little where that is due; call it at every poll. Returns the wall clock when it is to be set.
    pub fn tick(&mut self, now: Instant) -> Option<UnixMillis> {
        let offset = self.offset.as_mut().filter(|_| self.slew > 0)?;
        if now.since(self.slewed) < SLEW_STEP {
            return None;
        }
        (self.slewed, self.slew) = (now, self.slew.saturating_sub(1));
        *offset = offset.saturating_sub(1);
        self.wall(now)
    }

    /// Follows the device that is believed: at the end of each window the clock goes to its best sighting.
    fn follow(&mut self, own: i64, offset: i64, origin: Origin, now: Instant) -> Option<UnixMillis> {
        let master = self.master.as_mut()?;
        (master.heard, master.origin) = (now, origin);
        let best = master.best.map_or(offset, |best| best.max(offset));
        master.best = Some(best);
        if now.since(master.window_began) < WINDOW {
            return None;
        }
        (master.window_began, master.best) = (now, None);
        match master.baseline {
            None => master.baseline = Some((best, now)),
            Some((first, since)) => {
                let passed = i64::try_from(now.since(since).as_millis()).unwrap_or(i64::MAX).max(1);
                let ppm = best.saturating_sub(first).saturating_mul(1_000_000) / passed;
                self.drift_ppm = i32::try_from(ppm).ok();
            }
        }
        if best > own {
            (self.slew, self.offset) = (0, Some(best));
            return self.wall(now);
        }
        self.slew = own.saturating_sub(best);
        None
    }

    fn forget(&mut self, source: &SourceName) {
        self.candidates.retain(|candidate| candidate.source != *source);
    }

    /// Watches a device that says another time, or the first one; returns the wall clock when it is believed.
    fn consider(&mut self, sighting: &Sighting, offset: i64, now: Instant) -> Option<UnixMillis> {
        self.candidates.retain(|candidate| now.since(candidate.last) < FORGOTTEN);
        let known = self.candidates.iter_mut().find(|candidate| candidate.source == sighting.source);
        let first = match known {
            Some(known) if agree(known.offset, offset) => {
                (known.last, known.origin) = (now, sighting.origin);
                known.first
            }
            Some(known) => {
                (known.offset, known.origin, known.first, known.last) = (offset, sighting.origin, now, now);
                now
            }
            None => {
                self.watch(Candidate {
                    source: sighting.source.clone(),
                    origin: sighting.origin,
                    offset,
                    first: now,
                    last: now,
                });
                now
            }
        };
        let others = || {
            let mut others = self.candidates.iter().filter(|other| other.source != sighting.source);
            others.any(|other| agree(other.offset, offset))
        };
        let is_believed = match (self.offset, &self.master) {
            (None, _) => now.since(first) >= CONFIRM || others(),
            (Some(_), Some(master)) => {
                let silent = now.since(master.heard);
                let may = sighting.origin >= master.origin && (master.source == sighting.source || silent >= SILENT)
                    || sighting.origin > master.origin
                    || silent >= HELD;
                may && now.since(first) >= JUMP_AFTER
            }
            (Some(_), None) => now.since(first) >= JUMP_AFTER,
        };
        if !is_believed {
            return None;
        }
        let best = self.candidates.iter().filter(|other| agree(other.offset, offset));
        let best = best.map(|other| other.offset).fold(offset, i64::max);
        if self.offset.is_some() {
            self.jumps = self.jumps.saturating_add(1);
        }
        self.candidates.clear();
        (self.offset, self.slew, self.drift_ppm) = (Some(best), 0, None);
        self.master = Some(Master::new(sighting, now));
        if sighting.local_offset_minutes.is_some() {
            self.local_offset_minutes = sighting.local_offset_minutes;
        }
        self.wall(now)
    }

    /// Adds a candidate; the one not heard for the longest time makes room.
    fn watch(&mut self, candidate: Candidate) {
        if self.candidates.is_full() {
            let oldest = self.candidates.iter().enumerate().min_by_key(|(_, candidate)| candidate.last);
            if let Some((index, _)) = oldest {
                self.candidates.swap_remove(index);
            }
        }
        // There is room now.
        let _ = self.candidates.push(candidate);
    }

    /// Writes `{"state":…,"source":…,…}` for `GET /skiff/v1/status`.
    pub fn status(&self, now: Instant, out: &mut Object<'_>) {
        out.text("state", self.state(now).name());
        if let Some(master) = &self.master {
            out.text("source", &master.source).text("origin", master.origin.name());
            out.number("silent_s", now.since(master.heard).as_secs());
        }
        if let Some(ppm) = self.drift_ppm {
            out.number("drift_ppm", ppm);
        }
        if let Some(minutes) = self.local_offset_minutes {
            out.number("local_offset_min", minutes);
        }
        out.number("jumps", self.jumps).number("implausible", self.refused);
    }
}

impl Master {
    fn new(sighting: &Sighting, now: Instant) -> Self {
        Self {
            source: sighting.source.clone(),
            origin: sighting.origin,
            heard: now,
            window_began: now,
            best: None,
            baseline: None,
        }
    }
}

fn agree(a: i64, b: i64) -> bool {
    a.abs_diff(b) <= AGREE_MILLIS.unsigned_abs()
}

#[cfg(test)]
mod tests;
