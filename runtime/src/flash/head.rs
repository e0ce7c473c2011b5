//! Keys and heads of records as they lie in flash.
//!
//! A head is one byte of version, then postcard. The map adds a CRC to every item it writes; the head's own CRC is that
//! of the whole content, whose pieces are items of their own.

use core::fmt;

use sequential_storage::map::{Key as MapKey, SerializationError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::PIECE_BYTES;
use crate::hal::{KEY_BYTES_MAX, Key};

/// First byte of every key: names this layout, so that what something else wrote is told apart.
const LAYOUT: u8 = 0x51;
/// Bytes of a key.
pub const KEY_BYTES: usize = 12;
/// Version of the head's form.
const VERSION: u8 = 1;
/// Bytes of the longest head: version, name with its length, three numbers of at most five bytes, a place.
pub const HEAD_BYTES_MAX: usize = 1 + 2 + KEY_BYTES_MAX + 3 * 5 + 4;
/// Bytes before the content of a piece: the generation it belongs to.
pub const PIECE_HEADER_BYTES: usize = 4;

/// 56 bits of the SHA-256 of a key's text: what a record is found by. The head has the text itself.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct NameHash([u8; 7]);

impl NameHash {
    /// Hashes a name.
    pub fn of(key: &Key) -> Self {
        let digest = Sha256::digest(key.as_str().as_bytes());
        Self(digest.first_chunk().copied().unwrap_or_default())
    }
}

impl fmt::Debug for NameHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Key of an item in the map: the head of a record, or one of its pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemKey {
    /// The record.
    pub name: NameHash,
    part: u32,
}

impl ItemKey {
    /// Returns the key of a record's head.
    pub const fn head(name: NameHash) -> Self {
        Self { name, part: 0 }
    }

    /// Returns the key of a piece. Two generations that follow each other have different keys.
    pub const fn piece(name: NameHash, generation: u32, index: u16) -> Self {
        Self { name, part: 1 + ((generation & 1) << 16) + index as u32 }
    }

    /// Returns the parity of the generation and the index of a piece; `None` for a head.
    pub const fn as_piece(self) -> Option<(u32, u32)> {
        match self.part.checked_sub(1) {
            Some(piece) => Some((piece >> 16, piece & 0xffff)),
            None => None,
        }
    }
}

impl MapKey for ItemKey {
    fn serialize_into(&self, buffer: &mut [u8]) -> Result<usize, SerializationError> {
        let (layout, rest) = buffer.split_first_mut().ok_or(SerializationError::BufferTooSmall)?;
        let (name, rest) = rest.split_first_chunk_mut().ok_or(SerializationError::BufferTooSmall)?;
        let part = rest.first_chunk_mut().ok_or(SerializationError::BufferTooSmall)?;
        (*layout, *name, *part) = (LAYOUT, self.name.0, self.part.to_le_bytes());
        Ok(KEY_BYTES)
    }

    fn deserialize_from(buffer: &[u8]) -> Result<(Self, usize), SerializationError> {
        let (layout, rest) = buffer.split_first().ok_or(SerializationError::BufferTooSmall)?;
        let (name, rest) = rest.split_first_chunk().ok_or(SerializationError::BufferTooSmall)?;
        let part = rest.first_chunk().ok_or(SerializationError::BufferTooSmall)?;
        if *layout != LAYOUT {
            return Err(SerializationError::InvalidFormat);
        }
        Ok((Self { name: NameHash(*name), part: u32::from_le_bytes(*part) }, KEY_BYTES))
    }
}

/// What is known of a record without its pieces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head<'a> {
    /// Text of its key.
    pub name: &'a str,
    /// Counts what is written, so that old pieces are never taken for new ones.
    pub generation: u32,
    /// Bytes of the content.
    pub bytes: u32,
    /// CRC-32 (ISO-HDLC) of the content.
    pub crc: u32,
    /// First sector of an image, counted from the start of its area; `None` when the content is in pieces.
    pub sector: Option<u16>,
}

/// Why a head cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadError {
    /// A later firmware wrote it.
    Version,
    /// Not a head.
    Damaged,
}

impl<'a> Head<'a> {
    /// Writes the head; `None` when `buffer` is too small.
    pub fn write<'b>(&self, buffer: &'b mut [u8; HEAD_BYTES_MAX]) -> Option<&'b [u8]> {
        let (version, rest) = buffer.split_first_mut()?;
        *version = VERSION;
        let bytes = postcard::to_slice(self, rest).ok()?.len();
        buffer.get(..bytes.checked_add(1)?)
    }

    /// Reads a head.
    pub fn read(bytes: &'a [u8]) -> Result<Self, HeadError> {
        match bytes.split_first() {
            Some((&VERSION, rest)) => postcard::from_bytes(rest).map_err(|_| HeadError::Damaged),
            Some(_) => Err(HeadError::Version),
            None => Err(HeadError::Damaged),
        }
    }
}

/// Returns how many pieces hold `bytes` of content.
pub fn pieces(bytes: u32) -> u16 {
    // A record has at most RECORD_BYTES_MAX; a damaged head can say anything.
    u16::try_from(bytes.div_ceil(PIECE_BYTES as u32)).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn key(text: &str) -> Key {
        Key::parse(text).unwrap()
    }

    #[test]
    fn keys_of_heads_and_pieces_come_back() {
        let name = NameHash::of(&key("skiff/auth.json"));
        for item in [ItemKey::head(name), ItemKey::piece(name, 7, 0), ItemKey::piece(name, 8, 65)] {
            let mut buffer = [0; KEY_BYTES];
            assert_eq!(item.serialize_into(&mut buffer).ok(), Some(KEY_BYTES));
            assert_eq!(ItemKey::deserialize_from(&buffer).unwrap(), (item, KEY_BYTES));
            assert!(ItemKey::deserialize_from(&buffer[1..]).is_err());
            buffer[0] ^= 1;
            assert!(ItemKey::deserialize_from(&buffer).is_err());
        }
        assert_eq!(ItemKey::piece(name, 7, 65).as_piece(), Some((1, 65)));
        assert_eq!(ItemKey::head(name).as_piece(), None);
    }

    #[test]
    fn the_longest_head_fits() {
        let name: Vec<u8> = core::iter::repeat_n(b'x', KEY_BYTES_MAX).collect();
        let name = core::str::from_utf8(&name).unwrap();
        let head = Head { name, generation: u32::MAX, bytes: u32::MAX, crc: u32::MAX, sector: Some(u16::MAX) };
        let mut buffer = [0; HEAD_BYTES_MAX];
        assert_eq!(Head::read(head.write(&mut buffer).unwrap()), Ok(head));
    }

    #[test]
    fn later_versions_are_told_from_damage() {
        assert_eq!(Head::read(&[VERSION + 1, 0, 0]), Err(HeadError::Version));
        assert_eq!(Head::read(&[VERSION, 9]), Err(HeadError::Damaged));
        assert_eq!(Head::read(&[]), Err(HeadError::Damaged));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_head_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Head::read(&bytes);
        }
    }
}
