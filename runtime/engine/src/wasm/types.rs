//! The types of functions, each kept once.

use alloc::vec::Vec;

use super::Reader;
use crate::limits::Limits;
use crate::refusal::{RefusalKind, at_most, malformed, push};
use crate::value::{FuncType, ValueType};

/// Parameters or results of one type: the limit that browsers keep.
const VALUES_OF_ONE_MAX: u32 = 1000;

#[derive(Clone, Copy, Debug)]
struct Row {
    from: u32,
    params: u16,
    results: u16,
    /// The first type that is the same.
    same: u16,
}

/// The type section.
#[derive(Debug, Default)]
pub(crate) struct Types {
    values: Vec<ValueType>,
    rows: Vec<Row>,
}

impl Types {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns a type by its number.
    pub(crate) fn get(&self, index: u32) -> Option<FuncType<'_>> {
        let row = self.rows.get(index as usize)?;
        let (from, params) = (row.from as usize, usize::from(row.params));
        let values = self.values.get(from..)?.get(..params.wrapping_add(usize::from(row.results)))?;
        let (params, results) = values.split_at_checked(params)?;
        Some(FuncType { params, results })
    }

    /// Returns the number that all types that are the same share.
    pub(crate) fn shared(&self, index: u32) -> Result<u16, RefusalKind> {
        self.rows.get(index as usize).map(|row| row.same).ok_or(RefusalKind::Invalid("unknown type"))
    }

    /// Reads the section.
    pub(super) fn read(&mut self, reader: &mut Reader<'_>, limits: &Limits) -> Result<(), RefusalKind> {
        let count = reader.u32()?;
        at_most("types", count, limits.types_max.min(u16::MAX.into()))?;
        for index in 0..count {
            match reader.byte()? {
                0x60 => {}
                0x5f | 0x5e | 0x50 | 0x4f | 0x4e => {
                    return Err(RefusalKind::Unsupported("a type of garbage collection"));
                }
                _ => return malformed("integer representation too long"),
            }
            let from = self.values.len();
            let params = self.list(reader, limits)?;
            let results = self.list(reader, limits)?;
            push(&mut self.rows, Row { from: from as u32, params, results, same: index as u16 })?;
            let new = self.get(index);
            let same = (0..index).find(|earlier| self.get(*earlier) == new);
            if let (Some(same), Some(row)) = (same, self.rows.last_mut()) {
                row.same = same as u16;
            }
        }
        Ok(())
    }

    fn list(&mut self, reader: &mut Reader<'_>, limits: &Limits) -> Result<u16, RefusalKind> {
        let count = reader.u32()?;
        // Branches look at all values of a block, so that hostile code makes much work of few bytes.
        let max = VALUES_OF_ONE_MAX.min(limits.type_values_max / 16);
        at_most("parameters or results of a function", count, max)?;
        let all = (self.values.len() as u32).saturating_add(count);
        at_most("parameters and results of all types", all, limits.type_values_max)?;
        for _ in 0..count {
            let ty = reader.value_type()?;
            push(&mut self.values, ty)?;
        }
        Ok(count as u16)
    }
}
