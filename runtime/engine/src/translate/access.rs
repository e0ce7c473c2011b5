//! Operators that reach memory, tables and globals.

use super::function::{FUEL_TO_GROW, Function};
use crate::op;
use crate::refusal::{RefusalKind, invalid, malformed};
use crate::value::ValueType::{self, ExternRef, F32, F64, FuncRef, I32, I64};

/// A load or store: type of the value, log2 of the bytes, operator.
const fn access(operator: u8) -> (ValueType, u32, u8) {
    match operator {
        0x28 => (I32, 2, op::LOAD_32),
        0x29 => (I64, 3, op::LOAD_64),
        0x2a => (F32, 2, op::LOAD_32),
        0x2b => (F64, 3, op::LOAD_64),
        0x2c => (I32, 0, op::LOAD_8_S),
        0x2d => (I32, 0, op::LOAD_8_U),
        0x2e => (I32, 1, op::LOAD_16_S),
        0x2f => (I32, 1, op::LOAD_16_U),
        0x30 => (I64, 0, op::LOAD_64_8_S),
        0x31 => (I64, 0, op::LOAD_64_8_U),
        0x32 => (I64, 1, op::LOAD_64_16_S),
        0x33 => (I64, 1, op::LOAD_64_16_U),
        0x34 => (I64, 2, op::LOAD_64_32_S),
        0x35 => (I64, 2, op::LOAD_64_32_U),
        0x36 => (I32, 2, op::STORE_32),
        0x37 => (I64, 3, op::STORE_64),
        0x38 => (F32, 2, op::STORE_32),
        0x39 => (F64, 3, op::STORE_64),
        0x3a => (I32, 0, op::STORE_8),
        0x3b => (I32, 1, op::STORE_16),
        0x3c => (I64, 0, op::STORE_8),
        0x3d => (I64, 1, op::STORE_16),
        _ => (I64, 2, op::STORE_32),
    }
}

impl Function<'_> {
    pub(super) fn global_get(&mut self) -> Result<(), RefusalKind> {
        let index = self.reader.u32()?;
        let global = self.module.global(index)?;
        let to = self.push(global.ty)?;
        let operator = if global.ty.slots() == 2 { op::GLOBAL_GET_64 } else { op::GLOBAL_GET_32 };
        self.code.emit_result(op::wide(operator, to, global.slot))
    }

    pub(super) fn global_set(&mut self) -> Result<(), RefusalKind> {
        let index = self.reader.u32()?;
        let global = self.module.global(index)?;
        if !global.mutable {
            return invalid("global is immutable");
        }
        let from = self.pop(global.ty)?;
        let operator = if global.ty.slots() == 2 { op::GLOBAL_SET_64 } else { op::GLOBAL_SET_32 };
        self.code.emit(op::wide(operator, from, global.slot)).map(|_| ())
    }

    /// Reads alignment and offset.
    pub(super) fn offset(&mut self, log2: u32) -> Result<u32, RefusalKind> {
        self.module.has_memory()?;
        let align = self.reader.u32()?;
        if align >= 32 {
            return malformed("malformed memop flags");
        }
        if align > log2 {
            return invalid("alignment must not be larger than natural");
        }
        self.reader.u32()
    }

    pub(super) fn load(&mut self, operator: u8) -> Result<(), RefusalKind> {
        let (ty, log2, operator) = access(operator);
        let offset = self.offset(log2)?;
        let address = self.pop(I32)?;
        let to = self.push(ty)?;
        let (short, follows) = split(offset);
        self.code.emit_result(op::word(operator, to, address, short))?;
        follows.map_or(Ok(()), |word| self.code.follow(word))
    }

    pub(super) fn store(&mut self, operator: u8) -> Result<(), RefusalKind> {
        let (ty, log2, operator) = access(operator);
        let offset = self.offset(log2)?;
        let value = self.pop(ty)?;
        let address = self.pop(I32)?;
        let (short, follows) = split(offset);
        self.code.emit(op::word(operator, value, address, short))?;
        follows.map_or(Ok(()), |word| self.code.follow(word))
    }

    pub(super) fn memory_index(&mut self) -> Result<(), RefusalKind> {
        if self.reader.byte()? != 0 {
            return malformed("zero byte expected");
        }
        self.module.has_memory()
    }

    pub(super) fn memory_size(&mut self, grow: bool) -> Result<(), RefusalKind> {
        self.memory_index()?;
        let by = if grow { self.pop(I32)? } else { 0 };
        let to = self.push(I32)?;
        self.code.emit_result(op::word(if grow { op::MEMORY_GROW } else { op::MEMORY_SIZE }, to, by, 0))
    }

    /// An operator that takes three values and gives none, the first of them in a.
    pub(super) fn three(
        &mut self,
        operator: u8,
        first: ValueType,
        second: ValueType,
        third: ValueType,
    ) -> Result<(), RefusalKind> {
        let c = self.pop(third)?;
        let b = self.pop(second)?;
        let a = self.pop(first)?;
        self.code.emit(op::word(operator, a, b, c)).map(|_| ())
    }

    pub(super) fn data_segment(&mut self) -> Result<u16, RefusalKind> {
        let segment = self.reader.u32()?;
        match self.module.data_count {
            None => malformed("data count section required"),
            Some(count) if segment >= count => invalid("unknown data segment"),
            Some(_) => Ok(segment as u16),
        }
    }

    pub(super) fn memory_init(&mut self) -> Result<(), RefusalKind> {
        let segment = self.data_segment()?;
        self.memory_index()?;
        self.three(op::MEMORY_INIT, I32, I32, I32)?;
        self.code.follow(segment.into())
    }

    pub(super) fn table(&mut self) -> Result<(u8, ValueType), RefusalKind> {
        let index = self.reader.u32()?;
        let table = self.module.table(index)?;
        Ok((index as u8, table.ty))
    }

    pub(super) fn table_get(&mut self) -> Result<(), RefusalKind> {
        let (table, ty) = self.table()?;
        let index = self.pop(I32)?;
        let to = self.push(ty)?;
        self.code.emit_result(op::word(op::TABLE_GET, to, index, table))
    }

    pub(super) fn table_set(&mut self) -> Result<(), RefusalKind> {
        let (table, ty) = self.table()?;
        let value = self.pop(ty)?;
        let index = self.pop(I32)?;
        self.code.emit(op::word(op::TABLE_SET, value, index, table)).map(|_| ())
    }

    pub(super) fn table_grow(&mut self) -> Result<(), RefusalKind> {
        self.code.cost(FUEL_TO_GROW.wrapping_sub(1))?;
        let (table, ty) = self.table()?;
        let by = self.pop(I32)?;
        let value = self.pop(ty)?;
        let to = self.push(I32)?;
        self.code.emit_result(op::word(op::TABLE_GROW, to, value, by))?;
        self.code.follow(table.into())
    }

    pub(super) fn table_init(&mut self) -> Result<(), RefusalKind> {
        let segment = self.reader.u32()?;
        let elements = self.module.element(segment)?;
        let (table, ty) = self.table()?;
        if elements.ty != ty {
            return invalid("type mismatch");
        }
        self.three(op::TABLE_INIT, I32, I32, I32)?;
        self.code.follow(u32::from(table) | segment << 8)
    }

    pub(super) fn table_copy(&mut self) -> Result<(), RefusalKind> {
        let (to, to_type) = self.table()?;
        let (from, from_type) = self.table()?;
        if to_type != from_type {
            return invalid("type mismatch");
        }
        self.three(op::TABLE_COPY, I32, I32, I32)?;
        self.code.follow(u32::from(to) | u32::from(from) << 8)
    }
}

/// An offset in the operator's word, or behind it.
fn split(offset: u32) -> (u8, Option<u32>) {
    match u8::try_from(offset) {
        Ok(short) if short != op::OFFSET_FOLLOWS => (short, None),
        _ => (op::OFFSET_FOLLOWS, Some(offset)),
    }
}

/// Both kinds of references are one word.
const _: () = assert!(FuncRef.slots() == 1 && ExternRef.slots() == 1);
