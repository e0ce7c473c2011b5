//! Settings of the server and of its security, as the admin UI shows and changes them. What changes is kept in
//! `skiff/settings.json`, which goes before `settings.json` member by member.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::config::{keep_settings, read_settings};
use crate::gateway::Gateway;
use crate::json::{self, JsonError};
use crate::server::Response;

/// Interfaces of Signal K Server that are here, by its names for them.
const INTERFACES: [&str; 5] = ["applicationData", "plugins", "rest", "webapps", "ws"];
/// Settings whose change needs another start, with where they stand in the file.
const AT_NEXT_START: [(&str, &str, &str); 2] =
    [("options.mdns", "skiff", "mdns"), ("interfaces.wasm", "interfaces", "wasm")];
/// Whether courses come from clients alone; holds at once.
const API_ONLY: &str = "courseApi.apiOnly";
/// Whether a history is kept; holds at once.
const HISTORY: &str = "history.isKept";
/// What is kept where the owner has listed nothing: what the page plots.
#[cfg(any(test, feature = "history"))]
const HISTORY_FIRST: [&str; 6] =
    ["navigation.*", "environment.*", "electrical.*", "tanks.*", "propulsion.*", "steering.*"];

impl Gateway {
    /// Answers `GET /skServer/settings`.
    ///
    /// Ports are the command line's. Signal K Server says `runFromSystemd` where that is so, and the page does not show them.
    pub(super) fn settings(&mut self) -> Response {
        match self.settings_json() {
            Ok(text) => Response::json(200, text),
            Err(refused) => refused,
        }
    }

    fn settings_json(&mut self) -> Result<String, Response> {
        let kept = read_settings(&mut *self.hal.storage).map_err(|error| Response::error(500, &format!("{error}")))?;
        let kept = kept.unwrap_or_default();
        let member = |outer: &str, name: &str| json::member(json::member(&kept, outer)?, name);
        let mdns = member("skiff", "mdns").or_else(|| json::member(&kept, "mdns")) != Some("false");
        let wasm = member("interfaces", "wasm") != Some("false");
        Ok(json::object(|out| {
            out.object("interfaces", |out| {
                INTERFACES.iter().for_each(|name| _ = out.boolean(name, true));
                out.boolean("wasm", wasm);
            });
            out.object("options", |out| {
                out.boolean("mdns", mdns).boolean("wsCompression", false).boolean("accessLogging", false);
                out.boolean("enablePluginLogging", true);
            });
            out.boolean("runFromSystemd", true);
            out.object("courseApi", |out| _ = out.boolean("apiOnly", self.course.navigation.is_api_only()));
            out.object("notifications", |out| _ = out.boolean("manageNotifications", true));
            out.object("staleness", |out| _ = out.boolean("enforceDataTimeouts", false));
            #[cfg(any(test, feature = "history"))]
            out.object("history", |out| _ = out.boolean("isKept", self.history.is_kept()));
        }))
    }

    /// Answers `PUT /skServer/settings`, which has all of them: what differs is changed, or refused before anything is.
    pub(super) fn set_settings(&mut self, body: &str) -> Response {
        let now = match self.settings_json() {
            Ok(text) => text,
            Err(refused) => return refused,
        };
        let (mut known, mut wanted) = (Vec::new(), Vec::new());
        if leaves(&now, "", &mut known).and_then(|()| leaves(body, "", &mut wanted)).is_err() {
            return Response::error(400, "the body must be an object");
        }
        let differs = |(name, value): &&(String, String)| {
            let is_said = !matches!(value.as_str(), "null" | "\"\"" | "[]" | "{}");
            is_said && known.iter().all(|(other, same)| other != name || same != value)
        };
        let changes: Vec<&(String, String)> = wanted.iter().filter(differs).collect();
        for (name, value) in &changes {
            let can_change =
                matches!(name.as_str(), API_ONLY | HISTORY) || AT_NEXT_START.iter().any(|(known, ..)| known == name);
            if !can_change {
                return Response::error(
                    501,
                    &format!("{name} is not set here: see `skiff run --help` for what can be"),
                );
            }
            if json::boolean(value).is_none() {
                return Response::error(400, &format!("{name} is true or false"));
            }
        }
        let mut waits = false;
        for (name, value) in changes {
            if name == API_ONLY {
                self.set_api_only(value == "true");
                continue;
            }
            if name == HISTORY {
                if let Err(refused) = self.set_history(value == "true") {
                    return refused;
                }
                continue;
            }
            let Some((_, outer, member)) = AT_NEXT_START.iter().find(|(known, ..)| known == name) else { continue };
            if let Err(refused) = self.keep_setting(outer, member, value) {
                return refused;
            }
            waits = true;
        }
        let said = if waits { "Settings changed, they hold from the next start" } else { "Settings changed" };
        Response::new(200, "text/plain; charset=utf-8", said)
    }

    /// Keeps a history from now on, or none; what was kept so far stays where it is.
    #[cfg(any(test, feature = "history"))]
    fn set_history(&mut self, is_kept: bool) -> Result<(), Response> {
        if self.history.is_read() {
            return Err(Response::error(409, "somebody reads the history at the moment, try again"));
        }
        let failed = |error| Response::error(500, &format!("{error}"));
        let known = read_settings(&mut *self.hal.storage).map_err(failed)?.unwrap_or_default();
        let known = json::member(&known, "skiff").and_then(|skiff| json::member(skiff, "history"));
        let known = known.map_or_else(
            || {
                json::object(|out| {
                    out.list("paths", |list| HISTORY_FIRST.iter().for_each(|path| _ = list.text(path)));
                })
            },
            ToOwned::to_owned,
        );
        let wanted = json::with_member(&known, "enabled", if is_kept { "true" } else { "false" });
        self.keep_setting("skiff", "history", &wanted)?;
        self.save_history();
        let settings = crate::config::Settings::load(&mut *self.hal.storage).map_err(failed)?;
        self.keep_history(settings.history.as_ref());
        log::info!("{}", if self.history.is_kept() { "a history is kept now" } else { "no history is kept any more" });
        match self.history.is_kept() == is_kept {
            true => Ok(()),
            false => Err(Response::error(507, "no history can be kept: the log says why")),
        }
    }

    #[cfg(not(any(test, feature = "history")))]
    fn set_history(&mut self, _: bool) -> Result<(), Response> {
        Err(Response::error(501, "this gateway keeps no history"))
    }

    /// Writes one member of `skiff/settings.json`.
    pub(super) fn keep_setting(&mut self, outer: &str, member: &str, value: &str) -> Result<(), Response> {
        let kept = keep_settings(&mut *self.hal.storage, &[(Some(outer), member, value)]);
        kept.map_err(|error| Response::error(507, &format!("{error}")))
    }

    /// Answers `PUT /skServer/security/config`: whether guests read and devices may ask to be let in, at once and from now on.
    pub(in crate::gateway) fn set_security(&mut self, body: &str) -> Response {
        let (mut known, mut wanted) = (Vec::new(), Vec::new());
        if leaves(&self.security_settings(), "", &mut known).and_then(|()| leaves(body, "", &mut wanted)).is_err() {
            return Response::error(400, "the body must be an object");
        }
        // What is said to be empty or off, and is not here, is as it is said to be.
        let is_off = |value: &str| matches!(value, "null" | "\"\"" | "[]" | "{}" | "false");
        let is_known = |name: &str, value: &str| known.iter().any(|(other, same)| other == name && same == value);
        let can_change = |name: &str| matches!(name, "allow_readonly" | "allowDeviceAccessRequests");
        for (name, value) in wanted.iter().filter(|(name, _)| !can_change(name)) {
            let is_there = known.iter().any(|(other, _)| other == name);
            if !is_known(name, value) && (is_there || !is_off(value)) {
                return Response::error(501, &format!("{name} is not set here, only what guests and devices may"));
            }
        }
        let guests = json::member(body, "allow_readonly");
        let Some(reads) = guests.map(json::boolean) else {
            return Response::error(400, "allow_readonly is needed");
        };
        let Some(reads) = reads else { return Response::error(400, "allow_readonly is true or false") };
        let takes = json::member(body, "allowDeviceAccessRequests").map(json::boolean);
        if takes == Some(None) {
            return Response::error(400, "allowDeviceAccessRequests is true or false");
        }
        if let Some(takes) = takes.flatten().filter(|takes| *takes != self.setup.access.takes_requests()) {
            if let Err(refused) = self.keep_setting("skiff", "accessRequests", if takes { "true" } else { "false" }) {
                return refused;
            }
            self.setup.access.set_takes_requests(takes);
            log::info!("devices {}", if takes { "may ask to be let in" } else { "may not ask to be let in any more" });
        }
        if reads != self.setup.access.lets_guests_read() {
            let value = json::quoted(if reads { "read" } else { "none" });
            if let Err(refused) = self.keep_setting("skiff", "guests", &value) {
                return refused;
            }
            self.setup.access.set_guests_read(reads);
            self.judge_streams();
            log::info!("guests {}", if reads { "read the boat's data now" } else { "read nothing any more" });
        }
        Response::json(200, json::quoted("security config saved"))
    }
}

/// Lists the members of an object that are no objects, with their dotted names, and their values as text: `60` and `"60"`
/// are one.
fn leaves(object: &str, prefix: &str, found: &mut Vec<(String, String)>) -> Result<(), JsonError> {
    // Deeper than the page's own; what is below is compared as it is.
    const DEPTH_MAX: usize = 3;
    json::members::<JsonError>(object, |key, value| {
        let name = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
        if value.starts_with('{') && name.split('.').count() < DEPTH_MAX {
            return leaves(value, &name, found);
        }
        let number = json::string(value).filter(|text| text.parse::<f64>().is_ok());
        found.push((name, number.map_or_else(|| value.to_owned(), String::from)));
        Ok(())
    })
}
