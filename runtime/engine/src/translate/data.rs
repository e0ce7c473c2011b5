//! The section of data: what the linear memory begins with, by the chunk, and segments for `memory.init`.

use alloc::vec::Vec;

use super::out::Out;
use crate::image::List;
use crate::limits::Limits;
use crate::machine::{CHUNK_BYTES, IMAGE_CHUNKS_MAX};
use crate::refusal::{RefusalKind, at_most, malformed};
use crate::value::ValueType;
use crate::wasm::{Module, Reader, constant};

/// A segment that is there from the start.
#[derive(Clone, Copy, Debug)]
struct Active<'w> {
    to: u32,
    bytes: &'w [u8],
}

/// What the section came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Placed {
    /// Two words for each segment: bytes and the first word of a passive one.
    pub(super) segments: List,
    pub(super) chunks: List,
    pub(super) chunk_data: u32,
}

/// Reads the section and writes all of it.
pub(super) fn data(
    reader: &mut Reader<'_>,
    module: &mut Module,
    limits: &Limits,
    out: &mut Out<'_>,
) -> Result<Placed, RefusalKind> {
    let count = reader.u32()?;
    at_most("segments of data", count, limits.data_segments_max.min(u16::MAX.into()))?;
    if module.data_count.is_some_and(|declared| declared != count) {
        return malformed("data count and data section have inconsistent lengths");
    }
    let mut active = Vec::new();
    let mut rows = Vec::new();
    let mut outside = false;
    for _ in 0..count {
        let flags = reader.u32()?;
        if flags > 2 {
            return malformed("malformed data segment kind");
        }
        if flags == 1 {
            let length = reader.u32()?;
            let bytes = reader.bytes(length)?;
            rows.push([length, out.at()]);
            out.bytes(bytes)?;
            continue;
        }
        if flags == 2 && reader.u32()? != 0 {
            return Err(RefusalKind::Invalid("unknown memory"));
        }
        module.has_memory()?;
        let to = constant(reader, ValueType::I32, module)?.bits as u32;
        let length = reader.u32()?;
        let bytes = reader.bytes(length)?;
        let end = u64::from(to).saturating_add(length.into());
        outside |= module.memory.is_none_or(|memory| end > memory.bytes_min());
        if !bytes.is_empty() {
            active.push(Active { to, bytes });
        }
        rows.push([0, 0]);
    }
    if outside {
        return Err(RefusalKind::SegmentOutOfBounds);
    }
    let segments = List { at: out.at(), count };
    for row in &rows {
        out.words(row)?;
    }
    chunks(&active, segments, out)
}

/// Writes the chunks that begin with something in them.
fn chunks(active: &[Active<'_>], segments: List, out: &mut Out<'_>) -> Result<Placed, RefusalKind> {
    let chunk_bytes = CHUNK_BYTES as u32;
    let mut numbers: Vec<u16> = Vec::new();
    for segment in active {
        let last = segment.to.saturating_add(segment.bytes.len() as u32).saturating_sub(1);
        for number in segment.to / chunk_bytes..=last / chunk_bytes {
            let number = number as u16;
            // Mostly ascending, so that the place is found at the end.
            if let Err(place) = numbers.binary_search(&number) {
                numbers.insert(place, number);
            }
        }
    }
    let chunk_data = out.at();
    let mut written = Vec::new();
    for number in numbers {
        let start = u32::from(number).wrapping_mul(chunk_bytes) as usize;
        let mut chunk = [0; CHUNK_BYTES];
        for segment in active {
            let to = segment.to as usize;
            // In bytes of the chunk and of the segment, whichever begins later.
            let (into, from) = (to.saturating_sub(start), start.saturating_sub(to));
            let bytes = segment.bytes.get(from..).unwrap_or_default();
            for (place, byte) in chunk.get_mut(into..).unwrap_or_default().iter_mut().zip(bytes) {
                *place = *byte;
            }
        }
        if chunk.iter().any(|byte| *byte != 0) {
            out.bytes(&chunk)?;
            written.push(u32::from(number));
        }
    }
    at_most("chunks of data", written.len() as u32, IMAGE_CHUNKS_MAX)?;
    let chunks = List { at: out.at(), count: written.len() as u32 };
    out.words(&written)?;
    Ok(Placed { segments, chunks, chunk_data })
}
