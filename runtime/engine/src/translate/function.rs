//! One function: validation and translation in the same walk over its operators.

use alloc::vec::Vec;

use super::code::Code;
use super::stack::{BlockType, FrameKind, Operand, Place, Stack};
use crate::limits::Limits;
use crate::op::{self, WINDOW};
use crate::refusal::{RefusalKind, at_most, invalid, push};
use crate::value::{ValueType, slots_of};
use crate::wasm::{Module, Reader};

/// Registers of parameters and locals that share the window with operands; with more they lie below it.
const NEAR_LOCALS_MAX: u16 = 160;
/// Fuel of growing, the most an operator can cost: as the reference engine is set up.
pub(super) const FUEL_TO_GROW: u32 = 255;

#[derive(Clone, Copy, Debug)]
pub(super) struct Local {
    pub(super) ty: ValueType,
    /// Its register, from the start of the frame.
    pub(super) slot: u16,
}

/// Buffers that one function hands to the next.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    pub(super) code: Code,
    pub(super) stack: Stack,
    locals: Vec<Local>,
}

/// A function that is being translated.
pub(super) struct Function<'t> {
    pub(super) module: &'t Module,
    pub(super) limits: &'t Limits,
    pub(super) reader: Reader<'t>,
    pub(super) code: &'t mut Code,
    pub(super) stack: &'t mut Stack,
    locals: &'t mut Vec<Local>,
    params: &'t [ValueType],
    pub(super) results: &'t [ValueType],
    /// Registers of parameters and locals, where they lie below the window.
    far: Option<u16>,
    /// The first register of operands in the window.
    first: u16,
}

/// A function whose operators are not all read: what the next step goes on with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun<'w> {
    /// All of it, for beginning anew.
    body: Reader<'w>,
    reader: Reader<'w>,
    ty: u16,
    /// Registers of parameters, and of locals too.
    param_slots: u16,
    slots: u16,
    /// Locals lie in the window.
    near: bool,
}

/// Begins with the body of a function, which goes into `buffers.code`.
pub(super) fn begin<'w>(
    body: Reader<'w>,
    ty: u16,
    module: &Module,
    limits: &Limits,
    buffers: &mut Buffers,
) -> Result<Begun<'w>, (usize, RefusalKind)> {
    attempt(body, ty, module, limits, buffers, NEAR_LOCALS_MAX)
}

fn attempt<'w>(
    body: Reader<'w>,
    ty: u16,
    module: &Module,
    limits: &Limits,
    buffers: &mut Buffers,
    near_max: u16,
) -> Result<Begun<'w>, (usize, RefusalKind)> {
    buffers.locals.clear();
    buffers.code.begin(limits.function_words_max).map_err(|kind| (body.at(), kind))?;
    let mut begun = Begun { body, reader: body, ty, param_slots: 0, slots: 0, near: true };
    let mut function = Function::of(&begun, module, limits, buffers).map_err(|kind| (body.at(), kind))?;
    let read = function.locals();
    let at = function.reader.at();
    begun.reader = body.moved_to(at);
    (begun.param_slots, begun.slots) = read.map_err(|kind| (at, kind))?;
    // Results go where parameters were, and at least one word of locals makes a window of their own.
    begun.near = begun.slots <= near_max;
    let room = (WINDOW as u16).saturating_sub(begun.first());
    buffers.stack.begin(room, limits.operands_max);
    let entered = buffers.stack.enter(FrameKind::Function, BlockType::Empty, 0, true);
    entered.map_err(|kind| (at, kind)).map(|()| begun)
}

impl<'w> Begun<'w> {
    /// The first register of operands in the window.
    const fn first(&self) -> u16 {
        if self.near { self.slots } else { 0 }
    }

    /// Translates operators of at most `bytes` together, and one that is longer; true when the function is done.
    pub(super) fn go_on(
        &mut self,
        bytes: usize,
        module: &Module,
        limits: &Limits,
        buffers: &mut Buffers,
    ) -> Result<bool, (usize, RefusalKind)> {
        let mut function = Function::of(self, module, limits, buffers).map_err(|kind| (self.reader.at(), kind))?;
        let done = function.operators(bytes, self);
        let at = function.reader.at();
        self.reader = self.reader.moved_to(at);
        match done {
            // Perhaps its operands find room when its locals leave the window.
            Err(RefusalKind::Limit { what: _, max }) if max == WINDOW as u32 && self.near && self.slots > 0 => {
                *self = attempt(self.body, self.ty, module, limits, buffers, 0)?;
                Ok(false)
            }
            done => done.map_err(|kind| (at, kind)),
        }
    }
}

impl<'t> Function<'t> {
    fn of(
        begun: &Begun<'t>,
        module: &'t Module,
        limits: &'t Limits,
        buffers: &'t mut Buffers,
    ) -> Result<Self, RefusalKind> {
        let signature = module.types.get(begun.ty.into()).ok_or(RefusalKind::Invalid("unknown type"))?;
        let Buffers { code, stack, locals } = buffers;
        let far = (!begun.near).then_some(begun.slots);
        let (reader, results, first) = (begun.reader, signature.results, begun.first());
        Ok(Self { module, limits, reader, code, stack, locals, params: signature.params, results, far, first })
    }

    /// Reads what locals there are; returns registers of parameters, and of all.
    fn locals(&mut self) -> Result<(u16, u16), RefusalKind> {
        let mut slots = 0_u16;
        for param in self.params {
            slots = self.local(*param, slots)?;
        }
        let param_slots = slots;
        for _ in 0..self.reader.u32()? {
            let count = self.reader.u32()?;
            // Wasm allows 2³² of them; each takes a register here.
            at_most("registers of locals", count, self.limits.local_slots_max)?;
            let ty = self.reader.value_type()?;
            for _ in 0..count {
                slots = self.local(ty, slots)?;
            }
        }
        Ok((param_slots, slots))
    }

    fn operators(&mut self, bytes: usize, begun: &Begun<'_>) -> Result<bool, RefusalKind> {
        let end = self.reader.at().saturating_add(bytes);
        while !self.stack.frames.is_empty() {
            if self.reader.at() >= end {
                return Ok(false);
            }
            let operator = self.reader.byte()?;
            self.operator(operator)?;
        }
        if !self.reader.is_empty() {
            return Err(RefusalKind::Malformed("operators remaining after end of function"));
        }
        let total = begun.slots.saturating_add(self.stack.height_max()).max(slots_of(self.results) as u16);
        let flags = if begun.near { 0 } else { op::FAR_LOCALS };
        self.code.finish([pair(begun.ty, begun.param_slots), pair(begun.slots, total), flags])?;
        Ok(true)
    }

    fn local(&mut self, ty: ValueType, slot: u16) -> Result<u16, RefusalKind> {
        let next = slot.saturating_add(ty.slots());
        at_most("registers of locals", next.into(), self.limits.local_slots_max.min(0x7fff))?;
        push(self.locals, Local { ty, slot })?;
        Ok(next)
    }

    /// Returns a local, and its register where it lies in the window.
    pub(super) fn local_at(&self, index: u32) -> Result<(Local, Option<u8>), RefusalKind> {
        let Some(local) = self.locals.get(index as usize).copied() else { return invalid("unknown local") };
        Ok((local, if self.far.is_none() { Some(local.slot as u8) } else { None }))
    }

    pub(super) fn is_live(&self) -> bool {
        self.code.is_live()
    }

    /// The register in the window that belongs to a height.
    pub(super) fn register(&self, height: u16) -> u8 {
        self.first.wrapping_add(height) as u8
    }

    /// Pushes a value that is in its own register, and returns that.
    pub(super) fn push(&mut self, ty: ValueType) -> Result<u8, RefusalKind> {
        let operand = self.stack.push(Some(ty), Place::Own, self.is_live())?;
        Ok(self.register(operand.height))
    }

    pub(super) fn push_at(&mut self, ty: ValueType, place: Place) -> Result<(), RefusalKind> {
        self.stack.push(Some(ty), place, self.is_live()).map(|_| ())
    }

    /// Pops a value, and returns the register that holds it.
    pub(super) fn pop(&mut self, ty: ValueType) -> Result<u8, RefusalKind> {
        let operand = self.stack.pop(ty)?;
        self.held(operand)
    }

    /// Returns the register that holds a popped value; where none does, its own is filled.
    pub(super) fn held(&mut self, operand: Operand) -> Result<u8, RefusalKind> {
        let own = self.register(operand.height);
        match operand.place {
            Place::Own => Ok(own),
            Place::Bits(_) => self.copy(operand, own).map(|()| own),
            Place::Local(index) => match self.local_at(index)? {
                (_, Some(register)) => Ok(register),
                _ => self.copy(operand, own).map(|()| own),
            },
        }
    }

    /// Writes a value into a register of the window.
    pub(super) fn copy(&mut self, operand: Operand, to: u8) -> Result<(), RefusalKind> {
        let Some(ty) = operand.ty else { return Ok(()) };
        let two = ty.slots() == 2;
        let choose = |one: u8, other: u8| if two { other } else { one };
        match operand.place {
            Place::Own => {
                let own = self.register(operand.height);
                if own != to && !self.code.redirect(own, to) {
                    self.code.emit_result(op::word(choose(op::COPY_32, op::COPY_64), to, own, 0))?;
                }
                Ok(())
            }
            Place::Local(index) => {
                let (local, register) = self.local_at(index)?;
                self.code.emit_result(match register {
                    Some(register) if register == to => return Ok(()),
                    Some(register) => op::word(choose(op::COPY_32, op::COPY_64), to, register, 0),
                    None => op::wide(choose(op::FAR_GET_32, op::FAR_GET_64), to, self.below(local.slot)),
                })
            }
            Place::Bits(bits) => match i16::try_from(bits.cast_signed()) {
                Ok(short) => {
                    let operator = choose(op::CONST_32_SHORT, op::CONST_64_SHORT);
                    self.code.emit_result(op::wide(operator, to, short.cast_unsigned()))
                }
                Err(_) if two => self.constant_64(to, i64::from(bits.cast_signed()).cast_unsigned()),
                Err(_) => {
                    self.code.emit_result(op::word(op::CONST_32, to, 0, 0))?;
                    self.code.follow(bits)
                }
            },
        }
    }

    pub(super) fn constant_64(&mut self, to: u8, bits: u64) -> Result<(), RefusalKind> {
        self.code.emit_result(op::word(op::CONST_64, to, 0, 0))?;
        self.code.follow(bits as u32)?;
        self.code.follow((bits >> 32) as u32)
    }

    /// How many words below the window a register of the frame lies.
    fn below(&self, slot: u16) -> u16 {
        self.far.unwrap_or(0).wrapping_sub(slot)
    }

    /// Puts operands from this one on into their own registers; `locals_only` leaves numbers where they are.
    pub(super) fn settle_from(&mut self, index: usize, locals_only: bool) -> Result<(), RefusalKind> {
        for at in index..self.stack.len() {
            self.settle_one(at, |place| match place {
                Place::Own => false,
                Place::Local(_) => true,
                Place::Bits(_) => !locals_only,
            })?;
        }
        Ok(())
    }

    /// Puts operands that are this local into their own registers, because the local changes.
    pub(super) fn keep_local(&mut self, index: u32) -> Result<(), RefusalKind> {
        for at in 0..self.stack.len() {
            self.settle_one(at, |place| place == Place::Local(index))?;
        }
        Ok(())
    }

    fn settle_one(&mut self, at: usize, wanted: impl FnOnce(Place) -> bool) -> Result<(), RefusalKind> {
        if !self.is_live() {
            // Nothing is written, so everything stays where it is.
            return Ok(());
        }
        let Some(operand) = self.stack.get(at).filter(|operand| wanted(operand.place)) else { return Ok(()) };
        let own = self.register(operand.height);
        self.copy(operand, own)?;
        if let [operand, ..] = self.stack.last_mut(at) {
            operand.place = Place::Own;
        }
        Ok(())
    }

    /// Writes the value of a local, which is popped or stays as that local.
    pub(super) fn set_local(&mut self, index: u32, tee: bool) -> Result<(), RefusalKind> {
        let (local, register) = self.local_at(index)?;
        let operand = self.stack.pop(local.ty)?;
        if operand.place != Place::Local(index) {
            self.keep_local(index)?;
            match register {
                Some(register) => self.copy(operand, register)?,
                None => {
                    let from = self.held(operand)?;
                    self.store_far(local, from)?;
                }
            }
        }
        if tee {
            // The value is in its own register too where the local is far: reading it there is shorter.
            let place = match register {
                Some(_) => Place::Local(index),
                None if matches!(operand.place, Place::Own) => Place::Own,
                None => operand.place,
            };
            self.push_at(local.ty, place)?;
        }
        Ok(())
    }

    fn store_far(&mut self, local: Local, from: u8) -> Result<(), RefusalKind> {
        let operator = if local.ty.slots() == 2 { op::FAR_SET_64 } else { op::FAR_SET_32 };
        self.code.emit(op::wide(operator, from, self.below(local.slot)))?;
        Ok(())
    }

    /// Returns from the function with its results, which are the last operands.
    pub(super) fn return_results(&mut self) -> Result<(), RefusalKind> {
        let first = self.stack.len().saturating_sub(self.results.len());
        if let (&[ty], Some(operand), None) = (self.results, self.stack.get(first), self.far) {
            let from = self.held(operand)?;
            let operator = if ty.slots() == 2 { op::RETURN_64 } else { op::RETURN_32 };
            self.code.emit(op::word(operator, from, 0, 0))?;
            return self.code.die();
        }
        // Own registers lie above all locals, so that ascending copies overwrite nothing that is still to be read.
        self.settle_from(first, false)?;
        let mut slot = 0_u16;
        for index in first..self.stack.len() {
            let Some(operand) = self.stack.get(index) else { break };
            let Some(ty) = operand.ty else { break };
            let from = self.register(operand.height);
            match self.far {
                // A frame without locals can have its results where they are to be.
                None if u16::from(from) == slot => {}
                None => {
                    let operator = if ty.slots() == 2 { op::COPY_64 } else { op::COPY_32 };
                    self.code.emit(op::word(operator, slot as u8, from, 0))?;
                }
                Some(locals) if slot >= locals => {
                    // Results that reach into the window; it begins where locals end.
                    let operator = if ty.slots() == 2 { op::COPY_64 } else { op::COPY_32 };
                    self.code.emit(op::word(operator, slot.wrapping_sub(locals) as u8, from, 0))?;
                }
                Some(_) => self.store_far(Local { ty, slot }, from)?,
            }
            slot = slot.wrapping_add(ty.slots());
        }
        self.code.emit(op::RETURN.into())?;
        self.code.die()
    }
}

fn pair(low: u16, high: u16) -> u32 {
    u32::from(low) | u32::from(high) << 16
}
