//! Tables: in the image until something is written.

use alloc::vec::Vec;

use super::Fault;
use crate::image::{Image, NONE};

/// A table.
#[derive(Debug)]
struct Table {
    size: u32,
    max: u32,
    /// What it begins with, in the image; null behind it.
    at: u32,
    count: u32,
    /// All of it, once something was written.
    words: Option<Vec<u32>>,
}

/// All tables of a machine.
#[derive(Debug)]
pub(super) struct Tables {
    rows: Vec<Table>,
    /// Elements that one of them can grow to.
    elements_max: u32,
}

impl Tables {
    pub(super) fn new(image: &Image, elements_max: u32) -> Result<Self, Fault> {
        let list = image.header().tables;
        let mut rows = Vec::new();
        for index in 0..list.count {
            let [_, size, max, at, count] = image.row(list, index).ok_or(Fault::Damaged)?;
            if count > size || image.span(at, count).is_none() {
                return Err(Fault::Damaged);
            }
            if size > elements_max {
                return Err(Fault::Memory);
            }
            rows.push(Table { size, max, at, count, words: None });
        }
        Ok(Self { rows, elements_max })
    }

    fn row(&self, table: u32) -> Result<&Table, Fault> {
        self.rows.get(table as usize).ok_or(Fault::Damaged)
    }

    pub(super) fn size(&self, table: u32) -> Result<u32, Fault> {
        Ok(self.row(table)?.size)
    }

    /// Bytes of RAM.
    pub(super) fn ram_bytes(&self) -> usize {
        let words = self.rows.iter().filter_map(|table| table.words.as_ref()).map(Vec::capacity);
        words.sum::<usize>().saturating_mul(4).saturating_add(self.rows.capacity().saturating_mul(size_of::<Table>()))
    }

    pub(super) fn get(&self, code: &[u32], table: u32, index: u32) -> Result<u32, Fault> {
        let row = self.row(table)?;
        if index >= row.size {
            return Err(Fault::TableOutOfBounds);
        }
        match &row.words {
            Some(words) => words.get(index as usize).copied().ok_or(Fault::Damaged),
            None if index >= row.count => Ok(0),
            None => code.get(row.at.wrapping_add(index) as usize).copied().ok_or(Fault::Damaged),
        }
    }

    /// Returns type, size, maximum and elements of a table, without nulls at their end.
    pub(super) fn content<'t>(&'t self, image: &'t Image, table: u32) -> Result<([u32; 3], &'t [u32]), Fault> {
        let row = self.row(table)?;
        let [ty, ..] = image.row::<5>(image.header().tables, table).ok_or(Fault::Damaged)?;
        let words = match &row.words {
            Some(words) => words,
            None => image.span(row.at, row.count).ok_or(Fault::Damaged)?,
        };
        let length = words.iter().rposition(|word| *word != 0).map_or(0, |last| last.wrapping_add(1));
        Ok(([ty, row.size, row.max], words.get(..length).unwrap_or_default()))
    }

    /// Returns the elements, to be written.
    fn words(&mut self, code: &[u32], table: u32) -> Result<&mut Vec<u32>, Fault> {
        let row = self.rows.get_mut(table as usize).ok_or(Fault::Damaged)?;
        if row.words.is_none() {
            let mut words = Vec::new();
            words.try_reserve_exact(row.size as usize).map_err(|_| Fault::Memory)?;
            let first = code.get(row.at as usize..).and_then(|rest| rest.get(..row.count as usize));
            words.extend_from_slice(first.ok_or(Fault::Damaged)?);
            words.resize(row.size as usize, 0);
            row.words = Some(words);
        }
        row.words.as_mut().ok_or(Fault::Damaged)
    }

    /// Returns elements of a range, to be written.
    pub(super) fn range(&mut self, code: &[u32], table: u32, index: u32, count: u32) -> Result<&mut [u32], Fault> {
        let end = index.checked_add(count).filter(|end| self.size(table).is_ok_and(|size| *end <= size));
        let end = end.ok_or(Fault::TableOutOfBounds)?;
        if count == 0 {
            return Ok(&mut []);
        }
        self.words(code, table)?.get_mut(index as usize..end as usize).ok_or(Fault::Damaged)
    }

    pub(super) fn copy(
        &mut self,
        code: &[u32],
        (to, to_index): (u32, u32),
        (from, from_index): (u32, u32),
        count: u32,
    ) -> Result<(), Fault> {
        for (table, index) in [(to, to_index), (from, from_index)] {
            if index.checked_add(count).is_none_or(|end| self.size(table).is_ok_and(|size| end > size)) {
                return Err(Fault::TableOutOfBounds);
            }
        }
        for step in 0..count {
            let offset = if to_index > from_index { count.wrapping_sub(1).wrapping_sub(step) } else { step };
            let word = self.get(code, from, from_index.wrapping_add(offset))?;
            if let [place] = self.range(code, to, to_index.wrapping_add(offset), 1)? {
                *place = word;
            }
        }
        Ok(())
    }

    /// Grows a table; returns how many elements it had, or −1.
    pub(super) fn grow(&mut self, code: &[u32], table: u32, value: u32, by: u32) -> Result<u32, Fault> {
        let row = self.row(table)?;
        let before = row.size;
        let max = if row.max == NONE { self.elements_max } else { row.max.min(self.elements_max) };
        let Some(wanted) = before.checked_add(by).filter(|wanted| *wanted <= max) else { return Ok(u32::MAX) };
        if by > 0 {
            let words = self.words(code, table)?;
            if words.try_reserve_exact(by as usize).is_err() {
                return Ok(u32::MAX);
            }
            words.resize(wanted as usize, value);
            if let Some(row) = self.rows.get_mut(table as usize) {
                row.size = wanted;
            }
        }
        Ok(before)
    }
}
