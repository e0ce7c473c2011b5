//! `skiff decode`: a log in, Signal K deltas out.

use clap::Args as ClapArgs;
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::n2k::log::{Format, LogWriter, Mode, Record, To};
use skiff_runtime::n2k::{Counters, DeltaForm, N2kMessage, Receiver};
use skiff_runtime::time::{Instant, UnixMillis};

use super::exit::{self, Failure};
use super::progress::LogProgress;
use super::talk::{Data, DataError};
use crate::logs::{Log, LogEntry, Losses, Source};

/// Turn an NMEA 2000 log into Signal K deltas, one a line, or into another format
///
/// Each line on stdout is one delta as JSON; `_line` is the number of the log's line, frame or record that completed
/// it. What cannot be read is told on stderr and passed over.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  \
    skiff decode log.candump\n  \
    candump -L can0 | skiff decode -\n  \
    skiff decode race.log --format canboat --mode plain | head\n  \
    skiff decode boat.ebl --to candump > boat.log")]
pub struct Args {
    /// The log, `-` for standard input
    #[arg(value_name = "LOG")]
    log: String,

    /// How it is written; auto finds out: auto, candump, canboat, ydwg, n2kascii, ngt1, ebl, ikonvert, pcdin, mxpgn,
    /// garmin, trc, bst, pcap, ydvr
    #[arg(long, value_name = "F", default_value = "auto", value_parser = super::parse_format)]
    format: Format,

    /// What a canboat line holds: frames (plain), whole messages (fast), both (mixed), or auto
    #[arg(long, value_name = "M", default_value = "auto", value_parser = super::parse_mode)]
    mode: Mode,

    /// Write the log in another format instead of deltas: candump, ydwg, n2kascii, canboat
    #[arg(long, value_name = "F", value_parser = super::parse_to)]
    to: Option<To>,
}

/// Runs the command.
pub fn command(args: &Args) -> Result<(), Failure> {
    let source = Source::new(&args.log);
    let unreadable = |error: std::io::Error| Failure::new(exit::INPUT_MISSING, format_args!("{source}: {error}"));
    let mut log = Log::open(&source, args.format, args.mode).map_err(unreadable)?;
    let mut losses = Losses::default();
    let mut decoder = Decoder::new();
    let mut writer = args.to.map(LogWriter::new);
    let (mut lines, mut unwritten) = (String::new(), 0_u64);
    let mut data = Data::stdout();
    let mut progress = LogProgress::begin(&source);
    while let Some(entry) = log.next_entry().map_err(unreadable)? {
        progress.tell(log.read_bytes());
        match entry {
            LogEntry::Bad { number, error, is_last } => losses.bad(&source, number, error, is_last),
            LogEntry::Sentence { .. } => losses.sentence(),
            LogEntry::Delta { .. } => losses.delta(),
            LogEntry::Record { number, record } => {
                losses.record();
                let written = if let Some(writer) = &mut writer {
                    lines.clear();
                    unwritten = unwritten.saturating_add(writer.write(&record, &mut lines).is_err().into());
                    lines.lines().try_for_each(|line| data.line(line))
                } else {
                    decoder.record(number, &record).map_or(Ok(()), |line| data.line(line))
                };
                if let Err(error) = written {
                    return error.into_result();
                }
            }
        }
    }
    drop(progress);
    if let Err(error) = data.flush() {
        return DataError::into_result(error);
    }
    if losses.sentences() > 0 {
        log::info!("{source}: {} sentences of NMEA 0183, left out; skiff replay takes them too", losses.sentences());
    }
    log.tell_mode(&source);
    if writer.is_none() {
        summary(&source, &decoder.receiver);
    }
    if unwritten > 0 {
        log::warn!("{source}: {unwritten} records cannot be written in that format");
    }
    losses.verdict(&source).map_err(|text| Failure::new(exit::INPUT_CORRUPT, text))
}

/// Tells what became of the messages, and what was lost of them.
fn summary(source: &Source, receiver: &Receiver) {
    let counters = receiver.counters();
    let Counters { messages, deltas, unmapped, without_value, null_address, .. } = counters;
    log::info!(
        "{source}: {messages} messages, {deltas} deltas; {unmapped} are not mapped, {without_value} had no value, \
         {null_address} came from devices without an address"
    );
    let losses: Vec<String> = counters
        .losses()
        .into_iter()
        .chain([("unfinished", receiver.unfinished() as u64)])
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{} {count}", name.trim_start_matches("n2k_")))
        .collect();
    if !losses.is_empty() {
        log::warn!("{source}: lost on the way, by reason: {}", losses.join(", "));
    }
}

/// Decodes records one by one.
struct Decoder {
    receiver: Receiver,
}

impl Decoder {
    fn new() -> Self {
        Self { receiver: Receiver::with_limits("", Limits::of(Board::Linux).n2k) }
    }

    /// Returns the delta that `record` completes; without a date in the log it has no time stamp.
    fn record(&mut self, line: u64, record: &Record) -> Option<&str> {
        // The clock of a log jumps where two were joined: fast packets are told apart by their counters alone here.
        let now = Instant::default();
        let mut message = N2kMessage::default();
        if !self.receiver.item_into(&record.item, now, &mut message) {
            return None;
        }
        let wall = record.time.filter(|time| time.is_dated()).unwrap_or(UnixMillis::UNKNOWN);
        self.receiver.delta_text(&message, wall, DeltaForm::Line { line })
    }
}
