//! Numbers of any length as bytes: seven bits each, the lowest first, as in LEB128.

use alloc::vec::Vec;

/// Writes a number.
pub fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        // Seven bits and a mark that more follow.
        out.push(u8::try_from(number & 0x7f).unwrap_or(0) | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap_or(0));
}

/// Writes a number with a sign: small ones are short, whatever their sign.
pub fn put_signed(out: &mut Vec<u8>, number: i64) {
    put(out, (number << 1).cast_unsigned() ^ (number >> 63).cast_unsigned());
}

/// Writes bytes behind their number.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    out.extend_from_slice(bytes);
}

/// Takes bytes from the beginning; each call gives `None` where there are too few.
#[derive(Clone, Copy, Debug)]
pub struct Taken<'b>(pub &'b [u8]);

impl<'b> Taken<'b> {
    pub fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    pub fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    pub fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub fn bytes(&mut self) -> Option<&'b [u8]> {
        let count = usize::try_from(self.number()?).ok()?;
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub fn text(&mut self) -> Option<&'b str> {
        core::str::from_utf8(self.bytes()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_are_short() {
        for (number, bytes) in [(0, 1), (-1, 1), (63, 1), (64, 2), (-8192, 2), (i64::MIN, 10), (i64::MAX, 10)] {
            let mut out = Vec::new();
            put_signed(&mut out, number);
            assert_eq!((out.len(), Taken(&out).signed()), (bytes, Some(number)));
        }
    }

    #[test]
    fn what_is_cut_is_nothing() {
        let mut out = Vec::new();
        put_bytes(&mut out, b"abc");
        for cut in 0..out.len() {
            assert_eq!(Taken(&out[..cut]).text(), None);
        }
        assert_eq!(Taken(&out).text(), Some("abc"));
        assert_eq!(Taken(&[0xff; 12]).number(), None, "longer than a number can be");
    }

    proptest::proptest! {
        #[test]
        fn numbers_come_back(number: i64) {
            let mut out = Vec::new();
            put_signed(&mut out, number);
            proptest::prop_assert_eq!(Taken(&out).signed(), Some(number));
        }
    }
}
