//! Writes the sample (the simulated boat) as a candump log: `sample FILE [FRAMES]`.
//!
//! Without a number of frames the log is as long as the sample.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use skiff_runtime::hal::CanFrame;
use skiff_runtime::n2k::sample::{LENGTH_SECONDS, SEED, START, Sample, write_candump_line};
use skiff_runtime::time::UnixMillis;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let written = match arguments.as_slice() {
        [file] => write(Path::new(file), None),
        [file, frames] => match frames.parse() {
            Ok(frames) => write(Path::new(file), Some(frames)),
            Err(error) => Err(format!("{frames}: {error}")),
        },
        _ => Err("takes FILE [FRAMES]".into()),
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("sample: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn write(file: &Path, frames: Option<usize>) -> Result<(), String> {
    let end = i64::from(LENGTH_SECONDS) * 1000;
    let mut boat = Sample::new(SEED);
    let mut log = String::new();
    let mut count = 0;
    loop {
        let (time, frame): (UnixMillis, CanFrame) = boat.next_frame();
        if frames.map_or(time.0 - START.0 >= end, |frames| count == frames) {
            break;
        }
        write_candump_line(&mut log, time, &frame).map_err(|error| error.to_string())?;
        log.push('\n');
        count += 1;
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(file, log))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))
}
