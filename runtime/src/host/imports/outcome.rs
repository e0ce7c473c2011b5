//! What a host function gives: its result, or that the guest waits or ends.

use core::time::Duration;

use wasmi::{F32, F64, Val, ValType};

use super::to_int32;
use crate::host::fetch::FetchRequest;
use crate::time::Instant;

/// The natural result of an import.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::host) enum Ret {
    /// None.
    Nothing,
    /// An integer.
    Int(i32),
    /// A number.
    Float(f64),
}

impl Ret {
    /// Writes the result in the types that `to` has; false where JavaScript would throw.
    pub(in crate::host) fn write(self, to: &mut [Val]) -> bool {
        let (mut ret, mut fits) = (self, true);
        for value in to {
            match ret.value(value.ty()) {
                Some(adapted) => *value = adapted,
                None => fits = false,
            }
            ret = Self::Nothing;
        }
        fits
    }

    fn value(self, ty: ValType) -> Option<Val> {
        let number = match self {
            Self::Nothing => f64::NAN,
            Self::Int(value) => f64::from(value),
            Self::Float(value) => value,
        };
        #[expect(clippy::cast_possible_truncation, reason = "what a 32-bit float import gets in JavaScript")]
        match (ty, self) {
            (ValType::I32, Self::Int(value)) => Some(Val::I32(value)),
            (ValType::I32, _) => Some(Val::I32(to_int32(number))),
            (ValType::F64, _) => Some(Val::F64(F64::from(number))),
            (ValType::F32, _) => Some(Val::F32(F32::from(number as f32))),
            _ => None,
        }
    }
}

/// Result of a call of an import.
#[derive(Debug)]
pub(in crate::host) enum Outcome {
    /// It returns.
    Ret(Ret),
    /// The guest waits for the answer of an HTTP request.
    Fetch(FetchRequest),
    /// The guest sleeps for `span`, until `until`; it gets 0 then.
    Sleep { until: Instant, span: Duration },
    /// The guest ends its call (`proc_exit`).
    Exit(i32),
}

impl From<()> for Outcome {
    fn from((): ()) -> Self {
        Self::Ret(Ret::Nothing)
    }
}

impl From<i32> for Outcome {
    fn from(number: i32) -> Self {
        Self::Ret(Ret::Int(number))
    }
}

impl From<f64> for Outcome {
    fn from(number: f64) -> Self {
        Self::Ret(Ret::Float(number))
    }
}
