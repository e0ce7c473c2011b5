//! Builds the emulated board, boots it, and holds what it says against Linux.

mod board;
mod hostile;
mod net;
mod partition;
mod storage;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use board::Ended;
use partition::Partition;

use crate::size::{Flash, TEXT_GOAL};
use crate::{debian, process};

/// What is wanted at most, bytes.
const GOALS: [(&str, u64); 3] =
    [("stack used", 16 * 1024), ("flash text", TEXT_GOAL), ("instructions per frame", 10_000)];
/// What must hold, bytes or counts at most.
const BOUNDS: [(&str, u64); 3] = [("allocations refused", 0), ("allocations for frames", 0), ("reassembly", 4608)];
/// Instructions of a frame from the queue to the model, at most: `runtime/tests/saturated_bus.rs` reckons with them.
const FRAME_INSTRUCTIONS_MAX: u64 = 41_600;
/// Seconds of the sample that a module alone is measured with.
const ALONE_SECONDS: u32 = 2;

/// Runs `xtask qemu [--net | --storage | --hostile [FOLDER]]`.
///
/// # Errors
/// What cannot be built or run, the first line that differs from Linux, or with `--net` or `--storage` what does not work.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if !matches!(words[..], [] | ["--net"] | ["--storage"] | ["--hostile"] | ["--hostile", _]) {
        return Err("takes --net, --storage, or --hostile and a folder of modules".into());
    }
    prepare()?;
    let image = board::build()?;
    match words[..] {
        ["--net"] => return net::run(&image),
        ["--storage"] => return storage::run(&image),
        ["--hostile", folder] => return hostile::run(&image, Some(Path::new(folder))),
        ["--hostile"] => return hostile::run(&image, None),
        _ => {}
    }
    let played = board::boot(&image, &Partition::sample())?;
    played.expect_exit(0)?;
    compare(&played)?;
    table(&played, &Flash::of(&image)?);
    bounds(&played)?;
    budget(&played)?;
    without_plugins(&image)?;
    let standard = board::boot(&image, &standard_module()?)?;
    standard.expect_exit(0)?;
    println!("{:<36} {:>10} {:>10}  ratio", "memory of a plugin, peak", "predicted", "measured");
    predictions(&played, "")?;
    predictions(&standard, ", standard pages")?;
    wedge(&image)?;
    hostile::run(&image, None)?;
    match hostile::corpus() {
        Some(folder) => hostile::run(&image, Some(&folder)),
        None => {
            eprintln!("SKIPPED: the corpus of hostile modules is not beside the project");
            Ok(())
        }
    }
}

/// Returns a partition with the module of true wind that has pages of 64 KiB.
fn standard_module() -> Result<Partition, String> {
    let folder = process::top().join("plugins/rust/true-wind");
    let file = |name: &str| fs::read(folder.join(name)).map_err(|error| format!("cannot read {name}: {error}"));
    let config = String::from_utf8(file("sample-config.json")?).map_err(|error| error.to_string())?;
    let partition = Partition::sample_seconds(ALONE_SECONDS);
    Ok(partition.package(&file("package.json")?, &file("plugin.wasm")?, Some(&config)))
}

/// Plays the sample without plugins, and holds what a frame costs against its bound.
fn without_plugins(image: &Path) -> Result<(), String> {
    let played = board::boot(image, &Partition::sample().words("no-packages"))?;
    played.expect_exit(0)?;
    let took = played.numbers("took: ").find(|(name, _)| *name == "the log").map(|(_, numbers)| numbers);
    let (Some([_, peak, instructions]), Some(frames)) = (took.as_deref(), played.measure("frames")) else {
        return Err("the board did not tell what the log took".into());
    };
    let each = instructions / frames.max(1);
    println!("without plugins: {each} instructions a frame from the queue to the model, heap peak {peak}");
    if each > FRAME_INSTRUCTIONS_MAX {
        return Err(format!("{each} instructions a frame, at most {FRAME_INSTRUCTIONS_MAX} are reckoned with"));
    }
    Ok(())
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
    println!("{:<28} {:>10} {:>10} {:>10}", "budget", "reserved", "used", "limit");
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

/// Builds the image of the board.
///
/// # Errors
/// What cargo said.
pub fn image() -> Result<PathBuf, String> {
    board::build()
}

/// Installs the emulator.
fn prepare() -> Result<(), String> {
    if process::found(board::EMULATOR) { Ok(()) } else { debian::packages(&["qemu-system-misc"]) }
}

/// Compares what plugins emitted with `skiff replay --sample` on this machine, byte for byte.
fn compare(played: &Ended) -> Result<(), String> {
    process::run(&mut process::command("cargo", ["build", "--quiet", "-p", "skiff-gateway"]))?;
    let linux = process::output(&mut process::command("target/debug/skiff", ["replay", "--sample"]))?;
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

/// What admission predicted is never below what the board measured, and at most a tenth above it.
fn predictions(played: &Ended, remark: &str) -> Result<(), String> {
    for (name, predicted) in played.numbers("predicted: ") {
        let [heap, linear, ..] = predicted[..] else { return Err(format!("no prediction in: {predicted:?}")) };
        let taken = played.numbers("took: ").find(|(other, _)| *other == name);
        let Some([_, peak, ..]) = taken.as_ref().map(|(_, numbers)| &numbers[..]) else {
            return Err(format!("{name}: the board measured nothing"));
        };
        let (predicted, measured) = (heap + linear, *peak);
        let (name, percent) = (format!("{name}{remark}"), predicted * 100 / measured);
        println!("{name:<36} {predicted:>10} {measured:>10}  {}.{:02}", percent / 100, percent % 100);
        if predicted < measured || percent > 110 {
            return Err(format!("{name}: {predicted} bytes predicted, {measured} measured"));
        }
    }
    Ok(())
}

/// A tick that does not end: the watchdog resets the board, and the next start knows why.
fn wedge(image: &Path) -> Result<(), String> {
    let ended = board::boot(image, &Partition::sample_seconds(2).words("wedge"))?;
    ended.expect_exit(0)?;
    ended.expect_talk("reset reason: power-on")?;
    ended.expect_talk("reset reason: watchdog")?;
    println!("a tick that does not end: reset by the watchdog, and the reason is kept");
    Ok(())
}

fn table(played: &Ended, flash: &Flash) {
    let mut rows: BTreeMap<&str, u64> = played.measured.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    rows.insert("flash text", flash.text);
    rows.insert("flash rodata", flash.rodata);
    rows.insert("flash data", flash.data);
    println!("{:<28} {:>12}  goal", "measured", "bytes");
    for (name, value) in rows {
        let goal = GOALS.iter().find(|(goal, _)| *goal == name).map(|(_, goal)| goal);
        let verdict =
            goal.map_or(String::new(), |goal| format!("{goal} {}", if value <= *goal { "met" } else { "missed" }));
        println!("{name:<28} {value:>12}  {verdict}");
    }
}

/// Writes a file of the emulated board below `target/qemu`.
fn target_file(name: &str, bytes: &[u8]) -> Result<PathBuf, String> {
    let path = process::top().join("target/qemu").join(name);
    let folder = path.parent().map(PathBuf::from).unwrap_or_default();
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&path, bytes))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    Ok(path)
}
