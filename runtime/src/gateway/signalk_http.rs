//! What plugins or the operator stand behind in the Signal K API: changes, resources, weather, radar, notifications.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::Gateway;
use crate::http::{Method, Request};
use crate::plugin::ExchangeId;
use crate::server::Response;
use crate::server::providers::{self, Providers, Step};
use crate::server::url::{decode, decode_all};

impl Gateway {
    /// Answers what is asked for below `/signalk`, where it is not data alone.
    pub(super) fn signalk(&mut self, below: &[&str], request: &Request, exchange: ExchangeId) -> Option<Response> {
        match (below, request.method) {
            (["v1", "api", path @ ..], Method::Put) => {
                let Some(path) = decode_all(path) else { return Some(Response::unclaimed()) };
                let path: Vec<&str> = path.iter().map(|segment| &**segment).collect();
                self.put_request(&path, request, exchange)
            }
            (["v1", "api", path @ ..], Method::Delete) => Some(self.delete_request(path, request)),
            // Charts; other types are of version 2 alone.
            (["v1", "api", "resources", path @ ..], Method::Get | Method::Head) => match decode_all(path) {
                Some(path) => self.provided(request, &path, exchange, providers::resources),
                None => Some(Response::unclaimed()),
            },
            (["v1", "requests", id], Method::Get | Method::Head) => {
                Some(decode(id).map_or_else(Response::unclaimed, |id| {
                    self.access_state(&id).unwrap_or_else(|| self.request_state(&id))
                }))
            }
            (["v1", "access", "requests"], _) => Some(self.access_request(request)),
            (["v1", "auth", what @ ("login" | "logout" | "validate")], _) => self.auth(what, request, exchange),
            (["v1", "requests", _], _) => Some(Response::method_not_allowed("GET, HEAD")),
            (["v2", "api", path @ ..], _) => match decode_all(path) {
                Some(decoded) => self.signalk_v2(path, &decoded, request, exchange),
                None => Some(Response::unclaimed()),
            },
            (["v1", "applicationData", below @ ..], _) => Some(self.kept(below, request)),
            #[cfg(any(test, feature = "server-routes"))]
            (["v1", "unitpreferences", what @ ..], _) => Some(match decode_all(what) {
                Some(what) => self.unit_preferences(&what.iter().map(|one| &**one).collect::<Vec<_>>(), request),
                None => Response::unclaimed(),
            }),
            (["v1", "requests" | "auth", ..] | ["v2", ..], _) => Some(unsupported()),
            _ => Some(Response::unclaimed()),
        }
    }

    /// Answers what is asked for below `/signalk/v2/api`; `decoded` is `path`, decoded.
    fn signalk_v2(
        &mut self,
        path: &[&str],
        decoded: &[Cow<'_, str>],
        request: &Request,
        exchange: ExchangeId,
    ) -> Option<Response> {
        let below = |count: usize| decoded.get(count..).unwrap_or_default();
        match path {
            ["resources", ..] => self.provided(request, below(1), exchange, providers::resources),
            ["weather", ..] => self.provided(request, below(1), exchange, providers::weather),
            ["vessels", "self", "radars", ..] => self.provided(request, below(3), exchange, providers::radar),
            #[cfg(any(test, feature = "autopilot"))]
            ["vessels", "self", "autopilots", ..] => self.provided(request, below(3), exchange, providers::autopilot),
            ["vessels", "self", "navigation", "course", ..] => self.course_api(request, below(4), exchange),
            #[cfg(any(test, feature = "server-routes"))]
            ["vessels", "self", "sensors", "gnss"] => Some(self.gnss(request)),
            #[cfg(any(test, feature = "server-routes"))]
            ["vessels", "self", "ble", ..] => Some(self.bluetooth(below(3), request)),
            ["notifications", ..] => Some(self.notifications(request, below(1))),
            _ => Some(unsupported()),
        }
    }

    /// Answers with what apps keep here.
    #[cfg(any(test, feature = "stores"))]
    fn kept(&mut self, below: &[&str], request: &Request) -> Response {
        match decode_all(below) {
            Some(below) => self.app_data(&below, request).unwrap_or_else(unsupported),
            None => Response::unclaimed(),
        }
    }

    /// Boards have no room for what apps keep.
    #[cfg(not(any(test, feature = "stores")))]
    fn kept(&mut self, _: &[&str], _: &Request) -> Response {
        Response::error(501, "this gateway keeps nothing for apps")
    }

    /// Boards have no room for the Course API.
    #[cfg(not(any(test, feature = "course")))]
    fn course_api(&mut self, _: &Request, _: &[Cow<'_, str>], _: ExchangeId) -> Option<Response> {
        Some(Response::error(501, "this gateway has no Course API"))
    }

    /// Answers through an API that plugins stand behind.
    fn provided(
        &mut self,
        request: &Request,
        segments: &[Cow<'_, str>],
        exchange: ExchangeId,
        api: fn(&Request, &[Cow<'_, str>], &Providers<'_>) -> Step,
    ) -> Option<Response> {
        let new_id = crate::config::random_uuid(&mut *self.hal.rng);
        let providers = Providers {
            registry: &self.plugins.registry,
            defaults: &self.clients.defaults,
            new_id: &new_id,
            own: &self.own_provider(),
        };
        let step = api(request, segments, &providers);
        self.take_step(exchange, step)
    }
}

pub(super) fn unsupported() -> Response {
    Response::error(404, "this part of the Signal K API is not supported")
}
