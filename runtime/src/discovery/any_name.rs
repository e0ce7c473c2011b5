//! DNS for a network that leads nowhere else: every name is the gateway.
//!
//! Phones, tablets and computers that join a network look at once whether it leads to the internet, by a page whose content
//! they know. On the network that a board makes for being set up they are led to the board's page instead, and show it.

use alloc::vec;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddr};

use super::wire::{CLASS_ANY, CLASS_IN, Entry, HEADER_BYTES, Message, Writer, flags, kind};
use crate::hal::{NetError, Network, Socket};

/// Port of DNS (RFC 1035 §4.2.1).
const PORT: u16 = 53;
/// Bytes of a message over UDP (RFC 1035 §4.2.1).
const MESSAGE_BYTES_MAX: usize = 512;
/// Questions answered in one poll.
const QUESTIONS_PER_POLL: usize = 8;
/// Seconds that an answer is remembered: none, for on any other network it is wrong.
const TTL: u16 = 0;
/// A pointer to the name in the first question.
const THE_NAME: u16 = 0xc000 | HEADER_BYTES as u16;
/// A question that cannot be read.
const FORMAT_ERROR: u16 = 1;
/// A kind of question that nobody answers here.
const NOT_IMPLEMENTED: u16 = 4;

/// The name server of the network that a board makes.
#[derive(Debug)]
pub struct AnyName {
    socket: Socket,
    received: Vec<u8>,
    sending: Vec<u8>,
}

impl AnyName {
    /// Opens the port of DNS.
    ///
    /// # Errors
    /// [`NetError`] of the port.
    pub fn open(network: &mut dyn Network) -> Result<Self, NetError> {
        let socket = network.bind_udp(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), PORT))?;
        Ok(Self { socket, received: vec![0; MESSAGE_BYTES_MAX], sending: Vec::with_capacity(MESSAGE_BYTES_MAX) })
    }

    /// Answers what came; true when the network has something to send, or there can be more.
    pub fn poll(&mut self, network: &mut dyn Network) -> bool {
        for count in 0..QUESTIONS_PER_POLL {
            let Ok(Some((bytes, from))) = network.receive_from(self.socket, &mut self.received) else {
                return count > 0;
            };
            let Some((own, _)) = network.own_network() else { continue };
            let question = self.received.get(..bytes).unwrap_or_default();
            if answer(question, own, &mut self.sending) {
                // Who gets no answer asks again.
                let _ = network.send_to(self.socket, from, &self.sending);
            }
        }
        true
    }
}

/// Writes the answer to a question; false for what gets none.
pub(super) fn answer(question: &[u8], own: Ipv4Addr, out: &mut Vec<u8>) -> bool {
    let Some(message) = Message::read(question).filter(|message| !message.has(flags::RESPONSE)) else { return false };
    let set = flags::RESPONSE | flags::AUTHORITATIVE | message.flags & (flags::OPCODE | flags::RECURSION_DESIRED);
    let asked = match (message.has(flags::OPCODE), message.question_count(), message.entries().next()) {
        (true, ..) => Err(NOT_IMPLEMENTED),
        (false, 1, Some(Entry::Question(asked))) => Ok(asked),
        _ => Err(FORMAT_ERROR),
    };
    let mut writer = Writer::begin(out, MESSAGE_BYTES_MAX, message.id, set | asked.err().unwrap_or(0));
    if let Ok(asked) = asked
        && writer.repeat(&message)
        // It has no address of IPv6 and nothing else: an answer without records says so.
        && matches!(asked.kind, kind::A | kind::ANY)
        && matches!(asked.class, CLASS_IN | CLASS_ANY)
    {
        writer.entry(1, |writer| {
            writer.words(&[THE_NAME, kind::A, CLASS_IN, 0, TTL, 4]);
            writer.bytes(&own.octets());
        });
    }
    true
}
