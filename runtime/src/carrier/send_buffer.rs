//! Bytes on their way to a client.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::hal::{NetError, Network, Socket};
use crate::server::stream::StreamText;

/// The body behind a head.
#[derive(Debug, Default)]
enum Payload {
    #[default]
    Nothing,
    Bytes(Vec<u8>),
    /// Of the program itself.
    Fixed(&'static [u8]),
    /// Shared with other stream clients.
    Text(StreamText),
}

/// A head and what follows it, sent from front to back without a copy.
#[derive(Debug, Default)]
pub(super) struct SendBuffer {
    head: Vec<u8>,
    payload: Payload,
    sent: usize,
}

impl SendBuffer {
    /// Replaces the bytes; the previous ones are sent already or given up.
    pub(super) fn bytes(head: Vec<u8>, body: Cow<'static, [u8]>) -> Self {
        let payload = match body {
            body if body.is_empty() => Payload::Nothing,
            Cow::Owned(body) => Payload::Bytes(body),
            Cow::Borrowed(body) => Payload::Fixed(body),
        };
        Self { head, payload, sent: 0 }
    }

    /// Puts a text on its way.
    pub(super) fn text(head: &[u8], text: StreamText) -> Self {
        Self { head: head.to_vec(), payload: Payload::Text(text), sent: 0 }
    }

    /// Returns the bytes that were not sent.
    pub(super) fn into_rest(self) -> Vec<u8> {
        let (head, payload) = (self.head.get(self.sent..).unwrap_or_default(), self.payload());
        let payload = payload.get(self.sent.saturating_sub(self.head.len())..).unwrap_or_default();
        [head, payload].concat()
    }

    fn payload(&self) -> &[u8] {
        match &self.payload {
            Payload::Nothing => &[],
            Payload::Bytes(bytes) => bytes,
            Payload::Fixed(bytes) => bytes,
            Payload::Text(text) => text.as_ref(),
        }
    }

    /// Tells whether everything was handed to the network.
    pub(super) fn is_sent(&self) -> bool {
        self.sent >= self.head.len().saturating_add(self.payload().len())
    }

    /// Returns how many bytes of memory are held; a shared text counts fully.
    pub(super) fn held_bytes(&self) -> usize {
        self.head.capacity().saturating_add(match &self.payload {
            Payload::Nothing | Payload::Fixed(_) => 0,
            Payload::Bytes(bytes) => bytes.capacity(),
            Payload::Text(text) => text.len(),
        })
    }

    /// Hands over as much as the network takes; returns how many bytes that were.
    pub(super) fn flush(&mut self, network: &mut dyn Network, socket: Socket) -> Result<usize, NetError> {
        let before = self.sent;
        loop {
            let rest = match self.head.get(self.sent..).filter(|rest| !rest.is_empty()) {
                Some(rest) => rest,
                None => self.payload().get(self.sent.saturating_sub(self.head.len())..).unwrap_or_default(),
            };
            if rest.is_empty() {
                // Everything is gone: give the memory back now, not with the next response.
                *self = Self { sent: 0, head: Vec::new(), payload: Payload::Nothing };
                return Ok(before.max(1));
            }
            match network.send(socket, rest)? {
                0 => return Ok(self.sent.saturating_sub(before)),
                count => self.sent = self.sent.saturating_add(count),
            }
        }
    }
}
