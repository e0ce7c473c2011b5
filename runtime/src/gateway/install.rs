//! `POST /skiff/v1/plugins` and `DELETE /skiff/v1/plugins/<id>`: packages over the network.
//!
//! A package is unpacked, checked and held against what is free before anything changes. A new version is stored
//! only when it has started, so that a power cut or a failure leaves the version before in place.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};

use super::Gateway;
use super::exchanges::{Pending, SaveState};
use super::plugin_http::no_plugin;
use crate::budget::Shortage;
use crate::host::Refusal;
use crate::http::Request;
use crate::json;
use crate::package::{Clash, Incoming, IncomingError, Package, store};
use crate::plugin::{Enabled, ExchangeId, InstallError, Outcome, Plugin, ReplaceError};
use crate::server::{Follow, Response};

impl Gateway {
    /// Takes a package; `None` means that the answer comes when the plugin has come up or failed to.
    pub(super) fn install_request(&mut self, request: &Request, exchange: ExchangeId) -> Option<Response> {
        self.try_install(request, exchange).err()
    }

    fn try_install(&mut self, request: &Request, exchange: ExchangeId) -> Result<(), Response> {
        let incoming = Incoming::read(&request.body, &self.setup.limits).map_err(|error| not_taken(&error))?;
        if let Some(clash) = self.clash(&incoming) {
            return Err(Response::error(409, &clash.to_string()));
        }
        let (storage, id) = (&mut *self.hal.storage, incoming.id().to_string());
        let bytes = incoming.record_bytes();
        let free = store::room(storage, &id).map_err(|error| Response::error(400, &error.to_string()))?;
        if bytes > free {
            return Err(no_room("storage", bytes, free));
        }
        if self.plugins.registry.find(&id).is_some() {
            return self.try_replace(incoming, exchange);
        }
        let needed = incoming.facts().reserved_bytes(&self.setup.limits.plugin);
        let free = self.plugins.registry.ledger().free();
        if needed > free {
            return Err(no_room("memory", needed, free));
        }
        incoming.save(storage).map_err(|error| not_stored(&error))?;
        let package = incoming.saved(storage).map_err(|error| not_stored(&error))?;
        // On a chip the copy in memory makes room for the plugin.
        let incoming = self.board.keeps_web_files().then(|| Box::new(incoming));
        if let Err(error) = self.plugins.registry.install(package, Enabled::Always { config: None }, storage) {
            // What cannot be installed now would come up at the next start.
            if let Err(left) = store::remove(storage, &id) {
                log::warn!("{id}: could not be installed, and stays stored until it is removed: {left}");
            }
            return Err(match error {
                InstallError::TooMany { .. } => Response::error(507, &error.to_string()),
                _ => Response::error(500, &error.to_string()),
            });
        }
        self.plugins.registry.tell_when_settled(&id, exchange);
        self.clients.exchanges.open(exchange, Pending::Install { id, stored: SaveState::InForce, incoming });
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

    /// Begins to put another version in the place of an installed one.
    fn try_replace(&mut self, incoming: Incoming, exchange: ExchangeId) -> Result<(), Response> {
        let (storage, id) = (&mut *self.hal.storage, incoming.id().to_string());
        let (package, stored) = match incoming.stage(storage).map_err(|error| not_stored(&error))? {
            Some(staged) => (staged, SaveState::Staged),
            None => (incoming.package().map_err(|error| not_taken(&error.into()))?, SaveState::Not),
        };
        // Where modules are read in place, the copy in memory makes room for the plugin.
        let is_kept = stored == SaveState::Not || self.board.keeps_web_files();
        let incoming = is_kept.then(|| Box::new(incoming));
        let (registry, world) = self.lend();
        if let Err(error) = registry.replace(package, Some(exchange), &world) {
            if stored == SaveState::Staged {
                // Its remains are removed at the next start.
                let _ = store::discard(&mut *self.hal.storage, &id);
            }
            return Err(not_replaced(&error));
        }
        self.clients.exchanges.open(exchange, Pending::Install { id, stored, incoming });
        Ok(())
    }

    /// Ends an installation: stores a new version that has started, and answers.
    pub(super) fn installed(
        &mut self,
        id: &str,
        stored: SaveState,
        incoming: Option<Box<Incoming>>,
        outcome: &Outcome,
    ) -> Response {
        let storage = &mut *self.hal.storage;
        let kept = match (outcome, stored, &incoming) {
            (Outcome::Replaced(Ok(())), SaveState::Not, Some(incoming)) => incoming.save(storage),
            (Outcome::Replaced(Ok(())), SaveState::Staged, _) => store::adopt(storage, id),
            (_, SaveState::Staged, _) => {
                // Its remains are removed at the next start.
                let _ = store::discard(storage, id);
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(error) = kept {
            return Response::error(507, &format!("the new version runs, and was not stored: {error}"));
        }
        if let Outcome::Replaced(Err(reason)) = outcome {
            return Response::error(500, &format!("the version before is in force: {reason}"));
        }
        let files = incoming.filter(|_| self.board.keeps_web_files()).map(|incoming| incoming.into_web_files());
        Response { follow: files.map(Follow::Keep), ..self.installed_row(id) }
    }

    /// Answers with the plugin as it is now.
    fn installed_row(&self, id: &str) -> Response {
        let Some(plugin) = self.plugins.registry.find(id) else { return no_plugin(id) };
        let body = json::object(|body| {
            body.text("id", plugin.id()).text("name", plugin.package_name());
            body.text("version", plugin.package().version.as_str()).text("state", plugin.state().name());
            if let Some(reason) = plugin.reason() {
                body.text("reason", reason);
            }
        });
        Response::json(201, body)
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

    /// Takes the next wish to read a plugin's files again, by its id; answer with [`reload`](Self::reload).
    pub fn next_reload(&mut self) -> Option<(ExchangeId, String)> {
        self.plugins.reloads.pop_front()
    }

    /// Answers a wish of [`next_reload`](Self::next_reload): the package as it is now, or why there is none.
    pub fn reload(&mut self, exchange: ExchangeId, package: Result<Package, String>) {
        let result = package.map_err(|clause| Response::error(500, &clause)).and_then(|package| {
            let (registry, world) = self.lend();
            registry.replace(package, Some(exchange), &world).map_err(|error| not_replaced(&error))
        });
        if let Err(response) = result {
            self.clients.exchanges.close(exchange);
            self.clients.exchanges.respond(exchange, response);
        }
    }

    /// Removes a package that was installed over the network; its configuration stays.
    pub(super) fn remove_request(&mut self, id: &str, exchange: ExchangeId) -> Option<Response> {
        let Some(name) = self.plugins.registry.find(id).map(|plugin| plugin.package_name().to_string()) else {
            return Some(no_plugin(id));
        };
        if !store::holds(&mut *self.hal.storage, id, &name) {
            let clause = "it was not installed here: remove it where it lies, for example with `npm uninstall`";
            return Some(Response::error(409, clause));
        }
        if let Err(error) = store::remove(&mut *self.hal.storage, id) {
            return Some(Response::error(500, &format!("not removed: {error}")));
        }
        self.plugins.registry.remove(id, exchange);
        self.clients.exchanges.open(exchange, Pending::Remove { id: id.to_string() });
        None
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
