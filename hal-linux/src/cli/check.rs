//! `skiff check`: what a package is, and whether it fits.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde_json::{Value, json};
use skiff_abi::Capability;
use skiff_runtime::budget::{self, Board, Engine, Fixed, Limits};
use skiff_runtime::host::{Fit, ModuleFacts, Refusal};
use skiff_runtime::package::Package;

use super::exit::{self, Failure};
use super::talk::{self, sanitised};
use crate::packages::{self, Deltas, OnChips};

/// Bytes of a module that is looked at; whether a board takes it is the verdict.
const MODULE_BYTES_MAX: u32 = 64 * 1024 * 1024;

/// Say what a plugin package is, what it needs, and which boards it fits
///
/// Nothing of the plugin runs, but for one that takes values instead of text: that is started with an empty configuration,
/// where nothing leads outside, to be asked what it takes and gives; so is any with --engine skiff, to see what it takes on a chip; a component is asked for its id. The exit code is 0 when it fits the board asked for (`linux` without --board) and nothing
/// is known that keeps it from starting, else 1.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  \
    skiff check ./my-plugin\n  \
    skiff check tide-1.0.0.tgz --board qemu-riscv32\n  \
    skiff check plugin.wasm --json")]
pub struct Args {
    /// A package folder, an `npm pack` .tgz, or a bare .wasm
    #[arg(value_name = "PACKAGE")]
    package: PathBuf,

    /// The board that decides the exit code, and the only one shown
    #[arg(long, value_name = "NAME", value_parser = super::parse_board)]
    board: Option<Board>,

    /// What runs a plugin that is asked what it takes and gives: wasmi, or skiff, the engine for chips, which also tells what it takes there
    #[arg(long, value_name = "wasmi|skiff", default_value = "wasmi", value_parser = super::parse_engine)]
    engine: Engine,

    /// Print one JSON object, also of a package that is refused
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn command(args: &Args) -> Result<(), Failure> {
    let Report { package, facts, fits, deltas, on_chips } = match survey(args) {
        Ok(report) => report,
        Err(failure) if args.json => {
            let refused = json!({ "package": args.package.display().to_string(), "error": failure.text, "boards": [] });
            talk::print([refused.to_string()])?;
            return Err(failure);
        }
        Err(failure) => return Err(failure),
    };
    let refused_id = packages::refused_id(&package, &facts, &Limits::of(Board::Linux).plugin);
    let hints = [packages::hints(&package, &facts), refused_id.iter().cloned().collect()].concat();
    let capabilities: Vec<&str> = Capability::ALL
        .iter()
        .filter(|capability| package.capabilities.allows(**capability, false))
        .map(|capability| capability.name())
        .collect();
    let text = if args.json {
        let mut report = as_json(&package.name, &facts, &capabilities, &deltas, &hints, &fits);
        if let (Some(on_chips), Some(members)) = (&on_chips, report.as_object_mut()) {
            members.insert("chipEngine".into(), on_chips.as_json());
        }
        report.to_string()
    } else {
        let hindrance = facts.hindrance(&package.capabilities);
        as_text(
            &format!("{} {}", package.name, package.version),
            &facts,
            &capabilities,
            &[deltas.as_rows(), on_chips.as_ref().map(OnChips::as_rows).unwrap_or_default()].concat(),
            &hints,
            hindrance.as_ref(),
            &fits,
        )
    };
    talk::print(text.lines().map(str::to_owned))?;
    if let Some(clause) = refused_id {
        return Err(Failure::new(exit::VERDICT, format_args!("would not start: {clause}")));
    }
    let asked = args.board.unwrap_or_default();
    fits.iter().find(|fit| fit.board == asked).map_or(Ok(()), super::must_fit)
}

/// What was found out about a package.
struct Report {
    package: Package,
    facts: ModuleFacts,
    fits: Vec<Fit>,
    deltas: Deltas,
    /// Where the engine for chips was asked for.
    on_chips: Option<OnChips>,
}

fn survey(args: &Args) -> Result<Report, Failure> {
    let package = packages::load(&args.package, MODULE_BYTES_MAX).map_err(super::not_loaded)?;
    let facts = ModuleFacts::survey(&package.wasm).map_err(|refusal| {
        let code = if refusal.is_damage() { exit::INPUT_CORRUPT } else { exit::VERDICT };
        Failure::new(code, format_args!("{}: {refusal}", args.package.display()))
    })?;
    let boards: Vec<Board> = args.board.map_or_else(|| Board::ALL.to_vec(), |board| vec![board]);
    let fits = boards.iter().map(|board| Fit::of(&facts, &package.capabilities, &Limits::of(*board))).collect();
    let limits = super::run_by(args.engine, Limits::of(args.board.unwrap_or_default()));
    let deltas = Deltas::of(&package, &facts, &limits.plugin);
    let on_chips = (args.engine == Engine::Skiff).then(|| OnChips::of(&package));
    Ok(Report { package, facts, fits, deltas, on_chips })
}

fn import_names(facts: &ModuleFacts) -> Vec<String> {
    facts.imports.iter().map(|import| format!("{}.{}", import.module, import.name)).collect()
}

fn as_json(
    name: &str,
    facts: &ModuleFacts,
    capabilities: &[&str],
    deltas: &Deltas,
    hints: &[String],
    fits: &[Fit],
) -> Value {
    let boards: Vec<Value> = fits
        .iter()
        .map(|fit| {
            let reasons: Vec<String> = fit.refusals.iter().map(ToString::to_string).collect();
            json!({
                "board": fit.board.name(),
                "fits": fit.fits(),
                "needed": fit.needed,
                "limit": fit.limit,
                "reasons": reasons,
                "fix": fit.fix,
            })
        })
        .collect();
    json!({
        "package": name,
        "kind": facts.dialect.name(),
        "imports": import_names(facts),
        "exports": facts.exports,
        "unknownImports": facts.unknown_imports,
        "capabilities": capabilities,
        "deltas": deltas.as_json(),
        "warnings": hints,
        "memory": { "pages": facts.memory.pages, "pageSize": facts.memory.page_bytes },
        "wasmBytes": facts.wasm_bytes,
        "boards": boards,
    })
}

/// Writes the budget table of one board with this plugin on it, where the board has one for everything.
fn write_budget(out: &mut String, fit: &Fit) {
    let fixed = Fixed::of(&Limits::of(fit.board));
    if fixed.total() == 0 {
        return;
    }
    // Writing into a String cannot fail.
    let _ = writeln!(out, "\n{:<13} {:>11} {:>11}", "budget", "reserved", "limit");
    for (name, bytes) in [
        (budget::RUNTIME, fixed.runtime),
        (budget::NETWORK, fixed.network),
        (budget::MODEL, fixed.model),
        (budget::QUEUES, fixed.queues),
    ] {
        let _ = writeln!(out, "{name:<13} {bytes:>11} {bytes:>11}");
    }
    let _ = writeln!(out, "{:<13} {:>11} {:>11}", "this plugin", fit.needed, fit.limit);
}

fn as_text(
    title: &str,
    facts: &ModuleFacts,
    capabilities: &[&str],
    more: &[(&'static str, String)],
    hints: &[String],
    hindrance: Option<&Refusal>,
    fits: &[Fit],
) -> String {
    let mut out = String::new();
    let list = |names: &[String]| if names.is_empty() { String::from("none") } else { names.join(", ") };
    let exports: Vec<String> = facts.exports.iter().cloned().collect();
    let rows = [
        ("package", title.to_owned()),
        ("kind", facts.dialect.name().to_owned()),
        ("module", format!("{} bytes, {} functions", facts.wasm_bytes, facts.functions)),
        (
            "memory",
            format!(
                "{} pages of {} bytes, at most {}",
                facts.memory.pages,
                facts.memory.page_bytes,
                facts.memory.pages_max.map_or_else(|| String::from("what the board gives"), |max| max.to_string())
            ),
        ),
        (
            "heap",
            format!(
                "{} bytes predicted for translated code and tables on a chip, {} on Linux",
                facts.predicted_heap_bytes(&Limits::of(Board::QemuRiscv32).plugin),
                facts.predicted_heap_bytes(&Limits::of(Board::Linux).plugin)
            ),
        ),
        ("capabilities", if capabilities.is_empty() { String::from("none") } else { capabilities.join(", ") }),
        ("imports", list(&import_names(facts))),
        ("unknown", list(&facts.unknown_imports)),
        ("exports", list(&exports)),
    ];
    // Writing into a String cannot fail.
    for (name, value) in rows {
        let _ = writeln!(out, "{name:<13} {}", sanitised(&value));
    }
    for (name, value) in more {
        let _ = writeln!(out, "{name:<13} {}", sanitised(value));
    }
    // Said once, not for each board.
    if let Some(refusal) = hindrance {
        let _ = writeln!(out, "{:<13} {refusal}", "would not start");
    }
    for hint in hints {
        let _ = writeln!(out, "{:<13} {}", "warning", sanitised(hint));
    }
    let _ = writeln!(out, "\n{:<13} {:<5} {:>11} {:>11}", "board", "fits", "needed", "limit");
    for fit in fits {
        let word = if fit.fits() { "yes" } else { "no" };
        let _ = writeln!(out, "{:<13} {word:<5} {:>11} {:>11}", fit.board.name(), fit.needed, fit.limit);
        for refusal in fit.refusals.iter().filter(|refusal| Some(*refusal) != hindrance) {
            let _ = writeln!(out, "{:<13} {refusal}", "");
        }
        if let Some(fix) = &fit.fix {
            let _ = writeln!(out, "{:<13} fix: {fix}", "");
        }
    }
    if let [fit] = fits {
        write_budget(&mut out, fit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn the_listing_names_what_scripts_read() {
        let package = sample::PACKAGES[0].package().unwrap();
        let facts = ModuleFacts::survey(&package.wasm).unwrap();
        let fits = [Fit::of(&facts, &package.capabilities, &Limits::of(Board::Linux))];
        let deltas = Deltas::of(&package, &facts, &Limits::of(Board::Linux).plugin);
        let value = as_json(&package.name, &facts, &["dataRead"], &deltas, &[], &fits);
        for member in [
            "package",
            "kind",
            "imports",
            "exports",
            "unknownImports",
            "capabilities",
            "deltas",
            "warnings",
            "memory",
            "wasmBytes",
            "boards",
        ] {
            assert!(!value[member].is_null(), "{member}");
        }
        assert_eq!(value["boards"][0]["fits"], true);
        assert!(as_text("x", &facts, &[], &deltas.as_rows(), &[], None, &fits).contains("linux         yes"));
    }
}
