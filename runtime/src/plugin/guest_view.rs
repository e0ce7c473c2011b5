//! What a guest's own calls can change of its plugin: status, log, offers, deltas emitted, and the ways out.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::context::World;
use super::fetch::Fetches;
use super::log_share::LogShare;
use super::offers::Offers;
use super::orphans::Orphans;
use super::ports::PortTable;
use super::sockets::{SOCKET_PERIOD, SocketLimits, SocketTable};
#[cfg(any(test, feature = "trace"))]
use super::watched::Watched;
use crate::budget::PluginLimits;
use crate::package::Package;
use crate::queue::Queue;
use crate::time::Instant;

/// Losses on the way to or from a plugin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drops {
    /// Deltas the plugin was too slow for.
    pub deltas: u64,
    /// Deltas it emitted beyond its limit in one call.
    pub emitted: u64,
    /// Texts it emitted that were no delta, and what it has in rows that cannot be used.
    pub malformed: u64,
    /// Binary frames it emitted beyond its limit in one call.
    pub frames: u64,
    /// Deltas not given to it because they had come through too many plugins.
    pub looped: u64,
}

impl Drops {
    /// Returns the sum.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.deltas
            .saturating_add(self.emitted)
            .saturating_add(self.malformed)
            .saturating_add(self.frames)
            .saturating_add(self.looped)
    }
}

/// Lines that one call may log: a flood must not fill the log of the whole system.
const LOG_LINES_PER_CALL: u32 = 256;

/// Bytes of the last line of a call that are kept for a reason.
const LAST_WORDS_BYTES: usize = 200;

/// How a guest says something, by weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Words {
    Status,
    Line,
    Error,
}

/// The part of a plugin that its guest's calls can change.
pub(super) struct GuestView {
    pub(super) package: Arc<str>,
    pub(super) id: Box<str>,
    pub(super) status: Option<String>,
    pub(super) error: Option<String>,
    pub(super) drops: Drops,
    pub(super) emitted_in_call: u16,
    pub(super) emitted_bytes_in_call: usize,
    pub(super) emit_max: u16,
    pub(super) emit_bytes_max: usize,
    pub(super) config_bytes_max: u32,
    pub(super) log: Queue<String>,
    pub(super) logged_in_call: u32,
    log_share: LogShare,
    last_words: (Words, String),
    /// Time of the turn.
    pub(super) now: Instant,
    /// When the call under way, or the last one, began.
    pub(super) call_began: Instant,
    pub(super) offers: Offers,
    pub(super) registrations_max: usize,
    pub(super) frame_bytes_in_call: usize,
    pub(super) frame_bytes_max: usize,
    pub(super) fetches: Fetches,
    pub(super) sockets: SocketTable,
    pub(super) ports: PortTable,
    pub(super) orphans: Orphans,
    status_bytes_max: usize,
    /// What its calls of `delta_handler` did, where it is watched.
    #[cfg(any(test, feature = "trace"))]
    pub(super) watched: Option<Watched>,
}

impl GuestView {
    pub(super) fn new(package: &Package, limits: &PluginLimits, orphans: Orphans) -> Self {
        Self {
            package: Arc::from(package.name.as_str()),
            id: package.id().into(),
            status: None,
            error: None,
            drops: Drops::default(),
            emitted_in_call: 0,
            emitted_bytes_in_call: 0,
            emit_max: limits.emit_queue_len,
            emit_bytes_max: limits.emit_queue_bytes as usize,
            config_bytes_max: limits.config_bytes_max,
            offers: Offers::default(),
            registrations_max: usize::from(limits.registrations_max),
            frame_bytes_in_call: 0,
            frame_bytes_max: limits.stream_bytes_per_call as usize,
            log: Queue::new(limits.log_lines, u32::from(limits.log_lines) * u32::from(limits.status_bytes_max)),
            logged_in_call: 0,
            log_share: LogShare::default(),
            last_words: (Words::Status, String::new()),
            now: Instant::default(),
            call_began: Instant::default(),
            status_bytes_max: usize::from(limits.status_bytes_max),
            #[cfg(any(test, feature = "trace"))]
            watched: None,
            fetches: Fetches::new(limits, orphans.clone()),
            sockets: SocketTable::new(SocketLimits::of(limits), orphans.clone()),
            ports: PortTable::new(limits.serial_ports_max.into(), limits.socket_send_bytes as usize),
            orphans,
        }
    }

    /// Takes on what users know of the version before: its log, what was lost, the offers clients rely on.
    pub(super) fn succeed(&mut self, before: &mut Self) {
        core::mem::swap(&mut self.log, &mut before.log);
        // What the new version logged while it started comes after the lines of the old one.
        while let Some(line) = before.log.pop() {
            let bytes = line.len();
            self.log.push(line, bytes);
        }
        self.drops = core::mem::take(&mut before.drops);
        self.offers.succeed(&mut before.offers);
    }

    /// Counts anew what one call may emit and log.
    pub(super) fn begin_call(&mut self) {
        self.call_began = self.now;
        self.end_of_lines();
        let mut counted = Vec::new();
        self.log_share.end_minute(self.now, &mut |clause| counted.push(clause));
        counted.iter().for_each(|clause| self.say(log::Level::Warn, clause));
        self.forget_words();
        self.emitted_in_call = 0;
        self.emitted_bytes_in_call = 0;
        self.frame_bytes_in_call = 0;
    }

    /// Takes a text into the log, each of its lines by itself.
    pub(super) fn log(&mut self, level: log::Level, text: &str) {
        for line in text.split(['\n', '\r']).filter(|line| !line.trim().is_empty()) {
            self.logged_in_call = self.logged_in_call.saturating_add(1);
            if self.logged_in_call > LOG_LINES_PER_CALL {
                continue;
            }
            // Nothing of a plugin steers a terminal.
            let plain: String = line
                .chars()
                .map(|letter| match letter {
                    '\t' => ' ',
                    letter if letter.is_control() => '\u{fffd}',
                    letter => letter,
                })
                .collect();
            let line = cut(&plain, self.status_bytes_max);
            // What is only for those who look for faults is not kept from them.
            if level > log::Level::Info {
                self.say(level, line);
                continue;
            }
            let mut counted = Vec::new();
            let is_said = self.log_share.take(line, self.now, &mut |clause| counted.push(clause));
            counted.iter().for_each(|clause| self.say(log::Level::Warn, clause));
            if is_said {
                self.say(level, line);
            }
        }
    }

    /// Remembers the last line that the guest itself said in this call, if nothing weightier was: a panic tells there what
    /// went wrong.
    pub(super) fn heard(&mut self, words: Words, text: &str) {
        let last = text.trim_end_matches(['\0', '\n', '\r']).rsplit(['\n', '\r']).find(|line| !line.trim().is_empty());
        if let Some(line) = last.filter(|_| words >= self.last_words.0) {
            self.last_words = (words, cut(line.trim(), LAST_WORDS_BYTES).into());
        }
    }

    /// Adds to a reason what the plugin itself said in the call.
    pub(super) fn with_own_words(&self, reason: &str) -> String {
        let own: String =
            self.last_words.1.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        if own.is_empty() { reason.into() } else { format!("{reason}: {own}") }
    }

    /// Forgets what was said in the call before.
    pub(super) fn forget_words(&mut self) {
        self.last_words = (Words::Status, String::new());
    }

    fn say(&mut self, level: log::Level, line: &str) {
        log::log!(target: "skiff::plugin", level, "{}: {line}", self.package);
        self.log.push(format!("{level} {line}"), line.len());
    }

    /// Tells how many lines of a call were left out, and counts anew.
    pub(super) fn end_of_lines(&mut self) {
        let left_out = self.logged_in_call.saturating_sub(LOG_LINES_PER_CALL);
        self.logged_in_call = 0;
        if left_out > 0 {
            self.log(log::Level::Warn, &format!("{left_out} more lines of one call were left out"));
            self.logged_in_call = 0;
        }
    }

    /// Logs what requests came to nothing.
    pub(super) fn log_fetches(&mut self) {
        while let Some(note) = self.fetches.next_note() {
            self.log(log::Level::Warn, &note);
        }
    }

    /// Polls fetches, sockets and ports; returns when it wants to be looked at again. `stopping` ends all requests, so
    /// that a guest that waits can come to its `plugin_stop`.
    pub(super) fn run_outside(&mut self, stopping: bool, world: &mut World<'_>) -> Option<Instant> {
        self.now = world.now;
        if stopping {
            self.fetches.close();
        }
        let wake = self.fetches.run(&mut world.net.client(world.now));
        self.log_fetches();
        if let Some(note) = self.ports.take_note() {
            self.log(log::Level::Warn, &note);
        }
        if self.sockets.is_empty() {
            return wake;
        }
        if let Some(network) = &mut world.net.network {
            self.sockets.run(*network);
        }
        while let Some(refused) = self.sockets.next_refused() {
            let clause = format!("{refused} is on this machine: \"sockets\" of skiff/plugins.json does not open it");
            self.log(log::Level::Warn, &clause);
        }
        Some(wake.map_or(world.now + SOCKET_PERIOD, |wake| wake.min(world.now + SOCKET_PERIOD)))
    }

    /// Tells whether nothing comes from outside before the guest asks for it.
    pub(super) fn is_closed(&self) -> bool {
        self.fetches.is_empty() && self.sockets.is_empty() && !self.ports.has_note()
    }

    /// Lets go of everything that leads outside: the instance is gone.
    pub(super) fn release(&mut self) {
        self.fetches.release();
        self.sockets.release();
        self.ports.release();
    }

    pub(super) fn set_status(&mut self, text: &str) {
        self.status = (!text.is_empty()).then(|| cut(text, self.status_bytes_max).to_string());
        self.error = None;
    }

    pub(super) fn set_error(&mut self, text: &str) {
        self.error = (!text.is_empty()).then(|| cut(text, self.status_bytes_max).to_string());
    }
}

/// Returns at most `limit` bytes of `text`, whole characters.
fn cut(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}
