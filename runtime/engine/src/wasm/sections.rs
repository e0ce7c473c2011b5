//! Sections that only declare: types, functions, tables, memory, globals, start.

use super::{Global, Memory, Module, Reader, Table, constant};
use crate::limits::Limits;
use crate::machine::MEMORY_BYTES_MAX;
use crate::refusal::{RefusalKind, at_most, invalid, malformed, push};

type Read<T> = Result<T, RefusalKind>;

/// Pages of 64 KiB that 32 bits can address.
const PAGES_MAX: u64 = 1 << 16;

/// `limits` of the binary format (WebAssembly 2.0, "Limits").
struct Bounds {
    min: u32,
    max: Option<u32>,
    flags: u8,
}

impl Bounds {
    fn read(reader: &mut Reader<'_>, known: u8) -> Read<Self> {
        let flags = reader.byte()?;
        match flags & !known {
            0 => {}
            _ if flags & 0x02 != 0 => return Err(RefusalKind::Unsupported("shared memory")),
            _ if flags & 0x04 != 0 => return Err(RefusalKind::Unsupported("64-bit memory or table")),
            _ => return malformed("integer too large"),
        }
        let min = reader.u32()?;
        let max = if flags & 1 == 0 { None } else { Some(reader.u32()?) };
        if max.is_some_and(|max| max < min) {
            return invalid("size minimum must not be greater than maximum");
        }
        Ok(Self { min, max, flags })
    }
}

impl Table {
    pub(crate) fn read(reader: &mut Reader<'_>, limits: &Limits) -> Read<Self> {
        if reader.peek() == Some(0x40) {
            return Err(RefusalKind::Unsupported("a table with an initial value"));
        }
        let ty = reader.reference_type()?;
        let bounds = Bounds::read(reader, 1)?;
        at_most("elements of a table", bounds.min, limits.table_elements_max)?;
        Ok(Self { ty, min: bounds.min, max: bounds.max })
    }
}

impl Memory {
    pub(crate) fn read(reader: &mut Reader<'_>, limits: &Limits) -> Read<Self> {
        /// The proposal's flag for a page size of its own.
        const PAGE_SIZE: u8 = 0x08;
        let bounds = Bounds::read(reader, 1 | PAGE_SIZE)?;
        let page_log2 = if bounds.flags & PAGE_SIZE == 0 { 16 } else { reader.u32()? };
        let page_log2 = match page_log2 {
            0 => 0,
            16 => 16,
            1..64 => return invalid("invalid custom page size"),
            _ => return malformed("invalid custom page size"),
        };
        let pages_max = if page_log2 == 0 { u64::from(u32::MAX) } else { PAGES_MAX };
        if u64::from(bounds.max.unwrap_or(bounds.min)) > pages_max {
            return invalid("memory size must be at most 65536 pages (4GiB)");
        }
        let memory = Self { min: bounds.min, max: bounds.max, page_log2 };
        let max = limits.memory_bytes_max.min(MEMORY_BYTES_MAX);
        at_most("bytes of memory", u32::try_from(memory.bytes_min()).unwrap_or(u32::MAX), max)?;
        Ok(memory)
    }
}

impl Module {
    pub(crate) fn type_section(&mut self, reader: &mut Reader<'_>, limits: &Limits) -> Read<()> {
        self.types.read(reader, limits)
    }

    /// Adds a function of the type with this number.
    pub(crate) fn add_function(&mut self, ty: u32, limits: &Limits) -> Read<()> {
        let count = (self.functions.len() as u32).saturating_add(1);
        at_most("functions", count, limits.functions_max.min(u16::MAX.into()))?;
        let ty = self.types.shared(ty)?;
        push(&mut self.functions, ty)
    }

    pub(crate) fn function_section(&mut self, reader: &mut Reader<'_>, limits: &Limits) -> Read<()> {
        for _ in 0..reader.u32()? {
            let ty = reader.u32()?;
            self.add_function(ty, limits)?;
        }
        Ok(())
    }

    pub(crate) fn table_section(&mut self, reader: &mut Reader<'_>, limits: &Limits) -> Read<()> {
        let count = reader.u32()?;
        at_most("tables", count, limits.tables_max)?;
        for _ in 0..count {
            let table = Table::read(reader, limits)?;
            push(&mut self.tables, table)?;
        }
        Ok(())
    }

    pub(crate) fn memory_section(&mut self, reader: &mut Reader<'_>, limits: &Limits) -> Read<()> {
        for index in 0..reader.u32()? {
            if index > 0 {
                return Err(RefusalKind::Unsupported("more than one memory"));
            }
            self.memory = Some(Memory::read(reader, limits)?);
        }
        Ok(())
    }

    pub(crate) fn global_section(&mut self, reader: &mut Reader<'_>, limits: &Limits) -> Read<()> {
        let count = reader.u32()?;
        at_most("globals", count, limits.globals_max.min(16_384))?;
        for _ in 0..count {
            let ty = reader.value_type()?;
            let mutable = match reader.byte()? {
                0 => false,
                1 => true,
                _ => return malformed("malformed mutability"),
            };
            let value = constant(reader, ty, self)?;
            let slot = self.global_words.len() as u16;
            push(&mut self.global_words, value.bits as u32)?;
            if ty.slots() == 2 {
                push(&mut self.global_words, (value.bits >> 32) as u32)?;
            }
            push(&mut self.globals, Global { ty, mutable, slot })?;
        }
        Ok(())
    }

    pub(crate) fn start_section(&mut self, reader: &mut Reader<'_>) -> Read<()> {
        let index = reader.u32()?;
        let ty = self.function(index)?;
        if !ty.params.is_empty() || !ty.results.is_empty() {
            return invalid("start function");
        }
        self.start = Some(index);
        Ok(())
    }
}
