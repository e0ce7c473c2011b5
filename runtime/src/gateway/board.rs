//! What a board does beside data: wall clock from the bus, firmware on trial, restarts, health.

use alloc::boxed::Box;
use alloc::string::String;
use core::time::Duration;

use super::Gateway;
use crate::clock::sighting::Sighting;
use crate::clock::{BusClock, sighting};
use crate::device::firmware::{Start, Trial, TrialEnd, Update};
use crate::device::wifi::WifiMode;
use crate::device::{Health, HealthFacts, ResetReason};
use crate::hal::{Clock, Firmware, Hal, Logs, Passwords};
use crate::json::Object;
use crate::n2k::N2kMessage;
use crate::plugin;
use crate::time::{Instant, UnixMillis};

/// The bus or a client counts as heard for this long.
const HEARD: Duration = Duration::from_secs(30);
/// An update of which nothing came for this long is given up.
const UPDATE_IDLE: Duration = Duration::from_secs(120);

/// The parts that a board has beside its HAL; each can be absent.
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
    /// The HAL calls [`finish`](crate::device::factory_reset::finish) at each start, so that one can be asked for over HTTP.
    pub factory_reset: bool,
    /// Which network the radio is on, where there is one: the network to join can be set over HTTP.
    pub wifi: Option<WifiMode>,
    /// When the image was built: no device is believed that says an earlier time.
    pub built: Option<UnixMillis>,
    /// Who hashes passwords; without it nobody logs in by one.
    pub passwords: Option<Box<dyn Passwords>>,
    /// The HAL starts the gateway anew when [`restart_due`](super::Gateway::restart_due) says so.
    #[cfg(any(test, feature = "server-routes"))]
    pub restarts: bool,
    /// The HAL keeps inputs and outputs: see [`next_wish`](super::Gateway::next_wish).
    #[cfg(any(test, feature = "server-routes"))]
    pub connections: bool,
    /// Who does slow work: the app store, backups.
    #[cfg(any(test, feature = "appstore"))]
    pub errands: Option<Box<dyn crate::hal::Errands>>,
    /// The ports of the two listeners, where there are two.
    #[cfg(any(test, feature = "page"))]
    pub doors: Option<super::Doors>,
    /// The HAL keeps the files of packages: see [`Gateway::next_files`](super::Gateway::next_files).
    pub web_files: bool,
}

/// Why the board is to be restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// New firmware waits.
    Update,
    /// New firmware failed; the one before is to run again.
    RollBack,
    /// [`finish`](crate::device::factory_reset::finish) has work to do.
    FactoryReset,
    /// Another network is to be joined.
    Network,
    /// An admin asked for it.
    #[cfg(any(test, feature = "server-routes", feature = "set-up"))]
    Asked,
}

/// The parts, and what is going on with them.
pub(super) struct Board {
    pub parts: BoardParts,
    /// `None` where the HAL knows the time by itself.
    clock: Option<Box<BusClock>>,
    /// Firmware that is being received, and when its last piece came.
    pub update: Option<(Box<Update>, Instant)>,
    pub trial: Option<Trial>,
    /// Version that failed.
    pub rolled_back: Option<String>,
    pub restart: Option<(Restart, Instant)>,
    pub network_up: bool,
    /// `None` where there is no radio.
    #[cfg(any(test, feature = "set-up"))]
    pub setting_up: Option<super::set_up::SettingUp>,
    heard_bus: Option<Instant>,
    served: Option<Instant>,
}

impl Board {
    /// Tells whether the HAL keeps the files of packages.
    pub fn keeps_web_files(&self) -> bool {
        // Not on chips: what serves them is left out there.
        cfg!(any(test, feature = "std")) && self.parts.web_files
    }

    pub fn new(has_no_clock: bool) -> Self {
        Self {
            parts: BoardParts::default(),
            clock: has_no_clock.then(Box::default),
            update: None,
            trial: None,
            rolled_back: None,
            restart: None,
            network_up: true,
            #[cfg(any(test, feature = "set-up"))]
            setting_up: None,
            heard_bus: None,
            served: None,
        }
    }

    /// Takes note of a message of the bus, and of the time it may tell.
    pub fn hear_message(
        &mut self,
        label: &str,
        message: &N2kMessage,
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

    /// Takes what the board has beside its HAL.
    fn attach(&mut self, mut parts: BoardParts, now: Instant) {
        if let Some(reason) = parts.reset_reason {
            log::info!("start: {reason}");
        }
        match parts.start.take() {
            Some(Start::OnTrial(trial)) => {
                log::warn!("firmware {} is on trial", trial.version());
                self.trial = Some(trial);
            }
            Some(Start::RolledBack { version }) => {
                log::warn!("firmware {version} failed, the one before runs again");
                self.rolled_back = Some(version.as_str().into());
            }
            Some(Start::Restart) => self.restart = Some((Restart::RollBack, now)),
            Some(Start::Normal) | None => {}
        }
        if let (Some(built), Some(clock)) = (parts.built, &mut self.clock) {
            **clock = BusClock::new(built);
        }
        self.parts = parts;
    }

    /// Takes note of a client that was let in.
    pub fn note_served(&mut self, now: Instant) {
        self.served = Some(now);
    }

    fn health(&self, plugin_crashed: bool, plugin_over_share: bool, now: Instant) -> Health {
        Health::of(HealthFacts {
            updating: self.update.is_some() || self.trial.is_some() || self.restart.is_some(),
            plugin_crashed,
            plugin_over_share,
            bus: is_recent(self.heard_bus, now),
            network: self.network_up,
        })
    }

    /// Looks after clock, trial and update; returns when the board is to be restarted.
    pub fn drive(&mut self, hal: &mut Hal, now: Instant) -> Option<Instant> {
        if let Some(time) = self.clock.as_mut().and_then(|clock| clock.tick(now)) {
            hal.clock.set_wall(time);
        }
        if self.update.as_ref().is_some_and(|(_, last)| now.since(*last) >= UPDATE_IDLE) {
            log::warn!("the firmware update is given up: nothing came for {} s", UPDATE_IDLE.as_secs());
            self.update = None;
        }
        let heard = is_recent(self.heard_bus, now) || is_recent(self.served, now);
        let is_healthy = self.network_up && heard;
        if let (Some(trial), Some(flash)) = (&mut self.trial, &mut self.parts.firmware) {
            match trial.poll(&mut **flash, &mut *hal.storage, is_healthy, now) {
                Ok(TrialEnd::Running) => {}
                Ok(TrialEnd::Confirmed) => {
                    log::info!("firmware {} is confirmed", trial.version());
                    self.trial = None;
                }
                Ok(TrialEnd::Restart) => {
                    log::warn!("firmware {} was not in good health, back to the one before", trial.version());
                    self.trial = None;
                    self.restart = Some((Restart::RollBack, now));
                }
                // A full or failing storage must not fill the log too; the trial goes on at the next poll.
                Err(error) => log::debug!("firmware on trial: {error}"),
            }
        }
        self.restart.map(|(_, at)| at)
    }
}

impl Gateway {
    /// Gives the gateway what the board has beside its HAL; call it once, before the first poll.
    pub fn attach(&mut self, parts: BoardParts) {
        self.board.attach(parts, self.hal.clock.now());
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
        let crashed = self.plugins.registry.plugins().any(|plugin| plugin.state() == plugin::PluginState::Crashed);
        let loses = self.plugins.registry.plugins().any(plugin::Plugin::loses);
        self.board.health(crashed, loses || self.model.is_over_share(), self.hal.clock.now())
    }

    /// Writes the members of the status that tell of the board.
    pub(super) fn board_status(&self, out: &mut Object<'_>) {
        out.object("clock", |out| match &self.board.clock {
            Some(clock) => clock.status(self.hal.clock.now(), out),
            None => _ = out.text("state", "system"),
        });
        out.text("health", self.health().name());
        if let Some(reason) = self.board.parts.reset_reason {
            out.text("reset_reason", reason.name());
        }
        if self.board.parts.firmware.is_some() {
            out.object("firmware", |out| self.board.firmware_status(self.setup.version, out));
        }
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
