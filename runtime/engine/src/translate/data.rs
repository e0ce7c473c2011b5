//! The section of data: what the linear memory begins with, by the chunk, and segments for `memory.init`.

use alloc::vec::Vec;

use crate::image::List;
use crate::limits::Limits;
use crate::machine::{CHUNK_BYTES, IMAGE_CHUNKS_MAX};
use crate::out::Out;
use crate::refusal::{RefusalKind, at_most, malformed, push};
use crate::value::ValueType;
use crate::wasm::{Module, Reader, constant};

/// A segment that is there from the start.
#[derive(Clone, Copy, Debug)]
struct Active<'w> {
    to: u32,
    bytes: &'w [u8],
}

/// What a segment takes while its section is read, bytes.
pub(super) const DATA_SEGMENT_BYTES: usize = size_of::<Active<'_>>() + size_of::<[u32; 2]>();

/// What the section came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Placed {
    /// Two words for each segment: bytes and the first word of a passive one.
    pub(super) segments: List,
    pub(super) chunks: List,
    pub(super) chunk_data: u32,
}

/// The section while it is read and written, a segment or a chunk a step.
#[derive(Debug)]
pub(super) struct Data<'w> {
    reader: Reader<'w>,
    /// Segments still to be read.
    left: u32,
    active: Vec<Active<'w>>,
    rows: Vec<[u32; 2]>,
    /// What is still to be written of a passive segment.
    passive: &'w [u8],
    outside: bool,
    /// Chunks that may begin with something in them, in order; none before all segments were read.
    numbers: Option<Vec<u16>>,
    /// How many of them were looked at.
    looked_at: usize,
    placed: Placed,
    /// Those that do.
    written: Vec<u32>,
}

impl<'w> Data<'w> {
    /// Begins with the section.
    pub(super) fn new(mut reader: Reader<'w>, module: &Module, limits: &Limits) -> Result<Self, RefusalKind> {
        let count = reader.u32()?;
        at_most("segments of data", count, limits.data_segments_max.min(u16::MAX.into()))?;
        if module.data_count.is_some_and(|declared| declared != count) {
            return malformed("data count and data section have inconsistent lengths");
        }
        // Each takes two bytes of the section at least, whatever is said.
        let room = (count as usize).min(reader.left());
        let (mut active, mut rows) = (Vec::new(), Vec::new());
        active.try_reserve_exact(room).map_err(|_| RefusalKind::OutOfMemory)?;
        rows.try_reserve_exact(room).map_err(|_| RefusalKind::OutOfMemory)?;
        Ok(Self {
            reader,
            left: count,
            active,
            rows,
            passive: &[],
            outside: false,
            numbers: None,
            looked_at: 0,
            placed: Placed::default(),
            written: Vec::new(),
        })
    }

    /// Where it is, in bytes from the start of the module.
    pub(super) fn at(&self) -> usize {
        self.reader.at()
    }

    /// Does the next step; returns what the section came to when there is no other.
    pub(super) fn step(&mut self, module: &mut Module, out: &mut Out<'_>) -> Result<Option<Placed>, RefusalKind> {
        if !self.passive.is_empty() {
            let (now, rest) = self.passive.split_at_checked(CHUNK_BYTES).unwrap_or((self.passive, &[]));
            self.passive = rest;
            out.bytes(now)?;
        } else if self.left > 0 {
            self.left = self.left.wrapping_sub(1);
            self.segment(module, out)?;
        } else if let Some(numbers) = &self.numbers {
            let Some(number) = numbers.get(self.looked_at).copied() else { return self.finish(out).map(Some) };
            self.looked_at = self.looked_at.wrapping_add(1);
            self.chunk(number, out)?;
        } else {
            self.reader.finish()?;
            if self.outside {
                return Err(RefusalKind::SegmentOutOfBounds);
            }
            self.placed.segments = List { at: out.at(), count: self.rows.len() as u32 };
            self.rows.iter().try_for_each(|row| out.words(row))?;
            self.numbers = Some(self.numbers()?);
            self.placed.chunk_data = out.at();
        }
        Ok(None)
    }

    fn segment(&mut self, module: &mut Module, out: &Out<'_>) -> Result<(), RefusalKind> {
        let reader = &mut self.reader;
        let flags = reader.u32()?;
        if flags > 2 {
            return malformed("malformed data segment kind");
        }
        if flags == 1 {
            let length = reader.u32()?;
            self.passive = reader.bytes(length)?;
            return push(&mut self.rows, [length, out.at()]);
        }
        if flags == 2 && reader.u32()? != 0 {
            return Err(RefusalKind::Invalid("unknown memory"));
        }
        module.has_memory()?;
        let to = constant(reader, ValueType::I32, module)?.bits as u32;
        let length = reader.u32()?;
        let bytes = reader.bytes(length)?;
        let end = u64::from(to).saturating_add(length.into());
        self.outside |= module.memory.is_none_or(|memory| end > memory.bytes_min());
        if !bytes.is_empty() {
            push(&mut self.active, Active { to, bytes })?;
        }
        push(&mut self.rows, [0, 0])
    }

    /// Returns the chunks that segments reach into.
    fn numbers(&self) -> Result<Vec<u16>, RefusalKind> {
        let chunk_bytes = CHUNK_BYTES as u32;
        let mut numbers: Vec<u16> = Vec::new();
        for segment in &self.active {
            let last = segment.to.saturating_add(segment.bytes.len() as u32).saturating_sub(1);
            for number in segment.to / chunk_bytes..=last / chunk_bytes {
                let number = number as u16;
                // Mostly ascending, so that the place is found at the end.
                if let Err(place) = numbers.binary_search(&number) {
                    numbers.try_reserve(1).map_err(|_| RefusalKind::OutOfMemory)?;
                    numbers.insert(place, number);
                }
            }
        }
        Ok(numbers)
    }

    /// Writes a chunk, unless it begins with zeros alone.
    fn chunk(&mut self, number: u16, out: &mut Out<'_>) -> Result<(), RefusalKind> {
        let start = u32::from(number).wrapping_mul(CHUNK_BYTES as u32) as usize;
        let mut chunk = [0; CHUNK_BYTES];
        for segment in &self.active {
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
            push(&mut self.written, u32::from(number))?;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Out<'_>) -> Result<Placed, RefusalKind> {
        at_most("chunks of data", self.written.len() as u32, IMAGE_CHUNKS_MAX)?;
        self.placed.chunks = List { at: out.at(), count: self.written.len() as u32 };
        out.words(&self.written)?;
        Ok(self.placed)
    }
}
