//! One way to start a gateway: what its storage says, on every board alike.
//!
//! Settings, who the vessel is, who may do what, the part it takes in the bus, which sources are preferred, the packages
//! that are stored: a board gives its HAL and what only it can know, and gets a gateway that obeys all of it.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::{Gateway, Setup};
use crate::budget::Limits;
use crate::config::{ConfigError, Identity, N2K_FILE, N2kConfig, SETTINGS_FILE, Settings};
use crate::hal::Hal;
use crate::model::{Priorities, PriorityError};
use crate::package::asks;
use crate::package::store::{self, Slot};
use crate::plugin::{Enabled, Unusable, Waiting};
use crate::server::{Access, NewToken};

/// The board's settings for the start of its gateway.
pub struct Boot {
    /// Limits of the board.
    pub limits: Limits,
    /// Version told to clients.
    pub version: &'static str,
    /// Denies a package the HTTP endpoints that it did not declare.
    pub strict: bool,
    /// The part it can take in the bus.
    pub bus: BusPart,
    /// No operator can mend a file before it starts: what `skiff/n2k.json` or `sourcePriorities` cannot mean is
    /// a warning, and the defaults hold.
    pub unattended: bool,
    /// Full context of the own vessel; `None` reads it from the storage, or makes one at the first start.
    pub self_context: Option<String>,
    /// Who may do what; `None` reads it from the storage, or makes a token at the first start.
    pub access: Option<Access>,
    /// Names that the gateway is reached by, without port.
    pub names: Vec<String>,
    /// Lets anyone in without a token; `Host` and `Origin` stay checked.
    pub allow_anyone: bool,
    /// Whether anyone may read on every listener; `None` is what `skiff.guests` of `settings.json` says.
    pub guests_read: Option<bool>,
    /// Whether a stored package runs that has no configuration yet.
    pub stored: Enabled,
    /// Bytes of a stored package, where it has to be copied into memory.
    pub stored_bytes_max: u32,
    /// Every package has what it declares, and nobody is asked: who runs it is its author.
    pub grants_declared: bool,
    /// See [`Setup::events`].
    pub events: bool,
    /// See [`Setup::poll_on_whole_seconds`].
    pub poll_on_whole_seconds: bool,
}

impl Boot {
    /// Returns what a board needs that has nothing of its own to say.
    #[must_use]
    pub fn new(limits: Limits, version: &'static str) -> Self {
        Self {
            limits,
            version,
            strict: false,
            bus: BusPart::AsConfigured,
            unattended: false,
            self_context: None,
            access: None,
            names: Vec::new(),
            allow_anyone: false,
            guests_read: None,
            stored: Enabled::Always { config: None },
            stored_bytes_max: u32::try_from(limits.unpacked_bytes_max).unwrap_or(u32::MAX),
            grants_declared: false,
            events: false,
            poll_on_whole_seconds: false,
        }
    }

    /// Uses the defaults where no operator could mend a file.
    fn usable<T: Default>(&self, read: Result<T, BootError>) -> Result<T, BootError> {
        match read {
            Err(error) if self.unattended => {
                log::warn!("{error}; the defaults hold");
                Ok(T::default())
            }
            read => read,
        }
    }
}

/// The part that a board can take in the NMEA 2000 bus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BusPart {
    /// What `skiff/n2k.json` says; without it the gateway only listens.
    #[default]
    AsConfigured,
    /// A node also where `skiff/n2k.json` does not speak of it (`--node`).
    Node,
    /// Its CAN driver never sends: it only listens, whatever `skiff/n2k.json` says.
    ListenOnly,
}

/// A gateway that has been started.
pub struct Booted {
    /// The gateway.
    pub gateway: Gateway,
    /// The token, when it was made just now: show it, it is stored nowhere.
    pub token: Option<NewToken>,
    /// `settings.json` lets WebAssembly plugins run; otherwise no package was installed.
    pub runs_plugins: bool,
}

/// Why a gateway does not start; `Display` names the file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BootError {
    /// A file is damaged, or cannot be written.
    Config(ConfigError),
    /// `sourcePriorities` of `settings.json` cannot be used.
    Priorities(PriorityError),
}

impl fmt::Display for BootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Priorities(error) => write!(f, "{SETTINGS_FILE}: {error}"),
        }
    }
}

impl core::error::Error for BootError {}

impl From<ConfigError> for BootError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<PriorityError> for BootError {
    fn from(error: PriorityError) -> Self {
        Self::Priorities(error)
    }
}

impl Gateway {
    /// Starts a gateway as its storage says; its CAN interfaces become inputs.
    ///
    /// A stored package that cannot be used is a row of the plugin list.
    ///
    /// # Errors
    /// [`BootError`]; nothing is made at a first start before everything that is there was read.
    pub fn boot(mut hal: Hal, boot: Boot) -> Result<Booted, BootError> {
        let (storage, rng) = (&mut *hal.storage, &mut *hal.rng);
        let settings = Settings::load(storage)?;
        let priorities = settings.source_priorities.as_deref().map(Priorities::parse).transpose();
        let priorities = boot.usable(priorities.map_err(BootError::from))?;
        let n2k = boot.usable(N2kConfig::load(storage, boot.bus == BusPart::Node).map_err(BootError::from))?;
        let n2k = n2k_of(n2k, boot.bus);
        #[cfg(any(test, feature = "server-routes"))]
        let uuid = settings.vessel.uuid.clone().or_else(|| super::own_meta::uuid_of_folder(storage));
        #[cfg(not(any(test, feature = "server-routes")))]
        let uuid = &settings.vessel.uuid;
        let self_context = match boot.self_context {
            Some(given) => given,
            None => Identity::open_or_create(storage, rng, uuid.as_deref())?.self_context(),
        };
        let (access, token) = match boot.access {
            Some(given) => (given, None),
            None => Access::open_or_create(storage, rng)?,
        };
        let access = if boot.allow_anyone { access.allow_anyone() } else { access };
        let setup = Setup {
            limits: boot.limits,
            vessel: settings.vessel,
            self_context,
            access: access
                .named(boot.names)
                .named(settings.hosts)
                .behind(settings.proxies)
                .guests_read(boot.guests_read.unwrap_or(settings.guests_read)),
            strict: boot.strict,
            version: boot.version,
            events: boot.events,
            poll_on_whole_seconds: boot.poll_on_whole_seconds,
        };
        let mut gateway = Self::new(setup, hal);
        #[cfg(any(test, feature = "server-routes"))]
        {
            gateway.setup.access.set_takes_requests(settings.takes_requests);
            gateway.inputs.named_node(boot.bus == BusPart::Node);
        }
        gateway.take_part(&n2k);
        if boot.bus == BusPart::ListenOnly {
            gateway.only_listen();
        }
        #[cfg(any(test, feature = "server-routes"))]
        let mut gateway =
            gateway.prefer_as_chosen(settings.source_priorities.as_deref().filter(|_| priorities.is_some()));
        #[cfg(not(any(test, feature = "server-routes")))]
        if let Some(priorities) = priorities {
            gateway.prefer(priorities);
        }
        #[cfg(any(test, feature = "history"))]
        gateway.keep_history(settings.history.as_ref());
        if !boot.grants_declared {
            gateway.plugins.registry.ask_consent();
        }
        if settings.wasm {
            gateway.install_stored(&boot.stored, boot.stored_bytes_max);
        } else {
            log::info!("{SETTINGS_FILE} switches WebAssembly plugins off");
        }
        Ok(Booted { gateway, token, runs_plugins: settings.wasm })
    }

    fn install_stored(&mut self, enabled: &Enabled, bytes_max: u32) {
        let stored = store::load_all(&mut *self.hal.storage, bytes_max);
        let config_bytes_max = self.setup.limits.plugin.config_bytes_max;
        let mut usable = stored.iter().filter_map(|(_, package)| package.as_ref().ok());
        if let Err(error) = asks::grant_what_runs(&mut *self.hal.storage, &mut usable, config_bytes_max) {
            log::warn!("{error}: what runs already is not granted");
        }
        for (id, package) in stored {
            match package {
                Ok(package) => {
                    let (name, version) = (package.name.clone(), package.version.clone());
                    match self.install(package, enabled.clone()) {
                        Ok(()) => {
                            log::debug!("found plugin {name}");
                            self.find_waiting(&id);
                        }
                        Err(error) => self.note_unusable(Unusable::new(&name, &version, &error.to_string())),
                    }
                }
                Err(error) => {
                    self.note_unusable(Unusable::new(&id, "", &format!("the stored package is damaged: {error}")));
                }
            }
        }
    }
}

impl Gateway {
    /// Finds the version of a stored plugin that waits for what it asks for.
    fn find_waiting(&mut self, id: &str) {
        if !store::keeps_versions(&mut *self.hal.storage) {
            return;
        }
        let Some(found) = store::describe(&mut *self.hal.storage, id, Slot::Waiting) else { return };
        let waiting = Waiting { version: found.manifest.version().into(), asks: found.manifest.asks() };
        self.plugins.registry.set_waiting(id, Some(waiting));
    }
}

/// Takes out of a configuration what the board cannot do.
fn n2k_of(config: N2kConfig, part: BusPart) -> N2kConfig {
    if part != BusPart::ListenOnly {
        return config;
    }
    match config.node {
        Some(_) => log::warn!("{N2K_FILE} asks for a node, and this firmware only listens to the bus"),
        None => log::info!("this firmware only listens to the bus"),
    }
    N2kConfig { node: None, send: Vec::new(), ..config }
}
