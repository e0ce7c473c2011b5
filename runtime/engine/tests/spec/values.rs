//! Values of scripts, and whether a result is what a script expects.

use skiff_engine::Value;
use wast::core::{AbstractHeapType, HeapType, NanPattern, WastArgCore, WastRetCore};
use wast::{WastArg, WastRet};

/// Returns an argument; `None` where it is of no type that is enabled.
pub fn argument(argument: &WastArg<'_>) -> Option<Value> {
    let WastArg::Core(argument) = argument else { return None };
    Some(match argument {
        WastArgCore::I32(value) => Value::I32(*value),
        WastArgCore::I64(value) => Value::I64(*value),
        WastArgCore::F32(value) => Value::F32(f32::from_bits(value.bits)),
        WastArgCore::F64(value) => Value::F64(f64::from_bits(value.bits)),
        WastArgCore::RefNull(HeapType::Abstract { ty: AbstractHeapType::Func, .. }) => Value::FuncRef(None),
        WastArgCore::RefNull(HeapType::Abstract { ty: AbstractHeapType::Extern, .. }) => Value::ExternRef(None),
        WastArgCore::RefExtern(number) => Value::ExternRef(Some(*number)),
        _ => return None,
    })
}

/// A NaN of which only the highest bit of the fraction is set.
const CANONICAL_32: u32 = 0x7fc0_0000;
const CANONICAL_64: u64 = 0x7ff8_0000_0000_0000;

/// Tells whether a result is the expected one; bits count, but for NaNs that are allowed to differ.
pub fn is_result(found: Value, wanted: &WastRet<'_>) -> bool {
    let WastRet::Core(wanted) = wanted else { return false };
    match (wanted, found) {
        (WastRetCore::I32(wanted), Value::I32(found)) => *wanted == found,
        (WastRetCore::I64(wanted), Value::I64(found)) => *wanted == found,
        (WastRetCore::F32(wanted), Value::F32(found)) => match wanted {
            NanPattern::Value(wanted) => wanted.bits == found.to_bits(),
            NanPattern::CanonicalNan => found.to_bits() & !(1 << 31) == CANONICAL_32,
            NanPattern::ArithmeticNan => found.to_bits() & CANONICAL_32 == CANONICAL_32,
        },
        (WastRetCore::F64(wanted), Value::F64(found)) => match wanted {
            NanPattern::Value(wanted) => wanted.bits == found.to_bits(),
            NanPattern::CanonicalNan => found.to_bits() & !(1 << 63) == CANONICAL_64,
            NanPattern::ArithmeticNan => found.to_bits() & CANONICAL_64 == CANONICAL_64,
        },
        (WastRetCore::RefNull(_), Value::FuncRef(found) | Value::ExternRef(found)) => found.is_none(),
        (WastRetCore::RefExtern(wanted), Value::ExternRef(found)) => wanted.is_none() || *wanted == found,
        (WastRetCore::RefFunc(_), Value::FuncRef(found)) => found.is_some(),
        _ => false,
    }
}
