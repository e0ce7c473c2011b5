//! What a board does beside data: wall clock from the bus, firmware, factory reset, log, health.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::fmt::{self, Write};
use core::time::Duration;

use super::Gateway;
use crate::clock::sighting::Sighting;
use crate::clock::{BusClock, sighting};
use crate::device::firmware::{Progress, Start, Trial, TrialEnd, Update, UpdateError};
use crate::device::wifi::{Station, WifiMode};
use crate::device::{Health, HealthFacts, ResetReason, factory_reset};
use crate::hal::{Clock, Firmware, Logs, StorageError};
use crate::json;
use crate::n2k::Assembled;
use crate::plugin;
use crate::server::{Request, Response};
use crate::time::{Instant, UnixMillis};

/// Lines of the log in an answer when the caller does not say, and at most (plugin ABI §9.5).
const LOG_LINES: usize = 2000;
const LOG_LINES_MAX: usize = 50_000;
/// Id of the plugin whose view of the log the host serves (plugin ABI §9.5).
const LOG_VIEWER: &str = "signalk-logviewer";
/// The bus or a client counts as heard for this long.
const HEARD: Duration = Duration::from_secs(30);
/// A restart leaves this long for the answer to reach who asked for it.
const BEFORE_RESTART: Duration = Duration::from_secs(2);
/// An update of which nothing came for this long is given up.
const UPDATE_IDLE: Duration = Duration::from_secs(120);

/// What a board gives beside its HAL; each part can be absent.
#[derive(Default)]
pub struct BoardParts {
    /// The last lines of the log.
    pub log: Option<Box<dyn Logs>>,
    /// The firmware slots.
    pub firmware: Option<Box<dyn Firmware>>,
    /// What [`Trial::start`] found at the start of the board.
    pub start: Option<Start>,
    /// Why the board started.
    pub reset_reason: Option<ResetReason>,
    /// The HAL calls [`factory_reset::finish`] at each start, so that one can be asked for over HTTP.
    pub factory_reset: bool,
    /// Which network the radio is on, where there is one: the network to join can be set over HTTP.
    pub wifi: Option<WifiMode>,
    /// When the image was built: no device is believed that says an earlier time.
    pub built: Option<UnixMillis>,
}

/// Why the board is to be restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// New firmware waits.
    Update,
    /// New firmware failed; the one before is to run again.
    RollBack,
    /// [`factory_reset::finish`] has work to do.
    FactoryReset,
    /// Another network is to be joined.
    Network,
}

/// The parts, and what is going on with them.
pub(super) struct Board {
    parts: BoardParts,
    /// `None` where the HAL knows the time by itself.
    clock: Option<Box<BusClock>>,
    update: Option<(Box<Update>, Instant)>,
    trial: Option<Trial>,
    /// Version that failed.
    rolled_back: Option<String>,
    restart: Option<(Restart, Instant)>,
    network_up: bool,
    heard_bus: Option<Instant>,
    pub served: Option<Instant>,
}

impl Board {
    pub fn new(has_no_clock: bool) -> Self {
        Self {
            parts: BoardParts::default(),
            clock: has_no_clock.then(Box::default),
            update: None,
            trial: None,
            rolled_back: None,
            restart: None,
            network_up: true,
            heard_bus: None,
            served: None,
        }
    }

    /// Takes note of a message of the bus, and of the time it may tell.
    pub fn hear_message(
        &mut self,
        label: &str,
        message: &Assembled,
        is_live: bool,
        now: Instant,
        clock: &mut dyn Clock,
    ) {
        self.hear(is_live, now, clock, || sighting::of_message(label, message));
    }

    /// The same for a sentence of NMEA 0183.
    pub fn hear_sentence(&mut self, label: &str, line: &str, is_live: bool, clock: &mut dyn Clock) {
        self.hear(is_live, clock.now(), clock, || sighting::of_sentence(label, line));
    }

    fn hear(&mut self, is_live: bool, now: Instant, wall: &mut dyn Clock, sighting: impl FnOnce() -> Option<Sighting>) {
        self.heard_bus = Some(now);
        if let (Some(clock), true) = (&mut self.clock, is_live)
            && let Some(sighting) = sighting()
            && let Some(time) = clock.take(&sighting, now)
        {
            set_wall(wall, time, &sighting);
        }
    }
}

fn number(request: &Request, name: &str) -> Option<Result<u32, Response>> {
    let value = request.query().split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    Some(value.parse().map_err(|_| Response::error(400, &format!("{name} must be a number"))))
}

impl Gateway {
    /// Gives the gateway what the board has beside its HAL; call it once, before the first poll.
    pub fn attach(&mut self, mut parts: BoardParts) {
        if let Some(reason) = parts.reset_reason {
            log::info!("start: {reason}");
        }
        match parts.start.take() {
            Some(Start::OnTrial(trial)) => {
                log::warn!("firmware {} is on trial", trial.version());
                self.board.trial = Some(trial);
            }
            Some(Start::RolledBack { version }) => {
                log::warn!("firmware {version} failed, the one before runs again");
                self.board.rolled_back = Some(version.as_str().into());
            }
            Some(Start::Restart) => self.board.restart = Some((Restart::RollBack, self.hal.clock.now())),
            Some(Start::Normal) | None => {}
        }
        if let (Some(built), Some(clock)) = (parts.built, &mut self.board.clock) {
            **clock = BusClock::new(built);
        }
        self.board.parts = parts;
    }

    /// Takes note of whether the board has a network; without a word about it there is one.
    pub fn set_network_up(&mut self, up: bool) {
        self.board.network_up = up;
    }

    /// Returns the restart that is due: stop the plugins, restart the board.
    #[must_use]
    pub fn restart_due(&self) -> Option<Restart> {
        self.board.restart.filter(|(_, at)| self.hal.clock.now() >= *at).map(|(restart, _)| restart)
    }

    /// Returns what the health light shows.
    #[must_use]
    pub fn health(&self) -> Health {
        let now = self.hal.clock.now();
        Health::of(HealthFacts {
            updating: self.board.update.is_some() || self.board.trial.is_some() || self.board.restart.is_some(),
            plugin_crashed: self.plugins.registry.plugins().any(|plugin| plugin.state() == plugin::State::Crashed),
            bus: is_recent(self.board.heard_bus, now),
            network: self.board.network_up,
        })
    }

    /// Looks after clock, trial and update; returns when the board is to be restarted.
    pub(super) fn drive_board(&mut self, now: Instant) -> Option<Instant> {
        if let Some(time) = self.board.clock.as_mut().and_then(|clock| clock.tick(now)) {
            self.hal.clock.set_wall(time);
        }
        if self.board.update.as_ref().is_some_and(|(_, last)| now.since(*last) >= UPDATE_IDLE) {
            log::warn!("the firmware update is given up: nothing came for {} s", UPDATE_IDLE.as_secs());
            self.board.update = None;
        }
        let heard = is_recent(self.board.heard_bus, now) || is_recent(self.board.served, now);
        let is_healthy = self.board.network_up && heard;
        if let (Some(trial), Some(flash)) = (&mut self.board.trial, &mut self.board.parts.firmware) {
            match trial.poll(&mut **flash, &mut *self.hal.storage, is_healthy, now) {
                Ok(TrialEnd::Running) => {}
                Ok(TrialEnd::Confirmed) => {
                    log::info!("firmware {} is confirmed", trial.version());
                    self.board.trial = None;
                }
                Ok(TrialEnd::Restart) => {
                    log::warn!("firmware {} was not in good health, back to the one before", trial.version());
                    self.board.trial = None;
                    self.board.restart = Some((Restart::RollBack, now));
                }
                // A full or failing storage must not fill the log too; the trial goes on at the next poll.
                Err(error) => log::debug!("firmware on trial: {error}"),
            }
        }
        self.board.restart.map(|(_, at)| at)
    }

    fn tail(&mut self, request: &Request) -> Result<String, Response> {
        let lines = match number(request, "lines").transpose()? {
            Some(lines) => usize::try_from(lines).unwrap_or(LOG_LINES_MAX).min(LOG_LINES_MAX),
            None => LOG_LINES,
        };
        match &mut self.board.parts.log {
            Some(log) => Ok(log.tail(lines)),
            None => Err(Response::error(501, "this gateway keeps no log; it goes to the console")),
        }
    }

    /// `GET /skiff/v1/log?lines=`: text, oldest line first.
    pub(super) fn log_lines(&mut self, request: &Request) -> Response {
        match self.tail(request) {
            Ok(text) => Response::new(200, "text/plain; charset=utf-8", text),
            Err(refused) => refused,
        }
    }

    /// Tells whether the host answers a request to a plugin by itself (plugin ABI §9.5).
    pub(super) fn is_log_viewer(&self, id: &str, path: &str, request: &Request) -> bool {
        id == LOG_VIEWER && path == "/api/logs" && request.method.is_read() && self.plugins.registry.find(id).is_some()
    }

    /// `GET /plugins/signalk-logviewer/api/logs?lines=`.
    pub(super) fn log_viewer(&mut self, request: &Request) -> Response {
        let text = match self.tail(request) {
            Ok(text) => text,
            Err(refused) if refused.status == 400 => return refused,
            Err(_) => String::new(),
        };
        if text.is_empty() {
            return Response::error(404, "the log is empty");
        }
        let mut out = String::from("{\"lines\":[");
        let mut count = 0_usize;
        for line in text.lines() {
            if count > 0 {
                out.push(',');
            }
            // Writing into a String cannot fail.
            let _ = json::write_string(&mut out, line);
            count = count.saturating_add(1);
        }
        let _ = write!(out, "],\"count\":{count},\"source\":\"skiff\",\"format\":\"text\"}}");
        Response::json(200, out)
    }

    /// `GET /skiff/v1/firmware`.
    pub(super) fn firmware_state(&self) -> Response {
        match &self.board.parts.firmware {
            Some(_) => Response::json(200, self.firmware_json()),
            None => no_slots(),
        }
    }

    fn firmware_json(&self) -> String {
        let mut out = format!("{{\"version\":\"{}\",\"state\":", self.setup.version);
        // Writing into a String cannot fail.
        let _ = match (&self.board.update, &self.board.trial, self.board.restart) {
            (_, _, Some(_)) => write!(out, "\"restarting\""),
            (Some((update, _)), _, _) => {
                let header = update.header();
                let total = u64::from(header.bytes).saturating_add(crate::device::firmware::HEADER_BYTES as u64);
                write!(out, "\"receiving\",\"received\":{},\"total\":{total}", update.received())
            }
            (None, Some(_), None) => write!(out, "\"on-trial\""),
            (None, None, None) => write!(out, "\"confirmed\""),
        };
        if let Some(flash) = &self.board.parts.firmware {
            let (slot, bytes, chip) = (flash.running().index(), flash.slot_bytes(), flash.chip());
            let _ = write!(out, ",\"slot\":{slot},\"slot_bytes\":{bytes},\"chip\":{chip}");
        }
        if let Some(version) = &self.board.rolled_back {
            out.push_str(",\"rolled_back\":");
            let _ = json::write_string(&mut out, version);
        }
        out.push('}');
        out
    }

    /// `POST /skiff/v1/firmware?offset=`: the next piece of a firmware file; offset 0 begins anew.
    pub(super) fn firmware_piece(&mut self, request: &Request) -> Response {
        let now = self.hal.clock.now();
        let Some(flash) = &mut self.board.parts.firmware else { return no_slots() };
        if self.board.restart.is_some() {
            return Response::error(409, "the board is about to restart");
        }
        let offset = match number(request, "offset") {
            Some(Ok(offset)) => offset,
            Some(Err(refused)) => return refused,
            None => 0,
        };
        let (flash, storage) = (&mut **flash, &mut *self.hal.storage);
        let begun = self.board.update.take().map(|(update, _)| update);
        let update = match (offset, begun) {
            (0, _) => match Update::begin(flash, storage, &request.body) {
                Ok(update) => {
                    log::warn!("firmware {} is being received", update.header().version);
                    Box::new(update)
                }
                Err(error) => return refusal(error),
            },
            (_, None) => return refusal(UpdateError::Offset { expected: 0 }),
            (offset, Some(mut update)) => {
                if let Err(error) = update.piece(flash, offset, &request.body) {
                    if matches!(error, UpdateError::Offset { .. } | UpdateError::Piece) {
                        self.board.update = Some((update, now));
                    }
                    return refusal(error);
                }
                update
            }
        };
        match update.finish(flash, storage) {
            Ok(Progress::Receiving { received, total }) => {
                self.board.update = Some((update, now));
                Response::json(200, format!("{{\"received\":{received},\"total\":{total}}}"))
            }
            Ok(Progress::Ready) => {
                log::warn!("firmware {} is whole, restarting into it", update.header().version);
                self.board.restart = Some((Restart::Update, now + BEFORE_RESTART));
                Response::json(202, self.firmware_json())
            }
            Err(error) => refusal(error),
        }
    }

    /// `POST /skiff/v1/factory-reset`.
    pub(super) fn factory_reset(&mut self) -> Response {
        if !self.board.parts.factory_reset {
            return Response::error(501, "this gateway has no factory reset; remove its configuration folder instead");
        }
        match factory_reset::request(&mut *self.hal.storage) {
            Ok(()) => {
                log::warn!("factory reset: configuration, plugins and token go at the next start");
                self.board.restart = Some((Restart::FactoryReset, self.hal.clock.now() + BEFORE_RESTART));
                Response::json(202, "{\"state\":\"restarting\"}")
            }
            Err(error) => Response::error(507, &format!("{error}")),
        }
    }

    /// `GET /skiff/v1/wifi`: which network is to be joined, and how that goes; never the password.
    pub(super) fn wifi_state(&mut self) -> Response {
        let Some(mode) = self.board.parts.wifi else { return no_wifi() };
        let mut out = String::from("{\"ssid\":");
        match Station::load(&mut *self.hal.storage) {
            // Writing into a String cannot fail.
            Some(station) => _ = json::write_string(&mut out, &station.ssid),
            None => out.push_str("null"),
        }
        let _ = write!(out, ",\"mode\":\"{}\",\"up\":{}}}", mode.name(), self.board.network_up);
        Response::json(200, out)
    }

    /// `PUT /skiff/v1/wifi` `{"ssid", "password"}`: the network to join, from the next start on, which follows at once.
    pub(super) fn wifi_set(&mut self, request: &Request) -> Response {
        if self.board.parts.wifi.is_none() {
            return no_wifi();
        }
        let station = match Station::parse(&request.body) {
            Ok(station) => station,
            Err(error) => return Response::error(400, &format!("{error}")),
        };
        let saved = station.save(&mut *self.hal.storage);
        self.wifi_changed(saved, &format_args!("to join {}", station.ssid))
    }

    /// `DELETE /skiff/v1/wifi`: the board makes its own network again.
    pub(super) fn wifi_forget(&mut self) -> Response {
        if self.board.parts.wifi.is_none() {
            return no_wifi();
        }
        let forgotten = Station::forget(&mut *self.hal.storage);
        self.wifi_changed(forgotten, &"to make its own network")
    }

    fn wifi_changed(&mut self, done: Result<(), StorageError>, what: &dyn fmt::Display) -> Response {
        match done {
            Ok(()) => {
                log::warn!("the board starts anew {what}");
                self.board.restart = Some((Restart::Network, self.hal.clock.now() + BEFORE_RESTART));
                Response::json(202, "{\"state\":\"restarting\"}")
            }
            Err(error) => Response::error(507, &format!("{error}")),
        }
    }

    /// Writes the members of the status that tell of the board, each with its comma.
    pub(super) fn write_board_status(&self, out: &mut String) -> fmt::Result {
        out.push_str("\"clock\":");
        match &self.board.clock {
            Some(clock) => clock.write_status(self.hal.clock.now(), out)?,
            None => out.push_str("{\"state\":\"system\"}"),
        }
        write!(out, ",\"health\":\"{}\",", self.health().name())?;
        if let Some(reason) = self.board.parts.reset_reason {
            write!(out, "\"reset_reason\":\"{}\",", reason.name())?;
        }
        if self.board.parts.firmware.is_some() {
            write!(out, "\"firmware\":{},", self.firmware_json())?;
        }
        Ok(())
    }
}

fn is_recent(at: Option<Instant>, now: Instant) -> bool {
    at.is_some_and(|at| now.since(at) < HEARD)
}

fn set_wall(clock: &mut dyn Clock, time: UnixMillis, sighting: &Sighting) {
    if clock.wall().is_none() {
        log::info!("the time is {time}, told by {} ({})", sighting.source, sighting.origin.name());
    }
    clock.set_wall(time);
}

fn no_wifi() -> Response {
    Response::error(501, "this gateway has no radio of its own; its system joins networks")
}

fn no_slots() -> Response {
    Response::error(501, "this gateway has no firmware slots; its package manager installs new versions")
}

fn refusal(error: UpdateError) -> Response {
    let status = match error {
        UpdateError::Header(_) | UpdateError::TooLong | UpdateError::Sum => 400,
        UpdateError::Piece => 413,
        UpdateError::Offset { .. } | UpdateError::OnTrial => 409,
        UpdateError::Flash => 500,
        UpdateError::Storage(_) => 507,
    };
    Response::error(status, &format!("{error}"))
}
