//! `skiff replay`: the whole gateway on a virtual clock.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use skiff_runtime::budget::{Board, Limits, Shortage};
use skiff_runtime::delta::DELTA_BYTES_MAX;
use skiff_runtime::gateway::Gateway;
use skiff_runtime::host::{Fit, ModuleFacts, Refusal};
use skiff_runtime::n2k::log::{Format, Mode};
use skiff_runtime::n2k::sample as boat;
use skiff_runtime::package::{Package, plugin_id};
use skiff_runtime::replay::Replay;
use skiff_runtime::time::UnixMillis;

use super::exit::{self, Failure};
use super::talk::{Data, DataError};
use crate::logs::{Log, LogEntry, Losses, Source, TimedLog};
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
    skiff replay race.log --plugin tide-1.0.0.tgz --expect yesterday.ndjson")]
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

    /// Compare the output with FILE; exit 1 and name the first line that differs
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,

    /// How the log is written: auto, candump, canboat, ydwg, n2kascii, ngt1, ebl, ikonvert, pcdin, mxpgn, garmin, trc,
    /// bst, pcap, ydvr
    #[arg(long, value_name = "F", default_value = "auto", value_parser = super::parse_format)]
    format: Format,

    /// What a canboat line holds: plain, fast, mixed, or auto
    #[arg(long, value_name = "M", default_value = "auto", value_parser = super::parse_mode)]
    mode: Mode,

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
    let limits = Limits::of(args.board);
    let plugins = plugins(args, &limits)?;
    let mut output =
        Output { data: Data::stdout(), expected: args.expect.as_deref().map(Expected::open).transpose()?, line: 0 };
    let result = if let Some(log) = &args.log {
        replay_log(args, &Source::new(log), limits, plugins, &mut output)
    } else {
        let mut replay = Replay::new(limits, boat::LABEL, boat::START, args.strict);
        install(&mut replay, plugins, &limits).and_then(|()| {
            for (number, record) in (1..).zip(sample::Records::new()) {
                replay.record(number, &record);
                output.take(&mut replay)?;
            }
            replay.finish();
            output.take(&mut replay)
        })
    };
    match result.and_then(|()| output.finish()) {
        Err(Ended::Enough) => Ok(()),
        Err(Ended::Failed(failure)) => Err(failure),
        Ok(()) => Ok(()),
    }
}

fn replay_log(
    args: &Args,
    source: &Source,
    limits: Limits,
    plugins: Plugins,
    output: &mut Output,
) -> Result<(), Ended> {
    let unreadable = |error: std::io::Error| Failure::new(exit::INPUT_MISSING, format_args!("{source}: {error}"));
    let log = Log::open(source, args.format, args.mode).map_err(unreadable)?;
    let mut log = TimedLog::new(log);
    let mut losses = Losses::default();
    let mut plugins = Some(plugins);
    let mut replay = None;
    while let Some(entry) = log.next_entry().map_err(unreadable)? {
        match entry {
            LogEntry::Bad { number, error, is_last } => losses.bad(source, number, error, is_last),
            entry => {
                let start = start(&entry);
                let replay = match &mut replay {
                    Some(replay) => replay,
                    // Plugins start at the time of the first record.
                    none => {
                        let mut first = Replay::new(limits, &source.label(), start, args.strict);
                        install(&mut first, plugins.take().unwrap_or_default(), &limits)?;
                        none.insert(first)
                    }
                };
                match entry {
                    LogEntry::Record { number, record } => {
                        losses.record();
                        replay.record(number, &record);
                    }
                    LogEntry::Sentence { number, time, text } => {
                        losses.sentence();
                        replay.sentence(number, time, &text);
                    }
                    LogEntry::Delta { number, time, text } => {
                        losses.delta();
                        replay.delta(number, time, &text);
                    }
                    LogEntry::Bad { .. } => {}
                }
                output.take(replay)?;
            }
        }
    }
    if let Some(replay) = &mut replay {
        replay.finish();
        output.take(replay)?;
        summary(source, replay.gateway());
    }
    output.data.flush()?;
    log.log().tell_mode(source);
    losses.verdict(source).map_err(|text| Ended::Failed(Failure::new(exit::INPUT_CORRUPT, text)))
}

fn start(entry: &LogEntry) -> UnixMillis {
    let time = match entry {
        LogEntry::Record { record, .. } => record.time,
        LogEntry::Sentence { time, .. } | LogEntry::Delta { time, .. } => *time,
        LogEntry::Bad { .. } => None,
    };
    time.unwrap_or_default()
}

/// Tells which sentences of NMEA 0183 have no mapping.
fn summary(source: &Source, gateway: &Gateway) {
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
        *config = given.or_else(|| config.take()).or_else(|| sample_config(args, &package.name));
    }
    if let Some(name) = configs.keys().next() {
        let text = format!("--plugin-config names {name}, which is not one of the plugins; add it: --plugin {name}");
        return Err(Failure::new(exit::USAGE, text));
    }
    Ok(plugins)
}

/// In the sample a built-in package has its sample configuration, wherever it was loaded from.
fn sample_config(args: &Args, name: &str) -> Option<String> {
    let known = |embedded: &&sample::Embedded| embedded.package().is_ok_and(|package| package.name == name);
    sample::PACKAGES.iter().filter(|_| args.sample).find(known).map(|embedded| embedded.config.to_owned())
}

/// Reads a configuration object, compact.
fn read_config(path: &Path, limit_bytes: u32) -> Result<String, Failure> {
    let file = File::open(path)
        .map_err(|error| Failure::new(exit::INPUT_MISSING, format_args!("{}: {error}", path.display())))?;
    super::plugin::read_object(file, limit_bytes)
        .map_err(|(code, reason)| Failure::new(code, format_args!("{}: {reason}", path.display())))
}

/// Installs the plugins. Who names a package wants it played: one that the board does not run ends the command.
fn install(replay: &mut Replay, plugins: Plugins, limits: &Limits) -> Result<(), Ended> {
    for (package, config) in plugins {
        let name = package.name.clone();
        let refused =
            |code, clause: &dyn std::fmt::Display| Ended::Failed(Failure::new(code, format_args!("{name}: {clause}")));
        let code = |refusal: &Refusal| if refusal.is_damage() { exit::INPUT_CORRUPT } else { exit::VERDICT };
        let facts = ModuleFacts::survey(&package.wasm).map_err(|refusal| refused(code(&refusal), &refusal))?;
        let fit = Fit::of(&facts, &package.capabilities, limits);
        if limits.board != Board::Linux {
            super::must_fit(&fit).map_err(|failure| refused(failure.code, &failure.text))?;
        }
        if let Some(refusal) = fit.refusals.first() {
            return Err(refused(code(refusal), refusal));
        }
        let (needed, free) = (facts.reserved_bytes(&limits.plugin), replay.gateway().plugins().ledger().free());
        if needed > free {
            return Err(refused(exit::VERDICT, &Shortage { needed, free }));
        }
        replay.install(package, config).map_err(|error| refused(exit::VERDICT, &error))?;
    }
    Ok(())
}

/// Why a replay ends before its log does.
enum Ended {
    /// The reader of stdout has enough.
    Enough,
    Failed(Failure),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<DataError> for Ended {
    fn from(error: DataError) -> Self {
        error.into_result().map_or_else(Self::Failed, |()| Self::Enough)
    }
}

struct Output {
    data: Data,
    expected: Option<Expected>,
    line: u64,
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
    fn take(&mut self, replay: &mut Replay) -> Result<(), Ended> {
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
