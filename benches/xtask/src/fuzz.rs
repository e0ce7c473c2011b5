//! Runs the fuzz targets of `runtime/fuzz`: libFuzzer with the installed compiler, no nightly needed.
//!
//! Inputs found interesting stay below `target/fuzz/corpus/`; an input that fails is written to
//! `target/fuzz/artifacts/` and named in the output.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::process;

const FOLDER: &str = "runtime/fuzz";
/// Per target, when nothing else is asked.
const SECONDS: u32 = 10;
/// Targets that run at the same time.
const WORKERS: usize = 2;
/// A unit that takes longer is a finding.
const UNIT_SECONDS_MAX: u32 = 20;
/// Resident memory of the fuzzer; more is a finding.
const MEMORY_MIB_MAX: u32 = 2048;
/// Coverage as libFuzzer wants it: counters per edge, the table of program counters, operands of comparisons.
const INSTRUMENT: &str = "--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Runs `xtask fuzz [TARGET]… [--seconds N] [--seed N] [--build]`.
///
/// Without a seed the inputs are other ones each time.
///
/// # Errors
/// A usage error, a target that does not build, or the first target that found something.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let (mut wanted, mut seconds, mut seed, mut only_build) = (Vec::new(), SECONDS, 0_u32, false);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seconds" => {
                let number = words.next().and_then(|text| text.parse().ok());
                seconds = number.ok_or("--seconds wants a number")?;
            }
            "--seed" => {
                let number = words.next().and_then(|text| text.parse().ok());
                seed = number.ok_or("--seed wants a number")?;
            }
            "--build" => only_build = true,
            name if !name.starts_with('-') => wanted.push(name.to_string()),
            other => return Err(format!("unknown option {other}")),
        }
    }
    let top = process::top();
    let targets = targets(&top.join(FOLDER).join("src/bin"))?;
    if let Some(unknown) = wanted.iter().find(|name| !targets.contains(name)) {
        return Err(format!("there is no target {unknown}; there are {}", targets.join(", ")));
    }
    let chosen = if wanted.is_empty() { targets } else { wanted };

    let build = process::target().join("fuzz/build");
    let host = process::output(&mut process::command("rustc", ["--print", "host-tuple"]))?;
    let mut cargo = process::command("cargo", ["build", "--release", "--locked", "--target", &host, "--target-dir"]);
    cargo.arg(&build).current_dir(top.join(FOLDER)).env("RUSTFLAGS", INSTRUMENT).env_remove("CARGO_ENCODED_RUSTFLAGS");
    for name in &chosen {
        cargo.args(["--bin", name]);
    }
    process::run(&mut cargo)?;
    if only_build {
        return Ok(());
    }
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(name) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
            fuzz(&top, name, &build.join(&host).join("release").join(name), seconds, seed)?;
        }
        Ok(())
    };
    // Each has one thread, so two keep a small machine busy.
    std::thread::scope(|scope| {
        let workers = [(); WORKERS].map(|()| scope.spawn(work));
        let outcomes = workers.map(|worker| worker.join().unwrap_or_else(|_| Err("a worker panicked".to_string())));
        outcomes.into_iter().collect::<Result<(), String>>()
    })?;
    println!("{} fuzz targets found nothing in {seconds} s each: {}", chosen.len(), chosen.join(", "));
    Ok(())
}

/// Lists the targets: each file is one.
fn targets(folder: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".rs").map(String::from))
        .collect();
    names.sort();
    Ok(names)
}

fn fuzz(top: &Path, name: &str, binary: &Path, seconds: u32, seed: u32) -> Result<(), String> {
    let corpus = process::target().join("fuzz/corpus").join(name);
    let artifacts = process::target().join("fuzz/artifacts").join(name);
    for folder in [&corpus, &artifacts] {
        fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    }
    let mut command = Command::new(binary);
    command.arg(&corpus).args([
        format!("-max_total_time={seconds}"),
        // 0 is by chance.
        format!("-seed={seed}"),
        format!("-timeout={UNIT_SECONDS_MAX}"),
        format!("-rss_limit_mb={MEMORY_MIB_MAX}"),
        format!("-artifact_prefix={}/", artifacts.display()),
        "-print_final_stats=1".into(),
        "-verbosity=0".into(),
    ]);
    // Inputs of the repository come first, where a target has some.
    let seeds = top.join(FOLDER).join("seeds").join(name);
    if seeds.is_dir() {
        command.arg(seeds);
    }
    // In one piece: another target speaks meanwhile.
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("cannot start {name}: {error}"))?;
    eprintln!("-- {name}\n{}", String::from_utf8_lossy(&output.stderr).trim_end());
    if output.status.success() { Ok(()) } else { Err(format!("{name} found something ({})", output.status)) }
}
