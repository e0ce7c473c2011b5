use super::*;
use proptest::prelude::*;

const LIMIT: usize = 70_000;
const MASK: Option<[u8; 4]> = Some([0x37, 0xfa, 0x21, 0x3d]);

/// Feeds everything in pieces and returns what came out.
fn decode(peer: Peer, bytes: &[u8], size: usize) -> (Vec<WebSocketMessage>, Option<Violation>) {
    let mut decoder = Decoder::new(peer, LIMIT);
    let mut messages = Vec::new();
    for piece in bytes.chunks(size.max(1)) {
        let mut rest = piece;
        loop {
            match decoder.decode(&mut rest) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(violation) => return (messages, Some(violation)),
            }
        }
        assert!(rest.is_empty(), "a decoder without a message has taken everything");
    }
    (messages, None)
}

fn violation(bytes: &[u8]) -> u16 {
    let whole = decode(Peer::Client, bytes, bytes.len());
    let single = decode(Peer::Client, bytes, 1);
    assert_eq!(whole, single);
    whole.1.expect("a violation").code()
}

fn frame(opcode: Opcode, fin: bool, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_frame(&mut out, opcode, fin, payload, MASK);
    out
}

#[test]
fn the_examples_of_the_rfc() {
    // RFC 6455 §5.7.
    let hello = || vec![WebSocketMessage::Text("Hello".into())];
    let masked = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(decode(Peer::Client, &masked, 3), (hello(), None));
    assert_eq!(frame(Opcode::Text, true, b"Hello"), masked);
    assert_eq!(decode(Peer::Server, &[0x81, 5, 0x48, 0x65, 0x6c, 0x6c, 0x6f], 2), (hello(), None));
    let fragments = [0x01, 3, 0x48, 0x65, 0x6c, 0x80, 2, 0x6c, 0x6f];
    assert_eq!(decode(Peer::Server, &fragments, 1), (hello(), None));
    assert_eq!(frame_head(Opcode::Binary, 256).as_slice(), [0x82, 0x7e, 1, 0]);
    assert_eq!(frame_head(Opcode::Binary, 65_536).as_slice(), [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]);
}

#[test]
fn control_frames_come_between_fragments() {
    let mut stream = frame(Opcode::Text, false, "dépt".as_bytes());
    stream.extend(frame(Opcode::Ping, true, b"p"));
    stream.extend(frame(Opcode::Continuation, false, b""));
    stream.extend(frame(Opcode::Continuation, true, b"h"));
    let ping = WebSocketMessage::Ping(Control::from_slice(b"p").unwrap());
    assert_eq!(decode(Peer::Client, &stream, 2), (vec![ping, WebSocketMessage::Text("dépth".into())], None));
}

#[test]
fn text_may_be_cut_inside_a_character() {
    let text = "é".as_bytes();
    let mut stream = frame(Opcode::Text, false, &text[..1]);
    stream.extend(frame(Opcode::Continuation, true, &text[1..]));
    assert_eq!(decode(Peer::Client, &stream, 100).0, [WebSocketMessage::Text("é".into())]);
    assert_eq!(violation(&frame(Opcode::Text, true, &text[..1])), 1007);
}

#[test]
fn what_breaks_the_protocol_is_told_by_its_code() {
    assert_eq!(violation(&[0x81, 0x00]), 1002, "a client's frame without a mask");
    assert_eq!(violation(&[0xc1, 0x80, 0, 0, 0, 0]), 1002, "a reserved bit");
    assert_eq!(violation(&[0x83, 0x80, 0, 0, 0, 0]), 1002, "an unknown opcode");
    assert_eq!(violation(&frame(Opcode::Ping, false, b"")), 1002, "a fragmented ping");
    assert_eq!(violation(&frame(Opcode::Ping, true, &[0; 126])), 1002, "a long ping");
    assert_eq!(violation(&frame(Opcode::Continuation, true, b"")), 1002, "a continuation of nothing");
    let mut nested = frame(Opcode::Text, false, b"a");
    nested.extend(frame(Opcode::Text, true, b"b"));
    assert_eq!(violation(&nested), 1002, "a message inside a message");
    assert_eq!(violation(&[0x81, 0xfe, 0, 5, 0, 0, 0, 0]), 1002, "a length longer than needed");
    assert_eq!(violation(&[0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0]), 1002, "a length longer than needed");
    assert_eq!(violation(&[0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 1002, "a length of 64 bits");
    assert_eq!(decode(Peer::Server, &frame(Opcode::Text, true, b"x"), 1).1.unwrap().code(), 1002, "a masked server");
}

#[test]
fn long_messages_are_refused_before_they_arrive() {
    let head = [0x82, 0xff, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    assert_eq!(violation(&head), 1009);
    let mut fragments = frame(Opcode::Binary, false, &[0; LIMIT]);
    fragments.extend(frame(Opcode::Continuation, false, b""));
    assert_eq!(decode(Peer::Client, &fragments, 1000), (vec![], None));
    fragments.extend(frame(Opcode::Continuation, true, b"x"));
    assert_eq!(decode(Peer::Client, &fragments, 1000).1.unwrap().code(), 1009);
}

#[test]
fn close_codes_are_checked() {
    let close = |payload: &[u8]| decode(Peer::Client, &frame(Opcode::Close, true, payload), 1);
    assert_eq!(close(&[]).0, [WebSocketMessage::Close(None)]);
    assert_eq!(close(&[3, 0xe8]).0, [WebSocketMessage::Close(Some(1000))]);
    assert_eq!(close(&[3, 0xe8, b'b', b'y', b'e']).0, [WebSocketMessage::Close(Some(1000))]);
    for (payload, code) in [
        (&[3][..], 1002),
        (&[0, 0], 1002),
        (&[3, 0xed], 1002), // 1005 stands for no code and is never sent
        (&[0xff, 0xff], 1002),
        (&[3, 0xe8, 0xff], 1007),
    ] {
        assert_eq!(close(payload).1.unwrap().code(), code, "{payload:?}");
    }
}

#[test]
fn a_violation_stays() {
    let mut decoder = Decoder::new(Peer::Client, LIMIT);
    assert!(decoder.decode(&mut &[0xff, 0xff][..]).is_err());
    assert!(decoder.decode(&mut &frame(Opcode::Text, true, b"x")[..]).is_err());
    assert_eq!(decoder.held_bytes(), 0);
}

proptest! {
    #[test]
    fn any_bytes_give_the_same_in_any_pieces(bytes in proptest::collection::vec(any::<u8>(), 0..300), size in 1_usize..50) {
        prop_assert_eq!(decode(Peer::Client, &bytes, bytes.len()), decode(Peer::Client, &bytes, size));
    }

    #[test]
    fn what_is_written_is_read(
        parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..400), 1..5),
        mask in any::<[u8; 4]>(),
        masked in any::<bool>(),
        size in 1_usize..100,
    ) {
        let mask = masked.then_some(mask);
        let mut stream = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let opcode = if index == 0 { Opcode::Binary } else { Opcode::Continuation };
            write_frame(&mut stream, opcode, index + 1 == parts.len(), part, mask);
        }
        let peer = if masked { Peer::Client } else { Peer::Server };
        prop_assert_eq!(decode(peer, &stream, size), (vec![WebSocketMessage::Binary(parts.concat())], None));
    }
}
