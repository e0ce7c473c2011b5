//! An image: translated code and everything else a machine starts from, as words that lie in flash.

mod header;

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use crate::crc32::Crc32;
use crate::limits::Limits;
use crate::value::ValueType;

pub(crate) use header::{HEADER_WORDS, Header, List, NONE};

/// Bytes of a header.
pub const HEADER_BYTES: usize = 4 * HEADER_WORDS;

/// What an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportKind {
    /// A function.
    Function,
    /// A table.
    Table,
    /// The linear memory.
    Memory,
    /// A global.
    Global,
}

impl ExportKind {
    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::Function,
            1 => Self::Table,
            2 => Self::Memory,
            3 => Self::Global,
            _ => return None,
        })
    }
}

/// An export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Export<'i> {
    /// Its name.
    pub name: &'i str,
    /// What it is.
    pub kind: ExportKind,
    /// Its number among those of its kind.
    pub index: u32,
}

/// An imported function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Import<'i> {
    /// The module it is imported from.
    pub module: &'i str,
    /// Its name there.
    pub name: &'i str,
}

/// Why bytes are no image that can be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageError {
    /// They do not begin at a multiple of four, or end at none.
    Misaligned,
    /// No header of this version of the engine stands there.
    NoHeader,
    /// They are not as they were written.
    Damaged,
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Misaligned => "an image lies at a multiple of four bytes",
            Self::NoHeader => "no image of this version of the engine",
            Self::Damaged => "the image is damaged",
        })
    }
}

impl core::error::Error for ImageError {}

/// An image whose sums were right.
#[derive(Clone, Debug)]
pub struct Image {
    words: Cow<'static, [u32]>,
    header: Header,
}

impl Image {
    /// Takes an image where it lies, in flash.
    ///
    /// # Errors
    /// [`ImageError`]: it is not run.
    pub fn in_flash(bytes: &'static [u8]) -> Result<Self, ImageError> {
        // What lies behind it may be anything; only whole words are looked at.
        let words = <[u32] as zerocopy::FromBytes>::ref_from_bytes(bytes).map_err(|_| ImageError::Misaligned)?;
        Self::checked(Cow::Borrowed(words))
    }

    /// Takes a copy of an image.
    ///
    /// # Errors
    /// [`ImageError`]: it is not run.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ImageError> {
        if !bytes.len().is_multiple_of(4) {
            return Err(ImageError::Misaligned);
        }
        let words = bytes.chunks_exact(4).filter_map(|word| word.first_chunk());
        Self::owned(words.map(|word| u32::from_le_bytes(*word)).collect())
    }

    /// Takes the words of an image.
    ///
    /// # Errors
    /// [`ImageError`]: it is not run.
    pub fn owned(words: Vec<u32>) -> Result<Self, ImageError> {
        Self::checked(Cow::Owned(words))
    }

    fn checked(words: Cow<'static, [u32]>) -> Result<Self, ImageError> {
        let header = Header::from_words(&words).ok_or(ImageError::NoHeader)?;
        let body = words.get(HEADER_WORDS..header.words as usize).ok_or(ImageError::Damaged)?;
        let crc = body.iter().fold(Crc32::default(), |sum, word| sum.with_word(*word)).sum();
        if crc == header.crc { Ok(Self { words, header }) } else { Err(ImageError::Damaged) }
    }

    /// Tells whether it is run where it lies, so that a second value of it is no second copy.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        matches!(self.words, Cow::Borrowed(_))
    }

    /// Returns what it is known by: the key that its maker gave.
    #[must_use]
    pub fn key(&self) -> &[u8; 32] {
        &self.header.key
    }

    /// Tells whether it was made of this module, with these limits.
    #[must_use]
    pub fn is_of(&self, key: &[u8; 32], limits: &Limits) -> bool {
        self.header.key == *key && self.header.limits == limits.fingerprint()
    }

    /// Returns how long it is, bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        (self.header.words as usize).saturating_mul(4)
    }

    /// Returns its bytes, to be stored.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        zerocopy::IntoBytes::as_bytes(self.words())
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn words(&self) -> &[u32] {
        self.words.get(..self.header.words as usize).unwrap_or_default()
    }

    pub(crate) fn word(&self, at: u32) -> Option<u32> {
        self.words().get(at as usize).copied()
    }

    /// Returns a row of a list.
    pub(crate) fn row<const N: usize>(&self, list: List, index: u32) -> Option<[u32; N]> {
        if index >= list.count {
            return None;
        }
        let at = (list.at as usize).checked_add((index as usize).checked_mul(N)?)?;
        self.words().get(at..)?.first_chunk().copied()
    }

    /// Returns words that stand somewhere.
    pub(crate) fn span(&self, at: u32, count: u32) -> Option<&[u32]> {
        self.words().get(at as usize..)?.get(..count as usize)
    }

    fn text(&self, at: u32, bytes: u32) -> Option<&str> {
        let words = self.span(at, bytes.div_ceil(4))?;
        core::str::from_utf8(zerocopy::IntoBytes::as_bytes(words).get(..bytes as usize)?).ok()
    }

    /// Returns its imported functions, in the order of their numbers.
    pub fn imports(&self) -> impl Iterator<Item = Import<'_>> {
        let mut at = self.header.imports.at;
        (0..self.header.imports.count).map_while(move |_| {
            let lengths = self.word(at)?;
            let (module_bytes, name_bytes) = (lengths & 0xffff, lengths >> 16);
            let names = at.checked_add(2)?;
            let second = names.checked_add(module_bytes.div_ceil(4))?;
            at = second.checked_add(name_bytes.div_ceil(4))?;
            Some(Import { module: self.text(names, module_bytes)?, name: self.text(second, name_bytes)? })
        })
    }

    /// Returns its exports.
    pub fn exports(&self) -> impl Iterator<Item = Export<'_>> {
        let mut at = self.header.exports.at;
        (0..self.header.exports.count).map_while(move |_| {
            let [first, index] = *self.span(at, 2)?.first_chunk()?;
            let [kind, ..] = first.to_le_bytes();
            let name_bytes = first >> 8;
            let name = at.checked_add(2)?;
            at = name.checked_add(name_bytes.div_ceil(4))?;
            Some(Export { name: self.text(name, name_bytes)?, kind: ExportKind::from_byte(kind)?, index })
        })
    }

    /// Returns the number of an exported function.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<u32> {
        let found = self.exports().find(|export| export.name == name)?;
        (found.kind == ExportKind::Function).then_some(found.index)
    }

    /// Returns the type of a function, imported ones have the first numbers; of a damaged image `None`.
    #[must_use]
    pub fn type_of(&self, function: u32) -> Option<Signature<'_>> {
        let ty = self.type_number(function)?;
        self.ty(ty)
    }

    /// Returns the number that functions of the same type share.
    pub(crate) fn type_number(&self, function: u32) -> Option<u32> {
        let [word] = self.row(self.header.functions, function)?;
        if word & crate::op::IMPORTED != 0 { Some(word & 0xffff) } else { Some(self.word(word)? & 0xffff) }
    }

    fn ty(&self, number: u32) -> Option<Signature<'_>> {
        let [at] = self.row(self.header.types, number)?;
        let counts = self.word(at)?;
        let (params, results) = (counts & 0xffff, counts >> 16);
        let count = params.checked_add(results)?;
        let words = self.span(at.checked_add(1)?, count.div_ceil(4))?;
        let bytes = zerocopy::IntoBytes::as_bytes(words).get(..count as usize)?;
        let (params, results) = bytes.split_at_checked(params as usize)?;
        let are_types = bytes.iter().all(|byte| ValueType::from_byte(*byte).is_some());
        are_types.then_some(Signature { params: Types(params), results: Types(results) })
    }

    /// Returns type and first word of a global, and whether it can be set.
    pub(crate) fn global(&self, index: u32) -> Option<(ValueType, usize, bool)> {
        let [word] = self.row(self.header.globals, index)?;
        let [ty, mutable, low, high] = word.to_le_bytes();
        Some((ValueType::from_byte(ty)?, u16::from_le_bytes([low, high]).into(), mutable != 0))
    }
}

/// Types of values as an image has them, a byte each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Types<'i>(&'i [u8]);

impl<'i> Types<'i> {
    /// Returns how many there are.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.len()
    }

    /// Tells whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Returns one of them.
    #[must_use]
    pub fn get(self, index: usize) -> Option<ValueType> {
        self.0.get(index).copied().and_then(ValueType::from_byte)
    }

    /// Returns them in order.
    pub fn iter(self) -> impl Iterator<Item = ValueType> + Clone + use<'i> {
        // Every byte was looked at before there was this value.
        self.0.iter().filter_map(|byte| ValueType::from_byte(*byte))
    }

    /// Returns how many registers values of these types take together.
    pub(crate) fn slots(self) -> usize {
        self.iter().map(|ty| usize::from(ty.slots())).sum()
    }
}

/// Parameters and results of a function of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature<'i> {
    /// What it takes.
    pub params: Types<'i>,
    /// What it gives.
    pub results: Types<'i>,
}
