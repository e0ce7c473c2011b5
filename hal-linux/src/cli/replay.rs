//! `skiff replay`: the whole gateway on a virtual clock.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use skiff_runtime::budget::{Board, Engine, Limits};
use skiff_runtime::delta::DELTA_BYTES_MAX;
use skiff_runtime::gateway::Gateway;
use skiff_runtime::n2k::sample as boat;
use skiff_runtime::package::{Package, plugin_id};
use skiff_runtime::replay::Replay;
use skiff_runtime::time::UnixMillis;

use super::exit::{self, Failure};
use super::play::{self, Ended, Writing};
use super::summary::Summary;
use super::talk::Data;
use crate::logs::Source;
use crate::packages;
use crate::sample;

/// Play a log through the gateway and its plugins, as fast as it goes
///
/// Prints each decoded delta and, right after it, what plugins emit because of it (`_plugin` names the package).
/// Time is the log's own, so the same input always gives the same output.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  \
    skiff replay --sample\n  \
    skiff replay race.log --plugin ./my-plugin --plugin-config my-plugin=config.json\n  \
    skiff replay race.log --plugin tide-1.0.0.tgz --expect yesterday.ndjson\n  \
    skiff replay race.log --plugin tide-1.0.0.tgz --summary")]
#[command(group = clap::ArgGroup::new("played").required(true).args(["log", "sample"]))]
pub struct Args {
    /// The log, `-` for standard input
    #[arg(value_name = "LOG")]
    log: Option<String>,

    /// Play the built-in simulated boat; without --plugin with both built-in plugins
    #[arg(long)]
    sample: bool,

    /// Run this plugin: a package folder, an `npm pack` .tgz, or a bare .wasm (can be given again)
    #[arg(long, value_name = "PACKAGE")]
    plugin: Vec<PathBuf>,

    /// Start a plugin with the configuration object in FILE (can be given again)
    #[arg(long, value_name = "PACKAGE=FILE", value_parser = parse_config)]
    plugin_config: Vec<(String, PathBuf)>,

    /// Keep to the limits of this board
    #[arg(long, value_name = "NAME", default_value = "linux", value_parser = super::parse_board)]
    board: Board,

    /// What runs plugins: wasmi, or skiff, the engine for chips
    #[arg(long, value_name = "wasmi|skiff", default_value = "wasmi", value_parser = super::parse_engine)]
    engine: Engine,

    /// Compare the output with FILE; exit 1 and name the first line that differs
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,

    /// Print one JSON at the end instead: what each plugin emitted by path, notifications, faults, fuel, memory
    #[arg(long, conflicts_with = "expect")]
    summary: bool,

    #[command(flatten)]
    writing: Writing,

    /// Deny HTTP endpoints to a package that does not declare the capability httpEndpoints
    #[arg(long)]
    strict: bool,
}

fn parse_config(text: &str) -> Result<(String, PathBuf), String> {
    // A path can hold `=`, a package name cannot.
    match text.split_once('=') {
        Some((package, file)) if !package.is_empty() && !file.is_empty() => {
            Ok((package.to_owned(), PathBuf::from(file)))
        }
        _ => Err("write it as PACKAGE=FILE, for example @skiff/true-wind=config.json".into()),
    }
}

/// Runs the command.
pub fn command(args: &Args) -> Result<(), Failure> {
    let limits = super::run_by(args.engine, Limits::of(args.board));
    let plugins = plugins(args, &limits)?;
    let mut output = Output {
        data: Data::stdout(),
        expected: args.expect.as_deref().map(Expected::open).transpose()?,
        line: 0,
        records: 0,
        summary: args.summary.then(Summary::default),
    };
    let result = played(args, limits, plugins, &mut output);
    match result.and_then(|()| output.finish()) {
        Err(Ended::Enough) => Ok(()),
        Err(Ended::Failed(failure)) => Err(failure),
        Ok(()) => Ok(()),
    }
}

fn played(args: &Args, limits: Limits, plugins: Plugins, output: &mut Output) -> Result<(), Ended> {
    let mut plugins = Some(plugins);
    let mut begin = |label: &str, start: UnixMillis| {
        let mut replay = Replay::new(limits, label, start, args.strict);
        if args.summary {
            replay.plugin_lines_only();
        }
        install(&mut replay, plugins.take().unwrap_or_default(), &limits)?;
        Ok(replay)
    };
    let Some(log) = &args.log else {
        let mut replay = play::sample(&mut begin, &mut |replay| output.record(replay))?;
        output.end(&mut replay)?;
        return output.tell(boat::LABEL, Some(&replay));
    };
    let source = Source::new(log);
    let mut played = play::log(&source, args.writing, &mut begin, &mut |replay| output.record(replay))?;
    if let Some(replay) = &mut played.replay {
        output.end(replay)?;
        unmapped(&source, replay.gateway());
    }
    output.tell(&source.label(), played.replay.as_ref())?;
    output.data.flush()?;
    Ok(played.verdict(&source)?)
}

/// Tells which sentences of NMEA 0183 have no mapping.
fn unmapped(source: &Source, gateway: &Gateway) {
    let kinds: Vec<String> = gateway.unmapped_sentences().map(|(kind, count)| format!("{kind} {count}")).collect();
    if !kinds.is_empty() {
        log::info!("{source}: sentences of kinds that are not mapped: {}", kinds.join(", "));
    }
}

/// Packages to run with their configurations.
type Plugins = Vec<(Package, Option<String>)>;

fn plugins(args: &Args, limits: &Limits) -> Result<Plugins, Failure> {
    let mut configs = BTreeMap::new();
    for (package, file) in &args.plugin_config {
        configs.insert(package.clone(), read_config(file, limits.plugin.config_bytes_max)?);
    }
    let mut plugins = Plugins::new();
    if args.plugin.is_empty() && args.sample {
        for embedded in &sample::PACKAGES {
            let package = embedded.package().map_err(|error| Failure::new(exit::INPUT_CORRUPT, error))?;
            plugins.push((package, Some(embedded.config.to_owned())));
        }
    }
    for path in &args.plugin {
        let package = packages::load(path, packages::module_bytes_max()).map_err(super::not_loaded)?;
        plugins.push((package, None));
    }
    for (package, config) in &mut plugins {
        let given = configs.remove(&package.name).or_else(|| configs.remove(&plugin_id(&package.name)));
        *config =
            given.or_else(|| config.take()).or_else(|| play::sample_config(&package.name).filter(|_| args.sample));
    }
    if let Some(name) = configs.keys().next() {
        let text = format!("--plugin-config names {name}, which is not one of the plugins; add it: --plugin {name}");
        return Err(Failure::new(exit::USAGE, text));
    }
    Ok(plugins)
}

/// Reads a configuration object, compact.
pub(super) fn read_config(path: &Path, limit_bytes: u32) -> Result<String, Failure> {
    let file = File::open(path)
        .map_err(|error| Failure::new(exit::INPUT_MISSING, format_args!("{}: {error}", path.display())))?;
    super::plugin::read_object(file, limit_bytes)
        .map_err(|(code, reason)| Failure::new(code, format_args!("{}: {reason}", path.display())))
}

/// Installs the plugins. Who names a package wants it played: one that the board does not run ends the command.
fn install(replay: &mut Replay, plugins: Plugins, limits: &Limits) -> Result<(), Ended> {
    for (package, config) in plugins {
        play::must_run(&package, limits, replay)?;
        let name = package.name.clone();
        let refused = |error| Failure::new(exit::VERDICT, format_args!("{name}: {error}"));
        replay.install(package, config).map_err(refused)?;
    }
    Ok(())
}

struct Output {
    data: Data,
    expected: Option<Expected>,
    line: u64,
    records: u64,
    /// Takes the lines instead of who reads stdout.
    summary: Option<Summary>,
}

/// Longest line of `--expect`, bytes: the longest delta with a package name and a context around it, twice over.
const EXPECTED_BYTES_MAX: u64 = 2 * (DELTA_BYTES_MAX as u64 + 1024);

/// The file of `--expect`, read beside the output.
struct Expected {
    path: PathBuf,
    lines: BufReader<File>,
}

impl Expected {
    fn open(path: &Path) -> Result<Self, Failure> {
        let unreadable = |error| Failure::new(exit::INPUT_MISSING, format_args!("{}: {error}", path.display()));
        Ok(Self { path: path.to_owned(), lines: BufReader::new(File::open(path).map_err(unreadable)?) })
    }

    /// Returns the next line without its end. What is longer than any line of ours is cut, and differs.
    fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let unreadable = |error| Failure::new(exit::INPUT_MISSING, format_args!("{}: {error}", self.path.display()));
        let mut line = Vec::new();
        let read = self.lines.by_ref().take(EXPECTED_BYTES_MAX).read_until(b'\n', &mut line).map_err(unreadable)?;
        line.pop_if(|byte| *byte == b'\n');
        line.pop_if(|byte| *byte == b'\r');
        Ok((read > 0).then_some(line))
    }
}

impl Output {
    /// Takes what came of a record.
    fn record(&mut self, replay: &mut Replay) -> Result<(), Ended> {
        self.records = self.records.saturating_add(1);
        self.take(replay)
    }

    /// Ends the log.
    fn end(&mut self, replay: &mut Replay) -> Result<(), Ended> {
        self.summary.iter_mut().for_each(|summary| summary.at_end(replay.gateway()));
        replay.finish();
        self.take(replay)
    }

    /// Tells what it came to.
    fn tell(&mut self, label: &str, replay: Option<&Replay>) -> Result<(), Ended> {
        if let Some(summary) = &self.summary {
            self.data.line(&summary.json(label, self.records, replay.map(Replay::gateway)))?;
        }
        Ok(())
    }

    fn take(&mut self, replay: &mut Replay) -> Result<(), Ended> {
        if let Some(summary) = &mut self.summary {
            summary.take(replay);
            return Ok(());
        }
        while let Some(line) = replay.next_line() {
            self.line = self.line.saturating_add(1);
            self.data.line(&line)?;
            if let Some(expected) = &mut self.expected {
                let wanted = expected.next()?;
                if wanted.as_deref() != Some(line.as_bytes()) {
                    let path = expected.path.clone();
                    self.data.flush()?;
                    return Err(Ended::Failed(differs(&path, self.line, wanted.as_deref(), Some(&line))));
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Ended> {
        self.data.flush()?;
        if let Some(expected) = &mut self.expected
            && let Some(wanted) = expected.next()?
        {
            let path = expected.path.clone();
            return Err(Ended::Failed(differs(&path, self.line.saturating_add(1), Some(&wanted), None)));
        }
        Ok(())
    }
}

/// Names the first line that differs, with both forms of it.
fn differs(path: &Path, line: u64, expected: Option<&[u8]>, got: Option<&str>) -> Failure {
    let shown = |text: Option<&str>| text.map_or_else(|| "nothing".to_owned(), |text| text.chars().take(500).collect());
    let expected = expected.map(String::from_utf8_lossy);
    let (expected, got) = (shown(expected.as_deref()), shown(got));
    Failure::new(
        exit::VERDICT,
        format_args!("line {line} differs from {}: expected {expected} but got {got}", path.display()),
    )
}
