//! Operands and blocks of the function that is being translated: what validation knows, and where values lie.

use alloc::vec::Vec;

use super::code::NO_BRANCH;
use crate::op::WINDOW;
use crate::refusal::{RefusalKind, at_most, invalid, push};
use crate::value::ValueType;

/// Where an operand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the register that belongs to its height.
    Own,
    /// In the local of this number; nothing has been copied.
    Local(u32),
    /// Nowhere: these 32 bits; an `i64` has them with their sign.
    Bits(u32),
}

/// A value on the stack of validation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operand {
    /// `None` is a value that unreachable code made up.
    pub(super) ty: Option<ValueType>,
    /// Registers of all operands below it.
    pub(super) height: u16,
    pub(super) place: Place,
}

/// What a block begins and ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockType {
    Empty,
    Value(ValueType),
    Type(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameKind {
    Function,
    Block,
    Loop,
    If,
    Else,
}

/// A block that has not ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) kind: FrameKind,
    pub(super) ty: BlockType,
    /// Code inside of it could be reached at its start.
    pub(super) entered: bool,
    /// Behind a branch, where operands can be of any type.
    pub(super) unreachable: bool,
    /// Operands outside of it.
    pub(super) operands: u32,
    /// Registers of them.
    pub(super) height: u16,
    /// Branches that wait for its end.
    pub(super) ends: u32,
    /// Of `if` the branch that waits for `else`; of a loop its start.
    pub(super) start: u32,
}

/// Both stacks.
#[derive(Debug, Default)]
pub(super) struct Stack {
    operands: Vec<Operand>,
    pub(super) frames: Vec<Frame>,
    /// Registers of all operands.
    height: u16,
    height_max: u16,
    /// Registers there are for operands.
    room: u16,
    operands_max: u32,
}

impl Stack {
    pub(super) fn begin(&mut self, room: u16, operands_max: u32) {
        self.operands.clear();
        self.frames.clear();
        (self.height, self.height_max, self.room) = (0, 0, room);
        self.operands_max = operands_max;
    }

    /// Registers of all operands now.
    pub(super) fn height(&self) -> u16 {
        self.height
    }

    /// The most there have been.
    pub(super) fn height_max(&self) -> u16 {
        self.height_max
    }

    pub(super) fn len(&self) -> usize {
        self.operands.len()
    }

    /// Operands from this one on, the deepest first.
    pub(super) fn last_mut(&mut self, index: usize) -> &mut [Operand] {
        self.operands.get_mut(index..).unwrap_or_default()
    }

    pub(super) fn get(&self, index: usize) -> Option<Operand> {
        self.operands.get(index).copied()
    }

    pub(super) fn frame(&self) -> Result<&Frame, RefusalKind> {
        self.frames.last().ok_or(RefusalKind::Malformed("operators behind the end of a function"))
    }

    pub(super) fn frame_mut(&mut self) -> Result<&mut Frame, RefusalKind> {
        self.frames.last_mut().ok_or(RefusalKind::Malformed("operators behind the end of a function"))
    }

    /// The place in `frames` of the block that a branch of this depth leaves.
    pub(super) fn target(&self, depth: u32) -> Result<usize, RefusalKind> {
        let last = self.frames.len().wrapping_sub(1);
        last.checked_sub(depth as usize).ok_or(RefusalKind::Invalid("unknown label"))
    }

    /// Makes sure of `slots` more registers above the operands.
    pub(super) fn reserve(&mut self, slots: usize) -> Result<(), RefusalKind> {
        let height = usize::from(self.height).saturating_add(slots);
        if height > usize::from(self.room) {
            return Err(RefusalKind::Limit { what: "registers of a function's operands", max: WINDOW as u32 });
        }
        self.height_max = self.height_max.max(height as u16);
        Ok(())
    }

    /// Pushes a value; `live` where it takes a register.
    pub(super) fn push(&mut self, ty: Option<ValueType>, place: Place, live: bool) -> Result<Operand, RefusalKind> {
        let operand = Operand { ty, height: self.height, place };
        if live {
            let slots = ty.map_or(1, ValueType::slots);
            self.reserve(slots.into())?;
            self.height = self.height.saturating_add(slots);
        }
        // What unreachable code piles up takes no registers, but the translator's memory.
        at_most("operands of a function", (self.operands.len() as u32).saturating_add(1), self.operands_max)?;
        push(&mut self.operands, operand)?;
        Ok(operand)
    }

    /// Pops a value of any type.
    pub(super) fn pop_any(&mut self) -> Result<Operand, RefusalKind> {
        let frame = self.frame()?;
        if self.operands.len() <= frame.operands as usize {
            if frame.unreachable {
                return Ok(Operand { ty: None, height: self.height, place: Place::Own });
            }
            return invalid("type mismatch");
        }
        let Some(operand) = self.operands.pop() else { return invalid("type mismatch") };
        self.height = operand.height;
        Ok(operand)
    }

    /// Pops a value of this type.
    pub(super) fn pop(&mut self, wanted: ValueType) -> Result<Operand, RefusalKind> {
        let operand = self.pop_any()?;
        match operand.ty {
            Some(ty) if ty != wanted => invalid("type mismatch"),
            _ => Ok(operand),
        }
    }

    /// Begins a block whose parameters are the last operands.
    pub(super) fn enter(
        &mut self,
        kind: FrameKind,
        ty: BlockType,
        params: usize,
        live: bool,
    ) -> Result<(), RefusalKind> {
        let operands = self.operands.len().saturating_sub(params);
        let height = self.operands.get(operands).map_or(self.height, |first| first.height);
        let frame = Frame {
            kind,
            ty,
            entered: live,
            unreachable: false,
            operands: operands as u32,
            height,
            ends: NO_BRANCH,
            start: NO_BRANCH,
        };
        push(&mut self.frames, frame)
    }

    /// Nothing behind this place in the block is reached: its operands are gone.
    pub(super) fn unreachable(&mut self) -> Result<(), RefusalKind> {
        let frame = self.frame_mut()?;
        frame.unreachable = true;
        let (operands, height) = (frame.operands, frame.height);
        self.operands.truncate(operands as usize);
        self.height = height;
        Ok(())
    }
}
