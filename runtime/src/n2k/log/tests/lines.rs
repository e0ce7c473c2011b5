//! What a line of each text format gives.

use super::super::*;
use super::{frame, read};
use crate::n2k::{Pgn, SourceAddress};
use std::string::ToString;
use std::vec::Vec;

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

proptest::proptest! {
    #[test]
    fn never_panics_on_any_line(line in proptest::collection::vec(0_u8.., 0..120), form in 0_usize..3) {
        let mut bytes = ["(1.5) can0 09F11207#", "2026-06-01T10:00:00.0Z,2,127250,7,255,", " can0 09F11207 "][form].as_bytes().to_vec();
        let _ = LogReader::new(Format::Auto, Mode::Auto).line(&line);
        bytes.extend(line);
        let _ = LogReader::new(Format::Auto, Mode::Auto).line(&bytes);
    }
}
