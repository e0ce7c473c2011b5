//! What is measured, as it lies in flash: a package, what it is fed, a module that does nothing.

use alloc::vec::Vec;
use core::str::from_utf8;

use skiff_virt::partition::entries;

/// Kinds of entries; `cargo xtask bench` writes them.
const MANIFEST: u32 = 3;
const MODULE: u32 = 4;
const CONFIG: u32 = 5;
const EMPTY: u32 = 16;
const BEFORE: u32 = 17;
const ANSWERED: u32 = 18;
const UNWANTED: u32 = 19;

/// One package.
#[derive(Default)]
pub struct Stored {
    /// `package.json`.
    #[cfg_attr(not(feature = "skiff"), expect(dead_code, reason = "no other engine reads it"))]
    pub manifest: &'static [u8],
    /// The module, or what was made of it for the engine.
    pub module: &'static [u8],
    /// Its configuration, a JSON object.
    pub config: &'static str,
    /// A module whose `poll` does nothing.
    pub empty: &'static [u8],
    /// Deltas before anything is measured.
    pub before: Vec<&'static str>,
    /// Deltas in a circle, each of which it answers.
    pub answered: Vec<&'static str>,
    /// A delta that it does not want.
    pub unwanted: &'static str,
}

impl Stored {
    /// Reads it; `None` where there is none, or a text is no UTF-8.
    pub fn in_flash() -> Option<Self> {
        let mut stored = Self::default();
        for (kind, data) in entries() {
            match kind {
                MANIFEST => stored.manifest = data,
                MODULE => stored.module = data,
                CONFIG => stored.config = from_utf8(data).ok()?,
                EMPTY => stored.empty = data,
                BEFORE => stored.before.push(from_utf8(data).ok()?),
                ANSWERED => stored.answered.push(from_utf8(data).ok()?),
                UNWANTED => stored.unwanted = from_utf8(data).ok()?,
                _ => {}
            }
        }
        Some(stored).filter(|stored| !stored.answered.is_empty())
    }
}
