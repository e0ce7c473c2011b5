//! What an engine has to do for a plugin, and what is the same for all: the exports, the imports that do nothing.

use alloc::string::String;
use alloc::vec::Vec;

/// Why something failed.
pub type Failed = String;

/// Exports that are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    Start,
    Delta,
    Allocate,
    Deallocate,
    New,
    Collect,
    Poll,
}

impl Export {
    pub const ALL: [Self; 7] =
        [Self::Start, Self::Delta, Self::Allocate, Self::Deallocate, Self::New, Self::Collect, Self::Poll];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "plugin_start",
            Self::Delta => "delta_handler",
            Self::Allocate => "allocate",
            Self::Deallocate => "deallocate",
            Self::New => "__new",
            Self::Collect => "__collect",
            Self::Poll => "poll",
        }
    }

    /// Whether it gives a number back (plugin ABI §2).
    pub const fn has_result(self) -> bool {
        matches!(self, Self::Start | Self::Allocate | Self::New | Self::Poll)
    }
}

/// Imports beside `sk_handle_message` that the packages have, with the number of their arguments: they do nothing.
pub const SILENT: [(&str, usize); 3] = [("abort", 4), ("sk_set_status", 2), ("sk_set_error", 2)];

/// One plugin on an engine.
pub trait Engine: Sized {
    /// Checks, translates and links a module.
    fn load(wasm: &[u8]) -> Result<Self, Failed>;
    /// Tells whether the plugin has an export.
    fn has(&self, export: Export) -> bool;
    /// Calls an export; 0 where it has no result.
    fn call(&mut self, export: Export, arguments: &[u32]) -> Result<u32, Failed>;
    /// Writes into the linear memory.
    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Failed>;
}

/// Returns how many arguments the module declares for `sk_handle_message`: the version at the end may be left out
/// (plugin ABI §3.1). Types and imports are sections 1 and 2 (WebAssembly 2.0, 5.5).
pub fn emit_arguments(wasm: &[u8]) -> usize {
    fn number(bytes: &mut &[u8]) -> Option<usize> {
        let (mut value, mut shift) = (0, 0);
        loop {
            let (byte, rest) = bytes.split_first()?;
            *bytes = rest;
            value |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 || shift > 28 {
                return Some(value);
            }
        }
    }
    fn taken<'w>(bytes: &mut &'w [u8], length: usize) -> Option<&'w [u8]> {
        let (taken, rest) = bytes.split_at_checked(length)?;
        *bytes = rest;
        Some(taken)
    }
    fn find(wasm: &[u8]) -> Option<usize> {
        let mut rest = wasm.get(8..)?;
        let mut types = Vec::new();
        loop {
            let id = taken(&mut rest, 1)?[0];
            let length = number(&mut rest)?;
            let mut section = taken(&mut rest, length)?;
            if id == 1 {
                for _ in 0..number(&mut section)? {
                    taken(&mut section, 1)?;
                    let parameters = number(&mut section)?;
                    taken(&mut section, parameters)?;
                    let results = number(&mut section)?;
                    taken(&mut section, results)?;
                    types.push(parameters);
                }
            }
            if id == 2 {
                for _ in 0..number(&mut section)? {
                    let length = number(&mut section)?;
                    taken(&mut section, length)?;
                    let length = number(&mut section)?;
                    let name = taken(&mut section, length)?;
                    // The packages of the project import functions only.
                    taken(&mut section, 1)?;
                    let of = number(&mut section)?;
                    if name == b"sk_handle_message" {
                        return types.get(of).copied();
                    }
                }
            }
        }
    }
    find(wasm).unwrap_or(3)
}
