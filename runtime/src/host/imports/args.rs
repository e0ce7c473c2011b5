//! Arguments as the guest gave them, and as a host function takes them (plugin ABI §2.5).

use super::to_int32;
use crate::host::engine::{GuestSlice, Val};

/// An argument had a type that the binding cannot use, such as `i64` for a pointer.
pub(in crate::host) struct WrongType;

/// The arguments that are left.
pub(in crate::host) struct Args<'a>(core::slice::Iter<'a, Val>);

impl<'a> Args<'a> {
    pub(in crate::host) fn of(values: &'a [Val]) -> Self {
        Self(values.iter())
    }

    /// Takes the next argument, in the type of the function's parameter.
    pub(in crate::host) fn take<A: Argument>(&mut self) -> Result<A, WrongType> {
        A::take(self)
    }

    fn int(&mut self) -> Result<Option<i32>, WrongType> {
        match self.0.next() {
            None => Ok(None),
            Some(Val::I32(value)) => Ok(Some(*value)),
            Some(Val::F64(value)) => Ok(Some(to_int32(*value))),
            Some(Val::F32(value)) => Ok(Some(to_int32(f64::from(*value)))),
            Some(_) => Err(WrongType),
        }
    }

    fn long(&mut self) -> Result<i64, WrongType> {
        match self.0.next() {
            None => Ok(0),
            Some(Val::I64(value)) => Ok(*value),
            Some(Val::I32(value)) => Ok(i64::from(*value)),
            Some(_) => Err(WrongType),
        }
    }

    fn float(&mut self) -> Result<f64, WrongType> {
        match self.0.next() {
            None => Ok(f64::NAN),
            Some(Val::F64(value)) => Ok(*value),
            Some(Val::F32(value)) => Ok(f64::from(*value)),
            Some(Val::I32(value)) => Ok(f64::from(*value)),
            Some(_) => Err(WrongType),
        }
    }
}

/// A type of a host function's parameters. An argument that the guest leaves out is 0, no number, or nothing.
pub(in crate::host) trait Argument: Sized {
    fn take(args: &mut Args<'_>) -> Result<Self, WrongType>;
}

impl Argument for i32 {
    fn take(args: &mut Args<'_>) -> Result<Self, WrongType> {
        args.int().map(Option::unwrap_or_default)
    }
}

impl Argument for Option<i32> {
    fn take(args: &mut Args<'_>) -> Result<Self, WrongType> {
        args.int()
    }
}

impl Argument for u32 {
    fn take(args: &mut Args<'_>) -> Result<Self, WrongType> {
        args.take().map(i32::cast_unsigned)
    }
}

impl Argument for i64 {
    fn take(args: &mut Args<'_>) -> Result<Self, WrongType> {
        args.long()
    }
}

impl Argument for u64 {
    fn take(args: &mut Args<'_>) -> Result<Self, WrongType> {
        args.long().map(i64::cast_unsigned)
    }
}

impl Argument for f64 {
    fn take(args: &mut Args<'_>) -> Result<Self, WrongType> {
        args.float()
    }
}

impl Argument for GuestSlice {
    fn take(args: &mut Args<'_>) -> Result<Self, WrongType> {
        Ok(Self { ptr: args.take()?, len: args.take()? })
    }
}

/// The type of each kind of parameter ([`skiff_abi::import::Kind`]).
pub(super) mod kinds {
    use super::GuestSlice;

    pub(in crate::host::imports) type Text = GuestSlice;
    pub(in crate::host::imports) type Bytes = GuestSlice;
    pub(in crate::host::imports) type Room = GuestSlice;
    pub(in crate::host::imports) type Vectors = GuestSlice;
    pub(in crate::host::imports) type String = u32;
    pub(in crate::host::imports) type Object = u32;
    pub(in crate::host::imports) type Address = u32;
    pub(in crate::host::imports) type I32 = i32;
    pub(in crate::host::imports) type U32 = u32;
    pub(in crate::host::imports) type Optional = Option<i32>;
    pub(in crate::host::imports) type I64 = i64;
    pub(in crate::host::imports) type U64 = u64;
    pub(in crate::host::imports) type F64 = f64;
}
