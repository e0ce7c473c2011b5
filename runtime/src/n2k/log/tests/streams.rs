//! What bytes give, whatever the pieces are that they come in: wires, binary files, lines and their ends.

use super::super::*;
use super::{frame, read};
use crate::n2k::{Pgn, SourceAddress};
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

/// Entries of bytes that come in chunks of that size.
pub(super) fn entries(format: Format, bytes: &[u8], chunk: usize) -> Vec<LogEntry> {
    let mut stream = LogStream::new(format, Mode::Auto);
    let mut found = Vec::new();
    for chunk in bytes.chunks(chunk) {
        assert_eq!(stream.feed(chunk), chunk.len());
        found.extend(std::iter::from_fn(|| stream.next_entry()));
    }
    stream.end();
    found.extend(std::iter::from_fn(|| stream.next_entry()));
    found
}

/// The same whatever the chunks are.
fn all_entries(format: Format, bytes: &[u8]) -> Vec<LogEntry> {
    let found = entries(format, bytes, bytes.len().max(1));
    for chunk in [1, 2, 3, 7, 64] {
        assert_eq!(entries(format, bytes, chunk), found, "chunks of {chunk}");
    }
    found
}

fn heading() -> Item {
    let id = Id { priority: 2, pgn: Pgn(127_250), source: SourceAddress(7), destination: 255 };
    Item::Whole { id, payload: Payload::from_slice(&[0x10, 0x1b, 0x3b]).unwrap() }
}

/// [`heading`] as BST 93, its length and data in need of escapes.
const HEADING: [u8; 14] = [2, 18, 241, 1, 255, 7, 1, 2, 3, 4, 3, 0x10, 0x1b, 0x3b];

#[test]
fn the_wire_of_an_ngt1_is_taken_apart() {
    let mut bytes = b"\x10\x03junk".to_vec();
    bytes.extend(bst::wire(0x93, &HEADING));
    bytes.extend(bst::start_command());
    bytes.extend([0x10, 2, 0x93, 1, 0, 0x10, 3]);
    // Cut off by the next one.
    bytes.extend([0x10, 2, 0x93]);
    bytes.extend(bst::wire(0x93, &HEADING));
    bytes.extend([0x10, 2, 0x93]);
    let record = Record { time: None, item: heading() };
    assert_eq!(
        all_entries(Format::Auto, &bytes),
        [
            LogEntry::Record { number: 1, record: record.clone() },
            LogEntry::Bad { number: 3, error: LineError::Checksum, is_last: false },
            LogEntry::Bad { number: 4, error: LineError::CutOff, is_last: false },
            LogEntry::Record { number: 5, record },
            LogEntry::Bad { number: 6, error: LineError::CutOff, is_last: true },
        ]
    );
    assert_eq!(bst::start_command(), [0x10, 2, 0xa1, 3, 0x11, 2, 0, 0x49, 0x10, 3]);
    // Nothing on the wire can take more memory than a message has.
    let mut endless = vec![0x10, 2];
    endless.extend([7; 4000]);
    let error = LineError::PayloadTooLong { bytes: bst::MESSAGE_MAX };
    assert_eq!(all_entries(Format::Ngt1, &endless), [LogEntry::Bad { number: 1, error, is_last: false }]);
}

/// A record of EBL's own, each escape byte inside doubled.
fn note(kind: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x1b, 1, kind];
    for byte in data {
        bytes.push(*byte);
        if *byte == 0x1b {
            bytes.push(*byte);
        }
    }
    bytes.extend([0x1b, 0x0a]);
    bytes
}

#[test]
fn frame_records_of_newer_ebl_files_are_read_with_their_count() {
    // 2026-06-01T10:00:00Z in 100 ns since 1601.
    let filetime = (1_780_308_000_000_u64 + 11_644_473_600_000) * 10_000;
    let frame = |count: u16| {
        let [low, high] = count.to_le_bytes();
        note(7, &[0x95, 9, low, high, 7, 18, 0xf1, 9, 0xff, 0x10, 0x1b])
    };
    let wanted = CanFrame::new(0x09f1_1207, &[0xff, 0x10, 0x1b]).unwrap();
    let record = |number, time| LogEntry::Record {
        number,
        record: Record { time: Some(UnixMillis(time)), item: Item::Frame(wanted) },
    };
    // Without a time record the count is all there is; it goes over its end.
    let bytes = [frame(65_000), frame(65_500), frame(464), note(3, &filetime.to_le_bytes()), frame(474), frame(574)];
    assert_eq!(
        all_entries(Format::Auto, &bytes.concat()),
        [record(1, 0), record(2, 500), record(3, 1000), record(4, 1_780_308_000_000), record(5, 1_780_308_000_100)]
    );
    let mut bad = note(7, &[0x95, 4, 0, 0, 7]);
    bad.extend(note(9, &[1, 2, 3]));
    let error = LineError::Part("head of the message");
    assert_eq!(all_entries(Format::Auto, &bad), [LogEntry::Bad { number: 1, error, is_last: false }]);
}

#[test]
fn what_a_host_gave_to_be_sent_is_read() {
    let id = Id { priority: 2, pgn: Pgn(127_250), source: SourceAddress(0), destination: 255 };
    let item = Item::Whole { id, payload: Payload::from_slice(&[0xff, 0x10, 0x3b]).unwrap() };
    let sent = bst::wire(0x94, &[2, 18, 241, 1, 255, 3, 0xff, 0x10, 0x3b]);
    let record = Record { time: None, item };
    assert_eq!(all_entries(Format::Auto, &sent), [LogEntry::Record { number: 1, record: record.clone() }]);
    assert_eq!(read(r#"{"payload":[148,9,2,18,241,1,255,3,255,16,59]}"#), Ok(Some(record)));
    let short = read(r#"{"payload":[148,9,2,18,241,1,255,4,255,16,59]}"#);
    assert_eq!(short, Err(LineError::Length { announced: 4, found: 3 }));
}

/// One record of a voyage recorder.
fn recorded(time: u16, id: u32, data: &[u8]) -> Vec<u8> {
    [&time.to_le_bytes()[..], &id.to_le_bytes()[..], data].concat()
}

#[test]
fn files_of_a_voyage_recorder_are_read() {
    let heading = [0xff, 0x10, 0x3b, 0xff, 0x7f, 0xff, 0x7f, 0xfc];
    let fast = [&[0x20, 26][..], &[5; 26]].concat();
    let maker = Id { priority: 6, pgn: Pgn(130_820), source: SourceAddress(3), destination: 255 };
    let bytes = [
        recorded(59_000, u32::MAX, b"YDVR v05"),
        recorded(59_100, 0x09f1_1207, &heading),
        recorded(59_200, 0x18ea_ff09, &[0, 0xee, 0]),
        recorded(59_900, 0x09f2_0105, &fast),
        // Of a maker: as a frame, and put together.
        recorded(200, maker.to_can(), &[0x40, 9, 1, 2, 3, 4, 5, 6]),
        recorded(300, maker.to_can(), &[&[0x40, 9][..], &[7; 9]].concat()),
        recorded(400, 0x09f1_1207, &heading),
    ];
    let found = all_entries(Format::Auto, &bytes.concat());
    let times: Vec<_> = found
        .iter()
        .map(|entry| match entry {
            LogEntry::Record { number, record } => (*number, record.time.unwrap().0),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(times, [(2, 59_100), (3, 59_200), (4, 59_900), (5, 60_200), (6, 60_300), (7, 60_400)]);
    let item = |at: usize| match &found[at] {
        LogEntry::Record { record, .. } => record.item.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(item(0), Item::Frame(CanFrame::new(0x09f1_1207, &heading).unwrap()));
    assert_eq!(item(1), Item::Frame(CanFrame::new(0x18ea_ff09, &[0, 0xee, 0]).unwrap()));
    assert!(matches!(item(2), Item::Whole { id, payload } if id.pgn == Pgn(127_489) && payload == [5; 26]));
    assert!(matches!(item(3), Item::Frame(frame) if frame.data() == [0x40, 9, 1, 2, 3, 4, 5, 6]));
    assert!(matches!(item(4), Item::Whole { id, payload } if id == maker && payload == [7; 9]));
    // Cut off in the last record, and no such time.
    let whole = bytes.concat();
    let cut = all_entries(Format::Ydvr, &whole[..whole.len() - 1]);
    assert_eq!(cut.last(), Some(&LogEntry::Bad { number: 7, error: LineError::CutOff, is_last: true }));
    let lost = [recorded(59_000, u32::MAX, b"YDVR v05"), recorded(60_001, 0x09f1_1207, &heading)].concat();
    assert_eq!(all_entries(Format::Auto, &lost), [LogEntry::Bad { number: 2, error: LineError::Time, is_last: true }]);
}

#[test]
fn frames_among_whole_messages_are_told() {
    let misread = |mode: Mode, lines: &[&str]| {
        let mut reader = LogReader::new(Format::Auto, mode);
        lines.iter().for_each(|line| drop(reader.line(line.as_bytes()).unwrap()));
        reader.misread()
    };
    let long = "2026-06-01-10:00:00.500,6,130820,7,255,9,01,02,03,04,05,06,07,08,09";
    let first = "2026-06-01T10:00:00.012Z,3,127489,7,255,8,40,1a,01,02,03,04,05,06";
    let next = "2026-06-01T10:00:00.013Z,3,127489,7,255,8,41,01,02,03,04,05,06,07";
    let other = "2026-06-01T10:00:00.013Z,3,127489,8,255,8,41,01,02,03,04,05,06,07";
    assert_eq!(misread(Mode::Auto, &[long, first, next]), 1);
    for (mode, lines) in [
        (Mode::Auto, [first, next, long]),
        (Mode::Auto, [long, first, other]),
        (Mode::Auto, [long, next, first]),
        (Mode::Mixed, [long, first, next]),
        (Mode::Fast, [long, first, next]),
    ] {
        assert_eq!(misread(mode, &lines), 0, "{mode:?} {lines:?}");
    }
}

#[test]
fn a_wire_that_is_joined_in_the_middle_is_found() {
    let whole = bst::wire(0x93, &HEADING);
    let record = |number| LogEntry::Record { number, record: Record { time: None, item: heading() } };
    let cut_off = LogEntry::Bad { number: 1, error: LineError::CutOff, is_last: false };
    for chunk in [1, 7, 4096] {
        let bytes = [&whole[5..], &whole, &whole].concat();
        assert_eq!(entries(Format::Auto, &bytes, chunk), [cut_off.clone(), record(2), record(3)], "{chunk}");
        // The rest of a message can hold what looks like the end of a line.
        let bytes = [b"\xff\x0a\x01\x10\x03", &whole[..]].concat();
        let found = entries(Format::Auto, &bytes, chunk);
        assert_eq!(found.last(), Some(&record(3)), "{chunk} {found:?}");
        // Behind a line that was read, there is no wire.
        let bytes = [b"(1.5) can0 09F11207#FF\n", &whole[..]].concat();
        let found = entries(Format::Auto, &bytes, chunk);
        assert!(!found.iter().skip(1).any(|entry| matches!(entry, LogEntry::Record { .. })), "{chunk} {found:?}");
    }
}

#[test]
fn files_that_are_no_logs_are_named() {
    for (start, said) in [
        (&b"PK\x03\x04\x14\0"[..], "zip"),
        (b"BZh91AY", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
        (b"\x28\xb5\x2f\xfd\x04", "zstd"),
        (b"\xff\xfe(\x0001\0", "UTF-16"),
        (b"\xfe\xff\0(\x0001", "UTF-16"),
        (b"2\x000\x002\x006\0", "UTF-16"),
        (b"\x002\x000\x002\x006", "UTF-16"),
    ] {
        let found = all_entries(Format::Auto, start);
        let [LogEntry::Bad { number: 1, error, is_last: true }] = found[..] else { panic!("{found:?}") };
        assert!(error.is_of_file() && error.to_string().contains(said), "{error}");
    }
}

#[test]
fn ebl_has_times_between_the_messages() {
    // 2026-06-01T10:00:00.012Z in units of 100 ns since 1601.
    let filetime = ((1_780_308_000_012_u64 + 11_644_473_600_000) * 10_000).to_le_bytes();
    let escaped = |bytes: &[u8]| {
        bytes.iter().flat_map(|byte| if *byte == 0x1b { vec![0x1b; 2] } else { vec![*byte] }).collect::<Vec<u8>>()
    };
    let mut bytes = vec![0x1b, 1, 1, 0xe9, 3, 0, 0, 0x1b, 0x0a, 0x1b, 1, 3];
    bytes.extend(escaped(&filetime));
    bytes.extend([0x1b, 0x0a]);
    bytes.extend(escaped(&bst::wire(0x93, &HEADING)));
    let record = Record { time: Some(UnixMillis(1_780_308_000_012)), item: heading() };
    assert_eq!(all_entries(Format::Auto, &bytes), [LogEntry::Record { number: 1, record }]);
}

fn capture(link: u32, big_endian: bool, packets: &[Vec<u8>]) -> Vec<u8> {
    let word = |value: u32| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let mut bytes = Vec::new();
    for value in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, link] {
        bytes.extend(word(value));
    }
    for packet in packets {
        for value in [1_780_308_000, 12_999, u32::try_from(packet.len()).unwrap(), 16] {
            bytes.extend(word(value));
        }
        bytes.extend(packet);
    }
    bytes
}

#[test]
fn captures_of_socketcan_are_read_in_either_byte_order() {
    let packet =
        |id: u32, length: u8| [&id.to_be_bytes()[..], &[length, 0, 0, 0, 0xff, 0x10, 0x3b, 0, 0, 0, 0, 0]].concat();
    let packets = [packet(0x89f1_1207, 3), packet(0x123, 3), packet(0xc9f1_1207, 3), packet(0x89f1_1207, 9), vec![1]];
    let bad = |number, error| LogEntry::Bad { number, error, is_last: false };
    let frame = CanFrame::new(0x09f1_1207, &[0xff, 0x10, 0x3b]).unwrap();
    for big_endian in [false, true] {
        let record = Record { time: Some(UnixMillis(1_780_308_000_012)), item: Item::Frame(frame) };
        let mut bytes = capture(227, big_endian, &packets);
        let mut wanted = std::vec![
            LogEntry::Record { number: 1, record },
            bad(2, LineError::ElevenBit),
            bad(3, LineError::NotDataFrame),
            bad(4, LineError::FrameTooLong { bytes: 9 }),
            bad(5, LineError::Part("head of the packet")),
        ];
        assert_eq!(all_entries(Format::Auto, &bytes), wanted);
        bytes.extend([1, 2, 3]);
        wanted.push(LogEntry::Bad { number: 6, error: LineError::CutOff, is_last: true });
        assert_eq!(all_entries(Format::Pcap, &bytes), wanted);
    }
    let last = |error| [LogEntry::Bad { number: 1, error, is_last: true }];
    assert_eq!(all_entries(Format::Auto, &capture(1, false, &packets)), last(LineError::LinkType(1)));
    assert_eq!(all_entries(Format::Auto, &[0x0a, 0x0d, 0x0d, 0x0a].repeat(8)), last(LineError::PcapNg));
    assert_eq!(all_entries(Format::Auto, &capture(227, false, &[])[..20]), last(LineError::CutOff));
    let mut huge = capture(227, false, &[]);
    huge.extend([0; 8]);
    huge.extend([0xff; 8]);
    let error = LineError::Length { announced: 0xffff_ffff, found: LINE_BYTES_MAX };
    assert_eq!(all_entries(Format::Auto, &huge), last(error));
}

#[test]
fn lines_of_a_servers_log_keep_the_time_that_stands_before_them() {
    let text = "1471172400151;N;$GPHDT,1,T\n1471172400152;I;{\"updates\":[]}\n\
                1471172400153;A;2016-07-16T12:00:00.000Z,2,127250,7,255,8,ff,10,00,ff,7f,ff,7f,fc\n{\"updates\":[]}\n";
    let found = all_entries(Format::Auto, text.as_bytes());
    let at = |millis: i64| Some(UnixMillis(1_471_172_400_000 + millis));
    let sentence = LogEntry::Sentence { number: 1, time: at(151), text: "$GPHDT,1,T".into() };
    let delta = LogEntry::Delta { number: 2, time: at(152), text: "{\"updates\":[]}".into() };
    assert_eq!(found[..2], [sentence, delta]);
    // Without what the server writes before it, it is nobody's.
    assert!(matches!(found[2..], [LogEntry::Record { number: 3, .. }, LogEntry::Bad { number: 4, .. }]), "{found:?}");
}

#[test]
fn lines_and_sentences_come_in_order_and_the_last_needs_no_end() {
    let text = "(1.5) can0 09F11207#FF\r\n\n# x\n$GPHDT,1,T\nnonsense\n$PDGY,000000\n(1.5) can0 09F11207#FF";
    let found = all_entries(Format::Auto, text.as_bytes());
    assert!(
        matches!(
            &found[..],
            [
                LogEntry::Record { number: 1, .. },
                LogEntry::Sentence { number: 4, time: None, text },
                LogEntry::Bad { number: 5, error: LineError::UnknownFormat, is_last: false },
                LogEntry::Record { number: 7, .. },
            ] if text == "$GPHDT,1,T"
        ),
        "{found:?}"
    );
    assert!(matches!(
        all_entries(Format::Auto, b"(1.5) can0 09F1")[..],
        [LogEntry::Bad { number: 1, is_last: true, .. }]
    ));
    assert_eq!(all_entries(Format::Auto, b""), []);
}

#[test]
fn a_line_without_end_is_passed_over_in_bounded_memory() {
    let mut text = vec![b'x'; 5 * LINE_BYTES_MAX];
    text.extend(b"\n(1.5) can0 09F11207#FF\n");
    let found = entries(Format::Auto, &text, 1000);
    assert!(
        matches!(
            found[..],
            [
                LogEntry::Bad { number: 1, error: LineError::TooLong { .. }, is_last: false },
                LogEntry::Record { number: 2, .. }
            ]
        ),
        "{found:?}"
    );
    let mut stream = LogStream::new(Format::Candump, Mode::Auto);
    assert_eq!(stream.feed(&vec![b'x'; 10 * CHUNK_BYTES_MAX]), CHUNK_BYTES_MAX);
    // Who does not take entries out cannot put more in than there is room for.
    assert_eq!(stream.feed(&vec![b'x'; 10 * CHUNK_BYTES_MAX]), LINE_BYTES_MAX);
    assert_eq!(stream.feed(b"x"), 0);
}

#[test]
fn a_datagram_ends_its_last_line() {
    let mut stream = LogStream::new(Format::Auto, Mode::Auto);
    for _ in 0..2 {
        stream.feed(b"10:00:00.012 R 09F11207 FF");
        stream.end_line();
        assert!(matches!(stream.next_entry(), Some(LogEntry::Record { .. })));
        assert_eq!(stream.next_entry(), None);
    }
}

#[test]
fn a_byte_order_mark_and_the_prefix_of_a_server_are_no_part_of_a_line() {
    let wanted = CanFrame::new(0x09f1_1207, &[0xff, 0x10, 0x3b]).unwrap();
    for (line, time) in [
        ("\u{feff}(1780308000.012999) can0 09F11207#FF103B\r\n", Some(1_780_308_000_012)),
        ("1471172400153;A;can0 09F11207#FF103B", Some(1_471_172_400_153)),
        ("1471172400153;A;(1780308000.012999) can0 09F11207#FF103B", Some(1_780_308_000_012)),
    ] {
        assert_eq!(frame(line), (time, wanted), "{line}");
    }
    let mut stream = LogStream::new(Format::Auto, Mode::Auto);
    stream.feed(b"1471172400153;N;$IIHDT,10.5,T\n");
    let Some(LogEntry::Sentence { text, .. }) = stream.next_entry() else { panic!("a sentence") };
    assert_eq!(text, "$IIHDT,10.5,T");
}

#[test]
fn a_packed_file_is_one_clear_error() {
    let mut stream = LogStream::new(Format::Auto, Mode::Auto);
    stream.feed(&[0x1f, 0x8b, 8, 0, 1, 2, 3, b'\n', 4, 5, b'\n']);
    let entry = stream.next_entry();
    assert!(matches!(entry, Some(LogEntry::Bad { error: LineError::Packed, is_last: true, .. })), "{entry:?}");
    assert!(stream.next_entry().is_none());
    assert!(LineError::Packed.to_string().contains("gunzip"));
}

#[test]
fn a_wire_behind_lines_of_carriage_returns_is_the_same_in_pieces() {
    // A sentence, then what looks like the wire of an NGT-1: text has been read, so it is none.
    let bytes = b"!\xf0\xf00\xde\xf0\xff\r*\xff\r\x10\x02\xff\xff\xc7\x00!\x10\x02\xa0\0\0\0\0x\xff[\r";
    let entries = |chunk: usize| {
        let mut stream = LogStream::new(Format::Auto, Mode::Auto);
        let mut found = Vec::new();
        for piece in bytes.chunks(chunk) {
            stream.feed(piece);
            found.extend(core::iter::from_fn(|| stream.next_entry()));
        }
        stream.end();
        found.extend(core::iter::from_fn(|| stream.next_entry()));
        found
    };
    let whole = entries(bytes.len());
    assert!(matches!(whole[0], LogEntry::Sentence { .. }), "{whole:?}");
    assert!((1..bytes.len()).all(|chunk| entries(chunk) == whole));
}

#[test]
fn carriage_returns_alone_end_lines_until_a_newline_is_seen() {
    let line = "(1780308000.000000) can0 09F11207#FF103BFF7FFF7FFC";
    let numbers = |text: String| {
        let number = |entry: LogEntry| match entry {
            LogEntry::Record { number, .. } => number,
            other => panic!("{other:?}"),
        };
        all_entries(Format::Auto, text.as_bytes()).into_iter().map(number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(std::format!("{line}\r{line}\r{line}\r")), [1, 2, 3]);
    assert_eq!(numbers(std::format!("{line}\r\n{line}\r\r\n{line}")), [1, 2, 3]);
    assert_eq!(numbers(std::format!("{line}\n\r{line}\n\r{line}\n")), [1, 2, 3]);
}
