//! `skiff bench`: what this machine does.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args as ClapArgs;
use log::LevelFilter;
use skiff_measure::rounds::Plan;
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::hal::Clock;
use skiff_runtime::host::{Fit, ModuleFacts};
use skiff_runtime::package::Package;

use super::exit::{self, Failure};
use super::progress::Progress;
use super::talk::{self, Data, DataError};
use crate::bench::compare::Other;
use crate::bench::workloads::{Read, Subject, named};
use crate::bench::{Bench, run, svg, text};
use crate::hal::SystemClock;
use crate::{packages, sample};

/// Bytes of a report that is read for --compare.
const REPORT_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Time after which rows are measured once only, so that a slow machine has the table in about a minute, too.
const PATIENCE: Duration = Duration::from_secs(45);

/// Measure what plugins and NMEA 2000 take on this machine
///
/// Loads, calls, deltas, an endpoint, a reload, gateways with 1, 5, 20 and 50 plugins, frames, and memory, with the
/// built-in simulated boat: nothing is read from a bus or sent anywhere. Times are processor time of one thread, medians of
/// rounds in which every row has its turn. It takes less than a minute. The exit code is 1 when a package is refused.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  \
    skiff bench\n  \
    skiff bench ./my-plugin --json > here.json\n  \
    skiff bench --compare pi.json --svg bench.svg")]
pub struct Args {
    /// A package folder, an `npm pack` .tgz, or a bare .wasm; both built-in packages when none is named
    #[arg(value_name = "PACKAGE")]
    packages: Vec<PathBuf>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    /// Draw the rows into FILE
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Show how many times the value of another report each row has (a file that --json wrote)
    #[arg(long, value_name = "OTHER.json")]
    compare: Option<PathBuf>,

    /// One round: every row, and no number to rely on
    #[arg(long)]
    quick: bool,

    /// Do one row and nothing else, for a profiler: its id, or `gateway.frame:PLUGINS:KIND`
    #[arg(long, value_name = "ROW", conflicts_with_all = ["json", "svg", "compare", "quick"])]
    only: Option<String>,

    /// How often --only does it
    #[arg(long, value_name = "N", default_value_t = 1000, requires = "only")]
    times: u32,
}

/// Runs the command.
pub fn command(args: &Args) -> Result<(), Failure> {
    // What is wrong with a file is said before a minute of measuring.
    let other = args.compare.as_deref().map(read_other).transpose()?;
    let subjects = subjects(&args.packages)?;
    if let Some(name) = &args.only {
        return only(name, args.times, subjects);
    }
    let bench = Bench {
        subjects,
        plan: if args.quick { Plan::QUICK } else { Plan { until: Some(Instant::now() + PATIENCE), ..Plan::FULL } },
        command: command_line(),
        date: SystemClock::start().wall().unwrap_or_default(),
    };
    // A gateway tells of each reload; here there are thousands.
    if log::max_level() == LevelFilter::Info {
        log::set_max_level(LevelFilter::Warn);
    }
    let mut progress = Progress::begin();
    let report = run(bench, &mut |what, part| progress.tell(Some(part), |_| what.to_owned()));
    drop(progress);
    if report.machine.emulated {
        talk::say("warning: this program runs in an emulator: its times say nothing about any machine");
    }
    if let Some(file) = &args.svg {
        fs::write(file, svg(&report))
            .map_err(|error| Failure::new(exit::UNAVAILABLE, format_args!("{}: {error}", file.display())))?;
    }
    let text = if args.json {
        let mut report_json = report.json();
        if let Some(other) = &other {
            add_ratios(&mut report_json, &report, other);
        }
        report_json.to_string() + "\n"
    } else {
        text(&report, other.as_ref())
    };
    let mut data = Data::stdout();
    let written = text.lines().try_for_each(|line| data.line(&talk::sanitised(line))).and_then(|()| data.flush());
    written.or_else(DataError::into_result)
}

/// Does one row of the first package, and tells how many units that were.
fn only(name: &str, times: u32, subjects: Vec<(Subject, Read)>) -> Result<(), Failure> {
    let row = subjects.into_iter().next().and_then(|(subject, read)| named(&subject, read, name));
    let row = row.ok_or_else(|| Failure::new(exit::USAGE, format_args!("there is no row {name}")))?;
    let mut work = row.work.map_err(|reason| Failure::new(exit::VERDICT, format_args!("{name}: {reason}")))?;
    talk::print([work(times).units.to_string()])
}

/// Puts the ratios of --compare into the rows.
fn add_ratios(json: &mut serde_json::Value, report: &crate::bench::Report, other: &Other) {
    json["comparedWith"] = other.line.clone().into();
    let rows = json["rows"].as_array_mut().into_iter().flatten();
    for (row, measured) in rows.zip(&report.rows) {
        row["ratio"] = other.ratio(measured).into();
    }
}

fn read_other(path: &Path) -> Result<Other, Failure> {
    let text = packages::read(path, REPORT_BYTES_MAX).map_err(super::not_loaded)?;
    Other::parse(&String::from_utf8_lossy(&text))
        .map_err(|reason| Failure::new(exit::INPUT_CORRUPT, format_args!("{} {reason}", path.display())))
}

/// The command as it was typed, without the folder of the program.
fn command_line() -> String {
    let words = std::env::args().skip(1);
    ["skiff".to_owned()].into_iter().chain(words).collect::<Vec<_>>().join(" ")
}

fn subjects(paths: &[PathBuf]) -> Result<Vec<(Subject, Read)>, Failure> {
    let mut subjects = Vec::new();
    if paths.is_empty() {
        for embedded in &sample::PACKAGES {
            let package = embedded.package().map_err(|error| Failure::new(exit::INPUT_CORRUPT, error))?;
            let read: Read = Box::new(|| embedded.package().map_err(|error| error.to_string()));
            subjects.push((subject(package, embedded.config)?, read));
        }
    }
    for path in paths {
        let package = packages::load(path, packages::module_bytes_max()).map_err(super::not_loaded)?;
        let config = config_of(&package.name);
        let path = path.clone();
        let read: Read =
            Box::new(move || packages::load(&path, packages::module_bytes_max()).map_err(|error| error.to_string()));
        subjects.push((subject(package, config)?, read));
    }
    Ok(subjects)
}

/// A built-in package has its sample configuration, wherever it was loaded from; others have an empty one.
fn config_of(name: &str) -> &'static str {
    let known = sample::PACKAGES.iter().find(|one| one.package().is_ok_and(|package| package.name == name));
    known.map_or("{}", |embedded| embedded.config)
}

fn subject(package: Package, config: &str) -> Result<Subject, Failure> {
    let name = package.name.clone();
    let refused = |code, clause: &dyn std::fmt::Display| Failure::new(code, format_args!("{name}: {clause}"));
    let facts = ModuleFacts::survey(&package.wasm)
        .map_err(|refusal| refused(if refusal.is_damage() { exit::INPUT_CORRUPT } else { exit::VERDICT }, &refusal))?;
    super::must_fit(&Fit::of(&facts, &package.capabilities, &Limits::of(Board::Linux)))
        .map_err(|failure| refused(failure.code, &failure.text))?;
    Subject::new(package, config).map_err(|reason| refused(exit::VERDICT, &reason))
}
