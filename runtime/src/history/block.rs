//! A minute of all series: what is written at once, and read or skipped as a whole.
//!
//! ```text
//! "SKh1" | length of what follows the head | CRC-32 of it                        the head, 12 bytes, little endian
//! a time, Unix ms (8) | how long before it the first value was and how long after it the last one, ms (4, 4)
//! for each series: number | where it is the next new one, context, path and source | its values
//! ```
//!
//! Numbers of series count from 0 in each segment, so names stand in it once.

use alloc::vec::Vec;

use super::bytes::{Taken, put, put_bytes};
use super::sample::SampleReader;
use crate::crc32::crc32;
use crate::time::UnixMillis;

const MAGIC: &[u8; 4] = b"SKh1";
/// Bytes before what the checksum is of.
pub const HEAD_BYTES: usize = 12;
/// Bytes of a block; the recorder makes none that is longer.
pub const BLOCK_BYTES_MAX: usize = 1024 * 1024;

/// Of whom and of what a series is, and who told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names<'b> {
    /// Context, `vessels.urn:…`.
    pub context: &'b str,
    /// Path.
    pub path: &'b str,
    /// `$source`.
    pub source: &'b str,
}

/// Writes a block.
pub struct BlockWriter {
    bytes: Vec<u8>,
}

impl BlockWriter {
    /// Begins a block with values between two times; those of its values are told from `base`.
    #[must_use]
    pub fn new(base: UnixMillis, first: UnixMillis, last: UnixMillis) -> Self {
        let mut bytes = alloc::vec![0; HEAD_BYTES];
        bytes.extend_from_slice(&base.0.to_le_bytes());
        for (from, to) in [(first, base), (base, last)] {
            let span = u32::try_from(to.0.saturating_sub(from.0)).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&span.to_le_bytes());
        }
        Self { bytes }
    }

    /// Begins a series, which is told its names when it is new; its values are written next.
    pub fn series(&mut self, number: usize, names: Option<Names<'_>>) -> &mut Vec<u8> {
        put(&mut self.bytes, u64::try_from(number).unwrap_or(u64::MAX));
        if let Some(Names { context, path, source }) = names {
            for text in [context, path, source] {
                put_bytes(&mut self.bytes, text.as_bytes());
            }
        }
        &mut self.bytes
    }

    /// Returns the whole block.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        let (head, body) = self.bytes.split_at_mut(HEAD_BYTES);
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
        let parts = MAGIC.iter().chain(&length).copied().chain(crc32(body).to_le_bytes());
        for (place, byte) in head.iter_mut().zip(parts) {
            *place = byte;
        }
        self.bytes
    }
}

/// What stands at the beginning of some bytes.
#[derive(Debug)]
pub enum Found<'b> {
    /// A block, and how many bytes it has in all.
    Block(Block<'b>, usize),
    /// The beginning of one that has so many bytes.
    Part(usize),
    /// None, or one that is damaged: nothing behind it can be told apart.
    Nothing,
}

/// A block whose checksum holds.
#[derive(Clone, Copy, Debug)]
pub struct Block<'b> {
    /// Time of its first value.
    pub first: UnixMillis,
    /// Time of its last value.
    pub last: UnixMillis,
    base: UnixMillis,
    rest: Taken<'b>,
}

/// A series in a block.
pub struct Series<'b> {
    /// Its number in the segment.
    pub number: usize,
    /// Its names, where it is new.
    pub names: Option<Names<'b>>,
    /// Its values.
    pub values: SampleReader<'b>,
}

/// Finds the block at the beginning of `bytes`.
#[must_use]
pub fn find(bytes: &[u8]) -> Found<'_> {
    let Some((head, rest)) = bytes.split_at_checked(HEAD_BYTES) else { return Found::Part(HEAD_BYTES) };
    let Some(head) = head.strip_prefix(MAGIC) else { return Found::Nothing };
    let word = |at: usize| {
        let bytes = head.get(at..).and_then(<[u8]>::first_chunk::<4>);
        bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
    };
    let length = usize::try_from(word(0)).unwrap_or(usize::MAX);
    let whole = length.saturating_add(HEAD_BYTES);
    if whole > BLOCK_BYTES_MAX {
        return Found::Nothing;
    }
    let Some(body) = rest.get(..length) else { return Found::Part(whole) };
    match times(body) {
        Some(block) if crc32(body) == word(4) => Found::Block(block, whole),
        _ => Found::Nothing,
    }
}

fn times(body: &[u8]) -> Option<Block<'_>> {
    let (base, rest) = body.split_first_chunk::<8>()?;
    let (before, rest) = rest.split_first_chunk::<4>()?;
    let (after, rest) = rest.split_first_chunk::<4>()?;
    let base = i64::from_le_bytes(*base);
    let first = base.saturating_sub(u32::from_le_bytes(*before).into());
    let last = base.saturating_add(u32::from_le_bytes(*after).into());
    Some(Block { first: UnixMillis(first), last: UnixMillis(last), base: UnixMillis(base), rest: Taken(rest) })
}

impl<'b> Block<'b> {
    /// Takes the next series; `known` is how many of the segment are.
    pub fn next(&mut self, known: usize) -> Option<Series<'b>> {
        let number = usize::try_from(self.rest.number()?).ok().filter(|number| *number <= known)?;
        let mut text = || self.rest.text();
        let names =
            if number == known { Some(Names { context: text()?, path: text()?, source: text()? }) } else { None };
        Some(Series { number, names, values: SampleReader::of(&mut self.rest, self.base)? })
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::SampleWriter;
    use super::*;
    use crate::json::Value;

    const NOON: UnixMillis = UnixMillis(1_800_000_000_000);

    fn block() -> Vec<u8> {
        let mut samples = SampleWriter::default();
        samples.push(NOON, NOON, &Value::whole(7));
        let mut writer = BlockWriter::new(NOON, UnixMillis(NOON.0 - 500), UnixMillis(NOON.0 + 59_000));
        samples.write(writer.series(0, Some(Names { context: "vessels.x", path: "a.b", source: "can0.7" })));
        samples.write(writer.series(0, None));
        writer.finish()
    }

    #[test]
    fn a_block_comes_back() {
        let bytes = block();
        let Found::Block(mut found, length) = find(&bytes) else { panic!("no block") };
        assert_eq!((found.first.0 - NOON.0, found.last.0 - NOON.0, length), (-500, 59_000, bytes.len()));
        let first = found.next(0).unwrap();
        assert_eq!(first.names, Some(Names { context: "vessels.x", path: "a.b", source: "can0.7" }));
        assert_eq!(first.values.count(), 1);
        let second = found.next(1).unwrap();
        assert_eq!((second.number, second.names), (0, None));
        assert!(found.next(1).is_none());
    }

    #[test]
    fn what_is_cut_is_a_part_and_what_is_damaged_is_nothing() {
        let bytes = block();
        for cut in 0..bytes.len() {
            let whole = if cut < HEAD_BYTES { HEAD_BYTES } else { bytes.len() };
            assert!(matches!(find(&bytes[..cut]), Found::Part(part) if part == whole), "{cut}");
        }
        for at in [0, 8, 13, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(matches!(find(&damaged), Found::Nothing), "{at}");
        }
        let mut long = bytes;
        long[6] = 0xff;
        assert!(matches!(find(&long), Found::Nothing), "longer than a block can be");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let whole = [&[0_u8; 12][..], &bytes].concat();
            let mut head = [MAGIC.as_slice(), &u32::try_from(bytes.len()).unwrap().to_le_bytes(), &crc32(&bytes).to_le_bytes()].concat();
            head.extend_from_slice(&whole[12..]);
            if let Found::Block(mut block, _) = find(&head) {
                while let Some(series) = block.next(0) {
                    let _ = series.values.count();
                }
            }
        }
    }
}
