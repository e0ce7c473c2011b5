//! The sample on the emulated board: what its plugins say, and what it takes, held against Linux and against bounds.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use board::{Ended, Partition, boot, config_of, expect_close_predictions, file_of, number_from, path_from, top};
use skiff_measure::baseline;

/// Upper limits, bytes or instructions.
const GOALS: [(&str, u64); 3] =
    [("stack used", 16 * 1024), ("flash text", 700_000), ("instructions per frame", 10_000)];
/// What must hold, bytes or counts at most.
const BOUNDS: [(&str, u64); 5] = [
    ("allocations refused", 0),
    ("allocations for frames", 0),
    ("heap peak", 175_000),
    ("instructions per frame", 9_400),
    ("reassembly", 4608),
];
/// Instructions of a frame from the queue to the model, at most: `runtime/tests/saturated_bus.rs` reckons with them.
const FRAME_INSTRUCTIONS_MAX: u64 = 13_000;
/// Seconds of the sample that a module alone is measured with.
const ALONE_SECONDS: u32 = 2;
/// The package that has a module with pages of 64 KiB too.
const PACKAGE: &str = "plugins/rust/true-wind";

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu"]
fn plugins_say_byte_for_byte_what_they_say_on_linux() -> Result<(), String> {
    compare(played()?)
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu"]
fn measurements_keep_their_bounds() -> Result<(), String> {
    table(played()?)?;
    bounds(played()?)
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu"]
fn no_row_of_the_budget_uses_more_than_it_has_reserved() -> Result<(), String> {
    budget(played()?)
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu"]
fn memory_of_plugins_is_predicted_within_a_tenth() -> Result<(), String> {
    println!("\n{:<36} {:>10} {:>10}  ratio", "memory of a plugin, peak", "predicted", "measured");
    expect_close_predictions(played()?, "")
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu"]
fn memory_of_a_plugin_with_standard_pages_is_predicted_within_a_tenth() -> Result<(), String> {
    let [manifest, module] = [file_of(PACKAGE, "package.json")?, file_of(PACKAGE, "plugin.wasm")?];
    let partition = Partition::sample_seconds(ALONE_SECONDS);
    let standard = boot(&partition.package(&manifest, &module, Some(&config_of(PACKAGE)?)))?;
    standard.expect_exit(0)?;
    expect_close_predictions(&standard, ", standard pages")
}

/// The sample without plugins.
#[test]
#[ignore = "boots the emulated board: cargo xtask qemu"]
fn a_frame_reaches_the_model_in_the_instructions_that_are_reckoned_with() -> Result<(), String> {
    let played = played_without_plugins()?;
    let [_, peak, instructions] = took_by_the_log(played)?;
    let frames = played.measure("frames").ok_or("the board did not tell how many frames the log has")?;
    let each = instructions / frames.max(1);
    println!("without plugins: {each} instructions a frame from the queue to the model, heap peak {peak}");
    if each > FRAME_INSTRUCTIONS_MAX {
        return Err(format!("{each} instructions a frame, at most {FRAME_INSTRUCTIONS_MAX} are reckoned with"));
    }
    Ok(())
}

/// The same numbers as on the last day that somebody looked, within the drift that `benches/baseline.json` allows.
#[test]
#[ignore = "boots the emulated board: cargo xtask qemu"]
fn nothing_drifts_from_the_baseline() -> Result<(), String> {
    let (both, none) = (played()?, played_without_plugins()?);
    let measure = |name: &str| both.measure(name).ok_or_else(|| format!("the board did not measure: {name}"));
    let (frames, deltas) = (measure("frames")?.max(1), measure("deltas of them")?.max(1));
    let [_, _, with] = took_by_the_log(both)?;
    let [_, heap, without] = took_by_the_log(none)?;
    let mut rows = vec![
        ("instructions of a frame to its delta".to_owned(), measure("instructions per frame")?),
        ("instructions of a frame to the model".to_owned(), without / frames),
        ("instructions of both plugins, a delta".to_owned(), with.saturating_sub(without) / deltas),
        ("heap without plugins, peak".to_owned(), heap),
        ("stack".to_owned(), measure("stack used")?),
        ("text".to_owned(), number_from("SKIFF_BOARD_TEXT")?),
        ("rodata".to_owned(), number_from("SKIFF_BOARD_RODATA")?),
    ];
    let budget: BTreeMap<&str, Vec<u64>> = both.numbers("budget: ").collect();
    for (name, numbers) in budget.into_iter().filter(|(name, _)| name.starts_with('@')) {
        let [_, used, _] = numbers[..] else { return Err(format!("budget of {name}: {numbers:?}")) };
        rows.push((format!("heap of {name}"), used));
    }
    let compiler = std::env::var("SKIFF_BOARD_COMPILER").map_err(|_| "cargo xtask qemu names the compiler")?;
    let is_blessed = std::env::var_os("BLESS").is_some_and(|value| value == "1");
    baseline::hold(&top().join("benches/baseline.json"), &compiler, "qemu-riscv32", &rows, is_blessed)
}

/// The watchdog resets the board, and the next start knows why.
#[test]
#[ignore = "boots the emulated board: cargo xtask qemu"]
fn a_tick_that_does_not_end_is_reset_by_the_watchdog() -> Result<(), String> {
    let ended = boot(&Partition::sample_seconds(2).words("wedge"))?;
    ended.expect_exit(0)?;
    ended.expect_talk("reset reason: power-on")?;
    ended.expect_talk("reset reason: watchdog")?;
    println!("a tick that does not end: reset by the watchdog, and the reason is kept");
    Ok(())
}

/// Plays the sample with both plugins, once for all tests.
fn played() -> Result<&'static Ended, String> {
    static PLAYED: OnceLock<Result<Ended, String>> = OnceLock::new();
    let played = PLAYED.get_or_init(|| {
        let played = boot(&Partition::sample())?;
        played.expect_exit(0)?;
        Ok(played)
    });
    played.as_ref().map_err(Clone::clone)
}

/// Plays the sample without plugins, once for all tests.
fn played_without_plugins() -> Result<&'static Ended, String> {
    static PLAYED: OnceLock<Result<Ended, String>> = OnceLock::new();
    let played = PLAYED.get_or_init(|| {
        let played = boot(&Partition::sample().words("no-packages"))?;
        played.expect_exit(0)?;
        Ok(played)
    });
    played.as_ref().map_err(Clone::clone)
}

/// Returns what playing the log took: heap at the end, heap at its peak, instructions.
fn took_by_the_log(played: &Ended) -> Result<[u64; 3], String> {
    let took = played.numbers("took: ").find(|(name, _)| *name == "the log").map(|(_, numbers)| numbers);
    took.and_then(|numbers| numbers.try_into().ok()).ok_or_else(|| "the board did not tell what the log took".into())
}

/// What must hold of the measurements.
fn bounds(played: &Ended) -> Result<(), String> {
    for (name, most) in BOUNDS {
        let value = played.measure(name).ok_or_else(|| format!("the board did not measure: {name}"))?;
        if value > most {
            return Err(format!("{name}: {value}, at most {most} is wanted"));
        }
    }
    Ok(())
}

/// Prints the budget table, and checks that no row uses more than it has reserved.
fn budget(played: &Ended) -> Result<(), String> {
    println!("\n{:<28} {:>10} {:>10} {:>10}", "budget", "reserved", "used", "limit");
    // The board tells it when the plugins have started, and again at the end; the end counts.
    let rows: BTreeMap<&str, Vec<u64>> = played.numbers("budget: ").collect();
    if rows.is_empty() {
        return Err("the board has no budget table".into());
    }
    for (name, numbers) in rows {
        let [reserved, used, limit] = numbers[..] else { return Err(format!("budget of {name}: {numbers:?}")) };
        println!("{name:<28} {reserved:>10} {used:>10} {limit:>10}");
        if used > reserved {
            return Err(format!("{name} uses {used} bytes of {reserved} reserved"));
        }
    }
    Ok(())
}

/// Compares what plugins emitted with `skiff replay --sample` on this machine, byte for byte.
fn compare(played: &Ended) -> Result<(), String> {
    let skiff = path_from("SKIFF")?;
    let linux = Command::new(&skiff).args(["replay", "--sample"]).stdin(Stdio::null()).output();
    let linux = linux.map_err(|error| format!("cannot start {}: {error}", skiff.display()))?;
    if !linux.status.success() {
        return Err(format!("{} replay --sample: {}", skiff.display(), linux.status));
    }
    let linux = String::from_utf8_lossy(&linux.stdout);
    let linux: Vec<&str> = linux.lines().filter(|line| line.starts_with("{\"_plugin\":")).collect();
    if linux.is_empty() {
        return Err("no plugin says anything on Linux, so there is nothing to compare".into());
    }
    for (number, pair) in (1..).zip(linux.iter().zip(&played.lines)) {
        if pair.0 != pair.1 {
            return Err(format!("plugin line {number} differs\n  Linux: {}\n  board: {}", pair.0, pair.1));
        }
    }
    if linux.len() != played.lines.len() {
        return Err(format!("Linux has {} plugin lines, the board {}", linux.len(), played.lines.len()));
    }
    println!("{} plugin lines, byte for byte those of `skiff replay --sample` on Linux", linux.len());
    Ok(())
}

/// Prints the measurements, and the size of the image in flash.
fn table(played: &Ended) -> Result<(), String> {
    let mut rows: BTreeMap<&str, u64> = played.measured.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    rows.insert("flash text", number_from("SKIFF_BOARD_TEXT")?);
    rows.insert("flash rodata", number_from("SKIFF_BOARD_RODATA")?);
    rows.insert("flash data", number_from("SKIFF_BOARD_DATA")?);
    println!("\n{:<28} {:>12}  goal", "measured", "bytes");
    for (name, value) in rows {
        let goal = GOALS.iter().find(|(goal, _)| *goal == name).map(|(_, goal)| goal);
        let verdict =
            goal.map_or(String::new(), |goal| format!("{goal} {}", if value <= *goal { "met" } else { "missed" }));
        println!("{name:<28} {value:>12}  {verdict}");
    }
    Ok(())
}
