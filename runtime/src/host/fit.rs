//! Whether a module fits a board, and what to change when it does not.

use alloc::string::String;
use alloc::vec::Vec;

use super::capabilities::Capabilities;
use super::facts::{Dialect, ModuleFacts, Refusal};
use crate::budget::{Board, Fixed, Limits};

/// Linear memory from which on a buffer-dialect module has most likely rustc's stack of 1 MiB in it, bytes.
const STOCK_STACK_BYTES: u64 = 1024 * 1024;

/// The verdict for one board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    /// The board.
    pub board: Board,
    /// Bytes of one instance: translated code, tables, linear memory at the start.
    pub needed: u64,
    /// Bytes that the board gives to one plugin: its own limit, or the rest beside gateway and network.
    pub limit: u64,
    /// Why it does not fit; empty when it does.
    pub refusals: Vec<Refusal>,
    /// What would make it fit, one clause.
    pub fix: Option<String>,
}

impl Fit {
    /// Holds a module of a package with these capabilities against the limits of a board.
    #[must_use]
    pub fn of(facts: &ModuleFacts, capabilities: &Capabilities, limits: &Limits) -> Self {
        let (needed, limit) = (facts.reserved_bytes(&limits.plugin), Fixed::left_for_one_plugin(limits));
        let mut refusals = facts.refusals(&limits.plugin);
        if refusals.is_empty() && needed > limit {
            refusals.push(Refusal::TooMuch { what: "memory of one plugin in bytes", needed, limit });
        }
        if facts.dialect != Dialect::Unknown {
            refusals.extend(facts.hindrance(capabilities));
        }
        let fix = fix(facts, limits, &refusals);
        Self { board: limits.board, needed, limit, refusals, fix }
    }

    /// Tells whether it fits.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.refusals.is_empty()
    }
}

/// Advice on the first refusal; the tools named are those of the module's own toolchain.
fn fix(facts: &ModuleFacts, limits: &Limits, refusals: &[Refusal]) -> Option<String> {
    let managed = facts.dialect == Dialect::AssemblyScript;
    let advice = match refusals.first()? {
        Refusal::Dialect if facts.exports("_start") => {
            "export plugin_id and allocate beside _start, or build a library (Rust: crate-type cdylib)"
        }
        Refusal::Dialect => {
            "export plugin_id and allocate (Rust, Go, C), or plugin_name and plugin_start (AssemblyScript)"
        }
        Refusal::TooMuch { what, .. }
            if what.starts_with("linear memory") || what.starts_with("memory of one plugin") =>
        {
            let linear = facts.linear_bytes_min();
            if managed {
                "build with --initialMemory 1 --runtime minimal (or stub), and keep static data small"
            } else if linear > STOCK_STACK_BYTES {
                "rustc gives the guest a stack of 1 MiB: link with -C link-arg=-zstack-size=8192 -C link-arg=--initial-memory=65536"
            } else if linear > u64::from(limits.plugin.linear_bytes_max) || facts.memory.page_bytes > 1 {
                "link with -C link-arg=-zstack-size=4096 and pages of one byte, -C link-arg=--page-size=1, so that the memory is as large as it needs to be"
            } else {
                "use a smaller arena and smaller static data"
            }
        }
        Refusal::TooMuch { what, .. }
            if what.starts_with("heap") || what.starts_with("functions") || what.starts_with("load") =>
        {
            if managed {
                "less code: asc -Oz --noAssert --runtime stub (or minimal), no unused imports of the SDK"
            } else {
                "less code: opt-level = \"z\", lto = true, panic = \"abort\", no_std, then wasm-opt -Oz"
            }
        }
        Refusal::TooMuch { what, .. } if what.starts_with("module size") => {
            "strip names and debug sections: strip = true, or wasm-opt -Oz --strip-debug"
        }
        Refusal::TooMuch { what, .. } if what.starts_with("table") => {
            "fewer indirect calls: closures, trait objects, virtual methods"
        }
        _ => return None,
    };
    Some(advice.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    fn fit(text: &str, board: Board) -> Fit {
        let wasm = wat::parse_str(text).unwrap_or_default();
        let facts = ModuleFacts::survey(&wasm).unwrap_or_else(|error| panic!("{error}"));
        Fit::of(&facts, &Capabilities::default(), &Limits::of(board))
    }

    const SMALL: &str = r#"(module (memory (export "memory") 1)
        (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
        (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))
        (func (export "allocate") (param i32) (result i32) (i32.const 0)))"#;

    #[test]
    fn a_small_module_fits_linux_and_needs_what_it_reserves() {
        let fit = fit(SMALL, Board::Linux);
        assert!(fit.fits() && fit.fix.is_none(), "{fit:?}");
        assert!(fit.needed > 65_536 && fit.needed < fit.limit);
    }

    #[test]
    fn a_stock_rust_stack_is_told_how_to_shrink() {
        let fit = fit(&SMALL.replace("\"memory\") 1", "\"memory\") 17"), Board::QemuRiscv32);
        assert!(!fit.fits());
        assert!(fit.fix.as_deref().is_some_and(|fix| fix.contains("-zstack-size")), "{fit:?}");
    }

    #[test]
    fn what_is_no_plugin_is_told_what_to_export() {
        let fit = fit("(module)", Board::Linux);
        assert_eq!(fit.refusals, [Refusal::Dialect]);
        assert!(fit.fix.is_some_and(|fix| fix.contains("plugin_id")));
    }
    #[test]
    fn what_would_not_start_is_told_before_it_is_tried() {
        let said = |text: &str| fit(text, Board::Linux).refusals.iter().map(ToString::to_string).collect::<Vec<_>>();
        let managed = r#"(module IMPORT (memory (export "memory") 1)
            (func (export "plugin_name") (result i32) (i32.const 0))
            (func (export "plugin_start") (param i32) (result i32) (i32.const 0)) NEW)"#;
        let new = r#"(func (export "__new") (param i32 i32) (result i32) (i32.const 0))"#;
        let with = |import: &str, new: &str| managed.replace("IMPORT", import).replace("NEW", new);
        assert_eq!(said(&with("", new)), [""; 0]);
        assert!(said(&with("", ""))[0].starts_with("no export __new: set exportRuntime in asconfig.json"));
        let fetch = r#"(import "as-fetch" "_fetchGET" (func))"#;
        assert_eq!(
            said(&with(fetch, new)),
            ["imports as-fetch, which needs the capability network in wasmCapabilities"]
        );
        assert_eq!(said(&SMALL.replace("plugin_start", "start")), ["no export plugin_start"]);
        assert_eq!(said(&SMALL.replace("\"memory\"", "\"linear\"")), ["no export memory"]);
    }
}
