//! Writes the sample (the simulated boat) as a candump log.

use std::path::{Path, PathBuf};

use skiff_runtime::n2k::sample::{LENGTH_SECONDS, SEED, START, Sample, write_candump_line};

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
    let mut log = String::new();
    loop {
        let (time, frame) = boat.next_frame();
        if time.0 - START.0 >= i64::from(LENGTH_SECONDS) * 1000 {
            break;
        }
        write_candump_line(&mut log, time, &frame).map_err(|error| error.to_string())?;
        log.push('\n');
    }
    process::write(file, &log)
}
