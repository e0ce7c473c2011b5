//! What a board answers over HTTP: its log, its firmware, its radio, factory reset.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::fmt;
use core::time::Duration;

use super::Gateway;
use super::board::{Board, Restart};
#[cfg(any(test, feature = "set-up"))]
use crate::config::{FILE_BYTES_MAX, N2K_FILE, N2kConfig, read_object, write_object};
use crate::device::factory_reset;
use crate::device::firmware::{HEADER_BYTES, Progress, Update, UpdateError};
use crate::device::wifi::Station;
use crate::hal::{Hal, StorageError};
use crate::http::{Method, Request};
use crate::json::{self, Object};
use crate::server::Response;
use crate::time::Instant;

/// Lines of the log in an answer when the caller does not say, and at most (plugin ABI §9.5).
const LOG_LINES: usize = 2000;
const LOG_LINES_MAX: usize = 50_000;
/// A restart leaves this long for the answer to reach who asked for it.
pub(super) const BEFORE_RESTART: Duration = Duration::from_secs(2);

fn number(request: &Request, name: &str) -> Option<Result<u32, Response>> {
    let value = request.query().split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    Some(value.parse().map_err(|_| Response::error(400, &format!("{name} must be a number"))))
}

impl Gateway {
    /// Answers what is asked for below `/skiff/v1`.
    pub(super) fn board(&mut self, below: &[&str], request: &Request) -> Response {
        use Method::{Delete, Get, Head, Post, Put};
        let (board, hal, version) = (&mut self.board, &mut self.hal, self.setup.version);
        match (below, request.method) {
            (["status"], Get | Head) => Response::json(200, self.status_json()),
            (["log"], Get | Head) => board.log_lines(request),
            #[cfg(any(test, feature = "page"))]
            (["machine"], Get | Head) => self.machine(request),
            #[cfg(any(test, feature = "metrics"))]
            (["metrics"], Get | Head) => self.metrics(),
            #[cfg(any(test, feature = "metrics"))]
            (["metrics"], _) => Response::method_not_allowed("GET, HEAD"),
            (["status" | "log"], _) => Response::method_not_allowed("GET, HEAD"),
            (["firmware"], Get | Head) => board.firmware_state(version),
            (["firmware"], Post) => board.firmware_piece(request, version, hal),
            (["firmware"], _) => Response::method_not_allowed("GET, HEAD, POST"),
            (["wifi"], Get | Head) => board.wifi_state(hal),
            (["wifi"], Put | Post) => board.wifi_set(request, hal),
            (["wifi"], Delete) => board.wifi_forget(hal),
            (["wifi"], _) => Response::method_not_allowed("GET, HEAD, PUT, POST, DELETE"),
            (["factory-reset"], Post) => board.factory_reset(hal),
            (["factory-reset"], _) => Response::method_not_allowed("POST"),
            #[cfg(any(test, feature = "set-up"))]
            (["n2k"], Get | Head) => board.bus_part(hal),
            #[cfg(any(test, feature = "set-up"))]
            (["n2k"], Put | Post) => board.bus_part_set(request, hal),
            #[cfg(any(test, feature = "set-up"))]
            (["n2k"], _) => Response::method_not_allowed("GET, HEAD, PUT, POST"),
            #[cfg(any(test, feature = "set-up"))]
            (["restart"], Post) => board.restart_asked(hal),
            #[cfg(any(test, feature = "set-up"))]
            (["restart"], _) => Response::method_not_allowed("POST"),
            _ => Response::unclaimed(),
        }
    }
}

impl Board {
    fn tail(&mut self, request: &Request) -> Result<String, Response> {
        let lines = match number(request, "lines").transpose()? {
            Some(lines) => usize::try_from(lines).unwrap_or(LOG_LINES_MAX).min(LOG_LINES_MAX),
            None => LOG_LINES,
        };
        match &mut self.parts.log {
            Some(log) => Ok(log.tail(lines)),
            None => Err(Response::error(501, "this gateway keeps no log; it goes to the console")),
        }
    }

    /// `GET /skiff/v1/log?lines=`: text, oldest line first.
    fn log_lines(&mut self, request: &Request) -> Response {
        match self.tail(request) {
            Ok(text) => Response::new(200, "text/plain; charset=utf-8", text),
            Err(refused) => refused,
        }
    }

    /// `GET /plugins/signalk-logviewer/api/logs?lines=`.
    pub fn log_viewer(&mut self, request: &Request) -> Response {
        let text = match self.tail(request) {
            Ok(text) => text,
            Err(refused) if refused.status == 400 => return refused,
            Err(_) => String::new(),
        };
        if text.is_empty() {
            return Response::error(404, "the log is empty");
        }
        let body = json::object(|body| {
            body.list("lines", |lines| text.lines().for_each(|line| _ = lines.text(line)));
            body.number("count", text.lines().count()).text("source", "skiff").text("format", "text");
        });
        Response::json(200, body)
    }

    /// `GET /skiff/v1/firmware`.
    fn firmware_state(&self, version: &str) -> Response {
        match &self.parts.firmware {
            Some(_) => Response::json(200, self.firmware_json(version)),
            None => no_slots(),
        }
    }

    fn firmware_json(&self, version: &str) -> String {
        json::object(|out| self.firmware_status(version, out))
    }

    /// Writes which firmware runs, and what becomes of another.
    pub fn firmware_status(&self, version: &str, out: &mut Object<'_>) {
        out.text("version", version);
        match (&self.update, &self.trial, self.restart) {
            (_, _, Some(_)) => _ = out.text("state", "restarting"),
            (Some((update, _)), _, _) => {
                let total = u64::from(update.header().bytes).saturating_add(HEADER_BYTES as u64);
                out.text("state", "receiving").number("received", update.received()).number("total", total);
            }
            (None, Some(_), None) => _ = out.text("state", "on-trial"),
            (None, None, None) => _ = out.text("state", "confirmed"),
        }
        if let Some(flash) = &self.parts.firmware {
            out.number("slot", flash.running().index()).number("slot_bytes", flash.slot_bytes());
            out.number("chip", flash.chip());
        }
        if let Some(version) = &self.rolled_back {
            out.text("rolled_back", version);
        }
    }

    /// `POST /skiff/v1/firmware?offset=`: the next piece of a firmware file; offset 0 begins anew.
    fn firmware_piece(&mut self, request: &Request, version: &str, hal: &mut Hal) -> Response {
        let now = hal.clock.now();
        let Some(flash) = &mut self.parts.firmware else { return no_slots() };
        if self.restart.is_some() {
            return Response::error(409, "the board is about to restart");
        }
        let offset = match number(request, "offset") {
            Some(Ok(offset)) => offset,
            Some(Err(refused)) => return refused,
            None => 0,
        };
        let (flash, storage) = (&mut **flash, &mut *hal.storage);
        let begun = self.update.take().map(|(update, _)| update);
        let update = match (offset, begun) {
            (0, _) => match Update::begin(flash, storage, &request.body) {
                Ok(update) => {
                    log::warn!("firmware {} is being received", update.header().version);
                    Box::new(update)
                }
                Err(error) => return refusal(error),
            },
            (_, None) => return refusal(UpdateError::Offset { expected: 0 }),
            (offset, Some(mut update)) => {
                if let Err(error) = update.piece(flash, offset, &request.body) {
                    if matches!(error, UpdateError::Offset { .. } | UpdateError::Piece) {
                        self.update = Some((update, now));
                    }
                    return refusal(error);
                }
                update
            }
        };
        match update.finish(flash, storage) {
            Ok(Progress::Receiving { received, total }) => {
                self.update = Some((update, now));
                let body = json::object(|body| {
                    body.number("received", received).number("total", total);
                });
                Response::json(200, body)
            }
            Ok(Progress::Ready) => {
                log::warn!("firmware {} is whole, restarting into it", update.header().version);
                self.restart = Some((Restart::Update, now + BEFORE_RESTART));
                Response::json(202, self.firmware_json(version))
            }
            Err(error) => refusal(error),
        }
    }

    /// `POST /skiff/v1/factory-reset`.
    fn factory_reset(&mut self, hal: &mut Hal) -> Response {
        if !self.parts.factory_reset {
            return Response::error(501, "this gateway has no factory reset; remove its configuration folder instead");
        }
        match factory_reset::request(&mut *hal.storage) {
            Ok(()) => {
                log::warn!("factory reset: configuration, plugins and token go at the next start");
                self.restart = Some((Restart::FactoryReset, hal.clock.now() + BEFORE_RESTART));
                restarting()
            }
            Err(error) => Response::error(507, &format!("{error}")),
        }
    }

    /// `POST /skiff/v1/restart`.
    #[cfg(any(test, feature = "set-up"))]
    fn restart_asked(&mut self, hal: &mut Hal) -> Response {
        if self.setting_up.is_none() {
            return Response::error(501, "this gateway is started anew by its system");
        }
        self.restart = Some((Restart::Asked, hal.clock.now() + BEFORE_RESTART));
        restarting()
    }

    /// `GET /skiff/v1/n2k`: the part that the board takes in the bus, as `skiff/n2k.json` says.
    #[cfg(any(test, feature = "set-up"))]
    fn bus_part(&self, hal: &mut Hal) -> Response {
        match read_object(&mut *hal.storage, N2K_FILE, FILE_BYTES_MAX) {
            Ok(text) => Response::json(200, text.unwrap_or_else(|| "{}".into())),
            Err(error) => Response::error(507, &format!("{error}")),
        }
    }

    /// `PUT /skiff/v1/n2k`: another part, from the next start on, which follows: the controller is set up once.
    #[cfg(any(test, feature = "set-up"))]
    fn bus_part_set(&mut self, request: &Request, hal: &mut Hal) -> Response {
        if self.setting_up.is_none() {
            return Response::error(501, "this gateway reads skiff/n2k.json at its start");
        }
        let text = core::str::from_utf8(&request.body).ok().and_then(|text| json::compact(text).ok());
        let Some(text) = text.filter(|text| text.starts_with('{')) else {
            return Response::error(400, "the body must be a JSON object");
        };
        if let Err(error) = N2kConfig::parse(&text, false) {
            return Response::error(400, &format!("{error}"));
        }
        match write_object(&mut *hal.storage, N2K_FILE, &text) {
            Ok(()) => {
                self.restart = Some((Restart::Asked, hal.clock.now() + BEFORE_RESTART));
                restarting()
            }
            Err(error) => Response::error(507, &format!("{error}")),
        }
    }

    /// `GET /skiff/v1/wifi`: which network is to be joined, and how that goes, and which there are; never the password.
    fn wifi_state(&self, hal: &mut Hal) -> Response {
        let Some(mode) = self.parts.wifi else { return no_wifi() };
        let station = Station::load(&mut *hal.storage);
        let body = json::object(|body| {
            body.text_or_null("ssid", station.as_ref().map(|station| &*station.ssid));
            body.text("mode", mode.name()).boolean("up", self.network_up);
            #[cfg(any(test, feature = "set-up"))]
            if let Some(setting_up) = &self.setting_up {
                setting_up.tell(crate::device::wifi::JoinFailure::last(&mut *hal.storage), body);
            }
        });
        Response::json(200, body)
    }

    /// `PUT`, `POST /skiff/v1/wifi` `{"ssid", "password"}`: the network to join, from the next start on, which follows at once.
    fn wifi_set(&mut self, request: &Request, hal: &mut Hal) -> Response {
        if self.parts.wifi.is_none() {
            return no_wifi();
        }
        let station = match Station::parse(&request.body) {
            Ok(station) => station,
            Err(error) => return Response::error(400, &format!("{error}")),
        };
        let saved = station.save(&mut *hal.storage);
        #[cfg(any(test, feature = "set-up"))]
        let saved = saved.and_then(|()| crate::device::wifi::JoinFailure::keep(None, &mut *hal.storage));
        self.wifi_changed(saved, &format_args!("to join {}", station.ssid), hal.clock.now())
    }

    /// `DELETE /skiff/v1/wifi`: the board makes its own network again.
    fn wifi_forget(&mut self, hal: &mut Hal) -> Response {
        if self.parts.wifi.is_none() {
            return no_wifi();
        }
        let forgotten = Station::forget(&mut *hal.storage);
        self.wifi_changed(forgotten, &"to make its own network", hal.clock.now())
    }

    fn wifi_changed(&mut self, done: Result<(), StorageError>, what: &dyn fmt::Display, now: Instant) -> Response {
        match done {
            Ok(()) => {
                log::warn!("the board starts anew {what}");
                self.restart = Some((Restart::Network, now + BEFORE_RESTART));
                restarting()
            }
            Err(error) => Response::error(507, &format!("{error}")),
        }
    }
}

fn restarting() -> Response {
    let body = json::object(|body| {
        body.text("state", "restarting");
    });
    Response::json(202, body)
}

fn no_wifi() -> Response {
    Response::error(501, "this gateway has no radio of its own; its system joins networks")
}

fn no_slots() -> Response {
    Response::error(501, "this gateway has no firmware slots; its package manager installs new versions")
}

fn refusal(error: UpdateError) -> Response {
    let status = match error {
        UpdateError::Header(_) | UpdateError::TooLong | UpdateError::Sum => 400,
        UpdateError::Piece => 413,
        UpdateError::Offset { .. } | UpdateError::OnTrial => 409,
        UpdateError::Flash => 500,
        UpdateError::Storage(_) => 507,
    };
    Response::error(status, &format!("{error}"))
}
