//! `memcpy`, `memmove` and `memcmp` for boards that have none in ROM.
//!
//! The text of a delta is put together of 45 to 50 pieces of 1 to 19 bytes, and the compiler's own `memcpy` spends most of
//! its time on finding out how such a piece lies. This one moves short pieces byte by byte, and longer ones in words where
//! both sides lie alike. What is compared is longer, and often lies in flash at any place: it is compared in words always.
//! The ESP32-C6 has these functions in its ROM and links those.
#![no_std]
// Else the compiler takes a loop that copies for a call of `memcpy`, and the function calls itself.
#![cfg_attr(target_os = "none", no_builtins)]

#[cfg(test)]
extern crate std;

use core::mem::MaybeUninit;

/// Bytes from which on it pays to look at how both sides are aligned.
const SHORT: usize = 16;
/// Bytes of a machine word.
const WORD: usize = size_of::<Word>();

/// Moved without being looked at: it may be padding, or a piece of a pointer.
type Byte = MaybeUninit<u8>;
/// Four of them.
type Word = MaybeUninit<u32>;

/// Copies `count` bytes for C, and for everything the compiler copies.
///
/// # Safety
/// As [`forwards`]; the ranges do not overlap.
#[cfg(target_os = "none")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    // SAFETY: the caller's promise; ranges that do not overlap may be copied in either order.
    unsafe { forwards(to.cast(), from.cast(), count) };
    to
}

/// Moves `count` bytes for C, and for everything the compiler moves.
///
/// # Safety
/// As [`moved`].
#[cfg(target_os = "none")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe { moved(to.cast(), from.cast(), count) };
    to
}

/// Compares `count` bytes for C, and for everything the compiler compares: below zero, zero or above it as the first
/// byte that differs is.
///
/// # Safety
/// As [`compared`].
#[cfg(target_os = "none")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, count: usize) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { compared(one, other, count) }
}

/// Compares `count` bytes: paths of a boat, whose beginnings are much alike.
///
/// # Safety
/// Both can be read for `count` bytes, and none of them is padding.
#[inline]
pub unsafe fn compared(one: *const u8, other: *const u8, count: usize) -> i32 {
    let mut at = 0;
    if count >= SHORT {
        let head = one.addr().wrapping_neg() % WORD;
        // SAFETY: `head` is less than a word, and `count` is `SHORT` or more.
        let differs = unsafe { first_different(one, other, 0, head) };
        if differs != 0 {
            return differs;
        }
        let (one, other) = (one.wrapping_add(head), other.wrapping_add(head));
        let ahead = other.addr().wrapping_neg() % WORD;
        at = head
            + if ahead == 0 {
                // SAFETY: both begin at a whole word now, and have this many bytes left.
                unsafe { alike(one, other, count - head) }
            } else {
                // SAFETY: `one` begins at a whole word, `other` `ahead` bytes before one; so many bytes are left.
                unsafe { alike_shifted(one, other, ahead, count - head) }
            };
    }
    // SAFETY: the caller's promise.
    unsafe { first_different(one, other, at, count) }
}

/// Returns how many bytes are the same for sure, in whole words: four of them in a round, then one.
///
/// # Safety
/// As [`compared`]; both addresses are those of whole words.
#[inline(always)]
unsafe fn alike(one: *const u8, other: *const u8, count: usize) -> usize {
    let mut at = 0;
    for round in [4, 1] {
        while count - at >= round * WORD {
            for _ in 0..round {
                // SAFETY: as many words are left of both.
                let left = unsafe { word(one.wrapping_add(at)) };
                // SAFETY: as above.
                let right = unsafe { word(other.wrapping_add(at)) };
                if left != right {
                    return at;
                }
                at += WORD;
            }
        }
    }
    at
}

/// As [`alike`], where each word of `other` is put together of two, which begin `ahead` bytes behind it and one further:
///
/// ```text
///   one     w w w w | w w w w
///   other   c c c w   w w w c   w w w      c: carried, `ahead` of them
/// ```
///
/// # Safety
/// As [`compared`]; the address of `one` is that of a whole word, that of `other` is `ahead` bytes before one: 1, 2 or 3.
/// `count` is more than two words.
#[inline(always)]
unsafe fn alike_shifted(one: *const u8, other: *const u8, ahead: usize, count: usize) -> usize {
    let bits = if ahead == 1 {
        8
    } else if ahead == 2 {
        16
    } else {
        24
    };
    let mut carry = 0;
    for at in (0..ahead).rev() {
        // SAFETY: `at` is below `ahead`, which is less than `count`.
        carry = carry << 8 | u32::from(unsafe { other.wrapping_add(at).read() });
    }
    let mut at = 0;
    while count - at >= WORD + ahead {
        // SAFETY: a word and `ahead` bytes are left of both: this one begins at a whole one.
        let left = unsafe { word(one.wrapping_add(at)) };
        // SAFETY: so does the one behind the bytes that were carried, and all of it is left.
        let whole = u32::from_le(unsafe { word(other.wrapping_add(at + ahead)) });
        if left != u32::to_le(carry | whole << bits) {
            break;
        }
        carry = whole >> (u32::BITS - bits);
        at += WORD;
    }
    at
}

/// Reads a word.
///
/// # Safety
/// It can be read, and its address is that of a whole word.
#[inline(always)]
unsafe fn word(at: *const u8) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { at.cast::<u32>().read() }
}

/// Returns the difference of the first bytes that differ from place `from` to `to`, 0 where none does.
///
/// # Safety
/// As [`compared`], up to `to`.
#[inline(always)]
unsafe fn first_different(one: *const u8, other: *const u8, from: usize, to: usize) -> i32 {
    for at in from..to {
        // SAFETY: `at` is below `to`.
        let left = unsafe { one.wrapping_add(at).read() };
        // SAFETY: as above.
        let right = unsafe { other.wrapping_add(at).read() };
        if left != right {
            return i32::from(left) - i32::from(right);
        }
    }
    0
}

/// Moves `count` bytes; the ranges may overlap.
///
/// # Safety
/// `from` can be read and `to` be written for `count` bytes.
#[inline]
pub unsafe fn moved(to: *mut Byte, from: *const Byte, count: usize) {
    // Below zero this is a large number: what begins before the source is copied forwards, and what begins behind its end.
    if to.addr().wrapping_sub(from.addr()) >= count {
        // SAFETY: the caller's promise; `to` does not begin within the source, behind its first byte.
        unsafe { forwards(to, from, count) };
    } else {
        // SAFETY: the caller's promise; `to` begins within the source.
        unsafe { backwards(to, from, count) };
    }
}

/// Copies `count` bytes, the first one first.
///
/// # Safety
/// `from` can be read and `to` be written for `count` bytes. Where the ranges overlap, `to` begins before `from`: then each
/// byte is read before another is written in its place.
#[inline(always)]
pub unsafe fn forwards(to: *mut Byte, from: *const Byte, count: usize) {
    if count < SHORT || !(to.addr() ^ from.addr()).is_multiple_of(WORD) {
        // SAFETY: the caller's promise.
        unsafe { each(to, from, count) };
        return;
    }
    let head = to.addr().wrapping_neg() % WORD;
    // SAFETY: `head` is less than a word, and `count` is `SHORT` or more.
    unsafe { each(to, from, head) };
    let (to, from, count) = (to.wrapping_add(head), from.wrapping_add(head), count - head);
    let (words, rest) = (count / WORD, count % WORD);
    // SAFETY: `to` is at a whole word now, and `from` too, for their addresses differ by words; those words lie in both
    // ranges. Ranges that overlap are a word apart at least.
    unsafe { each(to.cast::<Word>(), from.cast::<Word>(), words) };
    let done = words * WORD;
    // SAFETY: this many bytes are left of both ranges.
    unsafe { each(to.wrapping_add(done), from.wrapping_add(done), rest) };
}

/// Copies `count` bytes, the last one first.
///
/// # Safety
/// `from` can be read and `to` be written for `count` bytes. Where the ranges overlap, `to` begins behind `from`.
#[inline]
unsafe fn backwards(to: *mut Byte, from: *const Byte, count: usize) {
    for at in (0..count).rev() {
        // SAFETY: `at` is below `count`.
        unsafe { one(to.wrapping_add(at), from.wrapping_add(at)) };
    }
}

/// Copies `count` values, the first one first, four in a round.
///
/// # Safety
/// As [`forwards`], for a number of values; both pointers are aligned for them.
#[inline(always)]
unsafe fn each<T: Copy>(to: *mut T, from: *const T, count: usize) {
    let (mut to, mut from) = (to, from);
    let mut left = count;
    while left >= 4 {
        for at in 0..4 {
            // SAFETY: four values and more are left of both ranges.
            unsafe { one(to.wrapping_add(at), from.wrapping_add(at)) };
        }
        (to, from, left) = (to.wrapping_add(4), from.wrapping_add(4), left - 4);
    }
    for at in 0..left {
        // SAFETY: `left` values are left of both ranges.
        unsafe { one(to.wrapping_add(at), from.wrapping_add(at)) };
    }
}

/// Copies one value.
///
/// # Safety
/// Both pointers are aligned; `from` can be read and `to` be written.
#[inline(always)]
unsafe fn one<T: Copy>(to: *mut T, from: *const T) {
    // SAFETY: the caller's promise.
    let value = unsafe { from.read() };
    // SAFETY: the caller's promise.
    unsafe { to.write(value) };
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::{compared, forwards, moved};

    /// Copies from one buffer to another, and returns all of the target.
    fn copied(source: &[u8], from: usize, to: usize, count: usize) -> Vec<u8> {
        let mut target = std::vec![0xaa_u8; to + count + 9];
        let (into, source) = (&mut target[to..to + count], &source[from..from + count]);
        // SAFETY: two slices of `count` bytes, one of them borrowed alone.
        unsafe { forwards(into.as_mut_ptr().cast(), source.as_ptr().cast(), count) };
        target
    }

    /// What [`copied`] has to return.
    fn expected(source: &[u8], from: usize, to: usize, count: usize) -> Vec<u8> {
        let mut target = std::vec![0xaa_u8; to + count + 9];
        target[to..to + count].copy_from_slice(&source[from..from + count]);
        target
    }

    /// Moves within one buffer.
    fn moved_within(buffer: &mut [u8], from: usize, to: usize, count: usize) {
        assert!(from + count <= buffer.len() && to + count <= buffer.len(), "both ranges lie in the buffer");
        let start = buffer.as_mut_ptr();
        // SAFETY: both ranges lie in the buffer, which is borrowed alone.
        unsafe { moved(start.wrapping_add(to).cast(), start.wrapping_add(from).cast_const().cast(), count) };
    }

    fn numbered(count: usize) -> Vec<u8> {
        (0..=u8::MAX).cycle().take(count).collect()
    }

    #[test]
    fn every_short_length_is_copied_from_and_to_every_place_in_a_word() {
        let source = numbered(256);
        for count in 0..96 {
            for (from, to) in (0..64).map(|place| (place % 8, place / 8)) {
                let [copied, expected] = [copied(&source, from, to, count), expected(&source, from, to, count)];
                assert_eq!(copied, expected, "{count} bytes from {from} to {to}");
            }
        }
    }

    #[test]
    fn ranges_that_overlap_are_moved_by_every_distance_in_both_directions() {
        for count in 0..72 {
            for (from, to) in (0..40).flat_map(|from| (0..40).map(move |to| (from, to))) {
                let mut buffer = numbered(120);
                let mut expected = buffer.clone();
                moved_within(&mut buffer, from, to, count);
                expected.copy_within(from..from + count, to);
                assert_eq!(buffer, expected, "{count} bytes from {from} to {to}");
            }
        }
    }

    fn comparison(one: &[u8], other: &[u8]) -> i32 {
        let count = one.len().min(other.len());
        // SAFETY: both slices have so many bytes.
        unsafe { compared(one.as_ptr(), other.as_ptr(), count) }
    }

    #[test]
    fn the_first_byte_that_differs_decides_wherever_it_stands() {
        let source = numbered(96);
        for (from, other_from) in (0..16).map(|place| (place % 4, place / 4)) {
            for count in 0..48 {
                let one = &source[from..from + count];
                let mut buffer = std::vec![0; other_from];
                buffer.extend_from_slice(one);
                assert_eq!(comparison(one, &buffer[other_from..]), 0);
                for at in 0..count {
                    for changed in [one[at] ^ 0x80, one[at].wrapping_add(1)] {
                        let mut buffer = buffer.clone();
                        buffer[other_from + at] = changed;
                        let other = &buffer[other_from..];
                        assert_eq!(comparison(one, other).signum(), one.cmp(other) as i32, "{at} of {count}");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_copied_is_what_a_slice_copies_and_nothing_beside_it_changes(
            source in proptest::collection::vec(any::<u8>(), 64..5000),
            from in 0_usize..64,
            to in 0_usize..64,
        ) {
            let count = source.len() - from;
            prop_assert_eq!(copied(&source, from, to, count), expected(&source, from, to, count));
        }

        #[test]
        fn what_is_moved_is_what_a_slice_moves(
            mut buffer in proptest::collection::vec(any::<u8>(), 128..5000),
            from in 0_usize..64,
            to in 0_usize..64,
        ) {
            let mut expected = buffer.clone();
            let count = buffer.len() - from.max(to);
            moved_within(&mut buffer, from, to, count);
            expected.copy_within(from..from + count, to);
            prop_assert_eq!(buffer, expected);
        }
    }
}
