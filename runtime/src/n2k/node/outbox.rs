//! Frames that wait for the bus.

use crate::hal::CanFrame;
use crate::n2k::fast_packet::Frames;
use crate::n2k::id::{Id, Pgn};

/// Frames that wait at once, 1.5 KiB: the longest message has 32.
pub const FRAMES_MAX: usize = 96;
/// PGNs whose sequence counters are kept; more share one.
const COUNTERS_MAX: usize = 16;

/// The queue; a message goes in whole or not at all.
#[derive(Clone, Debug, Default)]
pub(super) struct Outbox {
    frames: heapless::Deque<CanFrame, FRAMES_MAX>,
    counters: heapless::Vec<(Pgn, u8), COUNTERS_MAX>,
    /// Counter of all PGNs that have none of their own.
    shared: u8,
    /// Messages that found no room.
    pub lost: u64,
}

impl Outbox {
    /// Splits a message into frames; false, and counted, when they find no room or it is too long.
    pub fn push(&mut self, id: &Id, payload: &[u8]) -> bool {
        let counter = self.counter(id.pgn);
        let Some(frames) = Frames::new(id, counter, payload) else {
            self.lost = self.lost.saturating_add(1);
            return false;
        };
        let room = FRAMES_MAX.saturating_sub(self.frames.len());
        if frames.clone().count() > room {
            self.lost = self.lost.saturating_add(1);
            return false;
        }
        for frame in frames {
            // There is room for all of them.
            let _ = self.frames.push_back(frame);
        }
        true
    }

    /// Puts one frame in front of all others; where there is no room, the last one goes.
    pub fn push_first(&mut self, id: &Id, data: &[u8]) {
        let Some(frame) = CanFrame::new(id.to_can(), data) else { return };
        if self.frames.is_full() {
            self.frames.pop_back();
            self.lost = self.lost.saturating_add(1);
        }
        let _ = self.frames.push_front(frame);
    }

    pub fn front(&self) -> Option<&CanFrame> {
        self.frames.front()
    }

    pub fn pop(&mut self) {
        self.frames.pop_front();
    }

    pub fn clear(&mut self) {
        self.frames.clear();
    }

    /// Counts the messages of one PGN, so that receivers tell them apart.
    fn counter(&mut self, pgn: Pgn) -> u8 {
        let next = |counter: &mut u8| {
            let now = *counter;
            *counter = counter.wrapping_add(1) & 7;
            now
        };
        if let Some((_, counter)) = self.counters.iter_mut().find(|(known, _)| *known == pgn) {
            return next(counter);
        }
        match self.counters.push((pgn, 1)) {
            Ok(()) => 0,
            Err(_) => next(&mut self.shared),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::n2k::SourceAddress;

    fn id(pgn: u32) -> Id {
        Id { priority: 6, pgn: Pgn(pgn), source: SourceAddress(7), destination: 255 }
    }

    fn take(outbox: &mut Outbox) -> Vec<CanFrame> {
        core::iter::from_fn(|| {
            let frame = outbox.front().copied();
            outbox.pop();
            frame
        })
        .collect()
    }

    #[test]
    fn messages_go_in_whole_or_not_at_all() {
        let mut outbox = Outbox::default();
        for _ in 0..3 {
            assert!(outbox.push(&id(126_998), &[0; 216]), "31 frames each");
        }
        assert!(!outbox.push(&id(126_998), &[0; 30]));
        assert!(outbox.push(&id(127_250), &[0; 8]));
        assert_eq!((outbox.lost, take(&mut outbox).len()), (1, 94));
        assert!(!outbox.push(&id(127_250), &[0; 9]), "a single frame has eight bytes");
    }

    #[test]
    fn each_pgn_counts_its_messages() {
        let mut outbox = Outbox::default();
        for pgn in [126_996, 126_998, 126_996] {
            assert!(outbox.push(&id(pgn), &[0; 6]));
        }
        let heads: Vec<u8> = take(&mut outbox).iter().map(|frame| frame.data()[0] >> 5).collect();
        assert_eq!(heads, [0, 0, 1]);
        for pgn in 0..40 {
            outbox.counter(Pgn(pgn));
        }
        assert_eq!(outbox.counters.len(), COUNTERS_MAX);
    }

    #[test]
    fn what_is_urgent_goes_first_even_when_full() {
        let mut outbox = Outbox::default();
        while outbox.push(&id(127_250), &[0; 8]) {}
        outbox.push_first(&id(60_928), &[1]);
        let frames = take(&mut outbox);
        assert_eq!((frames.len(), frames[0].data(), outbox.lost), (FRAMES_MAX, [1].as_slice(), 2));
    }
}
