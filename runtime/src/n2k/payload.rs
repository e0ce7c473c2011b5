//! The data of one message: in place up to a fast packet, on the heap beyond it.

use alloc::vec::Vec;
use core::fmt;
use core::ops::{Deref, DerefMut};

use super::fast_packet::PAYLOAD_BYTES_MAX;

/// Bytes of the longest message: 255 packets of 7 bytes (ISO 11783-3 §5.10, SAE J1939-21 transport protocol).
pub const MESSAGE_BYTES_MAX: usize = 255 * 7;

/// The data of one message: single frame, fast packet, or transport protocol.
///
/// Up to [`PAYLOAD_BYTES_MAX`] bytes stand in place, so that frames and fast packets never touch the heap;
/// a longer message is one allocation of at most [`MESSAGE_BYTES_MAX`] bytes.
#[derive(Clone)]
pub struct Payload(Kept);

#[derive(Clone)]
enum Kept {
    Short(heapless::Vec<u8, PAYLOAD_BYTES_MAX, u8>),
    Long(Vec<u8>),
}

// One byte of length beside the data: a payload costs no more than the fast packet it can hold.
const _: () = assert!(size_of::<Payload>() <= PAYLOAD_BYTES_MAX + 2 * size_of::<usize>() + 1);

/// The payload would be longer than [`MESSAGE_BYTES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayloadFull;

impl fmt::Display for PayloadFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message of more than {MESSAGE_BYTES_MAX} bytes")
    }
}

impl core::error::Error for PayloadFull {}

impl Payload {
    /// Builds an empty payload.
    #[must_use]
    pub const fn new() -> Self {
        Self(Kept::Short(heapless::Vec::new()))
    }

    /// Copies `data`.
    ///
    /// # Errors
    /// [`PayloadFull`].
    pub fn from_slice(data: &[u8]) -> Result<Self, PayloadFull> {
        let mut payload = Self::new();
        payload.extend_from_slice(data)?;
        Ok(payload)
    }

    /// Replaces the bytes by `data`.
    ///
    /// # Errors
    /// [`PayloadFull`]; the payload is empty then.
    pub fn set(&mut self, data: &[u8]) -> Result<(), PayloadFull> {
        match &mut self.0 {
            Kept::Short(short) => short.clear(),
            Kept::Long(_) => *self = Self::new(),
        }
        self.extend_from_slice(data)
    }

    /// Takes over `data` without a copy when it is longer than a fast packet.
    ///
    /// # Errors
    /// [`PayloadFull`].
    pub fn from_vec(data: Vec<u8>) -> Result<Self, PayloadFull> {
        if data.len() > MESSAGE_BYTES_MAX {
            return Err(PayloadFull);
        }
        if data.len() > PAYLOAD_BYTES_MAX { Ok(Self(Kept::Long(data))) } else { Self::from_slice(&data) }
    }

    /// Adds one byte.
    ///
    /// # Errors
    /// [`PayloadFull`]; the payload stays as it is.
    pub fn push(&mut self, byte: u8) -> Result<(), PayloadFull> {
        self.extend_from_slice(&[byte])
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// [`PayloadFull`]; the payload stays as it is.
    pub fn extend_from_slice(&mut self, data: &[u8]) -> Result<(), PayloadFull> {
        let length = self.len().checked_add(data.len()).filter(|length| *length <= MESSAGE_BYTES_MAX);
        let length = length.ok_or(PayloadFull)?;
        match &mut self.0 {
            Kept::Short(short) => {
                if short.extend_from_slice(data).is_err() {
                    let mut long = Vec::with_capacity(length);
                    long.extend_from_slice(short);
                    long.extend_from_slice(data);
                    self.0 = Kept::Long(long);
                }
            }
            Kept::Long(long) => long.extend_from_slice(data),
        }
        Ok(())
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        match &self.0 {
            Kept::Short(short) => short,
            Kept::Long(long) => long,
        }
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl DerefMut for Payload {
    fn deref_mut(&mut self) -> &mut [u8] {
        match &mut self.0 {
            Kept::Short(short) => short,
            Kept::Long(long) => long,
        }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Payload {}

impl PartialEq<[u8]> for Payload {
    fn eq(&self, other: &[u8]) -> bool {
        self.as_slice() == other
    }
}

impl<const N: usize> PartialEq<[u8; N]> for Payload {
    fn eq(&self, other: &[u8; N]) -> bool {
        self.as_slice() == other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_onto_the_heap_and_stops_at_the_longest_message() {
        let mut payload = Payload::new();
        for index in 0..MESSAGE_BYTES_MAX {
            payload.push(index.to_le_bytes()[0]).unwrap();
            assert_eq!(matches!(payload.0, Kept::Long(_)), index >= PAYLOAD_BYTES_MAX, "{index}");
        }
        assert_eq!((payload.push(1), payload.extend_from_slice(&[])), (Err(PayloadFull), Ok(())));
        assert_eq!(payload.len(), MESSAGE_BYTES_MAX);
        assert!(payload.iter().enumerate().all(|(index, byte)| index.to_le_bytes()[0] == *byte));
        assert_eq!(Payload::from_slice(&payload).unwrap(), payload);
        assert_eq!(Payload::from_vec(payload.to_vec()).unwrap(), payload);
    }

    #[test]
    fn is_replaced_from_and_to_any_length() {
        let mut payload = Payload::new();
        for length in [8, 3, PAYLOAD_BYTES_MAX, 0, PAYLOAD_BYTES_MAX + 1, MESSAGE_BYTES_MAX, 8] {
            let data = std::vec![7; length];
            payload.set(&data).unwrap();
            assert_eq!(payload, data[..]);
            assert_eq!(matches!(payload.0, Kept::Long(_)), length > PAYLOAD_BYTES_MAX);
        }
        assert_eq!((payload.set(&[0; MESSAGE_BYTES_MAX + 1]), payload.len()), (Err(PayloadFull), 0));
    }

    #[test]
    fn refuses_what_is_too_long_whole() {
        let long = [0; MESSAGE_BYTES_MAX + 1];
        assert_eq!(Payload::from_slice(&long), Err(PayloadFull));
        assert_eq!(Payload::from_vec(long.to_vec()), Err(PayloadFull));
        assert_eq!(Payload::from_vec(std::vec![1, 2]).unwrap(), [1, 2]);
    }
}
