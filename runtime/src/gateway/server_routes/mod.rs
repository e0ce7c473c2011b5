//! What the admin UI of Signal K Server (npm `@signalk/server-admin-ui` 2.32) asks for below `/skServer`, beside plugins,
//! users and devices, which have files of their own.
//!
//! Answers have the form that the page reads. Where this gateway has no such thing there is an empty answer if that is the
//! truth (no files of logs), else 501 with a sentence that says what does it here.

mod bus;
mod choices;
mod events;
mod inputs;
mod settings;
mod sources;
mod units;
mod units_table;
mod vessel;

use alloc::string::String;

use super::Gateway;
use super::board::Restart;
use super::board_http::BEFORE_RESTART;
use crate::http::{Method, Request};
use crate::json;
use crate::server::Response;
use choices::{Choice, Choices};
use events::ServerEventState;

pub(super) use vessel::described;

/// Said of a change of the log's level.
const LOG_LEVEL: &str = "which lines are logged is chosen at the start: `skiff run -v` has more";
/// Said where a supervisor has to do it.
const RESTART: &str =
    "this gateway does not start itself anew: whoever started it does, `systemctl restart skiff` for one";
/// Said of sources.
const SOURCES_GO: &str =
    "sources are not taken out by hand: one without values makes room for others, all go with a restart";

/// What the owner chose, and what clients were told.
#[derive(Default)]
pub(super) struct ServerRoutes {
    choices: Choices,
    events: ServerEventState,
}

impl ServerRoutes {
    /// Reads what the owner chose.
    pub fn load(storage: &mut dyn crate::hal::Storage) -> Self {
        Self { choices: Choices::load(storage), events: ServerEventState::default() }
    }
}

impl Gateway {
    /// Answers what is asked for below `/skServer` that has no file of its own.
    pub(super) fn server_route(&mut self, what: &[&str], request: &Request) -> Response {
        if request.method.is_read() { self.read_server_route(what) } else { self.change_server_route(what, request) }
    }

    fn read_server_route(&mut self, what: &[&str]) -> Response {
        let json = |text: String| Response::json(200, text);
        if let [name] = what
            && let Some(choice) = Choice::of_route(name)
        {
            return Response::json(200, self.server_routes.choices.get(choice));
        }
        match what {
            ["vessel"] => self.vessel(),
            ["settings"] => self.settings(),
            ["providers"] => json(self.providers()),
            ["priorities"] => self.priorities(),
            ["availablePaths"] => json(self.available_paths()),
            ["paths"] => json(self.path_meta()),
            ["multiSourcePaths"] => json(self.multi_source_paths()),
            ["livePreferredSources"] => json(self.preferred_sources()),
            ["reconciledGroups"] => json(self.reconciled_groups()),
            ["positionSources"] => json(self.position_sources()),
            // The log is in memory, and read by the stream; its levels are no names.
            ["logfiles"] | ["debugKeys"] => json(json::list(|_| {})),
            ["n2kDeviceStatus"] => json(self.bus_status()),
            ["deviceIdentities"] => json(self.device_identities()),
            ["hasAnalyzer"] => Response::json(200, "false"),
            // Neither Node.js nor npm; the page leaves out what is not said.
            ["nodeInfo"] => json(json::object(|_| {})),
            ["security", "hasBackup"] => json(json::object(|out| _ = out.boolean("hasBackup", false))),
            ["security", "oidc"] => json(json::object(|out| _ = out.boolean("enabled", false))),
            ["ziplogs"] | ["logfiles", _] => Response::error(404, "no files of logs are kept, see /skiff/v1/log"),
            ["eventsRoutingData"] => {
                Response::error(501, "events inside this gateway are not counted by who sends them")
            }
            ["n2kDiscoverInstances"] | ["n2kChannelLabel"] => {
                Response::error(501, "labels of channels are not kept; instances stand in the paths of values")
            }
            ["cacheInspect"] => Response::error(501, "the data model shows what it holds: /signalk/v1/api"),
            _ => Response::unclaimed(),
        }
    }

    fn restart(&mut self) -> Response {
        if !self.board.parts.restarts {
            return Response::error(501, RESTART);
        }
        log::info!("an admin asked for a restart");
        self.board.restart = Some((Restart::Asked, self.hal.clock.now() + BEFORE_RESTART));
        Response::json(200, json::quoted("Restarting..."))
    }

    fn change_server_route(&mut self, what: &[&str], request: &Request) -> Response {
        use Method::{Delete, Post, Put};
        let body = core::str::from_utf8(&request.body).ok().and_then(|text| json::compact(text).ok());
        if let ([name], Put) = (what, request.method)
            && let Some(choice) = Choice::of_route(name)
        {
            return body.map_or_else(no_json, |body| self.choose(&[(choice, &body)]));
        }
        let object = body.filter(|text| text.starts_with('{'));
        let flag = |name: &str| object.as_deref().and_then(|body| json::member(body, name)).unwrap_or("null");
        match (what, request.method) {
            (["vessel"], Put) => object.map_or_else(no_json, |body| self.set_vessel(&body)),
            (["settings"], Put) => object.map_or_else(no_json, |body| self.set_settings(&body)),
            (["priorities"], Put) => object.map_or_else(no_json, |body| self.choose_priorities(&body)),
            (["priorities"], Delete) => self.forget_choices(),
            (["providers"], Post) | (["providers", _], Put | Delete) => Response::error(501, inputs::NOT_HERE),
            (["debug"], Post) if matches!(flag("value"), "\"\"" | "null") => Response::empty(200),
            (["rememberDebug"], Post) if flag("value") == "false" => Response::empty(200),
            (["debug" | "rememberDebug"], Post) => Response::error(501, LOG_LEVEL),
            (["restart"], Put) => self.restart(),
            (["n2kDiscoverDevices"], Post) => self.ask_devices(),
            (["n2kConfigDevice"], Post) => object.map_or_else(no_json, |body| self.set_device(&body)),
            (["removeSource" | "n2kRemoveSource"], Delete) | (["resetN2kDevices"], Post) => {
                Response::error(501, SOURCES_GO)
            }
            (["runDiscovery"], Put) => {
                Response::error(501, "nothing is looked for here: inputs are given, see `skiff run --help`")
            }
            (["testSignalKConnection" | "requestAccess" | "checkAccessRequest"], Post) => {
                Response::error(501, "connections to other servers are inputs, see `skiff run --help`")
            }
            (["inputTest"], Post) => {
                Response::error(501, "try it with `skiff decode`, which decodes a log the same way")
            }
            (["enableSecurity"], Post) => {
                Response::error(403, "security is on: users are made below /skServer/security/users")
            }
            (["disableSecurity"], Post) => Response::error(
                501,
                "security is not switched off here: `skiff run --allow-anyone` does, while it runs",
            ),
            (["security", "oidc", ..], _) => {
                Response::error(501, "nobody else's accounts are taken here, only its own")
            }
            _ => match self.read_server_route(what) {
                known if known.unclaimed => known,
                _ => Response::method_not_allowed("GET, HEAD"),
            },
        }
    }
}

fn no_json() -> Response {
    Response::error(400, "the body must be JSON")
}
