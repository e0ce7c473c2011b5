//! What is in an image of a chip: sections and symbols of a 32-bit little-endian ELF file (System V ABI, chapter 4).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// What an image takes of a chip's flash, bytes.
pub struct Flash {
    /// Code.
    pub text: u64,
    /// Constants.
    pub rodata: u64,
    /// Initial values of variables.
    pub data: u64,
}

impl Flash {
    /// Reads what an image takes.
    ///
    /// # Errors
    /// That it cannot be read, or is no ELF file of a chip.
    pub fn of(image: &Path) -> Result<Self, String> {
        let bytes = read(image)?;
        let sections = sections(&bytes).ok_or(format!("{} is no 32-bit little-endian ELF file", image.display()))?;
        let sum = |prefix: &str| sections.iter().filter(|row| row.name.starts_with(prefix)).map(|row| row.size).sum();
        Ok(Self { text: sum(".text"), rodata: sum(".rodata"), data: sum(".data") })
    }
}

/// Code of one crate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Code {
    /// Bytes.
    pub bytes: u64,
    /// Functions.
    pub functions: u64,
}

/// Returns the code of an image by crate; generic code of the standard library counts for the crate it is made for.
///
/// # Errors
/// That the image cannot be read, or has no symbols.
pub fn code_by_crate(image: &Path) -> Result<BTreeMap<String, Code>, String> {
    let bytes = read(image)?;
    let functions = functions(&bytes).ok_or(format!("{} has no symbols", image.display()))?;
    let mut crates: BTreeMap<String, Code> = BTreeMap::new();
    for (symbol, size) in functions {
        let code = crates.entry(owner(&format!("{:#}", rustc_demangle::demangle(&symbol)))).or_default();
        code.bytes += size;
        code.functions += 1;
    }
    Ok(crates)
}

/// Returns whose a function is: the first crate in its name that is not the standard library.
fn owner(name: &str) -> String {
    const STANDARD: [&str; 3] = ["core", "alloc", "std"];
    if name.starts_with("OUTLINED_FUNCTION") {
        return "(pieces that functions share)".into();
    }
    let mut crates = name.match_indices("::").filter_map(|(at, _)| {
        let before = name.get(..at)?;
        let word = before.rfind(|letter: char| !(letter.is_alphanumeric() || letter == '_')).map_or(0, |at| at + 1);
        // `a::b::` is one path: only what stands at its beginning is a crate.
        let begins = !before.get(..word)?.ends_with("::");
        before.get(word..).filter(|word| begins && word.starts_with(|letter: char| letter.is_ascii_lowercase()))
    });
    let first = crates.clone().next();
    let own = crates.find(|name| !STANDARD.contains(name));
    own.or(first).map_or_else(|| "(arithmetic and start code)".into(), String::from)
}

/// Returns names and sizes, bytes, of an image's sections.
///
/// # Errors
/// That it cannot be read, or is no ELF file of a chip.
pub fn sections_of(image: &Path) -> Result<Vec<(String, u64)>, String> {
    let bytes = read(image)?;
    let sections = sections(&bytes).ok_or(format!("{} is no 32-bit little-endian ELF file", image.display()))?;
    Ok(sections.into_iter().map(|row| (row.name, row.size)).collect())
}

fn read(image: &Path) -> Result<Vec<u8>, String> {
    fs::read(image).map_err(|error| format!("cannot read {}: {error}", image.display()))
}

struct Section {
    name: String,
    kind: usize,
    at: usize,
    size: u64,
    link: usize,
}

fn half(elf: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(elf.get(at..at.checked_add(2)?)?.try_into().ok()?)))
}

fn word(elf: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_le_bytes(elf.get(at..at.checked_add(4)?)?.try_into().ok()?) as usize)
}

fn text(elf: &[u8], at: usize) -> Option<String> {
    let text = elf.get(at..)?.split(|byte| *byte == 0).next()?;
    Some(String::from_utf8_lossy(text).into_owned())
}

fn sections(elf: &[u8]) -> Option<Vec<Section>> {
    if elf.get(..6)? != b"\x7fELF\x01\x01" {
        return None;
    }
    let (table, entry) = (word(elf, 32)?, half(elf, 46)?);
    let (count, names) = (half(elf, 48)?, half(elf, 50)?);
    let header = |index: usize| table + index * entry;
    let strings = word(elf, header(names) + 16)?;
    (0..count)
        .map(|index| {
            let at = header(index);
            Some(Section {
                name: text(elf, strings + word(elf, at)?)?,
                kind: word(elf, at + 4)?,
                at: word(elf, at + 16)?,
                size: word(elf, at + 20)? as u64,
                link: word(elf, at + 24)?,
            })
        })
        .collect()
}

/// Returns name and size of each function; of those that the linker has folded, the first name.
fn functions(elf: &[u8]) -> Option<Vec<(String, u64)>> {
    const SYMBOL_TABLE: usize = 2;
    const ENTRY_BYTES: usize = 16;
    let sections = sections(elf)?;
    let table = sections.iter().find(|section| section.kind == SYMBOL_TABLE)?;
    let strings = sections.get(table.link)?.at;
    let code: BTreeSet<usize> = (0..sections.len())
        .filter(|index| sections.get(*index).is_some_and(|it| it.name.starts_with(".text")))
        .collect();
    let mut seen = BTreeSet::new();
    let mut functions = Vec::new();
    for index in 0..usize::try_from(table.size).ok()? / ENTRY_BYTES {
        let at = table.at + index * ENTRY_BYTES;
        let (name, value, size) = (word(elf, at)?, word(elf, at + 4)?, word(elf, at + 8)?);
        if size > 0 && code.contains(&half(elf, at + 14)?) && seen.insert(value) {
            functions.push((text(elf, strings + name)?, size as u64));
        }
    }
    Some(functions)
}

#[cfg(test)]
mod tests {
    use super::{functions, owner, sections};

    #[test]
    fn what_is_no_elf_file_has_no_sections() {
        assert!(sections(b"").is_none());
        assert!(sections(b"\x7fELF\x02\x01 is 64-bit").is_none());
        assert!(sections(b"\x7fELF\x01\x01 but cut off").is_none());
        assert!(functions(b"\x7fELF\x01\x01 but cut off").is_none());
    }

    #[test]
    fn a_function_belongs_to_the_crate_it_is_made_for() {
        assert_eq!(owner("skiff_runtime::json::number"), "skiff_runtime");
        assert_eq!(owner("<wasmi_ir::op::Op as wasmi_ir::encode::Encode>::encode::<wasmi::x::Y>"), "wasmi_ir");
        assert_eq!(owner("<alloc::vec::Vec<skiff_runtime::budget::Row>>::push"), "skiff_runtime");
        assert_eq!(owner("core::num::flt2dec::strategy::dragon::format_exact"), "core");
        assert_eq!(owner("OUTLINED_FUNCTION_12"), "(pieces that functions share)");
        assert_eq!(owner("__divdi3"), "(arithmetic and start code)");
    }
}
