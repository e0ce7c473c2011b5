//! What heap a translation may take, told before it begins.

use super::data::DATA_SEGMENT_BYTES;
use crate::limits::Limits;
use crate::refusal::RefusalKind;
use crate::wasm::Reader;

/// What the translator takes whatever the module is: itself, and stacks of a function that are not deep.
const LEAST_BYTES: usize = 3 << 10;
/// Bytes of heap for an item of a section that is kept, by its id; lists have up to twice the room they need.
const KEPT_BYTES: [(u8, usize); 7] = [
    // Type, with four values.
    (1, 2 * 16),
    // Import, then function: number of the type, place of the head.
    (2, 2 * 6),
    (3, 2 * 6),
    (4, 2 * 32),
    (6, 2 * 16),
    // Export: its name, to find it twice.
    (7, 2 * size_of::<&str>()),
    // Segment of elements, with eight of them.
    (9, 2 * 44),
];
/// Bytes of heap for a segment of data, while its section is read.
const DATA_BYTES: usize = DATA_SEGMENT_BYTES + 8;
/// Words that a byte of a body becomes at most, in eighths; mostly it is less than half a word.
const WORDS_PER_BYTE_EIGHTHS: usize = 5;

/// Returns what heap translating a module may take at its peak, bytes, as far as a look at its sections tells; code is there
/// twice while its list grows. Every list asks the heap before it grows all the same.
///
/// It costs no more than reading the lengths of sections and bodies.
#[must_use]
pub fn translation_heap_bytes(wasm: &[u8], limits: &Limits) -> usize {
    let (mut kept, mut segments, mut largest) = (0_usize, 0_usize, 0_usize);
    // Damage is the translator's to name.
    let _ = survey(wasm, |id, count, body| {
        let each = KEPT_BYTES.iter().find(|(known, _)| *known == id).map_or(0, |(_, bytes)| *bytes);
        kept = kept.saturating_add(each.saturating_mul(count as usize));
        segments = if id == 11 { count as usize } else { segments };
        largest = largest.max(body as usize);
    });
    let words = (largest.saturating_mul(WORDS_PER_BYTE_EIGHTHS) / 8).min(limits.function_words_max as usize);
    let code = words.saturating_mul(2 * 4);
    let data = segments.min(limits.data_segments_max as usize).saturating_mul(DATA_BYTES);
    // Buffers of code are given back before data is read.
    LEAST_BYTES.saturating_add(kept).saturating_add(code.max(data))
}

/// Tells of each section its id and how many items there are in it, and of each body how long it is.
fn survey(wasm: &[u8], mut tell: impl FnMut(u8, u32, u32)) -> Result<(), RefusalKind> {
    let mut reader = Reader::new(wasm);
    reader.bytes(8)?;
    while !reader.is_empty() {
        let id = reader.byte()?;
        let length = reader.u32()?;
        let mut section = reader.part(length)?;
        if id == 0 {
            continue;
        }
        // Every item takes a byte at least, whatever is said.
        let count = section.u32()?;
        tell(id, count.min(length), 0);
        for _ in 0..if id == 10 { count.min(length) } else { 0 } {
            let body = section.u32()?;
            section.part(body)?;
            tell(id, 0, body);
        }
    }
    Ok(())
}
