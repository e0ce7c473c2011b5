//! The engine for chips on the emulated board, beside wasmi: the same modules, the same log, the JSON way.

use std::sync::OnceLock;

use board::{Ended, Partition, boot, boot_image, number_from, path_from};

/// What is wanted of the board with this engine: text in bytes, stack in bytes, the log in percent of wasmi's instructions.
const GOALS: [(&str, u64); 3] = [("text", 800_000), ("stack", 16 * 1024), ("percent of wasmi's instructions", 55)];
/// What must hold, at most.
const BOUNDS: [(&str, u64); 2] = [("allocations refused", 0), ("stack used", 22 * 1024)];
/// The plugins, and what each may hold at work, bytes, its image in flash not counted.
const PLUGINS: [(&str, u64); 2] = [("@skiff/shallow-water-alarm", 36 * 1024), ("@skiff/true-wind", 24 * 1024)];
/// Of wasmi's instructions for the log, at most this many percent. The sample's plugins take values: most of it is the host's.
const PERCENT_OF_INSTRUCTIONS_MAX: u64 = 110;

/// Boots the board with either engine, once for all tests; wasmi comes first.
fn played() -> Result<&'static [Ended; 2], String> {
    static PLAYED: OnceLock<Result<[Ended; 2], String>> = OnceLock::new();
    let played = PLAYED.get_or_init(|| {
        let both =
            [boot_image(&path_from("SKIFF_BOARD_IMAGE_WASMI")?, &Partition::sample())?, boot(&Partition::sample())?];
        both.iter().try_for_each(|ended| ended.expect_exit(0))?;
        Ok(both)
    });
    played.as_ref().map_err(Clone::clone)
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu --engine skiff"]
fn plugins_say_byte_for_byte_what_they_say_with_wasmi() -> Result<(), String> {
    let [wasmi, skiff] = played()?;
    for (number, (wasmi, skiff)) in (1..).zip(wasmi.lines.iter().zip(&skiff.lines)) {
        if wasmi != skiff {
            return Err(format!("plugin line {number} differs\n  wasmi: {wasmi}\n  skiff: {skiff}"));
        }
    }
    if wasmi.lines.is_empty() || wasmi.lines.len() != skiff.lines.len() {
        return Err(format!("{} plugin lines with wasmi, {} with this engine", wasmi.lines.len(), skiff.lines.len()));
    }
    println!("{} plugin lines, byte for byte those of wasmi", skiff.lines.len());
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
    for (name, _) in PLUGINS {
        row(&format!("{name}: load, instructions"), each(both, |ended| taken(ended, &format!("{name}, its load"), 2))?);
        row(&format!("{name}: load and start, instructions"), each(both, |ended| taken(ended, name, 2))?);
        row(&format!("{name}: heap after start, bytes"), each(both, |ended| taken(ended, name, 0))?);
        row(&format!("{name}: heap, peak of its start, bytes"), each(both, |ended| taken(ended, name, 1))?);
        row(&format!("{name}: image in that, bytes"), [0, image(skiff, name)?]);
    }
    let log = each(both, |ended| taken(ended, "the log", 2))?;
    row("the log, instructions", log);
    for (name, most) in PLUGINS {
        let held = taken(skiff, name, 0).ok_or("no heap was measured")?.saturating_sub(image(skiff, name)?);
        println!("{name}: {held} bytes without its image, at most {most}");
        if held > most {
            return Err(format!("{name} holds {held} bytes, at most {most}"));
        }
    }
    for (name, most) in BOUNDS {
        let value = skiff.measure(name).ok_or_else(|| format!("the board did not measure: {name}"))?;
        if value > most {
            return Err(format!("{name}: {value}, at most {most}"));
        }
    }
    let [wasmi, instructions] = log;
    let stack = skiff.measure("stack used").unwrap_or(u64::MAX);
    for ((name, goal), value) in
        GOALS.into_iter().zip([number_from("SKIFF_BOARD_TEXT")?, stack, instructions * 100 / wasmi])
    {
        println!("{name}: {value}, wanted {goal}: {}", if value <= goal { "met" } else { "missed" });
    }
    if instructions * 100 > wasmi * PERCENT_OF_INSTRUCTIONS_MAX {
        return Err(format!(
            "{instructions} instructions for the log, more than {PERCENT_OF_INSTRUCTIONS_MAX} % of {wasmi}"
        ));
    }
    Ok(())
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
