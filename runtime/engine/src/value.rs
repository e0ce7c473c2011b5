//! Values, their types, and how many words each takes.

/// A type of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ValueType {
    /// 32 bits.
    I32 = 0x7f,
    /// 64 bits.
    I64 = 0x7e,
    /// IEEE 754 single.
    F32 = 0x7d,
    /// IEEE 754 double.
    F64 = 0x7c,
    /// A function, or null.
    FuncRef = 0x70,
    /// Something of the host's, or null.
    ExternRef = 0x6f,
}

impl ValueType {
    /// Returns the type that a byte of a module stands for (WebAssembly 2.0, "Value Types" of the binary format).
    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0x7f => Self::I32,
            0x7e => Self::I64,
            0x7d => Self::F32,
            0x7c => Self::F64,
            0x70 => Self::FuncRef,
            0x6f => Self::ExternRef,
            _ => return None,
        })
    }

    /// Returns how many registers of 32 bits a value takes.
    pub(crate) const fn slots(self) -> u16 {
        match self {
            Self::I64 | Self::F64 => 2,
            _ => 1,
        }
    }

    pub(crate) const fn is_reference(self) -> bool {
        matches!(self, Self::FuncRef | Self::ExternRef)
    }
}

/// Parameters and results of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FuncType<'t> {
    /// What it takes.
    pub params: &'t [ValueType],
    /// What it gives.
    pub results: &'t [ValueType],
}

/// Returns how many registers values of these types take together.
pub(crate) fn slots_of(types: &[ValueType]) -> usize {
    types.iter().map(|ty| usize::from(ty.slots())).sum()
}

/// A value as the host gives and gets it.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// 32 bits.
    I32(i32),
    /// 64 bits.
    I64(i64),
    /// A single.
    F32(f32),
    /// A double.
    F64(f64),
    /// The number of a function, or null.
    FuncRef(Option<u32>),
    /// A number of the host's below `u32::MAX`, or null.
    ExternRef(Option<u32>),
}

/// Values are the same when their bits are: a NaN equals itself.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.ty() == other.ty() && self.bits() == other.bits()
    }
}

impl Value {
    /// Returns its type.
    #[must_use]
    pub const fn ty(self) -> ValueType {
        match self {
            Self::I32(_) => ValueType::I32,
            Self::I64(_) => ValueType::I64,
            Self::F32(_) => ValueType::F32,
            Self::F64(_) => ValueType::F64,
            Self::FuncRef(_) => ValueType::FuncRef,
            Self::ExternRef(_) => ValueType::ExternRef,
        }
    }

    /// Returns it as registers hold it, the low word first; a reference is its number plus one, null is 0.
    pub(crate) const fn bits(self) -> u64 {
        match self {
            Self::I32(value) => value.cast_unsigned() as u64,
            Self::I64(value) => value.cast_unsigned(),
            Self::F32(value) => value.to_bits() as u64,
            Self::F64(value) => value.to_bits(),
            Self::FuncRef(None) | Self::ExternRef(None) => 0,
            Self::FuncRef(Some(index)) | Self::ExternRef(Some(index)) => index.wrapping_add(1) as u64,
        }
    }

    /// Reads it back.
    pub(crate) const fn from_bits(ty: ValueType, bits: u64) -> Self {
        let low = bits as u32;
        match ty {
            ValueType::I32 => Self::I32(low.cast_signed()),
            ValueType::I64 => Self::I64(bits.cast_signed()),
            ValueType::F32 => Self::F32(f32::from_bits(low)),
            ValueType::F64 => Self::F64(f64::from_bits(bits)),
            ValueType::FuncRef => Self::FuncRef(low.checked_sub(1)),
            ValueType::ExternRef => Self::ExternRef(low.checked_sub(1)),
        }
    }

    /// The value a local of this type begins with.
    #[must_use]
    pub const fn zero(ty: ValueType) -> Self {
        Self::from_bits(ty, 0)
    }
}
