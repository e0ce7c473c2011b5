//! The engine for chips on the emulated board, beside wasmi: the same modules, the same log, by rows and the JSON way.

use std::sync::OnceLock;

use board::{Ended, Partition, boot, boot_image, by_json, config_of, file_of, number_from, path_from};

/// What is wanted of the board with this engine: text without the page and stack, bytes.
const GOALS: [(&str, u64); 2] = [("text without the page", 800_000), ("stack", 16 * 1024)];
/// The log, the JSON way, in percent of wasmi's instructions: what is wanted, and what must hold. A word takes some 25
/// instructions, twelve of them to read it and to go to its operator.
const PERCENT_GOAL: u64 = 55;
const PERCENT_BY_JSON_MAX: u64 = 75;
/// A start from flash, instructions: what is wanted, and what must hold. Of the alarm with 19 KB a third is hashing its module, and
/// half are two starts, of which one is a trial.
const START_GOAL: u64 = 4_000_000;
const START_MAX: u64 = 6_000_000;
/// What must hold, at most.
const BOUNDS: [(&str, u64); 2] = [("allocations refused", 0), ("stack used", 22 * 1024)];
/// The plugins, and what each may hold at work, bytes, its image in flash not counted.
const PLUGINS: [(&str, u64); 2] = [("@skiff/shallow-water-alarm", 36 * 1024), ("@skiff/true-wind", 24 * 1024)];
/// Of wasmi's instructions for the log, at most this many percent. The sample's plugins take values: most of it is the host's.
const PERCENT_OF_INSTRUCTIONS_MAX: u64 = 110;

/// Plugins whose modules for every host are played the JSON way, and their packages. One at a time: wasmi has no room for both.
const BY_JSON: [(&str, &str); 2] = [
    ("@skiff/shallow-water-alarm", "plugins/assemblyscript/shallow-water-alarm"),
    ("@skiff/true-wind", "plugins/rust/true-wind"),
];

/// Boots the board with either engine, once for all tests; wasmi comes first.
fn played() -> Result<&'static [Ended; 2], String> {
    static PLAYED: OnceLock<Result<[Ended; 2], String>> = OnceLock::new();
    let played = PLAYED.get_or_init(|| with_both(&Partition::sample()));
    played.as_ref().map_err(Clone::clone)
}

/// Plays one that takes deltas as JSON.
fn played_by_json(package: &str) -> Result<[Ended; 2], String> {
    let module = by_json(&file_of(package, "plugin.wasm")?)?;
    let partition = Partition::sample();
    let config = config_of(package)?;
    with_both(&partition.package(&file_of(package, "package.json")?, &module, Some(&config)))
}

fn with_both(partition: &Partition) -> Result<[Ended; 2], String> {
    let both = [boot_image(&path_from("SKIFF_BOARD_IMAGE_WASMI")?, partition)?, boot(partition)?];
    both.iter().try_for_each(|ended| ended.expect_exit(0))?;
    Ok(both)
}

/// Checks that plugins said the same with both, and returns how many lines that are.
fn same_lines([wasmi, skiff]: &[Ended; 2]) -> Result<usize, String> {
    for (number, (wasmi, skiff)) in (1..).zip(wasmi.lines.iter().zip(&skiff.lines)) {
        if wasmi != skiff {
            return Err(format!("plugin line {number} differs\n  wasmi: {wasmi}\n  skiff: {skiff}"));
        }
    }
    if wasmi.lines.is_empty() || wasmi.lines.len() != skiff.lines.len() {
        return Err(format!("{} plugin lines with wasmi, {} with this engine", wasmi.lines.len(), skiff.lines.len()));
    }
    Ok(skiff.lines.len())
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu --engine skiff"]
fn plugins_say_byte_for_byte_what_they_say_with_wasmi() -> Result<(), String> {
    println!("{} plugin lines, byte for byte those of wasmi", same_lines(played()?)?);
    Ok(())
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu --engine skiff"]
fn what_it_takes_stands_beside_wasmi_and_keeps_its_bounds() -> Result<(), String> {
    let both = played()?;
    let [_, skiff] = both;
    println!("\n{:<44} {:>12} {:>12}  of it", "measured", "wasmi", "skiff");
    let row = |name: &str, [wasmi, skiff]: [u64; 2]| {
        println!("{name:<44} {wasmi:>12} {skiff:>12}  {} %", skiff * 100 / wasmi.max(1));
    };
    row("text, bytes", [number_from("SKIFF_BOARD_TEXT_WASMI")?, number_from("SKIFF_BOARD_TEXT")?]);
    for name in ["stack used", "heap peak"] {
        row(&format!("{name}, bytes"), each(both, |ended| ended.measure(name))?);
    }
    let log = rows(both, PLUGINS, &row)?;
    for (name, most) in BOUNDS {
        let value = skiff.measure(name).ok_or_else(|| format!("the board did not measure: {name}"))?;
        if value > most {
            return Err(format!("{name}: {value}, at most {most}"));
        }
    }
    let [wasmi, instructions] = log;
    let stack = skiff.measure("stack used").unwrap_or(u64::MAX);
    for ((name, goal), value) in GOALS.into_iter().zip([number_from("SKIFF_BOARD_TEXT_BARE")?, stack]) {
        println!("{name}: {value}, wanted {goal}: {}", if value <= goal { "met" } else { "missed" });
    }
    if instructions * 100 > wasmi * PERCENT_OF_INSTRUCTIONS_MAX {
        return Err(format!(
            "{instructions} instructions for the log, more than {PERCENT_OF_INSTRUCTIONS_MAX} % of {wasmi}"
        ));
    }
    Ok(())
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu --engine skiff"]
fn the_json_way_takes_at_most_so_much_of_what_wasmi_takes() -> Result<(), String> {
    println!("\n{:<52} {:>12} {:>12}  of it", "the JSON way, one plugin at a time", "wasmi", "skiff");
    let row = |name: &str, [wasmi, skiff]: [u64; 2]| {
        println!("{name:<52} {wasmi:>12} {skiff:>12}  {} %", skiff * 100 / wasmi.max(1));
    };
    let mut logs = [0; 2];
    for (name, package) in BY_JSON {
        let both = played_by_json(package)?;
        let most = PLUGINS.into_iter().filter(|(other, _)| *other == name);
        println!("{name}: {} plugin lines, byte for byte those of wasmi", same_lines(&both)?);
        let [wasmi, skiff] = rows(&both, most, &row)?;
        logs = [logs[0] + wasmi, logs[1] + skiff];
    }
    let percent = logs[1] * 100 / logs[0];
    let is_met = if percent <= PERCENT_GOAL { "met" } else { "missed" };
    println!("both logs: {percent} % of wasmi's instructions, wanted {PERCENT_GOAL}: {is_met}");
    if percent > PERCENT_BY_JSON_MAX { Err(format!("{percent} %, at most {PERCENT_BY_JSON_MAX}")) } else { Ok(()) }
}

/// Prints what plugins took with both, holds it against their bounds, and returns the instructions of the log.
fn rows(
    both: &[Ended; 2],
    plugins: impl IntoIterator<Item = (&'static str, u64)>,
    row: &dyn Fn(&str, [u64; 2]),
) -> Result<[u64; 2], String> {
    let [wasmi, skiff] = both;
    for (name, most) in plugins {
        let load = taken(wasmi, &format!("{name}, its load"), 2).ok_or("no load was measured")?;
        let translation = |which| taken(skiff, &format!("{name}, its translation"), which).ok_or("no translation");
        row(&format!("{name}: load; translation, once: instructions"), [load, translation(2)?]);
        println!("{name}: image of {} bytes, {} of heap to make it", image(skiff, name)?, translation(1)?);
        let start = each(both, |ended| taken(ended, name, 2))?;
        row(&format!("{name}: load and start, instructions"), start);
        row(&format!("{name}: heap after start, bytes"), each(both, |ended| taken(ended, name, 0))?);
        row(&format!("{name}: heap, peak of its start, bytes"), each(both, |ended| taken(ended, name, 1))?);
        let promised = skiff.numbers("promised: ").find(|(other, _)| *other == name).map(|(_, numbers)| numbers);
        let [reserved, started, peak] = promised.as_deref().unwrap_or_default() else {
            return Err(format!("the board did not tell what {name} was promised"));
        };
        println!("{name}: {reserved} bytes reserved, {started} held once started, {peak} at the most; at most {most}");
        if *peak > most {
            return Err(format!("{name} holds {peak} bytes, at most {most}"));
        }
        println!("{name}: start, wanted {START_GOAL}: {}", if start[1] <= START_GOAL { "met" } else { "missed" });
        if start[1] > START_MAX {
            return Err(format!("{name} starts in {} instructions, at most {START_MAX}", start[1]));
        }
    }
    let log = each(both, |ended| taken(ended, "the log", 2))?;
    row("the log, instructions", log);
    Ok(log)
}

fn each(both: &[Ended; 2], of: impl Fn(&Ended) -> Option<u64>) -> Result<[u64; 2], String> {
    let [wasmi, skiff] = both.each_ref().map(of);
    wasmi.zip(skiff).map(|(wasmi, skiff)| [wasmi, skiff]).ok_or_else(|| "a board did not measure everything".into())
}

/// Returns one of what something took: heap at its end, heap at its peak, instructions.
fn taken(ended: &Ended, what: &str, which: usize) -> Option<u64> {
    let (_, numbers) = ended.numbers("took: ").find(|(name, _)| *name == what)?;
    numbers.get(which).copied()
}

/// Returns how long the image of a plugin is.
fn image(ended: &Ended, name: &str) -> Result<u64, String> {
    let found = ended.numbers("image: ").find(|(other, _)| *other == name);
    let bytes = found.and_then(|(_, numbers)| numbers.first().copied());
    bytes.ok_or_else(|| format!("the board did not tell how long the image of {name} is"))
}
