//! Values between guest and host.

/// A value of the guest's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::host) enum Val {
    I32(i32),
    I64(i64),
    F32(f32),
    F64(f64),
    /// A reference, of which the host makes nothing.
    Reference,
}

/// The type of a [`Val`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) enum ValType {
    I32,
    I64,
    F32,
    F64,
    Reference,
}
