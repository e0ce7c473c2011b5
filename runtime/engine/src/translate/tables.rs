//! The section of elements: what tables begin with, and segments for `table.init`.

use alloc::vec::Vec;

use crate::limits::Limits;
use crate::out::Out;
use crate::refusal::{RefusalKind, at_most, invalid, malformed, push};
use crate::value::ValueType;
use crate::wasm::{Elements, Module, Reader, constant};

/// What each table begins with, as far as a segment says so; null behind it.
#[derive(Debug, Default)]
pub(super) struct Initial {
    tables: Vec<Vec<u32>>,
}

impl Initial {
    /// Returns a table's elements, without nulls at their end.
    pub(super) fn of(&self, table: usize) -> &[u32] {
        let words = self.tables.get(table).map(Vec::as_slice).unwrap_or_default();
        let length = words.iter().rposition(|word| *word != 0).map_or(0, |last| last.wrapping_add(1));
        words.get(..length).unwrap_or_default()
    }

    /// Returns words of a table from an offset on.
    fn place(&mut self, table: u32, offset: u32, count: u32, size: u32) -> Result<&mut [u32], RefusalKind> {
        let end = offset.checked_add(count).filter(|end| *end <= size).ok_or(RefusalKind::SegmentOutOfBounds)?;
        let index = table as usize;
        if self.tables.len() <= index {
            self.tables.resize_with(index.wrapping_add(1), Vec::new);
        }
        let Some(words) = self.tables.get_mut(index) else { return invalid("unknown table") };
        if words.len() < end as usize {
            words
                .try_reserve_exact((end as usize).saturating_sub(words.len()))
                .map_err(|_| RefusalKind::OutOfMemory)?;
            words.resize(end as usize, 0);
        }
        words.get_mut(offset as usize..end as usize).ok_or(RefusalKind::SegmentOutOfBounds)
    }

    /// Reads the section; passive segments are written at once.
    pub(super) fn read(
        &mut self,
        reader: &mut Reader<'_>,
        module: &mut Module,
        limits: &Limits,
        out: &mut Out<'_>,
    ) -> Result<(), RefusalKind> {
        let count = reader.u32()?;
        at_most("segments of elements", count, limits.element_segments_max.min(u16::MAX.into()))?;
        // A segment that does not fit counts only where everything else is in order.
        let mut outside = false;
        for _ in 0..count {
            match self.segment(reader, module, limits, out) {
                Err(RefusalKind::SegmentOutOfBounds) => outside = true,
                done => done?,
            }
        }
        if outside { Err(RefusalKind::SegmentOutOfBounds) } else { Ok(()) }
    }

    fn segment(
        &mut self,
        reader: &mut Reader<'_>,
        module: &mut Module,
        limits: &Limits,
        out: &mut Out<'_>,
    ) -> Result<(), RefusalKind> {
        /// Bits of the first number: not active, explicit table or declared, expressions.
        const NOT_ACTIVE: u32 = 1;
        const EXPLICIT: u32 = 2;
        const EXPRESSIONS: u32 = 4;
        let flags = reader.u32()?;
        if flags > 7 {
            return malformed("malformed elements segment kind");
        }
        let active = flags & NOT_ACTIVE == 0;
        let explicit = flags & EXPLICIT != 0;
        let mut place = None;
        if active {
            let index = if explicit { reader.u32()? } else { 0 };
            let table = module.table(index)?;
            let offset = constant(reader, ValueType::I32, module)?;
            place = Some((index, table, offset.bits as u32));
        }
        let expressions = flags & EXPRESSIONS != 0;
        let ty = match (active && !explicit, expressions) {
            (true, _) => ValueType::FuncRef,
            (false, true) => reader.reference_type()?,
            (false, false) if reader.byte()? == 0 => ValueType::FuncRef,
            _ => return malformed("malformed element kind"),
        };
        if place.is_some_and(|(_, table, _)| table.ty != ty) {
            return invalid("type mismatch");
        }
        let count = reader.u32()?;
        at_most("elements of a segment", count, limits.table_elements_max)?;
        let at = out.at();
        let mut words = place.map(|(index, table, offset)| self.place(index, offset, count, table.min));
        for item in 0..count as usize {
            let word = if expressions {
                constant(reader, ty, module)?.bits as u32
            } else {
                let index = reader.u32()?;
                module.refer(index)?;
                index.wrapping_add(1)
            };
            match &mut words {
                Some(Ok(words)) => {
                    if let Some(place) = words.get_mut(item) {
                        *place = word;
                    }
                }
                // The table has no room, which is said when all has been read.
                Some(Err(_)) => {}
                None if explicit => {}
                None => out.word(word)?,
            }
        }
        let kept = if active || explicit { 0 } else { count };
        push(&mut module.elements, Elements { ty, count: kept, at })?;
        match words {
            Some(Err(error)) => Err(error),
            _ => Ok(()),
        }
    }
}
