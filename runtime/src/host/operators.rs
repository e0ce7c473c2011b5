//! The operators of a module's functions, by what each becomes in translated code.

use alloc::vec::Vec;

#[cfg(feature = "engine-wasmi")]
use wasmparser::Operator;
use wasmparser::{BinaryReaderError, FunctionBody};

/// How many there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Operators {
    /// Compute, move, compare.
    pub(super) plain: u64,
    /// Read or write the linear memory.
    pub(super) memory: u64,
    /// Go elsewhere, or begin what fuel is counted for.
    pub(super) branches: u64,
    /// Targets of branch tables.
    pub(super) targets: u64,
    /// Call a function.
    pub(super) calls: u64,
    /// Arguments of calls beyond [`Self::ARGUMENTS`] each.
    pub(super) more_arguments: u64,
    /// Operators in the body that has most of them, operands left out: translation grows its buffers for it.
    pub(super) largest: u64,
}

/// How many parameters functions have.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    /// By type.
    types: Vec<u8>,
    /// By function, imported ones first.
    functions: Vec<u8>,
}

impl Parameters {
    pub(super) fn add_type(&mut self, parameters: usize) {
        self.types.push(u8::try_from(parameters).unwrap_or(u8::MAX));
    }

    pub(super) fn add_function(&mut self, index: u32) {
        self.functions.push(self.of_type(index));
    }

    fn of_type(&self, index: u32) -> u8 {
        usize::try_from(index).ok().and_then(|index| self.types.get(index)).copied().unwrap_or(0)
    }

    #[cfg(feature = "engine-wasmi")]
    fn of_function(&self, index: u32) -> u8 {
        usize::try_from(index).ok().and_then(|index| self.functions.get(index)).copied().unwrap_or(0)
    }
}

impl Operators {
    /// Arguments that each call is counted with.
    #[cfg(feature = "engine-wasmi")]
    pub(super) const ARGUMENTS: u8 = 3;

    #[cfg(feature = "engine-wasmi")]
    fn call(&mut self, parameters: u8) -> &mut u64 {
        self.more_arguments = self.more_arguments.saturating_add(parameters.saturating_sub(Self::ARGUMENTS).into());
        &mut self.calls
    }

    /// Counts none: the engine for chips translates to flash, before it is known what a start takes.
    #[cfg(not(feature = "engine-wasmi"))]
    #[expect(clippy::unnecessary_wraps, reason = "as where they are counted")]
    pub(super) fn add(&mut self, _body: &FunctionBody<'_>, _known: &Parameters) -> Result<(), BinaryReaderError> {
        Ok(())
    }

    /// Counts those of a function body.
    #[cfg(feature = "engine-wasmi")]
    pub(super) fn add(&mut self, body: &FunctionBody<'_>, known: &Parameters) -> Result<(), BinaryReaderError> {
        let mut coded = 0_u64;
        for operator in body.get_operators_reader()? {
            let count = match operator? {
                // They name a value or the end of a block, and have no code of their own.
                Operator::LocalGet { .. }
                | Operator::I32Const { .. }
                | Operator::I64Const { .. }
                | Operator::F32Const { .. }
                | Operator::F64Const { .. }
                | Operator::Nop
                | Operator::Drop
                | Operator::Block { .. }
                | Operator::End => continue,
                Operator::Loop { .. }
                | Operator::If { .. }
                | Operator::Else
                | Operator::Br { .. }
                | Operator::BrIf { .. }
                | Operator::Return => &mut self.branches,
                Operator::BrTable { targets } => {
                    self.targets = self.targets.saturating_add(targets.len().into()).saturating_add(1);
                    &mut self.branches
                }
                Operator::Call { function_index } => self.call(known.of_function(function_index)),
                Operator::CallIndirect { type_index, .. } => self.call(known.of_type(type_index)),
                operator if is_access(&operator) => &mut self.memory,
                _ => &mut self.plain,
            };
            *count = count.saturating_add(1);
            coded = coded.saturating_add(1);
        }
        self.largest = self.largest.max(coded);
        Ok(())
    }
}

#[cfg(feature = "engine-wasmi")]
fn is_access(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::I32Load { .. }
            | Operator::I64Load { .. }
            | Operator::F32Load { .. }
            | Operator::F64Load { .. }
            | Operator::I32Load8S { .. }
            | Operator::I32Load8U { .. }
            | Operator::I32Load16S { .. }
            | Operator::I32Load16U { .. }
            | Operator::I64Load8S { .. }
            | Operator::I64Load8U { .. }
            | Operator::I64Load16S { .. }
            | Operator::I64Load16U { .. }
            | Operator::I64Load32S { .. }
            | Operator::I64Load32U { .. }
            | Operator::I32Store { .. }
            | Operator::I64Store { .. }
            | Operator::F32Store { .. }
            | Operator::F64Store { .. }
            | Operator::I32Store8 { .. }
            | Operator::I32Store16 { .. }
            | Operator::I64Store8 { .. }
            | Operator::I64Store16 { .. }
            | Operator::I64Store32 { .. }
    )
}
