//! Server events on the delta stream (`?serverevents=all`, plugin ABI §12.4): how the plugins are, who the vessel is.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
#[cfg(any(test, feature = "server-routes"))]
use alloc::vec::Vec;
use core::time::Duration;

use super::clients::Clients;
use crate::accounts::Role;
use crate::config::Vessel;
use crate::json::{self, Object};
use crate::plugin::{Plugin, PluginState, Registry};
use crate::server::stream::Session;
use crate::sorted::SortedMap;
use crate::time::{Instant, UnixMillis};

/// Time after which the status of all plugins is sent again (§12.4).
const REPEAT: Duration = Duration::from_secs(5);
/// Shortest time between two of them: a plugin that floods its status does not flood every client (§13, L-49).
const GAP: Duration = Duration::from_millis(200);

/// What was last said about each plugin, by package name.
#[derive(Default)]
pub(super) struct ServerEvents {
    said: SortedMap<Arc<str>, Said>,
    changed: bool,
    sent: Option<Instant>,
    /// What is told of each input, JSON.
    #[cfg(any(test, feature = "server-routes"))]
    pub inputs: Vec<String>,
}

struct Said {
    is_error: bool,
    text: String,
    /// What everybody is told instead of an error's text.
    state: &'static str,
    at: UnixMillis,
    last_error: Option<(String, UnixMillis)>,
}

impl Clients {
    /// Sends the plugins' status to those who asked for it; returns when it is due again.
    pub fn send_server_events(&mut self, registry: &Registry, wall: UnixMillis, now: Instant) -> Option<Instant> {
        let events = &mut self.server_events;
        if registry.has_moved() {
            registry.plugins().for_each(|plugin| events.note(plugin, wall));
        }
        if !self.streams.sessions().any(Session::wants_server_events) {
            events.sent = None;
            return None;
        }
        let wait = if events.changed { GAP } else { REPEAT };
        if let Some(due) = events.sent.map(|sent| sent + wait).filter(|due| *due > now) {
            return Some(due);
        }
        events.said.retain(|package, _| registry.plugins().any(|plugin| plugin.package_name() == &**package));
        (events.changed, events.sent) = (false, Some(now));
        let texts = [false, true].map(|for_owner| events.json(for_owner));
        let [for_all, for_owner] = &texts;
        for session in self.streams.sessions_mut().filter(|session| session.wants_server_events()) {
            let is_owner = session.rights().role == Some(Role::Admin);
            session.reply(if is_owner { for_owner } else { for_all });
        }
        Some(now + REPEAT)
    }
}

impl ServerEvents {
    fn forget(&mut self, package: &str) {
        self.changed |= self.said.remove(package).is_some();
    }

    /// Lets the next poll send everything: a client has come.
    pub(super) fn send_soon(&mut self) {
        self.sent = None;
    }

    /// Tells whether the next poll sends something, where somebody listens.
    #[cfg(any(test, feature = "server-routes"))]
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let wait = if self.changed { GAP } else { REPEAT };
        self.sent.is_none_or(|sent| sent + wait <= now)
    }

    fn note(&mut self, plugin: &Plugin, wall: UnixMillis) {
        let failed = matches!(plugin.state(), PluginState::Error | PluginState::Crashed);
        let (is_error, text) = match (plugin.error(), plugin.reason(), plugin.status()) {
            (Some(error), ..) => (true, error),
            (None, Some(reason), _) if failed => (true, reason),
            (None, _, Some(status)) => (false, status),
            (None, _, None) => return self.forget(plugin.package_name()),
        };
        let before = self.said.get(plugin.package_name());
        if before
            .is_some_and(|said| said.is_error == is_error && said.text == text && said.state == plugin.state().name())
        {
            return;
        }
        let last_error = before
            .and_then(|said| if said.is_error { Some((said.text.clone(), said.at)) } else { said.last_error.clone() });
        let said = Said { is_error, text: text.to_string(), state: plugin.state().name(), at: wall, last_error };
        self.said.insert(plugin.package_name().into(), said);
        self.changed = true;
    }

    /// Returns the event; the words of errors are for the owner.
    fn json(&self, for_owner: bool) -> String {
        json::object(|out| {
            out.text("type", "PROVIDERSTATUS").text("from", "skiff").list("data", |out| {
                for (package, said) in self.said.iter() {
                    out.object(|out| said.write(out, package, for_owner));
                }
                #[cfg(any(test, feature = "server-routes"))]
                self.inputs.iter().for_each(|row| _ = out.json(row));
            });
        })
    }
}

impl Said {
    fn write(&self, out: &mut Object<'_>, package: &str, for_owner: bool) {
        let message = if self.is_error && !for_owner { self.state } else { &self.text };
        out.text("type", if self.is_error { "error" } else { "status" }).text("id", package);
        out.text("statusType", "plugin").text("timeStamp", &self.at.to_string()).text("message", message);
        if let Some((error, at)) = self.last_error.as_ref().filter(|_| for_owner) {
            out.text("lastError", error).text("lastErrorTimeStamp", &at.to_string());
        }
    }
}

/// Returns the event that tells a new client who the vessel is.
pub(super) fn vessel_info(vessel: &Vessel, self_context: &str) -> String {
    let uuid = self_context.strip_prefix("vessels.");
    json::object(|out| {
        out.text("type", "VESSEL_INFO").text("from", "skiff").object("data", |out| {
            for (name, value) in [("name", vessel.name.as_deref()), ("mmsi", vessel.mmsi.as_deref()), ("uuid", uuid)] {
                if let Some(value) = value {
                    out.text(name, value);
                }
            }
        });
    })
}
