//! Inputs that are not CAN: log files and the sample, played at their own pace, and live connections.

use std::io::Read;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use skiff_runtime::gateway::{InputId, InputState};
use skiff_runtime::n2k::log::{Format, Mode, Record};
use skiff_runtime::time::UnixMillis;
use tokio::sync::mpsc;

use crate::input::Wire;
use crate::input::live::{self, About, BackOff, Link};
use crate::input::stop::Stop;
use crate::logs::{Dates, Log, LogEntry, Losses, Source, TimedLog};
use crate::sample;
use crate::wake::Waker;

/// Records waiting for the gateway thread; then the input waits.
const RECORDS_MAX: usize = 256;
/// Longest wait between two records; a log joined from two days goes on after it.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// Time a record takes in a log that has no times.
const RECORD_STEP_MS: i64 = 1;

/// How fast an input is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// This many times as fast as it was recorded.
    Times(f64),
    /// Without any wait.
    Max,
}

/// Fastest factor; beyond it the wait is below a microsecond anyway.
const TIMES_MAX: f64 = 1e6;

impl Speed {
    /// Reads `2`, `0.5` or `max`.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let times = text.parse().ok().filter(|times| (1.0 / TIMES_MAX..=TIMES_MAX).contains(times));
        times.map(Self::Times).ok_or_else(|| "write a factor such as 1, 0.5 or 10, or max".into())
    }
}

/// The source that a feed plays.
pub enum Track {
    /// A log, opened already.
    Log {
        /// Where it comes from.
        source: Source,
        /// Its bytes.
        input: Box<dyn Read + Send>,
        /// How its lines are written.
        format: Format,
    },
    /// The simulated boat, again and again.
    Sample,
    /// A connection or serial port.
    Live {
        /// Where its bytes come from.
        link: Link,
        /// Its name for messages.
        name: String,
        /// How it is written.
        wire: Wire,
    },
}

/// An event of one of the feeds.
pub struct FeedEvent {
    /// The input that it is of.
    pub feed: InputId,
    /// What.
    pub event: InputEvent,
}

/// An event of an input.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are records, and a box for each would cost an allocation")]
pub enum InputEvent {
    /// A frame or message; without a time it happens now.
    Record(Record),
    /// A sentence of NMEA 0183.
    Sentence {
        /// The sentence without the end of its line.
        text: String,
        /// When; `None` is now.
        time: Option<UnixMillis>,
    },
    /// A delta that another server logged.
    Delta {
        /// Its JSON.
        text: String,
        /// When; `None` is now.
        time: Option<UnixMillis>,
    },
    /// What another Signal K server says: its hello, a delta.
    Remote(String),
    /// Something that could not be read.
    Bad,
    /// So many datagrams found no room in the kernel's queue, since the socket was opened.
    Lost(u64),
    /// The source came or went.
    State(InputState),
}

/// What plays tracks, a thread each; their records go into one queue.
pub struct Feeds {
    speed: Speed,
    /// URN of the own vessel.
    own: Arc<str>,
    records: mpsc::Sender<FeedEvent>,
    waker: Waker,
}

/// A track that is played.
pub struct Playing {
    stop: Stop,
    thread: JoinHandle<()>,
    /// Its own port is free only once the thread is gone.
    has_port: bool,
}

/// Longest wait for a port that is given back: its thread was just woken.
const STOP_WAIT: Duration = Duration::from_millis(500);

impl Playing {
    /// Ends it.
    pub fn end(self) {
        self.stop.end();
        let until = Instant::now() + STOP_WAIT;
        while self.has_port && !self.thread.is_finished() && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Feeds {
    /// Makes the queue; its events come out of the receiver, after the waker was woken. `own` is the full context of the own
    /// vessel.
    #[must_use]
    pub fn new(speed: Speed, own: &str, waker: &Waker) -> (Self, mpsc::Receiver<FeedEvent>) {
        let (records, feed_events) = mpsc::channel(RECORDS_MAX);
        let own = own.strip_prefix("vessels.").unwrap_or(own).into();
        (Self { speed, own, records, waker: waker.clone() }, feed_events)
    }

    /// Plays a track as this input.
    ///
    /// # Errors
    /// What the system said when a thread could not be started.
    pub fn play(&self, feed: InputId, track: Track) -> std::io::Result<Playing> {
        let (records, waker, own, speed) =
            (self.records.clone(), self.waker.clone(), Arc::clone(&self.own), self.speed);
        let (stop, has_port) = (Stop::new()?, matches!(track, Track::Live { link: Link::Udp(_), .. }));
        let over = stop.clone();
        let held = if let Track::Live { link, .. } = &track { link.hold(&stop)? } else { None };
        let play = move || {
            let _held = held;
            let send = move |event| {
                let sent = records.blocking_send(FeedEvent { feed, event }).is_ok();
                waker.wake();
                sent
            };
            match track {
                Track::Sample => play_sample(speed, &over, send),
                Track::Log { source, input, format } => {
                    // A file that cannot be read again is told of when it is played.
                    let dates = Dates::of(&source, format, Mode::Auto).unwrap_or_default();
                    let log = Log::new(input, format, Mode::Auto).with_dates(dates);
                    play_log(&source, TimedLog::new(log), speed, &over, send);
                }
                Track::Live { link, name, wire } => {
                    let send: live::Send = Arc::new(send);
                    let back_off = if link.is_of_servers() { BackOff::SERVERS } else { BackOff::default() };
                    live::play(link, About { name, wire, own, stop: over }, back_off, &send);
                }
            }
        };
        let thread = thread::Builder::new().name(format!("input {}", feed.0)).spawn(play)?;
        Ok(Playing { stop, thread, has_port })
    }
}

/// Plays the sample in a loop until it is ended, or the receiver is gone; its records happen now.
fn play_sample(speed: Speed, stop: &Stop, send: impl Fn(InputEvent) -> bool) {
    loop {
        let mut pace = Pace::new(speed);
        for record in sample::Records::new() {
            let is_wanted = stop.sleep(pace.wait(record.time, Instant::now()));
            if !is_wanted || !send(InputEvent::Record(Record { time: None, ..record })) {
                return;
            }
        }
    }
}

/// Plays a log once.
fn play_log(source: &Source, mut log: TimedLog, speed: Speed, stop: &Stop, send: impl Fn(InputEvent) -> bool) {
    let (mut losses, mut pace) = (Losses::default(), Pace::new(speed));
    loop {
        match log.next_entry() {
            Ok(Some(LogEntry::Record { record, .. })) => {
                losses.record();
                if !stop.sleep(pace.wait(record.time, Instant::now())) {
                    return;
                }
                // What has no date happens now.
                let time = record.time.filter(|time| time.is_dated());
                if !send(InputEvent::Record(Record { time, ..record })) {
                    return;
                }
            }
            Ok(Some(LogEntry::Sentence { text, time, .. })) => {
                losses.sentence();
                if !stop.sleep(pace.wait(time, Instant::now())) || !send(InputEvent::Sentence { text, time }) {
                    return;
                }
            }
            Ok(Some(LogEntry::Delta { text, time, .. })) => {
                losses.delta();
                if !stop.sleep(pace.wait(time, Instant::now())) || !send(InputEvent::Delta { text, time }) {
                    return;
                }
            }
            Ok(Some(LogEntry::Bad { number, error, is_last })) => {
                losses.bad(source, number, error, is_last);
                if !send(InputEvent::Bad) {
                    return;
                }
            }
            Ok(None) => break,
            Err(error) => {
                log::error!("{source}: {error}");
                send(InputEvent::State(InputState::Waiting(error.to_string())));
                return;
            }
        }
    }
    send(InputEvent::State(InputState::Ended));
    log.log().tell_mode(source);
    match losses.verdict(source) {
        Ok(()) => log::info!("{source} has been played to its end; serving on"),
        Err(text) => log::error!("{text}"),
    }
}

/// Turns the times of records into waits.
struct Pace {
    speed: Speed,
    /// Time in the log, and when that was.
    last: Option<(UnixMillis, Instant)>,
}

impl Pace {
    fn new(speed: Speed) -> Self {
        Self { speed, last: None }
    }

    /// Returns how long to wait at `now` before a record of that time.
    fn wait(&mut self, time: Option<UnixMillis>, now: Instant) -> Duration {
        let Speed::Times(times) = self.speed else { return Duration::ZERO };
        let Some((last, at)) = self.last else {
            self.last = Some((time.unwrap_or_default(), now));
            return Duration::ZERO;
        };
        let time = time.unwrap_or(UnixMillis(last.0.saturating_add(RECORD_STEP_MS)));
        // Where the date becomes known, nothing has passed.
        let last = if last.is_dated() == time.is_dated() { last } else { time };
        // A log that goes back in time goes on without a wait.
        let passed_ms = u32::try_from(time.0.saturating_sub(last.0).max(0)).unwrap_or(u32::MAX);
        let span = Duration::try_from_secs_f64(f64::from(passed_ms) / 1000.0 / times).unwrap_or(WAIT_MAX);
        let due = at.checked_add(span.min(WAIT_MAX)).unwrap_or(now);
        // Counted from when the last record was due, so that small delays do not add up; a long one (a machine that
        // slept, a reader that held us) is not caught up in a burst.
        let due = if now.saturating_duration_since(due) > Duration::from_secs(1) { now } else { due };
        self.last = Some((time, due));
        due.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn waits_are_those_of_the_log_divided_by_the_speed() {
        let start = Instant::now();
        let mut pace = Pace::new(Speed::Times(2.0));
        assert_eq!(pace.wait(Some(UnixMillis(5000)), start), Duration::ZERO);
        assert_eq!(pace.wait(Some(UnixMillis(5100)), start + millis(10)), millis(40));
        // Late by 10 ms: the next one is due by the log, not by the delay.
        assert_eq!(pace.wait(Some(UnixMillis(5200)), start + millis(60)), millis(40));
        // Back in time, and a gap of a day.
        assert_eq!(pace.wait(Some(UnixMillis(0)), start + millis(100)), Duration::ZERO);
        assert_eq!(pace.wait(Some(UnixMillis(86_400_000)), start + millis(100)), WAIT_MAX);
    }

    #[test]
    fn records_without_time_come_every_millisecond() {
        let start = Instant::now();
        let mut pace = Pace::new(Speed::Times(1.0));
        assert_eq!(pace.wait(None, start), Duration::ZERO);
        assert_eq!(pace.wait(None, start), millis(1));
        assert_eq!(pace.wait(None, start), millis(2));
        let mut pace = Pace::new(Speed::Times(1.0));
        pace.wait(Some(UnixMillis(36_000_000)), start);
        assert_eq!(pace.wait(Some(UnixMillis(1_780_308_000_000)), start), Duration::ZERO, "the date is known now");
        assert_eq!(Pace::new(Speed::Max).wait(Some(UnixMillis(1)), start), Duration::ZERO);
    }

    #[test]
    fn a_long_pause_is_not_caught_up() {
        let start = Instant::now();
        let mut pace = Pace::new(Speed::Times(1.0));
        pace.wait(Some(UnixMillis(0)), start);
        assert_eq!(pace.wait(Some(UnixMillis(100)), start + millis(60_000)), Duration::ZERO);
        assert_eq!(pace.wait(Some(UnixMillis(200)), start + millis(60_000)), millis(100));
    }

    #[test]
    fn speeds_are_factors_or_max() {
        assert_eq!(Speed::parse("0.5"), Ok(Speed::Times(0.5)));
        assert_eq!(Speed::parse("max"), Ok(Speed::Max));
        for text in ["0", "-1", "NaN", "inf", "fast", ""] {
            assert!(Speed::parse(text).is_err(), "{text}");
        }
    }

    fn played(track: Track) -> mpsc::Receiver<FeedEvent> {
        let (feeds, feed_events) = Feeds::new(Speed::Max, "vessels.x", &Waker::new().unwrap());
        feeds.play(InputId(0), track).unwrap();
        feed_events
    }

    #[test]
    fn a_log_ends_while_it_waits_for_its_next_record() {
        let text = "(1700000000.000000) can0 09F80107#00\n(1700000050.000000) can0 09F80107#01\n";
        let track = Track::Log { source: Source::Stdin, input: Box::new(text.as_bytes()), format: Format::Auto };
        let (feeds, mut feed_events) = Feeds::new(Speed::Times(1.0), "vessels.x", &Waker::new().unwrap());
        let playing = feeds.play(InputId(0), track).unwrap();
        assert!(feed_events.blocking_recv().is_some());
        playing.stop.end();
        playing.thread.join().unwrap();
        assert!(feed_events.try_recv().is_err());
    }

    fn time(event: FeedEvent) -> Option<i64> {
        match event.event {
            InputEvent::Record(record) => record.time.map(|time| time.0),
            _ => None,
        }
    }

    #[test]
    fn sentences_are_played_with_the_time_of_their_log() {
        let text = "$IIMTW,17.9,C*1C\n$GPRMC,100010.00,A,5104.6828,N,00415.3691,E,1.0,90.0,081023,,,A*67\n\
                    $IIMTW,17.9,C*1C\n1696759211000;I;{\"updates\":[]}\n";
        let track = Track::Log { source: Source::Stdin, input: Box::new(text.as_bytes()), format: Format::Auto };
        let mut feed_events = played(track);
        let time = |event: FeedEvent| match event.event {
            InputEvent::Sentence { time, .. } | InputEvent::Delta { time, .. } => time.map(|time| time.0),
            _ => None,
        };
        let times: Vec<i64> = std::iter::from_fn(|| feed_events.blocking_recv()).filter_map(time).collect();
        assert_eq!(times, [1_696_759_210_000, 1_696_759_210_000, 1_696_759_210_000, 1_696_759_211_000]);
    }

    #[test]
    fn a_log_is_played_once_with_its_times() {
        let text = "(1700000000.000000) can0 09F80107#00\n(1700000000.001000) can0 09F80107#01\n";
        let track = Track::Log { source: Source::Stdin, input: Box::new(text.as_bytes()), format: Format::Auto };
        let mut feed_events = played(track);
        let times: Vec<i64> = std::iter::from_fn(|| feed_events.blocking_recv()).filter_map(time).collect();
        assert_eq!(times, [1_700_000_000_000, 1_700_000_000_001]);
    }
}
