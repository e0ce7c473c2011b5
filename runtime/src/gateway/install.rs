//! `POST /skiff/v1/plugins` and `DELETE /skiff/v1/plugins/<id>`: packages over the network.
//!
//! One package comes in at a time. It is unpacked, checked, held against what is free and staged beside the version in
//! force; its files are kept in a folder of their own; then, if nobody has to grant anything first, it is started. Only
//! a version that has started is stored in force, and with that the folder of its files is the one that is served: a
//! power cut or a failure at any moment leaves the version before in place, with its own files.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};

use super::Gateway;
use super::exchanges::Pending;
use super::plugin_http::no_plugin;
use crate::budget::Shortage;
use crate::host::Refusal;
use crate::http::Request;
use crate::json;
use crate::package::store::{self, Slot};
use crate::package::{Asks, Clash, Incoming, IncomingError, Package, WebFiles, asks};
use crate::plugin::{Enabled, ExchangeId, InstallError, Outcome, Plugin, ReplaceError, Waiting};
use crate::server::Response;
use crate::server::url::decode;

/// Work with the files of packages, for a host that has a disk; see [`Gateway::next_files`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilesWork {
    /// Keep these, and say so to [`Gateway::files_kept`].
    Keep(ExchangeId, WebFiles),
    /// Remove the folders of this plugin that no record names.
    Sweep(String),
}

/// A version on its way in: read and staged, and not in force.
pub(super) struct Arrival {
    id: String,
    package: Package,
    /// What whoever sent it grants.
    grant: Asks,
}

impl Gateway {
    /// Takes a package; `None` means that the answer comes when the plugin has come up or failed to.
    pub(super) fn install_request(&mut self, request: &Request, exchange: ExchangeId) -> Option<Response> {
        self.try_install(request, exchange).err()
    }

    /// Takes the archive that a request brings, with what it grants.
    pub(super) fn try_install(&mut self, request: &Request, exchange: ExchangeId) -> Result<(), Response> {
        self.nothing_arrives()?;
        let grant = granted(request)?.unwrap_or_default();
        let incoming = Incoming::read(&request.body, &self.setup.limits);
        #[cfg(any(test, feature = "appstore"))]
        let incoming = match incoming {
            Err(error) => match self.keep_app(&request.body, error, grant, exchange) {
                Ok(kept) => return kept,
                Err(error) => Err(error),
            },
            read => read,
        };
        let incoming = incoming.map_err(|error| not_taken(&error))?;
        if let Some(clash) = self.clash(&incoming) {
            return Err(Response::error(409, &clash.to_string()));
        }
        let (storage, id) = (&mut *self.hal.storage, incoming.id().to_string());
        let files = self.board.keeps_web_files().then(|| incoming.web_files());
        let file_bytes = files.as_ref().map_or(0, |files| files.archive.bytes_unpacked());
        let bytes = incoming.record_bytes().saturating_add(file_bytes);
        let free = store::room(storage, &id).map_err(|error| Response::error(400, &error.to_string()))?;
        if bytes > free {
            return Err(no_room("storage", bytes, free));
        }
        if self.plugins.registry.find(&id).is_none() {
            let needed = incoming.facts().reserved_bytes(&self.setup.limits.plugin);
            let free = self.plugins.registry.ledger().free();
            if needed > free {
                return Err(no_room("memory", needed, free));
            }
        }
        let package = incoming.stage(storage).map_err(|error| not_stored(&error))?;
        // On a chip the copy in memory makes room for the plugin.
        drop(incoming);
        self.plugins.is_arriving = true;
        let arrival = Arrival { id, package, grant };
        let Some(files) = files else { return self.arrive(arrival, exchange) };
        self.clients.exchanges.open(exchange, Pending::Files(Box::new(arrival)));
        self.plugins.files.push_back(FilesWork::Keep(exchange, files));
        Ok(())
    }

    /// Looks for a package of another name that has the same id: one that is installed, or one that is stored and was not
    /// installed, as where plugins are switched off.
    fn clash(&mut self, incoming: &Incoming) -> Option<Clash> {
        let name = incoming.manifest().name();
        let installed = self.plugins.registry.find(incoming.id()).map(Plugin::package_name);
        installed.and_then(|other| Clash::between(name, other)).or_else(|| {
            let stored = store::name(&mut *self.hal.storage, incoming.id())?;
            Clash::between(name, &stored)
        })
    }

    /// Refuses while a package is on its way in.
    fn nothing_arrives(&self) -> Result<(), Response> {
        if self.plugins.is_arriving {
            return Err(Response::error(503, "another package is being installed, try again when it is done"));
        }
        Ok(())
    }

    /// Takes the next work with the files of packages.
    pub fn next_files(&mut self) -> Option<FilesWork> {
        self.plugins.files.pop_front()
    }

    /// Ends [`FilesWork::Keep`]: the files are in their folder and last, or why they are not.
    pub fn files_kept(&mut self, exchange: ExchangeId, kept: Result<(), String>) {
        let Some(Pending::Files(arrival)) = self.clients.exchanges.close(exchange) else { return };
        let arrived = match kept {
            Ok(()) => self.arrive(*arrival, exchange),
            Err(reason) => {
                self.give_up(&arrival.id);
                Err(Response::error(507, &format!("the files of the package were not kept: {reason}")))
            }
        };
        if let Err(response) = arrived {
            self.clients.exchanges.respond(exchange, response);
        }
    }

    /// Brings in a version whose record is staged and whose files are kept.
    fn arrive(&mut self, arrival: Arrival, exchange: ExchangeId) -> Result<(), Response> {
        let id = arrival.id.clone();
        let arrived = self.try_arrive(arrival, exchange);
        if arrived.is_err() {
            self.give_up(&id);
        }
        arrived
    }

    fn try_arrive(&mut self, arrival: Arrival, exchange: ExchangeId) -> Result<(), Response> {
        let Arrival { id, package, grant } = arrival;
        self.grant(&package.name, package.asks().within(grant))?;
        if self.plugins.registry.find(&id).is_none() {
            return self.bring_in(id, package, exchange);
        }
        let (version, asks) = (package.version.clone(), package.asks());
        let (registry, mut world) = self.lend();
        match registry.replace(package, Some(exchange), &mut world) {
            Ok(()) => {
                self.clients.exchanges.open(exchange, Pending::Install { id, staged: true });
                Ok(())
            }
            // Where room is short it is not kept until somebody grants that.
            Err(ReplaceError::Asks(missing)) if store::keeps_versions(&mut *self.hal.storage) => {
                store::shift(&mut *self.hal.storage, &id, Slot::Staged, Slot::Waiting)
                    .map_err(|error| not_stored(&error))?;
                self.plugins.registry.set_waiting(&id, Some(Waiting { version: version.clone(), asks }));
                self.end_arrival(&id);
                let row = self.row(&id, &version, "waiting", None, missing);
                self.clients.exchanges.respond(exchange, row);
                Ok(())
            }
            Err(error) => Err(not_replaced(&error)),
        }
    }

    /// Installs a package that is new. What makes it start with the gateway is stored before it is in force.
    fn bring_in(&mut self, id: String, package: Package, exchange: ExchangeId) -> Result<(), Response> {
        let (registry, storage) = (&mut self.plugins.registry, &mut *self.hal.storage);
        registry.install(package, Enabled::Always { config: None }, storage).map_err(|error| not_installed(&error))?;
        if let Err(error) = store::adopt(storage, &id) {
            registry.withdraw(&id);
            return Err(not_stored(&error));
        }
        registry.tell_when_settled(&id, exchange);
        self.clients.exchanges.open(exchange, Pending::Install { id, staged: false });
        Ok(())
    }

    /// Gives up a version that is not in force.
    fn give_up(&mut self, id: &str) {
        // What cannot be removed now is removed at the next start.
        let _ = store::discard(&mut *self.hal.storage, id);
        self.end_arrival(id);
    }

    /// Ends an arrival: the next one may come.
    fn end_arrival(&mut self, id: &str) {
        self.plugins.is_arriving = false;
        self.sweep_files(id);
    }

    /// Has the folders removed that no version of a plugin names any more.
    pub(super) fn sweep_files(&mut self, id: &str) {
        if self.board.keeps_web_files() {
            self.plugins.files.push_back(FilesWork::Sweep(id.to_string()));
        }
    }

    /// Ends an installation: puts a staged version that has started in force, and answers.
    pub(super) fn installed(&mut self, id: &str, staged: bool, outcome: &Outcome) -> Response {
        if !staged {
            self.end_arrival(id);
            return self.installed_row(id);
        }
        if let Outcome::Replaced(Err(reason)) = outcome {
            self.give_up(id);
            return Response::error(500, &format!("the version before is in force: {reason}"));
        }
        let adopted = store::adopt(&mut *self.hal.storage, id);
        self.plugins.registry.set_waiting(id, None);
        self.end_arrival(id);
        match adopted {
            Ok(()) => self.installed_row(id),
            Err(error) => Response::error(507, &format!("the new version runs, and was not stored: {error}")),
        }
    }

    /// Answers with the plugin as it is now.
    fn installed_row(&self, id: &str) -> Response {
        let Some(plugin) = self.plugins.registry.find(id) else { return no_plugin(id) };
        let missing = plugin.missing();
        let state = if missing.is_empty() { plugin.state().name() } else { "disabled" };
        self.row(id, &plugin.package().version, state, plugin.reason(), missing)
    }

    fn row(&self, id: &str, version: &str, state: &str, reason: Option<&str>, missing: Asks) -> Response {
        let Some(plugin) = self.plugins.registry.find(id) else { return no_plugin(id) };
        let body = json::object(|body| {
            body.text("id", plugin.id()).text("name", plugin.package_name()).text("version", version);
            body.text("state", state);
            if let Some(reason) = reason {
                body.text("reason", reason);
            }
            if !missing.is_empty() {
                body.list("asks", |names| missing.list(names));
            }
        });
        Response::json(201, body)
    }

    /// Grants rights to a package besides those it has.
    pub(super) fn grant(&mut self, package: &str, grant: Asks) -> Result<(), Response> {
        if grant.is_empty() {
            return Ok(());
        }
        let storage = &mut *self.hal.storage;
        let granted =
            asks::granted(storage, package).and_then(|before| asks::grant(storage, package, before.and(grant)));
        granted.map_err(|error| Response::error(507, &format!("nothing is granted: {error}")))
    }

    /// Takes rights away from a package.
    #[cfg(any(test, feature = "appstore"))]
    pub(super) fn take_grant(&mut self, package: &str, taken: Asks) -> Result<(), Response> {
        let storage = &mut *self.hal.storage;
        let left = asks::granted(storage, package).and_then(|had| asks::grant(storage, package, had.without(taken)));
        left.map_err(|error| Response::error(507, &format!("it stays granted: {error}")))
    }

    /// Grants what the request says to a plugin and to the version of it that waits. True when that one has all it asks
    /// for now.
    pub(super) fn grant_request(&mut self, id: &str, request: &Request) -> Result<bool, Response> {
        let Some(grant) = granted(request)? else { return Ok(false) };
        let plugin = self.plugins.registry.find(id).ok_or_else(|| no_plugin(id))?;
        let waiting = plugin.waiting().map(|waiting| waiting.asks);
        let (name, asks) =
            (plugin.package_name().to_string(), plugin.package().asks().and(waiting.unwrap_or_default()));
        self.grant(&name, asks.within(grant))?;
        let (registry, mut world) = self.lend();
        registry.reconsider(id, &mut world);
        let has = asks::granted(&mut *self.hal.storage, &name).unwrap_or_default();
        Ok(waiting.is_some_and(|waiting| waiting.without(has).is_empty()))
    }

    /// Puts the version in force that waited: in the store, or in a folder that whoever drives the gateway reads again.
    pub(super) fn end_waiting_version(&mut self, id: &str, exchange: ExchangeId) -> Option<Response> {
        let storage = &mut *self.hal.storage;
        if store::keeps_versions(storage) && store::describe(storage, id, Slot::Waiting).is_some() {
            return self.bring_back(id, Slot::Waiting, exchange).err();
        }
        self.plugins.registry.set_waiting(id, None);
        self.reload_request(id, exchange)
    }

    /// Puts the version in force again that was in force before.
    pub(super) fn rollback_request(&mut self, id: &str, exchange: ExchangeId) -> Option<Response> {
        self.bring_back(id, Slot::Before, exchange).err()
    }

    fn bring_back(&mut self, id: &str, slot: Slot, exchange: ExchangeId) -> Result<(), Response> {
        if !store::keeps_versions(&mut *self.hal.storage) {
            return Err(Response::error(501, "this board keeps one version"));
        }
        self.nothing_arrives()?;
        let name = self.plugins.registry.find(id).map(Plugin::package_name).ok_or_else(|| no_plugin(id))?;
        let bytes_max = u32::try_from(self.setup.limits.unpacked_bytes_max).unwrap_or(u32::MAX);
        let storage = &mut *self.hal.storage;
        let package = store::load(storage, id, slot, bytes_max).map_err(|error| not_stored(&error))?;
        let Some(package) = package.filter(|package| package.name == name) else {
            return Err(Response::error(409, "no other version of it is kept"));
        };
        store::shift(storage, id, slot, Slot::Staged).map_err(|error| not_stored(&error))?;
        self.plugins.is_arriving = true;
        self.arrive(Arrival { id: id.to_string(), package, grant: Asks::NONE }, exchange)
    }

    /// Takes the wish to read a package again; whoever drives the gateway gets it from
    /// [`next_reload`](Self::next_reload).
    pub(super) fn reload_request(&mut self, id: &str, exchange: ExchangeId) -> Option<Response> {
        if self.plugins.registry.find(id).is_none() {
            return Some(no_plugin(id));
        }
        self.clients.exchanges.open(exchange, Pending::Reload { id: id.to_string() });
        self.plugins.reloads.push_back((exchange, id.to_string()));
        None
    }

    /// Ends the wish to read a package again.
    pub(super) fn reloaded(&self, id: &str, outcome: &Outcome) -> Response {
        match outcome {
            Outcome::Replaced(Err(reason)) => {
                Response::error(500, &format!("the version before is in force: {reason}"))
            }
            _ => self.installed_row(id),
        }
    }

    /// Takes the next wish to read a plugin's files again, by its id; answer with [`reload`](Self::reload).
    pub fn next_reload(&mut self) -> Option<(ExchangeId, String)> {
        self.plugins.reloads.pop_front()
    }

    /// Answers a wish of [`next_reload`](Self::next_reload): the package as it is now, or why there is none.
    pub fn reload(&mut self, exchange: ExchangeId, package: Result<Package, String>) {
        let result = package.map_err(|clause| Response::error(500, &clause)).and_then(|package| {
            let (registry, mut world) = self.lend();
            registry.replace(package, Some(exchange), &mut world).map_err(|error| not_replaced(&error))
        });
        if let Err(response) = result {
            self.clients.exchanges.close(exchange);
            self.clients.exchanges.respond(exchange, response);
        }
    }

    /// Removes a package that was installed over the network, with what was granted to it; its configuration stays.
    pub(super) fn remove_request(&mut self, id: &str, exchange: ExchangeId) -> Option<Response> {
        self.try_remove(id, exchange).err()
    }

    fn try_remove(&mut self, id: &str, exchange: ExchangeId) -> Result<(), Response> {
        let registry = &self.plugins.registry;
        let unusable = || registry.unusable().find(|row| row.id == id).map(|row| &*row.package);
        let name = registry.find(id).map(Plugin::package_name).or_else(unusable).ok_or_else(|| no_plugin(id))?;
        let name = name.to_string();
        self.nothing_arrives()?;
        let storage = &mut *self.hal.storage;
        if !store::holds(storage, id, &name) {
            let clause = "it was not installed here: remove it where it lies, for example with `npm uninstall`";
            return Err(Response::error(409, clause));
        }
        store::remove(storage, id).map_err(|error| Response::error(500, &format!("not removed: {error}")))?;
        if let Err(error) = asks::grant(storage, &name, Asks::NONE) {
            log::warn!("{error}: what was granted to {name} stays granted");
        }
        self.plugins.registry.forget_unusable(&name);
        self.plugins.registry.remove(id, exchange);
        self.clients.exchanges.open(exchange, Pending::Remove { id: id.to_string() });
        Ok(())
    }
}

/// Reads `?grant=all` or `?grant=network,rawSockets`; `None` when the request grants nothing.
pub(super) fn granted(request: &Request) -> Result<Option<Asks>, Response> {
    let Some(list) = request.query().split('&').find_map(|pair| pair.strip_prefix("grant=")) else { return Ok(None) };
    match decode(list).and_then(|list| Asks::parse(&list)) {
        Some(grant) => Ok(Some(grant)),
        None => Err(Response::error(400, "grant is `all`, or names of capabilities and `webapp`, joined by commas")),
    }
}

fn not_taken(error: &IncomingError) -> Response {
    match error {
        IncomingError::TooLong { .. } => Response::error(413, &error.to_string()),
        IncomingError::Refused(refusal) => refused(refusal),
        _ => Response::error(400, &error.to_string()),
    }
}

fn not_stored(error: &store::StoreError) -> Response {
    Response::error(507, &format!("the package was not stored: {error}"))
}

fn not_installed(error: &InstallError) -> Response {
    let status = if matches!(error, InstallError::TooMany { .. }) { 507 } else { 500 };
    Response::error(status, &error.to_string())
}

fn refused(refusal: &Refusal) -> Response {
    match refusal {
        Refusal::TooMuch { needed, limit, .. } => shortage(&refusal.to_string(), *needed, *limit),
        _ => Response::error(400, &refusal.to_string()),
    }
}

fn not_replaced(error: &ReplaceError) -> Response {
    match error {
        ReplaceError::Refused(refusal) => refused(refusal),
        ReplaceError::Shortage(Shortage { needed, free }) => no_room("memory", *needed, *free),
        ReplaceError::Busy | ReplaceError::Clash(_) => Response::error(409, &error.to_string()),
        ReplaceError::NotFound => Response::error(404, &error.to_string()),
        ReplaceError::Asks(asks) => Response::asks(&error.to_string(), *asks),
    }
}

fn no_room(of: &str, needed: u64, free: u64) -> Response {
    shortage(&format!("not enough {of}"), needed, free)
}

/// `507 {error,needed,free}`, bytes.
fn shortage(clause: &str, needed: u64, free: u64) -> Response {
    let body = json::object(|body| {
        body.text("error", clause).number("needed", needed).number("free", free);
    });
    Response::json(507, body)
}
