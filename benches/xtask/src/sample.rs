//! Writes the sample (the simulated boat) as a candump log.

use std::iter;
use std::path::{Path, PathBuf};

use skiff_runtime::hal::CanFrame;
use skiff_runtime::n2k::sample::{LENGTH_SECONDS, SEED, START, Sample, write_candump_line};
use skiff_runtime::time::UnixMillis;

use crate::process;

/// Runs `xtask sample [FILE]`.
///
/// # Errors
/// The file that cannot be written.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let file = match arguments {
        [] => process::top().join("target/sample.candump"),
        [file] => PathBuf::from(file),
        _ => return Err("the only argument is the file to write".into()),
    };
    write(&file)?;
    println!("{}", file.display());
    Ok(())
}

/// Writes the log to `file`.
///
/// # Errors
/// The file that cannot be written.
pub fn write(file: &Path) -> Result<(), String> {
    let mut boat = Sample::new(SEED);
    let end = i64::from(LENGTH_SECONDS) * 1000;
    lines(file, iter::from_fn(|| Some(boat.next_frame())).take_while(|(time, _)| time.0 - START.0 < end))
}

/// Writes a log of so many frames to `file`: the same boat, for as long as that takes.
///
/// # Errors
/// The file that cannot be written.
pub fn write_frames(file: &Path, frames: usize) -> Result<(), String> {
    let mut boat = Sample::new(SEED);
    lines(file, iter::from_fn(|| Some(boat.next_frame())).take(frames))
}

fn lines(file: &Path, frames: impl Iterator<Item = (UnixMillis, CanFrame)>) -> Result<(), String> {
    let mut log = String::new();
    for (time, frame) in frames {
        write_candump_line(&mut log, time, &frame).map_err(|error| error.to_string())?;
        log.push('\n');
    }
    process::write(file, &log)
}
