//! Where a module keeps what lasts from call to call: its static data and its variables.
//!
//! ```text
//! wasm-ld, stack first   | stack | static data, .bss | heap ...      AssemblyScript | static data | stack | heap ...
//! wasm-ld, data first    | static data, .bss | stack | heap ...
//!                                ^ lowest segment    ^ __data_end, else the end of the last segment
//! ```
//!
//! Variables of AssemblyScript's modules are globals, which no host can read unless they are exported: the module is
//! loaded with exports for them, and nothing else of it changes.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use wasmparser::{ConstExpr, DataKind, ExternalKind, Parser, Payload};

use crate::host::start_section::with_exports;

/// Variables that are looked at; a module of AssemblyScript has about 30.
const VARIABLES_MAX: usize = 1024;
/// End of the static data, `.bss` among it, where the linker tells it (wasm-ld).
const DATA_END: &str = "__data_end";
/// Kind of an exported global (WebAssembly core 5.5.10).
const GLOBAL_KIND: u8 = 3;
/// Instruction `i32.const` (WebAssembly core 5.4.7), and the end of an expression.
const I32_CONST: u8 = 0x41;
const END: u8 = 0x0b;

/// What is compared before and after a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Places {
    /// Static data, bytes of the linear memory.
    pub(super) data: Range<usize>,
    /// Names under which the variables are exported.
    pub(super) variables: Vec<String>,
}

/// Finds the places of a module, and returns it with its variables exported; `None` where it is damaged or exports
/// nothing, as no plugin does.
#[cold]
pub(super) fn find(wasm: &[u8]) -> Option<(Vec<u8>, Places)> {
    let (mut exports, mut data_end) = (None, None);
    let (mut segments, mut constants, mut variables) = (None::<Range<u32>>, Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.ok()? {
            Payload::GlobalSection(reader) => {
                for (index, global) in (0_u32..).zip(reader) {
                    let global = global.ok()?;
                    constants.push(constant(&global.init_expr));
                    if global.ty.mutable && variables.len() < VARIABLES_MAX {
                        variables.push((format!("skiff variable {index}"), index));
                    }
                }
            }
            Payload::ExportSection(reader) => {
                exports = Some((reader.range(), reader.count()));
                for export in reader {
                    let export = export.ok()?;
                    if export.kind == ExternalKind::Global && export.name == DATA_END {
                        data_end = Some(export.index);
                    }
                }
            }
            Payload::DataSection(reader) => {
                for segment in reader {
                    let segment = segment.ok()?;
                    let DataKind::Active { offset_expr, .. } = segment.kind else { continue };
                    let Some(from) = constant(&offset_expr) else { continue };
                    let to = from.checked_add(u32::try_from(segment.data.len()).ok()?)?;
                    segments = Some(match segments {
                        Some(known) => known.start.min(from)..known.end.max(to),
                        None => from..to,
                    });
                }
            }
            _ => {}
        }
    }
    // No function of any plugin imports a global, so that indices are those of the section.
    let data_end = data_end.and_then(|index| constants.get(usize::try_from(index).ok()?).copied().flatten());
    // Without a segment everything is `.bss`: it begins where the stack does, which the first variable tells.
    let stack = constants.first().copied().flatten();
    let data = match (segments, data_end) {
        (Some(known), Some(end)) => known.start..known.end.max(end),
        (Some(known), None) => known,
        (None, Some(end)) => stack.filter(|stack| *stack <= end).unwrap_or(0)..end,
        (None, None) => 0..0,
    };
    let exports = exports?;
    let end = exports.0.end;
    let added: Vec<(&str, u8, u32)> =
        variables.iter().map(|(name, index)| (name.as_str(), GLOBAL_KIND, *index)).collect();
    let mut out = Vec::new();
    with_exports(wasm, exports, &added, &mut out)?;
    out.extend_from_slice(wasm.get(end..)?);
    let data = usize::try_from(data.start).ok()?..usize::try_from(data.end).ok()?;
    Some((out, Places { data, variables: variables.into_iter().map(|(name, _)| name).collect() }))
}

/// Returns the address that an expression is, where it is a plain number.
fn constant(expression: &ConstExpr<'_>) -> Option<u32> {
    let mut bytes = expression.get_binary_reader();
    let is_constant = bytes.read_u8().ok()? == I32_CONST;
    let value = bytes.read_var_i32().ok().filter(|_| is_constant)?;
    (bytes.read_u8().ok()? == END).then(|| value.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> (Vec<u8>, Places) {
        find(&wat::parse_str(text).unwrap()).unwrap()
    }

    #[test]
    fn static_data_ends_where_the_linker_says() {
        let module = |data: &str, end: &str| {
            let text = format!(
                r#"(module (memory (export "memory") 1) (global (mut i32) (i32.const 512)) {end}
                    (func (export "f")) {data})"#
            );
            places(&text).1.data
        };
        let end = r#"(global (export "__data_end") i32 (i32.const 2000))"#;
        let data = r#"(data (i32.const 1024) "abcd") (data (i32.const 1000) "x")"#;
        assert_eq!(module(data, end), 1000..2000, "with .bss");
        assert_eq!(module(data, ""), 1000..1028);
        assert_eq!(module("", end), 512..2000, "from the end of the stack on");
        assert_eq!(module("", ""), 0..0);
    }

    #[test]
    fn variables_become_exports_and_nothing_else_changes() {
        let text = r#"(module (func (export "a")) (memory (export "m") 1) (global (mut f64) (f64.const 1))
            (global i32 (i32.const 1)) (global (mut i32) (i32.const 2)) MORE (data (i32.const 0) "x"))"#;
        let (wasm, places) = places(&text.replace("MORE", ""));
        assert_eq!(places.variables, ["skiff variable 0", "skiff variable 2"]);
        let more = r#"(export "skiff variable 0" (global 0)) (export "skiff variable 2" (global 2))"#;
        assert_eq!(wasm, wat::parse_str(text.replace("MORE", more)).unwrap());
    }

    #[test]
    fn variables_are_bounded() {
        let many: String = (0..VARIABLES_MAX + 5).map(|_| "(global (mut i32) (i32.const 0))").collect();
        let (_, places) = places(&format!(r#"(module (func (export "a")) {many})"#));
        assert_eq!(places.variables.len(), VARIABLES_MAX);
    }

    proptest::proptest! {
        #[test]
        fn damage_is_no_panic(mut bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _ = find(&bytes);
            bytes.splice(..0, *b"\0asm\x01\0\0\0");
            let _ = find(&bytes);
        }
    }
}
