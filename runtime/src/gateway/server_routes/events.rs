//! What stream clients with `serverevents=all` are told beside plugins and vessel (signalk-server 2.32 `events`,
//! `deltastats`): statistics to all of them, everything about sources, choices, log and devices that ask to admins.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::choices::Choice;
use super::inputs;
use crate::accounts::Role;
use crate::crc32::crc32;
use crate::gateway::{Gateway, InputId, StreamId};
use crate::json::{self, Object};
use crate::server::stream::Session;
use crate::time::Instant;

/// Time between two statistics (signalk-server 2.32 `deltastats`).
const STATISTICS_EVERY: Duration = Duration::from_secs(5);
/// Time between two looks for new lines of the log, and for devices that ask.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Shorter times give no rate that means anything.
const RATE_OVER_MIN: Duration = Duration::from_millis(500);
/// Lines of the log that a client is told at first, and in one look.
const LOG_LINES: usize = 40;
/// The path by which the page subscribes to the log.
const LOG_PATH: &str = "log";

/// What was last told, and counted.
#[derive(Default)]
pub(in crate::gateway) struct ServerEventState {
    statistics_due: Option<Instant>,
    look_due: Option<Instant>,
    /// When rates were last made, and of which counts.
    counted: Option<(Instant, u64)>,
    delta_rate: f64,
    inputs: Vec<InputRate>,
    /// Checksums of the last text of each kind, so that what has not changed is not told again.
    told: [u32; KINDS],
    asked: u32,
    /// The last line of the log that was told.
    last_line: String,
    /// Who was told the log.
    log_readers: Vec<StreamId>,
}

#[derive(Clone, Default)]
struct InputRate {
    /// Of which input; `None` before its first count.
    id: Option<InputId>,
    deltas: u64,
    writes: u64,
    delta_rate: f64,
    write_rate: f64,
}

impl ServerEventState {
    /// Has sources, devices and rates looked at with the next poll.
    pub(super) fn look_again(&mut self) {
        self.statistics_due = None;
    }
}

/// Kinds of events that admins are told when they have changed.
const KINDS: usize = 5;

impl Gateway {
    /// Greets a client that asked for server events.
    pub(in crate::gateway) fn begin_server_events(&mut self, session: &mut Session, login_status: &str) {
        session.reply(&event("RECEIVE_LOGIN_STATUS", login_status));
        if session.rights().role == Some(Role::Admin) {
            session.reply(&self.debug_settings());
            #[cfg(any(test, feature = "history"))]
            session.reply(&event("HISTORYPROVIDERS", &self.history_overview()));
            for choice in [Choice::Overrides, Choice::Aliases, Choice::Groups, Choice::Defaults] {
                session.reply(&event(choice.event(), self.server_routes.choices.get(choice)));
            }
            for (kind, text) in self.overviews() {
                session.reply(&event(kind, &text));
            }
        }
        self.server_routes.events.statistics_due = None;
    }

    /// Returns what admins are told about sources.
    fn overviews(&self) -> [(&'static str, String); KINDS] {
        [
            ("MULTISOURCEPATHS", self.multi_source_paths()),
            ("RECONCILEDGROUPS", self.reconciled_groups()),
            ("LIVEPREFERREDSOURCES", self.preferred_sources()),
            ("POSITION_SOURCES", self.position_sources()),
            ("SOURCESTATUS", self.source_status()),
        ]
    }

    /// Returns the event with the settings of the log: which lines there are is chosen at the start.
    pub(super) fn debug_settings(&self) -> String {
        event("DEBUG_SETTINGS", &json::object(|out| _ = out.text("debugEnabled", "").boolean("rememberDebug", false)))
    }

    /// Tells admins of a choice that was made.
    pub(super) fn tell_choice(&mut self, choice: Choice) {
        self.clients.tell_admins(choice.event(), self.server_routes.choices.get(choice));
        // Groups follow from it.
        self.server_routes.events.statistics_due = None;
    }

    /// Tells everybody who wants server events.
    pub(super) fn tell_all(&mut self, text: &str) {
        let sessions = self.clients.streams.sessions_mut();
        sessions.filter(|session| session.wants_server_events()).for_each(|session| session.reply(text));
    }

    /// Tells what is due; returns when something will be.
    pub(in crate::gateway) fn drive_server_events(&mut self, now: Instant) -> Option<Instant> {
        let wants = self.clients.streams.sessions().any(Session::wants_server_events);
        if !wants {
            let events = &mut self.server_routes.events;
            if events.statistics_due.is_some() {
                *events = ServerEventState::default();
            }
            return None;
        }
        let has_admin = self.clients.admins_listen();
        if has_admin && self.server_routes.events.look_due.is_none_or(|due| due <= now) {
            self.server_routes.events.look_due = Some(now + LOOK_EVERY);
            self.tell_devices();
            self.tell_log();
        }
        if self.server_routes.events.statistics_due.is_none_or(|due| due <= now) {
            self.server_routes.events.statistics_due = Some(now + STATISTICS_EVERY);
            let statistics = self.statistics(now);
            self.tell_all(&statistics);
            if has_admin {
                self.tell_overviews();
            }
        }
        let events = &self.server_routes.events;
        [events.statistics_due, events.look_due.filter(|_| has_admin)].into_iter().flatten().min()
    }

    fn tell_overviews(&mut self) {
        for (place, (kind, text)) in self.overviews().into_iter().enumerate() {
            let sum = crc32(text.as_bytes());
            let Some(told) = self.server_routes.events.told.get_mut(place) else { continue };
            if core::mem::replace(told, sum) != sum {
                self.clients.tell_admins(kind, &text);
            }
        }
    }

    /// Tells admins of devices that ask to be let in, when that has changed.
    fn tell_devices(&mut self) {
        let waiting = self.waiting_devices();
        let sum = crc32(waiting.as_bytes());
        if core::mem::replace(&mut self.server_routes.events.asked, sum) != sum {
            self.clients.tell_admins("ACCESS_REQUEST", &waiting);
        }
    }

    /// Tells admins who look at the log what came since, and who is new the last lines.
    fn tell_log(&mut self) {
        let readers: Vec<StreamId> = self.clients.streams.readers_of(LOG_PATH, crate::gateway::clients::is_admin);
        if readers.is_empty() {
            self.server_routes.events.log_readers.clear();
            return;
        }
        let Some(log) = &mut self.board.parts.log else { return };
        let tail = log.tail(LOG_LINES);
        let events = &mut self.server_routes.events;
        let before = events.last_line.as_str();
        let new = tail.rsplit_once(before).filter(|_| !before.is_empty()).map_or(&*tail, |(_, new)| new);
        let lines: Vec<String> = new.lines().filter(|line| !line.is_empty()).map(log_event).collect();
        let old: Vec<String> = tail.lines().map(log_event).collect();
        for reader in &readers {
            let is_new = !events.log_readers.contains(reader);
            let Some(session) = self.clients.streams.session_mut(*reader) else { continue };
            let told = if is_new { &old } else { &lines };
            told.iter().for_each(|text| session.reply(text));
        }
        if let Some(last) = tail.lines().next_back() {
            events.last_line = last.to_string();
        }
        events.log_readers = readers;
    }

    fn statistics(&mut self, now: Instant) -> String {
        let deltas = self.model.counts().deltas;
        let (events, list) = (&mut self.server_routes.events, self.inputs.iter());
        let since = events.counted.map(|(at, count)| (now.since(at), count));
        let over = since.map(|(time, _)| time).filter(|time| *time >= RATE_OVER_MIN);
        let rate = |new: u64, old: u64| over.map(|time| per_second(new.saturating_sub(old), time));
        if let Some(rate) = since.and_then(|(_, count)| rate(deltas, count)) {
            events.delta_rate = rate;
        }
        // Inputs come and go.
        let rates = core::mem::take(&mut events.inputs);
        let of = |id| rates.iter().find(|row| row.id == Some(id)).cloned();
        events.inputs = self.inputs.iter().map(|input| of(input.id).unwrap_or_default()).collect();
        for (input, row) in list.zip(&mut events.inputs) {
            let (n2k, sentences) = (input.counters(), input.sentence_counters());
            let (deltas, writes) =
                (n2k.deltas.saturating_add(sentences.deltas), n2k.frames.saturating_add(sentences.sentences));
            row.delta_rate = rate(deltas, row.deltas).unwrap_or(row.delta_rate);
            row.write_rate = rate(writes, row.writes).unwrap_or(row.write_rate);
            (row.id, row.deltas, row.writes) = (Some(input.id), deltas, writes);
        }
        if over.is_some() || since.is_none() {
            events.counted = Some((now, deltas));
        }
        let events = &self.server_routes.events;
        let data = json::object(|out| {
            out.number("deltaRate", events.delta_rate).number("numberOfAvailablePaths", self.model.own_paths());
            out.number("wsClients", self.clients.streams.len());
            out.object("providerStatistics", |out| {
                for (input, row) in self.inputs.iter().zip(&events.inputs) {
                    out.object(input.label(), |out| {
                        out.number("writeRate", row.write_rate).number("writeCount", row.writes);
                        out.number("deltaRate", row.delta_rate).number("deltaCount", row.deltas);
                    });
                }
            });
            out.number("uptime", now.as_millis() / 1000);
        });
        event("SERVERSTATISTICS", &data)
    }

    /// Writes a row of PROVIDERSTATUS for each input.
    pub(in crate::gateway) fn input_rows(&self) -> Vec<String> {
        let wall = self.wall();
        let rows = self.inputs.iter().map(|input| {
            let (is_error, message) = inputs::said(input);
            json::object(|out: &mut Object<'_>| {
                out.text("type", if is_error { "error" } else { "status" }).text("id", input.label());
                out.text("statusType", "provider").text("timeStamp", &wall.to_string()).text("message", message);
            })
        });
        rows.collect()
    }
}

/// Returns how many a second that is, to a tenth: the page shows every digit.
#[allow(clippy::cast_precision_loss)] // counts of five seconds
fn per_second(count: u64, time: Duration) -> f64 {
    libm::round(count as f64 / time.as_secs_f64() * 10.0) / 10.0
}

fn event(kind: &str, data: &str) -> String {
    json::object(|out| _ = out.text("type", kind).text("from", "skiff").json("data", data))
}

/// Returns the event of a line of the log: its wall clock, or the time since the start, then the rest.
fn log_event(line: &str) -> String {
    let (time, row) = line.split_once(' ').unwrap_or(("", line));
    let data = json::object(|out| {
        out.text("ts", time).text("row", row);
        if row.contains("error: ") {
            out.boolean("isError", true);
        }
    });
    event("LOG", &data)
}
