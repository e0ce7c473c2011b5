//! Three AssemblyScript plugins on the engine for chips, within the budget that the ESP32-C6 has beside Wi-Fi.

use std::fs;

use board::{Ended, Partition, boot, by_json, file_of, path_from};
use skiff_runtime::budget::{Board, Fixed, Limits};
use skiff_runtime::hal::CanFrame;

/// Seconds of the log.
const SECONDS: u32 = 60;
/// Updates a second: of the depth, of the position, of the wind.
const RATES: [u32; 3] = [50, 50, 10];
/// The alarm as it is published, for a host without rows of values; it watches the wind's.
const ALARM: &str = "plugins/assemblyscript/shallow-water-alarm";
const ALARM_NAME: &str = "@skiff/shallow-water-alarm";
const ALARM_CONFIG: &str = r#"{"limit":3,"hysteresis":0.5,"path":"environment.wind.speedApparent"}"#;
/// What `skiff plugin new --lang assemblyscript` makes; it takes the depth.
const TEMPLATE_NAME: &str = "@example/depth";
const ANCHOR_NAME: &str = "@skiff/anchor-watch-assemblyscript";
const ANCHOR_CONFIG: &str = r#"{"radius":30,"latitude":54.3,"longitude":10.1}"#;
/// Instructions that the chip does in a second.
const CHIP_HZ: u64 = 160_000_000;

fn manifest(name: &str, subscribe: &str) -> String {
    format!(
        r#"{{"name":"{name}","version":"1.0.0","keywords":["signalk-wasm-plugin"],"wasmManifest":"plugin.wasm",
        "wasmCapabilities":{{"dataRead":true,"dataWrite":true}},"skiff":{{"subscribe":["{subscribe}"]}}}}"#
    )
}

/// A depth, PGN 128267; a position, PGN 129025; an apparent wind, PGN 130306. All of them go up and down.
fn frames() -> impl Iterator<Item = (u32, CanFrame)> {
    (0..SECONDS * 1000).flat_map(|ms| {
        let second = ms / 1000;
        let swing = second.abs_diff(second / 20 * 20 + 10);
        let due = |rate: u32| ms.is_multiple_of(1000 / rate);
        let depth = (swing * 100 + ms % 100).to_le_bytes();
        let latitude = (543_000_000 + swing.cast_signed() * 1000).to_le_bytes();
        let longitude = 101_000_000_i32.to_le_bytes();
        let speed = u16::try_from(swing * 60 + 1).unwrap_or(0).to_le_bytes();
        let [d0, d1, d2, d3] = depth;
        let ([a, b, c, d], [e, f, g, h], [s0, s1]) = (latitude, longitude, speed);
        [
            (due(RATES[0]), 0x0df5_0b07, [0xff, d0, d1, d2, d3, 0, 0, 0xff]),
            (due(RATES[1]), 0x09f8_0107, [a, b, c, d, e, f, g, h]),
            (due(RATES[2]), 0x09fd_0207, [0xff, s0, s1, 0, 0, 0xfa, 0xff, 0xff]),
        ]
        .into_iter()
        .filter(|(due, ..)| *due)
        .filter_map(move |(_, id, data)| Some((ms, CanFrame::new(id, &data)?)))
    })
}

fn module(name: &str) -> Result<Vec<u8>, String> {
    let path = path_from("SKIFF_BOARD_MODULES")?.join(name);
    fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn numbers(ended: &Ended, line: &str, name: &str, count: usize) -> Result<Vec<u64>, String> {
    let found = ended.numbers(line).find(|(of, _)| *of == name).map(|(_, numbers)| numbers);
    found.filter(|found| found.len() == count).ok_or_else(|| format!("the board did not tell of {name}: {line}"))
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu --board esp32c6 --engine skiff"]
fn three_plugins_run_together_beside_the_radio() -> Result<(), String> {
    let limits = Limits::of(Board::Esp32C6);
    let budget = limits.total_bytes - Fixed::of(&limits).total();
    let packages = [
        (ALARM_NAME, "environment.wind.*", by_json(&file_of(ALARM, "plugin.wasm")?)?, Some(ALARM_CONFIG)),
        (TEMPLATE_NAME, "environment.depth.*", module("template.wasm")?, Some("{}")),
        (ANCHOR_NAME, "navigation.position", module("anchor-watch.wasm")?, Some(ANCHOR_CONFIG)),
    ];
    let mut partition = Partition::frames(frames()).words("board=esp32c6");
    for (name, subscribe, module, config) in &packages {
        partition = partition.package(manifest(name, subscribe).as_bytes(), module, *config);
    }
    let ended = boot(&partition)?;
    ended.expect_exit(0)?;
    println!("\n{:<40} {:>10} {:>10} {:>10}", "memory of plugins, bytes", "reserved", "started", "peak");
    for name in packages.iter().map(|(name, ..)| *name).chain(["all"]) {
        let found = numbers(&ended, "promised: ", name, 3)?;
        println!("{name:<40} {:>10} {:>10} {:>10}", found[0], found[1], found[2]);
    }
    println!("{:<40} {budget:>10}", "what the ESP32-C6 has beside Wi-Fi");
    for (name, ..) in &packages {
        let [translation, start] =
            [format!("{name}, its translation"), (*name).to_owned()].map(|what| numbers(&ended, "took: ", &what, 3));
        let (translation, start) = (translation?, start?);
        let image = numbers(&ended, "image: ", name, 1)?[0];
        println!(
            "{name}: image {image} bytes; translated in {} instructions with {} bytes of heap; start from flash {} \
             instructions, {} bytes of heap then, {} at its peak",
            translation[2], translation[1], start[2], start[0], start[1]
        );
        ended.expect_talk(&format!("{name}: running, "))?;
        let line = format!("{{\"_plugin\":\"{name}\"");
        let said = ended.lines.iter().filter(|text| text.starts_with(&line)).count();
        println!("{name}: {said} deltas emitted");
        if said == 0 {
            return Err(format!("{name} said nothing; the board said:\n  {}", ended.talk.join("\n  ")));
        }
    }
    let log = numbers(&ended, "took: ", "the log", 3)?;
    let a_second = log[2] / u64::from(SECONDS);
    println!(
        "{SECONDS} s of {RATES:?} updates a second: {} instructions, {a_second} a second, {} % of a chip at 160 MHz",
        log[2],
        a_second * 100 / CHIP_HZ
    );
    println!(
        "heap peak {}, stack used {}",
        ended.measure("heap peak").unwrap_or(0),
        ended.measure("stack used").unwrap_or(0)
    );
    let all = numbers(&ended, "promised: ", "all", 3)?;
    let reserved = ended.measure("reserved by plugins, peak").ok_or("nothing was reserved")?;
    if all.iter().any(|bytes| *bytes > budget) || reserved > budget {
        return Err(format!("{all:?} and {reserved} bytes at the peak, the chip has {budget}"));
    }
    match ended.measure("allocations refused") {
        Some(0) => Ok(()),
        refused => Err(format!("allocations refused: {refused:?}")),
    }
}
