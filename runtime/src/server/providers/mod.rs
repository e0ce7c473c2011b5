//! The APIs behind which plugins stand: resources, weather, radar (plugin ABI §10).
//!
//! Nothing here waits. An API gives a [`Step`]: either an answer, or questions to plugins and what
//! to do with their replies. The gateway asks, collects, and goes on.

#[cfg(any(test, feature = "autopilot"))]
mod autopilot;
#[cfg(any(test, feature = "autopilot"))]
mod autopilot_request;
mod defaults;
mod radar;
mod resource_body;
mod resources;
mod step;
mod weather;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

#[cfg(any(test, feature = "autopilot"))]
pub use autopilot::{answer as autopilot, default_pilot};
pub use defaults::{Api, Defaults};
pub use radar::answer as radar;
pub use resources::answer as resources;
#[cfg(any(test, feature = "course"))]
pub use resources::find as find_resource;
pub use step::{Done, Effect, Question, Step, Then};
pub use weather::answer as weather;

use super::Response;
use crate::http::Request;
use crate::json;
use crate::plugin::Registry;
use crate::sorted;
use crate::time::Instant;

/// What the APIs are made of.
#[derive(Clone, Copy)]
pub struct Providers<'a> {
    /// The plugins.
    pub registry: &'a Registry,
    /// Who answers where several could.
    pub defaults: &'a Defaults,
    /// A random UUID of version 4, for what is created.
    pub new_id: &'a str,
    /// The gateway's own provider of resources.
    pub own: &'a OwnProvider,
}

/// A provider of resources that is no plugin but the gateway itself; plugins of this name provide none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnProvider {
    /// Its id, `$source` of what it keeps; empty where the gateway keeps nothing.
    pub id: &'static str,
    /// Types of resources that it keeps.
    pub kinds: Vec<String>,
}

/// One plugin behind an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Provider {
    /// Its id: the package name.
    pub(super) id: String,
    /// Name shown to users.
    pub(super) name: String,
}

impl Providers<'_> {
    /// Returns the plugins behind an API, the default first, then by time of registration.
    fn of(&self, api: &Api) -> Vec<Provider> {
        let mut found: Vec<(Instant, Provider)> = self
            .registry
            .plugins()
            .filter(|plugin| plugin.package_name() != self.own.id || !matches!(api, Api::Resources(_)))
            .filter_map(|plugin| {
                let offers = plugin.offers()?;
                let (name, since) = match api {
                    Api::Resources(kind) => (plugin.package_name(), offers.resources_since(kind)?),
                    Api::Weather => offers.weather()?,
                    Api::Radar => offers.radar()?,
                    // Its providers are found by their devices.
                    #[cfg(any(test, feature = "autopilot"))]
                    Api::Autopilot => return None,
                };
                Some((since, Provider { id: plugin.package_name().into(), name: name.into() }))
            })
            .collect();
        let chosen = self.defaults.chosen(api);
        sorted::sort_by(&mut found, |(a, first), (b, second)| {
            let other = |provider: &Provider| Some(provider.id.as_str()) != chosen;
            (other(first), a, &first.id) < (other(second), b, &second.id)
        });
        let mut all: Vec<Provider> = found.into_iter().map(|(_, provider)| provider).collect();
        if let Api::Resources(kind) = api
            && self.own.kinds.contains(kind)
        {
            // Behind the plugins, unless it was chosen.
            let at = if chosen == Some(self.own.id) { 0 } else { all.len() };
            all.insert(at, Provider { id: self.own.id.into(), name: self.own.id.into() });
        }
        all
    }

    /// Returns the providers that `?provider=` leaves.
    ///
    /// # Errors
    /// The answer where there is none.
    fn wanted(&self, api: &Api, request: &Request, status: u16) -> Result<Vec<Provider>, Response> {
        let mut all = self.of(api);
        if let Some(wanted) = parameter(request, "provider") {
            all.retain(|provider| provider.id == wanted);
            if all.is_empty() {
                return Err(failed(400, &format!("no provider {wanted} is registered here")));
            }
        }
        if all.is_empty() {
            return Err(failed(status, &format!("no provider is registered for {api}")));
        }
        Ok(all)
    }

    /// Answers `_providers` and what is below it; `None` for other addresses.
    fn administration(&self, api: Api, request: &Request, segments: &[&str]) -> Option<Step> {
        let all = self.of(&api);
        Some(match segments {
            ["_providers"] if request.method.is_read() => {
                let body = match api {
                    Api::Resources(_) => json::list(|ids| {
                        for provider in &all {
                            ids.text(&provider.id);
                        }
                    }),
                    _ => json::object(|rows| {
                        for (at, provider) in all.iter().enumerate() {
                            rows.object(&provider.id, |row| {
                                row.text("name", &provider.name).boolean("isDefault", at == 0);
                            });
                        }
                    }),
                };
                Step::json(200, body)
            }
            ["_providers", "_default"] if request.method.is_read() => match (all.first(), api) {
                (Some(first), Api::Resources(_)) => Step::json(200, json::quoted(&first.id)),
                (Some(first), _) => Step::json(200, one("id", &first.id)),
                (None, Api::Resources(_)) => failed(404, "no provider is registered").into(),
                (None, _) => Step::json(200, String::from("{}")),
            },
            ["_providers", "_default", rest @ ..]
                if request.method == crate::http::Method::Post && !rest.is_empty() =>
            {
                // A package name has a slash in it, which some clients do not encode.
                let id = rest.join("/");
                if !all.iter().any(|provider| provider.id == id) {
                    let status = if matches!(api, Api::Resources(_)) { 404 } else { 400 };
                    return Some(failed(status, &format!("no provider {id} is registered here")).into());
                }
                let status = if matches!(api, Api::Resources(_)) { 201 } else { 200 };
                let message = format!("{id} is the default provider now");
                let response = state(status, "COMPLETED", &message);
                Step::Done(Done { response, effect: Effect::Default { api, package: id } })
            }
            ["_providers", ..] => Response::method_not_allowed("GET, HEAD, POST").into(),
            _ => return None,
        })
    }
}

/// Returns a parameter of the query, decoded; the first where it is repeated.
fn parameter(request: &Request, name: &str) -> Option<String> {
    request.query().split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then(|| super::url::decode_query(value).map(alloc::borrow::Cow::into_owned)).flatten()
    })
}

/// Returns an object with one text.
fn one(name: &str, text: &str) -> String {
    json::object(|object| {
        object.text(name, text);
    })
}

/// Returns `{"state","statusCode","message"}`.
pub(crate) fn state(status: u16, state: &str, message: &str) -> Response {
    let body = json::object(|body| {
        body.text("state", state).number("statusCode", status).text("message", message);
    });
    Response::json(status, body)
}

/// Returns the answer to what cannot be done.
pub(crate) fn failed(status: u16, message: &str) -> Response {
    state(status, "FAILED", message)
}

/// Reads a body that must be JSON.
///
/// # Errors
/// The 400 that says what is wrong.
pub(crate) fn json_body(request: &Request) -> Result<String, Response> {
    let text = core::str::from_utf8(&request.body).map_err(|_| failed(400, "the body is not UTF-8"))?;
    json::compact(text).map_err(|error| failed(400, &format!("the body is no JSON: {error}")))
}
