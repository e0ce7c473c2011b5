//! A boat under way: the frames its devices send, made by our own encoder.
//!
//! [`Sample`] is endless and depends on nothing but its seed, so the same seed gives the same frames
//! on every platform (`libm`, no clock). [`LENGTH_SECONDS`] of it make one round of `--sample`.

mod boat;
mod devices;

use core::fmt;

pub use boat::Truth;

use super::encode::encode;
use super::fast_packet::Frames;
use super::id::{BROADCAST, Id};
use crate::hal::CanFrame;
use crate::time::UnixMillis;
use boat::Boat;
use devices::SCHEDULE;

/// Time of the first frame, 2026-06-01T10:00:00Z.
pub const START: UnixMillis = UnixMillis::from_civil(2026, 6, 1, 10 * 3_600_000);
/// Seconds of one round; the depth falls below 3 m twice in it, about 10 s each time.
pub const LENGTH_SECONDS: u32 = 120;
/// Seed of the boat that `--sample` shows.
pub const SEED: u64 = 1;
/// Source label of the sample.
pub const LABEL: &str = "sample";

/// Devices send at multiples of this.
const TICK_MILLIS: i64 = 5;
/// Frames of one message at most.
const FRAMES_MAX: usize = 32;

/// The simulator.
#[derive(Clone, Debug)]
pub struct Sample {
    boat: Boat,
    /// Milliseconds since [`START`] of the frames being given.
    elapsed: i64,
    /// Next row of the schedule to look at.
    row: usize,
    /// Messages sent so far by each row, modulo 256.
    sent: [u8; SCHEDULE.len()],
    frames: heapless::Deque<CanFrame, FRAMES_MAX>,
}

impl Sample {
    /// Builds the simulator; the seed shifts how wind, course and speed vary.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { boat: Boat::new(seed), elapsed: 0, row: 0, sent: [0; SCHEDULE.len()], frames: heapless::Deque::new() }
    }

    /// Returns the next frame and its time.
    pub fn next_frame(&mut self) -> (UnixMillis, CanFrame) {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return (self.now(), frame);
            }
            self.send();
        }
    }

    /// Returns the time of the frame given last.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        UnixMillis(START.0.saturating_add(self.elapsed))
    }

    /// Returns what is true at the time of the frame given last.
    #[must_use]
    pub fn truth(&self) -> Truth {
        self.boat.truth(self.elapsed)
    }

    /// Returns what is true at `time`.
    #[must_use]
    pub fn truth_at(&self, time: UnixMillis) -> Truth {
        self.boat.truth(time.0.saturating_sub(START.0))
    }

    /// Fills the frames of the next message that is due.
    fn send(&mut self) {
        let Some(row) = SCHEDULE.get(self.row) else {
            self.row = 0;
            self.elapsed = self.elapsed.saturating_add(TICK_MILLIS);
            self.boat.advance(self.elapsed);
            return;
        };
        let sent = self.sent.get_mut(self.row);
        self.row += 1;
        let since = self.elapsed - row.phase_millis;
        if since < 0 || since % row.period_millis != 0 {
            return;
        }
        let mut counter = 0;
        if let Some(sent) = sent {
            counter = *sent;
            *sent = sent.wrapping_add(1);
        }
        let id = Id { priority: row.priority, pgn: row.pgn, source: row.source, destination: BROADCAST };
        let state = devices::SampleState { boat: &self.boat, elapsed: self.elapsed, sid: i64::from(counter) % 253 };
        // Every row is encoded in a test; one that could not be would only be missing here.
        let Ok(payload) = (row.fields)(&state, &|fields| encode(row.pgn, fields)) else { return };
        for frame in Frames::new(&id, counter, &payload).into_iter().flatten() {
            let _ = self.frames.push_back(frame);
        }
    }
}

impl Iterator for Sample {
    type Item = (UnixMillis, CanFrame);

    /// As [`Sample::next_frame`]; never ends.
    fn next(&mut self) -> Option<Self::Item> {
        Some(self.next_frame())
    }
}

/// Writes one frame as candump's log form does: `(1780308000.000000) can0 09F11207#FF…`, without a line end.
///
/// # Errors
/// What the sink returns.
pub fn write_candump_line<W: fmt::Write + ?Sized>(out: &mut W, time: UnixMillis, frame: &CanFrame) -> fmt::Result {
    let (seconds, millis) = (time.0.div_euclid(1000), time.0.rem_euclid(1000));
    write!(out, "({seconds:010}.{millis:03}000) can0 {:08X}#", frame.id())?;
    frame.data().iter().try_for_each(|byte| write!(out, "{byte:02X}"))
}

#[cfg(test)]
mod tests;
