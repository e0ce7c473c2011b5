//! Text across the boundary: lenient UTF-8 of the buffer dialect, UTF-16 of AssemblyScript.

use alloc::borrow::Cow;
use alloc::string::String;

use skiff_abi::export::AS_CLASS_STRING;

use super::engine::{GuestSlice, Linear};

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

/// Returns the bytes that a text takes as the payload of an AssemblyScript string.
pub(super) fn utf16_bytes(text: &str) -> u32 {
    let units = if text.is_ascii() { text.len() } else { text.encode_utf16().count() };
    u32::try_from(units.saturating_mul(2)).unwrap_or(u32::MAX)
}

/// Encodes as much of a text as `room` takes as the payload of an AssemblyScript string.
pub(super) fn write_utf16(text: &str, room: &mut [u8]) {
    let (units, _) = room.as_chunks_mut::<2>();
    let mut done = 0_usize;
    // Nearly all of it is ASCII, and a block of that is widened at once.
    while let (Some(bytes), Some(to)) = (
        text.as_bytes().get(done..).and_then(<[u8]>::first_chunk::<BLOCK>).filter(|bytes| is_ascii(bytes)),
        units.get_mut(done..).and_then(<[_]>::first_chunk_mut::<BLOCK>),
    ) {
        *to = bytes.map(|byte| [byte, 0]);
        done = done.saturating_add(BLOCK);
    }
    let rest = text.get(done..).unwrap_or_default().encode_utf16();
    for (unit, to) in rest.zip(units.get_mut(done..).unwrap_or_default()) {
        *to = unit.to_le_bytes();
    }
}

/// Bytes that are widened at once.
const BLOCK: usize = 16;

fn is_ascii(block: &[u8; BLOCK]) -> bool {
    u128::from_ne_bytes(*block) & u128::from_ne_bytes([0x80; BLOCK]) == 0
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
    use std::vec::Vec;

    fn to_utf16(text: &str) -> Vec<u8> {
        let mut bytes = std::vec![0; utf16_bytes(text) as usize];
        write_utf16(text, &mut bytes);
        bytes
    }

    #[test]
    fn a_text_is_widened_as_utf_16_wherever_its_letters_stand() {
        let letters = ["a", "é", "☃", "🚤", "0123456789abcdef0", ""];
        for (before, after) in letters.iter().flat_map(|before| letters.map(|after| (before, after))) {
            let text = std::format!("0123456789{before}0123456789abcdefghijklmnop{after}~");
            let wanted: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert_eq!(to_utf16(&text), wanted, "{text}");
        }
        let mut room = [7; 5];
        write_utf16("abc", &mut room);
        assert_eq!(room, [b'a', 0, b'b', 0, 7], "never beyond the room");
    }

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
