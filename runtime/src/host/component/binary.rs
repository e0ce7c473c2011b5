//! Sections of a component's recipe, byte by byte.
//!
//! Own code, since wasmparser's reader of component types calls itself for each level of nesting: 3 MB of nested types are the
//! end of the process (decision 054). Its reader of numbers and names is used.

use alloc::string::ToString;

use wasmparser::BinaryReader;

use super::{ENTRIES_MAX, VERSION};
use crate::host::facts::{Refusal, corrupt};

/// What is left of the entries that may be read.
#[derive(Debug)]
pub(super) struct Entries(u32);

impl Entries {
    pub(super) fn new() -> Self {
        Self(ENTRIES_MAX)
    }

    /// Takes some; what they need is known before anything is kept of them.
    pub(super) fn take(&mut self, count: u32) -> Result<(), Refusal> {
        let too_many = Refusal::TooMuch {
            what: "entries of the component",
            needed: u64::from(ENTRIES_MAX).saturating_sub(self.0.into()).saturating_add(count.into()),
            limit: ENTRIES_MAX.into(),
        };
        self.0 = self.0.checked_sub(count).ok_or(too_many)?;
        Ok(())
    }
}

/// Reads one section or one definition.
#[derive(Clone)]
pub(super) struct Reader<'w>(BinaryReader<'w>);

impl<'w> Reader<'w> {
    /// Of a component behind its header.
    pub(super) fn of_component(component: &'w [u8], offset: usize) -> Result<Self, Refusal> {
        let mut reader = Self(BinaryReader::new(component, offset));
        let magic = reader.0.read_u32().map_err(|error| corrupt(&error))?;
        let version = reader.0.read_u32().map_err(|error| corrupt(&error))?;
        if magic != u32::from_le_bytes(*b"\0asm") {
            return Err(reader.strange("no component begins like this"));
        }
        if version == VERSION { Ok(reader) } else { Err(Refusal::Version { version }) }
    }

    /// Returns where in the file it is, bytes.
    pub(super) fn offset(&self) -> usize {
        self.0.original_position()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.0.eof()
    }

    /// Says of the place where the reader is what is wrong with it.
    pub(super) fn strange(&self, message: &str) -> Refusal {
        Refusal::Corrupt { message: message.to_string(), offset: self.offset() }
    }

    pub(super) fn byte(&mut self) -> Result<u8, Refusal> {
        self.0.read_u8().map_err(|error| corrupt(&error))
    }

    /// Returns the next byte, which stays to be read.
    pub(super) fn peek(&self) -> Result<u8, Refusal> {
        self.clone().byte()
    }

    pub(super) fn number(&mut self) -> Result<u32, Refusal> {
        self.0.read_var_u32().map_err(|error| corrupt(&error))
    }

    /// Reads the number of a type that stands where a negative number would be a built-in type.
    pub(super) fn type_index(&mut self) -> Result<u32, Refusal> {
        let index = self.0.read_var_s33().map_err(|error| corrupt(&error))?;
        u32::try_from(index).map_err(|_| self.strange("a type that is not known"))
    }

    pub(super) fn name(&mut self) -> Result<&'w str, Refusal> {
        self.0.read_string().map_err(|error| corrupt(&error))
    }

    /// Reads the name of an import or export, which has a byte of its own before it.
    pub(super) fn extern_name(&mut self) -> Result<&'w str, Refusal> {
        match self.byte()? {
            0 | 1 => self.name(),
            _ => Err(self.strange("a kind of name that is not known")),
        }
    }

    /// Reads how many entries follow.
    pub(super) fn count(&mut self, entries: &mut Entries) -> Result<u32, Refusal> {
        let count = self.number()?;
        entries.take(count)?;
        Ok(count)
    }

    /// Takes the next section: its number and its content.
    pub(super) fn section(&mut self) -> Result<(u8, Self), Refusal> {
        let id = self.byte()?;
        let content = self.0.read_reader().map_err(|error| corrupt(&error))?;
        Ok((id, Self(content)))
    }

    /// Returns the rest as it lies.
    pub(super) fn rest(&mut self) -> Result<&'w [u8], Refusal> {
        let length = self.0.bytes_remaining();
        self.0.read_bytes(length).map_err(|error| corrupt(&error))
    }

    /// Refuses a section behind whose entries something is left.
    pub(super) fn end(&self) -> Result<(), Refusal> {
        if self.is_at_end() { Ok(()) } else { Err(self.strange("a section is longer than its entries")) }
    }
}
