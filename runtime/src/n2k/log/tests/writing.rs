//! What is written, and that it is read again.

use super::super::*;
use super::streams::entries;
use crate::n2k::{Pgn, SourceAddress};
use std::string::{String, ToString};
use std::vec::Vec;

fn written(to: To, records: &[Record]) -> String {
    let (mut writer, mut out) = (LogWriter::new(to), String::new());
    records.iter().for_each(|record| writer.write(record, &mut out).unwrap());
    out
}

/// What a log gives when it is put together again.
fn messages(text: &str) -> Vec<(Option<UnixMillis>, Id, Payload)> {
    let mut stream = LogStream::new(Format::Auto, Mode::Auto);
    let mut receiver = crate::n2k::Receiver::new("x");
    let mut found = Vec::new();
    let mut rest = text.as_bytes();
    loop {
        let record = match stream.next_entry() {
            Some(LogEntry::Record { record, .. }) => record,
            Some(other) => panic!("{other:?}"),
            None if rest.is_empty() => return found,
            None => {
                rest = &rest[stream.feed(rest)..];
                continue;
            }
        };
        let message = match &record.item {
            Item::Frame(frame) => receiver.frame(frame, crate::time::Instant(0)),
            Item::Whole { id, payload } => receiver.whole(*id, payload),
        };
        found.extend(message.map(|message| (record.time, message.id, message.payload)));
    }
}

#[test]
fn records_are_written_as_the_tools_do() {
    let frame = CanFrame::new(0x09f1_1207, &[0xff, 0x10, 0x3b]).unwrap();
    let record = Record { time: Some(UnixMillis(1_780_308_000_012)), item: Item::Frame(frame) };
    for (to, line) in [
        (To::Candump, "(1780308000.012000) can0 09F11207#FF103B\n"),
        (To::Ydwg, "10:00:00.012 R 09F11207 FF 10 3B\n"),
        (To::N2kAscii, "A100000.012 07FF2 1F112 FF103B\n"),
        (To::Canboat, "# format=FAST\n2026-06-01T10:00:00.012Z,2,127250,7,255,3,ff,10,3b\n"),
    ] {
        assert_eq!(written(to, std::slice::from_ref(&record)), line);
    }
    let gateway = Id { priority: 7, pgn: Pgn(262_400), source: SourceAddress(0), destination: 255 };
    let whole = Record { time: None, item: Item::Whole { id: gateway, payload: Payload::new() } };
    assert_eq!(LogWriter::new(To::Candump).write(&whole, &mut String::new()), Err(WriteError::GatewayPgn));
    assert_eq!(written(To::Canboat, &[whole]), "# format=FAST\n1970-01-01T00:00:00.000Z,7,262400,0,255,0\n");
    let behind = Record { time: None, item: Item::Frame(CanFrame::new(0x18eb_ff07, &[1; 8]).unwrap()) };
    assert_eq!(LogWriter::new(To::Canboat).write(&behind, &mut String::new()), Err(WriteError::LostFrame));
    assert!(!WriteError::LostFrame.to_string().is_empty());
}

/// Any message: single frames, fast packets and transfers, broadcast and addressed.
fn any_message() -> impl proptest::strategy::Strategy<Value = (Id, Payload)> {
    use proptest::prelude::*;
    let pgn = prop_oneof![Just(127_250), Just(129_029), Just(126_208), Just(59_904), Just(65_280), Just(130_816)];
    let length = prop_oneof![4 => 0..=8_usize, 4 => 9..=223_usize, 1 => 224..=1785_usize];
    (pgn, 0..=7_u8, 0..=253_u8, any::<u8>(), length, any::<u8>()).prop_map(
        |(pgn, priority, source, destination, length, seed)| {
            let destination = if (pgn >> 8) & 0xff < 240 { destination } else { 255 };
            let data: Vec<u8> =
                (0..length).map(|index| seed.wrapping_add(index.to_le_bytes()[0].wrapping_mul(31))).collect();
            (
                Id { priority, pgn: Pgn(pgn), source: SourceAddress(source), destination },
                Payload::from_slice(&data).unwrap(),
            )
        },
    )
}

proptest::proptest! {
    #[test]
    fn what_is_written_is_read(
        messages_in in proptest::collection::vec(any_message(), 1..12), start in 0_i64..80_000_000, to in 0_usize..4
    ) {
        let (_, to) = To::ALL[to];
        // Times of day stay within one day.
        let time = |index: usize| UnixMillis(start + i64::try_from(index).unwrap());
        let records: Vec<Record> = messages_in
            .iter()
            .enumerate()
            .map(|(index, (id, payload))| Record { time: Some(time(index)), item: Item::Whole { id: *id, payload: payload.clone() } })
            .collect();
        let text = written(to, &records);
        let found = messages(&text);
        proptest::prop_assert_eq!(found.len(), messages_in.len(), "{}", text);
        for (index, ((id, payload), (at, found_id, found))) in messages_in.iter().zip(&found).enumerate() {
            proptest::prop_assert_eq!((*at, found_id, found), (Some(time(index)), id, payload));
        }
        // From frames to whole messages, and from there to the same frames.
        if matches!(to, To::Candump | To::Ydwg) {
            let frames: Vec<Record> = all_records(&text);
            let whole = written(To::Canboat, &frames);
            proptest::prop_assert_eq!(whole, written(To::Canboat, &records));
            proptest::prop_assert_eq!(written(to, &frames), text);
        }
    }

    #[test]
    fn any_bytes_in_any_format_give_entries_in_bounded_memory(
        bytes in proptest::collection::vec(0_u8.., 0..400), format in 0_usize..14, chunk in 1_usize..50
    ) {
        let (_, format) = Format::ALL[format];
        let all = entries(format, &bytes, bytes.len().max(1));
        proptest::prop_assert_eq!(entries(format, &bytes, chunk), all);
    }
}

fn all_records(text: &str) -> Vec<Record> {
    let record = |entry| match entry {
        LogEntry::Record { record, .. } => record,
        other => panic!("{other:?}"),
    };
    let mut stream = LogStream::new(Format::Auto, Mode::Auto);
    let (mut found, mut rest) = (Vec::new(), text.as_bytes());
    while !rest.is_empty() {
        rest = &rest[stream.feed(rest)..];
        found.extend(std::iter::from_fn(|| stream.next_entry()).map(record));
    }
    found
}
