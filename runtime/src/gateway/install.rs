//! `POST /skiff/v1/plugins` and `DELETE /skiff/v1/plugins/<id>`: packages over the network.
//!
//! A package is unpacked, checked and held against what is free before anything changes. A new version is stored
//! only when it has started, so that a power cut or a failure leaves the version before in place.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Gateway;
use super::exchanges::{Pending, Stored};
use super::plugin_http::no_plugin;
use crate::budget::Shortage;
use crate::host::{ModuleFacts, Refusal};
use crate::http::Request;
use crate::json;
use crate::package::{Package, Unpacked, store};
use crate::plugin::{Enabled, ExchangeId, InstallError, Outcome, ReplaceError};
use crate::server::Response;

impl Gateway {
    /// Takes a package; `None` means that the answer comes when the plugin has come up or failed to.
    pub(super) fn install_request(&mut self, request: &Request, exchange: ExchangeId) -> Option<Response> {
        self.try_install(request, exchange).err()
    }

    fn try_install(&mut self, request: &Request, exchange: ExchangeId) -> Result<(), Response> {
        let limits = self.setup.limits;
        if request.body.len() > limits.package_bytes_max as usize {
            let clause =
                format!("the package has {} bytes, {} are allowed", request.body.len(), limits.package_bytes_max);
            return Err(Response::error(413, &clause));
        }
        let corrupt = |error: &dyn core::fmt::Display| Response::error(400, &error.to_string());
        let unpacked = Unpacked::from_tgz(&request.body, limits.unpacked_bytes_max).map_err(|error| corrupt(&error))?;
        let record = store::record(&unpacked);
        let package = Package::from_parts(&unpacked.package_json, unpacked.wasm).map_err(|error| corrupt(&error))?;
        let facts = ModuleFacts::read(&package.wasm, &limits.plugin).map_err(|refusal| refused(&refusal))?;
        let id = package.id();
        let free = store::room(&mut *self.hal.storage, &id).map_err(|error| corrupt(&error))?;
        if record.len() as u64 > free {
            return Err(no_room("storage", record.len() as u64, free));
        }
        if self.plugins.registry.find(&id).is_some() {
            return self.try_replace(package, id, record, exchange);
        }
        let (needed, free) = (facts.reserved_bytes(&self.setup.limits.plugin), self.plugins.registry.ledger().free());
        if needed > free {
            return Err(no_room("memory", needed, free));
        }
        let storage = &mut *self.hal.storage;
        store::save(storage, &id, &record).map_err(|error| not_stored(&error))?;
        let package = if storage.reads_in_place() {
            let bytes = u32::try_from(record.len()).unwrap_or(u32::MAX);
            // The copies in memory make room for the plugin.
            drop((package, record));
            let stored = store::load(storage, &id, bytes).map_err(|error| not_stored(&error))?;
            stored.ok_or_else(|| Response::error(507, "the package was not stored"))?
        } else {
            package
        };
        if let Err(error) =
            self.plugins.registry.install(package, Enabled::Always { config: None }, &mut *self.hal.storage)
        {
            // What cannot be installed now would come up at the next start.
            let _ = store::remove(&mut *self.hal.storage, &id);
            return Err(match error {
                InstallError::TooMany { .. } => Response::error(507, &error.to_string()),
                _ => Response::error(500, &error.to_string()),
            });
        }
        self.plugins.registry.tell_when_settled(&id, exchange);
        self.clients.exchanges.open(exchange, Pending::Install { id, stored: Stored::InForce });
        Ok(())
    }

    /// Begins to put another version in the place of an installed one.
    fn try_replace(
        &mut self,
        package: Package,
        id: String,
        record: Vec<u8>,
        exchange: ExchangeId,
    ) -> Result<(), Response> {
        let staged = store::stage(&mut *self.hal.storage, &id, &record).map_err(|error| not_stored(&error))?;
        // Where modules are read in place, the copies in memory make room for the plugin.
        let (package, stored) = match staged {
            Some(staged) => (staged, Stored::Staged),
            None => (package, Stored::Not(record)),
        };
        let (registry, world) = self.lend();
        if let Err(error) = registry.replace(package, Some(exchange), &world) {
            if matches!(stored, Stored::Staged) {
                // What is left of it is given up at the next start.
                let _ = store::discard(&mut *self.hal.storage, &id);
            }
            return Err(not_replaced(&error));
        }
        self.clients.exchanges.open(exchange, Pending::Install { id, stored });
        Ok(())
    }

    /// Ends an installation: stores a new version that has started, and answers.
    pub(super) fn installed(&mut self, id: &str, stored: Stored, outcome: &Outcome) -> Response {
        let storage = &mut *self.hal.storage;
        let kept = match (outcome, stored) {
            (Outcome::Replaced(Ok(())), Stored::Not(record)) => store::save(storage, id, &record),
            (Outcome::Replaced(Ok(())), Stored::Staged) => store::adopt(storage, id),
            (_, Stored::Staged) => {
                // What is left of it is given up at the next start.
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
        let Some(plugin) = self.plugins.registry.find(id) else { return no_plugin(id) };
        let mut body = String::from("{");
        let members = [
            ("id", plugin.id()),
            ("name", plugin.package_name()),
            ("version", plugin.package().version.as_str()),
            ("state", plugin.state().name()),
        ];
        for (name, text) in members.into_iter().chain(plugin.reason().map(|reason| ("reason", reason))) {
            if body.len() > 1 {
                body.push(',');
            }
            body.push_str(&format!("\"{name}\":"));
            // Writing into a String cannot fail.
            let _ = json::write_string(&mut body, text);
        }
        body.push('}');
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
        if self.plugins.registry.find(id).is_none() {
            return Some(no_plugin(id));
        }
        if !store::contains(&mut *self.hal.storage, id) {
            let clause = "it was not installed here: remove it where it lies, for example with `npm uninstall`";
            return Some(Response::error(409, clause));
        }
        if let Err(error) = store::remove(&mut *self.hal.storage, id) {
            return Some(Response::error(500, &format!("not removed: {error}")));
        }
        self.plugins.registry.remove(id, exchange);
        self.clients.exchanges.open(exchange, Pending::Remove);
        None
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
        ReplaceError::Busy => Response::error(409, &error.to_string()),
        ReplaceError::NotFound => Response::error(404, &error.to_string()),
    }
}

fn no_room(of: &str, needed: u64, free: u64) -> Response {
    shortage(&format!("not enough {of}"), needed, free)
}

/// `507 {error,needed,free}`, bytes.
fn shortage(clause: &str, needed: u64, free: u64) -> Response {
    let mut body = String::from("{\"error\":");
    // Writing into a String cannot fail.
    let _ = json::write_string(&mut body, clause);
    body.push_str(&format!(",\"needed\":{needed},\"free\":{free}}}"));
    Response::json(507, body)
}
