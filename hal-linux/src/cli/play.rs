//! Plays a log, or the simulated boat, through a gateway on a virtual clock: for `replay` and `plugin subscribe`.

use clap::Args as ClapArgs;
use skiff_runtime::budget::{Board, Limits, Shortage};
use skiff_runtime::host::{Fit, ModuleFacts, Refusal};
use skiff_runtime::n2k::log::{Format, Mode};
use skiff_runtime::n2k::sample as boat;
use skiff_runtime::package::Package;
use skiff_runtime::replay::Replay;
use skiff_runtime::time::UnixMillis;

use super::exit::{self, Failure};
use super::progress::LogProgress;
use super::talk::DataError;
use crate::logs::{Log, LogEntry, Losses, Source, TimedLog};
use crate::sample;

/// How a log is written.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(super) struct Writing {
    /// How the log is written: auto, candump, canboat, ydwg, n2kascii, ngt1, ebl, ikonvert, pcdin, mxpgn, garmin, trc,
    /// bst, pcap, ydvr
    #[arg(long, value_name = "F", default_value = "auto", value_parser = super::parse_format)]
    format: Format,

    /// What a canboat line holds: plain, fast, mixed, or auto
    #[arg(long, value_name = "M", default_value = "auto", value_parser = super::parse_mode)]
    mode: Mode,
}

/// Why it ends before its log does.
pub(super) enum Ended {
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

/// Builds the gateway, with its plugins, for the label and the time of the first record.
pub(super) type Begin<'b> = dyn FnMut(&str, UnixMillis) -> Result<Replay, Ended> + 'b;
/// Takes what comes of each record.
pub(super) type Each<'e> = dyn FnMut(&mut Replay) -> Result<(), Ended> + 'e;

/// A log that was played to its end.
pub(super) struct Played {
    /// The gateway; `None` where the log has no record.
    pub replay: Option<Replay>,
    log: TimedLog,
    losses: Losses,
}

impl Played {
    /// Warns of what could not be read; a log that is none is an error.
    pub fn verdict(&self, source: &Source) -> Result<(), Failure> {
        self.log.log().tell_mode(source);
        self.losses.verdict(source).map_err(|text| Failure::new(exit::INPUT_CORRUPT, text))
    }
}

/// Plays a log.
pub(super) fn log(
    source: &Source,
    writing: Writing,
    begin: &mut Begin<'_>,
    each: &mut Each<'_>,
) -> Result<Played, Ended> {
    let unreadable = |error: std::io::Error| Failure::new(exit::INPUT_MISSING, format_args!("{source}: {error}"));
    let log = Log::open(source, writing.format, writing.mode).map_err(unreadable)?;
    let mut log = TimedLog::new(log);
    let mut losses = Losses::default();
    let mut replay = None;
    let mut progress = LogProgress::begin(source);
    while let Some(entry) = log.next_entry().map_err(unreadable)? {
        progress.tell(log.log().read_bytes());
        let start = match &entry {
            LogEntry::Bad { number, error, is_last } => {
                losses.bad(source, *number, *error, *is_last);
                continue;
            }
            LogEntry::Record { record, .. } => record.time,
            LogEntry::Sentence { time, .. } | LogEntry::Delta { time, .. } => *time,
        };
        let replay = match &mut replay {
            Some(replay) => replay,
            // Plugins start at the time of the first record.
            none => none.insert(begin(&source.label(), start.unwrap_or_default())?),
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
        each(replay)?;
    }
    Ok(Played { replay, log, losses })
}

/// Plays the simulated boat.
pub(super) fn sample(begin: &mut Begin<'_>, each: &mut Each<'_>) -> Result<Replay, Ended> {
    let mut replay = begin(boat::LABEL, boat::START)?;
    for (number, record) in (1..).zip(sample::Records::new()) {
        replay.record(number, &record);
        each(&mut replay)?;
    }
    Ok(replay)
}

/// Refuses a plugin that the board does not run. Who names a package wants it played.
pub(super) fn must_run(package: &Package, limits: &Limits, replay: &Replay) -> Result<(), Failure> {
    let refused = |code, clause: &dyn std::fmt::Display| Failure::new(code, format_args!("{}: {clause}", package.name));
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
    Ok(())
}

/// In the sample a built-in package has its sample configuration, wherever it was loaded from.
pub(super) fn sample_config(name: &str) -> Option<String> {
    let known = |embedded: &&sample::Embedded| embedded.package().is_ok_and(|package| package.name == name);
    sample::PACKAGES.iter().find(known).map(|embedded| embedded.config.to_owned())
}
