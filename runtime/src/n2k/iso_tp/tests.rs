use super::*;

fn id(source: u8, destination: u8) -> Id {
    Id { priority: 6, pgn: Pgn(129_540), source: SourceAddress(source), destination }
}

fn frames(source: u8, destination: u8, payload: &[u8]) -> Vec<CanFrame> {
    TransferFrames::new(&id(source, destination), payload).unwrap().collect()
}

fn push(tp: &mut IsoTp, frame: &CanFrame, now: Instant) -> Result<Option<(Id, Payload)>, IsoTpError> {
    tp.push(&Id::from_can(frame.id()), frame.data(), now)
}

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|index| (index * 7).to_le_bytes()[0]).collect()
}

#[test]
fn a_broadcast_is_joined_in_any_order() {
    let payload = bytes(MESSAGE_BYTES_MAX);
    let mut tp = IsoTp::default();
    let mut parts = frames(23, 255, &payload);
    assert_eq!(parts.len(), 256);
    parts[1..].reverse();
    let (last, before) = parts.split_last().unwrap();
    for part in before {
        assert_eq!(push(&mut tp, part, Instant(0)), Ok(None));
    }
    let (found, joined) = push(&mut tp, last, Instant(0)).unwrap().unwrap();
    assert_eq!((found, joined.as_slice()), (id(23, 255), payload.as_slice()));
    assert_eq!((tp.dropped(), tp.next_reply()), (Dropped::default(), None));
}

#[test]
fn an_addressed_transfer_between_others_is_followed_without_a_word() {
    let payload = bytes(20);
    let mut tp = IsoTp::default();
    tp.set_address(Some(SourceAddress(99)));
    let parts = frames(1, 2, &payload);
    push(&mut tp, &parts[0], Instant(0)).unwrap();
    // The receiver asks a second late, which is its right.
    let cts = Id { priority: 7, pgn: PGN_CONNECTION, source: SourceAddress(2), destination: 1 };
    let second = Instant::from_millis(1000);
    tp.push(&cts, &[CTS, 3, 1, 255, 255, 0x04, 0xfa, 1], second).unwrap();
    for part in &parts[1..3] {
        assert_eq!(push(&mut tp, part, Instant::from_millis(2000)), Ok(None));
    }
    let joined = push(&mut tp, &parts[3], Instant::from_millis(2000)).unwrap().unwrap();
    assert_eq!((joined.0.destination, joined.1.as_slice()), (2, payload.as_slice()));
    assert_eq!(tp.next_reply(), None);
}

#[test]
fn a_transfer_to_us_is_answered() {
    let payload = bytes(7 * 20);
    let mut tp = IsoTp::default();
    tp.set_address(Some(SourceAddress(9)));
    let parts = frames(1, 9, &payload);
    let reply = |tp: &mut IsoTp| tp.next_reply().map(|frame| (Id::from_can(frame.id()), frame.data().to_vec()));
    push(&mut tp, &parts[0], Instant(0)).unwrap();
    let (to, data) = reply(&mut tp).unwrap();
    assert_eq!((to.pgn, to.source.0, to.destination), (PGN_CONNECTION, 9, 1));
    assert_eq!(data, [CTS, 16, 1, 255, 255, 0x04, 0xfa, 1]);
    // Packet 5 is lost: it is asked for again, and the rest with it.
    for (number, part) in parts.iter().enumerate().skip(1).take(16).filter(|(number, _)| *number != 5) {
        assert_eq!(push(&mut tp, part, Instant(0)), Ok(None), "{number}");
    }
    assert_eq!(reply(&mut tp).unwrap().1, [CTS, 16, 5, 255, 255, 0x04, 0xfa, 1]);
    assert_eq!(push(&mut tp, &parts[5], Instant(0)), Ok(None));
    for part in &parts[17..20] {
        assert_eq!(push(&mut tp, part, Instant(0)), Ok(None));
    }
    let joined = push(&mut tp, &parts[20], Instant(0)).unwrap().unwrap();
    assert_eq!(joined.1.as_slice(), payload.as_slice());
    assert_eq!(reply(&mut tp).unwrap().1, [END, 140, 0, 20, 255, 0x04, 0xfa, 1]);
    assert_eq!(reply(&mut tp), None);
}

#[test]
fn a_sender_that_falls_silent_is_told() {
    let mut tp = IsoTp::new(1);
    tp.set_address(Some(SourceAddress(9)));
    push(&mut tp, &frames(1, 9, &[0; 20])[0], Instant(0)).unwrap();
    // A second one does not find room.
    push(&mut tp, &frames(2, 9, &[0; 20])[0], Instant(0)).unwrap();
    let controls = |tp: &mut IsoTp| -> Vec<[u8; 2]> {
        std::iter::from_fn(|| tp.next_reply()).map(|frame| [frame.data()[0], frame.data()[1]]).collect()
    };
    assert_eq!(controls(&mut tp), [[CTS, 3], [ABORT, ABORT_BUSY]]);
    tp.expire(Instant::from_millis(1251));
    assert_eq!(controls(&mut tp), [[ABORT, ABORT_TIMEOUT]]);
    assert_eq!(tp.dropped(), Dropped { timed_out: 1, evicted: 1, ..Dropped::default() });
}

#[test]
fn losses_are_counted_by_their_kind() {
    let mut tp = IsoTp::default();
    for source in 1..=3 {
        push(&mut tp, &frames(source, 255, &[0; 20])[0], Instant(u64::from(source))).unwrap();
    }
    assert_eq!(push(&mut tp, &frames(1, 255, &[0; 20])[1], Instant(4)), Err(IsoTpError::NoStart));
    push(&mut tp, &frames(2, 255, &[0; 20])[0], Instant(5)).unwrap();
    let abort = Id { priority: 7, pgn: PGN_CONNECTION, source: SourceAddress(3), destination: 255 };
    tp.push(&abort, &[ABORT, 1, 255, 255, 255, 0, 0, 0], Instant(6)).unwrap();
    tp.expire(Instant::from_millis(751));
    assert_eq!(tp.dropped(), Dropped { timed_out: 1, evicted: 1, restarted: 1, aborted: 1 });
    assert!(tp.sessions.is_empty());
}

#[test]
fn what_does_not_go_together_is_refused() {
    let mut tp = IsoTp::default();
    let connection = Id { pgn: PGN_CONNECTION, ..id(1, 255) };
    for data in [
        &[][..],
        &[BAM, 20, 0, 3, 255, 0, 0],
        &[BAM, 8, 0, 2, 255, 0, 0, 0],
        &[BAM, 20, 0, 4, 255, 0, 0, 0],
        &[BAM, 0xfa, 6, 255, 255, 0, 0, 0],
        &[RTS, 20, 0, 3, 255, 0, 0, 0],
        &[99, 20, 0, 3, 255, 0, 0, 0],
    ] {
        assert_eq!(tp.push(&connection, data, Instant(0)), Err(IsoTpError::Malformed), "{data:?}");
    }
    let addressed = Id { destination: 5, ..connection };
    assert_eq!(tp.push(&addressed, &[BAM, 20, 0, 3, 255, 0, 0, 0], Instant(0)), Err(IsoTpError::Malformed));
    let parts = frames(1, 255, &[1; 20]);
    push(&mut tp, &parts[0], Instant(0)).unwrap();
    let data = Id { pgn: PGN_DATA, ..id(1, 255) };
    for (packet, error) in [
        (&[][..], IsoTpError::Malformed),
        (&[1, 2, 3], IsoTpError::Malformed),
        (&[0, 1, 1, 1, 1, 1, 1, 1], IsoTpError::NoStart),
        (&[4, 1, 1, 1, 1, 1, 1, 1], IsoTpError::NoStart),
    ] {
        assert_eq!(tp.push(&data, packet, Instant(0)), Err(error), "{packet:?}");
    }
    assert!(TransferFrames::new(&id(1, 255), &[0; 8]).is_none());
    assert!(TransferFrames::new(&id(1, 255), &[0; MESSAGE_BYTES_MAX + 1]).is_none());
}

proptest::proptest! {
    #[test]
    fn what_is_split_is_joined(payload in proptest::collection::vec(0_u8.., 9..=MESSAGE_BYTES_MAX), destination: u8) {
        let mut tp = IsoTp::default();
        let joined: Vec<_> = frames(7, destination, &payload)
            .iter()
            .filter_map(|frame| push(&mut tp, frame, Instant(0)).unwrap())
            .collect();
        proptest::prop_assert_eq!(joined.len(), 1);
        proptest::prop_assert_eq!(joined[0].0, id(7, destination));
        proptest::prop_assert_eq!(joined[0].1.as_slice(), payload.as_slice());
    }

    #[test]
    fn never_panics_and_stays_bounded(
        frames in proptest::collection::vec(
            (0_u8..4, 0_u8..4, proptest::bool::ANY, proptest::collection::vec(0_u8.., 0..=8), 0_u64..400_000), 0..200)
    ) {
        let mut tp = IsoTp::default();
        tp.set_address(Some(SourceAddress(1)));
        let mut now = Instant(0);
        for (source, destination, is_data, data, wait) in frames {
            now = Instant(now.0 + wait);
            let pgn = if is_data { PGN_DATA } else { PGN_CONNECTION };
            let _ = tp.push(&Id { pgn, ..id(source, destination) }, &data, now);
            proptest::prop_assert!(tp.sessions.len() <= usize::from(SESSIONS));
        }
    }
}
