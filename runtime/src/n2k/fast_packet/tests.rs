use super::*;
use crate::n2k::id::BROADCAST;
use std::vec::Vec;

fn id(source: u8) -> Id {
    Id { priority: 3, pgn: Pgn(129_029), source: SourceAddress(source), destination: BROADCAST }
}

fn frames(source: u8, counter: u8, payload: &[u8]) -> Vec<CanFrame> {
    Frames::new(&id(source), counter, payload).unwrap().collect()
}

#[test]
fn joins_interleaved_messages() {
    let mut packets = FastPackets::default();
    let (left, right): (Vec<u8>, Vec<u8>) = ((0..43).collect(), (100..143).collect());
    let (mut seen, now) = (Vec::new(), Instant(0));
    for (one, two) in frames(1, 2, &left).into_iter().zip(frames(2, 2, &right)) {
        seen.extend(packets.push(&id(1), one.data(), now).unwrap());
        seen.extend(packets.push(&id(2), two.data(), now).unwrap());
    }
    assert_eq!(seen.iter().map(Payload::as_slice).collect::<Vec<_>>(), [left, right]);
    assert_eq!(packets.dropped(), Dropped::default());
}

#[test]
fn cuts_to_the_announced_length() {
    let mut packets = FastPackets::default();
    assert_eq!(packets.push(&id(1), &[0x20, 9, 1, 2, 3, 4, 5, 6], Instant(0)), Ok(None));
    let payload = packets.push(&id(1), &[0x21, 7, 8, 9, 10, 11, 12, 13], Instant(0)).unwrap().unwrap();
    assert_eq!(payload, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(packets.push(&id(1), &[0x40, 2, 5, 6, 7, 8, 9, 10], Instant(0)).unwrap().unwrap(), [5, 6]);
}

#[test]
fn order_does_not_matter() {
    let mut packets = FastPackets::default();
    let parts = frames(1, 3, &[7; 30]);
    for order in [[0, 2, 4, 1, 3], [4, 3, 2, 0, 1], [1, 0, 2, 3, 4]] {
        let mut whole = None;
        for index in order {
            assert_eq!(whole, None);
            whole = packets.push(&id(1), parts[index].data(), Instant(0)).unwrap();
        }
        assert_eq!(whole.unwrap(), [7; 30], "{order:?}");
    }
    assert_eq!(packets.dropped(), Dropped::default());
}

#[test]
fn a_missing_frame_costs_the_message_once() {
    let mut packets = FastPackets::default();
    let parts = frames(1, 0, &[7; 30]);
    for index in [0, 1, 3, 4] {
        assert_eq!(packets.push(&id(1), parts[index].data(), Instant(0)), Ok(None));
    }
    for part in frames(1, 1, &[8; 10]) {
        let _ = packets.push(&id(1), part.data(), Instant(0)).unwrap();
    }
    assert_eq!(packets.dropped(), Dropped { gap: 1, ..Dropped::default() });
}

#[test]
fn the_rest_of_a_message_is_not_joined_to_a_later_start() {
    // A sender that never counts its messages: only the time tells them apart.
    let mut packets = FastPackets::default();
    let (old, new) = (frames(1, 0, &[1; 20]), frames(1, 0, &[2; 20]));
    packets.push(&id(1), old[1].data(), Instant(0)).unwrap();
    packets.push(&id(1), old[2].data(), Instant(0)).unwrap();
    let later = Instant::from_millis(100);
    assert_eq!(packets.push(&id(1), new[0].data(), later), Ok(None));
    assert_eq!(packets.push(&id(1), new[1].data(), later), Ok(None));
    assert_eq!(packets.push(&id(1), new[2].data(), later).unwrap().unwrap(), [2; 20]);
    assert_eq!(packets.dropped(), Dropped { no_start: 1, ..Dropped::default() });

    // Nor when it comes at once.
    for part in old.iter().skip(1).chain(&new[..2]) {
        assert_eq!(packets.push(&id(1), part.data(), later), Ok(None));
    }
    assert_eq!(packets.push(&id(1), new[2].data(), later).unwrap().unwrap(), [2; 20]);
    assert_eq!(packets.dropped(), Dropped { no_start: 2, ..Dropped::default() });

    // In a log, whose clock stands still, frames of others do.
    packets.push(&id(1), old[1].data(), Instant(0)).unwrap();
    for _ in 0..REORDER_FRAMES_MAX {
        packets.push(&id(2), &[0, 1, 5], Instant(0)).unwrap();
    }
    assert_eq!(packets.push(&id(1), new[0].data(), Instant(0)), Ok(None));
    assert_eq!(packets.dropped().no_start, 3);
}

#[test]
fn frames_age_a_message_where_the_clock_stands_still() {
    let mut packets = FastPackets::default();
    packets.push(&id(1), frames(1, 0, &[1; 20])[0].data(), Instant(0)).unwrap();
    for _ in 0..=AGE_FRAMES_MAX {
        packets.push(&id(2), &[0, 1, 5], Instant(0)).unwrap();
    }
    assert_eq!(packets.dropped(), Dropped { timed_out: 1, ..Dropped::default() });
}

#[test]
fn a_frame_behind_the_end_is_refused() {
    let mut packets = FastPackets::default();
    packets.push(&id(1), &[0, 9, 1, 2, 3, 4, 5, 6], Instant(0)).unwrap();
    assert_eq!(packets.push(&id(1), &[2, 0, 0, 0, 0, 0, 0, 0], Instant(0)), Err(FastPacketError::Malformed));
    assert_eq!(packets.slots.len(), 0);
}

#[test]
fn frame_zero_starts_anew() {
    let mut packets = FastPackets::default();
    let parts = frames(1, 0, &[7; 10]);
    packets.push(&id(1), frames(1, 5, &[1; 30])[0].data(), Instant(0)).unwrap();
    packets.push(&id(1), parts[0].data(), Instant(0)).unwrap();
    assert_eq!(packets.push(&id(1), parts[1].data(), Instant(0)).unwrap().unwrap(), [7; 10]);
    assert_eq!(packets.dropped().restarted, 1);
}

#[test]
fn evicts_oldest_when_full() {
    let mut packets = FastPackets::default();
    for source in 0..=16 {
        packets.push(&id(source), frames(source, 0, &[source; 10])[0].data(), Instant(u64::from(source))).unwrap();
    }
    assert_eq!(packets.dropped().evicted, 1);
    assert!(packets.push(&id(1), frames(1, 0, &[1; 10])[1].data(), Instant(20)).unwrap().is_some());
}

#[test]
fn the_oldest_goes_also_where_the_clock_stands_still() {
    let mut packets = FastPackets::default();
    let first = |source: u8| frames(source, 0, &[source; 10])[0].data().to_vec();
    // A message that ends leaves its place to the last one, so that places do not tell the age.
    for source in 0..16 {
        packets.push(&id(source), &first(source), Instant(0)).unwrap();
    }
    assert!(packets.push(&id(0), frames(0, 0, &[0; 10])[1].data(), Instant(0)).unwrap().is_some());
    for source in [20, 21] {
        packets.push(&id(source), &first(source), Instant(0)).unwrap();
    }
    assert_eq!(packets.dropped().evicted, 1);
    assert!(packets.push(&id(15), frames(15, 0, &[15; 10])[1].data(), Instant(0)).unwrap().is_some(), "not the oldest");
    assert!(packets.push(&id(20), frames(20, 0, &[20; 10])[1].data(), Instant(0)).unwrap().is_some());
}

#[test]
fn gives_up_after_750_ms() {
    let mut packets = FastPackets::default();
    let parts = frames(1, 0, &[7; 20]);
    packets.push(&id(1), parts[0].data(), Instant::from_millis(1000)).unwrap();
    packets.push(&id(1), parts[1].data(), Instant::from_millis(1749)).unwrap();
    assert_eq!(packets.push(&id(1), parts[2].data(), Instant::from_millis(1750)), Ok(None));
    assert_eq!(packets.dropped().timed_out, 1);
}

#[test]
fn refuses_what_cannot_be_a_frame() {
    let mut packets = FastPackets::default();
    for data in [&[][..], &[0x20], &[0x20, 224, 0, 0, 0, 0, 0, 0]] {
        assert_eq!(packets.push(&id(1), data, Instant(0)), Err(FastPacketError::Malformed));
    }
    // Frames that lack bytes of the announced length.
    assert_eq!(packets.push(&id(1), &[0, 8], Instant(0)), Err(FastPacketError::Malformed));
    assert_eq!(packets.push(&id(1), &[0, 9, 1, 2, 3, 4, 5, 6], Instant(0)), Ok(None));
    assert_eq!(packets.push(&id(1), &[1, 7, 8], Instant(0)), Err(FastPacketError::Malformed));
    assert_eq!(packets.slots.len(), 0);
}

#[test]
fn single_frame_groups_are_not_split() {
    let heading = Id { pgn: Pgn(127_250), ..id(4) };
    assert_eq!(
        Frames::new(&heading, 3, &[1, 2]).unwrap().map(|frame| frame.data().to_vec()).collect::<Vec<_>>(),
        [[1, 2]]
    );
    assert!(Frames::new(&heading, 3, &[0; 9]).is_none());
    assert!(Frames::new(&id(4), 3, &[0; 224]).is_none());
}

proptest::proptest! {
    #[test]
    fn what_is_split_is_joined(payload in proptest::collection::vec(0_u8.., 0..=PAYLOAD_BYTES_MAX), counter: u8) {
        let mut packets = FastPackets::default();
        let parts = frames(9, counter, &payload);
        let (last, before) = parts.split_last().unwrap();
        for part in before {
            proptest::prop_assert_eq!(packets.push(&id(9), part.data(), Instant(0)), Ok(None));
        }
        let joined = packets.push(&id(9), last.data(), Instant(0)).unwrap().unwrap();
        proptest::prop_assert_eq!(joined.as_slice(), payload.as_slice());
    }

    #[test]
    fn what_is_split_is_joined_in_any_order(
        payload in proptest::collection::vec(0_u8.., 0..=PAYLOAD_BYTES_MAX), counter: u8, seed: u64
    ) {
        let mut parts = frames(9, counter, &payload);
        // A shuffle that needs no more than the seed.
        let mut state = seed;
        for index in (1..parts.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            parts.swap(index, usize::try_from(state >> 33).unwrap() % (index + 1));
        }
        // Frame 0 behind all others begins another message.
        if parts.len() > 1 && parts[parts.len() - 1].data()[0] & INDEX_MASK == 0 {
            parts.reverse();
        }
        let mut packets = FastPackets::default();
        let joined: Vec<_> =
            parts.iter().filter_map(|part| packets.push(&id(9), part.data(), Instant(0)).unwrap()).collect();
        proptest::prop_assert_eq!(joined.len(), 1);
        proptest::prop_assert_eq!(joined[0].as_slice(), payload.as_slice());
        proptest::prop_assert!(packets.slots.is_empty());
    }

    #[test]
    fn never_panics_and_stays_bounded(frames in proptest::collection::vec((0_u8..40, proptest::collection::vec(0_u8.., 0..=8), 0_u64..300_000), 0..200)) {
        let mut packets = FastPackets::default();
        let mut now = Instant(0);
        for (source, data, wait) in frames {
            now = Instant(now.0 + wait);
            let _ = packets.push(&id(source), &data, now);
            proptest::prop_assert!(packets.slots.len() <= SLOTS);
        }
    }
}
