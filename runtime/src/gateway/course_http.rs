//! `/signalk/v2/api/vessels/self/navigation/course`: the Course API, version 2 (Signal K Server 2.32 `dist/api/course`).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Gateway;
use crate::course::{CourseError, Facts, Href, Order};
use crate::http::{Method, Request};
use crate::json;
use crate::plugin::ExchangeId;
use crate::server::Response;
use crate::server::providers::{self, Done, Effect, Providers, Step, failed, json_body, state};

impl Gateway {
    /// Answers a request; `segments` are those below `course`, decoded.
    pub(super) fn course_api(
        &mut self,
        request: &Request,
        segments: &[Cow<'_, str>],
        exchange: ExchangeId,
    ) -> Option<Response> {
        let segments: Vec<&str> = segments.iter().map(|segment| &**segment).collect();
        let body = || match request.body.is_empty() {
            true => Ok(String::from("{}")),
            false => json_body(request),
        };
        let read = |order: fn(&str) -> Result<Order, CourseError>| {
            body().and_then(|body| order(&body).map_err(|error| refused(&error)))
        };
        let order = match (request.method, segments.as_slice()) {
            (method, _) if method.is_read() => return Some(self.read_course(&segments)),
            (Method::Delete, []) => Ok(Order::Clear),
            (Method::Put, ["destination"]) => read(Order::destination),
            (Method::Put, ["activeRoute"]) => read(Order::active_route),
            (Method::Put, ["arrivalCircle"]) => read(Order::arrival_circle),
            (Method::Put, ["targetArrivalTime"]) => read(Order::target_arrival_time),
            (Method::Put, ["restart"]) => Ok(Order::Restart),
            (Method::Put, ["activeRoute", action]) => body().and_then(|body| {
                let order = Order::step(action, &body).ok_or_else(nothing_there)?;
                order.map_err(|error| refused(&error))
            }),
            (Method::Post, ["_config", "apiOnly"]) => return Some(self.set_api_only(true)),
            (Method::Delete, ["_config", "apiOnly"]) => return Some(self.set_api_only(false)),
            (_, segments) => return Some(not_allowed(segments)),
        };
        match order {
            Ok(order) => self.order(order, exchange),
            Err(refused) => Some(refused),
        }
    }

    fn read_course(&self, segments: &[&str]) -> Response {
        let navigation = &self.course.navigation;
        match segments {
            [] => Response::json(200, navigation.course().json()),
            ["calcValues"] => match &self.course.derived {
                Some(derived) => Response::json(200, derived.json()),
                None => refused(&CourseError::NoDestination),
            },
            ["_config"] => Response::json(
                200,
                json::object(|out| {
                    out.boolean("apiOnly", navigation.is_api_only());
                }),
            ),
            ["arrivalCircle", "meta"] => Response::json(
                200,
                json::object(|out| {
                    out.object("arrivalCircle", |meta| {
                        meta.text(
                            "description",
                            "radius of the circle around the next point inside of which is arrival",
                        );
                        meta.text("units", "m");
                    });
                }),
            ),
            segments => not_allowed(segments),
        }
    }

    /// Listens to plotters or not.
    pub(super) fn set_api_only(&mut self, yes: bool) -> Response {
        if let Some(changed) = self.course.navigation.set_api_only(yes) {
            self.tell_course(changed);
        }
        self.keep_course();
        done()
    }

    /// Does what a client orders, once the resource that it needs is there.
    fn order(&mut self, order: Order, exchange: ExchangeId) -> Option<Response> {
        let Some(href) = self.course.navigation.course().needs(&order) else {
            return Some(answered(self.obey(&order, None)));
        };
        let providers = Providers {
            registry: &self.plugins.registry,
            defaults: &self.clients.defaults,
            new_id: "",
            own: &self.own_provider(),
        };
        let (kind, id) = (String::from(href.kind()), String::from(href.id()));
        let step = providers::find_resource(&kind, &id, &providers, move |found| {
            Step::Done(Done { response: done(), effect: Effect::Course { order, href, found } })
        });
        self.take_step(exchange, step)
    }

    /// Does what a client ordered with the resource that was looked up for it.
    pub(super) fn obey_with(&mut self, order: &Order, href: &Href, found: Option<&str>) -> Response {
        // Another client may have changed the course meanwhile.
        if self.course.navigation.course().needs(order).as_ref() != Some(href) {
            return refused(&CourseError::Invalid);
        }
        match self.obey(order, found) {
            Err(CourseError::NoRoute) => {
                failed(400, &format!("** Could not retrieve route information for {}", href.text()))
            }
            Err(CourseError::NoWaypoint) => failed(400, &format!("Error retrieving and validating {}", href.text())),
            obeyed => answered(obeyed),
        }
    }

    fn obey(&mut self, order: &Order, resource: Option<&str>) -> Result<(), CourseError> {
        let time = self.wall().text();
        let now = Some(&*time).filter(|time| !time.is_empty());
        let facts = Facts { vessel: self.own_position(), now, resource };
        let changed = self.course.navigation.obey(order, &facts)?;
        self.tell_course(changed);
        self.keep_course();
        Ok(())
    }
}

fn answered(obeyed: Result<(), CourseError>) -> Response {
    obeyed.map_or_else(|error| refused(&error), |()| done())
}

fn done() -> Response {
    state(200, "COMPLETED", "OK")
}

fn refused(error: &CourseError) -> Response {
    failed(400, &error.to_string())
}

fn nothing_there() -> Response {
    failed(404, "no such part of the Course API")
}

/// Answers a method that an address does not take, or an address that there is not.
fn not_allowed(segments: &[&str]) -> Response {
    match segments {
        [] => Response::method_not_allowed("GET, HEAD, DELETE"),
        ["calcValues" | "_config"] | ["arrivalCircle", "meta"] => Response::method_not_allowed("GET, HEAD"),
        ["_config", "apiOnly"] => Response::method_not_allowed("POST, DELETE"),
        ["destination" | "activeRoute" | "arrivalCircle" | "targetArrivalTime" | "restart"]
        | ["activeRoute", "nextPoint" | "pointIndex" | "reverse" | "refresh"] => Response::method_not_allowed("PUT"),
        _ => nothing_there(),
    }
}
