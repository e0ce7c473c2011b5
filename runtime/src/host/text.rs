//! Text across the boundary: lenient UTF-8 of the buffer dialect, UTF-16 of AssemblyScript.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use skiff_abi::export::AS_CLASS_STRING;

use super::memory::{GuestSlice, Linear};

/// Decodes UTF-8 with replacement characters and without a leading byte-order mark, as upstream does.
pub(super) fn from_utf8(bytes: &[u8]) -> String {
    lossy(bytes).into_owned()
}

/// The same, where the bytes lie when nothing is to be replaced.
pub(super) fn of_guest(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    match bytes {
        Cow::Borrowed(bytes) => lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(from_utf8(&bytes)),
    }
}

fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
}

/// Encodes text as the payload of an AssemblyScript string.
pub(super) fn to_utf16(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len().saturating_mul(2));
    for unit in text.encode_utf16() {
        bytes.extend_from_slice(&unit.to_le_bytes());
    }
    bytes
}

/// The object behind an AssemblyScript pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Managed {
    /// A null pointer.
    Null,
    /// A string; lone surrogates are replacement characters.
    Text(String),
    /// No string, or outside the memory.
    Wrong,
}

/// Reads the managed string at `ptr` (plugin ABI §2.6); at most `limit_bytes` of payload are accepted.
pub(super) fn managed_string(memory: Linear<'_>, ptr: u32, limit_bytes: u32) -> Managed {
    if ptr == 0 {
        return Managed::Null;
    }
    let word = |back: u32| ptr.checked_sub(back).and_then(|at| memory.word(at));
    let (Some(AS_CLASS_STRING), Some(len)) = (word(8), word(4)) else { return Managed::Wrong };
    if len > limit_bytes {
        return Managed::Wrong;
    }
    let Some(bytes) = memory.bytes(GuestSlice { ptr, len }) else { return Managed::Wrong };
    let units = bytes.chunks_exact(2).map(|pair| pair.try_into().map_or(0, u16::from_le_bytes));
    Managed::Text(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory_with(class: u32, payload: &[u8]) -> Vec<u8> {
        let mut memory = std::vec![0_u8; 64];
        memory[24..28].copy_from_slice(&class.to_le_bytes());
        memory[28..32].copy_from_slice(&u32::try_from(payload.len()).unwrap().to_le_bytes());
        memory[32..32 + payload.len()].copy_from_slice(payload);
        memory
    }

    #[test]
    fn strings_survive_with_surrogate_pairs() {
        let text = "Tiefe 3 m ☃ 🚤";
        let memory = memory_with(2, &to_utf16(text));
        assert_eq!(managed_string(Linear::of_bytes(&memory), 32, 1000), Managed::Text(text.into()));
    }

    #[test]
    fn lone_surrogates_become_replacement_characters() {
        let memory = memory_with(2, &[0x00, 0xd8, b'a', 0, 0x00, 0xdc]);
        assert_eq!(managed_string(Linear::of_bytes(&memory), 32, 1000), Managed::Text("\u{fffd}a\u{fffd}".into()));
    }

    #[test]
    fn what_is_no_string_is_refused() {
        let memory = memory_with(1, b"ab");
        assert_eq!(managed_string(Linear::of_bytes(&memory), 32, 1000), Managed::Wrong);
        assert_eq!(managed_string(Linear::of_bytes(&memory), 0, 1000), Managed::Null);
        for ptr in [1, 7, 63, 64, u32::MAX] {
            assert_eq!(managed_string(Linear::of_bytes(&memory), ptr, 1000), Managed::Wrong, "{ptr}");
        }
        assert_eq!(managed_string(Linear::of_bytes(&memory_with(2, &[0; 20])), 32, 19), Managed::Wrong);
    }

    #[test]
    fn byte_order_marks_and_damage_are_tolerated() {
        assert_eq!(from_utf8(b"\xef\xbb\xbf{}"), "{}");
        assert_eq!(from_utf8(b"a\xffb"), "a\u{fffd}b");
    }
}
