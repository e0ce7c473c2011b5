//! What the admin UI of Signal K Server (npm `@signalk/server-admin-ui` 2.32) asks for below `/skServer`, beside plugins,
//! users and devices, which have files of their own.
//!
//! Answers have the form that the page reads. Where this gateway has no such thing there is an empty answer if that is the
//! truth (no files of logs), else 501 with a sentence that says what does it here.

mod bus;
mod choices;
mod connections;
pub(crate) mod documents;
mod events;
mod input_test;
mod inputs;
mod n2k_file;
mod sensors;
mod settings;
mod sources;
mod units;
mod units_table;
mod vessel;

use alloc::collections::VecDeque;
use alloc::string::String;

use super::Gateway;
use super::board::Restart;
use super::board_http::BEFORE_RESTART;
use crate::http::{Method, Request};
use crate::json;
use crate::plugin::ExchangeId;
use crate::server::Response;
use choices::{Choice, Choices};
use events::ServerEventState;

pub use connections::{ConnectionForm, ConnectionWish};
pub(super) use vessel::described;

/// Said of a change of the log's level.
const LOG_LEVEL: &str = "which lines are logged is chosen at the start: `skiff run -v` has more";
/// Said where a supervisor has to do it.
const RESTART: &str =
    "this gateway does not start itself anew: whoever started it does, `systemctl restart skiff` for one";

/// What the owner chose, and what clients were told.
#[derive(Default)]
pub(super) struct ServerRoutes {
    choices: Choices,
    events: ServerEventState,
    /// What is wished of the connections, for the HAL; no more than exchanges that may wait.
    wishes: VecDeque<(ExchangeId, ConnectionWish)>,
}

impl ServerRoutes {
    /// Reads what the owner chose.
    pub fn load(storage: &mut dyn crate::hal::Storage) -> Self {
        Self { choices: Choices::load(storage), events: ServerEventState::default(), wishes: VecDeque::new() }
    }
}

impl Gateway {
    /// Answers what is asked for below `/skServer` that has no file of its own.
    pub(super) fn server_route(&mut self, what: &[&str], request: &Request, exchange: ExchangeId) -> Option<Response> {
        if let Some(wish) = connections::of_admin_ui(what, request) {
            return self.wish(wish, exchange);
        }
        let reads = request.method.is_read();
        Some(if reads { self.read_server_route(what, request) } else { self.change_server_route(what, request) })
    }

    fn read_server_route(&mut self, what: &[&str], request: &Request) -> Response {
        let json = |text: String| Response::json(200, text);
        if let [name] = what
            && let Some(choice) = Choice::of_route(name)
        {
            return Response::json(200, self.server_routes.choices.get(choice));
        }
        match what {
            [form @ ("openapi" | "asyncapi"), below @ ..] => documents::listed(form, below),
            ["vessel"] => self.vessel(),
            ["settings"] => self.settings(),
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
            ["cacheInspect"] => self.inspect_source(request),
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
            (["debug"], Post) if matches!(flag("value"), "\"\"" | "null") => Response::empty(200),
            (["rememberDebug"], Post) if flag("value") == "false" => Response::empty(200),
            (["debug" | "rememberDebug"], Post) => Response::error(501, LOG_LEVEL),
            (["restart"], Put) => self.restart(),
            (["n2kDiscoverDevices"], Post) => self.ask_devices(),
            (["n2kConfigDevice"], Post) => object.map_or_else(no_json, |body| self.set_device(&body)),
            (["removeSource" | "n2kRemoveSource"], Delete) => self.remove_source(request),
            (["resetN2kDevices"], Post) => self.reset_devices(),
            (["inputTest"], Post) => object.map_or_else(no_json, |body| self.test_input(&body)),
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
            _ => match self.read_server_route(what, request) {
                known if known.unclaimed => known,
                _ => Response::method_not_allowed("GET, HEAD"),
            },
        }
    }
}

fn no_json() -> Response {
    Response::error(400, "the body must be JSON")
}
