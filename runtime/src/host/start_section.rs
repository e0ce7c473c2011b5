//! Makes the start section an export, so that it can run in fuel slices like any other call.
//!
//! The interpreter runs a start section in one piece as part of instantiation. Most are short and may; a module whose
//! start section takes longer than that is rewritten on the level of sections: the start section goes, and its function
//! is exported under [`EXPORT`]. Nothing inside other sections changes, indices least of all.

use alloc::vec::Vec;
use core::ops::Range;

use wasmparser::{Parser, Payload};

/// Name of the export. A blank keeps it apart from names that toolchains give.
pub(in crate::host) const EXPORT: &str = "skiff start";

/// Section number of exports (WebAssembly core 5.5.2).
const EXPORT_SECTION: u8 = 7;
/// Section number of the start function.
const START_SECTION: u8 = 8;
/// Kind of an exported function (WebAssembly core 5.5.10).
const FUNCTION_KIND: u8 = 0;

/// Returns the module with its start section as an export; `None` when it has none, exports nothing, or is damaged.
pub(super) fn exported(wasm: &[u8]) -> Option<Vec<u8>> {
    let (mut exports, mut start) = (None, None);
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.ok()? {
            Payload::ExportSection(reader) => exports = Some((reader.range(), reader.count())),
            Payload::StartSection { func, range } => start = Some((func, range)),
            _ => {}
        }
    }
    let ((exports, count), (function, start)) = (exports?, start?);
    let mut out = Vec::new();
    out.try_reserve_exact(wasm.len().checked_add(EXPORT.len())?.checked_add(16)?).ok()?;
    with_exports(wasm, (exports.clone(), count), &[(EXPORT, FUNCTION_KIND, function)], &mut out)?;
    out.extend_from_slice(wasm.get(exports.end..header(wasm, START_SECTION, start.start)?)?);
    out.extend_from_slice(wasm.get(start.end..)?);
    Some(out)
}

/// Writes a module up to the end of its exports, to which some are added, each a name, a kind and an index. `exports` is
/// where the content of that section is, and the number of its entries.
pub(super) fn with_exports(
    wasm: &[u8],
    (exports, count): (Range<usize>, u32),
    added: &[(&str, u8, u32)],
    out: &mut Vec<u8>,
) -> Option<()> {
    // The content of the section begins with the count of its entries.
    let entries = wasm.get(exports.start.checked_add(encoded(count).len())?..exports.end)?;
    let mut content = encoded(count.checked_add(u32::try_from(added.len()).ok()?)?);
    content.extend_from_slice(entries);
    for (name, kind, index) in added {
        content.extend(encoded(u32::try_from(name.len()).ok()?));
        content.extend_from_slice(name.as_bytes());
        content.push(*kind);
        content.extend(encoded(*index));
    }
    out.extend_from_slice(wasm.get(..header(wasm, EXPORT_SECTION, exports.start)?)?);
    out.push(EXPORT_SECTION);
    out.extend(encoded(u32::try_from(content.len()).ok()?));
    out.extend_from_slice(&content);
    Some(())
}

/// Finds where the section begins whose content begins at `content`: its number stands before the size of the content,
/// which takes one to five bytes.
fn header(wasm: &[u8], section: u8, content: usize) -> Option<usize> {
    (2..=6).filter_map(|bytes| content.checked_sub(bytes)).find(|&at| {
        let size = wasm.get(at.saturating_add(1)..content).unwrap_or_default();
        let whole =
            size.split_last().is_some_and(|(last, rest)| last & 0x80 == 0 && rest.iter().all(|byte| byte & 0x80 != 0));
        wasm.get(at) == Some(&section) && whole
    })
}

/// Returns an unsigned LEB128 (WebAssembly core 5.2.2).
fn encoded(mut value: u32) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let byte = (value & 0x7f).to_le_bytes()[0];
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return out;
        }
        out.push(byte | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_start_function_becomes_an_export_and_nothing_else_changes() {
        let text = r#"(module (func $f) (func (export "a") (result i32) (i32.const 1)) (memory (export "m") 1)
            (start $f) (data (i32.const 0) "x"))"#;
        let wasm = wat::parse_str(text).unwrap();
        let rewritten = exported(&wasm).unwrap();
        let same = text.replace("(start $f)", &std::format!("(export \"{EXPORT}\" (func $f))"));
        assert_eq!(rewritten, wat::parse_str(same).unwrap());
    }

    #[test]
    fn what_has_no_start_section_stays_as_it_is() {
        assert_eq!(exported(&wat::parse_str("(module (func (export \"a\")))").unwrap()), None);
        assert_eq!(exported(&wat::parse_str("(module (func $f) (start $f))").unwrap()), None);
        assert_eq!(exported(b"no module"), None);
    }

    proptest! {
        #[test]
        fn many_exports_and_functions_keep_their_places(functions in 1_u32..400, start in 0_u32..400) {
            let start = start % functions;
            let body: String = (0..functions)
                .map(|index| std::format!("(func $f{index} (export \"e{index}\"))"))
                .collect();
            let wasm = wat::parse_str(std::format!("(module {body} (start $f{start}))")).unwrap();
            let rewritten = exported(&wasm).unwrap();
            let wanted = std::format!("(module {body} (export \"{EXPORT}\" (func $f{start})))");
            prop_assert_eq!(rewritten, wat::parse_str(wanted).unwrap());
        }

        #[test]
        fn damage_is_no_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = exported(&bytes);
            bytes.splice(..0, *b"\0asm\x01\0\0\0");
            let _ = exported(&bytes);
        }
    }
}
