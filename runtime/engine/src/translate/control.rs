//! Blocks, branches and calls.

use super::code::{NO_BRANCH, Target};
use super::function::Function;
use super::stack::{BlockType, Frame, FrameKind};
use crate::op;
use crate::refusal::{RefusalKind, at_most, invalid};
use crate::value::{FuncType, ValueType};

/// Targets of a branch table: what its word can count.
const TARGETS_MAX: u32 = u16::MAX as u32;
/// Values of all its targets: each is looked at.
const TABLE_VALUES_MAX: u32 = 1 << 18;

impl<'t> Function<'t> {
    fn signature(&self, ty: BlockType) -> Result<FuncType<'t>, RefusalKind> {
        let results: &[ValueType] = match ty {
            BlockType::Empty => &[],
            BlockType::Value(ValueType::I32) => &[ValueType::I32],
            BlockType::Value(ValueType::I64) => &[ValueType::I64],
            BlockType::Value(ValueType::F32) => &[ValueType::F32],
            BlockType::Value(ValueType::F64) => &[ValueType::F64],
            BlockType::Value(ValueType::FuncRef) => &[ValueType::FuncRef],
            BlockType::Value(ValueType::ExternRef) => &[ValueType::ExternRef],
            BlockType::Type(index) => return self.module.ty(index),
        };
        Ok(FuncType { params: &[], results })
    }

    fn block_type(&mut self) -> Result<BlockType, RefusalKind> {
        Ok(match self.reader.peek() {
            Some(0x40) => {
                self.reader.byte()?;
                BlockType::Empty
            }
            Some(byte) if byte & 0xc0 == 0x40 => BlockType::Value(self.reader.value_type()?),
            _ => match u32::try_from(self.reader.i33()?) {
                Ok(index) => {
                    self.module.ty(index)?;
                    BlockType::Type(index)
                }
                Err(_) => return Err(RefusalKind::Malformed("malformed block type")),
            },
        })
    }

    /// What the end of a block leaves.
    fn results_of(&self, frame: &Frame) -> Result<&'t [ValueType], RefusalKind> {
        if frame.kind == FrameKind::Function { Ok(self.results) } else { Ok(self.signature(frame.ty)?.results) }
    }

    /// What a branch to a block brings along.
    fn label_of(&self, frame: &Frame) -> Result<&'t [ValueType], RefusalKind> {
        if frame.kind == FrameKind::Loop { Ok(self.signature(frame.ty)?.params) } else { self.results_of(frame) }
    }

    /// The last operands must have these types; they stay. Returns the first of them.
    fn expect(&mut self, types: &[ValueType]) -> Result<usize, RefusalKind> {
        let frame = *self.stack.frame()?;
        if frame.unreachable {
            for ty in types.iter().rev() {
                self.stack.pop(*ty)?;
            }
            let first = self.stack.len();
            for ty in types {
                self.push(*ty)?;
            }
            return Ok(first);
        }
        let first = self.stack.len().checked_sub(types.len()).filter(|first| *first >= frame.operands as usize);
        let Some(first) = first else { return invalid("type mismatch") };
        let operands = self.stack.last_mut(first);
        if operands.iter().zip(types).any(|(operand, ty)| operand.ty.is_some_and(|found| found != *ty)) {
            return invalid("type mismatch");
        }
        Ok(first)
    }

    /// The last operands must fit these types; what unreachable code makes up stays of any type, and fits others too.
    fn fits(&self, types: &[ValueType]) -> Result<(), RefusalKind> {
        let frame = self.stack.frame()?;
        let present = self.stack.len().saturating_sub(frame.operands as usize);
        let fit = types.iter().rev().enumerate().all(|(depth, ty)| {
            let index = self.stack.len().wrapping_sub(depth).wrapping_sub(1);
            let found = if depth < present { self.stack.get(index) } else { None };
            found.map_or(frame.unreachable, |operand| operand.ty.is_none_or(|found| found == *ty))
        });
        if fit { Ok(()) } else { invalid("type mismatch") }
    }

    /// The block must hold these operands and no others.
    fn expect_all(&mut self, types: &[ValueType]) -> Result<usize, RefusalKind> {
        let first = self.expect(types)?;
        if first == self.stack.frame()?.operands as usize { Ok(first) } else { invalid("type mismatch") }
    }

    fn pop_all(&mut self, types: &[ValueType]) -> Result<(), RefusalKind> {
        for ty in types.iter().rev() {
            self.stack.pop(*ty)?;
        }
        Ok(())
    }

    fn push_all(&mut self, types: &[ValueType]) -> Result<(), RefusalKind> {
        for ty in types {
            self.push(*ty)?;
        }
        Ok(())
    }

    pub(super) fn block(&mut self, kind: FrameKind) -> Result<(), RefusalKind> {
        let ty = self.block_type()?;
        let depth = (self.stack.frames.len() as u32).saturating_add(1);
        at_most("blocks inside of each other", depth, self.limits.blocks_max)?;
        let condition = if kind == FrameKind::If { Some(self.condition()?) } else { None };
        let params = self.signature(ty)?.params;
        let first = self.expect(params)?;
        // Inside, a local may change on one way and not on the other.
        self.settle_from(0, true)?;
        self.settle_from(first, false)?;
        let live = self.is_live();
        self.stack.enter(kind, ty, params.len(), live)?;
        match condition {
            Some(condition) => {
                let frame = self.stack.frame_mut()?;
                self.code.branch_if(condition.inverted().word(), Target::Ahead(&mut frame.start))?;
            }
            None if kind == FrameKind::Loop && live => {
                let start = self.code.label()?;
                self.stack.frame_mut()?.start = start;
            }
            None => {}
        }
        Ok(())
    }

    pub(super) fn otherwise(&mut self) -> Result<(), RefusalKind> {
        let frame = *self.stack.frame()?;
        if frame.kind != FrameKind::If {
            return Err(RefusalKind::Malformed("else without if"));
        }
        let signature = self.signature(frame.ty)?;
        let first = self.expect_all(signature.results)?;
        self.settle_from(first, false)?;
        self.code.branch(Target::Ahead(&mut self.stack.frame_mut()?.ends))?;
        if frame.entered {
            let at = self.code.label()?;
            self.code.resolve(frame.start, at);
        }
        self.stack.unreachable()?;
        let frame = self.stack.frame_mut()?;
        (frame.kind, frame.unreachable, frame.start) = (FrameKind::Else, false, NO_BRANCH);
        self.push_all(signature.params)
    }

    pub(super) fn end(&mut self) -> Result<(), RefusalKind> {
        let frame = *self.stack.frame()?;
        let results = self.results_of(&frame)?;
        let first = self.expect_all(results)?;
        // An `if` without `else` is left by its condition, too.
        let skipped = frame.kind == FrameKind::If;
        if skipped && self.signature(frame.ty)?.params != results {
            return invalid("type mismatch");
        }
        let joined = frame.ends != NO_BRANCH || (skipped && frame.entered);
        if joined {
            self.settle_from(first, false)?;
            let at = self.code.label()?;
            self.code.resolve(frame.ends, at);
            if skipped {
                self.code.resolve(frame.start, at);
            }
            self.stack.unreachable()?;
            self.push_all(results)?;
        } else if !self.is_live() {
            self.stack.unreachable()?;
            self.push_all(results)?;
        }
        if frame.kind == FrameKind::Function && self.is_live() {
            self.return_results()?;
        }
        self.stack.frames.pop();
        Ok(())
    }

    /// Moves the last operands, which are in their own registers, to those at a height below.
    fn shift(&mut self, first: usize, height: u16) -> Result<(), RefusalKind> {
        let Some(from) = self.stack.get(first).map(|operand| operand.height) else { return Ok(()) };
        for index in first..self.stack.len() {
            let Some(operand) = self.stack.get(index) else { break };
            let two = operand.ty.is_some_and(|ty| ty.slots() == 2);
            let source = self.register(operand.height);
            let to = self.register(height.wrapping_add(operand.height.wrapping_sub(from)));
            if source != to {
                self.code.emit(op::word(if two { op::COPY_64 } else { op::COPY_32 }, to, source, 0))?;
            }
        }
        Ok(())
    }

    /// Whether the operands from this one on have to move for a branch to a block of this height.
    fn must_shift(&self, first: usize, height: u16) -> bool {
        self.stack.get(first).is_some_and(|operand| operand.height != height)
    }

    pub(super) fn branch(&mut self, depth: u32) -> Result<(), RefusalKind> {
        let index = self.stack.target(depth)?;
        let Some(frame) = self.stack.frames.get(index).copied() else { return invalid("unknown label") };
        let types = self.label_of(&frame)?;
        let first = self.expect(types)?;
        if frame.kind == FrameKind::Function {
            self.return_results()?;
        } else {
            match (types, self.stack.get(first)) {
                ([_], Some(operand)) => self.copy(operand, self.register(frame.height))?,
                _ => {
                    self.settle_from(first, false)?;
                    self.shift(first, frame.height)?;
                }
            }
            self.code.branch(target(&mut self.stack.frames, index)?)?;
        }
        self.stack.unreachable()
    }

    pub(super) fn branch_if(&mut self, depth: u32) -> Result<(), RefusalKind> {
        let condition = self.condition()?;
        let index = self.stack.target(depth)?;
        let Some(frame) = self.stack.frames.get(index).copied() else { return invalid("unknown label") };
        let types = self.label_of(&frame)?;
        let first = self.expect(types)?;
        self.settle_from(first, false)?;
        let mut skip = NO_BRANCH;
        let shifts = self.must_shift(first, frame.height);
        if shifts {
            self.code.branch_if(condition.inverted().word(), Target::Ahead(&mut skip))?;
            self.shift(first, frame.height)?;
        }
        let live = self.is_live();
        let target = target(&mut self.stack.frames, index)?;
        if !shifts {
            return self.code.branch_if(condition.word(), target);
        }
        self.code.branch(target)?;
        if live {
            let at = self.code.label()?;
            self.code.resolve(skip, at);
        }
        Ok(())
    }

    pub(super) fn branch_table(&mut self) -> Result<(), RefusalKind> {
        let count = self.reader.u32()?;
        // Each takes a byte at least.
        if count as usize > self.reader.left() {
            return Err(RefusalKind::Malformed("unexpected end"));
        }
        at_most("targets of a branch table", count, TARGETS_MAX)?;
        let index = self.pop(ValueType::I32)?;
        let mut targets = self.reader;
        let mut last = 0;
        for _ in 0..=count {
            last = self.reader.u32()?;
        }
        let last = self.stack.target(last)?;
        let Some(last) = self.stack.frames.get(last).copied() else { return invalid("unknown label") };
        let arity = self.label_of(&last)?.len();
        at_most("values that a branch table brings along", (arity as u32).saturating_mul(count), TABLE_VALUES_MAX)?;
        let mut again = targets;
        for _ in 0..=count {
            let types = self.label_types(again.u32()?)?;
            if types.len() != arity {
                return invalid("type mismatch");
            }
            self.fits(types)?;
        }
        let first = self.stack.len().saturating_sub(arity);
        self.settle_from(first, false)?;
        self.code.emit(op::wide(op::BRANCH_TABLE, index, count as u16))?;
        let table = self.code.words.len();
        let mut again = targets;
        for _ in 0..=count {
            let at = self.stack.target(again.u32()?)?;
            let shifts = self.stack.frames.get(at).is_some_and(|frame| self.must_shift(first, frame.height));
            if shifts && self.is_live() {
                // Goes by way of copies, which are written behind the table.
                self.code.follow(0)?;
            } else {
                self.code.distance(target(&mut self.stack.frames, at)?)?;
            }
        }
        let live = self.is_live();
        self.code.die()?;
        for entry in 0..=count as usize {
            let at = self.stack.target(targets.u32()?)?;
            let Some(frame) = self.stack.frames.get(at).copied() else { return invalid("unknown label") };
            if !live || !self.must_shift(first, frame.height) {
                continue;
            }
            let here = self.code.label()?;
            let place = table.wrapping_add(entry) as u32;
            if let Some(word) = self.code.words.get_mut(place as usize) {
                *word = here.wrapping_sub(place);
            }
            self.shift(first, frame.height)?;
            self.code.branch(target(&mut self.stack.frames, at)?)?;
        }
        self.stack.unreachable()
    }

    fn label_types(&self, depth: u32) -> Result<&'t [ValueType], RefusalKind> {
        let index = self.stack.target(depth)?;
        let Some(frame) = self.stack.frames.get(index) else { return invalid("unknown label") };
        self.label_of(frame)
    }

    pub(super) fn leave(&mut self) -> Result<(), RefusalKind> {
        self.expect(self.results)?;
        self.return_results()?;
        self.stack.unreachable()
    }

    pub(super) fn trap(&mut self) -> Result<(), RefusalKind> {
        self.code.emit(op::UNREACHABLE.into())?;
        self.code.die()?;
        self.stack.unreachable()
    }

    /// Puts arguments where the function finds them; returns the register of the first.
    fn arguments(&mut self, params: &[ValueType]) -> Result<u8, RefusalKind> {
        let first = self.expect(params)?;
        self.settle_from(first, false)?;
        let height = self.stack.get(first).map_or(self.stack.height(), |operand| operand.height);
        self.pop_all(params)?;
        if self.is_live() {
            // Where nothing is given and nothing comes back, the function still begins at a register that can be named.
            self.stack.reserve(1)?;
        }
        Ok(self.register(height))
    }

    pub(super) fn call(&mut self, index: u32) -> Result<(), RefusalKind> {
        let module = self.module;
        let ty = module.function(index)?;
        let base = self.arguments(ty.params)?;
        self.code.emit(op::wide(op::CALL, base, index as u16))?;
        self.push_all(ty.results)
    }

    pub(super) fn call_indirect(&mut self, ty: u32, table: u32) -> Result<(), RefusalKind> {
        let module = self.module;
        if module.table(table)?.ty != ValueType::FuncRef {
            return invalid("type mismatch");
        }
        let shared = module.types.shared(ty)?;
        let ty = module.ty(ty)?;
        let element = self.pop(ValueType::I32)?;
        let base = self.arguments(ty.params)?;
        self.code.emit(op::word(op::CALL_INDIRECT, base, element, table as u8))?;
        self.code.follow(shared.into())?;
        self.push_all(ty.results)
    }
}

/// Where a branch to this block goes.
fn target(frames: &mut [Frame], index: usize) -> Result<Target<'_>, RefusalKind> {
    match frames.get_mut(index) {
        Some(frame) if frame.kind == FrameKind::Loop => Ok(Target::Back(frame.start)),
        Some(frame) => Ok(Target::Ahead(&mut frame.ends)),
        None => invalid("unknown label"),
    }
}
