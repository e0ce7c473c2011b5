//! Operators that compute and move, and which function each operator goes to.

use super::function::{FUEL_TO_GROW, Function};
use super::stack::{FrameKind, Operand, Place};
use crate::op;
use crate::refusal::{RefusalKind, invalid, malformed};
use crate::value::ValueType::{self, F32, F64, FuncRef, I32, I64};

/// What an operator of one operand takes and gives.
const fn unary(operator: u8) -> Option<(ValueType, ValueType)> {
    Some(match operator {
        0x67..=0x69 | 0xc0 | 0xc1 => (I32, I32),
        0x50 | 0xa7 => (I64, I32),
        0x79..=0x7b | 0xc2..=0xc4 => (I64, I64),
        0x8b..=0x91 => (F32, F32),
        0x99..=0x9f => (F64, F64),
        // Truncations that trap, and from 0xf0 on those that saturate.
        0xa8 | 0xa9 | 0xf0 | 0xf1 | 0xbc => (F32, I32),
        0xaa | 0xab | 0xf2 | 0xf3 => (F64, I32),
        0xac | 0xad => (I32, I64),
        0xae | 0xaf | 0xf4 | 0xf5 => (F32, I64),
        0xb0 | 0xb1 | 0xf6 | 0xf7 | 0xbd => (F64, I64),
        0xb2 | 0xb3 | 0xbe => (I32, F32),
        0xb4 | 0xb5 => (I64, F32),
        0xb6 => (F64, F32),
        0xb7 | 0xb8 => (I32, F64),
        0xb9 | 0xba | 0xbf => (I64, F64),
        0xbb => (F32, F64),
        _ => return None,
    })
}

impl Function<'_> {
    /// Reads the rest of an operator, checks it and writes what it becomes.
    pub(super) fn operator(&mut self, operator: u8) -> Result<(), RefusalKind> {
        let fuel = match operator {
            0x00..=0x03 | 0x05 | 0x0b | 0x0f | 0x1a => 0,
            0x40 => FUEL_TO_GROW,
            _ => 1,
        };
        self.code.cost(fuel)?;
        match operator {
            0x00 => self.trap(),
            0x01 => Ok(()),
            0x02 => self.block(FrameKind::Block),
            0x03 => self.block(FrameKind::Loop),
            0x04 => self.block(FrameKind::If),
            0x05 => self.otherwise(),
            0x0b => self.end(),
            0x0c => {
                let depth = self.reader.u32()?;
                self.branch(depth)
            }
            0x0d => {
                let depth = self.reader.u32()?;
                self.branch_if(depth)
            }
            0x0e => self.branch_table(),
            0x0f => self.leave(),
            0x10 => {
                let index = self.reader.u32()?;
                self.call(index)
            }
            0x11 => {
                let ty = self.reader.u32()?;
                let table = self.reader.u32()?;
                self.call_indirect(ty, table)
            }
            0x1a => self.stack.pop_any().map(|_| ()),
            0x1b => self.select(None),
            0x1c => {
                if self.reader.u32()? != 1 {
                    return invalid("invalid result arity");
                }
                let ty = self.reader.value_type()?;
                self.select(Some(ty))
            }
            0x20 => {
                let index = self.reader.u32()?;
                let (local, _) = self.local_at(index)?;
                self.push_at(local.ty, Place::Local(index))
            }
            0x21 | 0x22 => {
                let index = self.reader.u32()?;
                self.set_local(index, operator == 0x22)
            }
            0x23 => self.global_get(),
            0x24 => self.global_set(),
            0x25 => self.table_get(),
            0x26 => self.table_set(),
            0x28..=0x35 => self.load(operator),
            0x36..=0x3e => self.store(operator),
            0x3f | 0x40 => self.memory_size(operator == 0x40),
            0x41 => {
                let value = self.reader.i32()?;
                self.push_at(I32, Place::Bits(value.cast_unsigned()))
            }
            0x42 => {
                let value = self.reader.i64()?;
                self.constant(I64, value.cast_unsigned())
            }
            0x43 => {
                let bits = self.reader.word()?;
                self.push_at(F32, Place::Bits(bits))
            }
            0x44 => {
                let bits = self.reader.double_word()?;
                self.constant(F64, bits)
            }
            0x45 => self.is_zero(),
            0x46..=0x4f => self.i32_binary(op::I32_EQ.wrapping_add(operator.wrapping_sub(0x46))),
            0x51..=0x5a => self.binary(op::I64_EQ.wrapping_add(operator.wrapping_sub(0x51)), I64, I32),
            0x5b..=0x60 => self.binary(op::F32_EQ.wrapping_add(operator.wrapping_sub(0x5b)), F32, I32),
            0x61..=0x66 => self.binary(op::F64_EQ.wrapping_add(operator.wrapping_sub(0x61)), F64, I32),
            0x6a..=0x78 => self.i32_binary(op::I32_ADD.wrapping_add(operator.wrapping_sub(0x6a))),
            0x7c..=0x8a => self.binary(op::I64_ADD.wrapping_add(operator.wrapping_sub(0x7c)), I64, I64),
            0x92..=0x98 => self.binary(op::F32_ADD.wrapping_add(operator.wrapping_sub(0x92)), F32, F32),
            0xa0..=0xa6 => self.binary(op::F64_ADD.wrapping_add(operator.wrapping_sub(0xa0)), F64, F64),
            0x50 | 0x67..=0x69 | 0x79..=0x7b | 0x8b..=0x91 | 0x99..=0x9f | 0xa7..=0xc4 => self.unary(operator),
            0xd0 => {
                let ty = self.reader.reference_type()?;
                self.push_at(ty, Place::Bits(0))
            }
            0xd1 => self.is_null(),
            0xd2 => self.function_reference(),
            0xfc => self.prefixed(),
            _ => refuse(operator),
        }
    }

    fn prefixed(&mut self) -> Result<(), RefusalKind> {
        match self.reader.u32()? {
            operator @ 0..=7 => self.unary(0xf0_u8.wrapping_add(operator as u8)),
            8 => self.memory_init(),
            9 => {
                let segment = self.data_segment()?;
                self.code.emit(op::wide(op::DATA_DROP, 0, segment)).map(|_| ())
            }
            10 => {
                self.memory_index()?;
                self.memory_index()?;
                self.three(op::MEMORY_COPY, I32, I32, I32)
            }
            11 => {
                self.memory_index()?;
                self.three(op::MEMORY_FILL, I32, I32, I32)
            }
            12 => self.table_init(),
            13 => {
                let segment = self.reader.u32()?;
                self.module.element(segment)?;
                self.code.emit(op::wide(op::ELEMENTS_DROP, 0, segment as u16)).map(|_| ())
            }
            14 => self.table_copy(),
            15 => self.table_grow(),
            16 => {
                let (table, _) = self.table()?;
                let to = self.push(I32)?;
                self.code.emit_result(op::word(op::TABLE_SIZE, to, 0, table))
            }
            17 => {
                let (table, ty) = self.table()?;
                self.three(op::TABLE_FILL, I32, ty, I32)?;
                self.code.follow(table.into())
            }
            18..=22 => Err(RefusalKind::Unsupported("wide arithmetic")),
            _ => malformed("illegal opcode"),
        }
    }

    fn constant(&mut self, ty: ValueType, bits: u64) -> Result<(), RefusalKind> {
        match i32::try_from(bits.cast_signed()) {
            Ok(short) => self.push_at(ty, Place::Bits(short.cast_unsigned())),
            Err(_) => {
                let to = self.push(ty)?;
                self.constant_64(to, bits)
            }
        }
    }

    fn unary(&mut self, operator: u8) -> Result<(), RefusalKind> {
        let Some((from, to)) = unary(operator) else { return malformed("illegal opcode") };
        // The low word of 64 bits is where it is to be, and bits are not moved to be read as another type.
        if matches!(operator, 0xa7 | 0xbc..=0xbf) {
            let operand = self.stack.pop(from)?;
            if operator == 0xa7 {
                self.code.pin();
            }
            return self.push_at(to, operand.place);
        }
        let source = self.pop(from)?;
        let result = self.push(to)?;
        let kind = match (from.slots(), to.slots()) {
            _ if operator == 0xac => op::EXTEND_32_S,
            (1, 1) => op::UNARY_32_32,
            (1, _) => op::UNARY_32_64,
            (_, 1) => op::UNARY_64_32,
            _ => op::UNARY_64_64,
        };
        self.code.emit_result(op::word(kind, result, source, operator))
    }

    fn binary(&mut self, operator: u8, operands: ValueType, result: ValueType) -> Result<(), RefusalKind> {
        let right = self.pop(operands)?;
        let left = self.pop(operands)?;
        let to = self.push(result)?;
        self.code.emit_result(op::word(operator, to, left, right))
    }

    fn i32_binary(&mut self, operator: u8) -> Result<(), RefusalKind> {
        let (mut right, mut left) = (self.stack.pop(I32)?, self.stack.pop(I32)?);
        let commutes =
            matches!(operator, op::I32_EQ | op::I32_NE | op::I32_ADD | op::I32_MUL | op::I32_AND..=op::I32_XOR);
        if commutes && short(left).is_some() {
            core::mem::swap(&mut left, &mut right);
        }
        let immediate = short(right);
        let left = self.held(left)?;
        let (operator, right) = match immediate {
            Some(number) => (operator.wrapping_add(op::I32_TO_IMMEDIATE), number),
            None => (operator, self.held(right)?),
        };
        let to = self.push(I32)?;
        self.code.emit_result(op::word(operator, to, left, right))
    }

    /// `i32.eqz`: of a comparison its opposite.
    fn is_zero(&mut self) -> Result<(), RefusalKind> {
        let operand = self.stack.pop(I32)?;
        if operand.place == Place::Own {
            let own = self.register(operand.height);
            if let Some([operator, _, left, right]) = self.code.take(own, opposite) {
                let to = self.push(I32)?;
                return self.code.emit_result(op::word(operator, to, left, right));
            }
        }
        let source = self.held(operand)?;
        let to = self.push(I32)?;
        self.code.emit_result(op::word(op::I32_EQ_I, to, source, 0))
    }

    fn select(&mut self, ty: Option<ValueType>) -> Result<(), RefusalKind> {
        let condition = self.pop(I32)?;
        let (right, left) = match ty {
            Some(ty) => (self.stack.pop(ty)?, self.stack.pop(ty)?),
            None => (self.stack.pop_any()?, self.stack.pop_any()?),
        };
        let found = ty.or(left.ty).or(right.ty);
        let untyped = |operand: Operand| match operand.ty {
            Some(found_ty) => ty.is_none() && (found_ty.is_reference() || Some(found_ty) != found),
            None => false,
        };
        if untyped(left) || untyped(right) {
            return invalid("type mismatch");
        }
        let Some(found) = found else {
            return self.stack.push(None, Place::Own, self.is_live()).map(|_| ());
        };
        let right = self.held(right)?;
        let left = self.held(left)?;
        let to = self.push(found)?;
        let operator = if found.slots() == 2 { op::SELECT_64 } else { op::SELECT_32 };
        self.code.emit_result(op::word(operator, to, left, right))?;
        self.code.follow(condition.into())
    }

    fn is_null(&mut self) -> Result<(), RefusalKind> {
        let operand = self.stack.pop_any()?;
        if operand.ty.is_some_and(|ty| !ty.is_reference()) {
            return invalid("type mismatch");
        }
        let source = self.held(operand)?;
        let to = self.push(I32)?;
        self.code.emit_result(op::word(op::I32_EQ_I, to, source, 0))
    }

    fn function_reference(&mut self) -> Result<(), RefusalKind> {
        let index = self.reader.u32()?;
        self.module.function(index)?;
        if !self.module.is_referred(index) {
            return invalid("undeclared function reference");
        }
        self.push_at(FuncRef, Place::Bits(index.wrapping_add(1)))
    }
}

/// A number that fits the right side of an operator.
fn short(operand: Operand) -> Option<u8> {
    let Place::Bits(bits) = operand.place else { return None };
    i8::try_from(bits.cast_signed()).ok().map(i8::cast_unsigned)
}

/// Turns a comparison of integers around.
fn opposite([operator, a, left, right]: [u8; 4]) -> Option<[u8; 4]> {
    let first = match operator {
        op::I32_EQ..=op::I32_GE_U => op::I32_EQ,
        op::I32_EQ_I..=op::I32_GE_U_I => op::I32_EQ_I,
        op::I64_EQ..=op::I64_GE_U => op::I64_EQ,
        _ => return None,
    };
    // eq ne · lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u
    let turned = match operator.wrapping_sub(first) {
        pair @ 0..=1 => pair ^ 1,
        order => 11_u8.wrapping_sub(order ^ 1),
    };
    Some([first.wrapping_add(turned), a, left, right])
}

fn refuse(operator: u8) -> Result<(), RefusalKind> {
    Err(match operator {
        0x06..=0x0a | 0x18 | 0x19 | 0x1f => RefusalKind::Unsupported("exception handling"),
        0x12 | 0x13 | 0x15 => RefusalKind::Unsupported("a tail call"),
        0x14 | 0xd3..=0xd6 => RefusalKind::Unsupported("a typed function reference"),
        0xfb => RefusalKind::Unsupported("garbage collection"),
        0xfd => RefusalKind::Unsupported("SIMD"),
        0xfe => RefusalKind::Unsupported("threads"),
        _ => RefusalKind::Malformed("illegal opcode"),
    })
}

#[cfg(test)]
mod tests {
    use super::opposite;
    use crate::op;

    #[test]
    fn the_opposite_of_a_comparison_is_right() {
        let turned = |operator| opposite([operator, 0, 1, 2]).map(|[operator, ..]| operator);
        let pairs = [
            (op::I32_EQ, op::I32_NE),
            (op::I32_LT_S, op::I32_GE_S),
            (op::I32_LT_U, op::I32_GE_U),
            (op::I32_GT_S, op::I32_LE_S),
            (op::I32_GT_U, op::I32_LE_U),
            (op::I64_GT_U, op::I64_LE_U),
            (op::I32_LT_S_I, op::I32_GE_S_I),
        ];
        for (one, other) in pairs {
            assert_eq!((turned(one), turned(other)), (Some(other), Some(one)));
        }
        assert_eq!(turned(op::F32_EQ), None);
    }
}
