//! What stands before an image that is sent: for which chip it is, which version, how long, and its check sum.

use core::fmt;

use sha2::{Digest, Sha256};

use super::VERSION_BYTES_MAX;

/// Bytes of the header; it is not written to flash, an image begins where the boot loader looks for it.
pub const HEADER_BYTES: usize = 96;
const MAGIC: &[u8; 4] = b"SKFW";
const LAYOUT: u16 = 1;
/// Bytes of the SHA-256 of all before it that are kept.
const SEAL_BYTES: usize = 16;
/// Where the fields begin.
const VERSION_AT: usize = 12;
const SUM_AT: usize = VERSION_AT + VERSION_BYTES_MAX;
const SEAL_AT: usize = SUM_AT + 32;
const _: () = assert!(SEAL_AT + SEAL_BYTES <= HEADER_BYTES);

/// Why a header is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// Not a Skiff firmware file, or its beginning is damaged.
    Damaged,
    /// A layout this firmware does not know.
    Layout(u16),
    /// For another chip.
    Chip {
        /// The chip the image is for.
        image: u16,
        /// The chip of this board.
        board: u16,
    },
    /// Longer than a slot, or empty.
    Length {
        /// Bytes of the image.
        image: u32,
        /// Bytes of a slot.
        slot: u32,
    },
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged => f.write_str("not a firmware file of Skiff, or its beginning is damaged"),
            Self::Layout(layout) => write!(f, "layout {layout} of firmware files is not known here"),
            Self::Chip { image, board } => write!(f, "the image is for chip {image}, this board has chip {board}"),
            Self::Length { image, slot } => write!(f, "the image has {image} bytes, a slot has {slot}"),
        }
    }
}

impl core::error::Error for HeaderError {}

/// The header of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Chip as the boot loader numbers it.
    pub chip: u16,
    /// Bytes of the image behind the header.
    pub bytes: u32,
    /// Version for people.
    pub version: heapless::String<VERSION_BYTES_MAX>,
    /// SHA-256 of the image.
    pub sum: [u8; 32],
}

impl Header {
    /// Describes an image; a version longer than [`VERSION_BYTES_MAX`] is cut. `None` for one beyond 4 GiB.
    #[must_use]
    pub fn of(image: &[u8], chip: u16, version: &str) -> Option<Self> {
        let mut kept = heapless::String::new();
        // A letter that does not fit ends it.
        let _ = version.chars().try_for_each(|letter| kept.push(letter));
        let bytes = u32::try_from(image.len()).ok()?;
        Some(Self { chip, bytes, version: kept, sum: Sha256::digest(image).into() })
    }

    /// Returns the bytes that are sent before the image.
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        let mut put = |at: usize, bytes: &[u8]| {
            for (to, from) in out.iter_mut().skip(at).zip(bytes) {
                *to = *from;
            }
        };
        put(0, MAGIC);
        put(4, &LAYOUT.to_le_bytes());
        put(6, &self.chip.to_le_bytes());
        put(8, &self.bytes.to_le_bytes());
        put(VERSION_AT, self.version.as_bytes());
        put(SUM_AT, &self.sum);
        let seal = Sha256::digest(out.get(..SEAL_AT).unwrap_or_default());
        for (to, from) in out.iter_mut().skip(SEAL_AT).zip(seal.iter().take(SEAL_BYTES)) {
            *to = *from;
        }
        out
    }

    /// Reads a header; `data` may go on behind it.
    ///
    /// # Errors
    /// [`HeaderError::Damaged`], [`HeaderError::Layout`].
    pub fn decode(data: &[u8]) -> Result<Self, HeaderError> {
        let data = data.get(..HEADER_BYTES).ok_or(HeaderError::Damaged)?;
        let seal = Sha256::digest(data.get(..SEAL_AT).ok_or(HeaderError::Damaged)?);
        if data.get(..4) != Some(&MAGIC[..]) || data.get(SEAL_AT..SEAL_AT + SEAL_BYTES) != seal.get(..SEAL_BYTES) {
            return Err(HeaderError::Damaged);
        }
        let short = |at: usize| data.get(at..at + 2).and_then(|bytes| bytes.try_into().ok()).map(u16::from_le_bytes);
        let long = data.get(8..12).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
        let (Some(layout), Some(chip), Some(bytes)) = (short(4), short(6), long) else {
            return Err(HeaderError::Damaged);
        };
        if layout != LAYOUT {
            return Err(HeaderError::Layout(layout));
        }
        let version = data.get(VERSION_AT..SUM_AT).unwrap_or_default().split(|byte| *byte == 0).next();
        let version = version.and_then(|bytes| core::str::from_utf8(bytes).ok()).ok_or(HeaderError::Damaged)?;
        let version = heapless::String::try_from(version).map_err(|_| HeaderError::Damaged)?;
        let sum = data.get(SUM_AT..SEAL_AT).and_then(|bytes| bytes.try_into().ok()).ok_or(HeaderError::Damaged)?;
        Ok(Self { chip, bytes, version, sum })
    }

    /// Holds the header against the board.
    ///
    /// # Errors
    /// [`HeaderError::Chip`], [`HeaderError::Length`].
    pub const fn check(&self, chip: u16, slot_bytes: u32) -> Result<(), HeaderError> {
        if self.chip != chip {
            return Err(HeaderError::Chip { image: self.chip, board: chip });
        }
        if self.bytes == 0 || self.bytes > slot_bytes {
            return Err(HeaderError::Length { image: self.bytes, slot: slot_bytes });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_survives_the_way() {
        let header = Header::of(b"image", 13, "0.2.0-rc.1+long.version.that.goes.on").unwrap();
        assert_eq!(Header::decode(&header.encode()), Ok(header.clone()));
        assert_eq!(header.version.len(), VERSION_BYTES_MAX);
        assert_eq!(header.check(13, 5), Ok(()));
        assert_eq!(header.check(13, 4), Err(HeaderError::Length { image: 5, slot: 4 }));
        assert_eq!(header.check(9, 5), Err(HeaderError::Chip { image: 13, board: 9 }));
        assert!(Header::of(b"", 13, "1").unwrap().check(13, 5).is_err());
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let sound = Header::of(b"image", 13, "1.0.0").unwrap().encode();
        for bit in 0..(SEAL_AT + SEAL_BYTES) * 8 {
            let mut broken = sound;
            broken[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&broken), Err(HeaderError::Damaged), "bit {bit}");
        }
        assert_eq!(Header::decode(&sound[..95]), Err(HeaderError::Damaged));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(data in proptest::collection::vec(proptest::num::u8::ANY, 0..120)) {
            let _ = Header::decode(&data);
        }
    }
}
