//! Constant expressions, worked out where they are read: no import gives a global, so nothing in them is unknown.

use super::{Module, Reader};
use crate::refusal::{RefusalKind, invalid};
use crate::value::ValueType;

/// Values that wait for an operator of an extended constant expression.
const DEPTH_MAX: usize = 32;

/// What an expression came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Constant {
    pub(crate) ty: ValueType,
    /// As registers hold it.
    pub(crate) bits: u64,
}

/// Reads an expression of the wanted type, its `end` too.
pub(crate) fn constant(
    reader: &mut Reader<'_>,
    wanted: ValueType,
    module: &mut Module,
) -> Result<Constant, RefusalKind> {
    let mut stack = [Constant { ty: wanted, bits: 0 }; DEPTH_MAX];
    let mut height = 0_usize;
    loop {
        let value = match reader.byte()? {
            0x0b => break,
            0x41 => Constant { ty: ValueType::I32, bits: reader.i32()?.cast_unsigned().into() },
            0x42 => Constant { ty: ValueType::I64, bits: reader.i64()?.cast_unsigned() },
            0x43 => Constant { ty: ValueType::F32, bits: reader.word()?.into() },
            0x44 => Constant { ty: ValueType::F64, bits: reader.double_word()? },
            0xd0 => Constant { ty: reader.reference_type()?, bits: 0 },
            0xd2 => {
                let index = reader.u32()?;
                module.refer(index)?;
                Constant { ty: ValueType::FuncRef, bits: u64::from(index).wrapping_add(1) }
            }
            // Only an imported global may stand here, and there are none.
            0x23 => return invalid("unknown global"),
            operator @ (0x6a..=0x6c | 0x7c..=0x7e) => {
                let ty = if operator <= 0x6c { ValueType::I32 } else { ValueType::I64 };
                let below = height.checked_sub(2);
                let operands = below.and_then(|below| Some((*stack.get(below)?, *stack.get(below.wrapping_add(1))?)));
                let Some((left, right)) = operands.filter(|(left, right)| left.ty == ty && right.ty == ty) else {
                    return invalid("type mismatch");
                };
                height = height.wrapping_sub(2);
                let bits = match operator {
                    0x6a | 0x7c => left.bits.wrapping_add(right.bits),
                    0x6b | 0x7d => left.bits.wrapping_sub(right.bits),
                    _ => left.bits.wrapping_mul(right.bits),
                };
                let mask = if ty == ValueType::I32 { u64::from(u32::MAX) } else { u64::MAX };
                Constant { ty, bits: bits & mask }
            }
            0xfd => return Err(RefusalKind::Unsupported("SIMD")),
            _ => return invalid("constant expression required"),
        };
        let Some(place) = stack.get_mut(height) else {
            return Err(RefusalKind::Limit { what: "values of a constant expression", max: DEPTH_MAX as u32 });
        };
        *place = value;
        height = height.wrapping_add(1);
    }
    match stack {
        [only, ..] if height == 1 && only.ty == wanted => Ok(only),
        _ => invalid("type mismatch"),
    }
}
