//! Any stream is messages and perhaps a violation, the same in whatever pieces it arrives, within the limit.

#![no_main]

use libfuzzer_sys::fuzz_target;
use skiff_runtime::http::websocket::{Decoder, Opcode, Peer, Violation, WebSocketMessage, write_frame};

const MESSAGE_BYTES_MAX: usize = 300;

fn decode(peer: Peer, stream: &[u8], piece: usize) -> (Vec<WebSocketMessage>, Option<Violation>) {
    let mut decoder = Decoder::new(peer, MESSAGE_BYTES_MAX);
    let mut messages = Vec::new();
    for mut rest in stream.chunks(piece) {
        loop {
            match decoder.decode(&mut rest) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(violation) => return (messages, Some(violation)),
            }
            assert!(decoder.held_bytes() <= 2 * MESSAGE_BYTES_MAX);
        }
        assert!(rest.is_empty());
    }
    (messages, None)
}

fuzz_target!(|input: (u8, bool, &[u8])| {
    let (piece, is_client, stream) = input;
    let peer = if is_client { Peer::Client } else { Peer::Server };
    let (messages, violation) = decode(peer, stream, stream.len().max(1));
    let pieces = decode(peer, stream, usize::from(piece).max(1));
    assert_eq!((&messages, &violation), (&pieces.0, &pieces.1));
    // What was understood can be written and is understood again.
    for message in messages {
        let (opcode, payload) = match &message {
            WebSocketMessage::Text(text) => (Opcode::Text, text.as_bytes().to_vec()),
            WebSocketMessage::Binary(bytes) => (Opcode::Binary, bytes.clone()),
            WebSocketMessage::Ping(bytes) => (Opcode::Ping, bytes.to_vec()),
            WebSocketMessage::Pong(bytes) => (Opcode::Pong, bytes.to_vec()),
            WebSocketMessage::Close(code) => {
                (Opcode::Close, code.map_or_else(Vec::new, |code| code.to_be_bytes().to_vec()))
            }
        };
        let mut frame = Vec::new();
        write_frame(&mut frame, opcode, true, &payload, is_client.then_some([1, 2, 3, 4]));
        assert_eq!(decode(peer, &frame, 7), (vec![message], None));
    }
});
