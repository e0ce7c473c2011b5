//! The time of day from the bus: PGN 126992 (system time), 129029 (position of a receiver), 129033 (time and date).
//!
//! All three have the date in days since 1970 and the time since midnight in 0.1 ms, UTC (canboat's database: fields
//! `Date` and `Time`). A board has no clock of its own, so that nothing is stamped before one of them was heard, and
//! what claims to be a time before this firmware was made is not believed.

use alloc::boxed::Box;

use skiff_runtime::hal::CanFrame;
use skiff_runtime::n2k::fast_packet::FastPackets;
use skiff_runtime::n2k::{Id, Pgn};
use skiff_runtime::time::{Instant, UnixMillis};

/// 2026-01-01: no boat is earlier.
const EARLIEST: UnixMillis = UnixMillis(1_767_225_600_000);
/// 2100-01-01: what is later is a fault.
const LATEST: UnixMillis = UnixMillis(4_102_444_800_000);
const MS_PER_DAY: i64 = 86_400_000;
/// A source that differs by more from the time that is kept must say so twice in a row.
const JUMP_MS: i64 = 2_000;
/// The same source is followed at most so often, milliseconds; a time of day does not run away in a minute.
const FOLLOW_MS: u64 = 60_000;

/// Listens for the time of day.
#[derive(Default)]
pub struct BusClock {
    /// Made for the first frame of 129029.
    positions: Option<Box<FastPackets>>,
    /// The time of day at a moment.
    set: Option<(UnixMillis, Instant)>,
    /// The last time that was too far from it to be believed at once, and its rank.
    doubted: Option<(UnixMillis, Instant)>,
    /// Rank of the source that is followed: satellites before clocks.
    rank: u8,
}

impl BusClock {
    /// Takes a frame from the bus; returns the time of day when it is to be set.
    pub fn frame(&mut self, frame: &CanFrame, now: Instant) -> Option<UnixMillis> {
        let id = Id::from_can(frame.id());
        let (time, rank) = match id.pgn {
            // The source of the time: 0 and 1 are satellites, 2 a radio station, 3 and more are clocks.
            Pgn(126_992) => {
                let rank = if frame.data().get(1)? & 0x0f <= 1 { 2 } else { 1 };
                (moment(frame.data(), 2)?, rank)
            }
            Pgn(129_033) => (moment(frame.data(), 0)?, 2),
            Pgn(129_029) => {
                let positions = self.positions.get_or_insert_default();
                let payload = positions.push(&id, frame.data(), now).ok()??;
                (moment(payload.as_slice(), 1)?, 3)
            }
            _ => return None,
        };
        self.heard(time, rank, now)
    }

    /// Returns the time of day; `None` before it is known.
    #[must_use]
    pub fn wall(&self, now: Instant) -> Option<UnixMillis> {
        let (time, at) = self.set?;
        let passed = i64::try_from(now.since(at).as_millis()).ok()?;
        Some(UnixMillis(time.0.saturating_add(passed)))
    }

    /// Sets the time of day from elsewhere than the bus.
    pub fn set(&mut self, time: UnixMillis, now: Instant) {
        self.set = Some((time, now));
    }

    fn heard(&mut self, time: UnixMillis, rank: u8, now: Instant) -> Option<UnixMillis> {
        if !(EARLIEST..LATEST).contains(&time) {
            return None;
        }
        if let (Some(kept), Some((_, at))) = (self.wall(now), self.set) {
            let aged = now.since(at).as_millis() >= u128::from(FOLLOW_MS);
            if rank < self.rank && !aged {
                return None;
            }
            if time.0.abs_diff(kept.0) <= JUMP_MS.unsigned_abs() {
                if !aged && rank <= self.rank {
                    return None;
                }
            } else if !self.is_said_again(time, now) {
                self.doubted = Some((time, now));
                return None;
            }
        }
        self.doubted = None;
        self.rank = rank;
        self.set = Some((time, now));
        Some(time)
    }

    /// Tells whether a doubted time goes on: two that agree are no fault of a single message.
    fn is_said_again(&self, time: UnixMillis, now: Instant) -> bool {
        self.doubted.is_some_and(|(doubted, at)| {
            let passed = i64::try_from(now.since(at).as_millis()).unwrap_or(i64::MAX);
            time.0.abs_diff(doubted.0.saturating_add(passed)) <= JUMP_MS.unsigned_abs()
        })
    }
}

/// Reads date (16 bits, days) and time (32 bits, 0.1 ms) at `offset`; `None` when they are not available.
fn moment(data: &[u8], offset: usize) -> Option<UnixMillis> {
    let (days, rest) = data.get(offset..)?.split_first_chunk::<2>()?;
    let ticks = u32::from_le_bytes(*rest.first_chunk::<4>()?);
    let (days, ms) = (i64::from(u16::from_le_bytes(*days)), i64::from(ticks / 10));
    // The highest values of a field say that it is not available or out of range.
    let known = days < 0xfffd && ms < MS_PER_DAY;
    known.then(|| UnixMillis(days * MS_PER_DAY + ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2026-07-01, days since 1970.
    const DAY: u16 = 20_635;

    fn at(seconds: u64) -> Instant {
        Instant(seconds * 1_000_000)
    }

    fn frame(pgn: u32, data: &[u8]) -> CanFrame {
        CanFrame::new(0x0c00_0000 | pgn << 8 | 35, data).unwrap()
    }

    fn system_time(source: u8, days: u16, seconds: u32) -> CanFrame {
        let ([d0, d1], [t0, t1, t2, t3]) = (days.to_le_bytes(), (seconds * 10_000).to_le_bytes());
        frame(126_992, &[0, 0xf0 | source, d0, d1, t0, t1, t2, t3])
    }

    fn ms(days: u16, seconds: i64) -> UnixMillis {
        UnixMillis(i64::from(days) * MS_PER_DAY + seconds * 1000)
    }

    #[test]
    fn the_time_is_not_known_before_it_is_heard() {
        let mut clock = BusClock::default();
        assert_eq!(clock.wall(at(5)), None);
        assert_eq!(clock.frame(&system_time(0, DAY, 3600), at(5)), Some(ms(DAY, 3600)));
        assert_eq!(clock.wall(at(7)), Some(ms(DAY, 3602)));
    }

    #[test]
    fn each_of_the_three_messages_sets_it() {
        let ([d0, d1], [t0, t1, t2, t3]) = (DAY.to_le_bytes(), 36_000_000_u32.to_le_bytes());
        let time_and_date = frame(129_033, &[d0, d1, t0, t1, t2, t3, 0, 0]);
        assert_eq!(BusClock::default().frame(&time_and_date, at(0)), Some(ms(DAY, 3600)));
        let mut clock = BusClock::default();
        let frames = [&[0x20, 43, 0, d0, d1, t0, t1, t2][..], &[0x21, t3, 1, 2, 3, 4, 5, 6]];
        let more: std::vec::Vec<[u8; 8]> = (2..7).map(|number| [0x20 | number, 0, 0, 0, 0, 0, 0, 0]).collect();
        let all = frames.into_iter().chain(more.iter().map(|data| &data[..]));
        let heard: std::vec::Vec<_> = all.filter_map(|data| clock.frame(&frame(129_029, data), at(0))).collect();
        assert_eq!(heard, [ms(DAY, 3600)]);
    }

    #[test]
    fn what_cannot_be_a_time_is_not_believed() {
        for frame in [
            system_time(0, 0xffff, 3600),
            system_time(0, 0, 3600),
            system_time(0, 7000, 0),
            system_time(0, 0xfff0, 0),
            frame(126_992, &[0, 0xf0, 0x9b, 0x50, 0xff, 0xff, 0xff, 0xff]),
            frame(126_992, &[0, 0xf0]),
            frame(127_250, &[0; 8]),
        ] {
            let mut clock = BusClock::default();
            assert_eq!(clock.frame(&frame, at(0)), None, "{frame:?}");
            assert_eq!(clock.wall(at(0)), None);
        }
    }

    #[test]
    fn one_wrong_message_does_not_set_the_clock_back() {
        let mut clock = BusClock::default();
        clock.frame(&system_time(0, DAY, 3600), at(0)).unwrap();
        assert_eq!(clock.frame(&system_time(0, DAY - 400, 3610), at(10)), None);
        assert_eq!(clock.wall(at(10)), Some(ms(DAY, 3610)));
        // One that stays with it is believed.
        assert_eq!(clock.frame(&system_time(0, DAY + 1, 20), at(20)), None);
        assert_eq!(clock.frame(&system_time(0, DAY + 1, 21), at(21)), Some(ms(DAY + 1, 21)));
    }

    #[test]
    fn satellites_come_before_other_clocks() {
        let mut clock = BusClock::default();
        assert!(clock.frame(&system_time(5, DAY, 3600), at(0)).is_some());
        assert!(clock.frame(&system_time(0, DAY, 3601), at(2)).is_some());
        assert_eq!(clock.frame(&system_time(5, DAY, 3603), at(3)), None);
        assert!(clock.frame(&system_time(5, DAY, 3664), at(63)).is_some(), "the satellites have gone");
    }

    proptest! {
        #[test]
        fn any_frame_is_taken(id in 0..0x2000_0000_u32, data in proptest::collection::vec(any::<u8>(), 0..9), seconds in 0..100_000_u64) {
            let mut clock = BusClock::default();
            if let Some(time) = clock.frame(&CanFrame::new(id, &data).unwrap(), at(seconds)) {
                prop_assert!(time >= EARLIEST && time < LATEST);
            }
        }
    }
}
