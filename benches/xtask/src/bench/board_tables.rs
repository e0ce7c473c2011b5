//! What is written of engines on the board: tables, plots, a row of README.

use std::fmt::Write as _;

use serde_json::Value;
use skiff_measure::plot::{Plot, Unit};

use super::results::{IN_ROWS, ROWS_VERDICT, reason, word};
use super::{ratio, value};
use crate::guests::GUESTS;

/// Rows of an engine: id, heading, unit.
const ROWS: [(&str, &str, Unit); 7] = [
    ("call.empty", "empty call", Unit::Count),
    ("load", "load and start", Unit::Count),
    ("delta.unwanted", "delta not wanted", Unit::Count),
    ("delta.answered", "delta answered", Unit::Count),
    ("heap", "heap", Unit::Bytes),
    ("heap.peak", "heap, at most", Unit::Bytes),
    ("stack", "stack", Unit::Bytes),
];

/// What a reader has to know before the tables.
const INTRODUCTION: &str = "Instructions of an emulated RISC-V processor of 32 bits (RV32IMAC, QEMU `virt`, 352 KB of heap), bytes of heap and \
    of native stack: the same on every machine. All are built as Skiff's boards are, for size (`opt-level = \"z\"`, link-time \
    optimisation), and run the modules of the tables above with the same deltas; a row whose plugin answers otherwise than on Linux is void. \
    `heap` is what a plugin that has worked holds, its linear memory of 64 KiB with it; `flash` is code and constants of the program \
    with the engine without those of the same program without one. Skiff's row is its plugin host, with fuel, slices and limits, \
    the functions of the plugin contract and the delta parser in it. Pulley gets a module that a compiler on Linux has translated, \
    so its load is no translation.";

fn rows(found: &Value) -> impl Iterator<Item = &Value> {
    found["board"]["rows"].as_array().into_iter().flatten()
}

fn flash(engine: &Value) -> Option<f64> {
    Some(engine["textBytes"].as_f64()? + engine["constantBytes"].as_f64()?)
}

/// The section of the document.
pub fn section(found: &Value) -> String {
    if found["board"].is_null() {
        return "Not measured in this run.\n".into();
    }
    let mut out = format!("{INTRODUCTION}\n");
    let own = rows(found).find(|engine| engine["name"] == "skiff");
    for guest in &GUESTS {
        // Writing into a String cannot fail.
        let _ = writeln!(
            out,
            "\n### {} on the board\n\n| engine | version | flash | {} | |\n| --- | --- | ---{} | --- |",
            guest.package,
            ROWS.map(|(_, heading, _)| heading).join(" | "),
            " | ---".repeat(ROWS.len())
        );
        for engine in rows(found) {
            let text = |value: Option<f64>, unit: Unit| value.map_or_else(|| "-".into(), |value| unit.text(value));
            let cells = ROWS.map(|(id, _, unit)| text(value(engine, guest.package, id), unit));
            let verdict = match value(engine, guest.package, "delta.answered") {
                None => reason(engine, guest.package),
                Some(_) => own.map(|own| against(own, engine, guest.package)).unwrap_or_default(),
            };
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {verdict} |",
                word(&engine["title"]),
                word(&engine["version"]),
                text(flash(engine), Unit::Bytes),
                cells.join(" | ")
            );
        }
    }
    out
}

/// Where Skiff wins and loses beside an engine, in words.
fn against(own: &Value, engine: &Value, package: &str) -> String {
    match word(&engine["name"]) {
        "skiff" => return String::new(),
        IN_ROWS => return ROWS_VERDICT.into(),
        _ => {}
    }
    let of_flash =
        flash(own).zip(flash(engine).filter(|bytes| *bytes > 0.0)).map(|(own, other)| ("flash", own / other));
    let of_rows = ROWS.iter().filter_map(|(id, heading, _)| Some((*heading, ratio(engine, package, id)?)));
    let told = of_flash.into_iter().chain(of_rows).map(|(heading, ratio)| super::results::verdict(heading, ratio));
    told.collect::<Vec<_>>().join("; ")
}

/// Instructions of an answered delta, heap and flash, a bar for each engine.
pub fn plots(found: &Value) -> Vec<Plot> {
    let bars = |of: &dyn Fn(&Value) -> Option<f64>, package: &str| {
        rows(found)
            .map(|engine| {
                let short = |reason: String| reason.chars().take(60).collect();
                (word(&engine["title"]).to_owned(), of(engine).ok_or_else(|| short(reason(engine, package))))
            })
            .collect()
    };
    let of_package = |package: &str, id: &str, heading: &str, unit: Unit| Plot::Bars {
        title: format!("{package} on the board: {heading}"),
        unit,
        bars: bars(&|engine| value(engine, package, id), package),
    };
    let mut plots: Vec<Plot> = GUESTS
        .iter()
        .flat_map(|guest| {
            [
                of_package(guest.package, "delta.answered", "instructions of a delta answered", Unit::Count),
                of_package(guest.package, "heap.peak", "heap, at most", Unit::Bytes),
            ]
        })
        .collect();
    let title = "flash of an engine on the board".into();
    plots.push(Plot::Bars { title, unit: Unit::Bytes, bars: bars(&flash, GUESTS[0].package) });
    plots
}

/// README's row.
pub fn readme_row(found: &Value) -> String {
    let of = |name: &str, guest: usize| {
        let engine = rows(found).find(|engine| engine["name"] == name);
        engine
            .and_then(|engine| value(engine, GUESTS[guest].package, "delta.answered"))
            .map_or_else(|| "not measured".into(), |value| Unit::Count.text(value))
    };
    format!(
        "| [on a chip](benches/results/board.svg) | on `qemu-riscv32` true wind answers a delta in {} instructions, as text in {}; in {} on wasmi as it comes, {} on tinywasm, {} on wasmtime's Pulley, which needs a compiler elsewhere |\n",
        of(IN_ROWS, 0),
        of("skiff", 0),
        of("wasmi-portable", 0),
        of("tinywasm", 0),
        of("pulley", 0)
    )
}
