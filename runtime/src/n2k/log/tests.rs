use super::*;
use crate::n2k::{Pgn, SourceAddress};
use std::string::ToString;

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
fn blank_lines_and_comments_hold_nothing() {
    for line in ["", "  \r\n", "# candump", "; x"] {
        assert_eq!(read(line), Ok(None), "{line:?}");
    }
}

#[test]
fn errors_name_what_is_wrong() {
    for (line, error) in [
        ("interface = can0, family = 29", LineError::UnknownFormat),
        ("(1780308000) can0 09F11207#FF", LineError::Time),
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
        ("2026-06-01-10:00:00,2,127250,7,255,1,ff", LineError::Time),
        ("2026-06-01T10:00:00.0Z,8,127250,7,255,1,ff", LineError::Part("priority")),
        ("2026-06-01T10:00:00.0Z,2,x,7,255,1,ff", LineError::Part("PGN")),
        ("2026-06-01T10:00:00.0Z,2,127250,256,255,1,ff", LineError::Part("source address")),
        ("2026-06-01T10:00:00.0Z,2,127250,7", LineError::Part("destination")),
        ("2026-06-01T10:00:00.0Z,2,127250,7,255,-1,ff", LineError::Part("length")),
        ("2026-06-01T10:00:00.0Z,2,127250,7,255,2,f,fff", LineError::Data),
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

proptest::proptest! {
    #[test]
    fn never_panics_on_any_line(line in proptest::collection::vec(0_u8.., 0..120), form in 0_usize..3) {
        let mut bytes = ["(1.5) can0 09F11207#", "2026-06-01T10:00:00.0Z,2,127250,7,255,", " can0 09F11207 "][form].as_bytes().to_vec();
        let _ = LogReader::new(Format::Auto, Mode::Auto).line(&line);
        bytes.extend(line);
        let _ = LogReader::new(Format::Auto, Mode::Auto).line(&bytes);
    }
}
