use super::*;
use proptest::prelude::*;

const VERSIONS: [Version; 2] = [Version::V3, Version::V5];

#[test]
fn a_client_introduces_itself_as_the_standard_has_it() {
    let will = Some(Message { topic: "s", payload: b"off", is_retained: true });
    let who = Connect { client: "a", keep_alive_s: 30, user: Some("u"), password: Some(b"p"), will };
    let mut bytes = Vec::new();
    connect(&mut bytes, Version::V3, &who);
    let expected = b"\x10\x1b\0\x04MQTT\x04\xee\0\x1e\0\x01a\0\x01s\0\x03off\0\x01u\0\x01p";
    assert_eq!(bytes, expected);
    bytes.clear();
    connect(&mut bytes, Version::V5, &Connect { user: None, password: None, will: None, ..who });
    assert_eq!(bytes, b"\x10\x0e\0\x04MQTT\x05\x02\0\x1e\0\0\x01a");
}

#[test]
fn what_is_published_is_what_a_subscriber_reads() {
    let payload = vec![b'x'; 300];
    for version in VERSIONS {
        for (id, is_retained) in [(None, true), (Some(7), false)] {
            let message = Message { topic: "a/b", payload: &payload, is_retained };
            let mut bytes = Vec::new();
            publish(&mut bytes, version, &message, id);
            let (packet, taken) = next(&bytes, version).unwrap().unwrap();
            assert_eq!((packet, taken), (Packet::Publish { message, id }, bytes.len()));
            for cut in 0..bytes.len() {
                assert_eq!(next(&bytes[..cut], version), Ok(None), "{cut}");
            }
        }
    }
}

#[test]
fn answers_of_brokers_are_read() {
    for (bytes, version, packet) in [
        (&b"\x20\x02\0\0"[..], Version::V3, Packet::Accepted(Terms::default())),
        (b"\x20\x02\0\x05", Version::V3, Packet::Refused(5)),
        (
            b"\x20\x13\0\0\x10\x21\0\x14\x27\0\0\x10\0\x13\0\x0a\x22\0\x0a\x2a\0",
            Version::V5,
            Packet::Accepted(Terms { receive_max: 20, packet_bytes_max: 4096, keep_alive_s: Some(10) }),
        ),
        (b"\x20\x0d\0\0\x0a\x26\0\x01a\0\x01b\x1f\0\0", Version::V5, Packet::Accepted(Terms::default())),
        (b"\x20\x03\0\x87\0", Version::V5, Packet::Refused(0x87)),
        (b"\x40\x02\0\x07", Version::V3, Packet::Acknowledged(7, None)),
        (b"\x40\x03\0\x07\x10", Version::V5, Packet::Acknowledged(7, None)),
        (b"\x40\x04\0\x07\x87\0", Version::V5, Packet::Acknowledged(7, Some(0x87))),
        (b"\x90\x03\0\x01\x01", Version::V3, Packet::Subscribed(1, false)),
        (b"\x90\x04\0\x01\0\x87", Version::V5, Packet::Subscribed(1, true)),
        (b"\xd0\0", Version::V3, Packet::Pong),
        (b"\xe0\x01\x8e", Version::V5, Packet::Ended(0x8e)),
    ] {
        assert_eq!(next(bytes, version), Ok(Some((packet, bytes.len()))), "{bytes:?}");
    }
}

#[test]
fn what_no_client_gets_ends_the_connection() {
    for (bytes, fault) in [
        (&b"\x10\x00"[..], Fault::Unexpected(0x10)),
        (b"\x34\x05\0\x01a\0\x01", Fault::Unexpected(0x34)),
        (b"\x30\xff\xff\xff\xff\xff", Fault::Malformed),
        (b"\x30\xff\xff\xff\x7f", Fault::TooLong),
        (b"\x30\x02\0\x05", Fault::Malformed),
        (b"\x30\x03\0\x01\xff", Fault::Malformed),
        (b"\x40\x01\0", Fault::Malformed),
    ] {
        assert_eq!(next(bytes, Version::V3), Err(fault), "{bytes:?}");
    }
    assert_eq!(next(b"\x20\x05\0\0\x02\x7f\0", Version::V5), Err(Fault::Malformed));
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..60), five: bool) {
        let version = if five { Version::V5 } else { Version::V3 };
        if let Ok(Some((_, taken))) = next(&bytes, version) {
            prop_assert!((2..=bytes.len()).contains(&taken));
        }
    }

    #[test]
    fn any_message_comes_back(topic in "\\PC{0,40}", payload: Vec<u8>, is_retained: bool, id: Option<u16>, five: bool) {
        let version = if five { Version::V5 } else { Version::V3 };
        let message = Message { topic: &topic, payload: &payload, is_retained };
        let mut bytes = Vec::new();
        publish(&mut bytes, version, &message, id);
        prop_assert_eq!(next(&bytes, version), Ok(Some((Packet::Publish { message, id }, bytes.len()))));
    }
}
