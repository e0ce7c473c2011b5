//! Writes the sample (the simulated boat) as a candump log.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{built, process};

/// Runs `xtask sample [FILE]`.
///
/// # Errors
/// The file that cannot be written.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let file = match arguments {
        [] => process::target().join("sample.candump"),
        [file] => std::path::absolute(file).map_err(|error| error.to_string())?,
        _ => return Err("the only argument is the file to write".into()),
    };
    write(&file)?;
    println!("{}", arguments.first().map_or(file, PathBuf::from).display());
    Ok(())
}

/// Writes the log to `file`.
///
/// # Errors
/// What cannot be built, or the file that cannot be written.
pub fn write(file: &Path) -> Result<(), String> {
    process::output(Command::new(built::example("sample")?).arg(file)).map(drop)
}

/// Writes a log of this many frames to `file`: the same boat, for as long as that takes.
///
/// # Errors
/// As [`write()`].
pub fn write_frames(file: &Path, frames: usize) -> Result<(), String> {
    process::output(Command::new(built::example("sample")?).arg(file).arg(frames.to_string())).map(drop)
}
