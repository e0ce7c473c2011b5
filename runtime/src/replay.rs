//! The whole gateway on a virtual clock: same input, same bytes out.
//!
//! Time is the log's (`docs/command-line.md`): `poll` of plugins runs at each whole
//! second of it, a log without times advances 1 ms a record. After each record the gateway runs
//! until it is idle, so that what plugins emit stands right behind the delta that caused it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::budget::Limits;
use crate::config::Vessel;
use crate::delta::{Delta, Stamp};
use crate::gateway::{Event, Gateway, InputId, Setup};
use crate::hal::sim::{SimClock, SimRng, SimStorage};
use crate::hal::{Clock, Hal, Storage};
#[cfg(any(test, feature = "trace"))]
use crate::host::Acted;
use crate::json;
use crate::n2k::log::{Item, Record};
use crate::n2k::{DeltaForm, Receiver};
use crate::nmea0183::Sentences;
use crate::package::Package;
use crate::plugin::{Enabled, InstallError};
use crate::server::Access;
use crate::time::{Instant, UnixMillis};

/// Identity of the own vessel in `--sample`, `replay` and `test`.
pub use crate::config::SAMPLE_SELF_CONTEXT as SELF_CONTEXT;
/// Time a record takes in a log that has no times.
pub const RECORD_STEP_MS: i64 = 1;
/// Whole seconds that are played one by one where the log has a gap; a longer gap (a log joined from two days)
/// is jumped over after as many.
pub const GAP_SECONDS_MAX: i64 = 3600;
/// Seed of what plugins see as random.
const RNG_SEED: u64 = 0x9e37_79b9;
/// Polls in a row after which a gateway that does not come to rest is an error of ours.
const SETTLE_POLLS_MAX: usize = 10_000_000;

/// Decoders of the bare output form.
struct Plain {
    n2k: Receiver,
    sentences: Sentences,
}

/// A gateway that plays a log.
pub struct Replay {
    gateway: Gateway,
    clock: SimClock,
    input: InputId,
    /// Decodes a second time for the bare output form, whose source label is empty; `None` when it is not asked for.
    plain: Option<Plain>,
    /// Wall time of the last record.
    wall: Option<UnixMillis>,
    /// The first whole second behind it, so that most records need no division.
    next_second: UnixMillis,
    lines: VecDeque<String>,
    after_poll: fn(),
    /// When the gateway wants to run again although nothing comes; `None`: not before.
    wake: Option<Instant>,
}

impl Replay {
    /// Builds a replay for a board; `label` is the source label of the log's deltas.
    ///
    /// `start` is the time of the first record, so that plugins start at it.
    #[must_use]
    pub fn new(limits: Limits, label: &str, start: UnixMillis, strict: bool) -> Self {
        Self::with_storage(limits, label, start, strict, Box::new(SimStorage::new()))
    }

    /// Builds a replay as [`new`](Self::new) does, on a storage that is the caller's: a board with images in flash.
    #[must_use]
    pub fn with_storage(
        limits: Limits,
        label: &str,
        start: UnixMillis,
        strict: bool,
        storage: Box<dyn Storage>,
    ) -> Self {
        let clock = SimClock::new(start);
        let hal = Hal {
            clock: Box::new(LogClock(clock.clone())),
            rng: Box::new(SimRng::new(RNG_SEED)),
            storage,
            network: None,
            fetch: None,
            serial: None,
            can: Vec::new(),
        };
        let setup = Setup {
            limits,
            vessel: Vessel::default(),
            self_context: String::from(SELF_CONTEXT),
            access: Access::with_new_token(&mut SimRng::new(RNG_SEED)).0.allow_anyone(),
            strict,
            version: env!("CARGO_PKG_VERSION"),
            events: true,
            poll_on_whole_seconds: true,
        };
        let mut gateway = Gateway::new(setup, hal);
        let input = gateway.input(label);
        Self {
            gateway,
            clock,
            input,
            plain: Some(Plain { n2k: Receiver::with_limits("", limits.n2k), sentences: Sentences::new("") }),
            wall: None,
            next_second: UnixMillis(0),
            lines: VecDeque::new(),
            after_poll: || {},
            wake: Some(Instant::default()),
        }
    }

    /// Leaves the decoded deltas out of [`next_line`](Self::next_line): only what plugins emit is left, and the memory
    /// of a second decoder is saved.
    pub fn plugin_lines_only(&mut self) {
        self.plain = None;
    }

    /// Calls `tick` after each poll of the gateway: a board whose watchdog wants to hear of it.
    pub fn after_each_poll(&mut self, tick: fn()) {
        self.after_poll = tick;
    }

    /// Installs a package and starts it with `config`, a JSON object.
    ///
    /// # Errors
    /// [`InstallError`]; a plugin that is refused or fails to start shows in [`gateway`](Self::gateway) instead.
    pub fn install(&mut self, package: Package, config: Option<String>) -> Result<(), InstallError> {
        self.gateway.install(package, Enabled::Always { config })?;
        self.settle();
        Ok(())
    }

    /// Installs a package as [`install`](Self::install) does, and watches it: no filter holds, and what its calls of
    /// `delta_handler` do comes from [`take_acted`](Self::take_acted).
    ///
    /// # Errors
    /// As there.
    #[cfg(any(test, feature = "trace"))]
    pub fn install_watched(&mut self, package: Package, config: Option<String>) -> Result<(), InstallError> {
        let id = package.id();
        self.gateway.install(package, Enabled::Always { config })?;
        self.gateway.watch(&id);
        self.settle();
        Ok(())
    }

    /// Takes what the calls of a plugin that is watched did since this was last asked.
    #[cfg(any(test, feature = "trace"))]
    pub fn take_acted(&mut self, id: &str) -> Vec<Acted> {
        self.gateway.take_acted(id)
    }

    /// Plays one record: its decoded delta, then what plugins emit because of it, go to [`next_line`](Self::next_line).
    ///
    /// `line` is the number of the record's line, frame or record, from 1.
    pub fn record(&mut self, line: u64, record: &Record) {
        let wall = self.step(record.time);
        let dated = Some(wall).filter(|wall| wall.is_dated());
        let now = self.clock_now();
        if let Some(delta) = self.plain.as_mut().and_then(|plain| decoded(&mut plain.n2k, line, record, wall, now)) {
            self.lines.push_back(String::from(delta.text()));
        }
        self.gateway.receive_item(self.input, &record.item, dated);
        self.settle();
    }

    /// Plays one sentence of NMEA 0183, as [`record`](Self::record) does; `line` is the number of its line, from 1, and
    /// `time` its time in the log.
    pub fn sentence(&mut self, line: u64, time: Option<UnixMillis>, text: &str) {
        let wall = self.step(time);
        let form = DeltaForm::Line { line };
        let dated = Some(wall).filter(|wall| wall.is_dated());
        let stamp = dated.unwrap_or(UnixMillis::UNKNOWN);
        // A refused sentence stands in the gateway's counters.
        if let Some(Ok(Some(delta))) = self.plain.as_mut().map(|plain| plain.sentences.delta(text, stamp, form)) {
            self.lines.push_back(String::from(delta.text()));
        }
        self.gateway.receive_sentence(self.input, text, dated);
        self.settle();
    }

    /// Plays one delta that another server logged, as [`sentence`](Self::sentence) does; what is none is counted.
    pub fn delta(&mut self, line: u64, time: Option<UnixMillis>, text: &str) {
        let wall = self.step(time);
        let dated = Some(wall).filter(|wall| wall.is_dated());
        let now = dated.unwrap_or(UnixMillis::UNKNOWN);
        let stamp = Stamp { source_ref: "", self_context: SELF_CONTEXT, now };
        if self.plain.is_some()
            && let Ok(delta) = Delta::parse(text, &stamp)
        {
            self.lines.push_back(json::object(|out| {
                out.number("_line", line);
                if delta.context() != SELF_CONTEXT {
                    out.text("context", delta.context());
                }
                out.json("updates", delta.updates_text());
            }));
        }
        self.gateway.receive_delta(self.input, text, dated);
        self.settle();
    }

    /// Moves the clock to a time of the log, or on by [`RECORD_STEP_MS`], and returns it.
    fn step(&mut self, time: Option<UnixMillis>) -> UnixMillis {
        let wall = match (time, self.wall) {
            (Some(time), _) => time,
            (None, Some(last)) => UnixMillis(last.0.saturating_add(RECORD_STEP_MS)),
            (None, None) => self.gateway_wall(),
        };
        self.advance(wall);
        wall
    }

    /// Ends the log: stops the plugins.
    pub fn finish(&mut self) {
        self.gateway.stop();
        self.settle();
    }

    /// Takes the next line of output.
    pub fn next_line(&mut self) -> Option<String> {
        self.lines.pop_front()
    }

    /// Returns the gateway, to ask it as clients do.
    pub fn gateway_mut(&mut self) -> &mut Gateway {
        &mut self.gateway
    }

    /// Returns the gateway, to look at its plugins and counters.
    #[must_use]
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    fn gateway_wall(&self) -> UnixMillis {
        self.clock.wall().unwrap_or_default()
    }

    /// Moves the clock to `wall`, stopping on the way at each whole second for `poll`, and where something is due.
    fn advance(&mut self, wall: UnixMillis) {
        if let Some(last) = self.wall.filter(|_| wall.0 >= self.next_second.0) {
            let mut second = last.0.div_euclid(1000).saturating_add(1);
            let end = wall.0.div_euclid(1000).min(second.saturating_add(GAP_SECONDS_MAX));
            while second <= end {
                self.advance_to(UnixMillis(second.saturating_mul(1000)));
                second = second.saturating_add(1);
            }
        }
        if self.wall.is_none_or(|last| wall.0 >= self.next_second.0 || wall < last) {
            self.next_second = UnixMillis(wall.0.div_euclid(1000).saturating_add(1).saturating_mul(1000));
        }
        self.advance_to(wall);
        self.wall = Some(wall);
    }

    /// Moves the clock to `wall`, and runs the gateway where the clock comes to what it waits for: also on the way, so
    /// that an update of a plugin which keeps an interval runs at its time.
    fn advance_to(&mut self, wall: UnixMillis) {
        let ahead = wall.0.saturating_sub(self.gateway_wall().0);
        let micros = u64::try_from(ahead).unwrap_or(0).saturating_mul(1000);
        let target = Instant(self.clock_now().0.saturating_add(micros));
        while let Some(wake) = self.wake.filter(|wake| *wake > self.clock_now() && *wake < target) {
            self.clock.advance_to(wake);
            self.settle();
        }
        self.clock.advance_to_wall(wall);
        if self.wake.is_some_and(|at| at <= self.clock_now()) {
            self.settle();
        }
    }

    /// Runs the gateway until it is idle and collects what plugins emitted.
    fn settle(&mut self) {
        for _ in 0..SETTLE_POLLS_MAX {
            let wake = self.gateway.poll();
            (self.after_poll)();
            while let Some(Event::Emitted { package, delta }) = self.gateway.next_event() {
                self.lines.push_back(plugin_line(&package, &delta));
            }
            if !wake.busy && wake.at.is_none_or(|at| at > self.clock_now()) {
                self.wake = wake.at;
                return;
            }
        }
        log::error!("the gateway did not come to rest");
    }

    fn clock_now(&self) -> Instant {
        Clock::now(&self.clock)
    }
}

/// The clock of a log; its wall clock is not known where the log has times without a date.
struct LogClock(SimClock);

impl Clock for LogClock {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn wall(&self) -> Option<UnixMillis> {
        self.0.wall().filter(|wall| wall.is_dated())
    }

    fn set_wall(&mut self, time: UnixMillis) {
        self.0.set_wall(time);
    }
}

/// Decodes a record in the bare output form.
fn decoded(plain: &mut Receiver, line: u64, record: &Record, wall: UnixMillis, now: Instant) -> Option<Arc<Delta>> {
    let message = match &record.item {
        Item::Frame(frame) => plain.frame(frame, now),
        Item::Whole { id, payload } => plain.whole(*id, payload),
    }?;
    let stamp = if wall.is_dated() { wall } else { UnixMillis::UNKNOWN };
    plain.delta(&message, stamp, DeltaForm::Line { line })
}

/// Returns `{"_plugin":…,"context":…,"updates":…}`, the line of a delta that a plugin emitted (`docs/command-line.md`).
#[must_use]
pub fn plugin_line(package: &str, delta: &Delta) -> String {
    json::object(|line| {
        line.text("_plugin", package).text("context", delta.context()).json("updates", delta.updates_text());
    })
}
