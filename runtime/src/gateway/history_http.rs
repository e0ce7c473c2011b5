//! The past over HTTP: History API of version 2, snapshots and playback of version 1.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::history::OFF;
use super::signalk_http::unsupported;
use super::{Gateway, StreamId};
use crate::history::{Listed, Query, Range};
use crate::http::{Method, Request};
use crate::json;
use crate::plugin::ExchangeId;
use crate::server::Response;
use crate::server::providers::{failed, state};
use crate::server::url::{decode_all, parameter};
use crate::time::UnixMillis;

/// Id of the gateway's own provider; plugins can be none, their contract has no such surface.
const PROVIDER: &str = "skiff-history";
/// Rates that can be played at.
const RATES: core::ops::RangeInclusive<f64> = 0.01..=1000.0;
const TIME: &str = "must be an ISO 8601 UTC time such as 2026-11-22T23:14:43Z";

impl Gateway {
    /// Answers what is asked of the past below `/signalk`, now or later; goes on with everything else.
    pub(super) fn history_below(
        &mut self,
        below: &[&str],
        request: &Request,
        exchange: ExchangeId,
    ) -> ControlFlow<Option<Response>> {
        match below {
            ["v2", "api", "history", path @ ..] => ControlFlow::Break(match decode_all(path) {
                Some(path) => {
                    let path: Vec<&str> = path.iter().map(|segment| &**segment).collect();
                    self.history_api(&path, request, exchange)
                }
                None => Some(Response::unclaimed()),
            }),
            ["v1", "snapshot", path @ ..] | ["v1", "api", "snapshot", path @ ..] => {
                ControlFlow::Break(self.snapshot(path, request, exchange))
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn history_api(&mut self, path: &[&str], request: &Request, exchange: ExchangeId) -> Option<Response> {
        if let ["_providers", rest @ ..] = path {
            return Some(self.history_providers(rest, request));
        }
        if !matches!(path, ["values" | "contexts" | "paths"]) {
            return Some(unsupported());
        }
        if !request.method.is_read() {
            return Some(Response::method_not_allowed("GET, HEAD"));
        }
        let query = |name: &str| parameter(request.query(), name);
        if !self.history.is_kept() {
            return Some(Response::error(501, OFF));
        }
        if let Some(other) = query("provider").filter(|id| !id.is_empty() && id != PROVIDER) {
            return Some(Response::error(400, &format!("there is no history provider {other}")));
        }
        let now = self.wall();
        match path {
            ["values"] => match Query::read(&query, now) {
                Ok(values) => {
                    let context = self.full_context(&query("context").unwrap_or_default());
                    self.history_values(exchange, &context, values)
                }
                Err(wrong) => Some(invalid(&wrong)),
            },
            [listed, ..] => match Range::read(&query, now) {
                Ok(range) => {
                    let listed = if *listed == "contexts" { Listed::Contexts } else { Listed::Paths };
                    self.history_names(exchange, range, listed)
                }
                Err(wrong) => Some(invalid(&wrong)),
            },
            [] => Some(Response::unclaimed()),
        }
    }

    /// Returns a context in full: that of the own vessel has several names.
    fn full_context(&self, context: &str) -> String {
        match context {
            "" | "self" | "vessels.self" => self.setup.self_context.clone(),
            other if Some(other) == self.setup.self_context.strip_prefix("vessels.") => self.setup.self_context.clone(),
            other => other.into(),
        }
    }

    /// Returns who keeps the past, as the server event `HISTORYPROVIDERS` tells it.
    #[cfg(any(test, feature = "server-routes"))]
    pub(super) fn history_overview(&self) -> String {
        let is_kept = self.history.is_kept();
        json::object(|out| {
            out.list("ids", |ids| {
                if is_kept {
                    ids.text(PROVIDER);
                }
            });
            if is_kept {
                out.text("defaultId", PROVIDER);
            }
            out.boolean("configuredAvailable", false);
        })
    }

    fn history_providers(&self, path: &[&str], request: &Request) -> Response {
        let is_kept = self.history.is_kept();
        match path {
            [] | ["_default"] if !request.method.is_read() => Response::method_not_allowed("GET, HEAD"),
            [] => Response::json(
                200,
                json::object(|rows| {
                    if is_kept {
                        rows.object(PROVIDER, |row| {
                            row.boolean("isDefault", true);
                        });
                    }
                }),
            ),
            ["_default"] => Response::json(
                200,
                json::object(|row| {
                    if is_kept {
                        row.text("id", PROVIDER);
                    }
                }),
            ),
            ["_default", id] if request.method == Method::Post => {
                if is_kept && *id == PROVIDER {
                    state(200, "COMPLETED", &format!("{id} is the default provider"))
                } else {
                    failed(400, &format!("there is no history provider {id}"))
                }
            }
            ["_default", _] => Response::method_not_allowed("POST"),
            _ => Response::unclaimed(),
        }
    }

    /// Answers with the tree as it was at a time.
    fn snapshot(&mut self, path: &[&str], request: &Request, exchange: ExchangeId) -> Option<Response> {
        if !request.method.is_read() {
            return Some(Response::method_not_allowed("GET, HEAD"));
        }
        let Some(path) = decode_all(path) else { return Some(Response::unclaimed()) };
        let Some(time) = parameter(request.query(), "time") else {
            return Some(Response::error(400, &format!("the parameter time is required, it {TIME}")));
        };
        match UnixMillis::parse_iso(&time).filter(|_| time.ends_with('Z')) {
            Some(time) => {
                let path = path.into_iter().map(alloc::borrow::Cow::into_owned).collect();
                self.history_moment(exchange, time, path)
            }
            None => Some(Response::error(400, &format!("time {TIME}"))),
        }
    }

    /// Opens a stream of the past (`startTime`, `playbackRate`, `subscribe`).
    pub(super) fn open_playback(&mut self, request: &Request) -> Result<StreamId, Response> {
        if !self.history.is_kept() {
            return Err(Response::error(501, OFF));
        }
        let time = parameter(request.query(), "startTime").unwrap_or_default();
        let Some(from) = UnixMillis::parse_iso(&time) else {
            return Err(Response::error(400, &format!("startTime {TIME}")));
        };
        let rate = match parameter(request.query(), "playbackRate") {
            None => Some(1.0),
            Some(text) => json::number(&text).filter(|rate| RATES.contains(rate)),
        };
        let Some(rate) = rate else {
            return Err(Response::error(400, "playbackRate must be a number from 0.01 to 1000"));
        };
        if !self.may_play() {
            return Err(Response::error(503, "too many clients are played to, try again later"));
        }
        let id = self.open_deltas(request, true)?;
        if let Some(session) = self.clients.streams.session_mut(id) {
            session.tell_the_past(&time, rate);
        }
        self.begin_to_play(id, from, rate);
        Ok(id)
    }
}

fn invalid(wrong: &[String]) -> Response {
    Response::error(400, &wrong.join(", "))
}
