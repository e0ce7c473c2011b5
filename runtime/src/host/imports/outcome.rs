//! What a host function gives: its result, or that the guest waits or ends.

#[cfg(feature = "components")]
use alloc::boxed::Box;
use core::time::Duration;

use super::to_int32;
use crate::host::engine::{Val, ValType};
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
    /// An integer of 64 bits, which no other dialect is given.
    #[cfg(feature = "components")]
    Long(i64),
}

impl Ret {
    /// Returns it in a type that the guest declares; `None` where JavaScript would throw.
    pub(in crate::host) fn value(self, ty: ValType) -> Option<Val> {
        let number = match self {
            Self::Nothing => f64::NAN,
            Self::Int(value) => f64::from(value),
            Self::Float(value) => value,
            #[cfg(feature = "components")]
            Self::Long(value) => return (ty == ValType::I64).then_some(Val::I64(value)),
        };
        #[expect(clippy::cast_possible_truncation, reason = "what a 32-bit float import gets in JavaScript")]
        match (ty, self) {
            (ValType::I32, Self::Int(value)) => Some(Val::I32(value)),
            (ValType::I32, _) => Some(Val::I32(to_int32(number))),
            (ValType::F64, _) => Some(Val::F64(number)),
            (ValType::F32, _) => Some(Val::F32(number as f32)),
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
    /// It returns when this was written into the guest's memory.
    #[cfg(feature = "components")]
    Answer(Box<crate::host::component::Answered>),
    /// It breaks the canonical ABI, and the guest with it.
    #[cfg(feature = "components")]
    Trap(&'static str),
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
