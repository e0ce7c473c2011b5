//! Reads the binary format: bytes, numbers in LEB128, names.

use crate::refusal::{RefusalKind, malformed};
use crate::value::ValueType;

type Read<T> = Result<T, RefusalKind>;

/// A place in a module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'w> {
    wasm: &'w [u8],
    at: usize,
    end: usize,
}

impl<'w> Reader<'w> {
    pub(crate) fn new(wasm: &'w [u8]) -> Self {
        Self { wasm, at: 0, end: wasm.len() }
    }

    /// Where it is, in bytes from the start of the module.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Returns it at another place of the same part.
    pub(crate) fn moved_to(self, at: usize) -> Self {
        Self { at: at.min(self.end), ..self }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at >= self.end
    }

    pub(crate) fn left(&self) -> usize {
        self.end.saturating_sub(self.at)
    }

    /// Returns the next `length` bytes as a reader of their own, and goes behind them.
    pub(crate) fn part(&mut self, length: u32) -> Read<Self> {
        let end = self.at.checked_add(length as usize).filter(|end| *end <= self.end);
        let Some(end) = end else { return malformed("unexpected end") };
        let part = Self { wasm: self.wasm, at: self.at, end };
        self.at = end;
        Ok(part)
    }

    /// Everything must have been read.
    pub(crate) fn finish(&self) -> Read<()> {
        if self.is_empty() { Ok(()) } else { malformed("section size mismatch") }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        if self.is_empty() { None } else { self.wasm.get(self.at).copied() }
    }

    pub(crate) fn byte(&mut self) -> Read<u8> {
        let Some(byte) = self.peek() else { return malformed("unexpected end") };
        self.at = self.at.wrapping_add(1);
        Ok(byte)
    }

    pub(crate) fn bytes(&mut self, length: u32) -> Read<&'w [u8]> {
        let part = self.part(length)?;
        self.wasm.get(part.at..part.end).ok_or(RefusalKind::Malformed("unexpected end"))
    }

    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let bytes = self.bytes(N as u32)?;
        bytes.first_chunk().copied().ok_or(RefusalKind::Malformed("unexpected end"))
    }

    pub(crate) fn word(&mut self) -> Read<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn double_word(&mut self) -> Read<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Reads a number of `BITS` bits in LEB128; of a signed one the sign is spread over all 64 bits.
    fn leb<const BITS: u32>(&mut self, signed: bool) -> Read<u64> {
        let (mut value, mut shift) = (0_u64, 0_u32);
        loop {
            let byte = self.byte()?;
            let low = u64::from(byte & 0x7f);
            value |= low << shift;
            let room = BITS.wrapping_sub(shift);
            shift = shift.wrapping_add(7);
            if room <= 7 {
                if byte & 0x80 != 0 {
                    return malformed("integer representation too long");
                }
                // Bits beyond the number must be zero, or for a signed one all the same as its sign.
                let fits = if signed {
                    let beyond = low >> room.wrapping_sub(1);
                    beyond == 0 || beyond == 0x7f >> room.wrapping_sub(1)
                } else {
                    low >> room == 0
                };
                if !fits {
                    return malformed("integer too large");
                }
            }
            if byte & 0x80 == 0 {
                if signed && byte & 0x40 != 0 && shift < 64 {
                    value |= u64::MAX << shift;
                }
                return Ok(value);
            }
        }
    }

    pub(crate) fn u32(&mut self) -> Read<u32> {
        Ok(self.leb::<32>(false)? as u32)
    }

    pub(crate) fn i32(&mut self) -> Read<i32> {
        Ok(self.leb::<32>(true)? as i32)
    }

    pub(crate) fn i33(&mut self) -> Read<i64> {
        Ok(self.leb::<33>(true)?.cast_signed())
    }

    pub(crate) fn i64(&mut self) -> Read<i64> {
        Ok(self.leb::<64>(true)?.cast_signed())
    }

    pub(crate) fn name(&mut self) -> Read<&'w str> {
        let length = self.u32()?;
        let bytes = self.bytes(length)?;
        core::str::from_utf8(bytes).map_err(|_| RefusalKind::Malformed("malformed UTF-8 encoding"))
    }

    pub(crate) fn value_type(&mut self) -> Read<ValueType> {
        let byte = self.byte()?;
        match ValueType::from_byte(byte) {
            Some(ty) => Ok(ty),
            None if byte == 0x7b => Err(RefusalKind::Unsupported("SIMD")),
            None => malformed("malformed value type"),
        }
    }

    pub(crate) fn reference_type(&mut self) -> Read<ValueType> {
        let ty = self.value_type()?;
        if ty.is_reference() { Ok(ty) } else { malformed("malformed reference type") }
    }
}

#[cfg(test)]
mod tests {
    use super::Reader;

    #[test]
    fn numbers_are_read_to_their_last_bit() {
        assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x0f]).u32(), Ok(u32::MAX));
        assert_eq!(Reader::new(&[0x80, 0x80, 0x80, 0x80, 0x78]).i32(), Ok(i32::MIN));
        assert_eq!(Reader::new(&[0x7f]).i32(), Ok(-1));
        assert_eq!(Reader::new(&[0xc0, 0x00]).i32(), Ok(64));
        let least = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f];
        assert_eq!(Reader::new(&least).i64(), Ok(i64::MIN));
    }

    #[test]
    fn numbers_that_are_too_long_or_too_large_are_refused() {
        assert!(Reader::new(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00]).u32().is_err());
        assert!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x1f]).u32().is_err());
        assert!(Reader::new(&[0x80, 0x80, 0x80, 0x80, 0x08]).i32().is_err());
        assert!(Reader::new(&[0x80, 0x80, 0x80, 0x80, 0x70]).i32().is_err());
        assert!(Reader::new(&[0x80]).u32().is_err());
    }
}
