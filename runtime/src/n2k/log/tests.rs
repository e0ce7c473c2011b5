use super::*;
use crate::n2k::{Pgn, SourceAddress};
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

fn read(line: &str) -> Result<Option<Record>, LineError> {
    LogReader::new(Format::Auto, Mode::Auto).line(line.as_bytes())
}

fn frame(line: &str) -> (Option<i64>, CanFrame) {
    match read(line).unwrap().unwrap() {
        Record { time, item: Item::Frame(frame) } => (time.map(|time| time.0), frame),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_form_of_candump_gives_the_same_frame() {
    let wanted = CanFrame::new(0x09f1_1207, &[0xff, 0x10, 0x3b]).unwrap();
    for (line, time) in [
        ("(1780308000.012999) can0 09F11207#FF103B", Some(1_780_308_000_012)),
        ("(1780308000.012999) vcan0 09f11207#FF.10.3B R\r\n", Some(1_780_308_000_012)),
        ("  can0  09F11207   [3]  FF 10 3B", None),
        (" (000.010000)  can0  09F11207   [3]  FF 10 3B   '..;'", Some(10)),
        (" (2026-06-01 10:00:00.012345)  can0  RX - -  09F11207   [3]  FF 10 3B", Some(1_780_308_000_012)),
        ("<0x09f11207> [3] ff 10 3b ", None),
    ] {
        assert_eq!(frame(line), (time, wanted), "{line}");
    }
}

#[test]
fn canboat_lines_are_frames_until_a_long_one_comes() {
    let short = b"2026-06-01T10:00:00.012Z,3,129029,7,255,8,00,2b,01,02,03,04,05,06";
    let long = b"2026-06-01-10:00:00.500,6,130820,7,255,9,1,2";
    let single = b"2026-06-01T10:00:00Z,2,127250,7,255,8,ff,10,3b,ff,7f,ff,7f,fc,";
    let is_frame = |record: Option<Record>| matches!(record.unwrap().item, Item::Frame(_));
    let mut reader = LogReader::new(Format::Canboat, Mode::Auto);
    assert!(is_frame(reader.line(short).unwrap()));
    assert_eq!(reader.line(long), Err(LineError::Length { announced: 9, found: 2 }));
    assert!(is_frame(reader.line(short).unwrap()));
    let long = b"2026-06-01-10:00:00.500,6,130820,7,255,9,01,02,03,04,05,06,07,08,09";
    let Some(Record { time: Some(UnixMillis(1_780_308_000_500)), item: Item::Whole { id, payload } }) =
        reader.line(long).unwrap()
    else {
        panic!("not a whole message");
    };
    assert_eq!(id, Id { priority: 6, pgn: Pgn(130_820), source: SourceAddress(7), destination: 255 });
    assert_eq!(payload, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert!(!is_frame(reader.line(short).unwrap()));
    assert!(!is_frame(reader.line(single).unwrap()));

    let mut mixed = LogReader::new(Format::Auto, Mode::Mixed);
    assert!(!is_frame(mixed.line(long).unwrap()));
    assert!(is_frame(mixed.line(short).unwrap()));
    let mut fast = LogReader::new(Format::Auto, Mode::Fast);
    assert!(!is_frame(fast.line(short).unwrap()));
    let mut plain = LogReader::new(Format::Auto, Mode::Plain);
    assert_eq!(plain.line(long), Err(LineError::FrameTooLong { bytes: 9 }));
    assert!(is_frame(plain.line(short).unwrap()));
}

#[test]
fn canboat_lines_are_read_in_every_spelling() {
    let wanted = CanFrame::new(0x09f1_1207, &[0xff, 0, 0xb]).unwrap();
    for (time, millis) in [
        ("2026-06-01-10:00:00", Some(1_780_308_000_000)),
        ("2026-06-01T12:00:00.012+02:00", Some(1_780_308_000_012)),
        ("2026-06-01Z10:00:00.012", Some(1_780_308_000_012)),
        ("2026/06/01-10:00:00.012", Some(1_780_308_000_012)),
        ("1780308000012", Some(1_780_308_000_012)),
        ("1780308000", Some(1_780_308_000_000)),
        ("10:00:00.012", Some(MORNING)),
        ("Z", None),
        ("1 June", None),
    ] {
        assert_eq!(frame(&std::format!("{time},2,127250,7,255,3,ff,0,b")), (millis, wanted), "{time}");
    }
    // Three bits hold no 8.
    let (_, lowest) = frame("2026-06-01T10:00:00Z,8,127250,7,255,3,FF,00,0B");
    assert_eq!(lowest.id(), 0x1df1_1207);
}

#[test]
fn a_time_with_a_date_wins_over_the_servers_and_one_without_does_not() {
    let server = Some(1_471_172_400_153);
    for (line, time) in [
        ("1471172400153;A;10:00:00.012 R 09F11207 FF 10 3B", server),
        ("1471172400153;A;(000.010000) can0 09F11207#FF103B", server),
        ("1471172400153;A;  can0  09F11207   [3]  FF 10 3B", server),
        ("1471172400153;A;(1780308000.012999) can0 09F11207#FF103B", Some(1_780_308_000_012)),
        ("\\s:x,c:1780308000*00\\$MXPGN,01F112,2307,FF103B*63", Some(1_780_308_000_000)),
        ("1471172400153;A;\\c:1780308000012*00\\$MXPGN,01F112,2307,FF103B*63", Some(1_780_308_000_012)),
        ("1471172400153;A;\\s:x*00\\$MXPGN,01F112,2307,FF103B*63", server),
    ] {
        assert_eq!(frame(line).0, time, "{line}");
    }
    let (time, ..) = whole("1471172400153;A;!PDGY,127250,2,7,255,1.841,/xA7");
    let (other, ..) = whole("1471172400153;A;A100000.012 07FF9 1F112 FF103B");
    assert_eq!((time, other), (server, server));
}

#[test]
fn times_of_candump_since_the_last_frame_are_summed() {
    let times = |spans: &[&str]| -> Vec<i64> {
        let mut reader = LogReader::new(Format::Auto, Mode::Auto);
        let lines = spans.iter().map(|span| std::format!(" ({span})  can0  09F11207   [3]  FF 10 3B"));
        lines.map(|line| reader.line(line.as_bytes()).unwrap().unwrap().time.unwrap().0).collect()
    };
    assert_eq!(times(&["000.000000", "000.009000", "000.250000", "000.019000", "000.730000"]), [0, 9, 250, 278, 1008]);
    assert_eq!(times(&["000.000000", "000.009000", "000.259000", "000.278000"]), [0, 9, 259, 278]);
    // Two logs of `-t z`, joined.
    assert_eq!(times(&["005.000000", "000.000000", "000.009000"]), [5000, 0, 9]);
    assert_eq!(times(&["1780308000.012999", "1780308000.000000"]), [1_780_308_000_012, 1_780_308_000_000]);
}

#[test]
fn addressed_groups_and_gateway_groups_keep_their_id() {
    let (_, asked) = frame("2026-06-01T10:00:00.012Z,6,59904,3,36,3,00,ee,00");
    assert_eq!(asked.id(), 0x18ea_2403);
    let Some(Record { item: Item::Whole { id, .. }, .. }) =
        read("2026-06-01T10:00:00.012Z,7,262400,0,255,2,12,01").unwrap()
    else {
        panic!("not a whole message");
    };
    assert_eq!(id.pgn, Pgn(262_400));
}

#[test]
fn times_in_front_zeros_and_foreign_letters_do_not_hide_a_line() {
    let wanted = CanFrame::new(0x09f1_1207, &[0xff, 0x10, 0x3b]).unwrap();
    for (line, time) in [
        ("2026-06-01T10:00:00.012Z can0 09F11207#FF103B", Some(1_780_308_000_012)),
        ("2026-06-01T10:00:00.012Z   slcan0  09F11207   [3]  FF 10 3B", Some(1_780_308_000_012)),
        ("1780308000.012999 vcan0 09F11207#FF103B", Some(1_780_308_000_012)),
        ("\0\0\0(1780308000.012999) can0 09F11207#FF103B\0\r\r\n", Some(1_780_308_000_012)),
        ("any0 09F11207#FF103B", None),
        ("can-0 09F11207#FF103B", None),
    ] {
        assert_eq!(frame(line), (time, wanted), "{line:?}");
    }
    let mut reader = LogReader::new(Format::Auto, Mode::Auto);
    let line = b"(1.5)  can0  09F11207   [3]  FF 10 3B   '\xff\x10;'";
    assert!(matches!(reader.line(line), Ok(Some(Record { item: Item::Frame(frame), .. })) if frame == wanted));
    assert_eq!(reader.line(b"\xc3\x28 nothing"), Err(LineError::NotText));
}

#[test]
fn blank_lines_and_comments_hold_nothing() {
    for line in ["", "  \r\n", "# candump", "; x"] {
        assert_eq!(read(line), Ok(None), "{line:?}");
    }
}

#[test]
fn errors_name_what_is_wrong() {
    for (line, error) in [
        ("interface = can0, family = 29", LineError::UnknownFormat),
        ("(178x308000) can0 09F11207#FF", LineError::Time),
        ("(1780308000.000000 can0 09F11207#FF", LineError::Time),
        ("(1780308000.000000)", LineError::Part("interface")),
        ("(1780308000.000000) can0", LineError::Part("identifier")),
        ("(1780308000.000000) can0 09F1120#FF", LineError::Identifier),
        ("(1780308000.000000) can0 123#FF", LineError::ElevenBit),
        ("(1780308000.000000) can0 20000004#0004000000000000", LineError::NotDataFrame),
        ("(1780308000.000000) can0 09F11207#R8", LineError::NotDataFrame),
        ("(1780308000.000000) can0 09F11207##0FF", LineError::NotDataFrame),
        ("(1780308000.000000) can0 09F11207#FF1", LineError::Data),
        ("(1780308000.000000) can0 09F11207#000102030405060708", LineError::FrameTooLong { bytes: 9 }),
        ("  can0  09F11207   [9]  00 01 02 03 04 05 06 07 08", LineError::FrameTooLong { bytes: 9 }),
        ("  can0  09F11207   [3]  00 01", LineError::Length { announced: 3, found: 2 }),
        ("  can0  09F11207   [8]  remote request", LineError::NotDataFrame),
        ("  can0  09F11207   [2]  00 1G", LineError::Data),
        ("2026-06-01T10:00:00.0Z,256,127250,7,255,1,ff", LineError::Part("priority")),
        ("2026-06-01T10:00:00.0Z,2,x,7,255,1,ff", LineError::Part("PGN")),
        ("2026-06-01T10:00:00.0Z,2,127250,256,255,1,ff", LineError::Part("source address")),
        ("2026-06-01T10:00:00.0Z,2,127250,7", LineError::Part("destination")),
        ("2026-06-01T10:00:00.0Z,2,127250,7,255,-1,ff", LineError::Part("length")),
        ("2026-06-01T10:00:00.0Z,2,127250,7,255,2,f,fff", LineError::Data),
        ("2026-06-01T10:00:00.0Z,2,127250,7,255,2,g,ff", LineError::Data),
        ("2026-06-01T10:00:00.0Z,2,127250,7,255,2,,ff", LineError::Data),
    ] {
        assert_eq!(read(line), Err(error), "{line}");
    }
    assert_eq!(LogReader::new(Format::Auto, Mode::Auto).line(&[0xff, 0xfe]), Err(LineError::NotText));
    let long = std::format!("2026-06-01T10:00:00.0Z,2,129540,7,255,1786,{}", "00,".repeat(1786));
    assert_eq!(read(&long), Err(LineError::PayloadTooLong { bytes: 1786 }));
    assert_eq!(read(&"x".repeat(LINE_BYTES_MAX + 1)), Err(LineError::TooLong { bytes: LINE_BYTES_MAX + 1 }));
}

#[test]
fn formats_have_names_and_binary_ones_no_lines() {
    for (name, format) in Format::ALL {
        assert_eq!((Format::from_name(name), format.name()), (Some(format), name));
        let answer = LogReader::new(format, Mode::Auto).line(b"x");
        assert_eq!(answer == Err(LineError::Binary(format)), format.is_binary(), "{name} {answer:?}");
        assert!(!answer.unwrap_err().to_string().is_empty());
    }
    assert_eq!((Format::from_name("csv"), Mode::from_name("slow")), (None, None));
    assert_eq!((Mode::from_name("mixed"), To::from_name("ebl")), (Some(Mode::Mixed), None));
}

fn whole(line: &str) -> (Option<i64>, Id, Payload) {
    match read(line).unwrap().unwrap() {
        Record { time, item: Item::Whole { id, payload } } => (time.map(|time| time.0), id, payload),
        other => panic!("{other:?}"),
    }
}

/// 10:00:00.012 of the first day.
const MORNING: i64 = 36_000_012;

#[test]
fn text_formats_of_frames_are_told_apart() {
    let wanted = CanFrame::new(0x09f1_1207, &[0xff, 0x10, 0x3b]).unwrap();
    for (line, time) in [
        ("10:00:00.012 R 09F11207 FF 10 3B", Some(MORNING)),
        ("10:00:00.012 T 09f11207 ff 10 3b\r\n", Some(MORNING)),
        ("   1)      1841  09F11207  3  FF 10 3B ", Some(1841)),
        ("   1)      1841.9  Rx         09F11207  3  FF 10 3B", Some(1841)),
        ("   1)      1841.9 1  Rx        09F11207 -  3    FF 10 3B", Some(1841)),
        ("     1      1841.900 DT  09F11207 Rx 3  FF 10 3B", Some(1841)),
        ("     1      1841.900 DT 1  09F11207 Rx -  3    FF 10 3B", Some(1841)),
        ("$MXPGN,01F112,2307,FF103B*63", None),
        ("\\s:x,c:1*00\\$MXPGN,01F112,2307,FF103B", None),
    ] {
        assert_eq!(frame(line), (time, wanted), "{line}");
    }
}

#[test]
fn text_formats_of_messages_are_told_apart() {
    let id = Id { priority: 2, pgn: Pgn(127_250), source: SourceAddress(7), destination: 255 };
    let data = Payload::from_slice(&[0xff, 0x10, 0x3b]).unwrap();
    for (line, time) in [
        ("A100000.012 07FF2 1F112 FF103B", Some(MORNING)),
        ("!PDGY,127250,2,7,255,1.841,/xA7", Some(1841)),
        ("0,1841,127250,Vessel Heading,Garmin,7,255,2,1,3,0xFF103B", Some(1841)),
    ] {
        let mut reader = LogReader::new(Format::Auto, Mode::Auto);
        assert_eq!(reader.line(b"Sequence #,Timestamp,PGN,Name,Manufacturer,Remote Address,Local Address,Priority,Single Frame,Size,Packet"), Ok(None));
        let record = reader.line(line.as_bytes()).unwrap().unwrap();
        let item = Item::Whole { id, payload: data.clone() };
        assert_eq!(record, Record { time: time.map(UnixMillis), item }, "{line}");
    }
    // Without the line that names them, the columns are the usual ones.
    let garmin = b"0,1841,127250,Vessel Heading,Garmin,7,255,2,1,3,0xFF103B";
    for format in [Format::Garmin, Format::Auto] {
        assert!(LogReader::new(format, Mode::Auto).line(garmin).unwrap().is_some());
    }
    // Newer firmware writes the date and the PGN twice.
    let newer = b"0,6_1_2026_10_0_0_1012,127250,127250,Vessel Heading,Garmin,7,255,2,1,3,0xFF103B";
    let head = b"Sequence #,Month_Day_Year_Hours_Minutes_Seconds_msTicks,PGN,Processed PGN,Name,Manufacturer,Remote Address,Local Address,Priority,Single Frame,Size,Packet";
    let item = Item::Whole { id, payload: data.clone() };
    let dated = Record { time: Some(UnixMillis(1_780_308_000_012)), item: item.clone() };
    let mut named = LogReader::new(Format::Auto, Mode::Auto);
    assert_eq!((named.line(head), named.line(newer)), (Ok(None), Ok(Some(dated.clone()))));
    assert_eq!(LogReader::new(Format::Auto, Mode::Auto).line(newer), Ok(Some(dated)));
    let unset = b"0,0_0_0_0_0_0_1012,127250,127250,Vessel Heading,Garmin,7,255,2,1,3,0xFF103B";
    assert_eq!(named.line(unset), Ok(Some(Record { time: Some(UnixMillis(1012)), item })));
    // These name no priority, or no sender.
    let (time, found, payload) = whole("$PCDIN,01F112,0012D687,07,FF103B*2C");
    assert_eq!((time, found, payload), (None, Id { priority: 0, ..id }, data.clone()));
    let (_, found, payload) = whole("!PDGY,127250,36,/xA7");
    let sent = Id { priority: 0, source: SourceAddress(0), destination: 36, ..id };
    assert_eq!((found, payload), (sent, data.clone()));
    // BST 93, 95 and D0 in JSON.
    let (_, found, payload) = whole(r#"{"pgn":127250,"payload":[147,14,2,18,241,1,255,7,1,2,3,4,3,255,16,59]}"#);
    assert_eq!((found, payload), (id, data.clone()));
    assert_eq!(frame(r#"{"payload":[149,9,0,0,7,18,241,9,255,16,59]}"#).1.id(), 0x09f1_1207);
    let (_, found, payload) = whole(r#"{"payload": [208,16,0,255,7,18,241,9,0,1,2,3,4,255,16,59]}"#);
    assert_eq!((found, payload), (id, data));
}

#[test]
fn what_gateways_tell_of_themselves_is_passed_over() {
    for line in [
        "$PDGY,000000,4,,5,482,1,0",
        "!PDGY,126992,3,2,255,0.563",
        r#"{"payload":[160,3,17,2,0]}"#,
        // Sent to the bus, not received.
        r#"{"payload":[149,9,0,0,7,18,241,137,255,16,59]}"#,
        r#"{"payload":[208,16,0,255,7,18,241,9,8,1,2,3,4,255,16,59]}"#,
    ] {
        assert_eq!(read(line), Ok(None), "{line}");
    }
}

#[test]
fn errors_of_gateway_lines_name_what_is_wrong() {
    for (line, error) in [
        ("$GPHDT,1,T", LineError::Nmea0183),
        ("!AIVDM,1,1,,A,x,0", LineError::Nmea0183),
        ("25:00:00.012 R 09F11207 FF", LineError::Time),
        ("10:00:00.x R 09F11207 FF", LineError::Time),
        ("10:00:00.012 X 09F11207 FF", LineError::Part("direction")),
        ("10:00:00.012 R 09F11207 FF FF FF FF FF FF FF FF FF", LineError::FrameTooLong { bytes: 9 }),
        ("10:00:00.012 R 123 FF", LineError::ElevenBit),
        ("10:00:00.012 R 09F11207 FFF", LineError::Data),
        ("A100000.012 07FF 1F112 FF", LineError::Part("addresses")),
        ("A100000.012 07FF2 +F112 FF", LineError::Part("PGN")),
        ("A100000.012 07FF2 1F112 F", LineError::Data),
        ("A107000.012 07FF2 1F112 FF", LineError::Time),
        ("!PDGY,127250,2,7,255,1.841,/x*7", LineError::Base64),
        ("!PDGY,127250,300,7,255,1.841,/xA7", LineError::Part("priority")),
        ("!PDGY,127250,2,7,255,x,/xA7", LineError::Time),
        ("$PCDIN,01F112,0012D687,07,FF103B*00", LineError::Checksum),
        ("$PCDIN,01F112,0012D687,07", LineError::Data),
        ("$MXPGN,01F112,2407,FF103B", LineError::Length { announced: 4, found: 3 }),
        ("$MXPGN,01F112,2907,FF103BFF103BFF103B", LineError::FrameTooLong { bytes: 9 }),
        ("1) 1841 Rx 0300 3 FF 10 3B", LineError::ElevenBit),
        ("1) 1841 Rx 09F11207 8 RTR", LineError::NotDataFrame),
        ("1) 1841 Rx 09F11207 4 FF 10 3B", LineError::Length { announced: 4, found: 3 }),
        ("1 1841 FD 09F11207 Rx 3 FF 10 3B", LineError::NotDataFrame),
        (r#"{"pgn":1}"#, LineError::Part("payload")),
        (r#"{"timestamp":"2026-06-01T10:00:00.000Z","pgn":127250,"fields":{"Heading":1.5}}"#, LineError::Analyzed),
        (r#"{"payload":[256]}"#, LineError::Part("payload")),
        (r#"{"payload":[147,1]}"#, LineError::Part("head of the message")),
        (r#"{"payload":[147,14,2,18,241,1,255,7,1,2,3,4,4,255,16,59]}"#, LineError::Length { announced: 4, found: 3 }),
    ] {
        assert_eq!(read(line), Err(error), "{line}");
        assert!(!error.to_string().is_empty());
    }
    let ydwg = LogReader::new(Format::Ydwg, Mode::Auto).line(b"(1.5) can0 09F11207#FF");
    assert_eq!(ydwg, Err(LineError::Time));
    let pcdin = LogReader::new(Format::Pcdin, Mode::Auto).line(b"(1.5) can0 09F11207#FF");
    assert_eq!(pcdin, Err(LineError::NotOfFormat(Format::Pcdin)));
    let garmin = LogReader::new(Format::Garmin, Mode::Auto).line(b"0,1841,127250,x,x,7,255,2,1,4,0xFF103B");
    assert_eq!(garmin, Err(LineError::Length { announced: 4, found: 3 }));
}

/// Entries of bytes that come in chunks of that size.
fn entries(format: Format, bytes: &[u8], chunk: usize) -> Vec<LogEntry> {
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

fn written(to: To, records: &[Record]) -> String {
    let (mut writer, mut out) = (LogWriter::new(to), String::new());
    records.iter().for_each(|record| writer.write(record, &mut out).unwrap());
    out
}

/// What a log gives when it is put together again.
fn messages(text: &str, mode: Mode) -> Vec<(Option<UnixMillis>, Id, Payload)> {
    let mut stream = LogStream::new(Format::Auto, mode);
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
        (To::Canboat, "2026-06-01T10:00:00.012Z,2,127250,7,255,3,ff,10,3b\n"),
    ] {
        assert_eq!(written(to, std::slice::from_ref(&record)), line);
    }
    let gateway = Id { priority: 7, pgn: Pgn(262_400), source: SourceAddress(0), destination: 255 };
    let whole = Record { time: None, item: Item::Whole { id: gateway, payload: Payload::new() } };
    assert_eq!(LogWriter::new(To::Candump).write(&whole, &mut String::new()), Err(WriteError::GatewayPgn));
    assert_eq!(written(To::Canboat, &[whole]), "1970-01-01T00:00:00.000Z,7,262400,0,255,0\n");
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
        let mode = if to == To::Canboat { Mode::Fast } else { Mode::Auto };
        let found = messages(&text, mode);
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

proptest::proptest! {
    #[test]
    fn never_panics_on_any_line(line in proptest::collection::vec(0_u8.., 0..120), form in 0_usize..3) {
        let mut bytes = ["(1.5) can0 09F11207#", "2026-06-01T10:00:00.0Z,2,127250,7,255,", " can0 09F11207 "][form].as_bytes().to_vec();
        let _ = LogReader::new(Format::Auto, Mode::Auto).line(&line);
        bytes.extend(line);
        let _ = LogReader::new(Format::Auto, Mode::Auto).line(&bytes);
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
