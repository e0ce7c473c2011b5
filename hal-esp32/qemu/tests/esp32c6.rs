//! The budget of the ESP32-C6 on the emulated board: it refuses what `skiff check --board esp32c6` refuses, as a row with
//! its reason, and runs what fits.

use std::process::{Command, Output, Stdio};

use board::{
    BoardClient, Ended, FROM_BUS, PATIENCE, Partition, boot, boot_live, config_of, file_of, free_port, path_from, top,
};
use serde_json::Value;
use skiff_runtime::budget::{Board, Fixed, Limits};

/// Boot word for its budget.
const WORD: &str = "board=esp32c6";
/// Seconds of the sample that a module alone is tried with.
const ALONE_SECONDS: u32 = 2;
/// Packages with two modules each, of which the one with pages of one byte fits, alone.
const WIND: &str = "plugins/rust/true-wind";
const ALARM: &str = "plugins/assemblyscript/shallow-water-alarm";
/// Their names.
const NAMES: [(&str, &str); 2] = [(WIND, "@skiff/true-wind"), (ALARM, "@skiff/shallow-water-alarm")];

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu --board esp32c6"]
fn true_wind_is_refused_or_run_as_check_says() -> Result<(), String> {
    let small = alone(WIND, "plugin-small.wasm")?;
    let standard = alone(WIND, "plugin.wasm")?;
    if small && !standard { Ok(()) } else { Err(format!("fits: small pages {small}, standard pages {standard}")) }
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu --board esp32c6"]
fn the_alarm_is_refused_or_run_as_check_says() -> Result<(), String> {
    let small = alone(ALARM, "plugin-small.wasm")?;
    let standard = alone(ALARM, "plugin.wasm")?;
    if small && !standard { Ok(()) } else { Err(format!("fits: small pages {small}, standard pages {standard}")) }
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu --board esp32c6"]
fn beside_a_package_that_does_not_fit_true_wind_says_what_it_says_on_linux() -> Result<(), String> {
    let played = boot(&Partition::sample().words(WORD))?;
    played.expect_exit(0)?;
    println!("{}", state_of(&played, WIND)?);
    println!("{}", state_of(&played, ALARM)?);
    if !state_of(&played, WIND)?.starts_with("running, ") || !is_refused(&state_of(&played, ALARM)?) {
        return Err("true wind does not run, or the alarm is not refused".into());
    }
    let linux = skiff(&["replay", "--sample", "--plugin", WIND])?;
    if !linux.status.success() {
        return Err(format!("skiff replay: {}", linux.status));
    }
    let linux = String::from_utf8_lossy(&linux.stdout);
    let linux: Vec<&str> = linux.lines().filter(|line| line.starts_with("{\"_plugin\":")).collect();
    let differs = (1..).zip(linux.iter().zip(&played.lines)).find(|(_, pair)| pair.0 != pair.1);
    if let Some((number, pair)) = differs {
        return Err(format!("plugin line {number} differs\n  Linux: {}\n  board: {}", pair.0, pair.1));
    }
    if linux.is_empty() || linux.len() != played.lines.len() {
        return Err(format!("Linux has {} plugin lines, the board {}", linux.len(), played.lines.len()));
    }
    println!("{} plugin lines, byte for byte those of true wind on Linux", linux.len());
    Ok(())
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu --board esp32c6"]
fn clients_see_the_row_of_the_radio_and_why_a_plugin_does_not_run() -> Result<(), String> {
    let port = free_port()?;
    let mut live = boot_live(&Partition::sample().words(&format!("net {WORD}")), port)?;
    let outcome = live.wait_for("token for this run: ", PATIENCE).and_then(|token| {
        live.wait_for("network address ", PATIENCE)?;
        let client = BoardClient { port, token };
        client.value(FROM_BUS)?;
        let status: Value = json(&client.get("/skiff/v1/status")?.1)?;
        let reserved = Fixed::of(&Limits::of(Board::Esp32C6)).network;
        let row = status["memory"]["rows"].as_array().into_iter().flatten().find(|row| row["row"] == "network");
        if row.is_none_or(|row| row["reserved"] != reserved) {
            return Err(format!("the network has not {reserved} bytes: {status}"));
        }
        let rows: Value = json(&client.get("/skServer/plugins")?.1)?;
        for (package, name) in NAMES {
            let row = rows.as_array().into_iter().flatten().find(|row| row["packageName"] == name);
            let row = row.ok_or_else(|| format!("{name} has no row: {rows}"))?;
            let reason = row["skiff"]["reason"].as_str().unwrap_or_default();
            let right = match package {
                ALARM => row["state"] == "error" && reason.starts_with("does not fit: "),
                _ => row["state"] == "running" && reason.is_empty(),
            };
            if !right {
                return Err(format!("{name}: {row}"));
            }
        }
        live.finish(&["heap peak", "heap arena", "allocations refused"], PATIENCE).map(drop)
    });
    live.explain(outcome)
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu --board esp32c6"]
fn the_budget_of_a_board_with_more_memory_than_the_machine_is_refused() -> Result<(), String> {
    for name in ["esp32s3", "toaster"] {
        let ended = boot(&Partition::sample_seconds(ALONE_SECONDS).words(&format!("board={name}")))?;
        if ended.code == Some(0) {
            return Err(format!("the board runs with the budget of {name}"));
        }
        ended.expect_talk(&format!("board={name}: this machine has the memory of qemu-riscv32 and esp32c6 only"))?;
    }
    Ok(())
}

/// Tries a module alone on an empty board, holds it against `skiff check`, and tells whether it fits.
fn alone(package: &str, module: &str) -> Result<bool, String> {
    let path = format!("{package}/{module}");
    let output = skiff(&["check", &path, "--board", "esp32c6", "--json"])?;
    let verdict: Value = json(&String::from_utf8_lossy(&output.stdout))?;
    let verdict = &verdict["boards"][0];
    let fits = verdict["fits"] == true;
    if output.status.code() != Some(i32::from(!fits)) {
        return Err(format!("skiff check {path}: {}, {verdict}", output.status));
    }
    let (manifest, wasm) = (file_of(package, "package.json")?, file_of(package, module)?);
    let partition = Partition::sample_seconds(ALONE_SECONDS).words(WORD);
    let played = boot(&partition.package(&manifest, &wasm, Some(&config_of(package)?)))?;
    played.expect_exit(0)?;
    let state = state_of(&played, package)?;
    println!("{path}: {state}");
    let refusal = format!("does not fit: {} bytes needed, {} free", verdict["needed"], verdict["limit"]);
    let agrees = if fits { state.starts_with("running, ") } else { is_refused(&state) && state.ends_with(&refusal) };
    if !agrees {
        return Err(format!("{path}: {state}; skiff check: {verdict}"));
    }
    if !fits && !played.lines.is_empty() {
        return Err(format!("{path} is refused, and says: {}", played.lines[0]));
    }
    // The row of a plugin that runs has what `check` says, and no plugin may have more than that.
    let name = name_of(package);
    let row = played.numbers("budget: ").filter(|(row, _)| *row == name).last().map(|(_, numbers)| numbers);
    let (needed, limit) = (verdict["needed"].as_u64(), verdict["limit"].as_u64());
    match row.as_deref() {
        Some([reserved, _, most]) if Some(*most) == limit && (!fits || Some(*reserved) == needed) => Ok(fits),
        row => Err(format!("{path}: the row of the budget is {row:?}; skiff check: {verdict}")),
    }
}

/// Returns state, fuel and reason of a plugin at the end.
fn state_of(played: &Ended, package: &str) -> Result<String, String> {
    let mark = format!("{}: ", name_of(package));
    let mut lines = played.talk.iter().rev().filter_map(|line| Some(line.split_once(&mark)?.1));
    let state = lines.find(|rest| rest.contains(", fuel "));
    state.map(|state| state.trim().to_owned()).ok_or_else(|| format!("the board did not tell the state of {mark}"))
}

fn is_refused(state: &str) -> bool {
    state.starts_with("error, ") && state.contains("does not fit: ")
}

fn name_of(package: &str) -> &'static str {
    NAMES.iter().find(|(path, _)| *path == package).map_or("", |(_, name)| name)
}

fn skiff(words: &[&str]) -> Result<Output, String> {
    let skiff = path_from("SKIFF")?;
    let output = Command::new(&skiff).args(words).current_dir(top()).stdin(Stdio::null()).output();
    output.map_err(|error| format!("cannot start {}: {error}", skiff.display()))
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("{error}: {text}"))
}
