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
    assert_eq!(seen, [left.as_slice(), right.as_slice()]);
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
fn a_gap_drops_the_message() {
    let mut packets = FastPackets::default();
    let parts = frames(1, 0, &[7; 30]);
    packets.push(&id(1), parts[0].data(), Instant(0)).unwrap();
    assert_eq!(packets.push(&id(1), parts[2].data(), Instant(0)), Err(FastPacketError::Gap));
    assert_eq!(packets.push(&id(1), parts[1].data(), Instant(0)), Err(FastPacketError::NoStart));
}

#[test]
fn another_sequence_is_a_gap() {
    let mut packets = FastPackets::default();
    packets.push(&id(1), frames(1, 0, &[7; 30])[0].data(), Instant(0)).unwrap();
    assert_eq!(packets.push(&id(1), frames(1, 1, &[7; 30])[1].data(), Instant(0)), Err(FastPacketError::Gap));
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
    assert_eq!(packets.push(&id(0), frames(0, 0, &[0; 10])[1].data(), Instant(20)), Err(FastPacketError::NoStart));
    assert!(packets.push(&id(1), frames(1, 0, &[1; 10])[1].data(), Instant(20)).unwrap().is_some());
}

#[test]
fn gives_up_after_750_ms() {
    let mut packets = FastPackets::default();
    let parts = frames(1, 0, &[7; 20]);
    packets.push(&id(1), parts[0].data(), Instant::from_millis(1000)).unwrap();
    packets.push(&id(1), parts[1].data(), Instant::from_millis(1749)).unwrap();
    assert_eq!(packets.push(&id(1), parts[2].data(), Instant::from_millis(1750)), Err(FastPacketError::NoStart));
    assert_eq!(packets.dropped().timed_out, 1);
}

#[test]
fn refuses_what_cannot_be_a_frame() {
    let mut packets = FastPackets::default();
    for data in [&[][..], &[0x20], &[0x20, 224, 0, 0, 0, 0, 0, 0]] {
        assert_eq!(packets.push(&id(1), data, Instant(0)), Err(FastPacketError::Malformed));
    }
    // Frames of one byte never reach the announced length; the last index ends the message.
    packets.push(&id(1), &[0, 200], Instant(0)).unwrap();
    for index in 1..31 {
        assert_eq!(packets.push(&id(1), &[index], Instant(0)), Ok(None));
    }
    assert_eq!(packets.push(&id(1), &[31], Instant(0)), Err(FastPacketError::Malformed));
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
