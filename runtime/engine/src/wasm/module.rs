//! What a module declares, as far as its functions and its image need it.

use alloc::vec::Vec;

use super::Types;
use crate::refusal::{RefusalKind, invalid, push};
use crate::value::{FuncType, ValueType};

/// A table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pub(crate) ty: ValueType,
    pub(crate) min: u32,
    pub(crate) max: Option<u32>,
}

/// The linear memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Pages.
    pub(crate) min: u32,
    pub(crate) max: Option<u32>,
    /// 16, or 0 for pages of one byte.
    pub(crate) page_log2: u8,
}

impl Memory {
    /// Bytes it begins with.
    pub(crate) fn bytes_min(&self) -> u64 {
        u64::from(self.min) << self.page_log2
    }
}

/// A global.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Global {
    pub(crate) ty: ValueType,
    pub(crate) mutable: bool,
    /// Its first word among those of all globals.
    pub(crate) slot: u16,
}

/// A segment of elements.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elements {
    pub(crate) ty: ValueType,
    /// Words that `table.init` may take; none of an active or declared one.
    pub(crate) count: u32,
    /// Where they stand in the image.
    pub(crate) at: u32,
}

/// What was declared so far.
#[derive(Debug, Default)]
pub(crate) struct Module {
    pub(crate) types: Types,
    /// The type of each function, imported ones first.
    pub(crate) functions: Vec<u16>,
    pub(crate) imported: u32,
    pub(crate) tables: Vec<Table>,
    pub(crate) memory: Option<Memory>,
    pub(crate) globals: Vec<Global>,
    /// What globals begin with, a word a register.
    pub(crate) global_words: Vec<u32>,
    pub(crate) start: Option<u32>,
    pub(crate) elements: Vec<Elements>,
    pub(crate) data_count: Option<u32>,
    /// A bit for each function that `ref.func` may name.
    referred: Vec<u32>,
}

impl Module {
    /// Returns the type of a function.
    pub(crate) fn function(&self, index: u32) -> Result<FuncType<'_>, RefusalKind> {
        let ty = self.functions.get(index as usize).and_then(|ty| self.types.get((*ty).into()));
        ty.ok_or(RefusalKind::Invalid("unknown function"))
    }

    pub(crate) fn ty(&self, index: u32) -> Result<FuncType<'_>, RefusalKind> {
        self.types.get(index).ok_or(RefusalKind::Invalid("unknown type"))
    }

    pub(crate) fn table(&self, index: u32) -> Result<Table, RefusalKind> {
        self.tables.get(index as usize).copied().ok_or(RefusalKind::Invalid("unknown table"))
    }

    pub(crate) fn global(&self, index: u32) -> Result<Global, RefusalKind> {
        self.globals.get(index as usize).copied().ok_or(RefusalKind::Invalid("unknown global"))
    }

    pub(crate) fn element(&self, index: u32) -> Result<Elements, RefusalKind> {
        self.elements.get(index as usize).copied().ok_or(RefusalKind::Invalid("unknown elem segment"))
    }

    pub(crate) fn has_memory(&self) -> Result<(), RefusalKind> {
        if self.memory.is_some() { Ok(()) } else { invalid("unknown memory") }
    }

    /// A place outside of functions names this one: `ref.func` may name it too.
    pub(crate) fn refer(&mut self, index: u32) -> Result<(), RefusalKind> {
        if index as usize >= self.functions.len() {
            return invalid("unknown function");
        }
        let word = (index / u32::BITS) as usize;
        while self.referred.len() <= word {
            push(&mut self.referred, 0)?;
        }
        if let Some(bits) = self.referred.get_mut(word) {
            *bits |= 1 << (index % u32::BITS);
        }
        Ok(())
    }

    pub(crate) fn is_referred(&self, index: u32) -> bool {
        let word = self.referred.get((index / u32::BITS) as usize).copied().unwrap_or(0);
        word & (1 << (index % u32::BITS)) != 0
    }
}
